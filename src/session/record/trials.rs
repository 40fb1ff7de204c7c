//! The kinds of trials, and which sums each trial belongs to.

use super::evidence::BlockEvidence;
use crate::ids::{BlockIndex, ClassId};
use crate::session::config::{Grain, Noise, Weighting};
use crate::session::form::Shape;
use crate::stats::classification::{MARGINS, sums_per_class};

/// The contribution of a block of trials, or of several, to [`super::GammaTrials`].
#[derive(Debug, Clone, PartialEq)]
pub struct BlockSums {
    /// The block; the first if these are the sums of several, all even or all odd.
    pub block: BlockIndex,
    /// Number of blocks.
    pub blocks: u64,
    /// Their trials.
    pub trials: u64,
    /// Trials by true and predicted class: \[K,K\].
    pub counts: Vec<u64>,
    /// For each row of [`TrialRows`] that has trials: its index and the sum of the noise, \[c·h·w\].
    pub noise: Vec<(usize, Vec<i64>)>,
    /// For each predicted class that has trials and maps: its index among the listed ones and the sum of
    /// the images' bytes, \[c·h·w\].
    pub image: Vec<(usize, Vec<i64>)>,
    /// Σw and Σw² by true and predicted class, \[K,K\] each; empty if trials count the same.
    pub weights: (Vec<u64>, Vec<u64>),
    /// Σk and Σk² by pixel, \[2,c·h·w\]; empty if the noise's deviation is known.
    pub moments: Vec<i64>,
    /// Trials that were dropped.
    pub dropped: u64,
    /// Evidence from the outputs; `None` if only decisions are recorded.
    pub evidence: Option<BlockEvidence>,
}

/// The empty sums of one block.
impl Default for BlockSums {
    fn default() -> Self {
        Self {
            block: BlockIndex(0),
            blocks: 1,
            trials: 0,
            counts: Vec::new(),
            noise: Vec::new(),
            image: Vec::new(),
            weights: (Vec::new(), Vec::new()),
            moments: Vec::new(),
            dropped: 0,
            evidence: None,
        }
    }
}

/// The rows of sums that a trial contributes to: by predicted class, by true class, and by both if they
/// are equal, M each, and one row for trials called none of the listed classes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrialRows {
    /// The index of each class among the listed ones, \[K\].
    places: Vec<Option<usize>>,
    listed: usize,
}

impl TrialRows {
    /// For K classes, of which these are listed.
    pub fn new(classes: usize, listed: &[ClassId]) -> Self {
        let mut places = vec![None; classes];
        for (place, &class) in listed.iter().enumerate() {
            places[class] = Some(place);
        }
        Self {
            places,
            listed: listed.len(),
        }
    }

    /// K.
    pub fn classes(&self) -> usize {
        self.places.len()
    }

    /// M.
    pub fn listed(&self) -> usize {
        self.listed
    }

    /// Number of rows; the last is that of the rest.
    pub fn count(&self) -> usize {
        MARGINS * self.listed + 1
    }

    /// The index of a class among the listed ones.
    pub fn place(&self, class: ClassId) -> Option<usize> {
        self.places[class]
    }

    /// The rows of a trial with this true and predicted class.
    pub fn for_trial(&self, truth: ClassId, predicted: ClassId) -> impl Iterator<Item = usize> {
        let (truth_at, called_at) = (self.places[truth], self.places[predicted]);
        let called = called_at.unwrap_or(MARGINS * self.listed);
        let shown = truth_at.map(|place| self.listed + place);
        let hit = truth_at.filter(|_| truth == predicted);
        let hit = hit.map(|place| 2 * self.listed + place);
        [Some(called), shown, hit].into_iter().flatten()
    }
}

/// The kind of the trials at a γ, which determines the layout of their sums.
#[derive(Debug, Clone, PartialEq)]
pub struct TrialKind {
    /// The noise.
    pub noise: Noise,
    /// The grain of the noise.
    pub grain: Grain,
    /// How trials are weighted.
    pub weighting: Weighting,
    /// Number of classes, K.
    pub classes: usize,
    /// The classes that have maps, ascending.
    pub listed: Vec<ClassId>,
    /// Channels, rows and columns of the images.
    pub images: Shape,
    /// Whether evidence from the outputs is summed as well as the decisions.
    pub evidence: bool,
}

impl TrialKind {
    /// Uniform noise of the finest grain, all classes with maps, every trial counting the same.
    pub fn plain(classes: usize, images: Shape) -> Self {
        Self {
            noise: Noise::Uniform,
            grain: Grain::default(),
            weighting: Weighting::Equal,
            classes,
            listed: ClassId::all(classes).collect(),
            images,
            evidence: false,
        }
    }

    /// Number of noise rows by true class that evidence keeps itself: if decisions weight or drop
    /// trials, their margins do not cover every trial.
    pub fn evidence_rows(&self) -> usize {
        let listed = self.listed.len();
        match self.weighting {
            Weighting::Equal => 0,
            Weighting::Confidence | Weighting::Threshold(_) => {
                listed + usize::from(listed < self.classes)
            }
        }
    }

    /// The rows in which its trials are summed.
    pub fn rows(&self) -> TrialRows {
        TrialRows::new(self.classes, &self.listed)
    }

