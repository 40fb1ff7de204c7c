//! Standard normal numbers, eight at a time, bit-identical to those of `rand_distr`.
//!
//! Its ziggurat picks a layer from a table and accepts the number if it lies in the layer's core, as 99 of
//! 100 do. These cases are vectorised here. All others are left to `rand_distr` itself, starting at the
//! same word. The table is not public, so it is derived from the results of `rand_distr` for chosen words.
//!
//! Marsaglia and Tsang, "The Ziggurat Method for Generating Random Variables", Journal of Statistical
//! Software 5(8), 2000.

use std::convert::Infallible;
use std::sync::LazyLock;

use pulp::{Arch, Simd, WithSimd};
use rand::TryRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::chacha;

/// Numbers computed together.
const AT_ONCE: usize = 8;

/// Most 64-bit words drawn ahead: they fit into the L1 cache.
const MAX_AHEAD: usize = 2048;

/// Words kept available for one number; one that takes more is drawn directly from the generator.
const SPARE: usize = 64;

/// What follows the words drawn ahead: the middle of its range, which every loop of the ziggurat accepts (zero would never
/// leave its tail). A number drawn from it is discarded.
const ENOUGH: u64 = 1 << 63;

/// Number of layers of the ziggurat.
const LAYERS: usize = 256;

/// Fills `normals` with standard normal numbers from a generator, and advances it.
pub fn fill(rng: &mut ChaCha8Rng, normals: &mut [f64]) {
    fill_ahead(rng, normals, SPARE, MAX_AHEAD);
}

/// The same with at most `most` words drawn ahead, and more than `spare` of them kept for one number: `most` must be
/// greater.
fn fill_ahead(rng: &mut ChaCha8Rng, normals: &mut [f64], spare: usize, most: usize) {
    let mut words = WordBuffer::new(rng);
    let mut done = 0;
    while done < normals.len() {
        if words.left() <= spare {
            let left = normals.len() - done;
            words.draw(rng, (left + left / 32 + spare).min(most));
        }
        let fast = Arch::new().dispatch(CoreNormals {
            edges: &EDGES,
            words: &words.words[words.used..],
            normals: &mut normals[done..],
        });
        (words.used, done) = (words.used + fast, done + fast);
        if done == normals.len() || words.left() <= spare {
            continue;
        }
        // The next number is not in the core of its layer.
        let began = words.used;
        normals[done] = StandardNormal.sample(&mut words);
        if words.used > words.words.len() {
            words.used = began;
            words.sync_generator(rng);
            normals[done] = StandardNormal.sample(rng);
            words = WordBuffer::new(rng);
        }
        done += 1;
    }
    words.sync_generator(rng);
}

/// Words drawn ahead from a generator.
struct WordBuffer {
    /// The generator's position where they begin, in 32-bit words.
    first: u128,
    words: Vec<u64>,
    /// How many are used; more than their number if they did not suffice.
    used: usize,
}

impl WordBuffer {
    /// No words yet, at a generator's position.
    fn new(rng: &ChaCha8Rng) -> Self {
        Self {
            first: rng.get_word_pos(),
            words: Vec::new(),
            used: 0,
        }
    }

    fn left(&self) -> usize {
        self.words.len().saturating_sub(self.used)
    }

    /// Draws `count` words from the current position, replacing those left.
    fn draw(&mut self, rng: &mut ChaCha8Rng, count: usize) {
        self.sync_generator(rng);
        self.first = rng.get_word_pos();
        let mut halves = vec![0; 4 * count];
        chacha::fill(rng, &mut halves);
        let word = |quarters: &[u16]| {
            let [a, b, c, d] = [quarters[0], quarters[1], quarters[2], quarters[3]].map(u64::from);
            a | b << 16 | c << 32 | d << 48
        };
        self.words.clear();
        self.words.extend(halves.chunks_exact(4).map(word));
        self.used = 0;
    }

    /// Moves the generator to where the next number begins.
    fn sync_generator(&self, rng: &mut ChaCha8Rng) {
        rng.set_word_pos(self.first + 2 * self.used as u128);
    }
}

impl TryRng for WordBuffer {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.try_next_u64()? as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let word = self.words.get(self.used).copied();
        self.used += 1;
        Ok(word.unwrap_or(ENOUGH))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for bytes in bytes.chunks_mut(8) {
            let word = self.try_next_u64()?.to_le_bytes();
            bytes.copy_from_slice(&word[..bytes.len()]);
        }
        Ok(())
    }
}

/// Computes numbers in the core of their layers, up to the first that is not; returns how many.
struct CoreNormals<'a> {
    edges: &'a [f64; LAYERS + 1],
    words: &'a [u64],
    normals: &'a mut [f64],
}

impl WithSimd for CoreNormals<'_> {
    type Output = usize;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> usize {
        let mut done = 0;
        let words = self.words.as_chunks::<AT_ONCE>().0;
        let normals = self.normals.as_chunks_mut::<AT_ONCE>().0;
        for (words, normals) in words.iter().zip(normals) {
            let mut good = [false; AT_ONCE];
            for i in 0..AT_ONCE {
                let layer = (words[i] & 0xff) as usize;
                // The upper 52 bits as a number in \[2,4), minus 3.
                let u = f64::from_bits(words[i] >> 12 | 2.0_f64.to_bits()) - 3.0;
                normals[i] = u * self.edges[layer];
                good[i] = normals[i].abs() < self.edges[layer + 1];
            }
            let many = good.iter().take_while(|good| **good).count();
            done += many;
            if many < AT_ONCE {
                break;
            }
        }
        done
    }
}

