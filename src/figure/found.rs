//! Which figures a session has, and those that a person means.

use super::name::KINDS;
use super::{
    Figure, FigureError, attack, audit_scores, backdoor, covariance, modulation, shards, training,
};
use crate::session::Session;
use crate::session::config::Response;
use crate::session::record::{ClassificationImages, GammaTrials, Predictions, SpikeTriggered};

/// Every figure that there is of a session.
pub fn all(session: &Session) -> Vec<Figure> {
    let record = &session.record;
    let mut figures = Vec::new();
    if training::is_there(session) {
        figures.push(Figure::Training);
    }
    for (place, (_, own)) in record.all::<ClassificationImages>().enumerate() {
        figures.extend(of_images(place, own));
        figures.extend(confused_pair(session, place, own));
    }
    if attack::begun(session).is_ok() {
        figures.push(Figure::Attack);
    }
    if modulation::is_there(session) {
        figures.push(Figure::Modulation);
    }
    let layers = record.first::<SpikeTriggered>();
    let layers = layers.iter().flat_map(|it| &it.layers);
    let seen = layers.filter(|layer| layer.noise.fields.iter().sum::<u64>() > 0);
    for layer in seen {
        let layer = layer.name.clone();
        let axes = covariance::is_there(session, &layer);
        figures.push(Figure::Filters {
            layer: layer.clone(),
        });
        figures.extend(axes.then_some(Figure::Covariance { layer }));
    }
    if audit_scores::is_there(session) {
        figures.push(Figure::Audit);
    }
    if backdoor::is_there(session) {
        figures.push(Figure::Backdoor);
    }
    if shards::is_there(session) {
        figures.push(Figure::Shards);
    }
    let predictions = record.first::<Predictions>();
    let splits = predictions.iter().flat_map(|it| &it.splits);
    figures.extend(
        splits
            .filter(|it| it.total() > 0)
            .map(|it| Figure::Confusion { split: it.split }),
    );
    figures
}

