//! Success of the attack by weight of the pattern: the mean over all targets, with its interval.

use super::names::origin_of_patterns;
use super::{FigureError, origin};
use crate::drawing::{Axis, Drawing, Paint, Place, Plot, Series, Sheet, Stroke};
use crate::format;
use crate::session::Session;
use crate::session::record::{Attack, Pattern};
use crate::stats::interval::wilson;

/// The attack of the session, where a stimulus has been shown.
pub fn begun(session: &Session) -> Result<&Attack, FigureError> {
    let attack = session.record.first::<Attack>();
    attack
        .filter(|it| it.gamma.is_some() && it.queries() > 0)
        .ok_or(FigureError::Nothing("attack"))
}

/// Targeted success on images, and on noise where it was attacked too.
pub fn draw(session: &Session, sheet: Sheet) -> Result<Drawing, FigureError> {
    let attack = begun(session)?;
    let (margin, row) = (sheet.margin(), sheet.row());
    let room = sheet.width - 2.0 * margin;
    let noise = (0..attack.weights.len()).any(|weight| {
        let shown = attack.mean_targeted(1, attack.kinds.len() - 1, weight);
        shown.is_some_and(|(_, share)| share.of > 0)
    });
    let sources: &[(usize, &str)] = match noise {
        true => &[(0, "test images"), (1, "noise images")],
        false => &[(0, "test images")],
    };
    let side = sources.len() == 2 && room >= BESIDE;
    let width = if side {
        (room - 2.0 * margin) / 2.0
    } else {
        room
    };
    let height = (0.62 * width).clamp(8.0 * row, 75.0_f64.max(8.0 * row));
    let rows = if side { 1 } else { sources.len() };
    let mut drawing = Drawing::new(sheet, 0.0);
    let of = origin_of_patterns(attack, "γ").unwrap_or_default();
    let title = format!("attack: called the target, mean of all targets ({of})");
    let head = drawing.headings(&title, &origin(session));
    drawing.height = head + rows as f64 * (height + margin);
    let mut said = Vec::new();
    for (at, &(source, name)) in sources.iter().enumerate() {
        let at = at as f64;
        let place = Place {
            x: margin
                + if side {
                    at * (width + 2.0 * margin)
                } else {
                    0.0
                },
            y: head + if side { 0.0 } else { at * (height + margin) },
            width,
            height,
        };
        let without = without(attack, source).map_or_else(String::new, |[low, high]| {
            // Patterns have targets of their own, so that they may begin at different shares.
            let low = format::percent(low);
            let rate = match format::percent(high) {
                high if high == low => low,
                high => format!("{low} to {high}"),
            };
            format!(", {rate} without a pattern")
        });
        let plot = plot(attack, source, format!("{name}{without}"));
        said.push(plot.in_words());
        plot.draw(&mut drawing, place);
    }
    drawing.alternative = format!(
        "Share of images called the target, against the weight of the pattern, mean of all targets. {}",
        said.join(" ")
    );
    Ok(drawing)
}

/// Millimetres from which two plots stand beside each other.
const BESIDE: f64 = 120.0;

/// The least and the largest mean share of what is called the target at w = 0, over the patterns; `None` where that was
/// not planned.
fn without(attack: &Attack, source: usize) -> Option<[f64; 2]> {
    let nothing = attack.weights.iter().position(|&w| w == 0.0)?;
    let all = (0..attack.kinds.len()).filter_map(|it| attack.mean_targeted(source, it, nothing));
    let ends = all.map(|(rate, _)| [rate, rate]);
    ends.reduce(|ends, [rate, _]| [ends[0].min(rate), ends[1].max(rate)])
}

fn plot(attack: &Attack, source: usize, title: String) -> Plot {
    let look = |kind: Pattern| match kind {
        Pattern::ClassificationImage => (Paint::First, Stroke::Solid),
        Pattern::EvidenceImage => (Paint::Fourth, Stroke::DashDotted),
        Pattern::MeanImage => (Paint::Second, Stroke::Dashed),
        Pattern::Random => (Paint::Third, Stroke::Dotted),
    };
    let mut order: Vec<usize> = (0..attack.weights.len()).collect();
    order.sort_by(|&a, &b| attack.weights[a].total_cmp(&attack.weights[b]));
    let series = attack.kinds.iter().enumerate();
    let series = series.map(|(pattern, kind)| {
        let (paint, stroke) = look(*kind);
        let means = order.iter().filter_map(|&weight| {
            let (mean, share) = attack.mean_targeted(source, pattern, weight)?;
            Some((attack.weights[weight], mean, wilson(share.hits, share.of)?))
        });
        let means: Vec<_> = means.collect();
        Series {
            name: kind.label().to_owned(),
            points: means.iter().map(|(w, mean, _)| (*w, *mean)).collect(),
            band: means
                .iter()
                .map(|(w, _, interval)| (*w, interval.low, interval.high))
                .collect(),
            paint,
            stroke,
        }
    });
    let percent = |share: f64| format!("{:.0} %", share * 100.0);
    Plot {
        title,
        x_name: "weight w of the pattern".into(),
        x: (0.0, 1.0),
        y: (0.0, 1.0),
        axis: Axis::Linear,
        x_ticks: (0..=5)
            .map(|i| f64::from(i) / 5.0)
            .map(|w| (w, format::short(w)))
            .collect(),
        y_ticks: (0..=4)
            .map(|i| f64::from(i) / 4.0)
            .map(|y| (y, percent(y)))
            .collect(),
        mark: None,
        diagonal: false,
        series: series.collect(),
    }
}
