//! Tests of a run whose device fails on the engine's own thread, simulated at many places of its use, and of one that
//! ends while its session cannot be saved.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use super::*;
use crate::engine::inputs::OnChangedInputs;
use crate::ids::{ClassId, Gamma};
use crate::link::{EngineEnd, Link};
use crate::session::config::{self, Analysis, ClassificationImages, NetworkKind, WeightSource};
use crate::session::record::TrainingRecord;
use crate::session::store::Store;

mod beginning;

thread_local! {
    /// Computations on the device so far, and the number of the one that fails.
    static COMPUTED: Cell<u32> = const { Cell::new(0) };
    static FAILS: Cell<u32> = const { Cell::new(0) };
    /// What happens at every computation.
    static MEANWHILE: RefCell<Option<Box<dyn FnMut()>>> = const { RefCell::new(None) };
}

/// Counts a computation, and panics with libtorch's message if it is the one to fail.
pub fn fail_if_due() {
    COMPUTED.set(COMPUTED.get() + 1);
    assert!(
        COMPUTED.get() != FAILS.get(),
        "Torch(\"CUDA error: unspecified launch failure\\nCompile with\")"
    );
    MEANWHILE.with_borrow_mut(|meanwhile| {
        if let Some(happens) = meanwhile {
            happens();
        }
    });
}

/// A run, and a viewer's link to it.
fn prepared(store: &Store, session: Session) -> (Conductor, Link) {
    let mut lock = store.lock(&session.name).unwrap();
    if lock.session_exists().unwrap() {
        lock.load().unwrap();
    }
    let (link, end) = Link::local(session);
    let EngineEnd { sessions, commands } = end;
    let options = EngineOptions {
        store: store.clone(),
        data: std::path::PathBuf::new(),
        device: "flex".parse().unwrap(),
        workers: Some(2),
        launch: None,
        convolutions: None,
        inputs: OnChangedInputs::Refuse,
        goal: crate::engine::Goal::Finished,
    };
    (Conductor::new(sessions, commands, lock, options), link)
}

/// Conducts a run to its end on this thread; the `fails`th computation fails, none if 0. Returns
/// the final phase and the number of computations.
fn conduct(store: &Store, session: Session, fails: u32) -> (Phase, u32) {
    let (conductor, link) = prepared(store, session);
    COMPUTED.set(0);
    FAILS.set(fails);
    conductor.conduct();
    let phase = link.newest().run.as_ref().unwrap().phase.clone();
    (phase, COMPUTED.get())
}

/// A plan with logistic regression, two epochs, a few trials, and an attack, which computes before its blocks.
fn plan() -> Config {
    let images = ClassificationImages {
        gammas: vec![Gamma(0.4)],
        trials: 2000,
        ..Default::default()
    };
    let attack = config::Attack {
        weights: vec![0.0, 0.5, 1.0],
        images: 50,
        noise_images: 20,
        ..Default::default()
    };
    Config {
        network: config::Network {
            kind: NetworkKind::Logistic,
            weights: WeightSource::Train(config::TrainingConfig {
                epochs: 2,
                batch: 500,
                ..Default::default()
            }),
            ..Default::default()
        },
        analyses: vec![
            Analysis::ClassificationImages(images),
            Analysis::Attack(attack),
        ],
        checkpoint_s: 0.1,
        ..Config::default()
    }
}

/// An extension of the plan to 3,000 trials.
fn more_trials() -> config::Extension {
    config::Extension {
        gamma: None,
        trials: 3000,
        target: None,
        class: None,
    }
}

#[test]
fn a_class_that_does_not_exist_is_refused_before_anything_is_trained() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    let maps = ClassificationImages {
        classes: vec!["1".into(), "owl".into()],
        ..Default::default()
    };
    let backdoor = config::Backdoor {
        target: ClassId(10),
        ..Default::default()
    };
    for (name, analysis, words) in [
        (
            "maps",
            Analysis::ClassificationImages(maps),
            "analyses[0].classes[1]: there is no class `owl`",
        ),
        (
            "backdoor",
            Analysis::Backdoor(backdoor),
            "analyses[0].target: there is no class 10",
        ),
    ] {
        let config = Config {
            analyses: vec![analysis],
            ..plan()
        };
        let (phase, _) = conduct(&store, Session::new(name, config), 0);
        let Phase::Failed(message) = phase else {
            panic!("{name}: {phase:?}");
        };
        assert!(message.starts_with(words), "{message}");
        // So the plan can still be corrected.
        assert!(store.load(name).unwrap().record.training.is_none());
    }
}

