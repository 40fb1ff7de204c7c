//! Responses to noise and to images on a device that is fed: activations, receptive fields and all sums stay there,
//! launch after launch, until they are read.

use burn::tensor::{DType, Tensor, TensorData};

use super::fields::{Fields, images_at_once_of};
use super::{FIXED_POINT, IMAGES, NOISE, Of, STREAM, SpikeTriggered, Sums};
use crate::analysis::{self, Job, Lab, Launches};
use crate::session::record::BlockResponses;
use crate::stimulus::launch::{Launch, Slot};

/// Even and odd blocks.
const HALVES: usize = 2;

/// How many times as many numbers as on a processor may be in a tensor on the device.
const LARGER: usize = 8;

/// Launches of responses; see [`analysis::Experiment::launches`].
pub(super) struct ResponseLaunches<'a> {
    of: &'a SpikeTriggered,
    lab: &'a Lab,
    /// S, even.
    blocks: usize,
    layers: Vec<Fields>,
    /// What draws the noise, where it is noise.
    drawing: Option<Launch<'a>>,
    sums: Option<Summed>,
}

/// What was summed since the last reading.
struct Summed {
    job: Job,
    trials: u64,
    halves: [Half; HALVES],
}

/// The sums of one half. The tensors are of 64 bits and hold whole numbers of 1/[`FIXED_POINT`]: each launch is rounded
/// for itself, so that the sums do not depend on which of them are read together.
#[derive(Default)]
struct Half {
    images: u64,
    /// Σ(s−½) over the images, \[C·H·W\].
    shown: Option<Tensor<1>>,
    /// Of each layer: how often units fired, Σa, Σ|a|, Σa·(s−½); \[U,3+P\].
    layers: Vec<Tensor<2>>,
}

impl<'a> ResponseLaunches<'a> {
    /// Of `blocks` blocks of a part; `None` for parts that sum otherwise.
    pub fn new(of: &'a SpikeTriggered, lab: &'a Lab, part: usize, blocks: usize) -> Option<Self> {
        if ![NOISE, IMAGES].contains(&part) || !blocks.is_multiple_of(HALVES) {
            return None;
        }
        let chosen = of.chosen().ok()?;
        let fields = |&layer: &usize| Fields::new(layer, &of.all[layer], &lab.device);
        let (resident, device) = (&lab.resident, &lab.device);
        let drawing = (part == NOISE).then(|| {
            Launch::new(
                &of.source,
                0.0,
                of.config.block,
                &of.nothing,
                resident,
                device,
            )
        });
        Some(Self {
            of,
            lab,
            blocks,
            layers: chosen.iter().map(fields).collect(),
            drawing,
            sums: None,
        })
    }

    /// The blocks of a launch, even ones first; none where the job does not have them.
    fn slots(&self, job: Job) -> Vec<Option<Job>> {
        let each = self.blocks as u64;
        let first = job.block / each * each;
        let slot = |block: u64| {
            let there = (job.block..job.end()).contains(&block);
            there.then(|| Job::one(job.part, block))
        };
        let half = |odd: u64| (first + odd..first + each).step_by(HALVES).map(slot);
        half(0).chain(half(1)).collect()
    }

