//! The cluster test: regions of a smoothed z map that are too large to arise by chance.
//!
//! Chauvin, Worsley, Schyns, Arguin & Gosselin, *Accurate statistical tests for smooth
//! classification images*, J. Vision 5(9):1, 2005 (Stat4CI). A signal spread over many
//! pixels, none of which stands out alone, is found by the extent of the region above a low threshold.
//! The probability of so large a region in noise alone follows from the theory of Gaussian random
//! fields: Friston, Worsley, Frackowiak, Mazziotta & Evans, Human Brain Mapping 1:210, 1994.

use serde::{Deserialize, Serialize};

use super::interval::ALPHA;
use crate::stats::numbers::Shape;

/// Standard deviation of the Gaussian that smooths a z map, in pixels.
///
/// Its full width at half maximum, σ·√(8 ln 2), is 4.7 pixels: the theory is for continuous fields
/// and needs at least three pixels, and strokes and seams in images of 28×28 are two to four wide.
pub const SMOOTHING: f64 = 2.0;

/// |z| of the smoothed map at which a pixel belongs to a cluster, as in Chauvin et al.
pub const THRESHOLD: f64 = 2.7;

/// Φ(−[`THRESHOLD`]): how often noise alone exceeds it on one side.
const TAIL: f64 = 0.003_466_973_803_040_669;

/// A region of the smoothed map beyond the threshold, all of one sign.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cluster {
    /// Its pixels, ascending indices in \[C·H·W\].
    pub pixels: Vec<usize>,
    /// The smoothed z farthest from zero; its sign is that of the cluster.
    pub peak: f64,
    /// The channel it lies in.
    pub channel: usize,
    /// Row of the peak.
    pub row: usize,
    /// Column of the peak.
    pub column: usize,
    /// The probability that noise alone has a cluster at least this large, of either sign, anywhere in the map.
    pub p: f64,
}

/// The result of the cluster test on a z map.
#[derive(Debug, Clone, PartialEq)]
pub struct ClusterTest {
    /// The smoothed map, with unit variance under white noise at every pixel, \[C·H·W\].
    pub smoothed: Vec<f32>,
    /// The clusters significant at [`ALPHA`] for the whole map, the largest first.
    pub clusters: Vec<Cluster>,
}

/// Tests a z map \[C,H,W\] of white noise: independent numbers with unit variance where there is no
/// signal. Channels are tested one by one, and the p of a cluster is the probability of one at least as
/// large in any channel (Bonferroni).
///
/// # Panics
/// If the map does not have this shape.
pub fn clusters(z: &[f32], shape: Shape) -> ClusterTest {
    let [channels, height, width] = shape;
    let smoothed = smooth(z, shape);
    let in_any = |size: usize| (chance(size, height, width) * channels as f64).min(1.0);
    ClusterTest {
        clusters: significant_clusters(&smoothed, shape, in_any),
        smoothed,
    }
}

/// The clusters of a smoothed map significant at [`ALPHA`], the largest first. `chance` gives the probability
/// that noise alone has a cluster of at least this many pixels anywhere in the map.
pub(super) fn significant_clusters(
    smoothed: &[f32],
    shape: Shape,
    chance: impl Fn(usize) -> f64,
) -> Vec<Cluster> {
    let mut found: Vec<Cluster> = in_channels(smoothed, shape)
        .flat_map(|(channel, map)| {
            let to_cluster = move |pixels| cluster(pixels, map, channel, shape);
            regions(map, shape[2]).into_iter().map(to_cluster)
        })
        .map(|cluster| Cluster {
            p: chance(cluster.pixels.len()),
            ..cluster
        })
        .filter(|cluster| cluster.p <= ALPHA)
        .collect();
    found.sort_by(|a, b| {
        let by_size = b.pixels.len().cmp(&a.pixels.len());
        by_size.then(b.peak.abs().total_cmp(&a.peak.abs()))
    });
    found
}

/// Number of pixels in the largest cluster of a smoothed map, significant or not; 0 if there is none.
pub(super) fn largest_cluster_size(smoothed: &[f32], shape: Shape) -> usize {
    let all = in_channels(smoothed, shape).flat_map(|(_, map)| regions(map, shape[2]));
    all.map(|region| region.len()).max().unwrap_or(0)
}

/// A smoothed map divided by its standard deviation at every pixel; 0 where that is 0.
pub(super) fn standardized(mut smoothed: Vec<f32>, deviations: &[f32]) -> Vec<f32> {
    for (z, deviation) in smoothed.iter_mut().zip(deviations) {
        *z = if *deviation > 0.0 {
            *z / deviation
        } else {
            0.0
        };
    }
    smoothed
}

/// The channels of a map, with their indices.
fn in_channels(map: &[f32], [_, height, width]: Shape) -> impl Iterator<Item = (usize, &[f32])> {
    map.chunks_exact((height * width).max(1)).enumerate()
}

/// A z map smoothed by the Gaussian, channel by channel. Independent numbers of unit variance keep unit
/// variance.
///
/// # Panics
/// If the map does not have this shape.
pub(super) fn smooth(z: &[f32], shape: Shape) -> Vec<f32> {
    let [channels, height, width] = shape;
    assert_eq!(z.len(), channels * height * width, "numbers of a z map");
    let channels = in_channels(z, shape);
    let smoothed = channels.flat_map(|(_, map)| smooth_channel(map, height, width));
    smoothed.map(|z| z as f32).collect()
}

