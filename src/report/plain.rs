//! Plain style: an event as one text line.

use super::event::{EpochEvent, Event, EventKind, ProgressEvent, StageResult, StartEvent};
use crate::figure::headline::CHANCE_WARNING;
use crate::format::{
    bytes, clean, clean_lines, count, duration, fixed, learning_rate, percent, percent_to, rate,
    thousands, with_ascii_minus,
};

/// One line, or several for an error of several, without a line end. The numbers of successive lines of a stage are aligned.
pub(super) fn line(event: &Event) -> String {
    let text = match &event.kind {
        EventKind::Started(start) => started(start),
        EventKind::Epoch(values) => epoch(values),
        EventKind::Progress(stage) => progress(stage),
        EventKind::Checkpoint { path, bytes: size } => join(["checkpoint", path, &bytes(*size)]),
        EventKind::Result(outcome) => result(outcome),
        EventKind::Warning { message } => join(["warning", message]),
        EventKind::Note { message } => join(["note", message]),
        EventKind::Paused => "paused".into(),
        EventKind::Continued => "continues".into(),
        EventKind::Stopped { message } => join(["stopped", message]),
        EventKind::Finished { message } => join(["finished", message]),
        EventKind::Failed { message } => return join(["failed", &clean_lines(message)]),
    };
    // It may quote files of any name.
    clean(&with_ascii_minus(&text))
}

fn join<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    parts.into_iter().collect::<Vec<_>>().join("  ")
}

fn started(start: &StartEvent) -> String {
    let mut parts = vec![start.name.clone()];
    parts.push(match &start.images {
        Some(images) => format!("{}, {images}", start.dataset),
        None => start.dataset.clone(),
    });
    parts.push(match start.parameters {
        Some(parameters) => format!(
            "{}, {} parameters",
            start.network,
            thousands(parameters as u64)
        ),
        None => start.network.into(),
    });
    parts.extend(start.device.clone());
    parts.extend(
        start
            .memory
            .map(|size| format!("memory about {}", bytes(size))),
    );
    parts.push(format!("seed {}", start.seed));
    parts.join("  ")
}

fn epoch(epoch: &EpochEvent) -> String {
    let number = match epoch.of {
        Some(total) => format!("{:>1$}/{total}", epoch.epoch, total.to_string().len()),
        None => epoch.epoch.to_string(),
    };
    let mut parts = vec![
        format!("training  epoch {number}"),
        format!("loss {:.3}", epoch.train_loss),
        format!("accuracy {:>7}", percent(epoch.train_accuracy)),
        format!("validation {:>7}", percent(epoch.valid_accuracy)),
        format!("lr {:<7}", learning_rate(epoch.lr)),
    ];
    parts.extend(epoch.per_second.map(|speed| rate(speed, "images")));
    parts.join("  ").trim_end().into()
}

fn progress(progress: &ProgressEvent) -> String {
    let width = count(progress.total as f64).chars().count();
    let done = format!("{:>width$}", count(progress.done as f64));
    let mut parts = vec![progress.stage.clone()];
    // A total is unknown until the stage has planned its work.
    match (progress.done, progress.total) {
        (0, 0) => {}
        (_, 0) => parts.push(format!("{done} {}", progress.unit)),
        (_, total) => parts.push(format!(
            "{done} / {} {}",
            count(total as f64),
            progress.unit
        )),
    }
    let counted = match progress.unit.as_str() {
        "epochs" => "images",
        unit => unit,
    };
    parts.extend(progress.per_second.map(|speed| rate(speed, counted)));
    let left = progress.eta_s.filter(|_| progress.done < progress.total);
    parts.extend(left.map(|eta| format!("{} left", duration(eta))));
    parts.join("  ")
}

fn result(outcome: &StageResult) -> String {
    match outcome {
        StageResult::Training {
            test_accuracy,
            best_epoch,
            at_chance,
            ..
        } => {
            // Weights from a file were trained elsewhere.
            let head = match best_epoch {
                Some(_) => "training  done",
                None => "weights  read",
            };
            let mut parts = vec![head.to_string()];
            let beside = if *at_chance {
                format!(", {CHANCE_WARNING}")
            } else {
                String::new()
            };
            parts.extend(
                test_accuracy
                    .map(|share| format!("test accuracy {}{beside}", percent_to(share, 2))),
            );
            parts.extend(best_epoch.map(|epoch| format!("best epoch {epoch}")));
            parts.join("  ")
        }
        StageResult::Analysis { stage, summary } => {
            let mut parts = vec![format!("{stage}  done")];
            parts.extend(summary.iter().cloned());
            parts.join("  ")
        }
        StageResult::ClassificationImages {
            gamma,
            trials,
            sufficient,
            reliability,
            evidence_reliability,
            listed,
            names,
            ..
        } => {
            let enough = sufficient.iter().filter(|enough| **enough).count();
            let mut parts = vec![
                format!("classification images  γ {:?}", gamma.0),
                format!("{} trials", count(*trials as f64)),
                format!("{enough} of {listed} classes have enough"),
            ];
            parts.extend(ends(names, reliability).map(|ends| format!("reliability {ends}")));
            let evidence = evidence_reliability
                .iter()
                .find_map(|values| ends(names, values));
            parts.extend(evidence.map(|ends| format!("by evidence {ends}")));
            parts.join("  ")
        }
    }
}

