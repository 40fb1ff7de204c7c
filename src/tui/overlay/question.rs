//! The question asked before a run is stopped.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::format::clean;
use crate::tui::action::{Action, KeyBindings, first_key_of};
use crate::tui::scene::Scene;
use crate::tui::theme::Theme;
use crate::tui::widget::text::{beside, cut, left};

/// Asks about the session shown, over the whole of `area`.
pub fn draw(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    draw_of(
        &scene.session.name,
        scene.shared.keys,
        scene.theme,
        area,
        buf,
    );
}

/// Asks about a session of this name.
pub fn draw_of(name: &str, bindings: KeyBindings, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let name = cut(&clean(name), 24);
    let title = format!("Stop {name}?");
    let effect = "It finishes its block and writes a checkpoint.";
    let (keys, dim) = (theme.chosen(), theme.dim());
    let lines: Vec<Line<'_>> = vec![
        Line::from(Span::styled(title, theme.bright())),
        Line::default(),
        Line::from(Span::styled(effect, theme.text())),
        Line::default(),
        Line::from(vec![
            Span::styled(
                format!("{:>3}  ", first_key_of(bindings, Action::StopNow)),
                keys,
            ),
            Span::raw("stop after a checkpoint; it can be resumed"),
        ]),
        Line::from(vec![
            Span::styled(
                format!("{:>3}  ", first_key_of(bindings, Action::Stay)),
                keys,
            ),
            Span::raw("keep running"),
        ]),
        Line::default(),
        Line::from(Span::styled(
            "Nothing measured so far is lost either way.",
            dim,
        )),
    ];
    let width = lines.iter().map(Line::width).max().unwrap_or(0) as u16;
    let start = area.height.saturating_sub(lines.len() as u16) / 3;
    let panel = beside(area, area.width.saturating_sub(width) / 2);
    for (row, line) in lines.into_iter().enumerate() {
        left(buf, panel, start + row as u16, line);
    }
}
