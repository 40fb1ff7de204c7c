//! The summary of a session in 80 columns: what it is, its state and its results.

mod images;
mod notes;
mod strongest;

use super::session_status::SessionStatus;
use super::status;
use crate::figure::headline::{CHANCE_WARNING, headline};
use crate::figure::wording;
use crate::format::{clean, clean_lines, duration, percent, percent_to, thousands};
use crate::session::Session;
use crate::session::config::{Analysis, Grain, WeightSource};
use crate::session::record::Analysis as Measured;
use crate::session::record::TrainingRecord;
use crate::session::store::now;

/// The output of `attach --plain` for a session as in its file, with a line end.
pub fn summary(session: &Session) -> String {
    summary_with_status(session, &SessionStatus::from_session(session, None))
}

/// The same for a session whose state has been judged.
pub fn summary_with_status(session: &Session, standing: &SessionStatus) -> String {
    let first = standing.first_line(session, now());
    let facts = facts(session).into_iter();
    let facts = facts.map(|(name, text)| format!("  {name:<9} {text}"));
    let mut page: Vec<String> = facts.collect();
    let plans = session.config.analyses.iter();
    for (index, (plan, record)) in plans.zip(&session.record.analyses).enumerate() {
        page.push(String::new());
        match (plan, record) {
            (Analysis::ClassificationImages(plan), Measured::ClassificationImages(record)) => {
                let weighting = plan.weighting.label();
                let weighting = weighting.map_or_else(String::new, |label| format!(", {label}"));
                page.push(format!(
                    "classification images, {} noise{}{weighting}",
                    plan.noise.label(),
                    grain(plan.grain())
                ));
                page.extend(images::images(&session.record, plan, record));
                page.extend(strongest::strongest(&session.record, record));
            }
            _ => page.extend(other(session, index, standing)),
        }
    }
    page.extend(notes::notes(&session.record));
    page.push(String::new());
    // A session's names may come from anyone's file, and the page goes to a terminal.
    let page: Vec<String> = page.iter().map(|line| clean(line)).collect();
    format!("{}\n{}", clean_lines(&first), page.join("\n"))
}

/// The grain of the noise.
fn grain(grain: Grain) -> String {
    let cells = match grain.cell {
        1 => String::new(),
        cell => format!(" in cells of {cell}×{cell}"),
    };
    let grey = if grain.grey {
        ", the same in all channels"
    } else {
        ""
    };
    cells + grey
}

/// The progress and results of any other experiment.
fn other(session: &Session, index: usize, standing: &SessionStatus) -> Vec<String> {
    let plan = &session.config.analyses[index];
    let (done, total) = session.record.analyses[index].progress(plan);
    let state = match (done, total) {
        (0, _) if *standing == SessionStatus::Finished => "had nothing to measure".to_owned(),
        (0, _) => "not started".to_owned(),
        (done, total) if done >= total => format!("{} {}", thousands(done), plan.unit()),
        (done, total) => format!(
            "{} of {} {}",
            thousands(done),
            thousands(total),
            plan.unit()
        ),
    };
    let mut lines = vec![format!("{}, {state}", plan.label())];
    if done > 0 {
        let parts = headline(session, index + 1).parts;
        // An audit's results are sentences.
        let width = match plan {
            Analysis::Audit(_) => 78,
            _ => usize::MAX,
        };
        lines.extend(parts.iter().flat_map(|part| wrapped(part, width)));
    }
    if matches!(plan, Analysis::Backdoor(_)) {
        let remark = "the study trains its own networks; Audit(()) examines the plan's network";
        lines.push(format!("  {remark}"));
    }
    lines
}

/// Wraps a part of the results to lines of `width` columns, indented.
fn wrapped(part: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in part.split(' ') {
        let last = lines.len() - 1;
        let line = &mut lines[last];
        let room = line.chars().count() + 1 + word.chars().count() <= width - 2;
        match (line.is_empty(), room) {
            (true, _) => line.push_str(word),
            (false, true) => {
                line.push(' ');
                line.push_str(word);
            }
            (false, false) => lines.push(format!("  {word}")),
        }
    }
    lines.into_iter().map(|line| format!("  {line}")).collect()
}