#[test]
fn a_device_failure_anywhere_loses_nothing_and_names_the_next_step() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    let (phase, computed) = conduct(&store, Session::new("whole", plan()), 0);
    assert_eq!(phase, Phase::Finished);
    let whole = store.load("whole").unwrap().record;
    // The trainer's start, two batches, and each of the last ten computations: the end of training, the
    // test images, the network for the analyses, and their beginning and refreshing.
    let places = [1, computed / 3, computed / 2];
    for fails in places.into_iter().chain(computed - 9..=computed) {
        let name = format!("fails-{fails}");
        let (phase, _) = conduct(&store, Session::new(&name, plan()), fails);
        let Phase::Failed(message) = phase else {
            panic!("computation {fails}: {phase:?}");
        };
        assert!(message.contains("`flex` no longer responds"), "{message}");
        assert!(
            message.contains("unspecified launch failure. "),
            "{message}"
        );
        let left = store.load(&name).unwrap();
        assert_eq!(left.record.state, SavedState::Failed(message), "{fails}");
        let (phase, _) = conduct(&store, left, 0);
        assert_eq!(phase, Phase::Finished, "{fails}");
        let record = store.load(&name).unwrap().record;
        let trained = |record: &crate::session::Record| {
            let training = record.training.clone().unwrap();
            (training.epochs, training.best, training.test_accuracy)
        };
        assert!(trained(&record) == trained(&whole), "{fails}: the network");
        assert!(record.analyses == whole.analyses, "{fails}: the record");
    }
}

#[test]
fn a_run_is_stopped_while_its_network_is_tested_and_then_tests_it_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    let (ended, _) = conduct(&store, Session::new("whole", plan()), 0);
    assert_eq!(ended, Phase::Finished);
    let whole = store.load("whole").unwrap().record.training.unwrap();
    let mut session = Session::new("mine", plan());
    session.record.training = Some(TrainingRecord {
        finished: false,
        test_accuracy: None,
        current: whole.best.clone(),
        ..whole.clone()
    });
    let (conductor, link) = prepared(&store, session);
    link.send(EngineCommand::Stop);
    conductor.conduct();
    assert_eq!(phase(&link.newest()), Phase::Stopped);
    drop(link);
    let left = store.load("mine").unwrap();
    let training = left.record.training.clone().unwrap();
    assert!(!training.finished && training.test_accuracy.is_none());
    let (ended, _) = conduct(&store, left, 0);
    assert_eq!(ended, Phase::Finished);
    let tested = store.load("mine").unwrap().record.training.unwrap();
    assert_eq!(tested.test_accuracy, whole.test_accuracy);
    assert!(tested.best == whole.best);
}

#[test]
fn a_plan_that_waits_for_a_class_that_does_not_exist_is_refused_before_anything_is_measured() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    let mut session = Session::new("mine", plan());
    let more = config::Extension {
        gamma: None,
        trials: 3000,
        target: Some(0.9),
        class: Some("owl".into()),
    };
    session.extend(0, more).unwrap();
    let (ended, computed) = conduct(&store, session, 0);
    let Phase::Failed(message) = ended else {
        panic!("{ended:?}");
    };
    let begin = "analyses[0].extended[0].class: ";
    assert!(
        message.starts_with(begin) && message.contains("owl"),
        "{message}"
    );
    assert_eq!(computed, 0);
    assert!(store.load("mine").unwrap().failed_with_nothing());
}

/// Conducts a run whose session cannot be saved until it has done its work; `meanwhile`, which must be true, is then
/// called with its link. Returns what is left in the file.
fn conduct_unsaved(config: Config, meanwhile: impl Fn(&Link) -> bool + Send + 'static) -> Session {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    let session = Session::new("mine", config);
    store.save(&session).unwrap();
    // The previous generation cannot be kept.
    let backup = store.backup_path("mine");
    std::fs::create_dir(&backup).unwrap();
    let (conductor, link) = prepared(&store, session);
    let watcher = std::thread::spawn(move || {
        let is_ending = |it: &Session| phase(it) == Phase::Stopping || phase(it).is_over();
        let waits = reaches(&link, is_ending) && phase(&link.newest()) == Phase::Stopping;
        let kept = waits && meanwhile(&link);
        std::fs::remove_dir(&backup).unwrap();
        kept
    });
    COMPUTED.set(0);
    FAILS.set(0);
    conductor.conduct();
    assert!(watcher.join().unwrap(), "it did not wait");
    store.load("mine").unwrap()
}

