//! The product of principal components and coefficients.
//!
//! Every value is one chain of fused multiply-adds over the components, the strongest first. So its bits depend neither
//! on the processor's vectors nor on how many trials are multiplied at once, and a GPU's kernel computes the same.

use pulp::{Arch, Simd, WithSimd};

/// Pixels of a panel: one vector of AVX-512, two of AVX2 or four of NEON.
const PANEL: usize = 16;

/// Trials of a group, which are multiplied with a panel together.
pub const GROUP: usize = 12;

/// One component at the pixels of a panel: a line of the cache.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(align(64))]
struct Row([f32; PANEL]);

/// The n components of images with P values, in panels of sixteen pixels, so that a product reads them in order.
#[derive(Debug, Clone, PartialEq)]
pub struct Components {
    /// n.
    count: usize,
    /// P.
    pixels: usize,
    /// \[⌈P/16⌉,n\]; zero beyond the last pixel.
    rows: Vec<Row>,
}

impl Components {
    /// Components given one after another, \[n,P\].
    pub fn new(values: &[f32], pixels: usize) -> Self {
        let count = values.len() / pixels.max(1);
        let mut rows = vec![Row([0.0; PANEL]); pixels.div_ceil(PANEL) * count];
        for (k, component) in values.chunks_exact(pixels.max(1)).enumerate() {
            for (panel, values) in component.chunks(PANEL).enumerate() {
                rows[panel * count + k].0[..values.len()].copy_from_slice(values);
            }
        }
        Self {
            count,
            pixels,
            rows,
        }
    }

    /// Their values one after another, \[n,P\].
    pub fn values(&self) -> impl Iterator<Item = f32> + '_ {
        (0..self.count).flat_map(move |k| {
            let value =
                move |pixel: usize| self.rows[pixel / PANEL * self.count + k].0[pixel % PANEL];
            (0..self.pixels).map(value)
        })
    }

    /// The sums of components, each times its coefficient: N images, \[N,P\].
    ///
    /// The coefficients are in groups of twelve trials, \[⌈N/12⌉,n,12\]; beyond the last trial they may have any value.
    pub fn multiply(&self, coefficients: &[[f32; GROUP]], sums: &mut [f32]) {
        self.multiply_with(Arch::new(), coefficients, sums);
    }

    /// The same with these vectors.
    fn multiply_with(&self, vectors: Arch, coefficients: &[[f32; GROUP]], sums: &mut [f32]) {
        vectors.dispatch(Multiply {
            components: self,
            coefficients,
            sums,
        });
    }
}

/// [`Components::multiply`] with this processor's vectors.
struct Multiply<'a> {
    components: &'a Components,
    coefficients: &'a [[f32; GROUP]],
    sums: &'a mut [f32],
}

impl WithSimd for Multiply<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        // As many sums as fit into the registers, and enough to hide a multiply-add's latency.
        match S::F32_LANES {
            16 => self.in_tiles::<S, 1, 12>(simd),
            8 => self.in_tiles::<S, 2, 6>(simd),
            4 => self.in_tiles::<S, 4, 6>(simd),
            _ => self.in_tiles::<S, PANEL, 1>(simd),
        }
    }
}

impl Multiply<'_> {
    /// Computes tiles of a panel, V vectors, and T of a group's trials. The rows of a panel stay in the L1 cache while
    /// all groups are multiplied with it.
    #[inline(always)]
    fn in_tiles<S: Simd, const V: usize, const T: usize>(self, simd: S) {
        let Components { count, pixels, .. } = *self.components;
        let panels = self.components.rows.chunks_exact(count.max(1));
        for (panel, rows) in panels.enumerate() {
            let begin = panel * PANEL;
            let width = PANEL.min(pixels - begin);
            let groups = self.coefficients.chunks_exact(count);
            for (group, sums) in groups.zip(self.sums.chunks_mut(GROUP * pixels)) {
                for (part, sums) in sums.chunks_mut(T * pixels).enumerate() {
                    let tile = tile::<S, V, T>(simd, rows, group, part);
                    for (image, tile) in sums.chunks_exact_mut(pixels).zip(&tile) {
                        image[begin..][..width].copy_from_slice(&tile[..width]);
                    }
                }
            }
        }
    }
}

