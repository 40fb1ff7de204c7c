//! The null distribution of maps for noise with correlated pixels, simulated under random signs.
//!
//! A map is a sum of noise images, each times a response. If the response is independent of the noise,
//! its sign is arbitrary, so sums of the same noise under random signs are maps under
//! the null hypothesis (Nichols & Holmes, *Nonparametric permutation tests for functional
//! neuroimaging*, Human Brain Mapping 15:1, 2002). They have the noise's covariance, whatever it is,
//! and give the bound on |z|, the sizes of clusters and the uncertainty of a reliability.
//! The sums are over differences of two noise images: their mean is 0, so the noise's mean need not be known.

use matrixmultiply::sgemm;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::cluster;
use super::interval::{ALPHA, NORMAL_95};
use super::numbers::Shape;

/// Most maps under random signs: 5 % of them are enough to estimate a bound.
const MAX_MAPS: usize = 999;

/// Fewest of them: p ≤ 0.05 needs 19, and a bound some more.
const MIN_MAPS: usize = 99;

/// Approximate total size of all maps under random signs, in numbers: there are fewer maps if they are larger.
const MAX_NUMBERS: usize = 1 << 24;

/// Largest total size of the maps that are kept, in numbers.
const MAX_KEPT_NUMBERS: usize = 1 << 18;

/// Most maps that are kept, fewer than there are. An error's variance is known to √(2/64) = 18 % from them.
const MAX_KEPT_MAPS: usize = 64;

/// Fewest maps from which an interval is computed.
const MIN_KEPT_MAPS: usize = 16;

/// Maps whose pairwise products estimate the square of the covariance.
const MAPS_MULTIPLIED: usize = 24;

/// Smallest effective number of noise images that vary a pixel: with fewer, sums under random signs are far from
/// normal.
const MIN_EVENTS: f64 = 30.0;

/// Quantization steps per standard deviation in the maps that are kept.
const STEPS_PER_DEVIATION: f32 = 16.0;

/// The byte that stands for 0.
const ZERO_BYTE: f32 = 128.0;

/// Running sums of noise images under random signs.
pub struct NullSimulation {
    shape: Shape,
    count: usize,
    /// \[count,P\].
    maps: Vec<f32>,
    /// Σd² and Σd⁴ of the differences d of noise images, \[P\].
    squares: Vec<f64>,
    fourth: Vec<f64>,
    signs: ChaCha8Rng,
}

impl NullSimulation {
    /// An empty simulation for maps of this shape.
    pub fn new(shape: Shape) -> Self {
        let pixels = shape.iter().product::<usize>().max(1);
        let count = (MAX_NUMBERS / pixels).clamp(MIN_MAPS, MAX_MAPS);
        Self {
            shape,
            count,
            maps: vec![0.0; count * pixels],
            squares: vec![0.0; pixels],
            fourth: vec![0.0; pixels],
            // A fixed seed: the null is a property of the noise, the same in every session.
            signs: ChaCha8Rng::seed_from_u64(0x6e75_6c6c),
        }
    }

    /// Adds noise images, \[N,P\], in pairs: the first minus the second, the third minus the fourth, and so on.
    /// An unpaired last image is ignored.
    pub fn add(&mut self, noise: &[f32]) {
        let pixels = self.squares.len();
        let pairs = noise.chunks_exact(2 * pixels);
        let differences: Vec<f32> = pairs
            .flat_map(|pair| {
                let (a, b) = pair.split_at(pixels);
                a.iter().zip(b).map(|(a, b)| a - b)
            })
            .collect();
        let n = differences.len() / pixels;
        for image in differences.chunks_exact(pixels) {
            let sums = self.squares.iter_mut().zip(&mut self.fourth);
            for ((squares, fourth), d) in sums.zip(image) {
                let square = f64::from(*d).powi(2);
                *squares += square;
                *fourth += square * square;
            }
        }
        let sign = |_| {
            if self.signs.next_u32() & 1 == 0 {
                1.0
            } else {
                -1.0
            }
        };
        let signs: Vec<f32> = (0..self.count * n).map(sign).collect();
        // maps [count,P] += signs [count,n] · differences [n,P].
        // SAFETY: the three slices have exactly the lengths that these sizes and strides reach.
        unsafe {
            sgemm(
                self.count,
                n,
                pixels,
                1.0,
                signs.as_ptr(),
                n as isize,
                1,
                differences.as_ptr(),
                pixels as isize,
                1,
                1.0,
                self.maps.as_mut_ptr(),
                pixels as isize,
                1,
            );
        }
    }

