//! Estimate of the memory that a plan takes, made before it runs.
//!
//! It covers what grows with the classes and the image size: the images themselves, the experiments'
//! records, and the blocks that workers are computing. Records count three times: in the engine, in
//! the viewers' copy, and while they are written to the file.

use super::AnalysisPlace;
use super::modulation::pushed_layers;
use super::spike_triggered::choose_sites;
use super::spike_triggered::fields::{activations, working_set};
use super::spike_triggered::gradients::state_bytes;
use crate::format::bytes as in_words;
use crate::nets::graph::Graph;
use crate::nets::graph::site::Site;
use crate::nets::launch::CACHED_IMAGES;
use crate::session::config::{self, Analysis, Config, NetworkKind, Response, TrainingConfig};
use crate::session::form::Form;
use crate::session::record::{COUNTS_PER_CLASS, NoiseAxes, Record, TrialKind, WITH_EVIDENCE};

/// Copies of an experiment's record in memory.
const COPIES: u64 = 3;

/// Copies of a network's weights: as in the file, as used for computing, and once more for looking into
/// layers.
const WEIGHTS: u64 = 3;

/// Copies of a network's weights while it is trained: five in training (weights, gradients, their sums over
/// the portions of a batch, two moments), four each in the record (of the best epoch, current, two moments)
/// and in the one before it, and five each in two texts of the record while it is saved. Measured: 23.
const TRAINING: u64 = 24;

/// Layer-sized buffers in memory during a forward pass: a layer's input and output, and another copy
/// in the convolution's order.
const LAYERS: usize = 3;

/// Bytes of a number of a trial: a point of 16 bits, a float of 32, and a copy of that on its way to the network.
const TRIAL_BYTES: u64 = 10;

/// Bytes of the program, its libraries and a small running network.
const PROGRAM: u64 = 120 << 20;

/// The memory that a plan takes, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemoryEstimate {
    /// All images.
    pub images: u64,
    /// All copies of the network's weights.
    pub weights: u64,
    /// Training of the plan's network, which ends before the analyses begin.
    pub training: u64,
    /// Blocks that workers are computing.
    pub workers: u64,
    /// The experiment, by its index in the plan, whose networks in training are what workers need most of that for;
    /// `None` if blocks take more.
    pub population: Option<usize>,
    /// One copy of the record of each experiment of the plan.
    pub analyses: Vec<u64>,
}

impl MemoryEstimate {
    /// The memory of a plan on `images` images of this form, with `workers` workers, on a network with
    /// `parameters` parameters and these sites.
    pub fn estimate(
        config: &Config,
        form: &Form,
        images: usize,
        workers: usize,
        (parameters, sites): (usize, &[Site]),
    ) -> Self {
        let sizes = Sizes::new(form, sites);
        let analyses = config.analyses.iter();
        let worker = analyses.clone().map(|plan| sizes.worker(plan)).max();
        Self {
            images: (images * form.pixels()) as u64,
            weights: WEIGHTS * 4 * parameters as u64,
            training: 0,
            workers: workers as u64 * worker.unwrap_or(0),
            population: None,
            analyses: analyses.map(|plan| sizes.kept(plan, config)).collect(),
        }
    }

    /// Includes the states with which workers that compute by plan differentiate layers of `network`. They exist
    /// after the responses of the layers have been summed.
    pub fn include_gradients(&mut self, config: &Config, network: &Graph, workers: usize) {
        let sites = network.sites();
        let pixels: usize = network.image().iter().product();
        let of_worker = config.analyses.iter().map(|plan| match plan {
            Analysis::SpikeTriggered(plan) if plan.takes_gradients() => {
                let images = plan.gradient_trials.min(plan.block as u64);
                let states = state_bytes(network, &chosen(plan, &sites), images as usize);
                images * TRIAL_BYTES * pixels as u64 + states
            }
            _ => 0,
        });
        let worker = of_worker.max().unwrap_or(0);
        self.workers = self.workers.max(workers as u64 * worker);
    }

    /// Includes the training of a network of `parameters` parameters, in batches that take `batch` bytes.
    pub fn include_training(&mut self, parameters: usize, batch: usize) {
        self.training = TRAINING * 4 * parameters as u64 + batch as u64;
    }

    /// Includes `networks` networks that the experiment at `index` trains itself, of `parameters` parameters each, in
    /// batches that take `batch` bytes: every worker has one in progress.
    pub fn include_population(
        &mut self,
        index: usize,
        networks: usize,
        (parameters, batch): (usize, usize),
        workers: usize,
    ) {
        let each = TRAINING * 4 * parameters as u64 + batch as u64;
        let in_progress = networks.min(workers) as u64;
        let all = in_progress.saturating_mul(each);
        if all > self.workers {
            self.workers = all;
            self.population = Some(index);
        }
    }

    /// The bytes of all copies of the experiments' records.
    fn records(&self) -> u64 {
        let kept = self
            .analyses
            .iter()
            .fold(0_u64, |sum, &bytes| sum.saturating_add(bytes));
        kept.saturating_mul(COPIES)
    }

