//! Modulation: pushes the biases of a layer towards or away from the mean activation of a class, and
//! measures the network's decisions on images, noise and blends of the two.
//!
//! Part 0 measures the mean activations of every class. Each further part is a combination of layer, target
//! class and strength: the network with that layer pushed is shown test images blended with noise. The
//! stimuli are the same at every strength, so that differences are paired.

use super::{AnalysisError, AnalysisPlace, BlockSequence, Experiment, Job, Lab, block_range};
use crate::ids::{BlockIndex, ClassId, Gamma, SiteId};
use crate::nets::graph::site::Site;
use crate::nets::{decision, has_decision};
use crate::session::array::Array;
use crate::session::config::{self, Noise};
use crate::session::record::{self, COUNTS_PER_CLASS, Record};
use crate::stats::numbers::fixed;
use crate::stats::sums::fit_blocks;
use crate::stimulus::{NoiseSource, Pool, blend};

/// The default layers, if the network has them, and their α.
const DEFAULTS: [(&str, f64); 3] = [("conv1", 0.1), ("conv2", 1.0), ("fc1", 0.1)];

/// The layers that a plan pushes, and their α.
pub(super) fn pushed_layers(config: &config::Modulation, all: &[Site]) -> Vec<(String, f64)> {
    if !config.layers.is_empty() {
        let named = config.layers.iter();
        return named
            .map(|layer| (layer.layer.clone(), layer.alpha))
            .collect();
    }
    let pushable: Vec<&Site> = all.iter().filter(|site| site.push.is_some()).collect();
    let exists = |name: &str| pushable.iter().any(|site| site.name == name);
    let found = DEFAULTS.into_iter().filter(|(name, _)| exists(name));
    let found: Vec<(String, f64)> = found
        .map(|(name, alpha)| (name.to_owned(), alpha))
        .collect();
    if !found.is_empty() {
        return found;
    }
    let (fallback, alpha) = FALLBACK;
    if exists(fallback) || pushable.is_empty() {
        return vec![(fallback.to_owned(), alpha)];
    }
    // For a network with other names: the first, one in the middle, and the last.
    let mut places = vec![0, (pushable.len() - 1) / 2, pushable.len() - 1];
    places.dedup();
    let named = places.into_iter().map(|at| pushable[at].name.clone());
    named.map(|name| (name, alpha)).collect()
}

/// The layer pushed in a network that has none of the defaults, and its α.
const FALLBACK: (&str, f64) = ("logits", 0.1);

/// The noise stream of every part: stimuli do not depend on what is pushed.
const STREAM: u64 = 0;

/// The experiment, configured by the plan.
#[derive(Debug, Clone)]
pub struct Modulation {
    config: config::Modulation,
    place: AnalysisPlace,
    strengths: Vec<i64>,
    gammas: Vec<Gamma>,
    /// The names of the layers, and their α.
    layers: Vec<(String, f64)>,
    source: NoiseSource,
    /// The test images.
    pool: Pool,
    /// How many of them are shown.
    images: u64,
    /// Those that are shown.
    shown: Vec<usize>,
    /// The training images over which mean activations are computed.
    typical: Vec<usize>,
    /// The change of each unit's bias at strength 1, for every layer and target; set in phase 1.
    pushes: Vec<Vec<Vec<f64>>>,
    /// K.
    classes: usize,
}

/// The measurements of a block.
#[derive(Debug, Clone, PartialEq)]
pub struct ModulationSums {
    /// Images shown.
    queries: u64,
    measured: ModulationMeasurement,
}

#[derive(Debug, Clone, PartialEq)]
enum ModulationMeasurement {
    /// Images by class, \[K\], and sums of activations of every layer in fixed point, \[K,U\].
    Activations(Vec<u64>, Vec<Vec<i64>>),
    /// Stimuli by class (shown, called correctly, called), \[G,3,K\].
    Counts(Vec<i64>),
}

impl Modulation {
    /// The experiment at `place` of the plan.
    pub fn new(config: config::Modulation, place: AnalysisPlace, lab: &Lab) -> Self {
        let train = &lab.dataset.train;
        let first = |members: Vec<usize>| members.into_iter().take(config.images_per_class);
        let shown = lab.dataset.test.sample(config.images);
        Self {
            strengths: config.strengths(),
            gammas: config.signal_strengths(),
            layers: pushed_layers(&config, lab.network.sites()),
            source: NoiseSource::new(Noise::Uniform, train),
            pool: Pool::new(&lab.dataset.test),
            images: shown.len() as u64,
            shown,
            typical: train.by_class().into_iter().flat_map(first).collect(),
            pushes: Vec::new(),
            classes: lab.classes(),
            config,
            place,
        }
    }

    /// The index of the layer, the target, and the index of the strength, of a part from 1 on.
    fn setting(&self, part: usize) -> (usize, ClassId, usize) {
        let (rest, strength) = (
            (part - 1) / self.strengths.len(),
            (part - 1) % self.strengths.len(),
        );
        (rest / self.classes, ClassId(rest % self.classes), strength)
    }

