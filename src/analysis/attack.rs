//! Black-box attack: images blended with a pattern, x' = (1−w)·x + w·p, are shown to the network, of
//! which only the decision is used.
//!
//! Every pattern is scaled to \[0,1\], so that at the same w all take the same share of the stimulus. The
//! patterns are the target's classification image, its evidence image, its mean training image, and noise.

use super::{AnalysisError, AnalysisPlace, BlockSequence, Experiment, Job, Lab, block_range};
use crate::ids::{BlockIndex, ClassId, Gamma};
use crate::nets::score::pixels;
use crate::nets::softmax::probability;
use crate::nets::{decision, has_decision};
use crate::session::array::Array;
use crate::session::config::{self, Noise, Response};
use crate::session::record::{
    self, AttackExample, GammaTrials, Outcomes, PATTERNS, Pattern, Record, WITH_EVIDENCE,
};
use crate::stats::sums::add;
use crate::stimulus::{NoiseSource, noise_values};

/// Number of sources of stimuli: test images and noise images.
const SOURCES: usize = 2;

/// Streams of the noise that is attacked and the noise that is a pattern.
const ATTACKED_STREAM: u64 = 0;
const PATTERN_STREAM: u64 = 1;

/// The experiment, configured by the plan.
#[derive(Debug, Clone)]
pub struct Attack {
    config: config::Attack,
    place: AnalysisPlace,
    noise: NoiseSource,
    /// Number of stimuli of each source: test images and noise images.
    stimuli: [u64; SOURCES],
    /// The test images.
    images: Vec<usize>,
    /// \[Q,K,C,H,W\], as in the record; empty before the experiment has begun.
    patterns: Array<f32>,
    /// K.
    classes: usize,
    /// Numbers of an image.
    area: usize,
}

/// The setting of a part.
#[derive(Debug, Clone, Copy)]
struct AttackSetting {
    source: usize,
    pattern: usize,
    target: ClassId,
}

impl Attack {
    /// The setting of the part with this number; the target varies fastest.
    fn cell(&self, part: usize) -> AttackSetting {
        let patterns = self.kinds().len();
        AttackSetting {
            source: part / (patterns * self.classes),
            pattern: part / self.classes % patterns,
            target: ClassId(part % self.classes),
        }
    }

