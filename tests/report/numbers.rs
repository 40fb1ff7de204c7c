//! The numbers of a session in every format in which a page may write them, and the numbers in a text.

use std::collections::BTreeSet;

use noisescope::export;
use noisescope::figure::headline::headline;
use noisescope::format::{gamma, number, percent, reliability, short, thousands};
use noisescope::ids::Gamma;
use noisescope::session::Session;
use noisescope::session::record::ClassificationImages;
use noisescope::stats::interval::wilson;
use serde_json::Value;

/// A session's numbers, in every format in which the page may write them.
pub struct Numbers(BTreeSet<String>);

/// A row of a table.
type Row<'a> = Vec<&'a str>;

impl Numbers {
    /// The numbers that a session exports, and those derived from its counts.
    pub fn from_session(session: &Session) -> Self {
        let mut known = Self(BTreeSet::new());
        known.json(&export::json(session));
        for (name, table) in export::tables(session) {
            known.table(&name, &table.into_text());
        }
        // Counts of classes, layers and maps, and confidence levels.
        (0..=100).for_each(|count| known.add(f64::from(count)));
        known.add(0.95);
        for stage in 0..=session.config.analyses.len() {
            let parts = headline(session, stage).parts;
            known.0.extend(parts.iter().flat_map(|part| numbers(part)));
        }
        let record = &session.record;
        known.add(record.form.as_ref().map_or(0, |form| form.pixels()) as f64);
        for (_, images) in record.all::<ClassificationImages>() {
            let estimates = images.gammas.iter().map(|trials| trials.estimate());
            for class in estimates.flat_map(|estimate| estimate.classes.clone()) {
                let ends = class.decision.and_then(|map| map.reliability_interval);
                ends.into_iter().flatten().for_each(|end| known.add(end));
            }
        }
        let accuracy = record
            .training
            .as_ref()
            .and_then(|training| training.test_accuracy);
        if let (Some(accuracy), [inputs]) = (accuracy, &record.inputs[..]) {
            let images = inputs.test.images;
            known.share((accuracy * images as f64).round() as u64, images);
        }
        known
    }

    /// Whether a text is one of these numbers.
    pub fn has(&self, text: &str) -> bool {
        self.0.contains(text)
    }

    fn add(&mut self, value: f64) {
        let plain = |text: String| {
            text.trim_end_matches(" %")
                .replace(['−', '+', '-', '<'], "")
        };
        if value.fract() == 0.0 && (0.0..1e15).contains(&value) {
            self.0.insert(thousands(value as u64));
        }
        for text in [
            percent(value),
            format!("{:.1}", 100.0 * value),
            reliability(value),
            gamma(Gamma(value)),
            number(value),
            short(value),
            format!("{value:.1}"),
            format!("{value:.2}"),
        ] {
            self.0.insert(plain(text));
        }
    }

    /// Adds a share with its interval.
    fn share(&mut self, hits: u64, of: u64) {
        if let Some(interval) = wilson(hits, of) {
            for value in [
                hits as f64,
                of as f64,
                interval.estimate,
                interval.low,
                interval.high,
            ] {
                self.add(value);
            }
        }
    }

    fn json(&mut self, value: &Value) {
        match value {
            Value::Number(value) => self.add(value.as_f64().unwrap()),
            Value::Array(all) => all.iter().for_each(|value| self.json(value)),
            Value::Object(all) => all.values().for_each(|value| self.json(value)),
            _ => {}
        }
    }

    /// Adds the numbers of a table, and the shares derived from its counts.
    fn table(&mut self, name: &str, text: &str) {
        let mut rows = text.lines().map(|row| row.split(',').collect::<Row<'_>>());
        let columns = rows.next().unwrap();
        let rows: Vec<Row<'_>> = rows.collect();
        let at = |column: &str| columns.iter().position(|candidate| *candidate == column);
        for value in rows
            .iter()
            .flatten()
            .filter_map(|field| field.parse::<f64>().ok())
        {
            self.add(value);
        }
        for (hits, of) in [
            ("called", "trials"),
            ("successes", "n"),
            ("correct", "images"),
            ("correct", "shown"),
        ] {
            let (Some(hits), Some(of)) = (at(hits), at(of)) else {
                continue;
            };
            for row in &rows {
                self.share(row[hits].parse().unwrap(), row[of].parse().unwrap());
            }
        }
        if let (Some(rate), Some(of)) = (at("attack_success"), at("attacked")) {
            for row in &rows {
                if let (Ok(rate), Ok(of)) = (row[rate].parse::<f64>(), row[of].parse::<u64>()) {
                    self.share((rate * of as f64).round() as u64, of);
                }
            }
        }
        match name {
            "attack" => self.sums(
                &columns,
                &rows,
                &["source", "pattern", "weight"],
                ["successes", "n"],
            ),
            "counts" => self.sums(&columns, &rows, &["noise", "gamma"], ["trials"; 2]),
            "predictions" => {
                self.sums(&columns, &rows, &["split"], ["images"; 2]);
                self.sums(&columns, &rows, &["split", "true"], ["images"; 2]);
            }
            _ => {}
        }
    }

    /// Adds shares of the sums over groups of rows with the same `keys`; with true classes, the shares that are correctly
    /// classified.
    fn sums(&mut self, columns: &[&str], rows: &[Row<'_>], keys: &[&str], counts: [&str; 2]) {
        let at = |column: &str| columns.iter().position(|candidate| *candidate == column);
        let key = |row: &Row<'_>| -> Vec<String> {
            let all = keys.iter().filter_map(|key| at(key));
            all.map(|at| row[at].to_owned()).collect()
        };
        let right = |row: &Row<'_>| match (at("true"), at("called")) {
            (Some(truth), Some(called)) => row[truth] == row[called],
            _ => true,
        };
        let [hits, of] = counts.map(|column| at(column).unwrap());
        let all: BTreeSet<Vec<String>> = rows.iter().map(key).collect();
        for group in all {
            let (mut sum, mut whole) = (0, 0);
            for row in rows.iter().filter(|row| key(row) == group) {
                whole += row[of].parse::<u64>().unwrap();
                if right(row) {
                    sum += row[hits].parse::<u64>().unwrap();
                }
            }
            self.share(sum, whole);
        }
    }
}

/// The numbers in a text, with their separators, without the digits in names of layers.
pub fn numbers(text: &str) -> Vec<String> {
    let letters: Vec<char> = text.chars().collect();
    let mut all = Vec::new();
    let mut at = 0;
    while at < letters.len() {
        if !letters[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        let begin = at;
        let is_inside = |at: usize| {
            let next = letters.get(at + 1).is_some_and(char::is_ascii_digit);
            letters[at].is_ascii_digit() || (matches!(letters[at], '.' | ',') && next)
        };
        while at < letters.len() && is_inside(at) {
            at += 1;
        }
        if begin == 0 || !letters[begin - 1].is_alphabetic() {
            all.push(letters[begin..at].iter().collect());
        }
    }
    all
}