fn phase(session: &Session) -> Phase {
    session.run.clone().unwrap_or_default().phase
}

/// Waits until a run is in a state; false if it is not in time.
fn reaches(link: &Link, is_there: impl Fn(&Session) -> bool) -> bool {
    let until = Instant::now() + Duration::from_secs(20);
    while !is_there(&link.newest()) && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(5));
    }
    is_there(&link.newest())
}

#[test]
fn a_run_that_fails_while_it_cannot_be_saved_keeps_what_it_measured() {
    let folder = tempfile::tempdir().unwrap();
    let others = Store::new(folder.path());
    others
        .save(&Session::new("other", Config::default()))
        .unwrap();
    let mut config = plan();
    // References that are not there when the audit begins, but could have been.
    config.analyses[1] = Analysis::Audit(config::Audit {
        references: 0,
        sessions: vec![others.path("other")],
        ..Default::default()
    });
    let left = conduct_unsaved(config, |_| true);
    assert_eq!(left.trials(), (2000, 2000));
    let SavedState::Failed(message) = left.record.state else {
        panic!("{:?}", left.record.state);
    };
    assert!(message.starts_with("analyses[1].sessions[0]"), "{message}");
}

#[test]
fn a_plan_that_is_extended_while_it_cannot_be_saved_is_not_finished() {
    let mut config = plan();
    config.analyses.truncate(1);
    let left = conduct_unsaved(config, |link| {
        let more = more_trials();
        link.send(EngineCommand::Extend { images: 0, more });
        reaches(link, |session| session.config.is_extended())
    });
    assert_eq!(left.trials(), (2000, 3000));
    assert_eq!(left.record.state, SavedState::Stopped);
}

/// What uses no maps goes on: a job may be the training of a network.
#[test]
fn an_extension_outdates_the_images_and_what_uses_their_maps_and_nothing_else() {
    let mut config = plan();
    let after = Analysis::SpikeTriggered(config::SpikeTriggered::default());
    config.analyses.push(after);
    let mut session = Session::new("mine", config.clone());
    let more = more_trials();
    session.extend(0, more).unwrap();
    let outdated = [0, 1, 2].map(|index| analysing::is_outdated(&config, &session.config, index));
    assert_eq!(outdated, [true, true, false]);
}

#[test]
fn a_plan_that_is_extended_during_an_attack_is_computed_as_if_planned_so_from_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    let more = more_trials();
    let mut config = plan();
    // More blocks than are dealt before the first look for a command.
    config.analyses[1] = Analysis::Attack(config::Attack {
        weights: vec![0.0, 0.5, 1.0],
        images: 400,
        noise_images: 400,
        block: 20,
        ..Default::default()
    });
    let mut extended = config.clone();
    if let Analysis::ClassificationImages(images) = &mut extended.analyses[0] {
        images.extended.push(more.clone());
    }
    let (ended, _) = conduct(&store, Session::new("at-once", extended), 0);
    assert_eq!(ended, Phase::Finished);
    let (conductor, link) = prepared(&store, Session::new("grows", config));
    // The extension comes as the attack begins: the first look for a command finds it, after blocks have been dealt.
    let (viewer, mut coming) = (link.clone(), Some(more));
    MEANWHILE.set(Some(Box::new(move || {
        if phase(&viewer.newest()) == Phase::Working(2)
            && let Some(more) = coming.take()
        {
            viewer.send(EngineCommand::Extend { images: 0, more });
        }
    })));
    COMPUTED.set(0);
    FAILS.set(0);
    conductor.conduct();
    MEANWHILE.set(None);
    assert_eq!(phase(&link.newest()), Phase::Finished);
    assert!(link.newest().config.is_extended());
    let analyses = |name: &str| store.load(name).unwrap().record.analyses;
    assert!(analyses("grows") == analyses("at-once"));
}