/// The right edges of the layers; the last one is 0.
static EDGES: LazyLock<[f64; LAYERS + 1]> = LazyLock::new(|| {
    std::array::from_fn(|layer| match layer {
        LAYERS => 0.0,
        _ => {
            // 2⁻¹⁰ of the edge, which is in the core of every layer but the last; there the second word makes
            // it accepted.
            let u = (1_u64 << 51) + (1 << 41);
            let mut words = WordBuffer {
                first: 0,
                words: vec![u << 12 | layer as u64, u64::MAX],
                used: 0,
            };
            let sampled: f64 = StandardNormal.sample(&mut words);
            1024.0 * sampled
        }
    })
});

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{Rng, SeedableRng};

    #[test]
    fn the_numbers_match_rand_distr_from_any_position() {
        for (skipped, count) in [
            (0, 1),
            (1, 7),
            (2, 8),
            (3, 100),
            (16, 5000),
            (31, 200_000),
            (5, 0),
        ] {
            let mut ours = ChaCha8Rng::seed_from_u64(7);
            ours.set_stream(2);
            for _ in 0..skipped {
                ours.next_u32();
            }
            let mut other = ours.clone();
            let mut normals = vec![0.0; count];
            fill(&mut ours, &mut normals);
            for (index, normal) in normals.iter().enumerate() {
                let expected: f64 = StandardNormal.sample(&mut other);
                assert_eq!(normal.to_bits(), expected.to_bits(), "{skipped} {index}");
            }
            // Both generators continue identically.
            assert_eq!(ours.next_u64(), other.next_u64());
        }
    }

    /// With so few words, many a number that is not in the core of its layer takes more than are left.
    #[test]
    fn a_number_that_takes_more_words_than_were_drawn_ahead_matches_too() {
        for (spare, most) in [(0, 1), (0, 3), (1, 12)] {
            let mut ours = ChaCha8Rng::seed_from_u64(7);
            let mut other = ours.clone();
            let mut normals = [0.0; 5000];
            fill_ahead(&mut ours, &mut normals, spare, most);
            for (index, normal) in normals.iter().enumerate() {
                let expected: f64 = StandardNormal.sample(&mut other);
                assert_eq!(normal.to_bits(), expected.to_bits(), "{most} {index}");
            }
            assert_eq!(ours.get_word_pos(), other.get_word_pos());
        }
    }

    /// The published ziggurat with 256 layers: r = 3.6541528853610088, and layers of equal area.
    #[test]
    fn the_edges_match_the_ziggurat() {
        let r = 3.654_152_885_361_009;
        assert!((EDGES[1] - r).abs() < 1e-12);
        assert!(EDGES.windows(2).all(|pair| pair[0] > pair[1]));
        let f = |x: f64| (-x * x / 2.0).exp();
        let area = 0.004_928_673_233_997_087;
        for layer in 1..LAYERS {
            let computed = EDGES[layer] * (f(EDGES[layer + 1]) - f(EDGES[layer]));
            assert!((computed - area).abs() < 1e-9, "{layer} {computed}");
        }
    }

    /// The core's numbers for words, with the number of them.
    fn in_core(words: &[u64], room: usize) -> (usize, Vec<f64>) {
        let mut normals = vec![0.0; room];
        let done = Arch::new().dispatch(CoreNormals {
            edges: &EDGES,
            words,
            normals: &mut normals,
        });
        (done, normals)
    }

    #[test]
    fn numbers_are_made_by_eights_up_to_the_first_beyond_its_core() {
        // The upper 52 bits, from 0 to 2⁵², are a number from −1 to 1.
        let word = |layer: u64, upper: u64| upper << 12 | layer;
        // One half of the edge of layer 1, which is in its core.
        let inside = word(1, 3 << 50);
        let (done, normals) = in_core(&[inside; 20], 40);
        assert_eq!(done, 16);
        assert!(normals[..16].iter().all(|&n| n == EDGES[1] / 2.0));
        assert_eq!(in_core(&[inside; 40], 20).0, 16);
        // Nearly the whole edge, which is not.
        let mut words = [inside; 24];
        words[11] = word(1, (1 << 52) - 1);
        assert_eq!(in_core(&words, 24).0, 11);
        // Zero is in every core but that of the topmost layer, which has none.
        assert_eq!(in_core(&[word(254, 1 << 51); 8], 8), (8, vec![0.0; 8]));
        assert_eq!(in_core(&[word(255, 1 << 51); 8], 8).0, 0);
    }

    #[test]
    fn buffered_words_are_read_from_the_lowest_byte_and_followed_by_enough() {
        let buffer = |words: &[u64]| WordBuffer {
            first: 0,
            words: words.to_vec(),
            used: 0,
        };
        let mut words = buffer(&[0x0807_0605_0403_0201, 0x1817_1615_1413_1211]);
        let mut bytes = [0; 12];
        words.fill_bytes(&mut bytes);
        assert_eq!(bytes, [1, 2, 3, 4, 5, 6, 7, 8, 17, 18, 19, 20]);
        assert_eq!((words.used, words.left()), (2, 0));
        assert_eq!(words.next_u64(), ENOUGH);
        assert_eq!((words.used, words.left()), (3, 0));
        let mut words = buffer(&[0x0807_0605_0403_0201]);
        assert_eq!((words.left(), words.next_u32()), (1, 0x0403_0201));
    }
}
