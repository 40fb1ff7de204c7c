//! Drawing the trials of a launch on a device: several blocks of noise, and the stimuli made from it.
//!
//! The noise is bit-identical to that of [`super::draw`]. If the device has kernels ([`super::kernels`]), only
//! keys cross the bus; otherwise the processor's threads draw its 16-bit points, which are uploaded with
//! the launch's other data, and the device makes the stimuli.

mod resident;

use std::sync::Arc;

use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use rayon::prelude::*;

use super::kernels::{self, Kernels};
use super::{BlockSeed, ChosenImages, KernelBlock, NoiseSource, Pool, choose, prepare_for_kernels};
use crate::ids::Gamma;
use crate::stats::classification::GRID_CENTRE;

pub use resident::{DeviceData, NoiseBackend, Traffic};

/// A block's place in a launch.
#[derive(Debug, Clone, Copy)]
pub struct Slot {
    /// Its seed.
    pub seed: BlockSeed,
    /// Number of its first trial at its γ.
    pub first: u64,
    /// Number of its trials, at most those of a whole block; 0 if the slot is empty.
    pub trials: usize,
}

/// Draws launches of a kind of noise at one γ: S blocks of B trials each, N = S·B.
#[derive(Debug, Clone)]
pub struct LaunchSource<'a> {
    source: &'a NoiseSource,
    gamma: Gamma,
    /// B.
    block_size: usize,
    pool: &'a Pool,
    /// The pool's images on the device; `None` if there are none.
    images: Option<Tensor<2, Int>>,
    /// The kernels that draw the noise; `None` if the processor draws it.
    kernels: Option<&'static Kernels>,
    /// The GPU that libtorch computes on.
    gpu: Option<usize>,
    /// Counts the transfers.
    traffic: Arc<Traffic>,
    /// For each image value, the index of the noise point that it shows; `None` if they correspond one to one.
    cells: Option<Tensor<1, Int>>,
    /// The constants of the kernel that draws the noise.
    constants: Option<Tensor<1, Int>>,
    device: &'a Device,
}

/// The trials of a launch. Missing trials are padded, and have no true class. Each trial has p points of noise and
/// P image values.
#[derive(Debug)]
pub struct DrawnLaunch {
    /// True class of every trial, K for padding, as 32-bit or 64-bit integers; \[N\].
    pub truth: Tensor<1, Int>,
    /// The same on the host.
    pub truth_on_host: Vec<i16>,
    /// The noise as points minus [`GRID_CENTRE`], \[N,p\].
    pub noise: Tensor<2, Int>,
    /// The stimuli (1−γ)·z + γ·x, \[N,P\].
    pub stimuli: Tensor<2>,
    /// The bytes of the images, \[N,P\]; `None` if there are none.
    pub images: Option<Tensor<2, Int>>,
}

/// The part of a block drawn by the host.
struct HostBlock {
    shown: Vec<i16>,
    image: Vec<u32>,
    points: Vec<u16>,
}

/// All that is uploaded for a launch drawn by kernels: S blocks of N trials in all, with C channels.
#[derive(Debug, Default)]
struct KernelInputs {
    /// For each block its key and more, \[S,12\] ([`KernelBlock::kernel_input`]).
    heads: Vec<u32>,
    /// The indices of the images in the pool, 0 for padding; \[N\].
    image: Vec<u32>,
    /// The true classes, K for padding; \[N\].
    truth: Vec<i16>,
    /// For patch noise the first pixels of the patches, 0 for padding, \[N·C\]; otherwise empty.
    places: Vec<u32>,
}

impl KernelInputs {
    /// Their size in bytes when uploaded, as numbers of 32 bits.
    fn bytes(&self) -> usize {
        4 * (self.heads.len() + self.image.len() + self.truth.len() + self.places.len())
    }
}

/// Bits of an image's index that fit into one signed 16-bit number for the upload.
const LOW_BITS: u32 = 15;

/// The sign bit: flipping it in a 16-bit point k gives k − [`GRID_CENTRE`].
const SIGN: u16 = GRID_CENTRE as u16;

