//! The section `modulation`.

use serde_json::{Value, json};

use crate::session::record::{ModulatedLayer, Modulation};

pub(super) fn section(it: &Modulation) -> Value {
    json!({
        "gammas": it.gammas,
        "layers": it.layers.iter().map(|layer| section_of(it, layer)).collect::<Value>(),
    })
}

fn section_of(it: &Modulation, layer: &ModulatedLayer) -> Value {
    let strengths = 0..it.strengths.len();
    // Noise comes first and the image alone last: γ runs from 0 to 1.
    let image = it.gammas.len().saturating_sub(1);
    let rate = |counts: Option<(u64, u64)>| {
        counts
            .filter(|(_, of)| *of > 0)
            .map(|(hits, of)| hits as f64 / of as f64)
    };
    let by_target = |of: &dyn Fn(usize, usize) -> Value| -> Value {
        let of_target = |target| -> Value { strengths.clone().map(|s| of(target, s)).collect() };
        (0..layer.classes()).map(of_target).collect::<Value>()
    };
    let accuracy = |target, strength| {
        let of_class = |class| json!(rate(layer.accuracy(target, strength, image, class)));
        (0..layer.classes()).map(of_class).collect()
    };
    let noise =
        |target, strength| json!(rate(Some(layer.share_called(target, strength, 0, target))));
    let psychometric = |target, strength| {
        let at = |gamma| json!(rate(layer.accuracy(target, strength, gamma, target)));
        (0..it.gammas.len()).map(at).collect()
    };
    json!({
        "name": layer.name,
        "alpha": layer.alpha,
        "strengths": it.strengths,
        "accuracy": by_target(&accuracy),
        "noise_share": by_target(&noise),
        "psychometric": by_target(&psychometric),
    })
}
