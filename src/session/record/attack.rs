//! Images blended with patterns.

use serde::{Deserialize, Serialize};

use super::{Progress, arrays, has_shape};
use crate::session::array::Array;
use crate::session::config;
use crate::session::form::Form;
use crate::stats::share::Share;

/// What is blended into an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Pattern {
    /// The classification image of the target class.
    ClassificationImage,
    /// The evidence image of the target class.
    EvidenceImage,
    /// The mean training image of the target class.
    MeanImage,
    /// One uniform noise image: the control.
    Random,
}

/// The patterns where only the decisions of the network are known, in the order of every axis of
/// patterns.
pub const PATTERNS: [Pattern; 3] = [
    Pattern::ClassificationImage,
    Pattern::MeanImage,
    Pattern::Random,
];

/// The patterns where its outputs are known too.
pub const WITH_EVIDENCE: [Pattern; 4] = [
    Pattern::ClassificationImage,
    Pattern::EvidenceImage,
    Pattern::MeanImage,
    Pattern::Random,
];

impl Pattern {
    /// In words.
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
        match self {
            Self::ClassificationImage => "classification_image",
            Self::EvidenceImage => "evidence_image",
            Self::MeanImage => "mean_image",
            Self::Random => "random",
        }
    }
}

/// What the network calls blended images. Q patterns, K classes, V weights, images of C×H×W numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attack {
    /// How far it is; a part is (source, pattern, target), the target fastest.
    pub progress: Progress,
    /// The γ of the classification images that are the patterns; `None` before it has begun.
    pub gamma: Option<f64>,
    /// The γ of the evidence images that are; `None` without them.
    #[serde(default)]
    pub evidence_gamma: Option<f64>,
    /// The patterns in the order of their axis, \[Q\].
    #[serde(default = "without_evidence")]
    pub kinds: Vec<Pattern>,
    /// Weights w of the pattern.
    pub weights: Vec<f64>,
    /// The patterns in \[0,1\]: \[Q,K targets,C,H,W\]. All zero where there is none.
    pub patterns: Array<f32>,
    /// Whether there is a pattern: \[Q,K\]. A class with too few trials has no classification image.
    pub there: Vec<bool>,
    /// Stimuli by what became of them ([`Outcomes`]): \[2 sources,Q,K targets,V,4\]. Source
    /// 0: test images; source 1: noise images, which have no true class.
    pub counts: Array<i64>,
    /// For each target, the first image of another class that the network knows, and what becomes
    /// of it; a target without such an image has none. Empty before it has begun.
    pub examples: Vec<Example>,
}

fn without_evidence() -> Vec<Pattern> {
    PATTERNS.to_vec()
}

impl Default for Attack {
    fn default() -> Self {
        Self {
            progress: Progress::default(),
            gamma: None,
            evidence_gamma: None,
            kinds: without_evidence(),
            weights: Vec::new(),
            patterns: Array::default(),
            there: Vec::new(),
            counts: Array::default(),
            examples: Vec::new(),
        }
    }
}

/// One image on its way to a target class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// The class that it should be called.
    pub target: usize,
    /// Its true class.
    pub truth: usize,
    /// Its bytes, \[C,H,W\].
    pub image: Array<u8>,
    /// What it is called, by pattern and weight: \[Q,V\]. Without a pattern: what it is called at w = 0.
    pub called: Vec<usize>,
    /// The softmax probability of the target, the same way.
    pub confidence: Vec<f64>,
}

/// What became of the stimuli of one source, pattern, target and weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Outcomes {
    /// Those of another class than the target; of noise, all.
    pub others: i64,
    /// Those among them that were called the target.
    pub hits: i64,
    /// All.
    pub all: i64,
    /// Those that were called what they are; of noise, none.
    pub correct: i64,
}

/// Numbers of [`Outcomes`].
const OUTCOMES: usize = 4;

impl Outcomes {
    /// Counts `n` stimuli of a true class, if they have one.
    pub fn count(&mut self, truth: Option<usize>, called: usize, target: usize, n: i64) {
        let other = truth != Some(target);
        self.all += n;
        self.others += n * i64::from(other);
        self.hits += n * i64::from(other && called == target);
        self.correct += n * i64::from(truth == Some(called));
    }

    /// In the order in which they are kept.
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

    /// What is done and what there is to do, in the unit of the plan.
    pub(super) fn progress(&self, _: &config::Attack) -> (u64, u64) {
        (self.progress.done, self.progress.total)
    }

