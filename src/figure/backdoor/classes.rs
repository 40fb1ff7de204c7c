//! Every class of individual networks by how far it stands out, with the map of the one that stands out most.

use super::super::audit_scores::{
    MapTile, WIDE, bars_to_show, full_length, line_label, score_text,
};
use super::super::wording::bare_class_name;
use super::data::StudyData;
use crate::drawing::{Bar, Bars, Drawing, Paint, Sheet};
use crate::format::short;
use crate::ids::ClassId;
use crate::session::Session;
use crate::session::record::Finding;
use crate::stats::audit::SquareWindow;
use crate::stats::backdoor::FLAG_THRESHOLD;

/// The networks whose classes are drawn individually: the first of each kind that has been shown noise.
pub fn networks_of_classes(data: &StudyData<'_>) -> Vec<usize> {
    let first = |poisoned: bool| {
        let mut all = data.study.networks.iter();
        all.position(|network| network.poisoned == poisoned && network.is_concluded())
    };
    [true, false].into_iter().filter_map(first).collect()
}

/// Draws the map of the class that stands out and bars of all classes, for individual networks; returns their lower
/// edge.
pub fn classes(drawing: &mut Drawing, session: &Session, data: &StudyData<'_>, head: f64) -> f64 {
    let sheet = drawing.sheet;
    let (margin, row, size) = (sheet.margin(), sheet.line_height(), sheet.text_size());
    let (room, gap) = (sheet.width - 2.0 * margin, 2.0 * margin);
    let networks = networks_of_classes(data);
    let first = networks.first().copied();
    let tile = first.and_then(|network| tile(session, data, network));
    let parts = networks.len() + usize::from(tile.is_some());
    let wide = room >= WIDE * size;
    let each = match wide && parts > 1 {
        true => (room - gap * (parts - 1) as f64) / parts as f64,
        false => room,
    };
    let (mut x, mut y, mut end) = (margin, head, head);
    let mut took = |height: f64| {
        let corner = (x, y);
        end = f64::max(end, y + height);
        match wide {
            true => x += each + gap,
            false => y += height + 0.8 * row,
        }
        corner
    };
    if let Some(tile) = tile {
        let height = tile.height(sheet, each);
        let corner = took(height);
        tile.draw(drawing, corner, each);
    }
    for network in networks {
        let bars = class_bars(session, data, network, sheet, each);
        let corner = took(bars.height(drawing));
        bars.draw(drawing, corner, each);
    }
    end
}

/// The map of the class of a network that stands out most, with its window outlined.
fn tile<'a>(session: &Session, data: &'a StudyData<'_>, network: usize) -> Option<MapTile<'a>> {
    let suspect = data.study.networks.get(network)?;
    let name = data.name(network);
    let by_decisions = || {
        let class = data.verdict.networks.get(network)?.as_ref()?.class?;
        let finding = suspect.findings.get(data.telling_gamma_index)?;
        let window = (*finding.windows.get(class.0)?)?;
        let map = map(finding, finding.z.values(), class)?;
        let window = (window.row, window.column, window.size);
        Some(("z", class, map, finding, window))
    };
    let by_evidence = || {
        let finding = suspect.findings.get(data.evidence_gamma_index)?;
        let (class, score) = finding.audited.as_ref()?.top()?;
        let map = map(finding, finding.evidence.values(), class)?;
        Some(("evidence", class, map, finding, score.window))
    };
    let found: Option<(&str, ClassId, &[f32], &Finding, SquareWindow)> =
        by_decisions().or_else(by_evidence);
    let (map_name, class, map, finding, window) = found?;
    Some(MapTile {
        title: format!(
            "{map_name} of {}, network {name}",
            bare_class_name(&session.record, class)
        ),
        map,
        shape: finding.shape(),
        window: Some(window),
    })
}

/// A map of a class; `None` if it has none.
fn map<'a>(finding: &Finding, all: &'a [f32], class: ClassId) -> Option<&'a [f32]> {
    let pixels: usize = finding.shape().iter().product();
    let map = all.get(class.0 * pixels..(class.0 + 1) * pixels)?;
    let is_known = !map.is_empty() && map.iter().all(|value| value.is_finite());
    is_known.then_some(map)
}

/// Whether the classes of a network are ranked by anomaly index: if any class has one, or no other score is known.
pub fn is_by_index(data: &StudyData<'_>, network: usize) -> bool {
    let suspect = data.study.networks.get(network);
    let finding_at =
        |gamma_index: usize| suspect.and_then(|suspect| suspect.findings.get(gamma_index));
    let mut windows = finding_at(data.telling_gamma_index)
        .into_iter()
        .flat_map(|finding| &finding.windows);
    let audited =
        finding_at(data.evidence_gamma_index).and_then(|finding| finding.audited.as_ref());
    audited.is_none() || windows.any(|window| window.is_some_and(|window| window.index.is_some()))
}

/// Every class of a network by its anomaly index; if none has one, by the score of its evidence image.
fn class_bars(
    session: &Session,
    data: &StudyData<'_>,
    network: usize,
    sheet: Sheet,
    width: f64,
) -> Bars {
    let suspect = data.study.networks.get(network);
    let finding_at =
        |gamma_index: usize| suspect.and_then(|suspect| suspect.findings.get(gamma_index));
    let finding = finding_at(data.telling_gamma_index);
    let windows = finding.map_or(&[][..], |finding| &finding.windows);
    let indices = windows
        .iter()
        .map(|window| window.and_then(|window| window.index));
    let indices: Vec<Option<f64>> = indices.collect();
    let audited =
        finding_at(data.evidence_gamma_index).and_then(|finding| finding.audited.as_ref());
    let by_index = is_by_index(data, network);
    let values: Vec<Option<f64>> = match audited.filter(|_| !by_index) {
        Some(audited) => {
            let scores = audited.classes.iter();
            scores
                .map(|score| score.as_ref().map(|score| score.score))
                .collect()
        }
        None => indices,
    };
    let bar = |class: ClassId| {
        let flagged = by_index && values[class].is_some_and(|index| index > FLAG_THRESHOLD);
        Bar {
            name: bare_class_name(&session.record, class),
            value: values[class],
            text: match values[class] {
                Some(index) if flagged => format!("{}, flagged", score_text(index)),
                Some(value) => score_text(value),
                None => finding
                    .map_or("none", |finding| lack(finding, class))
                    .to_owned(),
            },
            paint: if flagged { Paint::First } else { Paint::Third },
        }
    };
    let shown = bars_to_show(&values);
    let score_name = if by_index { "anomaly index" } else { "score" };
    let left = match shown.len() < values.len() {
        true => format!(", {} highest of {} classes", shown.len(), values.len()),
        false => String::new(),
    };
    let bound = by_index.then(|| {
        let words = format!("flagged past {}", short(FLAG_THRESHOLD));
        (FLAG_THRESHOLD, line_label(sheet, &words, width))
    });
    let known = values.iter().flatten().copied();
    Bars {
        title: format!("{score_name}, network {}{left}", data.name(network)),
        max: full_length(known.chain(by_index.then_some(1.5 * FLAG_THRESHOLD))),
        bars: shown.into_iter().map(bar).collect(),
        reference_lines: bound.into_iter().collect(),
    }
}

/// Why a class has no index.
fn lack(finding: &Finding, class: ClassId) -> &'static str {
    match finding.called.get(class.0).copied().unwrap_or(0) {
        0 => "never called",
        called if called == finding.trials => "always called",
        _ if finding.windows.get(class.0).is_some_and(Option::is_some) => "not judged",
        _ => "too few",
    }
}
