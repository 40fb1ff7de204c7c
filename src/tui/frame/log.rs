//! The most recent lines of the engine's log.

use jiff::{Timestamp, Zoned};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::format::clean;
use crate::session::run::LogLine;
use crate::tui::scene::Scene;
use crate::tui::shared::SharedState;
use crate::tui::widget::text::{cut, left};

/// Draws as many lines as there are rows, with the time of day of each; with the day too if one of them is not of
/// today.
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
    let shown = &lines[start..];
    let today = moment(shared.now, shared).map(|now| now.date());
    let of_another_day = |line: &LogLine| {
        let moment = moment(line.at, shared);
        moment.is_some_and(|moment| Some(moment.date()) != today)
    };
    let (dated, columns) = match shown.iter().any(of_another_day) {
        true => (true, 12),
        false => (false, 8),
    };
    // Newest first, so its position does not change as lines arrive.
    for (row, line) in shown.iter().rev().enumerate() {
        let time = match moment(line.at, shared) {
            Some(moment) if !dated => moment.strftime("%H:%M:%S").to_string(),
            Some(moment) if today.is_some_and(|today| today.year() == moment.year()) => {
                moment.strftime("%e %b %H:%M").to_string()
            }
            Some(moment) => moment.strftime("%e %b %Y").to_string(),
            None => "--:--:--".into(),
        };
        let style = if line.warning {
            theme.warning()
        } else if row == 0 {
            theme.text()
        } else {
            theme.dim()
        };
        let text = cut(
            &clean(&line.text),
            usize::from(area.width).saturating_sub(columns + 2),
        );
        let spans = vec![
            Span::styled(format!("{time:<columns$}  "), theme.dim()),
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

/// A time in the viewer's zone; `None` if it is not one.
fn moment(at: i64, shared: &SharedState) -> Option<Zoned> {
    let time = Timestamp::from_second(at).ok()?;
    Some(time.to_zoned(shared.zone.clone()))
}
