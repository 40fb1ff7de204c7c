//! The confusion matrix: a row per true class, a column per decision. Correct decisions are on the diagonal
//! in one colour, mistakes beside it in the other; the numbers give the rest.

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::Span;

use super::selection::PredictionsSelection;
use crate::format::percent;
use crate::ids::ClassId;
use crate::tui::form;
use crate::tui::scene::Scene;
use crate::tui::theme::{Depth, Theme};
use crate::tui::widget::columns::columns;
use crate::tui::widget::text::{below, beside, centre, left, right, start, top};

/// Rows above the matrix.
const HEAD: u16 = 2;
/// Maximum columns for the names of the true classes.
const MOST_NAMES: u16 = 14;

/// Columns and rows of a cell, and how many cells fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MatrixLayout {
    width: u16,
    height: u16,
    /// Columns for the recall of a class; 0 if it does not fit.
    recall: u16,
    /// Columns for the names of the true classes.
    names: u16,
    /// Rows and columns shown.
    shown: (usize, usize),
}

/// Columns for the names of the true classes.
fn names(sight: &PredictionsSelection<'_>) -> u16 {
    (form::widest(sight.session) as u16 + 4).min(MOST_NAMES)
}

impl MatrixLayout {
    /// The largest cells that fit all classes in an area and leave room for a mean image beside them; `None`
    /// if not all classes fit.
    pub fn fit(sight: &PredictionsSelection<'_>, (width, height): (u16, u16)) -> Option<Self> {
        let classes = sight.classes;
        let cell = |width, height, recall, names| Self {
            width,
            height,
            recall,
            names,
            shown: (classes, classes),
        };
        let wide = names(sight);
        let narrow = wide.min(5);
        // Each with the columns needed beside it.
        let sizes = [
            (cell(10, 4, 8, wide), 59),
            (cell(10, 3, 8, wide), 59),
            (cell(7, 3, 8, wide), 31),
            (cell(7, 2, 8, wide), 31),
            (cell(6, 1, 6, wide), 31),
            (cell(5, 1, 6, wide), 17),
            (cell(5, 1, 6, wide), 0),
            (cell(5, 1, 6, narrow), 0),
            (cell(5, 1, 0, narrow), 0),
        ];
        let fits = |(cell, beside): &(Self, u16)| {
            u32::from(cell.columns()) + u32::from(*beside) <= u32::from(width)
                && cell.rows() <= height
        };
        let found = sizes.into_iter().find(fits);
        found.map(|(cell, _)| cell)
    }

    /// Small cells: as many as fit around the chosen pair.
    pub fn part(sight: &PredictionsSelection<'_>, (width, height): (u16, u16)) -> Self {
        let names = names(sight);
        let cell = if width >= 100 { 7 } else { 5 };
        let recall = 6;
        // The columns needed beside it, if there is room for both.
        let beside = if width >= 76 { 33 } else { 0 };
        let columns = width.saturating_sub(names + recall + beside) / cell;
        let rows = height.saturating_sub(HEAD + 2);
        let most = sight.classes;
        Self {
            width: cell,
            height: 1,
            recall,
            names,
            shown: (
                usize::from(rows).clamp(1, most.max(1)),
                usize::from(columns).clamp(1, most.max(1)),
            ),
        }
    }

    /// Columns of the whole matrix, including its margins.
    pub fn columns(self) -> u16 {
        let cells = u32::from(self.width) * self.shown.1 as u32;
        (u32::from(self.names + self.recall) + cells).min(u32::from(u16::MAX)) as u16
    }

    fn rows(self) -> u16 {
        let cells = u32::from(self.height) * self.shown.0 as u32;
        (u32::from(HEAD + 1) + cells).min(u32::from(u16::MAX)) as u16
    }
}

