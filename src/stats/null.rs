//! What maps look like where there is no signal, for noise whose pixels go together.
//!
//! A map is a sum of noise images, each times a response. Where the response knows nothing of the
//! noise its sign is as good as any other, so sums of the same noise under random signs are maps of
//! the null hypothesis (Nichols & Holmes, *Nonparametric permutation tests for functional
//! neuroimaging*, Human Brain Mapping 15:1, 2002). They have the noise's covariance, whatever it is:
//! from them follow the bound on |z|, the sizes of clusters, and how uncertain a reliability is.
//! Differences of two noise images are summed, whose mean is 0, so that none has to be known.

use matrixmultiply::sgemm;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::cluster;
use super::interval::{ALPHA, NORMAL_95};
use super::numbers::Shape;

/// Most maps under random signs: 5 % of them are enough to tell a bound.
const MAPS: usize = 999;

/// Least of them: p ≤ 0.05 needs 19, and a bound some more.
const LEAST: usize = 99;

/// Numbers of all maps under random signs together, about: larger maps are fewer.
const NUMBERS: usize = 1 << 24;

/// Numbers of the maps that are kept, at most.
const KEPT: usize = 1 << 18;

/// Most maps that are kept. An error's variance is known to √(2/64) = 18 % from them.
const MOST_KEPT: usize = 64;

/// Least maps from which an interval is computed.
const LEAST_KEPT: usize = 16;

/// Maps by which the square of the covariance is known: that of every two of them.
const CROSSED: usize = 24;

/// Least noise images, in effect, that vary a pixel: fewer leave sums under random signs far from
/// normal.
const EVENTS: f64 = 30.0;

/// Steps in which the maps that are kept count one standard deviation.
const STEPS: f32 = 16.0;

/// What a step of 0 is as a byte.
const ZERO: f32 = 128.0;

/// Sums of noise images under random signs, while they are drawn.
pub struct Simulation {
    shape: Shape,
    count: usize,
    /// \[count,P\].
    maps: Vec<f32>,
    /// Σd² and Σd⁴ of the differences d of noise images, \[P\].
    squares: Vec<f64>,
    fourth: Vec<f64>,
    signs: ChaCha8Rng,
}

impl Simulation {
    /// Nothing drawn yet, for maps of a shape.
    pub fn new(shape: Shape) -> Self {
        let pixels = shape.iter().product::<usize>().max(1);
        let count = (NUMBERS / pixels).clamp(LEAST, MAPS);
        Self {
            shape,
            count,
            maps: vec![0.0; count * pixels],
            squares: vec![0.0; pixels],
            fourth: vec![0.0; pixels],
            // The null is a property of the noise: the same in every session.
            signs: ChaCha8Rng::seed_from_u64(0x6e75_6c6c),
        }
    }

    /// Adds noise images, \[N,P\]: the first less the second, the third less the fourth, and so on. One
    /// without a partner is left out.
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
        // SAFETY: the three have exactly the numbers that these sizes and strides reach.
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