fn facts(session: &Session) -> Vec<(&'static str, String)> {
    let config = &session.config;
    let mut facts = Vec::new();
    let mut fact = |name, text| facts.push((name, text));
    fact(
        "device",
        status::device(session).unwrap_or("none yet").into(),
    );
    let dataset = config.dataset_label();
    fact(
        "data set",
        match status::images(session) {
            Some(images) => format!("{dataset}, {images}"),
            None => dataset.into(),
        },
    );
    if let Some(form) = &session.record.form {
        let classes = clean(&form.classes_in_words().replacen("there are ", "", 1));
        let (size, count) = (form.size_in_words(), form.class_count());
        let text = format!("{size}, {count} classes: {classes}");
        // Fits in a line of 80 columns with its label.
        fact("images", wording::truncate(&text, 68));
    }
    let network = clean(&config.network.label());
    fact(
        "network",
        match status::parameters(session) {
            Some(parameters) => format!("{network}, {} parameters", thousands(parameters as u64)),
            None => network,
        },
    );
    match &config.network.weights {
        WeightSource::Train(plan) => fact(
            "training",
            trained(session.record.training.as_ref(), plan.epochs),
        ),
        WeightSource::File(path) => {
            fact("weights", imported(session.record.training.as_ref(), path))
        }
    }
    fact("run time", duration(session.record.elapsed_s));
    if let Some(changes) = session
        .record
        .inputs
        .len()
        .checked_sub(1)
        .filter(|&n| n > 0)
    {
        let times = if changes == 1 {
            "once"
        } else {
            "several times"
        };
        fact(
            "warning",
            format!("its images or weights were changed {times} during the run"),
        );
    }
    if let Some(problem) = session.run.as_ref().and_then(|run| run.problem.as_ref()) {
        fact("warning", problem.replace('\n', " "));
    }
    facts
}

fn imported(training: Option<&TrainingRecord>, path: &std::path::Path) -> String {
    let score = training.and_then(|training| training.test_accuracy);
    let score = score.map(|share| format!(", test accuracy {}", percent_to(share, 2)));
    let chance = training.filter(|training| training.at_chance);
    let chance = chance.map_or_else(String::new, |_| format!(", {CHANCE_WARNING}"));
    format!(
        "from {}{}{chance}",
        path.display(),
        score.unwrap_or_default()
    )
}

