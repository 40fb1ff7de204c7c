//! Tests of the report's lines, and the sample sessions used in tests.

use std::future::Future;

use serde_json::Value;

use super::*;
use crate::ids::{BlockIndex, ClassId, Gamma};
use crate::session::config::{self, Config, NetworkKind, WeightSource};
use crate::session::record::{
    Analysis, BlockSums, ClassificationImages, Epoch, FedBack, SavedState, TrainingRecord,
    TrialKind,
};
use crate::session::run::{Phase, Run, Stage};
use crate::session::{Form, Record, Session};

/// An epoch with numbers that binary fractions hold exactly.
pub(super) fn epoch(epoch: usize) -> Epoch {
    Epoch {
        epoch,
        train_loss: 0.25,
        train_accuracy: 0.875,
        valid_loss: 0.5,
        valid_accuracy: 0.75,
        lr: 0.0005,
    }
}

/// A session with nothing done: an MLP, two epochs, γ 0 and 0.5 with 480 trials each.
pub(super) fn planned() -> Session {
    let mut config = Config::default();
    config.network.kind = NetworkKind::Mlp;
    let WeightSource::Train(training) = &mut config.network.weights else {
        unreachable!()
    };
    training.epochs = 2;
    config.analyses = vec![config::Analysis::ClassificationImages(
        config::ClassificationImages {
            gammas: vec![Gamma(0.0), Gamma(0.5)],
            trials: 480,
            responses: vec![config::Response::Decision],
            ..Default::default()
        },
    )];
    Session {
        record: Record::new(&config),
        ..Session::new("mine", config)
    }
}

/// The same with training done and all trials at γ 0: 2 blocks, called 0 or 1 equally often.
pub(super) fn measured() -> Session {
    let mut session = planned();
    session.record.images = Some("embedded".into());
    session.record.devices = vec!["flex · 2 workers".into()];
    session.record.elapsed_s = 295.0;
    session.record.training = Some(TrainingRecord {
        parameters: 795_010,
        finished: true,
        test_accuracy: Some(0.9825),
        best_epoch: Some(2),
        epochs: vec![epoch(1), epoch(2)],
        ..Default::default()
    });
    let form = Form::numbered([1, 28, 28], 10);
    let config::Analysis::ClassificationImages(plan) = &session.config.analyses[0] else {
        unreachable!()
    };
    let kind = TrialKind::plain(form.class_count(), form.shape());
    let mut images = ClassificationImages::with_trials(plan, &kind);
    session.record.form = Some(form);
    for block in BlockIndex::first(2) {
        let mut counts = vec![0; 100];
        (counts[0], counts[1]) = (120, 120);
        let bright = |from: usize| -> Vec<i64> {
            let pixels = (0..784).map(|p| if p >= from { 6_000_000 } else { 1_000_000 });
            pixels.collect()
        };
        // All have true class 0.
        let shown = bright(700).into_iter().zip(bright(100)).map(|(a, b)| a + b);
        images.gammas[0].add(&BlockSums {
            block,
            trials: 240,
            counts,
            noise: vec![
                (0, bright(700)),
                (1, bright(100)),
                (10, shown.collect()),
                (20, bright(700)),
            ],
            image: vec![],
            ..Default::default()
        });
    }
    images.gammas[0].fed_back[1] = Some(FedBack {
        class: ClassId(1),
        confidence: 0.75,
    });
    session.record.analyses[0] = Analysis::ClassificationImages(images);
    session
}

/// The same in the finished state, although γ 0.5 was not measured.
pub(super) fn finished() -> Session {
    let mut session = measured();
    session.record.state = SavedState::Finished;
    session
}

/// The same with an attack that had nothing to measure.
pub(super) fn without_attack() -> Session {
    let mut session = finished();
    let attack = config::Analysis::Attack(config::Attack::default());
    session.record.analyses.push(Analysis::new(&attack));
    session.config.analyses.push(attack);
    session
}