    /// What follows; `None` where too few noise images vary a pixel.
    pub fn finish(mut self) -> Option<Simulated> {
        let pixels = self.squares.len();
        let mut moments = self.squares.iter().zip(&self.fourth);
        let enough = |(squares, fourth): (&f64, &f64)| {
            *squares == 0.0 || squares * squares >= EVENTS * fourth
        };
        if !moments.all(enough) || self.squares.iter().all(|&it| it == 0.0) {
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
        let at = ((1.0 - ALPHA) * (self.count + 1) as f64).ceil() as usize;
        let smoothed: Vec<Vec<f32>> = maps().map(|map| cluster::smooth(map, self.shape)).collect();
        let mut deviations = vec![0.0_f64; pixels];
        for map in &smoothed {
            let sums = deviations.iter_mut().zip(map);
            sums.for_each(|(sum, z)| *sum += f64::from(*z).powi(2) / self.count as f64);
        }
        let deviations: Vec<f32> = deviations.iter().map(|sum| sum.sqrt() as f32).collect();
        let mut largest: Vec<i64> = smoothed
            .into_iter()
            .map(|map| cluster::largest(&cluster::scaled(map, &deviations), self.shape) as i64)
            .collect();
        largest.sort_unstable();
        let kept = self.count.min(MOST_KEPT).min(KEPT / pixels);
        let byte = |z: &f32| (z * STEPS + ZERO).round().clamp(0.0, 255.0) as u8;
        Some(Simulated {
            bound: f64::from(peaks[at.min(self.count) - 1]),
            deviations,
            largest,
            maps: self.maps[..kept * pixels].iter().map(byte).collect(),
        })
    }
}

/// What follows from a simulation.
#[derive(Debug, Clone, PartialEq)]
pub struct Simulated {
    /// |z| that one map in twenty reaches anywhere.
    pub bound: f64,
    /// Standard deviation of the smoothed z map at every pixel, \[P\].
    pub deviations: Vec<f32>,
    /// The size of the largest cluster of every map, ascending.
    pub largest: Vec<i64>,
    /// Some of the z maps, \[N,P\], in sixteenths around 128; none of very large images.
    pub maps: Vec<u8>,
}

impl Simulated {
    /// As statistics take it.
    pub fn view(&self) -> Null<'_> {
        Null {
            bound: self.bound,
            deviations: &self.deviations,
            largest: &self.largest,
            maps: &self.maps,
        }
    }
}

/// The same, wherever it is kept.
#[derive(Debug, Clone, Copy)]
pub struct Null<'a> {
    /// [`Simulated::bound`].
    pub bound: f64,
    /// [`Simulated::deviations`].
    pub deviations: &'a [f32],
    /// [`Simulated::largest`].
    pub largest: &'a [i64],
    /// [`Simulated::maps`].
    pub maps: &'a [u8],
}

impl Null<'_> {
    /// Tests a z map of this shape by what its smoothed clusters are under random signs.
    pub fn clusters(&self, z: &[f32], shape: Shape) -> Vec<cluster::Cluster> {
        let smoothed = cluster::scaled(cluster::smooth(z, shape), self.deviations);
        // The share of maps, this one among them, with a cluster as large.
        let chance = |size: usize| {
            let smaller = self.largest.partition_point(|&it| it < size as i64);
            (self.largest.len() - smaller + 1) as f64 / (self.largest.len() + 1) as f64
        };
        cluster::found(&smoothed, shape, chance)
    }

    /// Maps of errors alone, with these standard errors; `None` where too few are kept.
    fn maps(&self, errors: &[f64]) -> Option<Vec<Vec<f64>>> {
        let pixels = errors.len().max(1);
        let maps = self.maps.chunks_exact(pixels);
        (maps.len() >= LEAST_KEPT).then(|| {
            let of = |map: &[u8]| {
                let pairs = map.iter().zip(errors);
                let z = |byte: u8| f64::from((f32::from(byte) - ZERO) / STEPS);
                pairs.map(|(&byte, error)| z(byte) * error).collect()
            };
            maps.map(of).collect()
        })
    }

    /// The 95 % interval of the correlation of two halves of a map; `errors` are the standard errors of
    /// the whole, which those of a half are √2 times.
    ///
    /// The map is what it is and only the trials vary. By the delta method, Var r = Q(∂r/∂a) + Q(∂r/∂b)
    /// with Q(g) = gᵀΣg from the kept maps. The halves that stand for the map have errors themselves,
    /// which adds tr Σ²·(1+r²)/(|a||b|)² twice where it belongs once. For errors that are independent this
    /// is the (1−r)²(1+2r−r²)/P of
    /// [`reliability_interval`](super::correlation::reliability_interval).
    pub fn correlation_interval(
        &self,
        [a, b]: [&[f64]; 2],
        r: f64,
        errors: &[f64],
    ) -> Option<[f64; 2]> {
        if !r.is_finite() || errors.len() < 8 {
            return None;
        }
        if r >= 1.0 {
            return Some([1.0; 2]);
        }
        let errors: Vec<f64> = errors
            .iter()
            .map(|error| error * std::f64::consts::SQRT_2)
            .collect();
        let maps: Vec<Vec<f64>> = self
            .maps(&errors)?
            .into_iter()
            .map(|map| centred(&map))
            .collect();
        let (a, b) = (centred(a), centred(b));
        // Halves are known up to one factor each: errors are those of a half with the whole's own size.
        let (aa, bb) = (dot(&a, &a), dot(&b, &b));
        if aa <= 0.0 || bb <= 0.0 {
            return None;
        }
        let slope = |own: &[f64], other: &[f64], square: f64| -> Vec<f64> {
            let pairs = own.iter().zip(other);
            pairs
                .map(|(own, other)| other / (aa * bb).sqrt() - r * own / square)
                .collect()
        };
        let spread = quadratic(&maps, &slope(&a, &b, aa)) + quadratic(&maps, &slope(&b, &a, bb));
        let twice = crossed(&maps) * (1.0 + r * r) / (aa * bb);
        // The correction never takes more than the half of it that theory knows.
        let variance = (spread - twice).max(spread / 2.0);
        let error = variance.sqrt() / (1.0 - r * r);
        let end = |side: f64| (r.atanh() + side * NORMAL_95 * error).tanh();
        Some([end(-1.0), end(1.0)])
    }

    /// The 95 % interval of the signal-to-noise ratio (|c|² − N)/N of a map c, N being ΣSE²: |c|² has the
    /// variance 4·cᵀΣc + 2·tr Σ² about a signal c.
    pub fn snr_interval(&self, image: &[f64], errors: &[f64]) -> Option<[f64; 2]> {
        let maps = self.maps(errors)?;
        let noise: f64 = errors.iter().map(|error| error * error).sum();
        let power = dot(image, image);
        if noise <= 0.0 {
            return None;
        }
        let trace = crossed(&maps);
        // The map that stands for the signal has errors, which adds tr Σ² once to cᵀΣc.
        let linear = (quadratic(&maps, image) - trace).max(0.0);
        let spread = (4.0 * linear + 2.0 * trace).sqrt();
        let end = |side: f64| (power + side * NORMAL_95 * spread - noise) / noise;
        Some([end(-1.0), end(1.0)])
    }
}

