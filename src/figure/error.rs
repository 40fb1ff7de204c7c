//! The error that a figure cannot be drawn, naming the figures that can.

use crate::format;
use crate::ids::{ClassId, Gamma};
use crate::session::Form;
use crate::session::config::Response;
use crate::session::record::Record;

/// Why a figure cannot be drawn, and which can.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FigureError {
    /// There is no class with this number.
    #[error("there is no class {class}; {available}")]
    Class {
        /// The number.
        class: ClassId,
        /// The classes that exist, in words.
        available: String,
    },
    /// There are no classification images at this signal strength.
    #[error("there are no classification images at γ {}; there are some at γ {}", format::gamma(*.requested), list(.available))]
    Gamma {
        /// The requested signal strength.
        requested: Gamma,
        /// The signal strengths in the plan.
        available: Vec<Gamma>,
    },
    /// There is no layer with this name.
    #[error("there is no layer `{layer}`; there are {}", available.join(", "))]
    Layer {
        /// The requested name.
        layer: String,
        /// The layers that exist.
        available: Vec<String>,
    },
    /// A class has no map.
    #[error("{name} has no {} at γ {}: {why}", .response.image_label(), format::gamma(*.gamma))]
    Insufficient {
        /// The response the map is of.
        response: Response,
        /// The class.
        name: String,
        /// The signal strength.
        gamma: Gamma,
        /// Why there is no map.
        why: String,
    },
    /// A class's maps are not in the plan.
    #[error("the plan has no classification image of {name}; it has {}", few(.listed))]
    Unlisted {
        /// The class.
        name: String,
        /// The classes in the plan.
        listed: Vec<String>,
    },
    /// The difference of two classes is unknown.
    #[error(
        "the difference between {class} and {versus} is unknown at γ {}: it needs evidence images of both", format::gamma(*.gamma)
    )]
    Pair {
        /// The class.
        class: String,
        /// The other class.
        versus: String,
        /// The signal strength.
        gamma: Gamma,
    },
    /// No two classes are known to be confused, so that none are the two that are confused most.
    #[error(
        "no two classes are known to be confused, which Predictions in the plan measures; name any two, for example {example}"
    )]
    NoConfusion {
        /// The name of a figure of two classes.
        example: String,
    },
    /// There is no class with this name.
    #[error("{0}")]
    ClassName(String),
    /// The figure shows another γ than the requested one.
    #[error("the figure is at another γ than {}; name it without its γ", format::gamma(*.requested))]
    OtherGamma {
        /// The requested γ.
        requested: Gamma,
    },
    /// The figure shows another class than the requested one.
    #[error("`{0}` does not show the requested class")]
    OtherClass(String),
    /// The difference of a class and itself.
    #[error("the two classes of `{0}` are the same; name two different ones")]
    SameClass(String),
    /// There is no figure with this name.
    #[error("there is no figure `{requested}`; there are {}", available.join(", "))]
    Unknown {
        /// The requested name.
        requested: String,
        /// The kinds and names that exist.
        available: Vec<String>,
    },
    /// The experiment is not in the plan, or has not begun.
    #[error("this session has no {0} yet{made}", made = made_by(.0))]
    Missing(&'static str),
    /// The audit is done, but no class could be compared.
    #[error(
        "the audit has no figure, since no class could be compared; more trials in its plan may change that"
    )]
    Uncompared,
}

/// A hint on which part of a plan would produce what is missing.
fn made_by(missing: &str) -> String {
    let analysis = match missing {
        "training" => return "; only a network trained here has one".into(),
        "classification images" | "evidence images" => "ClassificationImages",
        "predictions" => "Predictions",
        "attack" => "Attack",
        "modulation" => "Modulation",
        "audit" => "Audit",
        "backdoor study" | "backdoor" => "Backdoor",
        "spike-triggered averages" => "SpikeTriggered",
        "spike-triggered covariances" | "covariance axes" | "covariances" => {
            return "; SpikeTriggered with covariances in its plan makes them".into();
        }
        "shards" => return "; a session that is divided among jobs has some".into(),
        _ => return String::new(),
    };
    format!("; {analysis} in the plan makes it")
}

fn list(gammas: &[Gamma]) -> String {
    let names: Vec<String> = gammas.iter().map(|&gamma| format::gamma(gamma)).collect();
    names.join(", ")
}

/// The first of many names.
fn few(names: &[String]) -> String {
    const MOST: usize = 12;
    let shown = names[..names.len().min(MOST)].join(", ");
    match names.len().saturating_sub(MOST) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

impl FigureError {
    /// An error for a class that is not among the `classes`.
    pub(super) fn no_class(record: &Record, class: ClassId, classes: usize) -> Self {
        let numbered = || Form::numbered([0; 3], classes).classes_in_words();
        let available = record
            .form
            .as_ref()
            .map_or_else(numbered, Form::classes_in_words);
        Self::Class { class, available }
    }
}
