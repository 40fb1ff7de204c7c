//! Figures as images: a session in, pixels out. Nothing here knows a terminal or a file.
//!
//! Beside the figures stand what they share with the dashboard: the colours of maps, images of
//! several channels, classes in words, where scales end, and which signal strength shows a class best.

mod attack;
pub mod audit;
mod canvas;
pub mod caption;
pub mod channels;
pub mod choice;
pub mod colour;
mod confusion;
mod filters;
mod font;
pub mod headline;
mod maps;
pub mod names;
mod plot;
pub mod scale;
mod tiles;
mod training;

use image::RgbImage;

use crate::format;
use crate::session::config::{Response, Split};
use crate::session::record::{self, ClassificationImages, GammaTrials, Record};
use crate::session::{Form, Session};

pub use canvas::{Sheet, Stroke, Tint};
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
    /// What the units of a layer respond to.
    Filters {
        /// The layer's name.
        layer: String,
    },
    /// Success of the attack by weight of the pattern.
    Attack,
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
}

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
    /// The experiment is not in the plan, or has not begun.
    #[error("this session has no {0} yet")]
    Nothing(&'static str),
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
    fn no_class(record: &Record, class: usize, classes: usize) -> Self {
        let numbered = || Form::numbered([0; 3], classes).listed();
        let there = record.form.as_ref().map_or_else(numbered, Form::listed);
        Self::Class { class, there }
    }
}

impl Figure {
    /// A plain name for a file, without its ending: `map-8-gamma-0.2`.
    pub fn name(&self) -> String {
        let of = |images: usize| match images {
            0 => String::new(),
            images => format!("noise{}-", images + 1),
        };
        let at = |gamma: &Option<f64>| {
            gamma.map_or_else(String::new, |gamma| {
                format!("-gamma-{}", format::gamma(gamma))
            })
        };
        let by = |response: &Option<Response>| match response {
            Some(Response::Evidence) => "evidence-",
            Some(Response::Decision) | None => "",
        };
        match self {
            Self::Map {
                response,
                images,
                class,
                gamma,
            } => format!("{}{}map-{class}{}", of(*images), by(response), at(gamma)),
            Self::Maps {
                response,
                images,
                gamma,
            } => format!("{}{}maps{}", of(*images), by(response), at(gamma)),
            Self::Filters { layer } => {
                // A layer's name comes from a file: it must not lead out of a folder.
                let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
                format!("filters-{}", layer.chars().map(plain).collect::<String>())
            }
            Self::Attack => "attack".into(),
            Self::Training => "training".into(),
            Self::Confusion { split } => format!("confusion-{}", split.label()),
        }
    }
}

/// Every figure that there is of a session.
pub fn all(session: &Session) -> Vec<Figure> {
    let record = &session.record;
    let mut figures = Vec::new();
    if training::is_there(session) {
        figures.push(Figure::Training);
    }
    for (images, (_, own)) in record.all::<ClassificationImages>().enumerate() {
        let begun = own.gammas.iter().filter(|trials| trials.trials > 0);
        if begun.count() > 1 {
            let responses = Response::ALL.into_iter();
            let there = responses.filter(|by| *by == Response::Decision || own.has_evidence());
            figures.extend(there.map(|by| Figure::Maps {
                response: Some(by),
                images,
                gamma: None,
            }));
        }
        for trials in own.gammas.iter().filter(|trials| trials.trials > 0) {
            let gamma = Some(trials.gamma);
            let estimate = trials.estimate();
            for by in Response::ALL {
                if by == Response::Evidence && trials.evidence.is_none() {
                    continue;
                }
                let response = Some(by);
                figures.push(Figure::Maps {
                    response,
                    images,
                    gamma,
                });
                let classes = estimate.classes.iter().enumerate();
                // Those that the plan asks for and that have enough trials.
                let there = classes.filter(|(_, own)| own.image(by).is_some());
                figures.extend(there.map(|(class, _)| Figure::Map {
                    response,
                    images,
                    class,
                    gamma,
                }));
            }
        }
    }
    if attack::begun(session).is_ok() {
        figures.push(Figure::Attack);
    }
    let layers = record.first::<record::SpikeTriggered>();
    let layers = layers.iter().flat_map(|it| &it.layers);
    let seen = layers.filter(|layer| layer.noise.fields.iter().sum::<u64>() > 0);
    figures.extend(seen.map(|layer| Figure::Filters {
        layer: layer.name.clone(),
    }));
    let predictions = record.first::<record::Predictions>();
    let splits = predictions.iter().flat_map(|it| &it.splits);
    figures.extend(
        splits
            .filter(|it| it.total() > 0)
            .map(|it| Figure::Confusion { split: it.split }),
    );
    figures
}

/// Draws a figure at the size for files.
///
/// # Errors
/// Where there is nothing to draw; the message names what there is.
pub fn draw(session: &Session, figure: &Figure) -> Result<RgbImage, FigureError> {
    draw_on(session, figure, Sheet::FILE)
}

/// Draws a figure on a sheet of another kind.
///
/// # Errors
/// As [`draw`].
pub fn draw_on(session: &Session, figure: &Figure, sheet: Sheet) -> Result<RgbImage, FigureError> {
    match figure {
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
        } => maps::all(session, (*images, *response), *gamma, sheet),
        Figure::Filters { layer } => filters::draw(session, layer, sheet),
        Figure::Attack => attack::draw(session, sheet),
        Figure::Training => training::draw(session, sheet),
        Figure::Confusion { split } => confusion::draw(session, *split, sheet),
    }
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
