//! What classification images and evidence images say of the classes.

use super::Said;
use crate::figure::audit::share;
use crate::figure::choice::{self, RELIABLE};
use crate::figure::names::of_class;
use crate::format::{gamma, percent, reliability, thousands};
use crate::report::page::responses;
use crate::report::page::words::{classes, counted, sentence};
use crate::session::config::{self, Response};
use crate::session::record::{ClassificationImages, FedBack, GammaTrials, Record};
use crate::stats::share::Share;

/// Most signal strengths of which is told what trials were called.
const MOST_GAMMAS: usize = 8;

/// The map of a class at the γ that shows it best.
struct Best<'a> {
    class: usize,
    trials: &'a GammaTrials,
    reliability: Option<f64>,
    interval: Option<[f64; 2]>,
    significant: usize,
    pixels: usize,
}

pub(super) fn said(
    record: &Record,
    it: &ClassificationImages,
    plan: &config::ClassificationImages,
    parts: &[String],
) -> Option<Said> {
    let head = parts.first()?;
    let mut facts = Vec::new();
    for by in responses(it) {
        let maps = best(it, by);
        facts.extend(ends(record, &maps, by));
        facts.extend(significant(record, &maps, by));
        facts.extend(lacking(record, it, &maps, by));
        facts.extend(fed_back(&maps, by));
    }
    let begun = it.gammas.iter().filter(|own| own.trials > 0);
    facts.extend(begun.take(MOST_GAMMAS).map(|own| called(record, own)));
    facts.extend(it.gammas.iter().filter_map(dropped));
    if let Some(target) = plan.target {
        let reached = it.gammas.iter().filter(|own| own.reached).count();
        facts.push(format!(
            "The reliability of {} that was aimed at was reached before all trials were used up at {reached} of {} γ.",
            reliability(target),
            it.gammas.len()
        ));
    }
    let lead = sentence(&format!(
        "{head}: R ≥ {RELIABLE} at the γ that shows the class best"
    ));
    Some(Said { lead, facts })
}

/// Every class that has a map by a response, at the γ that shows it best.
fn best(it: &ClassificationImages, by: Response) -> Vec<Best<'_>> {
    let all = it.gammas.first().map_or(0, GammaTrials::classes);
    let of_class = |class: usize| {
        let trials = it.gammas.get(choice::best(it, by, class, None))?;
        if trials.trials == 0 {
            return None;
        }
        let estimate = trials.estimate();
        let map = estimate.classes.get(class)?.image(by)?;
        Some(Best {
            class,
            trials,
            reliability: map.reliability,
            interval: map.reliability_interval,
            significant: map.significant,
            pixels: map.z.len(),
        })
    };
    (0..all).filter_map(of_class).collect()
}

/// The least and the most reliable map.
fn ends(record: &Record, maps: &[Best<'_>], by: Response) -> Option<String> {
    let known = || maps.iter().filter_map(|it| Some((it, it.reliability?)));
    let (low, least) = known().min_by(|a, b| a.1.total_cmp(&b.1))?;
    let (high, most) = known().max_by(|a, b| a.1.total_cmp(&b.1))?;
    let words = |it: &Best<'_>, r: f64| {
        let ends = it
            .interval
            .map(|[low, high]| format!("95 % {} to {}, ", reliability(low), reliability(high)));
        format!(
            "{} ({}{}, γ {})",
            reliability(r),
            ends.unwrap_or_default(),
            of_class(record, it.class),
            gamma(it.trials.gamma)
        )
    };
    Some(match known().count() {
        1 => format!(
            "By {}, the reliability R of the one map is {}.",
            by.label(),
            words(high, most)
        ),
        many => format!(
            "By {}, the reliability R of {many} maps lies between {} and {}.",
            by.label(),
            words(low, least),
            words(high, most)
        ),
    })
}

/// How many pixels of a map tell something.
fn significant(record: &Record, maps: &[Best<'_>], by: Response) -> Option<String> {
    let least = maps.iter().min_by_key(|it| it.significant)?;
    let most = maps.iter().max_by_key(|it| it.significant)?;
    let article = match by {
        Response::Decision => "a",
        Response::Evidence => "an",
    };
    let of = format!(
        "of the {} values of {article} {} are significant, at 5 % for the whole map",
        thousands(most.pixels as u64),
        by.image_label()
    );
    let words = |it: &Best<'_>| {
        format!(
            "{} ({})",
            thousands(it.significant as u64),
            of_class(record, it.class)
        )
    };
    Some(match least.class == most.class {
        true => format!("{} {of}.", words(most)),
        false => format!("{} to {} {of}.", words(least), words(most)),
    })
}

