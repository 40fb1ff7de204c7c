//! The few colours of text: an accent, a dim one and one for warnings. Each is a middle tone that is legible
//! on light and dark backgrounds; users may change them. Those of maps encode values and are fixed.

use ratatui::style::Color;

use super::Depth;
use super::palette::{nearest_index, nearest_of_sixteen};
use crate::drawing::colour::Rgb;

/// A colour of text, at every colour depth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tone {
    rgb: Rgb,
    indexed: u8,
    sixteen: Color,
}

impl Tone {
    /// The nearest colour to this one at every depth.
    pub fn of(rgb: Rgb) -> Self {
        Self {
            rgb,
            indexed: nearest_index(rgb),
            sixteen: nearest_of_sixteen(rgb),
        }
    }

    /// Parses `#0096a8`.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let digits = text.strip_prefix('#').filter(|rest| rest.len() == 6);
        let number = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let Some(number) = number else {
            return Err(format!(
                "`{text}` is not a colour; write one as \"#0096a8\""
            ));
        };
        let [_, r, g, b] = number.to_be_bytes();
        Ok(Self::of((r, g, b)))
    }

    /// The colour as users write it: `#0096a8`.
    pub fn written(self) -> String {
        let (r, g, b) = self.rgb;
        format!("#{r:02x}{g:02x}{b:02x}")
    }

    /// The colour as a terminal of this depth shows it; `None` if it has no colours.
    pub fn at(self, depth: Depth) -> Option<Color> {
        let (r, g, b) = self.rgb;
        match depth {
            Depth::Mono => None,
            Depth::Sixteen => Some(self.sixteen),
            Depth::Indexed => Some(Color::Indexed(self.indexed)),
            Depth::True => Some(Color::Rgb(r, g, b)),
        }
    }
}

/// The colours of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextColours {
    /// The selection and the keys.
    pub accent: Tone,
    /// What needs no attention.
    pub dim: Tone,
    /// What needs the user's attention.
    pub warning: Tone,
}

impl Default for TextColours {
    fn default() -> Self {
        Self {
            accent: Tone {
                rgb: (0, 150, 168),
                indexed: 37,
                sixteen: Color::Cyan,
            },
            dim: Tone {
                rgb: (128, 128, 128),
                indexed: 244,
                sixteen: Color::DarkGray,
            },
            warning: Tone {
                rgb: (205, 120, 0),
                indexed: 172,
                sixteen: Color::Yellow,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colour_is_read_as_it_is_written_and_shown_at_every_depth() {
        let tone = Tone::parse("#ff8000").unwrap();
        assert_eq!(tone.written(), "#ff8000");
        assert_eq!(tone.at(Depth::True), Some(Color::Rgb(255, 128, 0)));
        assert_eq!(tone.at(Depth::Indexed), Some(Color::Indexed(208)));
        assert!(tone.at(Depth::Sixteen).is_some() && tone.at(Depth::Mono).is_none());
        for wrong in ["ff8000", "#ff80", "#gg0000", "", "#ff80000"] {
            assert!(
                Tone::parse(wrong).unwrap_err().contains("#0096a8"),
                "{wrong}"
            );
        }
    }
}
