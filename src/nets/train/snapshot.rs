//! [`Snapshot`], a network in training at its current weights, for evaluation.

use burn::tensor::Device;

use crate::nets::Network;
use crate::nets::plan::Plan;
use crate::nets::score::Classifier;

/// A network in training at its current weights, for evaluation.
pub(super) enum Snapshot {
    Burn {
        network: Box<Network>,
        device: Device,
    },
    Plan {
        plan: Plan,
        classes: usize,
    },
}

impl Classifier for Snapshot {
    fn classify(&self, pixels: Vec<f32>) -> Vec<f32> {
        match self {
            Self::Burn { network, device } => network.logits(pixels, device),
            Self::Plan { plan, .. } => plan.logits(&pixels),
        }
    }

    fn classes(&self) -> usize {
        match self {
            Self::Burn { network, .. } => network.network_shape().classes,
            Self::Plan { classes, .. } => *classes,
        }
    }
}
