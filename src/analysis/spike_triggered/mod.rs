//! Spike-triggered analysis: averages the stimuli weighted by each unit's activation.
//!
//! There are four parts: noise, training images, mean gradients (with which averages on Gaussian noise must
//! agree), and the covariance of one unit. A block gathers the receptive fields at a layer's inner
//! positions ([`fields`]) and sums them, weighted by activation, in one matrix product; averages and
//! their reliability follow from the sums in [`crate::stats::spike_triggered`].

mod covariance;
pub(super) mod fields;
mod gradients;
mod launches;

use burn::tensor::{Device, Tensor, TensorData};

use super::{AnalysisError, Experiment, Job, Lab, Launching, Order, Part, Place, range};
use crate::nets::graph::site::Site;
use crate::session::config::{self, Noise};
use crate::session::form::Shape;
use crate::session::record::{
    self, BlockCovariance, BlockResponses, Covariance, FIXED_POINT, LayerResponses, Record,
};
use crate::stimulus::{Pool, Source, values};

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
    place: Place,
    source: Source,
    /// All layers of the network.
    all: Vec<Site>,
    /// Training images shown.
    images: u64,
    /// Computes the gradients; set in phase 1.
    gradients: Option<Gradients>,
    /// An empty pool: noise is drawn without images.
    nothing: Pool,
}

/// The measurements of a block.
#[derive(Debug, Clone, PartialEq)]
pub struct Sums {
    trials: u64,
    of: Of,
}

/// Sums by kind of part; one entry per layer.
#[derive(Debug, Clone, PartialEq)]
enum Of {
    /// By a block number, whose parity tells the half.
    Responses(Vec<(u64, Vec<BlockResponses>)>),
    /// Number of receptive fields, and Σ∇a \[units,h·w\].
    Gradients(Vec<(u64, Vec<i64>)>),
    Covariance(BlockCovariance),
}

impl SpikeTriggered {
    /// The experiment at `place` of the plan.
    pub fn new(config: config::SpikeTriggered, place: Place, lab: &Lab) -> Self {
        Self {
            source: Source::new(config.noise, &lab.dataset.train),
            all: lab.network.sites().to_vec(),
            images: config.images.min(lab.dataset.train.len()) as u64,
            gradients: None,
            nothing: Pool::new(&crate::data::Dataset::none(lab.form.as_ref().clone()).train),
            config,
            place,
        }
    }

    /// The index of the layer of this name; otherwise an error at `field` that lists the existing layers.
    fn layer(&self, field: &str, name: &str) -> Result<usize, AnalysisError> {
        let found = self.all.iter().position(|layer| layer.name == name);
        found.ok_or_else(|| {
            let names: Vec<&str> = self.all.iter().map(|layer| layer.name.as_str()).collect();
            let problem = format!(
                "the network has no layer `{name}`; it has {}",
                names.join(", ")
            );
            self.place.error(field, problem)
        })
    }

    /// Indices of the layers that the plan names, or of a default selection.
    fn chosen(&self) -> Result<Vec<usize>, AnalysisError> {
        choose(&self.config, &self.all).map_err(|at| {
            let name = &self.config.layers[at];
            let field = format!("layers[{at}]");
            match self.layer(&field, name) {
                Err(error) => error,
                Ok(_) => self.place.error(&field, "no layer has this name"),
            }
        })
    }

    /// The layer and the unit whose covariance is computed, if the plan has one.
    fn unit(&self) -> Result<Option<(usize, usize)>, AnalysisError> {
        let Some(config::Unit { layer, unit }) = &self.config.covariance else {
            return Ok(None);
        };
        let layer_index = self.layer("covariance.layer", layer)?;
        let units = self.all[layer_index].units;
        if *unit >= units {
            let problem = format!("unit {unit}; the units of `{layer}` are 0 to {}", units - 1);
            return Err(self.place.error("covariance.unit", problem));
        }
        Ok(Some((layer_index, *unit)))
    }

