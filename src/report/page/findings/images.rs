//! Findings from classification images and evidence images.

use super::ExperimentFindings;
use crate::figure::audit::share_with_interval;
use crate::figure::choice::{self, RELIABLE};
use crate::figure::wording::{self, class_name};
use crate::figure::{StrongestValue, strongest_values};
use crate::format::{gamma, percent, reliability, thousands};
use crate::ids::{ClassId, Gamma};
use crate::report::page::responses;
use crate::report::page::words::{classes, counted, sentence};
use crate::session::config::{self, Response};
use crate::session::record::{ClassificationImages, FedBack, GammaTrials, Record};
use crate::stats::share::Share;

/// Maximum number of signal strengths with a sentence on what trials were called.
const MOST_GAMMAS: usize = 8;

/// Maximum number of classes in the sentence on the strongest values: the most reliable ones.
const MOST_STRONGEST: usize = 10;

/// The map of a class at the γ that shows it best.
struct Best<'a> {
    class: ClassId,
    trials: &'a GammaTrials,
    reliability: Option<f64>,
    interval: Option<[f64; 2]>,
    significant: usize,
    pixels: usize,
}

pub(super) fn image_findings(
    record: &Record,
    images: &ClassificationImages,
    plan: &config::ClassificationImages,
    parts: &[String],
) -> Option<ExperimentFindings> {
    let head = parts.first()?;
    let mut facts = Vec::new();
    for by in responses(images) {
        let maps = best(images, by);
        facts.extend(reliability_range(record, &maps, by));
        facts.extend(significant(record, &maps, by));
        facts.extend(strongest(record, images, by));
        facts.extend(missing_maps(record, images, &maps, by));
        facts.extend(fed_back(&maps, by));
    }
    let begun = images.gammas.iter().filter(|trials| trials.trials > 0);
    facts.extend(begun.take(MOST_GAMMAS).map(|trials| called(record, trials)));
    facts.extend(images.gammas.iter().filter_map(dropped));
    facts.extend(images.gammas.iter().filter_map(clipped));
    facts.extend(images.gammas.iter().filter_map(too_coarse));
    if let Some(target) = plan.target {
        let reached = images.gammas.iter().filter(|trials| trials.reached).count();
        facts.push(format!(
            "The target reliability of {} was reached early at {reached} of {} γ.",
            reliability(target),
            images.gammas.len()
        ));
    }
    let lead = sentence(&format!(
        "{head}: R ≥ {RELIABLE} at the γ that shows the class best"
    ));
    Some(ExperimentFindings { lead, facts })
}

/// Every class that has a map for a response, at its best γ.
fn best(images: &ClassificationImages, by: Response) -> Vec<Best<'_>> {
    let all = images.gammas.first().map_or(0, GammaTrials::classes);
    let of_class = |class: ClassId| {
        let trials = images
            .gammas
            .get(choice::best_gamma_index(images, by, class, None))?;
        if trials.trials == 0 {
            return None;
        }
        let estimate = trials.estimate();
        let map = estimate.classes.get(class.0)?.image(by)?;
        Some(Best {
            class,
            trials,
            reliability: map.reliability,
            interval: map.reliability_interval,
            significant: map.significant,
            pixels: map.z.len(),
        })
    };
    ClassId::all(all).filter_map(of_class).collect()
}

/// The least and the most reliable maps.
fn reliability_range(record: &Record, maps: &[Best<'_>], by: Response) -> Option<String> {
    let known = || maps.iter().filter_map(|map| Some((map, map.reliability?)));
    let (low, least) = known().min_by(|a, b| a.1.total_cmp(&b.1))?;
    let (high, most) = known().max_by(|a, b| a.1.total_cmp(&b.1))?;
    let words = |map: &Best<'_>, r: f64| {
        let ends = map
            .interval
            .map(|[low, high]| format!("95 % {} to {}, ", reliability(low), reliability(high)));
        format!(
            "{} ({}{}, γ {})",
            reliability(r),
            ends.unwrap_or_default(),
            class_name(record, map.class),
            gamma(map.trials.gamma)
        )
    };
    Some(match known().count() {
        1 => format!(
            "By {}, the reliability R of the one map is {}.",
            by.label(),
            words(high, most)
        ),
        count => format!(
            "By {}, the reliability R of {count} maps lies between {} and {}.",
            by.label(),
            words(low, least),
            words(high, most)
        ),
    })
}

