//! Classification images: one class with its figures, all classes side by side, what tells two classes
//! apart, or those of two sessions. Maps are drawn on the noise's own grid.

mod all;
mod comparison;
mod one;
mod pair;
mod tile;

pub use all::{Shows, all};
pub use comparison::comparison;
pub use one::one;
pub use pair::pair;

use super::{FigureError, at_gamma, choice, images, names};
use crate::format;
use crate::session::Session;
use crate::session::config::{Analysis, Response};
use crate::session::record::{ClassificationImages, GammaTrials, Record};
use crate::stats::classification::{ClassEstimate, Estimate};

/// The sums that a figure is about, and what trials are taken to say there: at a signal strength, or at
/// the one that `best` says.
fn trials(
    session: &Session,
    (place, response): (usize, Option<Response>),
    gamma: Option<f64>,
    best: impl Fn(&ClassificationImages, Response) -> usize,
) -> Result<(&GammaTrials, Response), FigureError> {
    let own = images(session, place)?;
    let response = match response {
        Some(Response::Evidence) if !own.has_evidence() => {
            return Err(FigureError::Nothing("evidence images"));
        }
        Some(response) => response,
        None => choice::response(own),
    };
    match gamma {
        Some(gamma) => Ok((at_gamma(own, gamma)?, response)),
        None => Ok((&own.gammas[best(own, response)], response)),
    }
}

/// What is known of a class, line by line.
fn facts(
    record: &Record,
    (trials, response): (&GammaTrials, Response),
    estimate: &Estimate,
    class: usize,
) -> Vec<String> {
    let said = &estimate.classes[class];
    let map = said.image(response);
    let mut facts = vec![
        format!("signal strength γ {}", format::gamma(trials.gamma)),
        format!(
            "{} of {} called {}",
            format::count(said.called as f64),
            format::count(estimate.trials as f64),
            names::bare(record, class)
        ),
    ];
    if let Some(r) = map.and_then(|map| map.reliability) {
        facts.push(format!("reliability {}", format::reliability(r)));
    }
    if let Some(map) = map {
        facts.push(format!("signal to noise {}", format::number(map.snr)));
        let pixels = map.significant;
        facts.push(format!("{pixels} pixels, |z| > {:.1}", estimate.threshold));
    }
    let fed_back = match response {
        Response::Decision => &trials.fed_back,
        Response::Evidence => &trials.evidence_fed_back,
    };
    if let Some(back) = fed_back.get(class).copied().flatten() {
        facts.push(format!(
            "fed back: called {}, {}",
            names::bare(record, back.class),
            format::percent(back.confidence)
        ));
    }
    facts.extend(grain(trials));
    facts
}

/// What is to be known of maps under noise that is not white.
fn smoothing(session: &Session, place: usize) -> Option<String> {
    let (at, _) = session.record.all::<ClassificationImages>().nth(place)?;
    match session.config.analyses.get(at)? {
        Analysis::ClassificationImages(plan) => plan.noise.smoothing(),
        _ => None,
    }
}

/// In words, how coarse the noise is; nothing where every number of an image has its own.
fn grain(trials: &GammaTrials) -> Option<String> {
    let grain = trials.grain;
    let cell = grain.cell;
    let grey = grain.grey && trials.images[0] > 1;
    match (cell > 1, grey) {
        (true, true) => Some(format!("grey noise in cells of {cell}×{cell}")),
        (true, false) => Some(format!("noise in cells of {cell}×{cell}")),
        (false, true) => Some("grey noise".into()),
        (false, false) => None,
    }
}

/// Why a class has no map.
fn insufficient(
    record: &Record,
    said: &ClassEstimate,
    (trials, response): (&GammaTrials, Response),
    class: usize,
) -> FigureError {
    let name = names::of_class(record, class);
    if !said.listed {
        let listed = trials
            .listed
            .iter()
            .map(|&class| names::bare(record, class));
        return FigureError::Unlisted {
            name,
            listed: listed.collect(),
        };
    }
    let why = match response {
        Response::Evidence if trials.trials < trials.min_trials => format!(
            "there are {} trials, and it needs {}",
            trials.trials, trials.min_trials
        ),
        Response::Evidence => "what the network's outputs say for it never changes".into(),
        Response::Decision => format!(
            "of {} trials {} were called {}, and each of the groups that are compared needs {}",
            format::thousands(trials.trials),
            format::thousands(said.called),
            names::bare(record, class),
            trials.min_trials
        ),
    };
    FigureError::Insufficient {
        response,
        name,
        gamma: trials.gamma,
        why,
    }
}

/// Where a map is highest and where it is lowest, as a sentence for who does not see it; `columns` values
/// stand in a row.
fn extremes(map: &[f32], columns: usize) -> String {
    let there = || {
        map.iter()
            .enumerate()
            .filter(|(_, value)| value.is_finite())
    };
    let most = there().max_by(|a, b| a.1.total_cmp(b.1));
    let least = there().min_by(|a, b| a.1.total_cmp(b.1));
    let said = |at: usize, value: f32| {
        format!(
            "{} at row {}, column {}",
            format::signed(f64::from(value)),
            at / columns,
            at % columns
        )
    };
    match (most, least) {
        (Some((high, &most)), Some((low, &least))) if most > least => format!(
            "The highest value is {}, the lowest {}.",
            said(high, most),
            said(low, least)
        ),
        _ => "It is the same everywhere.".into(),
    }
}

/// The name of a class in so much room.
fn short_name(name: &str, room: f64, sheet: crate::drawing::Sheet) -> String {
    match name.parse::<u64>() {
        // What is left of a number would be another one.
        Ok(_) => name.to_owned(),
        Err(_) => sheet.cut(name, room),
    }
}
