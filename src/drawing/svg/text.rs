//! Text as SVG: runs of characters that a font covers as text, other characters as shapes.

use std::fmt::Write as _;

use super::super::mark::{Anchor, Label, Paint, Point};
use super::super::{Sheet, fonts};
use super::{colour, number};

/// Distance from the upper edge of a line to its baseline, in text sizes.
const LINE: f64 = 1.05;

pub fn text(
    out: &mut String,
    sheet: &Sheet,
    (x, y): Point,
    words: &Label,
    paint: Paint,
    has: &dyn Fn(char) -> bool,
) {
    let size = sheet.text_size();
    let colour = colour(sheet, paint);
    let weight = if words.bold {
        " font-weight=\"bold\""
    } else {
        ""
    };
    let turned = match words.upwards {
        true => format!(" transform=\"rotate(-90 {} {})\"", number(x), number(y)),
        false => String::new(),
    };
    // For upward text, the upper edge of the line is to the left of its position.
    let line = y + LINE * size;
    let write = |out: &mut String, x: f64, anchor: &str, words: &str| {
        let _ = writeln!(
            out,
            "<text x=\"{}\" y=\"{}\"{anchor}{weight}{turned} fill=\"{colour}\" xml:space=\"preserve\">{}</text>",
            number(x),
            number(line),
            escape(words)
        );
    };
    if words.text.chars().all(has) {
        let anchor = match words.anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        return write(out, x, anchor, &words.text);
    }
    let width = |text: &str| fonts::width(text, words.bold) * size;
    let whole = width(&words.text);
    let mut left = match words.anchor {
        Anchor::Start => x,
        Anchor::Middle => x - whole / 2.0,
        Anchor::End => x - whole,
    };
    // Runs of characters that a font covers are written as text, those in between as shapes.
    let mut run = String::new();
    let mut letters = words.text.chars().peekable();
    while let Some(letter) = letters.next() {
        if has(letter) {
            run.push(letter);
        } else {
            let path = fonts::bitmap_path(letter, (left, line), size);
            let _ = writeln!(out, "<path d=\"{path}\" fill=\"{colour}\"{turned}/>");
            left += fonts::bitmap_width(letter) * size;
        }
        if !run.is_empty() && letters.peek().is_none_or(|next| !has(*next)) {
            write(out, left, "", &run);
            left += width(&run);
            run.clear();
        }
    }
}

/// Escapes text for XML and replaces characters that XML does not allow.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(letter),
            letter if letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}') => {
                out.push('\u{fffd}');
            }
            letter => out.push(letter),
        }
    }
    out
}
