//! One class, as large as whole zooms of its pixels allow, and its figures.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::scale_line;
use crate::stats::classification::ClassEstimate;
use crate::tui::format::{number, percent, reading, reliability, thousands};
use crate::tui::state::{MapKind, Pixels};
use crate::tui::view::Scene;
use crate::tui::view::lens::Lens;
use crate::tui::view::sheet::thumbnail;
use crate::tui::widget::heatmap::{Heatmap, Marks, cells};
use crate::tui::widget::scale;
use crate::tui::widget::text::{below, beside, centre, left, start, top, wrap};

/// Least columns for the figures beside the map.
const FIGURES: u16 = 30;

/// Draws the chosen class with a cursor on it, and all classes in small below.
pub fn draw(scene: &Scene<'_>, lens: &Lens<'_>, area: Rect, buf: &mut Buffer) {
    let room = (area.width.saturating_sub(FIGURES), area.height);
    let zoom = largest(lens, room);
    let (width, height) = cells(lens.trials.size(), zoom);
    let cursor = Some(scene.state.cursor);
    picture(scene, lens, start(top(area, height), width), cursor, buf);
    let under = below(area, height);
    if under.height > 0 {
        let class = scene.state.class;
        if let Some((_, ramp)) = lens.stand_in(class) {
            let used = scale::draw(ramp, 20.min(under.width / 3), under, scene.theme, buf);
            let words = Span::styled("  mean stimulus", scene.theme.dim());
            left(buf, beside(under, used), 0, words);
        } else if lens.nothing().is_none() {
            scale_line(scene, lens, lens.ramp(class), under, buf);
        }
        strip(scene, lens, below(under, 2), buf);
    }
    numbers(scene, lens, beside(area, width + 3), cursor, buf);
}

/// Draws the chosen class beside all the others, without a cursor.
pub fn closer(scene: &Scene<'_>, lens: &Lens<'_>, area: Rect, buf: &mut Buffer) {
    let zoom = largest(lens, (area.width, area.height.saturating_sub(12)));
    let (width, height) = cells(lens.trials.size(), zoom);
    picture(scene, lens, start(top(area, height), width), None, buf);
    numbers(scene, lens, below(area, height + 1), None, buf);
}

/// The largest whole zoom at which a map fits.
fn largest(lens: &Lens<'_>, room: (u16, u16)) -> u16 {
    let fits = |zoom: &u16| {
        let (width, height) = cells(lens.trials.size(), *zoom);
        width <= room.0 && height <= room.1
    };
    (1..=8).rev().find(fits).unwrap_or(1)
}

fn picture(
    scene: &Scene<'_>,
    lens: &Lens<'_>,
    area: Rect,
    cursor: Option<(usize, usize)>,
    buf: &mut Buffer,
) {
    let class = scene.state.class;
    let own = lens.values(class).map(|values| (values, lens.ramp(class)));
    let marks = match scene.state.pixels {
        Pixels::Significant if own.is_some() => Marks::Only,
        _ => Marks::Outline,
    };
    let Some((values, ramp)) = own.or_else(|| lens.stand_in(class)) else {
        thumbnail(scene, lens, class, area, buf);
        return;
    };
    Heatmap {
        values,
        size: lens.trials.size(),
        ramp,
        significance: lens.significance(class),
        marks,
        cursor,
    }
    .draw(area, scene.theme, buf);
}

/// All classes in small below the large one, the chosen one marked.
fn strip(scene: &Scene<'_>, lens: &Lens<'_>, area: Rect, buf: &mut Buffer) {
    let theme = scene.theme;
    let classes = lens.classes() as u16;
    if area.height == 0 || classes == 0 {
        return;
    }
    let step = (area.width / classes)
        .min(2 * area.height.saturating_sub(1) + 2)
        .max(3);
    let width = step - 1;
    let height = (width / 2).min(area.height - 1);
    for class in 0..classes {
        let tile = start(beside(area, class * step), width);
        if height >= 3 {
            thumbnail_or_dots(scene, lens, usize::from(class), top(tile, height), buf);
        }
        let row = if height >= 3 { height } else { 0 };
        let name = if usize::from(class) == scene.state.class {
            Span::styled(format!("{}{class}", theme.glyphs.pointer), theme.chosen())
        } else if shows(lens, usize::from(class)) {
            Span::styled(format!("{class}"), theme.text())
        } else {
            Span::styled(format!("{class}"), theme.dim())
        };
        centre(buf, tile, row, name);
    }
}

/// Whether there is a picture of a class.
fn shows(lens: &Lens<'_>, class: usize) -> bool {
    lens.values(class).is_some() || lens.stand_in(class).is_some()
}

fn thumbnail_or_dots(
    scene: &Scene<'_>,
    lens: &Lens<'_>,
    class: usize,
    area: Rect,
    buf: &mut Buffer,
) {
    if shows(lens, class) {
        thumbnail(scene, lens, class, area, buf);
    } else {
        let text = Span::styled(scene.theme.glyphs.dot, scene.theme.dim());
        centre(buf, area, area.height / 2, text);
    }
}

/// A row of the figures: its name in full and in short, its value, and what may be left out.
type Figure = ((&'static str, &'static str), String, String);

