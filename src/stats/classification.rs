//! Classification images from exact sums: the maps, their z values, reliability and SNR.
//!
//! Formulas: Murray, *Classification images: a review*, J. Vision 11(5):2, 2011; Ahumada 2002 for
//! the 2×2 form. The noise lies on a grid: its sums here are Σk of the grid's points, or Σw·k where
//! a trial counts as much as the network's confidence.

use serde::{Deserialize, Serialize};

mod evidence;
mod image;
mod pair;
mod regressed;

use self::image::{Measured, Setting, narrow};
use super::null::Errors;
use super::regression::Axes;
use crate::stats::numbers::{Grid, Response, Shape};

pub use self::evidence::{CENTRE, MOST, MOST_TRIALS, PAIRED, Responses, pairs};
pub use self::image::ImageEstimate;

/// Reliability that [`ImageEstimate::needed`] is about.
pub const TARGET: f64 = 0.95;

/// Margins whose sums are kept for every class: called k, shown k, and both.
pub const MARGINS: usize = 3;

/// Counts and sums of the trials at one γ. K classes, M of which have maps; P numbers of a map.
#[derive(Debug, Clone, Copy)]
pub struct Trials<'a> {
    /// Signal strength in \[0,1\].
    pub gamma: f64,
    /// K.
    pub classes: usize,
    /// The classes that have maps, ascending, \[M\].
    pub listed: &'a [usize],
    /// Channels, rows and columns of a map.
    pub shape: Shape,
    /// Numbers of an image that each number of a map stands for, \[P\].
    pub cover: &'a [u32],
    /// Fewer trials than this in a cell that an estimate needs make its class insufficient.
    pub min_trials: u64,
    /// Trials by parity of block, true class, predicted class: \[2,K,K\].
    pub counts: &'a [u64],
    /// Σk of the noise's grid values, or Σw·k, by parity of block and margin: called, shown, both;
    /// \[2,3,M,P\].
    pub noise: &'a [i64],
    /// The same of the trials called none of the listed classes, \[2,P\]; empty where all are listed.
    pub rest: &'a [i64],
    /// Σx of the images' bytes by predicted class, or Σw·x: \[M,P\].
    pub image: &'a [i64],
    /// Where the noise's values lie.
    pub grid: Grid,
    /// How the errors of pixels go together.
    pub errors: Errors<'a>,
    /// The axes of the noise's covariance, where maps are regressed on its coefficients.
    pub axes: Option<Axes<'a>>,
    /// Standard deviation of one pixel of the noise; `None`: from the moments.
    pub deviation: Option<f64>,
    /// Σk and Σk² over all trials, \[2,P\], where the deviation is not known.
    pub moments: &'a [i64],
    /// The weights of the trials; `None`: all count the same.
    pub weights: Option<Weights<'a>>,
    /// What the network's outputs said; `None` where only its decisions are known.
    pub evidence: Option<Responses<'a>>,
}

/// Sums of the weights of trials, \[2,K,K\] each.
#[derive(Debug, Clone, Copy)]
pub struct Weights<'a> {
    /// Σw.
    pub sum: &'a [u64],
    /// Σw².
    pub squares: &'a [u64],
}

impl Trials<'_> {
    /// P.
    fn pixels(&self) -> usize {
        self.shape.iter().product()
    }

    /// Standard deviation of every pixel of the noise, \[P\], in units of the noise's values.
    fn deviations(&self, all: u64) -> Vec<f64> {
        if let Some(deviation) = self.deviation {
            return vec![deviation; self.pixels()];
        }
        let n = i128::from(all.max(1));
        let (first, second) = self.moments.split_at(self.pixels().min(self.moments.len()));
        let pixels = first.iter().zip(second);
        // n·Σk² − (Σk)² in whole numbers: exactly 0 where the noise never varies.
        let deviation = |(&sum, &squares): (&i64, &i64)| {
            let spread = n * i128::from(squares) - i128::from(sum).pow(2);
            self.grid.step * (spread.max(0) as f64).sqrt() / n as f64
        };
        pixels.map(deviation).collect()
    }
}

/// The margins \[2,3,K,P\] of the sums of a joint table of true and predicted classes, \[2,K,K,P\].
pub fn margins(table: &[i64], classes: usize, pixels: usize) -> Vec<i64> {
    let mut margins = vec![0; 2 * MARGINS * classes * pixels];
    for (at, sums) in table.chunks_exact(pixels).enumerate() {
        let (parity, cell) = (at / (classes * classes), at % (classes * classes));
        let (truth, predicted) = (cell / classes, cell % classes);
        let hit = (truth == predicted).then_some((2, truth));
        for (margin, class) in [(0, predicted), (1, truth)].into_iter().chain(hit) {
            let row = ((parity * MARGINS + margin) * classes + class) * pixels;
            let own = margins[row..row + pixels].iter_mut();
            own.zip(sums).for_each(|(own, add)| *own += add);
        }
    }
    margins
}

