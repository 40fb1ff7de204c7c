//! The tables `classification_images` and `counts`.

use super::ClassNames;
use super::table::{CsvField, CsvTable, row};
use crate::ids::ClassId;
use crate::session::record::{ClassificationImages, GammaTrials};
use crate::session::{Session, config};

/// Every γ with trials of every classification-images experiment, with the experiment's number among them and its noise.
fn gammas(session: &Session) -> impl Iterator<Item = (usize, &'static str, &GammaTrials)> {
    let all = session.record.all::<ClassificationImages>().enumerate();
    all.flat_map(|(nth, (index, images))| {
        let noise = match session.config.analyses.get(index) {
            Some(config::Analysis::ClassificationImages(plan)) => plan.noise.label(),
            _ => "",
        };
        let begun = images.gammas.iter().filter(|trials| trials.trials > 0);
        begun.map(move |trials| (nth, noise, trials))
    })
}

/// The statistics of every image, by noise, γ and class.
pub(super) fn images(session: &Session, names: &ClassNames) -> CsvTable {
    let mut table = CsvTable::new(&[
        "noise",
        "gamma",
        "class",
        "name",
        "trials",
        "called",
        "listed",
        "sufficient",
        "reliability",
        "snr",
        "significant_pixels",
        "fed_back_class",
        "fed_back_name",
        "fed_back_confidence",
        "evidence_reliability",
        "evidence_low",
        "evidence_high",
        "evidence_snr",
        "evidence_significant_pixels",
        "evidence_fed_back_class",
        "evidence_fed_back_confidence",
        "reliability_low",
        "reliability_high",
        "dropped",
        "images",
    ]);
    for (nth, noise, trials) in gammas(session) {
        let estimate = trials.estimate();
        for (class, class_estimate) in estimate.classes.iter().enumerate() {
            let back = trials.fed_back.get(class).copied().flatten();
            let (map, evidence) = (
                class_estimate.decision.as_ref(),
                class_estimate.evidence.as_ref(),
            );
            let evidence_back = trials.evidence_fed_back.get(class).copied().flatten();
            row!(
                table,
                noise,
                trials.gamma.0,
                class,
                names.get(ClassId(class)),
                estimate.trials,
                class_estimate.called,
                class_estimate.listed,
                map.is_some(),
                map.and_then(|map| map.reliability),
                map.map(|map| map.snr),
                map.map(|map| map.significant),
                back.map(|back| back.class.0),
                back.map(|back| names.get(back.class)),
                back.map(|back| back.confidence),
                evidence.and_then(|map| map.reliability),
                evidence.and_then(|map| Some(map.reliability_interval?[0])),
                evidence.and_then(|map| Some(map.reliability_interval?[1])),
                evidence.map(|map| map.snr),
                evidence.map(|map| map.significant),
                evidence_back.map(|back| back.class.0),
                evidence_back.map(|back| back.confidence),
                map.and_then(|map| Some(map.reliability_interval?[0])),
                map.and_then(|map| Some(map.reliability_interval?[1])),
                trials.dropped,
                nth,
            );
        }
    }
    table
}

/// Numbers of trials by noise, γ, true class and predicted class.
pub(super) fn counts(session: &Session, names: &ClassNames) -> CsvTable {
    let mut table = CsvTable::new(&[
        "noise",
        "gamma",
        "true",
        "true_name",
        "called",
        "called_name",
        "trials",
        "images",
    ]);
    for (nth, noise, trials) in gammas(session) {
        let estimate = trials.estimate();
        let classes = trials.classes().max(1);
        for (cell, &count) in estimate.counts.iter().enumerate() {
            let (truth, called) = (ClassId(cell / classes), ClassId(cell % classes));
            row!(
                table,
                noise,
                trials.gamma.0,
                truth.0,
                names.get(truth),
                called.0,
                names.get(called),
                count,
                nth,
            );
        }
    }
    table
}
