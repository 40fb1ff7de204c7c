//! The section `spike_triggered`.

use serde_json::{Value, json};

use crate::session::config;
use crate::session::record::{Covariance, LayerResponses, SpikeTriggered};

pub(super) fn section(plan: &config::SpikeTriggered, spikes: &SpikeTriggered) -> Value {
    json!({
        "noise": plan.noise.label(),
        "layers": spikes.layers.iter().map(layer).collect::<Value>(),
        "covariance": spikes.covariance.as_ref().map(covariance),
    })
}

fn layer(responses: &LayerResponses) -> Value {
    let estimate = responses.estimate();
    // A list without any number becomes null: the layer has no kernel, or no gradients.
    let list = |values: &[Option<f64>]| match values.iter().any(Option::is_some) {
        true => json!(values),
        false => Value::Null,
    };
    let (height, width) = responses.receptive_field;
    json!({
        "name": responses.name,
        "units": responses.units,
        "receptive_field": [height, width],
        "channels": responses.channels,
        "fields": responses.noise.fields.iter().sum::<u64>(),
        "silent": estimate.silent,
        "kernel_correlation": list(&estimate.kernel_correlation),
        "stein_correlation": list(&estimate.stein_correlation),
        "reliability": estimate.reliability,
    })
}

fn covariance(covariance: &Covariance) -> Value {
    json!({
        "layer": covariance.unit.layer,
        "unit": covariance.unit.unit,
        "fields": covariance.fields,
        "eigenvalues": covariance.eigenvalues,
        "shuffled_range": covariance.shuffled.map(|(low, high)| [low, high]),
        "significant": covariance.significant,
    })
}
