//! What happens before anything has been done with images and networks that are opened, read and tested.

use std::path::Path;

use super::*;
use crate::session::Form;

#[test]
fn images_that_were_only_opened_may_be_replaced_by_others() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    let mut session = Session::new("mine", plan());
    session.record.form = Some(Form::numbered([3, 14, 14], 4));
    session.record.images = Some("others".into());
    assert_eq!(conduct(&store, session, 0).0, Phase::Finished);
    let record = store.load("mine").unwrap().record;
    let shape = record.form.unwrap().shape();
    assert_eq!(shape, [1, 28, 28]);
    assert_ne!(record.images.as_deref(), Some("others"));
}

/// Writes a logistic regression for digits to a safetensors file.
fn logistic(path: &Path, weight: f32) {
    let header = r#"{"weight":{"dtype":"F32","shape":[10,784],"data_offsets":[0,31360]},"bias":{"dtype":"F32","shape":[10],"data_offsets":[31360,31400]}}"#;
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.as_bytes());
    let numbers = (0..7850).map(|index| weight * ((index % 23) as f32 - 11.0));
    file.extend(numbers.flat_map(f32::to_le_bytes));
    std::fs::write(path, file).unwrap();
}

/// A plan with the weights of a file, and nothing to do but trials.
fn plan_of_file(path: &Path) -> Config {
    let mut config = plan();
    config.network.weights = WeightSource::File(path.to_owned());
    config.analyses.truncate(1);
    config
}

#[test]
fn weights_that_could_not_be_tested_may_be_replaced_by_others() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    let path = folder.path().join("net.safetensors");
    logistic(&path, 0.5);
    let session = Session::new("mine", plan_of_file(&path));
    let (ended, _) = conduct(&store, session, 1);
    assert!(matches!(ended, Phase::Failed(_)), "{ended:?}");
    logistic(&path, 0.25);
    let left = store.load("mine").unwrap();
    assert_eq!(conduct(&store, left, 0).0, Phase::Finished);
}

#[test]
fn a_checkpoint_is_written_while_a_network_is_tested() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    let path = folder.path().join("net.safetensors");
    logistic(&path, 0.5);
    let config = Config {
        checkpoint_s: 3600.0,
        ..plan_of_file(&path)
    };
    let (conductor, link) = prepared(&store, Session::new("mine", config));
    link.send(EngineCommand::Checkpoint);
    COMPUTED.set(0);
    FAILS.set(0);
    conductor.conduct();
    let run = link.newest().run.clone().unwrap();
    assert_eq!(run.phase, Phase::Finished);
    let place = |begin: &str| run.log.iter().position(|line| line.text.starts_with(begin));
    let (saved, tested) = (place("checkpoint "), place("the network is loaded"));
    assert!(saved.is_some() && saved < tested, "{:?}", run.log);
    assert!(store.load("mine").unwrap().is_trained());
}

#[test]
fn what_is_added_to_a_plan_while_its_images_are_read_is_saved_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    let (mut conductor, link) = prepared(&store, Session::new("mine", plan()));
    let more = more_trials();
    link.send(EngineCommand::Extend { images: 0, more });
    assert!(images::report_reading(&mut conductor.active, 1, 2).is_continue());
    assert!(store.load("mine").unwrap().config.is_extended());
}

/// Analyses after the classification images that need what images and network do not have, and where the plan says so.
fn impossible() -> Vec<(Analysis, &'static str)> {
    let backdoor = config::Backdoor {
        images: 5000,
        ..Default::default()
    };
    let layers = config::SpikeTriggered {
        layers: vec!["none".into()],
        ..Default::default()
    };
    let pushed = config::Modulation {
        layers: vec![config::ModulatedLayer {
            layer: "none".into(),
            alpha: 0.1,
        }],
        ..Default::default()
    };
    let audit = config::Audit {
        references: 0,
        sessions: vec!["/none/none.ron".into()],
        ..Default::default()
    };
    vec![
        (Analysis::Backdoor(backdoor), "analyses[1].images: 5000"),
        (Analysis::SpikeTriggered(layers), "analyses[1].layers[0]: "),
        (
            Analysis::Modulation(pushed),
            "analyses[1].layers[0].layer: ",
        ),
        (Analysis::Audit(audit), "analyses[1].sessions[0]: "),
    ]
}

