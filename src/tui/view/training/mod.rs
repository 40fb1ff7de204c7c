//! Loss and accuracy by epoch, the learning rate, the best epoch and the current epoch; for a network from a
//! file, a description of it (`from_file`).

mod from_file;

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{Log, View, ViewEntry};
use crate::figure::Figure;
use crate::format::{number, percent, short, thousands};
use crate::session::Session;
use crate::session::config::WeightSource;
use crate::session::record;
use crate::tui::action::KeyContext;
use crate::tui::scene::{Scene, epochs};
use crate::tui::shared::SharedState;
use crate::tui::widget::bar::between;
use crate::tui::widget::text::{below, beside, centre, left, start, top};

/// Its row of the table.
pub const VIEW: ViewEntry = ViewEntry {
    name: "Training",
    pace: Duration::from_millis(250),
    log: Log::OnRequest,
    new: || Box::new(TrainingView),
};

/// The view; it has nothing to select.
#[derive(Debug, Clone, Copy)]
pub struct TrainingView;

/// Columns for the numbers on the right.
const FIGURES: u16 = 30;

impl View for TrainingView {
    fn draw(&self, scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
        let theme = scene.theme;
        let Some(training) = &scene.session.record.training else {
            let text = Span::styled("Training has not started.", theme.dim());
            centre(buf, area, area.height / 2, text);
            return;
        };
        if let WeightSource::File(path) = &scene.session.config.network.weights {
            from_file::draw(scene, training, path, area, buf);
            return;
        }
        let wide = area.width >= 110;
        let (pictures, figures) = if wide {
            let room = area.width - FIGURES;
            (start(area, room - 2), beside(area, room))
        } else {
            let rows = area.height.saturating_sub(3);
            (top(area, rows), below(area, rows))
        };
        let strip = 2;
        let height = pictures.height.saturating_sub(strip);
        epochs::charts(scene, top(pictures, height), buf);
        learning_rate(scene, training, below(pictures, height), buf);
        let lines = figure_lines(scene, training);
        if wide {
            for (row, (label, value)) in lines.into_iter().enumerate() {
                let label = Span::styled(format!("{label:<16}"), theme.dim());
                left(
                    buf,
                    figures,
                    row as u16,
                    Line::from(vec![label, Span::raw(value)]),
                );
            }
        } else {
            flow(scene, lines, figures, buf);
        }
    }

    fn contexts(&self) -> &'static [KeyContext] {
        &[]
    }

    fn figure(&self, _: &SharedState, session: &Session) -> Option<Figure> {
        let training = session.record.training.as_ref();
        training.map(|_| Figure::Training)
    }
}

/// Draws the numbers one after another, on as many rows as necessary.
fn flow(scene: &Scene<'_>, lines: Vec<(&str, String)>, area: Rect, buf: &mut Buffer) {
    let (mut x, mut row) = (0, 0);
    for (label, value) in lines.into_iter().filter(|(label, _)| !label.is_empty()) {
        let line = Line::from(vec![
            Span::styled(format!("{label} "), scene.theme.dim()),
            Span::raw(value),
        ]);
        let width = line.width() as u16;
        if x > 0 && x + width > area.width {
            (x, row) = (0, row + 1);
        }
        left(buf, beside(area, x), row, line);
        x += width + 3;
    }
}

fn learning_rate(
    scene: &Scene<'_>,
    training: &record::TrainingRecord,
    area: Rect,
    buf: &mut Buffer,
) {
    let theme = scene.theme;
    let WeightSource::Train(plan) = &scene.session.config.network.weights else {
        return;
    };
    let mut rates: Vec<f64> = training.epochs.iter().map(|e| e.lr).collect();
    if training.partial.batches > 0 {
        rates.push(training.partial.lr);
    }
    let now = rates.last().copied().unwrap_or(plan.lr_max);
    let label = format!("learning rate {:<9} ", number(now));
    let used = left(buf, area, 1, Line::from(Span::styled(label, theme.dim())));
    let total = epochs::last_epoch(scene, training);
    let end = format!("  from {} to {}", short(plan.lr_max), short(plan.lr_min));
    let room = area
        .width
        .saturating_sub(used + Span::raw(end.as_str()).width() as u16);
    let columns = (0..room)
        .map(|x| ((f64::from(x) + 0.5) / f64::from(room) * total) as usize)
        .map_while(|epoch| rates.get(epoch).map(|rate| *rate as f32))
        .collect::<Vec<f32>>();
    let strip = between(&columns, 0.0, plan.lr_max as f32, theme);
    left(
        buf,
        beside(area, used),
        1,
        Span::styled(strip, theme.accent()),
    );
    left(
        buf,
        beside(area, used + room),
        1,
        Span::styled(end, theme.dim()),
    );
}

fn figure_lines(
    scene: &Scene<'_>,
    training: &record::TrainingRecord,
) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    let partial = &training.partial;
    if !training.finished {
        let epoch = training.epochs.len() + 1;
        lines.push(("epoch", format!("{epoch} of {}", epochs::planned(scene))));
        lines.push(("batch", format!("{} of {}", partial.batches, partial.of)));
        if partial.images > 0 {
            let images = partial.images as f64;
            lines.push(("loss so far", number(partial.loss_sum / images)));
            lines.push(("accuracy so far", percent(partial.correct as f64 / images)));
        }
    } else {
        lines.push(("training", "finished".into()));
        let (epochs, planned) = (training.epochs.len(), epochs::planned(scene));
        lines.push(("epochs", format!("{epochs} of {planned}")));
        // Apart from the number, since a column of numbers has no room for both.
        lines.extend((epochs < planned).then(|| ("stopped", "early".into())));
        if let Some(accuracy) = training.test_accuracy {
            lines.push(("test accuracy", percent(accuracy)));
            lines.extend(
                training
                    .at_chance
                    .then(|| ("no better than", "CHANCE".into())),
            );
        }
    }
    if let Some(best) = training.best_epoch {
        lines.push(("best epoch", best.to_string()));
    }
    lines.push(("", String::new()));
    if let Some(last) = training.epochs.last() {
        lines.push(("last epoch", last.epoch.to_string()));
        lines.push(("train loss", number(last.train_loss)));
        lines.push(("valid loss", number(last.valid_loss)));
        lines.push(("train accuracy", percent(last.train_accuracy)));
        lines.push(("valid accuracy", percent(last.valid_accuracy)));
        lines.push(("", String::new()));
    }
    if training.parameters > 0 {
        lines.push(("parameters", thousands(training.parameters as u64)));
    }
    lines
}
