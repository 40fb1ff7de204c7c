//! All classes side by side; on a large screen the chosen one beside them, larger.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::choices::scale_line;
use super::enlarged;
use super::sight::Sight;
use crate::tui::scene::Scene;
use crate::tui::scene::lens::Lens;
use crate::tui::scene::sheet::{self, Layout};
use crate::tui::shared::Scale;
use crate::tui::widget::heatmap::cells;
use crate::tui::widget::text::{below, beside, left, wrap};

/// How many maps stand side by side.
pub fn columns(lens: &Lens<'_>, area: Rect) -> usize {
    // The row of choices, then those of `draw`.
    places(lens, below(area, 3)).0.columns.max(1)
}

/// The layout of the sheet, and the place beside it for the chosen class, if there is one.
fn places(lens: &Lens<'_>, area: Rect) -> (Layout, Option<Rect>) {
    let size = lens.size();
    let (single, double) = (cells(size, 1), cells(size, 2));
    let columns = 4;
    let rows = lens.classes().div_ceil(columns) as u16;
    let sheet = columns as u16 * (single.0 + 2);
    let large = area.width >= sheet + 2 + double.0 && area.height >= rows * (single.1 + 3);
    if large && area.height >= double.1 + 14 {
        let layout = Layout::with(lens.classes(), size, (sheet, area.height), (columns, 3, 0));
        return (layout, Some(beside(area, sheet + 2)));
    }
    let place = (area.width, area.height);
    (Layout::fit(lens.classes(), size, place, 3), None)
}

/// Draws them, below their scale.
pub fn draw(scene: &Scene<'_>, sight: &Sight<'_>, area: Rect, buf: &mut Buffer) {
    let (theme, lens) = (scene.theme, &sight.lens);
    match lens.nothing() {
        Some(sentence) => {
            for (row, line) in wrap(&sentence, area.width).into_iter().take(2).enumerate() {
                left(buf, area, row as u16, Span::styled(line, theme.warning()));
            }
        }
        None => {
            let ramp = match scene.shared.scale {
                Scale::Common => lens.common_ramp(),
                Scale::Own => lens.ramp(scene.shared.class),
            };
            scale_line(scene, sight, ramp, area, buf);
        }
    }
    let place = below(area, 2);
    let (layout, closer) = places(lens, place);
    sheet::draw(scene, lens, layout, place, buf);
    if let Some(closer) = closer {
        enlarged::closer(scene, lens, closer, buf);
    }
}
