//! Audit: compares the network under study with a reference population trained for the purpose on the
//! plan's images.
//!
//! In the first phase each part is a network. References, and networks poisoned to measure the audit's
//! power, are trained and shown noise ([`super::trained`]); the suspect is only shown noise. The comparison is
//! in [`crate::stats::audit`]. In the second phase the suspect's findings, a window per class, are pasted on
//! test images, and the network's decisions are counted.

mod file_network;
mod references;
mod shown_noise;
mod sums;

pub use self::sums::AuditSums;
use self::sums::PastedPattern;
use super::classification_images::ResponseReader;
use super::trained::{
    Poison, PopulationConfig, TrainedNetworks, TrainedSums as OfNetwork, Victims,
};
use super::{
    AnalysisError, AnalysisPlace, BlockOrder, BlockSequence, Experiment, Job, Lab, block_range,
};
use crate::data::Images;
use crate::ids::{BlockIndex, ClassId};
use crate::nets::score::pixels;
use crate::session::config::{self, NetworkKind, Response};
use crate::session::record::{
    self, AuditRole, AuditedNetwork, BlockSums, PastedFinding, Record, TrialKind,
};
use crate::stats::audit::{SquareWindow, window_pixels as of_window};

/// The experiment, configured by the plan.
pub struct Audit {
    config: config::Audit,
    place: AnalysisPlace,
    trained: TrainedNetworks,
    /// For each poisoned network its training images, and the test images that measure the attack's success.
    poisoned: Vec<(Images, Images)>,
    /// How responses are read from the suspect's outputs; empty before the experiment has begun.
    readers: Vec<ResponseReader>,
    /// The patterns to paste; empty before the second phase.
    patterns: Vec<PastedPattern>,
    /// Number of test images that patterns are pasted on.
    pasted: u64,
    /// Those images.
    shown: Vec<usize>,
}

impl Audit {
    /// The experiment at `place` of the plan.
    pub fn new(config: config::Audit, place: AnalysisPlace, lab: &Lab) -> Self {
        let plan = PopulationConfig {
            kind: config.kind.resolve(lab.kind),
            training: config.training.clone(),
            gammas: vec![config.gamma],
            trials: config.trials,
            min_trials: config.min_trials,
            block: config.block,
            trial_kind: TrialKind {
                noise: config.noise,
                grain: config.grain(),
                evidence: config.response == Response::Evidence,
                ..TrialKind::plain(lab.classes(), lab.form.shape())
            },
        };
        let shown = lab.dataset.test.sample(config.paste_images);
        Self {
            trained: TrainedNetworks::new(plan, place, lab),
            poisoned: Vec::new(),
            readers: Vec::new(),
            patterns: Vec::new(),
            pasted: shown.len() as u64,
            shown,
            config,
            place,
        }
    }

    /// The part of the suspect.
    fn suspect_part(&self) -> usize {
        self.config.trained()
    }

    /// Passes over the test images of one block: one without a pattern, and one with each.
    fn passes(&self) -> u64 {
        self.patterns.len() as u64 + 1
    }

    /// Total number of images shown, given the number of passes over the test images.
    fn total(&self, passes: u64) -> u64 {
        let networks = self.config.trained() as u64;
        let trained = self
            .trained
            .course()
            .total_images()
            .saturating_mul(networks);
        let trained = trained.saturating_add(self.config.trials);
        trained.saturating_add(self.pasted * passes)
    }

    fn poison(&self, lab: &Lab, nth: usize) -> Poison {
        let (target, square) = self.poisoned_as(lab, nth);
        let (row, column, side) = square;
        let rows = row..row + side;
        Poison {
            victims: Victims::OneIn(config::audit::POISON_INTERVAL),
            target,
            patch: rows
                .flat_map(|row| (column..column + side).map(move |column| (row, column)))
                .collect(),
        }
    }

    fn poisoned_as(&self, lab: &Lab, nth: usize) -> (ClassId, SquareWindow) {
        let form = &lab.form;
        (
            config::audit::target(form, nth),
            config::audit::square(form, nth),
        )
    }

    /// Rejects images that the audit does not fit.
    fn check_images(&self, lab: &Lab) -> Result<(), AnalysisError> {
        let fits = self.config.fits(&lab.form);
        fits.map_err(|(field, problem)| self.place.field_error(field, problem))?;
        self.trained.check(lab, "kind")?;
        match self.pasted {
            0 => Err(self.place.no_test_images_error()),
            _ => Ok(()),
        }
    }

    /// The initial record of the network of a part.
    fn fresh(&self, lab: &Lab, part: usize) -> AuditedNetwork {
        let role = match part.checked_sub(self.config.references) {
            None => AuditRole::Reference,
            Some(nth) if nth < self.config.power => {
                let (target, square) = self.poisoned_as(lab, nth);
                AuditRole::Poisoned { target, square }
            }
            Some(_) => AuditRole::Suspect,
        };
        AuditedNetwork::new(role, self.trained.seed(part))
    }

