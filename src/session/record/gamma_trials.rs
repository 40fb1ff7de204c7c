//! The record of the trials at one γ: counts and sums.

mod check;

use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};

use super::{BlockSums, EvidenceRecord, NoiseAxes, NoiseNull, TrialKind, arrays};
use crate::ids::{ClassId, Gamma};
use crate::session::array::Array;
use crate::session::config::{Grain, Noise, NoiseGrid, Weighting};
use crate::session::form::Shape;
use crate::stats::classification::{self, GammaEstimate, MARGINS, TrialSums, WeightSums};
use crate::stats::null::ErrorModel;
use crate::stats::numbers::Response;
use crate::stats::sums::add;

/// Counts and sums of the trials at one γ. K classes, M of which have maps; maps are kept on the noise's
/// grid, of c channels, h rows and w columns, which equals the images' shape unless the noise is coarse
/// or grey.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GammaTrials {
    /// Signal strength.
    pub gamma: Gamma,
    /// The first block in the sums: 0 except in a shard's file.
    #[serde(default)]
    pub first: u64,
    /// Blocks done: the sums contain exactly this many blocks, starting at `first`.
    pub blocks: u64,
    /// Trials done.
    pub trials: u64,
    /// Trials needed before a class has an estimate.
    pub min_trials: u64,
    /// The network's decision on the mean stimulus of each class, fed back to it: \[K\].
    pub fed_back: Vec<Option<FedBack>>,
    /// Trials by parity of the block, true class and predicted class: \[2,K,K\], even blocks first.
    pub counts: Vec<u64>,
    /// The classes that have maps, ascending: \[M\].
    #[serde(default)]
    pub listed: Vec<ClassId>,
    /// Channels, rows and columns of the images.
    #[serde(default)]
    pub images: Shape,
    /// The grain of the noise.
    #[serde(default)]
    pub grain: Grain,
    /// Sum of the noise on its integer grid by parity and margin (called k, shown k, both):
    /// \[2,3,M,c,h,w\].
    pub noise: Array<i64>,
    /// The same over the trials called none of the listed classes, \[2,c,h,w\]; empty if all classes are
    /// listed.
    #[serde(default)]
    pub rest: Array<i64>,
    /// Sum of the images' bytes (0 to 255) by predicted class: \[M,c,h,w\].
    pub image: Array<i64>,
    /// The kind of noise.
    #[serde(default = "uniform")]
    pub kind: Noise,
    /// The grid of the noise's values.
    #[serde(default = "uniform_grid")]
    pub grid: NoiseGrid,
    /// Standard deviation of one pixel of the noise; `None` if `moments` determine it.
    #[serde(default = "uniform_deviation")]
    pub deviation: Option<f64>,
    /// Σk and Σk² over the counted trials, \[2,c,h,w\]; empty if the deviation is known.
    #[serde(default)]
    pub moments: Array<i64>,
    /// Σw by parity, true class and predicted class, \[2,K,K\], if trials are weighted by confidence: w
    /// is the confidence in steps of 1/[`CONFIDENCE_STEPS`]. Otherwise empty.
    #[serde(default)]
    pub weights: Vec<u64>,
    /// Σw², in the same layout.
    #[serde(default)]
    pub squared_weights: Vec<u64>,
    /// Trials shown but not counted, because their confidence was too low.
    #[serde(default)]
    pub dropped: u64,
    /// Trial counts at which reliability was noted, \[N\], about √2 apart.
    #[serde(default)]
    pub noted: Vec<u64>,
    /// The noted reliabilities by response (decisions, evidence) and class with a map, \[N,2,M\]; NaN if
    /// there was none.
    #[serde(default)]
    pub course: Array<f32>,
    /// Evidence from the network's outputs; `None` if only decisions are recorded, and before the first
    /// block.
    #[serde(default)]
    pub evidence: Option<EvidenceRecord>,
    /// The network's decision on the evidence image of each class, drawn around the middle of the noise
    /// and fed back to it: \[K\]; empty without evidence.
    #[serde(default)]
    pub evidence_fed_back: Vec<Option<FedBack>>,
    /// The null distribution of maps if the noise's pixels are dependent; `None` for white noise, if it
    /// could not be simulated, and in sessions of earlier versions.
    #[serde(default)]
    pub null: Option<NoiseNull>,
    /// Whether the target reliability was reached before the trials were used up.
    #[serde(default)]
    pub reached: bool,
    /// In the file of a shard that does not begin at block 0: its sums at each point where reliability
    /// is noted, since that also needs the sums of the shards before it.
    #[serde(default)]
    pub on_the_way: Vec<GammaTrials>,
    /// The axes of the noise's covariance, which are stored once for all γ.
    #[serde(skip)]
    axes: Option<NoiseAxes>,
    /// The cached estimate; clones share it until one of them adds to its sums.
    #[serde(skip)]
    estimate: Arc<OnceLock<Arc<GammaEstimate>>>,
    /// Whether the sums were dropped because they are kept elsewhere.
    #[serde(skip)]
    dropped_sums: bool,
}

