//! What is shown while nothing has been measured: how many pictures have been read, what comes next, or why the run
//! failed.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::format::{clean, thousands};
use crate::report::SessionStatus;
use crate::tui::scene::Scene;
use crate::tui::scene::progress::{is_under_way, standing};
use crate::tui::widget::bar;
use crate::tui::widget::text::{centre, wrap};

/// Maximum columns of the progress bar for reading pictures.
const READING: u16 = 48;

/// Maximum columns of a message.
const MESSAGE: u16 = 72;

/// Draws it.
pub fn draw(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let session = scene.session;
    let text = match (standing(scene), &session.run) {
        // The line above has room for its beginning only, and the remedy is at its end.
        (SessionStatus::Failed(why), _) => {
            format!("It failed before anything was measured: {}", clean(&why))
        }
        (_, Some(run)) if is_under_way(session) => match run.reading {
            Some(read) => return reading(scene, read, area, buf),
            None => "Reading images and building the network.".to_owned(),
        },
        _ if session.record.sharding.is_some() => {
            "Nothing has been measured yet. Run its shards to begin.".to_owned()
        }
        _ => "Nothing has been measured yet. Run the session to begin.".to_owned(),
    };
    let lines = wrap(&text, area.width.min(MESSAGE));
    let first = (area.height / 2).saturating_sub(lines.len() as u16 / 2);
    for (row, line) in (first..area.height).zip(lines) {
        centre(buf, area, row, Span::styled(line, scene.theme.dim()));
    }
}

/// Draws how many of how many pictures have been read.
fn reading(scene: &Scene<'_>, (done, total): (u64, u64), area: Rect, buf: &mut Buffer) {
    let theme = scene.theme;
    let words = format!(
        "reading pictures: {} of {}",
        thousands(done),
        thousands(total)
    );
    let middle = area.height / 2;
    centre(buf, area, middle, Span::styled(words, theme.text()));
    let share = done as f64 / total as f64;
    let bar = Line::from(bar::progress(share, READING.min(area.width), theme));
    centre(buf, area, middle + 1, bar);
}
