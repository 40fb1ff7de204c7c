//! Uniform noise, drawn on the device that shows it: bit for bit the noise of [`super::draw`].
//!
//! A block's generator is ChaCha8, whose numbers depend on nothing but key and position. So a device
//! can compute any stretch of them at once, with additions, rotations and exclusive ors of whole
//! tensors, and noise never crosses the bus. Source of the cipher: Bernstein, *ChaCha, a variant of
//! Salsa20*, 2008; the layout of its state is that of `rand_chacha`: 64-bit block counter, 64-bit
//! stream.

use burn::tensor::{DType, Device, Int, Tensor, TensorData};

use super::{BlockSeed, Pool};
use crate::session::config::Grid;

/// Words of 32 bits that one ChaCha block gives.
const WORDS: usize = 16;
/// Two rounds each.
const DOUBLE_ROUNDS: usize = 4;
/// `expand 32-byte k`
const CONSTANTS: [i64; 4] = [0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574];
const MASK: i64 = 0xffff_ffff;

/// Which block of trials to draw.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// Its seed.
    pub seed: BlockSeed,
    /// Signal strength.
    pub gamma: f64,
    /// Number of its first trial within its γ.
    pub first: u64,
}

/// Blocks of trials before the network has seen them: B blocks of T trials of P pixels.
#[derive(Debug)]
pub struct Drawn {
    /// True class of every trial, \[B·T\].
    pub truth: Vec<usize>,
    /// Index of its image in the pool, \[B·T\].
    pub image: Vec<usize>,
    /// The noise by its points k on the 16-bit grid, exact; \[B·T,P\].
    pub noise: Tensor<2>,
    /// The stimuli (1−γ)·z + γ·x; \[B·T,P\].
    pub stimuli: Tensor<2>,
}

/// Draws blocks of `trials` trials. `images` are the pool's bytes on the device, \[images,P\], asked
/// for only where they can be seen.
pub fn draw(
    wanted: &[Wanted],
    trials: usize,
    grid: Grid,
    pool: &Pool,
    images: impl FnOnce() -> Tensor<2>,
    device: &Device,
) -> Drawn {
    let (mut truth, mut image) = (Vec::new(), Vec::new());
    let stretches: Vec<Stretch> = wanted
        .iter()
        .map(|block| {
            let shown = super::choose(block.seed, block.first, trials, pool);
            truth.extend(shown.truth);
            image.extend(shown.image);
            Stretch {
                key: block.seed.key(),
                position: shown.rng.get_word_pos() as u64,
            }
        })
        .collect();
    let pixels = pool.pixels();
    let count = (trials * pixels).div_ceil(2);
    let words = words(&stretches, count, device);
    let low = words.clone().bitwise_and_scalar(0xffff);
    let high = words.bitwise_right_shift_scalar(16);
    let noise = Tensor::<2, Int>::stack::<3>(vec![low, high], 2)
        .reshape([wanted.len(), 2 * count])
        .narrow(1, 0, trials * pixels)
        .reshape([wanted.len() * trials, pixels])
        .float();
    let mut stimuli = noise.clone() * grid.step as f32 + grid.offset as f32;
    if wanted.iter().any(|block| block.gamma != 0.0) {
        let shares = |share: &dyn Fn(f64) -> f32| {
            let each = wanted.iter().flat_map(|it| vec![share(it.gamma); trials]);
            column(each.collect(), device)
        };
        let chosen = images().select(0, indices(&image, device));
        stimuli = shares(&|gamma| (1.0 - gamma) as f32) * stimuli
            + shares(&|gamma| (gamma / 255.0) as f32) * chosen;
    }
    Drawn {
        truth,
        image,
        noise,
        stimuli,
    }
}

/// \[N\] as a tensor of indices.
pub fn indices(values: &[usize], device: &Device) -> Tensor<1, Int> {
    let values: Vec<i64> = values.iter().map(|&value| value as i64).collect();
    integers(values, device)
}

fn column(values: Vec<f32>, device: &Device) -> Tensor<2> {
    let count = values.len();
    Tensor::from_data(TensorData::new(values, [count, 1]), device)
}

fn integers(values: Vec<i64>, device: &Device) -> Tensor<1, Int> {
    let count = values.len();
    Tensor::from_data(TensorData::new(values, [count]), (device, DType::I64))
}

/// A stretch of one generator's words.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    key: [u32; 8],
    position: u64,
}

/// The next `count` words of every stretch, each in 0 to 2³²−1 of 64 bits; \[stretches,count\].
fn words(stretches: &[Stretch], count: usize, device: &Device) -> Tensor<2, Int> {
    let all = stretches.len();
    // One more, since a stretch begins in the middle of a ChaCha block.
    let blocks = count.div_ceil(WORDS) + 1;
    let initial = initial(stretches, blocks, device);
    let mut state = initial.clone();
    for _ in 0..DOUBLE_ROUNDS {
        state = diagonals(quarter(state), 1);
        state = diagonals(quarter(state), 3);
    }
    let rows = state.into_iter().zip(initial);
    let rows = rows.map(|(row, initial)| add(row, initial)).collect();
    let words = Tensor::cat(rows, 0)
        .permute([1, 2, 0])
        .reshape([all, blocks * WORDS]);
    let offsets = stretches
        .iter()
        .map(|stretch| (stretch.position % WORDS as u64) as i64);
    let offsets: Vec<i64> = offsets.collect();
    if offsets.iter().all(|&offset| offset == offsets[0]) {
        return words.narrow(1, offsets[0] as usize, count);
    }
    let options = (device, DType::I64);
    let first = integers(offsets, device).reshape([all, 1]);
    let further = Tensor::<1, Int>::arange(0..count as i64, options).reshape([1, count]);
    let indices = first.expand([all, count]) + further.expand([all, count]);
    words.gather(1, indices)
}

