//! Sums of products of 16-bit integers with AVX2 and AVX-512.

use std::arch::x86_64::*;

use super::SIGN;

/// Points in two vectors of 32-bit sums.
pub(super) const WIDTH_512: usize = 32;
pub(super) const WIDTH_256: usize = 16;

/// A kernel for a number of rows: see `Kernel::sum`.
macro_rules! kernel {
    (
        $(#[$doc:meta])* $name:ident, $features:literal, $width:ident,
        $zero:ident, $splat_16:ident, $splat_32:ident, $load:ident, $store:ident, $xor:ident, $low:ident, $high:ident,
        $add_products:ident, $in_order:ident
    ) => {
        $(#[$doc])*
        #[target_feature(enable = $features)]
        pub(super) fn $name<const ROWS: usize>(words: &[u32], z: &[u16], points: usize, sums: &mut [i32]) {
            let trials = z.len() / points;
            assert_eq!(words.len(), trials.div_ceil(2) * ROWS);
            assert!(points >= $width && sums.len() >= ROWS * points);
            let sign = $splat_16(SIGN);
            for start in (0..points).step_by($width) {
                // The last vectors may overlap those before, whose sums they repeat.
                let start = start.min(points - $width);
                let mut acc = [[$zero(); 2]; ROWS];
                for (pair, words) in words.chunks_exact(ROWS).enumerate() {
                    let first = 2 * pair;
                    // The second digits are 0 if there is no second trial.
                    let second = (first + 1).min(trials - 1);
                    // SAFETY: `pair` < ⌈trials / 2⌉, so that both are trials of `z`, and `start` is at least a
                    // width before the end of their points. Any address can be prefetched.
                    let (first, second) = unsafe {
                        let first = z.as_ptr().add(first * points + start);
                        let second = z.as_ptr().add(second * points + start);
                        _mm_prefetch::<_MM_HINT_T0>(first.wrapping_add($width).cast());
                        _mm_prefetch::<_MM_HINT_T0>(second.wrapping_add($width).cast());
                        ($load(first.cast()), $load(second.cast()))
                    };
                    let (first, second) = ($xor(first, sign), $xor(second, sign));
                    let (low, high) = ($low(first, second), $high(first, second));
                    for (acc, &word) in acc.iter_mut().zip(words) {
                        let word = $splat_32(word as i32);
                        acc[0] = $add_products(acc[0], word, low);
                        acc[1] = $add_products(acc[1], word, high);
                    }
                }
                for (row, acc) in acc.into_iter().enumerate() {
                    let [low, high] = $in_order(acc);
                    // SAFETY: `sums` has this row, and `start` is at least a width before its end.
                    unsafe {
                        let to = sums.as_mut_ptr().add(row * points + start);
                        $store(to.cast(), low);
                        $store(to.add($width / 2).cast(), high);
                    }
                }
            }
        }
    };
}

kernel!(
    /// With AVX-512 and VNNI.
    vnni, "avx512f,avx512bw,avx512vnni", WIDTH_512,
    _mm512_setzero_si512, _mm512_set1_epi16, _mm512_set1_epi32, _mm512_loadu_si512, _mm512_storeu_si512,
    _mm512_xor_si512, _mm512_unpacklo_epi16, _mm512_unpackhi_epi16,
    _mm512_dpwssd_epi32, in_order_512
);

kernel!(
    /// With AVX-512.
    avx512, "avx512f,avx512bw", WIDTH_512,
    _mm512_setzero_si512, _mm512_set1_epi16, _mm512_set1_epi32, _mm512_loadu_si512, _mm512_storeu_si512,
    _mm512_xor_si512, _mm512_unpacklo_epi16, _mm512_unpackhi_epi16,
    add_products_512, in_order_512
);

kernel!(
    /// With AVX2.
    avx2, "avx2", WIDTH_256,
    _mm256_setzero_si256, _mm256_set1_epi16, _mm256_set1_epi32, _mm256_loadu_si256, _mm256_storeu_si256,
    _mm256_xor_si256, _mm256_unpacklo_epi16, _mm256_unpackhi_epi16,
    add_products_256, in_order_256
);

/// Adds the products of pairs to sums.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn add_products_512(sums: __m512i, y: __m512i, z: __m512i) -> __m512i {
    _mm512_add_epi32(sums, _mm512_madd_epi16(y, z))
}

/// Adds the products of pairs to sums.
#[inline]
#[target_feature(enable = "avx2")]
fn add_products_256(sums: __m256i, y: __m256i, z: __m256i) -> __m256i {
    _mm256_add_epi32(sums, _mm256_madd_epi16(y, z))
}

/// Sums of interleaved points in the points' order: interleaving keeps to quarters of a vector.
#[inline]
#[target_feature(enable = "avx512f")]
fn in_order_512([low, high]: [__m512i; 2]) -> [__m512i; 2] {
    let first = _mm512_setr_epi32(0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23);
    let second = _mm512_setr_epi32(8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31);
    [first, second].map(|order| _mm512_permutex2var_epi32(low, order, high))
}

/// Sums of interleaved points in the points' order: interleaving keeps to halves of a vector.
#[inline]
#[target_feature(enable = "avx2")]
fn in_order_256([low, high]: [__m256i; 2]) -> [__m256i; 2] {
    [
        _mm256_permute2x128_si256::<0x20>(low, high),
        _mm256_permute2x128_si256::<0x31>(low, high),
    ]
}
