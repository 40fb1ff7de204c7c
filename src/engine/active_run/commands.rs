//! Obeying the viewers' commands, and pausing.

use std::time::{Duration, Instant};

use tokio::sync::mpsc::error::TryRecvError;

use super::{ActiveRun, NextStep};
use crate::format::count;
use crate::link::{EngineCommand, NOT_EXTENDED};
use crate::session::config::Extension;
use crate::session::record::Note;
use crate::session::run::Phase;

/// Time between two looks for a command during a pause.
const LOOK: Duration = Duration::from_millis(50);

impl ActiveRun {
    /// Obeys all pending commands at once, so that stopping and pausing do not wait for earlier commands. During a
    /// pause this blocks.
    pub fn obey_commands(&mut self) -> NextStep {
        self.obey_holding(&|_| {})
    }

    /// The same while workers compute: `hold` is called with whether they are to wait because of a pause. A run that
    /// stops lets them go itself.
    pub fn obey_holding(&mut self, hold: &dyn Fn(bool)) -> NextStep {
        let received = self.obey_pending(None);
        if received.stop || self.lock_lost {
            return self.stop();
        }
        let mut pause = Duration::ZERO;
        match (std::mem::take(&mut self.still_paused), received.pause) {
            (true, Some(false)) => self.end_pause(),
            (true, None) | (_, Some(true)) => {
                hold(true);
                match self.wait_paused() {
                    Some(time) => pause = time,
                    None => return self.stop(),
                }
            }
            (false, _) => {}
        }
        if !self.still_paused {
            hold(false);
        }
        match std::mem::take(&mut self.extended) {
            true => NextStep::Replan,
            false => NextStep::Continue(pause),
        }
    }

    /// Takes all pending commands, after `first`; obeys those that can be obeyed at once and returns the rest.
    pub(super) fn obey_pending(&mut self, first: Option<EngineCommand>) -> Received {
        let mut received = Received::default();
        let mut all: Vec<EngineCommand> = first.into_iter().collect();
        while let Ok(command) = self.commands.try_recv() {
            all.push(command);
        }
        let mut changed = false;
        for command in all {
            match command {
                EngineCommand::Stop => received.stop = true,
                EngineCommand::Discard => (received.stop, self.discards) = (true, true),
                EngineCommand::Pause => received.pause = Some(true),
                EngineCommand::Continue => received.pause = Some(false),
                EngineCommand::Checkpoint => self.checkpoint_requested = true,
                EngineCommand::Extend { images, more } => {
                    self.extend(images, more);
                    changed = true;
                }
                EngineCommand::Note(note) => {
                    self.edit_note(note);
                    changed = true;
                }
            }
        }
        if changed {
            self.publish();
        }
        received
    }

    /// Extends the plan, logs it and requests a checkpoint, so that it is not lost with the engine; a refusal is logged
    /// as a warning.
    fn extend(&mut self, images: usize, more: Extension) {
        let text = format!("extended to {} trials", count(more.trials as f64));
        match self.session.extend(images, more) {
            Ok(reset) => {
                self.extended = true;
                self.checkpoint_requested = true;
                self.run.stages = self.session.stages();
                match reset.is_empty() {
                    true => self.log(text),
                    false => self.log(format!(
                        "{text}; to be rerun with the new maps: {}",
                        reset.join(", ")
                    )),
                }
            }
            Err(error) => self.warn(format!("{NOT_EXTENDED}{error}")),
        }
    }

    /// Adds or removes a note, logs it and requests a checkpoint; a refusal is logged as a warning.
    fn edit_note(&mut self, note: Note) {
        let on = note.on.clone();
        let place = on.in_words(&self.session.record);
        match self.session.note(note) {
            Ok(()) => {
                self.checkpoint_requested = true;
                match self.session.record.note_on(&on) {
                    Some(_) => self.log(format!("note added to {place}")),
                    None => self.log(format!("note removed from {place}")),
                }
            }
            Err(error) => self.warn(format!("note on {place} not saved: {error}")),
        }
    }

    fn stop(&mut self) -> NextStep {
        self.run.phase = Phase::Stopping;
        self.publish();
        NextStep::Stop
    }

    /// Pauses until a command says to resume (returns how long it took) or to stop (`None`), or the lock is lost
    /// (`None`). Before the work begins, this only keeps the pause for later.
    fn wait_paused(&mut self) -> Option<Duration> {
        let began = Instant::now();
        let (Phase::Working(stage) | Phase::Paused(stage)) = self.run.phase else {
            self.still_paused = true;
            return Some(Duration::ZERO);
        };
        if self.run.phase != Phase::Paused(stage) {
            self.run.phase = Phase::Paused(stage);
            self.log("paused");
        }
        self.publish();
        let mut reason = self.pause_end();
        if self.lock_lost {
            reason = PauseEnd::Stop;
        }
        let pause = began.elapsed();
        self.paused += pause;
        match reason {
            PauseEnd::Stop => return None,
            PauseEnd::Checkpoint => self.still_paused = true,
            PauseEnd::Continue => self.end_pause(),
        }
        Some(pause)
    }

    /// Obeys commands during a pause until one ends it, none can come any more, the lock is lost, or a checkpoint is to be
    /// written: one that was requested, also together with the pause, or one that failed and is tried again.
    fn pause_end(&mut self) -> PauseEnd {
        loop {
            self.look_at_lock();
            if self.lock_lost {
                return PauseEnd::Stop;
            }
            let tries_again = self.run.problem.is_some() && self.checkpoint_is_due();
            if self.checkpoint_requested || tries_again {
                // The caller must first bring its results into the session.
                return PauseEnd::Checkpoint;
            }
            let command = match self.commands.try_recv() {
                Ok(command) => command,
                // Without viewers nobody could end the pause.
                Err(TryRecvError::Disconnected) => return PauseEnd::Continue,
                Err(TryRecvError::Empty) => {
                    std::thread::sleep(LOOK);
                    continue;
                }
            };
            let received = self.obey_pending(Some(command));
            if received.stop {
                return PauseEnd::Stop;
            }
            if received.pause == Some(false) {
                return PauseEnd::Continue;
            }
        }
    }

    /// Ends a pause.
    fn end_pause(&mut self) {
        if let Phase::Paused(stage) = self.run.phase {
            self.run.phase = Phase::Working(stage);
            self.log("continued");
            self.publish();
        }
    }
}

/// The commands received that have not been obeyed yet.
#[derive(Debug, Default)]
pub(super) struct Received {
    pub(super) stop: bool,
    /// Whether to pause or to resume, by the last such command.
    pause: Option<bool>,
}

/// Why a pause ended.
enum PauseEnd {
    Continue,
    Stop,
    /// For a checkpoint, after which the pause continues.
    Checkpoint,
}

#[cfg(test)]
mod tests;
