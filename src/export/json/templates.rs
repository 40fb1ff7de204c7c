//! The section `templates`.

use serde_json::{Map, Value, json};

use super::share;
use crate::session::config::Response;
use crate::session::record::{GammaTemplates, Templates};

/// The scores at the headline γ, plus those at every γ; the same for evidence images under `evidence`. `None` before
/// the experiment has begun.
pub(super) fn section(templates: &Templates) -> Option<Value> {
    let for_response = |response: Response| {
        let mut all = scores(templates.headline(response)?);
        let gammas = templates
            .gammas
            .iter()
            .filter(|templates| templates.response == response);
        let by_gamma = gammas.map(|templates| Value::Object(scores(templates)));
        all.insert("by_gamma".into(), by_gamma.collect());
        Some(all)
    };
    let mut all = for_response(Response::Decision)?;
    if let Some(evidence) = for_response(Response::Evidence) {
        all.insert("evidence".into(), evidence.into());
    }
    Some(all.into())
}

fn scores(templates: &GammaTemplates) -> Map<String, Value> {
    let names = GammaTemplates::SCORES.iter().enumerate();
    let scores = names.map(|(score, name)| ((*name).to_owned(), share(templates.accuracy(score))));
    let facts = [
        ("gamma".to_owned(), json!(templates.gamma)),
        ("classes".to_owned(), json!(templates.classes)),
    ];
    facts.into_iter().chain(scores).collect()
}
