//! The curves of a layer by the strength of the push, and the legend shared by all layers.

use super::super::wording::class_name;
use super::MOST_CLASSES;
use super::layers::{LayerEffect, TargetEffect, has_noise, pooled, zero_strength};
use crate::drawing::{
    AxisScale, Drawing, MarkerEnd, Paint, Plot, Point, Rect, Series, Sheet, Stroke,
};
use crate::format::{self, short};
use crate::session::Session;
use crate::session::record::Modulation;
use crate::stats::share::Share;

fn points(modulation: &Modulation, shares: &[Share]) -> Vec<Point> {
    let pairs = modulation.strengths.iter().zip(shares);
    pairs
        .filter_map(|(&k, share)| Some((k as f64, share.rate()?)))
        .collect()
}

fn band(modulation: &Modulation, shares: &[Share]) -> Vec<(f64, f64, f64)> {
    let pairs = modulation.strengths.iter().zip(shares);
    let ends = pairs.filter_map(|(&k, share)| {
        let interval = share.interval()?;
        Some((k as f64, interval.low, interval.high))
    });
    ends.collect()
}

fn series(points: Vec<Point>, paint: Paint, stroke: Stroke) -> Series {
    Series {
        name: String::new(),
        points,
        band: Vec::new(),
        paint,
        stroke,
    }
}

/// The curves of a layer, for an area of this size.
pub fn plot(
    session: &Session,
    modulation: &Modulation,
    layer: &LayerEffect<'_>,
    place: Rect,
    sheet: Sheet,
) -> Plot {
    let (row, size) = (sheet.line_height(), sheet.text_size());
    let mut by_change: Vec<&TargetEffect> = layer.targets.iter().collect();
    let rest = zero_strength(modulation);
    if let Some(rest) = rest {
        by_change.sort_by(|a, b| b.change(rest).total_cmp(&a.change(rest)));
    }
    let dots = by_change.iter().take(MOST_CLASSES);
    let dots = dots.flat_map(|target| points(modulation, &target.class_shares));
    let class_shares = pooled(&layer.targets, |target| &target.class_shares[..]);
    let others = pooled(&layer.targets, |target| &target.others[..]);
    let noise = pooled(&layer.targets, |target| &target.noise[..]);
    let most = by_change.first().filter(|_| by_change.len() > 1);
    let most = most.map(|target| {
        let words = format!(
            "{}, changed most",
            class_name(&session.record, target.class)
        );
        Series {
            name: sheet.truncate(&words, (place.width - 3.2 * size).max(size)),
            ..series(
                points(modulation, &target.class_shares),
                Paint::Fourth,
                Stroke::DashDotted,
            )
        }
    });
    let legend = if most.is_some() { row } else { 0.0 };
    let mut curves = vec![
        series(dots.collect(), Paint::Dim, Stroke::Points),
        series(points(modulation, &noise), Paint::Third, Stroke::Dotted),
        series(points(modulation, &others), Paint::Second, Stroke::Dashed),
    ];
    curves.extend(most);
    curves.push(Series {
        band: band(modulation, &class_shares),
        ..series(
            points(modulation, &class_shares),
            Paint::First,
            Stroke::Solid,
        )
    });
    // The label of the vertical line is above 100 %, where no curve runs.
    let inside = place.height - legend - 3.7 * row;
    let top = if inside > 2.0 * row {
        inside / (inside - row)
    } else {
        1.2
    };
    let strengths = &modulation.strengths;
    let (first, last) = (
        strengths.first().copied().unwrap_or(0).min(-1),
        strengths.last().copied().unwrap_or(0).max(1),
    );
    let mut ticks = vec![first, first / 2, 0, last / 2, last];
    ticks.dedup();
    let names = ["strength k of the push", "strength k", "k"];
    let fits = |name: &&&str| sheet.text_width(name) <= 0.8 * place.width;
    let x_name = names.iter().find(fits).copied().unwrap_or("k");
    Plot {
        title: title(layer),
        x_label: x_name.to_owned(),
        x_range: (first as f64, last as f64),
        y_range: (0.0, top),
        y_scale: AxisScale::Linear,
        x_ticks: ticks.into_iter().map(|k| (k as f64, signed(k))).collect(),
        y_ticks: (0..=4)
            .map(|i| f64::from(i) / 4.0)
            .map(|y| (y, format!("{:.0} %", y * 100.0)))
            .collect(),
        marker: rest.map(|_| (0.0, "no push".to_owned(), MarkerEnd::Top)),
        diagonal: false,
        series: curves,
    }
}

fn title(layer: &LayerEffect<'_>) -> String {
    format!(
        "{}, α = {}",
        format::layer(&layer.record.name),
        short(layer.record.alpha)
    )
}

/// Draws the legend shared by all plots, a sample of each kind of curve and its name; returns its height in
/// millimetres.
pub fn legend(drawing: &mut Drawing, (x, y): Point, width: f64, modulation: &Modulation) -> f64 {
    let sheet = drawing.sheet;
    let (row, sample, gap) = (
        sheet.line_height(),
        2.6 * sheet.text_size(),
        0.5 * sheet.text_size(),
    );
    let noise = ("noise called the class", Stroke::Dotted, Paint::Third);
    let kinds = [
        Some(("the class pushed towards", Stroke::Solid, Paint::First)),
        Some(("the other classes", Stroke::Dashed, Paint::Second)),
        has_noise(modulation).then_some(noise),
        Some(("each class", Stroke::Points, Paint::Dim)),
    ];
    let (mut across, mut down) = (x, y);
    for (name, stroke, paint) in kinds.into_iter().flatten() {
        let name = sheet.truncate(name, (width - sample - gap).max(gap));
        let used = sample + gap + sheet.text_width(&name);
        if across > x && across + used > x + width {
            (across, down) = (x, down + row);
        }
        let middle = down + 0.66 * sheet.text_size();
        let points = match stroke {
            Stroke::Points => (0..3)
                .map(|part| (across + f64::from(part) * sample / 2.5, middle))
                .collect(),
            _ => vec![(across, middle), (across + sample, middle)],
        };
        drawing.line(points, sheet.thick_line(), stroke, paint);
        drawing.text((across + sample + gap, down), &name, Paint::Dim);
        across += used + 3.0 * gap;
    }
    down + row - y
}

/// A strength with its sign: `+3`, `−3`, `0`.
pub fn signed(k: i64) -> String {
    match k {
        0 => "0".into(),
        1.. => format!("+{k}"),
        _ => format!("−{}", k.unsigned_abs()),
    }
}
