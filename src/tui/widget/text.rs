//! Writes lines of text into a frame. At the end of an area, words and numbers are dropped whole, because a
//! truncated one could be mistaken for another.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

/// Writes as much of a line as fits at `row` of `area`, from its left edge; returns the columns used.
pub fn left<'a>(buf: &mut Buffer, area: Rect, row: u16, line: impl Into<Line<'a>>) -> u16 {
    let Some(area) = row_of(buf, area, row) else {
        return 0;
    };
    let mut line = whole(line.into(), usize::from(area.width));
    // Clears the style of what was drawn there before.
    line.style = Style::reset().patch(line.style);
    let (end, _) = buf.set_line(area.x, area.y, &line, area.width);
    #[cfg(test)]
    witness::saw((area.x, area.y), &line);
    end - area.x
}

/// The part of a line whose whole words and numbers fit in `width` columns. A number and the unit after it
/// stay together; text without letters or digits, such as a bar, is cut anywhere.
fn whole(line: Line<'_>, width: usize) -> Line<'_> {
    if line.width() <= width {
        return line;
    }
    let text: String = line.spans.iter().map(|span| &*span.content).collect();
    let mut left = fitting(&text, width);
    if left == 0 {
        // A word too long for a whole row is cut with a mark; a number is dropped.
        let style = line.spans.first().map_or(line.style, |span| span.style);
        let first = words(&text).into_iter().next();
        let first = first.filter(|word| !word.split(' ').next().is_some_and(is_number));
        let begin = first.map(|word| cut(word, width));
        let begin = begin.filter(|begin| begin.chars().count() > 1);
        let spans = begin.into_iter().map(|begin| Span::styled(begin, style));
        return Line {
            spans: spans.collect(),
            ..line
        };
    }
    let mut spans = Vec::new();
    for span in line.spans {
        if left == 0 {
            break;
        }
        let bytes = left.min(span.content.len());
        left -= bytes;
        spans.push(match bytes == span.content.len() {
            true => span,
            false => Span::styled(span.content[..bytes].to_owned(), span.style),
        });
    }
    Line { spans, ..line }
}

/// Bytes of the beginning of a text that fits in `width` columns without splitting words.
fn fitting(text: &str, width: usize) -> usize {
    let columns = |text: &str| Span::raw(text).width();
    let (mut end, mut used) = (0, 0);
    for word in words(text) {
        let columns_of_word = columns(word);
        if used + columns_of_word <= width {
            (end, used) = (end + word.len(), used + columns_of_word);
            continue;
        }
        if !word.contains(char::is_alphanumeric) {
            for c in word.chars() {
                let columns_of_char = columns(c.encode_utf8(&mut [0; 4]));
                if used + columns_of_char > width {
                    break;
                }
                (end, used) = (end + c.len_utf8(), used + columns_of_char);
            }
        }
        break;
    }
    end
}

/// Splits a text into pieces that are shown whole or dropped: words, numbers with their units, and the blanks
/// between them.
fn words(text: &str) -> Vec<&str> {
    let mut words: Vec<&str> = Vec::new();
    let mut begin = 0;
    let mut after_number = false;
    let bytes = text.as_bytes();
    while begin < text.len() {
        let blank = bytes[begin] == b' ';
        let rest = &text[begin..];
        let length = rest.find(|c| (c == ' ') != blank).unwrap_or(rest.len());
        let piece = &rest[..length];
        // A single blank joins a number to its unit, which is a word of letters.
        let unit = &rest[length..];
        let joins = blank && length == 1 && after_number && is_unit(unit);
        if joins && let Some(number) = words.pop() {
            let end = unit.find(' ').unwrap_or(unit.len());
            let from = begin - number.len();
            words.push(&text[from..begin + 1 + end]);
            begin += 1 + end;
            after_number = false;
            continue;
        }
        // Text in brackets counts as one piece.
        let close = rest
            .find(')')
            .filter(|&end| piece.starts_with('(') && end < 24);
        if let Some(end) = close.filter(|&end| end >= length) {
            let end = end + rest[end..].find(' ').unwrap_or(rest.len() - end);
            words.push(&rest[..end]);
            begin += end;
            after_number = false;
            continue;
        }
        words.push(piece);
        after_number = !blank && is_number(piece);
        begin += length;
    }
    words
}

/// Whether a word is a number: digits, and the characters that occur in and around them.
fn is_number(word: &str) -> bool {
    let digit = word.contains(|c: char| c.is_ascii_digit());
    digit
        && word
            .chars()
            .all(|c| c.is_ascii_digit() || ".,−-–+±×:≥≤<>(~".contains(c))
}

/// Whether a text begins with a possible unit.
fn is_unit(text: &str) -> bool {
    let end = text.find(' ').unwrap_or(text.len());
    let word = &text[..end];
    !word.is_empty()
        && end <= 8
        && !word.contains(|c: char| c.is_ascii_digit())
        && word.contains(|c: char| c.is_alphabetic() || c == '%' || c == '°')
}

/// The same, aligned with the right edge.
pub fn right<'a>(buf: &mut Buffer, area: Rect, row: u16, line: impl Into<Line<'a>>) -> u16 {
    let line = whole(line.into(), usize::from(area.width));
    let width = line.width().min(usize::from(area.width)) as u16;
    let area = Rect {
        x: area.x + area.width - width,
        width,
        ..area
    };
    left(buf, area, row, line)
}

