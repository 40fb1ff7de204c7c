//! [`Theme`], what the terminal can show, decided once and passed down: colour depth, background, glyphs.
//!
//! Text uses the terminal's own colours and a few middle tones legible on light and dark. Only maps depend on
//! the background: their zero is a grey near it.

mod colours;
mod glyphs;
mod palette;

use std::io::IsTerminal;

use ratatui::style::{Color, Modifier, Style};

use crate::format;

pub use crate::drawing::colour::Background;
pub use colours::{TextColours, Tone};
pub use glyphs::{Glyphs, plain_ascii};
pub use palette::{FEW_LEVELS, LEVELS, MapPalette};

/// The number of colours that the terminal shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// None: glyphs show sign and size.
    Mono,
    /// The 16 of the terminal's palette.
    Sixteen,
    /// The 256 of xterm.
    Indexed,
    /// 24-bit colours.
    True,
}

/// The bandwidth of the line to the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Bandwidth {
    /// Unlimited.
    #[default]
    Fast,
    /// Low: few colours, no decorative updates.
    Slow,
}

/// Everything that a view needs to know about the terminal.
#[derive(Debug, Clone)]
pub struct Theme {
    /// Colours.
    pub depth: Depth,
    /// Light or dark.
    pub background: Background,
    /// Unicode or ASCII.
    pub glyphs: Glyphs,
    /// Colours of maps.
    pub palette: MapPalette,
    /// Colours of text.
    pub colours: TextColours,
    /// The bandwidth of the line.
    pub bandwidth: Bandwidth,
}

impl Theme {
    /// A theme with these capabilities.
    pub fn new(depth: Depth, background: Background, unicode: bool) -> Self {
        Self {
            depth,
            background,
            glyphs: if unicode {
                Glyphs::UNICODE
            } else {
                Glyphs::ASCII
            },
            palette: MapPalette::new(depth, background),
            colours: TextColours::default(),
            bandwidth: Bandwidth::Fast,
        }
    }

    /// A theme without colours and Unicode, for measuring text without drawing it.
    pub fn plain() -> Self {
        Self::new(Depth::Mono, Background::Dark, false)
    }

    /// The same theme with these colours of text.
    pub fn with_colours(self, colours: TextColours) -> Self {
        Self { colours, ..self }
    }

    /// The same theme on this background.
    pub fn with_background(self, background: Background) -> Self {
        let line = self.bandwidth;
        let theme = Self { background, ..self };
        theme.with_bandwidth(line)
    }

    /// Whether these environment variables indicate a terminal that understands a query for its colours, and
    /// do not already give them.
    pub fn may_ask(variable: impl Fn(&str) -> Option<String>) -> bool {
        let get = |name: &str| variable(name).unwrap_or_default();
        let term = get("TERM").to_lowercase();
        let dull = ["", "dumb", "linux"].contains(&term.as_str()) || term.starts_with("vt");
        // GNU screen does not answer.
        !dull && get("STY").is_empty() && get("COLORFGBG").is_empty()
    }

    /// The same theme for a line of this bandwidth.
    pub fn with_bandwidth(self, line: Bandwidth) -> Self {
        let levels = match line {
            Bandwidth::Fast => LEVELS,
            Bandwidth::Slow => FEW_LEVELS,
        };
        Self {
            palette: MapPalette::with_levels(self.depth, self.background, levels),
            bandwidth: line,
            ..self
        }
    }

    /// The theme for the terminal that the environment describes.
    pub fn from_env() -> Self {
        Self::decide(|name| std::env::var(name).ok())
    }

