//! Spike-triggered averages and covariances from sums, and their reliability.
//!
//! s̄ is the mean of the stimuli, σ their standard deviation, a an activation. Formulas: Schwartz et
//! al., *Spike-triggered neural characterization*, J. Vision 6(4):13, 2006; Paninski 2003 for the
//! relation of the average to the mean gradient (Bussgang, Stein).

use serde::{Deserialize, Serialize};

use super::correlation::{pearson, whole_reliability};
use super::covariance::{Eigen, symmetric_eigen};
use super::sums::total;
use crate::stats::numbers::FIXED_POINT;

/// Sums over receptive fields, by parity of the block. U units, P pixels. All sums except counts are in
/// units of 1/[`FIXED_POINT`]; stimuli are centred on ½.
#[derive(Debug, Clone, Copy)]
pub struct StaSums<'a> {
    /// Receptive fields summed, \[2\].
    pub fields: [u64; 2],
    /// How often each unit fired, \[U\].
    pub fired: &'a [i64],
    /// Σa, \[2,U\].
    pub activation: &'a [i64],
    /// Σ|a|, \[2,U\].
    pub magnitude: &'a [i64],
    /// Σ(s−½), \[2,P\].
    pub stimulus: &'a [i64],
    /// Σa·(s−½), \[2,U,P\].
    pub weighted: &'a [i64],
}

/// Gradient sums of selected units. P pixels.
#[derive(Debug, Clone, Copy)]
pub struct GradientSums<'a> {
    /// The units.
    pub units: &'a [usize],
    /// Receptive fields summed; 0 if there are no gradients yet.
    pub fields: u64,
    /// Σ∇a, \[units,P\].
    pub sum: &'a [i64],
}

/// Estimates for the units of a layer, one entry per unit; each map has P pixels.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct LayerEstimate {
    /// Spike-triggered averages on noise, Σa(s−s̄)/Σ|a|; `None` if the unit never fired. Σ|a| is
    /// Σa where activations are never negative.
    pub sta: Vec<Option<Vec<f32>>>,
    /// The same on training images. Neighbouring pixels of images are correlated and this average is
    /// not whitened: it shows what was in view when the unit fired, not the unit's filter.
    pub image_sta: Vec<Option<Vec<f32>>>,
    /// Units that never fired on noise, ascending. Empty before any noise has been shown.
    pub silent: Vec<usize>,
    /// Pearson's r of the average on noise with the unit's weights; `None` if the unit is
    /// silent or its layer does not take the image as input.
    pub kernel_correlation: Vec<Option<f64>>,
    /// Pearson's r of Cov(a,s) with the mean gradient of a, which it equals up to σ² under Gaussian
    /// noise; `None` for units whose gradient was not computed.
    pub stein_correlation: Vec<Option<f64>>,
    /// Reliability of the average on noise from its halves of even and odd blocks; `None` if the unit
    /// has not fired in both.
    pub reliability: Vec<Option<f64>>,
    /// Mean gradients of the activation on noise, up to a factor; `None` for units whose gradient was not computed.
    pub gradient: Vec<Option<Vec<f32>>>,
}

impl LayerEstimate {
    /// Whether its sizes match `units` units with maps of `pixels` pixels.
    pub fn fits(&self, units: usize, pixels: usize) -> bool {
        let maps = |all: &[Option<Vec<f32>>]| {
            all.len() == units && all.iter().flatten().all(|map| map.len() == pixels)
        };
        let values = |all: &[Option<f64>]| all.len() == units;
        maps(&self.sta)
            && maps(&self.image_sta)
            && maps(&self.gradient)
            && self.silent.iter().all(|&unit| unit < units)
            && values(&self.kernel_correlation)
            && values(&self.stein_correlation)
            && values(&self.reliability)
    }
}

