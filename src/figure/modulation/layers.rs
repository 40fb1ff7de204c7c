//! What a push does to each layer: shares by class and strength, and where they change most.

use crate::session::record::{ModulatedLayer, Modulation};
use crate::stats::share::Share;

pub fn is_measured(layer: &ModulatedLayer) -> bool {
    layer.counts.values().iter().any(|&count| count > 0)
}

/// A layer of which something is known.
pub struct Layer<'a> {
    pub own: &'a ModulatedLayer,
    /// What a push towards each class does.
    pub targets: Vec<Target>,
    /// The strength of the largest effect, by its place.
    pub strength: usize,
    /// That effect.
    pub effect: f64,
}

/// What a push towards a class does, by strength: shares of images of the class, of the others, and of
/// noise.
pub struct Target {
    pub class: usize,
    pub own: Vec<Share>,
    pub others: Vec<Share>,
    pub noise: Vec<Share>,
}

impl Target {
    fn of(modulation: &Modulation, layer: &ModulatedLayer, class: usize) -> Self {
        let image = modulation.gammas.len().saturating_sub(1);
        let share = |strength: usize, shown: usize| {
            let counted = layer.accuracy(class, strength, image, shown);
            let (hits, of) = counted.unwrap_or_default();
            Share { hits, of }
        };
        let others = |strength: usize| -> Share {
            let others = (0..layer.classes()).filter(|&other| other != class);
            others.map(|other| share(strength, other)).sum()
        };
        let noise = |strength: usize| {
            let (hits, of) = layer.share_called(class, strength, 0, class);
            Share { hits, of }
        };
        let strengths = || 0..modulation.strengths.len();
        Self {
            class,
            own: strengths().map(|strength| share(strength, class)).collect(),
            others: strengths().map(others).collect(),
            noise: match has_noise(modulation) {
                true => strengths().map(noise).collect(),
                false => Vec::new(),
            },
        }
    }

    /// By how much the accuracy on its own images changes at most.
    pub fn change(&self, rest: usize) -> f64 {
        let all = (0..self.own.len()).filter_map(|at| change(&self.own, at, rest));
        all.map(f64::abs).fold(0.0, f64::max)
    }
}

pub fn has_noise(modulation: &Modulation) -> bool {
    modulation.gammas.len() > 1 && modulation.gammas[0] == 0.0
}

/// The place of the strength 0.
pub fn rest(modulation: &Modulation) -> Option<usize> {
    modulation.strengths.iter().position(|&k| k == 0)
}

/// The layers of which something is known, that of the largest effect first.
pub fn in_order(modulation: &Modulation) -> Vec<Layer<'_>> {
    let measured = modulation.layers.iter().filter(|layer| is_measured(layer));
    let of_layer = |own| {
        let targets = targets(modulation, own);
        let (strength, effect) = largest(modulation, &targets);
        Layer {
            own,
            targets,
            strength,
            effect,
        }
    };
    let mut layers: Vec<Layer<'_>> = measured
        .map(of_layer)
        .filter(|layer| !layer.targets.is_empty())
        .collect();
    layers.sort_by(|a, b| b.effect.total_cmp(&a.effect));
    layers
}

/// The classes that were pushed towards at every strength, so that every point of a curve is of the same
/// ones; while there is none, those that were at any.
fn targets(modulation: &Modulation, layer: &ModulatedLayer) -> Vec<Target> {
    let all = (0..layer.classes()).map(|class| Target::of(modulation, layer, class));
    let all: Vec<Target> = all.collect();
    let is_whole = |it: &Target| it.own.iter().all(|share| share.of > 0);
    let is_begun = |it: &Target| it.own.iter().any(|share| share.of > 0);
    match all.iter().any(is_whole) {
        true => all.into_iter().filter(is_whole).collect(),
        false => all.into_iter().filter(is_begun).collect(),
    }
}

fn change(of: &[Share], at: usize, rest: usize) -> Option<f64> {
    Some(of.get(at)?.rate()? - of.get(rest)?.rate()?)
}

/// The place of the strength at which a class changes most beyond the others, and by how much: the mean
/// over the classes that are pushed towards.
fn largest(modulation: &Modulation, targets: &[Target]) -> (usize, f64) {
    let Some(rest) = rest(modulation) else {
        return (0, 0.0);
    };
    let effect = |at: usize| {
        let beyond = targets.iter().filter_map(|it| {
            let others = change(&it.others, at, rest).unwrap_or(0.0);
            Some((change(&it.own, at, rest)? - others).abs())
        });
        let beyond: Vec<f64> = beyond.collect();
        (!beyond.is_empty()).then(|| beyond.iter().sum::<f64>() / beyond.len() as f64)
    };
    let all = (0..modulation.strengths.len()).filter_map(|at| Some((at, effect(at)?)));
    all.reduce(|a, b| if b.1 > a.1 { b } else { a })
        .unwrap_or((rest, 0.0))
}

/// The shares of all targets together, by strength.
pub fn pooled(targets: &[Target], of: impl Fn(&Target) -> &[Share]) -> Vec<Share> {
    let count = targets.first().map_or(0, |it| of(it).len());
    let sum = |at: usize| -> Share { targets.iter().map(|it| of(it)[at]).sum() };
    (0..count).map(sum).collect()
}
