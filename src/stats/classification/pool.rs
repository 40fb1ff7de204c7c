//! Margins of the table of true and predicted classes, pooled over blocks, and the classification images that
//! follow from them.

use super::{MARGINS, TrialSums};
use crate::ids::{ClassId, Gamma};
use crate::stats::sums::add;

/// The sums of one parity and margin (0: called, 1: shown, 2: both), \[P\] for each class with maps.
pub(super) fn margin<'a>(
    trials: &TrialSums<'a>,
    parity: usize,
    margin: usize,
) -> impl Iterator<Item = &'a [i64]> {
    let (all, pixels) = (trials.listed.len(), trials.pixels());
    let rows = (parity * MARGINS + margin) * all * pixels;
    trials.noise[rows..][..all * pixels].chunks_exact(pixels)
}

/// A cell of the table: its trials, Σw and Σw² of their weights, and Σw·k of their noise, \[P\].
#[derive(Debug, Clone)]
pub(super) struct TableCell {
    pub(super) count: u64,
    pub(super) weight: u64,
    squares: u64,
    sum: Vec<i64>,
}

impl TableCell {
    fn empty(pixels: usize) -> Self {
        Self {
            count: 0,
            weight: 0,
            squares: 0,
            sum: vec![0; pixels],
        }
    }

    fn add_sum(&mut self, sum: &[i64]) {
        add(&mut self.sum, sum);
    }

    fn minus(&self, other: &Self) -> Self {
        let pixels = self.sum.iter().zip(&other.sum);
        Self {
            count: self.count.saturating_sub(other.count),
            weight: self.weight.saturating_sub(other.weight),
            squares: self.squares.saturating_sub(other.squares),
            sum: pixels.map(|(a, b)| a.saturating_sub(*b)).collect(),
        }
    }

    /// Mean of k, \[P\]; NaN if the weight is 0.
    pub(super) fn mean(&self) -> impl Iterator<Item = f64> {
        let weight = self.weight as f64;
        self.sum.iter().map(move |&sum| sum as f64 / weight)
    }

    /// Variance of the mean over that of one trial: Σw²/(Σw)², which is 1/N with equal weights.
    fn variance(&self) -> f64 {
        self.squares as f64 / (self.weight as f64).powi(2)
    }
}

/// The margins of the joint table, of all blocks or of one parity. The 2×2 table of every class follows
/// from them by subtraction. Only the listed classes have sums; the others have counts alone.
pub(super) struct PooledMargins {
    /// Every trial.
    pub(super) all: TableCell,
    /// By predicted class.
    pub(super) called: Vec<TableCell>,
    /// By true class.
    shown: Vec<TableCell>,
    /// By class, where the true and the predicted class are the same.
    hit: Vec<TableCell>,
}

impl PooledMargins {
    /// Pools the blocks of these parities (0: even, 1: odd).
    pub(super) fn new(trials: &TrialSums<'_>, parities: &[usize]) -> Self {
        let (k, pixels) = (trials.classes, trials.pixels());
        let mut maps = vec![0; k];
        trials.listed.iter().for_each(|&class| maps[class] = pixels);
        let empty: Vec<TableCell> = maps.into_iter().map(TableCell::empty).collect();
        let mut pool = Self {
            all: TableCell::empty(pixels),
            called: empty.clone(),
            shown: empty.clone(),
            hit: empty,
        };
        for &parity in parities {
            pool.count(trials, parity);
            pool.sum(trials, parity);
        }
        pool
    }

    /// Adds the counts and weights of the joint table.
    fn count(&mut self, trials: &TrialSums<'_>, parity: usize) {
        let k = trials.classes;
        for cell in 0..k * k {
            let index = parity * k * k + cell;
            let count = trials.counts[index];
            if count == 0 {
                continue;
            }
            let (weight, squares) = match trials.weights {
                Some(weights) => (weights.sum[index], weights.squares[index]),
                None => (count, count),
            };
            let (truth, predicted) = (cell / k, cell % k);
            let mut margins = vec![
                &mut self.all,
                &mut self.called[predicted],
                &mut self.shown[truth],
            ];
            if truth == predicted {
                margins.push(&mut self.hit[truth]);
            }
            for margin in margins {
                margin.count = margin.count.saturating_add(count);
                margin.weight = margin.weight.saturating_add(weight);
                margin.squares = margin.squares.saturating_add(squares);
            }
        }
    }

    /// Adds the sums of the noise.
    fn sum(&mut self, trials: &TrialSums<'_>, parity: usize) {
        let (listed, pixels) = (trials.listed, trials.pixels());
        let margins = [&mut self.called, &mut self.shown, &mut self.hit];
        for (number, cells) in margins.into_iter().enumerate() {
            for (&class, sum) in listed.iter().zip(margin(trials, parity, number)) {
                cells[class].add_sum(sum);
            }
        }
        // Every trial is called some class.
        for sum in margin(trials, parity, 0) {
            self.all.add_sum(sum);
        }
        if let Some(rest) = trials.rest.get(parity * pixels..(parity + 1) * pixels) {
            self.all.add_sum(rest);
        }
    }

    /// Numbers of trials in the four cells of the 2×2 table of `class`, in the order of
    /// [`super::ClassEstimate::cells`].
    pub(super) fn cells(&self, class: ClassId) -> [u64; 4] {
        let (called, shown) = (self.called[class].count, self.shown[class].count);
        let hit = self.hit[class].count;
        let missed = shown - hit;
        [hit, called - hit, missed, self.all.count - called - missed]
    }

    /// The four cells of the 2×2 table of a listed class, in the same order.
    fn table(&self, class: ClassId) -> [TableCell; 4] {
        let (called, shown, hit) = (&self.called[class], &self.shown[class], &self.hit[class]);
        let missed = shown.minus(hit);
        let others = self.all.minus(called).minus(&missed);
        [hit.clone(), called.minus(hit), missed, others]
    }

    /// The classification image of `class` in grid steps, and the variance of one of its pixels over that of
    /// the noise; `None` if a cell that it needs has fewer than `least` trials.
    pub(super) fn image(
        &self,
        class: ClassId,
        gamma: Gamma,
        least: u64,
    ) -> Option<(Vec<f64>, f64)> {
        if gamma == Gamma::NOISE {
            let (called, all) = (&self.called[class], &self.all);
            if called.count < least || all.count - called.count < least || called.weight == 0 {
                return None;
            }
            let image = called
                .mean()
                .zip(all.mean())
                .map(|(called, all)| called - all);
            // Var Σᵢ(wᵢ[called k]/W_k − wᵢ/W)zᵢ; with equal weights 1/N_k − 1/N.
            let (w, total) = (called.weight as f64, all.weight as f64);
            let variance =
                called.variance() - 2.0 * called.squares as f64 / (w * total) + all.variance();
            return Some((image.collect(), variance));
        }
        let table = self.table(class);
        if table
            .iter()
            .any(|cell| cell.count < least || cell.weight == 0)
        {
            return None;
        }
        const SIGNS: [f64; 4] = [1.0, 1.0, -1.0, -1.0];
        let mut image = vec![0.0; self.all.sum.len()];
        for (cell, sign) in table.iter().zip(SIGNS) {
            let add = |(c, mean): (&mut f64, f64)| *c += sign * mean;
            image.iter_mut().zip(cell.mean()).for_each(add);
        }
        Some((image, table.iter().map(TableCell::variance).sum()))
    }
}
