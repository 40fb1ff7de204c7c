//! Spike-triggered analysis: averages the stimuli weighted by each unit's activation.
//!
//! There are four parts: noise, training images, mean gradients (with which averages on Gaussian noise must
//! agree), and the covariance of one unit. A block gathers the receptive fields at a layer's inner
//! positions (`fields`) and sums them, weighted by activation, in one matrix product; averages and
//! their reliability follow from the sums in [`crate::stats::spike_triggered`].

mod bounds;
mod covariance;
pub(super) mod fields;
pub(super) mod gradients;
mod launches;

use burn::tensor::{Device, Tensor, TensorData};

use super::{
    AnalysisError, AnalysisPlace, BlockSequence, Experiment, Job, Lab, OptionalLaunches,
    block_range,
};
use crate::ids::{BlockIndex, SiteId};
use crate::nets::graph::site::Site;
use crate::session::config;
use crate::session::form::Shape;
use crate::session::record::{
    self, BlockCovariance, BlockResponses, Covariance, LayerResponses, Record,
};
use crate::stimulus::{NoiseSource, Pool, noise_values};

use fields::Fields;
use gradients::{Gradients, spread_evenly};
use launches::ResponseLaunches;

/// The numbers of the parts.
const NOISE: usize = 0;
const IMAGES: usize = 1;
const GRADIENTS: usize = 2;
const COVARIANCE: usize = 3;

/// Assumed positions per trial, for limiting how many trials may be summed on a device.
const POSITIONS: usize = 64;

/// The noise stream of every part, so that gradients and covariance use the trials of the averages.
const STREAM: u64 = 0;

/// The experiment, configured by the plan.
#[derive(Debug, Clone)]
pub struct SpikeTriggered {
    config: config::SpikeTriggered,
    place: AnalysisPlace,
    source: NoiseSource,
    /// All layers of the network.
    sites: Vec<Site>,
    /// Number of training images shown.
    images: u64,
    /// Those images.
    shown: Vec<usize>,
    /// Computes the gradients; set in phase 1.
    gradients: Option<Gradients>,
    /// An empty pool: noise is drawn without images.
    empty_pool: Pool,
}

/// The measurements of a block.
#[derive(Debug, Clone, PartialEq)]
pub struct SpikeTriggeredSums {
    trials: u64,
    measured: StaMeasurement,
}

/// Sums by kind of part; one entry per layer.
#[derive(Debug, Clone, PartialEq)]
enum StaMeasurement {
    /// By a block, whose parity tells the half.
    Responses(Vec<(BlockIndex, Vec<BlockResponses>)>),
    /// Number of receptive fields, and Σ∇a \[units,h·w\].
    Gradients(Vec<(u64, Vec<i64>)>),
    Covariance(BlockCovariance),
}

impl SpikeTriggered {
    /// The experiment at `place` of the plan.
    pub fn new(config: config::SpikeTriggered, place: AnalysisPlace, lab: &Lab) -> Self {
        let shown = lab.dataset.train.sample(config.images);
        Self {
            source: NoiseSource::new(config.noise, &lab.dataset.train),
            sites: lab.network.sites().to_vec(),
            images: shown.len() as u64,
            shown,
            gradients: None,
            empty_pool: Pool::new(&crate::data::Dataset::none(lab.form.as_ref().clone()).train),
            config,
            place,
        }
    }

    /// The layer of this name; otherwise an error at `field` that lists the existing layers.
    fn site(&self, field: &str, name: &str) -> Result<SiteId, AnalysisError> {
        let found = self.sites.iter().position(|layer| layer.name == name);
        found.map(SiteId).ok_or_else(|| {
            let names: Vec<&str> = self.sites.iter().map(|layer| layer.name.as_str()).collect();
            let problem = format!(
                "the network has no layer `{name}`; it has {}",
                names.join(", ")
            );
            self.place.field_error(field, problem)
        })
    }

    /// The layers that the plan names, or a default selection.
    fn chosen(&self) -> Result<Vec<SiteId>, AnalysisError> {
        choose_sites(&self.config, &self.sites).map_err(|at| {
            let name = &self.config.layers[at];
            let field = format!("layers[{at}]");
            match self.site(&field, name) {
                Err(error) => error,
                Ok(_) => self.place.field_error(&field, "no layer has this name"),
            }
        })
    }

    /// The layer and the unit whose covariance is computed, if the plan has one.
    fn unit(&self) -> Result<Option<(SiteId, usize)>, AnalysisError> {
        let Some(config::UnitId { layer, unit }) = &self.config.covariance else {
            return Ok(None);
        };
        let id = self.site("covariance.layer", layer)?;
        let units = self.sites[id].units;
        if *unit >= units {
            let problem = format!("unit {unit}; the units of `{layer}` are 0 to {}", units - 1);
            return Err(self.place.field_error("covariance.unit", problem));
        }
        Ok(Some((id, *unit)))
    }

