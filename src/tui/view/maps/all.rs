//! All classes side by side; on a large screen with the chosen one beside them, enlarged.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use super::choices::{ScaleLine, scale_line};
use super::enlarged;
use super::selection::MapsSelection;
use crate::tui::scene::Scene;
use crate::tui::scene::contact_sheet::{self, ContactSheetLayout, comfortable};
use crate::tui::scene::map_set::MapSet;
use crate::tui::shared::Scale;
use crate::tui::widget::heatmap::cells;
use crate::tui::widget::text::{below, beside, left, wrap};

/// Above this number, classes are not arranged in rows of four.
const MANY: usize = 12;
/// Columns that the numbers of the chosen class need beside the contact sheet.
const CLOSER: u16 = 46;

/// Number of maps in a row.
pub fn columns(lens: &MapSet<'_>, area: Rect) -> usize {
    // The row of choices, then the two rows that `draw` skips.
    places(lens, below(area, 3)).0.columns.max(1)
}

/// The layout of the contact sheet, and the area beside it for the chosen class, if there is one.
fn places(lens: &MapSet<'_>, area: Rect) -> (ContactSheetLayout, Option<Rect>) {
    let size = lens.size();
    let classes = lens.classes();
    let columns = 4;
    let rows = lens.classes().div_ceil(columns) as u16;
    // Coarse maps at a comfortable size, or as large as fits.
    for zoom in (1..=comfortable(size)).rev() {
        let (single, double) = (cells(size, zoom), cells(size, 2 * zoom));
        if area.height < double.1 + 14 {
            continue;
        }
        let sheet = columns as u16 * (single.0 + 2);
        let large = area.width >= sheet + 2 + double.0 && area.height >= rows * (single.1 + 3);
        if classes <= MANY && large {
            let available = (sheet, area.height);
            let layout = ContactSheetLayout::with(lens.classes(), size, available, (columns, 3, 0));
            return (layout, Some(beside(area, sheet + 2)));
        }
        // Of many classes, as many rows as fit go beside the chosen one.
        let closer = double.0.max(CLOSER);
        if classes > MANY && area.width >= closer + 60 {
            let sheet = area.width - closer - 3;
            let layout = ContactSheetLayout::fit(classes, size, (sheet, area.height), 3);
            return (layout, Some(beside(area, sheet + 3)));
        }
    }
    let available = (area.width, area.height);
    (
        ContactSheetLayout::fit(lens.classes(), size, available, 3),
        None,
    )
}

/// Draws the maps, below their scale.
pub fn draw(scene: &Scene<'_>, sight: &MapsSelection<'_>, area: Rect, buf: &mut Buffer) {
    let (theme, lens) = (scene.theme, &sight.lens);
    let sheet_area = below(area, 2);
    let (layout, closer) = places(lens, sheet_area);
    let position = contact_sheet::position(scene, lens, layout);
    match lens.no_maps_message() {
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
            let line = ScaleLine {
                ramp,
                class: None,
                position,
                averaged: None,
            };
            scale_line(scene, sight, line, area, buf);
        }
    }
    contact_sheet::draw(scene, lens, layout, sheet_area, buf);
    if let Some(closer) = closer {
        enlarged::closer(scene, lens, closer, buf);
    }
}
