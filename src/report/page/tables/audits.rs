//! The tables of the audit and of the backdoor study.

use std::collections::BTreeMap;

use super::csv::Csv;
use super::{Grid, GridCell};
use crate::figure::audit::{share_with_interval, window_in_words};
use crate::figure::wording::bare_class_name;
use crate::format::{clean, fixed, gamma, number, percent, thousands};
use crate::ids::ClassId;
use crate::session::config;
use crate::session::record::{Audit, Record};

/// The networks, the classes of the network under study, and the effect of pasting its findings.
pub(super) fn audit(
    record: &Record,
    audit: &Audit,
    plan: &config::Audit,
    csv: &Csv<'_>,
) -> Vec<Grid> {
    vec![
        networks_by_score(csv),
        classes(record, csv),
        pasted(record, audit, plan),
    ]
}

/// Every network with its highest score.
fn networks_by_score(csv: &Csv<'_>) -> Grid {
    let columns = [
        "network",
        "role",
        "seed",
        "accuracy",
        "patch success",
        "highest score",
        "of",
    ];
    let mut grid = Grid::new("Networks and their highest scores", &columns);
    let mut rows: BTreeMap<u64, (Option<f64>, Vec<GridCell>)> = BTreeMap::new();
    for row in csv.rows() {
        let Some(network) = row.whole("network") else {
            continue;
        };
        let score = row.real("score");
        let cells = vec![
            GridCell::Number(network.to_string()),
            GridCell::Words(row.text("role").to_owned()),
            GridCell::Words(row.text("seed").to_owned()),
            GridCell::number(row.real("accuracy").map(percent)),
            GridCell::number(row.real("attack_success").map(percent)),
            GridCell::number(score.map(|score| fixed(score, 1))),
            match score {
                Some(_) => GridCell::Words(clean(row.text("name"))),
                None => GridCell::Nothing,
            },
        ];
        let highest = rows
            .entry(network)
            .or_insert_with(|| (score, cells.clone()));
        if score > highest.0 {
            *highest = (score, cells);
        }
    }
    rows.into_values().for_each(|(_, cells)| grid.row(cells));
    grid
}

/// The classes of the network under study, with the largest reference score for the same class.
fn classes(record: &Record, csv: &Csv<'_>) -> Grid {
    let columns = [
        "class",
        "score",
        "largest reference score",
        "rows",
        "columns",
        "energy",
    ];
    let mut grid = Grid::new("The network under study: scores by class", &columns);
    let mut largest: BTreeMap<ClassId, f64> = BTreeMap::new();
    for row in csv.rows().filter(|row| row.text("role") == "reference") {
        if let (Some(class), Some(score)) = (row.class("class"), row.real("score")) {
            let value = largest.entry(class).or_insert(score);
            *value = value.max(score);
        }
    }
    for row in csv.rows().filter(|row| row.text("role") == "suspect") {
        let Some(class) = row.class("class") else {
            continue;
        };
        // A window at the lower or right edge may reach beyond an image that the noise's cells do not divide.
        let span = |first: &str, length: Option<usize>| {
            let (first, size) = (row.whole(first)?, row.whole("size")?);
            let end = length.map_or(first + size, |length| (first + size).min(length as u64));
            Some(format!("{first}–{}", end.saturating_sub(1)))
        };
        let form = record.form.as_ref();
        grid.row(vec![
            GridCell::Words(bare_class_name(record, class)),
            GridCell::number(row.real("score").map(|score| fixed(score, 1))),
            GridCell::number(largest.get(&class).map(|score| fixed(*score, 1))),
            GridCell::number(span("row", form.map(|form| form.height))),
            GridCell::number(span("column", form.map(|form| form.width))),
            GridCell::number(row.real("energy").map(number)),
        ]);
    }
    grid
}

/// The effect of pasting the findings on test images.
fn pasted(record: &Record, audit: &Audit, plan: &config::Audit) -> Grid {
    let columns = [
        "class",
        "where",
        "called it when pasted",
        "called it before",
    ];
    let caption = "The window of each class, pasted on test images of the other classes";
    let mut grid = Grid::new(caption, &columns);
    for pasted in &audit.pasted {
        grid.row(vec![
            GridCell::Words(bare_class_name(record, pasted.class)),
            GridCell::Words(window_in_words(record, pasted.window, plan.cell)),
            GridCell::Number(share_with_interval(pasted.others())),
            GridCell::Number(share_with_interval(pasted.before_pasting())),
        ]);
    }
    grid
}