    /// Trials of a part.
    fn trials(&self, part: usize) -> u64 {
        match part {
            NOISE => self.config.trials,
            IMAGES => self.images,
            GRADIENTS if self.config.takes_gradients() => self.config.gradient_trials,
            COVARIANCE if self.config.covariance.is_some() => self.config.covariance_trials,
            _ => 0,
        }
    }

    /// The trials of a block.
    fn range(&self, job: Job) -> std::ops::Range<usize> {
        block_range(self.trials(job.sequence), self.config.block, job.block)
    }

    /// The noise of a block, \[trials,C,H,W\].
    fn noise(&self, job: Job) -> Vec<f32> {
        let mut rng = self.place.noise_seed(STREAM, job.block).generator();
        let points = self.source.draw(&mut rng, self.range(job).len());
        noise_values(&points, self.source.noise().grid())
    }

    fn responses(&self, lab: &Lab, pixels: &[f32]) -> Result<Vec<BlockResponses>, AnalysisError> {
        let chosen = self.chosen()?;
        let fields = |&id: &SiteId| Fields::new(id, &self.sites[id], &lab.device);
        let layers: Vec<Fields> = chosen.iter().map(fields).collect();
        Ok(fields::sum(&layers, &lab.network, pixels, &lab.device))
    }
}

impl Experiment for SpikeTriggered {
    type Record = record::SpikeTriggered;
    type AnySums = SpikeTriggeredSums;

    fn sequences(&self) -> Vec<BlockSequence> {
        let part = |part| {
            let phase = usize::from(part == GRADIENTS || part == COVARIANCE);
            BlockSequence::parallel(phase, self.trials(part), self.config.block)
        };
        [NOISE, IMAGES, GRADIENTS, COVARIANCE].map(part).to_vec()
    }

    fn done(&self, record: &record::SpikeTriggered) -> Vec<u64> {
        record.progress.blocks.clone()
    }

    fn check(&self, _: &Lab) -> Result<(), AnalysisError> {
        self.chosen()?;
        self.unit().map(|_| ())
    }

    fn begin(
        &mut self,
        phase: usize,
        lab: &Lab,
        _: &Record,
        record: &mut record::SpikeTriggered,
    ) -> Result<(), AnalysisError> {
        let (chosen, unit) = (self.chosen()?, self.unit()?);
        if record.progress.blocks.is_empty() {
            let fresh = |&id: &SiteId| {
                let site = &self.sites[id];
                let kernel = lab.network.kernel(id);
                LayerResponses::new(
                    &site.name,
                    site.units,
                    site.field_shape(),
                    site.signed,
                    kernel,
                )
            };
            record.layers = chosen.iter().map(fresh).collect();
            let plan = self.config.covariance.clone();
            record.covariance = unit
                .zip(plan)
                .map(|((id, _), unit)| Covariance::new(unit, self.sites[id].field_shape()));
            record.progress.blocks = vec![0; 4];
            record.progress.total = (0..4).map(|part| self.trials(part)).sum();
        }
        if phase == 1 && self.trials(GRADIENTS) > 0 {
            for layer in &mut record.layers {
                if layer.gradients.units.is_empty() {
                    let fired = layer.noise.fired.values().iter().enumerate();
                    let fired = fired.filter(|(_, count)| **count > 0).map(|(unit, _)| unit);
                    layer.select_gradient_units(spread_evenly(
                        &fired.collect::<Vec<_>>(),
                        self.config.gradient_units,
                    ));
                }
            }
            let units = record
                .layers
                .iter()
                .map(|layer| layer.gradients.units.clone());
            let units = chosen.into_iter().zip(units).collect();
            self.gradients = Some(Gradients::new(lab, units));
        }
        Ok(())
    }

    fn step(&self, lab: &Lab, job: Job) -> Result<SpikeTriggeredSums, AnalysisError> {
        let measured = match job.sequence {
            NOISE => {
                StaMeasurement::Responses(vec![(job.block, self.responses(lab, &self.noise(job))?)])
            }
            IMAGES => {
                let shown = self.shown[self.range(job)].iter();
                let images = shown.map(|&i| lab.dataset.train.image(i));
                let pixels = images.flatten().map(|&x| f32::from(x) / 255.0);
                let pixels: Vec<f32> = pixels.collect();
                StaMeasurement::Responses(vec![(job.block, self.responses(lab, &pixels)?)])
            }
            GRADIENTS => {
                let gradients = self.gradients.as_ref();
                StaMeasurement::Gradients(
                    gradients.map_or_else(Vec::new, |gradients| gradients.sum(&self.noise(job))),
                )
            }
            _ => {
                let unit = self.unit()?;
                let sums = unit.map(|(id, unit)| {
                    let fields = Fields::new(id, &self.sites[id], &lab.device);
                    let shuffle = self.place.noise_seed(STREAM + 1, job.block);
                    covariance::sum(&fields, unit, lab, &self.noise(job), shuffle)
                });
                StaMeasurement::Covariance(sums.unwrap_or_default())
            }
        };
        Ok(SpikeTriggeredSums {
            trials: self.range(job).len() as u64,
            measured: self.bounded(job.sequence, measured)?,
        })
    }

