//! The kinds of noise, drawn.
//!
//! A [`Source`] is prepared once for an analysis (the bases of `gabor` and `pca` take a moment) and
//! then shared by all workers. What it draws are points on the grid of its kind.

use std::sync::Arc;

use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;

use super::chacha;
use super::gabor::Gabor;
use super::pca::Pca;
use super::{in_vectors, normal, values};
use crate::data::Images;
use crate::session::config::{Gaussian, Grain, Noise, PATCH};
use crate::session::form::Shape;

/// A kind of noise, ready to be drawn. Cloning shares what was prepared.
#[derive(Debug, Clone)]
pub struct Source {
    noise: Noise,
    /// Channels, rows and columns of what is drawn: of the noise's own grid.
    grid: Shape,
    /// For every number of an image the number of the grid that it shows; `None` where each shows
    /// its own.
    cells: Option<Arc<[usize]>>,
    drawn: Drawn,
}

/// How its images are drawn, with what that takes.
#[derive(Debug, Clone)]
enum Drawn {
    Uniform,
    Gaussian(Gaussian),
    Binary,
    Patch,
    Gabor(Arc<Gabor>),
    Pca(Arc<Pca>),
}

impl Source {
    /// Prepares a kind of noise, every number of an image its own. `images` are the training images,
    /// of which `pca` takes the principal components, which takes seconds.
    pub fn new(noise: Noise, images: &Images) -> Self {
        Self::of(noise, Grain::default(), images)
    }

    /// The same, of a grain.
    pub fn of(noise: Noise, grain: Grain, images: &Images) -> Self {
        let grid = grain.grid(images.shape());
        let drawn = match noise {
            Noise::Uniform => Drawn::Uniform,
            Noise::Gaussian(it) => Drawn::Gaussian(it),
            Noise::Binary => Drawn::Binary,
            Noise::Patch => Drawn::Patch,
            Noise::Gabor => Drawn::Gabor(Arc::new(Gabor::new(grid))),
            Noise::Pca => Drawn::Pca(Arc::new(Pca::new(images))),
        };
        Self {
            noise,
            grid,
            cells: grain.cells(images.shape()).map(Arc::from),
            drawn,
        }
    }

    /// Channels, rows and columns of one noise image on its grid.
    pub fn grid(&self) -> Shape {
        self.grid
    }

    /// Numbers of one noise image on its grid.
    pub fn points(&self) -> usize {
        self.grid.iter().product()
    }

    /// Values of noise images by their points, \[N,points\], as they are shown, \[N,C·H·W\].
    pub fn show(&self, noise: &[u16]) -> Vec<f32> {
        let grid = self.noise.grid();
        match &self.cells {
            None => values(noise, grid),
            Some(cells) => {
                let images = noise.chunks_exact(self.points());
                let shown = images.flat_map(|image| {
                    let values = values(image, grid);
                    cells.iter().map(move |&cell| values[cell])
                });
                shown.collect()
            }
        }
    }

    /// For every number of an image the number of the grid that it shows; `None` where each shows its own.
    pub fn cells(&self) -> Option<&[usize]> {
        self.cells.as_deref()
    }

    /// Its kind.
    pub fn noise(&self) -> Noise {
        self.noise
    }

    /// Standard normal numbers that one image is made of.
    pub fn normals(&self) -> usize {
        match &self.drawn {
            Drawn::Gaussian(_) => self.points(),
            Drawn::Gabor(gabor) => gabor.normals(),
            _ => 0,
        }
    }

    /// For Gabor noise what makes up each pixel of its grid of H rows and W columns, as words, \[3,9,H·W\]: of each
    /// size of tiles, the tile that the pixel lies in and the bits of the `f32` values of its eight filters there.
    pub fn filters(&self) -> Option<Vec<u32>> {
        match &self.drawn {
            Drawn::Gabor(gabor) => Some(gabor.words()),
            _ => None,
        }
    }

    /// For patch noise all that is random in `trials` images: of each of their C channels the pixel at which the
    /// white square begins, \[trials,C\].
    pub fn places(&self, rng: &mut ChaCha8Rng, trials: usize) -> Option<Vec<u32>> {
        match &self.drawn {
            Drawn::Patch => Some(places(rng, trials, self.grid).collect()),
            _ => None,
        }
    }

