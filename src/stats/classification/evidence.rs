//! Evidence images: the covariance of the noise with a class's response y_k, taken from the network's
//! outputs, over the noise's variance. Each trial contributes to every class.
//!
//! The reverse-correlation kernel for a graded response (Murray, Bennett & Sekuler, *Optimal methods
//! for calculating classification images: weighted sums*, J. Vision 2:79, 2002); for white Gaussian
//! noise the mean gradient of y_k (Stein, Bussgang).

use super::TrialSums;
use super::image::{MapHalves, MeasuredMap};
use super::pool::margin;
use crate::ids::{ClassId, Gamma};
use crate::stats::sums::{add, total};

/// Subtracted from a point of the noise's grid before multiplying: the middle of the grid's 65,536 points,
/// so that its factor in a product takes 15 bits instead of 16.
pub const GRID_CENTRE: i64 = 1 << 15;

/// Largest magnitude of a response in steps: sums of [`MAX_RESPONSE_TRIALS`] products still fit 64 bits.
pub const MAX_RESPONSE_STEPS: i32 = 1 << 15;

/// Most trials at one γ whose responses may be summed: a product has 15 + 15 bits and a sign.
pub const MAX_RESPONSE_TRIALS: u64 = 1 << 33;

/// Most classes whose responses are multiplied pairwise, for the difference images of class pairs.
pub const MAX_PAIRED_CLASSES: usize = 128;

/// How many sums Σy·y′ each of `listed` classes with maps has.
pub fn sums_per_class(listed: usize) -> usize {
    if listed <= MAX_PAIRED_CLASSES {
        listed
    } else {
        1
    }
}

/// Sums of the responses over the trials at one γ. K classes, M of which have maps; P numbers of a
/// map. Responses y are whole numbers in units of `step`, noise as in [`TrialSums`].
#[derive(Debug, Clone, Copy)]
pub struct ResponseSums<'a> {
    /// The unit of y.
    pub step: f64,
    /// Trials by parity of block and true class, \[2,K\].
    pub shown: &'a [u64],
    /// Σy by parity, true class and class with a map, \[2,K,M\].
    pub sums: &'a [i64],
    /// Σy·y′ by parity and pair of classes with maps, \[2,M,M\]; for more than [`MAX_PAIRED_CLASSES`] classes only Σy²,
    /// \[2,M\].
    pub squares: &'a [i64],
    /// Σy·(z − [`GRID_CENTRE`]) by parity and class with a map, \[2,M,P\].
    pub products: &'a [i64],
    /// Σz by parity over the trials of each class with a map and, if not all classes have one, over those
    /// of the others, \[2,M or M+1,P\]; empty if [`TrialSums`] counts every trial once and so has these sums.
    pub noise: &'a [i64],
}

/// Sums of the trials of some blocks by stratum: a single stratum at γ = 0, where the image is invisible,
/// else one per true class with a map and one for the rest.
struct Strata {
    /// Trials, by stratum.
    counts: Vec<f64>,
    /// Σy by stratum and class with a map.
    responses: Vec<Vec<f64>>,
    /// Σ(z − [`GRID_CENTRE`]) by stratum, \[P\].
    noise: Vec<Vec<f64>>,
    /// Σy·y′ by pair of classes with maps, or Σy² by class.
    squares: Vec<f64>,
    /// Total trials.
    all: f64,
    /// Trials that are free to vary around the means of the strata: all of them, minus one for every stratum with
    /// trials after the first. Sums within strata over it are not shrunk by the means' fit to a few trials each, and
    /// with a single stratum, at γ = 0, it is the number of trials.
    free: f64,
}

