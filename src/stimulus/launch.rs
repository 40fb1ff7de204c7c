//! The trials of a launch on a device: several blocks of noise, and the stimuli that the network is shown.
//!
//! The noise is that of [`super::draw`], bit for bit. Where the device has kernels for it ([`super::kernels`]), keys
//! are all that crosses the bus; elsewhere the processor's threads draw its points, of 16 bits, which are uploaded
//! together with what else a launch needs, and the device makes stimuli of them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use rayon::prelude::*;

use super::kernels::{self, Kernels};
use super::{BlockSeed, Chosen, Pool, Source, Undrawn, choose, undrawn};
use crate::session::config::Noise;
use crate::stats::classification::CENTRE;

/// A block's place in a launch.
#[derive(Debug, Clone, Copy)]
pub struct Slot {
    /// Its seed.
    pub seed: BlockSeed,
    /// Number of its first trial within its γ.
    pub first: u64,
    /// Its trials, at most those of a whole block; 0 where the place is empty.
    pub trials: usize,
}

/// Draws launches of a kind of noise at one γ. S blocks of B trials each, N = S·B.
#[derive(Debug, Clone)]
pub struct Launch<'a> {
    source: &'a Source,
    gamma: f64,
    /// B.
    trials: usize,
    pool: &'a Pool,
    /// The pool's images on the device; `None` where there are none.
    images: Option<Tensor<2, Int>>,
    /// What draws the noise there; `None` where the processor does.
    kernels: Option<&'static Kernels>,
    /// The GPU that libtorch computes on.
    gpu: Option<usize>,
    /// What has crossed.
    traffic: Arc<Traffic>,
    /// For every number of an image the number of the noise's grid that it shows, where these differ.
    cells: Option<Tensor<1, Int>>,
    /// What the kernel of Gabor noise makes pixels of.
    filters: Option<Tensor<1, Int>>,
    device: &'a Device,
}

/// The trials of a launch before the network has seen them. What is missing of a launch is padded: its trials
/// have no true class. p points of noise, P numbers of an image.
#[derive(Debug)]
pub struct Drawn {
    /// True class of every trial, K where there is none, in 32 bits or 64; \[N\].
    pub truth: Tensor<1, Int>,
    /// The same here.
    pub shown: Vec<i16>,
    /// The noise by its points less [`CENTRE`], \[N,p\].
    pub noise: Tensor<2, Int>,
    /// The stimuli (1−γ)·z + γ·x, \[N,P\].
    pub stimuli: Tensor<2>,
    /// The bytes of the images, \[N,P\]; `None` where there are none.
    pub images: Option<Tensor<2, Int>>,
}

/// What the host draws of a block.
struct Block {
    shown: Vec<i16>,
    image: Vec<u32>,
    points: Vec<u16>,
}

/// Bits of an image's number that cross the bus in one number of 16 bits with a sign.
const LOW_BITS: u32 = 15;

/// The sign bit: a point k of 16 bits with it turned is k − [`CENTRE`].
const SIGN: u16 = CENTRE as u16;

impl<'a> Launch<'a> {
    /// Of blocks of `trials` trials each.
    pub fn new(
        source: &'a Source,
        gamma: f64,
        trials: usize,
        pool: &'a Pool,
        resident: &Resident,
        device: &'a Device,
    ) -> Self {
        let put = |numbers: Vec<i32>| {
            let count = numbers.len();
            Tensor::from_data(TensorData::new(numbers, [count]), (device, DType::I32))
        };
        let cells = source.cells();
        let cells = cells.map(|it| put(it.iter().map(|&cell| cell as i32).collect()));
        let kernels = resident.drawing.kernels.filter(|_| kernels::draws(source));
        let filters = kernels.and_then(|_| source.filters());
        let filters = filters.map(|it| put(it.iter().map(|&word| word as i32).collect()));
        Self {
            kernels,
            gpu: resident.drawing.gpu,
            traffic: Arc::clone(&resident.traffic),
            source,
            gamma,
            trials,
            pool,
            images: resident.images(pool, device),
            cells,
            filters,
            device,
        }
    }