    /// The patterns, in order.
    fn kinds(&self) -> &'static [Pattern] {
        match self.place.evidence {
            true => &WITH_EVIDENCE,
            false => &PATTERNS,
        }
    }

    /// The experiment at `place` of the plan.
    pub fn new(config: config::Attack, place: AnalysisPlace, lab: &Lab) -> Self {
        let images = lab.dataset.test.sample(config.images);
        Self {
            stimuli: [images.len() as u64, config.noise_images as u64],
            images,
            noise: NoiseSource::new(Noise::Uniform, &lab.dataset.train),
            config,
            place,
            patterns: Array::default(),
            classes: lab.classes(),
            area: lab.form.pixels(),
        }
    }

    /// The classification images used as patterns: those at the requested γ, else at the lowest γ among those
    /// at which most classes have an image.
    fn choose<'a>(
        &self,
        images: &'a record::ClassificationImages,
        response: Response,
    ) -> Result<&'a GammaTrials, AnalysisError> {
        if let Some(asked) = self.config.gamma {
            let gammas: Vec<Gamma> = images.gammas.iter().map(|trials| trials.gamma).collect();
            return images
                .gammas
                .iter()
                .find(|trials| trials.gamma == asked)
                .ok_or_else(|| {
                    let problem = config::Attack::no_such_gamma(asked, &gammas);
                    self.place.field_error("gamma", problem)
                });
        }
        let sufficient = |trials: &GammaTrials| {
            let estimate = trials.estimate();
            let maps = estimate
                .classes
                .iter()
                .filter_map(|class| class.image(response));
            maps.count()
        };
        let ranked = images
            .gammas
            .iter()
            .map(|trials| (sufficient(trials), trials));
        let best = ranked.reduce(|best, next| {
            let weaker = next.0 == best.0 && next.1.gamma < best.1.gamma;
            if next.0 > best.0 || weaker {
                next
            } else {
                best
            }
        });
        best.map(|(_, trials)| trials).ok_or_else(|| {
            self.place
                .field_error("gamma", "there is no γ to choose from")
        })
    }

    /// A pattern before scaling, \[C·H·W\]; `None` if there is none.
    fn pattern(
        &self,
        pattern: Pattern,
        target: ClassId,
        (trials, evidence_trials): (&GammaTrials, Option<&GammaTrials>),
        lab: &Lab,
    ) -> Option<Vec<f64>> {
        let class_map = |trials: &GammaTrials, response| {
            let estimate = trials.estimate();
            let map = estimate.classes[target].image(response)?;
            let image = trials.grain.spread(&map.image, trials.images);
            Some(image.into_iter().map(f64::from).collect())
        };
        match pattern {
            Pattern::ClassificationImage => class_map(trials, Response::Decision),
            Pattern::EvidenceImage => class_map(evidence_trials?, Response::Evidence),
            Pattern::MeanImage => {
                // The sum is enough, since it is scaled.
                let train = &lab.dataset.train;
                let mut sum = vec![0.0; self.area];
                for index in train.by_class().swap_remove(target.0) {
                    for (sum, &byte) in sum.iter_mut().zip(train.image(index)) {
                        *sum += f64::from(byte);
                    }
                }
                Some(sum)
            }
            Pattern::Random => {
                let seed = self
                    .place
                    .noise_seed(PATTERN_STREAM, BlockIndex(target.0 as u64));
                let points = self.noise.draw(&mut seed.generator(), 1);
                Some(points.into_iter().map(f64::from).collect())
            }
        }
    }

    /// The record with nothing shown yet and the patterns prepared.
    fn begun(
        &self,
        (trials, evidence_trials): (&GammaTrials, Option<&GammaTrials>),
        lab: &Lab,
    ) -> record::Attack {
        let kinds = self.kinds();
        let (k, [c, h, w]) = (self.classes, lab.form.shape());
        let mut patterns = Vec::with_capacity(kinds.len() * k * self.area);
        let mut measured = Vec::with_capacity(kinds.len() * k);
        for &pattern in kinds {
            for target in ClassId::all(k) {
                let map = self.pattern(pattern, target, (trials, evidence_trials), lab);
                let map = map.and_then(|map| scaled(&map));
                measured.push(map.is_some());
                patterns.extend(map.unwrap_or_else(|| vec![0.0; self.area]));
            }
        }
        let weights = self.config.weights.len();
        let shown = self.stimuli.iter().sum::<u64>() * weights as u64;
        let parts = measured.iter().filter(|&&is_measured| is_measured).count() as u64;
        record::Attack {
            progress: record::BlockProgress {
                blocks: vec![0; SOURCES * kinds.len() * k],
                done: 0,
                total: shown * parts,
            },
            gamma: Some(trials.gamma),
            evidence_gamma: evidence_trials.map(|trials| trials.gamma),
            kinds: kinds.to_vec(),
            weights: self.config.weights.clone(),
            patterns: Array::new(&[kinds.len(), k, c, h, w], patterns),
            measured,
            counts: Array::zeros(&[
                SOURCES,
                kinds.len(),
                k,
                weights,
                Outcomes::default().numbers().len(),
            ]),
            examples: Vec::new(),
        }
    }

    /// The stimuli of a block before blending, \[N,C·H·W\], and their true classes (`None` for noise).
    fn source(
        &self,
        lab: &Lab,
        source: usize,
        block: BlockIndex,
    ) -> (Vec<f32>, Vec<Option<ClassId>>) {
        let block_range = block_range(self.stimuli[source], self.config.block, block);
        if source == 0 {
            let test = &lab.dataset.test;
            let shown = &self.images[block_range];
            let truth = |&i: &usize| Some(ClassId(usize::from(test.label(i))));
            return (pixels(test, shown), shown.iter().map(truth).collect());
        }
        // The same noise for every pattern and target, so that comparisons are paired.
        let seed = self.place.noise_seed(ATTACKED_STREAM, block);
        let points = self.noise.draw(&mut seed.generator(), block_range.len());
        let noise = noise_values(&points, Noise::Uniform.grid());
        (noise, vec![None; block_range.len()])
    }

    /// For every target the first test image of another class that the network classifies correctly, and its
    /// outcome with every pattern; targets without such an image are left out.
    fn examples(&self, lab: &Lab, record: &record::Attack) -> Vec<AttackExample> {
        let mut found = vec![None; self.classes];
        let blocks = self.stimuli[0].div_ceil(self.config.block as u64);
        for block in BlockIndex::first(blocks) {
            let (shown, truth) = self.source(lab, 0, block);
            let logits = lab.network.logits(shown, &lab.device);
            let first = block_range(self.stimuli[0], self.config.block, block).start;
            for (at, row) in lab.network.rows(&logits).enumerate() {
                let called = has_decision(row).then(|| decision(row));
                let others = |&target: &ClassId| called == truth[at] && Some(target) != truth[at];
                for target in ClassId::all(self.classes).filter(others) {
                    found[target].get_or_insert(self.images[first + at]);
                }
            }
            if found.iter().all(Option::is_some) {
                break;
            }
        }
        let found = ClassId::all(self.classes).zip(found);
        found
            .filter_map(|(target, image)| Some(self.example(lab, record, target, image?)))
            .collect()
    }

    fn example(
        &self,
        lab: &Lab,
        record: &record::Attack,
        target: ClassId,
        image: usize,
    ) -> AttackExample {
        let test = &lab.dataset.test;
        let shown = pixels(test, &[image]);
        let mut stimuli = Vec::new();
        for pattern in 0..record.kinds.len() {
            for &w in &self.config.weights {
                match record.pattern(pattern, target) {
                    Some(pattern) => stimuli.extend(blend(&shown, pattern, w)),
                    None => stimuli.extend_from_slice(&shown),
                }
            }
        }
        let logits = lab.network.logits(stimuli, &lab.device);
        let [c, h, w] = lab.form.shape();
        let rows = || lab.network.rows(&logits);
        AttackExample {
            target,
            truth: ClassId(usize::from(test.label(image))),
            image: Array::new(&[c, h, w], test.image(image).to_vec()),
            called: rows().map(decision).collect(),
            confidence: rows().map(|row| probability(row, target)).collect(),
        }
    }
}