    /// The theme for the terminal that these environment variables describe.
    ///
    /// `ssh` does not forward `COLORTERM`, so `TERM` counts too.
    pub fn decide(variable: impl Fn(&str) -> Option<String>) -> Self {
        let get = |name: &str| variable(name).unwrap_or_default();
        let unicode = ["LC_ALL", "LC_CTYPE", "LANG"]
            .iter()
            .map(|name| get(name).to_lowercase())
            .find(|value| !value.is_empty())
            .is_some_and(|value| value.contains("utf-8") || value.contains("utf8"));
        // The Linux console has neither braille nor all block glyphs in its fonts.
        let unicode = unicode && get("TERM") != "linux";
        // `COLORFGBG` is "foreground;background", as numbers of the sixteen colours.
        let light = get("COLORFGBG")
            .rsplit(';')
            .next()
            .and_then(|colour| colour.parse::<u8>().ok())
            .is_some_and(|colour| colour == 7 || colour >= 10);
        let background = if light {
            Background::Light
        } else {
            Background::Dark
        };
        Self::new(depth(&get), background, unicode)
    }

    /// A duration, coarser on a slow line so that it changes less often.
    pub fn duration(&self, seconds: f64) -> String {
        match self.bandwidth {
            Bandwidth::Fast => format::duration(seconds),
            Bandwidth::Slow => format::coarse(seconds),
        }
    }

    /// A number that changes continually, coarser on a slow line so that it changes less often.
    pub fn rate(&self, number: f64) -> String {
        match self.bandwidth {
            Bandwidth::Fast => format::count(number),
            Bandwidth::Slow => format::rounded_count(number),
        }
    }

    fn tone(&self, tone: Tone) -> Style {
        match tone.at(self.depth) {
            Some(colour) => Style::new().fg(colour),
            None => Style::new(),
        }
    }

    /// Plain text.
    pub fn text(&self) -> Style {
        Style::new()
    }

    /// Text that needs no attention: labels, rules, the meanings of keys.
    pub fn dim(&self) -> Style {
        match self.depth {
            Depth::Mono => Style::new().add_modifier(Modifier::DIM),
            _ => self.tone(self.colours.dim),
        }
    }

    /// Emphasised text.
    pub fn bright(&self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// The one accent colour.
    pub fn accent(&self) -> Style {
        self.tone(self.colours.accent)
    }

    /// The selected item: also bold, for terminals without colour.
    pub fn chosen(&self) -> Style {
        self.accent().add_modifier(Modifier::BOLD)
    }

    /// What needs the user's attention.
    pub fn warning(&self) -> Style {
        self.tone(self.colours.warning).add_modifier(Modifier::BOLD)
    }

    /// Black or white, whichever stands out against this colour; the terminal's own against its background.
    pub fn contrast(&self, on: Color) -> Color {
        match (self.depth, palette::is_bright(on)) {
            _ if on == Color::Reset => Color::Reset,
            (Depth::Mono, _) => Color::Reset,
            (Depth::Sixteen, true) => Color::Black,
            (Depth::Sixteen, false) => Color::White,
            (Depth::Indexed, true) => Color::Indexed(16),
            (Depth::Indexed, false) => Color::Indexed(231),
            (Depth::True, true) => Color::Rgb(0, 0, 0),
            (Depth::True, false) => Color::Rgb(255, 255, 255),
        }
    }
}

/// Whether standard output is a terminal on which a screen can be drawn; a dumb one only takes lines.
pub fn can_draw() -> bool {
    let term = std::env::var("TERM").unwrap_or_default();
    std::io::stdout().is_terminal() && !term.eq_ignore_ascii_case("dumb")
}

fn depth(get: &impl Fn(&str) -> String) -> Depth {
    let term = get("TERM").to_lowercase();
    if !get("NO_COLOR").is_empty() || term == "dumb" || term.starts_with("vt") {
        return Depth::Mono;
    }
    // GNU screen does not pass on 24-bit colours, whatever the surrounding terminal supports.
    if !get("STY").is_empty() {
        return match term.contains("256color") {
            true => Depth::Indexed,
            false => Depth::Sixteen,
        };
    }
    let colorterm = get("COLORTERM").to_lowercase();
    const TRUE_COLOUR: [&str; 9] = [
        "kitty",
        "alacritty",
        "wezterm",
        "foot",
        "ghostty",
        "contour",
        "iterm",
        "direct",
        "truecolor",
    ];
    if colorterm.contains("truecolor")
        || colorterm.contains("24bit")
        || TRUE_COLOUR.iter().any(|name| term.contains(name))
    {
        return Depth::True;
    }
    // Every terminal that calls itself xterm, tmux or screen with 256 colours has them; plain `xterm` is the
    // default of containers and old profiles, and has had them for twenty years.
    if term.contains("256color") || term == "xterm" || term.starts_with("tmux") {
        return Depth::Indexed;
    }
    Depth::Sixteen
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decide(variables: &[(&str, &str)]) -> Theme {
        Theme::decide(|name| {
            variables
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_string())
        })
    }

