//! The experiments of a plan, and what they have in common.

use serde::{Deserialize, Serialize};

use super::{
    Attack, Backdoor, ClassificationImages, Invalid, Modulation, Predictions, SpikeTriggered,
    Templates,
};

/// One experiment of the plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Analysis {
    /// Average the noise by what the network calls it.
    ClassificationImages(ClassificationImages),
    /// Classify test images by the classification images alone.
    Templates(Templates),
    /// Blend images with patterns until the network changes its mind.
    Attack(Attack),
    /// Average the stimuli by the activation of every unit.
    SpikeTriggered(SpikeTriggered),
    /// Push the biases of a layer and see what the network then says.
    Modulation(Modulation),
    /// Train networks with a backdoor and find it from their decisions.
    Backdoor(Backdoor),
    /// Average images by what the network calls them.
    Predictions(Predictions),
}

impl Analysis {
    /// The name used in views, reports and exports.
    pub fn label(&self) -> &'static str {
        match self {
            Self::ClassificationImages(_) => "classification images",
            Self::Templates(_) => "templates",
            Self::Attack(_) => "attack",
            Self::SpikeTriggered(_) => "spike-triggered",
            Self::Modulation(_) => "modulation",
            Self::Backdoor(_) => "backdoor",
            Self::Predictions(_) => "predictions",
        }
    }

    /// The name as the plan spells it.
    pub fn variant(&self) -> &'static str {
        match self {
            Self::ClassificationImages(_) => "ClassificationImages",
            Self::Templates(_) => "Templates",
            Self::Attack(_) => "Attack",
            Self::SpikeTriggered(_) => "SpikeTriggered",
            Self::Modulation(_) => "Modulation",
            Self::Backdoor(_) => "Backdoor",
            Self::Predictions(_) => "Predictions",
        }
    }

    /// What its progress counts.
    pub fn unit(&self) -> &'static str {
        match self {
            Self::ClassificationImages(_) | Self::SpikeTriggered(_) => "trials",
            Self::Templates(_) | Self::Backdoor(_) | Self::Predictions(_) => "images",
            Self::Attack(_) | Self::Modulation(_) => "queries",
        }
    }

    /// Whether it works with the classification images of the same plan.
    pub fn needs_classification_images(&self) -> bool {
        matches!(self, Self::Templates(_) | Self::Attack(_))
    }

    pub(super) fn validate(&self, path: &str) -> Result<(), Invalid> {
        match self {
            Self::ClassificationImages(it) => it.validate(path),
            Self::Templates(it) => it.validate(path),
            Self::Attack(it) => it.validate(path),
            Self::SpikeTriggered(it) => it.validate(path),
            Self::Modulation(it) => it.validate(path),
            Self::Backdoor(it) => it.validate(path),
            Self::Predictions(it) => it.validate(path),
        }
    }
}
