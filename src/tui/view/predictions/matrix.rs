//! The confusion matrix: a row a true class, a column a predicted one. What is right stands on the
//! diagonal in one colour, mistakes beside it in the other; the numbers say the rest.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::Span;

use super::sight::Sight;
use crate::tui::scene::Scene;
use crate::tui::theme::{Depth, Theme};
use crate::tui::widget::text::{below, beside, centre, left, right, start, top};

/// Columns for the names of the true classes.
const NAMES: u16 = 5;
/// Rows above the matrix.
const HEAD: u16 = 2;

/// Columns and rows of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    width: u16,
    height: u16,
    /// Columns for the recall of a class; 0 where there is no room for it.
    recall: u16,
}

impl Cell {
    /// The largest cells of so many classes on a place that leave room for a mean image beside
    /// them.
    pub fn fit(classes: usize, (width, height): (u16, u16)) -> Self {
        let of = |width, height, recall| Self {
            width,
            height,
            recall,
        };
        // With what stands beside it.
        let sizes = [
            (of(10, 4, 8), 59),
            (of(10, 3, 8), 59),
            (of(7, 3, 8), 31),
            (of(7, 2, 8), 31),
            (of(6, 1, 6), 31),
            (of(5, 1, 6), 17),
            (of(5, 1, 6), 0),
        ];
        let fits = |(own, beside): &(Self, u16)| {
            own.columns(classes) + beside <= width && own.rows(classes) <= height
        };
        let found = sizes.into_iter().find(fits);
        found.map_or(of(5, 1, 0), |(own, _)| own)
    }

    /// Columns of the whole matrix, its margins among them.
    pub fn columns(self, classes: usize) -> u16 {
        NAMES + self.width * classes as u16 + self.recall
    }

    fn rows(self, classes: usize) -> u16 {
        HEAD + self.height * classes as u16 + 1
    }
}

/// Draws it with its margins: precision below, recall beside.
pub fn draw(scene: &Scene<'_>, sight: &Sight<'_>, cell: Cell, area: Rect, buf: &mut Buffer) {
    let (theme, split, classes) = (scene.theme, sight.split, sight.classes);
    let body = beside(area, NAMES);
    left(buf, area, 0, Span::styled("true", theme.dim()));
    left(buf, body, 0, Span::styled("  called", theme.dim()));
    let recall = beside(body, cell.width * classes as u16);
    right(buf, recall, 0, Span::styled("recall", theme.dim()));
    let rows = below(area, HEAD);
    let column = |class: usize| start(beside(body, class as u16 * cell.width), cell.width);
    for class in 0..classes {
        let chosen = class == scene.shared.class;
        centre(buf, column(class), 1, name(chosen, class, theme));
        let row = class as u16 * cell.height + (cell.height - 1) / 2;
        let names = start(rows, NAMES - 2);
        right(buf, names, row, name(false, class, theme));
        let own = share(split.recall(class), cell.recall >= 8, theme);
        right(buf, below(recall, HEAD), row, own);
        for called in 0..classes {
            let place = below(column(called), HEAD + class as u16 * cell.height);
            entry(sight, (class, called), top(place, cell.height), theme, buf);
        }
    }
    let foot = below(area, HEAD + cell.height * classes as u16);
    left(buf, foot, 0, Span::styled("prec", theme.dim()));
    for class in 0..classes {
        let place = Rect {
            y: foot.y,
            height: foot.height.min(1),
            ..column(class)
        };
        let own = share(split.precision(class), cell.width >= 7, theme);
        right(buf, start(place, cell.width - 1), 0, own);
    }
    if cell.recall > 0 && cell.width < 7 {
        let foot = below(recall, HEAD + cell.height * classes as u16);
        right(buf, foot, 0, Span::styled("%", theme.dim()));
    }
}

fn name(chosen: bool, class: usize, theme: &Theme) -> Span<'static> {
    match chosen {
        true => Span::styled(format!("{}{class}", theme.glyphs.pointer), theme.chosen()),
        false => Span::styled(class.to_string(), theme.bright()),
    }
}

/// A share in percent; in a narrow place without its unit, and with the digits that fit.
fn share(rate: Option<f64>, wide: bool, theme: &Theme) -> Span<'static> {
    match (rate, wide) {
        (Some(rate), true) => Span::raw(format!("{:.1} %", rate * 100.0)),
        (Some(0.9995..), false) => Span::raw("100"),
        (Some(rate), false) => Span::raw(format!("{:.1}", rate * 100.0)),
        (None, _) => Span::styled("-", theme.dim()),
    }
}

/// One cell: how many, and where there are rows for it, which share of the true class.
fn entry(
    sight: &Sight<'_>,
    (truth, called): (usize, usize),
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
    let style = colours(share, right_one, count, theme);
    // A gap of a column keeps numbers apart.
    let own = start(area, area.width.saturating_sub(1));
    for row in 0..own.height {
        let blank = " ".repeat(usize::from(own.width));
        left(buf, own, row, Span::styled(blank, style));
    }
    let words = match count {
        0 => theme.glyphs.dot.to_string(),
        count => count.to_string(),
    };
    let text = if count == 0 { theme.dim() } else { style };
    let row = (own.height.max(1) - 1) / 2;
    // A column of air where there is one to spare.
    let air = if own.width < 7 { "" } else { " " };
    let line = |words: String| Span::styled(format!("{words}{air}"), text);
    match own.height {
        ..2 => {
            right(buf, own, 0, line(words));
        }
        _ => {
            right(buf, own, row, line(words));
            if count > 0 {
                // A share of a whole row has no room for its digits in every cell.
                let percent = format!("{:.1} %{air}", share * 100.0);
                let percent = match percent.len() > usize::from(own.width) {
                    true => format!("{:.0} %{air}", share * 100.0),
                    false => percent,
                };
                right(buf, own, row + 1, Span::styled(percent, style));
            }
        }
    }
}

/// The colours of a cell: one side of the diverging ramp for what is right, the other for
/// mistakes, of which even one in a thousand shows. Where there is no colour, what is right stands
/// in reverse.
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
    // The root spends the colours on small shares, the fourth root on rare mistakes.
    let place = match right_one {
        true => 0.25 + 0.6 * share,
        false => -(share.sqrt().sqrt()).clamp(0.12, 1.0),
    };
    let back = theme.palette.diverging(place as f32);
    Style::new()
        .bg(back)
        .fg(theme.contrast(back))
        .add_modifier(bold)
}
