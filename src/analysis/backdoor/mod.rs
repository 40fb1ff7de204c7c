//! Backdoor study: networks trained with and without a backdoor, and what noise gives away of it.
//!
//! A part is a network, the poisoned ones first. Its blocks train it, measure it on test images,
//! and show it noise ([`course`]). They form a chain: between two blocks the network stays here,
//! in memory, and all that another process needs to go on goes into the record.

mod course;
mod poison;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use rand::RngExt;

use self::course::{Course, Work};
use self::poison::Poison;
use super::classification_images::{Said, Summing};
use super::{AnalysisError, Experiment, Job, Lab, Order, Part, Place};
use crate::data::Images;
use crate::nets::train::{Step, TrainError, Trainer, evaluate, finish};
use crate::nets::{Ports, Subject};
use crate::session::config::{self, Weighting};
use crate::session::record::{self, BlockSums, GammaTrials, Record, Suspect, Training, TrialKind};
use crate::stimulus::{self, Source};

/// The stream of seeds that the networks take from the place of the study; noise has the others.
const SEED_STREAM: u64 = u64::MAX;

/// The experiment, as the plan has it.
pub struct Backdoor {
    config: config::Backdoor,
    place: Place,
    source: Source,
    kind: TrialKind,
    summing: Summing,
    course: Course,
    /// What the poisoned networks are trained on. The clean images until the study begins.
    poisoned: Images,
    /// Test images of the source class, with the patch and the target's label.
    attacks: Images,
    /// The networks that are being worked on, by part.
    live: Mutex<HashMap<usize, Live>>,
}

/// A network between two of its blocks: its training, and what has been built from that.
#[derive(Default)]
struct Live {
    training: Training,
    trainer: Option<Box<Trainer>>,
    /// With the best weights.
    network: Option<Subject>,
}

/// What a block of a network measured.
#[derive(Debug)]
pub enum Sums {
    /// Its training as it now stands.
    Trained(Training),
    /// Nothing: its training stopped early.
    Idle,
    /// Its training is over.
    Measured {
        /// With the best weights.
        training: Training,
        /// Share of the test images with the patch that it calls the target; `None` without any.
        attack_success: Option<f64>,
    },
    /// Trials at one γ.
    Noise {
        /// Index of γ.
        gamma: usize,
        /// The trials.
        sums: BlockSums,
    },
}

impl Backdoor {
    /// The experiment at `place` of the plan.
    pub fn new(config: config::Backdoor, place: Place, lab: &Lab) -> Self {
        let train = &lab.dataset.train;
        let source = Source::new(config.noise, train);
        let kind = TrialKind {
            noise: config.noise,
            ..TrialKind::plain(lab.classes(), lab.form.shape())
        };
        Self {
            summing: Summing::new(&kind, &source, train),
            kind,
            source,
            course: Course::new(&config, train.len()),
            poisoned: train.clone(),
            attacks: match config.fits(&lab.form) {
                Ok(()) => poison(&config).attacks(&lab.dataset.test),
                Err(_) => Images::none(&lab.form),
            },
            live: Mutex::default(),
            config,
            place,
        }
    }

    /// The seed of a network's weights and of the order of its images.
    fn seed(&self, part: usize) -> u64 {
        let stream = self.place.noise(SEED_STREAM, part as u64);
        stream.generator().random()
    }

    fn is_poisoned(&self, part: usize) -> bool {
        part < self.config.poisoned
    }

    /// Takes a network out of those that wait; where it is not among them, it has not begun.
    fn take(&self, part: usize) -> Live {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        live.remove(&part).unwrap_or_default()
    }

    fn put(&self, part: usize, network: Live) {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        live.insert(part, network);
    }

    fn trainer(
        &self,
        lab: &Lab,
        part: usize,
        training: &mut Training,
    ) -> Result<Box<Trainer>, AnalysisError> {
        let images = if self.is_poisoned(part) {
            &self.poisoned
        } else {
            &lab.dataset.train
        };
        let (kind, plan) = (lab.kind, &self.config.training);
        let trainer = Trainer::new(kind, plan, self.seed(part), images, &lab.device, training);
        let trainer = trainer.map_err(|error| self.fault(part, &error))?;
        Ok(Box::new(trainer))
    }

