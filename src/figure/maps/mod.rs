//! Classification images: one class with its figures, all classes side by side, or those of two
//! sessions. Maps are drawn on the noise's own grid.

mod all;
mod one;
mod pair;

pub use all::all;
pub use one::one;
pub use pair::comparison;

use super::canvas::{Canvas, Paint, Place, Sheet};
use super::plot::Ramp;
use super::{FigureError, at_gamma, choice, images, names, origin};
use crate::format;
use crate::session::Session;
use crate::session::config::{Analysis, Response};
use crate::session::record::{ClassificationImages, GammaTrials, Record};
use crate::stats::classification::{ClassEstimate, Estimate};

/// Pixels across below which there is no room for sentences.
const SMALL: u32 = 300;

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

fn title(canvas: &mut Canvas, words: &str, session: &Session) {
    let (margin, row) = (canvas.sheet.margin(), canvas.sheet.row());
    canvas.text((margin, margin), words, Paint::Ink);
    canvas.text((margin, margin + row), &origin(session), Paint::Dim);
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
            names::bare_drawn(record, class)
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
            names::bare_drawn(record, back.class),
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

/// Says on a map, in its lower left corner, that its scale is its own, and where that ends where there
/// is room for it.
fn own_scale(canvas: &mut Canvas, (x, y): (u32, u32), (across, down): (u32, u32), ramp: Ramp) {
    let sheet = canvas.sheet;
    let whole = ramp.name();
    let words = match sheet.text_width(&whole) + 2 * sheet.text <= across {
        true => whole,
        false => "±".to_owned(),
    };
    let height = 9 * sheet.text;
    let place = Place {
        x,
        y: (y + down).saturating_sub(height),
        width: (sheet.text_width(&words) + 2 * sheet.text).min(across),
        height: height.min(down),
    };
    canvas.fill(place, Paint::Paper);
    canvas.text((x + sheet.text, place.y + sheet.text), &words, Paint::Ink);
}

/// The gap between maps that stand side by side.
fn gap(sheet: Sheet) -> u32 {
    sheet.margin().max(4)
}
