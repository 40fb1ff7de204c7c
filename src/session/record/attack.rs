//! The record of the black-box attack: images blended with patterns.

use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use super::{BlockProgress, arrays, has_shape};
use crate::ids::{ClassId, Gamma};
use crate::session::array::Array;
use crate::session::config;
use crate::session::form::Form;
use crate::stats::share::{MeanShare, Share};

/// A pattern that is blended into images.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Pattern {
    /// The classification image of the target class.
    ClassificationImage,
    /// The evidence image of the target class.
    EvidenceImage,
    /// The mean training image of the target class.
    MeanImage,
    /// One uniform noise image, as a control.
    Random,
}

/// The patterns when only decisions are known, in the order of every pattern axis.
pub const PATTERNS: [Pattern; 3] = [
    Pattern::ClassificationImage,
    Pattern::MeanImage,
    Pattern::Random,
];

/// The patterns when the network's outputs are known too.
pub const WITH_EVIDENCE: [Pattern; 4] = [
    Pattern::ClassificationImage,
    Pattern::EvidenceImage,
    Pattern::MeanImage,
    Pattern::Random,
];

impl Pattern {
    /// A description for display.
    pub fn label(self) -> &'static str {
        match self {
            Self::ClassificationImage => "classification image",
            Self::EvidenceImage => "evidence image",
            Self::MeanImage => "mean image",
            Self::Random => "random control",
        }
    }

    /// The key in exports.
    pub fn key(self) -> &'static str {
        self.into()
    }
}

/// Decisions on blended images. Q patterns, K classes, V weights, images of C×H×W numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attack {
    /// Progress; a part is (source, pattern, target), the target varying fastest.
    pub progress: BlockProgress,
    /// The γ of the classification images that serve as patterns; `None` before it has begun.
    pub gamma: Option<Gamma>,
    /// The γ of the evidence images that serve as patterns; `None` if there are none.
    #[serde(default)]
    pub evidence_gamma: Option<Gamma>,
    /// The patterns in axis order, \[Q\].
    #[serde(default = "without_evidence")]
    pub kinds: Vec<Pattern>,
    /// Weights w of the pattern.
    pub weights: Vec<f64>,
    /// The patterns in \[0,1\]: \[Q,K targets,C,H,W\]; all zero where a pattern is missing.
    pub patterns: Array<f32>,
    /// Whether each pattern exists: \[Q,K\]. A class with too few trials has no classification image.
    #[serde(rename = "there")]
    pub measured: Vec<bool>,
    /// Stimuli by outcome ([`Outcomes`]): \[2 sources,Q,K targets,V,4\]. Source 0: test images; source
    /// 1: noise images, which have no true class.
    pub counts: Array<i64>,
    /// For each target, the first correctly classified image of another class, and its decisions; a
    /// target without such an image has no example. Empty before it has begun.
    pub examples: Vec<AttackExample>,
}

fn without_evidence() -> Vec<Pattern> {
    PATTERNS.to_vec()
}

impl Default for Attack {
    fn default() -> Self {
        Self {
            progress: BlockProgress::default(),
            gamma: None,
            evidence_gamma: None,
            kinds: without_evidence(),
            weights: Vec::new(),
            patterns: Array::default(),
            measured: Vec::new(),
            counts: Array::default(),
            examples: Vec::new(),
        }
    }
}

/// One image blended towards a target class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[serde(rename = "Example")]
pub struct AttackExample {
    /// The target class.
    pub target: ClassId,
    /// Its true class.
    pub truth: ClassId,
    /// Its bytes, \[C,H,W\].
    pub image: Array<u8>,
    /// Its predicted class, by pattern and weight: \[Q,V\]; where a pattern is missing, the one at w =
    /// 0.
    pub called: Vec<ClassId>,
    /// The softmax probability of the target, in the same layout.
    pub confidence: Vec<f64>,
}

/// Outcomes of the stimuli of one source, pattern, target and weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Outcomes {
    /// Stimuli of a class other than the target; all of them if noise.
    pub others: i64,
    /// Those of them that were called the target.
    pub hits: i64,
    /// All stimuli.
    pub all: i64,
    /// Stimuli classified correctly; none of them if noise.
    pub correct: i64,
}

/// Number of counts in [`Outcomes`].
const OUTCOMES: usize = 4;

impl Outcomes {
    /// Counts `n` stimuli; `truth` is their true class, if they have one.
    pub fn count(&mut self, truth: Option<ClassId>, called: ClassId, target: ClassId, n: i64) {
        let other = truth != Some(target);
        let add = |count: &mut i64, is_counted: bool| {
            *count = count.saturating_add(n * i64::from(is_counted));
        };
        add(&mut self.all, true);
        add(&mut self.others, other);
        add(&mut self.hits, other && called == target);
        add(&mut self.correct, truth == Some(called));
    }

    /// The counts in storage order.
    pub fn numbers(self) -> [i64; OUTCOMES] {
        [self.others, self.hits, self.all, self.correct]
    }
}

impl Attack {
    pub(super) fn new(plan: &config::Attack) -> Self {
        Self {
            weights: plan.weights.clone(),
            ..Self::default()
        }
    }