    /// The null distribution; `None` if too few noise images vary some pixel.
    pub fn finish(mut self) -> Option<NullDistribution> {
        let pixels = self.squares.len();
        let mut moments = self.squares.iter().zip(&self.fourth);
        let enough = |(squares, fourth): (&f64, &f64)| {
            *squares == 0.0 || squares * squares >= MIN_EVENTS * fourth
        };
        if !moments.all(enough) || self.squares.iter().all(|&square| square == 0.0) {
            return None;
        }
        for map in self.maps.chunks_exact_mut(pixels) {
            for (z, squares) in map.iter_mut().zip(&self.squares) {
                *z = match *squares > 0.0 {
                    true => *z / squares.sqrt() as f32,
                    false => 0.0,
                };
            }
        }
        let maps = || self.maps.chunks_exact(pixels);
        let mut peaks: Vec<f32> = maps()
            .map(|map| map.iter().fold(0.0, |most, z| z.abs().max(most)))
            .collect();
        peaks.sort_by(f32::total_cmp);
        let smoothed: Vec<Vec<f32>> = maps().map(|map| cluster::smooth(map, self.shape)).collect();
        let mut deviations = vec![0.0_f64; pixels];
        for map in &smoothed {
            let sums = deviations.iter_mut().zip(map);
            sums.for_each(|(sum, z)| *sum += f64::from(*z).powi(2) / self.count as f64);
        }
        let deviations: Vec<f32> = deviations.iter().map(|sum| sum.sqrt() as f32).collect();
        let mut largest: Vec<i64> = smoothed
            .into_iter()
            .map(|map| {
                cluster::largest_cluster_size(&cluster::standardized(map, &deviations), self.shape)
                    as i64
            })
            .collect();
        largest.sort_unstable();
        let byte = |z: &f32| {
            (z * STEPS_PER_DEVIATION + ZERO_BYTE)
                .round()
                .clamp(0.0, 255.0) as u8
        };
        Some(NullDistribution {
            bound: peak_bound(&peaks),
            deviations,
            largest,
            maps: self.maps[..kept_maps(pixels) * pixels]
                .iter()
                .map(byte)
                .collect(),
        })
    }
}

/// |z| that one map in twenty reaches, from the peaks of 19 or more maps under random signs, ascending: with a
/// map beyond it as one more, at most [`ALPHA`] of all peaks are beyond it.
fn peak_bound(peaks: &[f32]) -> f64 {
    let rank = ((1.0 - ALPHA) * (peaks.len() + 1) as f64).ceil() as usize;
    f64::from(peaks[rank - 1])
}

/// How many maps of this size are kept.
fn kept_maps(pixels: usize) -> usize {
    MAX_KEPT_MAPS.min(MAX_KEPT_NUMBERS / pixels)
}

/// The null distribution that a simulation found.
#[derive(Debug, Clone, PartialEq)]
pub struct NullDistribution {
    /// |z| that one map in twenty reaches at some pixel.
    pub bound: f64,
    /// Standard deviation of the smoothed z map at every pixel, \[P\].
    pub deviations: Vec<f32>,
    /// The size of each map's largest cluster, ascending.
    pub largest: Vec<i64>,
    /// Some of the z maps, \[N,P\], in sixteenths around 128; empty for very large images.
    pub maps: Vec<u8>,
}

