//! The covariance figure in words: its caption and its alternative text.

use super::super::channels;
use super::super::wording::capitalise;
use super::MOST;
use super::units::{CovarianceUnit, units};
use crate::format::{self, signed, thousands};
use crate::session::Session;
use crate::stats::spike_triggered::{MAX_AXES, RANGE_MARGIN};

/// The caption.
pub fn caption(session: &Session, layer: &str) -> Option<String> {
    let units = units(session, layer);
    let shown = &units[..units.len().min(MOST)];
    let first = shown.first()?;
    let [channels, height, width] = first.covariance.field();
    // Of several noises, each is with its unit.
    let noise = first.noise().filter(|_| first.own_noise.is_none());
    let noise = noise.map_or_else(String::new, |noise| format!(" of {noise} noise"));
    let mut words = format!(
        "Spike-triggered covariance in {}: stimuli weighted by |a|, a the activation, minus the prior covariance; from receptive fields of {height}×{width} pixels{noise}.",
        format::layer(layer)
    );
    for unit in shown {
        words += &format!(
            " {}: {}; {} receptive fields.",
            capitalise(&unit.name()),
            unit.summary(),
            thousands(unit.covariance.fields)
        );
    }
    words += &format!(
        " Left: the spike-triggered average on its own scale, then the axes of unit length whose eigenvalues λ are farthest from zero, at most {MAX_AXES}, all on one scale: above chance the stimuli vary more along an axis, below it less; the sign of an axis is arbitrary. Below: all eigenvalues by rank, and the chance range, from responses shuffled among stimuli, widened by {RANGE_MARGIN}·R·P^(−2/3), with R half the range and P the number of pixels."
    );
    match channels {
        1 => {}
        channels::RGB => words += " In colour around grey, which is 0.",
        channels => words += &format!(" Mean of {channels} channels."),
    }
    if units.len() > shown.len() {
        words += &format!(
            " {} of {} units, those farthest outside chance.",
            shown.len(),
            units.len()
        );
    }
    Some(words)
}

pub fn alternative(layer: &str, units: &[CovarianceUnit<'_>]) -> String {
    let mut words = format!(
        "Axes of the spike-triggered covariance of units of {}, each a small map beside the unit's average, and a plot of all eigenvalues.",
        format::layer(layer)
    );
    for unit in units {
        let values: Vec<String> = unit.axes().map(|(value, _)| signed(value)).collect();
        let values = match values.is_empty() {
            true => String::new(),
            false => format!(", the farthest from zero {}", values.join(", ")),
        };
        let name = capitalise(&unit.name());
        words += &format!(" {name}: {}{values}.", unit.summary());
    }
    words += &sizes(units);
    words
}

/// The size of the maps, as a sentence.
fn sizes(units: &[CovarianceUnit<'_>]) -> String {
    let field = units.first().map(|unit| unit.covariance.field());
    field.map_or_else(String::new, |[_, height, width]| {
        format!(" A map has {height} by {width} pixels.")
    })
}
