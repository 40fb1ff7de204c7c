//! What templates, the attack, units, pushes and predictions say.

use super::Said;
use crate::figure::audit::share;
use crate::figure::names::of_class;
use crate::format::{clean, percent, reliability, short, signed, thousands};
use crate::report::page::words::{counted, list, sentence};
use crate::session::record::{
    Attack, GammaTemplates, LayerResponses, ModulatedLayer, Modulation, Predictions, Record,
    SpikeTriggered, SplitCounts, Templates,
};
use crate::stats::share::Share;

/// Most layers of which each has a sentence.
const MOST_LAYERS: usize = 12;

pub(super) fn templates(it: &Templates, parts: &[String]) -> Option<Said> {
    let meaningful = it.gammas.iter().filter(|own| own.is_meaningful());
    let images = meaningful.map(|own| own.images).max();
    let lead = match (parts, images) {
        ([accuracy, which], Some(images)) => format!(
            "The maps alone, without the network, classify {}: {accuracy}, {which}, the best of {} scores there; the table has the others.",
            counted(images, "test image", "test images"),
            GammaTemplates::SCORES.len()
        ),
        _ => {
            let most = it.gammas.iter().map(|own| own.classes.len()).max()?;
            format!(
                "Too few maps to choose from: it takes 2 classes that have one, and at most {most} do at one γ."
            )
        }
    };
    Some(Said {
        lead,
        facts: Vec::new(),
    })
}

pub(super) fn attack(it: &Attack, parts: &[String]) -> Option<Said> {
    let (first, others) = parts.split_first()?;
    let mut facts: Vec<String> = others.iter().map(|part| sentence(part)).collect();
    let most = (0..it.kinds.len()).filter_map(|pattern| peak(it, pattern));
    let most: Vec<String> = most.collect();
    if !most.is_empty() {
        facts.push(format!(
            "Of images of other classes, at most so many are called the target, the mean over all targets: {}.",
            list(&most)
        ));
    }
    facts.push(format!(
        "The network was shown {}.",
        counted(it.queries(), "blended image", "blended images")
    ));
    Some(Said {
        lead: sentence(first),
        facts,
    })
}

/// The largest success of a pattern on images, the mean over its targets.
fn peak(it: &Attack, pattern: usize) -> Option<String> {
    let at = |place: usize| Some((place, it.mean_targeted(0, pattern, place)?.0));
    let all = (0..it.weights.len()).filter_map(at);
    let (place, most) = all.max_by(|a, b| {
        // Of equal ones the smallest weight.
        a.1.total_cmp(&b.1)
            .then(it.weights[b.0].total_cmp(&it.weights[a.0]))
    })?;
    Some(format!(
        "{} by {} at w {}",
        percent(most),
        it.kinds[pattern].label(),
        short(it.weights[place])
    ))
}

pub(super) fn spikes(it: &SpikeTriggered, parts: &[String]) -> Option<Said> {
    if it.layers.is_empty() || parts.is_empty() {
        return None;
    }
    let layers = counted(it.layers.len() as u64, "layer", "layers");
    let mut facts: Vec<String> = it.layers.iter().take(MOST_LAYERS).map(layer).collect();
    let left = it.layers.len().saturating_sub(MOST_LAYERS);
    if left > 0 {
        facts.push(format!("Tables have the other {left} layers."));
    }
    Some(Said {
        lead: format!("In {layers}: {}.", list(parts)),
        facts,
    })
}

/// What the units of a layer say.
fn layer(own: &LayerResponses) -> String {
    let (height, width) = own.receptive_field;
    let estimate = own.estimate();
    let silent = match estimate.silent.len() {
        0 => String::new(),
        silent => format!(", {silent} of them silent on noise"),
    };
    let ends = |values: &[Option<f64>], of: &str| {
        let known = || values.iter().flatten().copied();
        let (low, high) = (known().reduce(f64::min)?, known().reduce(f64::max)?);
        Some(format!(
            "{of} {} to {}",
            reliability(low),
            reliability(high)
        ))
    };
    let said = [
        ends(&estimate.reliability, "reliability"),
        ends(&estimate.kernel_correlation, "r with the kernel"),
        ends(&estimate.stein_correlation, "r with the mean gradient"),
    ];
    let said: Vec<String> = said.into_iter().flatten().collect();
    let said = match said.is_empty() {
        true => String::new(),
        false => format!("; {}", list(&said)),
    };
    format!(
        "Layer {}: {} that see {height}×{width} pixels{silent}{said}.",
        clean(&own.name),
        counted(own.units as u64, "unit", "units")
    )
}

