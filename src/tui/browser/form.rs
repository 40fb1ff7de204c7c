//! The small form for a new session: a name, a preset, and a network and images of one's own.

use super::row::{Asked, Preset, Row};
use crate::session::config::NetworkKind;
use crate::session::store::check_name;
use crate::stats::grain::{Foretold, advised};

/// Most characters of a name.
const MOST: usize = 100;

/// Most characters of a path.
const MOST_OF_PATH: usize = 1000;

/// A line of the form that is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line {
    /// The session's name.
    Name,
    /// A network's file.
    Network,
    /// A folder or a file of images.
    Images,
}

impl Line {
    /// Every line, in the form's order.
    pub const ALL: [Self; 3] = [Self::Name, Self::Network, Self::Images];

    /// Its name in the form.
    pub fn label(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Network => "network",
            Self::Images => "images",
        }
    }

    /// What stands where nothing is typed.
    pub fn without(self) -> &'static str {
        match self {
            Self::Name => "",
            Self::Network => {
                "the preset's; or a kind; or a file of your own (.onnx, .pt, .safetensors)"
            }
            Self::Images => "the preset's; or a folder or file of your own",
        }
    }
}

/// What a network of one's own says to a few trials of noise.
#[derive(Debug, Clone, PartialEq)]
pub enum Pilot {
    /// It has not been asked.
    None,
    /// It is shown noise.
    Running,
    /// What each grain foretells, how many workers share the trials, and which grain is chosen.
    Known(Vec<Foretold>, usize, usize),
    /// Why nothing is foretold.
    Failed(String),
}

/// What the form holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Form {
    /// Which of the presets.
    pub preset: usize,
    /// The lines as they stand, in the order of [`Line::ALL`].
    lines: [String; 3],
    /// The line that is typed.
    pub line: Line,
    /// Whether the person typed the name; until then it follows the preset.
    typed: bool,
    /// What a network of one's own says.
    pub pilot: Pilot,
}

impl Form {
    /// With the first preset and a name that is free.
    pub fn new(presets: &[Preset], rows: &[Row]) -> Self {
        let mut form = Self {
            preset: 0,
            lines: Default::default(),
            line: Line::Name,
            typed: false,
            pilot: Pilot::None,
        };
        form.choose(0, presets, rows);
        form
    }

    /// A line as it stands.
    pub fn text(&self, line: Line) -> &str {
        &self.lines[line as usize]
    }

    /// The line after this one, or before it.
    pub fn go(&mut self, on: bool) {
        let all = Line::ALL.len();
        let step = if on { 1 } else { all - 1 };
        self.line = Line::ALL[(self.line as usize + step) % all];
    }

    /// The preset or, where grains are foretold, the grain above or below.
    pub fn step(&mut self, down: bool, presets: &[Preset], rows: &[Row]) {
        let step = |at: usize| if down { at + 1 } else { at.saturating_sub(1) };
        match &mut self.pilot {
            Pilot::Known(all, _, at) => *at = step(*at).min(all.len().saturating_sub(1)),
            _ => self.choose(step(self.preset), presets, rows),
        }
    }

    /// Chooses a preset; a name that nobody typed follows.
    fn choose(&mut self, preset: usize, presets: &[Preset], rows: &[Row]) {
        self.preset = preset.min(presets.len().saturating_sub(1));
        self.pilot = Pilot::None;
        if !self.typed {
            let own = presets.get(self.preset).map_or("", |own| own.name.as_str());
            self.lines[Line::Name as usize] = free(own, rows);
        }
    }

    /// A character typed: taken where the line can have it.
    pub fn typed(&mut self, c: char) {
        let (fits, most) = match self.line {
            Line::Name => (c.is_alphanumeric() || matches!(c, '.' | '-' | '_'), MOST),
            Line::Network | Line::Images => (!c.is_control(), MOST_OF_PATH),
        };
        let own = &mut self.lines[self.line as usize];
        if fits && own.chars().count() < most {
            own.push(c);
            self.changed();
        }
    }

    /// The last character away, or all of them.
    pub fn rub_out(&mut self, all: bool) {
        let own = &mut self.lines[self.line as usize];
        if all {
            own.clear();
        } else {
            own.pop();
        }
        self.changed();
    }

    fn changed(&mut self) {
        match self.line {
            Line::Name => self.typed = true,
            // What was foretold was of something else.
            Line::Network | Line::Images => self.pilot = Pilot::None,
        }
    }

    /// What is wrong with the name, if anything.
    pub fn problem(&self, rows: &[Row]) -> Option<String> {
        let name = self.text(Line::Name);
        if name.is_empty() {
            return Some("type a name".into());
        }
        if rows.iter().any(|row| row.name == name) {
            return Some("there is a session of that name".into());
        }
        let fits = check_name(name).is_ok();
        (!fits).then(|| "a name starts with a letter or digit and does not end in .ron".into())
    }

    /// Whether a network of one's own is to be shown noise before anything is made: a file, and no kind
    /// of network that is trained first.
    pub fn wants_pilot(&self) -> bool {
        let network = self.text(Line::Network).trim();
        let is_kind = |kind: &NetworkKind| kind.label().eq_ignore_ascii_case(network);
        matches!(self.pilot, Pilot::None | Pilot::Failed(_))
            && !network.is_empty()
            && !NetworkKind::ALL.iter().any(is_kind)
    }

    /// Whether grains of noise are there to choose from.
    pub fn has_grains(&self) -> bool {
        matches!(self.pilot, Pilot::Known(..))
    }

    /// What it asks for.
    pub fn asked(&self, presets: &[Preset]) -> Asked {
        let typed = |line| Some(self.text(line).trim().to_owned()).filter(|text| !text.is_empty());
        Asked {
            preset: presets
                .get(self.preset)
                .map(|own| own.name.clone())
                .unwrap_or_default(),
            name: self.text(Line::Name).to_owned(),
            network: typed(Line::Network),
            images: typed(Line::Images),
            grain: match &self.pilot {
                Pilot::Known(all, _, at) => all.get(*at).cloned(),
                _ => None,
            },
        }
    }

    /// Takes what the network said: what each grain foretells and the workers that share the trials, or why
    /// nothing is foretold. The grain that is proposed is chosen.
    pub fn foretold(&mut self, said: Result<(Vec<Foretold>, usize), String>) {
        if self.pilot != Pilot::Running {
            return;
        }
        self.pilot = match said {
            Ok((all, workers)) => {
                let best = advised(&all, workers);
                let at = best.and_then(|best| all.iter().position(|it| it == best));
                Pilot::Known(all, workers, at.unwrap_or(0))
            }
            Err(problem) => Pilot::Failed(problem),
        };
    }
}

/// What a preset that ships does, in a few words.
pub fn about(preset: &str) -> Option<&'static str> {
    Some(match preset {
        "quickstart" => "every experiment in small, on built-in images",
        "mnist-paper" => "the published sizes, on all of MNIST",
        "fashion-paper" => "the published sizes, on all of Fashion-MNIST",
        "backdoor" => "networks of its own with a backdoor and without; audit: one's own",
        "audit" => "the network that is given, beside clean ones trained for it",
        _ => return None,
    })
}

/// The preset's own name, with the first number that makes it free.
fn free(preset: &str, rows: &[Row]) -> String {
    let taken = |name: &str| rows.iter().any(|row| row.name == name);
    if !taken(preset) {
        return preset.into();
    }
    let numbered = (2..).map(|number| format!("{preset}-{number}"));
    numbered
        .into_iter()
        .find(|name| !taken(name))
        .unwrap_or_default()
}
