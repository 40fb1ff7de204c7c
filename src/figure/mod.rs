//! Figures: turn a session into marks on a sheet. Nothing here depends on terminals or files.
//!
//! Besides the figures, this module has what they share with the dashboard: multi-channel images, class names, the
//! choice of the best signal strength, and summaries of experiments.

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
pub mod headline;
mod listing;
mod maps;
mod modulation;
mod name;
mod one_gamma;
mod pair_name;
mod provenance;
mod shards;
#[cfg(test)]
mod test_parts;
mod tiles;
mod training;
pub mod wording;

use strum::IntoStaticStr;

use crate::drawing::{Drawing, Sheet};
use crate::ids::{ClassId, Gamma};
use crate::session::Session;
use crate::session::config::{Response, Split};
use crate::session::record::{ClassificationImages, ExperimentRecord, GammaTrials};

pub use error::FigureError;
pub use listing::{find, has, list};
pub use maps::{MapPeak, StrongestValue, comparison, map_peak, strongest_values};
pub(crate) use name::exact_gamma;
pub use one_gamma::at_one_gamma;

/// A figure of a session.
#[derive(Debug, Clone, PartialEq, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Figure {
    /// The classification image or the evidence image of a class.
    Map {
        /// The response; `None`: the one that shows the most.
        response: Option<Response>,
        /// The index among the plan's classification-images experiments.
        images: usize,
        /// The class.
        class: ClassId,
        /// The signal strength; `None`: the one that shows the class best.
        gamma: Option<Gamma>,
    },
    /// The classification images or the evidence images of every class.
    Maps {
        /// The response; `None`: the one that shows the most.
        response: Option<Response>,
        /// The index among the plan's classification-images experiments.
        images: usize,
        /// The signal strength; `None`: for each class the one that shows it best.
        gamma: Option<Gamma>,
    },
    /// The same maps over their standard errors.
    #[strum(serialize = "z-maps")]
    Significance {
        /// The response; `None`: the one that shows the most.
        response: Option<Response>,
        /// The index among the plan's classification-images experiments.
        images: usize,
        /// The signal strength; `None`: for each class the one that shows it best.
        gamma: Option<Gamma>,
    },
    /// The mean stimulus of every class, over the trials called that class.
    #[strum(serialize = "mean-stimuli")]
    Means {
        /// The index among the plan's classification-images experiments.
        images: usize,
        /// The signal strength; `None`: for each class the one that shows it best.
        gamma: Option<Gamma>,
    },
    /// The evidence for one class rather than another.
    Pair {
        /// The index among the plan's classification-images experiments.
        images: usize,
        /// The class.
        class: ClassId,
        /// The other class.
        versus: ClassId,
        /// The signal strength; `None`: the one that shows the class best.
        gamma: Option<Gamma>,
    },
    /// The spike-triggered averages of a layer's units.
    Filters {
        /// The index among the plan's spike-triggered experiments.
        nth: usize,
        /// The layer's name.
        layer: String,
    },
    /// The directions in which the stimuli that excite a layer's units vary.
    Covariance {
        /// The layer's name.
        layer: String,
    },
    /// Success of the attack by weight of the pattern.
    Attack {
        /// The index among the plan's attacks.
        nth: usize,
    },
    /// The effect of pushing layers on each class.
    Modulation {
        /// The index among the plan's modulations.
        nth: usize,
    },
    /// The scores of the classes of the network under audit.
    Audit {
        /// The index among the plan's audits.
        nth: usize,
    },
    /// How well poisoned networks are separated from clean ones.
    Backdoor {
        /// The index among the plan's backdoor studies.
        nth: usize,
    },
    /// The progress of the shards of a divided session.
    Shards,
    /// Loss and accuracy by epoch.
    Training,
    /// Images by true class and predicted class.
    Confusion {
        /// The index among the plan's predictions.
        nth: usize,
        /// The split of the data set.
        split: Split,
    },
}