fn trained(training: Option<&TrainingRecord>, most: usize) -> String {
    let Some(training) = training else {
        return "not started".into();
    };
    let epochs = training.epochs.len();
    let mut parts = Vec::new();
    if !training.finished {
        parts.push(format!("{epochs} of {most} epochs"));
    }
    match (training.test_accuracy, training.epochs.last()) {
        (Some(share), _) => {
            parts.push(format!("test accuracy {}", percent_to(share, 2)));
            parts.extend(training.at_chance.then(|| CHANCE_WARNING.to_owned()));
        }
        (None, Some(last)) => parts.push(format!("validation {}", percent(last.valid_accuracy))),
        (None, None) => {}
    }
    parts.extend(
        training
            .best_epoch
            .map(|best| format!("best epoch {best} of {epochs}")),
    );
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{BlockIndex, ClassId};
    use crate::report::tests::{finished, measured, planned};
    use crate::session::record::{self, BlockSums, TrialKind};
    use crate::session::{Config, Form, config};

    #[test]
    fn the_page_of_a_finished_session_has_its_settings_and_results() {
        let page = summary(&finished());
        for line in [
            "mine  finished",
            "  device    flex · 2 workers",
            "  data set  MNIST, embedded",
            "  network   mlp, 795,010 parameters",
            "  training  test accuracy 98.25 %, best epoch 2 of 2",
            "  run time  4 min 55 s",
            "classification images, uniform noise",
            "γ 0.5  no trials yet",
            "insufficient: an image by decisions needs 30 trials in each cell it compares",
        ] {
            assert!(page.lines().any(|text| text == line), "{line}\n{page}");
        }
        assert!(
            page.contains("γ 0.0  480 of 480 trials  pixels: |z| > 4.00"),
            "{page}"
        );
        assert!(page.contains("insufficient (0 of 30 trials)"), "{page}");
        let one = page
            .lines()
            .find(|line| line.starts_with("1 "))
            .unwrap_or_default();
        assert!(one.ends_with("1 (0.75)"), "{page}");
    }

    /// Class 1 is called where pixels from the 100th on are bright, and class 0 from the 700th on.
    #[test]
    fn the_strongest_value_of_a_reliable_map_has_its_place() {
        let page = summary(&measured());
        let at = page.find("strongest value of each reliable map, by decisions");
        let lines: Vec<&str> = page[at.unwrap()..].lines().skip(1).collect();
        assert_eq!(lines.len(), 2, "{page}");
        let place = "at row 3, column 16, γ 0.0";
        assert!(lines[0].starts_with("  0  −") && lines[0].ends_with(place));
        assert!(lines[1].starts_with("  1  +") && lines[1].ends_with(place));
        assert!(!summary(&planned()).contains("strongest"));
    }

    #[test]
    fn a_page_has_eighty_columns_even_with_long_names() {
        let mut session = measured();
        let name = config::DatasetName::FashionMnist;
        session.record.form = Some(Form {
            classes: name.class_names(10),
            ..Form::numbered([1, 28, 28], 10)
        });
        let page = summary(&session);
        assert!(page.contains("Trouser (0.75)"), "{page}");
        assert!(
            page.contains("  images    28×28 grey, 10 classes: T-shirt/top, Trouser"),
            "{page}"
        );
        for line in page.lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
    }

    /// A hundred classes, all but the last called equally often; the listed ones have maps, whose halves
    /// become less similar from class to class.
    fn many(listed: Vec<ClassId>) -> Session {
        let mut session = planned();
        let form = Form::numbered([3, 2, 3], 100);
        let kind = TrialKind {
            listed: listed.clone(),
            ..TrialKind::plain(100, form.shape())
        };
        session.record.form = Some(form);
        let config::Analysis::ClassificationImages(plan) = &mut session.config.analyses[0] else {
            unreachable!()
        };
        plan.trials = 19_800;
        let mut images = record::ClassificationImages::with_trials(plan, &kind);
        for block in BlockIndex::first(2) {
            let mut counts = vec![0; 100 * 100];
            (0..99).for_each(|class| counts[class] = 100);
            let noise = listed.iter().enumerate().filter(|(_, class)| class.0 < 99);
            let noise = noise.map(|(place, &class)| {
                let value = |pixel: usize| {
                    let half = (pixel * class.0 + 3 * block.0 as usize * pixel) % 7;
                    100 * (30_000 + 50 * ((pixel * class.0) % 11) + 10 * half) as i64
                };
                (place, (0..18).map(value).collect())
            });
            images.gammas[0].add(&BlockSums {
                block,
                trials: 9_900,
                counts,
                noise: noise.collect(),
                ..Default::default()
            });
        }
        session.record.analyses[0] = record::Analysis::ClassificationImages(images);
        session
    }

    #[test]
    fn of_a_hundred_classes_the_extremes_have_rows_and_the_rest_are_counted() {
        let page = summary(&many(ClassId::all(100).collect()));
        for line in [
            "not listed: 79 classes between the 10 most and the 10 least reliable",
            "not listed: 1 class without a reliability",
        ] {
            assert!(page.lines().any(|text| text == line), "{line}\n{page}");
        }
        let counted = "100 classes: 99 with enough trials, ";
        assert!(page.lines().any(|text| text.starts_with(counted)), "{page}");
        assert!(page.lines().count() < 60, "{page}");
        for line in page.lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
    }

    #[test]
    fn classes_without_maps_in_the_plan_are_counted_and_not_called_insufficient() {
        let page = summary(&many(vec![ClassId(3), ClassId(50)]));
        let line = "the plan has no maps of 98 other classes, called 19,400 times";
        assert!(page.lines().any(|text| text == line), "{page}");
        assert!(
            page.contains("\n3      ") && page.contains("\n50     "),
            "{page}"
        );
        assert!(!page.contains("insufficient"), "{page}");
    }

    #[test]
    fn a_decision_whose_probability_is_unknown_is_named_alone() {
        let mut session = measured();
        let record::Analysis::ClassificationImages(images) = &mut session.record.analyses[0] else {
            unreachable!()
        };
        let back = images.gammas[0].fed_back[1].as_mut().unwrap();
        (back.class, back.confidence) = (ClassId(7), f64::NAN);
        let page = summary(&session);
        let line = page.lines().find(|line| line.starts_with("1 ")).unwrap();
        assert!(line.ends_with("  7"), "{line}");
    }

    #[test]
    fn names_in_a_session_cannot_control_the_terminal() {
        let mut session = measured();
        session.config.dataset = Some(config::Dataset {
            name: config::DatasetName::Own("cats\u{1b}[2J".into()),
            ..Default::default()
        });
        session.config.network.weights = WeightSource::File("a\u{1b}]0;b\u{7}.pt".into());
        session.record.devices = vec!["flex\u{9b}1m".into()];
        let page = summary(&session);
        for part in ["cats?[2J, embedded", "from a?]0;b?.pt", "flex?1m"] {
            assert!(page.contains(part), "{part}\n{page}");
        }
        let controls = |letter: char| letter.is_control() && letter != '\n';
        assert!(!page.contains(controls), "{page:?}");
    }

    #[test]
    fn a_new_session_says_what_is_missing() {
        let page = summary(&Session::new("mine", Config::default()));
        assert!(
            page.starts_with("mine  new; run it: noisescope run mine\n"),
            "{page}"
        );
        assert!(page.contains("  device    none yet"), "{page}");
        assert!(page.contains("  training  not started"), "{page}");
        assert!(page.contains("γ 0.3  no trials yet"), "{page}");
    }
}
