//! Lines of text put into a frame, cut where their place ends.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

/// Writes a line at `row` of `area`, from its left edge, and gives the columns it took.
pub fn left<'a>(buf: &mut Buffer, area: Rect, row: u16, line: impl Into<Line<'a>>) -> u16 {
    let Some(area) = row_of(buf, area, row) else {
        return 0;
    };
    // What stood there before leaves no colour behind.
    let mut line = line.into();
    line.style = Style::reset().patch(line.style);
    let (end, _) = buf.set_line(area.x, area.y, &line, area.width);
    end - area.x
}

/// The same, ending at its right edge. A line that is too long loses its end.
pub fn right<'a>(buf: &mut Buffer, area: Rect, row: u16, line: impl Into<Line<'a>>) -> u16 {
    let line = line.into();
    let width = line.width().min(usize::from(area.width)) as u16;
    let area = Rect {
        x: area.x + area.width - width,
        width,
        ..area
    };
    left(buf, area, row, line)
}

/// The same, in its middle.
pub fn centre<'a>(buf: &mut Buffer, area: Rect, row: u16, line: impl Into<Line<'a>>) {
    let line = line.into();
    let width = line.width().min(usize::from(area.width)) as u16;
    let area = Rect {
        x: area.x + (area.width - width) / 2,
        width,
        ..area
    };
    left(buf, area, row, line);
}

/// A line across the area.
pub fn rule(buf: &mut Buffer, area: Rect, row: u16, glyph: &str, style: Style) {
    left(
        buf,
        area,
        row,
        Span::styled(glyph.repeat(usize::from(area.width)), style),
    );
}

/// The row of an area, where it lies in the frame.
fn row_of(buf: &Buffer, area: Rect, row: u16) -> Option<Rect> {
    if row >= area.height {
        return None;
    }
    let row = Rect {
        y: area.y + row,
        height: 1,
        ..area
    };
    let row = row.intersection(buf.area);
    (row.width > 0 && row.height > 0).then_some(row)
}

/// The part of an area below its first `rows`.
pub fn below(area: Rect, rows: u16) -> Rect {
    let rows = rows.min(area.height);
    Rect {
        y: area.y + rows,
        height: area.height - rows,
        ..area
    }
}

/// The first `rows` of an area.
pub fn top(area: Rect, rows: u16) -> Rect {
    Rect {
        height: area.height.min(rows),
        ..area
    }
}

/// The part of an area right of its first `columns`.
pub fn beside(area: Rect, columns: u16) -> Rect {
    let columns = columns.min(area.width);
    Rect {
        x: area.x + columns,
        width: area.width - columns,
        ..area
    }
}

/// The first `columns` of an area.
pub fn start(area: Rect, columns: u16) -> Rect {
    Rect {
        width: area.width.min(columns),
        ..area
    }
}

/// Breaks a sentence between words into lines of at most `width` columns.
pub fn wrap(text: &str, width: u16) -> Vec<String> {
    let width = usize::from(width.max(1));
    let (mut lines, mut line) = (Vec::new(), String::new());
    for word in text.split_whitespace() {
        let (have, add) = (Span::raw(line.as_str()).width(), Span::raw(word).width());
        if have == 0 {
            line = word.into();
        } else if have + 1 + add <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(std::mem::replace(&mut line, word.into()));
        }
    }
    lines.push(line);
    lines
}

/// Text cut to `width` columns, its end marked where something is missing.
pub fn cut(text: &str, width: usize) -> String {
    if Span::raw(text).width() <= width {
        return text.into();
    }
    let mut short = String::new();
    let mut used = 0;
    for c in text.chars() {
        let own = Span::raw(c.to_string()).width();
        if used + own + 1 > width {
            break;
        }
        used += own;
        short.push(c);
    }
    if width > 0 {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_never_leaves_its_area() {
        let mut buf = Buffer::empty(Rect::new(0, 0, 8, 2));
        let area = Rect::new(2, 0, 4, 1);
        assert_eq!(left(&mut buf, area, 0, "classification"), 4);
        assert_eq!(left(&mut buf, area, 1, "no such row"), 0);
        assert_eq!(left(&mut buf, Rect::new(20, 9, 4, 4), 0, "outside"), 0);
        assert_eq!(buf, Buffer::with_lines(["  clas  ", "        "]));
    }

    #[test]
    fn long_text_is_cut_with_a_mark() {
        assert_eq!(cut("reliability", 20), "reliability");
        assert_eq!(cut("reliability", 5), "reli…");
        assert_eq!(cut("reliability", 0), "");
        assert_eq!(wrap("too few trials", 8), ["too few", "trials"]);
    }
}
