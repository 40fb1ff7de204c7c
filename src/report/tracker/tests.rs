//! Tests of the differ: every event is reported once, at the right time.

use super::super::tests::{epoch, finished, measured, planned, running};
use super::*;
use crate::ids::Gamma;
use crate::session::record::TrainingRecord;

fn differ(style: Style) -> EventTracker {
    EventTracker::new(style, Path::new("sessions/mine.ron"))
}

fn names(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| event.kind.name()).collect()
}

fn at(phase: Phase, done: u64) -> Session {
    let mut session = planned();
    session.run = Some(running(phase, done));
    session
}

#[test]
fn the_same_session_twice_reports_nothing_new() {
    let mut differ = differ(Style::Json);
    let session = at(Phase::Working(0), 0);
    assert_eq!(names(&differ.lines(&session, 0.0)), ["started", "progress"]);
    assert!(differ.lines(&session, 9.0).is_empty());
}

#[test]
fn a_starting_engine_reports_nothing_yet() {
    assert!(
        differ(Style::Json)
            .lines(&at(Phase::Starting, 0), 0.0)
            .is_empty()
    );
}

#[test]
fn every_epoch_is_reported_once_however_many_arrive_together() {
    let mut differ = differ(Style::Json);
    let mut session = at(Phase::Working(0), 0);
    differ.lines(&session, 0.0);
    session.record.training = Some(TrainingRecord {
        epochs: vec![epoch(1), epoch(2)],
        ..Default::default()
    });
    assert_eq!(names(&differ.lines(&session, 0.1)), ["epoch", "epoch"]);
    assert!(differ.lines(&session, 0.2).is_empty());
}

#[test]
fn progress_is_reported_at_most_once_per_interval() {
    for (style, expected) in [(Style::Json, 10), (Style::Plain, 2)] {
        let mut differ = differ(style);
        let mut times = Vec::new();
        for step in 0..40 {
            let mut session = at(Phase::Working(1), 2);
            let run = session.run.as_mut().unwrap();
            run.stages[0].seconds = 0.0;
            run.stages[1].done = step;
            let events = differ.lines(&session, step as f64 / 4.0);
            times.extend(
                events
                    .into_iter()
                    .filter(|event| event.kind.name() == "progress")
                    .map(|event| event.t),
            );
        }
        assert_eq!(times.len(), expected, "{style:?} {times:?}");
        assert!(
            times
                .windows(2)
                .all(|pair| pair[1] - pair[0] >= style.interval_s())
        );
    }
}

#[test]
fn the_end_of_a_stage_is_reported_whatever_the_interval() {
    let mut differ = differ(Style::Json);
    differ.lines(&at(Phase::Working(0), 0), 0.0);
    let events = differ.lines(&at(Phase::Working(1), 2), 0.1);
    let EventKind::Progress(last) = &events[0].kind else {
        panic!("{events:?}");
    };
    assert_eq!((last.stage.as_str(), last.done), ("training", 2));
}

#[test]
fn a_resumed_run_reports_only_what_is_new() {
    let mut differ = differ(Style::Json);
    let mut session = measured();
    assert!(differ.lines(&session, 0.0).is_empty());
    let mut run = running(Phase::Working(1), 2);
    run.stages[0].seconds = 0.0;
    run.stages[1].done = 480;
    session.run = Some(run);
    let events = differ.lines(&session, 1.0);
    assert_eq!(names(&events), ["started", "progress"]);
}

#[test]
fn each_gamma_is_reported_when_its_trials_are_done() {
    let mut differ = differ(Style::Json);
    differ.lines(&at(Phase::Working(1), 0), 0.0);
    let mut session = measured();
    session.run = at(Phase::Working(1), 0).run;
    let events = differ.lines(&session, 0.1);
    assert_eq!(names(&events), ["epoch", "epoch", "result", "result"]);
    let EventKind::Result(StageResult::ClassificationImages {
        gamma,
        predicted,
        sufficient,
        reliability,
        ..
    }) = &events[3].kind
    else {
        panic!("{events:?}");
    };
    assert_eq!(
        (*gamma, predicted[1], sufficient[1]),
        (Gamma::NOISE, 240, true)
    );
    assert_eq!((sufficient[9], reliability[9]), (false, None));
}

#[test]
fn a_checkpoint_names_the_file() {
    let mut differ = differ(Style::Json);
    let mut session = at(Phase::Working(0), 0);
    differ.lines(&session, 0.0);
    session.run.as_mut().unwrap().checkpoint = Some(Checkpoint {
        at: 1,
        bytes: 4096,
        millis: 3.0,
    });
    let events = differ.lines(&session, 0.1);
    let expected = EventKind::Checkpoint {
        path: "sessions/mine.ron".into(),
        bytes: 4096,
    };
    assert_eq!(events[0].kind, expected);
    assert!(differ.lines(&session, 0.2).is_empty());
}

#[test]
fn warnings_are_reported_once_even_if_the_log_drops_its_beginning() {
    let line = |text: &str, warning| LogLine {
        at: 0,
        text: text.into(),
        warning,
    };
    let mut differ = differ(Style::Json);
    let mut session = at(Phase::Working(0), 0);
    differ.lines(&session, 0.0);
    let run = session.run.as_mut().unwrap();
    run.log = vec![line("hot", true), line("fine", false), line("hot", true)];
    run.problem = Some("hot".into());
    assert_eq!(names(&differ.lines(&session, 0.1)), ["warning", "warning"]);
    let run = session.run.as_mut().unwrap();
    run.log.remove(0);
    run.log.push(line("hot", true));
    assert_eq!(names(&differ.lines(&session, 0.2)), ["warning"]);
    session.run.as_mut().unwrap().problem = Some("the disk is full".into());
    let events = differ.lines(&session, 0.3);
    let message = "the disk is full".into();
    assert_eq!(events[0].kind, EventKind::Warning { message });
}

#[test]
fn a_pause_is_reported_in_plain_style_only() {
    for (style, expected) in [
        (Style::Plain, [vec!["paused"], vec!["continued"]]),
        (Style::Json, [vec![], vec![]]),
    ] {
        let mut differ = differ(style);
        differ.lines(&at(Phase::Working(0), 0), 0.0);
        assert_eq!(
            names(&differ.lines(&at(Phase::Paused(0), 0), 0.1)),
            expected[0]
        );
        assert_eq!(
            names(&differ.lines(&at(Phase::Working(0), 0), 0.2)),
            expected[1]
        );
    }
}

#[test]
fn the_final_event_is_reported_once() {
    for (phase, name) in [
        (Phase::Stopped, "stopped"),
        (Phase::Finished, "finished"),
        (Phase::Failed("no disk".into()), "failed"),
    ] {
        let mut differ = differ(Style::Json);
        differ.lines(&at(Phase::Working(0), 0), 0.0);
        let session = at(phase, 1);
        assert_eq!(names(&differ.lines(&session, 0.1)), ["progress", name]);
        assert!(differ.is_over());
        assert!(differ.lines(&session, 0.2).is_empty());
        assert!(differ.final_events(&session, 0.3).is_empty());
    }
}

#[test]
fn a_read_only_session_has_a_final_event_too() {
    let mut differ = EventTracker::for_file(Style::Json, Path::new("mine.ron"));
    let events = differ.final_events(&finished(), 0.0);
    assert_eq!(names(&events).last(), Some(&"finished"));
    let mut differ = EventTracker::for_file(Style::Json, Path::new("mine.ron"));
    let events = differ.final_events(&measured(), 0.0);
    assert_eq!(names(&events).last(), Some(&"stopped"));
}
