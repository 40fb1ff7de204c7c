//! [`DisplayOptions`], how a screen is displayed, and [`TuiError`].

use std::io;

use super::action::{KeyBindings, TABLE};
use super::terminal;
use super::theme::{Background, Bandwidth, Depth, TextColours, Theme};

/// How the dashboard is displayed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DisplayOptions {
    /// Maximum frames per second.
    pub fps: u32,
    /// For a slow line: few colours, one frame a second, no decoration.
    pub low_bandwidth: bool,
    /// The background behind the text; `None`: detected from the environment or the terminal.
    pub background: Option<Background>,
    /// The number of colours; `None`: detected from the environment.
    pub depth: Option<Depth>,
    /// Whether only ASCII is shown, whatever the environment.
    pub ascii: bool,
    /// The colours of text.
    pub colours: TextColours,
    /// The key bindings.
    pub keys: KeyBindings,
    /// The command with which a shell calls this program for these sessions.
    pub program: &'static str,
}

impl Default for DisplayOptions {
    fn default() -> Self {
        Self {
            fps: 10,
            low_bandwidth: false,
            background: None,
            depth: None,
            ascii: false,
            colours: TextColours::default(),
            keys: TABLE,
            program: "noisescope",
        }
    }
}

impl DisplayOptions {
    /// The bandwidth of the line.
    pub(super) fn bandwidth(self) -> Bandwidth {
        match self.low_bandwidth {
            true => Bandwidth::Slow,
            false => Bandwidth::Fast,
        }
    }

    /// What the terminal can show, from these options, its own reports and the environment.
    pub fn theme(self) -> Theme {
        let theme = Theme::from_env();
        let background = self.background.or_else(terminal::background);
        Theme::new(
            self.depth.unwrap_or(theme.depth),
            background.unwrap_or(theme.background),
            theme.glyphs.unicode && !self.ascii,
        )
        .with_colours(self.colours)
        .with_bandwidth(self.bandwidth())
    }

    /// Whether to ask the terminal for its background: it is not known, it matters, and this terminal
    /// understands the query.
    pub(super) fn asks_background(self) -> bool {
        let known = self.background.is_some() || terminal::background().is_some();
        !known
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