    /// Draws a launch.
    ///
    /// # Panics
    /// With the backend's words where the device fails.
    pub fn draw(&self, slots: &[Slot]) -> Drawn {
        match self.kernels {
            Some(kernels) => self.draw_there(kernels, slots),
            None => self.draw_here(slots),
        }
    }

    /// Sees that all that was drawn so far may be used; waits for it where kernels might have given up.
    ///
    /// # Panics
    /// Where it may not.
    pub fn check(&self) {
        let normal = self.source.normals() > 0;
        if let Some(kernels) = self.kernels.filter(|_| normal) {
            self.traffic.read_back(4);
            kernels.check();
        }
    }

    /// Has kernels draw a launch: keys, classes and the places of images, and of patches, are all that is uploaded.
    fn draw_there(&self, kernels: &Kernels, slots: &[Slot]) -> Drawn {
        let n = slots.len() * self.trials;
        let (mut heads, mut image, mut shown) =
            (Vec::new(), Vec::with_capacity(n), Vec::with_capacity(n));
        let mut patches: Vec<u32> = Vec::new();
        for (at, slot) in slots.iter().enumerate() {
            match slot.trials {
                0 => heads.extend(kernels::nobody()),
                _ => {
                    let own = undrawn(slot.seed, self.gamma, slot.first, slot.trials, self.pool);
                    let Undrawn {
                        truth,
                        image: places,
                        head,
                    } = own;
                    // The generator where the noise begins.
                    let mut rng = slot.seed.generator();
                    rng.set_word_pos((u64::from(head[9]) << 32 | u64::from(head[8])).into());
                    let own = self.source.places(&mut rng, slot.trials);
                    patches.extend(own.unwrap_or_default());
                    heads.extend(head);
                    shown.extend(truth.iter().map(|&class| class as i16));
                    image.extend(places.iter().map(|&place| place as u32));
                }
            }
            shown.resize((at + 1) * self.trials, self.nobody());
            image.resize((at + 1) * self.trials, 0);
            if let Noise::Patch = self.source.noise() {
                patches.resize((at + 1) * self.trials * self.source.grid()[0], 0);
            }
        }
        let words = heads.len() + image.len() + shown.len() + patches.len();
        self.traffic.upload(4 * words);
        let drawn = kernels.draw(&kernels::Launch {
            source: self.source,
            heads: &heads,
            image: &image,
            places: &patches,
            filters: self.filters.as_ref(),
            shown: &shown,
            trials: self.trials,
            numbers: self.numbers(),
            images: self.images.as_ref(),
            cells: self.cells.as_ref(),
            blends: self.gamma != 0.0,
        });
        let chosen = |images: &Tensor<2, Int>| images.clone().select(0, drawn.image.clone());
        Drawn {
            images: self.images.as_ref().map(chosen),
            truth: drawn.truth,
            shown,
            noise: drawn.noise,
            stimuli: drawn.stimuli,
        }
    }

    /// The class of what is no trial.
    fn nobody(&self) -> i16 {
        self.pool.classes() as i16
    }

    /// Numbers of a stimulus, P.
    fn numbers(&self) -> usize {
        match self.source.cells() {
            Some(cells) => cells.len(),
            None => self.source.points(),
        }
    }

