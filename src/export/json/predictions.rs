//! The section `predictions`.

use serde_json::{Map, Value, json};

use super::share;
use crate::ids::ClassId;
use crate::session::record::{Predictions, SplitCounts};
use crate::stats::share::Share;

pub(super) fn section(predictions: &Predictions) -> Value {
    let splits = predictions.splits.iter().filter(|split| split.total() > 0);
    let splits = splits.map(|split| (split.split.label().to_owned(), section_of(split)));
    Value::Object(splits.collect::<Map<_, _>>())
}

fn section_of(split: &SplitCounts) -> Value {
    let classes = split.classes();
    let by_class = |value: &dyn Fn(ClassId) -> Option<f64>| {
        ClassId::all(classes).map(value).collect::<Vec<_>>()
    };
    json!({
        "accuracy": share(Share { hits: split.correct(), total: split.total() }),
        "confusion": split.counts.chunks(classes.max(1)).collect::<Vec<_>>(),
        "precision": by_class(&|class| split.precision(class)),
        "recall": by_class(&|class| split.recall(class)),
    })
}
