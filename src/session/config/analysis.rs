//! The experiments of a plan and their common interface.

use serde::{Deserialize, Serialize};

use super::{
    Attack, Audit, Backdoor, ClassificationImages, ConfigError, Modulation, Predictions,
    SpikeTriggered, Templates,
};
use crate::session::experiments::experiments;

macro_rules! plans {
    ($($name:ident),+) => {
        /// One experiment of the plan.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[allow(missing_docs, reason = "each variant is documented at its struct")]
        pub enum Analysis {
            $($name($name),)+
        }

        impl Analysis {
            /// The name in views, reports and exports.
            pub fn label(&self) -> &'static str {
                match self {
                    $(Self::$name(_) => $name::LABEL,)+
                }
            }

            /// The name as spelled in the plan.
            pub fn variant(&self) -> &'static str {
                match self {
                    $(Self::$name(_) => stringify!($name),)+
                }
            }

            /// The unit that its progress counts.
            pub fn unit(&self) -> &'static str {
                match self {
                    $(Self::$name(_) => $name::UNIT,)+
                }
            }

            pub(super) fn validate(&self, path: &str) -> Result<(), ConfigError> {
                match self {
                    $(Self::$name(experiment) => experiment.validate(path),)+
                }
            }
        }
    };
}

experiments!(plans);

impl Analysis {
    /// Whether it uses the classification images of the same plan.
    pub fn needs_classification_images(&self) -> bool {
        matches!(self, Self::Templates(_) | Self::Attack(_))
    }
}
