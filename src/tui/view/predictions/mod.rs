//! What the network calls the images of the data set: the confusion matrix, and the mean of the
//! images by what they are called.

mod matrix;
mod mean;

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{Log, Scene, View, awaited};
use crate::format::{percent, thousands};
use crate::session::record::{Predictions, SplitCounts};
use crate::stats::interval::wilson;
use crate::tui::action::Place;
use crate::tui::state::State;
use crate::tui::widget::text::{below, beside, left, start};

/// The view.
pub const VIEW: View = View {
    name: "Predictions",
    draw,
    places,
    columns: |_, _| 1,
    figure: super::pictured::predictions,
    pace: Duration::from_millis(500),
    log: Log::WhenAsked,
};

fn places(_: &State) -> &'static [Place] {
    &[Place::Classes, Place::Splits]
}

fn draw(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let Some(predictions) = awaited::begun::<Predictions>(scene, area, buf) else {
        return;
    };
    let last = predictions.splits.len().saturating_sub(1);
    let Some(split) = predictions.splits.get(scene.state.split.min(last)) else {
        return;
    };
    title(scene, predictions, split, area, buf);
    let body = below(area, 1 + u16::from(area.height >= 18));
    let cell = matrix::Cell::fit((body.width, body.height));
    let width = cell.columns();
    matrix::draw(scene, split, cell, start(body, width), buf);
    mean::draw(scene, split, beside(body, width + 3), buf);
}

/// The parts of the data set, the chosen one marked; how much of it has been seen; the accuracy.
fn title(
    scene: &Scene<'_>,
    predictions: &Predictions,
    split: &SplitCounts,
    area: Rect,
    buf: &mut Buffer,
) {
    let theme = scene.theme;
    let mut spans: Vec<Span<'_>> = predictions
        .splits
        .iter()
        .map(|own| match own.split == split.split {
            true => {
                let text = format!("{}{}  ", theme.glyphs.pointer, own.split.label());
                Span::styled(text, theme.chosen())
            }
            false => Span::styled(format!(" {}  ", own.split.label()), theme.dim()),
        })
        .collect();
    match wilson(split.correct(), split.total()) {
        Some(accuracy) => {
            let of = format!(
                " of {} images are called what they are",
                thousands(split.total())
            );
            let ends = format!(
                " ({:.1}–{:.1})",
                accuracy.low * 100.0,
                accuracy.high * 100.0
            );
            spans.push(Span::styled(percent(accuracy.estimate), theme.bright()));
            spans.push(Span::styled(ends, theme.dim()));
            spans.push(Span::raw(of));
        }
        None => spans.push(Span::styled("no image of it yet", theme.dim())),
    }
    let width = |spans: &[Span<'_>]| spans.iter().map(Span::width).sum::<usize>();
    if width(&spans) > usize::from(area.width) && split.total() > 0 {
        spans.pop();
        let images = format!(" of {} images", thousands(split.total()));
        spans.push(Span::raw(images));
    }
    left(buf, area, 0, Line::from(spans));
}
