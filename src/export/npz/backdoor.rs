//! The results of a backdoor study: what noise reveals about networks with and without a backdoor.

use std::io::{self, Seek, Write};

use super::container::{Container, or_nan, to_i64};
use super::numbered;
use crate::ids::ClassId;
use crate::session::config;
use crate::session::record::{Backdoor, Finding, ScoredWindow, Suspect};

/// Writes a study that has begun. A network that has not been shown noise has no trials, and NaN in place of numbers.
///
/// # Errors
/// If it cannot be written.
pub fn write<W: Write + Seek>(
    nth: usize,
    plan: &config::Backdoor,
    study: &Backdoor,
    out: &mut Container<W>,
) -> io::Result<()> {
    if study.networks.is_empty() || study.progress.done == 0 {
        return Ok(());
    }
    let prefix = numbered("backdoor", nth);
    let name = |suffix: &str| format!("{prefix}_{suffix}");
    let networks = [("network", study.networks.len())];
    let each = |value: fn(&Suspect) -> f64| study.networks.iter().map(value);
    let poisoned = study
        .networks
        .iter()
        .map(|network| i64::from(network.poisoned));
    out.array(&name("poisoned"), &networks, "", poisoned)?;
    let clean = each(|network| or_nan(network.clean_accuracy));
    out.array(&name("clean_accuracy"), &networks, "", clean)?;
    let success = each(|network| or_nan(network.attack_success));
    out.array(&name("attack_success"), &networks, "", success)?;
    let attacked = study
        .networks
        .iter()
        .map(|network| to_i64(network.attacked));
    out.array(&name("attacked"), &networks, "images", attacked)?;
    let gammas = [("gamma", plan.gammas.len())];
    let strengths = plan.gammas.iter().map(|gamma| gamma.0);
    let unit = "signal strength, 0 to 1";
    out.array(&name("gamma"), &gammas, unit, strengths)?;
    let findings: Vec<Option<&Finding>> = study
        .networks
        .iter()
        .flat_map(|network| {
            (0..plan.gammas.len()).map(move |gamma_index| network.findings.get(gamma_index))
        })
        .collect();
    let trials = findings
        .iter()
        .map(|finding| to_i64(finding.map_or(0, |finding| finding.trials)));
    let axes = [networks[0], gammas[0]];
    out.array(&name("trials"), &axes, "trials", trials)?;
    let done = findings.iter().flatten();
    let classes = done.map(|finding| finding.windows.len()).max().unwrap_or(0);
    let by_class: Vec<(Option<&Finding>, ClassId)> = findings
        .iter()
        .flat_map(|&finding| ClassId::all(classes).map(move |class| (finding, class)))
        .collect();
    let axes = [networks[0], gammas[0], ("class", classes)];
    let called = by_class.iter().map(|&(finding, class)| {
        let called = finding.and_then(|finding| finding.called.get(class.0));
        to_i64(called.copied().unwrap_or(0))
    });
    out.array(&name("called"), &axes, "trials", called)?;
    let windows: Vec<Option<&ScoredWindow>> = by_class
        .iter()
        .map(|&(finding, class)| finding?.windows.get(class.0)?.as_ref())
        .collect();
    let scores = windows
        .iter()
        .map(|window| or_nan(window.map(|window| window.score)));
    out.array(&name("score"), &axes, "mean z", scores)?;
    let indices = windows
        .iter()
        .map(|window| or_nan(window.and_then(|window| window.index)));
    out.array(&name("index"), &axes, "", indices)?;
    let place = |window: &Option<&ScoredWindow>| match window {
        Some(window) => [window.row, window.column, window.size].map(|value| value as f64),
        None => [f64::NAN; 3],
    };
    let axes = [axes[0], axes[1], axes[2], ("row, column, side", 3)];
    out.array(
        &name("window"),
        &axes,
        "pixels",
        windows.iter().flat_map(place),
    )
}
