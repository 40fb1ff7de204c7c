//! A session's results so far: one struct per stage. All counts and sums are exact, so two parts of a
//! run merge by addition and a resumed run equals an uninterrupted one to the last bit.

mod adding;
mod attack;
mod audit;
mod axes;
mod backdoor;
mod classification_images;
pub(crate) mod course;
mod covariance;
mod estimated;
mod evidence;
mod gamma_trials;
mod inputs;
mod model;
mod modulation;
mod note;
mod null;
mod predictions;
pub mod shard;
mod spike_triggered;
mod templates;
mod training;
mod trials;

use serde::{Deserialize, Serialize};

use super::array::{Array, Arrays, Payload};
use super::config::{self, Config};
use super::experiments::experiments;
use super::form::Form;
use crate::format::clean;
use crate::ids::ClassId;

pub use crate::stats::numbers::FIXED_POINT;
pub use attack::{Attack, AttackExample, Outcomes, PATTERNS, Pattern, WITH_EVIDENCE};
pub use audit::{
    Audit, AuditRole, AuditedNetwork, OtherWindows, PastedFinding, ReferenceArchitecture,
};
pub use axes::NoiseAxes;
pub use backdoor::{Backdoor, Finding, ScoredWindow, Suspect};
pub use classification_images::ClassificationImages;
pub use covariance::{BlockCovariance, Covariance};
pub use estimated::SumsEstimate;
pub use evidence::{BlockEvidence, EvidenceRecord};
pub use gamma_trials::{CONFIDENCE_STEPS, FedBack, GammaTrials};
pub use inputs::{InputDifference, Inputs, SplitFingerprint, Start};
pub use model::Model;
pub use modulation::{COUNTS_PER_CLASS, ClassCounts, ModulatedLayer, Modulation};
pub use note::{Note, NoteTarget};
pub use null::NoiseNull;
pub use predictions::{Predictions, SplitCounts};
pub use spike_triggered::{
    BlockResponses, Gradients, LayerResponses, SpikeTriggered, UnitResponses,
};
pub use templates::{GammaTemplates, Templates};
pub use training::{Epoch, LossCurve, NetworkWeights, PartialEpoch, TrainingRecord};
pub use trials::{BlockSums, TrialKind, TrialRows};

/// Implements [`Arrays`] for a struct: visits the arrays of these fields,
/// in this order.
macro_rules! arrays {
    ($type:ty: $($field:ident),+) => {
        impl crate::session::array::Arrays for $type {
            fn arrays<'a>(
                &'a self,
                visit: &mut dyn FnMut(String, &'a dyn crate::session::array::Payload),
            ) {
                $(crate::session::array::Arrays::arrays(&self.$field, &mut |name, array| {
                    visit(format!(".{}{name}", stringify!($field)), array);
                });)+
            }

            fn arrays_mut<'a>(
                &'a mut self,
                visit: &mut dyn FnMut(String, &'a mut dyn crate::session::array::Payload),
            ) {
                $(crate::session::array::Arrays::arrays_mut(&mut self.$field, &mut |name, array| {
                    visit(format!(".{}{name}", stringify!($field)), array);
                });)+
            }
        }
    };
}
pub(crate) use arrays;

