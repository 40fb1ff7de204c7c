//! The section `classification_images`. A class whose maps are not in the plan is not `listed`.

use serde_json::{Value, json};

use crate::session::config;
use crate::session::record::{ClassificationImages, EvidenceRecord, FedBack, GammaTrials};
use crate::stats::classification::{ClassEstimate, ImageEstimate};
use crate::stats::cluster::Cluster;
use crate::stats::regression::Regression;

pub(super) fn section(plan: &config::ClassificationImages, images: &ClassificationImages) -> Value {
    let each =
        |value: &dyn Fn(&GammaTrials) -> Value| images.gammas.iter().map(value).collect::<Value>();
    let by_class = |value: &dyn Fn(&ClassEstimate) -> Value| {
        each(&|trials| trials.estimate().classes.iter().map(value).collect())
    };
    let by_map = |value: &dyn Fn(&ImageEstimate) -> Value| {
        by_class(&|class| class.decision.as_ref().map_or(Value::Null, value))
    };
    let end = |ends: Option<[f64; 2]>, side: usize| json!(ends.map(|ends| ends[side]));
    json!({
        "noise": plan.noise.label(),
        "smoothed_by_noise": !plan.noise.is_white(),
        "weighting": plan.weighting.label(),
        "gammas": each(&|trials| json!(trials.gamma)),
        "trials": each(&|trials| json!(trials.trials)),
        "counts": each(&counts),
        "listed": by_class(&|class| json!(class.listed)),
        "sufficient": by_class(&|class| json!(class.decision.is_some())),
        "reliability": by_map(&|estimate| json!(estimate.reliability)),
        "reliability_low": by_map(&|estimate| end(estimate.reliability_interval, 0)),
        "reliability_high": by_map(&|estimate| end(estimate.reliability_interval, 1)),
        "snr": by_map(&|estimate| json!(estimate.snr)),
        "significant_pixels": by_map(&|estimate| json!(estimate.significant)),
        "clusters": by_map(&|estimate| clusters(estimate.clusters.as_deref())),
        "trials_needed": by_map(&|estimate| json!(estimate.needed)),
        "regression_reliability": by_map(&|estimate| regressed(estimate, |regression| json!(regression.reliability))),
        "regression_axes": by_map(&|estimate| regressed(estimate, |regression| json!(regression.axes))),
        "dropped": each(&|trials| json!(trials.dropped)),
        "reached_target": each(&|trials| json!(trials.reached)),
        "fed_back": each(&|trials| trials.fed_back.iter().map(fed_back).collect()),
    })
}

/// The section `evidence`: the same for evidence images; `None` if the plan asks for none.
pub(super) fn evidence(
    plan: &config::ClassificationImages,
    images: &ClassificationImages,
) -> Option<Value> {
    if !images.has_evidence() {
        return None;
    }
    let each =
        |value: &dyn Fn(&GammaTrials) -> Value| images.gammas.iter().map(value).collect::<Value>();
    let by_class = |value: &dyn Fn(&ClassEstimate) -> Value| {
        each(&|trials| trials.estimate().classes.iter().map(value).collect())
    };
    let by_map = |value: &dyn Fn(&ImageEstimate) -> Value| {
        by_class(&|class| class.evidence.as_ref().map_or(Value::Null, value))
    };
    let end = |ends: Option<[f64; 2]>, side: usize| json!(ends.map(|ends| ends[side]));
    let kept = |value: &dyn Fn(&EvidenceRecord) -> Value| {
        each(&|trials| trials.evidence.as_ref().map_or(Value::Null, value))
    };
    Some(json!({
        "response": plan.evidence.key(),
        "unit": plan.evidence.image_unit(),
        "gammas": each(&|trials| json!(trials.gamma)),
        "trials": each(&|trials| json!(trials.trials)),
        "step": kept(&|evidence| json!(evidence.step)),
        "clipped": kept(&|evidence| json!(evidence.clipped)),
        "sufficient": by_class(&|class| json!(class.evidence.is_some())),
        "mean": by_class(&|class| json!(class.response.map(|mean_and_deviation| mean_and_deviation[0]))),
        "deviation": by_class(&|class| json!(class.response.map(|mean_and_deviation| mean_and_deviation[1]))),
        "reliability": by_map(&|estimate| json!(estimate.reliability)),
        "reliability_low": by_map(&|estimate| end(estimate.reliability_interval, 0)),
        "reliability_high": by_map(&|estimate| end(estimate.reliability_interval, 1)),
        "snr": by_map(&|estimate| json!(estimate.snr)),
        "snr_low": by_map(&|estimate| end(estimate.snr_interval, 0)),
        "snr_high": by_map(&|estimate| end(estimate.snr_interval, 1)),
        "significant_pixels": by_map(&|estimate| json!(estimate.significant)),
        "clusters": by_map(&|estimate| clusters(estimate.clusters.as_deref())),
        "trials_needed": by_map(&|estimate| json!(estimate.needed)),
        "regression_reliability": by_map(&|estimate| regressed(estimate, |regression| json!(regression.reliability))),
        "regression_axes": by_map(&|estimate| regressed(estimate, |regression| json!(regression.axes))),
        "fed_back": each(&|trials| trials.evidence_fed_back.iter().map(fed_back).collect()),
    }))
}

/// A value of the regression without the noise's smoothing; null if there is none.
fn regressed(map: &ImageEstimate, value: impl Fn(&Regression) -> Value) -> Value {
    map.regression.as_ref().map_or(Value::Null, value)
}

/// Numbers of trials by true and predicted class.
fn counts(trials: &GammaTrials) -> Value {
    let estimate = trials.estimate();
    let rows = estimate.counts.chunks(trials.classes().max(1));
    rows.map(|row| json!(row)).collect()
}

fn fed_back(fed_back: &Option<FedBack>) -> Value {
    match fed_back {
        Some(fed_back) => json!({ "class": fed_back.class, "confidence": fed_back.confidence }),
        None => Value::Null,
    }
}

/// Significant clusters of the smoothed map, most significant first; null if there is no map.
pub(super) fn clusters(found: Option<&[Cluster]>) -> Value {
    let cluster = |cluster: &Cluster| {
        json!({
            "channel": cluster.channel,
            "row": cluster.row,
            "column": cluster.column,
            "peak": cluster.peak,
            "pixels": cluster.pixels.len(),
            "p": cluster.p,
        })
    };
    json!(found.map(|found| found.iter().map(cluster).collect::<Vec<Value>>()))
}