    /// The site of every layer. The error names the layers that can be pushed.
    fn sites(&self, lab: &Lab) -> Result<Vec<(SiteId, Site)>, AnalysisError> {
        let all = lab.network.sites();
        let found = |(i, (name, _)): (usize, &(String, f64))| {
            let site = all.iter().enumerate().find(|(_, site)| site.name == *name);
            let units = site.map_or(0, |(_, site)| site.units);
            let place = |error| self.place.field_error(&format!("layers[{i}].layer"), error);
            lab.network.pushed(name, &vec![0.0; units]).map_err(place)?;
            Ok(site.map(|(at, site)| (SiteId(at), site.clone())))
        };
        let all: Result<Vec<_>, _> = self.layers.iter().enumerate().map(found).collect();
        Ok(all?.into_iter().flatten().collect())
    }

    /// Sums of activations over a block of training images.
    fn activations(&self, lab: &Lab, block: BlockIndex) -> Result<ModulationSums, AnalysisError> {
        let sites = self.sites(lab)?;
        let ids: Vec<SiteId> = sites.iter().map(|(id, _)| *id).collect();
        let shown = &self.typical[block_range(self.typical.len() as u64, self.config.block, block)];
        let train = &lab.dataset.train;
        let pixels = shown.iter().flat_map(|&i| train.image(i));
        let pixels: Vec<f32> = pixels.map(|&x| f32::from(x) / 255.0).collect();
        let all = lab.network.responses(&pixels, &ids);
        let truth = |&i: &usize| ClassId(usize::from(train.label(i)));
        let classes: Vec<ClassId> = shown.iter().map(truth).collect();
        let of_layer = |((_, site), all): (&(SiteId, Site), Vec<f32>)| {
            let positions = (site.positions.0 * site.positions.1).max(1);
            let mut sums = vec![0.0; self.classes * site.units];
            for (image, class) in all.chunks_exact(site.units * positions).zip(&classes) {
                let class_sums = sums[class.0 * site.units..].iter_mut();
                // For a convolution, the mean over all positions.
                for (sum, all) in class_sums.zip(image.chunks_exact(positions)) {
                    let all: f64 = all.iter().map(|&a| f64::from(a)).sum();
                    *sum += all / positions as f64;
                }
            }
            sums.into_iter().map(fixed).collect()
        };
        let mut counts = vec![0; self.classes];
        classes.iter().for_each(|&class| counts[class] += 1);
        let sums: Vec<Vec<i64>> = sites.iter().zip(all).map(of_layer).collect();
        let blocks = (self.typical.len() as u64).div_ceil(self.config.block as u64);
        if let Some(layer) = sums.iter().position(|sums| !fit_blocks(sums, blocks)) {
            let problem = format!(
                "the activations of `{}` are not finite or too large to be summed over {blocks} blocks; name another layer",
                self.layers[layer].0
            );
            return Err(self
                .place
                .field_error(&format!("layers[{layer}].layer"), problem));
        }
        Ok(ModulationSums {
            queries: shown.len() as u64,
            measured: ModulationMeasurement::Activations(counts, sums),
        })
    }

    /// The push of a part's layer.
    fn delta(&self, part: usize) -> Vec<f32> {
        let (layer, target, strength) = self.setting(part);
        let strength = self.strengths[strength] as f64;
        let push = &self.pushes[layer][target];
        push.iter().map(|&push| (strength * push) as f32).collect()
    }

    /// Decision counts on one block of test images at every γ, for the network pushed according to each of some
    /// parts that share a layer and a target.
    fn counts(
        &self,
        lab: &Lab,
        parts: &[usize],
        block: BlockIndex,
    ) -> Result<Vec<ModulationSums>, AnalysisError> {
        let (layer, ..) = self.setting(parts[0]);
        let deltas: Vec<Vec<f32>> = parts.iter().map(|&part| self.delta(part)).collect();
        let place = |error| {
            self.place
                .field_error(&format!("layers[{layer}].layer"), error)
        };
        let name = &self.layers[layer].0;
        let pushed = lab.network.with_each_push(name, &deltas).map_err(place)?;
        let images = &self.shown[block_range(self.images, self.config.block, block)];
        let mut rng = self.place.noise_seed(STREAM, block).generator();
        let noise = self.source.draw(&mut rng, images.len());
        let (k, queries) = (self.classes, images.len() * self.gammas.len());
        let mut all = vec![vec![0; self.gammas.len() * COUNTS_PER_CLASS * k]; parts.len()];
        for (at, &gamma) in self.gammas.iter().enumerate() {
            let stimuli = blend(&noise, &self.source, images, gamma, &self.pool);
            let logits = pushed.logits(stimuli, &lab.device);
            for (logits, counts) in logits.iter().zip(&mut all) {
                let counts = &mut counts[at * COUNTS_PER_CLASS * k..][..COUNTS_PER_CLASS * k];
                for (&image, row) in images.iter().zip(lab.network.rows(logits)) {
                    let truth = ClassId(usize::from(lab.dataset.test.label(image)));
                    counts[truth] += 1;
                    // A push can be so strong that an image is called no class.
                    if !has_decision(row) {
                        continue;
                    }
                    let called = decision(row);
                    counts[k + truth.0] += i64::from(called == truth);
                    counts[2 * k + called.0] += 1;
                }
            }
        }
        let sums = |counts| ModulationSums {
            queries: queries as u64,
            measured: ModulationMeasurement::Counts(counts),
        };
        Ok(all.into_iter().map(sums).collect())
    }

