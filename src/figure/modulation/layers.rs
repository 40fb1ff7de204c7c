//! The effect of a push on each layer: shares by class and strength, and where they change most.

use crate::ids::{ClassId, Gamma};
use crate::session::record::{ModulatedLayer, Modulation};
use crate::stats::share::Share;

pub fn is_measured(layer: &ModulatedLayer) -> bool {
    layer.counts.values().iter().any(|&count| count > 0)
}

/// A layer with measurements.
pub struct LayerEffect<'a> {
    pub record: &'a ModulatedLayer,
    /// The effect of a push towards each class.
    pub targets: Vec<TargetEffect>,
    /// The index of the strength with the largest effect.
    pub strength: usize,
    /// That effect.
    pub effect: f64,
}

/// The effect of a push towards a class, by strength: the shares of images of the class and of the other classes that
/// are classified correctly, and of noise that is called the class.
pub struct TargetEffect {
    pub class: ClassId,
    pub class_shares: Vec<Share>,
    pub others: Vec<Share>,
    pub noise: Vec<Share>,
}

impl TargetEffect {
    fn of(modulation: &Modulation, layer: &ModulatedLayer, class: ClassId) -> Self {
        let image = modulation.gammas.len().saturating_sub(1);
        let share = |strength: usize, shown: ClassId| {
            let counted = layer.accuracy(class, strength, image, shown);
            let (hits, of) = counted.unwrap_or_default();
            Share { hits, total: of }
        };
        let others = |strength: usize| -> Share {
            let others = ClassId::all(layer.classes()).filter(|&other| other != class);
            others.map(|other| share(strength, other)).sum()
        };
        let noise = |strength: usize| {
            let (hits, of) = layer.share_called(class, strength, 0, class);
            Share { hits, total: of }
        };
        let strengths = || 0..modulation.strengths.len();
        Self {
            class,
            class_shares: strengths().map(|strength| share(strength, class)).collect(),
            others: strengths().map(others).collect(),
            noise: match has_noise(modulation) {
                true => strengths().map(noise).collect(),
                false => Vec::new(),
            },
        }
    }

    /// The largest change in accuracy on images of the class itself.
    pub fn change(&self, rest: usize) -> f64 {
        let all = (0..self.class_shares.len())
            .filter_map(|strength| change(&self.class_shares, strength, rest));
        all.map(f64::abs).fold(0.0, f64::max)
    }
}

pub fn has_noise(modulation: &Modulation) -> bool {
    modulation.gammas.len() > 1 && modulation.gammas[0] == Gamma::NOISE
}

/// The index of the strength 0.
pub fn zero_strength(modulation: &Modulation) -> Option<usize> {
    modulation.strengths.iter().position(|&k| k == 0)
}

/// The layers with measurements, the one with the largest effect first.
pub fn by_effect(modulation: &Modulation) -> Vec<LayerEffect<'_>> {
    let measured = modulation.layers.iter().filter(|layer| is_measured(layer));
    let of_layer = |layer| {
        let targets = targets(modulation, layer);
        let (strength, effect) = largest(modulation, &targets);
        LayerEffect {
            record: layer,
            targets,
            strength,
            effect,
        }
    };
    let mut layers: Vec<LayerEffect<'_>> = measured
        .map(of_layer)
        .filter(|layer| !layer.targets.is_empty())
        .collect();
    layers.sort_by(|a, b| b.effect.total_cmp(&a.effect));
    layers
}

/// The classes that were pushed towards at every strength, so that all points of a curve cover the same classes; until
/// there are any, those pushed towards at some strength.
fn targets(modulation: &Modulation, layer: &ModulatedLayer) -> Vec<TargetEffect> {
    let all = ClassId::all(layer.classes()).map(|class| TargetEffect::of(modulation, layer, class));
    let all: Vec<TargetEffect> = all.collect();
    let is_whole = |target: &TargetEffect| target.class_shares.iter().all(|share| share.total > 0);
    let is_begun = |target: &TargetEffect| target.class_shares.iter().any(|share| share.total > 0);
    match all.iter().any(is_whole) {
        true => all.into_iter().filter(is_whole).collect(),
        false => all.into_iter().filter(is_begun).collect(),
    }
}

fn change(shares: &[Share], strength: usize, rest: usize) -> Option<f64> {
    Some(shares.get(strength)?.rate()? - shares.get(rest)?.rate()?)
}

/// The index of the strength at which a class changes most relative to the others, and the size of that change,
/// averaged over the classes pushed towards.
fn largest(modulation: &Modulation, targets: &[TargetEffect]) -> (usize, f64) {
    let Some(rest) = zero_strength(modulation) else {
        return (0, 0.0);
    };
    let effect = |strength: usize| {
        let beyond = targets.iter().filter_map(|target| {
            let others = change(&target.others, strength, rest).unwrap_or(0.0);
            Some((change(&target.class_shares, strength, rest)? - others).abs())
        });
        let beyond: Vec<f64> = beyond.collect();
        (!beyond.is_empty()).then(|| beyond.iter().sum::<f64>() / beyond.len() as f64)
    };
    let all =
        (0..modulation.strengths.len()).filter_map(|strength| Some((strength, effect(strength)?)));
    all.reduce(|a, b| if b.1 > a.1 { b } else { a })
        .unwrap_or((rest, 0.0))
}

/// The shares pooled over all targets, by strength.
pub fn pooled(
    targets: &[TargetEffect],
    shares_of: impl Fn(&TargetEffect) -> &[Share],
) -> Vec<Share> {
    let count = targets.first().map_or(0, |target| shares_of(target).len());
    let sum = |strength: usize| -> Share {
        targets
            .iter()
            .map(|target| shares_of(target)[strength])
            .sum()
    };
    (0..count).map(sum).collect()
}
