//! Lists of trials, the sums that are kept of them, and the definitions of their images, computed trial by trial.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::stats::correlation::{pearson, trials_needed_beyond, whole_reliability};

pub(super) const SHAPE: Shape = [1, 2, 2];
pub(super) const PIXELS: usize = 4;
pub(super) const COVER: [u32; PIXELS] = [1, 2, 1, 3];
pub(super) const STEP: f64 = 0.25;

#[derive(Clone)]
pub(super) struct Trial {
    pub(super) parity: usize,
    pub(super) truth: ClassId,
    pub(super) called: ClassId,
    pub(super) weight: i64,
    /// Grid points of the noise, \[P\].
    pub(super) noise: Vec<i64>,
    /// Sums of the image's bytes, \[P\].
    pub(super) image: Vec<i64>,
    /// The responses of all classes, \[K\].
    pub(super) responses: Vec<i64>,
}

/// The stratum of a trial.
pub(super) type StratumOf<'a> = &'a dyn Fn(&Trial) -> Option<ClassId>;

/// A number of a trial.
pub(super) type NumberOf<'a> = &'a dyn Fn(&Trial) -> f64;

/// Sum of the products of two numbers, each minus its mean over the trials of the same stratum, over the number of
/// trials minus that of the strata after the first.
pub(super) fn covariance(
    trials: &[Trial],
    stratum: StratumOf<'_>,
    a: NumberOf<'_>,
    b: NumberOf<'_>,
) -> f64 {
    let mut strata: BTreeMap<Option<ClassId>, Vec<&Trial>> = BTreeMap::new();
    for trial in trials {
        strata.entry(stratum(trial)).or_default().push(trial);
    }
    let of_stratum = |alike: &Vec<&Trial>| -> f64 {
        let mean = |number: NumberOf<'_>| -> f64 {
            let numbers = alike.iter().map(|trial| number(trial));
            numbers.sum::<f64>() / alike.len() as f64
        };
        let means = (mean(a), mean(b));
        let products = alike
            .iter()
            .map(|trial| (a(trial) - means.0) * (b(trial) - means.1));
        products.sum()
    };
    strata.values().map(of_stratum).sum::<f64>() / (trials.len() + 1 - strata.len()) as f64
}

/// Adds numbers so many times to a row of a table.
fn add(table: &mut [i64], row: usize, numbers: &[i64], times: i64) {
    let row = table[row * numbers.len()..].iter_mut();
    row.zip(numbers)
        .for_each(|(sum, number)| *sum += times * number);
}

pub(super) fn assert_close(found: f64, expected: f64, what: &str) {
    let most = 1e-4 * expected.abs().max(1.0);
    assert!(
        (found - expected).abs() < most,
        "{what}: {found} {expected}"
    );
}

#[derive(Clone)]
pub(super) struct Experiment {
    pub(super) gamma: Gamma,
    pub(super) classes: usize,
    pub(super) listed: Vec<ClassId>,
    pub(super) min_trials: u64,
    pub(super) axes: Option<NoiseBasis<'static>>,
    pub(super) step: f64,
    pub(super) trials: Vec<Trial>,
}

impl Experiment {
    /// So many trials; the third number of their noise never varies.
    pub(super) fn new(gamma: f64, classes: usize, listed: &[usize], count: usize) -> Self {
        let trial = |t: usize| {
            let points = [
                t * t % 17,
                (t * t * t + 3 * t) % 13,
                5,
                (5 * t + t * t) % 19,
            ];
            let response = |class: usize| {
                let y = (t * (class + 2) + t * t * (class % 3 + 1) + class) % 11;
                (y + 4 * (t % classes) + points[class % PIXELS] / 2) as i64 - 5
            };
            Trial {
                parity: t / 12 % 2,
                truth: ClassId(t % classes),
                called: ClassId((t * t * t / 7 + t / 3) % classes),
                weight: 1,
                noise: points.map(|k| 30_000 + 1000 * k as i64).to_vec(),
                image: (0..PIXELS)
                    .map(|p| ((31 * t + 50 * p) % 256) as i64)
                    .collect(),
                responses: (0..classes).map(response).collect(),
            }
        };
        Self {
            gamma: Gamma(gamma),
            classes,
            listed: listed.iter().copied().map(ClassId).collect(),
            min_trials: 2,
            axes: None,
            step: STEP,
            trials: (0..count).map(trial).collect(),
        }
    }

