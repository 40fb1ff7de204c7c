//! Classification images from exact sums: the maps, their z values, reliability and SNR.
//!
//! Formulas: Murray, *Classification images: a review*, J. Vision 11(5):2, 2011; Ahumada 2002 for
//! the 2×2 form. The noise lies on a grid: its sums are Σk of the grid's points, or Σw·k if
//! trials are weighted by the network's confidence.

use serde::{Deserialize, Serialize};

mod class_difference;
mod deviation;
mod evidence;
mod image;
mod needed;
mod pool;
mod regression;

use self::image::{MapContext, MapHalves, MeasuredMap, narrow};
use self::pool::PooledMargins;
use super::null::ErrorModel;
use super::regression::NoiseBasis;
use crate::ids::{ClassId, Gamma};
use crate::stats::numbers::{NoiseGrid, Response, Shape};
use crate::stats::sums::{add, checked_total};

pub use self::evidence::{
    GRID_CENTRE, MAX_PAIRED_CLASSES, MAX_RESPONSE_STEPS, MAX_RESPONSE_TRIALS, ResponseSums,
    sums_per_class,
};
pub use self::image::ImageEstimate;

/// Target reliability of [`ImageEstimate::needed`].
pub const TARGET_RELIABILITY: f64 = 0.95;

/// Number of margins whose sums are kept for every class: called k, shown k, and both.
pub const MARGINS: usize = 3;

/// Counts and sums of the trials at one γ. K classes, M of which have maps; P numbers of a map.
#[derive(Debug, Clone, Copy)]
pub struct TrialSums<'a> {
    /// Signal strength.
    pub gamma: Gamma,
    /// K.
    pub classes: usize,
    /// The classes that have maps, ascending, \[M\].
    pub listed: &'a [ClassId],
    /// Channels, rows and columns of a map.
    pub shape: Shape,
    /// Number of image pixels that each number of a map covers, \[P\].
    pub cover: &'a [u32],
    /// Fewest trials in each cell that a class's estimate needs.
    pub min_trials: u64,
    /// Trials by parity of block, true class, predicted class: \[2,K,K\].
    pub counts: &'a [u64],
    /// Trials shown that are not in these counts, because the network was not confident enough.
    pub dropped: u64,
    /// Σk of the noise's grid values, or Σw·k, by parity of block and margin: called, shown, both;
    /// \[2,3,M,P\].
    pub noise: &'a [i64],
    /// The same for the trials called none of the listed classes, \[2,P\]; empty if all are listed.
    pub rest: &'a [i64],
    /// Σx of the images' bytes by predicted class, or Σw·x: \[M,P\].
    pub image: &'a [i64],
    /// The grid of the noise's values.
    pub grid: NoiseGrid,
    /// How the errors of pixels are correlated.
    pub error_model: ErrorModel<'a>,
    /// The axes of the noise's covariance, if maps are regressed on its coefficients.
    pub axes: Option<NoiseBasis<'a>>,
    /// Standard deviation of one noise pixel; `None` to compute it from the moments.
    pub deviation: Option<f64>,
    /// Σk and Σk² over the trials that count, \[2,P\], if the deviation is not known.
    pub moments: &'a [i64],
    /// The weights of the trials; `None` if all count the same.
    pub weights: Option<WeightSums<'a>>,
    /// Sums of the network's outputs; `None` if only its decisions are known.
    pub evidence: Option<ResponseSums<'a>>,
}

/// Sums of the weights of trials, \[2,K,K\] each.
#[derive(Debug, Clone, Copy)]
pub struct WeightSums<'a> {
    /// Σw.
    pub sum: &'a [u64],
    /// Σw².
    pub squares: &'a [u64],
}

impl TrialSums<'_> {
    /// P.
    fn pixels(&self) -> usize {
        self.shape.iter().product()
    }
}

/// The margins, \[2,3,K,P\], of a joint table of sums by true and predicted class, \[2,K,K,P\].
pub fn margins(table: &[i64], classes: usize, pixels: usize) -> Vec<i64> {
    let mut margins = vec![0; 2 * MARGINS * classes * pixels];
    for (at, sums) in table.chunks_exact(pixels).enumerate() {
        let (parity, cell) = (at / (classes * classes), at % (classes * classes));
        let (truth, predicted) = (cell / classes, cell % classes);
        let hit = (truth == predicted).then_some((2, truth));
        for (margin, class) in [(0, predicted), (1, truth)].into_iter().chain(hit) {
            let row = ((parity * MARGINS + margin) * classes + class) * pixels;
            add(&mut margins[row..row + pixels], sums);
        }
    }
    margins
}