/// The same, centred.
pub fn centre<'a>(buf: &mut Buffer, area: Rect, row: u16, line: impl Into<Line<'a>>) {
    let line = whole(line.into(), usize::from(area.width));
    let width = line.width().min(usize::from(area.width)) as u16;
    let area = Rect {
        x: area.x + (area.width - width) / 2,
        width,
        ..area
    };
    left(buf, area, row, line);
}

/// Draws a horizontal rule across the area.
pub fn rule(buf: &mut Buffer, area: Rect, row: u16, glyph: &str, style: Style) {
    left(
        buf,
        area,
        row,
        Span::styled(glyph.repeat(usize::from(area.width)), style),
    );
}

/// The row of an area, if it lies in the frame.
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

/// The part of an area to the right of its first `columns`.
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

/// Breaks a sentence between words into lines of at most `width` columns; a word longer than a line, such as
/// a path, continues on the next line.
pub fn wrap(text: &str, width: u16) -> Vec<String> {
    let width = usize::from(width.max(1));
    let (mut lines, mut line) = (Vec::new(), String::new());
    let mut rest = text.split_whitespace().peekable();
    while let Some(word) = rest.next() {
        // A share stays with its sign.
        let sign = rest.next_if(|next| next.starts_with('%'));
        let share = sign.map(|sign| format!("{word} {sign}"));
        let word = share.as_deref().unwrap_or(word);
        if Span::raw(word).width() > width {
            if !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            let mut used = 0;
            for letter in word.chars() {
                let columns = Span::raw(letter.to_string()).width();
                if used + columns > width && used > 0 {
                    lines.push(std::mem::take(&mut line));
                    used = 0;
                }
                line.push(letter);
                used += columns;
            }
            continue;
        }
        let (used, add) = (Span::raw(line.as_str()).width(), Span::raw(word).width());
        if used == 0 {
            line = word.into();
        } else if used + 1 + add <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(std::mem::replace(&mut line, word.into()));
        }
    }
    lines.push(line);
    lines
}

