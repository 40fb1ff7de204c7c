//! Configuration of predictions: confusion matrices and mean images by predicted class.

use serde::{Deserialize, Serialize};

use super::ConfigError;
use super::check::{self, invalid};

/// Confusion matrices and mean images by predicted class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Predictions {
    /// The splits, in order.
    pub splits: Vec<Split>,
    /// Images per block.
    pub block: usize,
}

/// A part of the data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Split {
    /// The test images.
    Test,
    /// The training images, including those held out for validation.
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
    /// The name in views, reports and exports.
    pub const LABEL: &'static str = "predictions";
    /// The unit that its progress counts.
    pub const UNIT: &'static str = "images";

    pub(super) fn validate(&self, path: &str) -> Result<(), ConfigError> {
        if self.splits.is_empty() {
            return invalid(
                format!("{path}.splits"),
                "the list is empty; use Test, Train or both",
            );
        }
        check::distinct(&format!("{path}.splits"), &self.splits, |split| {
            format!("`{}`", split.label())
        })?;
        check::block_size(path, self.block)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_split_given_twice_is_named_in_lower_case() {
        for (split, name) in [(Split::Test, "test"), (Split::Train, "train")] {
            let plan = Predictions {
                splits: vec![split; 2],
                ..Predictions::default()
            };
            let error = plan.validate("it").unwrap_err().to_string();
            let expected = format!("it.splits[1]: `{name}` is in the list twice");
            assert_eq!(error, expected);
        }
    }
}