    /// Draws a launch by the processor's threads.
    fn draw_here(&self, slots: &[Slot]) -> Drawn {
        let points = self.source.points();
        let blocks: Vec<Block> = slots.par_iter().map(|slot| self.block(*slot)).collect();
        let n = slots.len() * self.trials;
        // One upload: the points, the true classes, and the numbers of the images in two pieces.
        let mut packed: Vec<i16> = Vec::with_capacity(n * (points + 3));
        for block in &blocks {
            packed.extend(block.points.iter().map(|&k| (k ^ SIGN) as i16));
        }
        let shown: Vec<i16> = blocks.iter().flat_map(|it| &it.shown).copied().collect();
        packed.extend(&shown);
        let images = || blocks.iter().flat_map(|it| &it.image);
        let low = (1 << LOW_BITS) - 1;
        packed.extend(images().map(|&image| (image & low) as i16));
        packed.extend(images().map(|&image| (image >> LOW_BITS) as i16));
        let packed = self.upload(packed);
        let noise = packed.clone().narrow(0, 0, n * points).reshape([n, points]);
        let rest = |at: usize| packed.clone().narrow(0, n * points + at * n, n);
        let images = self.images.as_ref().map(|images| {
            let (low, high) = (rest(1).cast(DType::I64), rest(2).cast(DType::I64));
            let chosen = high * (1_i64 << LOW_BITS) + low;
            images.clone().select(0, chosen)
        });
        Drawn {
            stimuli: self.show(noise.clone(), images.as_ref()),
            truth: rest(0).cast(DType::I64),
            shown,
            noise,
            images,
        }
    }

    /// Brings numbers to the device; libtorch's GPU takes them while the processor goes on.
    fn upload(&self, packed: Vec<i16>) -> Tensor<1, Int> {
        self.traffic.upload(size_of_val(&packed[..]));
        if let Some(there) = self.gpu.and_then(|gpu| kernels::upload(&packed, gpu)) {
            return there;
        }
        let count = packed.len();
        Tensor::from_data(TensorData::new(packed, [count]), (self.device, DType::I16))
    }

    /// Draws a block here; what is missing of it is grey.
    fn block(&self, slot: Slot) -> Block {
        let points = self.source.points();
        let mut block = Block {
            shown: Vec::with_capacity(self.trials),
            image: Vec::with_capacity(self.trials),
            points: Vec::new(),
        };
        if slot.trials > 0 {
            let Chosen {
                truth,
                image,
                mut rng,
            } = choose(slot.seed, slot.first, slot.trials, self.pool);
            // Classes and images have fewer than 2¹⁵ and 2³⁰ numbers.
            block.shown.extend(truth.iter().map(|&class| class as i16));
            block.image.extend(image.iter().map(|&image| image as u32));
            block.points = self.source.draw(&mut rng, slot.trials);
        }
        block.shown.resize(self.trials, self.nobody());
        block.image.resize(self.trials, 0);
        block.points.resize(self.trials * points, SIGN);
        block
    }

    /// The stimuli of noise by its points less [`CENTRE`].
    fn show(&self, noise: Tensor<2, Int>, images: Option<&Tensor<2, Int>>) -> Tensor<2> {
        let grid = self.source.noise().grid();
        // In the order in which the host rounds.
        let k = noise.float() + CENTRE as f32;
        let mut values = k * grid.step as f32 + grid.offset as f32;
        if let Some(cells) = &self.cells {
            values = values.select(1, cells.clone());
        }
        match images {
            Some(images) if self.gamma != 0.0 => {
                values * (1.0 - self.gamma) as f32
                    + images.clone().float() * (self.gamma / 255.0) as f32
            }
            _ => values,
        }
    }
}

/// How launches are drawn on a device.
#[derive(Debug, Clone, Copy, Default)]
pub struct Drawing {
    /// The GPU that libtorch computes on.
    pub gpu: Option<usize>,
    /// What draws the noise there.
    pub kernels: Option<&'static Kernels>,
}

/// What has crossed between the processor and a device, for launches.
#[derive(Debug, Default)]
pub struct Traffic {
    uploads: AtomicU64,
    up: AtomicU64,
    readbacks: AtomicU64,
    down: AtomicU64,
}

