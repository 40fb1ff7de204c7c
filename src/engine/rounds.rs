//! What the engine does beside computing: publish, listen, save, log. Each when its time has come.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};

use super::device::gpu;
use crate::format::count;
use crate::link::Command;
use crate::session::config::Extension;
use crate::session::run::{Checkpoint, LOG_LINES, LogLine, Phase, RATES, Run};
use crate::session::store::{Store, StoreError, now};
use crate::session::{Session, State};

/// Time between two published sessions while a stage is worked on.
const PUBLISH: Duration = Duration::from_millis(250);
/// Time between two values of the rate's history.
const RATE: Duration = Duration::from_secs(1);

/// Time between two looks at the GPUs.
const GPUS: Duration = Duration::from_secs(3);

/// What the faces want.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Go on; so long was paused meanwhile.
    Go(Duration),
    /// The plan has been extended: look anew at what there is to do.
    Again,
    /// Checkpoint and end.
    Stop,
}

/// The session in hand and everyone who should know of it.
pub struct Rounds {
    /// The session that is advanced.
    pub session: Session,
    /// What is said of the run.
    pub run: Run,
    publish: watch::Sender<Arc<Session>>,
    commands: mpsc::UnboundedReceiver<Command>,
    store: Store,
    began: Instant,
    elapsed_before: f64,
    paused: Duration,
    published: Instant,
    saved: Instant,
    rated: Instant,
    gpus: Vec<usize>,
    looked: Option<Instant>,
    /// Whether the plan was extended, and nobody has looked since.
    extended: bool,
}

impl Rounds {
    /// Takes over the session that the link holds.
    pub fn new(
        publish: watch::Sender<Arc<Session>>,
        commands: mpsc::UnboundedReceiver<Command>,
        store: Store,
    ) -> Self {
        let session = Session::clone(&publish.borrow());
        let now = Instant::now();
        Self {
            elapsed_before: session.record.elapsed_s,
            session,
            run: Run::default(),
            publish,
            commands,
            store,
            began: now,
            paused: Duration::ZERO,
            published: now,
            saved: now,
            rated: now,
            gpus: Vec::new(),
            looked: None,
            extended: false,
        }
    }

    /// Adds a line to the log.
    pub fn log(&mut self, text: impl Into<String>) {
        self.line(text.into(), false);
    }

    /// Adds a line that is told wherever the run is.
    pub fn note(&mut self, text: impl Into<String>) {
        let text = text.into();
        self.run.notes.push(text.clone());
        self.log(text);
    }

    /// Adds a line that needs a person.
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

