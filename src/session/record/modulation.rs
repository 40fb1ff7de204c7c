//! The record of modulation: decisions with shifted biases of a layer.

use serde::{Deserialize, Serialize};

use super::{BlockProgress, FIXED_POINT, arrays, has_shape};
use crate::ids::{ClassId, Gamma};
use crate::session::array::Array;
use crate::session::config;
use crate::session::form::Form;
use crate::stats::sums::add;

/// Decisions under modulation, layer by layer.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Modulation {
    /// Progress. Part 0: mean activations; after that, a part is (layer, target, strength), the strength
    /// varying fastest.
    pub progress: BlockProgress,
    /// Signal strengths γ of the stimuli, ascending, from 0 (noise) to 1 (the image alone).
    pub gammas: Vec<Gamma>,
    /// Strengths k, ascending; negative ones inhibit.
    pub strengths: Vec<i64>,
    /// The layers. Empty before it has begun.
    pub layers: Vec<ModulatedLayer>,
}

/// One layer. K classes, S strengths, G signal strengths, U units.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModulatedLayer {
    /// Its name.
    pub name: String,
    /// Change of the bias of the most active unit at strength 1.
    pub alpha: f64,
    /// Training images whose activation was measured, by class: \[K\].
    pub shown: Vec<u64>,
    /// Sum of each unit's activation (in a convolution, its spatial mean) over the images of a
    /// class, in units of 1/[`FIXED_POINT`]: \[K,U\].
    pub activation: Array<i64>,
    /// Stimuli by class: shown, correctly called it, and called it whatever their true class; \[K
    /// target,S,G,3,K\].
    pub counts: Array<i64>,
}

/// Stimuli by class at one target, strength and γ: K numbers each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClassCounts<'a> {
    /// Stimuli of the class.
    pub shown: &'a [i64],
    /// Stimuli of the class that were called it.
    pub correct: &'a [i64],
    /// Stimuli of any class that were called it.
    pub called: &'a [i64],
}

/// Counts per class.
pub const COUNTS_PER_CLASS: usize = 3;

impl ModulatedLayer {
    /// K.
    pub fn classes(&self) -> usize {
        self.shown.len()
    }

    /// U.
    pub fn units(&self) -> usize {
        self.activation.values().len() / self.classes().max(1)
    }

    /// Mean activation ā_c of every unit over the images of a class, \[U\]; `None` without images.
    pub fn mean_activation(&self, class: ClassId) -> Option<Vec<f64>> {
        let units = self.units();
        let sums = &self.activation.values()[class.0 * units..(class.0 + 1) * units];
        let n = self.shown[class] as f64;
        let mean = |&sum: &i64| sum as f64 / (FIXED_POINT * n);
        (self.shown[class] > 0).then(|| sums.iter().map(mean).collect())
    }

    /// The bias change of every unit at strength 1 for a target class, α·ā_c/max(ā_c), \[U\]. Zero if no
    /// image of the class was shown, or if it activates no unit.
    pub fn push(&self, class: ClassId) -> Vec<f64> {
        let mean = self
            .mean_activation(class)
            .unwrap_or(vec![0.0; self.units()]);
        let most = mean.iter().copied().fold(0.0, f64::max);
        let push = |a: f64| {
            if most > 0.0 {
                self.alpha * a / most
            } else {
                0.0
            }
        };
        mean.into_iter().map(push).collect()
    }

    /// Adds the activations of a block of images: the number of images per class, \[K\], and their sums
    /// in units of 1/[`FIXED_POINT`], \[K,U\].
    pub fn add_activations(&mut self, shown: &[u64], sums: &[i64]) {
        add(&mut self.shown, shown);
        add(self.activation.values_mut(), sums);
    }

    /// Adds a block of stimuli by class, \[G,3,K\], for a target class and a strength, given by index.
    pub fn add_counts(&mut self, target: ClassId, strength: usize, counts: &[i64]) {
        let row = target.0 * self.counts.shape()[1] + strength;
        add(&mut self.counts.values_mut()[row * counts.len()..], counts);
    }

