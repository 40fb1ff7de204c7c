//! The numbers of one class: its trials, how good its map is, how it was obtained, and the pixel under the
//! cursor.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::note_on;
use super::similarity::similarity;
use crate::figure::choice::is_reliable;
use crate::figure::{channels, map_peak};
use crate::format::{clean, count, number, percent, reliability, signed_number, thousands};
use crate::ids::ClassId;
use crate::session::config::Response;
use crate::stats::classification::ClassEstimate;
use crate::tui::action::{Action, first_key_of};
use crate::tui::scene::Scene;
use crate::tui::scene::map_set::{MapKind, MapSet, Painting};
use crate::tui::widget::columns::{columns, pad_end, pad_start};
use crate::tui::widget::text::{cut, left, wrap};
use crate::tui::{component, form};

/// A row: its name in full and in short, its value, and an explanation that may be dropped.
type NumberRow = ((&'static str, &'static str), String, String);

/// Draws the numbers, including those at the cursor if there is one; returns the rows used. Rows that merely
/// explain stay within the first `rows`.
pub fn draw(
    scene: &Scene<'_>,
    lens: &MapSet<'_>,
    area: Rect,
    cursor: Option<(usize, usize)>,
    rows: u16,
    buf: &mut Buffer,
) -> u16 {
    let class = scene.shared.class;
    let Some(estimate) = lens.class(class) else {
        return 0;
    };
    let theme = scene.theme;
    let narrow = area.width < 40;
    let indent = if narrow { 8 } else { 13 };
    let figure = |((name, short), value, more): NumberRow| {
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
    let total = format!("of {}", thousands(lens.estimate_of(class).trials));
    let called = (("called it", "called"), thousands(estimate.called), total);
    let title = cut(
        &form::class_label(scene.session, class),
        usize::from(area.width),
    );
    let title = Span::styled(title, theme.bright());
    let mut lines = vec![Line::from(title), figure(called)];
    if let Some(note) = scene
        .session
        .record
        .note_on(&note_on(scene.shared, scene.session))
    {
        let text = format!("note: {}", clean(&note.text));
        let note = wrap(&text, area.width.min(60)).into_iter();
        lines.extend(note.map(|line| Line::from(Span::styled(line, theme.accent()))));
    }
    if let Some(missing) = lens.missing(class) {
        let sentence = wrap(&missing.sentence, area.width.min(44));
        let warning = |line| Line::from(Span::styled(line, theme.warning()));
        lines.extend(sentence.into_iter().map(warning));
        if lens.shows_substitute(class) {
            let shown = wrap(
                "Shown instead: the mean of stimuli called it.",
                area.width.min(44),
            );
            lines.extend(shown.into_iter().map(Line::from));
        }
        if lens.class_of_all_decisions().is_some() {
            let key = first_key_of(scene.shared.keys, Action::StrongerGamma);
            lines.push(Line::from(format!("Press {key} for a stronger signal.")));
        }
        if lens.versus == Some(class) && lens.kind.is_of_response() {
            let [next, any] = [Action::Again, Action::OpenJump]
                .map(|action| first_key_of(scene.shared.keys, action));
            let remedy = format!("Press {next} for the next class, {any} for any other.");
            lines.extend(
                wrap(&remedy, area.width.min(44))
                    .into_iter()
                    .map(Line::from),
            );
        }
    }
    let room = usize::from(area.width).saturating_sub(indent + 8);
    lines.extend(quality(scene, lens, room).into_iter().map(figure));
    let plan = scene.shared.images_plan(scene.session);
    if plan.is_some_and(|plan| !plan.noise.is_white())
        && lens.image(class).is_some()
        && lens.kind != MapKind::Regression
    {
        let more = "not the network's weights".to_string();
        lines.push(figure((
            ("smoothed", "smoothed"),
            "by the noise".into(),
            more,
        )));
    }
    let before = lines.len();
    if let (Some(painting), Some(cursor)) = (lens.painting(class), cursor) {
        lines.push(Line::default());
        let figures = under_cursor(&painting, cursor, (lens, class));
        lines.extend(figures.into_iter().map(figure));
    }
    let after = lines.len() - before;
    let table = table(scene, estimate, narrow, usize::from(area.width));
    // Explanatory rows are included as far as there is room.
    let room = usize::from(rows.min(area.height)).saturating_sub(lines.len() + table.len() + 1);
    let more = circumstances(scene, lens, estimate);
    let position = 2.max(lines.len() - after);
    lines.splice(position..position, more.into_iter().take(room).map(figure));
    lines.push(Line::default());
    lines.extend(table);
    let used = lines.len() as u16;
    for (row, line) in lines.into_iter().enumerate() {
        left(buf, area, row as u16, line);
    }
    used
}

/// How good the map of a class is.
fn quality(scene: &Scene<'_>, lens: &MapSet<'_>, room: usize) -> Vec<NumberRow> {
    let class = scene.shared.class;
    let mut figures = Vec::new();
    let Some(map) = lens.image(class) else {
        return figures;
    };
    if lens.kind == MapKind::Regression {
        // The numbers of the image are not those of a regression, also where there is none.
        let Some(regression) = lens.regression(class) else {
            return figures;
        };
        if let Some(r) = regression.reliability {
            figures.push((("reliability", "R"), reliability(r), String::new()));
        }
        let axes = format!("{} axes", count(regression.axes.round()));
        let more = "of the noise".to_string();
        figures.push((("made of", "of"), axes, more));
        return figures;
    }
    if let Some(r) = map.reliability {
        let ends = map.reliability_interval;
        let ends = ends.map(|[low, high]| format!("{}–{}  ", reliability(low), reliability(high)));
        let snr = format!("{}SNR {}", ends.unwrap_or_default(), number(map.snr));
        figures.push((("reliability", "R"), reliability(r), snr));
    }
    {
        let bound = format!("|z| > {:.1}", lens.estimate_of(class).threshold);
        // With several channels, each has its own z.
        let significant = channels::counted(map.significant, lens.shape()[0]);
        figures.push((("significant", "signif."), significant, bound));
    }
    if let Some(back) = lens.fed_back(class) {
        let confidence = format!("confidence {}", percent(back.confidence));
        let called = format!(
            "called {}",
            form::class_name_within(scene.session, back.class, room)
        );
        figures.push((("fed back", "fed back"), called, confidence));
    }
    figures
}

/// How the map was obtained and what it still needs, most important first.
fn circumstances(scene: &Scene<'_>, lens: &MapSet<'_>, estimate: &ClassEstimate) -> Vec<NumberRow> {
    let mut figures = Vec::new();
    let class = scene.shared.class;
    // Of several γ, that of this class.
    let trials = lens.trials_of(class).unwrap_or(lens.trials);
    let map = lens.image_of_shown_map(class);
    if let Some(clusters) = map.and_then(|map| map.clusters.as_ref()) {
        let value = match clusters.len() {
            0 => "none".to_string(),
            1 => "1 cluster".to_string(),
            all => format!("{all} clusters"),
        };
        let least = clusters.iter().map(|cluster| cluster.p).reduce(f64::min);
        let p = least.map(probability).unwrap_or_default();
        figures.push((("clusters", "cluster"), value, p));
    }
    let reliable = map.filter(|_| is_reliable(map));
    let shape = lens.shape();
    if let Some(peak) = reliable.and_then(|map| map_peak(&map.image, shape)) {
        let place = format!("row {}  column {}", peak.row, peak.column);
        let value = signed_number(f64::from(peak.value));
        let more = match channels::name(peak.channel, shape[0]) {
            name if name.is_empty() => value,
            name => format!("{value} in {name}"),
        };
        figures.push((("strongest", "peak"), place, more));
    }
    let alike = similarity(scene.session, lens, class);
    if let Some((r, kind)) = alike.mean_image {
        let more = kind.to_string();
        figures.push((
            ("mean image", "image r"),
            format!("r {}", reliability(r)),
            more,
        ));
    }
    if let Some(r) = alike.gradient {
        let more = "with its output's".to_string();
        figures.push((
            ("gradient", "grad. r"),
            format!("r {}", reliability(r)),
            more,
        ));
    }
    if let Some(needed) = map.and_then(|map| map.needed) {
        let value = format!("{} trials", count(needed as f64));
        let share = needed as f64 / trials.trials.max(1) as f64;
        let more = match share > 1.0 {
            true => "are needed".to_string(),
            false => "were enough".to_string(),
        };
        figures.push((("for R 0.95", "R 0.95"), value, more));
    }
    let plan = scene.shared.images_plan(scene.session);
    if let (Some(plan), Response::Evidence) = (plan, lens.response)
        && let Some([mean, deviation]) = estimate.response.filter(|_| lens.versus.is_none())
    {
        let value = format!("{} ± {}", number(mean), number(deviation));
        let unit = plan.evidence.unit().to_string();
        figures.push((("response", "response"), value, unit));
    }
    if let Some(plan) = plan {
        let weighting = plan.weighting.label().unwrap_or_default();
        let grain = trials.grain;
        let noise = match grain.cell {
            ..2 => plan.noise.label().to_string(),
            cell => format!("{}, cells of {cell}×{cell}", plan.noise.label()),
        };
        figures.push((("noise", "noise"), noise, weighting));
    }
    let dropped = trials.dropped;
    if dropped > 0 {
        let more = "not sure enough".to_string();
        figures.push((("dropped", "dropped"), thousands(dropped), more));
    }
    figures
}

/// A p value: `p < 0.001`, `p 0.012`.
fn probability(p: f64) -> String {
    match p {
        ..0.001 => "p < 0.001".into(),
        p => format!("p {p:.3}"),
    }
}

fn under_cursor(
    painting: &Painting<'_>,
    (row, column): (usize, usize),
    (lens, class): (&MapSet<'_>, ClassId),
) -> Vec<NumberRow> {
    let pixel = row * lens.size().1 + column;
    let position = format!("row {row}  column {column}");
    let mut figures = vec![(("cursor", "cursor"), position, String::new())];
    if let Some(&value) = painting.values.get(pixel) {
        let text = match lens.kind {
            kind if kind.is_of_response() && lens.image(class).is_some() => {
                signed_number(f64::from(value))
            }
            _ => number(f64::from(value)),
        };
        let component = lens.channels_in_words().unwrap_or_default();
        let component = if painting.colours.is_some() {
            "luminance".into()
        } else {
            component
        };
        figures.push((("value", "value"), text, component));
    }
    // If several channels are combined, z is that of one of them.
    let together = lens.shape()[0] > 1 && !lens.is_one_channel();
    let significance = lens.significance(class);
    if let Some(&z) = significance.as_ref().and_then(|(z, _)| z.get(pixel)) {
        let mut words = Vec::new();
        words.extend(strongest_channel(class, lens, pixel).map(|name| format!("in {name}")));
        let significant = f64::from(z.abs()) > lens.estimate_of(class).threshold;
        words.extend(significant.then(|| "significant".to_string()));
        figures.push((("z", "z"), signed_number(f64::from(z)), words.join(", ")));
        let shown = matches!(lens.kind, MapKind::Image) && !together;
        let value = painting
            .values
            .get(pixel)
            .copied()
            .filter(|_| shown && z != 0.0);
        if let Some(value) = value {
            let error = number(f64::from((value / z).abs()));
            figures.push((("error", "error"), error, "standard error".into()));
        }
    }
    figures
}

/// The channel whose z is shown when several are combined.
fn strongest_channel(class: ClassId, lens: &MapSet<'_>, pixel: usize) -> Option<String> {
    let [channels, height, width] = lens.shape();
    let whole = |z: &&[f32]| z.len() >= channels * height * width;
    let z = lens.image(class).map(|image| &image.z[..]).filter(whole)?;
    let together = channels > 1 && !lens.is_one_channel();
    together.then(|| channels::name(component::strongest(z, lens.shape(), pixel), channels))
}

/// The table of trials by true class and decision.
fn table(
    scene: &Scene<'_>,
    estimate: &ClassEstimate,
    narrow: bool,
    area: usize,
) -> Vec<Line<'static>> {
    let theme = scene.theme;
    let class = scene.shared.class;
    // Short numbers if the full ones do not fit.
    let longest = estimate.cells.map(|cell| thousands(cell).len());
    let longest = longest.into_iter().max().unwrap_or(0).max(7);
    let head = format!("true {}", form::class_name_within(scene.session, class, 14));
    let column = longest.max(columns(&head));
    let tight = area < if narrow { 8 } else { 13 } + 3 + 2 * column;
    let written = |cell: u64| match tight {
        true => count(cell as f64),
        false => thousands(cell),
    };
    let [hits, calls, misses, rest] = estimate.cells.map(written);
    let width = [&hits, &calls, &misses, &rest]
        .map(|text| text.len())
        .into_iter()
        .max()
        .unwrap_or(1)
        .max(7);
    // The column's heading names the class anyway.
    let short = |room| match form::class_name(scene.session, class) {
        whole if columns(&whole) <= room => whole,
        _ => "it".into(),
    };
    let (indent, called, other) = if narrow {
        (8, format!("as {}", short(5)), "as other")
    } else {
        (13, format!("called {}", short(6)), "called other")
    };
    let truth = match tight {
        true => "this".to_owned(),
        false => head,
    };
    let width = width.max(columns(&truth));
    let truth = pad_start(&truth, width);
    let head = format!("{:<indent$} {truth}  {:>width$}", "trials", "other");
    let line = |name: &str, a: String, b: String| {
        Line::from(vec![
            Span::styled(format!("{} ", pad_end(name, indent)), theme.dim()),
            Span::raw(format!("{a:>width$}  {b:>width$}")),
        ])
    };
    vec![
        Line::from(Span::styled(head, theme.dim())),
        line(&called, hits, calls),
        line(other, misses, rest),
    ]
}