/// The sums of part `part` of a group, T trials, at a panel's pixels: \[T,16\].
#[inline(always)]
fn tile<S: Simd, const V: usize, const T: usize>(
    simd: S,
    rows: &[Row],
    group: &[[f32; GROUP]],
    part: usize,
) -> [[f32; PANEL]; T] {
    let mut sums = [[simd.splat_f32s(0.0); V]; T];
    for (row, coefficients) in rows.iter().zip(group) {
        let row = S::as_simd_f32s(&row.0).0;
        let row: [S::f32s; V] = std::array::from_fn(|v| row[v]);
        let coefficients = &coefficients.as_chunks::<T>().0[part];
        for (sums, &coefficient) in sums.iter_mut().zip(coefficients) {
            let coefficient = simd.splat_f32s(coefficient);
            for v in 0..V {
                sums[v] = simd.mul_add_f32s(row[v], coefficient, sums[v]);
            }
        }
    }
    let mut tile = [[0.0; PANEL]; T];
    for (tile, sums) in tile.iter_mut().zip(&sums) {
        S::as_mut_simd_f32s(tile).0.copy_from_slice(sums);
    }
    tile
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::DMatrix;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    /// Every kind of vectors that this processor has.
    fn every_kind_of_vectors() -> Vec<Arch> {
        let all = [Arch::new(), Arch::Scalar].into_iter();
        #[cfg(target_arch = "x86_64")]
        let all = all.chain(pulp::x86::V3::try_new().map(Arch::V3));
        all.collect()
    }

    /// Components, \[n,P\], and coefficients, \[N,n\].
    fn factors(n: usize, pixels: usize, trials: usize) -> (Vec<f32>, Vec<f32>) {
        let mut rng = ChaCha8Rng::seed_from_u64((n * pixels + trials) as u64);
        let mut numbers = |count: usize| (0..count).map(|_| rng.random_range(-1.0..1.0)).collect();
        (numbers(n * pixels), numbers(trials * n))
    }

    /// Coefficients in groups, \[⌈N/12⌉,n,12\], with NaN for missing trials.
    fn grouped(coefficients: &[f32], n: usize) -> Vec<[f32; GROUP]> {
        let trials = coefficients.len() / n;
        let mut groups = vec![[f32::NAN; GROUP]; trials.div_ceil(GROUP) * n];
        for (trial, coefficients) in coefficients.chunks_exact(n).enumerate() {
            let group = &mut groups[trial / GROUP * n..][..n];
            for (row, &coefficient) in group.iter_mut().zip(coefficients) {
                row[trial % GROUP] = coefficient;
            }
        }
        groups
    }

    fn bits(values: &[f32]) -> Vec<u32> {
        values.iter().map(|value| value.to_bits()).collect()
    }

    #[test]
    fn every_sum_is_one_chain_of_fused_multiply_adds_with_any_vectors() {
        for (n, pixels, trials) in [
            (1, 1, 1),
            (1, 16, 12),
            (2, 15, 11),
            (5, 17, 13),
            (40, 50, 6),
            (250, 33, 25),
        ] {
            let (components, coefficients) = factors(n, pixels, trials);
            let mut expected = Vec::new();
            for coefficients in coefficients.chunks_exact(n) {
                expected.extend((0..pixels).map(|pixel| {
                    let terms = coefficients.iter().enumerate();
                    terms.fold(0.0_f32, |sum, (k, coefficient)| {
                        components[k * pixels + pixel].mul_add(*coefficient, sum)
                    })
                }));
            }
            let groups = grouped(&coefficients, n);
            for vectors in every_kind_of_vectors() {
                let mut sums = vec![f32::NAN; trials * pixels];
                Components::new(&components, pixels).multiply_with(vectors, &groups, &mut sums);
                assert_eq!(bits(&sums), bits(&expected), "{n} {pixels} {trials}");
            }
        }
    }

    /// Whether products of the library `nalgebra` fuse multiplications and additions on this processor.
    fn library_fuses() -> bool {
        #[cfg(target_arch = "x86_64")]
        return std::arch::is_x86_feature_detected!("fma")
            && std::arch::is_x86_feature_detected!("avx2");
        #[cfg(not(target_arch = "x86_64"))]
        return cfg!(target_arch = "aarch64");
    }

    /// Sessions whose noise was drawn with that library, in blocks of six trials or more, must continue with the same
    /// noise.
    #[test]
    fn sums_equal_nalgebras_where_it_fuses() {
        if !library_fuses() {
            return;
        }
        for (n, pixels, trials) in [(6, 6, 6), (27, 27, 40), (250, 272, 7), (250, 300, 40)] {
            let (components, coefficients) = factors(n, pixels, trials);
            let mut sums = vec![f32::NAN; trials * pixels];
            let groups = grouped(&coefficients, n);
            Components::new(&components, pixels).multiply(&groups, &mut sums);
            let components = DMatrix::from_vec(pixels, n, components);
            let product = components * DMatrix::from_vec(n, trials, coefficients);
            assert_eq!(
                bits(&sums),
                bits(product.as_slice()),
                "{n} {pixels} {trials}"
            );
        }
    }

    #[test]
    fn components_keep_their_values() {
        for (n, pixels) in [(1, 1), (3, 16), (250, 17)] {
            let (components, _) = factors(n, pixels, 0);
            let kept: Vec<f32> = Components::new(&components, pixels).values().collect();
            assert_eq!(kept, components);
        }
    }
}