/// All estimates from the trials at one γ.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename = "Estimate")]
pub struct GammaEstimate {
    /// Signal strength.
    pub gamma: Gamma,
    /// Number of trials counted.
    pub trials: u64,
    /// Trials by true and predicted class, \[K,K\] row-major.
    pub counts: Vec<u64>,
    /// |z| above which a pixel is significant (two-sided, 5 % for the whole map: Bonferroni, or from
    /// sums of the noise under random signs).
    pub threshold: f64,
    /// Trials that fit the means of true classes, of which evidence images are not made.
    pub fitted: u64,
    /// One estimate per class.
    pub classes: Vec<ClassEstimate>,
    /// Covariance of the responses of two classes with maps, within true classes, in units of the responses' step
    /// squared, \[M,M\]; empty if outputs were not read or there are very many classes.
    pub spread: Vec<f32>,
}

/// The estimates for one class k.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClassEstimate {
    /// Trials called k.
    pub called: u64,
    /// Whether the plan requests its maps.
    pub listed: bool,
    /// Trials by (true = k, called k), (true ≠ k, called k), (k, ≠ k), (≠ k, ≠ k).
    pub cells: [u64; 4],
    /// Mean of the noise called k, \[P\]; `None` if there is no such trial.
    pub mean_noise: Option<Vec<f32>>,
    /// Mean of the stimuli called k, \[P\] in \[0,1\]; `None` if there is no such trial.
    pub mean_stimulus: Option<Vec<f32>>,
    /// The classification image; `None` if the class is not listed or a cell that it needs has too few
    /// trials. At γ = 0 the error is σ·√(1/N_k − 1/N), that of m_k − mean(z) with the mean of the sample;
    /// for the known mean of the noise it would be too small if most trials are called k. With weights,
    /// N is (Σw)²/Σw².
    pub decision: Option<ImageEstimate>,
    /// The evidence image; `None` if the class is not listed, outputs were not read, there are too few
    /// trials in total, or counted ones to measure the noise's deviation, or the class's response never changes.
    pub evidence: Option<ImageEstimate>,
    /// Mean of the class's response, and its standard deviation within true classes; `None` if there is no
    /// evidence image.
    pub response: Option<[f64; 2]>,
}

impl GammaEstimate {
    /// Whether its sizes match `classes` classes and maps of `pixels` pixels, and its counts add up to its
    /// trials.
    pub fn fits(&self, classes: usize, pixels: usize) -> bool {
        let maps = |class: &ClassEstimate| {
            let means = [&class.mean_noise, &class.mean_stimulus];
            let images = [&class.decision, &class.evidence];
            means.into_iter().flatten().all(|map| map.len() == pixels)
                && images.into_iter().flatten().all(|image| image.fits(pixels))
        };
        let listed = self.classes.iter().filter(|class| class.listed).count();
        self.counts.len() == classes * classes
            && checked_total(self.counts.iter().copied()) == Some(self.trials)
            && checked_total(self.classes.iter().map(|class| class.called)) == Some(self.trials)
            && (self.spread.is_empty() || self.spread.len() == listed * listed)
            && self.classes.len() == classes
            && self.classes.iter().all(maps)
    }
}

impl ClassEstimate {
    /// The estimate for a class whose maps are not requested: counts only.
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

    /// Its map for a response; `None` if there are too few trials for it, or it is not kept.
    pub fn image(&self, response: Response) -> Option<&ImageEstimate> {
        match response {
            Response::Decision => self.decision.as_ref(),
            Response::Evidence => self.evidence.as_ref(),
        }
    }

    /// Its most reliable map, if it has any.
    pub fn best_image(&self) -> Option<&ImageEstimate> {
        self.image(self.best_response()?)
    }

    /// The response with the most reliable map, if it has any.
    pub fn best_response(&self) -> Option<Response> {
        let reliability =
            |response: Response| Some(self.image(response)?.reliability.unwrap_or(-1.0));
        let candidates = Response::ALL.into_iter();
        let candidates = candidates.filter_map(|response| Some((response, reliability(response)?)));
        let best = candidates.max_by(|(_, a), (_, b)| a.total_cmp(b));
        best.map(|(response, _)| response)
    }
}

