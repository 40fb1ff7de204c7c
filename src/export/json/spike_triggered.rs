//! The section `spike_triggered`.

use serde_json::{Value, json};

use crate::session::config;
use crate::session::record::{Covariance, LayerResponses, SpikeTriggered};

pub(super) fn section(plan: &config::SpikeTriggered, it: &SpikeTriggered) -> Value {
    json!({
        "noise": plan.noise.label(),
        "layers": it.layers.iter().map(layer).collect::<Value>(),
        "covariance": it.covariance.as_ref().map(covariance),
    })
}

fn layer(it: &LayerResponses) -> Value {
    let estimate = it.estimate();
    // A list without a number says less than null: the layer has no kernel, or no gradients.
    let list = |values: &[Option<f64>]| match values.iter().any(Option::is_some) {
        true => json!(values),
        false => Value::Null,
    };
    let (height, width) = it.receptive_field;
    json!({
        "name": it.name,
        "units": it.units,
        "receptive_field": [height, width],
        "channels": it.channels,
        "fields": it.noise.fields.iter().sum::<u64>(),
        "silent": estimate.silent,
        "kernel_correlation": list(&estimate.kernel_correlation),
        "stein_correlation": list(&estimate.stein_correlation),
        "reliability": estimate.reliability,
    })
}

fn covariance(it: &Covariance) -> Value {
    json!({
        "layer": it.unit.layer,
        "unit": it.unit.unit,
        "fields": it.fields,
        "eigenvalues": it.eigenvalues,
        "shuffled_range": it.shuffled.map(|(low, high)| [low, high]),
        "significant": it.significant,
    })
}
