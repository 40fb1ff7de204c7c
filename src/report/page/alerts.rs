//! Warnings that a reader of the page must not miss.

use maud::{Markup, html};

use super::words::list;
use super::{Page, findings};
use crate::format::{clean, counted};
use crate::report::session_status::SessionStatus;

/// The warnings, before all chapters; empty if there are none.
pub(super) fn alerts(page: &Page<'_>) -> Markup {
    let mut all = Vec::new();
    all.extend(unfinished(page));
    all.extend(page.session.record.sharding.as_ref().map(|sharding| {
        format!(
            "The session is divided into {} not merged: this page shows the sum of what was done so far.",
            counted(u64::from(sharding.count), "shard that is", "shards that are")
        )
    }));
    let warned = findings::stage_findings(page.session)
        .into_iter()
        .filter(|finding| finding.warns);
    all.extend(warned.map(|finding| format!("{}. {}", finding.title, finding.lead)));
    let changes = page.session.record.inputs.len().saturating_sub(1);
    if changes > 0 {
        let times = counted(changes as u64, "time", "times");
        all.push(format!(
            "The user changed the images or weights {times} during the run."
        ));
    }
    html! {
        @if !all.is_empty() {
            div.alert role="note" aria-label="Warnings" {
                @for words in &all {
                    p { strong { "Warning. " } (words) }
                }
            }
        }
    }
}

/// A warning if the session is not complete.
fn unfinished(page: &Page<'_>) -> Option<String> {
    let stages = page.session.stages();
    let open: Vec<String> = stages
        .iter()
        .filter(|stage| !stage.finished)
        .map(|stage| stage.name.clone())
        .collect();
    let open = match open.is_empty() {
        true => String::new(),
        false => format!(" Not done: {}.", list(&open)),
    };
    match page.status {
        SessionStatus::Finished => None,
        SessionStatus::Failed(reason) => Some(format!("The run failed: {}.{open}", clean(reason))),
        standing => Some(format!(
            "The run is not finished ({}), so numbers here may change.{open}",
            standing.label()
        )),
    }
}
