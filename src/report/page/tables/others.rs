//! The tables of training, templates, the attack, units, modulation and predictions.

use std::collections::BTreeMap;

use super::csv::Csv;
use super::{Grid, GridCell};
use crate::figure::audit::share_with_interval;
use crate::figure::wording::{bare_class_name, class_name};
use crate::format::{
    self, clean, gamma, learning_rate, number, percent, reliability, short, signed, thousands,
};
use crate::ids::{ClassId, Gamma};
use crate::session::record::{Attack, Record, SpikeTriggered};
use crate::stats::share::Share;

/// Maximum number of classes for which a confusion matrix is shown.
const MOST_PAIRS: usize = 20;

pub(super) fn training(csv: &Csv<'_>) -> super::TableSection {
    let columns = [
        "epoch",
        "loss",
        "accuracy",
        "loss, validation",
        "accuracy, validation",
        "learning rate",
        "kept",
    ];
    let mut grid = Grid::new("Training by epoch", &columns);
    for row in csv.rows() {
        let real =
            |column: &str, shown: fn(f64) -> String| GridCell::number(row.real(column).map(shown));
        grid.row(vec![
            GridCell::Number(row.text("epoch").to_owned()),
            real("train_loss", number),
            real("train_accuracy", percent),
            real("valid_loss", number),
            real("valid_accuracy", percent),
            real("lr", learning_rate),
            match row.is("best") {
                true => GridCell::Words("best".into()),
                false => GridCell::Nothing,
            },
        ]);
    }
    super::TableSection::new("Training", vec![grid], Vec::new())
}

pub(super) fn templates(csv: &Csv<'_>) -> Grid {
    let columns = [
        "maps by",
        "γ",
        "score",
        "classes",
        "correct",
        "images",
        "accuracy (95 %)",
    ];
    let mut grid = Grid::new("Test images classified by the maps alone", &columns);
    for row in csv.rows() {
        let counts = row.whole("correct").zip(row.whole("images"));
        grid.row(vec![
            GridCell::Words(row.text("response").to_owned()),
            GridCell::number(row.gamma("gamma").map(gamma)),
            GridCell::Words(row.text("score").to_owned()),
            GridCell::number(row.whole("classes").map(thousands)),
            GridCell::number(row.whole("correct").map(thousands)),
            GridCell::number(row.whole("images").map(thousands)),
            GridCell::number(
                counts.map(|(hits, total)| share_with_interval(Share { hits, total })),
            ),
        ]);
    }
    grid
}

/// Mean success rates over the targets by pattern and weight, on images and on noise.
pub(super) fn attack(attack: &Attack) -> Vec<Grid> {
    let table = |(source, name): (usize, &str)| {
        let caption =
            format!("Mean success in % over the target classes, blended into {name}, by weight w");
        let mut grid = Grid::new(caption, &["pattern"]);
        grid.columns
            .extend(attack.weights.iter().map(|&w| short(w)));
        for (pattern, kind) in attack.kinds.iter().enumerate() {
            let success = |place: usize| {
                attack
                    .mean_targeted(source, pattern, place)
                    .map(|mean| in_percent(mean.interval.estimate))
            };
            let cells: Vec<GridCell> = (0..attack.weights.len())
                .map(|place| GridCell::number(success(place)))
                .collect();
            if cells.iter().any(|cell| *cell != GridCell::Nothing) {
                grid.row(
                    std::iter::once(GridCell::Words(kind.label().into()))
                        .chain(cells)
                        .collect(),
                );
            }
        }
        grid
    };
    [(0, "test images"), (1, "noise")]
        .into_iter()
        .map(table)
        .collect()
}

/// Success rates on images by target class and weight, one table per pattern.
pub(super) fn attack_by_target(record: &Record, attack: &Attack, csv: &Csv<'_>) -> Vec<Grid> {
    let table = |kind: &crate::session::record::Pattern| {
        let caption = format!(
            "Success in % of the {} by target class and weight w, test images",
            kind.label()
        );
        let mut grid = Grid::new(caption, &["target"]);
        grid.columns
            .extend(attack.weights.iter().map(|&w| short(w)));
        let mut targets: BTreeMap<ClassId, Vec<GridCell>> = BTreeMap::new();
        let rows = csv
            .rows()
            .filter(|row| row.text("source") == "image" && row.text("pattern") == kind.key());
        for row in rows {
            let (Some(target), Some(weight)) = (row.class("target"), row.real("weight")) else {
                continue;
            };
            let Some(place) = attack
                .weights
                .iter()
                .position(|existing| *existing == weight)
            else {
                continue;
            };
            let cells = targets
                .entry(target)
                .or_insert_with(|| vec![GridCell::Nothing; attack.weights.len()]);
            cells[place] =
                GridCell::number(rate(row.whole("successes"), row.whole("n")).map(in_percent));
        }
        for (target, cells) in targets {
            let name = GridCell::Words(bare_class_name(record, target));
            grid.row(std::iter::once(name).chain(cells).collect());
        }
        grid
    };
    attack.kinds.iter().map(table).collect()
}