    /// Stimuli of true class `class` that were called it, and the number shown, for a target class, a
    /// strength and a γ, given by index; `None` if none was shown. Over γ: a psychometric curve.
    ///
    /// # Panics
    /// If an index is out of range.
    pub fn accuracy(
        &self,
        target: ClassId,
        strength: usize,
        gamma_index: usize,
        class: ClassId,
    ) -> Option<(u64, u64)> {
        let cells = self.class_counts(target, strength, gamma_index);
        let (correct, shown) = (cells.correct[class], cells.shown[class]);
        (shown > 0).then_some((correct as u64, shown as u64))
    }

    /// Stimuli of any true class that were called `class`, and the number shown, in the same way. At the
    /// first γ, which is 0, with `class` the target: the share of noise that is called the target.
    ///
    /// # Panics
    /// If an index is out of range.
    pub fn share_called(
        &self,
        target: ClassId,
        strength: usize,
        gamma_index: usize,
        class: ClassId,
    ) -> (u64, u64) {
        let cells = self.class_counts(target, strength, gamma_index);
        let all: i64 = cells.shown.iter().sum();
        (cells.called[class] as u64, all as u64)
    }

    /// Stimuli by class, for a target class, a strength and a γ, given by index.
    ///
    /// # Panics
    /// If an index is out of range.
    pub fn class_counts(
        &self,
        target: ClassId,
        strength: usize,
        gamma_index: usize,
    ) -> ClassCounts<'_> {
        let shape = self.counts.shape();
        let row = (target.0 * shape[1] + strength) * shape[2] + gamma_index;
        let k = self.classes();
        let counts_of =
            |kind: usize| &self.counts.values()[(row * COUNTS_PER_CLASS + kind) * k..][..k];
        ClassCounts {
            shown: counts_of(0),
            correct: counts_of(1),
            called: counts_of(2),
        }
    }
}

impl Modulation {
    pub(super) fn new(plan: &config::Modulation) -> Self {
        Self {
            gammas: plan.signal_strengths(),
            strengths: plan.strengths(),
            ..Self::default()
        }
    }

    /// Work done and work in total, in the unit of the plan.
    pub(super) fn progress(&self, _: &config::Modulation) -> (u64, u64) {
        (self.progress.done, self.progress.total)
    }

    pub(super) fn fits(&self, plan: &config::Modulation, form: Option<&Form>) -> bool {
        let (s, g) = (self.strengths.len(), self.gammas.len());
        let k = form.map_or(0, Form::class_count);
        // Counts must not be negative, and their sum must fit in 64 bits.
        let counted = |sum: i64, &n: &i64| sum.checked_add(n).filter(|_| n >= 0);
        let of_layer = |layer: &ModulatedLayer| {
            layer.shown.len() == k
                && layer.activation.shape().len() == 2
                && layer.activation.shape()[0] == k
                && layer.counts.values().iter().try_fold(0, counted).is_some()
                && has_shape(&layer.counts, &[k, s, g, COUNTS_PER_CLASS, k])
        };
        let parts = self.progress.blocks.len();
        self.gammas == plan.signal_strengths()
            && self.strengths == plan.strengths()
            && (parts == 0 || parts == 1 + self.layers.len() * k * s)
            && self.layers.iter().all(of_layer)
    }
}

arrays!(ModulatedLayer: activation, counts);
arrays!(Modulation: layers);

#[cfg(test)]
mod tests {
    use super::*;

    /// Two classes, strengths, γ and units; every count is its own place.
    fn layer() -> ModulatedLayer {
        let unit = FIXED_POINT as i64;
        ModulatedLayer {
            name: "fc1".into(),
            alpha: 0.5,
            shown: vec![2, 0],
            activation: Array::new(&[2, 2], vec![2 * unit, 8 * unit, 3 * unit, 4 * unit]),
            counts: Array::new(&[2, 2, 2, COUNTS_PER_CLASS, 2], (0..48).collect()),
        }
    }