    /// Work done and work in total, in the unit of the plan.
    pub(super) fn progress(&self, _: &config::Attack) -> (u64, u64) {
        (self.progress.done, self.progress.total)
    }

    pub(super) fn fits(&self, plan: &config::Attack, form: Option<&Form>) -> bool {
        let (weights, kinds) = (self.weights.len(), self.kinds.len());
        let (k, [c, h, w]) = form.map_or((0, [0; 3]), |form| (form.class_count(), form.shape()));
        let begun = self.gamma.is_some();
        let example_fits = |example: &AttackExample| {
            example.target.0 < k
                && example.truth.0 < k
                && example.called.iter().all(|class| class.0 < k)
                && example.called.len() == kinds * weights
                && example.confidence.len() == kinds * weights
                && has_shape(&example.image, &[c, h, w])
        };
        // Counts must not be negative, and their sum must fit in 64 bits.
        let counted = |sum: i64, &n: &i64| sum.checked_add(n).filter(|_| n >= 0);
        let counts = self.counts.values();
        (self.kinds == PATTERNS || self.kinds == WITH_EVIDENCE)
            && self.weights == plan.weights
            && counts.iter().try_fold(0, counted).is_some()
            && (!begun
                || form.is_some()
                    && has_shape(&self.patterns, &[kinds, k, c, h, w])
                    && self.measured.len() == kinds * k
                    && self.progress.blocks.len() == 2 * kinds * k
                    && has_shape(&self.counts, &[2, kinds, k, weights, OUTCOMES]))
            && self.examples.iter().all(example_fits)
    }

    /// K; 0 before it has begun.
    pub fn classes(&self) -> usize {
        self.measured.len() / self.kinds.len().max(1)
    }

    /// Outcomes for a source (0: images, 1: noise), a pattern and a weight, given by index, and a target.
    ///
    /// # Panics
    /// Before the analysis has begun, or if an index is out of range.
    pub fn outcomes(
        &self,
        source: usize,
        pattern: usize,
        target: ClassId,
        weight: usize,
    ) -> Outcomes {
        let k = self.classes();
        let row =
            ((source * self.kinds.len() + pattern) * k + target.0) * self.weights.len() + weight;
        let counts = &self.counts.values()[row * OUTCOMES..(row + 1) * OUTCOMES];
        Outcomes {
            others: counts[0],
            hits: counts[1],
            all: counts[2],
            correct: counts[3],
        }
    }

    /// A pattern, \[C,H,W\] in \[0,1\]; `None` if it is missing.
    pub fn pattern(&self, pattern: usize, target: ClassId) -> Option<&[f32]> {
        let k = self.classes();
        let index = pattern * k + target.0;
        let exists = target.0 < k && *self.measured.get(index)?;
        let pixels = self.patterns.values().len() / self.measured.len().max(1);
        exists.then(|| &self.patterns.values()[index * pixels..(index + 1) * pixels])
    }

    /// The targets that have a pattern, by its index.
    pub fn targets(&self, pattern: usize) -> impl Iterator<Item = ClassId> {
        let targets = ClassId::all(self.classes());
        targets.filter(move |&target| self.pattern(pattern, target).is_some())
    }

    /// Stimuli shown to the network.
    pub fn queries(&self) -> u64 {
        let all = self.counts.values().chunks_exact(OUTCOMES);
        all.map(|counts| counts[2].max(0) as u64).sum()
    }

    /// Targeted success: of the stimuli whose true class is not the target, the share that is called the
    /// target. Noise images (source 1) have no class, so all of them count. `None` if there is no
    /// pattern, and before it has begun. Indices as in [`Self::outcomes`].
    ///
    /// # Panics
    /// If an index is out of range.
    pub fn targeted(
        &self,
        source: usize,
        pattern: usize,
        target: ClassId,
        weight: usize,
    ) -> Option<Share> {
        self.pattern(pattern, target)?;
        let outcomes = self.outcomes(source, pattern, target, weight);
        Some(Share {
            hits: outcomes.hits as u64,
            total: outcomes.others as u64,
        })
    }

    /// Mean targeted success rate over the targets that have the pattern, each with the same weight however many
    /// images its class has. `None` if no target has any stimuli yet.
    ///
    /// # Panics
    /// If an index is out of range.
    pub fn mean_targeted(&self, source: usize, pattern: usize, weight: usize) -> Option<MeanShare> {
        let targets = ClassId::all(self.classes());
        MeanShare::of(targets.filter_map(|target| self.targeted(source, pattern, target, weight)))
    }

    /// Untargeted error: test images not called their true class, pooled over the targets that have the
    /// pattern. `None` if no target has it, and before it has begun.
    ///
    /// # Panics
    /// If an index is out of range.
    pub fn untargeted(&self, pattern: usize, weight: usize) -> Option<Share> {
        let shares: Vec<Share> = self
            .targets(pattern)
            .map(|target| self.outcomes(0, pattern, target, weight))
            .map(|outcomes| Share {
                hits: (outcomes.all - outcomes.correct).max(0) as u64,
                total: outcomes.all as u64,
            })
            .collect();
        (!shares.is_empty()).then(|| shares.into_iter().sum())
    }
}

arrays!(AttackExample: image);
arrays!(Attack: patterns, counts, examples);

#[cfg(test)]
mod tests;
