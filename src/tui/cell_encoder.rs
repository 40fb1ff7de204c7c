//! Encodes cells in the fewest bytes that draw them on a terminal.
//!
//! A colour is set only where it changes, a half block is turned upside down where that saves a colour, and
//! the cursor is moved only across a gap.

use std::io::Write;

use ratatui::buffer::Cell;
use ratatui::style::{Color, Modifier};

/// Text attributes as terminals number them.
const ATTRIBUTES: [(Modifier, u8); 8] = [
    (Modifier::BOLD, 1),
    (Modifier::DIM, 2),
    (Modifier::ITALIC, 3),
    (Modifier::UNDERLINED, 4),
    (Modifier::SLOW_BLINK, 5),
    (Modifier::REVERSED, 7),
    (Modifier::HIDDEN, 8),
    (Modifier::CROSSED_OUT, 9),
];

/// Bytes for a terminal, with the cursor and colours that they leave it in. Begins and ends with the
/// terminal's default colours.
#[derive(Debug)]
pub(super) struct CellEncoder {
    bytes: Vec<u8>,
    /// The cursor's position; `None`: unknown.
    at: Option<(u16, u16)>,
    front: Color,
    back: Color,
    attributes: Modifier,
}

impl CellEncoder {
    /// Nothing written yet.
    pub fn new() -> Self {
        Self {
            bytes: Vec::new(),
            at: None,
            front: Color::Reset,
            back: Color::Reset,
            attributes: Modifier::empty(),
        }
    }

    /// Puts one cell at column `x` and row `y`.
    pub fn cell(&mut self, x: u16, y: u16, cell: &Cell) {
        self.go(x, y);
        let (symbol, front, back) = self.cheapest(cell);
        self.style(front, back, cell.modifier);
        self.bytes.extend_from_slice(symbol.as_bytes());
        // How far a terminal advances for a wide character is unpredictable.
        self.at = (symbol.len() == 1 || is_half(symbol)).then_some((x + 1, y));
    }

    /// The bytes, ending with the terminal's default colours.
    pub fn finish(mut self) -> Vec<u8> {
        self.style(Color::Reset, Color::Reset, Modifier::empty());
        self.bytes
    }

    fn go(&mut self, x: u16, y: u16) {
        // Writing to a vector cannot fail.
        let _ = match self.at {
            Some(at) if at == (x, y) => Ok(()),
            Some((_, row)) if row == y => write!(self.bytes, "\x1b[{}G", x + 1),
            _ => write!(self.bytes, "\x1b[{};{}H", y + 1, x + 1),
        };
    }

    /// A half block looks the same upside down with its colours swapped, and one with two equal halves is a
    /// full block: picks whatever needs the fewest colour changes. (Never a blank, which terminals drop at
    /// the end of a line when text is copied.)
    fn cheapest<'a>(&self, cell: &'a Cell) -> (&'a str, Color, Color) {
        let (symbol, front, back) = (cell.symbol(), cell.fg, cell.bg);
        let opposite = match symbol {
            "▀" => "▄",
            "▄" => "▀",
            _ => return (symbol, front, back),
        };
        if front == back && front != Color::Reset {
            return ("█", front, self.back);
        }
        let changes =
            |front: Color, back: Color| u8::from(front != self.front) + u8::from(back != self.back);
        let turned = front != Color::Reset && back != Color::Reset;
        if turned && changes(back, front) < changes(front, back) {
            (opposite, back, front)
        } else {
            (symbol, front, back)
        }
    }

    fn style(&mut self, front: Color, back: Color, attributes: Modifier) {
        let mut codes: Vec<u8> = Vec::new();
        let push = |codes: &mut Vec<u8>, code: std::fmt::Arguments<'_>| {
            if !codes.is_empty() {
                codes.push(b';');
            }
            let _ = codes.write_fmt(code);
        };
        let default = (Color::Reset, Color::Reset, Modifier::empty());
        let was = (self.front, self.back, self.attributes);
        if was == (front, back, attributes) {
            return;
        }
        let plain = (front, back, attributes) == default;
        if plain || !attributes.contains(self.attributes) {
            push(&mut codes, format_args!("0"));
            (self.front, self.back, self.attributes) = default;
        }
        for (attribute, code) in ATTRIBUTES {
            if (attributes - self.attributes).contains(attribute) {
                push(&mut codes, format_args!("{code}"));
            }
        }
        if front != self.front {
            colour(&mut codes, push, front, 30);
        }
        if back != self.back {
            colour(&mut codes, push, back, 40);
        }
        (self.front, self.back, self.attributes) = (front, back, attributes);
        let codes: &[u8] = if codes == b"0" { b"" } else { &codes };
        self.bytes.extend_from_slice(b"\x1b[");
        self.bytes.extend_from_slice(codes);
        self.bytes.push(b'm');
    }
}