/// The estimates from a layer's sums. `kernel` is its weights, \[U,P\], or empty.
pub fn estimate(
    noise: &StaSums,
    images: &StaSums,
    kernel: &[f32],
    gradients: &GradientSums,
) -> LayerEstimate {
    let units = noise.fired.len();
    let pixels = noise.stimulus.len() / 2;
    let whole = PooledSums::new(noise, &[0, 1]);
    let sta = whole.averages();
    let halves = [0, 1].map(|parity| PooledSums::new(noise, &[parity]).averages());
    // How many times as many fields the whole has as a half.
    let [even, odd] = noise.fields.map(|fields| fields as f64);
    let length = (even + odd) / (even * odd).sqrt();
    let reliability = |unit: usize| {
        let (even, odd) = (halves[0][unit].as_ref()?, halves[1][unit].as_ref()?);
        pearson(even, odd).map(|r| whole_reliability(r, length))
    };
    let kernel_correlation = |unit: usize| {
        let kernel = kernel.get(unit * pixels..(unit + 1) * pixels)?;
        pearson(sta[unit].as_ref()?, kernel)
    };
    let gradient = |unit: usize| -> Option<Vec<f32>> {
        let row = gradients.units.iter().position(|&taken| taken == unit)?;
        let sums = gradients.sum.get(row * pixels..(row + 1) * pixels)?;
        let sums = sums.iter().map(|&sum| sum as f32);
        (gradients.fields > 0).then(|| sums.collect())
    };
    let gradient: Vec<Option<Vec<f32>>> = (0..units).map(gradient).collect();
    let stein = |unit: usize| {
        let gradient = gradient[unit].as_ref()?;
        // NaN, which correlates with nothing, before the first field.
        let covariance: Vec<f32> = whole.deviations(unit).map(|sum| sum as f32).collect();
        pearson(&covariance, gradient)
    };
    LayerEstimate {
        silent: (0..units)
            .filter(|&unit| whole.fields > 0.0 && noise.fired[unit] == 0)
            .collect(),
        kernel_correlation: (0..units).map(kernel_correlation).collect(),
        stein_correlation: (0..units).map(stein).collect(),
        reliability: (0..units).map(reliability).collect(),
        image_sta: PooledSums::new(images, &[0, 1]).averages(),
        sta,
        gradient,
    }
}

/// Sums pooled over the blocks of one parity, or of both.
struct PooledSums {
    fields: f64,
    activation: Vec<f64>,
    magnitude: Vec<f64>,
    /// s̄ − ½.
    mean: Vec<f64>,
    weighted: Vec<f64>,
}

impl PooledSums {
    fn new(sums: &StaSums, parities: &[usize]) -> Self {
        let pool = |values: &[i64]| -> Vec<f64> {
            let half = values.len() / 2;
            let sum = |i: usize| {
                let both = parities.iter().map(|parity| values[parity * half + i]);
                both.fold(0, i64::saturating_add)
            };
            (0..half).map(|i| sum(i) as f64 / FIXED_POINT).collect()
        };
        let fields = parities.iter().map(|&parity| sums.fields[parity]);
        let fields = total(fields) as f64;
        let mean = pool(sums.stimulus).into_iter().map(|sum| sum / fields);
        Self {
            fields,
            activation: pool(sums.activation),
            magnitude: pool(sums.magnitude),
            mean: mean.collect(),
            weighted: pool(sums.weighted),
        }
    }

    /// Σa(s−s̄) of a unit.
    fn deviations(&self, unit: usize) -> impl Iterator<Item = f64> {
        let pixels = self.mean.len();
        let weighted = &self.weighted[unit * pixels..(unit + 1) * pixels];
        let activation = self.activation[unit];
        let pairs = weighted.iter().zip(&self.mean);
        pairs.map(move |(sum, mean)| sum - activation * mean)
    }

    /// Whether the average of a unit is more than rounding leaves of one whose activation is the same for every field:
    /// root mean squares over the map of about ¼ step of the sums, and of a few of them relative to the activation, times
    /// √fields.
    fn varies(&self, unit: usize) -> bool {
        let power: f64 = self.deviations(unit).map(|sum| sum * sum).sum();
        let level = self.magnitude[unit] / self.fields;
        let rounding = (0.25 + 8.0 * level) / FIXED_POINT;
        power > rounding * rounding * self.fields * self.mean.len() as f64
    }

    /// The averages; 0 for a unit whose activation never changes.
    fn averages(&self) -> Vec<Option<Vec<f32>>> {
        let of_unit = |unit: usize| {
            let magnitude = self.magnitude[unit];
            let map = || match self.varies(unit) {
                true => self
                    .deviations(unit)
                    .map(|sum| (sum / magnitude) as f32)
                    .collect(),
                false => vec![0.0; self.mean.len()],
            };
            (self.fields > 0.0 && magnitude > 0.0).then(map)
        };
        (0..self.magnitude.len()).map(of_unit).collect()
    }
}

