//! The events of a run's report, one per line. In JSON, each is an object with `"event"` and `"t"`.

use serde::{Serialize, Serializer};
use strum::IntoStaticStr;

use crate::ids::Gamma;
use crate::session::Form;

/// An event and its time.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Seconds since the report began.
    pub t: f64,
    /// The event.
    pub kind: EventKind,
}

/// An event. Its fields are those of the JSON line, in which `None` is `null`.
#[derive(Debug, Clone, PartialEq, Serialize, IntoStaticStr)]
#[serde(untagged)]
#[strum(serialize_all = "lowercase")]
pub enum EventKind {
    /// The engine is ready to work.
    Started(StartEvent),
    /// An epoch of training has ended.
    Epoch(EpochEvent),
    /// Progress of a stage.
    Progress(ProgressEvent),
    /// The session file was written.
    Checkpoint {
        /// The file.
        path: String,
        /// Its size.
        bytes: u64,
    },
    /// A stage, or one γ of it, is done.
    Result(StageResult),
    /// A problem that the user should look at; the run continues.
    Warning {
        /// The problem and a remedy.
        message: String,
    },
    /// A remark about images or network. Reported in plain style only.
    Note {
        /// The remark.
        message: String,
    },
    /// The user paused the run. Reported in plain style only.
    Paused,
    /// The run continues after a pause. Reported in plain style only.
    Continued,
    /// The run ended before the plan was done; it can be resumed.
    Stopped {
        /// How to resume.
        message: String,
    },
    /// Everything in the plan is done.
    Finished {
        /// How to view the results.
        message: String,
    },
    /// The run failed.
    Failed {
        /// The reason.
        message: String,
    },
}

/// The run that is about to start.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StartEvent {
    /// The session.
    pub name: String,
    /// The device as shown to the user.
    pub device: Option<String>,
    /// The architecture: `cnn`.
    pub network: &'static str,
    /// Its trainable parameters.
    pub parameters: Option<usize>,
    /// The data set: `MNIST`.
    pub dataset: String,
    /// Where the images came from: `embedded`, `full set`, or a folder.
    pub images: Option<String>,
    /// Image shape and class names; lists with one entry per class are in this order.
    pub form: Option<Form>,
    /// Estimated memory for the plan, in bytes.
    pub memory: Option<u64>,
    /// The seed of everything random.
    pub seed: u64,
}

/// An epoch of training.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct EpochEvent {
    /// From 1.
    pub epoch: usize,
    /// Mean cross-entropy over the epoch's training images, in nats.
    pub train_loss: f64,
    /// Share of them classified correctly.
    pub train_accuracy: f64,
    /// Mean cross-entropy over the held-out images, in nats.
    pub valid_loss: f64,
    /// Share of them classified correctly.
    pub valid_accuracy: f64,
    /// Learning rate of the last batch.
    pub lr: f64,
    /// Maximum number of epochs; for the plain line.
    #[serde(skip)]
    pub of: Option<usize>,
    /// Images per second; for the plain line.
    #[serde(skip)]
    pub per_second: Option<f64>,
}

/// Progress of a stage.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ProgressEvent {
    /// The stage by its key in the JSON export: `classification_images`.
    #[serde(serialize_with = "key")]
    pub stage: String,
    /// Epochs or trials done.
    pub done: u64,
    /// Maximum number.
    pub total: u64,
    /// Images or trials per second.
    pub per_second: Option<f64>,
    /// Seconds until the stage is done.
    pub eta_s: Option<f64>,
    /// The unit counted; for the plain line.
    #[serde(skip)]
    pub unit: String,
}