    fn network(
        &self,
        lab: &Lab,
        part: usize,
        training: &Training,
    ) -> Result<Subject, AnalysisError> {
        let ports = Ports::from(&*lab.form);
        Subject::built_in(lab.kind, ports, &training.best, &lab.device)
            .map_err(|error| self.unusable(part, &error))
    }

    /// Weights that do not make a network.
    fn unusable(&self, part: usize, error: &dyn std::fmt::Display) -> AnalysisError {
        self.place
            .error("training", format!("network {part}: {error}"))
    }

    /// Takes `steps` steps of training, or those that are left where it stops early.
    fn train(&self, lab: &Lab, part: usize, steps: usize) -> Result<Sums, AnalysisError> {
        let mut live = self.take(part);
        let training = &mut live.training;
        let mut trainer = match live.trainer.take() {
            Some(trainer) => trainer,
            None => self.trainer(lab, part, training)?,
        };
        let mut worked = false;
        for _ in 0..steps {
            let step = trainer.step(training, &mut || {});
            if step.map_err(|error| self.fault(part, &error))? == Step::Over {
                break;
            }
            worked = true;
        }
        if worked {
            let saved = trainer.save(training);
            saved.map_err(|error| self.fault(part, &error))?;
        }
        let sums = if worked {
            Sums::Trained(training.clone())
        } else {
            Sums::Idle
        };
        live.trainer = Some(trainer);
        self.put(part, live);
        Ok(sums)
    }

    /// Measures a network whose training is over.
    fn measure(&self, lab: &Lab, part: usize) -> Result<Sums, AnalysisError> {
        let mut training = self.take(part).training;
        let network = self.network(lab, part, &training)?;
        let score = |images: &Images| {
            let all: Vec<usize> = (0..images.len()).collect();
            evaluate(&network, images, &all, &mut || {})
        };
        finish(&mut training, score(&lab.dataset.test));
        let attacked = !self.attacks.is_empty();
        let attack_success = attacked.then(|| score(&self.attacks).accuracy);
        let live = Live {
            training: training.clone(),
            trainer: None,
            network: Some(network),
        };
        self.put(part, live);
        Ok(Sums::Measured {
            training,
            attack_success,
        })
    }

    /// Shows a trained network a block of noise.
    fn show(
        &self,
        lab: &Lab,
        part: usize,
        gamma: usize,
        block: u64,
    ) -> Result<Sums, AnalysisError> {
        let mut live = self.take(part);
        let network = match live.network.take() {
            // The block before may have been computed at another device.
            Some(network) => network.on(&lab.device),
            None => self.network(lab, part, &live.training)?,
        };
        let stream = part * self.config.gammas.len() + gamma;
        let mut drawn = stimulus::draw(
            self.place.noise(stream as u64, block),
            &self.source,
            self.config.gammas[gamma],
            block * self.config.block as u64,
            self.course.trials_of(block),
            &lab.pool,
        );
        let stimuli = std::mem::take(&mut drawn.stimuli);
        let logits = network.logits(stimuli, &lab.device);
        let said = Said::new(network.rows(&logits), Weighting::Equal);
        let sums = self.summing.sum(block, &drawn, &said, &lab.pool);
        live.network = Some(network);
        self.put(part, live);
        Ok(Sums::Noise { gamma, sums })
    }

    /// A network that cannot be trained, with the place in the plan.
    fn fault(&self, part: usize, error: &TrainError) -> AnalysisError {
        let place = self.place;
        match *error {
            TrainError::TooFew { .. } => place.error("training.validation", error),
            TrainError::Diverged { loss, epoch, lr } => place.error(
                "training.lr_max",
                format!(
                    "the loss of network {part} became {loss} in epoch {epoch}: the learning rate ({lr}) is too high. Start a new session with a lower one"
                ),
            ),
            TrainError::Weights(_) | TrainError::Optimizer(_) => {
                place.error("training", format!("network {part}: {error}"))
            }
        }
    }

    /// What of a network that is in the middle of its course the next block needs.
    fn resume(
        &self,
        part: usize,
        done: u64,
        suspect: &Suspect,
    ) -> Result<Option<Training>, AnalysisError> {
        if done == 0 || done >= self.course.blocks() {
            return Ok(None);
        }
        let trained = done >= self.course.training_blocks();
        let gammas = self.config.gammas.len();
        let whole = |training: &&Training| {
            if trained {
                training.finished && suspect.trials.len() == gammas
            } else {
                !training.finished && !training.current.is_empty()
            }
        };
        match suspect.training.as_ref().filter(whole) {
            Some(training) => Ok(Some(training.clone())),
            None => Err(self.place.error(
                "training",
                format!(
                    "the session does not hold what network {part} needs to go on. Start a new session"
                ),
            )),
        }
    }