    #[test]
    fn counts_are_found_by_target_strength_and_gamma() {
        let mut layer = layer();
        let counts = layer.class_counts(ClassId(1), 0, 1);
        // Row (1·2 + 0)·2 + 1 = 5, of six numbers.
        assert_eq!(
            (counts.shown, counts.correct, counts.called),
            (&[30, 31][..], &[32, 33][..], &[34, 35][..])
        );
        assert_eq!(layer.accuracy(ClassId(1), 0, 1, ClassId(1)), Some((33, 31)));
        // Row (1·2 + 1)·2 + 0 = 6.
        assert_eq!(layer.class_counts(ClassId(1), 1, 0).shown, [36, 37]);
        assert_eq!(layer.accuracy(ClassId(0), 0, 0, ClassId(0)), None);
        assert_eq!(layer.share_called(ClassId(1), 0, 1, ClassId(0)), (34, 61));
        layer.add_counts(ClassId(1), 1, &[100; 12]);
        let added: Vec<i64> = (0..48).map(|n| if n < 36 { n } else { n + 100 }).collect();
        assert_eq!(layer.counts.values(), added);
    }

    #[test]
    fn a_push_is_the_mean_activation_relative_to_its_largest_unit() {
        let mut layer = layer();
        assert_eq!((layer.classes(), layer.units()), (2, 2));
        assert_eq!(layer.mean_activation(ClassId(0)), Some(vec![1.0, 4.0]));
        assert_eq!(layer.push(ClassId(0)), [0.125, 0.5]);
        assert_eq!(layer.mean_activation(ClassId(1)), None);
        assert_eq!(layer.push(ClassId(1)), [0.0, 0.0]);
        let unit = FIXED_POINT as i64;
        layer.add_activations(&[0, 1], &[0, 0, -unit, -4 * unit]);
        assert_eq!(layer.mean_activation(ClassId(1)), Some(vec![2.0, 0.0]));
        assert_eq!(layer.push(ClassId(1)), [0.5, 0.0]);
        layer.add_activations(&[0, 0], &[0, 0, -2 * unit, 0]);
        assert_eq!(layer.push(ClassId(1)), [0.0, 0.0]);
    }

    #[test]
    fn a_modulation_has_the_axes_of_its_plan_and_form() {
        let plan = config::Modulation {
            steps: Vec::new(),
            gammas: Vec::new(),
            ..config::Modulation::default()
        };
        let form = Form::numbered([1, 1, 1], 2);
        let mut whole = Modulation::new(&plan);
        assert!(whole.fits(&plan, None), "nothing has been done");
        let mut layer = layer();
        layer.counts = Array::zeros(&[2, 1, 2, COUNTS_PER_CLASS, 2]);
        whole.layers = vec![layer];
        // The mean activations, and each target at its one strength.
        whole.progress.blocks = vec![0; 3];
        assert!(whole.fits(&plan, Some(&form)));
        let changes: &[fn(&mut Modulation)] = &[
            |it| it.gammas[0] = Gamma(0.5),
            |it| it.strengths[0] = 1,
            |it| it.progress.blocks.push(0),
            |it| it.layers[0].shown.push(0),
            |it| it.layers[0].activation = Array::zeros(&[4]),
            |it| it.layers[0].activation = Array::zeros(&[4, 1]),
            |it| it.layers[0].counts = Array::zeros(&[2, 1, 2, 6]),
            |it| it.layers[0].counts.values_mut()[0] = -1,
            |it| it.layers[0].counts.values_mut()[..2].fill(i64::MAX),
        ];
        for (place, change) in changes.iter().enumerate() {
            let mut other = whole.clone();
            change(&mut other);
            assert!(!other.fits(&plan, Some(&form)), "change {place}");
        }
    }

    #[test]
    fn every_target_is_pushed_at_every_strength() {
        let plan = config::Modulation {
            steps: vec![1],
            gammas: Vec::new(),
            ..config::Modulation::default()
        };
        let form = Form::numbered([1, 1, 1], 2);
        let mut whole = Modulation::new(&plan);
        let mut layer = layer();
        layer.counts = Array::zeros(&[2, 3, 2, COUNTS_PER_CLASS, 2]);
        whole.layers = vec![layer];
        // The mean activations, and two targets at the strengths −1, 0 and 1.
        whole.progress.blocks = vec![0; 7];
        assert!(whole.fits(&plan, Some(&form)));
        whole.progress.blocks = vec![0; 6];
        assert!(!whole.fits(&plan, Some(&form)));
    }
}