/// The result of a stage.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "stage", rename_all = "snake_case")]
pub enum StageResult {
    /// The network is trained.
    Training {
        /// Share of test images classified correctly, with the best epoch's weights.
        test_accuracy: Option<f64>,
        /// Whether that is no better than chance.
        at_chance: bool,
        /// The epoch whose weights are kept, from 1.
        best_epoch: Option<usize>,
        /// Trainable parameters.
        parameters: usize,
    },
    /// All trials of one γ are done. Each list has one entry per class.
    ClassificationImages {
        /// Signal strength.
        gamma: Gamma,
        /// Trials done.
        trials: u64,
        /// Trials that the network called this class.
        predicted: Vec<u64>,
        /// Whether there were enough trials for an image.
        sufficient: Vec<bool>,
        /// Split-half reliability of the image, if there is one.
        reliability: Vec<Option<f64>>,
        /// The same for the evidence image; absent if outputs are not recorded.
        #[serde(skip_serializing_if = "Option::is_none")]
        evidence_reliability: Option<Vec<Option<f64>>>,
        /// Number of classes that the plan has maps of; for the plain line.
        #[serde(skip)]
        listed: usize,
        /// Each class's name for sentences; for the plain line.
        #[serde(skip)]
        names: Vec<String>,
    },
    /// Any other experiment is done.
    #[serde(untagged)]
    Analysis {
        /// The stage by its key in the JSON export: `spike_triggered`.
        #[serde(serialize_with = "key")]
        stage: String,
        /// The result, in words.
        summary: Vec<String>,
    },
}

impl EventKind {
    /// The value of `"event"`.
    pub fn name(&self) -> &'static str {
        self.into()
    }
}

impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Line<'a> {
            event: &'static str,
            t: f64,
            #[serde(flatten)]
            what: &'a EventKind,
        }
        Line {
            event: self.kind.name(),
            t: (self.t * 1000.0).round() / 1000.0,
            what: &self.kind,
        }
        .serialize(serializer)
    }
}

/// A stage's name as a key: `classification images` becomes `classification_images`.
fn key<S: Serializer>(stage: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&stage.replace([' ', '-'], "_"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn object(what: EventKind) -> Value {
        serde_json::to_value(Event {
            t: 1.234_56,
            kind: what,
        })
        .unwrap()
    }

    #[test]
    fn a_line_begins_with_the_event_and_its_time() {
        let what = EventKind::Warning {
            message: "the disk is full".into(),
        };
        let line = serde_json::to_string(&Event {
            t: 1.234_56,
            kind: what,
        })
        .unwrap();
        assert_eq!(
            line,
            r#"{"event":"warning","t":1.235,"message":"the disk is full"}"#
        );
    }

    #[test]
    fn an_event_without_fields_is_an_object_too() {
        assert_eq!(
            object(EventKind::Paused),
            json!({"event": "paused", "t": 1.235})
        );
    }

    #[test]
    fn an_epoch_has_the_promised_fields_and_no_others() {
        let epoch = EpochEvent {
            epoch: 3,
            train_loss: 0.5,
            train_accuracy: 0.75,
            valid_loss: 0.25,
            valid_accuracy: 0.875,
            lr: 0.001,
            of: Some(10),
            per_second: Some(2900.0),
        };
        assert_eq!(
            object(EventKind::Epoch(epoch)),
            json!({"event": "epoch", "t": 1.235, "epoch": 3, "train_loss": 0.5,
                "train_accuracy": 0.75, "valid_loss": 0.25, "valid_accuracy": 0.875, "lr": 0.001})
        );
    }

    #[test]
    fn unknown_values_are_null() {
        let progress = ProgressEvent {
            stage: "classification images".into(),
            done: 256,
            total: 1000,
            per_second: None,
            eta_s: None,
            unit: "trials".into(),
        };
        assert_eq!(
            object(EventKind::Progress(progress)),
            json!({"event": "progress", "t": 1.235, "stage": "classification_images",
                "done": 256, "total": 1000, "per_second": null, "eta_s": null})
        );
        let result = StageResult::ClassificationImages {
            gamma: Gamma(0.25),
            trials: 3,
            predicted: vec![3, 0],
            sufficient: vec![true, false],
            reliability: vec![Some(0.5), None],
            evidence_reliability: Some(vec![Some(0.75), None]),
            listed: 2,
            names: vec!["class 0".into(), "Dress".into()],
        };
        assert_eq!(
            object(EventKind::Result(result)),
            json!({"event": "result", "t": 1.235, "stage": "classification_images",
                "gamma": 0.25, "trials": 3, "predicted": [3, 0], "sufficient": [true, false],
                "reliability": [0.5, null], "evidence_reliability": [0.75, null]})
        );
    }
}
