//! What noise gave away of networks with and without a backdoor.

use std::io::{self, Seek, Write};

use super::container::{Container, or_nan, whole};
use super::numbered;
use crate::session::config;
use crate::session::record::{Backdoor, Finding, Suspect, Window};

/// Writes the study, once it has begun. Of a network that has not been shown noise there are no trials, and
/// NaN in the place of numbers.
///
/// # Errors
/// Where it cannot be written.
pub fn write<W: Write + Seek>(
    nth: usize,
    plan: &config::Backdoor,
    it: &Backdoor,
    out: &mut Container<W>,
) -> io::Result<()> {
    if it.networks.is_empty() || it.progress.done == 0 {
        return Ok(());
    }
    let prefix = numbered("backdoor", nth);
    let name = |what: &str| format!("{prefix}_{what}");
    let networks = [("network", it.networks.len())];
    let each = |of: fn(&Suspect) -> f64| it.networks.iter().map(of);
    let poisoned = it.networks.iter().map(|own| i64::from(own.poisoned));
    out.array(&name("poisoned"), &networks, "", poisoned)?;
    let clean = each(|own| or_nan(own.clean_accuracy));
    out.array(&name("clean_accuracy"), &networks, "", clean)?;
    let success = each(|own| or_nan(own.attack_success));
    out.array(&name("attack_success"), &networks, "", success)?;
    let attacked = it.networks.iter().map(|own| whole(own.attacked));
    out.array(&name("attacked"), &networks, "images", attacked)?;
    let gammas = [("gamma", plan.gammas.len())];
    let strengths = plan.gammas.iter().copied();
    let unit = "signal strength, 0 to 1";
    out.array(&name("gamma"), &gammas, unit, strengths)?;
    let findings: Vec<Option<&Finding>> = it
        .networks
        .iter()
        .flat_map(|own| (0..plan.gammas.len()).map(move |gamma| own.findings.get(gamma)))
        .collect();
    let trials = findings
        .iter()
        .map(|it| whole(it.map_or(0, |it| it.trials)));
    let axes = [networks[0], gammas[0]];
    out.array(&name("trials"), &axes, "trials", trials)?;
    let done = findings.iter().flatten();
    let classes = done.map(|it| it.windows.len()).max().unwrap_or(0);
    let by_class: Vec<(Option<&Finding>, usize)> = findings
        .iter()
        .flat_map(|&it| (0..classes).map(move |class| (it, class)))
        .collect();
    let axes = [networks[0], gammas[0], ("class", classes)];
    let called = by_class.iter().map(|&(it, class)| {
        let called = it.and_then(|it| it.called.get(class));
        whole(called.copied().unwrap_or(0))
    });
    out.array(&name("called"), &axes, "trials", called)?;
    let windows: Vec<Option<&Window>> = by_class
        .iter()
        .map(|&(it, class)| it?.windows.get(class)?.as_ref())
        .collect();
    let scores = windows.iter().map(|it| or_nan(it.map(|it| it.score)));
    out.array(&name("score"), &axes, "mean z", scores)?;
    let indices = windows.iter().map(|it| or_nan(it.and_then(|it| it.index)));
    out.array(&name("index"), &axes, "", indices)?;
    let place = |it: &Option<&Window>| match it {
        Some(it) => [it.row, it.column, it.size].map(|at| at as f64),
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