#[test]
fn what_images_or_network_lack_is_refused_before_anything_is_trained() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    for (index, (analysis, words)) in impossible().into_iter().enumerate() {
        let mut config = plan();
        config.analyses[1] = analysis;
        let name = format!("plan-{index}");
        let (ended, computed) = conduct(&store, Session::new(&name, config), 0);
        let Phase::Failed(message) = ended else {
            panic!("{words} {ended:?}");
        };
        assert!(message.starts_with(words), "{message}");
        assert_eq!(computed, 0, "{words}");
        assert!(store.load(&name).unwrap().failed_with_nothing(), "{words}");
    }
}

#[test]
fn what_images_or_a_network_from_a_file_lack_is_refused_before_anything_is_measured() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    let path = folder.path().join("net.safetensors");
    logistic(&path, 0.5);
    let (analysis, words) = impossible().remove(0);
    let mut config = plan_of_file(&path);
    config.analyses.push(analysis);
    let (ended, _) = conduct(&store, Session::new("mine", config), 0);
    let Phase::Failed(message) = ended else {
        panic!("{ended:?}");
    };
    assert!(message.starts_with(words), "{message}");
    assert_eq!(store.load("mine").unwrap().trials().0, 0);
}

#[test]
fn the_memory_that_a_plan_takes_includes_training_until_it_is_finished() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    let mut config = plan();
    config.network.kind = NetworkKind::Mlp;
    config.analyses = vec![Analysis::Predictions(config::Predictions::default())];
    let told = |name: &str, training: Option<TrainingRecord>| {
        let mut session = Session::new(name, config.clone());
        session.record.training = training;
        let (conductor, link) = prepared(&store, session);
        link.send(EngineCommand::Stop);
        COMPUTED.set(0);
        FAILS.set(0);
        conductor.conduct();
        link.newest().run.as_ref().unwrap().memory
    };
    let finished = TrainingRecord {
        finished: true,
        ..TrainingRecord::default()
    };
    let (before, after) = (told("new", None), told("trained", Some(finished)));
    // 795,010 parameters, of which training has 24 copies of four bytes, and the predictions a few megabytes.
    assert!(after > 0 && before > after + 60_000_000, "{before} {after}");
}

#[test]
fn what_an_audit_can_hardly_find_is_said_before_its_references_are_trained() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    let mut config = plan();
    config.analyses = vec![Analysis::Audit(config::Audit {
        kind: config::ReferenceKind::Mlp,
        references: 3,
        power: 0,
        response: config::Response::Decision,
        ..Default::default()
    })];
    let (conductor, link) = prepared(&store, Session::new("mine", config));
    COMPUTED.set(0);
    // The first computation is the training of the network under study.
    FAILS.set(1);
    conductor.conduct();
    let run = link.newest().run.clone().unwrap();
    assert!(matches!(run.phase, Phase::Failed(_)), "{:?}", run.phase);
    let is_said = run.notes.iter().any(|note| note.contains("kind: Same"));
    assert!(is_said, "{:?}", run.notes);
    let mut warnings = run.log.iter().filter(|line| line.warning);
    assert!(warnings.any(|line| line.text.contains("gamma: 0.3")));
}

/// As a session that an earlier version began, or one whose references were removed since.
#[test]
fn a_session_with_results_computes_what_comes_before_an_analysis_that_cannot_begin() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    let mut config = plan();
    config.analyses.truncate(1);
    let (ended, _) = conduct(&store, Session::new("whole", config.clone()), 0);
    assert_eq!(ended, Phase::Finished);
    let trained = store.load("whole").unwrap().record.training;
    for (index, (analysis, words)) in impossible().into_iter().enumerate() {
        let mut config = config.clone();
        config.analyses.push(analysis);
        let name = format!("resumed-{index}");
        let mut session = Session::new(&name, config);
        session.record.training = trained.clone();
        let (conductor, link) = prepared(&store, session);
        COMPUTED.set(0);
        FAILS.set(0);
        conductor.conduct();
        let run = link.newest().run.clone().unwrap();
        let Phase::Failed(message) = run.phase else {
            panic!("{words} {:?}", run.phase);
        };
        assert!(message.starts_with(words), "{message}");
        let mut warnings = run.log.iter().filter(|line| line.warning);
        let is_announced = warnings.any(|line| line.text.contains(words));
        assert!(is_announced, "{:?}", run.log);
        assert_eq!(store.load(&name).unwrap().trials().0, 2000, "{words}");
    }
}