    /// Draws `trials` noise images: their points on the grid, \[trials,points\].
    pub fn draw(&self, rng: &mut ChaCha8Rng, trials: usize) -> Vec<u16> {
        let count = trials * self.points();
        match &self.drawn {
            Drawn::Uniform => uniform(rng, count),
            Drawn::Gaussian(it) => gaussian(rng, *it, count),
            Drawn::Binary => binary(rng, count),
            Drawn::Patch => patch(rng, trials, self.grid),
            Drawn::Gabor(gabor) => gabor.draw(rng, trials),
            Drawn::Pca(pca) => pca.draw(rng, trials),
        }
    }
}

/// `count` points of the 16-bit grid, equally likely.
fn uniform(rng: &mut ChaCha8Rng, count: usize) -> Vec<u16> {
    let mut points = vec![0; count];
    chacha::fill(rng, &mut points);
    points
}

/// `count` points of the grid of [`Noise::Gaussian`].
fn gaussian(rng: &mut ChaCha8Rng, it: Gaussian, count: usize) -> Vec<u16> {
    let grid = Noise::Gaussian(it).grid();
    let centre = ((0.5 - grid.offset) / grid.step).round();
    let scale = it.sigma / grid.step;
    let mut points = vec![0; count];
    let mut normals = [0.0; 1024];
    for points in points.chunks_mut(normals.len()) {
        let normals = &mut normals[..points.len()];
        normal::fill(rng, normals);
        in_vectors(
            #[inline(always)]
            || {
                for (point, n) in points.iter_mut().zip(&*normals) {
                    *point = gaussian_point(*n, centre, scale);
                }
            },
        );
    }
    points
}

/// The point next to `n` standard deviations from the centre, clipped at the ends of the grid.
#[inline(always)]
fn gaussian_point(n: f64, centre: f64, scale: f64) -> u16 {
    let place = (centre + scale * n).clamp(0.0, 2.0 * centre);
    // Halves are rounded up; what is whole after the clip was whole before it.
    let whole = place.trunc();
    (whole + f64::from(u8::from(place - whole >= 0.5))) as u16
}

/// `count` points 0 or 1, equally likely.
fn binary(rng: &mut ChaCha8Rng, count: usize) -> Vec<u16> {
    let mut bytes = vec![0; count.div_ceil(8)];
    rng.fill_bytes(&mut bytes);
    let bits = bytes
        .iter()
        .flat_map(|byte| (0..8).map(move |bit| byte >> bit & 1));
    bits.take(count).map(u16::from).collect()
}

/// One white square an image and channel, on a grid of whole squares.
fn patch(rng: &mut ChaCha8Rng, trials: usize, grid: Shape) -> Vec<u16> {
    let [channels, height, width] = grid;
    let mut points = vec![0; trials * channels * height * width];
    let images = points.chunks_exact_mut(height * width);
    for (image, place) in images.zip(places(rng, trials, grid)) {
        for row in 0..PATCH {
            image[place as usize + row * width..][..PATCH].fill(1);
        }
    }
    points
}

