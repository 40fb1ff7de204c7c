//! The reliability of the chosen class's map by number of trials, and the law it follows.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::format::count;
use crate::tui::scene::Scene;
use crate::tui::scene::map_set::{MapKind, MapSet, RELIABLE};
use crate::tui::widget::curve::{Axis, Chart, Series, Stroke};
use crate::tui::widget::text::{below, left};

/// Minimum columns and rows of the chart.
const LEAST: (u16, u16) = (34, 8);

/// The farthest that the law is drawn, as a multiple of the trials so far.
const AHEAD: f64 = 10.0;

/// R after `trials` trials if it is `reliability` after `all`: the signal-to-noise ratio R/(1−R) grows in
/// proportion to the number of trials, but for those that are `fitted` by means.
fn law(reliability: f64, (all, fitted): (f64, f64), trials: f64) -> f64 {
    let free = |trials: f64| (trials - fitted).max(0.0);
    let ratio = reliability / (1.0 - reliability) * free(trials) / free(all).max(1.0);
    ratio / (1.0 + ratio)
}

/// Draws the chart if there is room and enough data.
pub fn draw(scene: &Scene<'_>, lens: &MapSet<'_>, area: Rect, buf: &mut Buffer) {
    let class = scene.shared.class;
    let Some(trials) = lens.trials_of(class).filter(|_| lens.versus.is_none()) else {
        return;
    };
    let noted = trials.course_of(lens.response, class);
    if area.width < LEAST.0
        || area.height < LEAST.1
        || noted.len() < 2
        || lens.kind == MapKind::Regression
    {
        return;
    }
    let theme = scene.theme;
    let all = trials.trials as f64;
    let fitted = lens.estimate_of(class).fitted_trials(lens.response) as f64;
    let now = lens
        .image_of_shown_map(class)
        .and_then(|map| map.reliability);
    let needed = lens.image_of_shown_map(class).and_then(|map| map.needed);
    let last = needed.map_or(all, |needed| (needed as f64).clamp(all, all * AHEAD));
    let ends = (noted[0].0 as f64, last);
    let mut series = Vec::new();
    if let Some(r) = now.filter(|r| *r > 0.0 && *r < 1.0) {
        let (from, to) = (ends.0.log10(), ends.1.log10());
        let at = |step: i32| from + (to - from) * f64::from(step) / 40.0;
        let points = (0..=40).map(|step| (at(step), law(r, (all, fitted), 10_f64.powf(at(step)))));
        series.push(Series {
            points: points.collect(),
            style: theme.dim(),
            stroke: Stroke::Dotted,
        });
    }
    let measured = noted.iter().map(|&(trials, r)| (trials as f64, r));
    let measured = measured.chain(now.map(|r| (all, r)));
    series.push(Series {
        points: measured.map(|(n, r)| (n.log10(), r.max(0.0))).collect(),
        style: theme.chosen(),
        stroke: Stroke::Solid,
    });
    let decades = (ends.0.log10().ceil() as i32..=ends.1.log10().floor() as i32).map(f64::from);
    let mut labels: Vec<(f64, String)> = decades.map(|x| (x, count(10_f64.powf(x)))).collect();
    if labels.is_empty() {
        labels.push((all.log10(), count(all)));
    }
    let words = Line::from(vec![
        Span::styled("reliability by trials", theme.bright()),
        Span::styled("   dotted: R/(1−R) linear in trials", theme.dim()),
    ]);
    let fits = words.width() <= usize::from(area.width);
    left(
        buf,
        area,
        0,
        if fits {
            words
        } else {
            Line::from(words.spans[0].clone())
        },
    );
    Chart {
        x: (ends.0.log10(), ends.1.log10()),
        y: (0.0, 1.0),
        axis: Axis::Linear,
        y_labels: [0.0, 0.5, RELIABLE].map(|r| (r, format!("{r:.2}"))).into(),
        x_labels: labels,
        mark: None,
        series,
        gutter: 5,
    }
    .draw(below(area, 1), theme, buf);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::correlation::trials_needed_beyond;

    #[test]
    fn the_curve_follows_the_signal_to_noise_ratio() {
        // R ½ is a ratio of 1; nineteen times the trials make one of 19, R 0.95.
        assert!((law(0.5, (100.0, 0.0), 1900.0) - 0.95).abs() < 1e-12);
        assert!((law(0.5, (100.0, 0.0), 100.0) - 0.5).abs() < 1e-12);
    }

    /// It reaches R 0.95 at the trials that are said to be needed.
    #[test]
    fn the_curve_counts_the_trials_that_fit_means_once() {
        let needed = trials_needed_beyond(20, 100, 0.5, RELIABLE).unwrap();
        assert!((law(0.5, (100.0, 20.0), needed as f64) - RELIABLE).abs() < 1e-3);
        assert!((law(0.5, (100.0, 20.0), 100.0) - 0.5).abs() < 1e-12);
        assert_eq!(law(0.5, (100.0, 20.0), 10.0), 0.0);
    }
}