/// A rate; `None` if there are no trials.
fn rate(hits: Option<u64>, total: Option<u64>) -> Option<f64> {
    let share = Share {
        hits: hits?,
        total: total?,
    };
    share.rate()
}

/// A share as a percentage without the sign, which the caption gives.
fn in_percent(share: f64) -> String {
    percent(share).trim_end_matches(" %").to_owned()
}

/// The range of the units' values in each layer, smallest to largest.
pub(super) fn layers(spikes: &SpikeTriggered, csv: &Csv<'_>) -> Grid {
    let columns = [
        "layer",
        "units",
        "sees",
        "silent",
        "R",
        "r with the kernel",
        "r with the mean gradient",
    ];
    let mut grid = Grid::new("Units by layer; smallest to largest value", &columns);
    let mut layers: BTreeMap<String, Units> = BTreeMap::new();
    for row in csv.rows() {
        let units = layers.entry(row.text("layer").to_owned()).or_default();
        units.silent += u64::from(row.is("silent"));
        let columns = ["reliability", "kernel_correlation", "stein_correlation"];
        for (ends, column) in units.ends.iter_mut().zip(columns) {
            if let Some(value) = row.real(column) {
                let (low, high) = ends.get_or_insert((value, value));
                (*low, *high) = (low.min(value), high.max(value));
            }
        }
    }
    for layer in &spikes.layers {
        let Some(units) = layers.get(&layer.name) else {
            continue;
        };
        let (height, width) = layer.receptive_field;
        let mut cells = vec![
            GridCell::Words(clean(&layer.name)),
            GridCell::Number(thousands(layer.units as u64)),
            GridCell::Number(format!("{height}×{width}")),
            GridCell::Number(thousands(units.silent)),
        ];
        let ends = |(low, high)| format!("{} to {}", reliability(low), reliability(high));
        cells.extend(units.ends.map(|range| GridCell::number(range.map(ends))));
        grid.row(cells);
    }
    grid
}

/// The units of a layer: how many are silent, and the smallest and largest value of each measure.
#[derive(Debug, Clone, Copy, Default)]
struct Units {
    silent: u64,
    ends: [Option<(f64, f64)>; 3],
}

/// By layer: how often images of a class are called it when the layer is shifted towards that class, and
/// how much of the noise is.
pub(super) fn modulation(record: &Record, csv: &Csv<'_>) -> (Vec<Grid>, Vec<Grid>) {
    let mut layers: Vec<String> = Vec::new();
    let mut strengths: Vec<i64> = Vec::new();
    let mut images: BTreeMap<(usize, ClassId, i64), Share> = BTreeMap::new();
    let mut noise: BTreeMap<(usize, ClassId, i64), Share> = BTreeMap::new();
    for row in csv.rows() {
        let layer = row.text("layer");
        let layer_index = layers
            .iter()
            .position(|name| name == layer)
            .unwrap_or_else(|| {
                layers.push(layer.to_owned());
                layers.len() - 1
            });
        let numbers = (
            row.class("target"),
            row.class("class"),
            row.real("strength"),
            row.gamma("gamma"),
        );
        let (Some(target), Some(class), Some(strength), Some(gamma)) = numbers else {
            continue;
        };
        let key = (layer_index, target, strength as i64);
        if !strengths.contains(&key.2) {
            strengths.push(key.2);
        }
        let count = |column: &str| row.whole(column).unwrap_or(0);
        if gamma == Gamma(1.0) && class == target {
            let (hits, of) = (count("correct"), count("shown"));
            images.insert(key, Share { hits, total: of });
        }
        if gamma == Gamma::NOISE {
            let share = noise.entry(key).or_default();
            share.total += count("shown");
            share.hits += if class == target { count("called") } else { 0 };
        }
    }
    strengths.sort_unstable();
    let grids = |title: &str, all: &BTreeMap<(usize, ClassId, i64), Share>| {
        let table = |(layer_index, layer): (usize, &String)| {
            let caption = format!(
                "{title}, by strength of the push of {} towards the class",
                format::layer(layer)
            );
            let mut grid = Grid::new(caption, &["class"]);
            grid.columns
                .extend(strengths.iter().map(|&strength| signed(strength as f64)));
            let targets = all
                .keys()
                .filter(|key| key.0 == layer_index)
                .map(|key| key.1);
            let mut targets: Vec<ClassId> = targets.collect();
            targets.dedup();
            for target in targets {
                let cell = |&strength: &i64| {
                    let share = all.get(&(layer_index, target, strength));
                    GridCell::number(share.and_then(|share| share.rate()).map(in_percent))
                };
                let name = GridCell::Words(bare_class_name(record, target));
                grid.row(
                    std::iter::once(name)
                        .chain(strengths.iter().map(cell))
                        .collect(),
                );
            }
            grid
        };
        layers.iter().enumerate().map(table).collect::<Vec<Grid>>()
    };
    (
        grids("Images of a class that are called it, in %", &images),
        grids("Noise that is called a class, in %", &noise),
    )
}

