//! The plan of the averages of what the network says.

use serde::{Deserialize, Serialize};

use super::Invalid;
use super::check::{self, invalid};

/// Confusion matrix and mean image by predicted class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Predictions {
    /// The splits, in order.
    pub splits: Vec<Split>,
    /// Images a block.
    pub block: usize,
}

/// A part of the data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Split {
    /// The test images.
    Test,
    /// The training images, those held out for validation among them.
    Train,
}

impl Split {
    /// The lower-case name used in views and exports.
    pub fn label(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::Train => "train",
        }
    }
}

impl Default for Predictions {
    fn default() -> Self {
        Self {
            splits: vec![Split::Test],
            block: 250,
        }
    }
}

impl Predictions {
    /// Its name in views, reports and exports.
    pub const LABEL: &'static str = "predictions";
    /// What its progress counts.
    pub const UNIT: &'static str = "images";

    pub(super) fn validate(&self, path: &str) -> Result<(), Invalid> {
        if self.splits.is_empty() {
            return invalid(
                format!("{path}.splits"),
                "the list is empty; give Test, Train or both",
            );
        }
        check::distinct(&format!("{path}.splits"), &self.splits, |split| {
            format!("`{}`", split.label())
        })?;
        check::block_size(path, self.block)
    }
}
