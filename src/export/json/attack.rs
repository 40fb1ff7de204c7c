//! The section `attack`.

use serde_json::{Map, Value, json};

use super::rate;
use crate::session::record::Attack;
use crate::stats::interval::wilson;

pub(super) fn section(it: &Attack) -> Value {
    let mut all = Map::new();
    all.insert("weights".into(), json!(it.weights));
    all.insert("gamma".into(), json!(it.gamma));
    if it.evidence_gamma.is_some() {
        all.insert("evidence_gamma".into(), json!(it.evidence_gamma));
    }
    for (pattern, name) in it.kinds.iter().enumerate() {
        let mut own = curves(it, 0, pattern);
        let untargeted = |weight| rate(it.untargeted(pattern, weight));
        own.insert("untargeted".into(), each_weight(it, &untargeted));
        all.insert(name.key().into(), own.into());
    }
    let noise = it.kinds.iter().enumerate();
    let noise = noise.map(|(pattern, name)| (name.key().to_owned(), curves(it, 1, pattern).into()));
    all.insert("noise".into(), Value::Object(noise.collect()));
    all.insert("queries".into(), json!(it.queries()));
    all.into()
}

/// Success by target and weight, \[K\]\[W\], and its mean over the targets that have the pattern.
fn curves(it: &Attack, source: usize, pattern: usize) -> Map<String, Value> {
    let of_target = |target: usize| match it.pattern(pattern, target) {
        Some(_) => each_weight(it, &|weight| {
            rate(it.targeted(source, pattern, target, weight))
        }),
        None => Value::Null,
    };
    let mean = |weight| it.mean_targeted(source, pattern, weight);
    let interval = |weight| mean(weight).and_then(|(_, share)| wilson(share.hits, share.of));
    [
        ("targeted", (0..it.classes()).map(of_target).collect()),
        (
            "mean",
            each_weight(it, &|w| json!(mean(w).map(|(mean, _)| mean))),
        ),
        (
            "mean_low",
            each_weight(it, &|w| json!(interval(w).map(|it| it.low))),
        ),
        (
            "mean_high",
            each_weight(it, &|w| json!(interval(w).map(|it| it.high))),
        ),
    ]
    .into_iter()
    .map(|(key, value): (&str, Value)| (key.to_owned(), value))
    .collect()
}

fn each_weight(it: &Attack, of: &dyn Fn(usize) -> Value) -> Value {
    (0..it.weights.len()).map(of).collect()
}