/// The number of significant pixels in a map.
fn significant(record: &Record, maps: &[Best<'_>], by: Response) -> Option<String> {
    let least = maps.iter().min_by_key(|map| map.significant)?;
    let most = maps.iter().max_by_key(|map| map.significant)?;
    let article = match by {
        Response::Decision => "a",
        Response::Evidence => "an",
    };
    let tail = format!(
        "of the {} values of {article} {} are significant, at 5 % for the whole map",
        thousands(most.pixels as u64),
        by.image_label()
    );
    let words = |map: &Best<'_>| {
        format!(
            "{} ({})",
            thousands(map.significant as u64),
            class_name(record, map.class)
        )
    };
    Some(match least.class == most.class {
        true => format!("{} {tail}.", words(most)),
        false => format!("{} to {} {tail}.", words(least), words(most)),
    })
}

/// Where the reliable maps are strongest.
fn strongest(record: &Record, images: &ClassificationImages, by: Response) -> Option<String> {
    let mut values = strongest_values(record, images, by);
    let more = values.len().saturating_sub(MOST_STRONGEST);
    if more > 0 {
        values.sort_by(|a, b| b.reliability.total_cmp(&a.reliability));
        values.truncate(MOST_STRONGEST);
    }
    let words = |value: &StrongestValue| {
        format!(
            "{} {} (γ {})",
            class_name(record, value.class),
            value.words,
            gamma(value.gamma)
        )
    };
    let mut all: Vec<String> = values.iter().map(words).collect();
    if more > 0 {
        all.push(format!("{more} more"));
    }
    (!all.is_empty()).then(|| {
        format!(
            "By {}, the strongest value of each reliable map: {}.",
            by.label(),
            all.join("; ")
        )
    })
}

