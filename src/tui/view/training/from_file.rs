//! Draws a description of a network that is not trained here: what it is and where it comes from.

use std::path::Path;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::format::{percent, thousands};
use crate::session::config;
use crate::session::record::TrainingRecord;
use crate::tui::scene::Scene;
use crate::tui::widget::text::{left, wrap};

/// Columns of the labels.
const LABELS: u16 = 16;

/// Digits of a SHA-256 that distinguish files.
const DIGITS: usize = 16;

/// Draws labels and values, each on one or more rows.
pub fn draw(
    scene: &Scene<'_>,
    training: &TrainingRecord,
    path: &Path,
    area: Rect,
    buf: &mut Buffer,
) {
    let room = area.width.saturating_sub(LABELS);
    let mut row = 0;
    for (label, value, is_loud) in lines(scene, training, path) {
        let style = match is_loud {
            true => scene.theme.warning(),
            false => scene.theme.text(),
        };
        for (index, part) in wrap(&value, room).into_iter().enumerate() {
            if row >= area.height {
                return;
            }
            let label = if index == 0 { label } else { "" };
            let label = format!("{label:<width$}", width = usize::from(LABELS));
            let label = Span::styled(label, scene.theme.dim());
            let line = Line::from(vec![label, Span::styled(part, style)]);
            left(buf, area, row, line);
            row += 1;
        }
    }
}

fn lines(
    scene: &Scene<'_>,
    training: &TrainingRecord,
    path: &Path,
) -> Vec<(&'static str, String, bool)> {
    let (session, network) = (scene.session, &scene.session.config.network);
    let mut lines = vec![
        ("network", network.label(), false),
        (
            "weights",
            format!("not trained here, loaded from {}", path.display()),
            false,
        ),
    ];
    if let Some(model) = &session.record.model {
        let digits = DIGITS.min(model.sha256.len());
        lines.push(("SHA-256", format!("{}…", &model.sha256[..digits]), false));
    }
    if let Some(output) = &network.output {
        lines.push(("output", output.clone(), false));
    }
    if network.input != config::InputEncoding::default() {
        lines.push(("images shown as", network.input.in_plan(), false));
    }
    if training.parameters > 0 {
        let count = thousands(training.parameters as u64);
        lines.push(("parameters", count, false));
    }
    if let Some(form) = &session.record.form {
        lines.push(("images", form.size_in_words(), false));
        let classes = match form.is_numbered() {
            true => form.class_count().to_string(),
            false => format!("{}: {}", form.class_count(), form.classes.join(", ")),
        };
        lines.push(("classes", classes, false));
    }
    if let Some(accuracy) = training.test_accuracy {
        lines.push(("test accuracy", percent(accuracy), false));
    }
    if training.at_chance {
        let words = "NO BETTER THAN CHANCE; noisescope inspect FILE --data IMAGES tries other ways to show the images";
        lines.push(("", words.to_owned(), true));
    }
    lines
}
