//! The score of every network: a bar each, or of many networks a dot each.

use std::collections::BTreeMap;

use super::super::audit_scores::{at_line, full, score_in_words};
use super::super::names::bare;
use super::seen::{Scores, Seen};
use super::ticks::{number, ticks_between};
use crate::drawing::{Bar, Bars, Drawing, Mark, Paint, Point, Sheet, Stroke};
use crate::session::Session;

/// A bar a network, the highest score first.
pub fn network_bars(
    session: &Session,
    seen: &Seen<'_>,
    scores: &Scores,
    sheet: Sheet,
    width: f64,
) -> Bars {
    let mut order: Vec<usize> = (0..scores.networks.len()).collect();
    let worth = |at: usize| scores.networks[at].map_or(f64::NEG_INFINITY, |own| own.0);
    order.sort_by(|&a, &b| worth(b).total_cmp(&worth(a)));
    let bar = |network: usize| {
        let own = scores.networks[network];
        let poisoned = seen
            .study
            .networks
            .get(network)
            .is_some_and(|it| it.poisoned);
        let none = || match seen.study.networks.get(network) {
            Some(it) if it.is_concluded() => "none".to_owned(),
            _ => "not yet".to_owned(),
        };
        Bar {
            name: seen.name(network),
            value: own.map(|own| own.0),
            said: own.map_or_else(none, |(score, class)| {
                let name = bare(&session.record, class);
                format!("{}, {name}", score_in_words(score))
            }),
            paint: if poisoned { Paint::First } else { Paint::Third },
        }
    };
    let lines = scores.bound.iter();
    let lines = lines.map(|(value, words)| (*value, at_line(sheet, words, width)));
    let lines: Vec<(f64, String)> = lines.collect();
    let known = scores.networks.iter().flatten().map(|own| own.0);
    Bars {
        title: format!("{}, with its class", scores.title),
        most: full(known.chain(lines.iter().map(|(value, _)| *value))),
        bars: order.into_iter().map(bar).collect(),
        lines,
    }
}

/// A dot a network, discs for poisoned and rings for clean ones, each kind in a lane of its own; gives where
/// they end.
pub fn lanes(
    drawing: &mut Drawing,
    seen: &Seen<'_>,
    scores: &Scores,
    (x, y): Point,
    width: f64,
) -> f64 {
    let sheet = drawing.sheet;
    let (row, size) = (sheet.row(), sheet.size());
    drawing.text((x, y), &sheet.cut(&scores.title, width), Paint::Ink);
    let known = scores.networks.iter().flatten().map(|own| own.0);
    let bound = scores.bound.iter().map(|own| own.0);
    let ends = known.chain(bound).filter(|value| value.is_finite());
    let (low, high) = ends.fold((0.0_f64, 0.0_f64), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    let (low, high) = match high > low {
        true => (low, high + 0.04 * (high - low)),
        false => (0.0, 1.0),
    };
    // Half a tick's name on both sides.
    let inset = 2.0 * size;
    let across = |value: f64| x + inset + (value - low) / (high - low) * (width - 2.0 * inset);
    let radius = 0.33 * size;
    let pitch = 2.3 * radius;
    let levels = 6_usize;
    let lane = (levels as f64 + 0.5) * pitch;
    let top = y + 1.4 * row;
    let mut down = top;
    for poisoned in [true, false] {
        let pairs = seen.study.networks.iter().zip(&scores.networks);
        let own = pairs.filter(|(network, _)| network.poisoned == poisoned);
        let own: Vec<Option<f64>> = own.map(|(_, score)| score.map(|own| own.0)).collect();
        let (kind, paint) = match poisoned {
            true => ("poisoned", Paint::First),
            false => ("clean", Paint::Third),
        };
        let without = own.iter().filter(|score| score.is_none()).count();
        let without = match without {
            0 => String::new(),
            without => format!(", {without} without a score"),
        };
        let words = format!("{} {kind}{without}", own.len());
        drawing.text((x, down), &sheet.cut(&words, width), Paint::Dim);
        let base = down + row + lane;
        // Dots that would lie on each other stand above each other.
        let mut stacks: BTreeMap<i64, usize> = BTreeMap::new();
        let points = own.iter().flatten().map(|&score| {
            let at = across(score);
            let level = stacks.entry((at / pitch) as i64).or_insert(0);
            let up = (*level % levels) as f64 * pitch;
            *level += 1;
            (at, base - 0.75 * pitch - up)
        });
        let points: Vec<Point> = points.collect();
        drawing.marks.push(Mark::Dots {
            points,
            radius,
            full: poisoned,
            paint,
        });
        let floor = vec![(x + inset, base), (x + width - inset, base)];
        drawing.line(floor, sheet.thin(), Stroke::Solid, Paint::Dim);
        down = base + 0.3 * row;
    }
    down -= 0.3 * row;
    let mut free = f64::MIN;
    for value in ticks_between(low, high) {
        let (at, name) = (across(value), number(value));
        let half = 0.5 * sheet.text_width(&name);
        if at - half < free {
            continue;
        }
        let tick = vec![(at, down), (at, down + 0.2 * size)];
        drawing.line(tick, sheet.thin(), Stroke::Solid, Paint::Dim);
        drawing.text_about((at, down + 0.3 * size), &name, Paint::Dim);
        free = at + half + 0.4 * size;
    }
    down += 0.3 * size + row;
    if let Some((value, words)) = &scores.bound {
        let at = across(*value);
        let line = vec![(at, top + row), (at, down - row)];
        drawing.line(line, sheet.thin(), Stroke::Dashed, Paint::Ink);
        let words = at_line(sheet, &format!("dashed: {words}"), width);
        drawing.text((x, down), &words, Paint::Dim);
        down += row;
    }
    down
}
