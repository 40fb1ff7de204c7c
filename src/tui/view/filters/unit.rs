//! One unit: its enlarged average, its kernel beside that if it has one, and how reliable the two are.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::order::UnitOrder;
use super::selection::{FiltersSelection, Stimuli, component_of, ramp};
use crate::format::{clean, layer, percent, reliability, short};
use crate::session::record::{Covariance, NoteTarget};
use crate::tui::scene::Scene;
use crate::tui::widget::heatmap::{Heatmap, extent};
use crate::tui::widget::scale;
use crate::tui::widget::text::{below, beside, centre, left, start, top, wrap};

/// Rows of numbers below the maps.
const FIGURES: u16 = 6;

/// Draws the chosen unit beside the others.
pub fn closer(scene: &Scene<'_>, sight: &FiltersSelection<'_>, area: Rect, buf: &mut Buffer) {
    let mut maps = vec![average(sight)];
    if let Some(kernel) = sight.kernel(sight.unit) {
        maps.push(("kernel", Some(kernel)));
    }
    let used = pictures(scene, sight, &maps, area, FIGURES, buf);
    figures(scene, sight, below(area, used), buf);
}

/// Draws the chosen unit alone, with its averages on noise and on images, and the axes of its covariance if
/// they were computed.
pub fn enlarged(scene: &Scene<'_>, sight: &FiltersSelection<'_>, area: Rect, buf: &mut Buffer) {
    let other = FiltersSelection {
        stimuli: sight.stimuli.other(),
        ..*sight
    };
    let mut maps = vec![average(sight)];
    if let Some(kernel) = sight.kernel(sight.unit) {
        maps.push(("kernel", Some(kernel)));
    }
    maps.push(average(&other));
    let covariance = covariance(sight);
    let spare = FIGURES + if covariance.is_some() { 7 } else { 0 };
    let used = pictures(scene, sight, &maps, area, spare, buf);
    let rest = below(area, used);
    figures(scene, sight, rest, buf);
    if let Some(covariance) = covariance {
        axes(scene, covariance, below(rest, FIGURES), buf);
    }
}

fn average<'a>(sight: &'a FiltersSelection<'_>) -> (&'static str, Option<&'a [f32]>) {
    let name = match sight.stimuli {
        Stimuli::Noise => "average on noise",
        Stimuli::Images => "average on images",
    };
    (name, sight.average(sight.unit))
}

/// Draws maps side by side at the largest zoom that leaves `spare` rows, each with its name above and its
/// scale below; returns the rows used.
fn pictures(
    scene: &Scene<'_>,
    sight: &FiltersSelection<'_>,
    maps: &[(&str, Option<&[f32]>)],
    area: Rect,
    spare: u16,
    buf: &mut Buffer,
) -> u16 {
    let theme = scene.theme;
    let size = sight.layer.receptive_field;
    left(buf, area, 0, title(scene, sight, usize::from(area.width)));
    let count = maps.len() as u16;
    let room = (
        (area.width + 2) / count - 2,
        area.height.saturating_sub(spare + 3),
    );
    let (width, height) = extent(size, room);
    let step = (width + 2).max(room.0.min(20) + 2);
    for (index, (name, values)) in maps.iter().enumerate() {
        let column = start(beside(area, index as u16 * step), step.saturating_sub(1));
        let short = name.strip_prefix("average ").unwrap_or(name);
        let fits = name.len() < usize::from(column.width);
        let name = if fits { name } else { short };
        left(buf, column, 1, Span::styled(name, theme.dim()));
        let map = start(top(below(column, 2), height), width);
        match values {
            Some(values) => {
                let values = component_of(scene, values, size);
                let ramp = ramp(&values);
                Heatmap::plain(&values, size, ramp).draw(map, theme, buf);
                let ends = scale::columns(ramp, 0);
                let bar = width.saturating_sub(ends).clamp(2, 20);
                scale::draw(ramp, bar, below(column, 2 + height), theme, buf);
            }
            None => {
                let text = Span::styled("nothing", theme.dim());
                centre(buf, map, height / 2, text);
            }
        }
    }
    height + 3
}

/// The unit, its layer and its rank: `unit 437 of 500, conv1   no. 3 by reliability`; parts that do not fit
/// are dropped.
fn title(scene: &Scene<'_>, sight: &FiltersSelection<'_>, room: usize) -> Line<'static> {
    let theme = scene.theme;
    let named = format!(
        "unit {} of {}, {}",
        sight.unit,
        sight.layer.units,
        layer(&sight.layer.name)
    );
    let mut spans = vec![Span::styled(named, theme.bright())];
    let component = scene.shared.component.label(sight.layer.channels);
    spans.extend(component.map(|component| Span::styled(format!(", {component}"), theme.bright())));
    if sight.order == UnitOrder::Reliability {
        let rank = format!("   no. {} by reliability", sight.position + 1);
        spans.push(Span::styled(rank, theme.dim()));
    }
    let hidden = sight.layer.units - sight.shown.len();
    if hidden > 0 {
        let words = format!("   {hidden} silent hidden");
        spans.push(Span::styled(words, theme.dim()));
    }
    while Line::from(spans.clone()).width() > room && spans.len() > 1 {
        spans.pop();
    }
    Line::from(spans)
}