    /// The total, including the program itself.
    pub fn total(&self) -> u64 {
        let analysing = self.workers.saturating_add(self.records());
        // While images are loaded there are two copies of them, and nothing else.
        let work = analysing.max(self.training).max(self.images);
        let always = PROGRAM.saturating_add(self.weights);
        always.saturating_add(self.images).saturating_add(work)
    }

    /// The experiment with the largest record, by its index in the plan, and the size of that record.
    pub fn largest(&self) -> Option<(usize, u64)> {
        let analyses = self.analyses.iter().copied().enumerate();
        analyses.max_by_key(|&(_, bytes)| bytes)
    }

    /// Rejects a plan that does not fit into `available` bytes, naming the training, the largest experiment or the
    /// workers, whichever takes most, and a remedy.
    ///
    /// # Errors
    /// If it does not fit.
    pub fn check(&self, available: u64, config: &Config) -> Result<(), super::AnalysisError> {
        let total = self.total();
        if total <= available {
            return Ok(());
        }
        if self.training > self.workers.saturating_add(self.records()) {
            return Err(super::AnalysisError(format!(
                "network.weights: the plan needs about {}, {} of it for training the network, but only {} is free; \
                 smaller batches (network.weights.batch), smaller images or another network.kind take less",
                in_words(total),
                in_words(self.training),
                in_words(available),
            )));
        }
        let Some((index, kept)) = self.largest() else {
            return Ok(());
        };
        let workers = in_words(self.workers);
        let (index, largest, remedy) =
            match (self.workers > kept.saturating_mul(COPIES), self.population) {
                (true, Some(population)) => (
                    population,
                    format!("{workers} of it for the networks that it trains, one per worker"),
                    "fewer workers (--workers) or smaller batches (training.batch) take less",
                ),
                (true, None) => (
                    index,
                    format!("{workers} of it for the workers"),
                    "fewer workers (--workers) or smaller blocks (block: 100) take less",
                ),
                (false, _) => (
                    index,
                    format!("{} of it for this analysis", in_words(kept)),
                    remedy(config.analyses.get(index)),
                ),
            };
        let problem = format!(
            "the plan needs about {}, {largest}, but only {} is free; {remedy}",
            in_words(total),
            in_words(available),
        );
        Err(AnalysisPlace::for_analysis(config, index).analysis_error(problem))
    }
}

/// The networks that an experiment trains itself.
#[derive(Debug, Clone, Copy)]
pub struct Population<'a> {
    /// How many.
    pub networks: usize,
    /// Their architecture.
    pub kind: NetworkKind,
    /// Their training.
    pub training: &'a TrainingConfig,
}

impl<'a> Population<'a> {
    /// Those of an experiment on a network of the kind `studied`; `None` if it trains none.
    pub fn of(plan: &'a Analysis, studied: NetworkKind) -> Option<Self> {
        let population = match plan {
            Analysis::Backdoor(plan) => Self {
                networks: plan.networks(),
                kind: studied,
                training: &plan.training,
            },
            Analysis::Audit(plan) => Self {
                networks: plan.trained(),
                kind: plan.kind.resolve(studied),
                training: &plan.training,
            },
            _ => return None,
        };
        (population.networks > 0).then_some(population)
    }
}

/// What makes the record of an analysis smaller.
fn remedy(plan: Option<&Analysis>) -> &'static str {
    match plan {
        Some(Analysis::ClassificationImages(_)) => {
            "coarser noise (cell: 2 or more) or maps of fewer classes (classes: [\"…\"]) take less"
        }
        Some(Analysis::SpikeTriggered(_)) => "fewer layers (layers: [\"conv1\"]) take less",
        Some(Analysis::Modulation(_)) => "fewer layers, steps or gammas take less",
        Some(Analysis::Backdoor(_) | Analysis::Audit(_)) => "fewer networks or gammas take less",
        _ => "fewer weights or splits take less",
    }
}

/// Rejects the analysis at `index`, which has just begun, if the session could not be read again once it is saved.
///
/// # Errors
/// If its record is too large, with a remedy.
pub fn check_record(
    record: &Record,
    config: &Config,
    index: usize,
) -> Result<(), super::AnalysisError> {
    let Some(excess) = record.excess() else {
        return Ok(());
    };
    let problem = format!("{excess}; {}", remedy(config.analyses.get(index)));
    Err(AnalysisPlace::for_analysis(config, index).analysis_error(problem))
}

/// Trials or images per block.
fn block(plan: &Analysis) -> usize {
    match plan {
        Analysis::ClassificationImages(plan) => plan.block,
        Analysis::Templates(plan) => plan.block,
        Analysis::Attack(plan) => plan.block,
        Analysis::SpikeTriggered(plan) => plan.block,
        Analysis::Modulation(plan) => plan.block,
        Analysis::Backdoor(plan) => plan.block,
        Analysis::Audit(plan) => plan.block,
        Analysis::Predictions(plan) => plan.block,
    }
}

/// The sites that a plan selects.
fn chosen<'a>(plan: &config::SpikeTriggered, all: &'a [Site]) -> Vec<&'a Site> {
    let places = choose_sites(plan, all).unwrap_or_default();
    places.into_iter().map(|at| &all[at]).collect()
}

