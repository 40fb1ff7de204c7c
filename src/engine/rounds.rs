//! What the engine does beside computing: publish, listen, save, log. Each when its time has come.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};

use super::device::gpu;
use crate::format::count;
use crate::link::Command;
use crate::session::config::Extension;
use crate::session::record::Note;
use crate::session::run::{Checkpoint, LOG_LINES, LogLine, Phase, RATES, Run};
use crate::session::store::{Lock, StoreError, now, timestamp};
use crate::session::{Session, State};

/// Time between two published sessions while a stage is worked on.
const PUBLISH: Duration = Duration::from_millis(250);
/// Time between two values of the rate's history.
const RATE: Duration = Duration::from_secs(1);

/// Time between two looks whether this is still the one engine of the session.
const LOOK: Duration = Duration::from_secs(1);

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
    lock: Lock,
    /// How much of what the file system does not give has been told.
    told_weaker: usize,
    /// Whether the session is not this engine's any more.
    ousted: bool,
    looked_at_lock: Instant,
    began: Instant,
    elapsed_before: f64,
    paused: Duration,
    published: Instant,
    saved: Instant,
    rated: Instant,
    gpus: Vec<usize>,
    looked: Option<Instant>,
    /// Whether a checkpoint was asked for.
    wanted: bool,
    /// Whether a pause goes on after the checkpoint that it was left for.
    still_paused: bool,
    /// Whether what cannot be saved is given up.
    discards: bool,
    /// Whether the plan was extended, and nobody has looked since.
    extended: bool,
}

