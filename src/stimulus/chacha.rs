//! ChaCha8 over as many blocks at once as a vector holds: the words of `rand_chacha`, to the bit.

use pulp::{Arch, Simd, WithSimd};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// Words of a block.
const BLOCK: usize = 16;

/// Rounds, of which two are a column and a diagonal one.
const ROUNDS: usize = 8;

/// "expand 32-byte k".
const CONSTANTS: [u32; 4] = [0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574];

/// Fills `words` with the next words of a generator, and moves it on.
pub fn fill(rng: &mut ChaCha8Rng, words: &mut [u32]) {
    // Up to the next block, then whole vectors of blocks, then the rest.
    let position = rng.get_word_pos();
    let head = ((BLOCK - (position % BLOCK as u128) as usize) % BLOCK).min(words.len());
    let (head, rest) = words.split_at_mut(head);
    head.iter_mut().for_each(|word| *word = rng.next_u32());
    let first = position + head.len() as u128;
    let key = rng.get_seed();
    let key =
        std::array::from_fn(|i| u32::from_le_bytes(std::array::from_fn(|byte| key[4 * i + byte])));
    let filled = Arch::new().dispatch(Blocks {
        key,
        stream: rng.get_stream(),
        // A generator has 2⁶⁴ blocks.
        first: (first / BLOCK as u128) as u64,
        words: &mut *rest,
    });
    rng.set_word_pos(first + filled as u128);
    let rest = rest[filled..].iter_mut();
    rest.for_each(|word| *word = rng.next_u32());
}

/// The blocks of a key from one of them on; gives the words that it filled.
struct Blocks<'a> {
    key: [u32; 8],
    stream: u64,
    first: u64,
    words: &'a mut [u32],
}

impl WithSimd for Blocks<'_> {
    type Output = usize;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> usize {
        let lanes = S::U32_LANES;
        let at_once = lanes * BLOCK;
        let filled = self.words.len() / at_once * at_once;
        let mut block = self.first;
        for words in self.words[..filled].chunks_exact_mut(at_once) {
            let vector = |of: &dyn Fn(usize) -> u32| -> S::u32s {
                let mut numbers = [0_u32; 16];
                (0..lanes).for_each(|lane| numbers[lane] = of(lane));
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
            // A block is one lane of all sixteen words.
            let mut rows = [[0_u32; 16]; BLOCK];
            for ((row, word), start) in rows.iter_mut().zip(state).zip(start) {
                simd.partial_store_u32s(&mut row[..lanes], simd.add_u32s(word, start));
            }
            for (lane, own) in words.chunks_exact_mut(BLOCK).enumerate() {
                own.iter_mut()
                    .zip(&rows)
                    .for_each(|(word, row)| *word = row[lane]);
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
    fn the_words_are_those_of_the_generator_from_any_place_on() {
        for (skipped, count) in [
            (0, 16),
            (0, 1000),
            (3, 5),
            (5, 4096),
            (16, 700),
            (31, 257),
            (7, 0),
        ] {
            let mut own = ChaCha8Rng::seed_from_u64(11);
            own.set_stream(3);
            (0..skipped).for_each(|_| {
                own.next_u32();
            });
            let mut other = own.clone();
            let mut words = vec![0; count];
            fill(&mut own, &mut words);
            let expected: Vec<u32> = (0..count).map(|_| other.next_u32()).collect();
            assert_eq!(words, expected, "{skipped} {count}");
            // And both go on alike.
            assert_eq!(own.next_u64(), other.next_u64());
        }
    }

    #[test]
    fn the_counter_carries_into_its_upper_half() {
        let mut own = ChaCha8Rng::seed_from_u64(1);
        own.set_word_pos(((1_u128 << 32) - 3) * 16);
        let mut other = own.clone();
        let mut words = vec![0; 600];
        fill(&mut own, &mut words);
        assert!(words.iter().all(|word| *word == other.next_u32()));
    }
}
