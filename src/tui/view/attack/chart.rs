//! Success rate against the weight of the pattern, one curve per pattern with its 95 % band, and the values
//! at the chosen weight.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::selection::AttackSelection;
use crate::figure::wording::ends_in_percent;
use crate::format::{percent, short, thousands};
use crate::session::record::Pattern;
use crate::tui::scene::Scene;
use crate::tui::theme::Theme;
use crate::tui::widget::curve::{Band, Chart, LineEnd, Series, Stroke, VerticalLine};
use crate::tui::widget::text::{beside, left};

/// Rows of the legend: a heading, and a row per pattern.
pub fn legend_rows(sight: &AttackSelection<'_>) -> u16 {
    1 + sight.attack.kinds.len() as u16
}

/// The line style of a pattern.
fn look(pattern: Pattern, theme: &Theme) -> (Stroke, Style) {
    match pattern {
        Pattern::ClassificationImage => (Stroke::Solid, theme.chosen()),
        Pattern::EvidenceImage => (Stroke::DashDotted, theme.accent()),
        Pattern::MeanImage => (Stroke::Dashed, theme.text()),
        Pattern::Random => (Stroke::Dotted, theme.dim()),
    }
}

/// Draws the curves, and the chosen weight as a vertical line.
pub fn curves(scene: &Scene<'_>, sight: &AttackSelection<'_>, area: Rect, buf: &mut Buffer) {
    let theme = scene.theme;
    let weights = &sight.attack.weights;
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by(|&a, &b| weights[a].total_cmp(&weights[b]));
    let (mut bands, mut series) = (Vec::new(), Vec::new());
    // The control at the bottom, the pattern under study on top.
    for (pattern, kind) in sight.attack.kinds.iter().enumerate().rev() {
        let (stroke, style) = look(*kind, theme);
        let points = order.iter().filter_map(|&index| {
            let (interval, _) = sight.success(pattern, index)?;
            Some((weights[index], interval))
        });
        let points: Vec<_> = points.collect();
        bands.push(Band {
            points: points
                .iter()
                .map(|(w, interval)| (*w, interval.low, interval.high))
                .collect(),
            style: theme.dim(),
        });
        series.push(Series {
            points: points
                .iter()
                .map(|(w, interval)| (*w, interval.estimate))
                .collect(),
            style,
            stroke,
        });
    }
    let every = if area.width >= 44 { 1 } else { 2 };
    let (first, last) = match (order.first(), order.last()) {
        (Some(&first), Some(&last)) if first != last => (weights[first], weights[last]),
        _ => (0.0, 1.0),
    };
    let label = |&index: &usize| (weights[index], short(weights[index]));
    Chart {
        x: (first, last),
        x_labels: order.iter().step_by(every).map(label).collect(),
        mark: Some(VerticalLine {
            x: sight.w,
            words: Vec::new(),
            at: LineEnd::Top,
        }),
        ..Chart::of_shares(series, area)
    }
    .draw_over(&bands, area, theme, buf);
}

/// Draws the legend, with each curve's value at the chosen weight.
pub fn legend(scene: &Scene<'_>, sight: &AttackSelection<'_>, area: Rect, buf: &mut Buffer) {
    let theme = scene.theme;
    let called = match sight.all {
        true => "called the target, mean of all".to_string(),
        false => {
            let room = area.width.saturating_sub("called  at w 0.55".len() as u16);
            format!("called {}", sight.name_within(sight.target, room))
        }
    };
    let head = format!("{called} at w {}", short(sight.w));
    let head = Span::styled(head, theme.bright());
    let used = left(buf, area, 0, head);
    // Decisions for the target without any pattern are the baseline.
    let without = sight
        .baseline()
        .map(|rate| format!("{} without", percent(rate)));
    let interval = Some("95 % interval".to_owned());
    let mut more: Vec<String> = without.into_iter().chain(interval).collect();
    while used as usize + 3 + more.join("   ").chars().count() > usize::from(area.width)
        && more.pop().is_some()
    {}
    let more = Span::styled(more.join("   "), theme.dim());
    left(buf, beside(area, used + 3), 0, more);
    for (index, pattern) in sight.attack.kinds.iter().enumerate() {
        let (stroke, style) = look(*pattern, theme);
        let chosen = index == sight.pattern;
        let mark = if chosen { theme.glyphs.pointer } else { " " };
        let mut spans = vec![
            Span::styled(mark, theme.chosen()),
            Span::styled(format!("{:<3}", stroke.sample(theme)), style),
            Span::styled(
                format!("{:<20} ", pattern.label()),
                if chosen { theme.bright() } else { theme.text() },
            ),
        ];
        match sight.success(index, sight.weight) {
            Some((interval, of)) => {
                spans.push(Span::raw(format!("{:>7}", percent(interval.estimate))));
                let ends = format!("  {} %", ends_in_percent(interval));
                spans.push(Span::styled(format!("{ends:<15}"), theme.dim()));
                let of = format!("  of {}", thousands(of));
                spans.push(Span::styled(of, theme.dim()));
            }
            None => spans.push(Span::styled(nothing(sight, index), theme.dim())),
        }
        while Line::from(spans.clone()).width() > usize::from(area.width) && spans.len() > 4 {
            spans.pop();
        }
        left(buf, area, 1 + index as u16, Line::from(spans));
    }
}

/// Why a pattern has no value.
fn nothing(sight: &AttackSelection<'_>, pattern: usize) -> String {
    if !sight.all && sight.attack.pattern(pattern, sight.target).is_none() {
        "too few trials for one".into()
    } else {
        "nothing yet".into()
    }
}
