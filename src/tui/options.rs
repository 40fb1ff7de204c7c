//! How a screen is shown, and why it could not be.

use std::io;

use super::theme::{Background, Line, Theme};

/// How the dashboard is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Most frames a second.
    pub fps: u32,
    /// For a slow line: few colours, a frame a second, no decoration.
    pub low_bandwidth: bool,
    /// What stands behind the text; `None`: what the environment says.
    pub background: Option<Background>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            fps: 10,
            low_bandwidth: false,
            background: None,
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

    /// What the terminal can show, by the environment and these options.
    pub(super) fn theme(self) -> Theme {
        let theme = Theme::from_env();
        let background = self.background.unwrap_or(theme.background);
        Theme::new(theme.depth, background, theme.glyphs.unicode).over(self.line())
    }
}

/// Why the dashboard could not be shown.
#[derive(Debug, thiserror::Error)]
pub enum TuiError {
    /// The terminal refused.
    #[error("the terminal cannot show the dashboard ({0}); `--plain` needs none")]
    Terminal(#[from] io::Error),
}