    /// Looks at these GPUs from now on, to say how they are doing.
    pub fn watch(&mut self, gpus: Vec<usize>) {
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

    /// Shows the session as it is to every face.
    pub fn publish(&mut self) {
        self.look_at_gpus();
        self.published = Instant::now();
        self.run.up_s = self.began.elapsed().as_secs_f64();
        self.run.at = now();
        self.session.record.elapsed_s = self.elapsed_s();
        let mut session = self.session.clone();
        session.run = Some(self.run.clone());
        self.publish.send_replace(Arc::new(session));
    }

    /// The same, where the last time is long enough ago.
    pub fn publish_if_due(&mut self) {
        if self.published.elapsed() >= PUBLISH {
            self.publish();
        }
    }

    fn elapsed_s(&self) -> f64 {
        let worked = self.began.elapsed().saturating_sub(self.paused);
        self.elapsed_before + worked.as_secs_f64()
    }

    /// Notes the rate, once a second.
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

    /// Obeys what the faces have said since. During a pause this waits.
    pub fn listen(&mut self) -> Flow {
        let mut pause = Duration::ZERO;
        loop {
            match self.commands.try_recv() {
                Ok(Command::Stop) => return self.stop(),
                Err(_) if self.extended => {
                    self.extended = false;
                    return Flow::Again;
                }
                Ok(Command::Continue) | Err(_) => return Flow::Go(pause),
                Ok(Command::Extend { images, more }) => self.extend(images, more),
                Ok(Command::Pause) => match self.wait() {
                    Some(time) => pause += time,
                    None => return self.stop(),
                },
            }
        }
    }

    /// Raises what there is to do, and says so; what cannot be is refused in the log.
    fn extend(&mut self, images: usize, more: Extension) {
        let told = format!("extended to {} trials", count(more.trials as f64));
        match self.session.extend(images, more) {
            Ok(forgotten) => {
                self.extended = true;
                self.run.stages = self.session.stages();
                match forgotten.is_empty() {
                    true => self.log(told),
                    false => self.log(format!(
                        "{told}; measured anew on the new maps: {}",
                        forgotten.join(", ")
                    )),
                }
            }
            Err(error) => self.warn(format!("not extended: {error}")),
        }
        self.publish();
    }

    fn stop(&mut self) -> Flow {
        self.run.phase = Phase::Stopping;
        self.publish();
        Flow::Stop
    }

    /// Stands still until told to go on (how long it took) or to stop (`None`).
    fn wait(&mut self) -> Option<Duration> {
        let began = Instant::now();
        let Phase::Working(stage) = self.run.phase else {
            return Some(Duration::ZERO);
        };
        self.run.phase = Phase::Paused(stage);
        self.log("paused");
        self.publish();
        let told = loop {
            match self.commands.blocking_recv() {
                Some(Command::Pause) => {}
                Some(Command::Extend { images, more }) => self.extend(images, more),
                // Without a face there is nobody to end the pause.
                Some(Command::Continue) | None => break true,
                Some(Command::Stop) => break false,
            }
        };
        let pause = began.elapsed();
        self.paused += pause;
        if !told {
            return None;
        }
        self.run.phase = Phase::Working(stage);
        self.log("continued");
        self.publish();
        Some(pause)
    }

    /// Whether a checkpoint is due.
    pub fn checkpoint_is_due(&self) -> bool {
        self.saved.elapsed().as_secs_f64() >= self.session.config.checkpoint_s
    }

    /// Writes the session. On failure the run goes on, and the problem stands in the header until
    /// a later checkpoint succeeds.
    ///
    /// # Errors
    /// What the system said; it has been logged already.
    pub fn checkpoint(&mut self, state: State) -> Result<(), StoreError> {
        let began = Instant::now();
        let before = (
            self.session.record.state.clone(),
            self.session.record.updated,
        );
        self.session.record.state = state;
        self.session.record.updated = now();
        self.session.record.elapsed_s = self.elapsed_s();
        let result = self.store.save(&self.session);
        if result.is_err() {
            // What is not on the disk is not so.
            (self.session.record.state, self.session.record.updated) = before;
        }
        self.saved = Instant::now();
        let path = self.store.path(&self.session.name);
        match result {
            Ok(bytes) => {
                let millis = began.elapsed().as_secs_f64() * 1e3;
                if self.run.problem.take().is_some() {
                    self.log("the session can be saved again");
                }
                self.run.checkpoint = Some(Checkpoint {
                    at: now(),
                    bytes,
                    millis,
                });
                let megabytes = bytes as f64 / 1e6;
                self.log(format!(
                    "checkpoint  {}  {megabytes:.1} MB  {millis:.0} ms",
                    path.display()
                ));
                self.publish();
                Ok(())
            }
            Err(error) => {
                let message = format!(
                    "no checkpoint: {error}. The run goes on and tries again in {:.0} s",
                    self.session.config.checkpoint_s
                );
                if self.run.problem.as_ref() != Some(&message) {
                    self.warn(message.clone());
                }
                self.run.problem = Some(message);
                self.publish();
                Err(error)
            }
        }
    }

    /// Waits until the next checkpoint is due; `false` where told to stop meanwhile.
    pub fn wait_for_checkpoint(&mut self) -> bool {
        while !self.checkpoint_is_due() {
            match self.listen() {
                Flow::Stop => return false,
                Flow::Again => self.extended = true,
                Flow::Go(_) => {}
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        true
    }
}
