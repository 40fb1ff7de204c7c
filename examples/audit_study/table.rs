//! The networks in a folder, compared.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::Path;

use noisescope::stats::anomaly::{anomaly_indices, strongest_window};
use noisescope::stats::audit::{
    Examined, Images, Null, Population, SIDES, Verdict, is_on, leave_one_out, verdict,
};
use noisescope::stats::roc::roc;

use super::attacks::Attack;
use super::kept::{Kept, Maps};
use super::{GAMMAS, TRIALS};

const SHAPE: [usize; 3] = [1, 28, 28];

/// Which images are compared.
type Look = fn(&Maps) -> &Images;

/// Prints how well every family of attacks on networks of a kind is told from the clean ones, by the
/// references.
pub fn print(cache: &Path, kind: &str) -> Result<(), Box<dyn Error>> {
    let mut families: BTreeMap<String, Vec<Kept>> = BTreeMap::new();
    let mut files: Vec<_> = fs::read_dir(cache)?
        .filter_map(|it| Some(it.ok()?.path()))
        .collect();
    files.sort();
    for file in files {
        let maps = file.extension().is_some_and(|it| it == "maps");
        let Some(stem) = file.file_stem().and_then(|it| it.to_str()).filter(|_| maps) else {
            continue;
        };
        let Some((family, _)) = stem.rsplit_once('-') else {
            continue;
        };
        families
            .entry(family.to_owned())
            .or_default()
            .push(Kept::read(&file, 10)?);
    }
    println!("networks: family, number, accuracy, success of the attack");
    for (family, own) in &families {
        let mean = |of: &dyn Fn(&Kept) -> f64| own.iter().map(of).sum::<f64>() / own.len() as f64;
        let (accuracy, success) = (
            mean(&|it| it.accuracy),
            mean(&|it| it.success.unwrap_or(f64::NAN)),
        );
        println!(
            "  {family:<14} {:>3}  {accuracy:.4}  {success:.4}",
            own.len()
        );
    }
    let empty = Vec::new();
    let of = |kind: &str| families.get(&format!("{kind}-clean")).unwrap_or(&empty);
    let clean = of(kind);
    let prefix = format!("{kind}-");
    for reference in ["cnn", "mlp", "onnx"] {
        // The references are the last five clean networks of their kind; those of the suspects' own kind are
        // no suspects.
        let references = of(reference);
        let references = &references[references.len().saturating_sub(5)..];
        let suspects = &clean[..clean.len().saturating_sub(5)];
        let null = match reference == kind {
            true => Null::References,
            false => Null::OwnClasses,
        };
        if references.len() < 3 || suspects.is_empty() {
            continue;
        }
        for (family, poisoned) in &families {
            let Some(attack) = family.strip_prefix(&prefix).filter(|it| *it != "clean") else {
                continue;
            };
            let attack = Attack::of(attack).ok_or("no such attack")?;
            println!(
                "\n{family}: {} poisoned, {} clean, {} references {reference}",
                poisoned.len(),
                suspects.len(),
                references.len()
            );
            for (name, gamma, look) in [
                ("evidence γ 0", 0, (|it| &it.evidence) as Look),
                ("decisions γ 0", 0, |it| &it.decision),
                ("decisions γ .3", 1, |it| &it.decision),
            ] {
                for (at, trials) in TRIALS.iter().enumerate() {
                    let place = gamma * TRIALS.len() + at;
                    row(
                        &format!("{name:<14} {trials:>6}"),
                        &attack,
                        look,
                        place,
                        poisoned,
                        suspects,
                        (references, null),
                    );
                }
            }
        }
    }
    println!("\nold index (strongest 6×6 window of z, decisions, no references)");
    for (family, poisoned) in &families {
        let Some(name) = family.strip_prefix(&prefix).filter(|it| *it != "clean") else {
            continue;
        };
        let target = Attack::of(name).and_then(|it| it.target());
        for (gamma, strength) in GAMMAS.iter().enumerate() {
            for (at, trials) in TRIALS.iter().enumerate() {
                let place = gamma * TRIALS.len() + at;
                let index = |own: &Kept| old(&own.maps[place].z);
                let all = |of: &[Kept]| -> Vec<f64> {
                    of.iter()
                        .map(|own| index(own).map_or(f64::NEG_INFINITY, |it| it.1))
                        .collect()
                };
                let auc = roc(&all(poisoned), &all(clean));
                let right = poisoned
                    .iter()
                    .filter_map(index)
                    .filter(|it| Some(it.0) == target);
                println!(
                    "  {family:<12} γ {strength} {trials:>6}: AUC {}  class {} of {}  judged {} + {}",
                    auc.map_or_else(String::new, |it| format!("{:.3}", it.auc.estimate)),
                    right.count(),
                    poisoned.len(),
                    poisoned.iter().filter_map(index).count(),
                    clean.iter().filter_map(index).count(),
                );
            }
        }
    }
    Ok(())
}

