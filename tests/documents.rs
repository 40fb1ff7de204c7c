//! Files and tests named by the pages for contributors exist, and the page of a plan's fields has all of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::fs;
use std::path::Path;

use noisescope::session::config::{
    Analysis, Attack, Audit, Backdoor, ChannelOrder, ClassificationImages, Config, Dataset,
    DatasetName, DatasetSource, EvidenceMeasure, Extension, Gaussian, InputEncoding, InputRange,
    Modulation, Network, NetworkKind, Noise, Predictions, ReferenceKind, Response, SpikeTriggered,
    Split, Templates, TrainingConfig, WeightSource, Weighting,
};
use noisescope::session::store::VERSION;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The texts between backticks, outside code blocks.
fn quoted(text: &str) -> Vec<String> {
    let prose: Vec<&str> = text.split("\n```").step_by(2).collect();
    let prose = prose.join("\n");
    let pieces = prose.split('`').skip(1).step_by(2);
    pieces.map(str::to_owned).collect()
}

/// The quoted texts of a page that satisfy `is_kind`; there must be more than `least`.
fn named(page: &str, least: usize, is_kind: impl Fn(&str) -> bool) -> Vec<String> {
    let text = fs::read_to_string(Path::new("docs").join(page)).unwrap();
    let named: Vec<String> = quoted(&text)
        .into_iter()
        .filter(|name| is_kind(name))
        .collect();
    assert!(named.len() > least, "{page}: {}", named.len());
    named
}

/// The text of all Rust files in a folder, concatenated.
fn sources(folder: &Path) -> String {
    let mut all = String::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            all += &sources(&path);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            all += &fs::read_to_string(&path).unwrap();
        }
    }
    all
}

#[test]
fn every_file_named_by_the_architecture_page_exists() {
    let folders = ["src/", "tests/", "scripts/"];
    let is_file = |name: &str| folders.iter().any(|folder| name.starts_with(folder));
    let files = named("architecture.md", 40, is_file);
    for file in files {
        assert!(Path::new(&file).exists(), "{file} does not exist");
    }
    for (name, file) in [
        ("fn step(", "src/analysis/experiment.rs"),
        ("fn run_interrupted(", "src/analysis/testing.rs"),
        ("const READERS", "src/data/readers/mod.rs"),
    ] {
        let text = fs::read_to_string(file).unwrap();
        assert!(text.contains(name), "{name} is not in {file}");
    }
}

#[test]
fn every_test_named_by_the_durability_page_exists() {
    let is_name = |name: &str| {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        name.len() > 24 && name.chars().all(fits)
    };
    let named = named("durability.md", 25, is_name);
    let all = sources(Path::new("tests")) + &sources(Path::new("src"));
    for name in named {
        assert!(
            all.contains(&format!("fn {name}(")),
            "there is no test {name}"
        );
    }
}

/// The rows of the table below the heading of a type, by field: default, range and meaning.
fn rows(page: &str, heading: &str) -> BTreeMap<String, Vec<String>> {
    let start = format!("\n## `{heading}`\n");
    let (_, section) = page
        .split_once(&start)
        .unwrap_or_else(|| panic!("{heading} has no table"));
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let mut cells = row.trim_matches('|').split(" | ").map(str::trim);
        let field = cells.next().unwrap().trim_matches('`').to_owned();
        (field, cells.map(str::to_owned).collect())
    })
    .collect()
}

/// Compares the table of a type with the fields that the type is written with and, if every field has a default, with
/// what a text that sets one field to the default in the table is read as.
fn compare<T: Serialize + DeserializeOwned + PartialEq + Debug>(page: &str, name: &str, plan: &T) {
    let rows = rows(page, name);
    let written = serde_json::to_value(plan).unwrap();
    let fields: BTreeSet<&String> = written.as_object().unwrap().keys().collect();
    assert_eq!(rows.keys().collect::<BTreeSet<_>>(), fields, "{name}");
    for (field, cells) in &rows {
        assert_eq!(cells.len(), 3, "{name}.{field}");
        assert!(cells.iter().all(|cell| !cell.is_empty()), "{name}.{field}");
        let default = cells[0].trim_matches('`');
        if default != "needed" && ron::from_str::<T>("()").is_ok() {
            let read = ron::from_str::<T>(&format!("({field}: {default})"));
            assert_eq!(read.as_ref().ok(), Some(plan), "{name}.{field}: {default}");
        }
    }
}

