//! The classes in a table: how alike the two maps of each are.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::sight::{Look, Sight};
use crate::format::reliability;
use crate::tui::form;
use crate::tui::theme::Theme;
use crate::tui::widget::text::{cut, left};

/// Columns of the table.
pub const COLUMNS: u16 = 27;

/// Columns of a name.
const NAME: usize = 10;

/// Draws a row a class, those about the chosen one where not all have room.
pub fn draw(sight: &Sight, look: &Look, theme: &Theme, area: Rect, buf: &mut Buffer) {
    if area.height < 2 {
        return;
    }
    let head = format!("  {:<NAME$} {:>5} {:>7}", "class", "r", "pixels");
    left(buf, area, 0, Span::styled(head, theme.dim()));
    let all = sight.classes.len();
    let rows = usize::from(area.height - 1);
    for (row, class) in (1..).zip(form::window(look.class, all, rows)) {
        let chosen = class == look.class;
        let (mark, style) = match (chosen, &sight.compared.classes[class]) {
            (true, _) => (theme.glyphs.pointer, theme.chosen()),
            (false, Some(_)) => (" ", theme.text()),
            (false, None) => (" ", theme.dim()),
        };
        let name = cut(&sight.classes[class], NAME);
        let name = Span::styled(format!("{mark} {name:<NAME$} "), style);
        let told = match &sight.compared.classes[class] {
            Some(own) => {
                let r = own.correlation.map_or_else(|| "–".into(), reliability);
                let told = format!("{r:>5} {:>7}", own.significant);
                match own.significant {
                    0 => Span::styled(told, theme.dim()),
                    _ => Span::styled(told, theme.text()),
                }
            }
            None => Span::styled("no map in both", theme.dim()),
        };
        left(buf, area, row, Line::from(vec![name, told]));
    }
}