    pub(super) fn fits(&self, plan: &config::Attack, form: Option<&Form>) -> bool {
        let (weights, kinds) = (self.weights.len(), self.kinds.len());
        let (k, [c, h, w]) = form.map_or((0, [0; 3]), |form| (form.count(), form.shape()));
        let begun = self.gamma.is_some();
        let example = |it: &Example| {
            it.target < k
                && it.truth < k
                && it.called.iter().all(|&class| class < k)
                && it.called.len() == kinds * weights
                && it.confidence.len() == kinds * weights
                && has_shape(&it.image, &[c, h, w])
        };
        // No negative counts, and all of them together fit 64 bits.
        let counted = |sum: i64, &n: &i64| sum.checked_add(n).filter(|_| n >= 0);
        let counts = self.counts.values();
        (self.kinds == PATTERNS || self.kinds == WITH_EVIDENCE)
            && self.weights == plan.weights
            && counts.iter().try_fold(0, counted).is_some()
            && (!begun
                || form.is_some()
                    && has_shape(&self.patterns, &[kinds, k, c, h, w])
                    && self.there.len() == kinds * k
                    && self.progress.blocks.len() == 2 * kinds * k
                    && has_shape(&self.counts, &[2, kinds, k, weights, OUTCOMES]))
            && self.examples.iter().all(example)
    }

    /// K; 0 before it has begun.
    pub fn classes(&self) -> usize {
        self.there.len() / self.kinds.len().max(1)
    }

    /// What became of the stimuli of a source (0: images, 1: noise), a pattern, a target and a
    /// weight by their places.
    ///
    /// # Panics
    /// Before the analysis has begun, or where a place is past its axis.
    pub fn outcomes(
        &self,
        source: usize,
        pattern: usize,
        target: usize,
        weight: usize,
    ) -> Outcomes {
        let k = self.classes();
        let row =
            ((source * self.kinds.len() + pattern) * k + target) * self.weights.len() + weight;
        let own = &self.counts.values()[row * OUTCOMES..(row + 1) * OUTCOMES];
        Outcomes {
            others: own[0],
            hits: own[1],
            all: own[2],
            correct: own[3],
        }
    }

    /// A pattern, \[C,H,W\] in \[0,1\]; `None` where there is none.
    pub fn pattern(&self, pattern: usize, target: usize) -> Option<&[f32]> {
        let k = self.classes();
        let at = pattern * k + target;
        let there = target < k && *self.there.get(at)?;
        let pixels = self.patterns.values().len() / self.there.len().max(1);
        there.then(|| &self.patterns.values()[at * pixels..(at + 1) * pixels])
    }

    /// Stimuli that the network was shown.
    pub fn queries(&self) -> u64 {
        let all = self.counts.values().chunks_exact(OUTCOMES);
        all.map(|own| own[2].max(0) as u64).sum()
    }

    /// Targeted success: of the stimuli whose true class is not the target, those that are called
    /// the target. Noise images (source 1) have no class, so all of them count. `None` where there
    /// is no pattern, and before it has begun. Places as in [`Self::outcomes`].
    ///
    /// # Panics
    /// Where a place is past its axis.
    pub fn targeted(
        &self,
        source: usize,
        pattern: usize,
        target: usize,
        weight: usize,
    ) -> Option<Share> {
        self.pattern(pattern, target)?;
        let own = self.outcomes(source, pattern, target, weight);
        Some(Share {
            hits: own.hits as u64,
            of: own.others as u64,
        })
    }

    /// Mean of the targeted success rates over the targets that have the pattern, and the pooled
    /// counts behind it, for an interval; the rate of these differs a little from the mean where
    /// classes have more images than others. `None` where no target has anything yet.
    ///
    /// # Panics
    /// Where a place is past its axis.
    pub fn mean_targeted(
        &self,
        source: usize,
        pattern: usize,
        weight: usize,
    ) -> Option<(f64, Share)> {
        let targets =
            (0..self.classes()).filter_map(|target| self.targeted(source, pattern, target, weight));
        let shares: Vec<Share> = targets.filter(|share| share.of > 0).collect();
        let rates = shares.iter().copied().filter_map(Share::rate);
        let mean = rates.sum::<f64>() / shares.len() as f64;
        (!shares.is_empty()).then(|| (mean, shares.into_iter().sum()))
    }

    /// Untargeted error: test images called anything but their true class, pooled over the targets
    /// that have the pattern. `None` where none has it, and before it has begun.
    ///
    /// # Panics
    /// Where a place is past its axis.
    pub fn untargeted(&self, pattern: usize, weight: usize) -> Option<Share> {
        let shares: Vec<Share> = (0..self.classes())
            .filter(|&target| self.pattern(pattern, target).is_some())
            .map(|target| self.outcomes(0, pattern, target, weight))
            .map(|own| Share {
                hits: (own.all - own.correct) as u64,
                of: own.all as u64,
            })
            .collect();
        (!shares.is_empty()).then(|| shares.into_iter().sum())
    }
}