/// Whether this is a block of a map, which every map assumes to be one column wide.
fn is_half(symbol: &str) -> bool {
    matches!(symbol, "▀" | "▄" | "█")
}

/// Writes a colour; `base` is 30 for the foreground and 40 for the background.
fn colour(
    codes: &mut Vec<u8>,
    push: impl Fn(&mut Vec<u8>, std::fmt::Arguments<'_>),
    colour: Color,
    base: u8,
) {
    let sixteen = |number: u8| match number {
        0..8 => base + number,
        _ => base + 60 + number - 8,
    };
    match colour {
        Color::Reset => push(codes, format_args!("{}", base + 9)),
        Color::Rgb(r, g, b) => push(codes, format_args!("{};2;{r};{g};{b}", base + 8)),
        Color::Indexed(index) => push(codes, format_args!("{};5;{index}", base + 8)),
        named => push(codes, format_args!("{}", sixteen(number(named)))),
    }
}

/// The index of a named colour among the sixteen.
fn number(colour: Color) -> u8 {
    const SIXTEEN: [Color; 16] = [
        Color::Black,
        Color::Red,
        Color::Green,
        Color::Yellow,
        Color::Blue,
        Color::Magenta,
        Color::Cyan,
        Color::Gray,
        Color::DarkGray,
        Color::LightRed,
        Color::LightGreen,
        Color::LightYellow,
        Color::LightBlue,
        Color::LightMagenta,
        Color::LightCyan,
        Color::White,
    ];
    let index = SIXTEEN.iter().position(|&named| named == colour);
    index.unwrap_or(7) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn half(front: u8, back: u8) -> Cell {
        let mut cell = Cell::new("▀");
        cell.fg = Color::Indexed(front);
        cell.bg = Color::Indexed(back);
        cell
    }

    fn written(cells: &[(u16, Cell)]) -> String {
        let mut ink = CellEncoder::new();
        for (x, cell) in cells {
            ink.cell(*x, 0, cell);
        }
        String::from_utf8(ink.finish()).unwrap()
    }

    #[test]
    fn a_colour_is_sent_once_and_the_cursor_moves_only_over_gaps() {
        let text = written(&[(0, half(1, 2)), (1, half(1, 2)), (4, half(1, 3))]);
        assert_eq!(
            text,
            "\x1b[1;1H\x1b[38;5;1;48;5;2m▀▀\x1b[5G\x1b[48;5;3m▀\x1b[m"
        );
    }

    #[test]
    fn half_blocks_are_inverted_if_that_saves_a_colour() {
        assert_eq!(
            written(&[(0, half(1, 2)), (1, half(2, 1)), (2, half(2, 2))]),
            "\x1b[1;1H\x1b[38;5;1;48;5;2m▀▄\x1b[38;5;2m█\x1b[m"
        );
    }

    #[test]
    fn attributes_are_reset_when_they_end() {
        let mut bold = Cell::new("a");
        bold.modifier = Modifier::BOLD;
        bold.fg = Color::LightBlue;
        let mut plain = Cell::new("b");
        plain.fg = Color::LightBlue;
        assert_eq!(
            written(&[(0, bold), (1, plain)]),
            "\x1b[1;1H\x1b[1;94ma\x1b[0;94mb\x1b[m"
        );
    }
}
