//! Noise and its blending with images: the stimuli of a block of trials.
//!
//! Each block has its own random generator, seeded from (session seed, analysis, stream, block), so
//! its trials do not depend on when or where they are computed. Noise stays on an integer grid, so its
//! sums are exact in any order.

mod chacha;
mod gabor;
pub mod kernels;
pub mod launch;
mod normal;
mod pca;
mod source;
pub mod ziggurat;

use pulp::Arch;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::data::Images;
use crate::ids::{BlockIndex, ClassId, Gamma};
use crate::session::config::NoiseGrid;

pub use source::NoiseSource;

/// The seed of a block: everything that determines its random numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockSeed {
    /// The session's seed.
    pub session: u64,
    /// Index of the analysis in the plan.
    pub analysis: u64,
    /// The stream within the analysis; for classification images the index of γ.
    pub stream: u64,
    /// The block's number.
    pub block: BlockIndex,
}

impl BlockSeed {
    /// The block's random generator.
    pub fn generator(self) -> ChaCha8Rng {
        let mut seed = [0; 32];
        for (bytes, word) in seed.chunks_exact_mut(4).zip(self.key()) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        ChaCha8Rng::from_seed(seed)
    }

    /// The generator's key: the four numbers, lower halves first.
    fn key(self) -> [u32; 8] {
        let numbers = [self.session, self.analysis, self.stream, self.block.0].map(halves);
        std::array::from_fn(|i| numbers[i / 2][i % 2])
    }
}

/// The lower and the upper half of a number.
fn halves(number: u64) -> [u32; 2] {
    [number as u32, (number >> 32) as u32]
}

/// Images to blend with noise, sorted by true class.
#[derive(Debug, Clone)]
pub struct Pool {
    images: Images,
    by_class: Vec<Vec<usize>>,
}

impl Pool {
    /// The images of a split.
    pub fn new(images: &Images) -> Self {
        Self {
            by_class: images.by_class(),
            images: images.clone(),
        }
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.by_class.len()
    }

    /// The classes without an image, ascending: they are never shown.
    pub fn empty_classes(&self) -> Vec<ClassId> {
        ClassId::all(self.classes())
            .filter(|&class| self.by_class[class].is_empty())
            .collect()
    }

    /// Whether there are no images, only noise.
    pub fn is_empty(&self) -> bool {
        self.images.is_empty()
    }

    /// Number of values in an image.
    pub fn pixels(&self) -> usize {
        self.images.area()
    }

    /// The bytes of all images, one after another.
    pub fn bytes(&self) -> &[u8] {
        &self.images.pixels
    }

    /// One image's bytes.
    pub fn image(&self, index: usize) -> &[u8] {
        self.images.image(index)
    }
}

/// The trials of a block: N trials with p noise points and P stimulus values each, where p = P unless the
/// noise is coarse or grey.
#[derive(Debug, Clone)]
pub struct DrawnBlock {
    /// True class of every trial, \[N\].
    pub truth: Vec<ClassId>,
    /// Index of its image in the pool, \[N\]; empty if the pool is.
    pub image: Vec<usize>,
    /// The noise as points k on the grid of its kind; \[N,p\].
    pub noise: Vec<u16>,
    /// The stimuli (1−γ)·z + γ·x; \[N,P\].
    pub stimuli: Vec<f32>,
}

/// Draws the block: `trials` trials, the first of which is trial number `first` of its γ.
///
/// The true classes that have images take turns, so each is shown equally often; the image is
/// drawn with replacement. At γ = 0 both are drawn too, but not visible. Without any image
/// all classes take turns, and γ must be 0.
pub fn draw(
    seed: BlockSeed,
    source: &NoiseSource,
    gamma: Gamma,
    first: u64,
    trials: usize,
    pool: &Pool,
) -> DrawnBlock {
    let mut block = draw_noise(seed, source, first, trials, pool);
    block.stimuli = blend(&block.noise, source, &block.image, gamma, pool);
    block
}

/// The same without the stimuli.
pub fn draw_noise(
    seed: BlockSeed,
    source: &NoiseSource,
    first: u64,
    trials: usize,
    pool: &Pool,
) -> DrawnBlock {
    let ChosenImages {
        truth,
        image,
        mut rng,
    } = choose(seed, first, trials, pool);
    DrawnBlock {
        truth,
        image,
        noise: source.draw(&mut rng, trials),
        stimuli: Vec::new(),
    }
}