/// The class of the largest index, and that.
fn old(z: &Images) -> Option<(usize, f64)> {
    let windows = z
        .iter()
        .map(|z| Some(strongest_window(z.as_ref()?, 28, 28, 6)?.2));
    let scores: Vec<Option<f64>> = windows.collect();
    let indices = anomaly_indices(&scores).into_iter().enumerate();
    let indices = indices.filter_map(|(class, index)| Some((class, index?)));
    indices.max_by(|a, b| a.1.total_cmp(&b.1))
}

fn row(
    head: &str,
    attack: &Attack,
    look: Look,
    place: usize,
    poisoned: &[Kept],
    clean: &[Kept],
    (references, kind): (&[Kept], Null),
) {
    let references: Vec<&Images> = references
        .iter()
        .map(|own| look(&own.maps[place]))
        .collect();
    let population = Population::of(&references);
    let examine = |all: &[Kept]| -> Vec<Examined> {
        let own = all
            .iter()
            .map(|own| population.examine(look(&own.maps[place]), SHAPE, &SIDES));
        own.collect()
    };
    let (poisoned, clean) = (examine(poisoned), examine(clean));
    let null = leave_one_out(&references, SHAPE, &SIDES);
    let span = |all: &[Examined], of: &dyn Fn(&Examined) -> Option<f64>| {
        let all: Vec<f64> = all.iter().filter_map(of).collect();
        let low = all.iter().copied().fold(f64::INFINITY, f64::min);
        let high = all.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        match low <= high {
            true => format!("{low:.1}–{high:.1}"),
            false => "none".into(),
        }
    };
    let auc = |of: &dyn Fn(&Examined) -> Option<f64>| {
        let all = |own: &[Examined]| -> Vec<f64> {
            own.iter()
                .map(|it| of(it).unwrap_or(f64::NEG_INFINITY))
                .collect()
        };
        roc(&all(&poisoned), &all(&clean))
            .map_or_else(String::new, |it| format!("{:.3}", it.auc.estimate))
    };
    let index = |it: &Examined| it.indices().into_iter().flatten().reduce(f64::max);
    let score = |it: &Examined| it.score();
    let energy = |it: &Examined| it.energy().map(|it| it.1);
    let right = |it: &&Examined| it.top().map(|it| it.0) == attack.target();
    let there = |it: &&Examined| {
        let patch = attack.patch(28);
        it.top().is_some_and(|(_, own)| {
            patch
                .as_ref()
                .is_some_and(|patch| is_on(own.window, patch, 28))
        })
    };
    let by_energy = |it: &&Examined| it.energy().map(|it| it.0) == attack.target();
    let found = |all: &[Examined]| {
        let own = all.iter().filter_map(|own| verdict(own, &null, kind));
        let own: Vec<Verdict> = own.collect();
        let by = |is: &dyn Fn(&Verdict) -> bool| own.iter().filter(|it| is(it)).count();
        format!("{}/{}", by(&Verdict::has_window), by(&Verdict::is_found))
    };
    println!(
        "  {head} | {} | {} | {} | {} | {} of {} | {} | {} / {} | {} | {} | {} / {} | {} | {} | {} + {}",
        span(&poisoned, &score),
        span(&clean, &score),
        span(&null, &score),
        auc(&score),
        poisoned.iter().filter(right).count(),
        poisoned.len(),
        poisoned.iter().filter(|it| right(it) && there(it)).count(),
        span(&poisoned, &|it| it.ratio()),
        span(&clean, &|it| it.ratio()),
        auc(&|it| it.ratio()),
        auc(&index),
        span(&poisoned, &energy),
        span(&clean, &energy),
        auc(&energy),
        poisoned.iter().filter(by_energy).count(),
        found(&poisoned),
        found(&clean),
    );
}
