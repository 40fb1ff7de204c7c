//! Networks that an experiment trains itself and shows noise: a population for comparison.
//!
//! Each part of the experiment is a network. Its blocks train it, measure it on test images, and show it
//! noise (`course`). They form a chain: between blocks the network stays here in memory, and everything
//! that another process needs to continue goes into the record.

mod course;
mod noise;
mod poison;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use rand::RngExt;

use super::classification_images::{BlockSummer, ResponseReader};
use super::{AnalysisError, AnalysisPlace, Lab};
use crate::data::Images;
use crate::ids::{BlockIndex, Gamma};
use crate::nets::score::evaluate;
use crate::nets::train::{TrainError, TrainStep, Trainer, finish};
use crate::nets::{NetworkShape, Subject};
use crate::session::config::{self, NetworkKind};
use crate::session::record::{BlockSums, GammaTrials, TrainingRecord, TrialKind};
use crate::stimulus::NoiseSource;

pub use course::{BlockWork, Course};
pub use poison::{Poison, Victims};

/// The stream of the networks' seeds; the other streams are for noise.
const SEED_STREAM: u64 = u64::MAX;

/// How the networks are trained, and what noise they are shown.
#[derive(Debug, Clone)]
pub struct PopulationConfig {
    /// Their architecture.
    pub kind: NetworkKind,
    /// Their training.
    pub training: config::TrainingConfig,
    /// Signal strengths.
    pub gammas: Vec<Gamma>,
    /// Trials at each γ.
    pub trials: u64,
    /// Fewer trials than this make a class insufficient.
    pub min_trials: u64,
    /// Trials a block.
    pub block: usize,
    /// The kind of its trials.
    pub trial_kind: TrialKind,
}

/// The networks of an experiment that are in progress.
pub struct TrainedNetworks {
    config: PopulationConfig,
    place: AnalysisPlace,
    source: NoiseSource,
    summer: BlockSummer,
    course: Course,
    /// Networks between two of their blocks, by part.
    live: Mutex<HashMap<usize, LiveNetwork>>,
}

/// A network between two of its blocks: its training, and what has been built from it.
#[derive(Default)]
struct LiveNetwork {
    training: TrainingRecord,
    trainer: Option<Box<Trainer>>,
    /// The network with the best weights.
    network: Option<Subject>,
    /// How responses are read from its outputs at each γ; empty if they are not.
    readers: Vec<ResponseReader>,
    /// Sums of blocks of noise that were computed in one launch with an earlier one, by index of γ and block.
    ahead: BTreeMap<(usize, BlockIndex), BlockSums>,
}

/// The result of a block of a network.
#[derive(Debug)]
pub enum TrainedSums {
    /// The current state of its training.
    Trained(TrainingRecord),
    /// Nothing: training stopped early.
    Idle,
    /// Its training is finished, and it has been measured.
    Measured {
        /// Its training, with the best weights.
        training: TrainingRecord,
        /// Share of the patched test images that it calls the target; `None` if there are none.
        attack_success: Option<f64>,
        /// The units of its responses at each γ; empty if they are not read.
        steps: Vec<f64>,
    },
    /// Noise trials at one γ.
    Noise {
        /// Index of γ.
        gamma_index: usize,
        /// Sums of the trials.
        sums: BlockSums,
    },
}

impl TrainedNetworks {
    /// The networks of the experiment at `place` of the plan; none has started yet.
    pub fn new(plan: PopulationConfig, place: AnalysisPlace, lab: &Lab) -> Self {
        let train = &lab.dataset.train;
        let source = NoiseSource::with_grain(plan.trial_kind.noise, plan.trial_kind.grain, train);
        Self {
            summer: BlockSummer::new(&plan.trial_kind, &source, train),
            course: Course::new(&plan, train.len()),
            source,
            live: Mutex::default(),
            config: plan,
            place,
        }
    }

    /// The course of each network.
    pub fn course(&self) -> &Course {
        &self.course
    }

    /// The source of their noise.
    pub fn source(&self) -> &NoiseSource {
        &self.source
    }

    /// How their trials are summed.
    pub fn summer(&self) -> &BlockSummer {
        &self.summer
    }

    /// The seed for a network's weights and the order of its images.
    pub fn seed(&self, part: usize) -> u64 {
        let stream = self.place.noise_seed(SEED_STREAM, BlockIndex(part as u64));
        stream.generator().random()
    }

    /// Checks that their architecture fits the images.
    ///
    /// # Errors
    /// If it does not, at `field` of the plan; or if there are no images to train on.
    pub fn check(&self, lab: &Lab, field: &str) -> Result<(), AnalysisError> {
        if lab.pool.is_empty() {
            return Err(self.place.field_error(
                "training",
                "its networks are trained on images, but the plan has none (dataset: None)",
            ));
        }
        let fits = NetworkShape::from(&*lab.form).check(self.config.kind);
        fits.map_err(|error| self.place.field_error(field, error))
    }

    fn take(&self, part: usize) -> LiveNetwork {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        live.remove(&part).unwrap_or_default()
    }

    fn put(&self, part: usize, network: LiveNetwork) {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        live.insert(part, network);
    }

