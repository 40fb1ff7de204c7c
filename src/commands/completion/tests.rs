//! Tests of what could come next on a command line.

use super::*;
use crate::commands::preset;
use crate::session::config::{Analysis, ClassificationImages, Dataset, DatasetName};
use crate::session::{Config, Session};

/// A store with a session `mine` that shows clothes at two signal strengths.
fn folder() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path().join("sessions"));
    std::fs::create_dir_all(store.folder().join("presets")).unwrap();
    std::fs::write(store.folder().join("presets/Faces.ron"), "(seed: 77)").unwrap();
    let images = ClassificationImages {
        gammas: vec!["0.25".parse().unwrap(), "0.5".parse().unwrap()],
        ..ClassificationImages::default()
    };
    let config = Config {
        dataset: Some(Dataset {
            name: DatasetName::FashionMnist,
            ..Dataset::default()
        }),
        analyses: vec![Analysis::ClassificationImages(images)],
        ..Config::default()
    };
    store.save(&Session::new("mine", config)).unwrap();
    (folder, store)
}

/// What is offered at the end of this line.
fn lines(store: &Store, line: &str) -> String {
    let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
    possible(store, &words).lines()
}

/// The words among them.
fn words(store: &Store, line: &str) -> Vec<String> {
    let lines = lines(store, line);
    let words = lines.lines().map(|line| line.split('\t').next().unwrap());
    words.map(str::to_owned).collect()
}

#[test]
fn sessions_are_offered_with_their_state_and_presets_where_one_begins() {
    let (_folder, store) = folder();
    for command in [
        "attach",
        "export",
        "doctor",
        "pause",
        "compare mine",
        "report mine --compare",
    ] {
        let text = lines(&store, &format!("noisescope {command} "));
        assert_eq!(text, "mine\tnew: Fashion-MNIST cnn\n", "{command}");
    }
    let run = words(&store, "noisescope run ");
    assert_eq!(run[0], "mine");
    assert!(run.contains(&"quickstart".to_owned()) && run.contains(&"Faces".to_owned()));
    let new = words(&store, "noisescope new ");
    assert_eq!(new, preset::names(&store));
    assert_eq!(words(&store, "noisescope run mine --preset "), new);
    // A session that is already there is not offered as a preset.
    store
        .save(&Session::new("audit", Config::default()))
        .unwrap();
    let run = words(&store, "noisescope run ");
    assert_eq!(run.iter().filter(|word| *word == "audit").count(), 1);
}

#[test]
fn a_damaged_session_is_offered_as_such() {
    let (_folder, store) = folder();
    std::fs::write(store.path("bad"), "no session").unwrap();
    let text = lines(&store, "noisescope doctor ");
    assert!(text.starts_with("bad\tdamaged\n"), "{text}");
    assert_eq!(lines(&store, "noisescope show bad --map "), "");
}

#[test]
fn what_a_session_has_is_offered_for_the_session_that_was_typed() {
    let (folder, store) = folder();
    let classes = lines(&store, "noisescope show mine --map ");
    assert!(classes.contains("Dress\tclass 3\n"), "{classes}");
    assert_eq!(
        lines(&store, "noisescope trials --any mine --true "),
        classes
    );
    assert_eq!(
        words(&store, "noisescope attach mine --gamma "),
        ["0.25", "0.5"]
    );
    assert_eq!(
        words(&store, "noisescope attach mine --gamma="),
        ["--gamma=0.25", "--gamma=0.5"]
    );
    // Of no session and of none of this name there is nothing to say.
    assert_eq!(lines(&store, "noisescope show --map "), "");
    assert_eq!(lines(&store, "noisescope show other --map "), "");
    // The folder may be named.
    let elsewhere = Store::new(folder.path().join("elsewhere"));
    let named = store.folder().display();
    for option in [format!("--sessions {named}"), format!("--sessions={named}")] {
        let line = format!("noisescope {option} show mine --map ");
        assert_eq!(lines(&elsewhere, &line), classes, "{option}");
    }
    assert_eq!(lines(&elsewhere, "noisescope attach "), "");
}

#[test]
fn commands_options_and_fixed_values_are_those_of_the_program() {
    let (_folder, store) = folder();
    let commands = words(&store, "noisescope ");
    assert!(commands.contains(&"export".to_owned()), "{commands:?}");
    for hidden in ["engine", "complete"] {
        assert!(!commands.contains(&hidden.to_owned()), "{commands:?}");
    }
    assert!(words(&store, "noisescope data ").contains(&"verify".to_owned()));
    let sets = words(&store, "noisescope data fetch mnist ");
    assert!(sets.contains(&"fashion-mnist".to_owned()), "{sets:?}");
    assert!(words(&store, "noisescope export mine --format ").contains(&"npz".to_owned()));
    assert!(words(&store, "noisescope export mine --figure ").contains(&"z-maps".to_owned()));
    assert!(words(&store, "noisescope attach mine --view ").contains(&"maps".to_owned()));
    let options = words(&store, "noisescope run --plain --set seed=1 mine --");
    assert!(options.contains(&"--detach".to_owned()), "{options:?}");
    assert!(options.contains(&"--set".to_owned()), "it can be repeated");
    assert!(!options.contains(&"--plain".to_owned()), "it was given");
    // An option whose value needs an equals sign takes no word.
    assert_eq!(
        words(&store, "noisescope run --tf32 "),
        words(&store, "noisescope run ")
    );
}

#[test]
fn paths_are_left_to_the_shell() {
    let (_folder, store) = folder();
    let network = lines(&store, "noisescope run mine --network ");
    assert!(
        network.starts_with("cnn\n") && network.ends_with(":files\n"),
        "{network}"
    );
    let kinds = lines(&store, "noisescope verify --network ");
    assert!(
        kinds.contains("cnn\n") && !kinds.contains(":files"),
        "{kinds}"
    );
    assert_eq!(lines(&store, "noisescope inspect "), ":files\n");
    assert_eq!(lines(&store, "noisescope --sessions "), ":folders\n");
}

#[test]
fn nothing_is_offered_where_nothing_is_known() {
    let (_folder, store) = folder();
    for line in [
        "noisescope",
        "noisescope run mine --seed ",
        "noisescope run mine --plain=",
        "noisescope attach mine ",
        "noisescope submit mine -- ",
    ] {
        assert_eq!(lines(&store, line), "", "{line}");
    }
    assert_eq!(possible(&store, &[]), Offer::default());
}
