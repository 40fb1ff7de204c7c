//! Everything measured as one JSON object, without the maps: those are in the NPZ.
//!
//! A stage that has not run is absent; `notes` is there also where it is empty. A number that does not exist is `null`, never NaN or 0.
//! Classes count from 0, in the order of `form.classes`, which has their names; `form` is `null` until
//! images and network have been opened.

mod attack;
mod audit;
mod backdoor;
mod classification_images;
mod comparison;
mod modulation;
mod notes;
mod predictions;
mod spike_triggered;
mod templates;

use serde_json::{Map, Value, json};

pub use comparison::comparison;

use crate::report::status;
use crate::session::record::Training;
use crate::session::{Session, config, record};
use crate::stats::interval::wilson;
use crate::stats::share::Share;

/// The session as `export --format json` writes it.
pub fn json(session: &Session) -> Value {
    let mut all = Map::new();
    let mut put = |key: &str, value: Value| all.insert(key.into(), value);
    put("name", json!(session.name));
    put("version", json!(env!("CARGO_PKG_VERSION")));
    put("status", json!(status::label(&status::state(session))));
    put("device", json!(status::device(session)));
    put("elapsed_s", json!(session.record.elapsed_s));
    put("config", plan(session));
    put("inputs", json!(session.record.inputs));
    put("starts", json!(session.record.starts));
    put("form", json!(session.record.form));
    put("notes", left(session));
    if let Some(it) = &session.record.training {
        put("training", training(it));
    }
    sections(session, &mut all);
    Value::Object(all)
}

/// The plan, as the session's file has it.
pub(super) fn plan(session: &Session) -> Value {
    // Only a folder whose name is not Unicode has no JSON, and a session file cannot name one.
    serde_json::to_value(&session.config).unwrap_or_default()
}

/// What people left written.
pub(super) fn left(session: &Session) -> Value {
    notes::list(&session.record)
}

/// The sections of the analyses that have begun. The first of a kind has the key of its kind, the
/// second `KEY_2`, and so on.
fn sections(session: &Session, all: &mut Map<String, Value>) {
    let plans = session.config.analyses.iter();
    for (plan, record) in plans.zip(&session.record.analyses) {
        if record.progress(plan).0 == 0 {
            continue;
        }
        let Some(value) = section(session, plan, record) else {
            continue;
        };
        insert(all, plan.label().replace([' ', '-'], "_"), value);
        if let (
            config::Analysis::ClassificationImages(plan),
            record::Analysis::ClassificationImages(it),
        ) = (plan, record)
            && let Some(value) = classification_images::evidence(plan, it)
        {
            insert(all, "evidence".into(), value);
        }
    }
}

/// Puts a section under a key, or that with the next number where it is taken.
fn insert(all: &mut Map<String, Value>, key: String, value: Value) {
    let numbered = (2..).map(|n| format!("{key}_{n}"));
    let mut names = std::iter::once(key.clone()).chain(numbered);
    if let Some(name) = names.find(|name| !all.contains_key(name)) {
        all.insert(name, value);
    }
}

fn section(session: &Session, plan: &config::Analysis, record: &record::Analysis) -> Option<Value> {
    use config::Analysis as Plan;
    use record::Analysis as Own;
    match (plan, record) {
        (Plan::ClassificationImages(plan), Own::ClassificationImages(it)) => {
            Some(classification_images::section(plan, it))
        }
        (Plan::Templates(_), Own::Templates(it)) => templates::section(it),
        (Plan::Attack(_), Own::Attack(it)) => Some(attack::section(it)),
        (Plan::SpikeTriggered(plan), Own::SpikeTriggered(it)) => {
            Some(spike_triggered::section(plan, it))
        }
        (Plan::Modulation(_), Own::Modulation(it)) => Some(modulation::section(it)),
        (Plan::Backdoor(plan), Own::Backdoor(it)) => Some(backdoor::section(plan, it)),
        (Plan::Audit(plan), Own::Audit(it)) => {
            Some(audit::section(plan, it, session.config.network.kind))
        }
        (Plan::Predictions(_), Own::Predictions(it)) => Some(predictions::section(it)),
        _ => None,
    }
}

fn training(it: &Training) -> Value {
    json!({
        "epochs": it.epochs,
        "best_epoch": it.best_epoch,
        "test_accuracy": it.test_accuracy,
        "at_chance": it.at_chance,
        "parameters": it.parameters,
    })
}

/// A share with Wilson's 95 % interval; null without trials.
fn share(share: Share) -> Value {
    match wilson(share.hits, share.of) {
        Some(it) => json!({
            "accuracy": it.estimate,
            "low": it.low,
            "high": it.high,
            "correct": share.hits,
            "images": share.of,
        }),
        None => Value::Null,
    }
}

/// A share as a number; null without trials.
fn rate(share: Option<Share>) -> Value {
    json!(share.and_then(Share::rate))
}
