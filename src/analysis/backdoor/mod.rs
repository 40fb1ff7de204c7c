//! Backdoor study: networks trained with and without a backdoor, and what noise reveals of it.
//!
//! The study trains its own networks, with the architecture of the plan's network. That network itself is not
//! examined; [`super::audit`] is for that. Each part is a network, the poisoned ones first.

use super::trained::{Poison, PopulationConfig, TrainedNetworks, TrainedSums, Victims};
use super::{AnalysisError, AnalysisPlace, BlockOrder, BlockSequence, Experiment, Job, Lab};
use crate::data::Images;
use crate::ids::BlockIndex;
use crate::session::config::{self, backdoor::patch};
use crate::session::record::{self, Record, Suspect, TrialKind};

/// The experiment, configured by the plan.
pub struct Backdoor {
    config: config::Backdoor,
    place: AnalysisPlace,
    trained: TrainedNetworks,
    /// The training images of the poisoned networks; the clean images until the study begins.
    poisoned: Images,
    /// Test images of the source class, with the patch and the target's label.
    attacks: Images,
}

impl Backdoor {
    /// The experiment at `place` of the plan.
    pub fn new(config: config::Backdoor, place: AnalysisPlace, lab: &Lab) -> Self {
        let plan = PopulationConfig {
            kind: lab.kind,
            training: config.training.clone(),
            gammas: config.gammas.clone(),
            trials: config.trials,
            min_trials: config.min_trials,
            block: config.block,
            trial_kind: TrialKind {
                noise: config.noise,
                evidence: true,
                ..TrialKind::plain(lab.classes(), lab.form.shape())
            },
        };
        Self {
            trained: TrainedNetworks::new(plan, place, lab),
            poisoned: lab.dataset.train.clone(),
            attacks: match config.fits(&lab.form) {
                Ok(()) => poison(&config, lab).attack_images(&lab.dataset.test),
                Err(_) => Images::none(&lab.form),
            },
            config,
            place,
        }
    }

    fn is_poisoned(&self, part: usize) -> bool {
        part < self.config.poisoned
    }

    fn fresh(&self, part: usize) -> Suspect {
        Suspect::untrained(self.is_poisoned(part), self.trained.seed(part))
    }

    /// The error that only so many images can be poisoned.
    fn too_few(&self, available: usize) -> AnalysisError {
        let problem = format!(
            "{} images of class {} are to be poisoned, but the training set has only {available}. Use at most {available}, or a larger set (noisescope data fetch)",
            self.config.images, self.config.source
        );
        self.place.field_error("images", problem)
    }
}

fn poison(config: &config::Backdoor, lab: &Lab) -> Poison {
    Poison {
        victims: Victims::FirstOf {
            class: config.source,
            count: config.images,
        },
        target: config.target,
        patch: patch(lab.form.width).collect(),
    }
}

impl Experiment for Backdoor {
    type Record = record::Backdoor;
    type AnySums = TrainedSums;

    fn sequences(&self) -> Vec<BlockSequence> {
        let part = BlockSequence {
            phase: 0,
            blocks: self.trained.course().blocks(),
            order: BlockOrder::Sequential,
        };
        vec![part; self.config.networks()]
    }

    fn done(&self, record: &record::Backdoor) -> Vec<u64> {
        record.progress.blocks.clone()
    }

    fn check(&self, lab: &Lab) -> Result<(), AnalysisError> {
        let fits = self.config.fits(&lab.form);
        fits.map_err(|(field, problem)| self.place.field_error(field, problem))?;
        self.trained.check(lab, "training")?;
        if self.config.poisoned > 0 {
            let victims = poison(&self.config, lab).victims(&lab.dataset.train);
            victims.map_err(|available| self.too_few(available))?;
        }
        Ok(())
    }

    fn begin(
        &mut self,
        _: usize,
        lab: &Lab,
        _: &Record,
        record: &mut record::Backdoor,
    ) -> Result<(), AnalysisError> {
        let networks = self.config.networks();
        Experiment::check(self, lab)?;
        if self.config.poisoned > 0 {
            let poisoned = poison(&self.config, lab).poisoned_training(&lab.dataset.train);
            self.poisoned = poisoned.map_err(|available| self.too_few(available))?;
        }
        record.networks = match std::mem::take(&mut record.networks) {
            networks if networks.is_empty() => (0..self.config.networks())
                .map(|part| self.fresh(part))
                .collect(),
            networks => networks,
        };
        record.progress.blocks.resize(networks, 0);
        record.progress.total =
            (networks as u64).saturating_mul(self.trained.course().total_images());
        for (part, suspect) in record.networks.iter().enumerate() {
            let done = record.progress.blocks[part];
            let kept = (suspect.training.as_ref(), suspect.trials.as_slice());
            self.trained.resume(part, done, kept)?;
        }
        Ok(())
    }

    fn step(&self, lab: &Lab, job: Job) -> Result<TrainedSums, AnalysisError> {
        let images = match self.is_poisoned(job.sequence) {
            true => &self.poisoned,
            false => &lab.dataset.train,
        };
        let job = (job.sequence, job.block);
        self.trained.step(lab, job, images, &self.attacks)
    }

    fn merge(&self, record: &mut record::Backdoor, job: Job, sums: TrainedSums) {
        record.progress.blocks[job.sequence] += 1;
        let images = self.trained.course().images_shown(job.block);
        record.progress.add_work(images);
        let suspect = &mut record.networks[job.sequence];
        match sums {
            TrainedSums::Trained(training) => suspect.training = Some(training),
            TrainedSums::Idle => {}
            TrainedSums::Measured {
                training,
                attack_success,
                steps,
            } => {
                suspect.clean_accuracy = training.test_accuracy;
                suspect.attack_success = attack_success;
                suspect.attacked = self.attacks.len() as u64;
                suspect.training = Some(training);
                suspect.trials = self.trained.empty_trials(&steps);
            }
            TrainedSums::Noise { gamma_index, sums } => suspect.trials[gamma_index].add(&sums),
        }
        if job.block + 1 == BlockIndex(self.trained.course().blocks()) {
            suspect.conclude(self.config.window);
            record.examine();
        }
    }
}

#[cfg(test)]
mod tests;