    /// The images of a launch, \[N,C·H·W\].
    fn images(&self, slots: &[Option<Job>]) -> Tensor<2> {
        let (each, area) = (self.of.config.block, self.lab.form.pixels());
        if let Some(launch) = &self.drawing {
            let slot = |slot: &Option<Job>| Slot {
                seed: self.of.place.noise(STREAM, slot.map_or(0, |it| it.block)),
                first: 0,
                trials: slot.map_or(0, |it| self.of.range(it).len()),
            };
            let slots: Vec<Slot> = slots.iter().map(slot).collect();
            return launch.draw(&slots).stimuli;
        }
        let train = &self.lab.dataset.train;
        let mut bytes: Vec<u8> = Vec::with_capacity(slots.len() * each * area);
        for (at, slot) in slots.iter().enumerate() {
            for image in slot.iter().flat_map(|&it| self.of.range(it)) {
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
        let (each, all) = (self.of.config.block, self.images(&slots));
        let [_, area] = all.dims();
        let [channels, height, width] = self.lab.form.shape();
        let places: Vec<usize> = self.layers.iter().map(|layer| layer.layer).collect();
        let at_once = LARGER * images_at_once_of(&self.layers);
        let mut sums = self.sums.take().unwrap_or_else(|| Summed {
            job: Job { blocks: 0, ..job },
            trials: 0,
            halves: Default::default(),
        });
        sums.job.blocks += job.blocks;
        let in_half = self.blocks / HALVES * each;
        for (half, slots) in slots.chunks(self.blocks / HALVES).enumerate() {
            // Images of every block; what is missing of them comes last and counts nothing.
            let there: Vec<usize> = slots
                .iter()
                .map(|slot| slot.map_or(0, |it| self.of.range(it).len()))
                .collect();
            let images: usize = there.iter().sum();
            if images == 0 {
                continue;
            }
            let own = &mut sums.halves[half];
            own.images += images as u64;
            sums.trials += images as u64;
            let counts: Vec<f32> = there
                .iter()
                .flat_map(|&there| (0..each).map(move |at| f32::from(u8::from(at < there))))
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
                let activations = self.lab.network.activations(shown.reshape(shape), &places);
                let centred = centred.reshape(shape);
                for (place, (layer, answers)) in self.layers.iter().zip(activations).enumerate() {
                    let mut answers = layer.activations(answers);
                    if let Some(mask) = &mask {
                        answers = answers * mask.clone().reshape([count, 1, 1]);
                    }
                    let sum = layer.summed(answers, layer.of(centred.clone()));
                    match here.get_mut(place) {
                        Some(before) => *before = before.clone() + sum,
                        None => here.push(sum),
                    }
                }
            }
            let sum = shown_here.map(whole);
            own.shown = match (own.shown.take(), sum) {
                (Some(before), Some(sum)) => Some(before + sum),
                (before, sum) => before.or(sum),
            };
            let sums = here.into_iter().map(whole);
            own.layers = match own.layers.is_empty() {
                true => sums.collect(),
                false => own.layers.drain(..).zip(sums).map(|(a, b)| a + b).collect(),
            };
        }
        self.sums = Some(sums);
    }

    fn read(&mut self) -> Option<analysis::Sums> {
        let Some(sums) = self.sums.take() else {
            return Some(Box::new(Sums::of_responses(0, Vec::new())));
        };
        if let Some(launch) = &self.drawing {
            launch.check();
        }
        let mut told = Vec::new();
        for (half, own) in sums.halves.into_iter().enumerate() {
            let Some(shown) = own.shown else {
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
                    fields: own.images * layer.positions() as u64,
                    fired: column(0)
                        .map(|count| (count / FIXED_POINT) as i64)
                        .collect(),
                    activation: column(1).map(|sum| sum as i64).collect(),
                    magnitude: column(2).map(|sum| sum as i64).collect(),
                    stimulus: stimulus.map(|sum| sum as i64).collect(),
                    weighted: weighted.map(|&sum| sum as i64).collect(),
                })
            };
            let layers = self.layers.iter().zip(own.layers).map(of_layer);
            told.push((half as u64, layers.collect::<Option<Vec<_>>>()?));
        }
        Some(Box::new(Sums::of_responses(sums.trials, told)))
    }
}

/// Sums as whole numbers of 1/[`FIXED_POINT`].
fn whole<const D: usize>(sums: Tensor<D>) -> Tensor<D> {
    (sums * FIXED_POINT).round()
}

/// Numbers of 64 bits, read back; `None` where one of them is none.
fn doubles(tensor: Tensor<1>) -> Option<Vec<f64>> {
    let data = tensor.into_data();
    let numbers: Vec<f64> = data
        .try_into_vec()
        .unwrap_or_else(|error| panic!("sums read back from the device: {error:?}"));
    numbers.iter().all(|it| it.is_finite()).then_some(numbers)
}

impl Sums {
    /// Responses of blocks of either half.
    fn of_responses(trials: u64, halves: Vec<(u64, Vec<BlockResponses>)>) -> Self {
        Self {
            trials,
            of: Of::Responses(halves),
        }
    }
}
