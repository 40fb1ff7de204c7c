//! The section `attack`.

use serde_json::{Map, Value, json};

use super::rate;
use crate::ids::ClassId;
use crate::session::record::Attack;

pub(super) fn section(attack: &Attack) -> Value {
    let mut all = Map::new();
    all.insert("weights".into(), json!(attack.weights));
    all.insert("gamma".into(), json!(attack.gamma));
    if attack.evidence_gamma.is_some() {
        all.insert("evidence_gamma".into(), json!(attack.evidence_gamma));
    }
    for (pattern, name) in attack.kinds.iter().enumerate() {
        let mut section = curves(attack, 0, pattern);
        let untargeted = |weight| rate(attack.untargeted(pattern, weight));
        section.insert("untargeted".into(), each_weight(attack, &untargeted));
        all.insert(name.key().into(), section.into());
    }
    let noise = attack.kinds.iter().enumerate();
    let noise =
        noise.map(|(pattern, name)| (name.key().to_owned(), curves(attack, 1, pattern).into()));
    all.insert("noise".into(), Value::Object(noise.collect()));
    all.insert("queries".into(), json!(attack.queries()));
    all.into()
}

/// Success rates by target and weight, \[K\]\[W\], and their mean over the targets that have the pattern.
fn curves(attack: &Attack, source: usize, pattern: usize) -> Map<String, Value> {
    let of_target = |target: ClassId| match attack.pattern(pattern, target) {
        Some(_) => each_weight(attack, &|weight| {
            rate(attack.targeted(source, pattern, target, weight))
        }),
        None => Value::Null,
    };
    let interval = |weight| Some(attack.mean_targeted(source, pattern, weight)?.interval);
    [
        (
            "targeted",
            ClassId::all(attack.classes()).map(of_target).collect(),
        ),
        (
            "mean",
            each_weight(attack, &|w| {
                json!(interval(w).map(|interval| interval.estimate))
            }),
        ),
        (
            "mean_low",
            each_weight(attack, &|w| json!(interval(w).map(|interval| interval.low))),
        ),
        (
            "mean_high",
            each_weight(attack, &|w| {
                json!(interval(w).map(|interval| interval.high))
            }),
        ),
    ]
    .into_iter()
    .map(|(key, value): (&str, Value)| (key.to_owned(), value))
    .collect()
}

fn each_weight(attack: &Attack, value: &dyn Fn(usize) -> Value) -> Value {
    (0..attack.weights.len()).map(value).collect()
}