/// The quantities from which sizes are computed.
struct Sizes<'a> {
    form: &'a Form,
    /// K.
    classes: u64,
    /// Numbers in an image.
    pixels: u64,
    sites: &'a [Site],
}

impl<'a> Sizes<'a> {
    fn new(form: &'a Form, sites: &'a [Site]) -> Self {
        Self {
            form,
            classes: form.class_count() as u64,
            pixels: form.pixels() as u64,
            sites,
        }
    }

    /// Bytes that a worker needs for a block.
    fn worker(&self, plan: &Analysis) -> u64 {
        let trials = block(plan) as u64 * TRIAL_BYTES * self.pixels;
        let all = self.sites;
        let numbers = match plan {
            Analysis::SpikeTriggered(plan) => working_set(&chosen(plan, all), plan.block),
            // The activations of all layers for a block of images.
            Analysis::Modulation(plan) => plan.block * all.iter().map(activations).sum::<usize>(),
            _ => 0,
        };
        let largest = all.iter().map(activations).max().unwrap_or(0);
        let through = LAYERS * largest * block(plan).min(CACHED_IMAGES);
        trials + 4 * numbers.max(through) as u64
    }

    /// Bytes of an experiment's record.
    fn kept(&self, plan: &Analysis, config: &Config) -> u64 {
        let (k, p) = (self.classes, self.pixels);
        match plan {
            Analysis::ClassificationImages(plan) => {
                let kind = TrialKind {
                    noise: plan.noise,
                    grain: plan.grain(),
                    weighting: plan.weighting,
                    classes: self.form.class_count(),
                    listed: plan.listed(self.form).unwrap_or_default(),
                    images: self.form.shape(),
                    evidence: plan.has(Response::Evidence),
                };
                let axes = NoiseAxes::bytes(kind.noise, kind.grain.grid(kind.images));
                axes + plan.gammas.len() as u64 * (kind.bytes() + self.estimate(&kind))
            }
            // Four filters of 64-bit numbers per class and γ.
            Analysis::Templates(_) => {
                let gammas = config.analyses.iter().filter_map(|plan| match plan {
                    Analysis::ClassificationImages(plan) => Some(plan.gammas.len() as u64),
                    _ => None,
                });
                gammas.max().unwrap_or(0) * k * 4 * 8 * p
            }
            Analysis::Attack(plan) => {
                let patterns = WITH_EVIDENCE.len() as u64;
                let counts = 2 * patterns * k * plan.weights.len() as u64 * 4 * 8;
                patterns * k * 4 * p + counts + k * p
            }
            Analysis::SpikeTriggered(plan) => self.spike_triggered(plan),
            Analysis::Modulation(plan) => {
                let settings =
                    plan.strengths().len() * plan.signal_strengths().len() * COUNTS_PER_CLASS;
                let pushed = pushed_layers(plan, self.sites).len();
                pushed as u64 * k * k * 8 * settings as u64
            }
            Analysis::Backdoor(plan) => {
                let kind = TrialKind {
                    noise: plan.noise,
                    evidence: true,
                    ..TrialKind::plain(self.form.class_count(), self.form.shape())
                };
                let gammas = plan.gammas.len() as u64;
                // z maps and evidence images.
                plan.networks() as u64 * gammas * k * 2 * 4 * p + 2 * gammas * kind.bytes()
            }
            Analysis::Audit(plan) => {
                let kind = TrialKind {
                    noise: plan.noise,
                    grain: plan.grain(),
                    evidence: true,
                    ..TrialKind::plain(self.form.class_count(), self.form.shape())
                };
                let [c, h, w] = kind.grain.grid(self.form.shape());
                // The images of every network, the deviation of one, and the sums of a few in progress.
                (plan.networks() as u64 + 1) * k * 4 * (c * h * w) as u64 + 3 * kind.bytes()
            }
            Analysis::Predictions(plan) => plan.splits.len() as u64 * 8 * (k * p + k * k),
        }
    }

    /// Bytes of the estimates: four maps of 32-bit numbers per class, six with evidence.
    fn estimate(&self, kind: &TrialKind) -> u64 {
        let pixels: usize = kind.grain.grid(kind.images).iter().product();
        let maps = if kind.evidence { 6 } else { 4 };
        4 * maps * (kind.listed.len() * pixels) as u64
    }

    fn spike_triggered(&self, plan: &config::SpikeTriggered) -> u64 {
        let all = self.sites;
        let layers = chosen(plan, all).into_iter();
        let sums = layers.map(|layer| {
            let field = layer.field_pixels() as u64;
            // Sums by parity, on noise and on images, and two averages of 32 bits.
            let maps = layer.units as u64 * field * (4 * 8 + 2 * 4);
            maps + plan.gradient_units as u64 * field * 8
        });
        let covariance = plan.covariance.as_ref().and_then(|unit| {
            let layer = all.iter().find(|layer| layer.name == unit.layer)?;
            Some(2 * 8 * (layer.field_pixels() as u64).pow(2))
        });
        sums.sum::<u64>() + covariance.unwrap_or(0)
    }
}

#[cfg(test)]
mod tests;
