//! The loop: images, network, training, then one analysis after the other, block by block.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};

use super::Options;
use super::dealer::Dealer;
use super::device::{self, DeviceError, Opened, Seat};
use super::pace::Pace;
use super::rounds::{Flow, Rounds};
use super::workers::{Answer, Fault, StartError, Workers};
use crate::analysis::{self, Analysis, AnalysisError, Lab, Resident};
use crate::data::{self, DataError, Dataset, Origin};
use crate::link::Command;
use crate::nets::import::{self, ImportError};
use crate::nets::train::{Step, TrainError, Trainer, evaluate, finish};
use crate::nets::weights::{WeightsError, parameters};
use crate::nets::{CLASSES, Network, SIZE};
use crate::session::config::{Config, DatasetSource, Weights};
use crate::session::record::Training;
use crate::session::run::Phase;
use crate::session::store::StoreError;
use crate::session::{Session, State};
use crate::stimulus::Pool;

/// Time between two refreshes of what needs the network (the classes fed back).
const REFRESH: Duration = Duration::from_secs(2);

/// How a session records where its images came from.
const EMBEDDED: &str = "embedded subset";
const FULL: &str = "full set";

/// Why a run cannot go on.
#[derive(Debug, thiserror::Error)]
enum RunError {
    #[error(transparent)]
    Data(#[from] DataError),
    #[error("dataset: images of {height}×{width} pixels do not fit network.kind {network}, which takes {}×{}; choose other images", SIZE.0, SIZE.1)]
    Size {
        height: usize,
        width: usize,
        network: &'static str,
    },
    #[error(
        "dataset: class {0} has no training image, so its trials cannot be drawn; choose a set with every class"
    )]
    EmptyClass(usize),
    #[error(transparent)]
    Device(#[from] DeviceError),
    #[error(transparent)]
    Train(#[from] TrainError),
    #[error(transparent)]
    Weights(#[from] WeightsError),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Fault(#[from] Fault),
    #[error(transparent)]
    Analysis(#[from] AnalysisError),
    #[error(transparent)]
    Import(#[from] ImportError),
    #[error("the results could not be saved: {0}")]
    Save(#[from] StoreError),
}

/// How a run ended, if it did not fail.
#[derive(Debug, PartialEq, Eq)]
enum End {
    Finished,
    Stopped,
}

/// The engine's one thread of control.
pub struct Conductor {
    rounds: Rounds,
    options: Options,
}

impl Conductor {
    /// Takes over the session that the link holds.
    pub fn new(
        publish: watch::Sender<Arc<Session>>,
        commands: mpsc::UnboundedReceiver<Command>,
        options: Options,
    ) -> Self {
        let rounds = Rounds::new(publish, commands, options.store.clone());
        Self { rounds, options }
    }

    /// Runs the session until it is finished, stopped or failed.
    pub fn conduct(mut self) {
        let phase = match self.run().and_then(|end| self.close(end)) {
            Ok(End::Finished) => Phase::Finished,
            Ok(End::Stopped) => Phase::Stopped,
            Err(error) => {
                let message = error.to_string();
                self.rounds.warn(message.clone());
                if !matches!(error, RunError::Save(_)) {
                    // What there is must not be lost with the run; a failure here is logged.
                    let _ = self.rounds.checkpoint(State::Failed(message.clone()));
                }
                Phase::Failed(message)
            }
        };
        self.rounds.run.phase = phase;
        self.rounds.run.eta_s = None;
        self.rounds.publish();
    }

    /// The last checkpoint. Where it cannot be written, the engine keeps trying, with the problem
    /// on the screen, until it is told to stop (once more): what is measured is not given up.
    fn close(&mut self, end: End) -> Result<End, RunError> {
        let state = match end {
            End::Finished => State::Finished,
            End::Stopped => State::Stopped,
        };
        loop {
            match self.rounds.checkpoint(state.clone()) {
                Ok(()) => return Ok(end),
                Err(_) if self.rounds.wait_for_checkpoint() => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn run(&mut self) -> Result<End, RunError> {
        self.rounds.session.record.state = State::Running;
        let config = self.rounds.session.config.clone();
        let opened = device::open(
            &self.options.device,
            self.options.workers,
            config.network.kind,
            self.rounds
                .session
                .record
                .devices
                .last()
                .map(String::as_str),
        )?;
        for note in &opened.notes {
            self.rounds.log(note.clone());
        }
        self.rounds.run.stages = self.rounds.session.stages();
        self.rounds.run.device = opened.label();
        self.rounds.watch(opened.gpus.clone());
        self.rounds.publish();
        let dataset = self.images(&config)?;
        let devices = &mut self.rounds.session.record.devices;
        if devices.last() != Some(&opened.recorded()) {
            devices.push(opened.recorded());
        }

        if !self.train(&config, &dataset, &opened)? {
            return Ok(End::Stopped);
        }
        let lab = self.lab(&config, &dataset, &opened)?;
        for index in 0..config.analyses.len() {
            if !self.analyse(&config, index, &lab, &opened.seats)? {
                return Ok(End::Stopped);
            }
        }
        Ok(End::Finished)
    }

    fn images(&mut self, config: &Config) -> Result<Dataset, RunError> {
        // A run that began on one set of images goes on with it, whatever has been fetched since.
        let began_on = self.rounds.session.record.images.as_deref();
        let source = match (&config.dataset.source, began_on) {
            (DatasetSource::Auto, Some(EMBEDDED)) => &DatasetSource::Embedded,
            (DatasetSource::Auto, Some(FULL)) => &DatasetSource::Full,
            (source, _) => source,
        };
        let dataset = data::load(config.dataset.name, source, &self.options.data)?;
        let (height, width) = (dataset.train.height, dataset.train.width);
        if (height, width) != SIZE {
            return Err(RunError::Size {
                height,
                width,
                network: config.network.kind.label(),
            });
        }
        if let Some(class) = Pool::new(&dataset.train).empty_class() {
            return Err(RunError::EmptyClass(class));
        }
        let images = match &dataset.origin {
            Origin::Embedded => EMBEDDED.to_owned(),
            Origin::Full(_) => FULL.to_owned(),
            Origin::Folder(folder) => folder.display().to_string(),
        };
        if let Some(note) = &dataset.note {
            self.rounds.warn(note.clone());
        }
        self.rounds.log(format!(
            "{}, {images}: {} training and {} test images",
            config.dataset.name.label(),
            dataset.train.len(),
            dataset.test.len()
        ));
        self.rounds.session.record.images = Some(images.clone());
        self.rounds.run.images = images;
        self.rounds.publish();
        Ok(dataset)
    }

    /// Trains the network, or goes on with it. `false` where told to stop.
    fn train(
        &mut self,
        config: &Config,
        dataset: &Dataset,
        opened: &Opened,
    ) -> Result<bool, RunError> {
        let mut record = self
            .rounds
            .session
            .record
            .training
            .take()
            .unwrap_or_default();
        if record.finished {
            self.rounds.run.parameters = record.parameters;
            self.rounds.session.record.training = Some(record);
            return Ok(true);
        }
        self.rounds.run.phase = Phase::Working(0);
        let plan = match &config.network.weights {
            Weights::Train(plan) => plan,
            Weights::File(path) => {
                self.import(config, path)?;
                self.examine(config, dataset, opened)?;
                self.end_training();
                return Ok(true);
            }
        };
        let before = record.clone();
        let trainer = Trainer::new(
            config.network.kind,
            plan,
            config.seed,
            &dataset.train,
            &opened.device,
            &mut record,
        );
        // Where it cannot go on, what there is stays as it is.
        let kept = if trainer.is_ok() { record } else { before };
        self.rounds.run.parameters = kept.parameters;
        self.rounds.session.record.training = Some(kept);
        let mut trainer = trainer?;
        self.rounds.publish();
        let mut pace = Pace::new();
        let images = plan.epochs as u64 * (trainer.batches() * plan.batch) as u64;
        loop {
            let rounds = &mut self.rounds;
            // Taken out while it is worked on; a copy is shown while a long validation breathes.
            let mut record = rounds.session.record.training.take().unwrap_or_default();
            let shown = record.clone();
            let step = trainer.step(&mut record, &mut || {
                rounds.session.record.training = Some(shown.clone());
                rounds.publish_if_due();
            });
            rounds.session.record.training = Some(record);
            let step = match step {
                Ok(step) => step,
                Err(error) => {
                    // The record and the weights must be of the same moment.
                    self.keep(&trainer)?;
                    return Err(error.into());
                }
            };
            match step {
                Step::Batch(images) => pace.count(images as u64),
                Step::Epoch(epoch) => self.epoch_is_over(epoch),
                Step::Over => break,
            }
            self.tell_training(&pace, images, plan.batch);
            match self.rounds.listen() {
                Flow::Go(pause) => pace.pause(pause),
                Flow::Stop => {
                    self.keep(&trainer)?;
                    return Ok(false);
                }
            }
            if self.rounds.checkpoint_is_due() {
                self.keep(&trainer)?;
                // A failure stands in the header, and the next one tries again.
                let _ = self.rounds.checkpoint(State::Running);
            }
        }
        self.examine(config, dataset, opened)?;
        self.end_training();
        Ok(true)
    }

    /// Takes the weights from a file. The session keeps them, so it needs the file only once.
    fn import(&mut self, config: &Config, path: &std::path::Path) -> Result<(), RunError> {
        let best = import::read(path, config.network.kind)?;
        let parameters = parameters(&best);
        self.rounds.run.parameters = parameters;
        self.rounds.session.record.training = Some(Training {
            parameters,
            best,
            ..Training::default()
        });
        self.rounds
            .log(format!("weights taken from {}", path.display()));
        Ok(())
    }

    fn end_training(&mut self) {
        let stage = &mut self.rounds.run.stages[0];
        stage.done = stage.done.max(1);
        stage.finished = true;
        stage.eta_s = None;
        // A failure stands in the header, and the next one tries again.
        let _ = self.rounds.checkpoint(State::Running);
    }

    fn keep(&mut self, trainer: &Trainer) -> Result<(), RunError> {
        let record = self.rounds.session.record.training.get_or_insert_default();
        trainer.save(record)?;
        Ok(())
    }

    fn epoch_is_over(&mut self, epoch: crate::session::record::Epoch) {
        self.rounds.log(format!(
            "epoch {}  loss {:.3}  validation {:.3}, {:.2} % correct",
            epoch.epoch,
            epoch.train_loss,
            epoch.valid_loss,
            100.0 * epoch.valid_accuracy
        ));
        self.rounds.publish();
    }

    fn tell_training(&mut self, pace: &Pace, images: u64, batch: usize) {
        let record = self.rounds.session.record.training.as_ref();
        let Some(Training {
            epochs, partial, ..
        }) = record
        else {
            return;
        };
        let done = (epochs.len() * partial.of + partial.batches) as u64 * batch as u64;
        let stage = &mut self.rounds.run.stages[0];
        stage.done = epochs.len() as u64;
        stage.per_second = pace.per_second();
        stage.eta_s = pace.eta_s(images.saturating_sub(done));
        stage.seconds = pace.worked().as_secs_f64();
        let rate = stage.per_second;
        self.rounds.note_rate(rate);
        self.rounds.publish_if_due();
    }

    /// Measures the best weights on the test images.
    fn examine(
        &mut self,
        config: &Config,
        dataset: &Dataset,
        opened: &Opened,
    ) -> Result<(), RunError> {
        let best = self
            .rounds
            .session
            .record
            .training
            .clone()
            .unwrap_or_default()
            .best;
        let network = Network::with_weights(config.network.kind, &best, &opened.device)?;
        let all: Vec<usize> = (0..dataset.test.len()).collect();
        let rounds = &mut self.rounds;
        let score = evaluate(&network, &opened.device, &dataset.test, &all, &mut || {
            rounds.publish_if_due();
        });
        let record = rounds.session.record.training.get_or_insert_default();
        finish(record, score);
        let whose = match record.best_epoch {
            Some(epoch) => format!("training is over, weights of epoch {epoch}"),
            None => "the network is loaded".into(),
        };
        let text = format!(
            "{whose}: {:.2} % of {} test images correct",
            100.0 * score.accuracy,
            all.len(),
        );
        rounds.log(text);
        Ok(())
    }

    fn lab(&self, config: &Config, dataset: &Dataset, opened: &Opened) -> Result<Lab, RunError> {
        let training = self
            .rounds
            .session
            .record
            .training
            .clone()
            .unwrap_or_default();
        let pool = Pool::new(&dataset.train);
        debug_assert_eq!(pool.classes(), CLASSES);
        let kind = config.network.kind;
        Ok(Lab {
            network: Network::with_weights(kind, &training.best, &opened.device)?,
            kind,
            device: opened.device.clone(),
            pool,
            dataset: Arc::new(dataset.clone()),
            resident: Resident::default(),
        })
    }

    /// Advances one analysis to its end. `false` where told to stop.
    fn analyse(
        &mut self,
        config: &Config,
        index: usize,
        lab: &Lab,
        seats: &[Seat],
    ) -> Result<bool, RunError> {
        if self.rounds.session.record.analyses[index].is_finished(&config.analyses[index]) {
            return Ok(true);
        }
        self.rounds.run.phase = Phase::Working(index + 1);
        self.rounds.publish();
        let mut pace = Pace::new();
        let mut phase = 0;
        loop {
            let mut analysis = analysis::build(config, index, lab);
            let parts = analysis.parts();
            if parts.iter().all(|part| part.phase < phase) {
                break;
            }
            let record = &self.rounds.session.record;
            let done = analysis.done(&record.analyses[index]);
            let mut dealer = Dealer::new(parts, phase, done).at_most(seats.len());
            if !dealer.is_done() {
                let whole = record.clone();
                let own = &mut self.rounds.session.record.analyses[index];
                analysis.begin(phase, lab, &whole, own)?;
                let analysis: Arc<dyn Analysis> = Arc::from(analysis);
                if !self.advance(&analysis, index, &mut dealer, lab, seats, &mut pace)? {
                    return Ok(false);
                }
            }
            phase += 1;
        }
        let name = config.analyses[index].label();
        self.rounds.run.stages[index + 1].finished = true;
        self.rounds.log(format!("{name}: done"));
        let _ = self.rounds.checkpoint(State::Running);
        Ok(true)
    }

    /// Advances one phase of an analysis to its end. `false` where told to stop.
    fn advance(
        &mut self,
        analysis: &Arc<dyn Analysis>,
        index: usize,
        dealer: &mut Dealer,
        lab: &Lab,
        seats: &[Seat],
        pace: &mut Pace,
    ) -> Result<bool, RunError> {
        let mut workers = Workers::start(seats, analysis, lab)?;
        let mut refreshed = Instant::now();
        let mut going = true;
        for part in 0..analysis.parts().len() {
            if analysis.is_enough(&self.rounds.session.record.analyses[index], part) {
                dealer.end(part);
            }
        }
        while !dealer.is_done() {
            if going {
                deal(dealer, &workers);
            }
            match workers.answer(Duration::from_millis(100)) {
                Answer::Done(job, sums) => {
                    let (before, _) = self.progress(index);
                    let record = &mut self.rounds.session.record.analyses[index];
                    dealer.accept(job, sums);
                    while let Some((job, sums)) = dealer.next_merge(job.part) {
                        analysis.merge(record, job, sums);
                        if analysis.is_enough(record, job.part) {
                            dealer.end(job.part);
                        }
                    }
                    pace.count(self.progress(index).0.saturating_sub(before));
                }
                Answer::Note(note) => self.rounds.warn(note),
                Answer::NotYet => {}
                Answer::AllBack => break,
                Answer::Failed(fault) => return Err(fault.into()),
            }
            if going {
                match self.rounds.listen() {
                    Flow::Go(pause) => pace.pause(pause),
                    Flow::Stop => {
                        going = false;
                        workers.recall();
                    }
                }
            }
            self.tell(index, pace);
            if refreshed.elapsed() >= REFRESH {
                refreshed = Instant::now();
                analysis.refresh(lab, &mut self.rounds.session.record.analyses[index]);
            }
            if self.rounds.checkpoint_is_due() {
                let _ = self.rounds.checkpoint(State::Running);
            }
        }
        drop(workers);
        analysis.refresh(lab, &mut self.rounds.session.record.analyses[index]);
        self.tell(index, pace);
        Ok(going)
    }

    /// What is done of an analysis, and what there is to do.
    fn progress(&self, index: usize) -> (u64, u64) {
        let session = &self.rounds.session;
        session.record.analyses[index].progress(&session.config.analyses[index])
    }

    fn tell(&mut self, index: usize, pace: &Pace) {
        let (done, total) = self.progress(index);
        let stage = &mut self.rounds.run.stages[index + 1];
        (stage.done, stage.total) = (done, total);
        stage.per_second = pace.per_second();
        stage.eta_s = pace.eta_s(total.saturating_sub(done));
        stage.seconds = pace.worked().as_secs_f64();
        let (rate, eta) = (stage.per_second, stage.eta_s);
        let last = index + 2 == self.rounds.run.stages.len();
        self.rounds.run.eta_s = eta.filter(|_| last);
        self.rounds.note_rate(rate);
        self.rounds.publish_if_due();
    }
}

/// Hands out blocks until enough wait.
fn deal(dealer: &mut Dealer, workers: &Workers) {
    while let Some(job) = dealer.peek() {
        if !workers.offer(job) {
            return;
        }
        dealer.deal(job);
    }
}
