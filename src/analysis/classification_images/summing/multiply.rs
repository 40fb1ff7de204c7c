//! The product of responses and noise, exact, with the processor's SIMD: in integers or in 64-bit floats.

use pulp::{Simd, WithSimd};

use super::AT_A_TIME;
use super::integers::{self, Kernel};
use crate::stats::classification::GRID_CENTRE;

/// Σy·(z − [`GRID_CENTRE`]) over at most 8,192 trials, \[M,P\]: y is \[N,M\], z \[N,P\].
pub(super) fn centred_products(
    vectors: pulp::Arch,
    y: &[i32],
    z: &[u16],
    (m, points): (usize, usize),
) -> Vec<i64> {
    match Kernel::all(vectors).find(|kernel| kernel.can_sum(points)) {
        Some(kernel) => integers::centred_products((vectors, kernel), y, z, (m, points)),
        None => in_floats(vectors, y, z, (m, points)),
    }
}

/// [`centred_products`] in 64-bit floats.
pub(super) fn in_floats(
    vectors: pulp::Arch,
    y: &[i32],
    z: &[u16],
    (m, points): (usize, usize),
) -> Vec<i64> {
    let mut products = vec![0.0; m * points];
    let floats: Vec<f64> = y.iter().map(|&y| f64::from(y)).collect();
    let noise = z.chunks(AT_A_TIME * points);
    for (z, y) in noise.zip(floats.chunks(AT_A_TIME * m)) {
        multiply(vectors, y, z, &mut products, (m, points));
    }
    // The points were multiplied uncentred: Σy·(z − c) = Σy·z − c·Σy.
    let mut centred = Vec::with_capacity(m * points);
    for (class, products) in products.chunks_exact(points.max(1)).enumerate() {
        let responses = y.iter().skip(class).step_by(m);
        let centre = responses.map(|&y| i64::from(y)).sum::<i64>() * GRID_CENTRE;
        vectors.dispatch(
            #[inline(always)]
            || centred.extend(products.iter().map(|&sum| sum as i64 - centre)),
        );
    }
    centred
}

/// Adds yᵀ·z to `products`, \[M,P\]: y is \[N,M\], z \[N,P\]. Sums of products of 16-bit integers over at most
/// 8,192 trials stay below 2⁵³, so every sum is exact in any order.
pub(super) fn multiply<Z: Copy>(
    vectors: pulp::Arch,
    y: &[f64],
    z: &[Z],
    products: &mut [f64],
    (m, points): (usize, usize),
) where
    f64: From<Z>,
{
    let n = y.len() / m.max(1);
    assert_eq!((y.len(), z.len()), (n * m, n * points));
    assert_eq!(products.len(), m * points);
    vectors.dispatch(Products {
        y,
        z,
        products,
        m,
        points,
    });
}

/// Classes summed together: with two vectors of points each, they fill twenty of 32 registers, or ten of
/// sixteen.
const CLASSES_AT_ONCE: [usize; 2] = [10, 5];

/// 64-bit numbers in two of the widest vectors.
const MOST_LANES: usize = 16;

/// [`multiply`] with this processor's SIMD.
struct Products<'a, Z> {
    y: &'a [f64],
    z: &'a [Z],
    products: &'a mut [f64],
    m: usize,
    points: usize,
}

impl<Z: Copy> WithSimd for Products<'_, Z>
where
    f64: From<Z>,
{
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let [many, few] = CLASSES_AT_ONCE;
        let at_once = if S::REGISTER_COUNT >= 32 { many } else { few };
        let wide = 2 * S::F64_LANES;
        let whole = self.points / wide * wide;
        let mut first = 0;
        while first < self.m {
            let classes = at_once.min(self.m - first);
            for point in (0..whole).step_by(wide) {
                match classes {
                    10 => self.tile::<S, 10>(simd, first, point),
                    5..10 => {
                        self.tile::<S, 5>(simd, first, point);
                        for class in 5..classes {
                            self.tile::<S, 1>(simd, first + class, point);
                        }
                    }
                    _ => {
                        for class in 0..classes {
                            self.tile::<S, 1>(simd, first + class, point);
                        }
                    }
                }
            }
            first += classes;
        }
        // The remaining points.
        for (y, z) in self
            .y
            .chunks_exact(self.m)
            .zip(self.z.chunks_exact(self.points))
        {
            for (class, y) in y.iter().enumerate() {
                let sums = &mut self.products[class * self.points + whole..][..self.points - whole];
                sums.iter_mut()
                    .zip(&z[whole..])
                    .for_each(|(sum, &z)| *sum += y * f64::from(z));
            }
        }
    }
}

impl<Z: Copy> Products<'_, Z>
where
    f64: From<Z>,
{
    /// The sums of M classes at two vectors of points.
    #[inline(always)]
    fn tile<S: Simd, const M: usize>(&mut self, simd: S, first: usize, point: usize) {
        let lanes = S::F64_LANES;
        let at = |class: usize| (first + class) * self.points + point;
        let mut sums = [[simd.splat_f64s(0.0); 2]; M];
        for (class, acc) in sums.iter_mut().enumerate() {
            let before = &self.products[at(class)..][..2 * lanes];
            acc[0] = simd.partial_load_f64s(&before[..lanes]);
            acc[1] = simd.partial_load_f64s(&before[lanes..]);
        }
        let rows = self
            .y
            .chunks_exact(self.m)
            .zip(self.z.chunks_exact(self.points));
        for (y, z) in rows {
            // Widened in registers: a 64-bit copy of the noise would not fit in the cache.
            let mut wide = [0.0; MOST_LANES];
            let wide = &mut wide[..2 * lanes];
            let shown = wide.iter_mut().zip(&z[point..][..2 * lanes]);
            shown.for_each(|(wide, &z)| *wide = f64::from(z));
            let (low, high) = S::as_simd_f64s(wide).0.split_at(1);
            let y = &y[first..][..M];
            for (acc, y) in sums.iter_mut().zip(y) {
                let y = simd.splat_f64s(*y);
                acc[0] = simd.mul_add_f64s(y, low[0], acc[0]);
                acc[1] = simd.mul_add_f64s(y, high[0], acc[1]);
            }
        }
        for (class, acc) in sums.iter().enumerate() {
            let after = &mut self.products[at(class)..][..2 * lanes];
            simd.partial_store_f64s(&mut after[..lanes], acc[0]);
            simd.partial_store_f64s(&mut after[lanes..], acc[1]);
        }
    }
}
