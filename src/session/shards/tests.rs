//! Tests of division: what a shard begins with, which sessions belong to a division, and their sum.

use super::*;
use crate::ids::Gamma;
use crate::session::Array;
use crate::session::config::{ClassificationImages, Extension, Split};
use crate::session::form::Form;
use crate::session::record::{
    Analysis, BlockProgress, ClassificationImages as Images, Inputs, Model, NetworkWeights,
    Predictions, SplitCounts, SplitFingerprint, TrainingRecord, TrialKind,
};
use crate::session::run::{Run, ShardState, ShardStatus};

/// A change of a session.
type Change = fn(&mut Session);

/// Predictions of so many images out of nine, in blocks of one image.
fn predictions(done: u64) -> Analysis {
    Analysis::Predictions(Predictions {
        progress: BlockProgress {
            blocks: vec![done],
            done,
            total: 9,
        },
        splits: vec![SplitCounts::new(Split::Test, &Form::numbered([1, 1, 1], 2))],
    })
}

fn inputs(images: u64) -> Inputs {
    Inputs {
        test: SplitFingerprint {
            images,
            sha256: "ab".into(),
        },
        ..Inputs::default()
    }
}

fn trained(weight: f32) -> Option<TrainingRecord> {
    let tensor = ("fc1.weight".to_owned(), Array::new(&[1], vec![weight]));
    Some(TrainingRecord {
        finished: true,
        best: NetworkWeights {
            tensors: vec![tensor],
        },
        ..TrainingRecord::default()
    })
}

fn start(at: i64, program: &str) -> Start {
    Start {
        at,
        program: program.into(),
    }
}

/// A session of these analyses.
fn session(analyses: Vec<Plan>) -> Session {
    let config = Config {
        analyses,
        ..Config::default()
    };
    Session::new("mine", config)
}

/// A session with a trained network and one of nine images done, divided in two.
fn divided() -> Session {
    let mut whole = session(vec![Plan::Predictions(config::Predictions::default())]);
    let record = &mut whole.record;
    record.training = trained(0.5);
    record.inputs = vec![inputs(60)];
    record.images = Some("embedded".into());
    record.form = Some(Form::numbered([1, 1, 1], 2));
    record.model = Some(Model {
        path: "a.onnx".into(),
        sha256: "cd".into(),
        file: Array::new(&[1], vec![7]),
    });
    record.analyses = vec![predictions(1)];
    whole.divide(2, "0.1.0").unwrap();
    whole
}

fn first_shard(whole: &Session) -> Session {
    whole.new_shard("mine.shard-1-of-2", 1).unwrap()
}

/// 100 trials at γ 0 and γ 0.3.
fn images() -> ClassificationImages {
    ClassificationImages {
        gammas: vec![Gamma::NOISE, Gamma(0.3)],
        trials: 100,
        ..ClassificationImages::default()
    }
}

#[test]
fn a_division_keeps_what_is_done_and_needs_something_that_shards_can_do() {
    let sharding = divided().record.sharding;
    let expected = Sharding {
        count: 2,
        program: "0.1.0".into(),
        from: vec![vec![1]],
        jobs: Vec::new(),
    };
    assert_eq!(sharding, Some(expected));
    // Templates are computed after merging.
    let plan = images();
    let mut whole = session(vec![
        Plan::ClassificationImages(plan.clone()),
        Plan::Templates(config::Templates::default()),
    ]);
    let mut done = Images::with_trials(&plan, &TrialKind::plain(2, [1, 1, 1]));
    done.gammas
        .iter_mut()
        .for_each(|trials| trials.trials = 100);
    whole.record.analyses[0] = Analysis::ClassificationImages(done);
    assert_eq!(
        whole.divide(2, "0.1.0"),
        Err(ShardError::Finished("mine".into()))
    );
    assert_eq!(whole.record.sharding, None);
}