/// The four rows of ChaCha's 4×4 state before the rounds, each \[4,stretches,blocks\].
fn initial(stretches: &[Stretch], blocks: usize, device: &Device) -> [Tensor<3, Int>; 4] {
    let all = stretches.len();
    let shape = [4, all, blocks];
    let row = |word: &dyn Fn(usize, &Stretch) -> i64| {
        let values = (0..4).flat_map(|column| stretches.iter().map(move |it| word(column, it)));
        let row = integers(values.collect(), device);
        row.reshape([4, all, 1]).expand(shape)
    };
    let first = |stretch: &Stretch| (stretch.position / WORDS as u64) as i64;
    // The counter stays far below 2³²: its upper half is 0, and so is the stream.
    let counter = row(&|column, it| if column == 0 { first(it) } else { 0 });
    let further = Tensor::<1, Int>::arange(0..blocks as i64, (device, DType::I64));
    let zeros = Tensor::<3, Int>::zeros([3, all, blocks], (device, DType::I64));
    let further = further.reshape([1, 1, blocks]).expand([1, all, blocks]);
    [
        row(&|column, _| CONSTANTS[column]),
        row(&|column, it| i64::from(it.key[column])),
        row(&|column, it| i64::from(it.key[4 + column])),
        counter + Tensor::cat(vec![further, zeros], 0),
    ]
}

/// A quarter round on all four columns at once.
fn quarter([mut a, mut b, mut c, mut d]: [Tensor<3, Int>; 4]) -> [Tensor<3, Int>; 4] {
    for (first, second) in [(16, 12), (8, 7)] {
        a = add(a, b.clone());
        d = rotate(d.bitwise_xor(a.clone()), first);
        c = add(c, d.clone());
        b = rotate(b.bitwise_xor(c.clone()), second);
    }
    [a, b, c, d]
}

/// Shifts the rows so that diagonals become columns (`by` 1) or columns diagonals (`by` 3).
fn diagonals([a, b, c, d]: [Tensor<3, Int>; 4], by: usize) -> [Tensor<3, Int>; 4] {
    let shift = |row: Tensor<3, Int>, by: usize| {
        let start = row.clone().narrow(0, 0, by);
        Tensor::cat(vec![row.narrow(0, by, 4 - by), start], 0)
    };
    [a, shift(b, by), shift(c, 2), shift(d, 4 - by)]
}

fn add(a: Tensor<3, Int>, b: Tensor<3, Int>) -> Tensor<3, Int> {
    (a + b).bitwise_and_scalar(MASK)
}

fn rotate(x: Tensor<3, Int>, by: u32) -> Tensor<3, Int> {
    let up = x.clone().bitwise_left_shift_scalar(by);
    let round = x.bitwise_right_shift_scalar(32 - by);
    up.bitwise_or(round).bitwise_and_scalar(MASK)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::config::Noise;
    use crate::stimulus::Source;
    use rand::Rng;

    #[test]
    fn the_device_gives_the_words_of_the_generator_from_any_position() {
        let device = Device::flex();
        let seeds = [3, 900].map(|block| BlockSeed {
            session: u64::MAX - 5,
            analysis: 1,
            gamma: 2,
            block,
        });
        for skip in [[0, 0], [7, 7], [5, 33]] {
            let stretch = |i: usize| Stretch {
                key: seeds[i].key(),
                position: skip[i],
            };
            let words = words(&[stretch(0), stretch(1)], 100, &device);
            let words: Vec<i64> = words.into_data().try_into_vec().unwrap();
            for (i, words) in words.chunks_exact(100).enumerate() {
                let mut rng = seeds[i].generator();
                (0..skip[i]).for_each(|_| {
                    rng.next_u32();
                });
                let expected: Vec<i64> = (0..100).map(|_| i64::from(rng.next_u32())).collect();
                assert_eq!(words, expected, "skipping {skip:?}");
            }
        }
    }

    #[test]
    fn a_block_drawn_on_the_device_is_the_block_drawn_on_the_host() {
        let device = Device::flex();
        let images = crate::stimulus::tests::images();
        let (pool, source) = (Pool::new(&images), Source::new(Noise::Uniform, &images));
        let wanted: Vec<Wanted> = (0..4)
            .map(|i| Wanted {
                seed: BlockSeed {
                    session: 1,
                    analysis: 0,
                    gamma: i % 2,
                    block: 5 + i,
                },
                gamma: [0.0, 0.3][i as usize % 2],
                first: 9 * i,
            })
            .collect();
        let bytes: Vec<f32> = images.pixels.iter().map(|&byte| f32::from(byte)).collect();
        let bytes = TensorData::new(bytes, [images.len(), 784]);
        let grid = Noise::Uniform.grid();
        let resident = || Tensor::from_data(bytes, &device);
        let drawn = draw(&wanted, 9, grid, &pool, resident, &device);
        let noise: Vec<f32> = drawn.noise.into_data().try_into_vec().unwrap();
        let stimuli: Vec<f32> = drawn.stimuli.into_data().try_into_vec().unwrap();
        for (i, block) in wanted.iter().enumerate() {
            let host =
                crate::stimulus::draw(block.seed, &source, block.gamma, block.first, 9, &pool);
            let own = i * 9 * 784..(i + 1) * 9 * 784;
            let points: Vec<f32> = host.noise.iter().map(|&k| f32::from(k)).collect();
            assert_eq!(noise[own.clone()], points);
            assert_eq!(stimuli[own], host.stimuli);
            assert_eq!(drawn.truth[i * 9..(i + 1) * 9], host.truth);
            assert_eq!(drawn.image[i * 9..(i + 1) * 9], host.image);
        }
    }
}
