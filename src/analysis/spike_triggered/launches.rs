//! Responses to noise and images in launches: activations, receptive fields and all sums stay on the device,
//! launch after launch, until they are read.

use burn::tensor::{DType, Tensor, TensorData};

use super::bounds::responses_fit;
use super::fields::{Fields, images_at_once_for};
use super::{IMAGES, NOISE, STREAM, SpikeTriggered, SpikeTriggeredSums, StaMeasurement};
use crate::analysis::{self, Experiment, Job, Lab, Launches};
use crate::ids::{BlockIndex, Gamma, SiteId};
use crate::session::record::{BlockResponses, FIXED_POINT};
use crate::stimulus::launch::{LaunchSource, Slot};

/// Even and odd blocks.
const HALVES: usize = 2;

/// How many times larger a tensor may be on the device than on a CPU.
const LARGER: usize = 8;

/// Launches of responses; see [`analysis::Experiment::launches`].
pub(super) struct ResponseLaunches<'a> {
    analysis: &'a SpikeTriggered,
    lab: &'a Lab,
    /// S, even.
    blocks: usize,
    layers: Vec<Fields>,
    /// Draws the noise; `None` for images.
    drawing: Option<LaunchSource<'a>>,
    sums: Option<StaDeviceSums>,
}

/// Sums since the last reading.
struct StaDeviceSums {
    job: Job,
    trials: u64,
    halves: [HalfSums; HALVES],
}

/// The sums of one half. The 64-bit tensors hold integers in units of 1/[`FIXED_POINT`]: each launch is rounded
/// separately, so that the sums do not depend on which launches are read together.
#[derive(Default)]
struct HalfSums {
    images: u64,
    /// Σ(s−½) over the images, \[C·H·W\].
    shown: Option<Tensor<1>>,
    /// For each layer: how often units fired, Σa, Σ|a|, Σa·(s−½); \[U,3+P\].
    layers: Vec<Tensor<2>>,
}

impl<'a> ResponseLaunches<'a> {
    /// Launches of `blocks` blocks of a part; `None` for other parts than noise and images, and if `blocks` is odd.
    pub fn new(
        analysis: &'a SpikeTriggered,
        lab: &'a Lab,
        part: usize,
        blocks: usize,
    ) -> Option<Self> {
        if ![NOISE, IMAGES].contains(&part) || !blocks.is_multiple_of(HALVES) {
            return None;
        }
        let chosen = analysis.chosen().ok()?;
        let fields = |&id: &SiteId| Fields::new(id, &analysis.sites[id], &lab.device);
        let (resident, device) = (&lab.resident, &lab.device);
        let drawing = (part == NOISE).then(|| {
            LaunchSource::new(
                &analysis.source,
                Gamma::NOISE,
                analysis.config.block,
                &analysis.empty_pool,
                resident,
                device,
            )
        });
        Some(Self {
            analysis,
            lab,
            blocks,
            layers: chosen.iter().map(fields).collect(),
            drawing,
            sums: None,
        })
    }

    /// The blocks of a launch, even ones first; `None` for blocks that are not in the job.
    fn slots(&self, job: Job) -> Vec<Option<Job>> {
        let each = self.blocks as u64;
        let first = BlockIndex(job.block.0 / each * each);
        let slot = |block: BlockIndex| {
            let included = (job.block..job.end()).contains(&block);
            included.then(|| Job::single_block(job.sequence, block))
        };
        let end = first + each;
        let half = |odd: u64| (first + odd).until(end).step_by(HALVES).map(slot);
        half(0).chain(half(1)).collect()
    }

    /// The images of a launch, \[N,C·H·W\].
    fn images(&self, slots: &[Option<Job>]) -> Tensor<2> {
        let (each, area) = (self.analysis.config.block, self.lab.form.pixels());
        if let Some(launch) = &self.drawing {
            let slot = |slot: &Option<Job>| Slot {
                seed: self
                    .analysis
                    .place
                    .noise_seed(STREAM, slot.map_or(BlockIndex(0), |job| job.block)),
                first: 0,
                trials: slot.map_or(0, |job| self.analysis.range(job).len()),
            };
            let slots: Vec<Slot> = slots.iter().map(slot).collect();
            return launch.draw(&slots).stimuli;
        }
        let train = &self.lab.dataset.train;
        let mut bytes: Vec<u8> = Vec::with_capacity(slots.len() * each * area);
        for (at, slot) in slots.iter().enumerate() {
            let shown = |&job: &Job| &self.analysis.shown[self.analysis.range(job)];
            for &image in slot.iter().flat_map(shown) {
                bytes.extend(train.image(image));
            }
            bytes.resize((at + 1) * each * area, 0);
        }
        let shape = [slots.len() * each, area];
        let bytes = Tensor::<2, burn::tensor::Int>::from_data(
            TensorData::new(bytes, shape),
            (&self.lab.device, DType::U8),
        );
        bytes.float() / 255.0
    }
}