/// Everything measured so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The state in which the last engine left the run.
    pub state: SavedState,
    /// When the file was last written, in seconds since the Unix epoch.
    pub updated: i64,
    /// Seconds of work so far, over all engines that ran it; pauses are excluded.
    pub elapsed_s: f64,
    /// The devices that worked on it, in order of first use.
    pub devices: Vec<String>,
    /// Every start of an engine, in order; programs that did not record starts are missing.
    #[serde(default)]
    pub starts: Vec<Start>,
    /// Its inputs: the last entry is in use; earlier ones were replaced when the user accepted a change.
    /// Empty before images and network have been opened, and in sessions of earlier versions.
    #[serde(default)]
    pub inputs: Vec<Inputs>,
    /// How it is divided among shards; `None` if it is not divided, or after merging.
    #[serde(default)]
    pub sharding: Option<shard::Sharding>,
    /// In a shard's file: which shard it is.
    #[serde(default)]
    pub shard: Option<shard::Shard>,
    /// The user's notes, oldest first; at most one per place.
    #[serde(default)]
    pub notes: Vec<Note>,
    /// Where the images came from: `embedded`, `full set`, or a folder.
    pub images: Option<String>,
    /// Image shape and class names; `None` until images and network have been opened.
    #[serde(default)]
    pub form: Option<Form>,
    /// The file that the network came from, if it holds more than weights.
    #[serde(default)]
    pub model: Option<Model>,
    /// Training; `None` before it starts.
    pub training: Option<TrainingRecord>,
    /// One record for each entry of `config.analyses`, in the same order.
    pub analyses: Vec<Analysis>,
}

/// The state in which the last engine left the run. Whether an engine runs now is not in the file: the
/// lock shows that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename = "State")]
pub enum SavedState {
    /// No engine has run it yet.
    New,
    /// An engine was running when the file was written. If none runs now, it was interrupted.
    Running,
    /// Stopped after a checkpoint.
    Stopped,
    /// Everything in the plan is done.
    Finished,
    /// It failed: the message.
    Failed(String),
}

/// An experiment's progress.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[serde(rename = "Progress")]
pub struct BlockProgress {
    /// Blocks done of each part: always the first ones. Empty before the experiment has begun.
    pub blocks: Vec<u64>,
    /// Work done, in the unit of [`config::Analysis::unit`].
    pub done: u64,
    /// Work in total; 0 before the experiment has begun.
    pub total: u64,
}

impl BlockProgress {
    /// Whether all is done.
    pub fn is_finished(&self) -> bool {
        self.total > 0 && self.done >= self.total
    }

    /// Counts work that has been done.
    pub fn add_work(&mut self, work: u64) {
        self.done = self.done.saturating_add(work);
    }
}

/// A record of one kind of experiment.
pub trait ExperimentRecord: Sized + 'static {
    /// The record, if an analysis is of this kind.
    fn from_analysis(analysis: &Analysis) -> Option<&Self>;
    /// The same, mutably.
    fn from_analysis_mut(analysis: &mut Analysis) -> Option<&mut Self>;
}

macro_rules! records {
    ($($variant:ident),+) => {
        /// The record of one experiment.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[allow(missing_docs, reason = "each variant is documented at its struct")]
        pub enum Analysis {
            $($variant($variant),)+
        }

        impl Analysis {
            /// A record without measurements.
            pub fn new(plan: &config::Analysis) -> Self {
                match plan {
                    $(config::Analysis::$variant(plan) => Self::$variant($variant::new(plan)),)+
                }
            }

            /// Whether this record can result from a plan on images of `form`, and its numbers are
            /// consistent, so that readers need not check.
            pub fn fits(&self, plan: &config::Analysis, form: Option<&Form>) -> bool {
                match (self, plan) {
                    $((Self::$variant(record), config::Analysis::$variant(plan)) => {
                        record.fits(plan, form)
                    })+
                    _ => false,
                }
            }

            /// Work done and work in total, in the unit of the plan.
            pub fn progress(&self, plan: &config::Analysis) -> (u64, u64) {
                match (self, plan) {
                    $((Self::$variant(record), config::Analysis::$variant(plan)) => {
                        record.progress(plan)
                    })+
                    _ => (0, 0),
                }
            }
        }

        impl Arrays for Analysis {
            fn arrays<'a>(&'a self, visit: &mut dyn FnMut(String, &'a dyn Payload)) {
                match self {
                    $(Self::$variant(record) => record.arrays(visit),)+
                }
            }

            fn arrays_mut<'a>(&'a mut self, visit: &mut dyn FnMut(String, &'a mut dyn Payload)) {
                match self {
                    $(Self::$variant(record) => record.arrays_mut(visit),)+
                }
            }
        }

        $(impl ExperimentRecord for $variant {
            fn from_analysis(analysis: &Analysis) -> Option<&Self> {
                match analysis {
                    Analysis::$variant(record) => Some(record),
                    _ => None,
                }
            }

            fn from_analysis_mut(analysis: &mut Analysis) -> Option<&mut Self> {
                match analysis {
                    Analysis::$variant(record) => Some(record),
                    _ => None,
                }
            }
        })+
    };
}

