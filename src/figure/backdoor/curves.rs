//! The ROC curves that separate poisoned from clean networks.

use super::words::auc;
use crate::drawing::{AxisScale, Paint, Plot, Series, Sheet, Stroke};
use crate::stats::roc::Roc;

pub fn plot(curves: &[(&str, &Roc)], sheet: Sheet, width: f64) -> Plot {
    let styles = [
        (Paint::First, Stroke::Solid),
        (Paint::Second, Stroke::Dashed),
    ];
    let series = curves.iter().zip(styles);
    let series = series.map(|((name, roc), (paint, stroke))| {
        let words = format!("{name}: AUC {}", auc(roc));
        let points = roc.points.iter();
        let points = points.map(|point| (point.false_positives, point.true_positives));
        Series {
            name: sheet.truncate(
                &words,
                (width - 3.2 * sheet.text_size()).max(sheet.text_size()),
            ),
            points: points.collect(),
            band: Vec::new(),
            paint,
            stroke,
        }
    });
    // The first curve on top.
    let mut series: Vec<Series> = series.collect();
    series.reverse();
    let quarters = || (0..=4).map(|i| f64::from(i) / 4.0);
    let tick = |share: f64| (share, format!("{:.0} %", share * 100.0));
    let names = [
        "clean networks called poisoned",
        "false-alarm rate",
        "clean",
    ];
    let fits = |name: &&&str| sheet.text_width(name) <= 0.8 * width;
    Plot {
        title: "poisoned networks called poisoned".to_owned(),
        x_label: names
            .iter()
            .find(fits)
            .copied()
            .unwrap_or("clean")
            .to_owned(),
        x_range: (0.0, 1.0),
        y_range: (0.0, 1.0),
        y_scale: AxisScale::Linear,
        x_ticks: quarters().map(tick).collect(),
        y_ticks: quarters().map(tick).collect(),
        marker: None,
        diagonal: true,
        series,
    }
}
