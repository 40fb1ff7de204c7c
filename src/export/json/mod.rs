//! All numbers measured in a session as one JSON object, without the maps, which are in the NPZ.
//!
//! A stage that has not run is absent, but `notes` is present even if empty. A missing number is `null`, never NaN or
//! 0. Classes count from 0, in the order of `form.classes`, which has their names; `form` is `null` until the images
//! and the network have been loaded.

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
use crate::session::record::TrainingRecord;
use crate::session::{Session, config, record};
use crate::stats::interval::wilson;
use crate::stats::share::Share;

/// The session as written by `export --format json`.
pub fn json(session: &Session) -> Value {
    let mut all = Map::new();
    let mut put = |key: &str, value: Value| all.insert(key.into(), value);
    put("name", json!(session.name));
    put("version", json!(env!("CARGO_PKG_VERSION")));
    put("status", json!(status::label(&status::state(session))));
    put("device", json!(status::device(session)));
    put("elapsed_s", json!(session.record.elapsed_s));
    put("config", plan_json(session));
    put("inputs", json!(session.record.inputs));
    put("starts", json!(session.record.starts));
    put("form", json!(session.record.form));
    put("notes", notes_json(session));
    if let Some(training_record) = &session.record.training {
        put("training", training(training_record));
    }
    sections(session, &mut all);
    Value::Object(all)
}

/// The plan, as in the session file.
pub(super) fn plan_json(session: &Session) -> Value {
    // Serialization fails only for a folder name that is not Unicode, and a session file cannot contain one.
    serde_json::to_value(&session.config).unwrap_or_default()
}

/// The notes on the session.
pub(super) fn notes_json(session: &Session) -> Value {
    notes::list(&session.record)
}

/// Adds the sections of the analyses that have begun. The first of a kind in the plan has the kind's name as its key, the
/// second `KEY_2`, and so on; evidence has the number of its classification images.
fn sections(session: &Session, all: &mut Map<String, Value>) {
    let plans = &session.config.analyses;
    for (index, (plan, record)) in plans.iter().zip(&session.record.analyses).enumerate() {
        if record.progress(plan).0 == 0 {
            continue;
        }
        let Some(value) = section(session, plan, record) else {
            continue;
        };
        let earlier = plans.iter().take(index);
        let nth = earlier
            .filter(|earlier| earlier.label() == plan.label())
            .count();
        all.insert(numbered(&plan.label().replace([' ', '-'], "_"), nth), value);
        if let (
            config::Analysis::ClassificationImages(plan),
            record::Analysis::ClassificationImages(images),
        ) = (plan, record)
            && let Some(value) = classification_images::evidence(plan, images)
        {
            all.insert(numbered("evidence", nth), value);
        }
    }
}

/// `attack`, `attack_2`, …
fn numbered(key: &str, nth: usize) -> String {
    match nth {
        0 => key.to_owned(),
        _ => format!("{key}_{}", nth + 1),
    }
}

fn section(session: &Session, plan: &config::Analysis, record: &record::Analysis) -> Option<Value> {
    use config::Analysis as Plan;
    use record::Analysis as Data;
    match (plan, record) {
        (Plan::ClassificationImages(plan), Data::ClassificationImages(data)) => {
            Some(classification_images::section(plan, data))
        }
        (Plan::Templates(_), Data::Templates(data)) => templates::section(data),
        (Plan::Attack(_), Data::Attack(data)) => Some(attack::section(data)),
        (Plan::SpikeTriggered(plan), Data::SpikeTriggered(data)) => {
            Some(spike_triggered::section(plan, data))
        }
        (Plan::Modulation(_), Data::Modulation(data)) => Some(modulation::section(data)),
        (Plan::Backdoor(plan), Data::Backdoor(data)) => Some(backdoor::section(plan, data)),
        (Plan::Audit(plan), Data::Audit(data)) => {
            Some(audit::section(plan, data, session.config.network.kind))
        }
        (Plan::Predictions(_), Data::Predictions(data)) => Some(predictions::section(data)),
        _ => None,
    }
}

fn training(training: &TrainingRecord) -> Value {
    json!({
        "epochs": training.epochs,
        "best_epoch": training.best_epoch,
        "test_accuracy": training.test_accuracy,
        "at_chance": training.at_chance,
        "parameters": training.parameters,
    })
}

/// A share with its 95 % Wilson interval; null without trials.
fn share(share: Share) -> Value {
    match wilson(share.hits, share.total) {
        Some(interval) => json!({
            "accuracy": interval.estimate,
            "low": interval.low,
            "high": interval.high,
            "correct": share.hits,
            "images": share.total,
        }),
        None => Value::Null,
    }
}

/// A share as a number; null without trials.
fn rate(share: Option<Share>) -> Value {
    json!(share.and_then(Share::rate))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::config::{Config, Response};
    use crate::session::record::{BlockEvidence, BlockSums, ClassificationImages, TrialKind};

    /// Classification images of two classes by these responses, with a block of four trials.
    fn images(responses: &[Response]) -> (config::Analysis, record::Analysis) {
        let plan = config::ClassificationImages {
            responses: responses.to_vec(),
            ..Default::default()
        };
        let kind = TrialKind::plain(2, [1, 2, 2]);
        let mut images = ClassificationImages::with_trials(&plan, &kind);
        let evidence = plan.has(Response::Evidence);
        if evidence {
            images.gammas[0].record_evidence(1.0, &kind);
        }
        images.gammas[0].add(&BlockSums {
            trials: 4,
            counts: vec![1; 4],
            evidence: evidence.then(|| BlockEvidence {
                shown: vec![2; 2],
                sums: vec![0; 4],
                squares: vec![0; 4],
                products: vec![0; 8],
                ..Default::default()
            }),
            ..Default::default()
        });
        (
            config::Analysis::ClassificationImages(plan),
            record::Analysis::ClassificationImages(images),
        )
    }

    #[test]
    fn evidence_has_the_number_of_its_classification_images() {
        let both = [images(&[Response::Decision]), images(&Response::ALL)];
        let (plans, records): (Vec<_>, Vec<_>) = both.into_iter().unzip();
        let mut session = Session::new(
            "mine",
            Config {
                analyses: plans,
                ..Config::default()
            },
        );
        session.record.analyses = records;
        let value = json(&session);
        assert!(value["evidence"].is_null(), "the first has none");
        assert_eq!(value["evidence_2"]["trials"][0], 4);
        assert_eq!(value["classification_images_2"]["trials"][0], 4);
        // The first has not begun: the second keeps its number.
        session.record.analyses[0] =
            record::Analysis::ClassificationImages(ClassificationImages::default());
        let value = json(&session);
        assert!(value["classification_images"].is_null());
        assert_eq!(value["classification_images_2"]["trials"][0], 4);
    }
}
