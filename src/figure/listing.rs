//! The figures that a session has, and finding them by name.

use super::name::{KINDS, exact_gamma};
use super::pair_name::{self, pair};
use super::{
    Figure, FigureError, attack, audit_scores, backdoor, covariance, modulation, shards, training,
};
use crate::ids::{ClassId, Gamma};
use crate::session::Session;
use crate::session::config::Response;
use crate::session::record::{
    Attack, Audit, Backdoor, ClassificationImages, ExperimentRecord, GammaTrials, Modulation,
    Predictions, SpikeTriggered,
};

/// Every figure of a session.
pub fn list(session: &Session) -> Vec<Figure> {
    let record = &session.record;
    let mut figures = Vec::new();
    if training::is_available(session) {
        figures.push(Figure::Training);
    }
    for (index, (_, images)) in record.all::<ClassificationImages>().enumerate() {
        figures.extend(of_images(index, images));
        figures.extend(confused_pair(session, index, images));
    }
    let attacks = numbers::<Attack>(session, |nth| attack::begun(session, nth).is_ok());
    figures.extend(attacks.map(|nth| Figure::Attack { nth }));
    let modulations = numbers::<Modulation>(session, |nth| modulation::is_available(session, nth));
    figures.extend(modulations.map(|nth| Figure::Modulation { nth }));
    for (nth, (_, spikes)) in record.all::<SpikeTriggered>().enumerate() {
        let layers = spikes.layers.iter();
        let shown_layers = layers.filter(|layer| layer.noise.fields.iter().sum::<u64>() > 0);
        for layer in shown_layers {
            let layer = layer.name.clone();
            // One figure has the axes of a layer's units, of whichever experiment.
            let covariance = Figure::Covariance {
                layer: layer.clone(),
            };
            let axes = covariance::is_available(session, &layer) && !figures.contains(&covariance);
            figures.push(Figure::Filters { nth, layer });
            figures.extend(axes.then_some(covariance));
        }
    }
    let audits = numbers::<Audit>(session, |nth| audit_scores::is_available(session, nth));
    figures.extend(audits.map(|nth| Figure::Audit { nth }));
    let studies = numbers::<Backdoor>(session, |nth| backdoor::is_available(session, nth));
    figures.extend(studies.map(|nth| Figure::Backdoor { nth }));
    if shards::is_available(session) {
        figures.push(Figure::Shards);
    }
    for (nth, (_, predictions)) in record.all::<Predictions>().enumerate() {
        let splits = predictions.splits.iter();
        let counted = splits.filter(|counts| counts.total() > 0);
        figures.extend(counted.map(|counts| Figure::Confusion {
            nth,
            split: counts.split,
        }));
    }
    figures
}

/// The indices of the experiments of a kind that have a figure, among those of this kind in the plan.
fn numbers<T: ExperimentRecord>(
    session: &Session,
    has_figure: impl Fn(usize) -> bool,
) -> impl Iterator<Item = usize> {
    let all = 0..session.record.all::<T>().count();
    all.filter(move |&nth| has_figure(nth))
}

fn of_images(images: usize, images_record: &ClassificationImages) -> Vec<Figure> {
    let mut figures = Vec::new();
    let has = |trials: &GammaTrials, by| by == Response::Decision || trials.evidence.is_some();
    let begun: Vec<&GammaTrials> = images_record
        .gammas
        .iter()
        .filter(|trials| trials.trials > 0)
        .collect();
    if begun.len() > 1 {
        let responses = Response::ALL.into_iter();
        let responses =
            responses.filter(|by| *by == Response::Decision || images_record.has_evidence());
        for by in responses {
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
            // Those that are in the plan and have enough trials.
            let with_map = classes.filter(|(_, class_estimate)| class_estimate.image(by).is_some());
            figures.extend(with_map.map(|(class, _)| Figure::Map {
                response,
                images,
                class: ClassId(class),
                gamma,
            }));
        }
    }
    figures
}

