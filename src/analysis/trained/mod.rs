//! Networks that an experiment trains for itself and shows noise: a population to compare with.
//!
//! A part of the experiment is a network. Its blocks train it, measure it on test images, and show it
//! noise ([`course`]). They form a chain: between two blocks the network stays here, in memory, and
//! all that another process needs to go on goes into the record.

mod course;
mod poison;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use rand::RngExt;

use super::classification_images::{Hearing, Said, Summing};
use super::{AnalysisError, Lab, Place};
use crate::data::Images;
use crate::nets::score::evaluate;
use crate::nets::train::{Step, TrainError, Trainer, finish};
use crate::nets::{Ports, Subject};
use crate::session::config::{self, Evidence, NetworkKind, Weighting};
use crate::session::record::{BlockSums, GammaTrials, Training, TrialKind};
use crate::stimulus::{self, Block, Source};

pub use course::{Course, Work};
pub use poison::{Poison, Victims};

/// The stream of seeds that the networks take from the place of the experiment; noise has the others.
const SEED_STREAM: u64 = u64::MAX;

/// How the networks are trained, and what noise they are shown.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Their architecture.
    pub kind: NetworkKind,
    /// Their training.
    pub training: config::Training,
    /// Signal strengths.
    pub gammas: Vec<f64>,
    /// Trials at each γ.
    pub trials: u64,
    /// Fewer trials than this make a class insufficient.
    pub min_trials: u64,
    /// Trials a block.
    pub block: usize,
    /// What a trial is.
    pub of: TrialKind,
}

/// The networks of an experiment that are being worked on.
pub struct Trained {
    plan: Plan,
    place: Place,
    source: Source,
    summing: Summing,
    course: Course,
    /// Those between two of their blocks, by part.
    live: Mutex<HashMap<usize, Live>>,
}

/// A network between two of its blocks: its training, and what has been built from that.
#[derive(Default)]
struct Live {
    training: Training,
    trainer: Option<Box<Trainer>>,
    /// With the best weights.
    network: Option<Subject>,
    /// How its outputs are heard at each γ; empty where they are not.
    hearing: Vec<Hearing>,
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
        /// The units of its responses at each γ; empty where its outputs are not heard.
        steps: Vec<f64>,
    },
    /// Trials at one γ.
    Noise {
        /// Index of γ.
        gamma: usize,
        /// The trials.
        sums: BlockSums,
    },
}

impl Trained {
    /// None yet, of an experiment at a place of the plan.
    pub fn new(plan: Plan, place: Place, lab: &Lab) -> Self {
        let train = &lab.dataset.train;
        let source = Source::of(plan.of.noise, plan.of.grain, train);
        Self {
            summing: Summing::new(&plan.of, &source, train),
            course: Course::new(&plan, train.len()),
            source,
            live: Mutex::default(),
            plan,
            place,
        }
    }

    /// The course of each of them.
    pub fn course(&self) -> &Course {
        &self.course
    }

    /// The noise that they are shown.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// How its trials are summed.
    pub fn summing(&self) -> &Summing {
        &self.summing
    }

    /// The seed of a network's weights and of the order of its images.
    pub fn seed(&self, part: usize) -> u64 {
        let stream = self.place.noise(SEED_STREAM, part as u64);
        stream.generator().random()
    }

    /// Whether their architecture can be sized to the images.
    ///
    /// # Errors
    /// Why not, at the place of the plan that names the architecture.
    pub fn check(&self, lab: &Lab, field: &str) -> Result<(), AnalysisError> {
        if lab.pool.is_empty() {
            return Err(self.place.error(
                "training",
                "its networks are trained on images, and the plan has none (dataset: None)",
            ));
        }
        let fits = Ports::from(&*lab.form).check(self.plan.kind);
        fits.map_err(|error| self.place.error(field, error))
    }

    fn take(&self, part: usize) -> Live {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        live.remove(&part).unwrap_or_default()
    }

    fn put(&self, part: usize, network: Live) {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        live.insert(part, network);
    }