/// Counts by true and predicted class.
type Cells = BTreeMap<(ClassId, ClassId), u64>;

/// Images by true and predicted class, one table per split; none if there are very many classes.
pub(super) fn predictions(record: &Record, csv: &Csv<'_>) -> Vec<Grid> {
    let mut splits: Vec<(String, Cells)> = Vec::new();
    for row in csv.rows() {
        let (Some(truth), Some(called)) = (row.class("true"), row.class("called")) else {
            continue;
        };
        let split = row.text("split");
        if splits.last().is_none_or(|(name, _)| name != split) {
            splits.push((split.to_owned(), BTreeMap::new()));
        }
        if let Some((_, cells)) = splits.last_mut() {
            cells.insert((truth, called), row.whole("images").unwrap_or(0));
        }
    }
    let table = |(split, cells): (String, Cells)| {
        let classes = cells.keys().map(|key| key.0.0 + 1).max().unwrap_or(0);
        if classes > MOST_PAIRS {
            return None;
        }
        let caption =
            format!("Images of the {split} set: true class (rows) and predicted class (columns)");
        let mut grid = Grid::new(caption, &["true"]);
        grid.columns
            .extend(ClassId::all(classes).map(|class| bare_class_name(record, class)));
        grid.columns.push("correct".into());
        for truth in ClassId::all(classes) {
            let count = |called: ClassId| cells.get(&(truth, called)).copied().unwrap_or(0);
            let all: u64 = ClassId::all(classes).map(count).sum();
            let mut row = vec![GridCell::Words(class_name(record, truth))];
            row.extend(
                ClassId::all(classes).map(|called| GridCell::Number(thousands(count(called)))),
            );
            row.push(GridCell::number(
                rate(Some(count(truth)), Some(all)).map(percent),
            ));
            grid.row(row);
        }
        Some(grid)
    };
    splits.into_iter().filter_map(table).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Config;

    #[test]
    fn a_table_of_pairs_has_a_row_a_class_and_how_many_are_right() {
        let record = Record::new(&Config::default());
        let csv = Csv::new(
            "split,true,true_name,called,called_name,images\ntest,0,0,0,0,9\ntest,0,0,1,1,1\ntest,1,1,0,0,2\ntest,1,1,1,1,6\n",
        );
        let grids = predictions(&record, &csv);
        assert_eq!(grids.len(), 1);
        assert_eq!(grids[0].columns, ["true", "0", "1", "correct"]);
        let shown = |row: usize| -> Vec<GridCell> { grids[0].rows[row].clone() };
        let number = |text: &str| GridCell::Number(text.to_owned());
        assert_eq!(
            shown(0),
            [
                GridCell::Words("class 0".into()),
                number("9"),
                number("1"),
                number("90.0 %")
            ]
        );
        assert_eq!(
            shown(1),
            [
                GridCell::Words("class 1".into()),
                number("2"),
                number("6"),
                number("75.0 %")
            ]
        );
    }

    #[test]
    fn pushes_are_tables_of_classes_and_strengths() {
        let record = Record::new(&Config::default());
        let csv = Csv::new(
            "layer,alpha,target,target_name,strength,gamma,class,name,shown,correct,called\n\
             fc1,0.1,0,0,-2,0,0,0,5,0,1\nfc1,0.1,0,0,-2,0,1,1,5,0,9\nfc1,0.1,0,0,-2,1,0,0,4,1,1\n\
             fc1,0.1,0,0,0,0,0,0,5,0,5\nfc1,0.1,0,0,0,0,1,1,5,0,5\nfc1,0.1,0,0,0,1,0,0,4,4,4\n",
        );
        let (images, noise) = modulation(&record, &csv);
        assert_eq!(images[0].columns, ["class", "−2", "0"]);
        let number = |text: &str| GridCell::Number(text.to_owned());
        let name = GridCell::Words("0".into());
        assert_eq!(
            images[0].rows,
            [[name.clone(), number("25.0"), number("100.0")]]
        );
        assert_eq!(noise[0].rows, [[name, number("10.0"), number("50.0")]]);
    }
}