impl NullDistribution {
    /// A borrowed view, as the statistics take it.
    pub fn as_null_ref(&self) -> NullRef<'_> {
        NullRef {
            bound: self.bound,
            deviations: &self.deviations,
            largest: &self.largest,
            maps: &self.maps,
        }
    }
}

/// A borrowed null distribution, wherever it is stored.
#[derive(Debug, Clone, Copy)]
pub struct NullRef<'a> {
    /// [`NullDistribution::bound`].
    pub bound: f64,
    /// [`NullDistribution::deviations`].
    pub deviations: &'a [f32],
    /// [`NullDistribution::largest`].
    pub largest: &'a [i64],
    /// [`NullDistribution::maps`].
    pub maps: &'a [u8],
}

impl NullRef<'_> {
    /// Tests a z map of this shape against the cluster sizes under random signs.
    pub fn clusters(&self, z: &[f32], shape: Shape) -> Vec<cluster::Cluster> {
        let smoothed = cluster::standardized(cluster::smooth(z, shape), self.deviations);
        // The share of maps, including this one, with a cluster at least as large.
        let chance = |size: usize| {
            let smaller = self
                .largest
                .partition_point(|&largest| largest < size as i64);
            (self.largest.len() - smaller + 1) as f64 / (self.largest.len() + 1) as f64
        };
        cluster::significant_clusters(&smoothed, shape, chance)
    }

    /// Simulated error maps with these standard errors; `None` if too few maps are kept.
    fn maps(&self, errors: &[f64]) -> Option<Vec<Vec<f64>>> {
        let pixels = errors.len().max(1);
        let maps = self.maps.chunks_exact(pixels);
        (maps.len() >= MIN_KEPT_MAPS).then(|| {
            let scaled_map = |map: &[u8]| {
                let pairs = map.iter().zip(errors);
                let z = |byte: u8| f64::from((f32::from(byte) - ZERO_BYTE) / STEPS_PER_DEVIATION);
                pairs.map(|(&byte, error)| z(byte) * error).collect()
            };
            maps.map(scaled_map).collect()
        })
    }

    /// The 95 % interval of the correlation of two halves of a map. `errors` are the standard errors of
    /// the whole map, which has `length` times as many trials as a half: those of a half are √length times as large.
    ///
    /// The map is fixed and only the trials vary. By the delta method, Var r = Q(∂r/∂a) + Q(∂r/∂b)
    /// with Q(g) = gᵀΣg from the kept maps. The halves, used in place of the true map, have errors themselves,
    /// which counts tr Σ²·(1+r²)/(|a||b|)² twice instead of once. For independent errors this is
    /// (1−r)²(1+2r−r²)/P, as in [`correlation_interval`](super::correlation::correlation_interval).
    pub fn correlation_interval(
        &self,
        [a, b]: [&[f64]; 2],
        r: f64,
        errors: &[f64],
        length: f64,
    ) -> Option<[f64; 2]> {
        if !r.is_finite() || errors.len() < 8 {
            return None;
        }
        if r >= 1.0 {
            return Some([1.0; 2]);
        }
        let errors: Vec<f64> = errors.iter().map(|error| error * length.sqrt()).collect();
        let maps: Vec<Vec<f64>> = self
            .maps(&errors)?
            .into_iter()
            .map(|map| centred(&map))
            .collect();
        let (a, b) = (centred(a), centred(b));
        // Halves are known up to a factor each; the errors are those of a half on the scale of the whole.
        let (aa, bb) = (dot(&a, &a), dot(&b, &b));
        if aa <= 0.0 || bb <= 0.0 {
            return None;
        }
        let slope = |half: &[f64], other: &[f64], square: f64| -> Vec<f64> {
            let pairs = half.iter().zip(other);
            pairs
                .map(|(half, other)| other / (aa * bb).sqrt() - r * half / square)
                .collect()
        };
        let spread = quadratic(&maps, &slope(&a, &b, aa)) + quadratic(&maps, &slope(&b, &a, bb));
        let twice = mean_squared_product(&maps) * (1.0 + r * r) / (aa * bb);
        // In theory the correction is at most half the spread.
        let variance = (spread - twice).max(spread / 2.0);
        let error = variance.sqrt() / (1.0 - r * r);
        let end = |side: f64| (r.atanh() + side * NORMAL_95 * error).tanh();
        Some([end(-1.0), end(1.0)])
    }

    /// The 95 % interval of the signal-to-noise ratio (|c|² − N)/N of a map c, where N = ΣSE²: for a signal c,
    /// |c|² has the variance 4·cᵀΣc + 2·tr Σ².
    pub fn snr_interval(&self, image: &[f64], errors: &[f64]) -> Option<[f64; 2]> {
        let maps = self.maps(errors)?;
        let noise: f64 = errors.iter().map(|error| error * error).sum();
        let power = dot(image, image);
        if noise <= 0.0 {
            return None;
        }
        let trace = mean_squared_product(&maps);
        // The map, used in place of the signal, has errors, which adds tr Σ² once to cᵀΣc.
        let linear = (quadratic(&maps, image) - trace).max(0.0);
        let spread = (4.0 * linear + 2.0 * trace).sqrt();
        let end = |side: f64| (power + side * NORMAL_95 * spread - noise) / noise;
        Some([end(-1.0), end(1.0)])
    }
}

