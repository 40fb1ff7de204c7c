//! Curves of loss and accuracy by epoch, side by side or stacked.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::Scene;
use crate::drawing::scale::log_axis;
use crate::format::{number, percent, short};
use crate::session::config::WeightSource;
use crate::session::record::{Epoch, TrainingRecord};
use crate::tui::widget::curve::{Axis, Chart, LineEnd, Series, Stroke, VerticalLine};
use crate::tui::widget::text::{below, beside, left, start, top};

/// Number of epochs planned.
pub fn planned(scene: &Scene<'_>) -> usize {
    match &scene.session.config.network.weights {
        WeightSource::Train(plan) => plan.epochs,
        WeightSource::File(_) => 0,
    }
}

/// The last epoch on the horizontal axis: the planned one during training, the last trained one afterwards.
pub fn last_epoch(scene: &Scene<'_>, training: &TrainingRecord) -> f64 {
    let last = if training.finished {
        training.epochs.len()
    } else {
        planned(scene)
    };
    last.max(training.epochs.len()).max(1) as f64
}

/// Loss and accuracy side by side.
pub fn charts(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let Some(training) = &scene.session.record.training else {
        return;
    };
    let half = area.width / 2;
    loss(scene, training, start(area, half.saturating_sub(2)), buf);
    accuracy(scene, training, beside(area, half), buf);
}

/// The same curves stacked, for an area beside something else.
pub fn stacked(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let Some(training) = &scene.session.record.training else {
        return;
    };
    let half = area.height / 2;
    loss(scene, training, top(area, half.saturating_sub(1)), buf);
    accuracy(scene, training, below(area, half), buf);
}

fn legend(scene: &Scene<'_>, title: &str, batches: bool, area: Rect, buf: &mut Buffer) {
    let theme = scene.theme;
    let sample = |stroke: Stroke| format!("{} ", stroke.sample(theme));
    let mut spans = vec![
        Span::styled(format!("{title}  "), theme.bright()),
        Span::styled(sample(Stroke::Solid), theme.chosen()),
        Span::raw("validation  "),
        Span::styled(sample(Stroke::Dotted), theme.text()),
        Span::styled("training  ", theme.dim()),
    ];
    if batches {
        spans.push(Span::styled(sample(Stroke::Points), theme.dim()));
        spans.push(Span::styled("batch", theme.dim()));
    }
    let mut line = Line::from(spans);
    while line.width() > usize::from(area.width) && line.spans.len() > 3 {
        line.spans.truncate(line.spans.len() - 2);
    }
    left(buf, area, 0, line);
}

fn epoch_labels(last: f64) -> Vec<(f64, String)> {
    let step = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0]
        .into_iter()
        .find(|step| last / step <= 8.0)
        .unwrap_or(1000.0);
    let mut labels = vec![(0.0, "0".to_string())];
    let mut epoch = step;
    while epoch <= last {
        labels.push((epoch, format!("{epoch:.0}")));
        epoch += step;
    }
    labels
}

fn loss(scene: &Scene<'_>, training: &TrainingRecord, area: Rect, buf: &mut Buffer) {
    let theme = scene.theme;
    legend(scene, "loss", true, area, buf);
    let last = last_epoch(scene, training);
    let batches = training.loss_by_batch();
    let values = training
        .epochs
        .iter()
        .flat_map(|e| [e.train_loss, e.valid_loss])
        .chain(batches.iter().map(|(_, y)| *y))
        .filter(|y| y.is_finite() && *y > 0.0);
    let (low, high) = values.fold((f64::MAX, f64::MIN), |(low, high), y| {
        (low.min(y), high.max(y))
    });
    let (low, high) = if low > high {
        (0.01, 3.0)
    } else {
        (low, high.max(low * 2.0))
    };
    let (y, ticks) = log_axis(low, high);
    let curve = |value: fn(&Epoch) -> f64| -> Vec<(f64, f64)> {
        training
            .epochs
            .iter()
            .map(|e| (e.epoch as f64, value(e)))
            .collect()
    };
    Chart {
        x: (0.0, last),
        y,
        axis: Axis::Log,
        y_labels: ticks.into_iter().map(|t| (t, short(t))).collect(),
        x_labels: epoch_labels(last),
        mark: best(training, LineEnd::Top, |e| number(e.valid_loss)),
        series: vec![
            Series {
                points: batches,
                style: theme.dim(),
                stroke: Stroke::Points,
            },
            Series {
                points: curve(|e| e.train_loss),
                style: theme.text(),
                stroke: Stroke::Dotted,
            },
            Series {
                points: curve(|e| e.valid_loss),
                style: theme.chosen(),
                stroke: Stroke::Solid,
            },
        ],
        gutter: 6,
    }
    .draw(below(area, 1), theme, buf);
}

fn accuracy(scene: &Scene<'_>, training: &TrainingRecord, area: Rect, buf: &mut Buffer) {
    let theme = scene.theme;
    legend(scene, "accuracy", false, area, buf);
    let last = last_epoch(scene, training);
    let lowest = training
        .epochs
        .iter()
        .flat_map(|e| [e.train_accuracy, e.valid_accuracy])
        .filter(|y| y.is_finite())
        .fold(0.98_f64, f64::min);
    // Down to a round fraction below every value.
    let step = if lowest >= 0.9 { 0.02 } else { 0.1 };
    let low = ((lowest / step).floor() * step).max(0.0);
    let grid = (1.0 - low) / 4.0;
    let curve = |value: fn(&Epoch) -> f64| -> Vec<(f64, f64)> {
        training
            .epochs
            .iter()
            .map(|e| (e.epoch as f64, value(e)))
            .collect()
    };
    Chart {
        x: (0.0, last),
        y: (low, 1.0),
        axis: Axis::Linear,
        y_labels: (0..=4)
            .map(|i| low + grid * f64::from(i))
            .map(|y| (y, format!("{} %", short(y * 100.0))))
            .collect(),
        x_labels: epoch_labels(last),
        mark: best(training, LineEnd::Bottom, |e| percent(e.valid_accuracy)),
        series: vec![
            Series {
                points: curve(|e| e.train_accuracy),
                style: theme.text(),
                stroke: Stroke::Dotted,
            },
            Series {
                points: curve(|e| e.valid_accuracy),
                style: theme.chosen(),
                stroke: Stroke::Solid,
            },
        ],
        gutter: 8,
    }
    .draw(below(area, 1), theme, buf);
}

/// A mark at the best epoch, with its value.
fn best(
    training: &TrainingRecord,
    at: LineEnd,
    value: fn(&Epoch) -> String,
) -> Option<VerticalLine> {
    let best = training.best_epoch?;
    let epoch = training.epochs.iter().find(|e| e.epoch == best)?;
    Some(VerticalLine {
        x: best as f64,
        words: vec![format!("best {best}: {}", value(epoch)), value(epoch)],
        at,
    })
}