    /// Prepares the networks, resuming those in progress.
    fn begin_networks(
        &mut self,
        lab: &Lab,
        record: &mut record::Audit,
    ) -> Result<(), AnalysisError> {
        if record.networks.is_empty() {
            let others = self.session_references(lab)?;
            self.check_classes(lab, &others)?;
            let parts = 0..self.config.networks();
            record.networks = parts.map(|part| self.fresh(lab, part)).collect();
            record.networks.extend(others);
            record.progress.blocks = vec![0; self.config.networks() + 1];
        }
        let pastes = config::audit::MAX_PASTED.min(lab.classes()) as u64 + 1;
        record.progress.total = self.total(pastes);
        let train = &lab.dataset.train;
        for nth in 0..self.config.power {
            let poison = self.poison(lab, nth);
            // A fixed share of all images: there are always enough.
            let images = poison
                .poisoned_training(train)
                .unwrap_or_else(|_| train.clone());
            self.poisoned
                .push((images, poison.attack_images(&lab.dataset.test)));
        }
        for part in 0..self.config.trained() {
            let network = &record.networks[part];
            let kept = (network.training.as_ref(), network.trials.as_slice());
            let done = record.progress.blocks[part];
            self.trained.resume(part, done, kept)?;
        }
        let part = self.suspect_part();
        let suspect = &mut record.networks[part];
        if !suspect.is_concluded() && suspect.trials.is_empty() {
            let hearing = self.trained.response_readers(lab, part, &lab.network);
            let steps: Vec<f64> = hearing.iter().map(ResponseReader::step).collect();
            suspect.trials = self.trained.empty_trials(&steps);
        }
        self.readers = self.trained.recorded_readers(&suspect.trials);
        Ok(())
    }

    /// Prepares the pasting: the patterns follow from the suspect's images.
    fn begin_pasting(
        &mut self,
        lab: &Lab,
        record: &mut record::Audit,
    ) -> Result<(), AnalysisError> {
        let Some(suspect) = record.suspect().filter(|suspect| suspect.is_concluded()) else {
            return Err(self
                .place
                .analysis_error("the session lacks the suspect's images. Start a new session"));
        };
        let images = suspect.images.values();
        let found = record.findings().into_iter();
        let pattern = |(class, window): (ClassId, SquareWindow)| PastedPattern {
            class,
            window,
            pixels: self.bright(lab, images, class, window),
        };
        self.patterns = found.map(pattern).collect();
        if record.pasted.is_empty() {
            let fresh = |pattern: &PastedPattern| {
                PastedFinding::new(pattern.class, pattern.window, lab.classes())
            };
            record.pasted = self.patterns.iter().map(fresh).collect();
        }
        // Fewer classes may have an image than was assumed.
        record.progress.total = self.total(self.passes());
        Ok(())
    }

    /// The numbers of an image that become white when the window of a class is pasted: those in cells of the
    /// window that are bright in the class's image, summed over channels.
    fn bright(&self, lab: &Lab, maps: &[f32], class: ClassId, window: SquareWindow) -> Vec<usize> {
        let grain = self.config.grain();
        let shape = lab.form.shape();
        let [channels, rows, columns] = grain.grid(shape);
        let image = &maps[class.0 * channels * rows * columns..];
        let mut white = vec![0.0; channels * rows * columns];
        for cell in of_window(window, columns) {
            let over = (0..channels).map(|channel| channel * rows * columns + cell);
            if over.clone().map(|at| image[at]).sum::<f32>() > 0.0 {
                over.for_each(|at| white[at] = 1.0);
            }
        }
        let spread = grain.spread(&white, shape).into_iter().enumerate();
        spread.filter(|(_, v)| *v > 0.0).map(|(at, _)| at).collect()
    }

    /// Shows the suspect a block of test images, without a pattern and with each.
    fn paste(&self, lab: &Lab, block: BlockIndex) -> Result<Vec<PastedFinding>, AnalysisError> {
        let test = &lab.dataset.test;
        let chosen = &self.shown[block_range(self.pasted, self.config.block, block)];
        let plain = pixels(test, chosen);
        let truth = |at: usize| ClassId(usize::from(test.label(chosen[at])));
        let decide = |pixels: Vec<f32>| {
            let decisions = lab.decisions(pixels);
            decisions.map_err(|error| self.place.analysis_error(error))
        };
        let before = decide(plain.clone())?;
        let of_pattern = |pattern: &PastedPattern| {
            let mut counts = PastedFinding::new(pattern.class, pattern.window, lab.classes());
            let mut stimuli = plain.clone();
            for image in stimuli.chunks_exact_mut(test.area()) {
                pattern.pixels.iter().for_each(|&at| image[at] = 1.0);
            }
            for (at, (called, before)) in decide(stimuli)?.into_iter().zip(&before).enumerate() {
                let class = truth(at);
                counts.shown[class] += 1;
                counts.before[class] += u64::from(*before == pattern.class);
                counts.called[class] += u64::from(called == pattern.class);
            }
            Ok(counts)
        };
        self.patterns.iter().map(of_pattern).collect()
    }
}