/// gᵀΣg, where Σ is the covariance of the error maps.
fn quadratic(maps: &[Vec<f64>], g: &[f64]) -> f64 {
    let squares = maps.iter().map(|map| dot(map, g).powi(2));
    squares.sum::<f64>() / maps.len() as f64
}

/// tr Σ²: the mean squared product of two error maps.
fn mean_squared_product(maps: &[Vec<f64>]) -> f64 {
    let maps = &maps[..maps.len().min(MAPS_MULTIPLIED)];
    let pairs = maps.len() * (maps.len() - 1) / 2;
    let squared_products = |at: usize| {
        maps[..at]
            .iter()
            .map(move |map| dot(map, &maps[at]).powi(2))
    };
    (0..maps.len()).flat_map(squared_products).sum::<f64>() / pairs as f64
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn centred(map: &[f64]) -> Vec<f64> {
    let mean = map.iter().sum::<f64>() / map.len().max(1) as f64;
    map.iter().map(|v| v - mean).collect()
}

/// How the errors of a map's pixels are correlated.
#[derive(Debug, Clone, Copy)]
pub enum ErrorModel<'a> {
    /// Not at all: the noise is white.
    Independent,
    /// As in sums of the noise under random signs.
    Simulated(NullRef<'a>),
    /// Unknown: the noise is not white and its null has not been simulated.
    Unknown,
}

impl ErrorModel<'_> {
    /// |z| above which a pixel of a map of `pixels` is significant, at 5 % for the whole map: Bonferroni's, or
    /// the bound that 95 % of maps under random signs stay below if that is lower.
    pub fn bound(&self, pixels: usize) -> f64 {
        let most = super::interval::bonferroni(pixels, ALPHA);
        match self {
            Self::Simulated(null) => null.bound.min(most),
            Self::Independent | Self::Unknown => most,
        }
    }

    /// The significant clusters of a z map; `None` if the correlation is unknown.
    pub fn clusters(&self, z: &[f32], shape: Shape) -> Option<Vec<cluster::Cluster>> {
        match self {
            Self::Independent => Some(cluster::clusters(z, shape).clusters),
            Self::Simulated(null) => Some(null.clusters(z, shape)),
            Self::Unknown => None,
        }
    }

    /// The 95 % interval of a signal-to-noise ratio; `None` if the correlation is unknown.
    pub fn snr_interval(&self, snr: f64, image: &[f64], errors: &[f64]) -> Option<[f64; 2]> {
        match self {
            Self::Independent => Some(super::interval::snr_interval(snr, image.len())),
            Self::Simulated(null) => null.snr_interval(image, errors),
            Self::Unknown => None,
        }
    }
}

#[cfg(test)]
mod tests;