fn numbers(
    scene: &Scene<'_>,
    lens: &Lens<'_>,
    area: Rect,
    cursor: Option<(usize, usize)>,
    buf: &mut Buffer,
) {
    let class = scene.state.class;
    let Some(own) = lens.class(class) else {
        return;
    };
    let theme = scene.theme;
    let narrow = area.width < 40;
    let indent = if narrow { 8 } else { 13 };
    let figure = |((name, short), value, more): Figure| {
        let name = if narrow { short } else { name };
        let mut spans = vec![
            Span::styled(format!("{name:<indent$} "), theme.dim()),
            Span::raw(value),
        ];
        let room = usize::from(area.width).saturating_sub(indent + 3 + spans[1].width());
        if Span::raw(more.as_str()).width() <= room {
            spans.push(Span::styled(format!("  {more}"), theme.dim()));
        }
        Line::from(spans)
    };
    let of = format!("of {}", thousands(lens.estimate.trials));
    let called = (("called so", "called"), thousands(own.called), of);
    let title = Span::styled(format!("class {class}"), theme.bright());
    let mut lines = vec![Line::from(title), figure(called)];
    if let Some(missing) = lens.missing(class) {
        let sentence = wrap(&missing.sentence, area.width.min(44));
        let warning = |line| Line::from(Span::styled(line, theme.warning()));
        lines.extend(sentence.into_iter().map(warning));
        if lens.stand_in(class).is_some() {
            let shown = wrap(
                "Shown instead: the mean of the stimuli called so.",
                area.width.min(44),
            );
            lines.extend(shown.into_iter().map(Line::from));
        }
        if lens.takes_all().is_some() {
            lines.push(Line::from("Press ] for a stronger signal."));
        }
    }
    lines.extend(quality(lens, class, own).into_iter().map(figure));
    let stand_in = || lens.stand_in(class).map(|(values, _)| values);
    let values = lens.values(class).or_else(stand_in);
    if let (Some(values), Some(cursor)) = (values, cursor) {
        lines.push(Line::default());
        let figures = under_cursor(own, values, cursor, lens);
        lines.extend(figures.into_iter().map(figure));
    }
    lines.push(Line::default());
    lines.extend(table(scene, own, narrow));
    for (at, line) in lines.into_iter().enumerate() {
        left(buf, area, at as u16, line);
    }
}

/// How good the map of a class is.
fn quality(lens: &Lens<'_>, class: usize, own: &ClassEstimate) -> Vec<Figure> {
    let mut figures = Vec::new();
    if let Some(r) = own.reliability {
        let snr = own.snr.map(|snr| format!("SNR {}", number(snr)));
        let snr = snr.unwrap_or_default();
        figures.push((("reliability", "R"), reliability(r), snr));
    }
    if let Some(pixels) = own.significant {
        let bound = format!("|z| > {:.1}", lens.estimate.threshold);
        let pixels = format!("{pixels} pixels");
        figures.push((("significant", "signif."), pixels, bound));
    }
    if let Some(back) = lens.fed_back(class) {
        let confidence = format!("confidence {}", percent(back.confidence));
        let called = format!("called {}", back.class);
        figures.push((("fed back", "fed back"), called, confidence));
    }
    figures
}

fn under_cursor(
    own: &ClassEstimate,
    values: &[f32],
    (row, column): (usize, usize),
    lens: &Lens<'_>,
) -> Vec<Figure> {
    let pixel = row * lens.trials.size().1 + column;
    let place = format!("row {row}  column {column}");
    let mut figures = vec![(("cursor", "cursor"), place, String::new())];
    if let Some(&value) = values.get(pixel) {
        let text = match lens.kind {
            MapKind::Z | MapKind::Image if own.sufficient => reading(f64::from(value)),
            _ => number(f64::from(value)),
        };
        figures.push((("value", "value"), text, String::new()));
    }
    if let Some(&z) = own.z.as_ref().and_then(|z| z.get(pixel)) {
        let significant = f64::from(z.abs()) > lens.estimate.threshold;
        let word = if significant { "significant" } else { "" };
        figures.push((("z", "z"), reading(f64::from(z)), word.into()));
    }
    figures
}

/// Trials by what the image was and what the network called the stimulus.
fn table(scene: &Scene<'_>, own: &ClassEstimate, narrow: bool) -> Vec<Line<'static>> {
    let theme = scene.theme;
    let class = scene.state.class;
    let [hits, calls, misses, rest] = own.cells.map(thousands);
    let width = [&hits, &calls, &misses, &rest]
        .map(|text| text.len())
        .into_iter()
        .max()
        .unwrap_or(1)
        .max(7);
    let (indent, called, other) = if narrow {
        (8, format!("as {class}"), "as other")
    } else {
        (13, format!("called {class}"), "called other")
    };
    let head = format!(
        "{:<indent$} {:>width$}  {:>width$}",
        "trials",
        format!("true {class}"),
        "other"
    );
    let line = |name: &str, a: String, b: String| {
        Line::from(vec![
            Span::styled(format!("{name:<indent$} "), theme.dim()),
            Span::raw(format!("{a:>width$}  {b:>width$}")),
        ])
    };
    vec![
        Line::from(Span::styled(head, theme.dim())),
        line(&called, hits, calls),
        line(other, misses, rest),
    ]
}