/// All that the trials at one γ say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// Signal strength.
    pub gamma: f64,
    /// Trials counted.
    pub trials: u64,
    /// Trials by true and predicted class, \[K,K\] row-major.
    pub counts: Vec<u64>,
    /// |z| past which a pixel is significant (two-sided, 5 % for the whole map: Bonferroni, or by
    /// sums of the noise under random signs).
    pub threshold: f64,
    /// One estimate a class.
    pub classes: Vec<ClassEstimate>,
    /// Covariance of what the outputs say for two classes with maps, within true classes, \[M,M\]; empty
    /// where outputs were not read, and of very many classes.
    pub spread: Vec<f32>,
}

/// What the trials say of one class k.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClassEstimate {
    /// Trials called k.
    pub called: u64,
    /// Whether the plan asks for its maps.
    pub listed: bool,
    /// Trials by (true = k, called k), (true ≠ k, called k), (k, ≠ k), (≠ k, ≠ k).
    pub cells: [u64; 4],
    /// Mean of the noise called k, \[P\]; `None` without a trial.
    pub mean_noise: Option<Vec<f32>>,
    /// Mean of the stimuli called k, \[P\] in \[0,1\]; `None` without a trial.
    pub mean_stimulus: Option<Vec<f32>>,
    /// The classification image; `None` where it is not listed or a cell that it needs has too few
    /// trials. At γ = 0 the error is σ·√(1/N_k − 1/N), which is that of m_k − mean(z), the sample's
    /// own mean; against the noise's known mean it would be too small where most trials are called
    /// k. With weights, N is (Σw)²/Σw².
    pub decision: Option<ImageEstimate>,
    /// The evidence image; `None` where it is not listed, outputs were not read, there are too few
    /// trials in all, or what the outputs say for the class never changes.
    pub evidence: Option<ImageEstimate>,
    /// Mean of what the outputs say for the class, and its standard deviation within true classes;
    /// `None` where there is no evidence image.
    pub response: Option<[f64; 2]>,
}

impl Estimate {
    /// Whether it can be that of so many classes and maps of so many pixels.
    pub fn fits(&self, classes: usize, pixels: usize) -> bool {
        let maps = |class: &ClassEstimate| {
            let means = [&class.mean_noise, &class.mean_stimulus];
            let images = [&class.decision, &class.evidence];
            means.into_iter().flatten().all(|map| map.len() == pixels)
                && images.into_iter().flatten().all(|image| image.fits(pixels))
        };
        let listed = self.classes.iter().filter(|class| class.listed).count();
        self.counts.len() == classes * classes
            && (self.spread.is_empty() || self.spread.len() == listed * listed)
            && self.classes.len() == classes
            && self.classes.iter().all(maps)
    }
}

impl ClassEstimate {
    /// What is known of a class whose maps nobody asks for.
    fn unlisted(called: u64, cells: [u64; 4]) -> Self {
        Self {
            called,
            listed: false,
            cells,
            mean_noise: None,
            mean_stimulus: None,
            decision: None,
            evidence: None,
            response: None,
        }
    }

    /// Its map by a response; `None` where there are too few trials for it, or it is not kept.
    pub fn image(&self, response: Response) -> Option<&ImageEstimate> {
        match response {
            Response::Decision => self.decision.as_ref(),
            Response::Evidence => self.evidence.as_ref(),
        }
    }

    /// Its most reliable map, if it has any.
    pub fn best_image(&self) -> Option<&ImageEstimate> {
        self.image(self.best()?)
    }

    /// The response whose map is the most reliable, if it has any.
    pub fn best(&self) -> Option<Response> {
        let reliability =
            |response: Response| Some(self.image(response)?.reliability.unwrap_or(-1.0));
        let there = Response::ALL.into_iter();
        let there = there.filter_map(|response| Some((response, reliability(response)?)));
        let best = there.max_by(|(_, a), (_, b)| a.total_cmp(b));
        best.map(|(response, _)| response)
    }
}