/// Text cut to `width` columns, with a mark where something is missing. Numbers are dropped whole.
pub fn cut(text: &str, width: usize) -> String {
    if Span::raw(text).width() <= width {
        return text.into();
    }
    let mut short = String::new();
    let mut used = 0;
    for word in words(text) {
        let columns = Span::raw(word).width();
        let number = word.split(' ').next().is_some_and(is_number);
        if used + columns < width {
            used += columns;
            short.push_str(word);
            continue;
        }
        for c in word.chars().filter(|_| !number) {
            let columns = Span::raw(c.to_string()).width();
            if used + columns + 1 > width {
                break;
            }
            used += columns;
            short.push(c);
        }
        break;
    }
    let end = short.trim_end().len();
    short.truncate(end);
    if width > 0 {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_line_never_leaves_its_area() {
        let mut buf = Buffer::empty(Rect::new(0, 0, 8, 2));
        let area = Rect::new(2, 0, 4, 1);
        assert_eq!(left(&mut buf, area, 0, "two words"), 4);
        assert_eq!(left(&mut buf, area, 1, "no such row"), 0);
        assert_eq!(left(&mut buf, Rect::new(20, 9, 4, 4), 0, "outside"), 0);
        assert_eq!(buf, Buffer::with_lines(["  two   ", "        "]));
    }

    #[test]
    fn long_text_is_truncated_with_a_mark() {
        assert_eq!(cut("reliability", 20), "reliability");
        assert_eq!(cut("reliability", 5), "reli…");
        assert_eq!(cut("reliability", 0), "");
        assert_eq!(cut("test 99.1 %   22/40", 12), "test 99.1 %…");
        assert_eq!(cut("test 99.1 %   22/40", 10), "test…");
        assert_eq!(
            wrap("see sessions/mine.ron there", 9),
            ["see", "sessions/", "mine.ron", "there"]
        );
        assert_eq!(wrap("too few trials", 8), ["too few", "trials"]);
        assert_eq!(
            wrap("see 日本語の絵 now", 6),
            ["see", "日本語", "の絵", "now"]
        );
    }

    #[test]
    fn parts_without_room_are_dropped_whole() {
        let fits = |text, width| &text[..fitting(text, width)];
        for (text, width, kept) in [
            ("1.32 M / 4.00 M trials", 21, "1.32 M / 4.00 M "),
            ("1.32 M / 4.00 M trials", 14, "1.32 M / "),
            ("1.32 M / 4.00 M trials", 5, ""),
            ("called Trouser", 13, "called "),
            ("checkpoint 12 s ago", 14, "checkpoint "),
            ("R 0.96", 5, "R "),
            ("rather than (not now)", 18, "rather than "),
            ("██████▏──", 4, "████"),
            ("· · · · ", 5, "· · ·"),
        ] {
            assert_eq!(fits(text, width), kept, "{text} in {width}");
        }
    }

    proptest! {
        /// Whatever the line and however little room it has: each word, and each number with its unit, is
        /// there whole or not at all, and the text shown is the beginning.
        #[test]
        fn no_word_or_number_becomes_another(
            parts in prop::collection::vec("[a-z]{1,9}|[0-9]{1,6}|[0-9]{1,3}[.][0-9]{1,2} [kM%]", 1..8),
            gap in " {1,3}",
            width in 0_usize..60,
        ) {
            let text = parts.join(&gap);
            let (kept, rest) = text.split_at(fitting(&text, width));
            prop_assert!(Span::raw(kept).width() <= width);
            // As drawn: the same, or a long word whose end is marked as missing.
            let letters = text.chars().map(|c| Span::raw(c.to_string()));
            let drawn = whole(Line::from_iter(letters), width).to_string();
            prop_assert!(drawn == kept || kept.is_empty() && (drawn.is_empty() || drawn.ends_with('…')));
            prop_assert!(Span::raw(&drawn).width() <= width);
            let apart = kept.is_empty() || rest.is_empty();
            prop_assert!(apart || kept.ends_with(' ') || rest.starts_with(' '), "{kept}|{rest}");
        }
    }
}

/// Records what is written into a frame, so that tests can check what remains of it.
#[cfg(test)]
pub(in crate::tui) mod witness {
    use std::cell::RefCell;

    use ratatui::text::Line;

    /// A text and the position of its first character.
    pub type Written = ((u16, u16), String);

    thread_local! {
        static WRITTEN: RefCell<Vec<Written>> = const { RefCell::new(Vec::new()) };
    }

    pub fn saw(position: (u16, u16), line: &Line<'_>) {
        WRITTEN.with_borrow_mut(|written| written.push((position, line.to_string())));
    }

    /// Everything that this thread has written since the last call.
    pub fn take() -> Vec<Written> {
        WRITTEN.take()
    }
}