/// A block of trials whose noise a kernel will draw.
#[derive(Debug, Clone)]
pub struct KernelBlock {
    /// True class of every trial, \[N\].
    pub truth: Vec<ClassId>,
    /// Index of its image in the pool, \[N\]; empty if the pool is.
    pub image: Vec<usize>,
    /// Input of the kernels: the generator's key, 8 words; the position of the noise in the generator's words,
    /// lower half first; the bits of the weights of noise and image in a stimulus, as `f32`.
    pub kernel_input: [u32; KERNEL_INPUT],
    /// The generator at the beginning of the noise.
    pub rng: ChaCha8Rng,
}

/// Number of 32-bit words in a block's kernel input.
pub const KERNEL_INPUT: usize = 12;

/// The part of [`draw`] done on the host; the kernels draw the noise and make the stimuli.
pub fn prepare_for_kernels(
    seed: BlockSeed,
    gamma: Gamma,
    first: u64,
    trials: usize,
    pool: &Pool,
) -> KernelBlock {
    let ChosenImages { truth, image, rng } = choose(seed, first, trials, pool);
    let (noise_weight, image_weight) = blend_weights(gamma);
    let mut head = [0; KERNEL_INPUT];
    head[..8].copy_from_slice(&seed.key());
    head[8..10].copy_from_slice(&halves(rng.get_word_pos() as u64));
    head[10..].copy_from_slice(&[noise_weight.to_bits(), image_weight.to_bits()]);
    KernelBlock {
        truth,
        image,
        kernel_input: head,
        rng,
    }
}

/// The classes and images of a block, and its generator at the beginning of the noise.
struct ChosenImages {
    truth: Vec<ClassId>,
    image: Vec<usize>,
    rng: ChaCha8Rng,
}

fn choose(seed: BlockSeed, first: u64, trials: usize, pool: &Pool) -> ChosenImages {
    let mut rng = seed.generator();
    let all = ClassId::all(pool.classes());
    let classes: Vec<ClassId> = match pool.is_empty() {
        true => all.collect(),
        false => all
            .filter(|&class| !pool.by_class[class].is_empty())
            .collect(),
    };
    let truth: Vec<ClassId> = (0..trials)
        .map(|trial| classes[((first + trial as u64) % classes.len() as u64) as usize])
        .collect();
    let image: Vec<usize> = truth
        .iter()
        .filter(|_| !pool.is_empty())
        .map(|&class| {
            let members = &pool.by_class[class];
            members[rng.random_range(0..members.len())]
        })
        .collect();
    ChosenImages { truth, image, rng }
}

/// Values of the noise from its points on the grid: exact, since a step is a power of two.
pub fn noise_values(noise: &[u16], grid: NoiseGrid) -> Vec<f32> {
    let (offset, step) = (grid.offset as f32, grid.step as f32);
    let mut values = vec![0.0; noise.len()];
    in_vectors(
        #[inline(always)]
        || {
            for (value, &k) in values.iter_mut().zip(noise) {
                *value = f32::from(k) * step + offset;
            }
        },
    );
    values
}

/// Stimuli (1−γ)·z + γ·x, \[N,P\], from noise as points on the grid, \[N,p\], and images by their
/// index in the pool, \[N\].
pub fn blend(
    noise: &[u16],
    source: &NoiseSource,
    image: &[usize],
    gamma: Gamma,
    pool: &Pool,
) -> Vec<f32> {
    let mut stimuli = source.shown_values(noise);
    if gamma == Gamma::NOISE {
        return stimuli;
    }
    let (noise_weight, image_weight) = blend_weights(gamma);
    for (stimulus, &image) in stimuli.chunks_exact_mut(pool.pixels()).zip(image) {
        let image = pool.image(image);
        in_vectors(
            #[inline(always)]
            || {
                for (z, &x) in stimulus.iter_mut().zip(image) {
                    *z = noise_weight * *z + image_weight * f32::from(x);
                }
            },
        );
    }
    stimuli
}

/// The factors of noise and of image bytes in a stimulus.
fn blend_weights(Gamma(gamma): Gamma) -> (f32, f32) {
    ((1.0 - gamma) as f32, (gamma / 255.0) as f32)
}

/// Runs a loop compiled for the widest vectors of this processor. The results are bit-identical to scalar code:
/// nothing is fused or reordered.
#[inline(always)]
fn in_vectors<R>(run: impl FnOnce() -> R) -> R {
    Arch::new().dispatch(run)
}

#[cfg(test)]
mod tests;