/// Computes every map. Sums are exact integers, so the result depends on the trials alone and not
/// on the order in which they came.
pub fn estimate(trials: &Trials<'_>) -> Estimate {
    let k = trials.classes;
    let cells = k * k;
    let counts: Vec<u64> = (0..cells)
        .map(|cell| trials.counts[cell] + trials.counts[cells + cell])
        .collect();
    let threshold = trials.errors.bound(trials.pixels());
    let whole = Pool::new(trials, &[0, 1]);
    let halves = [Pool::new(trials, &[0]), Pool::new(trials, &[1])];
    let deviations = trials.deviations(whole.all.count);
    let setting = Setting {
        shape: trials.shape,
        trials: whole.all.count,
        threshold,
        among: trials.errors,
    };
    let of_class = |class| class_estimate(trials, &whole, &halves, class, &deviations);
    let mut measured: Vec<(ClassEstimate, [Option<Measured>; 2])> = (0..k)
        .map(of_class)
        .map(|(class, decision)| (class, [decision, None]))
        .collect();
    let mut spread = Vec::new();
    if let Some(responses) = &trials.evidence {
        let (found, covariance) = evidence::evidence(trials, responses, &deviations);
        spread = covariance;
        for (&class, found) in trials.listed.iter().zip(found) {
            let (own, maps) = &mut measured[class];
            own.response = found.as_ref().map(|it| [it.mean, it.deviation]);
            maps[1] = found.map(|it| it.measured);
        }
    }
    if let Some(axes) = trials.axes {
        let maps = measured.iter_mut().map(|(_, maps)| maps);
        regressed::regress(axes, maps, &deviations);
    }
    let finished = |(class, [decision, evidence]): (ClassEstimate, [Option<Measured>; 2])| {
        let image = |map: Option<Measured>| map.map(|it| ImageEstimate::new(it, setting));
        ClassEstimate {
            decision: image(decision),
            evidence: image(evidence),
            ..class
        }
    };
    let classes = measured.into_iter().map(finished).collect();
    Estimate {
        gamma: trials.gamma,
        trials: counts.iter().sum(),
        counts,
        threshold,
        classes,
        spread,
    }
}

/// The sums of one parity and margin (0: called, 1: shown, 2: both), \[P\] for each class with maps.
fn margin<'a>(
    trials: &Trials<'a>,
    parity: usize,
    margin: usize,
) -> impl Iterator<Item = &'a [i64]> {
    let (all, pixels) = (trials.listed.len(), trials.pixels());
    let rows = (parity * MARGINS + margin) * all * pixels;
    trials.noise[rows..][..all * pixels].chunks_exact(pixels)
}

/// Trials, the sums of their weights w and w², and of their noise, Σw·k, \[P\].
#[derive(Debug, Clone)]
struct Cell {
    count: u64,
    weight: u64,
    squares: u64,
    sum: Vec<i64>,
}

impl Cell {
    fn empty(pixels: usize) -> Self {
        Self {
            count: 0,
            weight: 0,
            squares: 0,
            sum: vec![0; pixels],
        }
    }

    fn add_sum(&mut self, sum: &[i64]) {
        self.sum.iter_mut().zip(sum).for_each(|(a, b)| *a += b);
    }

    fn minus(&self, other: &Self) -> Self {
        let pixels = self.sum.iter().zip(&other.sum);
        Self {
            count: self.count - other.count,
            weight: self.weight - other.weight,
            squares: self.squares - other.squares,
            sum: pixels.map(|(a, b)| a - b).collect(),
        }
    }

    /// Mean of k, \[P\]; NaN without weight.
    fn mean(&self) -> impl Iterator<Item = f64> {
        let weight = self.weight as f64;
        self.sum.iter().map(move |&sum| sum as f64 / weight)
    }

    /// Variance of the mean over that of one trial: Σw²/(Σw)², which is 1/N of equal trials.
    fn variance(&self) -> f64 {
        self.squares as f64 / (self.weight as f64).powi(2)
    }
}

/// The margins of the joint table, from which the 2×2 table of every class follows by
/// subtraction: of all blocks, or of one parity. Maps are there for the listed classes alone, for
/// the others only counts.
struct Pool {
    /// Every trial.
    all: Cell,
    /// By predicted class, whatever the true one.
    called: Vec<Cell>,
    /// By true class, whatever the predicted one.
    shown: Vec<Cell>,
    /// True and predicted class the same.
    hit: Vec<Cell>,
}

