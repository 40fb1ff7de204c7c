//! What a person prefers, from a small RON file: colours, glyphs, frames, keys. What the file does not say is
//! as it ships; `noisescope config` prints all of it with comments.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::action::{Action, Keys, TABLE, with};
use super::options::Options;
use super::theme::{self, Colours, Depth, Tone};

/// What stands behind the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, clap::ValueEnum)]
pub enum Background {
    /// What the environment says, else what the terminal answers.
    #[default]
    Auto,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

/// How many colours the terminal shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, clap::ValueEnum)]
pub enum Color {
    /// What the environment says.
    #[default]
    Auto,
    /// Twenty-four bits.
    #[value(name = "truecolor")]
    Truecolor,
    /// The 256 of xterm.
    #[value(name = "256")]
    Indexed,
    /// The sixteen of the terminal's own palette.
    #[value(name = "16")]
    Sixteen,
    /// None.
    None,
}

impl Color {
    /// The depth that it names.
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

impl Background {
    /// The background that it names.
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
pub struct Texts {
    /// What is chosen, and the keys.
    pub accent: String,
    /// What needs no attention.
    pub dim: String,
    /// What needs a person.
    pub warning: String,
}

impl Default for Texts {
    fn default() -> Self {
        let own = Colours::default();
        Self {
            accent: own.accent.written(),
            dim: own.dim.written(),
            warning: own.warning.written(),
        }
    }
}

/// What a person prefers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Preferences {
    /// What stands behind the text.
    pub background: Background,
    /// How many colours there are.
    pub color: Color,
    /// Whether nothing but ASCII is shown.
    pub ascii: bool,
    /// Most frames a second, 1 to 60.
    pub fps: u32,
    /// For a slow line.
    pub low_bandwidth: bool,
    /// The colours of text.
    pub theme: Texts,
    /// Keys by the name of what they do; the others are as they ship.
    pub keys: BTreeMap<String, Vec<String>>,
}

impl Default for Preferences {
    fn default() -> Self {
        Self {
            background: Background::Auto,
            color: Color::Auto,
            ascii: false,
            fps: 10,
            low_bandwidth: false,
            theme: Texts::default(),
            keys: BTreeMap::new(),
        }
    }
}

impl Preferences {
    /// Reads a file; `None` where there is none.
    ///
    /// # Errors
    /// What is wrong with it, with its path and the place in it.
    pub fn read(path: &Path) -> Result<Option<Self>, String> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(format!("{}: cannot be read: {error}", path.display())),
        };
        let of_file = |problem: String| format!("{}: {problem}", path.display());
        Self::parse(&text).map(Some).map_err(of_file)
    }

    /// What a text says.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn parse(text: &str) -> Result<Self, String> {
        let own: Self = ron::from_str(text).map_err(|error| {
            let at = error.span.start;
            format!("line {}, column {}: {}", at.line, at.col, error.code)
        })?;
        if !(1..=60).contains(&own.fps) {
            return Err(format!("fps: {}: it must lie in 1 to 60", own.fps));
        }
        own.colours()?;
        own.keys()?;
        Ok(own)
    }

    /// The colours of text.
    ///
    /// # Errors
    /// What is no colour.
    fn colours(&self) -> Result<Colours, String> {
        let own = &self.theme;
        let read = |name: &str, text: &str| {
            Tone::parse(text).map_err(|problem| format!("theme.{name}: {problem}"))
        };
        let shipped = Texts::default();
        let colours = Colours::default();
        // What ships has been chosen by eye at every depth.
        let tone = |name, text: &String, same: &String, ships| match text == same {
            true => Ok(ships),
            false => read(name, text),
        };
        Ok(Colours {
            accent: tone("accent", &own.accent, &shipped.accent, colours.accent)?,
            dim: tone("dim", &own.dim, &shipped.dim, colours.dim)?,
            warning: tone("warning", &own.warning, &shipped.warning, colours.warning)?,
        })
    }

    /// What keys do.
    ///
    /// # Errors
    /// What is wrong with a key; conflicts are named.
    fn keys(&self) -> Result<Keys, String> {
        let own = self.keys.iter();
        with(own.map(|(name, keys)| (name.as_str(), &keys[..])))
    }

    /// How a screen is shown by them.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn options(&self) -> Result<Options, String> {
        Ok(Options {
            fps: self.fps,
            low_bandwidth: self.low_bandwidth,
            background: self.background.ground(),
            depth: self.color.depth(),
            ascii: self.ascii,
            colours: self.colours()?,
            keys: self.keys()?,
            ..Options::default()
        })
    }

    /// A file of all preferences as they ship, with comments.
    pub fn shipped() -> String {
        let own = Self::default();
        let mut text = String::from(HEAD);
        let theme = &own.theme;
        // Writing into a text cannot fail.
        let _ = write!(
            text,
            "    // Most frames a second, 1 to 60.\n    fps: {},\n\n\
             \x20   // For slow lines: one frame a second, fewer colours, no decoration.\n    low_bandwidth: {},\n\n\
             \x20   // The colours of text; those of maps carry numbers and stay as they are.\n    theme: (\n\
             \x20       // What is chosen, and the keys.\n        accent: {:?},\n\
             \x20       // What needs no attention.\n        dim: {:?},\n\
             \x20       // What needs a person.\n        warning: {:?},\n    ),\n\n{KEYS}",
            own.fps, own.low_bandwidth, theme.accent, theme.dim, theme.warning
        );
        for row in TABLE.iter().filter(|row| row.action != Action::View(0)) {
            let keys: Vec<String> = row
                .keys
                .iter()
                .map(|key| format!("{:?}", key.name()))
                .collect();
            let places: Vec<&str> = row.places.iter().map(|place| place.label()).collect();
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

/// What stands above the first numbers.
const HEAD: &str = "\
// What noisescope's screens look like and which keys they have. Everything here is as it is without a file:
// keep what you change and leave out the rest. Flags of the command line go first.
(
    // What stands behind the text: Auto, Light or Dark. Auto asks the environment, then the terminal.
    background: Auto,

    // How many colours: Auto, Truecolor, Indexed (256), Sixteen or None. Auto asks the environment.
    color: Auto,

    // Nothing but ASCII, whatever the locale says.
    ascii: false,

";

/// What stands above the keys.
const KEYS: &str = "    // Keys, by what they do: one character, Ctrl- and a letter, F1 to F12, Left, Right, Up, Down, Enter, Esc, Space,
    // Tab, Shift-Tab, Backspace, Delete, Home, End, PgUp, PgDn. The first of a line is shown in the footer. A key that
    // would mean two things in one place is refused, and both are named.
    keys: {
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_what_ships() {
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
        assert_eq!(options, Options::default());
    }

    #[test]
    fn a_file_says_what_it_changes_and_nothing_else() {
        let own = Preferences::parse(
            "(background: Light, theme: (accent: \"#ff8000\"), keys: {\"pause\": [\"P\"]})",
        )
        .unwrap();
        let options = own.options().unwrap();
        assert_eq!(options.background, Some(theme::Background::Light));
        assert_eq!(options.colours.accent.written(), "#ff8000");
        assert_eq!(options.colours.dim, Colours::default().dim);
        let pause = options.keys.iter().find(|row| row.action == Action::Pause);
        assert_eq!(pause.unwrap().keys[0].name(), "P");
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
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
