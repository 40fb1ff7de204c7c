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
        let mut reason = PauseEnd::Continue;
        // Without viewers nobody could end the pause.
        while let Some(command) = self.wait_for_command() {
            let received = self.obey_pending(Some(command));
            if received.stop {
                reason = PauseEnd::Stop;
                break;
            }
            if received.pause == Some(false) {
                break;
            }
            if self.checkpoint_requested {
                // The caller must first bring its results into the session.
                reason = PauseEnd::Checkpoint;
                break;
            }
        }
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

    /// Waits for a command during a pause; `None` if there can be none, or if the lock has been lost.
    fn wait_for_command(&mut self) -> Option<EngineCommand> {
        loop {
            self.look_at_lock();
            if self.lock_lost {
                return None;
            }
            match self.commands.try_recv() {
                Ok(command) => return Some(command),
                Err(TryRecvError::Disconnected) => return None,
                Err(TryRecvError::Empty) => std::thread::sleep(LOOK),
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
mod tests {
    use super::*;
    use crate::link::{EngineEnd, Link};
    use crate::session::store::Store;
    use crate::session::{Config, Run, SavedState, Session};

    /// A run of a new session in this folder, and a viewer's link to it.
    fn active(folder: &tempfile::TempDir) -> (ActiveRun, Link) {
        let lock = Store::new(folder.path()).lock("mine").unwrap();
        let (link, end) = Link::local(Session::new("mine", Config::default()));
        let EngineEnd { sessions, commands } = end;
        (ActiveRun::new(sessions, commands, lock), link)
    }

    #[test]
    fn an_extension_is_saved_at_once_and_a_refused_one_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (mut active, link) = active(&folder);
        let extend = |trials| {
            let more = Extension {
                gamma: None,
                trials,
                target: None,
                class: None,
            };
            link.send(EngineCommand::Extend { images: 0, more });
        };
        extend(2_000_000);
        assert_eq!(active.obey_commands(), NextStep::Replan);
        assert!(active.checkpoint_is_due());
        active.checkpoint(SavedState::Running).unwrap();
        let saved = Store::new(folder.path()).load("mine").unwrap();
        assert_eq!(saved.trials(), (0, 8_000_000));
        extend(1_500_000);
        assert_eq!(active.obey_commands(), NextStep::Continue(Duration::ZERO));
        assert!(!active.checkpoint_is_due());
        assert_eq!(active.session.trials(), (0, 8_000_000));
    }

    #[test]
    fn time_in_which_the_process_was_suspended_is_not_time_worked() {
        let folder = tempfile::tempdir().unwrap();
        let (mut active, _link) = active(&folder);
        active.elapsed_before = 7.0;
        active.exclude(Duration::from_secs(3600));
        active.checkpoint(SavedState::Running).unwrap();
        let saved = Store::new(folder.path()).load("mine").unwrap();
        assert_eq!(saved.record.elapsed_s, 7.0);
    }

    #[test]
    fn a_pause_that_comes_while_images_are_read_begins_with_the_work() {
        let folder = tempfile::tempdir().unwrap();
        let (mut active, link) = active(&folder);
        let at_once = NextStep::Continue(Duration::ZERO);
        link.send(EngineCommand::Pause);
        // Once for each of two pictures.
        for _ in 0..2 {
            assert_eq!(active.obey_commands(), at_once);
        }
        active.run.phase = Phase::Working(0);
        let viewer = std::thread::spawn(move || {
            let is_paused = || {
                let run = link.newest().run.clone();
                run.is_some_and(|run| run.phase == Phase::Paused(0))
            };
            let until = Instant::now() + Duration::from_secs(5);
            while !is_paused() && Instant::now() < until {
                std::thread::sleep(Duration::from_millis(5));
            }
            let paused = is_paused();
            link.send(EngineCommand::Continue);
            (paused, link)
        });
        let next = active.obey_commands();
        let (paused, link) = viewer.join().unwrap();
        assert!(paused);
        assert!(matches!(next, NextStep::Continue(pause) if pause > Duration::ZERO));
        // One that is taken back in time never begins.
        active.run.phase = Phase::Starting;
        for command in [EngineCommand::Pause, EngineCommand::Continue] {
            link.send(command);
            assert_eq!(active.obey_commands(), at_once);
        }
        active.run.phase = Phase::Working(0);
        assert_eq!(active.obey_commands(), at_once);
    }

    #[test]
    fn workers_are_held_during_a_pause_also_while_a_checkpoint_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let (mut active, link) = active(&folder);
        active.run.phase = Phase::Working(0);
        let held = std::cell::RefCell::new(Vec::new());
        let hold = |workers: bool| held.borrow_mut().push(workers);
        link.send(EngineCommand::Pause);
        let viewer = std::thread::spawn(move || {
            let until = Instant::now() + Duration::from_secs(5);
            let is_paused = |run: &Run| run.phase == Phase::Paused(0);
            while !link.newest().run.as_ref().is_some_and(is_paused) && Instant::now() < until {
                std::thread::sleep(Duration::from_millis(5));
            }
            link.send(EngineCommand::Checkpoint);
            link
        });
        active.obey_holding(&hold);
        assert!(active.checkpoint_is_due());
        assert_eq!(*held.borrow(), [true]);
        let link = viewer.join().unwrap();
        link.send(EngineCommand::Continue);
        active.obey_holding(&hold);
        assert_eq!(*held.borrow(), [true, false]);
    }

    #[test]
    fn a_paused_engine_notices_that_it_has_lost_its_lock() {
        let folder = tempfile::tempdir().unwrap();
        let lock = Store::new(folder.path()).lock("mine").unwrap();
        let (link, end) = Link::local(Session::new("mine", Config::default()));
        let EngineEnd { sessions, commands } = end;
        let mut active = ActiveRun::new(sessions, commands, lock);
        active.run.phase = Phase::Working(0);
        // The next look at the lock is due soon after the pause has begun.
        let earlier = active
            .looked_at_lock
            .checked_sub(Duration::from_millis(700));
        active.looked_at_lock = earlier.unwrap_or(active.looked_at_lock);
        link.send(EngineCommand::Pause);
        let path = folder.path().join("mine.lock");
        let watcher = std::thread::spawn(move || {
            let reaches = |phase: Phase| {
                let until = Instant::now() + Duration::from_secs(5);
                let is_there = || {
                    let newest = link.newest();
                    newest.run.as_ref().is_some_and(|run| run.phase == phase)
                };
                while !is_there() && Instant::now() < until {
                    std::thread::sleep(Duration::from_millis(5));
                }
                is_there()
            };
            assert!(reaches(Phase::Paused(0)));
            std::fs::remove_file(path).unwrap();
            let noticed = reaches(Phase::Stopping);
            link.send(EngineCommand::Stop);
            noticed
        });
        assert_eq!(active.obey_commands(), NextStep::Stop);
        assert!(watcher.join().unwrap() && active.has_lost_lock());
    }
}