impl Launches for ResponseLaunches<'_> {
    fn launch(&mut self, job: Job) {
        let slots = self.slots(job);
        let (each, all) = (self.analysis.config.block, self.images(&slots));
        let [_, area] = all.dims();
        let [channels, height, width] = self.lab.form.shape();
        let ids: Vec<SiteId> = self.layers.iter().map(|layer| layer.id).collect();
        let at_once = LARGER * images_at_once_for(&self.layers);
        let mut sums = self.sums.take().unwrap_or_else(|| StaDeviceSums {
            job: Job { blocks: 0, ..job },
            trials: 0,
            halves: Default::default(),
        });
        sums.job.blocks += job.blocks;
        let in_half = self.blocks / HALVES * each;
        for (half, slots) in slots.chunks(self.blocks / HALVES).enumerate() {
            // Images of every block; padding comes last and counts nothing.
            let trials: Vec<usize> = slots
                .iter()
                .map(|slot| slot.map_or(0, |job| self.analysis.range(job).len()))
                .collect();
            let images: usize = trials.iter().sum();
            if images == 0 {
                continue;
            }
            let half_sums = &mut sums.halves[half];
            half_sums.images += images as u64;
            sums.trials += images as u64;
            let counts: Vec<f32> = trials
                .iter()
                .flat_map(|&trials| (0..each).map(move |at| f32::from(u8::from(at < trials))))
                .collect();
            let mask = (images < in_half).then(|| {
                Tensor::<2>::from_data(TensorData::new(counts, [in_half, 1]), &self.lab.device)
            });
            let (mut shown_here, mut here) = (None, Vec::<Tensor<2>>::new());
            for first in (0..in_half).step_by(at_once) {
                let count = at_once.min(in_half - first);
                let shown = all.clone().narrow(0, half * in_half + first, count);
                let mut centred = shown.clone() - 0.5;
                let mask = mask
                    .as_ref()
                    .map(|mask| mask.clone().narrow(0, first, count));
                if let Some(mask) = &mask {
                    centred = centred * mask.clone();
                }
                let sum = centred.clone().cast(DType::F64).sum_dim(0).reshape([area]);
                shown_here = Some(match shown_here {
                    Some(before) => before + sum,
                    None => sum,
                });
                let shape = [count, channels, height, width];
                let activations = self.lab.network.activations(shown.reshape(shape), &ids);
                let centred = centred.reshape(shape);
                for (place, (layer, answers)) in self.layers.iter().zip(activations).enumerate() {
                    let mut answers = layer.activations(answers);
                    if let Some(mask) = &mask {
                        answers = answers * mask.clone().reshape([count, 1, 1]);
                    }
                    let sum = layer.device_sums(answers, centred.clone());
                    match here.get_mut(place) {
                        Some(before) => *before = before.clone() + sum,
                        None => here.push(sum),
                    }
                }
            }
            let sum = shown_here.map(whole);
            half_sums.shown = match (half_sums.shown.take(), sum) {
                (Some(before), Some(sum)) => Some(before + sum),
                (before, sum) => before.or(sum),
            };
            let sums = here.into_iter().map(whole);
            half_sums.layers = match half_sums.layers.is_empty() {
                true => sums.collect(),
                false => half_sums
                    .layers
                    .drain(..)
                    .zip(sums)
                    .map(|(a, b)| a + b)
                    .collect(),
            };
        }
        self.sums = Some(sums);
    }

    fn read(&mut self) -> Option<analysis::Sums> {
        let Some(sums) = self.sums.take() else {
            return Some(Box::new(SpikeTriggeredSums::from_responses(0, Vec::new())));
        };
        if let Some(launch) = &self.drawing {
            launch.check();
        }
        // How many times as many blocks the part has.
        let parts = Experiment::sequences(self.analysis);
        let times = parts[sums.job.sequence]
            .blocks
            .div_ceil(sums.job.blocks.max(1));
        let mut halves = Vec::new();
        for (half, half_sums) in sums.halves.into_iter().enumerate() {
            let Some(shown) = half_sums.shown else {
                continue;
            };
            let shown = doubles(shown)?;
            let of_layer = |(layer, sums): (&Fields, Tensor<2>)| {
                let width = sums.dims()[1];
                let numbers = doubles(sums.reshape([layer.units() * width]))?;
                let column = |at: usize| numbers.chunks_exact(width).map(move |row| row[at]);
                let weighted = numbers.chunks_exact(width).flat_map(|row| &row[3..]);
                let stimulus = layer.stimulus(&shown).into_iter();
                Some(BlockResponses {
                    fields: half_sums.images * layer.positions() as u64,
                    fired: column(0)
                        .map(|count| (count / FIXED_POINT) as i64)
                        .collect(),
                    activation: column(1).map(|sum| sum as i64).collect(),
                    magnitude: column(2).map(|sum| sum as i64).collect(),
                    stimulus: stimulus.map(|sum| sum as i64).collect(),
                    weighted: weighted.map(|&sum| sum as i64).collect(),
                })
            };
            let layers = self.layers.iter().zip(half_sums.layers).map(of_layer);
            let layers = layers.collect::<Option<Vec<BlockResponses>>>()?;
            if !layers.iter().all(|sums| responses_fit(sums, times)) {
                return None;
            }
            halves.push((BlockIndex(half as u64), layers));
        }
        Some(Box::new(SpikeTriggeredSums::from_responses(
            sums.trials,
            halves,
        )))
    }
}

/// Sums as integers in units of 1/[`FIXED_POINT`].
fn whole<const D: usize>(sums: Tensor<D>) -> Tensor<D> {
    (sums * FIXED_POINT).round()
}

/// 64-bit numbers read back from the device; `None` if one of them is not finite.
fn doubles(tensor: Tensor<1>) -> Option<Vec<f64>> {
    let data = tensor.into_data();
    let numbers: Vec<f64> = data
        .try_into_vec()
        .unwrap_or_else(|error| panic!("sums read back from the device: {error:?}"));
    numbers
        .iter()
        .all(|number| number.is_finite())
        .then_some(numbers)
}

impl SpikeTriggeredSums {
    /// Sums of responses, by half.
    fn from_responses(trials: u64, halves: Vec<(BlockIndex, Vec<BlockResponses>)>) -> Self {
        Self {
            trials,
            measured: StaMeasurement::Responses(halves),
        }
    }
}
