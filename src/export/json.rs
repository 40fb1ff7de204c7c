//! Everything measured as one JSON object, without the maps: those are in the NPZ.
//!
//! A stage that has not run is absent. A number that does not exist is `null`, never NaN or 0.

use serde_json::{Map, Value, json};

use crate::report::status;
use crate::session::config::Analysis;
use crate::session::record::{ClassificationImages, FedBack, GammaTrials, Training};
use crate::session::{Config, Session};
use crate::stats::classification::ClassEstimate;

/// The session as `export --format json` writes it.
pub fn json(session: &Session) -> Value {
    let mut all = Map::new();
    let mut put = |key: &str, value: Value| all.insert(key.into(), value);
    put("name", json!(session.name));
    put("version", json!(env!("CARGO_PKG_VERSION")));
    put("status", json!(status::label(&status::state(session))));
    put("device", json!(status::device(session)));
    put("elapsed_s", json!(session.record.elapsed_s));
    // Only a folder whose name is not Unicode has no JSON, and a session file cannot name one.
    let config = serde_json::to_value(&session.config);
    put("config", config.unwrap_or_default());
    if let Some(it) = &session.record.training {
        put("training", training(it));
    }
    if let Some(it) = measured(session) {
        put("classification_images", images(&session.config, it));
    }
    Value::Object(all)
}

/// The classification images of the session, where there has been a trial.
pub(super) fn measured(session: &Session) -> Option<&ClassificationImages> {
    let images = session.record.classification_images();
    images.filter(|it| it.trials() > 0)
}

fn training(it: &Training) -> Value {
    json!({
        "epochs": it.epochs,
        "best_epoch": it.best_epoch,
        "test_accuracy": it.test_accuracy,
        "parameters": it.parameters,
    })
}

fn images(config: &Config, it: &ClassificationImages) -> Value {
    let noise = config.analyses.iter().find_map(|analysis| match analysis {
        Analysis::ClassificationImages(it) => Some(it.noise.label()),
        _ => None,
    });
    let each = |of: &dyn Fn(&GammaTrials) -> Value| it.gammas.iter().map(of).collect::<Value>();
    let by_class = |of: &dyn Fn(&ClassEstimate) -> Value| {
        each(&|gamma| gamma.estimate().classes.iter().map(of).collect())
    };
    json!({
        "noise": noise,
        "gammas": each(&|gamma| json!(gamma.gamma)),
        "trials": each(&|gamma| json!(gamma.trials)),
        "counts": each(&counts),
        "sufficient": by_class(&|class| json!(class.sufficient)),
        "reliability": by_class(&|class| json!(class.reliability)),
        "snr": by_class(&|class| json!(class.snr)),
        "significant_pixels": by_class(&|class| json!(class.significant)),
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