impl<'a> LaunchSource<'a> {
    /// Prepares launches of blocks of `trials` trials each.
    pub fn new(
        source: &'a NoiseSource,
        gamma: Gamma,
        trials: usize,
        pool: &'a Pool,
        resident: &DeviceData,
        device: &'a Device,
    ) -> Self {
        let upload = |numbers: Vec<i32>| {
            let count = numbers.len();
            Tensor::from_data(TensorData::new(numbers, [count]), (device, DType::I32))
        };
        let cells = source.cells();
        let cells = cells.map(|cells| upload(cells.iter().map(|&cell| cell as i32).collect()));
        let kernels = resident.noise_backend.kernels;
        let words = kernels.and_then(|_| source.kernel_constants());
        let constants = words.map(|words| upload(words.iter().map(|&word| word as i32).collect()));
        Self {
            kernels,
            gpu: resident.noise_backend.gpu,
            traffic: Arc::clone(&resident.traffic),
            source,
            gamma,
            block_size: trials,
            pool,
            images: resident.images(pool, device),
            cells,
            constants,
            device,
        }
    }

    /// Draws a launch.
    ///
    /// # Panics
    /// With the backend's message if the device fails.
    pub fn draw(&self, slots: &[Slot]) -> DrawnLaunch {
        match self.kernels {
            Some(kernels) => self.draw_by_kernels(kernels, slots),
            None => self.draw_on_host(slots),
        }
    }

    /// Checks that everything drawn so far is valid; waits for the device if kernels might have failed.
    ///
    /// # Panics
    /// If it is not valid.
    pub fn check(&self) {
        let can_fail = kernels::can_fail(self.source);
        if let Some(kernels) = self.kernels.filter(|_| can_fail) {
            self.traffic.read_back(4);
            kernels.check();
        }
    }

    /// Draws a launch by kernels.
    fn draw_by_kernels(&self, kernels: &Kernels, slots: &[Slot]) -> DrawnLaunch {
        let inputs = self.kernel_inputs(slots);
        self.traffic.upload(inputs.bytes());
        let drawn = kernels.draw(&kernels::KernelLaunch {
            source: self.source,
            inputs: &inputs.heads,
            image: &inputs.image,
            places: &inputs.places,
            constants: self.constants.as_ref(),
            truth: &inputs.truth,
            trials: self.block_size,
            numbers: self.numbers(),
            images: self.images.as_ref(),
            cells: self.cells.as_ref(),
            blends: self.blends(),
        });
        let chosen = |images: &Tensor<2, Int>| images.clone().select(0, drawn.image.clone());
        DrawnLaunch {
            images: self.images.as_ref().map(chosen),
            truth: drawn.truth,
            truth_on_host: inputs.truth,
            noise: drawn.noise,
            stimuli: drawn.stimuli,
        }
    }

    /// What the kernels need to draw a launch. They draw the noise of missing trials too.
    fn kernel_inputs(&self, slots: &[Slot]) -> KernelInputs {
        let mut inputs = KernelInputs::default();
        for (index, slot) in slots.iter().enumerate() {
            let KernelBlock {
                truth,
                image,
                kernel_input,
                mut rng,
            } = prepare_for_kernels(slot.seed, self.gamma, slot.first, slot.trials, self.pool);
            let trials = (index + 1) * self.block_size;
            inputs.heads.extend(kernel_input);
            inputs
                .truth
                .extend(truth.iter().map(|class| class.0 as i16));
            inputs.truth.resize(trials, self.padding_class());
            inputs.image.extend(image.iter().map(|&image| image as u32));
            inputs.image.resize(trials, 0);
            if let Some(places) = self.source.draw_patch_places(&mut rng, slot.trials) {
                inputs.places.extend(places);
                inputs.places.resize(trials * self.source.grid()[0], 0);
            }
        }
        inputs
    }

    /// Whether images are blended in.
    fn blends(&self) -> bool {
        self.gamma != Gamma::NOISE
    }

