//! Transposes rows of vectors, from lanes to images.

/// Transposes `count` contiguous vectors of `lanes` numbers: row `lane` of the result has the numbers of that lane,
/// padded with zeros to a whole vector.
///
/// # Safety
/// `count` rows must be readable, and `lanes` rows of whole vectors writable.
pub unsafe fn transpose(from: *const f32, (count, lanes): (usize, usize), to: *mut f32) {
    let wide = count.next_multiple_of(lanes);
    for first in (0..wide).step_by(lanes) {
        // SAFETY: the caller's. Sixteen lanes imply AVX-512, and eight imply AVX2.
        unsafe {
            let (from, to) = (from.add(first * lanes), to.add(first));
            let rows = lanes.min(count - first);
            match lanes {
                #[cfg(target_arch = "x86_64")]
                16 => x86::sixteen(from, rows, (to, wide)),
                #[cfg(target_arch = "x86_64")]
                8 => x86::eight(from, rows, (to, wide)),
                _ => {
                    for lane in 0..lanes {
                        for row in 0..lanes {
                            let number = if row < rows {
                                *from.add(row * lanes + lane)
                            } else {
                                0.0
                            };
                            *to.add(lane * wide + row) = number;
                        }
                    }
                }
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    /// Transposes sixteen rows of sixteen; rows from `rows` on are zeros.
    ///
    /// # Safety
    /// The processor must have AVX-512; see [`super::transpose`].
    #[target_feature(enable = "avx512f")]
    pub unsafe fn sixteen(from: *const f32, rows: usize, (to, wide): (*mut f32, usize)) {
        let pd = |a: __m512| _mm512_castps_pd(a);
        let ps = |a: __m512d| _mm512_castpd_ps(a);
        let mut r = [_mm512_setzero_ps(); 16];
        for (row, r) in r.iter_mut().enumerate().take(rows) {
            // SAFETY: the caller's.
            *r = unsafe { _mm512_loadu_ps(from.add(row * 16)) };
        }
        // Interleave pairs of rows, then fours: each quarter of a vector holds four rows of a column.
        let mut t = r;
        for i in 0..8 {
            t[2 * i] = _mm512_unpacklo_ps(r[2 * i], r[2 * i + 1]);
            t[2 * i + 1] = _mm512_unpackhi_ps(r[2 * i], r[2 * i + 1]);
        }
        let mut u = t;
        for i in 0..4 {
            let [a, b, c, d] = [t[4 * i], t[4 * i + 1], t[4 * i + 2], t[4 * i + 3]].map(pd);
            u[4 * i] = ps(_mm512_unpacklo_pd(a, c));
            u[4 * i + 1] = ps(_mm512_unpackhi_pd(a, c));
            u[4 * i + 2] = ps(_mm512_unpacklo_pd(b, d));
            u[4 * i + 3] = ps(_mm512_unpackhi_pd(b, d));
        }
        for j in 0..4 {
            let even = [
                _mm512_shuffle_f32x4::<0x88>(u[j], u[4 + j]),
                _mm512_shuffle_f32x4::<0x88>(u[8 + j], u[12 + j]),
            ];
            let odd = [
                _mm512_shuffle_f32x4::<0xdd>(u[j], u[4 + j]),
                _mm512_shuffle_f32x4::<0xdd>(u[8 + j], u[12 + j]),
            ];
            let columns = [
                _mm512_shuffle_f32x4::<0x88>(even[0], even[1]),
                _mm512_shuffle_f32x4::<0x88>(odd[0], odd[1]),
                _mm512_shuffle_f32x4::<0xdd>(even[0], even[1]),
                _mm512_shuffle_f32x4::<0xdd>(odd[0], odd[1]),
            ];
            for (quarter, column) in columns.into_iter().enumerate() {
                // SAFETY: the caller's.
                unsafe { _mm512_storeu_ps(to.add((4 * quarter + j) * wide), column) };
            }
        }
    }

    /// Transposes eight rows of eight; rows from `rows` on are zeros.
    ///
    /// # Safety
    /// The processor must have AVX2; see [`super::transpose`].
    #[target_feature(enable = "avx2")]
    pub unsafe fn eight(from: *const f32, rows: usize, (to, wide): (*mut f32, usize)) {
        let pd = |a: __m256| _mm256_castps_pd(a);
        let ps = |a: __m256d| _mm256_castpd_ps(a);
        let mut r = [_mm256_setzero_ps(); 8];
        for (row, r) in r.iter_mut().enumerate().take(rows) {
            // SAFETY: the caller's.
            *r = unsafe { _mm256_loadu_ps(from.add(row * 8)) };
        }
        let mut t = r;
        for i in 0..4 {
            t[2 * i] = _mm256_unpacklo_ps(r[2 * i], r[2 * i + 1]);
            t[2 * i + 1] = _mm256_unpackhi_ps(r[2 * i], r[2 * i + 1]);
        }
        let mut u = t;
        for i in 0..2 {
            let [a, b, c, d] = [t[4 * i], t[4 * i + 1], t[4 * i + 2], t[4 * i + 3]].map(pd);
            u[4 * i] = ps(_mm256_unpacklo_pd(a, c));
            u[4 * i + 1] = ps(_mm256_unpackhi_pd(a, c));
            u[4 * i + 2] = ps(_mm256_unpacklo_pd(b, d));
            u[4 * i + 3] = ps(_mm256_unpackhi_pd(b, d));
        }
        for j in 0..4 {
            // SAFETY: the caller's.
            unsafe {
                let low = _mm256_permute2f128_ps::<0x20>(u[j], u[4 + j]);
                let high = _mm256_permute2f128_ps::<0x31>(u[j], u[4 + j]);
                _mm256_storeu_ps(to.add(j * wide), low);
                _mm256_storeu_ps(to.add((4 + j) * wide), high);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::lanes::Lanes;
    use super::*;

    #[test]
    fn rows_become_columns_and_what_is_missing_zeros() {
        for lanes in Lanes::all().into_iter().map(|lanes| lanes.count()) {
            for count in [1, lanes, lanes + 1, 50] {
                let wide = count.next_multiple_of(lanes);
                let from: Vec<f32> = (0..count * lanes).map(|index| index as f32).collect();
                let mut to = vec![-1.0; lanes * wide];
                // SAFETY: both are long enough, and the processor has vectors with this many lanes.
                unsafe { transpose(from.as_ptr(), (count, lanes), to.as_mut_ptr()) };
                for (index, number) in to.iter().enumerate() {
                    let (lane, row) = (index / wide, index % wide);
                    let expected = if row < count {
                        (row * lanes + lane) as f32
                    } else {
                        0.0
                    };
                    assert_eq!(*number, expected, "{lanes} {count}");
                }
            }
        }
    }
}