    /// Trials of a part. Mean gradients are only computed for Gaussian noise: with other noise they have no
    /// relation to the averages.
    fn trials(&self, part: usize) -> u64 {
        let gaussian = matches!(self.config.noise, Noise::Gaussian(_));
        match part {
            NOISE => self.config.trials,
            IMAGES => self.images,
            GRADIENTS if gaussian && self.config.gradient_units > 0 => self.config.gradient_trials,
            COVARIANCE if self.config.covariance.is_some() => self.config.covariance_trials,
            _ => 0,
        }
    }

    /// The trials of a block.
    fn range(&self, job: Job) -> std::ops::Range<usize> {
        range(self.trials(job.part), self.config.block, job.block)
    }

    /// The noise of a block, \[trials,C,H,W\].
    fn noise(&self, job: Job) -> Vec<f32> {
        let mut rng = self.place.noise(STREAM, job.block).generator();
        let points = self.source.draw(&mut rng, self.range(job).len());
        values(&points, self.source.noise().grid())
    }

    fn responses(&self, lab: &Lab, pixels: &[f32]) -> Result<Vec<BlockResponses>, AnalysisError> {
        let chosen = self.chosen()?;
        let fields = |&layer: &usize| Fields::new(layer, &self.all[layer], &lab.device);
        let layers: Vec<Fields> = chosen.iter().map(fields).collect();
        Ok(fields::sum(&layers, &lab.network, pixels, &lab.device))
    }
}

impl Experiment for SpikeTriggered {
    type Record = record::SpikeTriggered;
    type Sums = Sums;

    fn parts(&self) -> Vec<Part> {
        let part = |part| Part {
            phase: usize::from(part == GRADIENTS || part == COVARIANCE),
            blocks: self.trials(part).div_ceil(self.config.block as u64),
            order: Order::Free,
        };
        [NOISE, IMAGES, GRADIENTS, COVARIANCE].map(part).to_vec()
    }

