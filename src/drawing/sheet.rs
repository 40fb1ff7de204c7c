//! The sheet that figures are drawn on: width, text size, background and colours.

use super::colour::{self, Background};
use super::fonts;
use super::mark::Paint;

/// Millimetres per typographic point.
const POINT: f64 = 25.4 / 72.0;

/// The two hues of a diverging scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Palette {
    /// Blue below zero, orange above: as on screen.
    #[default]
    BlueOrange,
    /// Green below zero, purple above.
    GreenPurple,
    /// Dark below zero, bright above: for print without colour.
    Grey,
}

/// How a figure is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sheet {
    /// Its width in millimetres.
    pub width: f64,
    /// The text size in points.
    pub text_points: f64,
    /// The background.
    pub background: Background,
    /// The colour palette.
    pub palette: Palette,
    /// Whether the figure has a heading; in a paper the caption replaces it.
    pub titled: bool,
}

impl Sheet {
    /// The width of two columns of a paper.
    pub const DOUBLE: Self = Self {
        width: 180.0,
        text_points: 7.0,
        background: Background::Light,
        palette: Palette::BlueOrange,
        titled: true,
    };

    /// The width of one column of a paper.
    pub const SINGLE: Self = Self {
        width: 85.0,
        ..Self::DOUBLE
    };

    /// The text size in millimetres.
    pub fn text_size(&self) -> f64 {
        self.text_points * POINT
    }

    /// The line height in millimetres.
    pub fn line_height(&self) -> f64 {
        1.4 * self.text_size()
    }

    /// The margin along the edges in millimetres.
    pub fn margin(&self) -> f64 {
        0.9 * self.text_size()
    }

    /// The width of a thin line in millimetres.
    pub fn thin_line(&self) -> f64 {
        0.06 * self.text_size()
    }

    /// The width of a curve in millimetres.
    pub fn thick_line(&self) -> f64 {
        0.14 * self.text_size()
    }

    /// The width of a line of text in millimetres.
    pub fn text_width(&self, words: &str) -> f64 {
        fonts::width(words, false) * self.text_size()
    }

    /// The width of a line of bold text in millimetres.
    pub fn bold_width(&self, words: &str) -> f64 {
        fonts::width(words, true) * self.text_size()
    }

    /// Truncates text to a width, ending it with an ellipsis where something is cut; keeps at least one letter.
    pub fn truncate(&self, words: &str, room: f64) -> String {
        cut(words, |words| self.text_width(words) <= room)
    }

    /// [`Sheet::truncate`] for bold text.
    pub fn truncate_bold(&self, words: &str, room: f64) -> String {
        cut(words, |words| self.bold_width(words) <= room)
    }

    /// Wraps text to a width, breaking between words.
    pub fn wrap(&self, words: &str, room: f64) -> Vec<String> {
        let mut rows: Vec<String> = Vec::new();
        for word in words.split_whitespace() {
            match rows.last_mut() {
                Some(last) if self.text_width(&format!("{last} {word}")) <= room => {
                    last.push(' ');
                    last.push_str(word);
                }
                _ => rows.push(self.truncate(word, room)),
            }
        }
        rows
    }