    /// Bytes of memory for the sums at one γ.
    pub fn bytes(&self) -> u64 {
        let pixels: usize = self.grain.grid(self.images).iter().product();
        let (all, listed) = (self.classes as u64, self.listed.len() as u64);
        let rest = if listed < all { 2 } else { 0 };
        let moments = match self.noise.deviation(self.images) {
            None => 2,
            Some(_) => 0,
        };
        let mut maps = (2 * MARGINS as u64 + 1) * listed + rest + moments;
        let tables = match self.weighting {
            // Trials, Σw and Σw².
            Weighting::Confidence => 3,
            Weighting::Equal | Weighting::Threshold(_) => 1,
        };
        let mut numbers = 2 * tables * all * all;
        if self.evidence {
            let squares = listed * sums_per_class(self.listed.len()) as u64;
            maps += 2 * (listed + self.evidence_rows() as u64);
            numbers += 2 * (all + all * listed + squares);
        }
        8 * (maps * pixels as u64 + numbers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Gamma;
    use crate::session::array::{Arrays, Payload};
    use crate::session::record::GammaTrials;

    #[test]
    fn a_trial_belongs_to_the_rows_of_its_decision_its_class_and_both_if_equal() {
        let rows = TrialRows::new(4, &[ClassId(1), ClassId(3)]);
        assert_eq!((rows.classes(), rows.listed(), rows.count()), (4, 2, 7));
        assert_eq!(
            [0, 1, 2, 3].map(|class| rows.place(ClassId(class))),
            [None, Some(0), None, Some(1)]
        );
        let of = |truth, called| -> Vec<usize> {
            rows.for_trial(ClassId(truth), ClassId(called)).collect()
        };
        assert_eq!(of(3, 3), [1, 3, 5]);
        assert_eq!(of(1, 1), [0, 2, 4]);
        assert_eq!(of(1, 3), [1, 2]);
        assert_eq!(of(0, 1), [0]);
        // Called none of the listed classes.
        assert_eq!(of(1, 2), [6, 2]);
        assert_eq!(of(0, 0), [6]);
        // With three classes listed, the rows of equal ones are 6 to 8.
        let all: Vec<ClassId> = ClassId::all(3).collect();
        let rows = TrialRows::new(3, &all);
        let of_last = rows.for_trial(ClassId(2), ClassId(2));
        assert_eq!(of_last.collect::<Vec<_>>(), [2, 5, 8]);
    }

    #[test]
    fn the_memory_of_a_kind_of_trials_is_that_of_its_sums() {
        // 7 maps for each class, and two tables.
        let mut plain = TrialKind::plain(10, [1, 28, 28]);
        assert_eq!(plain.bytes(), 8 * (70 * 784 + 200));
        // Evidence adds two maps for each class, and its trials, sums and products by parity.
        plain.evidence = true;
        assert_eq!(
            (plain.bytes(), plain.evidence_rows()),
            (8 * (90 * 784 + 620), 0)
        );
        let some = TrialKind {
            noise: Noise::Gabor,
            grain: Grain {
                cell: 1,
                grey: true,
            },
            weighting: Weighting::Confidence,
            classes: 5,
            listed: [0, 1, 2].map(ClassId).to_vec(),
            images: [3, 2, 2],
            evidence: true,
        };
        // Maps of four numbers: 21 of decisions, 2 of the rest, 2 of moments, 2·3 + 2·4 of evidence; and three tables.
        assert_eq!(some.evidence_rows(), 4);
        assert_eq!(some.bytes(), 8 * (39 * 4 + 150 + 2 * (5 + 15 + 9)));
        let all = TrialKind { classes: 3, ..some };
        assert_eq!(all.evidence_rows(), 3);
    }

    #[test]
    fn the_memory_of_a_kind_of_trials_is_what_a_record_allocates() {
        let weightings = [
            Weighting::Equal,
            Weighting::Confidence,
            Weighting::Threshold(0.5),
        ];
        for (weighting, evidence) in weightings
            .into_iter()
            .flat_map(|weighting| [(weighting, false), (weighting, true)])
        {
            for (noise, listed) in [
                (Noise::Uniform, 5),
                (Noise::Uniform, 3),
                (Noise::Gabor, 5),
                (Noise::Gabor, 3),
            ] {
                let kind = TrialKind {
                    noise,
                    weighting,
                    listed: ClassId::all(listed).collect(),
                    evidence,
                    ..TrialKind::plain(5, [3, 2, 2])
                };
                let mut trials = GammaTrials::new(Gamma::NOISE, 30, &kind);
                if evidence {
                    trials.record_evidence(0.5, &kind);
                }
                let mut bytes = 0;
                trials.arrays(&mut |_, array: &dyn Payload| {
                    bytes += array.byte_count().unwrap();
                });
                let shown = trials.evidence.as_ref().map_or(0, |it| it.shown.len());
                let tables = [&trials.counts, &trials.weights, &trials.squared_weights];
                let numbers = tables.iter().map(|table| table.len()).sum::<usize>() + shown;
                assert_eq!(kind.bytes(), (bytes + 8 * numbers) as u64, "{kind:?}");
            }
        }
    }
}