/// The classes that the plan asks for and that have no map at any γ, and what it takes.
fn lacking(
    record: &Record,
    it: &ClassificationImages,
    maps: &[Best<'_>],
    by: Response,
) -> Option<String> {
    let first = it.gammas.iter().find(|own| own.trials > 0)?;
    let has = |class: &usize| maps.iter().any(|map| map.class == *class);
    let without: Vec<usize> = first
        .listed
        .iter()
        .copied()
        .filter(|class| !has(class))
        .collect();
    if without.is_empty() {
        return None;
    }
    let least = first.min_trials;
    let why = match by {
        Response::Decision => {
            format!("insufficient trials: it takes {least} in each cell that the image compares")
        }
        Response::Evidence => format!("fewer than {least} trials, or an output that never changes"),
    };
    Some(format!(
        "By {}, {} of {} have no {} at any γ ({}); {why}.",
        by.label(),
        without.len(),
        counted(first.listed.len() as u64, "class", "classes"),
        by.image_label(),
        classes(record, &without)
    ))
}

/// What the network says of its own images.
fn fed_back(maps: &[Best<'_>], by: Response) -> Option<String> {
    let own = |map: &Best<'_>| -> Option<FedBack> {
        let all = match by {
            Response::Decision => &map.trials.fed_back,
            Response::Evidence => &map.trials.evidence_fed_back,
        };
        *all.get(map.class)?
    };
    let shown: Vec<(usize, FedBack)> = maps
        .iter()
        .filter_map(|map| Some((map.class, own(map)?)))
        .collect();
    if shown.is_empty() {
        return None;
    }
    let right = shown.iter().filter(|(class, said)| said.class == *class);
    let what = match by {
        Response::Decision => "mean stimuli of the classes that have a classification image",
        Response::Evidence => "evidence images",
    };
    Some(format!(
        "Fed back to the network, {} of {} {what} are called their own class.",
        right.count(),
        shown.len()
    ))
}

/// What the trials at one γ were called.
fn called(record: &Record, own: &GammaTrials) -> String {
    let estimate = own.estimate();
    let all = estimate.trials;
    let most = estimate
        .classes
        .iter()
        .enumerate()
        .max_by_key(|(class, said)| (said.called, std::cmp::Reverse(*class)));
    let mut words = format!("At γ {}, ", gamma(own.gamma));
    if let Some((class, said)) = most {
        words += &format!(
            "{} of {} ({}) were called {}, the most",
            thousands(said.called),
            counted(all, "trial", "trials"),
            percent(said.called as f64 / all.max(1) as f64),
            of_class(record, class)
        );
    }
    let never = estimate
        .classes
        .iter()
        .filter(|said| said.called == 0)
        .count();
    if never > 0 {
        words += &format!(
            "; {never} of {} classes were never called",
            estimate.classes.len()
        );
    }
    if own.gamma > 0.0 {
        let side = estimate.classes.len();
        let right = estimate.counts.iter().step_by(side + 1);
        let right = Share {
            hits: right.sum(),
            of: all,
        };
        words += &format!("; {} were called what their image shows", share(right));
    }
    words + "."
}

/// Trials that were not counted.
fn dropped(own: &GammaTrials) -> Option<String> {
    (own.dropped > 0).then(|| {
        format!(
            "At γ {}, {} of {} did not count, since the network was not confident enough.",
            gamma(own.gamma),
            thousands(own.dropped),
            counted(own.trials, "trial", "trials")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::measured;
    use crate::session::config::Analysis;

    #[test]
    fn classes_without_enough_trials_are_said_with_what_it_takes() {
        let session = measured();
        let record = &session.record;
        let Analysis::ClassificationImages(plan) = &session.config.analyses[0] else {
            unreachable!()
        };
        let it = record.classification_images().unwrap();
        let parts = ["2 of 10 classes have a reliable map, by decisions".to_owned()];
        let Said { lead, facts } = said(record, it, plan, &parts).unwrap();
        assert_eq!(
            lead,
            "2 of 10 classes have a reliable map, by decisions: R ≥ 0.95 at the γ that shows the class best."
        );
        let without = "By decisions, 8 of 10 classes have no classification image at any γ (classes 2, 3, 4, 5, 6, 7, \
                       8 and 9); insufficient trials: it takes 30 in each cell that the image compares.";
        assert!(facts.iter().any(|fact| fact == without), "{facts:#?}");
        let called = "At γ 0.0, 240 of 480 trials (50.0 %) were called class 0, the most; 8 of 10 classes were never \
                      called.";
        assert!(facts.iter().any(|fact| fact == called), "{facts:#?}");
        assert!(
            facts
                .iter()
                .any(|fact| fact.contains("the reliability R of 2 maps")),
            "{facts:#?}"
        );
    }
}
