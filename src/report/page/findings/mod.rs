//! Findings, in sentences backed by numbers: for every stage a lead sentence, then facts.

mod audits;
mod images;
mod others;

use maud::{Markup, html};

use super::words::capital;
use crate::figure::audit::share_with_interval;
use crate::figure::headline::{CHANCE_WARNING, headline};
use crate::format::{percent, thousands};
use crate::report::SessionStatus;
use crate::session::Session;
use crate::session::config::{Analysis as Plan, WeightSource};
use crate::session::record::{Analysis, TrainingRecord};
use crate::session::run::Stage;
use crate::stats::share::Share;

/// The findings of a stage.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct StageFindings {
    /// The stage.
    pub title: String,
    /// The main finding, a sentence.
    pub lead: String,
    /// Further findings, a sentence each.
    pub facts: Vec<String>,
    /// Whether it is a warning.
    pub warns: bool,
}

/// The findings of one experiment: a lead sentence, and facts.
struct ExperimentFindings {
    lead: String,
    facts: Vec<String>,
}

/// The chapter.
pub(super) fn chapter(session: &Session) -> Markup {
    html! {
        @for finding in stage_findings(session) {
            div.finding.warns[finding.warns] {
                h3 { (finding.title) }
                p.lead { @if finding.warns { strong { "Warning. " } } (finding.lead) }
                @if !finding.facts.is_empty() {
                    ul { @for fact in &finding.facts { li { (fact) } } }
                }
            }
        }
    }
}

/// The findings of every stage, in the order of the plan.
pub(super) fn stage_findings(session: &Session) -> Vec<StageFindings> {
    let stages = session.stages().into_iter().enumerate();
    stages
        .map(|(index, stage)| stage_finding(session, index, &stage))
        .collect()
}

fn stage_finding(session: &Session, stage_index: usize, stage: &Stage) -> StageFindings {
    let findings = match stage_index.checked_sub(1) {
        None => training(session),
        Some(_) if stage.done == 0 => None,
        Some(index) => experiment(session, index, &headline(session, stage_index).parts),
    };
    let done = format!(
        "{} of {} {} done",
        thousands(stage.done),
        thousands(stage.total),
        stage.unit
    );
    let (lead, facts) = match findings {
        Some(ExperimentFindings { lead, mut facts }) => {
            facts.extend((!stage.finished).then(|| format!("Not complete: {done}.")));
            (lead, facts)
        }
        None if stage.finished => (format!("No findings: {done}."), Vec::new()),
        None if SessionStatus::from_session(session, None) == SessionStatus::Finished => {
            ("It had nothing to measure.".to_owned(), Vec::new())
        }
        None => (format!("No findings yet: {done}."), Vec::new()),
    };
    StageFindings {
        title: title(session, stage_index, stage),
        lead,
        facts,
        warns: headline(session, stage_index).is_warning,
    }
}