experiments!(records);

impl Analysis {
    /// Whether everything in the plan is done.
    pub fn is_finished(&self, plan: &config::Analysis) -> bool {
        let (done, total) = self.progress(plan);
        total > 0 && done >= total
    }
}

impl Record {
    /// An empty record for a configuration.
    pub fn new(config: &Config) -> Self {
        Self {
            state: SavedState::New,
            updated: 0,
            elapsed_s: 0.0,
            devices: Vec::new(),
            starts: Vec::new(),
            inputs: Vec::new(),
            sharding: None,
            shard: None,
            notes: Vec::new(),
            images: None,
            form: None,
            model: None,
            training: None,
            analyses: config.analyses.iter().map(Analysis::new).collect(),
        }
    }

    /// Whether anything has been done: from then on the record is tied to its plan.
    pub fn has_begun(&self, config: &Config) -> bool {
        let mut analyses = self.analyses.iter().zip(&config.analyses);
        let measured = |(record, plan): (&Analysis, &config::Analysis)| record.progress(plan).0 > 0;
        self.training.is_some() || analyses.any(measured)
    }

    /// Whether nothing has been done by any plan, so that its analyses may still be replaced by those of another.
    pub(super) fn is_untouched(&self) -> bool {
        let is_empty = |analysis: &Analysis| analysis.blocks().iter().all(|&blocks| blocks == 0);
        let is_divided = self.sharding.is_some() || self.shard.is_some();
        self.training.is_none() && !is_divided && self.analyses.iter().all(is_empty)
    }

    /// Every experiment of one kind, with its index in the plan.
    pub fn all<T: ExperimentRecord>(&self) -> impl Iterator<Item = (usize, &T)> {
        let analyses = self.analyses.iter().enumerate();
        analyses.filter_map(|(i, analysis)| Some((i, T::from_analysis(analysis)?)))
    }

    /// The first experiment of one kind, if the plan has any.
    pub fn first<T: ExperimentRecord>(&self) -> Option<&T> {
        self.all().next().map(|(_, record)| record)
    }

    /// The name of a class; its number before the images have been opened.
    pub fn class_name(&self, class: ClassId) -> String {
        match &self.form {
            Some(form) => form.name(class),
            None => class.to_string(),
        }
    }

    /// The name of a class, cleaned for display; its number if nothing is left.
    pub fn bare_class(&self, class: ClassId) -> String {
        let name = clean(&self.class_name(class));
        match name.trim().is_empty() {
            true => class.to_string(),
            false => name,
        }
    }

    /// A class in a sentence or a title: `Dress`; `class 3` where its name is a number.
    pub fn class_in_words(&self, class: ClassId) -> String {
        let name = self.bare_class(class);
        match name.parse::<u64>() {
            Ok(_) => format!("class {name}"),
            Err(_) => name,
        }
    }

    /// The first classification images of the plan, if it has any.
    pub fn classification_images(&self) -> Option<&ClassificationImages> {
        self.first()
    }
}

arrays!(Record: model, training, analyses);

/// Whether an array has the expected shape; its header is checked before its numbers are loaded.
fn has_shape<T: super::array::Element>(array: &super::Array<T>, shape: &[usize]) -> bool {
    array.shape() == shape
}

#[cfg(test)]
mod tests;