impl Pool {
    /// The blocks of these parities (0: even, 1: odd).
    fn new(trials: &Trials<'_>, parities: &[usize]) -> Self {
        let (k, pixels) = (trials.classes, trials.pixels());
        let mut maps = vec![0; k];
        trials.listed.iter().for_each(|&class| maps[class] = pixels);
        let empty: Vec<Cell> = maps.into_iter().map(Cell::empty).collect();
        let mut pool = Self {
            all: Cell::empty(pixels),
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

    /// Takes counts and weights from the joint table.
    fn count(&mut self, trials: &Trials<'_>, parity: usize) {
        let k = trials.classes;
        for cell in 0..k * k {
            let at = parity * k * k + cell;
            let count = trials.counts[at];
            if count == 0 {
                continue;
            }
            let (weight, squares) = match trials.weights {
                Some(weights) => (weights.sum[at], weights.squares[at]),
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
                margin.count += count;
                margin.weight += weight;
                margin.squares += squares;
            }
        }
    }

    /// Takes the sums of the noise.
    fn sum(&mut self, trials: &Trials<'_>, parity: usize) {
        let (listed, pixels) = (trials.listed, trials.pixels());
        let margins = [&mut self.called, &mut self.shown, &mut self.hit];
        for (number, cells) in margins.into_iter().enumerate() {
            for (&class, sum) in listed.iter().zip(margin(trials, parity, number)) {
                cells[class].add_sum(sum);
            }
        }
        // Every trial is called something.
        for sum in margin(trials, parity, 0) {
            self.all.add_sum(sum);
        }
        if let Some(rest) = trials.rest.get(parity * pixels..(parity + 1) * pixels) {
            self.all.add_sum(rest);
        }
    }

    /// Trials in the four cells of the 2×2 table of `class`, in the order of
    /// [`ClassEstimate::cells`].
    fn cells(&self, class: usize) -> [u64; 4] {
        let (called, shown) = (self.called[class].count, self.shown[class].count);
        let hit = self.hit[class].count;
        let missed = shown - hit;
        [hit, called - hit, missed, self.all.count - called - missed]
    }

    /// The four cells of the 2×2 table of a listed class, in the same order.
    fn table(&self, class: usize) -> [Cell; 4] {
        let (called, shown, hit) = (&self.called[class], &self.shown[class], &self.hit[class]);
        let missed = shown.minus(hit);
        let others = self.all.minus(called).minus(&missed);
        [hit.clone(), called.minus(hit), missed, others]
    }

    /// The classification image of `class` in grid steps, and the variance of one of its pixels
    /// over that of the noise, where every cell that it needs has at least `least` trials.
    fn image(&self, class: usize, gamma: f64, least: u64) -> Option<(Vec<f64>, f64)> {
        if gamma == 0.0 {
            let (own, all) = (&self.called[class], &self.all);
            if own.count < least || all.count - own.count < least || own.weight == 0 {
                return None;
            }
            let image = own.mean().zip(all.mean()).map(|(own, all)| own - all);
            // Var Σᵢ(wᵢ[called k]/W_k − wᵢ/W)zᵢ; of equal trials 1/N_k − 1/N.
            let (w, total) = (own.weight as f64, all.weight as f64);
            let variance = own.variance() - 2.0 * own.squares as f64 / (w * total) + all.variance();
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
        Some((image, table.iter().map(Cell::variance).sum()))
    }
}

/// What is known of a class but for its images, and its classification image as it was measured.
fn class_estimate(
    trials: &Trials<'_>,
    whole: &Pool,
    halves: &[Pool; 2],
    class: usize,
    deviations: &[f64],
) -> (ClassEstimate, Option<Measured>) {
    let cells = whole.cells(class);
    let called = &whole.called[class];
    let Some(place) = trials.listed.iter().position(|&listed| listed == class) else {
        return (ClassEstimate::unlisted(called.count, cells), None);
    };
    let pixels = trials.pixels();
    let mean_noise = (called.weight > 0).then(|| {
        let values = called.mean().map(|k| trials.grid.value(k));
        values.collect::<Vec<f64>>()
    });
    let mean_stimulus = mean_noise.as_ref().map(|noise| {
        let image = &trials.image[place * pixels..(place + 1) * pixels];
        let blend = |((noise, sum), &cover): ((&f64, &i64), &u32)| {
            let image = *sum as f64 / (called.weight as f64 * 255.0 * f64::from(cover));
            ((1.0 - trials.gamma) * noise + trials.gamma * image) as f32
        };
        noise
            .iter()
            .zip(image)
            .zip(trials.cover)
            .map(blend)
            .collect()
    });

    let scaled = |map: Vec<f64>| map.into_iter().map(|c| c * trials.grid.step).collect();
    let half = |half: &Pool| Some(scaled(half.image(class, trials.gamma, 1)?.0));
    let decision = whole.image(class, trials.gamma, trials.min_trials);
    let decision = decision.map(|(image, variance)| Measured {
        image: scaled(image),
        errors: deviations.iter().map(|it| it * variance.sqrt()).collect(),
        noise: variance * deviations.iter().map(|sigma| sigma * sigma).sum::<f64>(),
        halves: half(&halves[0]).and_then(|even| Some([even, half(&halves[1])?])),
        regression: None,
    });
    let class = ClassEstimate {
        called: called.count,
        cells,
        listed: true,
        mean_noise: mean_noise.as_deref().map(narrow),
        mean_stimulus,
        decision: None,
        evidence: None,
        response: None,
    };
    (class, decision)
}

#[cfg(test)]
mod tests;
