//! The section `modulation`.

use serde_json::{Value, json};

use crate::ids::ClassId;
use crate::session::record::{ModulatedLayer, Modulation};

pub(super) fn section(modulation: &Modulation) -> Value {
    json!({
        "gammas": modulation.gammas,
        "layers": modulation.layers.iter().map(|layer| section_of(modulation, layer)).collect::<Value>(),
    })
}

fn section_of(modulation: &Modulation, layer: &ModulatedLayer) -> Value {
    let strengths = 0..modulation.strengths.len();
    // γ runs from 0 to 1: noise alone comes first and the image alone last.
    let image = modulation.gammas.len().saturating_sub(1);
    let rate = |counts: Option<(u64, u64)>| {
        counts
            .filter(|(_, of)| *of > 0)
            .map(|(hits, of)| hits as f64 / of as f64)
    };
    let by_target = |value: &dyn Fn(ClassId, usize) -> Value| -> Value {
        let of_target = |target| -> Value { strengths.clone().map(|s| value(target, s)).collect() };
        ClassId::all(layer.classes())
            .map(of_target)
            .collect::<Value>()
    };
    let accuracy = |target, strength| {
        let of_class = |class| json!(rate(layer.accuracy(target, strength, image, class)));
        ClassId::all(layer.classes()).map(of_class).collect()
    };
    let noise =
        |target, strength| json!(rate(Some(layer.share_called(target, strength, 0, target))));
    let psychometric = |target, strength| {
        let accuracy_at =
            |gamma_index| json!(rate(layer.accuracy(target, strength, gamma_index, target)));
        (0..modulation.gammas.len()).map(accuracy_at).collect()
    };
    json!({
        "name": layer.name,
        "alpha": layer.alpha,
        "strengths": modulation.strengths,
        "accuracy": by_target(&accuracy),
        "noise_share": by_target(&noise),
        "psychometric": by_target(&psychometric),
    })
}
