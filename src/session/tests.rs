//! Tests of a session's progress, and of whether anything is lost with it.

use super::config::{Analysis as Plan, WeightSource};
use super::record::{
    Analysis, BlockProgress, ClassificationImages, Epoch, PartialEpoch, Predictions,
    TrainingRecord, TrialKind,
};
use super::*;
use crate::ids::Gamma;

/// A training of so many epochs.
fn trained(epochs: usize) -> TrainingRecord {
    let epoch = |epoch: usize| Epoch {
        epoch,
        train_loss: 0.5,
        train_accuracy: 0.5,
        valid_loss: 0.5,
        valid_accuracy: 0.5,
        lr: 0.5,
    };
    TrainingRecord {
        finished: true,
        epochs: (1..=epochs).map(epoch).collect(),
        ..TrainingRecord::default()
    }
}

fn predictions(done: u64) -> Analysis {
    Analysis::Predictions(Predictions {
        progress: BlockProgress {
            blocks: Vec::new(),
            done,
            total: 9,
        },
        splits: Vec::new(),
    })
}

/// Predictions between two sets of classification images: of 100 trials at each of two γ, and of 300 at one.
fn begun() -> Session {
    let images = |gammas: &[f64], trials: u64| config::ClassificationImages {
        gammas: gammas.iter().copied().map(Gamma).collect(),
        trials,
        ..config::ClassificationImages::default()
    };
    let (two, one) = (images(&[0.0, 0.3], 100), images(&[0.0], 300));
    let kind = TrialKind::plain(2, [1, 1, 1]);
    let done = |plan: &config::ClassificationImages, trials: &[u64]| {
        let mut images = ClassificationImages::with_trials(plan, &kind);
        for (of_gamma, &trials) in images.gammas.iter_mut().zip(trials) {
            of_gamma.trials = trials;
        }
        Analysis::ClassificationImages(images)
    };
    let analyses = vec![done(&two, &[40, 2]), predictions(7), done(&one, &[300])];
    let plan = Config {
        analyses: vec![
            Plan::ClassificationImages(two),
            Plan::Predictions(config::Predictions::default()),
            Plan::ClassificationImages(one),
        ],
        ..Config::default()
    };
    let mut session = Session::new("mine", plan);
    session.record.training = Some(trained(3));
    session.record.analyses = analyses;
    session
}

#[test]
fn trials_are_those_of_all_classification_images_and_of_nothing_else() {
    let mut session = begun();
    assert_eq!(session.trials(), (342, 500));
    session.record.analyses[0] = Analysis::new(&session.config.analyses[0]);
    assert_eq!(session.trials(), (300, 500));
}

#[test]
fn once_all_trials_are_done_the_stages_that_are_open_are_named() {
    let mut session = begun();
    assert_eq!(session.open_after_trials(), None, "trials are open");
    let Analysis::ClassificationImages(images) = &mut session.record.analyses[0] else {
        panic!("the plan begins with images");
    };
    for trials in &mut images.gammas {
        trials.trials = 100;
    }
    assert_eq!(session.trials(), (500, 500));
    assert_eq!(session.open_after_trials().as_deref(), Some("predictions"));
    session.record.analyses[1] = predictions(9);
    assert_eq!(session.open_after_trials(), None);
    let plan = Config {
        analyses: vec![Plan::Predictions(Default::default())],
        ..Config::default()
    };
    let without_trials = Session::new("mine", plan);
    assert_eq!(without_trials.trials(), (0, 0));
    assert_eq!(without_trials.open_after_trials(), None);
}

#[test]
fn the_stages_are_the_network_and_then_every_experiment() {
    let stage = |name: &str, unit: &str, (done, total): (u64, u64), finished: bool| Stage {
        name: name.into(),
        unit: unit.into(),
        done,
        total,
        finished,
        ..Stage::default()
    };
    let mut session = begun();
    assert_eq!(
        session.stages(),
        [
            stage("training", "epochs", (3, 15), true),
            stage("classification images", "trials", (42, 200), false),
            stage("predictions", "images", (7, 9), false),
            stage("classification images", "trials", (300, 300), true),
        ]
    );
    session.config.network.weights = WeightSource::File("model.pt".into());
    let weights = stage("weights", "file", (1, 1), true);
    assert_eq!(session.stages()[0], weights);
    session.record.training = None;
    let weights = stage("weights", "file", (0, 1), false);
    assert_eq!(session.stages()[0], weights);
}

#[test]
fn nothing_is_lost_with_a_session_that_failed_before_anything_was_trained_or_measured() {
    let plan = Config {
        analyses: vec![Plan::Predictions(config::Predictions::default())],
        ..Config::default()
    };
    let mut failed = Session::new("mine", plan);
    failed.record.state = SavedState::Failed("there is no such folder".into());
    assert!(failed.failed_with_nothing());
    // The network was built, but no batch was trained.
    failed.record.training = Some(TrainingRecord::default());
    assert!(failed.failed_with_nothing());
    let after = |change: fn(&mut Session)| {
        let mut session = failed.clone();
        change(&mut session);
        session.failed_with_nothing()
    };
    assert!(!after(|it| it.record.state = SavedState::Stopped));
    assert!(!after(|it| it.record.analyses = vec![predictions(1)]));
    assert!(!after(|it| it.record.training = Some(trained(1))));
    assert!(!after(|it| {
        let training = it.record.training.as_mut().unwrap();
        training.partial = PartialEpoch {
            batches: 1,
            ..PartialEpoch::default()
        };
    }));
    // Weights from a file are not lost.
    assert!(after(|it| {
        it.config.network.weights = WeightSource::File("model.pt".into());
        it.record.training = Some(trained(1));
    }));
}

#[test]
fn no_stage_is_the_current_one_before_the_first_run_and_after_the_last() {
    let mut session = begun();
    let current = |session: &Session| session.current_stage().map(|stage| stage.name);
    assert_eq!(current(&session), None, "not run yet");
    session.record.state = SavedState::Stopped;
    assert_eq!(current(&session).as_deref(), Some("classification images"));
    // An engine measures the predictions: what comes before and is not done has nothing to measure.
    session.run = Some(Run {
        phase: run::Phase::Working(2),
        ..Run::default()
    });
    assert_eq!(current(&session).as_deref(), Some("predictions"));
    session.run = None;
    session.record.state = SavedState::Finished;
    assert_eq!(current(&session), None, "everything is done");
}