/// Computes every map. Sums are exact integers, so the result does not depend on the order of the trials.
pub fn estimate(trials: &TrialSums<'_>) -> GammaEstimate {
    let k = trials.classes;
    let cells = k * k;
    let counts: Vec<u64> = (0..cells)
        .map(|cell| trials.counts[cell] + trials.counts[cells + cell])
        .collect();
    let threshold = trials.error_model.bound(trials.pixels());
    let whole = PooledMargins::new(trials, &[0, 1]);
    let halves = [
        PooledMargins::new(trials, &[0]),
        PooledMargins::new(trials, &[1]),
    ];
    let deviations = trials.deviations(whole.all.count);
    let setting = MapContext {
        shape: trials.shape,
        trials: whole.all.count.saturating_add(trials.dropped),
        fitted: 0,
        threshold,
        error_model: trials.error_model,
    };
    let of_class = |class| class_estimate(trials, &whole, &halves, class, &deviations);
    let mut measured: Vec<(ClassEstimate, [Option<MeasuredMap>; 2])> = ClassId::all(k)
        .map(of_class)
        .map(|(class, decision)| (class, [decision, None]))
        .collect();
    let mut spread = Vec::new();
    // Evidence is made of all trials, decisions of those that count.
    let mut shown_deviations = Vec::new();
    if let Some(responses) = &trials.evidence {
        shown_deviations = trials.shown_deviations(responses, &deviations);
        let (found, covariance) = evidence::evidence_images(trials, responses, &shown_deviations);
        spread = covariance;
        for (&class, found) in trials.listed.iter().zip(found) {
            let (estimate, maps) = &mut measured[class];
            estimate.response = found
                .as_ref()
                .map(|evidence| [evidence.mean, evidence.deviation]);
            maps[1] = found.map(|evidence| evidence.measured);
        }
    }
    if let Some(axes) = trials.axes {
        let maps = measured.iter_mut().map(|(_, maps)| maps);
        regression::regress(axes, maps, [&deviations, &shown_deviations]);
    }
    let fitted = needed::fitted_trials(trials);
    let finished = |(class, [decision, evidence]): (ClassEstimate, [Option<MeasuredMap>; 2])| {
        let image = |map: Option<MeasuredMap>, fitted: u64| {
            map.map(|map| ImageEstimate::new(map, MapContext { fitted, ..setting }))
        };
        ClassEstimate {
            decision: image(decision, 0),
            evidence: image(evidence, fitted),
            ..class
        }
    };
    let classes = measured.into_iter().map(finished).collect();
    GammaEstimate {
        gamma: trials.gamma,
        trials: counts.iter().sum(),
        counts,
        threshold,
        fitted,
        classes,
        spread,
    }
}

/// The estimate for a class without its images, and its classification image as measured.
fn class_estimate(
    trials: &TrialSums<'_>,
    whole: &PooledMargins,
    halves: &[PooledMargins; 2],
    class: ClassId,
    deviations: &[f64],
) -> (ClassEstimate, Option<MeasuredMap>) {
    let cells = whole.cells(class);
    let called = &whole.called[class];
    let Some(place) = trials.listed.iter().position(|&listed| listed == class) else {
        return (ClassEstimate::unlisted(called.count, cells), None);
    };
    let (pixels, gamma) = (trials.pixels(), trials.gamma.0);
    let mean_noise = (called.weight > 0).then(|| {
        let values = called.mean().map(|k| trials.grid.value(k));
        values.collect::<Vec<f64>>()
    });
    let mean_stimulus = mean_noise.as_ref().map(|noise| {
        let image = &trials.image[place * pixels..(place + 1) * pixels];
        let blend = |((noise, sum), &cover): ((&f64, &i64), &u32)| {
            let image = *sum as f64 / (called.weight as f64 * 255.0 * f64::from(cover));
            ((1.0 - gamma) * noise + gamma * image) as f32
        };
        noise
            .iter()
            .zip(image)
            .zip(trials.cover)
            .map(blend)
            .collect()
    });

    let scaled = |map: Vec<f64>| map.into_iter().map(|c| c * trials.grid.step).collect();
    let halves = |variance: f64| {
        let half = |half: &PooledMargins| half.image(class, trials.gamma, 1);
        let ((even, first), (odd, second)) = (half(&halves[0])?, half(&halves[1])?);
        Some(MapHalves {
            maps: [scaled(even), scaled(odd)],
            error_share: variance / (first + second),
            length: (first * second).sqrt() / variance,
        })
    };
    let decision = whole.image(class, trials.gamma, trials.min_trials);
    let decision = decision.map(|(image, variance)| MeasuredMap {
        image: scaled(image),
        errors: deviations
            .iter()
            .map(|sigma| sigma * variance.sqrt())
            .collect(),
        noise: variance * deviations.iter().map(|sigma| sigma * sigma).sum::<f64>(),
        halves: halves(variance),
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
