//! Counts and sums of the noise trials at one γ.

use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};

use super::course;
use super::{BlockSums, Evidence, NoiseAxes, NoiseNull, TrialKind, arrays, has_shape};
use crate::session::array::Array;
use crate::session::config::{Grain, Grid, Noise, Weighting};
use crate::session::form::Shape;
use crate::stats::classification::{self, Estimate, MARGINS, Trials, Weights};
use crate::stats::null::Errors;

/// Counts and sums of the trials at one γ. K classes, M of which have maps; maps are kept on the
/// noise's grid, of c channels, h rows and w columns, which are those of the images unless the noise
/// is coarse or grey.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GammaTrials {
    /// Signal strength.
    pub gamma: f64,
    /// The first block of the sums: 0 but in the file of a shard.
    #[serde(default)]
    pub first: u64,
    /// Blocks done: exactly `blocks` of them from the first on are in the sums.
    pub blocks: u64,
    /// Trials done.
    pub trials: u64,
    /// Trials needed before a class says anything.
    pub min_trials: u64,
    /// What the network calls the mean stimulus of each class when it is fed back to it: \[K\].
    pub fed_back: Vec<Option<FedBack>>,
    /// Trials by parity of the block, true class and predicted class: \[2,K,K\], even blocks first.
    pub counts: Vec<u64>,
    /// The classes that have maps, ascending: \[M\].
    #[serde(default)]
    pub listed: Vec<usize>,
    /// Channels, rows and columns of the images.
    #[serde(default)]
    pub images: Shape,
    /// How coarse the noise is.
    #[serde(default)]
    pub grain: Grain,
    /// Sum of the noise on its integer grid by parity and margin (called k, shown k, both):
    /// \[2,3,M,c,h,w\].
    pub noise: Array<i64>,
    /// The same over the trials called none of the listed classes, \[2,c,h,w\]; empty where all
    /// classes are listed.
    #[serde(default)]
    pub rest: Array<i64>,
    /// Sum of the images' bytes (0 to 255) by predicted class: \[M,c,h,w\].
    pub image: Array<i64>,
    /// The kind of noise.
    #[serde(default = "uniform")]
    pub kind: Noise,
    /// Where the noise's values lie.
    #[serde(default = "uniform_grid")]
    pub grid: Grid,
    /// Standard deviation of one pixel of the noise; `None` where `moments` give it.
    #[serde(default = "uniform_deviation")]
    pub deviation: Option<f64>,
    /// Σk and Σk² over the trials counted, \[2,c,h,w\]; empty where the deviation is known.
    #[serde(default)]
    pub moments: Array<i64>,
    /// Σw by parity, true class and predicted class, \[2,K,K\], where trials are weighted by
    /// confidence: w is the confidence in steps of 1/[`CONFIDENCE_STEPS`]. Else empty.
    #[serde(default)]
    pub weights: Vec<u64>,
    /// Σw², the same way.
    #[serde(default)]
    pub squared_weights: Vec<u64>,
    /// Trials shown but not counted, since their confidence was too low.
    #[serde(default)]
    pub dropped: u64,
    /// How reliable the maps were on the way: trials at which it was noted, \[N\], about √2 apart.
    #[serde(default)]
    pub noted: Vec<u64>,
    /// What was noted: reliability by response (decisions, evidence) and class with a map, \[N,2,M\]; NaN
    /// where there was none.
    #[serde(default)]
    pub course: Array<f32>,
    /// What the network's outputs said; `None` where only its decisions are asked for, and before the
    /// first block.
    #[serde(default)]
    pub evidence: Option<Evidence>,
    /// What the network calls the evidence image of each class, drawn around the middle of the noise,
    /// when it is fed back to it: \[K\]; empty without evidence.
    #[serde(default)]
    pub evidence_fed_back: Vec<Option<FedBack>>,
    /// What maps look like without a signal, where the noise's pixels go together; `None` for white noise,
    /// where it could not be simulated, and in sessions of earlier versions.
    #[serde(default)]
    pub null: Option<NoiseNull>,
    /// Whether the target reliability was reached before the trials were used up.
    #[serde(default)]
    pub reached: bool,
    /// In the file of a shard that does not begin at block 0: its sums at the trials at which reliability is noted,
    /// which takes the sums of the shards before it too.
    #[serde(default)]
    pub on_the_way: Vec<GammaTrials>,
    /// The axes of the noise's covariance, which are kept beside the trials at all γ.
    #[serde(skip)]
    axes: Option<NoiseAxes>,
    /// What follows from the sums; copies share it until something is added to one of them.
    #[serde(skip)]
    estimate: Arc<OnceLock<Arc<Estimate>>>,
    /// Whether the sums were left behind where they are kept.
    #[serde(skip)]
    dropped_sums: bool,
}

