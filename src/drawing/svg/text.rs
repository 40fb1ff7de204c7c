//! Words as SVG: runs of letters that a font has as text, other letters as shapes.

use std::fmt::Write as _;

use super::super::mark::{Anchor, Paint, Point, Words};
use super::super::{Sheet, fonts};
use super::{colour, number};

/// Below the upper edge of a row of letters, in their size: the line that they stand on.
const LINE: f64 = 1.05;

pub fn text(
    out: &mut String,
    sheet: &Sheet,
    (x, y): Point,
    words: &Words,
    paint: Paint,
    has: &dyn Fn(char) -> bool,
) {
    let size = sheet.size();
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
    // Upwards, the row's upper edge is on the left of its place.
    let line = y + LINE * size;
    let write = |out: &mut String, x: f64, anchor: &str, words: &str| {
        let _ = writeln!(
            out,
            "<text x=\"{}\" y=\"{}\"{anchor}{weight}{turned} fill=\"{colour}\" xml:space=\"preserve\">{}</text>",
            number(x),
            number(line),
            escaped(words)
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
    let of = |text: &str| fonts::width(text, words.bold) * size;
    let whole = of(&words.text);
    let mut left = match words.anchor {
        Anchor::Start => x,
        Anchor::Middle => x - whole / 2.0,
        Anchor::End => x - whole,
    };
    // Runs of letters that a font has as text, those between as shapes.
    let mut run = String::new();
    let mut letters = words.text.chars().peekable();
    while let Some(letter) = letters.next() {
        if has(letter) {
            run.push(letter);
        } else {
            let path = fonts::path(letter, (left, line), size);
            let _ = writeln!(out, "<path d=\"{path}\" fill=\"{colour}\"{turned}/>");
            left += fonts::drawn_width(letter) * size;
        }
        if !run.is_empty() && letters.peek().is_none_or(|next| !has(*next)) {
            write(out, left, "", &run);
            left += of(&run);
            run.clear();
        }
    }
}

/// Text in XML: without what XML does not allow.
pub(crate) fn escaped(text: &str) -> String {
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
