//! The scores of an audit by class and network, and the results of pasting its findings.

use std::io::{self, Seek, Write};

use super::container::{Container, or_nan, to_i64};
use super::numbered;
use crate::session::config;
use crate::session::record::{Audit, AuditRole, PastedFinding};
use crate::stats::audit::{ClassScore, SquareWindow};

/// An axis for the row, column and side of a window.
const PLACE: (&str, usize) = ("row, column, side", 3);

/// Writes an audit that has begun; NaN where a class of a network has no score, or none yet.
///
/// # Errors
/// If it cannot be written.
pub fn write<W: Write + Seek>(
    nth: usize,
    plan: &config::Audit,
    audit: &Audit,
    out: &mut Container<W>,
) -> io::Result<()> {
    if audit.networks.is_empty() || audit.progress.done == 0 {
        return Ok(());
    }
    let prefix = numbered("audit", nth);
    let name = |suffix: &str| format!("{prefix}_{suffix}");
    let networks = [("network", audit.networks.len())];
    let roles = audit.networks.iter().map(|network| match network.role {
        AuditRole::Reference => "reference",
        AuditRole::Poisoned { .. } => "poisoned",
        AuditRole::Suspect => "suspect",
    });
    let roles: Vec<&str> = roles.collect();
    out.texts(&name("role"), networks[0].0, &roles)?;
    let accuracy = audit
        .networks
        .iter()
        .map(|network| or_nan(network.accuracy));
    out.array(&name("accuracy"), &networks, "", accuracy)?;
    let success = audit
        .networks
        .iter()
        .map(|network| or_nan(network.attack_success));
    out.array(&name("attack_success"), &networks, "", success)?;
    let examined = || {
        audit
            .networks
            .iter()
            .map(|network| network.examined.as_ref())
    };
    let classes = examined().flatten().map(|examined| examined.classes.len());
    let classes = classes.max().unwrap_or(0);
    let scores: Vec<Option<ClassScore>> = examined()
        .flat_map(|examined| (0..classes).map(move |class| *examined?.classes.get(class)?))
        .collect();
    let axes = [networks[0], ("class", classes)];
    let score = scores
        .iter()
        .map(|score| or_nan(score.map(|score| score.score)));
    out.array(&name("score"), &axes, "", score)?;
    let energy = scores
        .iter()
        .map(|score| or_nan(score.map(|score| score.energy)));
    out.array(&name("energy"), &axes, "", energy)?;
    let windows = scores.iter().flat_map(|score| match score {
        Some(score) => pixels(score.window, plan.cell).map(|value| value as f64),
        None => [f64::NAN; 3],
    });
    let axes = [axes[0], axes[1], PLACE];
    out.array(&name("window"), &axes, "pixels", windows)?;
    if let Some(shape) = audit.shape() {
        let maps = audit.deviation.values();
        let maps = maps.chunks_exact(shape.iter().product::<usize>().max(1));
        let axes = [("class", maps.len())];
        let unit = "standard deviations of the references";
        out.maps(&name("deviation"), &axes, shape, unit, maps.map(Some))?;
    }
    match audit.pasted.first() {
        Some(first) => pasted(&name("pasted"), audit, plan, first.shown.len(), out),
        None => Ok(()),
    }
}

/// Writes the counts for findings pasted on images, by the images' true class.
fn pasted<W: Write + Seek>(
    prefix: &str,
    audit: &Audit,
    plan: &config::Audit,
    classes: usize,
    out: &mut Container<W>,
) -> io::Result<()> {
    let name = |suffix: &str| format!("{prefix}_{suffix}");
    let found = [("finding", audit.pasted.len())];
    let class_numbers = audit
        .pasted
        .iter()
        .map(|finding| to_i64(finding.class.0 as u64));
    out.array(&name("class"), &found, "", class_numbers)?;
    let windows = audit.pasted.iter();
    let windows = windows
        .flat_map(|finding| pixels(finding.window, plan.cell).map(|value| to_i64(value as u64)));
    out.array(&name("window"), &[found[0], PLACE], "pixels", windows)?;
    let axes = [found[0], ("true class", classes)];
    for (key, counts_of) in COUNTS {
        let counts = audit
            .pasted
            .iter()
            .flat_map(counts_of)
            .map(|&count| to_i64(count));
        out.array(&name(key), &axes, "images", counts)?;
    }
    Ok(())
}

/// Extracts counts of images by true class.
type Counts = fn(&PastedFinding) -> &Vec<u64>;

const COUNTS: [(&str, Counts); 3] = [
    ("images", |pasted| &pasted.shown),
    ("called", |pasted| &pasted.called),
    ("called_without", |pasted| &pasted.before),
];

/// Converts a window on the noise grid to image pixels.
fn pixels((row, column, side): SquareWindow, cell: usize) -> [usize; 3] {
    [row, column, side].map(|value| value * cell)
}
