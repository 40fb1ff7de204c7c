//! Lines of text put into a frame. Where a place ends, words and numbers go as a whole: what is left of
//! one would be another.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

/// Writes as much of a line as has room at `row` of `area`, from its left edge, and gives the columns it
/// took.
pub fn left<'a>(buf: &mut Buffer, area: Rect, row: u16, line: impl Into<Line<'a>>) -> u16 {
    let Some(area) = row_of(buf, area, row) else {
        return 0;
    };
    let mut line = whole(line.into(), usize::from(area.width));
    // What stood there before leaves no colour behind.
    line.style = Style::reset().patch(line.style);
    let (end, _) = buf.set_line(area.x, area.y, &line, area.width);
    #[cfg(test)]
    witness::saw((area.x, area.y), &line);
    end - area.x
}

/// A line as far as whole words and numbers have room in `width` columns. A number and the unit after it
/// stay together; what has neither letters nor digits, as bars have, is cut anywhere.
fn whole(line: Line<'_>, width: usize) -> Line<'_> {
    if line.width() <= width {
        return line;
    }
    let text: String = line.spans.iter().map(|span| &*span.content).collect();
    let mut left = fitting(&text, width);
    if left == 0 {
        // A word for which a whole row is too short says that its end is missing; a number goes.
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

/// Bytes of the beginning of a text that stand whole in `width` columns.
fn fitting(text: &str, width: usize) -> usize {
    let columns = |text: &str| Span::raw(text).width();
    let (mut end, mut used) = (0, 0);
    for word in words(text) {
        let own = columns(word);
        if used + own <= width {
            (end, used) = (end + word.len(), used + own);
            continue;
        }
        if !word.contains(char::is_alphanumeric) {
            for c in word.chars() {
                let own = columns(c.encode_utf8(&mut [0; 4]));
                if used + own > width {
                    break;
                }
                (end, used) = (end + c.len_utf8(), used + own);
            }
        }
        break;
    }
    end
}

/// A text in pieces that are shown or not: words, numbers with their units, and the blanks between.
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
        // One blank after a number joins it to its unit, which is a word of letters.
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
        // What stands in brackets is read as one.
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

/// Whether a word is a number: digits, and what stands in and around them.
fn is_number(word: &str) -> bool {
    let digit = word.contains(|c: char| c.is_ascii_digit());
    digit
        && word
            .chars()
            .all(|c| c.is_ascii_digit() || ".,−-–+±×:≥≤<>(~".contains(c))
}

/// Whether a text begins with what may be a unit.
fn is_unit(text: &str) -> bool {
    let end = text.find(' ').unwrap_or(text.len());
    let word = &text[..end];
    !word.is_empty()
        && end <= 8
        && !word.contains(|c: char| c.is_ascii_digit())
        && word.contains(|c: char| c.is_alphabetic() || c == '%' || c == '°')
}

/// The same, ending at its right edge.
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

/// The same, in its middle.
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

/// Breaks a sentence between words into lines of at most `width` columns; a word that is longer than a
/// line, as paths are, goes on on the next.
pub fn wrap(text: &str, width: u16) -> Vec<String> {
    let width = usize::from(width.max(1));
    let (mut lines, mut line) = (Vec::new(), String::new());
    for word in text.split_whitespace() {
        let letters: Vec<char> = word.chars().collect();
        if Span::raw(word).width() > width {
            if !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            let mut parts = letters.chunks(width).map(String::from_iter);
            line = parts.next_back().unwrap_or_default();
            lines.extend(parts);
            continue;
        }
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

/// Text cut to `width` columns, its end marked where something is missing. No number loses its end.
pub fn cut(text: &str, width: usize) -> String {
    if Span::raw(text).width() <= width {
        return text.into();
    }
    let mut short = String::new();
    let mut used = 0;
    for word in words(text) {
        let own = Span::raw(word).width();
        let number = word.split(' ').next().is_some_and(is_number);
        if used + own < width {
            used += own;
            short.push_str(word);
            continue;
        }
        for c in word.chars().filter(|_| !number) {
            let own = Span::raw(c.to_string()).width();
            if used + own + 1 > width {
                break;
            }
            used += own;
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
    fn long_text_is_cut_with_a_mark() {
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
    }

    #[test]
    fn what_has_no_room_goes_as_a_whole() {
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
        /// Whatever stands in a line and however little room it has: each word and each number with its
        /// unit is there whole or not at all, and what is there is the beginning.
        #[test]
        fn no_word_or_number_becomes_another(
            parts in prop::collection::vec("[a-z]{1,9}|[0-9]{1,6}|[0-9]{1,3}[.][0-9]{1,2} [kM%]", 1..8),
            gap in " {1,3}",
            width in 0_usize..60,
        ) {
            let text = parts.join(&gap);
            let (kept, rest) = text.split_at(fitting(&text, width));
            prop_assert!(Span::raw(kept).width() <= width);
            // As it is drawn: the same, or a long word whose end is marked as missing.
            let letters = text.chars().map(|c| Span::raw(c.to_string()));
            let drawn = whole(Line::from_iter(letters), width).to_string();
            prop_assert!(drawn == kept || kept.is_empty() && (drawn.is_empty() || drawn.ends_with('…')));
            prop_assert!(Span::raw(&drawn).width() <= width);
            let apart = kept.is_empty() || rest.is_empty();
            prop_assert!(apart || kept.ends_with(' ') || rest.starts_with(' '), "{kept}|{rest}");
        }
    }
}

/// What was written into a frame, for tests of what became of it.
#[cfg(test)]
pub(in crate::tui) mod witness {
    use std::cell::RefCell;

    use ratatui::text::Line;

    /// A text and where its first letter stood.
    pub type Written = ((u16, u16), String);

    thread_local! {
        static WRITTEN: RefCell<Vec<Written>> = const { RefCell::new(Vec::new()) };
    }

    pub fn saw(at: (u16, u16), line: &Line<'_>) {
        WRITTEN.with_borrow_mut(|written| written.push((at, line.to_string())));
    }

    /// Everything that this thread has written since the last call.
    pub fn take() -> Vec<Written> {
        WRITTEN.take()
    }
}
