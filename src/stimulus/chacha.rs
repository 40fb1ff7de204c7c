//! ChaCha8 over as many blocks at once as a vector holds, bit-identical to `rand_chacha`.

use pulp::{Arch, Simd, WithSimd};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// Words of a block.
const BLOCK: usize = 16;

/// Number of rounds, alternately over columns and diagonals.
const ROUNDS: usize = 8;

/// "expand 32-byte k".
const CONSTANTS: [u32; 4] = [0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574];

/// Fills `halves` with the halves of a generator's next words, lower half first, and advances it; for
/// an odd number of halves, the last word is consumed whole.
pub fn fill(rng: &mut ChaCha8Rng, halves: &mut [u16]) {
    // Up to the next block, then whole vectors of blocks, then the rest.
    let position = rng.get_word_pos();
    let head = (BLOCK - (position % BLOCK as u128) as usize) % BLOCK;
    let (head, rest) = halves.split_at_mut((2 * head).min(halves.len()));
    one_by_one(rng, head);
    let first = position + head.len().div_ceil(2) as u128;
    let key = rng.get_seed();
    let key =
        std::array::from_fn(|i| u32::from_le_bytes(std::array::from_fn(|byte| key[4 * i + byte])));
    let filled = Arch::new().dispatch(Blocks {
        key,
        stream: rng.get_stream(),
        // A generator has 2⁶⁴ blocks.
        first: (first / BLOCK as u128) as u64,
        halves: &mut *rest,
    });
    rng.set_word_pos(first + filled as u128 / 2);
    one_by_one(rng, &mut rest[filled..]);
}

/// The same, one word at a time.
fn one_by_one(rng: &mut ChaCha8Rng, halves: &mut [u16]) {
    for pair in halves.chunks_mut(2) {
        let word = rng.next_u32();
        let both = [word as u16, (word >> 16) as u16];
        pair.copy_from_slice(&both[..pair.len()]);
    }
}

/// Computes the blocks of a key starting from `first`; returns the number of halves filled.
struct Blocks<'a> {
    key: [u32; 8],
    stream: u64,
    first: u64,
    halves: &'a mut [u16],
}

impl WithSimd for Blocks<'_> {
    type Output = usize;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> usize {
        let lanes = S::U32_LANES;
        let at_once = lanes * BLOCK * 2;
        let filled = self.halves.len() / at_once * at_once;
        let mut block = self.first;
        for halves in self.halves[..filled].chunks_exact_mut(at_once) {
            let vector = |value: &dyn Fn(usize) -> u32| -> S::u32s {
                let mut numbers = [0_u32; 16];
                (0..lanes).for_each(|lane| numbers[lane] = value(lane));
                simd.partial_load_u32s(&numbers[..lanes])
            };
            let counter = |lane: usize| block.wrapping_add(lane as u64);
            let start: [S::u32s; BLOCK] = std::array::from_fn(|i| match i {
                0..4 => simd.splat_u32s(CONSTANTS[i]),
                4..12 => simd.splat_u32s(self.key[i - 4]),
                12 => vector(&|lane| counter(lane) as u32),
                13 => vector(&|lane| (counter(lane) >> 32) as u32),
                14 => simd.splat_u32s(self.stream as u32),
                _ => simd.splat_u32s((self.stream >> 32) as u32),
            });
            let mut state = start;
            for _ in 0..ROUNDS / 2 {
                for i in 0..4 {
                    quarter(simd, &mut state, [i, 4 + i, 8 + i, 12 + i]);
                }
                for i in 0..4 {
                    let diagonal = |row: usize| 4 * row + (i + row) % 4;
                    quarter(simd, &mut state, std::array::from_fn(diagonal));
                }
            }
            // A block consists of one lane of all sixteen words.
            let mut rows = [[0_u32; 16]; BLOCK];
            for ((row, word), start) in rows.iter_mut().zip(state).zip(start) {
                simd.partial_store_u32s(&mut row[..lanes], simd.add_u32s(word, start));
            }
            for (lane, target) in halves.chunks_exact_mut(2 * BLOCK).enumerate() {
                for (pair, row) in target.chunks_exact_mut(2).zip(&rows) {
                    (pair[0], pair[1]) = (row[lane] as u16, (row[lane] >> 16) as u16);
                }
            }
            block = block.wrapping_add(lanes as u64);
        }
        filled
    }
}

