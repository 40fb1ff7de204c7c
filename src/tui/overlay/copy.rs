//! The overlay listing the texts that can be copied, shown in full so that they can be selected by hand if
//! the terminal gives programs no clipboard access. The view stays visible above it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::tui::action::{Action, first_key_of};
use crate::tui::copying::text;
use crate::tui::scene::Scene;
use crate::tui::state::{CopyTarget, DashboardState};
use crate::tui::widget::text::{below, beside, cut, left, rule, wrap};

/// Columns of the names of the texts.
const NAMES: u16 = 16;

/// Maximum rows of a text.
const ROWS: usize = 3;

/// Draws the overlay over the last rows of `area`.
pub fn draw(scene: &Scene<'_>, state: &DashboardState, area: Rect, buf: &mut Buffer) {
    let theme = scene.theme;
    let room = area.width.saturating_sub(NAMES);
    let entry = |action, name: &'static str, target| {
        let text = text(state, target, scene.session)?;
        let mut lines = wrap(&text, room);
        if lines.len() > ROWS {
            lines.truncate(ROWS);
            let last = lines.pop().unwrap_or_default();
            lines.push(cut(&format!("{last} …"), usize::from(room)));
        }
        Some((first_key_of(scene.shared.keys, action), name, lines))
    };
    let entries = [
        entry(Action::CopyCaption, "caption", CopyTarget::Caption),
        entry(Action::CopyCommand, "command line", CopyTarget::Command),
        entry(Action::CopyNumber, "number", CopyTarget::Number),
    ];
    let entries: Vec<_> = entries.into_iter().flatten().collect();
    let rows: usize = entries.iter().map(|(_, _, lines)| lines.len()).sum();
    let height = (rows as u16 + 1).min(area.height);
    let panel = below(area, area.height - height);
    for row in 1..panel.height {
        left(buf, panel, row, " ".repeat(usize::from(panel.width)));
    }
    rule(buf, panel, 0, theme.glyphs.rule, theme.dim());
    let mut row = 1;
    for (key, name, lines) in entries {
        let line = Line::from(vec![
            Span::styled(key, theme.accent()),
            Span::styled(format!(" {name}"), theme.dim()),
        ]);
        left(buf, panel, row, line);
        for line in lines {
            left(buf, beside(panel, NAMES), row, Span::raw(line));
            row += 1;
        }
    }
}