#[test]
fn a_plan_that_stops_at_a_target_is_not_divided() {
    let plan = |images: ClassificationImages| {
        vec![
            Plan::Predictions(config::Predictions::default()),
            Plan::ClassificationImages(images),
        ]
    };
    let mut whole = session(plan(images()));
    assert_eq!(check_plan(&whole.config), Ok(()));
    let mut aimed = images();
    aimed.target = Some(0.9);
    let mut extended = images();
    extended.extended.push(Extension {
        gamma: Some(Gamma(0.3)),
        trials: 200,
        target: Some(0.9),
        class: None,
    });
    for images in [aimed, extended] {
        whole.config.analyses = plan(images);
        assert_eq!(check_plan(&whole.config), Err(ShardError::Target(1)));
        assert_eq!(whole.divide(2, "0.1.0"), Err(ShardError::Target(1)));
        assert_eq!(whole.record.sharding, None);
    }
}

#[test]
fn a_network_is_trained_once_its_training_has_ended() {
    let mut session = session(Vec::new());
    assert!(!session.is_trained());
    session.record.training = Some(TrainingRecord::default());
    assert!(!session.is_trained());
    session.record.training = trained(0.5);
    assert!(session.is_trained());
}

#[test]
fn a_new_shard_has_the_network_and_nothing_else_done() {
    let whole = divided();
    let shard = first_shard(&whole);
    assert_eq!(shard.name, "mine.shard-1-of-2");
    assert!(shard.is_trained());
    assert_eq!(shard.record.state, SavedState::New);
    assert!(shard.record.analyses == Record::new(&whole.config).analyses);
    // What was measured with is known of it too.
    let about = |session: &Session| {
        let record = &session.record;
        let (inputs, images) = (record.inputs.clone(), record.images.clone());
        (inputs, images, record.form.clone(), record.model.clone())
    };
    assert!(about(&shard) == about(&whole) && shard.record.training == whole.record.training);
    let of = shard.record.shard.as_ref().unwrap();
    assert_eq!((of.index, of.count), (1, 2));
    assert_eq!(whole.check_shard(&shard), Ok(()));
    // A session that is not divided has none.
    let undivided = session(Vec::new());
    assert!(undivided.new_shard("mine.shard-1-of-2", 1).is_none());
}

#[test]
fn a_finished_shard_of_an_earlier_division_has_been_merged() {
    let whole = divided();
    let mut later = whole.clone();
    later.record.analyses = vec![predictions(4)];
    later.divide(2, "0.1.0").unwrap();
    let mut shard = first_shard(&whole);
    assert!(!later.has_merged(&shard), "it has not run");
    shard.record.state = SavedState::Finished;
    assert!(later.has_merged(&shard));
    assert!(!whole.has_merged(&shard), "it is of this division");
    assert!(!later.has_merged(&whole), "it is no shard");
    later.record.sharding = None;
    assert!(!later.has_merged(&shard), "nothing is divided");
}

#[test]
fn what_does_not_belong_to_a_division_is_refused_with_the_reason() {
    let whole = divided();
    let of = |it: &mut Session, change: fn(&mut Shard)| change(it.record.shard.as_mut().unwrap());
    let check = |change: &dyn Fn(&mut Session)| {
        let mut shard = first_shard(&whole);
        change(&mut shard);
        whole.check_shard(&shard)
    };
    let count = check(&|it| of(it, |shard| shard.count = 3)).unwrap_err();
    let from = check(&|it| of(it, |shard| shard.from = vec![vec![2]])).unwrap_err();
    let cases: &[(Change, &str)] = &[
        (
            |it| it.record.shard = None,
            "mine.shard-1-of-2 is not a shard of mine",
        ),
        (
            |it| it.name = "mine.shard-2-of-2".into(),
            "mine.shard-2-of-2 is a copy of the file of shard 1. Remove mine.shard-2-of-2.ron and run shard 2/2 again",
        ),
        (
            |it| it.config.seed = 2,
            "the plans of mine.shard-1-of-2 and mine differ in seed: one of them was edited",
        ),
        (
            |it| it.record.inputs.push(inputs(61)),
            "mine.shard-1-of-2: the test images differ",
        ),
        (
            |it| it.record.starts.push(start(1, "0.2.0")),
            "mine.shard-1-of-2 was computed by noisescope 0.2.0, but mine is divided among engines of 0.1.0",
        ),
    ];
    let others = cases
        .iter()
        .map(|(change, words)| (check(change).unwrap_err(), *words));
    let divisions = [
        (
            count,
            "mine.shard-1-of-2 is one of 3 shards, but mine is divided into 2",
        ),
        (
            from,
            "mine.shard-1-of-2 started from another state of mine: it has been merged already",
        ),
    ];
    for (error, words) in others.chain(divisions) {
        assert!(!error.is_of_weights(), "{words}");
        let error = error.to_string();
        assert!(error.starts_with(words), "{error}");
    }
    let error = check(&|it| it.record.training = trained(0.25)).unwrap_err();
    assert!(error.is_of_weights());
    assert!(error.to_string().contains("has a different network"));
}