/// The status in `phase`, with a training stage of which `done` of two epochs are done.
pub(super) fn running(phase: Phase, done: u64) -> Run {
    Run {
        phase,
        device: "flex · 2 workers".into(),
        images: "embedded".into(),
        parameters: 795_010,
        stages: vec![
            Stage {
                name: "training".into(),
                unit: "epochs".into(),
                done,
                total: 2,
                finished: done == 2,
                per_second: Some(2900.0),
                eta_s: None,
                seconds: 1.0,
            },
            Stage {
                name: "classification images".into(),
                unit: "trials".into(),
                total: 960,
                ..Default::default()
            },
        ],
        ..Default::default()
    }
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

fn objects(out: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(out).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn names(objects: &[Value]) -> Vec<&str> {
    objects
        .iter()
        .map(|object| object["event"].as_str().unwrap())
        .collect()
}

#[test]
fn a_live_run_is_reported_to_its_end() {
    let (link, end) = Link::local(planned());
    let mut session = planned();
    let mut out = Vec::new();
    let engine = async {
        for phase in [Phase::Starting, Phase::Working(0), Phase::Finished] {
            let done = if phase.is_over() { 2 } else { 0 };
            session.run = Some(running(phase, done));
            if done == 2 {
                session.record.training = measured().record.training;
            }
            end.sessions.send_replace(Arc::new(session.clone()));
            tokio::task::yield_now().await;
        }
    };
    let report = report_run(link, Style::Json, Path::new("s/mine.ron"), &mut out);
    wait(async { tokio::join!(report, engine) }).0.unwrap();
    let events = objects(&out);
    assert_eq!(
        names(&events),
        [
            "started", "progress", "epoch", "epoch", "progress", "result", "finished"
        ]
    );
    assert_eq!(events[0]["parameters"], 795_010);
    assert!(events[0]["form"].is_null());
    assert!(events.iter().all(|object| object["t"].is_number()));
}

#[test]
fn an_engine_that_vanishes_is_a_failure() {
    let mut session = planned();
    session.run = Some(running(Phase::Working(0), 0));
    let (link, end) = Link::local(session);
    let mut out = Vec::new();
    let report = report_run(link, Style::Json, Path::new("mine.ron"), &mut out);
    wait(async { tokio::join!(report, async { drop(end) }) })
        .0
        .unwrap();
    assert_eq!(names(&objects(&out)), ["started", "progress", "failed"]);
}

#[test]
fn a_read_only_session_is_reported_from_its_beginning() {
    let mut out = Vec::new();
    let link = Link::read_only(finished());
    wait(report_run(
        link,
        Style::Json,
        Path::new("mine.ron"),
        &mut out,
    ))
    .unwrap();
    let events = objects(&out);
    assert_eq!(
        names(&events),
        ["started", "epoch", "epoch", "result", "result", "finished"]
    );
    assert_eq!(events[0]["form"]["classes"][9], "9");
    assert_eq!(events[3]["stage"], "training");
    assert_eq!(events[4]["predicted"][1], 240);
    assert!(events[4]["reliability"][9].is_null());
}

#[test]
fn plain_style_writes_lines_of_text() {
    let mut out = Vec::new();
    let link = Link::read_only(finished());
    wait(report_run(
        link,
        Style::Plain,
        Path::new("mine.ron"),
        &mut out,
    ))
    .unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(text.contains("test accuracy 98.25 %"), "{text}");
    assert!(
        text.ends_with("finished  view it: noisescope attach mine\n"),
        "{text}"
    );
}

#[test]
fn a_closed_output_is_an_error_of_its_own() {
    struct Closed;
    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let link = Link::read_only(finished());
    let left = wait(report_run(
        link,
        Style::Json,
        Path::new("mine.ron"),
        &mut Closed,
    ));
    assert!(matches!(left, Err(ReportError::Gone)));
}

#[test]
fn an_experiment_that_a_finished_run_has_not_begun_had_nothing_to_measure() {
    let line = |session: &Session| {
        let page = summary(session);
        let mut lines = page.lines();
        lines
            .find(|line| line.starts_with("attack"))
            .map(str::to_owned)
    };
    let mut session = without_attack();
    let finished = Some("attack, had nothing to measure");
    assert_eq!(line(&session).as_deref(), finished);
    session.record.state = SavedState::Stopped;
    assert_eq!(line(&session).as_deref(), Some("attack, not started"));
}