arrays!(Example: image);
arrays!(Attack: patterns, counts, examples);

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::session::text::{from_text, to_text};
    use crate::session::{Config, Session};

    const CLASSES: usize = 10;

    /// Targets 0 and 1 have the first pattern; one weight. Stimuli as (source, target, true,
    /// called, how many).
    fn with(stimuli: &[(usize, usize, usize, usize, i64)]) -> Attack {
        let mut outcomes = [Outcomes::default(); 2 * 3 * CLASSES];
        for &(source, target, truth, called, many) in stimuli {
            let truth = (source == 0).then_some(truth);
            outcomes[source * 3 * CLASSES + target].count(truth, called, target, many);
        }
        let counts = outcomes.iter().flat_map(|it| it.numbers()).collect();
        let mut there = vec![false; 3 * CLASSES];
        there[..2].fill(true);
        Attack {
            gamma: Some(0.0),
            weights: vec![0.5],
            patterns: Array::zeros(&[3, CLASSES, 1, 28, 28]),
            there,
            counts: Array::new(&[2, 3, CLASSES, 1, OUTCOMES], counts),
            ..Attack::default()
        }
    }

    const IMAGES: [(usize, usize, usize, usize, i64); 6] = [
        (0, 0, 0, 0, 70),
        (0, 0, 3, 0, 2),
        (0, 0, 3, 3, 5),
        (0, 0, 4, 7, 1),
        (0, 1, 0, 1, 1),
        (0, 1, 0, 0, 1),
    ];

    fn share(hits: u64, of: u64) -> Option<Share> {
        Some(Share { hits, of })
    }

    #[test]
    fn images_of_the_target_itself_are_no_success() {
        let attack = with(&IMAGES);
        assert_eq!(attack.targeted(0, 0, 0, 0), share(2, 8));
        assert_eq!(attack.targeted(0, 0, 1, 0), share(1, 2));
        let pooled = Share { hits: 3, of: 10 };
        assert_eq!(attack.mean_targeted(0, 0, 0), Some((0.375, pooled)));
    }

    #[test]
    fn an_image_called_another_class_is_an_untargeted_error_whatever_the_target() {
        let attack = with(&IMAGES);
        assert_eq!(attack.untargeted(0, 0), share(4, 80));
    }

    #[test]
    fn every_noise_image_called_the_target_is_a_success() {
        let attack = with(&[(1, 0, 0, 0, 3), (1, 0, 0, 5, 1)]);
        assert_eq!(attack.targeted(1, 0, 0, 0), share(3, 4));
        // The other target has been shown nothing yet, so it is not in the mean.
        assert_eq!(
            attack.mean_targeted(1, 0, 0),
            Some((0.75, Share { hits: 3, of: 4 }))
        );
    }

    #[test]
    fn without_a_pattern_there_is_no_success_rate() {
        let attack = with(&[]);
        assert_eq!(attack.targeted(0, 0, 0, 0), share(0, 0));
        assert_eq!(attack.targeted(0, 0, 2, 0), None);
        assert_eq!(attack.mean_targeted(0, 0, 0), None);
        assert_eq!(attack.untargeted(1, 0), None);
        assert_eq!(Attack::default().targeted(0, 0, 0, 0), None);
        assert_eq!(Attack::default().untargeted(0, 0), None);
    }

    #[test]
    fn a_record_of_negative_or_endless_counts_is_refused() {
        let plan = config::Attack {
            weights: vec![0.5],
            ..config::Attack::default()
        };
        let mut attack = with(&[(0, 0, 0, 0, 1)]);
        attack.progress.blocks = vec![0; 60];
        let form = Form::numbered([1, 28, 28], CLASSES);
        assert!(attack.fits(&plan, Some(&form)));
        assert!(!attack.fits(&plan, None));
        attack.counts.values_mut()[7] = -1;
        assert!(!attack.fits(&plan, Some(&form)));
        let config = Config {
            analyses: vec![
                config::Analysis::ClassificationImages(Default::default()),
                config::Analysis::Attack(plan.clone()),
            ],
            ..Config::default()
        };
        let mut session = Session::new("negative", config);
        session.record.form = Some(form.clone());
        session.record.analyses[1] = super::super::Analysis::Attack(attack.clone());
        let file = to_text(&session).unwrap();
        let read = from_text(&file, Path::new("negative.ron"), "negative");
        let error = read.unwrap_err().to_string();
        assert!(error.contains("analyses[1]"), "{error}");
        attack.counts.values_mut()[7..10].fill(i64::MAX);
        assert!(!attack.fits(&plan, Some(&form)));
    }
}