#[test]
fn a_shard_of_the_same_program_and_of_the_images_in_use_belongs() {
    let whole = divided();
    let mut shard = first_shard(&whole);
    shard.record.starts = vec![start(1, "0.1.0"), start(2, "0.1.0")];
    shard.record.inputs = vec![inputs(61), inputs(60)];
    assert_eq!(whole.check_shard(&shard), Ok(()));
    // One that has not opened its images yet.
    shard.record.inputs.clear();
    assert_eq!(whole.check_shard(&shard), Ok(()));
}

#[test]
fn a_shard_that_is_saved_at_other_times_belongs() {
    let mut whole = divided();
    let mut shard = first_shard(&whole);
    shard.config.checkpoint_s = 600.0;
    assert_eq!(whole.check_shard(&shard), Ok(()));
    shard.record.analyses = vec![predictions(4)];
    whole.absorb(&shard).unwrap();
    assert!(whole.record.analyses == [predictions(5)]);
}

#[test]
fn a_merged_session_has_the_sums_the_time_and_the_devices_of_its_shards() {
    let mut whole = divided();
    let of_shard = |index: u32, device: &str, at: i64| {
        let mut shard = divided().new_shard("mine.shard", index).unwrap();
        let record = &mut shard.record;
        record.analyses = vec![predictions(4)];
        record.elapsed_s = 3.0;
        record.devices = vec!["cpu".into(), device.into()];
        record.starts = vec![start(at, "0.1.0")];
        shard
    };
    whole.record.elapsed_s = 2.0;
    whole.record.devices = vec!["cpu".into()];
    whole.record.starts = vec![start(1, "0.0.9")];
    whole.absorb(&of_shard(1, "gpu", 8)).unwrap();
    assert!(whole.record.analyses == [predictions(5)]);
    whole.absorb(&of_shard(2, "gpu", 5)).unwrap();
    assert!(whole.record.analyses == [predictions(9)]);
    assert_eq!(whole.record.elapsed_s, 8.0);
    assert_eq!(whole.record.devices, ["cpu", "gpu"]);
    whole.end_division();
    let starts = whole.record.starts.iter().map(|start| start.at);
    assert_eq!(starts.collect::<Vec<i64>>(), [1, 5, 8]);
    assert_eq!(whole.record.sharding, None);
    assert_eq!(whole.record.state, SavedState::Stopped);
    assert!(whole.record.updated > 0);
}

/// A scheduler's jobs say nothing of shards that already run.
#[test]
fn the_jobs_of_a_division_are_named_while_no_engine_runs_a_shard() {
    let mut session = divided();
    let state = |standing| ShardState {
        standing,
        ..ShardState::default()
    };
    let with = |session: &Session, all: &[ShardStatus]| {
        let mut session = session.clone();
        session.run = Some(Run {
            shards: all.iter().copied().map(state).collect(),
            ..Run::default()
        });
        session.shards_in_words()
    };
    let (idle, busy) = (
        [ShardStatus::NotBegun, ShardStatus::Done],
        [ShardStatus::Working, ShardStatus::Done],
    );
    assert_eq!(with(&session, &idle), "2 shards: 1 not started, 1 done");
    for (jobs, expected) in [
        (&["7"][..], "submitted as job 7: squeue --jobs 7"),
        (&["7", "8"], "submitted as jobs 7 and 8: squeue --jobs 7,8"),
        (
            &["7", "8", "9"],
            "submitted as jobs 8 and 9: squeue --jobs 8,9",
        ),
    ] {
        let jobs = jobs.iter().map(|&job| job.to_owned()).collect();
        session.record.sharding.as_mut().unwrap().jobs = jobs;
        let words = with(&session, &idle);
        let expected =
            format!("2 shards: 1 not started, 1 done; {expected} shows whether they wait");
        assert_eq!(words, expected);
        assert_eq!(with(&session, &busy), "2 shards: 1 running, 1 done");
    }
}
