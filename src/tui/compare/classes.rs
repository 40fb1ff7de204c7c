//! The table of classes: how similar the two maps of each class are.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::content::{ComparisonContent, ComparisonState};
use crate::format::reliability;
use crate::ids::ClassId;
use crate::tui::form;
use crate::tui::theme::Theme;
use crate::tui::widget::columns::pad_end;
use crate::tui::widget::text::{beside, cut, left};

/// Columns of the table.
pub const COLUMNS: u16 = 27;

/// Columns of a name.
const NAME: usize = 10;

/// Columns between the parts of the table.
const GAP: u16 = 3;

/// Draws one row per class, in as many parts side by side as fit; if not all classes fit, those around the
/// chosen one.
pub fn draw(
    sight: &ComparisonContent,
    look: &ComparisonState,
    theme: &Theme,
    area: Rect,
    buf: &mut Buffer,
) {
    if area.height < 2 {
        return;
    }
    let all = sight.classes.len();
    let rows = usize::from(area.height - 1);
    let parts = usize::from((area.width + GAP) / (COLUMNS + GAP)).max(1);
    let shown = form::window(look.class.0, all, rows * parts);
    let shown: Vec<ClassId> = shown.map(ClassId).collect();
    for (part, classes) in (0..).zip(shown.chunks(rows)) {
        let column = beside(area, part * (COLUMNS + GAP));
        let head = format!("  {:<NAME$} {:>5} {:>7}", "class", "r", "pixels");
        left(buf, column, 0, Span::styled(head, theme.dim()));
        for (line, &class) in (1..).zip(classes) {
            left(buf, column, line, row(sight, look, class, theme));
        }
    }
}

/// A class: its name, the correlation of its two maps, and how many of its pixels differ.
fn row(
    sight: &ComparisonContent,
    look: &ComparisonState,
    class: ClassId,
    theme: &Theme,
) -> Line<'static> {
    let compared = sight.compared.classes[class].as_ref();
    let (mark, style) = match (class == look.class, compared) {
        (true, _) => (theme.glyphs.pointer, theme.chosen()),
        (false, Some(_)) => (" ", theme.text()),
        (false, None) => (" ", theme.dim()),
    };
    let name = cut(&sight.classes[class], NAME);
    let details = match compared {
        Some(compared) => {
            let r = compared.correlation.map_or_else(|| "–".into(), reliability);
            let details = format!("{r:>5} {:>7}", compared.significant);
            match compared.significant {
                0 => Span::styled(details, theme.dim()),
                _ => Span::styled(details, theme.text()),
            }
        }
        None => Span::styled("not in both", theme.dim()),
    };
    let name = Span::styled(format!("{mark} {} ", pad_end(&name, NAME)), style);
    Line::from(vec![name, details])
}