    /// The same trials with weights of 1 to 4.
    pub(super) fn weighted(mut self) -> Self {
        for (at, trial) in self.trials.iter_mut().enumerate() {
            trial.weight = 1 + at as i64 * 7 % 4;
        }
        self
    }

    pub(super) fn estimate(&self) -> GammaEstimate {
        let (k, m) = (self.classes, self.listed.len());
        let pairs = sums_per_class(m);
        let rows = m + usize::from(m < k);
        let mut counts = vec![0; 2 * k * k];
        let mut weights = [vec![0; 2 * k * k], vec![0; 2 * k * k]];
        let mut noise = vec![0; 2 * MARGINS * m * PIXELS];
        let mut rest = vec![0; 2 * PIXELS];
        let mut image = vec![0; m * PIXELS];
        let mut moments = vec![0; 2 * PIXELS];
        let mut shown = vec![0; 2 * k];
        let mut shown_noise = vec![0; 2 * rows * PIXELS];
        let mut responses = vec![0; 2 * k * m];
        let mut squares = vec![0; 2 * m * pairs];
        let mut products = vec![0; 2 * m * PIXELS];
        for trial in &self.trials {
            let (parity, weight) = (trial.parity, trial.weight);
            let row = parity * k + trial.truth.0;
            let cell = row * k + trial.called.0;
            counts[cell] += 1;
            weights[0][cell] += weight as u64;
            weights[1][cell] += (weight * weight) as u64;
            shown[row] += 1;
            add(&mut moments, 0, &trial.noise, 1);
            let powers: Vec<i64> = trial.noise.iter().map(|k| k * k).collect();
            add(&mut moments, 1, &powers, 1);
            let stratum = self.listed.iter().position(|&class| class == trial.truth);
            let stratum = parity * rows + stratum.unwrap_or(m);
            add(&mut shown_noise, stratum, &trial.noise, 1);
            if !self.listed.contains(&trial.called) {
                add(&mut rest, parity, &trial.noise, weight);
            }
            let centred: Vec<i64> = trial.noise.iter().map(|k| k - GRID_CENTRE).collect();
            let response = |place: usize| trial.responses[self.listed[place]];
            for (place, &class) in self.listed.iter().enumerate() {
                let (called, truth) = (trial.called == class, trial.truth == class);
                for (margin, is) in [called, truth, called && truth].into_iter().enumerate() {
                    let row = (parity * MARGINS + margin) * m + place;
                    add(&mut noise, row, &trial.noise, weight * i64::from(is));
                }
                add(&mut image, place, &trial.image, weight * i64::from(called));
                responses[row * m + place] += response(place);
                add(&mut products, parity * m + place, &centred, response(place));
                for pair in 0..pairs {
                    let other = if pairs == m { pair } else { place };
                    squares[(parity * m + place) * pairs + pair] +=
                        response(place) * response(other);
                }
            }
        }
        let weighted = self.trials.iter().any(|trial| trial.weight != 1);
        estimate(&TrialSums {
            gamma: self.gamma,
            classes: k,
            listed: &self.listed,
            shape: SHAPE,
            cover: &COVER,
            min_trials: self.min_trials,
            counts: &counts,
            noise: &noise,
            rest: if rows > m { &rest } else { &[] },
            image: &image,
            axes: self.axes,
            deviation: None,
            moments: &moments,
            weights: weighted.then_some(WeightSums {
                sum: &weights[0],
                squares: &weights[1],
            }),
            evidence: Some(ResponseSums {
                step: self.step,
                shown: &shown,
                sums: &responses,
                squares: &squares,
                products: &products,
                noise: if weighted { &shown_noise } else { &[] },
            }),
            ..NO_TRIALS
        })
    }

    /// True classes with a map, if the image is visible; the others are one stratum.
    pub(super) fn stratum(&self, trial: &Trial) -> Option<ClassId> {
        let apart = self.gamma != Gamma::NOISE && self.listed.contains(&trial.truth);
        apart.then_some(trial.truth)
    }

