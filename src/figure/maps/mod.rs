//! Figures of classification images: one class with its statistics, all classes side by side, the difference of two
//! classes, or the maps of two sessions. Maps are drawn on the noise grid.

mod all;
mod comparison;
mod one;
mod pair;
mod peak;
mod tile;

pub use all::{MapContent, draw_all};
pub use comparison::comparison;
pub use one::draw_one;
pub use pair::draw_pair;
pub use peak::{MapPeak, StrongestValue, map_peak, strongest_values};

use self::peak::extremes;
use super::{FigureError, at_gamma, channels, choice, images, wording};
use crate::format;
use crate::ids::{ClassId, Gamma};
use crate::session::Session;
use crate::session::config::{Analysis, Response};
use crate::session::record::{ClassificationImages, GammaTrials, Record};
use crate::stats::classification::{ClassEstimate, GammaEstimate};

/// The trials and the response that a figure shows: at a signal strength, or at the one with the index that `best`
/// returns.
fn trials(
    session: &Session,
    (place, response): (usize, Option<Response>),
    gamma: Option<Gamma>,
    best: impl Fn(&ClassificationImages, Response) -> usize,
) -> Result<(&GammaTrials, Response), FigureError> {
    let images_record = images(session, place)?;
    let response = match response {
        Some(Response::Evidence) if !images_record.has_evidence() => {
            return Err(FigureError::Missing("evidence images"));
        }
        Some(response) => response,
        None => choice::best_response(images_record),
    };
    match gamma {
        Some(gamma) => Ok((at_gamma(images_record, gamma)?, response)),
        None => Ok((
            &images_record.gammas[best(images_record, response)],
            response,
        )),
    }
}

/// The trials and the response that a figure of one class shows: at a signal strength, or at the one that shows the
/// class best.
pub(super) fn trials_of_class(
    session: &Session,
    place: (usize, Option<Response>),
    class: ClassId,
    gamma: Option<Gamma>,
) -> Result<(&GammaTrials, Response), FigureError> {
    trials(session, place, gamma, |images_record, response| {
        choice::best_gamma_index(images_record, response, class, None)
    })
}

/// The statistics of a class, one per line.
fn facts(
    record: &Record,
    (trials, response): (&GammaTrials, Response),
    estimate: &GammaEstimate,
    class: ClassId,
) -> Vec<String> {
    let class_estimate = &estimate.classes[class];
    let map = class_estimate.image(response);
    let mut facts = vec![
        format!("signal strength γ {}", format::gamma(trials.gamma)),
        format!(
            "{} of {} called {}",
            format::count(class_estimate.called as f64),
            format::count(estimate.trials as f64),
            wording::bare_class_name(record, class)
        ),
    ];
    if let Some(r) = map.and_then(|map| map.reliability) {
        facts.push(format!("reliability {}", format::reliability(r)));
    }
    if let Some(map) = map {
        facts.push(format!("signal to noise {}", format::number(map.snr)));
        let [channels, ..] = trials.shape();
        let significant = channels::counted(map.significant, channels);
        facts.push(format!("{significant}, |z| > {:.1}", estimate.threshold));
    }
    let fed_back = match response {
        Response::Decision => &trials.fed_back,
        Response::Evidence => &trials.evidence_fed_back,
    };
    if let Some(back) = fed_back.get(class.0).copied().flatten() {
        facts.push(format!(
            "fed back: called {}, {}",
            wording::bare_class_name(record, back.class),
            format::percent(back.confidence)
        ));
    }
    facts.extend(grain(trials));
    facts
}

/// A note on how the noise smooths the maps, if it is not white.
fn smoothing(session: &Session, place: usize) -> Option<String> {
    let (index, _) = super::nth::<ClassificationImages>(session, place)?;
    match session.config.analyses.get(index)? {
        Analysis::ClassificationImages(plan) => plan.noise.smoothing(),
        _ => None,
    }
}

/// A note on how coarse the noise is; `None` if every value of an image has its own noise.
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

/// The reason why a class has no map.
fn insufficient(
    record: &Record,
    class_estimate: &ClassEstimate,
    (trials, response): (&GammaTrials, Response),
    class: ClassId,
) -> FigureError {
    let name = wording::class_name(record, class);
    if !class_estimate.listed {
        let listed = trials
            .listed
            .iter()
            .map(|&class| wording::bare_class_name(record, class));
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
        Response::Evidence if trials.lacks_pairs() => format!(
            "no two of {} trials are of the same true class",
            format::thousands(trials.trials)
        ),
        Response::Evidence if trials.lacks_trials_for_evidence() => format!(
            "of {} trials {} count, and to measure the noise's deviation it takes {}",
            format::thousands(trials.trials),
            trials.trials_of(Response::Decision),
            trials.min_trials
        ),
        Response::Evidence => "the network's evidence for it never changes".into(),
        Response::Decision => format!(
            "of {} trials, {} were called {}, and each of the compared groups needs {}",
            format::thousands(trials.trials),
            format::thousands(class_estimate.called),
            wording::bare_class_name(record, class),
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

/// The name of a class, truncated to a width.
fn short_name(name: &str, room: f64, sheet: crate::drawing::Sheet) -> String {
    match name.parse::<u64>() {
        // A truncated number would be a different number.
        Ok(_) => name.to_owned(),
        Err(_) => sheet.truncate(name, room),
    }
}
