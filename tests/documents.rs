//! What the pages for contributors name is there.

use std::fs;
use std::path::Path;

/// What stands between backticks, outside blocks of code.
fn quoted(text: &str) -> Vec<String> {
    let prose: Vec<&str> = text.split("\n```").step_by(2).collect();
    let prose = prose.join("\n");
    let pieces = prose.split('`').skip(1).step_by(2);
    pieces.map(str::to_owned).collect()
}

/// What a page names of a kind; it must be more than so many.
fn named(page: &str, least: usize, is: impl Fn(&str) -> bool) -> Vec<String> {
    let text = fs::read_to_string(Path::new("docs").join(page)).unwrap();
    let named: Vec<String> = quoted(&text).into_iter().filter(|it| is(it)).collect();
    assert!(named.len() > least, "{page}: {}", named.len());
    named
}

/// All sources, one after the other.
fn sources(folder: &Path) -> String {
    let mut all = String::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            all += &sources(&path);
        } else if path.extension().is_some_and(|it| it == "rs") {
            all += &fs::read_to_string(&path).unwrap();
        }
    }
    all
}

#[test]
fn every_file_that_the_page_on_architecture_names_exists() {
    let folders = ["src/", "tests/", "scripts/"];
    let is_file = |it: &str| folders.iter().any(|folder| it.starts_with(folder));
    let files = named("architecture.md", 40, is_file);
    for file in files {
        assert!(Path::new(&file).exists(), "{file} is not there");
    }
    for (name, file) in [
        ("fn step(", "src/analysis/mod.rs"),
        ("fn run_interrupted(", "src/analysis/testing.rs"),
        ("const READERS", "src/data/readers/mod.rs"),
    ] {
        let text = fs::read_to_string(file).unwrap();
        assert!(text.contains(name), "{name} is not in {file}");
    }
}

#[test]
fn every_test_that_the_page_on_durability_names_exists() {
    let is_name = |it: &str| {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        it.len() > 24 && it.chars().all(fits)
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