/// Steps in which a confidence counts where trials are weighted by it.
pub const CONFIDENCE_STEPS: f64 = 1024.0;

fn uniform() -> Noise {
    Noise::Uniform
}

fn uniform_grid() -> Grid {
    Noise::Uniform.grid()
}

fn uniform_deviation() -> Option<f64> {
    Noise::Uniform.deviation([1, 1, 1])
}

/// What the network says of a class's mean stimulus.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FedBack {
    /// The class that it is called.
    pub class: usize,
    /// Softmax probability of that class, in \[0,1\].
    pub confidence: f64,
}

impl GammaTrials {
    /// No trials yet, of this kind. Those that hear the outputs too begin with [`Self::hear`].
    pub fn new(gamma: f64, min_trials: u64, kind: &TrialKind) -> Self {
        let (k, m) = (kind.classes, kind.listed.len());
        let [c, h, w] = kind.grain.grid(kind.images);
        let deviation = kind.noise.deviation(kind.images);
        let cells = 2 * k * k;
        let weighted = match kind.weighting {
            Weighting::Confidence => cells,
            Weighting::Equal | Weighting::Threshold(_) => 0,
        };
        let or_empty = |there: bool, shape: &[usize]| match there {
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

    /// Sums what the outputs say too, in units of `step`, of trials of this kind.
    pub fn hear(&mut self, step: f64, kind: &TrialKind) {
        self.evidence = Some(Evidence::new(step, kind));
        self.evidence_fed_back = vec![None; kind.classes];
    }

    /// Whether its trials are of this kind.
    pub(super) fn is(&self, kind: &TrialKind) -> bool {
        // The shape alone: numbers of a file come later.
        let own_strata = |it: &Evidence| (it.noise.shape().len() > 1) == (kind.own_strata() > 0);
        self.kind == kind.noise
            && self.grid == kind.noise.grid()
            && self.deviation == kind.noise.deviation(kind.images)
            && self.grain == kind.grain
            && self.images == kind.images
            && self.classes() == kind.classes
            && self.listed == kind.listed
            && self.weights.is_empty() == (kind.weighting != Weighting::Confidence)
            && self.evidence.is_some() == kind.evidence
            && (self.dropped_sums || self.evidence.as_ref().is_none_or(own_strata))
            && self.on_the_way.iter().all(|it| it.is(kind))
    }

    /// Whether its numbers agree with each other, so that whoever reads them need not check.
    pub fn agrees(&self) -> bool {
        let (k, m) = (self.classes(), self.listed.len());
        let [c, h, w] = self.shape();
        let cells = 2 * k * k;
        let counted = self
            .counts
            .iter()
            .try_fold(0_u64, |sum, &n| sum.checked_add(n));
        let weighted = self.weights.len();
        let rest: &[usize] = if m < k { &[2, c, h, w] } else { &[0] };
        let moments: &[usize] = match self.deviation {
            None => &[2, c, h, w],
            Some(_) => &[0],
        };
        let sums = || {
            has_shape(&self.noise, &[2, MARGINS, m, c, h, w])
                && has_shape(&self.rest, rest)
                && has_shape(&self.image, &[m, c, h, w])
                && has_shape(&self.moments, moments)
        };
        let course = || match self.noted.is_empty() {
            // Sessions of earlier versions have none.
            true => self.course.values().is_empty(),
            false => has_shape(&self.course, &[self.noted.len(), 2, m]),
        };
        let evidence = |it: &Evidence| {
            it.agrees((k, m), [c, h, w], self.dropped_sums) && it.trials() == Some(self.trials)
        };
        let fed_back = self.evidence_fed_back.iter();
        self.counts.len() == cells
            && self.evidence.as_ref().is_none_or(evidence)
            && course()
            && self.noted.is_sorted_by(|a, b| a < b)
            && self.on_the_way.iter().all(Self::agrees)
            && self.evidence_fed_back.len() == self.evidence.as_ref().map_or(0, |_| k)
            && fed_back.flatten().all(|it| it.class < k)
            && self.null.as_ref().is_none_or(|it| it.agrees([c, h, w]))
            && self.fed_back.iter().flatten().all(|it| it.class < k)
            && self.listed.is_sorted_by(|a, b| a < b)
            && self.listed.iter().all(|&class| class < k)
            && (self.dropped_sums || sums())
            && (weighted == 0 || weighted == cells)
            && self.squared_weights.len() == weighted
            && counted.and_then(|n| n.checked_add(self.dropped)) == Some(self.trials)
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

    /// Adds the sums of a block, or of several of one half. Addition of integers: the order of blocks does not matter.
    pub fn add(&mut self, block: &BlockSums) {
        let k = self.classes();
        let pixels: usize = self.shape().iter().product();
        let parity = (block.block % 2) as usize;
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
        if let (Some(own), Some(heard)) = (&mut self.evidence, &block.evidence) {
            own.add(parity, heard);
        }
        self.blocks += block.blocks;
        self.dropped += block.dropped;
        self.trials += block.trials;
        self.changed();
    }

    /// Forgets what followed from the sums before something was added.
    pub(super) fn changed(&mut self) {
        self.estimate = Arc::default();
    }

    /// Computes what follows from the sums, and drops them.
    pub(super) fn drop_sums(&mut self) {
        if !self.dropped_sums {
            self.estimate();
        }
        self.forget_sums();
    }

    /// Drops them, whatever follows from them.
    pub(super) fn forget_sums(&mut self) {
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
            evidence.forget();
        }
    }

    /// Takes what follows from sums that are kept elsewhere; `false` where it cannot be that of
    /// these trials.
    pub(super) fn take(&mut self, estimate: Arc<Estimate>) -> bool {
        let (k, pixels) = (self.classes(), self.shape().iter().product::<usize>());
        let fits = estimate.fits(k, pixels);
        self.forget_sums();
        self.estimate = Arc::new(OnceLock::from(estimate));
        fits
    }

    /// How the errors of a map's pixels go together.
    pub fn errors(&self) -> Errors<'_> {
        match &self.null {
            _ if self.kind.is_white() => Errors::Independent,
            Some(null) => Errors::Simulated(null.view()),
            None => Errors::Unknown,
        }
    }

    /// Takes the axes of its noise's covariance, which are kept beside the trials at all γ.
    pub(super) fn share_axes(&mut self, axes: Option<&NoiseAxes>) {
        self.axes = axes.cloned();
        self.estimate = Arc::default();
    }

    /// Takes what was simulated of its noise.
    pub fn take_null(&mut self, null: NoiseNull) {
        self.null = Some(null);
        self.estimate = Arc::default();
    }

    /// The maps and their statistics, computed once for each state of the sums.
    pub fn estimate(&self) -> Arc<Estimate> {
        Arc::clone(self.estimate.get_or_init(|| {
            Arc::new(classification::estimate(&Trials {
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
                noise: self.noise.values(),
                rest: self.rest.values(),
                image: self.image.values(),
                grid: self.grid,
                errors: self.errors(),
                axes: self.axes.as_ref().map(NoiseAxes::view),
                deviation: self.deviation,
                moments: self.moments.values(),
                evidence: match self.dropped_sums {
                    true => None,
                    false => self.evidence.as_ref().map(Evidence::responses),
                },
                weights: (!self.weights.is_empty()).then_some(Weights {
                    sum: &self.weights,
                    squares: &self.squared_weights,
                }),
            }))
        }))
    }
}

/// Adds to the first numbers of `own`.
fn add<T: Copy + std::ops::AddAssign>(own: &mut [T], more: &[T]) {
    let pairs = own.iter_mut().zip(more);
    pairs.for_each(|(own, &more)| *own += more);
}

impl PartialEq for GammaTrials {
    fn eq(&self, other: &Self) -> bool {
        self.gamma == other.gamma
            && (self.first, self.blocks) == (other.first, other.blocks)
            && self.trials == other.trials
            && self.min_trials == other.min_trials
            && self.fed_back == other.fed_back
            && self.counts == other.counts
            && self.listed == other.listed
            && self.images == other.images
            && self.grain == other.grain
            && self.noise == other.noise
            && self.rest == other.rest
            && self.image == other.image
            && self.kind == other.kind
            && self.grid == other.grid
            && self.deviation == other.deviation
            && self.moments == other.moments
            && self.weights == other.weights
            && self.squared_weights == other.squared_weights
            && self.dropped == other.dropped
            && self.evidence == other.evidence
            && self.noted == other.noted
            && course::same(self.course.values(), other.course.values())
            && self.evidence_fed_back == other.evidence_fed_back
            && self.null == other.null
            && self.reached == other.reached
            && self.on_the_way == other.on_the_way
    }
}

arrays!(GammaTrials: noise, rest, image, moments, course, evidence, null, on_the_way);
