//! The attack figure: success by weight of the pattern, as the mean over all targets with its interval.

use super::wording::{capitalise, pattern_origin};
use super::{FigureError, origin};
use crate::drawing::{AxisScale, Drawing, Paint, Plot, Rect, Series, Sheet, Stroke};
use crate::format;
use crate::ids::ClassId;
use crate::session::Session;
use crate::session::record::{Attack, Pattern};
use crate::stats::interval::Interval;

/// The session's attack with this index among them, if any stimulus has been shown.
pub fn begun(session: &Session, nth: usize) -> Result<&Attack, FigureError> {
    let attack = super::nth::<Attack>(session, nth).map(|(_, attack)| attack);
    attack
        .filter(|attack| attack.gamma.is_some() && attack.queries() > 0)
        .ok_or(FigureError::Missing("attack"))
}

/// Draws targeted success on images, and on noise if it was attacked too.
pub fn draw(session: &Session, nth: usize, sheet: Sheet) -> Result<Drawing, FigureError> {
    let attack = begun(session, nth)?;
    let (margin, row) = (sheet.margin(), sheet.line_height());
    let room = sheet.width - 2.0 * margin;
    let noise = (0..attack.weights.len()).any(|weight| {
        let shown = attack.mean_targeted(1, attack.kinds.len() - 1, weight);
        shown.is_some()
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
    let pattern_origin = pattern_origin(attack, "γ").unwrap_or_default();
    let title = format!("attack: mean share called the target ({pattern_origin})");
    let head = drawing.headings(&title, &origin(session));
    drawing.height = head + rows as f64 * (height + margin);
    let mut descriptions = Vec::new();
    for (index, &(source, name)) in sources.iter().enumerate() {
        let index = index as f64;
        let place = Rect {
            x: margin
                + if side {
                    index * (width + 2.0 * margin)
                } else {
                    0.0
                },
            y: head + if side { 0.0 } else { index * (height + margin) },
            width,
            height,
        };
        let without = without(attack, source).map_or_else(String::new, |[low, high]| {
            // Each pattern has its own targets, so their baselines can differ.
            let low = format::percent(low);
            let rate = match format::percent(high) {
                high if high == low => low,
                high => format!("{low} to {high}"),
            };
            format!(", {rate} without a pattern")
        });
        let plot = plot(attack, source, format!("{name}{without}"));
        descriptions.push(plot.describe());
        plot.draw(&mut drawing, place);
    }
    drawing.alt_text = alternative(attack, &descriptions);
    Ok(drawing)
}

/// The alternative text, given a description of each plot.
fn alternative(attack: &Attack, plots: &[String]) -> String {
    let plots: Vec<String> = plots.iter().map(|plot| capitalise(plot)).collect();
    format!(
        "Share of images called the target, against the weight of the pattern; {}. {}",
        means_in_words(attack),
        plots.join(" ")
    )
}

/// Width in millimetres from which the two plots are drawn side by side.
const BESIDE: f64 = 120.0;

/// The smallest and largest mean share called the target at w = 0, over the patterns; `None` if w = 0 is not in the
/// plan.
fn without(attack: &Attack, source: usize) -> Option<[f64; 2]> {
    let zero_weight = attack.weights.iter().position(|&w| w == 0.0)?;
    let all = (0..attack.kinds.len())
        .filter_map(|pattern| attack.mean_targeted(source, pattern, zero_weight));
    let ends = all.map(|mean| [mean.interval.estimate; 2]);
    ends.reduce(|ends, [rate, _]| [ends[0].min(rate), ends[1].max(rate)])
}

/// How many of the targets have a pattern, given by its index, if not all have: `3 of 10`.
fn targets(attack: &Attack, pattern: usize) -> Option<String> {
    let all = attack.classes();
    let with_it = ClassId::all(all).filter(|&class| attack.pattern(pattern, class).is_some());
    let count = with_it.count();
    (count < all).then(|| format!("{count} of {all}"))
}

/// A pattern in the legend: the means of patterns that different targets have do not compare.
fn legend(attack: &Attack, pattern: usize) -> String {
    let label = attack.kinds[pattern].label();
    match targets(attack, pattern) {
        Some(few) => format!("{label}, {few} targets"),
        None => label.to_owned(),
    }
}

/// What the means are taken over, in words.
pub fn means_in_words(attack: &Attack) -> String {
    let kinds = attack.kinds.iter().enumerate();
    let fewer: Vec<String> = kinds
        .filter_map(|(pattern, kind)| {
            let few = targets(attack, pattern)?;
            Some(format!("{few} have the {}", kind.label()))
        })
        .collect();
    match fewer.is_empty() {
        true => "means over the targets".to_owned(),
        false => format!(
            "means over the targets that have the pattern ({})",
            fewer.join(", ")
        ),
    }
}

fn plot(attack: &Attack, source: usize, title: String) -> Plot {
    let style = |kind: Pattern| match kind {
        Pattern::ClassificationImage => (Paint::First, Stroke::Solid),
        Pattern::EvidenceImage => (Paint::Fourth, Stroke::DashDotted),
        Pattern::MeanImage => (Paint::Second, Stroke::Dashed),
        Pattern::Random => (Paint::Third, Stroke::Dotted),
    };
    let mut order: Vec<usize> = (0..attack.weights.len()).collect();
    order.sort_by(|&a, &b| attack.weights[a].total_cmp(&attack.weights[b]));
    let series = attack.kinds.iter().enumerate();
    let series = series.map(|(pattern, kind)| {
        let (paint, stroke) = style(*kind);
        let means = order.iter().filter_map(|&weight| {
            let mean = attack.mean_targeted(source, pattern, weight)?;
            Some((attack.weights[weight], mean.interval))
        });
        let means: Vec<(f64, Interval)> = means.collect();
        Series {
            name: legend(attack, pattern),
            points: means.iter().map(|(w, mean)| (*w, mean.estimate)).collect(),
            band: means
                .iter()
                .map(|(w, mean)| (*w, mean.low, mean.high))
                .collect(),
            paint,
            stroke,
        }
    });
    // A pattern that no target has is no curve.
    let series = series.filter(|series| !series.points.is_empty());
    let percent = |share: f64| format!("{:.0} %", share * 100.0);
    Plot {
        title,
        x_label: "weight w of the pattern".into(),
        x_range: (0.0, 1.0),
        y_range: (0.0, 1.0),
        y_scale: AxisScale::Linear,
        x_ticks: (0..=5)
            .map(|i| f64::from(i) / 5.0)
            .map(|w| (w, format::short(w)))
            .collect(),
        y_ticks: (0..=4)
            .map(|i| f64::from(i) / 4.0)
            .map(|y| (y, percent(y)))
            .collect(),
        marker: None,
        diagonal: false,
        series: series.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Gamma;
    use crate::session::Array;

    /// An attack on two targets, both of which have a mean image and a random control.
    fn attack(classification_images: [bool; 2]) -> Attack {
        let outcomes = [4_i64, 2, 4, 1];
        let [first, second] = classification_images;
        Attack {
            gamma: Some(Gamma::NOISE),
            weights: vec![0.0, 1.0],
            patterns: Array::new(&[3, 2, 1, 1, 1], vec![0.5; 6]),
            measured: vec![first, second, true, true, true, true],
            counts: Array::new(&[2, 3, 2, 2, 4], outcomes.repeat(24)),
            ..Attack::default()
        }
    }

    fn names(attack: &Attack) -> Vec<String> {
        let plot = plot(attack, 0, String::new());
        plot.series.into_iter().map(|series| series.name).collect()
    }

    #[test]
    fn a_curve_over_fewer_targets_than_the_others_says_so() {
        let all = attack([true, true]);
        assert_eq!(
            names(&all),
            ["classification image", "mean image", "random control"]
        );
        assert_eq!(means_in_words(&all), "means over the targets");
        let some = attack([false, true]);
        assert_eq!(names(&some)[0], "classification image, 1 of 2 targets");
        assert_eq!(
            means_in_words(&some),
            "means over the targets that have the pattern (1 of 2 have the classification image)"
        );
    }

    #[test]
    fn the_alternative_text_says_over_which_targets_the_means_are() {
        let words = |classification_images| {
            let attack = attack(classification_images);
            let plots = [0, 1].map(|source| plot(&attack, source, format!("plot {source}")));
            alternative(&attack, &plots.map(|plot| plot.describe()))
        };
        let all = words([true, true]);
        assert!(all.contains("; means over the targets. Plot 0: "), "{all}");
        assert!(all.contains(". Plot 1: "), "{all}");
        let some = words([false, true]);
        let means = "that have the pattern (1 of 2 have the classification image). Plot 0";
        assert!(some.contains(means), "{some}");
    }

    #[test]
    fn a_pattern_that_no_target_has_is_not_in_the_legend() {
        assert_eq!(
            names(&attack([false, false])),
            ["mean image", "random control"]
        );
    }
}
