//! The user's preferences, from a small RON file: colours, glyphs, frame rate, keys. Anything the file omits
//! keeps its default; `noisescope config` prints all of it with comments.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::action::{Action, KeyBindings, TABLE, with_overrides};
use super::options::DisplayOptions;
use super::theme::{self, Depth, TextColours, Tone};
use crate::files;

/// The background behind the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename = "Background")]
pub enum BackgroundPreference {
    /// From the environment, or by asking the terminal.
    #[default]
    Auto,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

/// How many colours the terminal shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename = "Color")]
pub enum ColourPreference {
    /// From the environment.
    #[default]
    Auto,
    /// 24-bit colours.
    #[value(name = "truecolor")]
    Truecolor,
    /// The 256 colours of xterm.
    #[value(name = "256")]
    Indexed,
    /// The 16 colours of the terminal's palette.
    #[value(name = "16")]
    Sixteen,
    /// None.
    None,
}

impl ColourPreference {
    /// The depth it names; `None` for automatic.
    pub fn depth(self) -> Option<Depth> {
        match self {
            Self::Auto => None,
            Self::Truecolor => Some(Depth::True),
            Self::Indexed => Some(Depth::Indexed),
            Self::Sixteen => Some(Depth::Sixteen),
            Self::None => Some(Depth::Mono),
        }
    }
}

impl BackgroundPreference {
    /// The background it names; `None` for automatic.
    pub fn ground(self) -> Option<theme::Background> {
        match self {
            Self::Auto => None,
            Self::Light => Some(theme::Background::Light),
            Self::Dark => Some(theme::Background::Dark),
        }
    }
}

/// The colours of text, as `#rrggbb`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[serde(rename = "Texts")]
pub struct TextColourPreferences {
    /// The selection and the keys.
    pub accent: String,
    /// What needs no attention.
    pub dim: String,
    /// What needs the user's attention.
    pub warning: String,
}

impl Default for TextColourPreferences {
    fn default() -> Self {
        let default = TextColours::default();
        Self {
            accent: default.accent.written(),
            dim: default.dim.written(),
            warning: default.warning.written(),
        }
    }
}

/// The user's preferences.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Preferences {
    /// The background behind the text.
    pub background: BackgroundPreference,
    /// The number of colours.
    pub color: ColourPreference,
    /// Whether only ASCII is shown.
    pub ascii: bool,
    /// Maximum frames per second, 1 to 60.
    pub fps: u32,
    /// For a slow line.
    pub low_bandwidth: bool,
    /// The colours of text.
    pub theme: TextColourPreferences,
    /// Keys by the name of their action; the others keep their defaults.
    pub keys: BTreeMap<String, Vec<String>>,
}

impl Default for Preferences {
    fn default() -> Self {
        Self {
            background: BackgroundPreference::Auto,
            color: ColourPreference::Auto,
            ascii: false,
            fps: 10,
            low_bandwidth: false,
            theme: TextColourPreferences::default(),
            keys: BTreeMap::new(),
        }
    }
}

impl Preferences {
    /// Reads a file; `None` if it does not exist.
    ///
    /// # Errors
    /// What is wrong with the file, with its path and the position in it.
    pub fn read(path: &Path) -> Result<Option<Self>, String> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(format!("{}: cannot be read: {error}", path.display())),
        };
        let of_file = |problem: String| format!("{}: {problem}", path.display());
        Self::parse(&text).map(Some).map_err(of_file)
    }

    /// Parses the text of a file.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn parse(text: &str) -> Result<Self, String> {
        let preferences: Self = ron::from_str(files::without_mark(text)).map_err(|error| {
            let start = error.span.start;
            format!("line {}, column {}: {}", start.line, start.col, error.code)
        })?;
        if !(1..=60).contains(&preferences.fps) {
            return Err(format!("fps: {}: must be from 1 to 60", preferences.fps));
        }
        preferences.colours()?;
        preferences.keys()?;
        Ok(preferences)
    }

    /// The colours of text.
    ///
    /// # Errors
    /// A value that is not a colour.
    fn colours(&self) -> Result<TextColours, String> {
        let theme = &self.theme;
        let read = |name: &str, text: &str| {
            Tone::parse(text).map_err(|problem| format!("theme.{name}: {problem}"))
        };
        let shipped = TextColourPreferences::default();
        let colours = TextColours::default();
        // The defaults have been chosen by eye at every colour depth.
        let tone = |name, text: &String, shipped: &String, default| match text == shipped {
            true => Ok(default),
            false => read(name, text),
        };
        Ok(TextColours {
            accent: tone("accent", &theme.accent, &shipped.accent, colours.accent)?,
            dim: tone("dim", &theme.dim, &shipped.dim, colours.dim)?,
            warning: tone("warning", &theme.warning, &shipped.warning, colours.warning)?,
        })
    }

    /// The key bindings.
    ///
    /// # Errors
    /// What is wrong with a key; conflicts name both actions.
    fn keys(&self) -> Result<KeyBindings, String> {
        let overrides = self.keys.iter();
        with_overrides(overrides.map(|(name, keys)| (name.as_str(), &keys[..])))
    }

    /// The display options.
    ///
    /// # Errors
    /// As for [`Self::parse`].
    pub fn options(&self) -> Result<DisplayOptions, String> {
        Ok(DisplayOptions {
            fps: self.fps,
            low_bandwidth: self.low_bandwidth,
            background: self.background.ground(),
            depth: self.color.depth(),
            ascii: self.ascii,
            colours: self.colours()?,
            keys: self.keys()?,
            ..DisplayOptions::default()
        })
    }

    /// A file of all preferences with their defaults, with comments.
    pub fn shipped() -> String {
        let default = Self::default();
        let mut text = String::from(HEAD);
        let theme = &default.theme;
        // Writing into a text cannot fail.
        let _ = write!(
            text,
            "    // Maximum frames per second, 1 to 60.\n    fps: {},\n\n\
             \x20   // For slow connections: one frame per second, fewer colours, no decoration.\n    low_bandwidth: {},\n\n\
             \x20   // The colours of text; those of maps encode values and cannot be changed.\n    theme: (\n\
             \x20       // The selection and the keys.\n        accent: {:?},\n\
             \x20       // What needs no attention.\n        dim: {:?},\n\
             \x20       // What needs your attention.\n        warning: {:?},\n    ),\n\n{KEYS}",
            default.fps, default.low_bandwidth, theme.accent, theme.dim, theme.warning
        );
        for row in TABLE.iter().filter(|row| row.action != Action::View(0)) {
            let keys: Vec<String> = row
                .keys
                .iter()
                .map(|key| format!("{:?}", key.name()))
                .collect();
            let places: Vec<&str> = row.contexts.iter().map(|place| place.label()).collect();
            let _ = write!(
                text,
                "        // {} ({})\n        {:?}: [{}],\n",
                row.help,
                places.join(", "),
                row.action.name(),
                keys.join(", ")
            );
        }
        text.push_str("    },\n)\n");
        text
    }
}