/// Sums for a spike-triggered covariance, in units of 1/[`FIXED_POINT`]. P pixels; stimuli are
/// centred on ½.
#[derive(Debug, Clone, Copy)]
pub struct SecondMoments<'a> {
    /// Σ|a|.
    pub activation: i64,
    /// Σ|a|·(s−½), \[P\].
    pub weighted: &'a [i64],
    /// Σ|a|·(s−½)(s−½)ᵀ, \[P,P\].
    pub outer: &'a [i64],
}

/// Directions in which spike-triggering stimuli vary more or less than all stimuli.
#[derive(Debug, Clone, PartialEq)]
pub struct StcAxes {
    /// Eigenvalues of the spike-triggered minus the prior covariance, ascending, \[P\].
    pub eigenvalues: Vec<f64>,
    /// Smallest and largest eigenvalue explained by chance: the range with shuffled responses, widened by
    /// how much two such ranges may differ by chance.
    pub chance: (f64, f64),
    /// Eigenvalues outside that range with their axes of unit norm, \[P\] each; farthest from zero
    /// first, at most [`MAX_AXES`].
    pub axes: Vec<(f64, Vec<f64>)>,
}

/// Largest number of axes kept.
pub const MAX_AXES: usize = 8;

/// How far beyond the range of the shuffled responses chance may reach; see [`stc_axes`]. With it, fewer
/// than one in a hundred units without structure has an axis.
pub const RANGE_MARGIN: f64 = 5.0;

/// The axes of a spike-triggered covariance, given a prior of independent pixels of this
/// `variance`; `None` if the unit never fired.
///
/// C = Σ|a|(s−STA)(s−STA)ᵀ/Σ|a| − σ²I. `shuffled` holds the same sums with the responses assigned to
/// other stimuli: the eigenvalues of their C arise by chance alone. The extreme eigenvalue of such a
/// matrix of P rows, whose eigenvalues fill a range of half-width R, scatters by 0.63·R·P^(−⅔)
/// (Tracy and Widom 1996), and by up to twice that at the upper end if spikes are few. The range is
/// widened by [`RANGE_MARGIN`]·R·P^(−⅔), so that two ranges from chance alone rarely differ by more.
pub fn stc_axes(
    spikes: &SecondMoments,
    shuffled: &SecondMoments,
    variance: f64,
) -> Option<StcAxes> {
    let Eigen { values, vectors } = excess(spikes, variance)?;
    let by_chance = excess(shuffled, variance)?.values;
    let (&low, &high) = (by_chance.first()?, by_chance.last()?);
    let margin = RANGE_MARGIN * (high - low) / 2.0 * (values.len() as f64).powf(-2.0 / 3.0);
    let chance = (low - margin, high + margin);
    let outside = |&(value, _): &(f64, Vec<f64>)| value < chance.0 || value > chance.1;
    let all = values.iter().copied().zip(vectors);
    let mut axes: Vec<(f64, Vec<f64>)> = all.filter(outside).collect();
    axes.sort_by(|(a, _), (b, _)| b.abs().total_cmp(&a.abs()));
    axes.truncate(MAX_AXES);
    Some(StcAxes {
        eigenvalues: values,
        chance,
        axes,
    })
}

/// Eigendecomposition of the spike-triggered covariance minus σ²I; `None` if there are no spikes.
fn excess(sums: &SecondMoments, variance: f64) -> Option<Eigen> {
    let pixels = sums.weighted.len();
    let spikes = sums.activation as f64;
    if sums.activation <= 0 || pixels == 0 {
        return None;
    }
    let mean: Vec<f64> = sums.weighted.iter().map(|&s| s as f64 / spikes).collect();
    let entry = |(i, &sum): (usize, &i64)| {
        let (row, column) = (i / pixels, i % pixels);
        let prior = if row == column { variance } else { 0.0 };
        sum as f64 / spikes - mean[row] * mean[column] - prior
    };
    let matrix: Vec<f64> = sums.outer.iter().enumerate().map(entry).collect();
    Some(symmetric_eigen(&matrix, pixels))
}

#[cfg(test)]
mod tests;