    #[test]
    fn depth_follows_the_environment() {
        let cases: [(&[(&str, &str)], Depth); 10] = [
            (
                &[
                    ("TERM", "screen-256color"),
                    ("COLORTERM", "truecolor"),
                    ("STY", "4242.pts-0.host"),
                ],
                Depth::Indexed,
            ),
            (
                &[
                    ("TERM", "screen"),
                    ("COLORTERM", "truecolor"),
                    ("STY", "4242.pts-0.host"),
                ],
                Depth::Sixteen,
            ),
            (
                &[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")],
                Depth::True,
            ),
            (&[("TERM", "xterm-256color")], Depth::Indexed),
            (&[("TERM", "xterm-kitty")], Depth::True),
            (&[("TERM", "xterm")], Depth::Indexed),
            (&[("TERM", "linux")], Depth::Sixteen),
            (&[("TERM", "dumb")], Depth::Mono),
            (
                &[
                    ("TERM", "xterm-kitty"),
                    ("NO_COLOR", "1"),
                    ("COLORTERM", "truecolor"),
                ],
                Depth::Mono,
            ),
            (
                &[("TERM", "xterm-256color"), ("NO_COLOR", "")],
                Depth::Indexed,
            ),
        ];
        for (variables, depth) in cases {
            assert_eq!(decide(variables).depth, depth, "{variables:?}");
        }
    }

    #[test]
    fn unicode_follows_the_locale_in_its_order() {
        assert!(decide(&[("LANG", "de_DE.UTF-8")]).glyphs.unicode);
        assert!(
            !decide(&[("LANG", "de_DE.UTF-8"), ("LC_ALL", "C")])
                .glyphs
                .unicode
        );
        assert!(!decide(&[]).glyphs.unicode);
        assert!(
            !decide(&[("LANG", "C.UTF-8"), ("TERM", "linux")])
                .glyphs
                .unicode
        );
    }

    #[test]
    fn a_light_background_is_used_if_the_terminal_reports_one() {
        assert_eq!(
            decide(&[("COLORFGBG", "0;15")]).background,
            Background::Light
        );
        assert_eq!(
            decide(&[("COLORFGBG", "15;0")]).background,
            Background::Dark
        );
        assert_eq!(decide(&[]).background, Background::Dark);
    }

    #[test]
    fn a_terminal_is_queried_if_it_can_answer_and_nothing_else_decides() {
        let may = |variables: &[(&str, &str)]| {
            Theme::may_ask(|name| {
                let found = variables.iter().find(|(key, _)| *key == name);
                found.map(|(_, value)| (*value).to_string())
            })
        };
        assert!(may(&[("TERM", "xterm-256color")]));
        assert!(!may(&[("TERM", "xterm-256color"), ("COLORFGBG", "0;15")]));
        assert!(!may(&[("TERM", "screen"), ("STY", "4242.pts-0.host")]));
        for term in ["dumb", "linux", "vt100"] {
            assert!(!may(&[("TERM", term)]), "{term}");
        }
    }

    #[test]
    fn without_colour_no_style_has_one() {
        let theme = Theme::new(Depth::Mono, Background::Dark, true);
        for style in [
            theme.text(),
            theme.dim(),
            theme.bright(),
            theme.accent(),
            theme.chosen(),
            theme.warning(),
        ] {
            assert_eq!((style.fg, style.bg), (None, None));
        }
    }
}