impl Figure {
    /// The index of its experiment among those of the same kind in the plan.
    pub fn nth(&self) -> usize {
        match self {
            Self::Map { images, .. }
            | Self::Maps { images, .. }
            | Self::Significance { images, .. }
            | Self::Means { images, .. }
            | Self::Pair { images, .. } => *images,
            Self::Filters { nth, .. }
            | Self::Attack { nth }
            | Self::Modulation { nth }
            | Self::Audit { nth }
            | Self::Backdoor { nth }
            | Self::Confusion { nth, .. } => *nth,
            Self::Covariance { .. } | Self::Shards | Self::Training => 0,
        }
    }

    /// Whether the figure is readable at a hundred pixels: maps are, text and curves are not.
    pub fn is_coarse(&self) -> bool {
        matches!(self, Self::Map { .. } | Self::Maps { .. })
    }

    /// Whether the figure is of one class, so that each class has its own.
    pub fn is_of_a_class(&self) -> bool {
        matches!(self, Self::Map { .. } | Self::Pair { .. })
    }
}

/// Draws a figure, with its caption.
///
/// # Errors
/// If there is nothing to draw; the message lists what exists.
pub fn draw(session: &Session, figure: &Figure, sheet: Sheet) -> Result<Drawing, FigureError> {
    use maps::MapContent;
    let mut drawing = match figure {
        Figure::Map {
            response,
            images,
            class,
            gamma,
        } => maps::draw_one(session, (*images, *response), *class, *gamma, sheet),
        Figure::Maps {
            response,
            images,
            gamma,
        } => maps::draw_all(
            session,
            (*images, *response),
            *gamma,
            MapContent::Maps,
            sheet,
        ),
        Figure::Significance {
            response,
            images,
            gamma,
        } => maps::draw_all(
            session,
            (*images, *response),
            *gamma,
            MapContent::Significance,
            sheet,
        ),
        Figure::Means { images, gamma } => maps::draw_all(
            session,
            (*images, Some(Response::Decision)),
            *gamma,
            MapContent::Means,
            sheet,
        ),
        Figure::Pair {
            images,
            class,
            versus,
            gamma,
        } => maps::draw_pair(session, *images, (*class, *versus), *gamma, sheet),
        Figure::Filters { nth, layer } => filters::draw(session, *nth, layer, sheet),
        Figure::Covariance { layer } => covariance::draw(session, layer, sheet),
        Figure::Attack { nth } => attack::draw(session, *nth, sheet),
        Figure::Modulation { nth } => modulation::draw(session, *nth, sheet),
        Figure::Audit { nth } => audit_scores::draw(session, *nth, sheet),
        Figure::Backdoor { nth } => backdoor::draw(session, *nth, sheet),
        Figure::Shards => shards::draw(session, sheet),
        Figure::Training => training::draw(session, sheet),
        Figure::Confusion { nth, split } => confusion::draw(session, *nth, *split, sheet),
    }?;
    drawing.caption = caption::caption(session, figure).unwrap_or_default();
    Ok(drawing)
}

/// The experiment with this index among those of its kind in the plan, and its index in the plan.
fn nth<T: ExperimentRecord>(session: &Session, nth: usize) -> Option<(usize, &T)> {
    session.record.all().nth(nth)
}

/// The classification-images record with this index among those of the session, if it has trials.
fn images(session: &Session, images: usize) -> Result<&ClassificationImages, FigureError> {
    let record = nth::<ClassificationImages>(session, images).map(|(_, record)| record);
    record
        .filter(|record| record.trials() > 0)
        .ok_or(FigureError::Missing("classification images"))
}

/// The trials at a signal strength.
fn at_gamma(images: &ClassificationImages, gamma: Gamma) -> Result<&GammaTrials, FigureError> {
    let close = |trials: &&GammaTrials| (trials.gamma.0 - gamma.0).abs() < 1e-9;
    images
        .gammas
        .iter()
        .find(close)
        .ok_or_else(|| FigureError::Gamma {
            requested: gamma,
            available: images.gammas.iter().map(|trials| trials.gamma).collect(),
        })
}

/// The small print under a title: the session, its images and its network.
fn origin(session: &Session) -> String {
    let config = &session.config;
    format!(
        "{} · {} · {}",
        session.name,
        config.dataset_label(),
        config.network.label()
    )
}
