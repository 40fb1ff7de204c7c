//! The question before the run is stopped.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::format::clean;
use crate::tui::action::{Action, Keys, key_of};
use crate::tui::scene::Scene;
use crate::tui::theme::Theme;
use crate::tui::widget::text::{beside, cut, left};

/// Asks it of the session in sight, over the whole of `area`.
pub fn draw(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    draw_of(
        &scene.session.name,
        scene.shared.keys,
        scene.theme,
        area,
        buf,
    );
}

/// Asks it of a session of this name.
pub fn draw_of(name: &str, own: Keys, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let name = cut(&clean(name), 24);
    let title = format!("Stop {name}?");
    let why = "It finishes its block and writes a checkpoint.";
    let (keys, dim) = (theme.chosen(), theme.dim());
    let lines: Vec<Line<'_>> = vec![
        Line::from(Span::styled(title, theme.bright())),
        Line::default(),
        Line::from(Span::styled(why, theme.text())),
        Line::default(),
        Line::from(vec![
            Span::styled(format!("{:>3}  ", key_of(own, Action::StopNow)), keys),
            Span::raw("stop after a checkpoint; run it again to go on"),
        ]),
        Line::from(vec![
            Span::styled(format!("{:>3}  ", key_of(own, Action::Stay)), keys),
            Span::raw("let it go on"),
        ]),
        Line::default(),
        Line::from(Span::styled(
            "Nothing measured so far is lost either way.",
            dim,
        )),
    ];
    let width = lines.iter().map(Line::width).max().unwrap_or(0) as u16;
    let start = area.height.saturating_sub(lines.len() as u16) / 3;
    let place = beside(area, area.width.saturating_sub(width) / 2);
    for (row, line) in lines.into_iter().enumerate() {
        left(buf, place, start + row as u16, line);
    }
}
