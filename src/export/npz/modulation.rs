//! What stimuli were called with the biases of a layer pushed.

use std::io::{self, Seek, Write};

use super::container::Container;
use super::numbered;
use crate::session::record::{Cells, Modulation};

/// Writes it, once it has begun.
///
/// # Errors
/// Where it cannot be written.
pub fn write<W: Write + Seek>(
    nth: usize,
    it: &Modulation,
    out: &mut Container<W>,
) -> io::Result<()> {
    let Some(first) = it.layers.first().filter(|_| it.progress.done > 0) else {
        return Ok(());
    };
    let prefix = numbered("modulation", nth);
    let name = |what: &str| format!("{prefix}_{what}");
    let (l, k) = (it.layers.len(), first.classes());
    let (s, g) = (it.strengths.len(), it.gammas.len());
    let layers: Vec<&str> = it.layers.iter().map(|layer| layer.name.as_str()).collect();
    out.texts(&name("layer"), "layer", &layers)?;
    let alphas = it.layers.iter().map(|layer| layer.alpha);
    out.array(&name("alpha"), &[("layer", l)], "activation", alphas)?;
    let strengths = it.strengths.iter().copied();
    out.array(&name("strengths"), &[("strength", s)], "alphas", strengths)?;
    let gammas = it.gammas.iter().copied();
    let unit = "signal strength, 0 to 1";
    out.array(&name("gammas"), &[("gamma", g)], unit, gammas)?;
    let axes = [
        ("layer", l),
        ("target", k),
        ("strength", s),
        ("gamma", g),
        ("class", k),
    ];
    for (what, of) in COUNTS {
        let mut counts = Vec::new();
        each_cell(it, |cells| counts.extend_from_slice(of(cells)));
        out.array(&name(what), &axes, "stimuli", counts)?;
    }
    let mut shares = Vec::new();
    each_cell(it, |cells| {
        let pairs = cells.correct.iter().zip(cells.shown);
        shares.extend(pairs.map(|(&correct, &shown)| match shown {
            0 => f64::NAN,
            shown => correct as f64 / shown as f64,
        }));
    });
    out.array(&name("accuracy"), &axes, "", shares)
}

/// Hears of every layer, target, strength and γ in turn.
fn each_cell(it: &Modulation, mut hear: impl FnMut(Cells<'_>)) {
    for layer in &it.layers {
        for target in 0..layer.classes() {
            for strength in 0..it.strengths.len() {
                for gamma in 0..it.gammas.len() {
                    hear(layer.cells(target, strength, gamma));
                }
            }
        }
    }
}

/// Counts by class.
type Counts = fn(Cells<'_>) -> &[i64];

const COUNTS: [(&str, Counts); 3] = [
    ("shown", |cells| cells.shown),
    ("correct", |cells| cells.correct),
    ("called", |cells| cells.called),
];