/// The title of a stage; for images with their noise, since a plan may have several.
fn title(session: &Session, stage_index: usize, stage: &Stage) -> String {
    let plan = stage_index
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

fn experiment(session: &Session, index: usize, parts: &[String]) -> Option<ExperimentFindings> {
    let record = &session.record;
    match (
        record.analyses.get(index)?,
        session.config.analyses.get(index)?,
    ) {
        (Analysis::ClassificationImages(images), Plan::ClassificationImages(plan)) => {
            images::image_findings(record, images, plan, parts)
        }
        (Analysis::Templates(templates), _) => others::templates(templates, parts),
        (Analysis::Attack(attack), _) => others::attack(attack, parts),
        (Analysis::SpikeTriggered(spikes), _) => others::spikes(spikes, parts),
        (Analysis::Modulation(modulation), _) => others::modulation(record, modulation, parts),
        (Analysis::Predictions(predictions), _) => others::predictions(record, predictions, parts),
        (Analysis::Backdoor(backdoor), Plan::Backdoor(plan)) => {
            audits::backdoor(backdoor, plan, parts)
        }
        (Analysis::Audit(audit), Plan::Audit(plan)) => {
            audits::audit(record, audit, plan, session.config.network.kind)
        }
        _ => None,
    }
}

/// How good the network is: its accuracy.
fn training(session: &Session) -> Option<ExperimentFindings> {
    let training = session.record.training.as_ref()?;
    let is_trained = matches!(session.config.network.weights, WeightSource::Train(_));
    let lead = match (training.test_accuracy, training.epochs.last()) {
        (Some(accuracy), _) => {
            let chance = if training.at_chance {
                format!(": {CHANCE_WARNING}")
            } else {
                String::new()
            };
            format!(
                "The network is correct on {} of the test images{chance}.",
                accuracy_text(session, accuracy)
            )
        }
        (None, Some(last)) => format!(
            "The network is correct on {} of the images held out for validation, after epoch {}.",
            percent(last.valid_accuracy),
            last.epoch
        ),
        (None, None) => return None,
    };
    let facts = if is_trained {
        epochs(training)
    } else {
        Vec::new()
    };
    Some(ExperimentFindings { lead, facts })
}

/// A share of the test images, with its interval if their number is known.
fn accuracy_text(session: &Session, accuracy: f64) -> String {
    // If the images were changed, the accuracy may have been measured on the earlier ones.
    let tested = match &session.record.inputs[..] {
        [only] => only.test.images,
        _ => 0,
    };
    match tested {
        0 => percent(accuracy),
        total => share_with_interval(Share {
            hits: (accuracy * total as f64).round() as u64,
            total,
        }),
    }
}

fn epochs(training: &TrainingRecord) -> Vec<String> {
    let best = training
        .best_epoch
        .and_then(|best| training.epochs.iter().find(|epoch| epoch.epoch == best));
    let words = best.map(|best| {
        format!(
            "Its weights are those of epoch {} of {}, the best on the held-out images: {} correct.",
            best.epoch,
            training.epochs.len(),
            percent(best.valid_accuracy)
        )
    });
    words.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::{measured, planned, without_attack};
    use crate::session::record::SavedState;

    #[test]
    fn a_stage_without_findings_says_how_much_is_done() {
        let all = stage_findings(&planned());
        assert_eq!(all[0].title, "Training");
        assert_eq!(all[0].lead, "No findings yet: 0 of 2 epochs done.");
        assert_eq!(all[1].title, "Classification images, uniform noise");
        assert_eq!(all[1].lead, "No findings yet: 0 of 960 trials done.");
    }

    #[test]
    fn a_stage_that_a_finished_run_has_not_begun_had_nothing_to_measure() {
        let lead = |session: &Session| stage_findings(session)[2].lead.clone();
        let mut session = without_attack();
        assert_eq!(lead(&session), "It had nothing to measure.");
        session.record.state = SavedState::Stopped;
        assert_eq!(lead(&session), "No findings yet: 0 of 0 queries done.");
    }

    #[test]
    fn no_sentence_is_without_its_number() {
        for session in [planned(), measured()] {
            for finding in stage_findings(&session) {
                for words in std::iter::once(&finding.lead).chain(&finding.facts) {
                    assert!(words.contains(|c: char| c.is_ascii_digit()), "{words}");
                    assert!(words.ends_with('.'), "{words}");
                }
            }
        }
    }

    #[test]
    fn an_accuracy_has_its_interval_where_the_images_were_counted() {
        let mut session = measured();
        let lead = |session: &Session| stage_findings(session)[0].lead.clone();
        assert_eq!(
            lead(&session),
            "The network is correct on 98.2 % of the test images."
        );
        let inputs = crate::session::record::Inputs {
            test: crate::session::record::SplitFingerprint {
                images: 10_000,
                ..Default::default()
            },
            ..Default::default()
        };
        session.record.inputs = vec![inputs];
        assert_eq!(
            lead(&session),
            "The network is correct on 98.2 % (98.0–98.5) of the test images."
        );
        session.record.training.as_mut().unwrap().at_chance = true;
        assert!(lead(&session).ends_with(": NO BETTER THAN CHANCE."));
        assert!(stage_findings(&session)[0].warns);
    }
}