    /// Computes a block of a network, which is trained on `images` and measured on the test images and on
    /// `attacks`, whose labels are the attacker's target.
    ///
    /// # Errors
    /// If training cannot continue.
    pub fn step(
        &self,
        lab: &Lab,
        (part, block): (usize, BlockIndex),
        images: &Images,
        attacks: &Images,
    ) -> Result<TrainedSums, AnalysisError> {
        match self.course.work(block) {
            BlockWork::Train { batches, closes } => {
                // An epoch ends with a step that validates.
                self.train(lab, part, batches.len() + usize::from(closes), images)
            }
            BlockWork::Measure => self.measure(lab, part, attacks),
            BlockWork::Noise {
                gamma_index,
                block: noise_block,
            } => {
                let sums = self.show(lab, part, gamma_index, noise_block)?;
                if block + 1 == BlockIndex(self.course.blocks()) {
                    drop(self.take(part));
                }
                Ok(sums)
            }
        }
    }

    fn trainer(
        &self,
        lab: &Lab,
        part: usize,
        images: &Images,
        training: &mut TrainingRecord,
    ) -> Result<Box<Trainer>, AnalysisError> {
        let (kind, plan) = (self.config.kind, &self.config.training);
        let trainer = Trainer::new(kind, plan, self.seed(part), images, &lab.device, training);
        let trainer = trainer.map_err(|error| self.training_error(part, &error))?;
        Ok(Box::new(trainer))
    }

    fn network(
        &self,
        lab: &Lab,
        part: usize,
        training: &TrainingRecord,
    ) -> Result<Subject, AnalysisError> {
        let ports = NetworkShape::from(&*lab.form);
        Subject::built_in(self.config.kind, ports, &training.best, &lab.device)
            .map_err(|error| self.weights_error(part, &error))
    }

    /// An error for weights that do not fit the network.
    fn weights_error(&self, part: usize, error: &dyn std::fmt::Display) -> AnalysisError {
        self.place
            .field_error("training", format!("network {part}: {error}"))
    }

    /// Takes `steps` steps of training, or fewer if it stops early.
    fn train(
        &self,
        lab: &Lab,
        part: usize,
        steps: usize,
        images: &Images,
    ) -> Result<TrainedSums, AnalysisError> {
        let mut live = self.take(part);
        let training = &mut live.training;
        let mut trainer = match live.trainer.take() {
            Some(trainer) => trainer,
            None => self.trainer(lab, part, images, training)?,
        };
        let mut worked = false;
        for _ in 0..steps {
            let step = trainer.step(training, &mut || {});
            if step.map_err(|error| self.training_error(part, &error))? == TrainStep::Done {
                break;
            }
            worked = true;
        }
        if worked {
            let saved = trainer.save(training);
            saved.map_err(|error| self.training_error(part, &error))?;
        }
        let sums = if worked {
            TrainedSums::Trained(training.clone())
        } else {
            TrainedSums::Idle
        };
        live.trainer = Some(trainer);
        self.put(part, live);
        Ok(sums)
    }

    /// Measures a network whose training is finished.
    fn measure(
        &self,
        lab: &Lab,
        part: usize,
        attacks: &Images,
    ) -> Result<TrainedSums, AnalysisError> {
        let mut training = self.take(part).training;
        let network = self.network(lab, part, &training)?;
        let score = |images: &Images| {
            let all: Vec<usize> = (0..images.len()).collect();
            evaluate(&network, images, &all, &mut || {})
        };
        finish(&mut training, score(&lab.dataset.test));
        let attack_success = (!attacks.is_empty()).then(|| score(attacks).accuracy);
        let hearing = self.response_readers(lab, part, &network);
        let steps = hearing.iter().map(ResponseReader::step).collect();
        let live = LiveNetwork {
            training: training.clone(),
            trainer: None,
            network: Some(network),
            readers: hearing,
            ..LiveNetwork::default()
        };
        self.put(part, live);
        Ok(TrainedSums::Measured {
            training,
            attack_success,
            steps,
        })
    }

    /// Resumes a network after `done` of its blocks from the session's record of it.
    ///
    /// # Errors
    /// If the next block needs something that the record lacks.
    pub fn resume(
        &mut self,
        part: usize,
        done: u64,
        (training, trials): (Option<&TrainingRecord>, &[GammaTrials]),
    ) -> Result<(), AnalysisError> {
        if done == 0 || done >= self.course.blocks() {
            return Ok(());
        }
        let trained = done >= self.course.training_blocks();
        let whole = |training: &&TrainingRecord| {
            if trained {
                training.finished && trials.len() == self.config.gammas.len()
            } else {
                !training.finished && !training.current.is_empty()
            }
        };
        let Some(training) = training.filter(whole) else {
            return Err(self.place.field_error(
                "training",
                format!(
                    "the session lacks the data that network {part} needs to resume. Start a new session"
                ),
            ));
        };
        let live = LiveNetwork {
            training: training.clone(),
            readers: self.recorded_readers(trials),
            ..LiveNetwork::default()
        };
        self.put(part, live);
        Ok(())
    }

    /// An error for a network that cannot be trained, with its place in the plan.
    fn training_error(&self, part: usize, error: &TrainError) -> AnalysisError {
        let place = self.place;
        match *error {
            TrainError::TooFew { .. } => place.field_error("training.validation", error),
            TrainError::Diverged { loss, epoch, lr } => place.field_error(
                "training.lr_max",
                format!(
                    "the loss of network {part} became {loss} in epoch {epoch}: the learning rate ({lr}) is too high. Start a new session with a lower one"
                ),
            ),
            TrainError::Weights(_) | TrainError::Optimizer(_) => {
                place.field_error("training", format!("network {part}: {error}"))
            }
        }
    }

    /// Inserts a training in the middle of a network's course, for tests.
    #[cfg(test)]
    pub fn put_training(&self, part: usize, training: TrainingRecord) {
        let live = LiveNetwork {
            training,
            ..LiveNetwork::default()
        };
        self.put(part, live);
    }
}
