//! How a screen is shown, and why it could not be.

use std::io;

use super::action::{Keys, TABLE};
use super::terminal;
use super::theme::{Background, Colours, Depth, Line, Theme};

/// How the dashboard is shown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// Most frames a second.
    pub fps: u32,
    /// For a slow line: few colours, a frame a second, no decoration.
    pub low_bandwidth: bool,
    /// What stands behind the text; `None`: what the environment or the terminal says.
    pub background: Option<Background>,
    /// How many colours there are; `None`: what the environment says.
    pub depth: Option<Depth>,
    /// Whether nothing but ASCII is shown, whatever the environment says.
    pub ascii: bool,
    /// The colours of text.
    pub colours: Colours,
    /// What keys do.
    pub keys: Keys,
    /// How a shell calls this program for these sessions.
    pub program: &'static str,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            fps: 10,
            low_bandwidth: false,
            background: None,
            depth: None,
            ascii: false,
            colours: Colours::default(),
            keys: TABLE,
            program: "noisescope",
        }
    }
}

impl Options {
    /// What the line carries.
    pub(super) fn line(self) -> Line {
        match self.low_bandwidth {
            true => Line::Slow,
            false => Line::Fast,
        }
    }

    /// What the terminal can show, by these options, by what it has said itself, and by the environment.
    pub(super) fn theme(self) -> Theme {
        let theme = Theme::from_env();
        let background = self.background.or_else(terminal::background);
        Theme::new(
            self.depth.unwrap_or(theme.depth),
            background.unwrap_or(theme.background),
            theme.glyphs.unicode && !self.ascii,
        )
        .coloured(self.colours)
        .over(self.line())
    }

    /// Whether the terminal is to be asked what stands behind the text: nobody has said it, it matters, and
    /// such a terminal understands the question.
    pub(super) fn asks_background(self) -> bool {
        let said = self.background.is_some() || terminal::background().is_some();
        !said
            && self.theme().depth != Depth::Mono
            && Theme::may_ask(|name| std::env::var(name).ok())
    }
}

/// Why the dashboard could not be shown.
#[derive(Debug, thiserror::Error)]
pub enum TuiError {
    /// The terminal refused.
    #[error("the terminal cannot show the dashboard ({0}); `--plain` needs none")]
    Terminal(#[from] io::Error),
}