/// The difference between the two classes that the network confuses most often, if both have evidence images.
fn confused_pair(
    session: &Session,
    images: usize,
    images_record: &ClassificationImages,
) -> Option<Figure> {
    let predictions = session.record.first::<Predictions>()?;
    let split = predictions
        .splits
        .iter()
        .find(|counts| counts.total() > 0)?;
    let classes = split.classes();
    let cells = (0..classes * classes).filter(|cell| cell / classes != cell % classes);
    let most = cells.max_by_key(|&cell| (split.counts[cell], std::cmp::Reverse(cell)))?;
    if split.counts[most] == 0 {
        return None;
    }
    // The class it is called, rather than the class it is.
    let (truth, called) = (ClassId(most / classes), ClassId(most % classes));
    let place = super::choice::best_gamma_index(images_record, Response::Evidence, called, None);
    let trials = images_record.gammas.get(place)?;
    let estimate = trials.estimate();
    let (shape, errors) = (trials.shape(), trials.errors());
    estimate.class_difference(called, truth, shape, errors, trials.trials)?;
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
            let images_record = super::images(session, *images);
            let trials =
                images_record.and_then(|images_record| super::at_gamma(images_record, *gamma));
            trials.is_ok_and(|trials| {
                let estimate = trials.estimate();
                let (shape, errors) = (trials.shape(), trials.errors());
                let shown = trials.trials;
                let pair = estimate.class_difference(*class, *versus, shape, errors, shown);
                pair.is_some()
            })
        }
        figure => list(session).contains(figure),
    }
}

/// The figures selected by a name, which may be that of one figure or of a kind, or, up to a hyphen, the beginning of
/// names (`noise2-maps`, `filters2`, `map-8`); if `classes` are given, only figures of these.
///
/// # Errors
/// If there is none: the error lists the names that exist, or what would produce the figure.
pub fn find(
    session: &Session,
    query: &str,
    classes: &[ClassId],
) -> Result<Vec<Figure>, FigureError> {
    let of_class = |figure: &&Figure| {
        classes.is_empty() || figure.class().is_none_or(|class| classes.contains(&class))
    };
    let all = list(session);
    let named = |name: &str| all.iter().find(|figure| figure.name() == name).cloned();
    let exact = match pair(session, query) {
        Some(pair) => Some(pair?),
        None => named(query).or_else(|| named(&with_exact_gamma(query)?)),
    };
    if let Some(exact) = exact {
        return match of_class(&&exact) {
            true => Ok(vec![exact]),
            false => Err(FigureError::OtherClass(query.to_owned())),
        };
    }
    let (response, kind) = match query.strip_prefix("evidence-") {
        Some(kind) => (Some(Response::Evidence), kind),
        None => (None, query),
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
        // The kind exists, but not for this class.
        let class = classes.first().copied().unwrap_or_default();
        let figure = Figure::Map {
            response,
            images: 0,
            class,
            gamma: None,
        };
        super::draw(session, &figure, crate::drawing::Sheet::DOUBLE)?;
    }
    let begins = |figure: &&Figure| {
        let name = figure.name();
        let rest = name.strip_prefix(query);
        rest.is_some_and(|rest| rest.starts_with('-'))
    };
    let found = all.iter().filter(begins).filter(of_class);
    let found: Vec<Figure> = found.cloned().collect();
    if !found.is_empty() {
        return Ok(found);
    }
    if all.iter().any(|figure| begins(&figure)) {
        return Err(FigureError::OtherClass(query.to_owned()));
    }
    let has_evidence = || {
        all.iter()
            .any(|figure| figure.response() == Some(Response::Evidence))
    };
    if kind == "pair" && has_evidence() {
        return Err(FigureError::NoConfusion {
            example: pair_name::example(session),
        });
    }
    if kind == "audit" {
        super::draw(
            session,
            &Figure::Audit { nth: 0 },
            crate::drawing::Sheet::DOUBLE,
        )?;
    }
    if let Some((_, missing)) = KINDS.iter().find(|(name, _)| *name == kind) {
        return Err(FigureError::Missing(missing));
    }
    check_gamma(session, query, &all)?;
    let existing = existing_kinds(&all);
    Err(match existing.is_empty() {
        true => FigureError::Unknown {
            requested: query.to_owned(),
            available: vec!["none yet in this session".into()],
        },
        false => FigureError::Unknown {
            requested: query.to_owned(),
            available: existing,
        },
    })
}

