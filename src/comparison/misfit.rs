//! Why two sessions cannot be compared: what differs, and what to do about it.

use crate::format;
use crate::session::config::Response;

/// Why two sessions cannot be compared.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Misfit {
    /// A plan without maps.
    #[error(
        "the plan of {name} has no classification images, so there are no maps to compare; compare \
         sessions whose plan has ClassificationImages(…)"
    )]
    NoPlan {
        /// The session.
        name: String,
    },
    /// Maps that have not begun.
    #[error("{name} has no maps yet; run it first: noisescope run {name}")]
    NoMaps {
        /// The session.
        name: String,
    },
    /// Images of two sizes or numbers of channels.
    #[error(
        "maps are compared pixel by pixel, and the images of {} are {}, those of {} {}; compare \
         sessions on images of one size", .names[0], .sizes[0], .names[1], .sizes[1]
    )]
    Size {
        /// The sessions.
        names: [String; 2],
        /// The size of their images, in words.
        sizes: [String; 2],
    },
    /// Two numbers of classes.
    #[error(
        "maps are compared class by class, and {} has {} classes, {} has {}; compare sessions on the \
         same classes", .names[0], .classes[0], .names[1], .classes[1]
    )]
    Classes {
        /// The sessions.
        names: [String; 2],
        /// Their numbers of classes.
        classes: [usize; 2],
    },
    /// A class of two names.
    #[error(
        "maps are compared class by class, and class {class} is {} in {} and {} in {}; compare \
         sessions on the same classes in the same order", .called[0], .names[0], .called[1], .names[1]
    )]
    Names {
        /// The sessions.
        names: [String; 2],
        /// The first class that differs.
        class: usize,
        /// What it is called in each.
        called: [String; 2],
    },
    /// No noise in common.
    #[error(
        "maps by two kinds of noise are two things, and {} was shown {}, {} {}; run one of them again, \
         under another name, with the noise of the other: noisescope run NAME --set 'analyses=[…]'",
        .names[0], .noises[0].join(" and "), .names[1], .noises[1].join(" and ")
    )]
    Noise {
        /// The sessions.
        names: [String; 2],
        /// The noises of each, in words.
        noises: [Vec<String>; 2],
    },
    /// No noise of the kind that was asked for.
    #[error("{asked} is no noise that both sessions were shown; both were shown {}", .there.join(" and "))]
    OtherNoise {
        /// The kind that was asked for.
        asked: String,
        /// Those that both have.
        there: Vec<String>,
    },
    /// No signal strength in common at which both have trials.
    #[error(
        "maps are compared at one signal strength, and {} has trials at γ {}, {} at γ {}; run one of \
         them again, under another name, with a γ of the other: noisescope run NAME --set 'analyses=[…]'",
        .names[0], list(&.gammas[0]), .names[1], list(&.gammas[1])
    )]
    Gammas {
        /// The sessions.
        names: [String; 2],
        /// The signal strengths of each that have trials.
        gammas: [Vec<f64>; 2],
    },
    /// A signal strength that not both have.
    #[error("not both sessions have trials at γ {}; both have some at γ {}", format::gamma(*.asked), list(.there))]
    OtherGamma {
        /// The signal strength that was asked for.
        asked: f64,
        /// Those that both have.
        there: Vec<f64>,
    },
    /// Maps by the same response that are not of the same quantity.
    #[error("{problem}; compare sessions that count their trials alike")]
    Response {
        /// What differs.
        problem: String,
    },
    /// A response that not both have.
    #[error("--response {}: {problem}", .asked.key())]
    OtherResponse {
        /// What was asked for.
        asked: Response,
        /// Why there are no maps by it.
        problem: String,
    },
    /// No such class.
    #[error("{0}")]
    Class(String),
}

fn list(gammas: &[f64]) -> String {
    let names: Vec<String> = gammas.iter().map(|&gamma| format::gamma(gamma)).collect();
    names.join(", ")
}