    fn launches<'a>(&'a self, lab: &'a Lab, part: usize, blocks: usize) -> OptionalLaunches<'a> {
        let launches = ResponseLaunches::new(self, lab, part, blocks)?;
        Some(Box::new(launches))
    }

    /// Each trial counts at many positions of a layer.
    fn trials_of_block(&self) -> usize {
        POSITIONS * self.config.block
    }

    fn merge(&self, record: &mut record::SpikeTriggered, job: Job, sums: SpikeTriggeredSums) {
        let layers = record.layers.iter_mut();
        match &sums.measured {
            StaMeasurement::Responses(halves) => {
                for (layer, at) in layers.zip(0..) {
                    for (block, sums) in halves {
                        match job.sequence {
                            NOISE => layer.add_noise(*block, &sums[at]),
                            _ => layer.add_images(*block, &sums[at]),
                        }
                    }
                }
            }
            StaMeasurement::Gradients(sums) => layers
                .zip(sums)
                .for_each(|(layer, (fields, sum))| layer.add_gradients(*fields, sum)),
            StaMeasurement::Covariance(sums) => {
                let last = job.block + 1 == BlockIndex(self.sequences()[COVARIANCE].blocks);
                if let Some(covariance) = &mut record.covariance {
                    covariance.add(sums);
                    let image = self.sites.first().map_or([1; 3], |site| site.image);
                    let deviation = self.config.noise.deviation(image);
                    if let (true, Some(deviation)) = (last, deviation) {
                        covariance.finish(deviation.powi(2));
                    }
                }
            }
        }
        record.progress.blocks[job.sequence] += job.blocks;
        record.progress.add_work(sums.trials);
    }
}

/// Largest total size of the averages if the plan names no layers, in numbers; and how many layers are selected
/// if all would exceed it.
const MOST_NUMBERS: usize = 8 << 20;
const DEFAULT_LAYERS: usize = 6;

/// The sites that a plan selects: those matching its names, in which `*` stands for anything; all
/// if it names none and their averages are not too large; else some from the first to the last whose averages
/// are small enough. The error is the index of a name that no site has.
pub fn choose_sites(plan: &config::SpikeTriggered, all: &[Site]) -> Result<Vec<SiteId>, usize> {
    let numbers = |site: &Site| site.units * site.field_pixels();
    if !plan.layers.is_empty() {
        let matching = |name: &String| -> Vec<SiteId> {
            let ids = (0..all.len()).map(SiteId);
            ids.filter(|&id| matches(name, &all[id].name)).collect()
        };
        if let Some(unknown) = plan
            .layers
            .iter()
            .position(|name| matching(name).is_empty())
        {
            return Err(unknown);
        }
        let mut chosen: Vec<SiteId> = Vec::new();
        for id in plan.layers.iter().flat_map(matching) {
            if !chosen.contains(&id) {
                chosen.push(id);
            }
        }
        return Ok(chosen);
    }
    if all.iter().map(numbers).sum::<usize>() <= MOST_NUMBERS {
        return Ok((0..all.len()).map(SiteId).collect());
    }
    let room = |&id: &SiteId| numbers(&all[id]) <= MOST_NUMBERS / DEFAULT_LAYERS;
    let fitting: Vec<SiteId> = (0..all.len()).map(SiteId).filter(room).collect();
    let some = DEFAULT_LAYERS.min(fitting.len());
    let spread = |i: usize| fitting[i * (fitting.len() - 1) / (some - 1).max(1)];
    Ok((0..some).map(spread).collect())
}

/// Whether a name matches a pattern, in which `*` stands for anything.
fn matches(pattern: &str, name: &str) -> bool {
    let Some((begin, rest)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(after) = name.strip_prefix(begin) else {
        return false;
    };
    let starts = after.char_indices().map(|(at, _)| at).chain([after.len()]);
    starts.into_iter().any(|at| matches(rest, &after[at..]))
}

/// `pixels`, row-major \[N,C,h,w\], as a tensor on a device.
fn stack(pixels: &[f32], [channels, height, width]: Shape, device: &Device) -> Tensor<4> {
    let n = pixels.len() / (channels * height * width);
    let data = TensorData::new(pixels.to_vec(), [n, channels, height, width]);
    Tensor::from_data(data, device)
}

#[cfg(test)]
mod tests;
