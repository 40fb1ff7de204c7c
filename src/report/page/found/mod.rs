//! What was found, in sentences that the numbers support: of every stage what matters most, then facts, each with
//! its number.

mod audits;
mod images;
mod others;

use maud::{Markup, html};

use super::words::capital;
use crate::figure::audit::share;
use crate::figure::headline::{NO_BETTER, headline};
use crate::format::{percent, thousands};
use crate::session::Session;
use crate::session::config::{Analysis as Plan, Weights};
use crate::session::record::{Analysis, Training};
use crate::session::run::Stage;
use crate::stats::share::Share;

/// What came of a stage.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Found {
    /// Which stage.
    pub title: String,
    /// What matters most, a sentence.
    pub lead: String,
    /// More of it, a sentence each.
    pub facts: Vec<String>,
    /// Whether it is something that a person must not overlook.
    pub warns: bool,
}

/// What one experiment says: the sentence that matters most, and others.
struct Said {
    lead: String,
    facts: Vec<String>,
}

/// The chapter.
pub(super) fn chapter(session: &Session) -> Markup {
    html! {
        @for own in found(session) {
            div.finding.warns[own.warns] {
                h3 { (own.title) }
                p.lead { @if own.warns { strong { "Warning. " } } (own.lead) }
                @if !own.facts.is_empty() {
                    ul { @for fact in &own.facts { li { (fact) } } }
                }
            }
        }
    }
}

/// What came of every stage, in the order of the plan.
pub(super) fn found(session: &Session) -> Vec<Found> {
    let stages = session.stages().into_iter().enumerate();
    stages
        .map(|(at, stage)| of_stage(session, at, &stage))
        .collect()
}

fn of_stage(session: &Session, at: usize, stage: &Stage) -> Found {
    let said = match at.checked_sub(1) {
        None => training(session),
        Some(_) if stage.done == 0 => None,
        Some(index) => experiment(session, index, &headline(session, at).parts),
    };
    let done = format!(
        "{} of {} {} done",
        thousands(stage.done),
        thousands(stage.total),
        stage.unit
    );
    let (lead, facts) = match said {
        Some(Said { lead, mut facts }) => {
            facts.extend((!stage.finished).then(|| format!("Not complete: {done}.")));
            (lead, facts)
        }
        None if stage.finished => (format!("Nothing to tell: {done}."), Vec::new()),
        None => (format!("Nothing to tell yet: {done}."), Vec::new()),
    };
    Found {
        title: title(session, at, stage),
        lead,
        facts,
        warns: headline(session, at).warns,
    }
}

/// The name of a stage; of images with their noise, since a plan may have several.
fn title(session: &Session, at: usize, stage: &Stage) -> String {
    let plan = at
        .checked_sub(1)
        .and_then(|index| session.config.analyses.get(index));
    let name = match plan {
        None if stage.name == "weights" => "The network".to_owned(),
        None => "Training".to_owned(),
        Some(Plan::ClassificationImages(plan)) => {
            format!("{}, {} noise", stage.name, plan.noise.label())
        }
        Some(_) => stage.name.clone(),
    };
    capital(&name)
}

fn experiment(session: &Session, index: usize, parts: &[String]) -> Option<Said> {
    let record = &session.record;
    match (
        record.analyses.get(index)?,
        session.config.analyses.get(index)?,
    ) {
        (Analysis::ClassificationImages(it), Plan::ClassificationImages(plan)) => {
            images::said(record, it, plan, parts)
        }
        (Analysis::Templates(it), _) => others::templates(it, parts),
        (Analysis::Attack(it), _) => others::attack(it, parts),
        (Analysis::SpikeTriggered(it), _) => others::spikes(it, parts),
        (Analysis::Modulation(it), _) => others::modulation(record, it, parts),
        (Analysis::Predictions(it), _) => others::predictions(record, it, parts),
        (Analysis::Backdoor(it), Plan::Backdoor(plan)) => audits::backdoor(it, plan, parts),
        (Analysis::Audit(it), Plan::Audit(plan)) => {
            audits::audit(record, it, plan, session.config.network.kind)
        }
        _ => None,
    }
}

/// How good the network is.
fn training(session: &Session) -> Option<Said> {
    let it = session.record.training.as_ref()?;
    let is_trained = matches!(session.config.network.weights, Weights::Train(_));
    let lead = match (it.test_accuracy, it.epochs.last()) {
        (Some(accuracy), _) => {
            let chance = if it.at_chance {
                format!(": {NO_BETTER}")
            } else {
                String::new()
            };
            format!(
                "The network is right on {} of the test images{chance}.",
                right(session, accuracy)
            )
        }
        (None, Some(last)) => format!(
            "The network is right on {} of the images held out for validation, after epoch {}.",
            percent(last.valid_accuracy),
            last.epoch
        ),
        (None, None) => return None,
    };
    let facts = if is_trained { epochs(it) } else { Vec::new() };
    Some(Said { lead, facts })
}

/// A share of the test images, with its interval where it is known how many there are.
fn right(session: &Session, accuracy: f64) -> String {
    // Images that were changed on the way are not those that it was measured on.
    let tested = match &session.record.inputs[..] {
        [only] => only.test.images,
        _ => 0,
    };
    match tested {
        0 => percent(accuracy),
        of => share(Share {
            hits: (accuracy * of as f64).round() as u64,
            of,
        }),
    }
}

fn epochs(it: &Training) -> Vec<String> {
    let best = it
        .best_epoch
        .and_then(|best| it.epochs.iter().find(|epoch| epoch.epoch == best));
    let words = best.map(|best| {
        format!(
            "Its weights are those of epoch {} of {}, the best on the images held out: {} right.",
            best.epoch,
            it.epochs.len(),
            percent(best.valid_accuracy)
        )
    });
    words.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::{measured, planned};

    #[test]
    fn what_has_not_begun_says_how_much_is_done() {
        let all = found(&planned());
        assert_eq!(all[0].title, "Training");
        assert_eq!(all[0].lead, "Nothing to tell yet: 0 of 2 epochs done.");
        assert_eq!(all[1].title, "Classification images, uniform noise");
        assert_eq!(all[1].lead, "Nothing to tell yet: 0 of 960 trials done.");
    }

    #[test]
    fn no_sentence_is_without_its_number() {
        for session in [planned(), measured()] {
            for own in found(&session) {
                for words in std::iter::once(&own.lead).chain(&own.facts) {
                    assert!(words.contains(|c: char| c.is_ascii_digit()), "{words}");
                    assert!(words.ends_with('.'), "{words}");
                }
            }
        }
    }

    #[test]
    fn an_accuracy_has_its_interval_where_the_images_were_counted() {
        let mut session = measured();
        let lead = |session: &Session| found(session)[0].lead.clone();
        assert_eq!(
            lead(&session),
            "The network is right on 98.2 % of the test images."
        );
        let inputs = crate::session::record::Inputs {
            test: crate::session::record::Split {
                images: 10_000,
                ..Default::default()
            },
            ..Default::default()
        };
        session.record.inputs = vec![inputs];
        assert_eq!(
            lead(&session),
            "The network is right on 98.2 % (98.0–98.5) of the test images."
        );
        session.record.training.as_mut().unwrap().at_chance = true;
        assert!(lead(&session).ends_with(": NO BETTER THAN CHANCE."));
        assert!(found(&session)[0].warns);
    }
}