/// The lowest and highest reliability, with their classes; `None` if there are none.
fn ends(names: &[String], reliability: &[Option<f64>]) -> Option<String> {
    let known = || {
        let all = names.iter().zip(reliability);
        all.filter_map(|(name, value)| Some((name, (*value)?)))
    };
    let by_value = |a: &(&String, f64), b: &(&String, f64)| a.1.total_cmp(&b.1);
    let words = |(name, value): (&String, f64)| format!("{} ({name})", fixed(value, 2));
    let (low, high) = (known().min_by(by_value)?, known().max_by(by_value)?);
    Some(format!("{} to {}", words(low), words(high)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Gamma;

    fn plain(what: EventKind) -> String {
        line(&Event { t: 0.0, kind: what })
    }

    #[test]
    fn an_error_of_several_lines_keeps_them() {
        let message = "export it:\n  model.eval()".into();
        let failed = plain(EventKind::Failed { message });
        assert_eq!(failed, "failed  export it:\n  model.eval()");
    }

    #[test]
    fn an_epoch_is_one_line() {
        let mut values = EpochEvent {
            epoch: 3,
            train_loss: 0.0812,
            train_accuracy: 0.975,
            valid_loss: 0.1,
            valid_accuracy: 0.971,
            lr: 0.000_731,
            of: Some(10),
            per_second: Some(2911.0),
        };
        assert_eq!(
            plain(EventKind::Epoch(values)),
            "training  epoch  3/10  loss 0.081  accuracy  97.5 %  validation  97.1 %  lr 0.00073  2,900 images/s"
        );
        (values.of, values.per_second) = (None, None);
        assert!(plain(EventKind::Epoch(values)).ends_with("lr 0.00073"));
    }

    #[test]
    fn progress_without_a_known_total_has_no_share_of_it() {
        let mut values = ProgressEvent {
            stage: "audit".into(),
            done: 0,
            total: 0,
            per_second: None,
            eta_s: None,
            unit: "images".into(),
        };
        assert_eq!(plain(EventKind::Progress(values.clone())), "audit");
        values.done = 256;
        assert_eq!(plain(EventKind::Progress(values)), "audit  256 images");
    }

    #[test]
    fn progress_is_one_line_of_eighty_columns() {
        let mut values = ProgressEvent {
            stage: "classification images".into(),
            done: 1_210_000,
            total: 4_000_000,
            per_second: Some(9432.0),
            eta_s: Some(295.0),
            unit: "trials".into(),
        };
        let line = plain(EventKind::Progress(values.clone()));
        assert_eq!(
            line,
            "classification images  1.21 M / 4.00 M trials  9,400 trials/s  4 min 55 s left"
        );
        assert!(line.chars().count() <= 80);
        (values.done, values.per_second, values.eta_s) = (256, None, None);
        assert_eq!(
            plain(EventKind::Progress(values)),
            "classification images     256 / 4.00 M trials"
        );
    }

    #[test]
    fn a_result_is_one_line() {
        let training = |at_chance| StageResult::Training {
            test_accuracy: Some(0.9885),
            at_chance,
            best_epoch: Some(7),
            parameters: 431_080,
        };
        assert_eq!(
            plain(EventKind::Result(training(false))),
            "training  done  test accuracy 98.85 %  best epoch 7"
        );
        assert_eq!(
            plain(EventKind::Result(training(true))),
            "training  done  test accuracy 98.85 %, NO BETTER THAN CHANCE  best epoch 7"
        );
        let from_a_file = StageResult::Training {
            test_accuracy: Some(0.9885),
            at_chance: false,
            best_epoch: None,
            parameters: 431_080,
        };
        assert_eq!(
            plain(EventKind::Result(from_a_file)),
            "weights  read  test accuracy 98.85 %"
        );
        let images = StageResult::ClassificationImages {
            gamma: Gamma(0.0),
            trials: 1_000_000,
            predicted: vec![999_999, 1, 0],
            sufficient: vec![true, false, true],
            reliability: vec![Some(0.912), None, Some(-0.031)],
            evidence_reliability: Some(vec![Some(0.97), Some(0.9), Some(0.95)]),
            listed: 3,
            names: vec!["class 0".into(), "class 1".into(), "Dress".into()],
        };
        assert_eq!(
            plain(EventKind::Result(images)),
            "classification images  γ 0.0  1.00 M trials  2 of 3 classes have enough  reliability -0.03 (Dress) to 0.91 (class 0)  by evidence 0.90 (class 1) to 0.97 (class 0)"
        );
    }

    #[test]
    fn a_message_of_two_lines_is_joined_into_one() {
        let message = "the disk is full\nfree some".into();
        assert_eq!(
            plain(EventKind::Warning { message }),
            "warning  the disk is full free some"
        );
    }

    #[test]
    fn a_line_cannot_control_the_terminal() {
        let message = "cats\u{1b}[2J cannot be read".into();
        assert_eq!(
            plain(EventKind::Warning { message }),
            "warning  cats?[2J cannot be read"
        );
    }
}
