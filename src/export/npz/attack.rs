//! What became of blended stimuli, and what was blended in.

use std::io::{self, Seek, Write};

use super::container::{Container, or_nan};
use super::numbered;
use crate::session::form::Form;
use crate::session::record::{Attack, Outcomes};

/// Of these the first are blended with images, the others with noise.
const SOURCES: [&str; 2] = ["image", "noise"];

/// Writes an attack that has begun.
///
/// # Errors
/// Where it cannot be written.
pub fn write<W: Write + Seek>(
    nth: usize,
    it: &Attack,
    form: Option<&Form>,
    out: &mut Container<W>,
) -> io::Result<()> {
    let prefix = numbered("attack", nth);
    let name = |what: &str| format!("{prefix}_{what}");
    let (q, k, v) = (it.kinds.len(), it.classes(), it.weights.len());
    out.array(
        &name("gamma"),
        &[],
        "signal strength, 0 to 1",
        [or_nan(it.gamma)],
    )?;
    if it.evidence_gamma.is_some() {
        let gamma = [or_nan(it.evidence_gamma)];
        out.array(
            &name("evidence_gamma"),
            &[],
            "signal strength, 0 to 1",
            gamma,
        )?;
    }
    out.texts(&name("source"), "source", &SOURCES)?;
    let kinds: Vec<&str> = it.kinds.iter().map(|kind| kind.key()).collect();
    out.texts(&name("pattern"), "pattern", &kinds)?;
    let weights = it.weights.iter().copied();
    let unit = "share of the pattern, 0 to 1";
    out.array(&name("weights"), &[("weight", v)], unit, weights)?;
    let axes = [
        ("source", SOURCES.len()),
        ("pattern", q),
        ("target", k),
        ("weight", v),
    ];
    for (what, of) in NUMBERS {
        let mut numbers = Vec::with_capacity(SOURCES.len() * q * k * v);
        for source in 0..SOURCES.len() {
            for pattern in 0..q {
                for target in 0..k {
                    let own = |weight| of(it.outcomes(source, pattern, target, weight));
                    numbers.extend((0..v).map(own));
                }
            }
        }
        out.array(&name(what), &axes, "stimuli", numbers)?;
    }
    let Some(form) = form else {
        return Ok(());
    };
    let patterns = (0..q).flat_map(|pattern| (0..k).map(move |target| it.pattern(pattern, target)));
    let unit = "value of a pixel, 0 black to 1 white";
    out.maps(&name("images"), &axes[1..3], form.shape(), unit, patterns)
}

/// A number of outcomes.
type Count = fn(Outcomes) -> i64;

/// What is told of the stimuli of a source, pattern, target and weight.
const NUMBERS: [(&str, Count); 4] = [
    ("of", |it| it.others),
    ("hits", |it| it.hits),
    ("shown", |it| it.all),
    ("correct", |it| it.correct),
];
