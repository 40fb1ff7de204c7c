//! The scores of an audit by class and network, and what was found pasted.

use std::io::{self, Seek, Write};

use super::container::{Container, or_nan, whole};
use super::numbered;
use crate::session::config;
use crate::session::record::{Audit, Pasted, Role};
use crate::stats::audit::{ClassScore, Window};

/// Row, column and side of a window.
const PLACE: (&str, usize) = ("row, column, side", 3);

/// Writes it, once it has begun; NaN where a class of a network has no score yet, or none at all.
///
/// # Errors
/// Where it cannot be written.
pub fn write<W: Write + Seek>(
    nth: usize,
    plan: &config::Audit,
    it: &Audit,
    out: &mut Container<W>,
) -> io::Result<()> {
    if it.networks.is_empty() || it.progress.done == 0 {
        return Ok(());
    }
    let prefix = numbered("audit", nth);
    let name = |what: &str| format!("{prefix}_{what}");
    let networks = [("network", it.networks.len())];
    let roles = it.networks.iter().map(|own| match own.role {
        Role::Reference => "reference",
        Role::Poisoned { .. } => "poisoned",
        Role::Suspect => "suspect",
    });
    let roles: Vec<&str> = roles.collect();
    out.texts(&name("role"), networks[0].0, &roles)?;
    let accuracy = it.networks.iter().map(|own| or_nan(own.accuracy));
    out.array(&name("accuracy"), &networks, "", accuracy)?;
    let success = it.networks.iter().map(|own| or_nan(own.attack_success));
    out.array(&name("attack_success"), &networks, "", success)?;
    let examined = || it.networks.iter().map(|own| own.examined.as_ref());
    let classes = examined().flatten().map(|own| own.classes.len());
    let classes = classes.max().unwrap_or(0);
    let scores: Vec<Option<ClassScore>> = examined()
        .flat_map(|own| (0..classes).map(move |class| *own?.classes.get(class)?))
        .collect();
    let axes = [networks[0], ("class", classes)];
    let score = scores.iter().map(|own| or_nan(own.map(|own| own.score)));
    out.array(&name("score"), &axes, "", score)?;
    let energy = scores.iter().map(|own| or_nan(own.map(|own| own.energy)));
    out.array(&name("energy"), &axes, "", energy)?;
    let windows = scores.iter().flat_map(|own| match own {
        Some(own) => pixels(own.window, plan.cell).map(|at| at as f64),
        None => [f64::NAN; 3],
    });
    let axes = [axes[0], axes[1], PLACE];
    out.array(&name("window"), &axes, "pixels", windows)?;
    if let Some(shape) = it.shape() {
        let maps = it.deviation.values();
        let maps = maps.chunks_exact(shape.iter().product::<usize>().max(1));
        let axes = [("class", maps.len())];
        let unit = "standard deviations of the references";
        out.maps(&name("deviation"), &axes, shape, unit, maps.map(Some))?;
    }
    match it.pasted.first() {
        Some(first) => pasted(&name("pasted"), it, plan, first.shown.len(), out),
        None => Ok(()),
    }
}

/// What was found, pasted on images of so many true classes.
fn pasted<W: Write + Seek>(
    prefix: &str,
    it: &Audit,
    plan: &config::Audit,
    classes: usize,
    out: &mut Container<W>,
) -> io::Result<()> {
    let name = |what: &str| format!("{prefix}_{what}");
    let found = [("finding", it.pasted.len())];
    let own = it.pasted.iter().map(|own| whole(own.class as u64));
    out.array(&name("class"), &found, "", own)?;
    let windows = it.pasted.iter();
    let windows = windows.flat_map(|own| pixels(own.window, plan.cell).map(|at| whole(at as u64)));
    out.array(&name("window"), &[found[0], PLACE], "pixels", windows)?;
    let axes = [found[0], ("true class", classes)];
    for (what, of) in COUNTS {
        let counts = it.pasted.iter().flat_map(of).map(|&count| whole(count));
        out.array(&name(what), &axes, "images", counts)?;
    }
    Ok(())
}

/// Images by true class.
type Counts = fn(&Pasted) -> &Vec<u64>;

const COUNTS: [(&str, Counts); 3] = [
    ("images", |own| &own.shown),
    ("called", |own| &own.called),
    ("called_without", |own| &own.before),
];

/// A window on the noise's grid, in pixels of the images.
fn pixels((row, column, side): Window, cell: usize) -> [usize; 3] {
    [row, column, side].map(|at| at * cell)
}
