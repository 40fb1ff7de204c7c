//! A whole session on a page of 80 columns: what it is, where it stands, what came out.

use super::status;
use crate::figure::headline::headline;
use crate::format::{count, duration, percent, percent_to, thousands};
use crate::session::Session;
use crate::session::config::{Analysis, Weights};
use crate::session::record::Analysis as Measured;
use crate::session::record::{ClassificationImages, FedBack, GammaTrials, State, Training};
use crate::stats::classification::{ClassEstimate, Estimate};

/// What `attach --plain` prints, with a line end.
pub fn summary(session: &Session) -> String {
    let mut page = vec![title(session)];
    page.extend(
        facts(session)
            .into_iter()
            .map(|(name, text)| format!("  {name:<9} {text}")),
    );
    let plans = session.config.analyses.iter();
    for (index, (plan, record)) in plans.zip(&session.record.analyses).enumerate() {
        page.push(String::new());
        match (plan, record) {
            (Analysis::ClassificationImages(plan), Measured::ClassificationImages(record)) => {
                let weighting = plan.weighting.label();
                let weighting = weighting.map_or_else(String::new, |label| format!(", {label}"));
                page.push(format!(
                    "classification images, {} noise{weighting}",
                    plan.noise.label()
                ));
                page.extend(images(record, plan.trials, session));
            }
            _ => page.extend(other(session, index)),
        }
    }
    page.push(String::new());
    page.join("\n")
}

/// How far another experiment is, and what came of it.
fn other(session: &Session, index: usize) -> Vec<String> {
    let plan = &session.config.analyses[index];
    let (done, total) = session.record.analyses[index].progress(plan);
    let stands = match (done, total) {
        (0, _) => "not started".to_owned(),
        (done, total) if done >= total => format!("{} {}", thousands(done), plan.unit()),
        (done, total) => format!(
            "{} of {} {}",
            thousands(done),
            thousands(total),
            plan.unit()
        ),
    };
    let mut lines = vec![format!("{}, {stands}", plan.label())];
    if done > 0 {
        let parts = headline(session, index + 1).parts;
        lines.extend(parts.iter().map(|part| format!("  {part}")));
    }
    lines
}

fn title(session: &Session) -> String {
    let name = &session.name;
    let word = status::word(session);
    match status::state(session) {
        State::New | State::Stopped => format!("{name}  {word}, noisescope run {name} goes on"),
        State::Failed(message) => format!("{name}  {word}: {}", message.replace('\n', " ")),
        State::Running if word == "paused" => {
            format!("{name}  {word}, noisescope continue {name} goes on")
        }
        State::Running | State::Finished => format!("{name}  {word}"),
    }
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
    let network = config.network.kind.label();
    fact(
        "network",
        match status::parameters(session) {
            Some(parameters) => format!("{network}, {} parameters", thousands(parameters as u64)),
            None => network.into(),
        },
    );
    match &config.network.weights {
        Weights::Train(plan) => fact(
            "training",
            trained(session.record.training.as_ref(), plan.epochs),
        ),
        Weights::File(path) => fact("weights", imported(session.record.training.as_ref(), path)),
    }
    fact("worked", duration(session.record.elapsed_s));
    if let Some(problem) = session.run.as_ref().and_then(|run| run.problem.as_ref()) {
        fact("warning", problem.replace('\n', " "));
    }
    facts
}

fn imported(training: Option<&Training>, path: &std::path::Path) -> String {
    let score = training.and_then(|it| it.test_accuracy);
    let score = score.map(|share| format!(", test accuracy {}", percent_to(share, 2)));
    format!("from {}{}", path.display(), score.unwrap_or_default())
}

fn trained(training: Option<&Training>, most: usize) -> String {
    let Some(it) = training else {
        return "not started".into();
    };
    let epochs = it.epochs.len();
    let mut parts = Vec::new();
    if !it.finished {
        parts.push(format!("{epochs} of {most} epochs"));
    }
    match (it.test_accuracy, it.epochs.last()) {
        (Some(share), _) => parts.push(format!("test accuracy {}", percent_to(share, 2))),
        (None, Some(last)) => parts.push(format!("validation {}", percent(last.valid_accuracy))),
        (None, None) => {}
    }
    parts.extend(
        it.best_epoch
            .map(|best| format!("best epoch {best} of {epochs}")),
    );
    parts.join(", ")
}