/// Draws the numbers about the unit.
fn figures(scene: &Scene<'_>, sight: &FiltersSelection<'_>, area: Rect, buf: &mut Buffer) {
    let theme = scene.theme;
    let unit = sight.unit;
    let figure = |name: &str, value: String, more: &str| {
        let mut line = Line::from(vec![
            Span::styled(format!("{name:<12} "), theme.dim()),
            Span::raw(value),
            Span::styled(format!("  {more}"), theme.dim()),
        ]);
        if line.width() > usize::from(area.width) {
            line.spans.pop();
        }
        line
    };
    let mut lines = Vec::new();
    let fields = sight.fields();
    if fields > 0 {
        let share = sight.fired(unit) as f64 / fields as f64;
        let name = if sight.layer.signed {
            "above zero"
        } else {
            "fired"
        };
        lines.push(figure(name, percent(share), "of its receptive fields"));
    }
    let has_noise = sight.layer.noise.fields.iter().sum::<u64>() > 0;
    let is_silent = has_noise && sight.estimate.silent.binary_search(&unit).is_ok();
    let has_average = sight.average(unit).is_some();
    let silence = match sight.stimuli {
        Stimuli::Noise if is_silent => {
            Some("Silent: no noise ever made it fire, so there is no average.")
        }
        Stimuli::Images if fields > 0 && !has_average => {
            Some("Silent: no image ever made it fire, so there is no average.")
        }
        Stimuli::Images if is_silent => Some("No noise ever made it fire, but images do."),
        Stimuli::Noise | Stimuli::Images => None,
    };
    if let Some(words) = silence {
        let words = wrap(words, area.width).into_iter();
        lines.extend(words.map(|line| Line::from(Span::styled(line, theme.warning()))));
    }
    // Of the averages on images there are no such numbers.
    let of_noise = |more: &'static str| match sight.stimuli {
        Stimuli::Noise => more,
        Stimuli::Images => "on noise",
    };
    let get = |values: &[Option<f64>]| values.get(unit).copied().flatten();
    if let Some(r) = get(&sight.estimate.reliability) {
        let more = of_noise("odd and even blocks");
        lines.push(figure("reliability", reliability(r), more));
    }
    match get(&sight.estimate.kernel_correlation) {
        Some(r) => {
            let more = of_noise("with its weights");
            lines.push(figure("kernel r", correlation(r), more));
        }
        None if sight.layer.kernel.values().is_empty() => {}
        None => {
            let why = match (has_noise, is_silent) {
                (false, _) => "no noise yet",
                (true, true) => "it is silent",
                (true, false) => "one of them is constant",
            };
            lines.push(figure("kernel r", "none".into(), why));
        }
    }
    match get(&sight.estimate.stein_correlation) {
        Some(r) => {
            let more = of_noise("with its mean gradient");
            lines.push(figure("gradient r", correlation(r), more));
        }
        None => lines.push(figure("gradient r", "none".into(), "not measured")),
    }
    let subject = NoteTarget::Unit {
        layer: sight.layer.name.clone(),
        unit,
    };
    if let Some(note) = scene.session.record.note_on(&subject) {
        let text = format!("note: {}", clean(&note.text));
        let wrapped = wrap(&text, area.width).into_iter();
        lines.extend(wrapped.map(|line| Line::from(Span::styled(line, theme.accent()))));
    }
    for (row, line) in lines.into_iter().enumerate() {
        left(buf, area, row as u16, line);
    }
}

/// A correlation with the digits that matter near one.
fn correlation(r: f64) -> String {
    if (0.9995..1.0).contains(&r) {
        return format!("{r:.5}");
    }
    reliability(r)
}

/// The covariance of the chosen unit, if it is the one it was computed for.
fn covariance<'a>(sight: &FiltersSelection<'a>) -> Option<&'a Covariance> {
    let covariance = sight.spikes.covariance.as_ref()?;
    let target = &covariance.unit;
    (target.layer == sight.layer.name && target.unit == sight.unit).then_some(covariance)
}

/// Draws the axes along which the unit's stimuli vary more or less than chance explains.
fn axes(scene: &Scene<'_>, covariance: &Covariance, area: Rect, buf: &mut Buffer) {
    let theme = scene.theme;
    let found = covariance.significant.len();
    let words = match (covariance.shuffled, found) {
        (None, _) => "covariance: still being summed".to_string(),
        (Some(_), 0) => "covariance: no axis outside the chance range".into(),
        (Some((low, high)), _) => format!(
            "covariance: {found} {} outside chance, {} to {}",
            if found == 1 { "axis" } else { "axes" },
            short(low),
            short(high)
        ),
    };
    left(buf, area, 0, Span::styled(words, theme.dim()));
    let size = covariance.receptive_field;
    // All channels of an axis.
    let pixels = covariance.axes.values().len() / found.max(1);
    let rows = area.height.saturating_sub(2).min(6);
    if rows == 0 || pixels == 0 {
        return;
    }
    let (width, height) = extent(size, (2 * rows, rows));
    let maps = covariance.axes.values().chunks_exact(pixels);
    for (index, (values, eigenvalue)) in maps.zip(&covariance.significant).enumerate() {
        let column = start(
            beside(area, index as u16 * (width.max(8) + 2)),
            width.max(8),
        );
        let values = component_of(scene, values, size);
        Heatmap::plain(&values, size, ramp(&values)).draw(
            start(top(below(column, 1), height), width),
            theme,
            buf,
        );
        let value = Span::styled(short(*eigenvalue), theme.dim());
        left(buf, column, 1 + rows, value);
    }
}
