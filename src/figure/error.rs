//! Why a figure cannot be drawn, and which can.

use crate::format;
use crate::session::Form;
use crate::session::config::Response;
use crate::session::record::Record;

/// Why a figure cannot be drawn, and which can.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FigureError {
    /// No class of that number.
    #[error("there is no class {class}; {there}")]
    Class {
        /// The number.
        class: usize,
        /// The classes there are, in words.
        there: String,
    },
    /// No classification images at that signal strength.
    #[error("there are no classification images at γ {}; there are some at γ {}", format::gamma(*.asked), list(.there))]
    Gamma {
        /// The signal strength that was asked for.
        asked: f64,
        /// Those of the plan.
        there: Vec<f64>,
    },
    /// No layer of that name.
    #[error("there is no layer `{layer}`; there are {}", there.join(", "))]
    Layer {
        /// The name that was asked for.
        layer: String,
        /// The layers there are.
        there: Vec<String>,
    },
    /// A class without a map.
    #[error("{name} has no {} at γ {}: {why}", .response.image_label(), format::gamma(*.gamma))]
    Insufficient {
        /// What trials are taken to say.
        response: Response,
        /// The class.
        name: String,
        /// The signal strength.
        gamma: f64,
        /// How many trials it has.
        why: String,
    },
    /// A class whose maps nobody asked for.
    #[error("the plan asks for no classification image of {name}; it asks for {}", few(.listed))]
    Unlisted {
        /// The class.
        name: String,
        /// The classes that it asks for.
        listed: Vec<String>,
    },
    /// Two classes that nothing tells apart.
    #[error(
        "what tells {class} from {versus} is not known at γ {}: it takes evidence images of both", format::gamma(*.gamma)
    )]
    Pair {
        /// The class.
        class: String,
        /// The other.
        versus: String,
        /// The signal strength.
        gamma: f64,
    },
    /// A figure of one class, and another class was asked for.
    #[error("`{0}` is of another class than the one that is asked for")]
    OtherClass(String),
    /// A name that no figure has.
    #[error("there is no figure `{asked}`; there are {}", few(.there))]
    Unknown {
        /// What was asked for.
        asked: String,
        /// Kinds and names that there are.
        there: Vec<String>,
    },
    /// The experiment is not in the plan, or has not begun.
    #[error("this session has no {0} yet{made}", made = made_by(.0))]
    Nothing(&'static str),
}

/// Which part of a plan makes what there is not.
fn made_by(what: &str) -> String {
    let analysis = match what {
        "training" => return "; a network that is trained here makes it".into(),
        "classification images" | "evidence images" | "mean stimuli" => "ClassificationImages",
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

fn list(gammas: &[f64]) -> String {
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
    /// No such class among `classes`.
    pub(super) fn no_class(record: &Record, class: usize, classes: usize) -> Self {
        let numbered = || Form::numbered([0; 3], classes).listed();
        let there = record.form.as_ref().map_or_else(numbered, Form::listed);
        Self::Class { class, there }
    }
}
