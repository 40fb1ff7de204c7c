//! The layer and the strength with the largest effect, which are shown first.

use crate::ids::ClassId;
use crate::session::record::{ModulatedLayer, Modulation};

/// Above this number of classes, the effect on other classes is not computed.
const FEW: usize = 32;

/// The effect of a push of the strength at this index on its target class beyond its effect on the others:
/// the mean absolute difference between the two changes of accuracy on images, over all target classes. A
/// push that suppresses all classes equally is uninformative. `None` if nothing was measured.
fn effect(modulation: &Modulation, layer: &ModulatedLayer, strength: usize) -> Option<f64> {
    let rest = modulation.strengths.iter().position(|&k| k == 0)?;
    let image = modulation.gammas.len().checked_sub(1)?;
    let classes = layer.shown.len();
    let accuracy = |target, strength, class| {
        let (hits, of) = layer.accuracy(target, strength, image, class)?;
        (of > 0).then(|| hits as f64 / of as f64)
    };
    let change = |target, class| {
        let pushed: f64 = accuracy(target, strength, class)?;
        Some(pushed - accuracy(target, rest, class)?)
    };
    let mean = |all: &mut dyn Iterator<Item = f64>| {
        let (sum, count) = all.fold((0.0, 0_usize), |(sum, n), value| (sum + value, n + 1));
        (count > 0).then(|| sum / count as f64)
    };
    let on_others = |target: ClassId| {
        let others = ClassId::all(classes).filter(|&class| class != target && classes <= FEW);
        mean(&mut others.filter_map(|class| change(target, class)))
    };
    let beyond = ClassId::all(classes).filter_map(|target| {
        let on_target = change(target, target)?;
        Some((on_target - on_others(target).unwrap_or(0.0)).abs())
    });
    mean(&mut beyond.into_iter())
}

/// The index of the strength with the largest effect on a layer, and that effect. Among practically equal
/// effects, the weakest push.
fn largest(modulation: &Modulation, layer: &ModulatedLayer) -> Option<(usize, f64)> {
    let strengths = 0..modulation.strengths.len();
    let all: Vec<(usize, f64)> = strengths
        .filter_map(|index| Some((index, effect(modulation, layer, index)?)))
        .collect();
    let largest = all.iter().map(|(_, effect)| *effect).reduce(f64::max)?;
    let near = all
        .into_iter()
        .filter(|(_, effect)| *effect >= 0.98 * largest);
    near.min_by_key(|(index, _)| {
        let k = modulation.strengths[*index];
        // Of two opposite pushes, the one towards the class.
        (k.unsigned_abs(), k < 0)
    })
}

/// The index of the layer with the largest effect; the first while nothing was measured.
pub fn layer(modulation: &Modulation) -> usize {
    let layers = modulation.layers.iter().enumerate();
    let all = layers.filter_map(|(index, layer)| Some((index, largest(modulation, layer)?.1)));
    let best = all.reduce(|a, b| if b.1 > a.1 { b } else { a });
    best.map_or(0, |(index, _)| index)
}

/// The index of the strength with the largest effect on a layer; the last while nothing was measured.
pub fn strength(modulation: &Modulation, layer: usize) -> usize {
    let layer = modulation.layers.get(layer);
    let best = layer.and_then(|layer| largest(modulation, layer));
    best.map_or(
        modulation.strengths.len().saturating_sub(1),
        |(index, _)| index,
    )
}
