//! The section `classification_images`. A class whose maps the plan does not ask for is not `listed`.

use serde_json::{Value, json};

use crate::session::config;
use crate::session::record::{ClassificationImages, FedBack, GammaTrials};
use crate::stats::classification::ClassEstimate;
use crate::stats::cluster::Cluster;

pub(super) fn section(plan: &config::ClassificationImages, it: &ClassificationImages) -> Value {
    let each = |of: &dyn Fn(&GammaTrials) -> Value| it.gammas.iter().map(of).collect::<Value>();
    let by_class = |of: &dyn Fn(&ClassEstimate) -> Value| {
        each(&|gamma| gamma.estimate().classes.iter().map(of).collect())
    };
    json!({
        "noise": plan.noise.label(),
        "weighting": plan.weighting.label(),
        "gammas": each(&|gamma| json!(gamma.gamma)),
        "trials": each(&|gamma| json!(gamma.trials)),
        "counts": each(&counts),
        "listed": by_class(&|class| json!(class.listed)),
        "sufficient": by_class(&|class| json!(class.sufficient)),
        "reliability": by_class(&|class| json!(class.reliability)),
        "snr": by_class(&|class| json!(class.snr)),
        "significant_pixels": by_class(&|class| json!(class.significant)),
        "clusters": by_class(&|class| clusters(class.clusters.as_deref())),
        "trials_needed": by_class(&|class| json!(class.needed)),
        "dropped": each(&|gamma| json!(gamma.dropped)),
        "reached_target": each(&|gamma| json!(gamma.reached)),
        "fed_back": each(&|gamma| gamma.fed_back.iter().map(fed_back).collect()),
    })
}

/// Trials by true and predicted class.
fn counts(gamma: &GammaTrials) -> Value {
    let estimate = gamma.estimate();
    let rows = estimate.counts.chunks(gamma.classes().max(1));
    rows.map(|row| json!(row)).collect()
}

fn fed_back(said: &Option<FedBack>) -> Value {
    match said {
        Some(said) => json!({ "class": said.class, "confidence": said.confidence }),
        None => Value::Null,
    }
}

/// Significant clusters of the smoothed map, most significant first; null where there is no map.
fn clusters(found: Option<&[Cluster]>) -> Value {
    let cluster = |it: &Cluster| {
        json!({
            "channel": it.channel,
            "row": it.row,
            "column": it.column,
            "peak": it.peak,
            "pixels": it.pixels.len(),
            "p": it.p,
        })
    };
    json!(found.map(|found| found.iter().map(cluster).collect::<Vec<Value>>()))
}