impl Strata {
    fn new(trials: &TrialSums<'_>, input: &ResponseSums<'_>, parities: &[usize]) -> Self {
        let (k, m, pixels) = (trials.classes, trials.listed.len(), trials.pixels());
        let rest = usize::from(m < k);
        let pooled = trials.gamma == Gamma::NOISE;
        let strata = if pooled { 1 } else { m + rest };
        let mut all = Self {
            counts: vec![0.0; strata],
            responses: vec![vec![0.0; m]; strata],
            noise: vec![vec![0.0; pixels]; strata],
            squares: vec![0.0; m * sums_per_class(m)],
            all: 0.0,
            free: 0.0,
        };
        for &parity in parities {
            for truth in 0..k {
                let place = trials.listed.binary_search(&ClassId(truth));
                let stratum = if pooled { 0 } else { place.unwrap_or(m) };
                let count = input.shown[parity * k + truth] as f64;
                all.counts[stratum] += count;
                all.all += count;
                let sums = &input.sums[(parity * k + truth) * m..][..m];
                let responses = all.responses[stratum].iter_mut();
                responses
                    .zip(sums)
                    .for_each(|(total, &sum)| *total += sum as f64);
            }
            let squares = &input.squares[parity * m * sums_per_class(m)..][..m * sums_per_class(m)];
            let kept = all.squares.iter_mut();
            kept.zip(squares)
                .for_each(|(total, &sum)| *total += sum as f64);
            for (row, sum) in noise_by_truth(trials, input, parity).iter().enumerate() {
                let stratum = if pooled { 0 } else { row };
                let noise = all.noise[stratum].iter_mut();
                noise
                    .zip(sum)
                    .for_each(|(total, &sum)| *total += sum as f64);
            }
        }
        for (noise, count) in all.noise.iter_mut().zip(&all.counts) {
            let centre = GRID_CENTRE as f64 * count;
            noise.iter_mut().for_each(|sum| *sum -= centre);
        }
        let filled = all.counts.iter().filter(|count| **count > 0.0).count();
        all.free = all.all - filled as f64 + 1.0;
        all
    }

    /// Variance of a covariance within strata over the product of those of response and noise, if these are
    /// independent: the sum within strata has that of N' − 1 trials, and is divided by N'. It is 0 if every trial is
    /// the only one of its stratum.
    fn error_variance(&self) -> f64 {
        (self.free - 1.0) / self.free.powi(2)
    }

    /// Number of classes with maps.
    fn listed(&self) -> usize {
        self.responses[0].len()
    }

    /// Σy·y′ of two classes; with very many classes only of a class with itself.
    fn square(&self, a: usize, b: usize) -> Option<f64> {
        let m = self.listed();
        match sums_per_class(m) {
            1 => (a == b).then(|| self.squares[a]),
            pairs => Some(self.squares[a * pairs + b]),
        }
    }

    /// Covariance of the responses of two classes within strata, in units of their step squared; with very
    /// many classes only of a class with itself.
    fn response_covariance(&self, a: usize, b: usize) -> Option<f64> {
        let explained = self.counts.iter().zip(&self.responses);
        let explained: f64 = explained
            .filter(|(count, _)| **count > 0.0)
            .map(|(count, sums)| sums[a] * sums[b] / count)
            .sum();
        Some((self.square(a, b)? - explained) / self.free)
    }

    /// Covariance of response and noise within strata, in units of both steps, \[P\].
    fn covariance(&self, products: &[i64], parities: &[usize], place: usize) -> Vec<f64> {
        let pixels = self.noise[0].len();
        let m = self.listed();
        let mut sum = vec![0_i64; pixels];
        for parity in parities {
            add(
                &mut sum,
                &products[(parity * m + place) * pixels..][..pixels],
            );
        }
        let mut covariance: Vec<f64> = sum.into_iter().map(|sum| sum as f64).collect();
        let strata = self.counts.iter().zip(&self.responses).zip(&self.noise);
        for ((count, sums), noise) in strata.filter(|((count, _), _)| **count > 0.0) {
            let mean = sums[place] / count;
            let pairs = covariance.iter_mut().zip(noise);
            pairs.for_each(|(value, sum)| *value -= mean * sum);
        }
        covariance.iter_mut().for_each(|value| *value /= self.free);
        covariance
    }
}

/// Σz over the trials of each class with a map, and over those of the others if there are any.
pub(super) fn noise_by_truth(
    trials: &TrialSums<'_>,
    input: &ResponseSums<'_>,
    parity: usize,
) -> Vec<Vec<i64>> {
    let (m, pixels) = (trials.listed.len(), trials.pixels());
    let rest = m < trials.classes;
    if !input.noise.is_empty() {
        let rows = m + usize::from(rest);
        let sums = &input.noise[parity * rows * pixels..][..rows * pixels];
        return sums.chunks_exact(pixels).map(<[i64]>::to_vec).collect();
    }
    let mut rows: Vec<Vec<i64>> = margin(trials, parity, 1).map(<[i64]>::to_vec).collect();
    if rest {
        // All trials, by called class, minus those of the classes with maps.
        let mut others = trials.rest[parity * pixels..][..pixels].to_vec();
        margin(trials, parity, 0).for_each(|sums| add(&mut others, sums));
        for sums in &rows {
            let pairs = others.iter_mut().zip(sums);
            pairs.for_each(|(total, sum)| *total = total.saturating_sub(*sum));
        }
        rows.push(others);
    }
    rows
}