/// A quarter round on four words.
#[inline(always)]
fn quarter<S: Simd>(simd: S, state: &mut [S::u32s; BLOCK], [a, b, c, d]: [usize; 4]) {
    for (left, [to, by, turned]) in [
        (16, [a, b, d]),
        (12, [c, d, b]),
        (8, [a, b, d]),
        (7, [c, d, b]),
    ] {
        state[to] = simd.add_u32s(state[to], state[by]);
        let x = simd.xor_u32s(state[turned], state[to]);
        let high = simd.wrapping_dyn_shl_u32s(x, simd.splat_u32s(left));
        let low = simd.wrapping_dyn_shr_u32s(x, simd.splat_u32s(32 - left));
        state[turned] = simd.or_u32s(high, low);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn the_halves_match_the_generators_words_from_any_position() {
        for (skipped, count) in [
            (0, 32),
            (0, 2000),
            (3, 9),
            (5, 8192),
            (16, 1401),
            (31, 513),
            (7, 0),
        ] {
            let mut ours = ChaCha8Rng::seed_from_u64(11);
            ours.set_stream(3);
            for _ in 0..skipped {
                ours.next_u32();
            }
            let mut other = ours.clone();
            let mut halves = vec![0; count];
            fill(&mut ours, &mut halves);
            let words: Vec<u32> = (0..count.div_ceil(2)).map(|_| other.next_u32()).collect();
            let expected = words
                .iter()
                .flat_map(|word| [*word as u16, (word >> 16) as u16]);
            let expected: Vec<u16> = expected.take(count).collect();
            assert_eq!(halves, expected, "{skipped} {count}");
            // Both generators continue identically.
            assert_eq!(ours.next_u64(), other.next_u64());
        }
    }

    #[test]
    fn the_counter_carries_into_its_upper_half() {
        let mut ours = ChaCha8Rng::seed_from_u64(1);
        ours.set_word_pos(((1_u128 << 32) - 3) * 16);
        let mut other = ours.clone();
        let mut halves = vec![0; 1200];
        fill(&mut ours, &mut halves);
        for pair in halves.chunks_exact(2) {
            let word = other.next_u32();
            assert_eq!(pair, [word as u16, (word >> 16) as u16]);
        }
    }

    /// The next halves, one word at a time.
    fn scalar(rng: &mut ChaCha8Rng, count: usize) -> Vec<u16> {
        let words: Vec<u32> = (0..count.div_ceil(2)).map(|_| rng.next_u32()).collect();
        let halves = words
            .iter()
            .flat_map(|word| [*word as u16, (word >> 16) as u16]);
        halves.take(count).collect()
    }

    /// Lengths at and beside those of a block, 32, and of vectors of 4, 8 and 16 blocks.
    #[test]
    fn every_length_from_every_word_of_a_block_matches() {
        let lengths = [32, 128, 256, 512, 1024].into_iter();
        let lengths: Vec<usize> = lengths.flat_map(|n| n - 2..=n + 2).collect();
        for skipped in 0..=BLOCK {
            for &count in [0, 1, 2].iter().chain(&lengths) {
                let mut ours = ChaCha8Rng::from_seed([7; 32]);
                ours.set_word_pos(skipped as u128);
                let mut other = ours.clone();
                let mut halves = vec![0; count];
                fill(&mut ours, &mut halves);
                let expected = scalar(&mut other, count);
                assert!(halves == expected, "{skipped} {count}");
                assert_eq!(ours.get_word_pos(), other.get_word_pos());
            }
        }
    }

    #[test]
    fn both_halves_of_a_streams_number_count() {
        let mut drawn = Vec::new();
        for stream in [3, 0x5_0000_0003, 0x5_0000_0000] {
            let mut ours = ChaCha8Rng::from_seed([7; 32]);
            ours.set_stream(stream);
            let mut other = ours.clone();
            let mut halves = vec![0; 1024];
            fill(&mut ours, &mut halves);
            assert!(halves == scalar(&mut other, 1024), "{stream:x}");
            drawn.push(halves);
        }
        assert!(drawn[0] != drawn[1] && drawn[1] != drawn[2]);
    }

    /// 1,024 halves are 2, 4, 8, 16 or 32 vectors of 16, 8, 4, 2 or 1 blocks.
    #[test]
    fn as_many_whole_vectors_as_there_is_room_for_are_filled() {
        let mut halves = [0; 1024 + 31];
        let filled = Arch::new().dispatch(Blocks {
            key: [0x0707_0707; 8],
            stream: 0,
            first: 9,
            halves: &mut halves,
        });
        assert_eq!(filled, 1024);
        let mut rng = ChaCha8Rng::from_seed([7; 32]);
        rng.set_word_pos(9 * 16);
        assert!(halves[..1024] == scalar(&mut rng, 1024));
        assert_eq!(halves[1024..], [0; 31]);
    }
}
