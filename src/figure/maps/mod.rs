//! Classification images: one class with its figures, or all classes side by side. Maps are drawn on
//! the noise's own grid.

mod all;
mod one;

pub use all::all;
pub use one::one;

use super::canvas::{Canvas, Paint, Sheet};
use super::{FigureError, at_gamma, images, names, origin};
use crate::format;
use crate::session::Session;
use crate::session::record::{ClassificationImages, GammaTrials, Record};
use crate::stats::classification::{ClassEstimate, Estimate};

/// Pixels across below which there is no room for sentences.
const SMALL: u32 = 300;

/// The sums that a figure is about: those of a signal strength, or of the one that `best` says.
fn trials(
    session: &Session,
    place: usize,
    gamma: Option<f64>,
    best: impl Fn(&ClassificationImages) -> usize,
) -> Result<&GammaTrials, FigureError> {
    let own = images(session, place)?;
    match gamma {
        Some(gamma) => at_gamma(own, gamma),
        None => Ok(&own.gammas[best(own)]),
    }
}

fn title(canvas: &mut Canvas, words: &str, session: &Session) {
    let (margin, row) = (canvas.sheet.margin(), canvas.sheet.row());
    canvas.text((margin, margin), words, Paint::Ink);
    canvas.text((margin, margin + row), &origin(session), Paint::Dim);
}

/// What is known of a class, line by line.
fn facts(record: &Record, trials: &GammaTrials, estimate: &Estimate, class: usize) -> Vec<String> {
    let said = &estimate.classes[class];
    let mut facts = vec![
        format!("signal strength γ {}", format::gamma(trials.gamma)),
        format!(
            "{} of {} called {}",
            format::count(said.called as f64),
            format::count(estimate.trials as f64),
            names::bare_drawn(record, class)
        ),
    ];
    if let Some(r) = said.reliability {
        facts.push(format!("reliability {}", format::reliability(r)));
    }
    if let Some(snr) = said.snr {
        facts.push(format!("signal to noise {}", format::number(snr)));
    }
    if let Some(pixels) = said.significant {
        facts.push(format!("{pixels} pixels, |z| > {:.1}", estimate.threshold));
    }
    if let Some(back) = trials.fed_back.get(class).copied().flatten() {
        facts.push(format!(
            "fed back: called {}, {}",
            names::bare_drawn(record, back.class),
            format::percent(back.confidence)
        ));
    }
    facts.extend(grain(trials));
    facts
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
    trials: &GammaTrials,
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
    let why = format!(
        "of {} trials {} were called {}, and each of the groups that are compared needs {}",
        format::thousands(trials.trials),
        format::thousands(said.called),
        names::bare(record, class),
        trials.min_trials
    );
    FigureError::Insufficient {
        name,
        gamma: trials.gamma,
        why,
    }
}

/// The gap between maps that stand side by side.
fn gap(sheet: Sheet) -> u32 {
    sheet.margin().max(4)
}