/// The evidence estimate of one class.
pub(super) struct EvidenceEstimate {
    /// The map.
    pub measured: MeasuredMap,
    /// Mean of y over all trials.
    pub mean: f64,
    /// Standard deviation of y within true classes.
    pub deviation: f64,
}

/// The evidence images of the classes with maps, in their order; `None` for a class with fewer than
/// `min_trials` trials, or counted trials if they measure the noise's deviation, or a response that never changes.
/// Also the covariance of the responses within true classes in units of their step squared, \[M,M\]; empty with very many
/// classes.
pub(super) fn evidence_images(
    trials: &TrialSums<'_>,
    input: &ResponseSums<'_>,
    deviations: &[f64],
) -> (Vec<Option<EvidenceEstimate>>, Vec<f32>) {
    let m = trials.listed.len();
    let whole = Strata::new(trials, input, &[0, 1]);
    let halves = [0, 1].map(|parity| Strata::new(trials, input, &[parity]));
    let least_trials = trials.min_trials.max(1);
    let counted = total(trials.counts.iter().copied());
    let known = trials.deviation.is_some() || counted >= least_trials;
    let of_class = |place: usize| {
        let square = whole.square(place, place).unwrap_or(0.0);
        let variance = whole.response_covariance(place, place).unwrap_or(0.0);
        let enough = known && whole.all >= least_trials as f64;
        // Rounding alone leaves at most this variance in a response that is constant within strata.
        if !enough || variance <= 1e-9 * square / whole.free {
            return None;
        }
        let deviation = variance.sqrt() * input.step;
        let map = |strata: &Strata, parities: &[usize]| -> Vec<f64> {
            let covariance = strata.covariance(input.products, parities, place);
            let pixels = covariance.into_iter().zip(deviations);
            let pixel = |(c, sigma): (f64, &f64)| match *sigma > 0.0 {
                true => c * input.step * trials.grid.step / (sigma * sigma),
                false => 0.0,
            };
            pixels.map(pixel).collect()
        };
        let error = |sigma: &f64| match *sigma > 0.0 {
            true => deviation / (sigma * whole.free.sqrt()),
            false => 0.0,
        };
        let errors: Vec<f64> = deviations.iter().map(error).collect();
        let both = halves.iter().all(|half| half.free > 1.0);
        let error_share = || {
            let variances = halves.each_ref().map(Strata::error_variance);
            whole.error_variance() / variances.iter().sum::<f64>()
        };
        let sums: f64 = whole.responses.iter().map(|sums| sums[place]).sum();
        Some(EvidenceEstimate {
            measured: MeasuredMap {
                image: map(&whole, &[0, 1]),
                noise: errors.iter().map(|error| error * error).sum(),
                errors,
                halves: both.then(|| MapHalves {
                    maps: [map(&halves[0], &[0]), map(&halves[1], &[1])],
                    error_share: error_share(),
                    length: whole.free / (halves[0].free * halves[1].free).sqrt(),
                }),
                regression: None,
            },
            mean: sums / whole.all * input.step,
            deviation,
        })
    };
    let images = (0..m).map(of_class).collect();
    let spread = (0..m * m)
        .map(|pair| Some(whole.response_covariance(pair / m, pair % m)? as f32))
        .collect::<Option<Vec<f32>>>();
    (images, spread.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of two trials with independent responses and noise of ±1 each, the covariance is ±1 in a quarter of all cases, and
    /// else 0.
    #[test]
    fn a_covariance_of_free_trials_varies_by_one_less_than_them_over_their_square() {
        let variance = |free: f64| {
            let strata = Strata {
                counts: vec![free],
                responses: vec![Vec::new()],
                noise: vec![Vec::new()],
                squares: Vec::new(),
                all: free,
                free,
            };
            strata.error_variance()
        };
        // All 16 cases of two trials.
        let signs = [-1.0, 1.0];
        let mut squares = Vec::new();
        for y in signs.iter().flat_map(|a| signs.map(|b| [*a, b])) {
            for z in signs.iter().flat_map(|a| signs.map(|b| [*a, b])) {
                let mean = |of: [f64; 2]| (of[0] + of[1]) / 2.0;
                let covariance = mean([y[0] * z[0], y[1] * z[1]]) - mean(y) * mean(z);
                squares.push(covariance * covariance);
            }
        }
        let expected = squares.iter().sum::<f64>() / squares.len() as f64;
        assert_eq!(variance(2.0), expected);
        assert_eq!(variance(6.0), 5.0 / 36.0);
        assert_eq!(variance(1.0), 0.0);
    }
}
