//! The network's decisions on the images of the data set: the confusion matrix, and the mean of the images by
//! decision.

mod blocks;
mod matrix;
mod mean;
mod selection;

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use self::selection::PredictionsSelection;
use super::{Log, Reply, View, ViewContext, ViewEntry};
use crate::figure::Figure;
use crate::figure::headline::CHANCE_WARNING;
use crate::figure::wording::ends_in_percent;
use crate::format::{percent, thousands};
use crate::ids::ClassId;
use crate::session::Session;
use crate::session::record::{self, SplitCounts};
use crate::stats::interval::wilson;
use crate::tui::action::{Action, KeyContext};
use crate::tui::experiment::{ExperimentChoice, ShownExperiment, ViewedExperiment};
use crate::tui::location::{Location, LocationError};
use crate::tui::scene::Scene;
use crate::tui::scene::pending;
use crate::tui::shared::SharedState;
use crate::tui::widget::text::{below, beside, left, start};
use crate::tui::{form, steps};

/// Its row of the table.
pub const VIEW: ViewEntry = ViewEntry {
    name: "Predictions",
    pace: Duration::from_millis(500),
    log: Log::OnRequest,
    new: || Box::new(PredictionsView::default()),
};

impl ViewedExperiment for record::Predictions {
    const NAME: &'static str = "predictions of all images";
    const NOUN: &'static str = "predictions";
    const PRONOUN: &'static str = "them";
    const EXAMPLE: &'static str = "analyses=[Predictions(())]";
}

/// Columns of the mean image beside an overview of the matrix, and of the pair under its cursor.
const MEAN: u16 = 32;
const PAIR: u16 = 40;

/// The view.
#[derive(Debug, Clone, Default)]
pub struct PredictionsView {
    /// Which predictions are shown.
    pub shown: ShownExperiment<record::Predictions>,
    /// Index of the part of the data set in the plan.
    pub split: usize,
    /// The true class under the cursor; `None` until it is moved: then the chosen class.
    pub truth: Option<ClassId>,
    /// Whether the numbers around the cursor are shown when those of all classes do not fit.
    pub closer: bool,
}

/// The numbers of this many classes fit on every screen.
const FEW: usize = 10;

impl View for PredictionsView {
    fn draw(&self, scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
        let Some(predictions) = pending::begun(scene, self.shown, area, buf) else {
            return;
        };
        let Some(sight) = self.selection(predictions, scene.shared, scene.session) else {
            return;
        };
        title(scene, (predictions, self.shown), sight.split, area, buf);
        let body = below(area, 1 + u16::from(area.height >= 18));
        let room = (body.width, body.height);
        let width = match matrix::MatrixLayout::fit(&sight, room) {
            None if !self.closer => {
                let blocks_area = match body.width {
                    ..76 => body,
                    width => {
                        let most = width - MEAN;
                        let fit = blocks::PixelBlocks::fit(sight.classes, (most, body.height));
                        start(body, fit.extent().0.max(PAIR).min(most))
                    }
                };
                blocks::draw(scene, &sight, blocks_area, buf);
                blocks_area.width
            }
            cell => {
                let cell = cell.unwrap_or_else(|| matrix::MatrixLayout::part(&sight, room));
                matrix::draw(scene, &sight, cell, start(body, cell.columns()), buf);
                cell.columns()
            }
        };
        mean::draw(scene, &sight, beside(body, width + 3), buf);
    }

    fn contexts(&self) -> &'static [KeyContext] {
        match self.closer {
            true => &[
                KeyContext::Classes,
                KeyContext::OneFigure,
                KeyContext::Splits,
            ],
            false => &[KeyContext::Classes, KeyContext::Splits, KeyContext::Figure],
        }
    }

    fn update(
        &mut self,
        action: Action,
        shared: &mut SharedState,
        around: &ViewContext<'_>,
    ) -> Reply {
        match action {
            Action::TruthAbove => self.step_truth(shared, around.session, -1),
            Action::TruthBelow => self.step_truth(shared, around.session, 1),
            Action::Enlarge => self.closer = true,
            Action::ShrinkFigure => self.closer = false,
            // Shows why this true class is called the chosen class.
            Action::Versus => {
                shared.versus = Some(self.truth_in(shared));
                return Reply::LookCloser;
            }
            Action::NextSplit => {
                self.split = (self.split + 1) % self.splits(around.session);
            }
            _ => return Reply::Ignored,
        }
        Reply::Done
    }

    fn experiment(&self) -> Option<&dyn ExperimentChoice> {
        Some(&self.shown)
    }

    fn experiment_mut(&mut self) -> Option<&mut dyn ExperimentChoice> {
        Some(&mut self.shown)
    }

    fn is_possible(&self, action: Action, shared: &SharedState, session: &Session) -> bool {
        match action {
            Action::NextSplit => self.splits(session) > 1,
            Action::TruthAbove | Action::TruthBelow => form::classes(session) > 1,
            Action::Enlarge => form::classes(session) > FEW,
            // A decision for the true class is no mistake to explain.
            Action::Versus => self.truth_in(shared) != shared.class && shared.has_maps(session),
            _ => true,
        }
    }

    fn number(&self, shared: &SharedState, session: &Session) -> Option<String> {
        let sight = self.selection(self.shown.record(session)?, shared, session)?;
        Some(sight.count(sight.truth, sight.class).to_string())
    }

    fn location(&self, shared: &SharedState, _: &Session) -> Location {
        Location {
            class: Some(shared.class),
            closer: self.closer,
            ..Location::default()
        }
    }

    fn go_to(&mut self, start: &Location, _: &Session) -> Result<(), LocationError> {
        self.closer = start.closer;
        Ok(())
    }

    fn figure(&self, _: &SharedState, session: &Session) -> Option<Figure> {
        let nth = self.shown.number(session);
        let split = self.split_in(self.shown.record(session)?)?.split;
        Some(Figure::Confusion { nth, split })
    }
}