/// Draws the matrix with its margins: precision below, recall beside.
pub fn draw(
    scene: &Scene<'_>,
    sight: &PredictionsSelection<'_>,
    cell: MatrixLayout,
    area: Rect,
    buf: &mut Buffer,
) {
    let (theme, split) = (scene.theme, sight.split);
    let (rows_shown, columns_shown) = sight.part(cell.shown);
    let body = beside(area, cell.names);
    let cells = cell.width * columns_shown.len() as u16;
    let (mut truth, mut called) = ("true".to_owned(), "  called".to_owned());
    let is_partial = form::position(&rows_shown, sight.classes).is_some()
        || form::position(&columns_shown, sight.classes).is_some();
    if is_partial {
        // By number, as in the columns: the first class is 0.
        let ends = |shown: &Range<usize>| {
            let last = shown.end.max(1) - 1;
            format!("{}–{last}", shown.start)
        };
        let rows = ends(&rows_shown);
        let across = format!("{} of {}", ends(&columns_shown), sight.classes);
        let both = format!("  called: classes {across} (true: {rows})");
        if columns(&both) <= usize::from(body.width) {
            called = both;
        } else {
            // Each above its own names, in as many words as fit.
            let fits = |text: &String| columns(text) < usize::from(cells);
            let brief = [format!("  called {across}"), format!("  {across}")];
            called = brief.into_iter().find(fits).unwrap_or(called);
            let rows = format!("true {rows}");
            if columns(&rows) < usize::from(cell.names) {
                truth = rows;
            }
        }
    }
    left(
        buf,
        start(area, cell.names),
        0,
        Span::styled(truth, theme.dim()),
    );
    let head = start(body, if is_partial { body.width } else { cells });
    let used = left(buf, head, 0, Span::styled(called, theme.dim()));
    let recall = start(beside(body, cells), cell.recall);
    if used <= cells {
        right(buf, recall, 0, Span::styled("recall", theme.dim()));
    }
    let rows = below(area, HEAD);
    let column = |index: usize| start(beside(body, index as u16 * cell.width), cell.width);
    for (index, class) in columns_shown.clone().map(ClassId).enumerate() {
        let chosen = class == sight.class;
        // Columns show all their names, or all their numbers.
        let room = usize::from(cell.width).saturating_sub(2);
        let named = form::widest(sight.session) <= room;
        let room = if named { room } else { 0 };
        centre(
            buf,
            column(index),
            1,
            name(sight, chosen, (class, room), theme),
        );
    }
    for (index, class) in rows_shown.clone().map(ClassId).enumerate() {
        let row = index as u16 * cell.height + (cell.height - 1) / 2;
        let names = start(rows, cell.names - 2);
        let room = usize::from(cell.names.saturating_sub(3));
        let chosen = sight.pointed && class == sight.truth;
        right(buf, names, row, name(sight, chosen, (class, room), theme));
        let text = share(split.recall(class), (cell.recall >= 8, cell.recall), theme);
        right(buf, below(recall, HEAD), row, text);
        for (across, called) in columns_shown.clone().map(ClassId).enumerate() {
            let cell_area = below(column(across), HEAD + index as u16 * cell.height);
            entry(
                sight,
                (class, called),
                top(cell_area, cell.height),
                theme,
                buf,
            );
        }
    }
    let foot = below(area, HEAD + cell.height * rows_shown.len() as u16);
    left(buf, foot, 0, Span::styled("prec", theme.dim()));
    for (index, class) in columns_shown.map(ClassId).enumerate() {
        let cell_area = Rect {
            y: foot.y,
            height: foot.height.min(1),
            ..column(index)
        };
        let room = cell.width - 1;
        let text = share(split.precision(class), (cell.width >= 7, room), theme);
        right(buf, start(cell_area, room), 0, text);
    }
    if cell.recall > 0 && cell.width < 7 {
        let foot = below(recall, HEAD + cell.height * rows_shown.len() as u16);
        right(buf, foot, 0, Span::styled("%", theme.dim()));
    }
}

fn name(
    sight: &PredictionsSelection<'_>,
    chosen: bool,
    (class, room): (ClassId, usize),
    theme: &Theme,
) -> Span<'static> {
    let name = form::class_name_within(sight.session, class, room);
    match chosen {
        true => Span::styled(format!("{}{name}", theme.glyphs.pointer), theme.chosen()),
        false => Span::styled(name, theme.bright()),
    }
}