    fn done(&self, record: &record::SpikeTriggered) -> Vec<u64> {
        record.progress.blocks.clone()
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
            let fresh = |&at: &usize| {
                let site = &self.all[at];
                let kernel = lab.network.kernel(at);
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
                .map(|((at, _), unit)| Covariance::new(unit, self.all[at].field_shape()));
            record.progress.blocks = vec![0; 4];
            record.progress.total = (0..4).map(|part| self.trials(part)).sum();
        }
        if phase == 1 && self.trials(GRADIENTS) > 0 {
            for layer in &mut record.layers {
                if layer.gradients.units.is_empty() {
                    let fired = layer.noise.fired.values().iter().enumerate();
                    let fired = fired.filter(|(_, count)| **count > 0).map(|(unit, _)| unit);
                    layer.take_gradients(spread_evenly(
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

    fn step(&self, lab: &Lab, job: Job) -> Result<Sums, AnalysisError> {
        let measured = match job.part {
            NOISE => Of::Responses(vec![(job.block, self.responses(lab, &self.noise(job))?)]),
            IMAGES => {
                let images = self.range(job).map(|i| lab.dataset.train.image(i));
                let pixels = images.flatten().map(|&x| f32::from(x) / 255.0);
                let pixels: Vec<f32> = pixels.collect();
                Of::Responses(vec![(job.block, self.responses(lab, &pixels)?)])
            }
            GRADIENTS => {
                let gradients = self.gradients.as_ref();
                Of::Gradients(
                    gradients.map_or_else(Vec::new, |gradients| gradients.sum(&self.noise(job))),
                )
            }
            _ => {
                let unit = self.unit()?;
                let sums = unit.map(|(at, unit)| {
                    let fields = Fields::new(at, &self.all[at], &lab.device);
                    let shuffle = self.place.noise(STREAM + 1, job.block);
                    covariance::sum(&fields, unit, lab, &self.noise(job), shuffle)
                });
                Of::Covariance(sums.unwrap_or_default())
            }
        };
        let trials = self.range(job).len() as u64;
        Ok(Sums {
            trials,
            of: measured,
        })
    }

    fn launches<'a>(&'a self, lab: &'a Lab, part: usize, blocks: usize) -> Launching<'a> {
        let launches = ResponseLaunches::new(self, lab, part, blocks)?;
        Some(Box::new(launches))
    }

    /// Each trial counts at many positions of a layer.
    fn trials_of_block(&self) -> usize {
        POSITIONS * self.config.block
    }

    fn merge(&self, record: &mut record::SpikeTriggered, job: Job, sums: Sums) {
        let layers = record.layers.iter_mut();
        match &sums.of {
            Of::Responses(halves) => {
                for (layer, at) in layers.zip(0..) {
                    for (block, sums) in halves {
                        match job.part {
                            NOISE => layer.add_noise(*block, &sums[at]),
                            _ => layer.add_images(*block, &sums[at]),
                        }
                    }
                }
            }
            Of::Gradients(sums) => layers
                .zip(sums)
                .for_each(|(layer, (fields, sum))| layer.add_gradients(*fields, sum)),
            Of::Covariance(sums) => {
                let last = job.block + 1 == self.parts()[COVARIANCE].blocks;
                if let Some(covariance) = &mut record.covariance {
                    covariance.add(sums);
                    let image = self.all.first().map_or([1; 3], |site| site.image);
                    let deviation = self.config.noise.deviation(image);
                    if let (true, Some(deviation)) = (last, deviation) {
                        covariance.finish(deviation.powi(2));
                    }
                }
            }
        }
        record.progress.blocks[job.part] += job.blocks;
        record.progress.done += sums.trials;
    }
}

/// Largest total size of the averages if the plan names no layers, in numbers; and how many layers are selected
/// if all would exceed it.
const MOST_NUMBERS: usize = 8 << 20;
const SOME: usize = 6;

/// Indices of the sites that a plan selects: those matching its names, in which `*` stands for anything; all
/// if it names none and their averages are not too large; else some from the first to the last whose averages
/// are small enough. The error is the index of a name that no site has.
pub fn choose(plan: &config::SpikeTriggered, all: &[Site]) -> Result<Vec<usize>, usize> {
    let numbers = |site: &Site| site.units * site.field_pixels();
    if !plan.layers.is_empty() {
        let matching = |name: &String| -> Vec<usize> {
            let places = 0..all.len();
            places.filter(|&at| matches(name, &all[at].name)).collect()
        };
        if let Some(unknown) = plan
            .layers
            .iter()
            .position(|name| matching(name).is_empty())
        {
            return Err(unknown);
        }
        let mut chosen: Vec<usize> = Vec::new();
        for at in plan.layers.iter().flat_map(matching) {
            if !chosen.contains(&at) {
                chosen.push(at);
            }
        }
        return Ok(chosen);
    }
    if all.iter().map(numbers).sum::<usize>() <= MOST_NUMBERS {
        return Ok((0..all.len()).collect());
    }
    let room = |&at: &usize| numbers(&all[at]) <= MOST_NUMBERS / SOME;
    let fitting: Vec<usize> = (0..all.len()).filter(room).collect();
    let some = SOME.min(fitting.len());
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

/// A sum in the record's fixed-point format.
fn fixed(sum: f64) -> i64 {
    (sum * FIXED_POINT).round() as i64
}

/// `pixels`, row-major \[N,C,h,w\], as a tensor on a device.
fn stack(pixels: &[f32], [channels, height, width]: Shape, device: &Device) -> Tensor<4> {
    let n = pixels.len() / (channels * height * width);
    let data = TensorData::new(pixels.to_vec(), [n, channels, height, width]);
    Tensor::from_data(data, device)
}

#[cfg(test)]
mod tests;
