//! The classes in a table: how alike the two maps of each are.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::sight::{Look, Sight};
use crate::format::reliability;
use crate::tui::form;
use crate::tui::theme::Theme;
use crate::tui::widget::text::{beside, cut, left};

/// Columns of the table.
pub const COLUMNS: u16 = 27;

/// Columns of a name.
const NAME: usize = 10;

/// Columns between two parts of the table.
const GAP: u16 = 3;

/// Draws a row a class, in as many parts side by side as have room; those about the chosen class where
/// not all have.
pub fn draw(sight: &Sight, look: &Look, theme: &Theme, area: Rect, buf: &mut Buffer) {
    if area.height < 2 {
        return;
    }
    let all = sight.classes.len();
    let rows = usize::from(area.height - 1);
    let parts = usize::from((area.width + GAP) / (COLUMNS + GAP)).max(1);
    let shown: Vec<usize> = form::window(look.class, all, rows * parts).collect();
    for (part, classes) in (0..).zip(shown.chunks(rows)) {
        let place = beside(area, part * (COLUMNS + GAP));
        let head = format!("  {:<NAME$} {:>5} {:>7}", "class", "r", "pixels");
        left(buf, place, 0, Span::styled(head, theme.dim()));
        for (line, &class) in (1..).zip(classes) {
            left(buf, place, line, row(sight, look, class, theme));
        }
    }
}

/// A class: its name, how alike its maps are, and how many of its pixels differ.
fn row(sight: &Sight, look: &Look, class: usize, theme: &Theme) -> Line<'static> {
    let own = sight.compared.classes[class].as_ref();
    let (mark, style) = match (class == look.class, own) {
        (true, _) => (theme.glyphs.pointer, theme.chosen()),
        (false, Some(_)) => (" ", theme.text()),
        (false, None) => (" ", theme.dim()),
    };
    let name = cut(&sight.classes[class], NAME);
    let told = match own {
        Some(own) => {
            let r = own.correlation.map_or_else(|| "–".into(), reliability);
            let told = format!("{r:>5} {:>7}", own.significant);
            match own.significant {
                0 => Span::styled(told, theme.dim()),
                _ => Span::styled(told, theme.text()),
            }
        }
        None => Span::styled("not in both", theme.dim()),
    };
    let name = Span::styled(format!("{mark} {name:<NAME$} "), style);
    Line::from(vec![name, told])
}