fn of_images(images: usize, own: &ClassificationImages) -> Vec<Figure> {
    let mut figures = Vec::new();
    let has = |trials: &GammaTrials, by| by == Response::Decision || trials.evidence.is_some();
    let begun: Vec<&GammaTrials> = own.gammas.iter().filter(|it| it.trials > 0).collect();
    if begun.len() > 1 {
        let there = Response::ALL.into_iter();
        let there = there.filter(|by| *by == Response::Decision || own.has_evidence());
        for by in there {
            let response = Some(by);
            figures.push(Figure::Maps {
                response,
                images,
                gamma: None,
            });
            figures.push(Figure::Significance {
                response,
                images,
                gamma: None,
            });
        }
        figures.push(Figure::Means {
            images,
            gamma: None,
        });
    }
    for trials in begun {
        let gamma = Some(trials.gamma);
        let estimate = trials.estimate();
        figures.push(Figure::Means { images, gamma });
        for by in Response::ALL.into_iter().filter(|by| has(trials, *by)) {
            let response = Some(by);
            figures.push(Figure::Maps {
                response,
                images,
                gamma,
            });
            figures.push(Figure::Significance {
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
    figures
}

/// What tells the two classes apart that the network takes for each other most, where both have evidence
/// images.
fn confused_pair(session: &Session, images: usize, own: &ClassificationImages) -> Option<Figure> {
    let predictions = session.record.first::<Predictions>()?;
    let split = predictions.splits.iter().find(|it| it.total() > 0)?;
    let classes = split.classes();
    let cells = (0..classes * classes).filter(|cell| cell / classes != cell % classes);
    let most = cells.max_by_key(|&cell| (split.counts[cell], std::cmp::Reverse(cell)))?;
    if split.counts[most] == 0 {
        return None;
    }
    // What it is called, rather than what it is.
    let (truth, called) = (most / classes, most % classes);
    let place = super::choice::best(own, Response::Evidence, called, None);
    let trials = own.gammas.get(place)?;
    let estimate = trials.estimate();
    estimate.pair(called, truth, trials.shape(), trials.errors())?;
    Some(Figure::Pair {
        images,
        class: called,
        versus: truth,
        gamma: None,
    })
}

/// Whether a session has a figure.
pub fn has(session: &Session, figure: &Figure) -> bool {
    match figure {
        Figure::Pair {
            images,
            class,
            versus,
            gamma: Some(gamma),
        } => {
            let own = super::images(session, *images);
            let trials = own.and_then(|own| super::at_gamma(own, *gamma));
            trials.is_ok_and(|trials| {
                let estimate = trials.estimate();
                let pair = estimate.pair(*class, *versus, trials.shape(), trials.errors());
                pair.is_some()
            })
        }
        figure => all(session).contains(figure),
    }
}

/// The figures that a person means: the one of this name, or all of a kind; of these the classes alone that are
/// named, where some are.
///
/// # Errors
/// Where there is none: with the names that there are, or what would make it.
pub fn find(session: &Session, asked: &str, classes: &[usize]) -> Result<Vec<Figure>, FigureError> {
    let of_class = |figure: &&Figure| {
        classes.is_empty() || figure.class().is_none_or(|class| classes.contains(&class))
    };
    let all = all(session);
    let exact = match pair(session, asked) {
        Some(pair) => Some(pair?),
        None => all.iter().find(|figure| figure.name() == asked).cloned(),
    };
    if let Some(exact) = exact {
        return match of_class(&&exact) {
            true => Ok(vec![exact]),
            false => Err(FigureError::OtherClass(asked.to_owned())),
        };
    }
    let (response, kind) = match asked.strip_prefix("evidence-") {
        Some(kind) => (Some(Response::Evidence), kind),
        None => (None, asked),
    };
    let of_kind = |figure: &&Figure| {
        figure.kind() == kind && (response.is_none() || figure.response() == response)
    };
    let found = all.iter().filter(of_kind).filter(of_class);
    let found: Vec<Figure> = found.cloned().collect();
    if !found.is_empty() {
        return Ok(found);
    }
    if all.iter().filter(of_kind).count() > 0 {
        // Of the kind, but of other classes.
        let class = classes.first().copied().unwrap_or(0);
        let figure = Figure::Map {
            response,
            images: 0,
            class,
            gamma: None,
        };
        super::draw(session, &figure, crate::drawing::Sheet::DOUBLE)?;
    }
    if let Some((_, what)) = KINDS.iter().find(|(own, _)| *own == kind) {
        return Err(FigureError::Nothing(what));
    }
    let kinds = KINDS.iter().map(|(kind, _)| *kind);
    let there = kinds.filter(|kind| all.iter().any(|figure| figure.kind() == *kind));
    let there: Vec<String> = there.map(str::to_owned).collect();
    Err(match there.is_empty() {
        true => FigureError::Unknown {
            asked: asked.to_owned(),
            there: vec!["none yet in this session".into()],
        },
        false => FigureError::Unknown {
            asked: asked.to_owned(),
            there,
        },
    })
}

/// `pair-4-not-9`, also at a γ: what tells any two classes apart, which not every pair has among [`all`].
fn pair(session: &Session, asked: &str) -> Option<Result<Figure, FigureError>> {
    let (classes, gamma) = match asked.strip_prefix("pair-")?.split_once("-gamma-") {
        Some((classes, gamma)) => (classes, Some(gamma.parse().ok()?)),
        None => (asked.strip_prefix("pair-")?, None),
    };
    let (class, versus) = classes.split_once("-not-")?;
    let figure = Figure::Pair {
        images: 0,
        class: class.parse().ok()?,
        versus: versus.parse().ok()?,
        gamma,
    };
    let drawn = super::draw(session, &figure, crate::drawing::Sheet::DOUBLE);
    Some(drawn.map(|_| figure))
}

impl Figure {
    fn response(&self) -> Option<Response> {
        match self {
            Self::Map { response, .. }
            | Self::Maps { response, .. }
            | Self::Significance { response, .. } => *response,
            _ => None,
        }
    }
}
