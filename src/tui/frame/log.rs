//! The most recent lines of the engine's log.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::format::clean;
use crate::session::run::LogLine;
use crate::tui::scene::Scene;
use crate::tui::shared::SharedState;
use crate::tui::widget::text::{cut, left};

/// Draws as many lines as there are rows.
pub fn draw(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let Scene {
        session,
        shared,
        theme,
    } = *scene;
    if area.height == 0 {
        return;
    }
    let lines = lines(scene);
    if lines.is_empty() {
        let text = match session.run {
            Some(_) => "nothing to report yet",
            None => "this session has no log from any engine",
        };
        left(buf, area, 0, Span::styled(text, theme.dim()));
        return;
    }
    let start = lines.len().saturating_sub(usize::from(area.height));
    // Newest first, so its position does not change as lines arrive.
    for (row, line) in lines[start..].iter().rev().enumerate() {
        let time = time_of(line.at, shared);
        let style = if line.warning {
            theme.warning()
        } else if row == 0 {
            theme.text()
        } else {
            theme.dim()
        };
        let text = cut(
            &clean(&line.text),
            usize::from(area.width).saturating_sub(10),
        );
        let spans = vec![
            Span::styled(format!("{time}  "), theme.dim()),
            Span::styled(text, style),
        ];
        left(buf, area, row as u16, Line::from(spans));
    }
}

/// The running engine's log; without one, the saved log of earlier engines.
pub fn lines<'a>(scene: &Scene<'a>) -> &'a [LogLine] {
    match &scene.session.run {
        Some(run) if !run.log.is_empty() => &run.log,
        Some(run) if !run.phase.is_over() => &[],
        _ => &scene.shared.saved_log,
    }
}

/// The time of day in the viewer's zone.
fn time_of(at: i64, shared: &SharedState) -> String {
    match jiff::Timestamp::from_second(at) {
        Ok(time) => {
            let time = time.to_zoned(shared.zone.clone());
            format!(
                "{:02}:{:02}:{:02}",
                time.hour(),
                time.minute(),
                time.second()
            )
        }
        Err(_) => "--:--:--".into(),
    }
}