/// A share in percent, with its unit or without, in this many columns.
fn share(rate: Option<f64>, (with_unit, room): (bool, u16), theme: &Theme) -> Span<'static> {
    let Some(rate) = rate else {
        return Span::styled("-", theme.dim());
    };
    Span::raw(match (with_unit, rate >= 1.0) {
        // Of a whole, the decimal does not fit everywhere, and says nothing.
        (true, true) if room < 7 => "100 %".to_owned(),
        (true, _) => percent(rate),
        (false, true) => "100".to_owned(),
        (false, false) => percent(rate).trim_end_matches(" %").to_owned(),
    })
}

/// Draws one cell: the count and, if there is a second row, its share of the true class.
fn entry(
    sight: &PredictionsSelection<'_>,
    (truth, called): (ClassId, ClassId),
    area: Rect,
    theme: &Theme,
    buf: &mut Buffer,
) {
    let count = sight.count(truth, called);
    let shown = sight.split.shown(truth);
    let share = if shown > 0 {
        count as f64 / shown as f64
    } else {
        0.0
    };
    let right_one = truth == called;
    let pointed = sight.pointed && (truth, called) == (sight.truth, sight.class);
    let style = colours(share, right_one, count, theme);
    // A gap of one column separates the numbers.
    let inner = start(area, area.width.saturating_sub(1));
    for row in 0..inner.height {
        let blank = " ".repeat(usize::from(inner.width));
        left(buf, inner, row, Span::styled(blank, style));
    }
    // A trailing blank if there is a column to spare.
    let air = if inner.width < 7 { "" } else { " " };
    let words = match count {
        0 => theme.glyphs.dot.to_string(),
        count => number(count, usize::from(inner.width).saturating_sub(air.len())),
    };
    let text = if count == 0 { theme.dim() } else { style };
    let row = (inner.height.max(1) - 1) / 2;
    let style = match pointed {
        true => style.add_modifier(Modifier::UNDERLINED | Modifier::BOLD),
        false => style,
    };
    let line = |words: String| Span::styled(format!("{words}{air}"), text);
    match inner.height {
        ..2 => {
            right(buf, inner, 0, line(words));
        }
        _ => {
            right(buf, inner, row, line(words));
            if count > 0 {
                // The share of a full row is too wide for its digits in some cells.
                let whole = format!("{}{air}", percent(share));
                let text = match whole.len() > usize::from(inner.width) {
                    true => format!("{:.0} %{air}", share * 100.0),
                    false => whole,
                };
                right(buf, inner, row + 1, Span::styled(text, style));
            }
        }
    }
}

/// A count in at most `room` columns: in thousands or millions if its digits do not fit.
fn number(count: u64, room: usize) -> String {
    let digits = count.to_string();
    if digits.len() <= room {
        return digits;
    }
    let rounded = |unit: u64| count.saturating_add(unit / 2) / unit;
    match rounded(1_000) {
        thousands @ ..1_000 => format!("{thousands}k"),
        _ => format!("{}M", rounded(1_000_000)),
    }
}

/// The colours of a cell: one side of the diverging ramp for correct decisions, the other for mistakes, where
/// even one in a thousand is visible. Without colour, correct decisions are in reverse video.
fn colours(share: f64, right_one: bool, count: u64, theme: &Theme) -> Style {
    if count == 0 {
        return Style::new();
    }
    let bold = match right_one {
        true => Modifier::BOLD,
        false => Modifier::empty(),
    };
    if theme.depth == Depth::Mono {
        let reverse = match right_one {
            true => Modifier::REVERSED,
            false => Modifier::empty(),
        };
        return Style::new().add_modifier(bold | reverse);
    }
    // The fourth root spreads the colours towards rare mistakes.
    let position = match right_one {
        true => 0.25 + 0.6 * share,
        false => -(share.sqrt().sqrt()).clamp(0.12, 1.0),
    };
    let back = theme.palette.diverging(position as f32);
    Style::new()
        .bg(back)
        .fg(theme.contrast(back))
        .add_modifier(bold)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_too_wide_for_its_cell_is_rounded() {
        let narrow = [9_999, 10_000, 13_861, 999_499, 999_500, 2_400_000].map(|n| number(n, 4));
        assert_eq!(narrow, ["9999", "10k", "14k", "999k", "1M", "2M"]);
        assert_eq!(number(999_500, 6), "999500");
    }
}
