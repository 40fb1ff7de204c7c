//! Success of the attack by weight of the pattern: the mean over all targets, with its interval.

use image::RgbImage;

use super::canvas::{Canvas, Paint, Place, Sheet, Stroke};
use super::names::origin_of_patterns;
use super::plot::{Axis, Plot, Series};
use super::{FigureError, origin};
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
pub fn draw(session: &Session, sheet: Sheet) -> Result<RgbImage, FigureError> {
    let attack = begun(session)?;
    let (margin, row) = (sheet.margin(), sheet.row());
    let room = sheet.width.saturating_sub(2 * margin);
    let noise = (0..attack.weights.len()).any(|weight| {
        let shown = attack.mean_targeted(1, attack.kinds.len() - 1, weight);
        shown.is_some_and(|(_, share)| share.of > 0)
    });
    let sources: &[(usize, &str)] = match noise {
        true => &[(0, "test images"), (1, "noise images")],
        false => &[(0, "test images")],
    };
    let side = sources.len() as u32 == 2 && room >= 600;
    let width = if side { (room - 2 * margin) / 2 } else { room };
    let height = (width * 2 / 3)
        .max(6 * row)
        .min(if side { u32::MAX } else { 640 });
    let rows = if side { 1 } else { sources.len() as u32 };
    let head = margin + 2 * row;
    let mut canvas = Canvas::new(sheet, head + rows * (height + margin));
    let of = origin_of_patterns(attack, "γ").unwrap_or_default();
    let title = format!("attack: called the target, mean of all targets ({of})");
    let title = match sheet.text_width(&title) <= room {
        true => title,
        false => "attack".into(),
    };
    canvas.text((margin, margin), &title, Paint::Ink);
    canvas.text((margin, margin + row), &origin(session), Paint::Dim);
    for (at, &(source, name)) in sources.iter().enumerate() {
        let at = at as u32;
        let place = Place {
            x: margin + if side { at * (width + 2 * margin) } else { 0 },
            y: head + if side { 0 } else { at * (height + margin) },
            width,
            height,
        };
        let without = without(attack, source).map_or_else(String::new, |rate| {
            format!(", {} without the pattern", format::percent(rate))
        });
        plot(attack, source, format!("{name}{without}")).draw(&mut canvas, place);
    }
    Ok(canvas.finish())
}

/// The mean share of what is called the target at w = 0; `None` where that was not planned.
fn without(attack: &Attack, source: usize) -> Option<f64> {
    let nothing = attack.weights.iter().position(|&w| w == 0.0)?;
    let all = (0..attack.kinds.len()).filter_map(|it| attack.mean_targeted(source, it, nothing));
    all.map(|(rate, _)| rate).next()
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
            name: kind.label(),
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
        x_name: "weight w of the pattern",
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
        series: series.collect(),
    }
}
