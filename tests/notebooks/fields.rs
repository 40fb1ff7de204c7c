//! docs/exports.md names every field of the exports of a session, and no others.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::Value;

use super::Npz;
use crate::common::Bench;

/// Arrays that only noise with coefficients has.
const OF_SMOOTHING_NOISE: [&str; 2] = ["ci_regression", "ev_regression"];

/// Objects that the page describes once, by their keys.
const RECURRING: [&[&str]; 5] = [
    &["accuracy", "correct", "high", "images", "low"],
    &["column", "row", "size"],
    &["column", "mean_z", "row", "size"],
    &["largest", "of", "rank", "times"],
    &["estimate", "high", "low"],
];

/// What the page says: keys of the JSON, arrays with their axes and units, columns of each table.
#[derive(Default)]
struct Page {
    keys: BTreeSet<String>,
    arrays: BTreeMap<String, [String; 2]>,
    tables: BTreeMap<String, Vec<String>>,
}

impl Page {
    fn read() -> Self {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/exports.md");
        let text = fs::read_to_string(path).unwrap();
        let (mut page, mut part, mut section) = (Self::default(), "", "");
        for line in text.lines() {
            if let Some(title) = line.strip_prefix("## ") {
                (part, section) = (title, "");
            } else if let Some(title) = line.strip_prefix("### ") {
                section = title.trim_matches('`');
            } else if line.starts_with("| `") {
                page.row(part, section, line);
            }
        }
        page
    }

    fn row(&mut self, part: &str, section: &str, line: &str) {
        let line = line.replace("\\|", "¦");
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let names = cells[1].split('`').skip(1).step_by(2);
        for name in names {
            match (part, section) {
                ("JSON", "") => {}
                ("JSON", "The session") => {
                    self.keys.insert(plain(name));
                }
                ("JSON", section) => {
                    self.keys.insert(format!("{section}.{}", plain(name)));
                }
                ("NPZ", _) => {
                    let facts = [cells[2].to_owned(), cells[3].replace('¦', "|")];
                    self.arrays.insert(name.to_owned(), facts);
                }
                (_, section) => {
                    let columns = self.tables.entry(section.to_owned()).or_default();
                    columns.push(name.to_owned());
                }
            }
        }
    }
}

/// A key without the words in its brackets: `counts[][][]`.
fn plain(key: &str) -> String {
    let pieces = key.split('[').map(|piece| match piece.split_once(']') {
        Some((_, rest)) => format!("]{rest}"),
        None => piece.to_owned(),
    });
    pieces.collect::<Vec<_>>().join("[")
}

/// A name without the number of a second experiment: `attack_2` and `ci2` as `attack` and `ci`.
fn unnumbered(name: &str) -> &str {
    let base = name.trim_end_matches(|c: char| c.is_ascii_digit());
    match base.len() < name.len() {
        true => base.trim_end_matches('_'),
        false => name,
    }
}

/// Every key of a value, and whether it may continue: a missing number, or a list without elements.
fn walk(value: &Value, key: &str, found: &mut BTreeMap<String, bool>) {
    match value {
        Value::Object(map) => {
            let keys: BTreeSet<&str> = map.keys().map(String::as_str).collect();
            if RECURRING.iter().any(|known| keys.iter().eq(known.iter())) {
                found.insert(key.to_owned(), false);
                return;
            }
            for (name, value) in map {
                let name = match name.as_str() {
                    name if key.is_empty() => unnumbered(name),
                    "classification_image" | "evidence_image" | "mean_image" | "random"
                        if key.starts_with("attack") =>
                    {
                        "PATTERN"
                    }
                    _ if key == "predictions" => "SPLIT",
                    name => name,
                };
                let joined = match key {
                    "" => name.to_owned(),
                    key => format!("{key}.{name}"),
                };
                if joined == "config" {
                    // The plan is described elsewhere.
                    found.insert(joined, false);
                } else {
                    walk(value, &joined, found);
                }
            }
        }
        Value::Array(list) => {
            let joined = format!("{key}[]");
            if list.is_empty() {
                found.entry(joined.clone()).or_insert(true);
            }
            for value in list {
                walk(value, &joined, found);
            }
        }
        Value::Null => {
            found.entry(key.to_owned()).or_insert(true);
        }
        _ => {
            found.insert(key.to_owned(), false);
        }
    }
}

/// Asserts that the page describes the exports of a session that has every experiment and whose network has one layer.
pub fn assert_documented(bench: &Bench, name: &str, npz: &Npz, layer: &str) {
    let page = Page::read();
    let json = bench.succeed(&["export", name, "--format", "json"]);
    assert_keys(&page, &serde_json::from_str(&json).unwrap());
    assert_arrays(&page, npz, layer);
    bench.succeed(&["export", name, "--format", "csv", "--out", "tables"]);
    let mut tables = BTreeSet::new();
    for entry in fs::read_dir(bench.path("tables")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "csv") {
            let table = unnumbered(path.file_stem().unwrap().to_str().unwrap()).to_owned();
            let text = fs::read_to_string(&path).unwrap();
            let columns: Vec<&str> = text.lines().next().unwrap().split(',').collect();
            let described = page.tables.get(&table).cloned().unwrap_or_default();
            assert_eq!(described, columns, "{table}");
            tables.insert(table);
        }
    }
    assert!(page.tables.keys().eq(&tables), "{tables:?}");
}

fn assert_keys(page: &Page, value: &Value) {
    let mut found = BTreeMap::new();
    walk(value, "", &mut found);
    let fits = |known: &str, seen: &str, may_continue: bool| {
        known == seen || (may_continue && known.starts_with(seen))
    };
    for (seen, &may_continue) in &found {
        let mut keys = page.keys.iter();
        let is_described = keys.any(|known| fits(known, seen, may_continue));
        assert!(is_described, "{seen} is not described");
    }
    for known in &page.keys {
        let mut keys = found.iter();
        let exists = keys.any(|(seen, &may_continue)| fits(known, seen, may_continue));
        assert!(exists, "there is no {known}");
    }
}

fn assert_arrays(page: &Page, npz: &Npz, layer: &str) {
    let meta = npz.meta();
    let mut seen = BTreeSet::new();
    for name in npz.names() {
        let axes = meta["axes"][name].as_array().unwrap();
        let axes: Vec<&str> = axes.iter().filter_map(Value::as_str).collect();
        let unit = meta["units"][name].as_str().unwrap_or_default();
        let general = name.replace(&format!("_{layer}"), "_LAYER");
        let general = match general.split_once('_') {
            Some((prefix, rest)) => format!("{}_{rest}", unnumbered(prefix)),
            None => general.clone(),
        };
        let facts = [axes.join(", "), unit.to_owned()];
        assert_eq!(page.arrays.get(&general), Some(&facts), "{name}");
        seen.insert(general);
    }
    let missing = page.arrays.keys().filter(|name| !seen.contains(*name));
    let missing: Vec<&str> = missing.map(String::as_str).collect();
    assert_eq!(missing, OF_SMOOTHING_NOISE);
}