impl PredictionsView {
    /// The part of the data set shown.
    fn split_in<'a>(&self, predictions: &'a record::Predictions) -> Option<&'a SplitCounts> {
        let last = predictions.splits.len().checked_sub(1)?;
        predictions.splits.get(self.split.min(last))
    }

    /// The current selection.
    fn selection<'a>(
        &self,
        predictions: &'a record::Predictions,
        shared: &SharedState,
        session: &'a Session,
    ) -> Option<PredictionsSelection<'a>> {
        let classes = form::classes(session);
        let split = self.split_in(predictions)?;
        let last = ClassId(classes.checked_sub(1)?);
        let class = shared.class.min(last);
        Some(PredictionsSelection {
            session,
            split,
            class,
            truth: self.truth.map_or(class, |truth| truth.min(last)),
            pointed: self.truth.is_some() || classes > FEW,
            classes,
            shape: form::picture(split.images.shape())?,
        })
    }

    /// The true class under the cursor.
    fn truth_in(&self, shared: &SharedState) -> ClassId {
        self.truth.unwrap_or(shared.class)
    }

    fn step_truth(&mut self, shared: &SharedState, session: &Session, step: isize) {
        let now = self.truth_in(shared);
        let next = steps::along(now.0, step, form::classes(session));
        self.truth = Some(ClassId(next));
    }

    /// The number of parts of the data set with predictions; at least 1.
    fn splits(&self, session: &Session) -> usize {
        let predictions = self.shown.record(session);
        predictions.map_or(1, |predictions| predictions.splits.len().max(1))
    }
}

/// Draws the parts of the data set, the chosen one marked, and the accuracy with the number of images.
fn title(
    scene: &Scene<'_>,
    (predictions, shown): (&record::Predictions, ShownExperiment<record::Predictions>),
    split: &SplitCounts,
    area: Rect,
    buf: &mut Buffer,
) {
    let theme = scene.theme;
    let mut spans: Vec<Span<'_>> = predictions
        .splits
        .iter()
        .map(|part| match part.split == split.split {
            true => {
                let text = format!("{}{}  ", theme.glyphs.pointer, part.split.label());
                Span::styled(text, theme.chosen())
            }
            false => Span::styled(format!(" {}  ", part.split.label()), theme.dim()),
        })
        .collect();
    spans.splice(0..0, shown.title(scene.session, scene.theme, area.width));
    match wilson(split.correct(), split.total()) {
        Some(accuracy) => {
            let of = format!(" correct on {} images", thousands(split.total()));
            let ends = format!(" ({})", ends_in_percent(accuracy));
            spans.push(Span::styled(percent(accuracy.estimate), theme.bright()));
            if scene
                .session
                .record
                .training
                .as_ref()
                .is_some_and(|training| training.at_chance)
            {
                let words = format!(" {CHANCE_WARNING}");
                spans.push(Span::styled(words, theme.warning()));
            }
            spans.push(Span::styled(ends, theme.dim()));
            spans.push(Span::raw(of));
        }
        None => spans.push(Span::styled("no image of it yet", theme.dim())),
    }
    let width = |spans: &[Span<'_>]| spans.iter().map(Span::width).sum::<usize>();
    if width(&spans) > usize::from(area.width) && split.total() > 0 {
        spans.pop();
        let images = format!(" on {} images", thousands(split.total()));
        spans.push(Span::raw(images));
    }
    left(buf, area, 0, Line::from(spans));
}
