//! Configuration of classification by templates.

use serde::{Deserialize, Serialize};

use super::{ConfigError, check};

/// Test images classified by the classification images alone: the last ones before it in the plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Templates {
    /// Maximum number of test images: the first ones, or, if the set has them class by class, evenly spread ones.
    pub images: usize,
    /// Images per block.
    pub block: usize,
}

impl Default for Templates {
    fn default() -> Self {
        Self {
            images: 10_000,
            block: 500,
        }
    }
}

impl Templates {
    /// The name in views, reports and exports.
    pub const LABEL: &'static str = "templates";
    /// The unit that its progress counts.
    pub const UNIT: &'static str = "images";

    pub(super) fn validate(&self, path: &str) -> Result<(), ConfigError> {
        check::at_least_one(path, &[("images", self.images)])?;
        check::block_size(path, self.block)
    }
}
