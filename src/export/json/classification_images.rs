//! The section `classification_images`. A class whose maps the plan does not ask for is not `listed`.

use serde_json::{Value, json};

use crate::session::config;
use crate::session::record::{ClassificationImages, Evidence, FedBack, GammaTrials};
use crate::stats::classification::{ClassEstimate, ImageEstimate};
use crate::stats::cluster::Cluster;
use crate::stats::regression::Regression;

pub(super) fn section(plan: &config::ClassificationImages, it: &ClassificationImages) -> Value {
    let each = |of: &dyn Fn(&GammaTrials) -> Value| it.gammas.iter().map(of).collect::<Value>();
    let by_class = |of: &dyn Fn(&ClassEstimate) -> Value| {
        each(&|gamma| gamma.estimate().classes.iter().map(of).collect())
    };
    let by_map = |of: &dyn Fn(&ImageEstimate) -> Value| {
        by_class(&|class| class.decision.as_ref().map_or(Value::Null, of))
    };
    let end = |ends: Option<[f64; 2]>, side: usize| json!(ends.map(|ends| ends[side]));
    json!({
        "noise": plan.noise.label(),
        "smoothed_by_noise": !plan.noise.is_white(),
        "weighting": plan.weighting.label(),
        "gammas": each(&|gamma| json!(gamma.gamma)),
        "trials": each(&|gamma| json!(gamma.trials)),
        "counts": each(&counts),
        "listed": by_class(&|class| json!(class.listed)),
        "sufficient": by_class(&|class| json!(class.decision.is_some())),
        "reliability": by_map(&|it| json!(it.reliability)),
        "reliability_low": by_map(&|it| end(it.reliability_interval, 0)),
        "reliability_high": by_map(&|it| end(it.reliability_interval, 1)),
        "snr": by_map(&|it| json!(it.snr)),
        "significant_pixels": by_map(&|it| json!(it.significant)),
        "clusters": by_map(&|it| clusters(it.clusters.as_deref())),
        "trials_needed": by_map(&|it| json!(it.needed)),
        "regression_reliability": by_map(&|it| regressed(it, |own| json!(own.reliability))),
        "regression_axes": by_map(&|it| regressed(it, |own| json!(own.axes))),
        "dropped": each(&|gamma| json!(gamma.dropped)),
        "reached_target": each(&|gamma| json!(gamma.reached)),
        "fed_back": each(&|gamma| gamma.fed_back.iter().map(fed_back).collect()),
    })
}

/// The section `evidence`: the same of evidence images; `None` where the plan asks for none.
pub(super) fn evidence(
    plan: &config::ClassificationImages,
    it: &ClassificationImages,
) -> Option<Value> {
    if !it.has_evidence() {
        return None;
    }
    let each = |of: &dyn Fn(&GammaTrials) -> Value| it.gammas.iter().map(of).collect::<Value>();
    let by_class = |of: &dyn Fn(&ClassEstimate) -> Value| {
        each(&|gamma| gamma.estimate().classes.iter().map(of).collect())
    };
    let by_map = |of: &dyn Fn(&ImageEstimate) -> Value| {
        by_class(&|class| class.evidence.as_ref().map_or(Value::Null, of))
    };
    let end = |ends: Option<[f64; 2]>, side: usize| json!(ends.map(|ends| ends[side]));
    let kept = |of: &dyn Fn(&Evidence) -> Value| {
        each(&|gamma| gamma.evidence.as_ref().map_or(Value::Null, of))
    };
    Some(json!({
        "response": plan.evidence.key(),
        "unit": plan.evidence.image_unit(),
        "gammas": each(&|gamma| json!(gamma.gamma)),
        "trials": each(&|gamma| json!(gamma.trials)),
        "step": kept(&|it| json!(it.step)),
        "clipped": kept(&|it| json!(it.clipped)),
        "sufficient": by_class(&|class| json!(class.evidence.is_some())),
        "mean": by_class(&|class| json!(class.response.map(|it| it[0]))),
        "deviation": by_class(&|class| json!(class.response.map(|it| it[1]))),
        "reliability": by_map(&|it| json!(it.reliability)),
        "reliability_low": by_map(&|it| end(it.reliability_interval, 0)),
        "reliability_high": by_map(&|it| end(it.reliability_interval, 1)),
        "snr": by_map(&|it| json!(it.snr)),
        "snr_low": by_map(&|it| end(it.snr_interval, 0)),
        "snr_high": by_map(&|it| end(it.snr_interval, 1)),
        "significant_pixels": by_map(&|it| json!(it.significant)),
        "clusters": by_map(&|it| clusters(it.clusters.as_deref())),
        "trials_needed": by_map(&|it| json!(it.needed)),
        "regression_reliability": by_map(&|it| regressed(it, |own| json!(own.reliability))),
        "regression_axes": by_map(&|it| regressed(it, |own| json!(own.axes))),
        "fed_back": each(&|gamma| gamma.evidence_fed_back.iter().map(fed_back).collect()),
    }))
}

/// What is told of a map without the noise's smoothing; null where there is none.
fn regressed(map: &ImageEstimate, of: impl Fn(&Regression) -> Value) -> Value {
    map.regression.as_ref().map_or(Value::Null, of)
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
pub(super) fn clusters(found: Option<&[Cluster]>) -> Value {
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