/// The names that an enumeration of a plan is written with.
fn names<T: DeserializeOwned + Debug>() -> &'static [&'static str] {
    match ron::from_str::<T>("Nothing").unwrap_err().code {
        ron::Error::NoSuchEnumVariant { expected, .. } => expected,
        other => panic!("{other}"),
    }
}

#[test]
fn every_field_of_a_plan_is_on_its_page_with_its_default() {
    let page = fs::read_to_string("docs/plan.md").unwrap();
    compare(&page, "Config", &Config::default());
    compare(&page, "Dataset", &Dataset::default());
    compare(&page, "Network", &Network::default());
    compare(&page, "InputEncoding", &InputEncoding::default());
    compare(&page, "TrainingConfig", &TrainingConfig::default());
    compare(&page, "Gaussian", &Gaussian::default());
    let extension: Extension = ron::from_str("(trials: 1)").unwrap();
    compare(&page, "Extension", &extension);
    // The fields of a pushed layer and of a unit are in an example, which must name all of them to be read.
    let layers = &rows(&page, "Modulation")["layers"][1].replace('`', "");
    ron::from_str::<Modulation>(&format!("(layers: {layers})")).unwrap();
    let unit = &rows(&page, "SpikeTriggered")["covariance"][1].replace('`', "");
    ron::from_str::<SpikeTriggered>(&format!("(covariance: {unit})")).unwrap();
    let session = format!("`(version: {VERSION}, config: (");
    assert!(page.contains(&session), "{session}");
    for name in names::<Analysis>() {
        let experiment = ron::from_str::<Analysis>(&format!("{name}(())")).unwrap();
        match &experiment {
            Analysis::ClassificationImages(_) => {
                compare(&page, name, &ClassificationImages::default());
            }
            Analysis::Templates(_) => compare(&page, name, &Templates::default()),
            Analysis::Attack(_) => compare(&page, name, &Attack::default()),
            Analysis::SpikeTriggered(_) => compare(&page, name, &SpikeTriggered::default()),
            Analysis::Modulation(_) => compare(&page, name, &Modulation::default()),
            Analysis::Backdoor(_) => compare(&page, name, &Backdoor::default()),
            Analysis::Audit(_) => compare(&page, name, &Audit::default()),
            Analysis::Predictions(_) => compare(&page, name, &Predictions::default()),
        }
    }
}

#[test]
fn every_choice_in_a_plan_is_on_its_page() {
    let page = fs::read_to_string("docs/plan.md").unwrap();
    for (name, field, choices) in [
        ("Dataset", "name", names::<DatasetName>()),
        ("Dataset", "source", names::<DatasetSource>()),
        ("Network", "kind", names::<NetworkKind>()),
        ("Network", "weights", names::<WeightSource>()),
        ("InputEncoding", "range", names::<InputRange>()),
        ("InputEncoding", "order", names::<ChannelOrder>()),
        ("ClassificationImages", "noise", names::<Noise>()),
        ("ClassificationImages", "weighting", names::<Weighting>()),
        ("ClassificationImages", "responses", names::<Response>()),
        (
            "ClassificationImages",
            "evidence",
            names::<EvidenceMeasure>(),
        ),
        ("Audit", "kind", names::<ReferenceKind>()),
        ("Audit", "response", names::<Response>()),
        ("Predictions", "splits", names::<Split>()),
    ] {
        let table = rows(&page, name);
        let range = &table[field][1];
        for choice in choices {
            let is_there = range
                .split(|c: char| !c.is_alphanumeric())
                .any(|word| word == *choice);
            assert!(is_there, "{name}.{field} lacks {choice}: {range}");
        }
    }
}
