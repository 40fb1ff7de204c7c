//! Every class of single networks by how far it stands out, and the map of the one that does most.

use super::super::audit_scores::{Tile, WIDE, at_line, full, score_in_words, shown};
use super::super::names::bare;
use super::seen::Seen;
use crate::drawing::{Bar, Bars, Drawing, Paint, Sheet};
use crate::format::short;
use crate::session::Session;
use crate::session::record::Finding;
use crate::stats::audit::Window;
use crate::stats::backdoor::FLAGGED;

/// The networks whose classes are looked at one by one: the first of each kind that has been shown noise.
pub fn networks_of_classes(seen: &Seen<'_>) -> Vec<usize> {
    let first = |poisoned: bool| {
        let mut all = seen.study.networks.iter();
        all.position(|it| it.poisoned == poisoned && it.is_concluded())
    };
    [true, false].into_iter().filter_map(first).collect()
}

/// The map of the class that stands out and bars of all classes, of single networks; gives where they end.
pub fn classes(drawing: &mut Drawing, session: &Session, seen: &Seen<'_>, head: f64) -> f64 {
    let sheet = drawing.sheet;
    let (margin, row, size) = (sheet.margin(), sheet.row(), sheet.size());
    let (room, gap) = (sheet.width - 2.0 * margin, 2.0 * margin);
    let networks = networks_of_classes(seen);
    let first = networks.first().copied();
    let tile = first.and_then(|network| tile(session, seen, network));
    let parts = networks.len() + usize::from(tile.is_some());
    let wide = room >= WIDE * size;
    let each = match wide && parts > 1 {
        true => (room - gap * (parts - 1) as f64) / parts as f64,
        false => room,
    };
    let (mut x, mut y, mut end) = (margin, head, head);
    let mut took = |height: f64| {
        let at = (x, y);
        end = f64::max(end, y + height);
        match wide {
            true => x += each + gap,
            false => y += height + 0.8 * row,
        }
        at
    };
    if let Some(tile) = tile {
        let height = tile.height(sheet, each);
        let at = took(height);
        tile.draw(drawing, at, each);
    }
    for network in networks {
        let bars = class_bars(session, seen, network, sheet, each);
        let at = took(bars.height(drawing));
        bars.draw(drawing, at, each);
    }
    end
}

/// The map of the class of a network that stands out most, its window outlined.
fn tile<'a>(session: &Session, seen: &'a Seen<'_>, network: usize) -> Option<Tile<'a>> {
    let suspect = seen.study.networks.get(network)?;
    let name = seen.name(network);
    let by_decisions = || {
        let class = seen.verdict.networks.get(network)?.as_ref()?.class?;
        let finding = suspect.findings.get(seen.telling)?;
        let window = (*finding.windows.get(class)?)?;
        let map = map(finding, finding.z.values(), class)?;
        let window = (window.row, window.column, window.size);
        Some(("z", class, map, finding, window))
    };
    let by_evidence = || {
        let finding = suspect.findings.get(seen.audited)?;
        let (class, own) = finding.audited.as_ref()?.top()?;
        let map = map(finding, finding.evidence.values(), class)?;
        Some(("evidence", class, map, finding, own.window))
    };
    let found: Option<(&str, usize, &[f32], &Finding, Window)> =
        by_decisions().or_else(by_evidence);
    let (what, class, map, finding, window) = found?;
    Some(Tile {
        title: format!("{what} of {}, network {name}", bare(&session.record, class)),
        map,
        shape: finding.shape(),
        window: Some(window),
    })
}

/// A map of a class; `None` where it has none.
fn map<'a>(finding: &Finding, all: &'a [f32], class: usize) -> Option<&'a [f32]> {
    let pixels: usize = finding.shape().iter().product();
    let own = all.get(class * pixels..(class + 1) * pixels)?;
    let is_known = !own.is_empty() && own.iter().all(|value| value.is_finite());
    is_known.then_some(own)
}

/// Whether the classes of a network are told by their anomaly index: where one has one, or nothing else is known.
pub fn is_by_index(seen: &Seen<'_>, network: usize) -> bool {
    let suspect = seen.study.networks.get(network);
    let at = |gamma: usize| suspect.and_then(|own| own.findings.get(gamma));
    let mut windows = at(seen.telling).into_iter().flat_map(|it| &it.windows);
    let audited = at(seen.audited).and_then(|it| it.audited.as_ref());
    audited.is_none() || windows.any(|own| own.is_some_and(|it| it.index.is_some()))
}

/// Every class of a network by its anomaly index; where none has one, by the score of its evidence image.
fn class_bars(
    session: &Session,
    seen: &Seen<'_>,
    network: usize,
    sheet: Sheet,
    width: f64,
) -> Bars {
    let suspect = seen.study.networks.get(network);
    let at = |gamma: usize| suspect.and_then(|own| own.findings.get(gamma));
    let finding = at(seen.telling);
    let windows = finding.map_or(&[][..], |it| &it.windows);
    let indices = windows.iter().map(|own| own.and_then(|it| it.index));
    let indices: Vec<Option<f64>> = indices.collect();
    let audited = at(seen.audited).and_then(|it| it.audited.as_ref());
    let by_index = is_by_index(seen, network);
    let values: Vec<Option<f64>> = match audited.filter(|_| !by_index) {
        Some(audited) => {
            let scores = audited.classes.iter();
            scores
                .map(|own| own.as_ref().map(|own| own.score))
                .collect()
        }
        None => indices,
    };
    let bar = |class: usize| {
        let flagged = by_index && values[class].is_some_and(|index| index > FLAGGED);
        Bar {
            name: bare(&session.record, class),
            value: values[class],
            said: match values[class] {
                Some(index) if flagged => format!("{}, flagged", score_in_words(index)),
                Some(value) => score_in_words(value),
                None => finding.map_or("none", |it| lack(it, class)).to_owned(),
            },
            paint: if flagged { Paint::First } else { Paint::Third },
        }
    };
    let shown = shown(&values);
    let what = if by_index { "anomaly index" } else { "score" };
    let left = match shown.len() < values.len() {
        true => format!(", {} highest of {} classes", shown.len(), values.len()),
        false => String::new(),
    };
    let bound = by_index.then(|| {
        let words = format!("flagged past {}", short(FLAGGED));
        (FLAGGED, at_line(sheet, &words, width))
    });
    let known = values.iter().flatten().copied();
    Bars {
        title: format!("{what}, network {}{left}", seen.name(network)),
        most: full(known.chain(by_index.then_some(1.5 * FLAGGED))),
        bars: shown.into_iter().map(bar).collect(),
        lines: bound.into_iter().collect(),
    }
}

/// Why a class has no index.
fn lack(finding: &Finding, class: usize) -> &'static str {
    match finding.called.get(class).copied().unwrap_or(0) {
        0 => "never called",
        called if called == finding.trials => "all called so",
        _ if finding.windows.get(class).is_some_and(Option::is_some) => "not judged",
        _ => "too few",
    }
}