fn images(it: &ClassificationImages, planned: u64, session: &Session) -> Vec<String> {
    let mut lines = Vec::new();
    let mut insufficient = None;
    for gamma in &it.gammas {
        lines.push(String::new());
        if gamma.trials == 0 {
            lines.push(format!("γ {:?}  no trials yet", gamma.gamma));
            continue;
        }
        let estimate = gamma.estimate();
        if estimate.classes.iter().any(|class| !class.sufficient) {
            insufficient = Some(gamma.min_trials);
        }
        lines.extend(table(gamma, &estimate, planned, session));
    }
    if let Some(least) = insufficient {
        lines.push(String::new());
        lines.push(format!(
            "insufficient: an image needs {least} trials in each cell that it compares"
        ));
    }
    lines
}

fn table(
    gamma: &GammaTrials,
    estimate: &Estimate,
    planned: u64,
    session: &Session,
) -> Vec<String> {
    let name = |class: usize| session.record.class_name(class);
    let names: Vec<String> = (0..gamma.classes()).map(name).collect();
    let lengths = names.iter().map(|name| name.chars().count());
    let width = lengths.fold("class".len(), usize::max);
    let mut lines = vec![
        format!(
            "γ {:?}  {} of {} trials  pixels: |z| > {:.2}",
            gamma.gamma,
            thousands(estimate.trials),
            thousands(planned),
            estimate.threshold
        ),
        format!(
            "{:<width$}  {:>6}  {:>7}  {:>11}  {:>8}  {:>7}  fed back as",
            "class", "called", "share", "reliability", "SNR", "pixels"
        ),
    ];
    let classes = names.iter().zip(&estimate.classes).zip(&gamma.fed_back);
    for ((name, class), fed_back) in classes {
        let share = class.called as f64 / estimate.trials.max(1) as f64;
        let line = format!(
            "{name:<width$}  {:>6}  {:>7}  {:<30}  {}",
            count(class.called as f64),
            percent(share),
            figures(gamma, estimate, class),
            called(fed_back.as_ref(), &names)
        );
        lines.push(line.trim_end().into());
    }
    lines
}

/// Reliability, SNR and significant pixels, or why there are none: 30 columns.
fn figures(gamma: &GammaTrials, estimate: &Estimate, class: &ClassEstimate) -> String {
    if !class.sufficient {
        let has = smallest_cell(gamma.gamma, estimate.trials, class);
        return format!(
            "insufficient ({} of {} trials)",
            count(has as f64),
            count(gamma.min_trials as f64)
        );
    }
    let number = |value: Option<f64>| match value {
        Some(value) if value.is_finite() => format!("{value:.2}"),
        _ => "–".into(),
    };
    let pixels = class
        .significant
        .map_or("–".into(), |pixels| pixels.to_string());
    format!(
        "{:>11}  {:>8}  {pixels:>7}",
        number(class.reliability),
        number(class.snr)
    )
}

/// Trials in the smallest of the cells that the class's image compares.
fn smallest_cell(gamma: f64, trials: u64, class: &ClassEstimate) -> u64 {
    if gamma == 0.0 {
        return class.called.min(trials - class.called);
    }
    class.cells.into_iter().min().unwrap_or(0)
}

fn called(fed_back: Option<&FedBack>, names: &[String]) -> String {
    match fed_back {
        Some(said) => {
            let name = names.get(said.class).map_or("?", String::as_str);
            format!("{name} ({:.2})", said.confidence)
        }
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::{finished, measured};
    use crate::session::{Config, Form, config};

    #[test]
    fn a_finished_session_on_a_page() {
        let page = summary(&finished());
        for line in [
            "mine  finished",
            "  device    flex · 2 workers",
            "  data set  MNIST, embedded",
            "  network   mlp, 795,010 parameters",
            "  training  test accuracy 98.25 %, best epoch 2 of 2",
            "  worked    4 min 55 s",
            "classification images, uniform noise",
            "γ 0.5  no trials yet",
            "insufficient: an image needs 30 trials in each cell that it compares",
        ] {
            assert!(page.lines().any(|it| it == line), "{line}\n{page}");
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

    #[test]
    fn a_page_has_eighty_columns_also_with_long_names() {
        let mut session = measured();
        let clothes = config::DatasetName::FashionMnist;
        session.record.form = Some(Form {
            classes: clothes.class_names(10),
            ..Form::numbered([1, 28, 28], 10)
        });
        let page = summary(&session);
        assert!(page.contains("Trouser (0.75)"), "{page}");
        for line in page.lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
    }

    #[test]
    fn a_new_session_says_what_is_missing() {
        let page = summary(&Session::new("mine", Config::default()));
        assert!(
            page.starts_with("mine  new, noisescope run mine goes on\n"),
            "{page}"
        );
        assert!(page.contains("  device    none yet"), "{page}");
        assert!(page.contains("  training  not started"), "{page}");
        assert!(page.contains("γ 0.3  no trials yet"), "{page}");
    }
}