pub(super) fn modulation(record: &Record, it: &Modulation, parts: &[String]) -> Option<Said> {
    let most = parts.first()?;
    Some(Said {
        lead: format!("Of all pushes on images, this changes a class most: {most}."),
        facts: it
            .layers
            .iter()
            .take(MOST_LAYERS)
            .filter_map(|own| pushed(record, it, own))
            .collect(),
    })
}

/// The push of a layer along a class that changes the accuracy on this class most.
fn pushed(record: &Record, it: &Modulation, layer: &ModulatedLayer) -> Option<String> {
    let images = it.gammas.len().checked_sub(1)?;
    let rest = it.strengths.iter().position(|&strength| strength == 0)?;
    let right = |class: usize, place: usize| {
        let (hits, of) = layer.accuracy(class, place, images, class)?;
        Some(Share { hits, of })
    };
    let mut most: Option<(f64, usize, usize)> = None;
    for class in 0..layer.classes() {
        for place in 0..it.strengths.len() {
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
        "Layer {}, at most at {}: of images of {}, {} are called so, and {} without a push.",
        clean(&layer.name),
        signed(it.strengths[place] as f64),
        of_class(record, class),
        share(right(class, place)?),
        share(right(class, rest)?)
    ))
}

pub(super) fn predictions(record: &Record, it: &Predictions, parts: &[String]) -> Option<Said> {
    let lead = match parts {
        [] => return None,
        parts => format!(
            "Called what they are, of the images of each set: {}.",
            list(parts)
        ),
    };
    let mut facts = Vec::new();
    for own in it.splits.iter().filter(|own| own.total() > 0) {
        facts.extend(least_right(record, own));
        facts.extend(confused(record, own));
    }
    Some(Said { lead, facts })
}

/// The class that is called what it is least often.
fn least_right(record: &Record, own: &SplitCounts) -> Option<String> {
    let known = (0..own.classes()).filter_map(|class| Some((class, own.recall(class)?)));
    let (class, _) = known.min_by(|a, b| a.1.total_cmp(&b.1))?;
    let right = Share {
        hits: own.counts[class * (own.classes() + 1)],
        of: own.shown(class),
    };
    Some(format!(
        "Of the {} set, {} is recognized least: {} of {}.",
        own.split.label(),
        of_class(record, class),
        share(right),
        counted(right.of, "image", "images")
    ))
}

/// The two classes that are taken for each other most.
fn confused(record: &Record, own: &SplitCounts) -> Option<String> {
    let side = own.classes();
    let wrong = (0..side * side).filter(|cell| cell / side != cell % side);
    let cell = wrong.max_by_key(|&cell| (own.counts[cell], std::cmp::Reverse(cell)))?;
    let (truth, called) = (cell / side, cell % side);
    (own.counts[cell] > 0).then(|| {
        format!(
            "Of the {} set, the most frequent mistake is {} called {}: {} of {}.",
            own.split.label(),
            of_class(record, truth),
            of_class(record, called),
            thousands(own.counts[cell]),
            counted(own.shown(truth), "image", "images")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::config::{Response, Split};
    use crate::session::{Config, Form};

    #[test]
    fn templates_are_told_with_their_score_or_with_what_is_missing() {
        let own = |classes: Vec<usize>| GammaTemplates {
            gamma: 0.2,
            response: Response::Evidence,
            classes,
            images: 2_000,
            correct: [100, 200, 300, 400],
        };
        let it = |classes| Templates {
            gammas: vec![own(classes)],
            ..Templates::default()
        };
        let parts = [
            "accuracy 20.0 % (18.3–21.8)",
            "pearson of evidence images at γ 0.2",
        ];
        let parts = parts.map(str::to_owned);
        assert_eq!(
            templates(&it(vec![0, 1]), &parts).unwrap().lead,
            "The maps alone, without the network, classify 2,000 test images: accuracy 20.0 % (18.3–21.8), pearson of \
             evidence images at γ 0.2, the best of 4 scores there; the table has the others."
        );
        let parts = ["fewer than two classes have a template".to_owned()];
        let lead = templates(&it(vec![3]), &parts).unwrap().lead;
        assert!(lead.ends_with("at most 1 do at one γ."), "{lead}");
    }

    #[test]
    fn mistakes_are_told_by_their_classes_and_counts() {
        let form = Form::numbered([1, 2, 2], 2);
        let mut record = Record::new(&Config::default());
        record.form = Some(form.clone());
        let mut own = SplitCounts::new(Split::Test, &form);
        own.counts = vec![90, 10, 2, 98];
        assert_eq!(
            confused(&record, &own).unwrap(),
            "Of the test set, the most frequent mistake is class 0 called class 1: 10 of 100 images."
        );
        assert_eq!(
            least_right(&record, &own).unwrap(),
            "Of the test set, class 0 is recognized least: 90.0 % (82.6–94.5) of 100 images."
        );
    }
}
