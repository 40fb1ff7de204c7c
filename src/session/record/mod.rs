//! What has happened so far: one struct a stage, all counts and sums exact, so that two parts of
//! a run merge by addition and a resumed run equals an uninterrupted one to the last bit.

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

pub use crate::stats::numbers::FIXED_POINT;
pub use attack::{Attack, Example, Outcomes, PATTERNS, Pattern, WITH_EVIDENCE};
pub use audit::{Audit, Examinee, Pasted, Role};
pub use axes::NoiseAxes;
pub use backdoor::{Backdoor, Finding, Suspect, Window};
pub use classification_images::ClassificationImages;
pub use covariance::{BlockCovariance, Covariance};
pub use estimated::Estimated;
pub use evidence::{Evidence, EvidenceSums};
pub use gamma_trials::{CONFIDENCE_STEPS, FedBack, GammaTrials};
pub use inputs::{Difference, Inputs, Split, Start};
pub use model::Model;
pub use modulation::{BY_CLASS, Cells, ModulatedLayer, Modulation};
pub use note::{Note, NoteOn};
pub use null::NoiseNull;
pub use predictions::{Predictions, SplitCounts};
pub use spike_triggered::{BlockResponses, Gradients, LayerResponses, Responses, SpikeTriggered};
pub use templates::{GammaTemplates, Templates};
pub use training::{Curve, Epoch, PartialEpoch, Training, Weights};
pub use trials::{BlockSums, Rows, TrialKind};

/// Gives a struct its arrays: those of the fields named, in this order.
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
    /// How the last engine left the run.
    pub state: State,
    /// When the file was last written, seconds since the Unix epoch.
    pub updated: i64,
    /// Seconds of work so far, over all engines that ran it; pauses do not count.
    pub elapsed_s: f64,
    /// The devices that worked on it, in order.
    pub devices: Vec<String>,
    /// Every start of an engine, in order; those of programs that did not note them are missing.
    #[serde(default)]
    pub starts: Vec<Start>,
    /// What it was made from: the last is what it goes on with, others before it where a person accepted a
    /// change. Empty before images and network have been opened, and in sessions of earlier versions.
    #[serde(default)]
    pub inputs: Vec<Inputs>,
    /// How it is divided among shards; `None` where it is not, or they have been merged.
    #[serde(default)]
    pub sharding: Option<shard::Sharding>,
    /// In the file of a shard: which it is.
    #[serde(default)]
    pub shard: Option<shard::Shard>,
    /// What people left written, oldest first; one a place at most.
    #[serde(default)]
    pub notes: Vec<Note>,
    /// Where the images came from: `embedded`, `full set`, or a folder.
    pub images: Option<String>,
    /// What an image is and may be called; `None` until images and network have been opened.
    #[serde(default)]
    pub form: Option<Form>,
    /// The file that the network came from, where that holds more than weights.
    #[serde(default)]
    pub model: Option<Model>,
    /// Training, from its start on.
    pub training: Option<Training>,
    /// One record for each entry of `config.analyses`, in the same order.
    pub analyses: Vec<Analysis>,
}

/// How the last engine left the run. Whether one runs now is not in the file: the lock says it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// No engine has run it yet.
    New,
    /// An engine was at work when the file was written. Where none runs now, it was interrupted.
    Running,
    /// Stopped after a checkpoint.
    Stopped,
    /// Everything in the plan is done.
    Finished,
    /// It could not go on: the message.
    Failed(String),
}

/// How far an experiment is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Progress {
    /// Blocks done of each part: always the first ones. Empty before the experiment has begun.
    pub blocks: Vec<u64>,
    /// What is done, in the unit of [`config::Analysis::unit`].
    pub done: u64,
    /// What there is to do; 0 before the experiment has begun.
    pub total: u64,
}

impl Progress {
    /// Whether all is done.
    pub fn is_finished(&self) -> bool {
        self.total > 0 && self.done >= self.total
    }
}

/// A record of one kind of experiment.
pub trait Experiment: Sized + 'static {
    /// It, where an analysis is of this kind.
    fn of(analysis: &Analysis) -> Option<&Self>;
    /// The same, to advance it.
    fn of_mut(analysis: &mut Analysis) -> Option<&mut Self>;
}