    fn fresh(&self, part: usize) -> Suspect {
        Suspect {
            poisoned: self.is_poisoned(part),
            seed: self.seed(part),
            training: None,
            clean_accuracy: None,
            attack_success: None,
            attacked: 0,
            trials: Vec::new(),
            findings: Vec::new(),
        }
    }
}

fn poison(config: &config::Backdoor) -> Poison {
    Poison {
        source: config.source,
        target: config.target,
    }
}

impl Experiment for Backdoor {
    type Record = record::Backdoor;
    type Sums = Sums;

    fn parts(&self) -> Vec<Part> {
        let part = Part {
            phase: 0,
            blocks: self.course.blocks(),
            order: Order::Chained,
        };
        vec![part; self.config.networks()]
    }

    fn done(&self, record: &record::Backdoor) -> Vec<u64> {
        record.progress.blocks.clone()
    }

    fn begin(
        &mut self,
        _: usize,
        lab: &Lab,
        _: &Record,
        record: &mut record::Backdoor,
    ) -> Result<(), AnalysisError> {
        let networks = self.config.networks();
        let fits = self.config.fits(&lab.form);
        fits.map_err(|(field, problem)| self.place.error(field, problem))?;
        if lab.pool.is_empty() {
            return Err(self.place.error(
                "training",
                "its networks are trained on images, and the plan has none (dataset: None)",
            ));
        }
        if self.config.poisoned > 0 {
            let asked = self.config.images;
            let poisoned = poison(&self.config).training(&lab.dataset.train, asked);
            self.poisoned = poisoned.map_err(|there| self.place.error("images", format!(
                "{asked} images of class {} to poison, and the training set has {there}. Ask for at most {there}, or use a larger set (noisescope data fetch)",
                self.config.source
            )))?;
        }
        record.networks = match std::mem::take(&mut record.networks) {
            networks if networks.is_empty() => (0..self.config.networks())
                .map(|part| self.fresh(part))
                .collect(),
            networks => networks,
        };
        record.progress.blocks.resize(networks, 0);
        record.progress.total = (networks as u64).saturating_mul(self.course.total());
        let mut live = HashMap::new();
        for (part, suspect) in record.networks.iter().enumerate() {
            let done = record.progress.blocks[part];
            if let Some(training) = self.resume(part, done, suspect)? {
                let kept = Live {
                    training,
                    ..Live::default()
                };
                live.insert(part, kept);
            }
        }
        self.live = Mutex::new(live);
        Ok(())
    }

    fn step(&self, lab: &Lab, job: Job) -> Result<Sums, AnalysisError> {
        match self.course.work(job.block) {
            Work::Train { batches, closes } => {
                // An epoch ends with a step that validates.
                self.train(lab, job.part, batches.len() + usize::from(closes))
            }
            Work::Measure => self.measure(lab, job.part),
            Work::Noise { gamma, block } => {
                let sums = self.show(lab, job.part, gamma, block)?;
                if job.block + 1 == self.course.blocks() {
                    drop(self.take(job.part));
                }
                Ok(sums)
            }
        }
    }

    fn merge(&self, record: &mut record::Backdoor, job: Job, sums: Sums) {
        record.progress.blocks[job.part] = job.block + 1;
        record.progress.done += self.course.shown(job.block);
        let suspect = &mut record.networks[job.part];
        match sums {
            Sums::Trained(training) => suspect.training = Some(training),
            Sums::Idle => {}
            Sums::Measured {
                training,
                attack_success,
            } => {
                suspect.clean_accuracy = training.test_accuracy;
                suspect.attack_success = attack_success;
                suspect.attacked = self.attacks.len() as u64;
                suspect.training = Some(training);
                let none =
                    |&gamma: &f64| GammaTrials::new(gamma, self.config.min_trials, &self.kind);
                suspect.trials = self.config.gammas.iter().map(none).collect();
            }
            Sums::Noise { gamma, sums } => suspect.trials[gamma].add(&sums),
        }
        if job.block + 1 == self.course.blocks() {
            suspect.conclude(self.config.window);
        }
    }
}

#[cfg(test)]
mod tests;