/// gᵀΣg, Σ being the covariance of the errors that `maps` are.
fn quadratic(maps: &[Vec<f64>], g: &[f64]) -> f64 {
    let squares = maps.iter().map(|map| dot(map, g).powi(2));
    squares.sum::<f64>() / maps.len() as f64
}

/// tr Σ²: the mean square of the product of two errors.
fn crossed(maps: &[Vec<f64>]) -> f64 {
    let maps = &maps[..maps.len().min(CROSSED)];
    let pairs = maps.len() * (maps.len() - 1) / 2;
    let of = |at: usize| {
        maps[..at]
            .iter()
            .map(move |map| dot(map, &maps[at]).powi(2))
    };
    (0..maps.len()).flat_map(of).sum::<f64>() / pairs as f64
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn centred(map: &[f64]) -> Vec<f64> {
    let mean = map.iter().sum::<f64>() / map.len().max(1) as f64;
    map.iter().map(|v| v - mean).collect()
}

/// What is known of how the errors of a map's pixels go together.
#[derive(Debug, Clone, Copy)]
pub enum Errors<'a> {
    /// They are independent: the noise is white.
    Independent,
    /// As in sums of the noise under random signs.
    Simulated(Null<'a>),
    /// Nothing: noise that is not white, of which no sums were simulated.
    Unknown,
}

impl Errors<'_> {
    /// |z| past which a pixel of a map of so many is significant, at 5 % for the whole map: Bonferroni's, or
    /// the lower one that 95 % of maps under random signs stay below.
    pub fn bound(&self, pixels: usize) -> f64 {
        let most = super::interval::bonferroni(pixels, ALPHA);
        match self {
            Self::Simulated(null) => null.bound.min(most),
            Self::Independent | Self::Unknown => most,
        }
    }

    /// The significant clusters of a z map; `None` where nothing is known.
    pub fn clusters(&self, z: &[f32], shape: Shape) -> Option<Vec<cluster::Cluster>> {
        match self {
            Self::Independent => Some(cluster::clusters(z, shape).clusters),
            Self::Simulated(null) => Some(null.clusters(z, shape)),
            Self::Unknown => None,
        }
    }

    /// The 95 % interval of a signal-to-noise ratio; `None` where nothing is known.
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