/// The networks of the study.
pub(super) fn networks(csv: &Csv<'_>) -> Grid {
    let columns = [
        "network",
        "backdoor",
        "seed",
        "accuracy",
        "patched images",
        "called the target",
    ];
    let mut grid = Grid::new("Networks of the study", &columns);
    for row in csv.rows() {
        let backdoor = match row.is("poisoned") {
            true => {
                let names = ["source_name", "target_name"].map(|column| clean(row.text(column)));
                names.join(" to ")
            }
            false => "none".to_owned(),
        };
        grid.row(vec![
            GridCell::Number(row.text("network").to_owned()),
            GridCell::Words(backdoor),
            GridCell::Words(row.text("seed").to_owned()),
            GridCell::number(row.real("clean_accuracy").map(percent)),
            GridCell::number(row.whole("attacked").map(thousands)),
            GridCell::number(row.real("attack_success").map(percent)),
        ]);
    }
    grid
}

/// The strongest window of every class of every network, from decisions alone.
pub(super) fn windows(csv: &Csv<'_>) -> Grid {
    let columns = [
        "network", "γ", "class", "called", "trials", "row", "column", "side", "mean z", "index",
    ];
    let mut grid = Grid::new(
        "Strongest windows by network, γ and class, from decisions alone",
        &columns,
    );
    for row in csv.rows() {
        grid.row(vec![
            GridCell::Number(row.text("network").to_owned()),
            GridCell::number(row.gamma("gamma").map(gamma)),
            GridCell::Words(clean(row.text("name"))),
            GridCell::number(row.whole("called").map(thousands)),
            GridCell::number(row.whole("trials").map(thousands)),
            GridCell::number(row.whole("row").map(thousands)),
            GridCell::number(row.whole("column").map(thousands)),
            GridCell::number(row.whole("size").map(thousands)),
            GridCell::number(row.real("score").map(number)),
            GridCell::number(row.real("index").map(number)),
        ]);
    }
    grid
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::{Config, Form};

    const SCORES: &str = "network,role,seed,accuracy,attack_success,class,name,score,row,column,size,energy\n\
        0,reference,7,0.97,,0,0,3.25,1,2,4,0.9\n0,reference,7,0.97,,1,1,4.5,1,2,4,0.8\n\
        1,suspect,9,,,0,0,12.25,3,4,5,2.5\n1,suspect,9,,,1,1,,,,,\n";

    #[test]
    fn every_network_has_its_highest_score_and_the_suspect_every_class() {
        let csv = Csv::new(SCORES);
        let number = |text: &str| GridCell::Number(text.to_owned());
        let words = |text: &str| GridCell::Words(text.to_owned());
        let grid = networks_by_score(&csv);
        assert_eq!(grid.rows.len(), 2);
        assert_eq!(grid.rows[0][5..], [number("4.5"), words("1")]);
        assert_eq!(
            grid.rows[1][3..],
            [
                GridCell::Nothing,
                GridCell::Nothing,
                number("12.2"),
                words("0")
            ]
        );
        let grid = classes(&Record::new(&Config::default()), &csv);
        assert_eq!(
            grid.rows[0],
            [
                words("0"),
                number("12.2"),
                number("3.2"),
                number("3–7"),
                number("4–8"),
                number("2.50")
            ]
        );
        assert_eq!(grid.rows[1][1..3], [GridCell::Nothing, number("4.5")]);
        let mut record = Record::new(&Config::default());
        record.form = Some(Form::numbered([1, 6, 8], 2));
        let grid = classes(&record, &csv);
        assert_eq!(grid.rows[0][3..5], [number("3–5"), number("4–7")]);
    }

    #[test]
    fn names_of_classes_do_not_turn_the_text_around() {
        let words = |text: &str| GridCell::Words(text.to_owned());
        let csv = Csv::new("network,role,class,name,score\n0,suspect,0,a\u{202e}b,3\n");
        assert_eq!(networks_by_score(&csv).rows[0][6], words("a?b"));
        let csv = Csv::new("network,poisoned,source_name,target_name\n0,true,a\u{202e}b,c\n");
        assert_eq!(networks(&csv).rows[0][1], words("a?b to c"));
        let csv = Csv::new("network,name\n0,a\u{202e}b\n");
        assert_eq!(windows(&csv).rows[0][2], words("a?b"));
    }
}
