//! The plot of all eigenvalues of a unit.

use super::super::backdoor::{number, ticks_between};
use super::units::CovarianceUnit;
use crate::drawing::{AxisScale, Paint, Plot, Point, Series, Sheet, Stroke};

/// Plots all eigenvalues of a unit by rank, with the range explained by chance.
pub fn eigenvalues(unit: &CovarianceUnit<'_>, sheet: Sheet, width: f64) -> Plot {
    let all = &unit.covariance.eigenvalues;
    let ranked = || all.iter().copied().enumerate();
    let points = |outside: bool| -> Vec<Point> {
        let side = ranked().filter(|(_, value)| unit.is_outside(*value) == outside);
        side.map(|(index, value)| ((index + 1) as f64, value))
            .collect()
    };
    let (low, high) = unit.chance;
    let last = all.len().max(2);
    let series = |name: &str, points: Vec<Point>, paint: Paint| Series {
        name: sheet.truncate(
            name,
            (width - 3.2 * sheet.text_size()).max(sheet.text_size()),
        ),
        points,
        band: Vec::new(),
        paint,
        stroke: Stroke::Points,
    };
    let chance = Series {
        band: vec![(1.0, low, high), (last as f64, low, high)],
        stroke: Stroke::Solid,
        ..series("chance range", Vec::new(), Paint::Third)
    };
    let mut curves = vec![chance, series("", points(false), Paint::Dim)];
    let outside = points(true);
    if !outside.is_empty() {
        curves.push(series("outside", outside, Paint::First));
    }
    let ends = all.iter().copied().chain([low, high, 0.0]);
    let ends = ends.filter(|value| value.is_finite());
    let (bottom, top) = ends.fold((0.0_f64, 0.0_f64), |(bottom, top), value| {
        (bottom.min(value), top.max(value))
    });
    let (bottom, top) = match top > bottom {
        true => {
            let air = 0.06 * (top - bottom);
            (bottom - air, top + air)
        }
        false => (-1.0, 1.0),
    };
    let mut ranks = vec![1, last / 4, last / 2, 3 * last / 4, last];
    ranks.retain(|&rank| rank > 0);
    ranks.dedup();
    Plot {
        title: "eigenvalues: covariance at spikes minus that of all stimuli".to_owned(),
        x_label: "rank".to_owned(),
        x_range: (1.0, last as f64),
        y_range: (bottom, top),
        y_scale: AxisScale::Linear,
        x_ticks: ranks
            .into_iter()
            .map(|rank| (rank as f64, rank.to_string()))
            .collect(),
        y_ticks: ticks_between(bottom, top)
            .into_iter()
            .map(|value| (value, number(value)))
            .collect(),
        marker: None,
        diagonal: false,
        series: curves,
    }
}
