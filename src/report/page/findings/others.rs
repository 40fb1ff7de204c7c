//! Findings from templates, the attack, units, modulation and predictions.

use super::ExperimentFindings;
use crate::figure::audit::share_with_interval;
use crate::figure::wording::class_name;
use crate::format::{clean, percent, reliability, short, signed, thousands};
use crate::ids::ClassId;
use crate::report::page::words::{counted, list, sentence};
use crate::session::record::{
    Attack, GammaTemplates, LayerResponses, ModulatedLayer, Modulation, Predictions, Record,
    SpikeTriggered, SplitCounts, Templates,
};
use crate::stats::share::Share;

/// Maximum number of layers with their own sentence.
const MOST_LAYERS: usize = 12;

pub(super) fn templates(templates: &Templates, parts: &[String]) -> Option<ExperimentFindings> {
    let meaningful = templates
        .gammas
        .iter()
        .filter(|templates| templates.is_meaningful());
    let images = meaningful.map(|templates| templates.images).max();
    let lead = match (parts, images) {
        ([accuracy, best], Some(images)) => format!(
            "The maps alone, without the network, classify {}: {accuracy}, {best}, the best of {} scores there; the table has the others.",
            counted(images, "test image", "test images"),
            GammaTemplates::SCORES.len()
        ),
        _ => {
            let most = templates
                .gammas
                .iter()
                .map(|templates| templates.classes.len())
                .max()?;
            format!(
                "Too few maps to choose from: at least 2 classes must have one, and at most {most} do at one γ."
            )
        }
    };
    Some(ExperimentFindings {
        lead,
        facts: Vec::new(),
    })
}

pub(super) fn attack(attack: &Attack, parts: &[String]) -> Option<ExperimentFindings> {
    let (first, others) = parts.split_first()?;
    let mut facts: Vec<String> = others.iter().map(|part| sentence(part)).collect();
    let most = (0..attack.kinds.len()).filter_map(|pattern| peak(attack, pattern));
    let most: Vec<String> = most.collect();
    if !most.is_empty() {
        facts.push(format!(
            "The largest share of other classes' images called the target, as a mean over all targets: {}.",
            list(&most)
        ));
    }
    facts.push(format!(
        "The network was shown {}.",
        counted(attack.queries(), "blended image", "blended images")
    ));
    Some(ExperimentFindings {
        lead: sentence(first),
        facts,
    })
}

/// The highest success rate of a pattern on images, as a mean over its targets.
fn peak(attack: &Attack, pattern: usize) -> Option<String> {
    let success = |place: usize| {
        let mean = attack.mean_targeted(0, pattern, place)?;
        Some((place, mean.interval.estimate))
    };
    let all = (0..attack.weights.len()).filter_map(success);
    let (place, most) = all.max_by(|a, b| {
        // Ties go to the smallest weight.
        a.1.total_cmp(&b.1)
            .then(attack.weights[b.0].total_cmp(&attack.weights[a.0]))
    })?;
    Some(format!(
        "{} by {} at w {}",
        percent(most),
        attack.kinds[pattern].label(),
        short(attack.weights[place])
    ))
}

pub(super) fn spikes(spikes: &SpikeTriggered, parts: &[String]) -> Option<ExperimentFindings> {
    if spikes.layers.is_empty() || parts.is_empty() {
        return None;
    }
    let layers = counted(spikes.layers.len() as u64, "layer", "layers");
    let mut facts: Vec<String> = spikes.layers.iter().take(MOST_LAYERS).map(layer).collect();
    let left = spikes.layers.len().saturating_sub(MOST_LAYERS);
    if left > 0 {
        facts.push(format!("The other {left} layers are in the tables."));
    }
    Some(ExperimentFindings {
        lead: format!("In {layers}: {}.", list(parts)),
        facts,
    })
}