/// The name with its γ as names of figures have it: `maps-gamma-0.0` for `maps-gamma-0`.
fn with_exact_gamma(query: &str) -> Option<String> {
    let (name, gamma) = query.rsplit_once("-gamma-")?;
    Some(format!("{name}-gamma-{}", exact_gamma(gamma.parse().ok()?)))
}

/// If the name is that of an existing figure at another γ, the error that says why there is none at this γ.
fn check_gamma(session: &Session, query: &str, all: &[Figure]) -> Result<(), FigureError> {
    let Some((wanted, gamma)) = query.rsplit_once("-gamma-") else {
        return Ok(());
    };
    let Ok(requested) = gamma.parse::<Gamma>() else {
        return Ok(());
    };
    for figure in all {
        let place = match figure {
            Figure::Map { images, .. }
            | Figure::Maps { images, .. }
            | Figure::Significance { images, .. }
            | Figure::Means { images, .. } => *images,
            _ => continue,
        };
        let name = figure.name();
        if name.rsplit_once("-gamma-").map_or(&*name, |(base, _)| base) == wanted {
            super::at_gamma(super::images(session, place)?, requested)?;
        }
    }
    Ok(())
}

/// The kinds of figure among these, those of evidence as `evidence-maps`, how a pair is named if there can be one, and how
/// names begin that are of one of several experiments: `noise2-…`.
fn existing_kinds(all: &[Figure]) -> Vec<String> {
    let mut existing = Vec::new();
    for (kind, _) in KINDS {
        let of_kind = || all.iter().filter(move |figure| figure.kind() == kind);
        if of_kind().next().is_some() {
            existing.push(kind.to_owned());
        }
        if of_kind().any(|figure| figure.response() == Some(Response::Evidence)) {
            existing.push(format!("evidence-{kind}"));
        }
    }
    let by_evidence = |figure: &Figure| figure.response() == Some(Response::Evidence);
    if all.iter().any(by_evidence) {
        existing.push("pair-CLASS-not-CLASS".to_owned());
    }
    for figure in all.iter().filter(|figure| figure.nth() > 0) {
        let name = figure.name();
        let begin = match name.split_once('-') {
            Some((first, _)) => format!("{first}-…"),
            None => name,
        };
        if !existing.contains(&begin) {
            existing.push(begin);
        }
    }
    existing
}

impl Figure {
    /// How many experiments of its kind the plan has; `None` for a figure that is not of one of them alone.
    pub fn experiments(&self, session: &Session) -> Option<usize> {
        let record = &session.record;
        Some(match self {
            Self::Map { .. }
            | Self::Maps { .. }
            | Self::Significance { .. }
            | Self::Means { .. }
            | Self::Pair { .. } => record.all::<ClassificationImages>().count(),
            Self::Filters { .. } => record.all::<SpikeTriggered>().count(),
            Self::Attack { .. } => record.all::<Attack>().count(),
            Self::Modulation { .. } => record.all::<Modulation>().count(),
            Self::Audit { .. } => record.all::<Audit>().count(),
            Self::Backdoor { .. } => record.all::<Backdoor>().count(),
            Self::Confusion { .. } => record.all::<Predictions>().count(),
            Self::Covariance { .. } | Self::Shards | Self::Training => return None,
        })
    }

    fn response(&self) -> Option<Response> {
        match self {
            Self::Map { response, .. }
            | Self::Maps { response, .. }
            | Self::Significance { response, .. } => *response,
            _ => None,
        }
    }
}
