//! What the network says with the biases of a layer pushed.

use serde::{Deserialize, Serialize};

use super::{FIXED_POINT, Progress, arrays, has_shape};
use crate::session::array::Array;
use crate::session::config::{self, CLASSES};

/// Decisions under modulation, layer by layer.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Modulation {
    /// How far it is. Part 0: mean activations; then a part is (layer, target, strength), the
    /// strength fastest.
    pub progress: Progress,
    /// Signal strengths γ of the stimuli, ascending, from 0 (noise) to 1 (the image alone).
    pub gammas: Vec<f64>,
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
    /// Training images whose activation was taken, by class: \[K\].
    pub shown: Vec<u64>,
    /// Sum of each unit's activation (in a convolution, its spatial mean) over the images of a
    /// class, in units of 1/[`FIXED_POINT`]: \[K,U\].
    pub activation: Array<i64>,
    /// Stimuli by what they were called: \[K target,S,G,K true,K called\].
    pub counts: Array<i64>,
}

impl ModulatedLayer {
    /// Mean activation ā_c of every unit over the images of a class, \[U\]; `None` without images.
    pub fn mean_activation(&self, class: usize) -> Option<Vec<f64>> {
        let units = self.activation.values().len() / CLASSES;
        let sums = &self.activation.values()[class * units..(class + 1) * units];
        let n = self.shown[class] as f64;
        let mean = |&sum: &i64| sum as f64 / (FIXED_POINT * n);
        (self.shown[class] > 0).then(|| sums.iter().map(mean).collect())
    }

    /// Stimuli by true class and by what they were called, \[K,K\], for a target class, a strength
    /// and a γ by their places.
    ///
    /// # Panics
    /// Where a place is past its axis.
    pub fn cells(&self, target: usize, strength: usize, gamma: usize) -> &[i64] {
        let shape = self.counts.shape();
        let row = (target * shape[1] + strength) * shape[2] + gamma;
        let cells = CLASSES * CLASSES;
        &self.counts.values()[row * cells..(row + 1) * cells]
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

    pub(super) fn fits(&self, plan: &config::Modulation) -> bool {
        let (s, g) = (self.strengths.len(), self.gammas.len());
        let of_layer = |it: &ModulatedLayer| {
            it.shown.len() == CLASSES
                && it.activation.shape().first() == Some(&CLASSES)
                && has_shape(&it.counts, &[CLASSES, s, g, CLASSES, CLASSES])
        };
        let parts = self.progress.blocks.len();
        self.gammas == plan.signal_strengths()
            && self.strengths == plan.strengths()
            && (parts == 0 || parts == 1 + self.layers.len() * CLASSES * s)
            && self.layers.iter().all(of_layer)
    }
}

arrays!(ModulatedLayer: activation, counts);
arrays!(Modulation: layers);