/// A sentence on the units of a layer.
fn layer(layer: &LayerResponses) -> String {
    let (height, width) = layer.receptive_field;
    let estimate = layer.estimate();
    let silent = match estimate.silent.len() {
        0 => String::new(),
        silent => format!(", {silent} of them silent on noise"),
    };
    let ends = |values: &[Option<f64>], label: &str| {
        let known = || values.iter().flatten().copied();
        let (low, high) = (known().reduce(f64::min)?, known().reduce(f64::max)?);
        Some(format!(
            "{label} {} to {}",
            reliability(low),
            reliability(high)
        ))
    };
    let parts = [
        ends(&estimate.reliability, "reliability"),
        ends(&estimate.kernel_correlation, "r with the kernel"),
        ends(&estimate.stein_correlation, "r with the mean gradient"),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    let parts = match parts.is_empty() {
        true => String::new(),
        false => format!("; {}", list(&parts)),
    };
    format!(
        "Layer {}: {} that see {height}×{width} pixels{silent}{parts}.",
        clean(&layer.name),
        counted(layer.units as u64, "unit", "units")
    )
}

pub(super) fn modulation(
    record: &Record,
    modulation: &Modulation,
    parts: &[String],
) -> Option<ExperimentFindings> {
    let most = parts.first()?;
    Some(ExperimentFindings {
        lead: format!("The push that changes a class most on images: {most}."),
        facts: modulation
            .layers
            .iter()
            .take(MOST_LAYERS)
            .filter_map(|layer| strongest_modulation(record, modulation, layer))
            .collect(),
    })
}

/// The modulation of a layer that most changes the accuracy on the class it targets.
fn strongest_modulation(
    record: &Record,
    modulation: &Modulation,
    layer: &ModulatedLayer,
) -> Option<String> {
    let images = modulation.gammas.len().checked_sub(1)?;
    let rest = modulation
        .strengths
        .iter()
        .position(|&strength| strength == 0)?;
    let right = |class: ClassId, place: usize| {
        let (hits, of) = layer.accuracy(class, place, images, class)?;
        Some(Share { hits, total: of })
    };
    let mut most: Option<(f64, ClassId, usize)> = None;
    for class in ClassId::all(layer.classes()) {
        for place in 0..modulation.strengths.len() {
            let (Some(before), Some(after)) = (right(class, rest), right(class, place)) else {
                continue;
            };
            let change = (after.rate()? - before.rate()?).abs();
            if most.is_none_or(|(most, ..)| change > most) {
                most = Some((change, class, place));
            }
        }
    }
    let (_, class, place) = most?;
    Some(format!(
        "Layer {}, strongest effect at {}: of images of {}, {} are classified correctly, and {} without a push.",
        clean(&layer.name),
        signed(modulation.strengths[place] as f64),
        class_name(record, class),
        share_with_interval(right(class, place)?),
        share_with_interval(right(class, rest)?)
    ))
}

pub(super) fn predictions(
    record: &Record,
    predictions: &Predictions,
    parts: &[String],
) -> Option<ExperimentFindings> {
    let lead = match parts {
        [] => return None,
        parts => format!(
            "Classified correctly, of the images in each set: {}.",
            list(parts)
        ),
    };
    let mut facts = Vec::new();
    for split in predictions.splits.iter().filter(|split| split.total() > 0) {
        facts.extend(least_right(record, split));
        facts.extend(most_confused(record, split));
    }
    Some(ExperimentFindings { lead, facts })
}

/// The class with the lowest recall.
fn least_right(record: &Record, split: &SplitCounts) -> Option<String> {
    let known =
        ClassId::all(split.classes()).filter_map(|class| Some((class, split.recall(class)?)));
    let (class, _) = known.min_by(|a, b| a.1.total_cmp(&b.1))?;
    let right = Share {
        hits: split.counts[class.0 * (split.classes() + 1)],
        total: split.shown(class),
    };
    Some(format!(
        "In the {} set, {} is recognised least: {} of {}.",
        split.split.label(),
        class_name(record, class),
        share_with_interval(right),
        counted(right.total, "image", "images")
    ))
}

/// The most frequent confusion of two classes.
fn most_confused(record: &Record, split: &SplitCounts) -> Option<String> {
    let side = split.classes();
    let wrong = (0..side * side).filter(|cell| cell / side != cell % side);
    let cell = wrong.max_by_key(|&cell| (split.counts[cell], std::cmp::Reverse(cell)))?;
    let (truth, called) = (ClassId(cell / side), ClassId(cell % side));
    (split.counts[cell] > 0).then(|| {
        format!(
            "In the {} set, the most frequent mistake is {} called {}: {} of {}.",
            split.split.label(),
            class_name(record, truth),
            class_name(record, called),
            thousands(split.counts[cell]),
            counted(split.shown(truth), "image", "images")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Gamma;
    use crate::session::config::{Response, Split};
    use crate::session::{Config, Form};

    #[test]
    fn templates_are_reported_with_their_score_or_with_what_is_missing() {
        let at_gamma = |classes: Vec<ClassId>| GammaTemplates {
            gamma: Gamma(0.2),
            response: Response::Evidence,
            classes,
            images: 2_000,
            correct: [100, 200, 300, 400],
        };
        let record = |classes| Templates {
            gammas: vec![at_gamma(classes)],
            ..Templates::default()
        };
        let parts = [
            "accuracy 20.0 % (18.3–21.8)",
            "pearson of evidence images at γ 0.2",
        ];
        let parts = parts.map(str::to_owned);
        assert_eq!(
            templates(&record(vec![ClassId(0), ClassId(1)]), &parts)
                .unwrap()
                .lead,
            "The maps alone, without the network, classify 2,000 test images: accuracy 20.0 % (18.3–21.8), pearson of \
             evidence images at γ 0.2, the best of 4 scores there; the table has the others."
        );
        let parts = ["fewer than two classes have a template".to_owned()];
        let lead = templates(&record(vec![ClassId(3)]), &parts).unwrap().lead;
        assert!(lead.ends_with("at most 1 do at one γ."), "{lead}");
    }

    #[test]
    fn mistakes_are_reported_by_classes_and_counts() {
        let form = Form::numbered([1, 2, 2], 2);
        let mut record = Record::new(&Config::default());
        record.form = Some(form.clone());
        let mut split = SplitCounts::new(Split::Test, &form);
        split.counts = vec![90, 10, 2, 98];
        assert_eq!(
            most_confused(&record, &split).unwrap(),
            "In the test set, the most frequent mistake is class 0 called class 1: 10 of 100 images."
        );
        assert_eq!(
            least_right(&record, &split).unwrap(),
            "In the test set, class 0 is recognised least: 90.0 % (82.6–94.5) of 100 images."
        );
    }
}
