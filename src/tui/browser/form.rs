//! The form for a new session: a name, a preset, and optionally the user's own network and images.

use super::row::{Asked, Preset, Row};
use crate::session::config::NetworkKind;
use crate::session::store::check_name;
use crate::stats::grain::{Foretold, advised};

/// Maximum characters of a name.
const MOST: usize = 100;

/// Maximum characters of a path.
const MOST_OF_PATH: usize = 1000;

/// A text field of the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line {
    /// The session's name.
    Name,
    /// A network's file.
    Network,
    /// A folder or file of images.
    Images,
}

impl Line {
    /// Every field, in the form's order.
    pub const ALL: [Self; 3] = [Self::Name, Self::Network, Self::Images];

    /// Its label in the form.
    pub fn label(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Network => "network",
            Self::Images => "images",
        }
    }

    /// The placeholder shown while it is empty.
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

/// The state of a pilot run: the user's own network on a few trials of noise.
#[derive(Debug, Clone, PartialEq)]
pub enum Pilot {
    /// None has been run.
    None,
    /// It is running.
    Running,
    /// The prediction for each grain, how many workers share the trials, and the index of the chosen grain.
    Known(Vec<Foretold>, usize, usize),
    /// Why there are no predictions.
    Failed(String),
}

/// The contents of the form.
#[derive(Debug, Clone, PartialEq)]
pub struct Form {
    /// Index of the chosen preset.
    pub preset: usize,
    /// The contents of the fields, in the order of [`Line::ALL`].
    lines: [String; 3],
    /// The field being edited.
    pub line: Line,
    /// Whether the user typed the name; until then it follows the preset.
    typed: bool,
    /// The pilot run of the user's own network.
    pub pilot: Pilot,
}

impl Form {
    /// A form with the first preset and an unused name.
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

    /// The contents of a field.
    pub fn text(&self, line: Line) -> &str {
        &self.lines[line as usize]
    }

    /// Moves to the next field, or to the previous one.
    pub fn go(&mut self, on: bool) {
        let all = Line::ALL.len();
        let step = if on { 1 } else { all - 1 };
        self.line = Line::ALL[(self.line as usize + step) % all];
    }

    /// Chooses the preset above or below or, once grains are predicted, the grain above or below.
    pub fn step(&mut self, down: bool, presets: &[Preset], rows: &[Row]) {
        let step = |index: usize| {
            if down {
                index + 1
            } else {
                index.saturating_sub(1)
            }
        };
        match &mut self.pilot {
            Pilot::Known(all, _, index) => *index = step(*index).min(all.len().saturating_sub(1)),
            _ => self.choose(step(self.preset), presets, rows),
        }
    }

    /// Chooses a preset; a name that the user did not type follows it.
    fn choose(&mut self, preset: usize, presets: &[Preset], rows: &[Row]) {
        self.preset = preset.min(presets.len().saturating_sub(1));
        self.pilot = Pilot::None;
        if !self.typed {
            let name = presets
                .get(self.preset)
                .map_or("", |chosen| chosen.name.as_str());
            self.lines[Line::Name as usize] = free(name, rows);
        }
    }

    /// Appends a typed character if the field accepts it.
    pub fn typed(&mut self, c: char) {
        let (fits, most) = match self.line {
            Line::Name => (c.is_alphanumeric() || matches!(c, '.' | '-' | '_'), MOST),
            Line::Network | Line::Images => (!c.is_control(), MOST_OF_PATH),
        };
        let text = &mut self.lines[self.line as usize];
        if fits && text.chars().count() < most {
            text.push(c);
            self.changed();
        }
    }

    /// Deletes the last character, or all of them.
    pub fn rub_out(&mut self, all: bool) {
        let text = &mut self.lines[self.line as usize];
        if all {
            text.clear();
        } else {
            text.pop();
        }
        self.changed();
    }

    fn changed(&mut self) {
        match self.line {
            Line::Name => self.typed = true,
            // The predictions were for different input.
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
            return Some("a session of that name exists".into());
        }
        let fits = check_name(name).is_ok();
        (!fits).then(|| "a name starts with a letter or digit and does not end in .ron".into())
    }

    /// Whether a pilot of the user's own network must run before anything is created: the network is a file,
    /// not a kind of network that is trained first.
    pub fn wants_pilot(&self) -> bool {
        let network = self.text(Line::Network).trim();
        let is_kind = |kind: &NetworkKind| kind.label().eq_ignore_ascii_case(network);
        matches!(self.pilot, Pilot::None | Pilot::Failed(_))
            && !network.is_empty()
            && !NetworkKind::ALL.iter().any(is_kind)
    }

    /// Whether there are grains of noise to choose from.
    pub fn has_grains(&self) -> bool {
        matches!(self.pilot, Pilot::Known(..))
    }

    /// What the form requests.
    pub fn asked(&self, presets: &[Preset]) -> Asked {
        let typed = |line| Some(self.text(line).trim().to_owned()).filter(|text| !text.is_empty());
        Asked {
            preset: presets
                .get(self.preset)
                .map(|preset| preset.name.clone())
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

    /// Takes the pilot's result: the prediction for each grain and the workers that share the trials, or why
    /// there is none. Selects the recommended grain.
    pub fn foretold(&mut self, result: Result<(Vec<Foretold>, usize), String>) {
        if self.pilot != Pilot::Running {
            return;
        }
        self.pilot = match result {
            Ok((all, workers)) => {
                let best = advised(&all, workers);
                let index = best.and_then(|best| all.iter().position(|grain| grain == best));
                Pilot::Known(all, workers, index.unwrap_or(0))
            }
            Err(problem) => Pilot::Failed(problem),
        };
    }
}

/// What a preset that ships does, in a few words.
pub fn about(preset: &str) -> Option<&'static str> {
    Some(match preset {
        "quickstart" => "all experiments, scaled down, built-in images",
        "mnist-paper" => "the published sizes, on all of MNIST",
        "fashion-paper" => "the published sizes, on all of Fashion-MNIST",
        "backdoor" => "its own networks, with and without backdoor; audit: yours",
        "audit" => "the given network, beside clean ones trained for it",
        _ => return None,
    })
}

/// The preset's name, with the lowest number that makes it unused.
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
