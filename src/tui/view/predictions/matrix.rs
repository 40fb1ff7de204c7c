//! The confusion matrix: a row a true class, a column a predicted one. What is right stands on the
//! diagonal in one colour, mistakes beside it in the other; the numbers say the rest.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

use crate::session::config::CLASSES;
use crate::session::record::SplitCounts;
use crate::tui::theme::{Depth, Theme};
use crate::tui::view::Scene;
use crate::tui::widget::text::{below, beside, centre, left, right, start, top};

/// Columns for the names of the true classes.
const NAMES: u16 = 4;
/// Columns for the recall of a class.
const RECALL: u16 = 8;
/// Rows above the matrix.
const HEAD: u16 = 2;

/// Columns and rows of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    width: u16,
    height: u16,
}

impl Cell {
    /// The largest cells on a place that leave room for a mean image beside them.
    pub fn fit((width, height): (u16, u16)) -> Self {
        let sizes = [(10, 3, 60), (7, 2, 31), (6, 1, 31), (5, 1, 12), (5, 1, 0)];
        let fits = |&(wide, tall, beside): &(u16, u16, u16)| {
            let own = Self {
                width: wide,
                height: tall,
            };
            own.columns() + beside <= width && own.rows() <= height
        };
        let (width, height, _) = sizes.into_iter().find(fits).unwrap_or((4, 1, 0));
        Self { width, height }
    }

    /// Columns of the whole matrix, its margins among them.
    pub fn columns(self) -> u16 {
        NAMES + self.width * CLASSES as u16 + RECALL
    }

    fn rows(self) -> u16 {
        HEAD + self.height * CLASSES as u16 + 1
    }
}

/// Draws it with its margins: precision below, recall beside.
pub fn draw(scene: &Scene<'_>, split: &SplitCounts, cell: Cell, area: Rect, buf: &mut Buffer) {
    let theme = scene.theme;
    let body = beside(area, NAMES);
    left(buf, area, 0, Span::styled("true", theme.dim()));
    left(buf, body, 0, Span::styled("  called", theme.dim()));
    let recall = beside(body, cell.width * CLASSES as u16);
    right(buf, recall, 0, Span::styled("recall", theme.dim()));
    let rows = below(area, HEAD);
    let column = |class: usize| start(beside(body, class as u16 * cell.width), cell.width);
    for class in 0..CLASSES {
        let chosen = class == scene.state.class;
        centre(buf, column(class), 1, name(chosen, class, theme));
        let row = class as u16 * cell.height + (cell.height - 1) / 2;
        let names = start(rows, NAMES - 1);
        right(buf, names, row, name(false, class, theme));
        right(
            buf,
            below(recall, HEAD),
            row,
            share(split.recall(class), theme),
        );
        for called in 0..CLASSES {
            let place = below(column(called), HEAD + class as u16 * cell.height);
            entry(split, (class, called), top(place, cell.height), theme, buf);
        }
    }
    let foot = below(area, HEAD + cell.height * CLASSES as u16);
    left(buf, foot, 0, Span::styled("prec", theme.dim()));
    for class in 0..CLASSES {
        let place = Rect {
            y: foot.y,
            height: foot.height.min(1),
            ..column(class)
        };
        // In a narrow cell without its unit and with the digits that fit.
        let words = match (split.precision(class), cell.width) {
            (Some(rate), ..7) => format!("{:.1}", rate * 100.0),
            (Some(rate), _) => format!("{:.1} %", rate * 100.0),
            (None, _) => "-".into(),
        };
        right(buf, start(place, cell.width - 1), 0, Span::raw(words));
    }
    let unit = if cell.width < 7 { "  %" } else { "" };
    left(
        buf,
        below(recall, HEAD + cell.height * CLASSES as u16),
        0,
        Span::styled(unit, theme.dim()),
    );
}

fn name(chosen: bool, class: usize, theme: &Theme) -> Span<'static> {
    match chosen {
        true => Span::styled(format!("{}{class}", theme.glyphs.pointer), theme.chosen()),
        false => Span::styled(class.to_string(), theme.bright()),
    }
}

fn share(rate: Option<f64>, theme: &Theme) -> Span<'static> {
    match rate {
        Some(rate) => Span::raw(format!("{:.1} %", rate * 100.0)),
        None => Span::styled("-", theme.dim()),
    }
}

/// One cell: how many, and where there are rows for it, which share of the true class.
fn entry(
    split: &SplitCounts,
    (truth, called): (usize, usize),
    area: Rect,
    theme: &Theme,
    buf: &mut Buffer,
) {
    let count = split.counts[truth * CLASSES + called];
    let shown = split.shown(truth);
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
    let line = |words: String| Line::from(Span::styled(format!("{words} "), text));
    match own.height {
        ..2 => put(buf, own, 0, line(words).spans),
        _ => {
            put(buf, own, row, line(words).spans);
            if count > 0 {
                let percent = format!("{:.1} % ", share * 100.0);
                put(buf, own, row + 1, vec![Span::styled(percent, style)]);
            }
        }
    }
}

/// Writes at the right edge of a cell, one column less of air where it would not fit.
fn put(buf: &mut Buffer, area: Rect, row: u16, spans: Vec<Span<'static>>) {
    let mut line = Line::from(spans);
    if line.width() > usize::from(area.width)
        && let Some(last) = line.spans.last_mut()
    {
        last.content = last.content.trim_end().to_string().into();
    }
    right(buf, area, row, line);
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