impl Traffic {
    fn upload(&self, bytes: usize) {
        self.uploads.fetch_add(1, Ordering::Relaxed);
        self.up.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Notes a reading of so many bytes, which is waited for.
    pub fn read_back(&self, bytes: usize) {
        self.readbacks.fetch_add(1, Ordering::Relaxed);
        self.down.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Uploads and their bytes, readings and their bytes.
    pub fn so_far(&self) -> [u64; 4] {
        let all = [&self.uploads, &self.up, &self.readbacks, &self.down];
        all.map(|count| count.load(Ordering::Relaxed))
    }
}

/// What stays where networks compute: the training images of a run, put on each device when they are first asked for
/// there; and how noise is drawn on one of them.
#[derive(Debug, Clone, Default)]
pub struct Resident {
    images: Arc<Mutex<Vec<Copied>>>,
    drawing: Drawing,
    traffic: Arc<Traffic>,
}

/// The bytes of the images on a device.
type Copied = (Device, Tensor<2, Int>);

impl Resident {
    /// The same, on a device on which launches are drawn so.
    #[must_use]
    pub fn drawn(&self, drawing: Drawing) -> Self {
        Self {
            drawing,
            ..self.clone()
        }
    }

    /// What has crossed for launches.
    pub fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    /// The bytes of the images, \[images,P\]; `None` where there are none.
    fn images(&self, pool: &Pool, device: &Device) -> Option<Tensor<2, Int>> {
        let put = || {
            let bytes = pool.bytes().to_vec();
            let shape = [bytes.len() / pool.pixels(), pool.pixels()];
            Tensor::from_data(TensorData::new(bytes, shape), (device, DType::U8))
        };
        if pool.is_empty() {
            return None;
        }
        let mut there = self.images.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, images)) = there.iter().find(|(own, _)| own == device) {
            return Some(images.clone());
        }
        let images = put();
        there.push((device.clone(), images.clone()));
        Some(images)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::config::{Gaussian, Grain};

    fn slots() -> [Slot; 4] {
        [0, 1, 2, 3].map(|i| Slot {
            seed: BlockSeed {
                session: 1,
                analysis: 0,
                gamma: 1,
                block: 5 + i,
            },
            first: 9 * i,
            // One is empty, and one is short.
            trials: [9, 0, 9, 4][i as usize],
        })
    }

    #[test]
    fn a_launch_shows_what_its_blocks_show_alone() {
        let images = crate::stimulus::tests::images();
        let pool = Pool::new(&images);
        let device = Device::flex();
        let coarse = Grain {
            cell: 2,
            grey: false,
        };
        for (noise, grain, gamma) in [
            (Noise::Uniform, Grain::default(), 0.0),
            (Noise::Uniform, Grain::default(), 0.3),
            (Noise::Gaussian(Gaussian::default()), coarse, 0.3),
            (Noise::Binary, Grain::default(), 1.0),
        ] {
            let source = Source::of(noise, grain, &images);
            let resident = Resident::default();
            let launch = Launch::new(&source, gamma, 9, &pool, &resident, &device);
            let drawn = launch.draw(&slots());
            let points = source.points();
            let noise: Vec<i64> = drawn
                .noise
                .cast(DType::I64)
                .into_data()
                .try_into_vec()
                .unwrap();
            let stimuli: Vec<f32> = drawn.stimuli.into_data().try_into_vec().unwrap();
            for (i, slot) in slots().into_iter().enumerate() {
                let alone = crate::stimulus::draw(
                    slot.seed,
                    &source,
                    gamma,
                    slot.first,
                    slot.trials,
                    &pool,
                );
                let own = &noise[i * 9 * points..][..slot.trials * points];
                assert!(
                    own.iter()
                        .zip(&alone.noise)
                        .all(|(&z, &k)| z + CENTRE == i64::from(k))
                );
                assert_eq!(stimuli[i * 9 * 784..][..slot.trials * 784], alone.stimuli);
                let shown = &drawn.shown[i * 9..(i + 1) * 9];
                let truth = alone.truth.iter().map(|&class| class as i16);
                let padding = std::iter::repeat_n(10, 9 - slot.trials);
                assert!(shown.iter().copied().eq(truth.chain(padding)));
            }
        }
    }
}
