//! What the network calls the images of the data set: the confusion matrix, and the mean of the
//! images by what they are called.

mod matrix;
mod mean;
mod sight;

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use self::sight::Sight;
use super::{Around, Entry, Log, Reply, View};
use crate::figure::Figure;
use crate::format::{percent, thousands};
use crate::session::Session;
use crate::session::record::{self, SplitCounts};
use crate::stats::interval::wilson;
use crate::tui::action::{Action, Place};
use crate::tui::form;
use crate::tui::scene::Scene;
use crate::tui::scene::awaited::{self, Named};
use crate::tui::shared::Shared;
use crate::tui::widget::text::{below, beside, left, start};

/// Its line of the table.
pub const VIEW: Entry = Entry {
    name: "Predictions",
    pace: Duration::from_millis(500),
    log: Log::WhenAsked,
    new: || Box::new(Predictions::default()),
};

impl Named for record::Predictions {
    const NAME: &'static str = "predictions of all images";
    const AGAIN: &'static str = "them";
    const EXAMPLE: &'static str = "analyses=[Predictions(())]";
}

/// The view.
#[derive(Debug, Clone, Default)]
pub struct Predictions {
    /// The part of the data set, by its place in the plan.
    pub split: usize,
}

impl View for Predictions {
    fn draw(&self, scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
        let Some(predictions) = awaited::begun::<record::Predictions>(scene, area, buf) else {
            return;
        };
        let Some(sight) = self.sight(predictions, scene) else {
            return;
        };
        title(scene, predictions, sight.split, area, buf);
        let body = below(area, 1 + u16::from(area.height >= 18));
        let cell = matrix::Cell::fit(sight.classes, (body.width, body.height));
        let width = cell.columns(sight.classes);
        matrix::draw(scene, &sight, cell, start(body, width), buf);
        mean::draw(scene, &sight, beside(body, width + 3), buf);
    }

    fn places(&self) -> &'static [Place] {
        &[Place::Classes, Place::Splits]
    }

    fn update(&mut self, action: Action, _: &mut Shared, around: &Around<'_>) -> Reply {
        match action {
            Action::NextSplit => self.split = (self.split + 1) % splits(around.session),
            _ => return Reply::Ignored,
        }
        Reply::Done
    }

    fn is_possible(&self, action: Action, session: &Session) -> bool {
        action != Action::NextSplit || splits(session) > 1
    }

    fn figure(&self, _: &Shared, session: &Session) -> Option<Figure> {
        let split = self.split_in(session.record.first()?)?.split;
        Some(Figure::Confusion { split })
    }
}

impl Predictions {
    /// The part of the data set in sight.
    fn split_in<'a>(&self, predictions: &'a record::Predictions) -> Option<&'a SplitCounts> {
        let last = predictions.splits.len().checked_sub(1)?;
        predictions.splits.get(self.split.min(last))
    }

    /// What is in sight.
    fn sight<'a>(
        &self,
        predictions: &'a record::Predictions,
        scene: &Scene<'a>,
    ) -> Option<Sight<'a>> {
        let classes = form::classes(scene.session);
        let split = self.split_in(predictions)?;
        Some(Sight {
            split,
            class: scene.shared.class.min(classes.checked_sub(1)?),
            classes,
            size: form::plane(split.images.shape())?,
        })
    }
}

/// How many parts of the data set the network's predictions are looked at in; at least 1.
fn splits(session: &Session) -> usize {
    let predictions = session.record.first::<record::Predictions>();
    predictions.map_or(1, |own| own.splits.len().max(1))
}

/// The parts of the data set, the chosen one marked; how much of it has been seen; the accuracy.
fn title(
    scene: &Scene<'_>,
    predictions: &record::Predictions,
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
