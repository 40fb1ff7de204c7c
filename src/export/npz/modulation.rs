//! The results of modulation: how stimuli are classified while the biases of a layer are pushed.

use std::io::{self, Seek, Write};

use super::container::Container;
use super::numbered;
use crate::ids::ClassId;
use crate::session::record::{ClassCounts, Modulation};

/// Writes a modulation that has begun.
///
/// # Errors
/// If it cannot be written.
pub fn write<W: Write + Seek>(
    nth: usize,
    modulation: &Modulation,
    out: &mut Container<W>,
) -> io::Result<()> {
    let Some(first) = modulation
        .layers
        .first()
        .filter(|_| modulation.progress.done > 0)
    else {
        return Ok(());
    };
    let prefix = numbered("modulation", nth);
    let name = |suffix: &str| format!("{prefix}_{suffix}");
    let (l, k) = (modulation.layers.len(), first.classes());
    let (s, g) = (modulation.strengths.len(), modulation.gammas.len());
    let layers: Vec<&str> = modulation
        .layers
        .iter()
        .map(|layer| layer.name.as_str())
        .collect();
    out.texts(&name("layer"), "layer", &layers)?;
    let alphas = modulation.layers.iter().map(|layer| layer.alpha);
    out.array(&name("alpha"), &[("layer", l)], "activation", alphas)?;
    let strengths = modulation.strengths.iter().copied();
    out.array(&name("strengths"), &[("strength", s)], "alphas", strengths)?;
    let gammas = modulation.gammas.iter().map(|gamma| gamma.0);
    let unit = "signal strength, 0 to 1";
    out.array(&name("gammas"), &[("gamma", g)], unit, gammas)?;
    let axes = [
        ("layer", l),
        ("target", k),
        ("strength", s),
        ("gamma", g),
        ("class", k),
    ];
    for (key, counts_of) in COUNTS {
        let mut counts = Vec::new();
        each_cell(modulation, |cells| {
            counts.extend_from_slice(counts_of(cells))
        });
        out.array(&name(key), &axes, "stimuli", counts)?;
    }
    let mut shares = Vec::new();
    each_cell(modulation, |cells| {
        let pairs = cells.correct.iter().zip(cells.shown);
        shares.extend(pairs.map(|(&correct, &shown)| match shown {
            0 => f64::NAN,
            shown => correct as f64 / shown as f64,
        }));
    });
    out.array(&name("accuracy"), &axes, "", shares)
}

/// Calls `visit` with the counts of every layer, target, strength and γ in turn.
fn each_cell(modulation: &Modulation, mut visit: impl FnMut(ClassCounts<'_>)) {
    for layer in &modulation.layers {
        for target in ClassId::all(layer.classes()) {
            for strength in 0..modulation.strengths.len() {
                for gamma_index in 0..modulation.gammas.len() {
                    visit(layer.class_counts(target, strength, gamma_index));
                }
            }
        }
    }
}

/// Extracts counts by class.
type Counts = fn(ClassCounts<'_>) -> &[i64];

const COUNTS: [(&str, Counts); 3] = [
    ("shown", |cells| cells.shown),
    ("correct", |cells| cells.correct),
    ("called", |cells| cells.called),
];