/// Steps in which a confidence is counted if trials are weighted by it.
pub const CONFIDENCE_STEPS: f64 = 1024.0;

fn uniform() -> Noise {
    Noise::Uniform
}

fn uniform_grid() -> NoiseGrid {
    Noise::Uniform.grid()
}

fn uniform_deviation() -> Option<f64> {
    Noise::Uniform.deviation([1, 1, 1])
}

/// The network's decision on an image that is fed back to it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FedBack {
    /// The predicted class.
    pub class: ClassId,
    /// Softmax probability of that class, in \[0,1\].
    pub confidence: f64,
}

impl GammaTrials {
    /// A record without trials, of this kind. To record the outputs too, call [`Self::record_evidence`].
    pub fn new(gamma: Gamma, min_trials: u64, kind: &TrialKind) -> Self {
        let (k, m) = (kind.classes, kind.listed.len());
        let [c, h, w] = kind.grain.grid(kind.images);
        let deviation = kind.noise.deviation(kind.images);
        let cells = 2 * k * k;
        let weighted = match kind.weighting {
            Weighting::Confidence => cells,
            Weighting::Equal | Weighting::Threshold(_) => 0,
        };
        let or_empty = |present: bool, shape: &[usize]| match present {
            true => Array::zeros(shape),
            false => Array::default(),
        };
        Self {
            gamma,
            first: 0,
            blocks: 0,
            trials: 0,
            min_trials,
            fed_back: vec![None; k],
            counts: vec![0; cells],
            listed: kind.listed.clone(),
            images: kind.images,
            grain: kind.grain,
            noise: Array::zeros(&[2, MARGINS, m, c, h, w]),
            rest: or_empty(m < k, &[2, c, h, w]),
            image: Array::zeros(&[m, c, h, w]),
            kind: kind.noise,
            grid: kind.noise.grid(),
            deviation,
            moments: or_empty(deviation.is_none(), &[2, c, h, w]),
            weights: vec![0; weighted],
            squared_weights: vec![0; weighted],
            dropped: 0,
            noted: Vec::new(),
            course: Array::zeros(&[0, 2, m]),
            evidence: None,
            evidence_fed_back: Vec::new(),
            null: None,
            reached: false,
            on_the_way: Vec::new(),
            axes: None,
            estimate: Arc::default(),
            dropped_sums: false,
        }
    }

    /// Records the outputs too, in units of `step`, for trials of this kind.
    pub fn record_evidence(&mut self, step: f64, kind: &TrialKind) {
        self.evidence = Some(EvidenceRecord::new(step, kind));
        self.evidence_fed_back = vec![None; kind.classes];
    }

    /// Number of classes, K.
    pub fn classes(&self) -> usize {
        self.fed_back.len()
    }

    /// Channels, rows and columns of its maps.
    pub fn shape(&self) -> Shape {
        self.grain.grid(self.images)
    }

    /// Rows and columns of its maps.
    pub fn size(&self) -> (usize, usize) {
        let [_, height, width] = self.shape();
        (height, width)
    }

    /// Adds the sums of a block, or of several blocks of the same parity. Integers, so the order does
    /// not matter.
    pub fn add(&mut self, block: &BlockSums) {
        let k = self.classes();
        let pixels: usize = self.shape().iter().product();
        let parity = (block.block.0 % 2) as usize;
        let cells = k * k;
        let rows = MARGINS * self.listed.len();
        add(&mut self.counts[parity * cells..], &block.counts);
        let noise = self.noise.values_mut();
        for (row, sums) in block.noise.iter().filter(|(row, _)| *row < rows) {
            add(&mut noise[(parity * rows + row) * pixels..], sums);
        }
        let rest = block.noise.iter().filter(|(row, _)| *row == rows);
        if !self.rest.values().is_empty() {
            rest.for_each(|(_, sums)| add(&mut self.rest.values_mut()[parity * pixels..], sums));
        }
        let image = self.image.values_mut();
        for (place, sums) in &block.image {
            add(&mut image[place * pixels..], sums);
        }
        if !self.weights.is_empty() {
            add(&mut self.weights[parity * cells..], &block.weights.0);
            add(
                &mut self.squared_weights[parity * cells..],
                &block.weights.1,
            );
        }
        if !block.moments.is_empty() {
            add(self.moments.values_mut(), &block.moments);
        }
        if let (Some(evidence), Some(added)) = (&mut self.evidence, &block.evidence) {
            evidence.add(parity, added);
        }
        self.blocks = self.blocks.saturating_add(block.blocks);
        self.dropped = self.dropped.saturating_add(block.dropped);
        self.trials = self.trials.saturating_add(block.trials);
        self.invalidate_estimate();
    }

