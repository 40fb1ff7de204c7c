//! Curves of loss and accuracy by epoch, side by side or stacked.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::Scene;
use crate::drawing::scale::{accuracy_axis, loss_axis};
use crate::format::{number, percent};
use crate::session::config::WeightSource;
use crate::session::record::{Epoch, TrainingRecord};
use crate::tui::theme::Theme;
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

/// The training curve and the validation curve of a measure; the latter is drawn on top.
fn curves(
    training: &TrainingRecord,
    train: fn(&Epoch) -> f64,
    valid: fn(&Epoch) -> f64,
    theme: &Theme,
) -> [Series; 2] {
    let curve = |value: fn(&Epoch) -> f64, style, stroke| {
        let epochs = training.epochs.iter();
        Series {
            points: epochs.map(|e| (e.epoch as f64, value(e))).collect(),
            style,
            stroke,
        }
    };
    [
        curve(train, theme.text(), Stroke::Dotted),
        curve(valid, theme.chosen(), Stroke::Solid),
    ]
}

fn values(series: &[Series]) -> impl Iterator<Item = f64> {
    let points = series.iter().flat_map(|series| &series.points);
    points.map(|(_, value)| *value)
}

fn loss(scene: &Scene<'_>, training: &TrainingRecord, area: Rect, buf: &mut Buffer) {
    let theme = scene.theme;
    legend(scene, "loss", true, area, buf);
    let last = last_epoch(scene, training);
    let mut series = vec![Series {
        points: training.loss_by_batch(),
        style: theme.dim(),
        stroke: Stroke::Points,
    }];
    series.extend(curves(training, |e| e.train_loss, |e| e.valid_loss, theme));
    let (y, y_labels) = loss_axis(values(&series));
    Chart {
        x: (0.0, last),
        y,
        axis: Axis::Log,
        y_labels,
        x_labels: epoch_labels(last),
        mark: best(training, LineEnd::Top, |e| number(e.valid_loss)),
        series,
        gutter: 6,
    }
    .draw(below(area, 1), theme, buf);
}

fn accuracy(scene: &Scene<'_>, training: &TrainingRecord, area: Rect, buf: &mut Buffer) {
    let theme = scene.theme;
    legend(scene, "accuracy", false, area, buf);
    let last = last_epoch(scene, training);
    let series = curves(training, |e| e.train_accuracy, |e| e.valid_accuracy, theme);
    let (y, y_labels) = accuracy_axis(values(&series));
    Chart {
        x: (0.0, last),
        y,
        axis: Axis::Linear,
        y_labels,
        x_labels: epoch_labels(last),
        mark: best(training, LineEnd::Bottom, |e| percent(e.valid_accuracy)),
        series: series.into(),
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
