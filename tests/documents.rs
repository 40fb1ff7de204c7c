//! Files and tests named by the pages for contributors exist.

use std::fs;
use std::path::Path;

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