    /// Trials that the maps of a response are made of: decisions are those of the trials that count, evidence is that
    /// of all.
    pub fn trials_of(&self, response: Response) -> u64 {
        match response {
            Response::Decision => self.trials.saturating_sub(self.dropped),
            Response::Evidence => self.trials,
        }
    }

    /// Whether there are too few trials for any evidence image: in total, or of those that count if these measure the
    /// noise's deviation, or because none of them can be compared with another. A class that has none for another reason
    /// has an output that never changes.
    pub fn lacks_trials_for_evidence(&self) -> bool {
        let measuring = match self.deviation {
            Some(_) => Response::Evidence,
            None => Response::Decision,
        };
        self.trials_of(measuring) < self.min_trials || self.lacks_pairs()
    }

    /// Whether, with an image in the stimuli, no two trials are of the same true class, within which evidence varies;
    /// classes without maps count as one.
    pub fn lacks_pairs(&self) -> bool {
        let Some(evidence) = self.evidence.as_ref().filter(|_| self.gamma > Gamma::NOISE) else {
            return false;
        };
        let classes = evidence.shown.len() / 2;
        let (mut most, mut rest) = (0_u64, 0_u64);
        for truth in 0..classes {
            let shown = evidence.shown[truth].saturating_add(evidence.shown[classes + truth]);
            match self.listed.binary_search(&ClassId(truth)) {
                Ok(_) => most = most.max(shown),
                Err(_) => rest = rest.saturating_add(shown),
            }
        }
        most.max(rest) < 2
    }

    /// Discards the cached estimate after the sums have changed.
    pub(super) fn invalidate_estimate(&mut self) {
        self.estimate = Arc::default();
    }

    /// Computes the estimate, then drops the sums.
    pub(super) fn drop_sums(&mut self) {
        if !self.dropped_sums {
            self.estimate();
        }
        self.discard_sums();
    }

    /// Drops the sums without computing the estimate.
    pub(super) fn discard_sums(&mut self) {
        self.dropped_sums = true;
        self.axes = None;
        self.on_the_way = Vec::new();
        for sums in [
            &mut self.noise,
            &mut self.rest,
            &mut self.image,
            &mut self.moments,
        ] {
            *sums = Array::default();
        }
        if let Some(evidence) = &mut self.evidence {
            evidence.drop_arrays();
        }
    }

    /// Stores an estimate whose sums are kept elsewhere; `false` if it does not fit these trials.
    pub(super) fn set_estimate(&mut self, estimate: Arc<GammaEstimate>) -> bool {
        // The record of a peer may contain any shape.
        let pixels = self.shape().into_iter().fold(1, usize::saturating_mul);
        let fits = estimate.fits(self.classes(), pixels);
        self.discard_sums();
        self.estimate = Arc::new(OnceLock::from(estimate));
        fits
    }

    /// How the errors of a map's pixels are correlated.
    pub fn errors(&self) -> ErrorModel<'_> {
        match &self.null {
            _ if self.kind.is_white() => ErrorModel::Independent,
            Some(null) => ErrorModel::Simulated(null.view()),
            None => ErrorModel::Unknown,
        }
    }

    /// Stores the axes of its noise's covariance, which are kept once for all γ.
    pub(super) fn share_axes(&mut self, axes: Option<&NoiseAxes>) {
        self.axes = axes.cloned();
        self.estimate = Arc::default();
    }

    /// Stores the simulated null distribution of its noise.
    pub fn set_null(&mut self, null: NoiseNull) {
        self.null = Some(null);
        self.estimate = Arc::default();
    }

    /// The maps and their statistics, computed once per state of the sums.
    pub fn estimate(&self) -> Arc<GammaEstimate> {
        Arc::clone(self.estimate.get_or_init(|| {
            Arc::new(classification::estimate(&TrialSums {
                gamma: self.gamma,
                classes: self.classes(),
                listed: match self.dropped_sums {
                    true => &[],
                    false => &self.listed,
                },
                shape: self.shape(),
                cover: &self.grain.cover(self.images),
                min_trials: self.min_trials,
                counts: &self.counts,
                dropped: self.dropped,
                noise: self.noise.values(),
                rest: self.rest.values(),
                image: self.image.values(),
                grid: self.grid,
                error_model: self.errors(),
                axes: self.axes.as_ref().map(NoiseAxes::view),
                deviation: self.deviation,
                moments: self.moments.values(),
                evidence: match self.dropped_sums {
                    true => None,
                    false => self.evidence.as_ref().map(EvidenceRecord::responses),
                },
                weights: (!self.weights.is_empty()).then_some(WeightSums {
                    sum: &self.weights,
                    squares: &self.squared_weights,
                }),
            }))
        }))
    }
}

arrays!(GammaTrials: noise, rest, image, moments, course, evidence, null, on_the_way);

#[cfg(test)]
pub(super) mod tests;
