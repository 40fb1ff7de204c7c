//! Tests of what a file that cannot be read is, and of what differs between two plans.

use super::*;
use crate::session::config::{Analysis, ClassificationImages, Predictions};
use crate::session::record::TrainingRecord;

/// A change of a plan.
type Change = fn(&mut Config);

#[test]
fn what_a_file_is_instead_of_a_session_is_said() {
    for (text, words) in [
        ("", "it is empty"),
        (" \n", "it is empty"),
        ("hello", "it is not a session"),
        ("(version: 7, record: (", "it is truncated after 22 bytes"),
        ("(version: 8, anything: [1])", "written by a newer"),
        ("(version: 7, config: (sed: 1))", "it.ron:1:"),
    ] {
        let error = from_text(text, Path::new("it.ron"), "it").unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn an_edited_place_of_a_plan_is_named_and_the_checkpoint_interval_may_change() {
    let plan = Config {
        analyses: vec![
            Analysis::ClassificationImages(ClassificationImages::default()),
            Analysis::Predictions(Predictions::default()),
        ],
        ..Config::default()
    };
    let ran = ron::to_string(&plan).unwrap();
    let cases: &[(Change, &str)] = &[
        (|it| it.checkpoint_s = 1.0, ""),
        (|it| it.seed = 2, "seed"),
        (|it| it.dataset = None, "dataset"),
        (|it| it.network.output = Some("a".into()), "network"),
        (
            |it| {
                it.analyses[1] = Analysis::Predictions(Predictions {
                    block: 1,
                    ..Predictions::default()
                })
            },
            "analyses[1]",
        ),
        (|it| it.analyses.truncate(1), "analyses"),
    ];
    for (change, place) in cases {
        let mut now = plan.clone();
        change(&mut now);
        assert_eq!(edited(&ran, &now).unwrap_or_default(), *place);
    }
    assert_eq!(edited("(seed: one)", &plan).as_deref(), Some("plan"));
}

#[test]
fn a_record_of_another_plan_is_refused_with_the_reason() {
    let config = Config::default();
    let mut record = Record::new(&config);
    let problem = |record: &Record| record_mismatch(record, &config).unwrap_or_default();
    record.training = Some(TrainingRecord {
        best_epoch: Some(1),
        ..TrainingRecord::default()
    });
    assert_eq!(problem(&record), "its best epoch does not exist");
    record.training = Some(TrainingRecord {
        best_epoch: Some(0),
        ..TrainingRecord::default()
    });
    assert_eq!(problem(&record), "");
    record.analyses.clear();
    assert_eq!(
        problem(&record),
        "its record has 0 analyses, but its plan has 1"
    );
}