    /// Whether two jobs differ only in strength.
    fn is_of_one_layer(&self, a: &Job, b: &Job) -> bool {
        let setting_of = |job: &Job| {
            let setting = job.sequence.checked_sub(1);
            setting.map(|index| (index / self.strengths.len(), job.block))
        };
        setting_of(a).is_some() && setting_of(a) == setting_of(b)
    }
}

impl Experiment for Modulation {
    type Record = record::Modulation;
    type AnySums = ModulationSums;

    fn sequences(&self) -> Vec<BlockSequence> {
        let part =
            |phase: usize, images: u64| BlockSequence::parallel(phase, images, self.config.block);
        let settings = self.layers.len() * self.classes * self.strengths.len();
        let mut parts = vec![part(0, self.typical.len() as u64)];
        parts.extend(vec![part(1, self.images); settings]);
        parts
    }

    fn done(&self, record: &record::Modulation) -> Vec<u64> {
        record.progress.blocks.clone()
    }

    fn check(&self, lab: &Lab) -> Result<(), AnalysisError> {
        self.sites(lab).map(|_| ())
    }

    fn begin(
        &mut self,
        phase: usize,
        lab: &Lab,
        _: &Record,
        record: &mut record::Modulation,
    ) -> Result<(), AnalysisError> {
        let sites = self.sites(lab)?;
        if record.progress.blocks.is_empty() {
            let fresh = |((name, alpha), (_, site)): (&(String, f64), &(SiteId, Site))| {
                let (k, s, g) = (self.classes, self.strengths.len(), self.gammas.len());
                record::ModulatedLayer {
                    name: name.clone(),
                    alpha: *alpha,
                    shown: vec![0; k],
                    activation: Array::zeros(&[k, site.units]),
                    counts: Array::zeros(&[k, s, g, COUNTS_PER_CLASS, k]),
                }
            };
            record.layers = self.layers.iter().zip(&sites).map(fresh).collect();
            let parts = self.sequences();
            let stimuli = self.images * self.gammas.len() as u64;
            record.progress.blocks = vec![0; parts.len()];
            record.progress.total = self.typical.len() as u64 + (parts.len() as u64 - 1) * stimuli;
        }
        if phase == 1 {
            let of_layer = |layer: &record::ModulatedLayer| {
                let classes = ClassId::all(self.classes);
                classes.map(|class| layer.push(class)).collect()
            };
            self.pushes = record.layers.iter().map(of_layer).collect();
        }
        Ok(())
    }

    fn step(&self, lab: &Lab, job: Job) -> Result<ModulationSums, AnalysisError> {
        self.steps(lab, &[job])?
            .pop()
            .ok_or_else(|| self.place.analysis_error("a block measured nothing"))
    }

    fn steps(&self, lab: &Lab, jobs: &[Job]) -> Result<Vec<ModulationSums>, AnalysisError> {
        let mut all = Vec::with_capacity(jobs.len());
        for group in jobs.chunk_by(|a, b| self.is_of_one_layer(a, b)) {
            match group {
                [
                    Job {
                        sequence: 0, block, ..
                    },
                ] => all.push(self.activations(lab, *block)?),
                _ => {
                    let parts: Vec<usize> = group.iter().map(|job| job.sequence).collect();
                    all.extend(self.counts(lab, &parts, group[0].block)?);
                }
            }
        }
        Ok(all)
    }

    /// The remaining strengths of its layer and target.
    fn batchable_parts(&self, part: usize) -> usize {
        match part {
            0 => 1,
            _ => self.strengths.len() - self.setting(part).2,
        }
    }

    fn merge(&self, record: &mut record::Modulation, job: Job, sums: ModulationSums) {
        match &sums.measured {
            ModulationMeasurement::Activations(shown, layers) => {
                for (layer, sums) in record.layers.iter_mut().zip(layers) {
                    layer.add_activations(shown, sums);
                }
            }
            ModulationMeasurement::Counts(counts) => {
                let (layer, target, strength) = self.setting(job.sequence);
                record.layers[layer].add_counts(target, strength, counts);
            }
        }
        record.progress.blocks[job.sequence] += 1;
        record.progress.add_work(sums.queries);
    }
}

#[cfg(test)]
mod tests;
