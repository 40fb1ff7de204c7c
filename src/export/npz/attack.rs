//! The outcomes of an attack with blended stimuli, and the patterns that were blended in.

use std::io::{self, Seek, Write};

use super::container::{Container, or_nan};
use super::numbered;
use crate::ids::ClassId;
use crate::session::form::Form;
use crate::session::record::{Attack, Outcomes};

/// What patterns are blended with: images first, then noise.
const SOURCES: [&str; 2] = ["image", "noise"];

/// Writes an attack that has begun.
///
/// # Errors
/// If it cannot be written.
pub fn write<W: Write + Seek>(
    nth: usize,
    attack: &Attack,
    form: Option<&Form>,
    out: &mut Container<W>,
) -> io::Result<()> {
    let prefix = numbered("attack", nth);
    let name = |suffix: &str| format!("{prefix}_{suffix}");
    let (q, k, v) = (attack.kinds.len(), attack.classes(), attack.weights.len());
    out.array(
        &name("gamma"),
        &[],
        "signal strength, 0 to 1",
        [or_nan(attack.gamma.map(|gamma| gamma.0))],
    )?;
    if attack.evidence_gamma.is_some() {
        let gamma = [or_nan(attack.evidence_gamma.map(|gamma| gamma.0))];
        out.array(
            &name("evidence_gamma"),
            &[],
            "signal strength, 0 to 1",
            gamma,
        )?;
    }
    out.texts(&name("source"), "source", &SOURCES)?;
    let kinds: Vec<&str> = attack.kinds.iter().map(|kind| kind.key()).collect();
    out.texts(&name("pattern"), "pattern", &kinds)?;
    let weights = attack.weights.iter().copied();
    let unit = "share of the pattern, 0 to 1";
    out.array(&name("weights"), &[("weight", v)], unit, weights)?;
    let axes = [
        ("source", SOURCES.len()),
        ("pattern", q),
        ("target", k),
        ("weight", v),
    ];
    for (key, count) in NUMBERS {
        let mut numbers = Vec::with_capacity(SOURCES.len() * q * k * v);
        for source in 0..SOURCES.len() {
            for pattern in 0..q {
                for target in ClassId::all(k) {
                    let outcome = |weight| count(attack.outcomes(source, pattern, target, weight));
                    numbers.extend((0..v).map(outcome));
                }
            }
        }
        out.array(&name(key), &axes, "stimuli", numbers)?;
    }
    let Some(form) = form else {
        return Ok(());
    };
    let patterns = (0..q)
        .flat_map(|pattern| ClassId::all(k).map(move |target| attack.pattern(pattern, target)));
    let unit = "value of a pixel, 0 black to 1 white";
    out.maps(&name("images"), &axes[1..3], form.shape(), unit, patterns)
}

/// Extracts one number from the outcomes.
type Count = fn(Outcomes) -> i64;

/// The arrays of numbers by source, pattern, target and weight.
const NUMBERS: [(&str, Count); 4] = [
    ("of", |outcomes| outcomes.others),
    ("hits", |outcomes| outcomes.hits),
    ("shown", |outcomes| outcomes.all),
    ("correct", |outcomes| outcomes.correct),
];