impl Experiment for Audit {
    type Record = record::Audit;
    type AnySums = AuditSums;

    fn sequences(&self) -> Vec<BlockSequence> {
        let course = BlockSequence {
            phase: 0,
            blocks: self.trained.course().blocks(),
            order: BlockOrder::Sequential,
        };
        let block = self.config.block;
        let mut parts = vec![course; self.config.trained()];
        parts.push(BlockSequence::parallel(0, self.config.trials, block));
        parts.push(BlockSequence::parallel(1, self.pasted, block));
        parts
    }

    fn done(&self, record: &record::Audit) -> Vec<u64> {
        record.progress.blocks.clone()
    }

    fn check(&self, lab: &Lab) -> Result<(), AnalysisError> {
        self.check_images(lab)?;
        match self.references_are_run() {
            true => self.check_classes(lab, &self.session_references(lab)?),
            // Whether a network of a file has references of its architecture is not known yet.
            false if lab.kind == NetworkKind::Onnx => Ok(()),
            false => self.check_classes(lab, &[]),
        }
    }

    fn begin(
        &mut self,
        phase: usize,
        lab: &Lab,
        _: &Record,
        record: &mut record::Audit,
    ) -> Result<(), AnalysisError> {
        self.check_images(lab)?;
        match phase {
            0 => self.begin_networks(lab, record),
            _ => self.begin_pasting(lab, record),
        }
    }

    fn step(&self, lab: &Lab, job: Job) -> Result<AuditSums, AnalysisError> {
        let suspect = self.suspect_part();
        if job.sequence == suspect {
            let block = (suspect, 0, job.block);
            let sums = self
                .trained
                .trials(lab, &lab.network, &self.readers, block)?;
            return Ok(AuditSums::Suspect(sums));
        }
        if job.sequence > suspect {
            return Ok(AuditSums::Pasted(self.paste(lab, job.block)?));
        }
        let none = Images::none(&lab.form);
        let poisoned = job.sequence.checked_sub(self.config.references);
        let (images, attacks) = match poisoned.and_then(|nth| self.poisoned.get(nth)) {
            Some((images, attacks)) => (images, attacks),
            None => (&lab.dataset.train, &none),
        };
        let sums = self
            .trained
            .step(lab, (job.sequence, job.block), images, attacks)?;
        Ok(AuditSums::Trained(sums))
    }

    fn merge(&self, record: &mut record::Audit, job: Job, sums: AuditSums) {
        record.progress.blocks[job.sequence] += 1;
        let part = self.sequences()[job.sequence];
        let last = record.progress.blocks[job.sequence] == part.blocks;
        match sums {
            AuditSums::Trained(result) => {
                let images = self.trained.course().images_shown(job.block);
                record.progress.add_work(images);
                let network = &mut record.networks[job.sequence];
                match result {
                    OfNetwork::Trained(training) => network.training = Some(training),
                    OfNetwork::Idle => {}
                    OfNetwork::Measured {
                        training,
                        attack_success,
                        steps,
                    } => {
                        network.accuracy = training.test_accuracy;
                        network.attack_success = attack_success;
                        let nth = job.sequence.checked_sub(self.config.references);
                        let attacks = nth.and_then(|nth| self.poisoned.get(nth));
                        network.attacked = attacks.map_or(0, |(_, images)| images.len() as u64);
                        network.training = Some(training);
                        network.trials = self.trained.empty_trials(&steps);
                    }
                    OfNetwork::Noise { sums, .. } => add(network, &sums),
                }
            }
            AuditSums::Suspect(sums) => {
                record.progress.add_work(sums.trials);
                add(&mut record.networks[job.sequence], &sums);
            }
            AuditSums::Pasted(sums) => {
                let images = block_range(self.pasted, self.config.block, job.block).len() as u64;
                record.progress.add_work(images * self.passes());
                for (total, more) in record.pasted.iter_mut().zip(&sums) {
                    total.add(more);
                }
            }
        }
        if last && part.phase == 0 {
            record.networks[job.sequence].conclude(&self.config);
            record.examine(&self.config);
        }
    }
}

fn add(network: &mut AuditedNetwork, sums: &BlockSums) {
    network
        .trials
        .iter_mut()
        .for_each(|trials| trials.add(sums));
}

#[cfg(test)]
mod tests;