    /// Standard deviation of a number of the noise.
    pub(super) fn deviation(&self, pixel: usize) -> f64 {
        let value = |trial: &Trial| NO_TRIALS.grid.value(trial.noise[pixel] as f64);
        covariance(&self.trials, &|_| None, &value, &value).sqrt()
    }

    /// Cov(y, z)/σ² of a response within strata over the trials of these parities, \[P\]; 0 where σ is.
    fn evidence(&self, response: NumberOf<'_>, parities: &[usize]) -> Vec<f64> {
        let trials = self
            .trials
            .iter()
            .filter(|trial| parities.contains(&trial.parity));
        let trials: Vec<Trial> = trials.cloned().collect();
        let pixel = |pixel: usize| {
            let variance = self.deviation(pixel).powi(2);
            let value = |trial: &Trial| NO_TRIALS.grid.value(trial.noise[pixel] as f64);
            let stratum = |trial: &Trial| self.stratum(trial);
            match variance > 1e-12 {
                true => covariance(&trials, &stratum, response, &value) / variance,
                false => 0.0,
            }
        };
        (0..PIXELS).map(pixel).collect()
    }

    /// Asserts that a class has the evidence image of its definition.
    pub(super) fn assert_evidence(&self, found: &ClassEstimate, class: ClassId) {
        let n = self.trials.len() as f64;
        let response = |trial: &Trial| STEP * trial.responses[class] as f64;
        let image = self.evidence(&response, &[0, 1]);
        let stratum = |trial: &Trial| self.stratum(trial);
        let spread = covariance(&self.trials, &stratum, &response, &response).sqrt();
        // Trials of these parities, less one for every stratum after the first.
        let free_of = |parities: &[usize]| -> f64 {
            let trials = self.trials.iter();
            let trials = trials.filter(|trial| parities.contains(&trial.parity));
            let strata: BTreeSet<_> = trials.clone().map(stratum).collect();
            (trials.count() + 1 - strata.len()) as f64
        };
        let free = free_of(&[0, 1]);
        let (mut power, mut noise) = (0.0, 0.0);
        let estimate = found.evidence.as_ref().unwrap();
        for (pixel, expected) in image.iter().enumerate() {
            let sigma = self.deviation(pixel);
            assert_close(estimate.image[pixel].into(), *expected, "evidence");
            if pixel == 2 {
                assert_eq!((estimate.image[pixel], estimate.z[pixel]), (0.0, 0.0));
                continue;
            }
            let error = spread / (sigma * free.sqrt());
            assert_close(estimate.z[pixel].into(), expected / error, "z");
            power += expected * expected;
            noise += error * error;
        }
        assert_close(estimate.snr, power / noise - 1.0, "SNR");
        let half = |parity: usize| -> Vec<f32> {
            let half = self.evidence(&response, &[parity]).into_iter();
            half.map(|c| c as f32).collect()
        };
        let r = pearson(&half(0), &half(1)).unwrap();
        let length = free / (free_of(&[0]) * free_of(&[1])).sqrt();
        let reliability = estimate.reliability.unwrap();
        assert_close(reliability, whole_reliability(r, length), "reliability");
        let (shown, fitted) = (self.trials.len() as u64, n - free);
        let needed = trials_needed_beyond(fitted as u64, shown, reliability, TARGET_RELIABILITY);
        assert_eq!(estimate.needed, needed);
        let mean = self.trials.iter().map(response).sum::<f64>() / n;
        let [found_mean, found_spread] = found.response.unwrap();
        assert_close(found_mean, mean, "mean response");
        assert_close(found_spread, spread, "deviation of the response");
    }

    /// Mean of a number over the trials of some kind by weight, and Σw²/(Σw)².
    pub(super) fn mean(&self, is: &dyn Fn(&Trial) -> bool, number: NumberOf<'_>) -> (f64, f64) {
        let (mut sum, mut all, mut squares) = (0.0, 0.0, 0.0);
        for trial in self.trials.iter().filter(|trial| is(trial)) {
            let weight = trial.weight as f64;
            sum += weight * number(trial);
            all += weight;
            squares += weight * weight;
        }
        (sum / all, squares / (all * all))
    }
}
