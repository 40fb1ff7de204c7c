//! The section `templates`.

use serde_json::{Map, Value, json};

use super::share;
use crate::session::config::Response;
use crate::session::record::{GammaTemplates, Templates};

/// The scores of the headline γ, and beside them those of every γ; the same of evidence images under
/// `evidence`. `None` before it has begun.
pub(super) fn section(it: &Templates) -> Option<Value> {
    let of = |response: Response| {
        let mut all = scores(it.headline(response)?);
        let own = it.gammas.iter().filter(|it| it.response == response);
        let by_gamma = own.map(|it| Value::Object(scores(it)));
        all.insert("by_gamma".into(), by_gamma.collect());
        Some(all)
    };
    let mut all = of(Response::Decision)?;
    if let Some(evidence) = of(Response::Evidence) {
        all.insert("evidence".into(), evidence.into());
    }
    Some(all.into())
}

fn scores(it: &GammaTemplates) -> Map<String, Value> {
    let names = GammaTemplates::SCORES.iter().enumerate();
    let scores = names.map(|(score, name)| ((*name).to_owned(), share(it.accuracy(score))));
    let facts = [
        ("gamma".to_owned(), json!(it.gamma)),
        ("classes".to_owned(), json!(it.classes)),
    ];
    facts.into_iter().chain(scores).collect()
}
