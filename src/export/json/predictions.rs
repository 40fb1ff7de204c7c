//! The section `predictions`.

use serde_json::{Map, Value, json};

use super::share;
use crate::session::record::{Predictions, SplitCounts};
use crate::stats::share::Share;

pub(super) fn section(it: &Predictions) -> Value {
    let splits = it.splits.iter().filter(|split| split.total() > 0);
    let splits = splits.map(|split| (split.split.label().to_owned(), section_of(split)));
    Value::Object(splits.collect::<Map<_, _>>())
}

fn section_of(it: &SplitCounts) -> Value {
    let classes = it.classes();
    let by_class = |of: &dyn Fn(usize) -> Option<f64>| (0..classes).map(of).collect::<Vec<_>>();
    json!({
        "accuracy": share(Share { hits: it.correct(), of: it.total() }),
        "confusion": it.counts.chunks(classes.max(1)).collect::<Vec<_>>(),
        "precision": by_class(&|class| it.precision(class)),
        "recall": by_class(&|class| it.recall(class)),
    })
}
