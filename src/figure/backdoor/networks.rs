//! The score of every network: a bar each, or with many networks a dot each.

use std::collections::BTreeMap;

use super::super::audit_scores::{full_length, line_label, score_text};
use super::super::wording::bare_class_name;
use super::data::{NetworkScores, StudyData};
use super::ticks::{number, ticks_between};
use crate::drawing::{Bar, Bars, Drawing, Mark, Paint, Point, Sheet, Stroke};
use crate::session::Session;

/// One bar per network, the highest score first.
pub fn network_bars(
    session: &Session,
    data: &StudyData<'_>,
    scores: &NetworkScores,
    sheet: Sheet,
    width: f64,
) -> Bars {
    let mut order: Vec<usize> = (0..scores.networks.len()).collect();
    let worth = |index: usize| scores.networks[index].map_or(f64::NEG_INFINITY, |score| score.0);
    order.sort_by(|&a, &b| worth(b).total_cmp(&worth(a)));
    let bar = |network: usize| {
        let score = scores.networks[network];
        let poisoned = data
            .study
            .networks
            .get(network)
            .is_some_and(|network| network.poisoned);
        let none = || match data.study.networks.get(network) {
            Some(network) if network.is_concluded() => "none".to_owned(),
            _ => "not yet".to_owned(),
        };
        Bar {
            name: data.name(network),
            value: score.map(|score| score.0),
            text: score.map_or_else(none, |(score, class)| {
                let name = bare_class_name(&session.record, class);
                format!("{}, {name}", score_text(score))
            }),
            paint: if poisoned { Paint::First } else { Paint::Third },
        }
    };
    let lines = scores.bound.iter();
    let lines = lines.map(|(value, words)| (*value, line_label(sheet, words, width)));
    let lines: Vec<(f64, String)> = lines.collect();
    let known = scores.networks.iter().flatten().map(|score| score.0);
    Bars {
        title: format!("{}, with its class", scores.title),
        max: full_length(known.chain(lines.iter().map(|(value, _)| *value))),
        bars: order.into_iter().map(bar).collect(),
        reference_lines: lines,
    }
}

/// Draws one dot per network, filled for poisoned and hollow for clean ones, each kind in its own lane; returns their
/// lower edge.
pub fn lanes(
    drawing: &mut Drawing,
    data: &StudyData<'_>,
    scores: &NetworkScores,
    (x, y): Point,
    width: f64,
) -> f64 {
    let sheet = drawing.sheet;
    let (row, size) = (sheet.line_height(), sheet.text_size());
    drawing.text((x, y), &sheet.truncate(&scores.title, width), Paint::Ink);
    let known = scores.networks.iter().flatten().map(|score| score.0);
    let bound = scores.bound.iter().map(|bound| bound.0);
    let ends = known.chain(bound).filter(|value| value.is_finite());
    let (low, high) = ends.fold((0.0_f64, 0.0_f64), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    let (low, high) = match high > low {
        true => (low, high + 0.04 * (high - low)),
        false => (0.0, 1.0),
    };
    // Room for half a tick label on either side.
    let inset = 2.0 * size;
    let across = |value: f64| x + inset + (value - low) / (high - low) * (width - 2.0 * inset);
    let radius = 0.33 * size;
    let pitch = 2.3 * radius;
    let levels = 6_usize;
    let lane = (levels as f64 + 0.5) * pitch;
    let top = y + 1.4 * row;
    let mut down = top;
    for poisoned in [true, false] {
        let pairs = data.study.networks.iter().zip(&scores.networks);
        let of_kind = pairs.filter(|(network, _)| network.poisoned == poisoned);
        let of_kind: Vec<Option<f64>> = of_kind
            .map(|(_, score)| score.map(|score| score.0))
            .collect();
        let (kind, paint) = match poisoned {
            true => ("poisoned", Paint::First),
            false => ("clean", Paint::Third),
        };
        let without = of_kind.iter().filter(|score| score.is_none()).count();
        let without = match without {
            0 => String::new(),
            without => format!(", {without} without a score"),
        };
        let words = format!("{} {kind}{without}", of_kind.len());
        drawing.text((x, down), &sheet.truncate(&words, width), Paint::Dim);
        let base = down + row + lane;
        // Dots that would overlap are stacked.
        let mut stacks: BTreeMap<i64, usize> = BTreeMap::new();
        let points = of_kind.iter().flatten().map(|&score| {
            let x_pos = across(score);
            let level = stacks.entry((x_pos / pitch) as i64).or_insert(0);
            let up = (*level % levels) as f64 * pitch;
            *level += 1;
            (x_pos, base - 0.75 * pitch - up)
        });
        let points: Vec<Point> = points.collect();
        drawing.marks.push(Mark::Dots {
            points,
            radius,
            filled: poisoned,
            paint,
        });
        let floor = vec![(x + inset, base), (x + width - inset, base)];
        drawing.line(floor, sheet.thin_line(), Stroke::Solid, Paint::Dim);
        down = base + 0.3 * row;
    }
    down -= 0.3 * row;
    let mut free = f64::MIN;
    for value in ticks_between(low, high) {
        let (x_pos, name) = (across(value), number(value));
        let half = 0.5 * sheet.text_width(&name);
        if x_pos - half < free {
            continue;
        }
        let tick = vec![(x_pos, down), (x_pos, down + 0.2 * size)];
        drawing.line(tick, sheet.thin_line(), Stroke::Solid, Paint::Dim);
        drawing.text_centred((x_pos, down + 0.3 * size), &name, Paint::Dim);
        free = x_pos + half + 0.4 * size;
    }
    down += 0.3 * size + row;
    if let Some((value, words)) = &scores.bound {
        let x_pos = across(*value);
        let line = vec![(x_pos, top + row), (x_pos, down - row)];
        drawing.line(line, sheet.thin_line(), Stroke::Dashed, Paint::Ink);
        let words = line_label(sheet, &format!("dashed: {words}"), width);
        drawing.text((x, down), &words, Paint::Dim);
        down += row;
    }
    down
}