    /// The class of padding, K.
    fn padding_class(&self) -> i16 {
        self.pool.classes() as i16
    }

    /// Number of values in a stimulus, P.
    fn numbers(&self) -> usize {
        match self.source.cells() {
            Some(cells) => cells.len(),
            None => self.source.points(),
        }
    }

    /// Draws a launch by the processor's threads.
    fn draw_on_host(&self, slots: &[Slot]) -> DrawnLaunch {
        let points = self.source.points();
        let blocks: Vec<HostBlock> = slots.par_iter().map(|slot| self.block(*slot)).collect();
        let n = slots.len() * self.block_size;
        // One upload: the points, the true classes, and the image indices in two pieces.
        let mut packed: Vec<i16> = Vec::with_capacity(n * (points + 3));
        for block in &blocks {
            packed.extend(block.points.iter().map(|&k| (k ^ SIGN) as i16));
        }
        let shown: Vec<i16> = blocks
            .iter()
            .flat_map(|block| &block.shown)
            .copied()
            .collect();
        packed.extend(&shown);
        let images = || blocks.iter().flat_map(|block| &block.image);
        let low = (1 << LOW_BITS) - 1;
        packed.extend(images().map(|&image| (image & low) as i16));
        packed.extend(images().map(|&image| (image >> LOW_BITS) as i16));
        let packed = self.upload(packed);
        let noise = packed.clone().narrow(0, 0, n * points).reshape([n, points]);
        let rest = |index: usize| packed.clone().narrow(0, n * points + index * n, n);
        let images = self.images.as_ref().map(|images| {
            let (low, high) = (rest(1).cast(DType::I64), rest(2).cast(DType::I64));
            let chosen = high * (1_i64 << LOW_BITS) + low;
            images.clone().select(0, chosen)
        });
        DrawnLaunch {
            stimuli: self.show(noise.clone(), images.as_ref()),
            truth: rest(0).cast(DType::I64),
            truth_on_host: shown,
            noise,
            images,
        }
    }

    /// Uploads numbers to the device; on libtorch's GPU asynchronously.
    fn upload(&self, packed: Vec<i16>) -> Tensor<1, Int> {
        self.traffic.upload(size_of_val(&packed[..]));
        if let Some(uploaded) = self.gpu.and_then(|gpu| kernels::upload(&packed, gpu)) {
            return uploaded;
        }
        let count = packed.len();
        Tensor::from_data(TensorData::new(packed, [count]), (self.device, DType::I16))
    }

    /// Draws a block on the host; missing trials are grey.
    fn block(&self, slot: Slot) -> HostBlock {
        let ChosenImages {
            truth,
            image,
            mut rng,
        } = choose(slot.seed, slot.first, slot.trials, self.pool);
        // There are fewer than 2¹⁵ classes and 2³⁰ images.
        let mut block = HostBlock {
            shown: truth.iter().map(|class| class.0 as i16).collect(),
            image: image.iter().map(|&image| image as u32).collect(),
            points: self.source.draw(&mut rng, slot.trials),
        };
        let points = self.block_size * self.source.points();
        block.shown.resize(self.block_size, self.padding_class());
        block.image.resize(self.block_size, 0);
        block.points.resize(points, SIGN);
        block
    }

    /// The stimuli from noise as points minus [`GRID_CENTRE`].
    fn show(&self, noise: Tensor<2, Int>, images: Option<&Tensor<2, Int>>) -> Tensor<2> {
        let grid = self.source.noise().grid();
        // In the same order as on the host, so that it rounds the same.
        let k = noise.float() + GRID_CENTRE as f32;
        let mut values = k * grid.step as f32 + grid.offset as f32;
        if let Some(cells) = &self.cells {
            values = values.select(1, cells.clone());
        }
        match images {
            Some(images) if self.blends() => {
                values * (1.0 - self.gamma.0) as f32
                    + images.clone().float() * (self.gamma.0 / 255.0) as f32
            }
            _ => values,
        }
    }
}

#[cfg(test)]
mod tests;