    /// The colour of a paint.
    pub fn rgb(&self, paint: Paint) -> [u8; 3] {
        let dark = self.background == Background::Dark;
        let grey = |on_light: u8, on_dark: u8| [if dark { on_dark } else { on_light }; 3];
        let hued = |t: f64| {
            let (r, g, b) = match self.palette {
                Palette::GreenPurple => {
                    colour::ramp_between(t, self.background, colour::GREEN_PURPLE)
                }
                _ => colour::ramp(t, self.background),
            };
            [r, g, b]
        };
        let coloured = self.palette != Palette::Grey;
        match paint {
            Paint::Paper => grey(255, 18),
            Paint::Ink => grey(20, 235),
            // Dark enough on white, and bright enough on black, to read in small type (WCAG 4.5:1).
            Paint::Dim => grey(92, 165),
            Paint::Faint => grey(222, 52),
            Paint::First if coloured => hued(if dark { 0.72 } else { 0.95 }),
            Paint::Second if coloured => hued(if dark { -0.72 } else { -0.95 }),
            Paint::Fourth if coloured && self.palette == Palette::GreenPurple => {
                [[176, 84, 0], [240, 160, 80]][usize::from(dark)]
            }
            Paint::Fourth if coloured => [[146, 36, 120], [222, 130, 200]][usize::from(dark)],
            Paint::First => grey(20, 235),
            Paint::Second => grey(80, 180),
            Paint::Third => grey(125, 135),
            Paint::Fourth => grey(50, 208),
            Paint::Signed(t) if coloured => hued(stepped(t)),
            Paint::Signed(t) => [(128.0 + stepped(t) * 120.0).round() as u8; 3],
            Paint::Rgb(colour) if coloured => colour,
            Paint::Rgb(colour) => {
                let sum: u16 = colour.iter().map(|&part| u16::from(part)).sum();
                [(sum / 3) as u8; 3]
            }
        }
    }
}

/// Rounds a value on the diverging scale to the steps that the dashboard uses: figures with few colours suit
/// every terminal graphics protocol and compress well.
fn stepped(t: f32) -> f64 {
    (f64::from(t.clamp(-1.0, 1.0)) * 32.0).round() / 32.0
}

fn cut(words: &str, fits: impl Fn(&str) -> bool) -> String {
    if fits(words) {
        return words.to_owned();
    }
    let letters: Vec<char> = words.chars().collect();
    // Binary search for the longest prefix that fits together with its ellipsis.
    let (mut fitting, mut over) = (1, letters.len());
    let beginning = |count: usize| -> String {
        let kept: String = letters[..count.min(letters.len())].iter().collect();
        format!("{}…", kept.trim_end())
    };
    while fitting + 1 < over {
        let middle = (fitting + over) / 2;
        match fits(&beginning(middle)) {
            true => fitting = middle,
            false => over = middle,
        }
    }
    beginning(fitting)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_without_room_is_truncated_with_an_ellipsis() {
        let sheet = Sheet::SINGLE;
        let room = sheet.text_width("Ankle b…") + 0.01;
        assert_eq!(sheet.truncate("Ankle boot", room), "Ankle b…");
        assert_eq!(sheet.truncate("Ankle", room), "Ankle");
        assert_eq!(sheet.truncate("Ankle boot", 0.0), "A…");
    }

    #[test]
    fn lines_break_between_words_and_none_is_too_long() {
        let sheet = Sheet::SINGLE;
        let words = "of ten thousand test images nine thousand are called what they are";
        let rows = sheet.wrap(words, 30.0);
        assert!(rows.len() > 1 && rows.iter().all(|row| sheet.text_width(row) <= 30.0));
        assert_eq!(rows.join(" "), words);
    }

    #[test]
    fn text_is_readable_on_either_background() {
        let luminance = |[r, g, b]: [u8; 3]| {
            let part = |c: u8| {
                let c = f64::from(c) / 255.0;
                if c <= 0.03928 {
                    c / 12.92
                } else {
                    ((c + 0.055) / 1.055).powf(2.4)
                }
            };
            0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b)
        };
        for palette in [Palette::BlueOrange, Palette::GreenPurple, Palette::Grey] {
            for background in [Background::Light, Background::Dark] {
                let sheet = Sheet {
                    background,
                    palette,
                    ..Sheet::DOUBLE
                };
                let paper = luminance(sheet.rgb(Paint::Paper));
                for paint in [Paint::Ink, Paint::Dim] {
                    let text = luminance(sheet.rgb(paint));
                    let (low, high) = (text.min(paper), text.max(paper));
                    assert!(
                        (high + 0.05) / (low + 0.05) >= 4.5,
                        "{paint:?} on {background:?}"
                    );
                }
            }
        }
    }
}