/// The listed classes that have no map at any γ, and what is needed for one.
fn missing_maps(
    record: &Record,
    images: &ClassificationImages,
    maps: &[Best<'_>],
    by: Response,
) -> Option<String> {
    let first = images.gammas.iter().find(|trials| trials.trials > 0)?;
    let has = |class: &ClassId| maps.iter().any(|map| map.class == *class);
    let without: Vec<ClassId> = first
        .listed
        .iter()
        .copied()
        .filter(|class| !has(class))
        .collect();
    if without.is_empty() {
        return None;
    }
    let least = first.min_trials;
    let reason = match by {
        Response::Decision => {
            format!("insufficient trials: {least} are needed in each cell that the image compares")
        }
        Response::Evidence => format!("fewer than {least} trials, or an output that never changes"),
    };
    Some(format!(
        "By {}, {} of {} have no {} at any γ ({}); {reason}.",
        by.label(),
        without.len(),
        counted(first.listed.len() as u64, "class", "classes"),
        by.image_label(),
        classes(record, &without)
    ))
}

/// The network's decisions on the images fed back to it.
fn fed_back(maps: &[Best<'_>], by: Response) -> Option<String> {
    let answer = |map: &Best<'_>| -> Option<FedBack> {
        let all = match by {
            Response::Decision => &map.trials.fed_back,
            Response::Evidence => &map.trials.evidence_fed_back,
        };
        *all.get(map.class.0)?
    };
    let shown: Vec<(ClassId, FedBack)> = maps
        .iter()
        .filter_map(|map| Some((map.class, answer(map)?)))
        .collect();
    if shown.is_empty() {
        return None;
    }
    let right = shown
        .iter()
        .filter(|(class, answer)| answer.class == *class);
    let stimuli = match by {
        Response::Decision => "mean stimuli of the classes that have a classification image",
        Response::Evidence => "evidence images",
    };
    Some(format!(
        "Fed back to the network, {} of {} {stimuli} are called their own class.",
        right.count(),
        shown.len()
    ))
}

/// What the trials at one γ were called.
fn called(record: &Record, trials: &GammaTrials) -> String {
    let estimate = trials.estimate();
    let all = estimate.trials;
    let most = estimate
        .classes
        .iter()
        .enumerate()
        .max_by_key(|(class, class_estimate)| (class_estimate.called, std::cmp::Reverse(*class)));
    let mut words = format!("At γ {}, ", gamma(trials.gamma));
    if let Some((class, class_estimate)) = most {
        words += &format!(
            "{} of {} ({}) were called {}, the most",
            thousands(class_estimate.called),
            counted(all, "trial", "trials"),
            percent(class_estimate.called as f64 / all.max(1) as f64),
            class_name(record, ClassId(class))
        );
    }
    let never = estimate
        .classes
        .iter()
        .filter(|class| class.called == 0)
        .count();
    if never > 0 {
        words += &format!(
            "; {never} of {} classes were never called",
            estimate.classes.len()
        );
    }
    if trials.gamma > Gamma::NOISE {
        let side = estimate.classes.len();
        let right = estimate.counts.iter().step_by(side + 1);
        let right = Share {
            hits: right.sum(),
            total: all,
        };
        words += &format!(
            "; {} were called their image's true class",
            share_with_interval(right)
        );
    }
    words + "."
}

/// Trials that were not counted.
fn dropped(trials: &GammaTrials) -> Option<String> {
    (trials.dropped > 0).then(|| {
        format!(
            "At γ {}, {} of {} did not count, since the network was not confident enough.",
            gamma(trials.gamma),
            thousands(trials.dropped),
            counted(trials.trials, "trial", "trials")
        )
    })
}

/// Responses that evidence images do not have as the network gave them.
fn clipped(trials: &GammaTrials) -> Option<String> {
    let clipped = wording::clipped(trials)?;
    Some(format!(
        "At γ {}, {clipped}, since outputs were infinite or far larger than in the first block.",
        gamma(trials.gamma)
    ))
}

/// Evidence images that rounding has made too weak.
fn too_coarse(trials: &GammaTrials) -> Option<String> {
    let words = wording::too_coarse(trials)?;
    Some(format!("At γ {}, {words}.", gamma(trials.gamma)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::measured;
    use crate::session::config::Analysis;
    use crate::session::record::{self, TrialKind};

    #[test]
    fn classes_without_enough_trials_are_listed_with_the_trials_needed() {
        let session = measured();
        let record = &session.record;
        let Analysis::ClassificationImages(plan) = &session.config.analyses[0] else {
            unreachable!()
        };
        let images = record.classification_images().unwrap();
        let parts = ["2 of 10 classes have a reliable map, by decisions".to_owned()];
        let ExperimentFindings { lead, facts } =
            image_findings(record, images, plan, &parts).unwrap();
        assert_eq!(
            lead,
            "2 of 10 classes have a reliable map, by decisions: R ≥ 0.95 at the γ that shows the class best."
        );
        let without = "By decisions, 8 of 10 classes have no classification image at any γ (classes 2, 3, 4, 5, 6, 7, \
                       8 and 9); insufficient trials: 30 are needed in each cell that the image compares.";
        assert!(facts.iter().any(|fact| fact == without), "{facts:#?}");
        let called = "At γ 0.0, 240 of 480 trials (50.0 %) were called class 0, the most; 8 of 10 classes were never \
                      called.";
        assert!(facts.iter().any(|fact| fact == called), "{facts:#?}");
        let strongest = "By decisions, the strongest value of each reliable map: class 0 −";
        let strongest = facts.iter().find(|fact| fact.starts_with(strongest));
        let strongest = strongest.unwrap();
        assert!(strongest.contains("; class 1 +"), "{strongest}");
        assert!(
            strongest.ends_with("at row 3, column 16 (γ 0.0)."),
            "{strongest}"
        );
        assert!(
            facts
                .iter()
                .any(|fact| fact.contains("the reliability R of 2 maps")),
            "{facts:#?}"
        );
    }

    #[test]
    fn responses_that_were_clipped_are_told() {
        let mut session = measured();
        let record::Analysis::ClassificationImages(images) = &mut session.record.analyses[0] else {
            unreachable!()
        };
        let trials = &mut images.gammas[0];
        assert_eq!(clipped(trials), None);
        let _ = trials.estimate();
        trials.record_evidence(1.0, &TrialKind::plain(10, [1, 28, 28]));
        assert_eq!(clipped(trials), None);
        trials.evidence.as_mut().unwrap().clipped = 36;
        let words = "At γ 0.0, 36 of 4,800 responses are clipped or without a value, since outputs were infinite or \
                     far larger than in the first block.";
        assert_eq!(clipped(trials).unwrap(), words);
        let page = crate::report::summary(&session);
        let line = "36 of 4,800 responses are clipped or without a value";
        assert!(page.lines().any(|text| text == line), "{page}");
    }
}