/// Their first pixels, \[trials,channels\].
fn places(
    rng: &mut ChaCha8Rng,
    trials: usize,
    [channels, height, width]: Shape,
) -> impl Iterator<Item = u32> {
    (0..trials * channels).map(move |_| {
        let top = PATCH * rng.random_range(0..height / PATCH);
        let left = PATCH * rng.random_range(0..width / PATCH);
        (top * width + left) as u32
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stimulus::values;
    use rand::SeedableRng;

    const PIXELS: usize = 12 * 12;

    /// Noise-like images with a slope, so that there are principal components.
    fn images() -> Images {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let count = 60;
        let mut pixels = Vec::new();
        for _ in 0..count {
            let (down, across) = (rng.random_range(-9..9), rng.random_range(-9..9));
            pixels.extend((0..12 * 12).map(|i: i32| {
                let slope = down * (i / 12 - 6) + across * (i % 12 - 6);
                (128 + slope + rng.random_range(-10..10)).clamp(0, 255) as u8
            }));
        }
        Images {
            pixels: pixels.into(),
            labels: vec![0; count].into(),
            channels: 1,
            height: 12,
            width: 12,
            classes: 1,
        }
    }

    fn kinds() -> [Noise; 7] {
        [
            Noise::Uniform,
            Noise::Gaussian(Gaussian::default()),
            Noise::Gaussian(Gaussian { sigma: 1.0 }),
            Noise::Binary,
            Noise::Patch,
            Noise::Gabor,
            Noise::Pca,
        ]
    }

    fn draw(noise: Noise, seed: u64, trials: usize) -> Vec<u16> {
        let source = Source::new(noise, &images());
        source.draw(&mut ChaCha8Rng::seed_from_u64(seed), trials)
    }

    fn drawn(noise: Noise, trials: usize) -> Vec<f64> {
        let points = draw(noise, 3, trials);
        values(&points, noise.grid())
            .into_iter()
            .map(f64::from)
            .collect()
    }

    fn moments(values: &[f64]) -> (f64, f64) {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
        (mean, variance.sqrt())
    }

    #[test]
    fn every_kind_is_the_same_for_the_same_seed_and_another_for_another() {
        for noise in kinds() {
            let first = draw(noise, 5, 40);
            assert_eq!(first.len(), 40 * PIXELS);
            assert_eq!(first, draw(noise, 5, 40), "{noise:?}");
            assert_ne!(first, draw(noise, 6, 40), "{noise:?}");
        }
    }

    #[test]
    fn every_kind_whose_deviation_is_known_has_it() {
        for noise in kinds() {
            let (_, measured) = moments(&drawn(noise, 2000));
            if let Some(deviation) = noise.deviation([1, 12, 12])
                && noise != Noise::Patch
            {
                // A standard error of a deviation of 288,000 values is at most 0.2 %.
                assert!(
                    (measured / deviation - 1.0).abs() < 0.01,
                    "{noise:?} {measured}"
                );
            }
            assert!(measured > 0.01, "{noise:?}");
        }
    }

    #[test]
    fn every_kind_but_patch_and_pca_is_grey_on_average() {
        for noise in kinds() {
            let expected = match noise {
                // One square of the 3×3 in these images.
                Noise::Patch => 1.0 / 9.0,
                Noise::Pca => continue,
                _ => 0.5,
            };
            let (mean, deviation) = moments(&drawn(noise, 2000));
            // Gabor images have about a dozen independent pixels each.
            let error = deviation / (2000.0 * 12.0_f64).sqrt();
            assert!((mean - expected).abs() < 5.0 * error, "{noise:?} {mean}");
        }
    }

    #[test]
    fn values_lie_where_the_kind_says() {
        for noise in kinds() {
            let (low, high) = match noise {
                Noise::Gaussian(it) => (0.5 - 6.0 * it.sigma, 0.5 + 6.0 * it.sigma),
                _ => (0.0, 1.0),
            };
            let inside = |&v: &f64| (low..=high).contains(&v);
            assert!(drawn(noise, 500).iter().all(inside), "{noise:?}");
        }
    }

    #[test]
    fn a_value_is_the_point_of_the_grid_to_the_bit() {
        for noise in kinds() {
            let grid = noise.grid();
            let points: Vec<u16> = (0..=u16::MAX).collect();
            for (&k, value) in points.iter().zip(values(&points, grid)) {
                assert_eq!(value, grid.value(f64::from(k)) as f32);
            }
        }
    }

    #[test]
    fn only_white_noise_has_independent_neighbours() {
        for noise in kinds() {
            let values = drawn(noise, 500);
            let (mean, deviation) = moments(&values);
            let pairs = values.chunks_exact(2);
            let count = pairs.len() as f64;
            let product: f64 = pairs.map(|pair| (pair[0] - mean) * (pair[1] - mean)).sum();
            let r = product / count / deviation.powi(2);
            let bound = 5.0 / count.sqrt();
            assert_eq!(r.abs() < bound, noise.is_white(), "{noise:?}: {r}");
        }
    }

    #[test]
    fn gaussian_noise_is_clipped_at_six_deviations() {
        for sigma in [0.01, 0.25, 1.0] {
            let grid = Noise::Gaussian(Gaussian { sigma }).grid();
            let centre = ((0.5 - grid.offset) / grid.step).round();
            let point = |n| gaussian_point(n, centre, sigma / grid.step);
            assert_eq!(grid.value(f64::from(point(0.0))), 0.5);
            assert_eq!((point(-6.5), point(-99.0)), (0, 0));
            assert_eq!(f64::from(point(99.0)), 2.0 * centre);
            let high = grid.value(f64::from(point(6.5)));
            assert!(high <= 0.5 + 6.0 * sigma && high > 0.5 + 6.0 * sigma - grid.step);
        }
    }

    #[test]
    fn binary_noise_is_black_or_white() {
        let points = draw(Noise::Binary, 1, 500);
        assert!(points.iter().all(|&k| k < 2));
        let values = drawn(Noise::Binary, 10);
        assert!(values.iter().all(|&v| v == 0.0 || v == 1.0));
    }

    #[test]
    fn patch_noise_is_one_white_square_in_any_of_49_places() {
        let points = patch(&mut ChaCha8Rng::seed_from_u64(2), 1000, [1, 28, 28]);
        let mut places = std::collections::BTreeMap::new();
        for image in points.chunks_exact(784) {
            let white: Vec<usize> = (0..784).filter(|&i| image[i] == 1).collect();
            assert_eq!(white.len(), 16);
            assert_eq!(image.iter().filter(|&&k| k == 0).count(), 768);
            let (row, column) = (white[0] / 28, white[0] % 28);
            assert_eq!((row % 4, column % 4), (0, 0));
            assert_eq!(white[15], white[0] + 3 * 28 + 3);
            *places.entry(white[0]).or_insert(0) += 1;
        }
        let (mean, deviation) = moments(&points.iter().map(|&k| f64::from(k)).collect::<Vec<_>>());
        assert!((mean - 1.0 / 49.0).abs() < 1e-12);
        assert!((deviation - Noise::Patch.deviation([1, 28, 28]).unwrap()).abs() < 1e-9);
        assert_eq!(places.len(), 49);
        // 1000/49 = 20.4 ± 4.5 each.
        assert!(places.values().all(|&n| (3..45).contains(&n)), "{places:?}");
    }

    /// Sessions of earlier versions go on with the same trials.
    #[test]
    fn uniform_noise_is_what_it_has_always_been() {
        let points = uniform(&mut ChaCha8Rng::seed_from_u64(7), 2000);
        assert_eq!(points[..4], [17339, 9175, 21300, 10341]);
        // The two halves of every word of the generator, the lower one first.
        let mut words = ChaCha8Rng::seed_from_u64(7);
        for pair in points.chunks_exact(2) {
            let word = words.next_u32();
            assert_eq!(pair, [word as u16, (word >> 16) as u16]);
        }
    }

    /// Points of every kind as version 0.1.0 drew them: a dependency that draws others would let a run
    /// go on with other trials than it began with. (first points, CRC-32 of three images)
    #[test]
    fn every_kind_of_noise_is_what_it_has_always_been() {
        for (noise, (first, crc)) in kinds().into_iter().zip(ALWAYS) {
            let points = draw(noise, 11, 3);
            let bytes: Vec<u8> = points.iter().flat_map(|k| k.to_le_bytes()).collect();
            let found = crc32fast::hash(&bytes);
            if noise == Noise::Pca {
                // Matrix products differ in their last bits between processors.
                let near = points.iter().zip(first).all(|(&a, b)| a.abs_diff(b) <= 2);
                assert!(near, "{noise:?}: {:?}", &points[..4]);
            } else {
                assert_eq!((&points[..4], found), (&first[..], crc), "{noise:?}");
            }
        }
    }

    const ALWAYS: [([u16; 4], u32); 7] = [
        ([53528, 21141, 17181, 23374], 0x7467_7ebd),
        ([5401, 4634, 5729, 6293], 0xb4f2_a5f9),
        ([21605, 18538, 22916, 25172], 0xd637_2e9e),
        ([0, 0, 0, 1], 0x14af_a526),
        ([0, 0, 0, 0], 0xa736_9ca6),
        ([26371, 23334, 22340, 32775], 0xaa47_fdff),
        ([28446, 27467, 28074, 30301], 0xb680_4a4c),
    ];
}
