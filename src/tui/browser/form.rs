//! The form for a new session: a name, a preset, and optionally the user's own network and images.

use super::row::{Preset, SessionRequest, SessionRow};
use crate::session::config::NetworkKind;
use crate::session::store::check_name;
use crate::stats::grain::{GrainForecast, recommend};

/// Maximum characters of a name, and of the bytes that they take.
const MOST: usize = 100;

/// Maximum characters of a path.
const MOST_OF_PATH: usize = 1000;

/// A text field of the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormField {
    /// The session's name.
    Name,
    /// A network's file.
    Network,
    /// A folder or file of images.
    Images,
}

impl FormField {
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
    pub fn placeholder(self) -> &'static str {
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
pub enum PilotState {
    /// None has been run.
    None,
    /// It is running.
    Running,
    /// The prediction for each grain, how many workers share the trials, and the index of the chosen grain.
    Known(Vec<GrainForecast>, usize, usize),
    /// Why there are no predictions.
    Failed(String),
}

/// The contents of the form.
#[derive(Debug, Clone, PartialEq)]
pub struct Form {
    /// Index of the chosen preset.
    pub preset: usize,
    /// The contents of the fields, in the order of [`FormField::ALL`].
    lines: [String; 3],
    /// The field being edited.
    pub line: FormField,
    /// Whether the user typed the name; until then it follows the preset.
    typed: bool,
    /// The pilot run of the user's own network.
    pub pilot: PilotState,
}

impl Form {
    /// A form with the first preset and an unused name.
    pub fn new(presets: &[Preset], rows: &[SessionRow]) -> Self {
        let mut form = Self {
            preset: 0,
            lines: Default::default(),
            line: FormField::Name,
            typed: false,
            pilot: PilotState::None,
        };
        form.choose(0, presets, rows);
        form
    }

    /// The contents of a field.
    pub fn text(&self, line: FormField) -> &str {
        &self.lines[line as usize]
    }

    /// Moves to the next field, or to the previous one.
    pub fn go(&mut self, on: bool) {
        let all = FormField::ALL.len();
        let step = if on { 1 } else { all - 1 };
        self.line = FormField::ALL[(self.line as usize + step) % all];
    }

    /// Chooses the preset above or below or, once grains are predicted, the grain above or below.
    pub fn step(&mut self, down: bool, presets: &[Preset], rows: &[SessionRow]) {
        let step = |index: usize| {
            if down {
                index + 1
            } else {
                index.saturating_sub(1)
            }
        };
        match &mut self.pilot {
            PilotState::Known(all, _, index) => {
                *index = step(*index).min(all.len().saturating_sub(1))
            }
            _ => self.choose(step(self.preset), presets, rows),
        }
    }

    /// Chooses a preset; a name that the user did not type follows it.
    fn choose(&mut self, preset: usize, presets: &[Preset], rows: &[SessionRow]) {
        self.preset = preset.min(presets.len().saturating_sub(1));
        self.pilot = PilotState::None;
        if !self.typed {
            let name = presets
                .get(self.preset)
                .map_or("", |chosen| chosen.name.as_str());
            self.lines[FormField::Name as usize] = free(name, rows);
        }
    }

    /// Appends a typed character if the field accepts it.
    pub fn typed(&mut self, c: char) {
        let (fits, most) = match self.line {
            FormField::Name => (c.is_alphanumeric() || matches!(c, '.' | '-' | '_'), MOST),
            FormField::Network | FormField::Images => (!c.is_control(), MOST_OF_PATH),
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
            FormField::Name => self.typed = true,
            // The predictions were for different input.
            FormField::Network | FormField::Images => self.pilot = PilotState::None,
        }
    }

    /// What is wrong with the name, if anything.
    pub fn problem(&self, rows: &[SessionRow]) -> Option<String> {
        let name = self.text(FormField::Name);
        if name.is_empty() {
            return Some("type a name".into());
        }
        if rows.iter().any(|row| row.name == name) {
            return Some("a session of that name exists".into());
        }
        let problem = match name.len() {
            ..=MOST => "a name starts with a letter or digit and does not end in .ron",
            _ => "a name has at most 100 bytes; letters outside ASCII have 2 to 4",
        };
        check_name(name).is_err().then(|| problem.into())
    }

    /// Whether a pilot of the user's own network must run before anything is created: the network is a file,
    /// not a kind of network that is trained first.
    pub fn needs_pilot(&self) -> bool {
        let network = self.text(FormField::Network).trim();
        let is_kind = |kind: &NetworkKind| kind.label().eq_ignore_ascii_case(network);
        matches!(self.pilot, PilotState::None | PilotState::Failed(_))
            && !network.is_empty()
            && !NetworkKind::ALL.iter().any(is_kind)
    }

    /// Whether there are grains of noise to choose from.
    pub fn has_grains(&self) -> bool {
        matches!(self.pilot, PilotState::Known(..))
    }

    /// What the form requests.
    pub fn request(&self, presets: &[Preset]) -> SessionRequest {
        let typed = |line| Some(self.text(line).trim().to_owned()).filter(|text| !text.is_empty());
        SessionRequest {
            preset: presets
                .get(self.preset)
                .map(|preset| preset.name.clone())
                .unwrap_or_default(),
            name: self.text(FormField::Name).to_owned(),
            network: typed(FormField::Network),
            images: typed(FormField::Images),
            grain: match &self.pilot {
                PilotState::Known(all, _, at) => all.get(*at).cloned(),
                _ => None,
            },
        }
    }

    /// Takes the pilot's result: the prediction for each grain and the workers that share the trials, or why
    /// there is none. Selects the recommended grain.
    pub fn set_pilot_result(&mut self, result: Result<(Vec<GrainForecast>, usize), String>) {
        if self.pilot != PilotState::Running {
            return;
        }
        self.pilot = match result {
            Ok((all, workers)) => {
                let best = recommend(&all, workers);
                let index = best.and_then(|best| all.iter().position(|grain| grain == best));
                PilotState::Known(all, workers, index.unwrap_or(0))
            }
            Err(problem) => PilotState::Failed(problem),
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
fn free(preset: &str, rows: &[SessionRow]) -> String {
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
