//! The standard deviation of each pixel of the noise: known, or measured.

use super::evidence::noise_by_truth;
use super::{ResponseSums, TrialSums};
use crate::stats::sums::{add, total};

impl TrialSums<'_> {
    /// Standard deviation of every pixel of the noise, \[P\], in units of the noise's values; if it is measured, over
    /// the `counted` trials, which decisions are made of.
    pub(super) fn deviations(&self, counted: u64) -> Vec<f64> {
        if let Some(deviation) = self.deviation {
            return vec![deviation; self.pixels()];
        }
        let pixels = self.moments_by_pixel();
        let spread = |(&sum, &squares): (&i64, &i64)| self.deviation_of(counted, sum, squares);
        pixels.map(spread).collect()
    }

    /// The same over all trials shown, which evidence is made of, whether they count or not. A required confidence
    /// selects trials by the network's outputs, and so, in general, noise of another deviation.
    ///
    /// Σk² is kept of the trials that count alone. Where every k is 0 or 1 it is Σk, which evidence has of all; else the
    /// deviation is that of the noise along its axes. Without these, as for large images, the counted trials must do.
    pub(super) fn shown_deviations(&self, input: &ResponseSums<'_>, counted: &[f64]) -> Vec<f64> {
        let measured = match self.deviation.is_some() || self.dropped == 0 {
            true => None,
            false => self
                .of_two_values(input)
                .or_else(|| self.along_axes(counted)),
        };
        measured.unwrap_or_else(|| counted.to_vec())
    }

    /// Over all trials, if every k is 0 or 1.
    fn of_two_values(&self, input: &ResponseSums<'_>) -> Option<Vec<f64>> {
        let are_two = self.moments_by_pixel().all(|(sum, squares)| sum == squares);
        let varies = self.moments.iter().any(|&sum| sum > 0);
        if !are_two || !varies || input.noise.is_empty() {
            return None;
        }
        let mut sums = vec![0_i64; self.pixels()];
        for parity in [0, 1] {
            let rows = noise_by_truth(self, input, parity);
            rows.iter().for_each(|row| add(&mut sums, row));
        }
        let shown = total(input.shown.iter().copied());
        let spread = |&sum: &i64| self.deviation_of(shown, sum, sum);
        Some(sums.iter().map(spread).collect())
    }

    /// √Σλv² along the axes of the noise; as in the counted trials where that is so small that it may be rounding.
    fn along_axes(&self, counted: &[f64]) -> Option<Vec<f64>> {
        let (axes, pixels) = (self.axes?, self.pixels());
        if pixels == 0 || axes.vectors.len() != axes.variances.len() * pixels {
            return None;
        }
        let mut variances = vec![0.0; pixels];
        let vectors = axes.vectors.chunks_exact(pixels);
        for (&variance, vector) in axes.variances.iter().zip(vectors) {
            for (sum, &v) in variances.iter_mut().zip(vector) {
                *sum += f64::from(variance) * f64::from(v).powi(2);
            }
        }
        let largest = axes.variances.iter().copied().fold(0.0, f32::max);
        let least = f64::from(f32::EPSILON) * f64::from(largest);
        let known = |(&variance, &counted): (&f64, &f64)| match variance > least {
            true => variance.sqrt(),
            false => counted,
        };
        Some(variances.iter().zip(counted).map(known).collect())
    }

    /// Σk and Σk² over the trials that count, by pixel.
    fn moments_by_pixel(&self) -> impl Iterator<Item = (&i64, &i64)> {
        let (first, second) = self.moments.split_at(self.pixels().min(self.moments.len()));
        first.iter().zip(second)
    }

    /// √(nΣk² − (Σk)²)/n of n trials, in units of the noise's values.
    fn deviation_of(&self, trials: u64, sum: i64, squares: i64) -> f64 {
        let n = i128::from(trials.max(1));
        // In integers: exactly 0 where the noise never varies.
        let squares = n.saturating_mul(i128::from(squares));
        let spread = squares.saturating_sub(i128::from(sum).pow(2));
        self.grid.step * (spread.max(0) as f64).sqrt() / n as f64
    }
}
