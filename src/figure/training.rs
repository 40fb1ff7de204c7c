//! The training figure: loss and accuracy by epoch.

use super::headline::accuracy_suffix;
use super::wording::capitalise;
use super::{FigureError, origin};
use crate::drawing::scale::{accuracy_axis, loss_axis, ticks};
use crate::drawing::{AxisScale, Drawing, MarkerEnd, Paint, Plot, Rect, Series, Sheet, Stroke};
use crate::format;
use crate::session::Session;
use crate::session::record::{Epoch, TrainingRecord};

/// Width in millimetres from which the two plots are drawn side by side.
const BESIDE: f64 = 75.0;

/// Whether training has produced any measurements.
pub fn is_available(session: &Session) -> bool {
    let training = session.record.training.as_ref();
    training.is_some_and(|training| {
        !training.epochs.is_empty() || !training.batch_loss.points.is_empty()
    })
}

/// Draws both plots, side by side if there is room, otherwise one above the other.
pub fn draw(session: &Session, sheet: Sheet) -> Result<Drawing, FigureError> {
    let available = session
        .record
        .training
        .as_ref()
        .filter(|_| is_available(session));
    let training = available.ok_or(FigureError::Missing("training"))?;
    let (margin, row) = (sheet.margin(), sheet.line_height());
    let room = sheet.width - 2.0 * margin;
    let wide = room >= BESIDE;
    let width = if wide {
        (room - 2.0 * margin) / 2.0
    } else {
        room
    };
    let height = (0.62 * width).max(13.0 * row);
    let rows = if wide { 1.0 } else { 2.0 };
    let mut drawing = Drawing::new(sheet, 0.0);
    let test = training.test_accuracy.map_or_else(String::new, |share| {
        let beside = accuracy_suffix(Some(training));
        format!(": test accuracy {}{beside}", format::percent(share))
    });
    let head = drawing.headings(&format!("training{test}"), &origin(session));
    drawing.height = head + rows * (height + margin);
    let first = Rect {
        x: margin,
        y: head,
        width,
        height,
    };
    let second = match wide {
        true => Rect {
            x: margin + width + 2.0 * margin,
            ..first
        },
        false => Rect {
            y: head + height + margin,
            ..first
        },
    };
    let (loss, accuracy) = (loss(training), accuracy(training));
    loss.draw(&mut drawing, first);
    accuracy.draw(&mut drawing, second);
    drawing.alt_text = format!(
        "Two plots over {}. {} {}",
        format::counted(last_epoch(training) as u64, "epoch", "epochs"),
        capitalise(&loss.describe()),
        capitalise(&accuracy.describe())
    );
    Ok(drawing)
}

fn curve(training: &TrainingRecord, value: fn(&Epoch) -> f64) -> Vec<(f64, f64)> {
    let epochs = training.epochs.iter();
    epochs
        .map(|epoch| (epoch.epoch as f64, value(epoch)))
        .collect()
}

fn series(name: &str, points: Vec<(f64, f64)>, paint: Paint, stroke: Stroke) -> Series {
    Series {
        name: name.to_owned(),
        points,
        band: Vec::new(),
        paint,
        stroke,
    }
}

fn last_epoch(training: &TrainingRecord) -> f64 {
    let partial = usize::from(training.partial.batches > 0);
    (training.epochs.len() + partial).max(1) as f64
}

fn epochs(training: &TrainingRecord) -> Vec<(f64, String)> {
    let ticks = ticks(last_epoch(training)).into_iter();
    ticks
        .filter(|tick| tick.fract() == 0.0)
        .map(|tick| (tick, format!("{tick:.0}")))
        .collect()
}

fn best(
    training: &TrainingRecord,
    end: MarkerEnd,
    value: fn(&Epoch) -> String,
) -> Option<(f64, String, MarkerEnd)> {
    let best = training.best_epoch?;
    let epoch = training.epochs.iter().find(|epoch| epoch.epoch == best)?;
    Some((best as f64, format!("best {best}: {}", value(epoch)), end))
}

/// The training curve and the validation curve of a measure; the latter is drawn on top.
fn curves(
    training: &TrainingRecord,
    train: fn(&Epoch) -> f64,
    valid: fn(&Epoch) -> f64,
) -> [Series; 2] {
    let (train, valid) = (curve(training, train), curve(training, valid));
    [
        series("training", train, Paint::Second, Stroke::Dashed),
        series("validation", valid, Paint::First, Stroke::Solid),
    ]
}

fn values(series: &[Series]) -> impl Iterator<Item = f64> {
    let points = series.iter().flat_map(|series| &series.points);
    points.map(|(_, value)| *value)
}

fn loss(training: &TrainingRecord) -> Plot {
    let batches = training.loss_by_batch();
    let mut series = vec![series("batch", batches, Paint::Third, Stroke::Points)];
    series.extend(curves(
        training,
        |epoch| epoch.train_loss,
        |epoch| epoch.valid_loss,
    ));
    let (y_range, y_ticks) = loss_axis(values(&series));
    Plot {
        title: "loss".into(),
        x_label: "epoch".into(),
        x_range: (0.0, last_epoch(training)),
        y_range,
        y_scale: AxisScale::Log,
        x_ticks: epochs(training),
        y_ticks,
        marker: best(training, MarkerEnd::Top, |epoch| {
            format::number(epoch.valid_loss)
        }),
        diagonal: false,
        series,
    }
}

fn accuracy(training: &TrainingRecord) -> Plot {
    let series = curves(
        training,
        |epoch| epoch.train_accuracy,
        |epoch| epoch.valid_accuracy,
    );
    let (y_range, y_ticks) = accuracy_axis(values(&series));
    Plot {
        title: "accuracy".into(),
        x_label: "epoch".into(),
        x_range: (0.0, last_epoch(training)),
        y_range,
        y_scale: AxisScale::Linear,
        x_ticks: epochs(training),
        y_ticks,
        marker: best(training, MarkerEnd::Bottom, |epoch| {
            format::percent(epoch.valid_accuracy)
        }),
        diagonal: false,
        series: series.into(),
    }
}
