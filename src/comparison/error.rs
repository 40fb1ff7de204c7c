//! Why two sessions cannot be compared: what differs, and what to do about it.

use crate::format;
use crate::ids::{ClassId, Gamma};
use crate::session::config::Response;

/// Why two sessions cannot be compared.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ComparisonError {
    /// A session's plan has no classification images.
    #[error(
        "the plan of {name} has no classification images, so there are no maps to compare; compare \
         sessions whose plan has ClassificationImages(…)"
    )]
    NoPlan {
        /// The session.
        name: String,
    },
    /// A session has no trials yet.
    #[error("{name} has no maps yet; run it first: noisescope run {name}")]
    NoMaps {
        /// The session.
        name: String,
    },
    /// The images differ in size or number of channels.
    #[error(
        "maps are compared pixel by pixel, but the images of {} are {} and those of {} {}; compare \
         sessions with images of the same size", .names[0], .sizes[0], .names[1], .sizes[1]
    )]
    Size {
        /// The sessions.
        names: [String; 2],
        /// The size of their images, in words.
        sizes: [String; 2],
    },
    /// The numbers of classes differ.
    #[error(
        "maps are compared class by class, but {} has {} classes and {} has {}; compare sessions with the \
         same classes", .names[0], .classes[0], .names[1], .classes[1]
    )]
    Classes {
        /// The sessions.
        names: [String; 2],
        /// Their numbers of classes.
        classes: [usize; 2],
    },
    /// A class has different names.
    #[error(
        "maps are compared class by class, but class {class} is {} in {} and {} in {}; compare \
         sessions with the same classes in the same order", .called[0], .names[0], .called[1], .names[1]
    )]
    Names {
        /// The sessions.
        names: [String; 2],
        /// The first class that differs.
        class: ClassId,
        /// Its name in each.
        called: [String; 2],
    },
    /// No noise in common.
    #[error(
        "maps from different noise cannot be compared: {} was shown {}, {} {}; run one of them again, \
         under another name, with the noise of the other: noisescope run NAME --set 'analyses=[…]'",
        .names[0], .noises[0].join(" and "), .names[1], .noises[1].join(" and ")
    )]
    Noise {
        /// The sessions.
        names: [String; 2],
        /// The noises of each, described.
        noises: [Vec<String>; 2],
    },
    /// The requested noise was not shown to both.
    #[error("not both sessions were shown {requested} noise; both were shown {}", .shared.join(" and "))]
    OtherNoise {
        /// The requested kind of noise.
        requested: String,
        /// Those that both were shown.
        shared: Vec<String>,
    },
    /// There is no signal strength at which both have trials.
    #[error(
        "maps are compared at the same signal strength, but {} has trials at γ {} and {} at γ {}; run one of \
         them again, under another name, with a γ of the other: noisescope run NAME --set 'analyses=[…]'",
        .names[0], list(&.gammas[0]), .names[1], list(&.gammas[1])
    )]
    Gammas {
        /// The sessions.
        names: [String; 2],
        /// The signal strengths of each that have trials.
        gammas: [Vec<Gamma>; 2],
    },
    /// Not both have trials at the requested signal strength.
    #[error("not both sessions have trials at γ {}; both have some at γ {}", format::gamma(*.requested), list(.shared))]
    OtherGamma {
        /// The requested signal strength.
        requested: Gamma,
        /// Those that both have.
        shared: Vec<Gamma>,
    },
    /// There is no response for which both have maps of the same quantity.
    #[error("{problem}; compare sessions that count their trials the same way")]
    Response {
        /// What differs.
        problem: String,
    },
    /// Not both have maps for the requested response.
    #[error("--response {}: {problem}", .requested.key())]
    OtherResponse {
        /// The requested response.
        requested: Response,
        /// Why there are no such maps.
        problem: String,
    },
    /// There is no such class.
    #[error("{0}")]
    Class(String),
}

fn list(gammas: &[Gamma]) -> String {
    let names: Vec<String> = gammas.iter().map(|&gamma| format::gamma(gamma)).collect();
    names.join(", ")
}