/// The map smoothed by the Gaussian, divided at every pixel by √Σkernel² over the part of the kernel
/// that lies inside the map.
fn smooth_channel(z: &[f32], height: usize, width: usize) -> Vec<f64> {
    let (down, across) = (Kernel::new(height), Kernel::new(width));
    let mut rows = Vec::with_capacity(z.len());
    for line in z.chunks_exact(width) {
        rows.extend((0..width).map(|column| across.smoothed_at(column, |i| f64::from(line[i]))));
    }
    let place = |pixel: usize| down.smoothed_at(pixel / width, |i| rows[i * width + pixel % width]);
    (0..z.len()).map(place).collect()
}

/// The Gaussian along one axis of the map.
struct Kernel {
    length: usize,
    /// Weight by distance; 0 beyond.
    weights: Vec<f64>,
}

impl Kernel {
    fn new(length: usize) -> Self {
        let weight = |distance: usize| (-0.5 * (distance as f64 / SMOOTHING).powi(2)).exp();
        let reach = (4.0 * SMOOTHING).ceil() as usize;
        Self {
            length,
            weights: (0..=reach).map(weight).collect(),
        }
    }

    /// The weighted sum of `values` around `place`, with unit variance if each value has it.
    fn smoothed_at(&self, place: usize, values: impl Fn(usize) -> f64) -> f64 {
        let reach = self.weights.len() - 1;
        let inside = place.saturating_sub(reach)..(place + reach + 1).min(self.length);
        let (mut sum, mut squares) = (0.0, 0.0);
        for i in inside {
            let weight = self.weights[i.abs_diff(place)];
            sum += weight * values(i);
            squares += weight * weight;
        }
        sum / squares.sqrt()
    }
}

/// Connected regions beyond the threshold, of one sign each; the eight pixels around a pixel are
/// its neighbours.
fn regions(smoothed: &[f32], width: usize) -> Vec<Vec<usize>> {
    let sign = |pixel: usize| match f64::from(smoothed[pixel]) {
        z if z >= THRESHOLD => 1,
        z if z <= -THRESHOLD => -1,
        _ => 0,
    };
    let mut seen = vec![false; smoothed.len()];
    let mut regions = Vec::new();
    for first in 0..smoothed.len() {
        if seen[first] || sign(first) == 0 {
            continue;
        }
        seen[first] = true;
        let mut pixels = vec![first];
        let mut next = 0;
        while let Some(&pixel) = pixels.get(next) {
            next += 1;
            for neighbour in neighbours(pixel, width, smoothed.len()) {
                if !seen[neighbour] && sign(neighbour) == sign(first) {
                    seen[neighbour] = true;
                    pixels.push(neighbour);
                }
            }
        }
        pixels.sort_unstable();
        regions.push(pixels);
    }
    regions
}

/// The pixels around a pixel, and the pixel itself.
fn neighbours(pixel: usize, width: usize, pixels: usize) -> impl Iterator<Item = usize> {
    let (row, column) = (pixel / width, pixel % width);
    let rows = row.saturating_sub(1)..(row + 2).min(pixels / width);
    let columns = column.saturating_sub(1)..(column + 2).min(width);
    rows.flat_map(move |row| columns.clone().map(move |column| row * width + column))
}

/// The cluster of these pixels of a channel's smoothed map; its p is not known yet.
fn cluster(
    pixels: Vec<usize>,
    smoothed: &[f32],
    channel: usize,
    [_, height, width]: Shape,
) -> Cluster {
    let farther = |best: usize, &pixel: &usize| {
        if smoothed[pixel].abs() > smoothed[best].abs() {
            pixel
        } else {
            best
        }
    };
    let peak = pixels.iter().fold(pixels[0], farther);
    Cluster {
        p: 1.0,
        peak: f64::from(smoothed[peak]),
        channel,
        row: peak / width,
        column: peak % width,
        pixels: pixels
            .into_iter()
            .map(|pixel| channel * height * width + pixel)
            .collect(),
    }
}

/// The probability that a smoothed map of noise alone has a cluster of `size` pixels or more.
///
/// Clusters of one sign form a Poisson process of mean E\[m\], and in two dimensions the size of one is
/// exponential with mean E\[n\]/E\[m\], where E\[n\] is the number of pixels beyond the
/// threshold (Friston et al.). E\[m\] is the expected Euler characteristic
/// with its boundary terms (Worsley et al., Human Brain Mapping 4:58, 1996), which a
/// map only a few smoothing widths across needs. Of 40,000 simulated maps of 28×28, 6.2 % had a cluster of
/// p ≤ 0.05.
fn chance(size: usize, height: usize, width: usize) -> f64 {
    let expected = expected_clusters(height, width);
    let pixels_past = (height * width) as f64 * TAIL;
    let as_large = (-(size as f64) * expected / pixels_past).exp();
    // Two signs.
    -(-2.0 * expected * as_large).exp_m1()
}

/// E\[m\]: the mean number of clusters of one sign in a map of noise alone.
fn expected_clusters(height: usize, width: usize) -> f64 {
    use std::f64::consts::{LN_2, PI};
    let fwhm = SMOOTHING * (8.0 * LN_2).sqrt();
    let (down, across) = (height as f64 / fwhm, width as f64 / fwhm);
    let bell = (-0.5 * THRESHOLD * THRESHOLD).exp();
    let edge = (4.0 * LN_2).sqrt() / (2.0 * PI) * bell;
    let area = 4.0 * LN_2 / (2.0 * PI).powf(1.5) * THRESHOLD * bell;
    down * across * area + (down + across) * edge + TAIL
}

#[cfg(test)]
mod tests;