    /// Computes a block of a network: it is trained on `images`, and measured on the test images and
    /// on `attacks`, which have the label that an attacker wants.
    ///
    /// # Errors
    /// Where training cannot go on.
    pub fn step(
        &self,
        lab: &Lab,
        (part, block): (usize, u64),
        images: &Images,
        attacks: &Images,
    ) -> Result<Sums, AnalysisError> {
        match self.course.work(block) {
            Work::Train { batches, closes } => {
                // An epoch ends with a step that validates.
                self.train(lab, part, batches.len() + usize::from(closes), images)
            }
            Work::Measure => self.measure(lab, part, attacks),
            Work::Noise { gamma, block: own } => {
                let sums = self.show(lab, part, gamma, own)?;
                if block + 1 == self.course.blocks() {
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
        training: &mut Training,
    ) -> Result<Box<Trainer>, AnalysisError> {
        let (kind, plan) = (self.plan.kind, &self.plan.training);
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
        Subject::built_in(self.plan.kind, ports, &training.best, &lab.device)
            .map_err(|error| self.unusable(part, &error))
    }

    /// Weights that do not make a network.
    fn unusable(&self, part: usize, error: &dyn std::fmt::Display) -> AnalysisError {
        self.place
            .error("training", format!("network {part}: {error}"))
    }

    /// Takes `steps` steps of training, or those that are left where it stops early.
    fn train(
        &self,
        lab: &Lab,
        part: usize,
        steps: usize,
        images: &Images,
    ) -> Result<Sums, AnalysisError> {
        let mut live = self.take(part);
        let training = &mut live.training;
        let mut trainer = match live.trainer.take() {
            Some(trainer) => trainer,
            None => self.trainer(lab, part, images, training)?,
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
    fn measure(&self, lab: &Lab, part: usize, attacks: &Images) -> Result<Sums, AnalysisError> {
        let mut training = self.take(part).training;
        let network = self.network(lab, part, &training)?;
        let score = |images: &Images| {
            let all: Vec<usize> = (0..images.len()).collect();
            evaluate(&network, images, &all, &mut || {})
        };
        finish(&mut training, score(&lab.dataset.test));
        let attack_success = (!attacks.is_empty()).then(|| score(attacks).accuracy);
        let hearing = self.hearing(lab, part, &network);
        let steps = hearing.iter().map(Hearing::step).collect();
        let live = Live {
            training: training.clone(),
            trainer: None,
            network: Some(network),
            hearing,
        };
        self.put(part, live);
        Ok(Sums::Measured {
            training,
            attack_success,
            steps,
        })
    }

    /// How the outputs of a network are heard at each γ, which its first block of noise decides.
    pub fn hearing(&self, lab: &Lab, part: usize, network: &Subject) -> Vec<Hearing> {
        if !self.plan.of.evidence {
            return Vec::new();
        }
        let of_gamma = |gamma: usize| {
            let mut drawn = self.draw(lab, part, gamma, 0);
            let logits = network.logits(std::mem::take(&mut drawn.stimuli), &lab.device);
            let rows = network.rows(&logits);
            Hearing::of(Evidence::Logit, &self.plan.of.listed, rows)
        };
        (0..self.plan.gammas.len()).map(of_gamma).collect()
    }

    fn draw(&self, lab: &Lab, part: usize, gamma: usize, block: u64) -> Block {
        let stream = part * self.plan.gammas.len() + gamma;
        stimulus::draw(
            self.place.noise(stream as u64, block),
            &self.source,
            self.plan.gammas[gamma],
            block * self.plan.block as u64,
            self.course.trials_of(block),
            &lab.pool,
        )
    }

    /// Shows a network a block of noise: that of the network of this part.
    pub fn trials(
        &self,
        lab: &Lab,
        network: &Subject,
        hearing: &[Hearing],
        (part, gamma, block): (usize, usize, u64),
    ) -> BlockSums {
        let mut drawn = self.draw(lab, part, gamma, block);
        let stimuli = std::mem::take(&mut drawn.stimuli);
        let logits = network.logits(stimuli, &lab.device);
        let mut said = Said::new(network.rows(&logits), Weighting::Equal);
        said.heard = hearing
            .get(gamma)
            .map(|own| own.hear(network.rows(&logits)));
        self.summing.sum(block, &drawn, &said, &lab.pool)
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
        let sums = self.trials(lab, &network, &live.hearing, (part, gamma, block));
        live.network = Some(network);
        self.put(part, live);
        Ok(Sums::Noise { gamma, sums })
    }

    /// No trials yet at any γ, of a network whose responses are in these units.
    pub fn no_trials(&self, steps: &[f64]) -> Vec<GammaTrials> {
        let none = |(at, &gamma): (usize, &f64)| {
            let mut trials = GammaTrials::new(gamma, self.plan.min_trials, &self.plan.of);
            if let Some(&step) = steps.get(at) {
                trials.hear(step, &self.plan.of);
            }
            trials
        };
        self.plan.gammas.iter().enumerate().map(none).collect()
    }

    /// How the outputs were heard in trials that are there.
    pub fn heard(&self, trials: &[GammaTrials]) -> Vec<Hearing> {
        let heard = trials.iter().filter_map(|it| it.evidence.as_ref());
        let hearing = |step: f64| Hearing::new(Evidence::Logit, &self.plan.of.listed, step);
        heard.map(|it| hearing(it.step)).collect()
    }

    /// Takes up a network after so many of its blocks from what the session holds of it.
    ///
    /// # Errors
    /// Where the next block needs more than that.
    pub fn resume(
        &mut self,
        part: usize,
        done: u64,
        (training, trials): (Option<&Training>, &[GammaTrials]),
    ) -> Result<(), AnalysisError> {
        if done == 0 || done >= self.course.blocks() {
            return Ok(());
        }
        let trained = done >= self.course.training_blocks();
        let whole = |training: &&Training| {
            if trained {
                training.finished && trials.len() == self.plan.gammas.len()
            } else {
                !training.finished && !training.current.is_empty()
            }
        };
        let Some(training) = training.filter(whole) else {
            return Err(self.place.error(
                "training",
                format!(
                    "the session does not hold what network {part} needs to go on. Start a new session"
                ),
            ));
        };
        let live = Live {
            training: training.clone(),
            hearing: self.heard(trials),
            ..Live::default()
        };
        self.put(part, live);
        Ok(())
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

    /// Puts a training in the middle of a network's course, for tests.
    #[cfg(test)]
    pub fn put_training(&self, part: usize, training: Training) {
        let live = Live {
            training,
            ..Live::default()
        };
        self.put(part, live);
    }
}
