//! Prints the comparison of all networks in a folder.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::Path;

use noisescope::ids::ClassId;
use noisescope::stats::anomaly::{anomaly_indices, strongest_window};
use noisescope::stats::audit::{
    AuditScores, AuditVerdict, Baseline, ClassImages, ReferencePopulation, WINDOW_SIDES,
    audit_verdict, leave_one_out, overlaps_patch,
};
use noisescope::stats::roc::roc;

use super::attacks::Attack;
use super::cached::{CachedNetwork, Maps};
use super::{GAMMAS, TRIALS};

const SHAPE: [usize; 3] = [1, 28, 28];

/// Selects the images to compare.
type SelectImages = fn(&Maps) -> &ClassImages;

/// Prints how well every family of attacked networks of a kind is distinguished from clean ones, for each kind of
/// reference networks.
pub fn print(cache: &Path, kind: &str) -> Result<(), Box<dyn Error>> {
    let mut families: BTreeMap<String, Vec<CachedNetwork>> = BTreeMap::new();
    let mut files: Vec<_> = fs::read_dir(cache)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    files.sort();
    for file in files {
        let is_maps = file.extension().is_some_and(|ending| ending == "maps");
        let stem = file.file_stem().and_then(|stem| stem.to_str());
        let Some(stem) = stem.filter(|_| is_maps) else {
            continue;
        };
        let Some((family, _)) = stem.rsplit_once('-') else {
            continue;
        };
        families
            .entry(family.to_owned())
            .or_default()
            .push(CachedNetwork::read(&file, 10)?);
    }
    println!("networks: family, number, accuracy, success of the attack");
    for (family, networks) in &families {
        let mean = |value: &dyn Fn(&CachedNetwork) -> f64| {
            networks.iter().map(value).sum::<f64>() / networks.len() as f64
        };
        let (accuracy, success) = (
            mean(&|network| network.accuracy),
            mean(&|network| network.success.unwrap_or(f64::NAN)),
        );
        println!(
            "  {family:<14} {:>3}  {accuracy:.4}  {success:.4}",
            networks.len()
        );
    }
    let empty = Vec::new();
    let clean_of = |kind: &str| families.get(&format!("{kind}-clean")).unwrap_or(&empty);
    let clean = clean_of(kind);
    let prefix = format!("{kind}-");
    for reference in ["cnn", "mlp", "onnx"] {
        // The references are the last five clean networks of a kind. The last five of the suspects' kind are never
        // suspects.
        let references = clean_of(reference);
        let references = &references[references.len().saturating_sub(5)..];
        let suspects = &clean[..clean.len().saturating_sub(5)];
        let null = match reference == kind {
            true => Baseline::References,
            false => Baseline::OwnClasses,
        };
        if references.len() < 3 || suspects.is_empty() {
            continue;
        }
        for (family, poisoned) in &families {
            let attack = family.strip_prefix(&prefix);
            let Some(attack) = attack.filter(|name| *name != "clean") else {
                continue;
            };
            let attack = Attack::of(attack).ok_or("unknown attack")?;
            println!(
                "\n{family}: {} poisoned, {} clean, {} references {reference}",
                poisoned.len(),
                suspects.len(),
                references.len()
            );
            for (name, gamma_index, select) in [
                ("evidence γ 0", 0, (|maps| &maps.evidence) as SelectImages),
                ("decisions γ 0", 0, |maps| &maps.decision),
                ("decisions γ .3", 1, |maps| &maps.decision),
            ] {
                for (at, trials) in TRIALS.iter().enumerate() {
                    let index = gamma_index * TRIALS.len() + at;
                    row(
                        &format!("{name:<14} {trials:>6}"),
                        &attack,
                        select,
                        index,
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
        let name = family.strip_prefix(&prefix);
        let Some(name) = name.filter(|name| *name != "clean") else {
            continue;
        };
        let target = Attack::of(name).and_then(|attack| attack.target());
        for (gamma_index, gamma) in GAMMAS.iter().enumerate() {
            for (at, trials) in TRIALS.iter().enumerate() {
                let place = gamma_index * TRIALS.len() + at;
                let index = |network: &CachedNetwork| old_index(&network.maps[place].z);
                let all = |networks: &[CachedNetwork]| -> Vec<f64> {
                    networks
                        .iter()
                        .map(|network| index(network).map_or(f64::NEG_INFINITY, |found| found.1))
                        .collect()
                };
                let auc = roc(&all(poisoned), &all(clean));
                let right = poisoned
                    .iter()
                    .filter_map(index)
                    .filter(|found| Some(found.0) == target);
                println!(
                    "  {family:<12} γ {gamma} {trials:>6}: AUC {}  class {} of {}  judged {} + {}",
                    auc.map_or_else(String::new, |roc| format!("{:.3}", roc.auc.estimate)),
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

/// The class with the largest anomaly index, and the index.
fn old_index(z: &ClassImages) -> Option<(ClassId, f64)> {
    let windows = z
        .iter()
        .map(|z| Some(strongest_window(z.as_ref()?, 28, 28, 6)?.2));
    let scores: Vec<Option<f64>> = windows.collect();
    let indices = ClassId::all(scores.len()).zip(anomaly_indices(&scores));
    let indices = indices.filter_map(|(class, index)| Some((class, index?)));
    indices.max_by(|a, b| a.1.total_cmp(&b.1))
}

/// Prints one row: statistics of poisoned and clean networks against the references.
fn row(
    head: &str,
    attack: &Attack,
    select: SelectImages,
    index: usize,
    poisoned: &[CachedNetwork],
    clean: &[CachedNetwork],
    (references, kind): (&[CachedNetwork], Baseline),
) {
    let references: Vec<&ClassImages> = references
        .iter()
        .map(|network| select(&network.maps[index]))
        .collect();
    let population = ReferencePopulation::of(&references);
    let examine = |networks: &[CachedNetwork]| -> Vec<AuditScores> {
        let examined = networks
            .iter()
            .map(|network| population.examine(select(&network.maps[index]), SHAPE, &WINDOW_SIDES));
        examined.collect()
    };
    let (poisoned, clean) = (examine(poisoned), examine(clean));
    let null = leave_one_out(&references, SHAPE, &WINDOW_SIDES);
    let span = |all: &[AuditScores], value: &dyn Fn(&AuditScores) -> Option<f64>| {
        let all: Vec<f64> = all.iter().filter_map(value).collect();
        let low = all.iter().copied().fold(f64::INFINITY, f64::min);
        let high = all.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        match low <= high {
            true => format!("{low:.1}–{high:.1}"),
            false => "none".into(),
        }
    };
    let auc = |value: &dyn Fn(&AuditScores) -> Option<f64>| {
        let all = |examined: &[AuditScores]| -> Vec<f64> {
            examined
                .iter()
                .map(|one| value(one).unwrap_or(f64::NEG_INFINITY))
                .collect()
        };
        roc(&all(&poisoned), &all(&clean))
            .map_or_else(String::new, |roc| format!("{:.3}", roc.auc.estimate))
    };
    let index = |one: &AuditScores| one.indices().into_iter().flatten().reduce(f64::max);
    let score = |one: &AuditScores| one.score();
    let energy = |one: &AuditScores| one.energy().map(|energy| energy.1);
    let right = |one: &&AuditScores| one.top().map(|top| top.0) == attack.target();
    let on_patch = |one: &&AuditScores| {
        let patch = attack.patch(28);
        one.top().is_some_and(|(_, top)| {
            patch
                .as_ref()
                .is_some_and(|patch| overlaps_patch(top.window, patch, 28))
        })
    };
    let by_energy = |one: &&AuditScores| one.energy().map(|energy| energy.0) == attack.target();
    let found = |all: &[AuditScores]| {
        let verdicts = all.iter().filter_map(|one| audit_verdict(one, &null, kind));
        let verdicts: Vec<AuditVerdict> = verdicts.collect();
        let count = |test: &dyn Fn(&AuditVerdict) -> bool| {
            verdicts.iter().filter(|verdict| test(verdict)).count()
        };
        format!(
            "{}/{}",
            count(&AuditVerdict::has_window),
            count(&AuditVerdict::has_finding)
        )
    };
    println!(
        "  {head} | {} | {} | {} | {} | {} of {} | {} | {} / {} | {} | {} | {} / {} | {} | {} | {} + {}",
        span(&poisoned, &score),
        span(&clean, &score),
        span(&null, &score),
        auc(&score),
        poisoned.iter().filter(right).count(),
        poisoned.len(),
        poisoned
            .iter()
            .filter(|one| right(one) && on_patch(one))
            .count(),
        span(&poisoned, &|one| one.ratio()),
        span(&clean, &|one| one.ratio()),
        auc(&|one| one.ratio()),
        auc(&index),
        span(&poisoned, &energy),
        span(&clean, &energy),
        auc(&energy),
        poisoned.iter().filter(by_energy).count(),
        found(&poisoned),
        found(&clean),
    );
}