macro_rules! records {
    ($($variant:ident),+) => {
        /// What an analysis has measured.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[allow(missing_docs, reason = "each variant is documented at its struct")]
        pub enum Analysis {
            $($variant($variant),)+
        }

        impl Analysis {
            /// Nothing measured yet.
            pub fn new(plan: &config::Analysis) -> Self {
                match plan {
                    $(config::Analysis::$variant(plan) => Self::$variant($variant::new(plan)),)+
                }
            }

            /// Whether this can be what a plan has led to on images of `form`; also, whether its numbers agree with
            /// each other, so that whoever reads them need not check.
            pub fn fits(&self, plan: &config::Analysis, form: Option<&Form>) -> bool {
                match (self, plan) {
                    $((Self::$variant(it), config::Analysis::$variant(plan)) => {
                        it.fits(plan, form)
                    })+
                    _ => false,
                }
            }

            /// What is done and what there is to do, in the unit of the plan.
            pub fn progress(&self, plan: &config::Analysis) -> (u64, u64) {
                match (self, plan) {
                    $((Self::$variant(it), config::Analysis::$variant(plan)) => {
                        it.progress(plan)
                    })+
                    _ => (0, 0),
                }
            }
        }

        impl Arrays for Analysis {
            fn arrays<'a>(&'a self, visit: &mut dyn FnMut(String, &'a dyn Payload)) {
                match self {
                    $(Self::$variant(it) => it.arrays(visit),)+
                }
            }

            fn arrays_mut<'a>(&'a mut self, visit: &mut dyn FnMut(String, &'a mut dyn Payload)) {
                match self {
                    $(Self::$variant(it) => it.arrays_mut(visit),)+
                }
            }
        }

        $(impl Experiment for $variant {
            fn of(analysis: &Analysis) -> Option<&Self> {
                match analysis {
                    Analysis::$variant(it) => Some(it),
                    _ => None,
                }
            }

            fn of_mut(analysis: &mut Analysis) -> Option<&mut Self> {
                match analysis {
                    Analysis::$variant(it) => Some(it),
                    _ => None,
                }
            }
        })+
    };
}

experiments!(records);

impl Analysis {
    /// Whether all that the plan asks for is done.
    pub fn is_finished(&self, plan: &config::Analysis) -> bool {
        let (done, total) = self.progress(plan);
        total > 0 && done >= total
    }
}

impl Record {
    /// A record of nothing.
    pub fn new(config: &Config) -> Self {
        Self {
            state: State::New,
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

    /// Whether anything has been done: from here on it belongs to its plan.
    pub fn has_begun(&self, config: &Config) -> bool {
        let mut analyses = self.analyses.iter().zip(&config.analyses);
        let measured = |(own, plan): (&Analysis, &config::Analysis)| own.progress(plan).0 > 0;
        self.training.is_some() || analyses.any(measured)
    }

    /// Every experiment of one kind, with its place in the plan.
    pub fn all<T: Experiment>(&self) -> impl Iterator<Item = (usize, &T)> {
        let analyses = self.analyses.iter().enumerate();
        analyses.filter_map(|(i, analysis)| Some((i, T::of(analysis)?)))
    }

    /// The first experiment of one kind, if the plan has any.
    pub fn first<T: Experiment>(&self) -> Option<&T> {
        self.all().next().map(|(_, it)| it)
    }

    /// The name of a class; its number before the images have been opened.
    pub fn class_name(&self, class: usize) -> String {
        match &self.form {
            Some(form) => form.name(class),
            None => class.to_string(),
        }
    }

    /// The name of a class as it can be shown; its number where it has none.
    pub fn bare_class(&self, class: usize) -> String {
        let name = clean(&self.class_name(class));
        match name.trim().is_empty() {
            true => class.to_string(),
            false => name,
        }
    }

    /// A class in a sentence or a title: `Dress`; `class 3` where its name is a number.
    pub fn class_in_words(&self, class: usize) -> String {
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

/// What an array of these many numbers must look like to be read without further checks.
fn has_shape<T: super::array::Element>(array: &super::Array<T>, shape: &[usize]) -> bool {
    array.shape() == shape
}
