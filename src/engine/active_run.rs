//! The engine's periodic duties besides computing: publishing and logging, [`commands`] and [`saving`].

mod commands;
mod saving;

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};

use super::device::gpu;
use crate::link::EngineCommand;
use crate::session::Session;
use crate::session::run::{LOG_LINES, LogLine, RATES, Run};
use crate::session::store::{Lock, now};

/// Time between two published states while a stage is running.
const PUBLISH: Duration = Duration::from_millis(250);
/// Time between two values of the rate's history.
const RATE: Duration = Duration::from_secs(1);

/// Time between two queries of the GPUs.
const GPUS: Duration = Duration::from_secs(3);

/// How to continue after obeying commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextStep {
    /// Continue; the time spent paused.
    Continue(Duration),
    /// The plan has been extended: determine the work left again.
    Replan,
    /// Write a checkpoint and end.
    Stop,
}

/// The session being run, and its viewers, commands, file and log.
pub struct ActiveRun {
    /// The session being advanced.
    pub session: Session,
    /// The state of the run.
    pub run: Run,
    publish: watch::Sender<Arc<Session>>,
    commands: mpsc::UnboundedReceiver<EngineCommand>,
    lock: Lock,
    /// How many of the file system's missing guarantees have been reported.
    reported_weaker: usize,
    /// Whether this engine has lost the session's lock.
    lock_lost: bool,
    looked_at_lock: Instant,
    began: Instant,
    elapsed_before: f64,
    paused: Duration,
    published: Instant,
    saved: Instant,
    rated: Instant,
    gpus: Vec<usize>,
    looked: Option<Instant>,
    /// Whether a checkpoint was requested.
    checkpoint_requested: bool,
    /// Whether a pause was interrupted for a checkpoint and continues after it.
    still_paused: bool,
    /// Whether to discard results that cannot be saved.
    discards: bool,
    /// Whether the plan was extended, and [`ActiveRun::obey_commands`] has not returned since.
    extended: bool,
}

impl ActiveRun {
    /// Takes over the session in the link.
    pub fn new(
        publish: watch::Sender<Arc<Session>>,
        commands: mpsc::UnboundedReceiver<EngineCommand>,
        lock: Lock,
    ) -> Self {
        let session = Session::clone(&publish.borrow());
        let now = Instant::now();
        let mut rounds = Self {
            elapsed_before: session.record.elapsed_s,
            session,
            run: Run::default(),
            publish,
            commands,
            lock,
            reported_weaker: 0,
            lock_lost: false,
            looked_at_lock: now,
            began: now,
            paused: Duration::ZERO,
            published: now,
            saved: now,
            rated: now,
            gpus: Vec::new(),
            looked: None,
            checkpoint_requested: false,
            still_paused: false,
            discards: false,
            extended: false,
        };
        rounds.report_weaker();
        rounds
    }

    /// Adds a line to the log.
    pub fn log(&mut self, text: impl Into<String>) {
        self.line(text.into(), false);
    }

    /// Adds a line that is also shown with the run's state.
    pub fn note(&mut self, text: impl Into<String>) {
        let text = text.into();
        self.run.notes.push(text.clone());
        self.log(text);
    }

    /// Adds a warning.
    pub fn warn(&mut self, text: impl Into<String>) {
        self.line(text.into(), true);
    }

    fn line(&mut self, text: String, warning: bool) {
        if warning {
            tracing::warn!("{text}");
        } else {
            tracing::info!("{text}");
        }
        if self.run.log.len() == LOG_LINES {
            self.run.log.remove(0);
        }
        self.run.log.push(LogLine {
            at: now(),
            text,
            warning,
        });
    }

    /// Sets the GPUs whose state is shown.
    pub fn watch_gpus(&mut self, gpus: Vec<usize>) {
        self.gpus = gpus;
        self.looked = None;
    }

    fn look_at_gpus(&mut self) {
        let due = self.looked.is_none_or(|looked| looked.elapsed() >= GPUS);
        if due && !self.gpus.is_empty() {
            self.looked = Some(Instant::now());
            self.run.gpu = gpu::label(&self.gpus);
        }
    }

    /// Publishes the current session to all viewers.
    pub fn publish(&mut self) {
        self.look_at_gpus();
        self.look_at_lock();
        self.published = Instant::now();
        self.run.up_s = self.began.elapsed().as_secs_f64();
        self.run.at = now();
        self.session.record.elapsed_s = self.elapsed_s();
        let mut session = self.session.clone();
        session.run = Some(self.run.clone());
        self.publish.send_replace(Arc::new(session));
    }

    /// The same, if the last time is long enough ago.
    pub fn publish_if_due(&mut self) {
        if self.published.elapsed() >= PUBLISH {
            self.publish();
        }
    }

    /// Whether the plan was extended since [`ActiveRun::obey_commands`] last returned, so that nobody has looked yet at
    /// the work left.
    pub fn was_extended(&self) -> bool {
        self.extended
    }

    /// Excludes time from the time worked, besides pauses.
    pub fn exclude(&mut self, time: Duration) {
        self.paused += time;
    }

    fn elapsed_s(&self) -> f64 {
        let worked = self.began.elapsed().saturating_sub(self.paused);
        self.elapsed_before + worked.as_secs_f64()
    }

    /// Adds to the rate's history, once a second.
    pub fn note_rate(&mut self, per_second: Option<f64>) {
        if self.rated.elapsed() < RATE {
            return;
        }
        self.rated = Instant::now();
        if self.run.rates.len() == RATES {
            self.run.rates.remove(0);
        }
        self.run.rates.push(per_second.unwrap_or(0.0) as f32);
    }
}
