//! Figures: a session in, marks on a sheet out. Nothing here knows a terminal or a file.
//!
//! Beside the figures stand what they share with the dashboard: images of several channels, classes in
//! words, which signal strength shows a class best, and what is said of an experiment.

mod attack;
pub mod audit;
mod audit_scores;
mod backdoor;
pub mod caption;
pub mod channels;
pub mod choice;
pub mod coarse;
mod confusion;
mod covariance;
mod error;
mod filters;
mod found;
pub mod headline;
mod maps;
mod modulation;
mod name;
pub mod names;
mod shards;
mod tiles;
mod training;

use crate::drawing::{Drawing, Sheet};
use crate::session::Session;
use crate::session::config::{Response, Split};
use crate::session::record::{ClassificationImages, GammaTrials};

pub use error::FigureError;
pub use found::{all, find, has};
pub use maps::comparison;

/// A figure of a session.
#[derive(Debug, Clone, PartialEq)]
pub enum Figure {
    /// The classification image or the evidence image of a class.
    Map {
        /// What trials are taken to say; `None`: what shows most.
        response: Option<Response>,
        /// Which of the plan's classification images, among these alone.
        images: usize,
        /// The class.
        class: usize,
        /// The signal strength; `None`: the one that shows the class best.
        gamma: Option<f64>,
    },
    /// The classification images or the evidence images of every class.
    Maps {
        /// What trials are taken to say; `None`: what shows most.
        response: Option<Response>,
        /// Which of the plan's classification images, among these alone.
        images: usize,
        /// The signal strength; `None`: of each class the one that shows it best.
        gamma: Option<f64>,
    },
    /// The same over their standard errors.
    Significance {
        /// What trials are taken to say; `None`: what shows most.
        response: Option<Response>,
        /// Which of the plan's classification images, among these alone.
        images: usize,
        /// The signal strength; `None`: of each class the one that shows it best.
        gamma: Option<f64>,
    },
    /// The mean stimulus of every class: of the trials that were called so.
    Means {
        /// Which of the plan's classification images, among these alone.
        images: usize,
        /// The signal strength; `None`: of each class the one that shows it best.
        gamma: Option<f64>,
    },
    /// What makes the network say one class rather than another.
    Pair {
        /// Which of the plan's classification images, among these alone.
        images: usize,
        /// The class.
        class: usize,
        /// The other.
        versus: usize,
        /// The signal strength; `None`: the one that shows the class best.
        gamma: Option<f64>,
    },
    /// What the units of a layer respond to.
    Filters {
        /// The layer's name.
        layer: String,
    },
    /// The directions in which what excites the units of a layer varies.
    Covariance {
        /// The layer's name.
        layer: String,
    },
    /// Success of the attack by weight of the pattern.
    Attack,
    /// What pushing layers does to each class.
    Modulation,
    /// Scores of the classes of a network under suspicion.
    Audit,
    /// How poisoned networks are told from clean ones.
    Backdoor,
    /// How far the shards of a divided session are.
    Shards,
    /// Loss and accuracy by epoch.
    Training,
    /// Images by true class and by what the network calls them.
    Confusion {
        /// The part of the data set.
        split: Split,
    },
}

impl Figure {
    /// Whether it says what it has to say in a hundred pixels: maps do, letters and curves do not.
    pub fn is_coarse(&self) -> bool {
        matches!(self, Self::Map { .. } | Self::Maps { .. })
    }

    /// Whether it is of one class, and another for the next.
    pub fn is_of_a_class(&self) -> bool {
        matches!(self, Self::Map { .. } | Self::Pair { .. })
    }
}

/// Draws a figure, with its caption.
///
/// # Errors
/// Where there is nothing to draw; the message names what there is.
pub fn draw(session: &Session, figure: &Figure, sheet: Sheet) -> Result<Drawing, FigureError> {
    use maps::Shows;
    let mut drawing = match figure {
        Figure::Map {
            response,
            images,
            class,
            gamma,
        } => maps::one(session, (*images, *response), *class, *gamma, sheet),
        Figure::Maps {
            response,
            images,
            gamma,
        } => maps::all(session, (*images, *response), *gamma, Shows::Maps, sheet),
        Figure::Significance {
            response,
            images,
            gamma,
        } => maps::all(
            session,
            (*images, *response),
            *gamma,
            Shows::Significance,
            sheet,
        ),
        Figure::Means { images, gamma } => maps::all(
            session,
            (*images, Some(Response::Decision)),
            *gamma,
            Shows::Means,
            sheet,
        ),
        Figure::Pair {
            images,
            class,
            versus,
            gamma,
        } => maps::pair(session, *images, (*class, *versus), *gamma, sheet),
        Figure::Filters { layer } => filters::draw(session, layer, sheet),
        Figure::Covariance { layer } => covariance::draw(session, layer, sheet),
        Figure::Attack => attack::draw(session, sheet),
        Figure::Modulation => modulation::draw(session, sheet),
        Figure::Audit => audit_scores::draw(session, sheet),
        Figure::Backdoor => backdoor::draw(session, sheet),
        Figure::Shards => shards::draw(session, sheet),
        Figure::Training => training::draw(session, sheet),
        Figure::Confusion { split } => confusion::draw(session, *split, sheet),
    }?;
    drawing.caption = caption::caption(session, figure).unwrap_or_default();
    Ok(drawing)
}

/// The classification images that stand at a place among those of the plan.
fn images(session: &Session, images: usize) -> Result<&ClassificationImages, FigureError> {
    let mut all = session.record.all::<ClassificationImages>();
    let own = all.nth(images).map(|(_, own)| own);
    own.filter(|own| own.trials() > 0)
        .ok_or(FigureError::Nothing("classification images"))
}

/// The sums at a signal strength.
fn at_gamma(images: &ClassificationImages, gamma: f64) -> Result<&GammaTrials, FigureError> {
    let close = |own: &&GammaTrials| (own.gamma - gamma).abs() < 1e-9;
    images
        .gammas
        .iter()
        .find(close)
        .ok_or_else(|| FigureError::Gamma {
            asked: gamma,
            there: images.gammas.iter().map(|own| own.gamma).collect(),
        })
}

/// What stands in small letters under a title: the session, its images and its network.
fn origin(session: &Session) -> String {
    let config = &session.config;
    format!(
        "{} · {} · {}",
        session.name,
        config.dataset_label(),
        config.network.label()
    )
}
