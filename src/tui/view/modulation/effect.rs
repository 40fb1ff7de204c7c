//! Where a push does most: the layer and the strength that are seen first.

use crate::session::record::{ModulatedLayer, Modulation};

/// Of more classes than this, what a push does to the others is not looked at.
const FEW: usize = 32;

/// What a push of this strength, by its place, does to the class that it is towards beyond what it does to the
/// others: the mean size of the difference of both changes of accuracy on images, over the classes that are
/// pushed towards. A push that silences all classes alike tells nothing. `None` where nothing was measured.
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
        let (sum, count) = all.fold((0.0, 0_usize), |(sum, n), it| (sum + it, n + 1));
        (count > 0).then(|| sum / count as f64)
    };
    let on_others = |target: usize| {
        let others = (0..classes).filter(|&class| class != target && classes <= FEW);
        mean(&mut others.filter_map(|class| change(target, class)))
    };
    let beyond = (0..classes).filter_map(|target| {
        let own = change(target, target)?;
        Some((own - on_others(target).unwrap_or(0.0)).abs())
    });
    mean(&mut beyond.into_iter())
}

/// The strength of the largest effect on a layer, by its place, and that effect. Of effects that are as good
/// as equal, the weakest push.
fn largest(modulation: &Modulation, layer: &ModulatedLayer) -> Option<(usize, f64)> {
    let strengths = 0..modulation.strengths.len();
    let all: Vec<(usize, f64)> = strengths
        .filter_map(|at| Some((at, effect(modulation, layer, at)?)))
        .collect();
    let most = all.iter().map(|(_, own)| *own).reduce(f64::max)?;
    let near = all.into_iter().filter(|(_, own)| *own >= 0.98 * most);
    near.min_by_key(|(at, _)| {
        let k = modulation.strengths[*at];
        // Of two opposite ones the push towards the class.
        (k.unsigned_abs(), k < 0)
    })
}

/// The layer of the largest effect, by its place: the first while nothing was measured.
pub fn layer(modulation: &Modulation) -> usize {
    let layers = modulation.layers.iter().enumerate();
    let all = layers.filter_map(|(at, layer)| Some((at, largest(modulation, layer)?.1)));
    let best = all.reduce(|a, b| if b.1 > a.1 { b } else { a });
    best.map_or(0, |(at, _)| at)
}

/// The strength of the largest effect on a layer, by its place: the last while nothing was measured.
pub fn strength(modulation: &Modulation, layer: usize) -> usize {
    let own = modulation.layers.get(layer);
    let own = own.and_then(|layer| largest(modulation, layer));
    own.map_or(modulation.strengths.len().saturating_sub(1), |(at, _)| at)
}