/// A pattern scaled from 0 at its smallest to 1 at its largest value; `None` if it has no contrast.
fn scaled(pattern: &[f64]) -> Option<Vec<f32>> {
    let least = pattern.iter().copied().fold(f64::INFINITY, f64::min);
    let most = pattern.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let scale = |value: &f64| ((value - least) / (most - least)) as f32;
    (most > least).then(|| pattern.iter().map(scale).collect())
}

/// (1−w)·x + w·p for images x, \[N,P\], and one pattern p, \[P\].
fn blend(images: &[f32], pattern: &[f32], w: f64) -> impl Iterator<Item = f32> {
    let (image_share, pattern_share) = ((1.0 - w) as f32, w as f32);
    images
        .chunks_exact(pattern.len())
        .flat_map(move |image| image.iter().zip(pattern))
        .map(move |(x, p)| image_share * x + pattern_share * p)
}

impl Experiment for Attack {
    type Record = record::Attack;
    /// Outcomes of the stimuli, by weight: \[V\].
    type AnySums = Vec<Outcomes>;

    fn sequences(&self) -> Vec<BlockSequence> {
        let part = |part: usize| {
            let stimuli = self.stimuli[self.cell(part).source];
            BlockSequence::parallel(0, stimuli, self.config.block)
        };
        (0..SOURCES * self.kinds().len() * self.classes)
            .map(part)
            .collect()
    }

    fn done(&self, record: &record::Attack) -> Vec<u64> {
        record.progress.blocks.clone()
    }

    fn check(&self, _: &Lab) -> Result<(), AnalysisError> {
        match self.stimuli[0] {
            0 => Err(self.place.no_test_images_error()),
            _ => Ok(()),
        }
    }

    fn begin(
        &mut self,
        _: usize,
        lab: &Lab,
        whole: &Record,
        record: &mut record::Attack,
    ) -> Result<(), AnalysisError> {
        Experiment::check(self, lab)?;
        if record.gamma.is_none() {
            let images = self.place.classification_images(whole)?;
            let trials = self.choose(images, Response::Decision)?;
            let evidence_trials = match self.place.evidence {
                true => Some(self.choose(images, Response::Evidence)?),
                false => None,
            };
            *record = self.begun((trials, evidence_trials), lab);
            record.examples = self.examples(lab, record);
        }
        self.patterns = record.patterns.clone();
        Ok(())
    }

    fn step(&self, lab: &Lab, job: Job) -> Result<Vec<Outcomes>, AnalysisError> {
        let cell = self.cell(job.sequence);
        let (shown, truth) = self.source(lab, cell.source, job.block);
        let start = (cell.pattern * self.classes + cell.target.0) * self.area;
        let pattern = &self.patterns.values()[start..start + self.area];
        let of_weight = |&w: &f64| {
            let called = lab.decisions(blend(&shown, pattern, w).collect());
            let called = called.map_err(|error| self.place.analysis_error(error))?;
            let mut outcomes = Outcomes::default();
            for (&truth, called) in truth.iter().zip(called) {
                outcomes.count(truth, called, cell.target, 1);
            }
            Ok(outcomes)
        };
        self.config.weights.iter().map(of_weight).collect()
    }

    fn merge(&self, record: &mut record::Attack, job: Job, sums: Vec<Outcomes>) {
        // Counts are in the order of the parts.
        let numbers: Vec<i64> = sums
            .iter()
            .flat_map(|outcomes| outcomes.numbers())
            .collect();
        let counts = &mut record.counts.values_mut()[job.sequence * numbers.len()..];
        add(counts, &numbers);
        record.progress.blocks[job.sequence] += 1;
        let shown = sums.iter().map(|outcomes| outcomes.all as u64);
        record.progress.add_work(shown.sum());
    }

    fn is_complete(&self, record: &record::Attack, part: usize) -> bool {
        let cell = self.cell(part);
        let exists = record
            .measured
            .get(cell.pattern * self.classes + cell.target.0);
        exists.is_some_and(|exists| !exists)
    }
}

#[cfg(test)]
mod tests;