/// The beginning of the file, before `fps`.
const HEAD: &str = "\
// The look of noisescope's screens and their keys. Everything here is the default:
// keep what you change and leave out the rest. Command-line flags take precedence.
(
    // The background behind the text: Auto, Light or Dark. Auto asks the environment, then the terminal.
    background: Auto,

    // How many colours: Auto, Truecolor, Indexed (256), Sixteen or None. Auto asks the environment.
    color: Auto,

    // Only ASCII, whatever the locale.
    ascii: false,

";

/// The comment above the keys.
const KEYS: &str = "    // Keys, by action: one character, Ctrl- and a letter, F1 to F12, Left, Right, Up, Down, Enter, Esc, Space,
    // Tab, Shift-Tab, Backspace, Delete, Home, End, PgUp, PgDn. The first key of a line is shown in the footer. A key that
    // would mean two things in one place is refused, naming both.
    keys: {
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_printed_preferences_are_the_defaults() {
        let printed = Preferences::parse(&Preferences::shipped()).unwrap();
        let shipped = Preferences::default();
        assert_eq!(
            Preferences {
                keys: BTreeMap::new(),
                ..printed.clone()
            },
            shipped
        );
        assert_eq!(printed.keys.len(), TABLE.len() - 1);
        let options = printed.options().unwrap();
        assert_eq!(options, shipped.options().unwrap());
        assert_eq!(options, DisplayOptions::default());
    }

    #[test]
    fn a_file_changes_only_what_it_names() {
        let preferences = Preferences::parse(
            "(background: Light, theme: (accent: \"#ff8000\"), keys: {\"pause\": [\"P\"]})",
        )
        .unwrap();
        let options = preferences.options().unwrap();
        assert_eq!(options.background, Some(theme::Background::Light));
        assert_eq!(options.colours.accent.written(), "#ff8000");
        assert_eq!(options.colours.dim, TextColours::default().dim);
        let pause = options.keys.iter().find(|row| row.action == Action::Pause);
        assert_eq!(pause.unwrap().keys[0].name(), "P");
    }

    #[test]
    fn a_file_may_begin_with_a_byte_order_mark() {
        let preferences = Preferences::parse("\u{feff}(fps: 5)").unwrap();
        assert_eq!(preferences.fps, 5);
        let problem = Preferences::parse("\u{feff}(fsp: 5)").unwrap_err();
        assert!(problem.starts_with("line 1, column"), "{problem}");
    }

    #[test]
    fn errors_are_reported_with_their_place() {
        let problem = |text: &str| Preferences::parse(text).unwrap_err();
        assert!(
            problem("(\n    fsp: 10,\n)").contains("line 2"),
            "{}",
            problem("(\n    fsp: 10,\n)")
        );
        assert!(problem("(fps: 0)").contains("1 to 60"));
        assert!(problem("(theme: (dim: \"grey\"))").contains("theme.dim: `grey`"));
        assert!(problem("(keys: {\"pause\": [\"S\"]})").contains("keys.pause and keys.ask-stop"));
    }
}