impl Rounds {
    /// Takes over the session that the link holds.
    pub fn new(
        publish: watch::Sender<Arc<Session>>,
        commands: mpsc::UnboundedReceiver<Command>,
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
            told_weaker: 0,
            ousted: false,
            looked_at_lock: now,
            began: now,
            paused: Duration::ZERO,
            published: now,
            saved: now,
            rated: now,
            gpus: Vec::new(),
            looked: None,
            wanted: false,
            still_paused: false,
            discards: false,
            extended: false,
        };
        rounds.tell_weaker();
        rounds
    }

    /// Says what this file system does not give, once.
    fn tell_weaker(&mut self) {
        let new = self.lock.weaker()[self.told_weaker..].to_vec();
        self.told_weaker += new.len();
        for words in new {
            self.note(words);
        }
    }

    /// Sees now and then that this is still the one engine of the session.
    fn look_at_lock(&mut self) {
        if self.looked_at_lock.elapsed() < LOOK || self.ousted {
            return;
        }
        self.looked_at_lock = Instant::now();
        // What cannot be seen now is seen before the next checkpoint.
        if let Err(error) = self.lock.check()
            && error.is_ousted()
        {
            self.oust(&error);
        }
    }

    /// Writes nothing any more, and stops.
    fn oust(&mut self, error: &StoreError) {
        self.ousted = true;
        self.run.problem = Some(error.to_string());
        self.warn(error.to_string());
    }

    /// Whether the session is not this engine's any more.
    pub fn is_ousted(&self) -> bool {
        self.ousted
    }

    /// Saves what was measured elsewhere, where the session is not this engine's any more and its file not the
    /// last checkpoint; says what became of it.
    pub fn rescue(&mut self) -> String {
        let mut session = self.session.clone();
        session.record.state = State::Stopped;
        session.record.updated = now();
        session.record.elapsed_s = self.elapsed_s();
        match self.lock.rescue(&session) {
            Ok(Some(name)) => format!(
                "What it had measured is saved beside it, as session `{name}`: noisescope run {name} goes on with it"
            ),
            Ok(None) => format!(
                "Its file is the checkpoint of {}; what was measured since then is given up",
                timestamp(self.session.record.updated)
            ),
            Err(error) => format!("What it had measured could not be saved elsewhere: {error}"),
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
        self.look_at_lock();
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

    /// Obeys what the faces have said since: all of it at once, so that a word to stop or to pause waits for
    /// nothing that was said before it. During a pause this waits.
    pub fn listen(&mut self) -> Flow {
        let said = self.hear(None);
        if said.stop || self.ousted {
            return self.stop();
        }
        let mut pause = Duration::ZERO;
        match (std::mem::take(&mut self.still_paused), said.pause) {
            (true, Some(false)) => self.go_on(),
            (true, None) | (_, Some(true)) => match self.wait() {
                Some(time) => pause = time,
                None => return self.stop(),
            },
            (false, _) => {}
        }
        match std::mem::take(&mut self.extended) {
            true => Flow::Again,
            false => Flow::Go(pause),
        }
    }

    /// Takes all that was said, `first` before it, and obeys what can be obeyed at once.
    fn hear(&mut self, first: Option<Command>) -> Said {
        let mut said = Said::default();
        let mut all: Vec<Command> = first.into_iter().collect();
        while let Ok(command) = self.commands.try_recv() {
            all.push(command);
        }
        let mut changed = false;
        for command in all {
            match command {
                Command::Stop => said.stop = true,
                Command::Discard => (said.stop, self.discards) = (true, true),
                Command::Pause => said.pause = Some(true),
                Command::Continue => said.pause = Some(false),
                Command::Checkpoint => self.wanted = true,
                Command::Extend { images, more } => {
                    self.extend(images, more);
                    changed = true;
                }
                Command::Note(note) => {
                    self.leave(note);
                    changed = true;
                }
            }
        }
        if changed {
            self.publish();
        }
        said
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
    }

    /// Leaves a note, says so and asks for a checkpoint that has it; what cannot be is refused in the log.
    fn leave(&mut self, note: Note) {
        let on = note.on.clone();
        let place = on.in_words(&self.session.record);
        match self.session.note(note) {
            Ok(()) => {
                self.wanted = true;
                match self.session.record.note_on(&on) {
                    Some(_) => self.log(format!("noted on {place}")),
                    None => self.log(format!("no note on {place} any more")),
                }
            }
            Err(error) => self.warn(format!("not noted on {place}: {error}")),
        }
    }

    fn stop(&mut self) -> Flow {
        self.run.phase = Phase::Stopping;
        self.publish();
        Flow::Stop
    }

    /// Stands still until told to go on (how long it took) or to stop (`None`).
    fn wait(&mut self) -> Option<Duration> {
        let began = Instant::now();
        let (Phase::Working(stage) | Phase::Paused(stage)) = self.run.phase else {
            return Some(Duration::ZERO);
        };
        if self.run.phase != Phase::Paused(stage) {
            self.run.phase = Phase::Paused(stage);
            self.log("paused");
        }
        self.publish();
        let mut told = Told::Continue;
        // Without a face there is nobody to end the pause.
        while let Some(command) = self.commands.blocking_recv() {
            let said = self.hear(Some(command));
            if said.stop {
                told = Told::Stop;
                break;
            }
            if said.pause == Some(false) {
                break;
            }
            if self.wanted {
                // Whoever works has to bring what it has into the session first.
                told = Told::Checkpoint;
                break;
            }
        }
        let pause = began.elapsed();
        self.paused += pause;
        match told {
            Told::Stop => return None,
            Told::Checkpoint => self.still_paused = true,
            Told::Continue => self.go_on(),
        }
        Some(pause)
    }

    /// Ends a pause.
    fn go_on(&mut self) {
        if let Phase::Paused(stage) = self.run.phase {
            self.run.phase = Phase::Working(stage);
            self.log("continued");
            self.publish();
        }
    }

    /// Whether a checkpoint is due.
    pub fn checkpoint_is_due(&self) -> bool {
        self.wanted || self.saved.elapsed().as_secs_f64() >= self.session.config.checkpoint_s
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
        self.tell_of_shard();
        self.wanted = false;
        let result = self.lock.save(&self.session);
        if result.is_err() {
            // What is not on the disk is not so.
            (self.session.record.state, self.session.record.updated) = before;
        }
        self.saved = Instant::now();
        let path = self.lock.path();
        self.tell_weaker();
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
            Err(error) if error.is_ousted() => {
                self.oust(&error);
                self.publish();
                Err(error)
            }
            Err(error) => {
                let next = match self.run.phase {
                    Phase::Stopping => "It is tried again every",
                    _ => "The run goes on and tries again in",
                };
                let message = format!(
                    "no checkpoint: {error}. {next} {} s",
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

    /// Notes in the file of a shard how fast it is: whoever watches all shards has their files alone.
    fn tell_of_shard(&mut self) {
        if let Some(shard) = &mut self.session.record.shard {
            let stage = match self.run.phase {
                Phase::Working(stage) => self.run.stages.get(stage),
                _ => None,
            };
            shard.per_second = stage.and_then(|stage| stage.per_second);
            shard.eta_s = self.run.eta_s;
            shard.checkpoint_s = self.session.config.checkpoint_s;
        }
    }

    /// Waits until the next checkpoint is due, or somebody asks to stop once more; `false` where what is not saved
    /// is given up.
    pub fn wait_for_checkpoint(&mut self) -> bool {
        while !self.checkpoint_is_due() {
            let said = self.hear(None);
            if self.discards {
                return false;
            }
            if said.stop {
                break;
            }
            self.publish_if_due();
            std::thread::sleep(Duration::from_millis(50));
        }
        true
    }
}

/// What was said, as far as it is not obeyed yet.
#[derive(Debug, Default)]
struct Said {
    stop: bool,
    /// Whether to pause or to go on: the last word of these.
    pause: Option<bool>,
}

/// How a pause ends.
enum Told {
    Continue,
    Stop,
    /// For a checkpoint, after which it goes on.
    Checkpoint,
}
