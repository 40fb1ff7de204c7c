//! Steps along the axes that several views share: layers, units, weights, strengths and the like.
//! How long an axis is, the session says; a step never leaves it.

use super::action::{self, Place};
use super::state::State;
use crate::session::Session;
use crate::session::config::Analysis;
use crate::session::record::{self, PATTERNS};

/// One step along an axis of `length` places, to its end at most.
fn along(at: usize, step: isize, length: usize) -> usize {
    let last = length.saturating_sub(1);
    at.min(last).saturating_add_signed(step).min(last)
}

/// One step among `values` by their size, whatever their order.
fn by_size(at: usize, step: isize, values: &[f64]) -> usize {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let at = at.min(values.len().saturating_sub(1));
    let now = order.iter().position(|&place| place == at).unwrap_or(0);
    order
        .get(along(now, step, order.len()))
        .copied()
        .unwrap_or(0)
}

/// How many classification images the plan has.
pub fn images(session: &Session) -> usize {
    session.record.all::<record::ClassificationImages>().count()
}

/// How many kinds of stimuli the attack is made on: images, and noise where the plan has any.
pub fn sources(session: &Session) -> usize {
    let noise = |plan: &Analysis| matches!(plan, Analysis::Attack(it) if it.noise_images > 0);
    let attack = session.record.all::<record::Attack>().next();
    let plan = attack.and_then(|(at, _)| session.config.analyses.get(at));
    1 + usize::from(plan.is_some_and(noise))
}

/// How many parts of the data set the network's predictions are looked at in; at least 1.
pub fn splits(session: &Session) -> usize {
    let predictions = session.record.first::<record::Predictions>();
    predictions.map_or(1, |it| it.splits.len().max(1))
}

/// How many layers the view in sight has.
fn layers(state: &State, session: &Session) -> usize {
    let record = &session.record;
    if action::places(state).contains(&Place::Strengths) {
        let modulation = record.first::<record::Modulation>();
        modulation.map_or(0, |it| it.layers.len())
    } else {
        let spikes = record.first::<record::SpikeTriggered>();
        spikes.map_or(0, |it| it.layers.len())
    }
}

/// How many units the layer in sight has.
fn units(state: &State, session: &Session) -> usize {
    let spikes = session.record.first::<record::SpikeTriggered>();
    let layers = spikes.map_or(&[][..], |it| &it.layers);
    let layer = layers.get(state.layer.min(layers.len().saturating_sub(1)));
    layer.map_or(0, |layer| layer.units)
}

/// To the layer above or below. Another layer has other units.
pub fn layer(state: &mut State, session: &Session, step: isize) {
    let layers = layers(state, session);
    let next = along(state.layer, step, layers);
    if next != state.layer {
        state.unit = 0;
    }
    state.layer = next;
}

/// To the unit before or after; after the last comes the first.
pub fn unit(state: &mut State, session: &Session, step: isize) {
    let units = units(state, session) as isize;
    if units > 0 {
        let unit = state.unit.min(units as usize - 1) as isize;
        state.unit = (unit + step).rem_euclid(units) as usize;
    }
}

/// To the unit above or below in a grid of `step` columns, where there is one.
pub fn row_of_units(state: &mut State, session: &Session, step: isize) {
    let unit = state.unit as isize + step;
    if (0..units(state, session) as isize).contains(&unit) {
        state.unit = unit as usize;
    }
}

/// To the pattern above or below.
pub fn pattern(state: &mut State, step: isize) {
    state.pattern = along(state.pattern, step, PATTERNS.len());
}

/// To a smaller or a larger weight of the pattern.
pub fn weight(state: &mut State, session: &Session, step: isize) {
    let attack = session.record.first::<record::Attack>();
    let weights = attack.map_or(&[][..], |it| &it.weights);
    state.weight = by_size(state.weight, step, weights);
}

/// To a weaker or a stronger push.
pub fn strength(state: &mut State, session: &Session, step: isize) {
    let modulation = session.record.first::<record::Modulation>();
    let strengths = modulation.map_or(0, |it| it.strengths.len());
    state.strength = along(state.strength, step, strengths);
}

/// To the network above or below.
pub fn suspect(state: &mut State, session: &Session, step: isize) {
    let backdoor = session.record.first::<record::Backdoor>();
    let networks = backdoor.map_or(0, |it| it.networks.len());
    state.suspect = along(state.suspect, step, networks);
}

/// To what a weaker or a stronger signal shows of a network.
pub fn finding(state: &mut State, session: &Session, step: isize) {
    let backdoor = session.record.all::<record::Backdoor>().next();
    let plan = backdoor.and_then(|(at, _)| session.config.analyses.get(at));
    let gammas = match plan {
        Some(Analysis::Backdoor(plan)) => &plan.gammas[..],
        _ => &[],
    };
    state.finding = by_size(state.finding, step, gammas);
}

/// To the next of several classification images. What was chosen of the others does not hold.
pub fn next_images(state: &mut State, session: &Session) {
    state.images = (state.images + 1) % images(session).max(1);
    state.gamma = None;
    state.best.clear();
    state.settle(session);
}
