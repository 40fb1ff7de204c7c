//! [`ComparisonState`], the viewer's choices in a comparison, and [`ComparisonContent`], its content computed from two sessions.

use std::ops::Range;

use crate::comparison::{ComparisonError, ComparisonRequest, MapComparison, SessionPair};
use crate::drawing::scale::{Reach, Scales};
use crate::figure::channels;
use crate::format::clean;
use crate::ids::{ClassId, Gamma};
use crate::report::comparison::{caution, headline};
use crate::session::Session;
use crate::session::config::Response;
use crate::stats::agreement::TableComparison;
use crate::tui::action::Action;
use crate::tui::overlay::jump;
use crate::tui::scene::map_set::MapKind;
use crate::tui::shared::{Pixels, Scale};
use crate::tui::state::{Notice, PickerState};
use crate::tui::steps;
use crate::tui::view::JumpTargets;

/// The viewer's choices.
#[derive(Debug, Clone)]
pub struct ComparisonState {
    /// The chosen noise, γ and response.
    pub request: ComparisonRequest,
    /// The chosen class.
    pub class: ClassId,
    /// Whether images or their z maps are shown.
    pub kind: MapKind,
    /// Whether the maps of all classes share one scale.
    pub scale: Scale,
    /// Which pixels of the difference are drawn.
    pub pixels: Pixels,
    /// The first line of the list of keys, if it is shown.
    pub help: Option<usize>,
    /// The last line to which that list scrolls on this terminal.
    pub last_help: usize,
    /// The text typed to jump to a class, if any.
    pub jump: Option<PickerState>,
    /// The result of the last action, until the next key.
    pub notice: Option<Notice>,
}

impl ComparisonState {
    /// The initial choices, with the requested noise, γ and response.
    pub fn new(wish: ComparisonRequest) -> Self {
        Self {
            request: wish,
            class: ClassId(0),
            kind: MapKind::Image,
            scale: Scale::Common,
            pixels: Pixels::All,
            help: None,
            last_help: 0,
            jump: None,
            notice: None,
        }
    }

    /// Applies an action; returns whether the sessions must be compared again.
    pub fn update(&mut self, action: Action, sight: &ComparisonContent) -> bool {
        let step = match action {
            Action::WeakerGamma => -1,
            Action::StrongerGamma => 1,
            _ => 0,
        };
        match action {
            Action::SheetLeft | Action::PreviousClass => self.step_class(sight, -1),
            Action::SheetRight | Action::Again => self.step_class(sight, 1),
            Action::FirstClass => self.class = ClassId(0),
            Action::LastClass => {
                self.class = ClassId(sight.classes.len().saturating_sub(1));
            }
            Action::OpenJump | Action::OpenFind => {
                self.jump = Some(PickerState {
                    typed: String::new(),
                    chosen: self.class.0,
                });
            }
            Action::CloseJump => self.jump = None,
            Action::Jump
            | Action::JumpBack
            | Action::JumpOn
            | Action::CompleteJump
            | Action::RubOut
            | Action::RubOutAll => self.jump(action, sight),
            Action::NextKind => {
                self.kind = match self.kind {
                    MapKind::Image => MapKind::Z,
                    _ => MapKind::Image,
                };
            }
            Action::SwitchScale => {
                self.scale = match self.scale {
                    Scale::Common => Scale::Own,
                    Scale::Own => Scale::Common,
                };
            }
            Action::SwitchPixels => {
                self.pixels = match self.pixels {
                    Pixels::All => Pixels::Significant,
                    Pixels::Significant => Pixels::All,
                };
            }
            Action::WeakerGamma | Action::StrongerGamma => {
                let next = steps::by_size(sight.gamma_index, step, &sight.gammas);
                self.request.gamma = sight.gammas.get(next).copied();
                return true;
            }
            Action::SwitchResponse => {
                let other = |response: &&Response| **response != sight.compared.response;
                if let Some(other) = sight.responses.iter().find(other) {
                    self.request.response = Some(*other);
                }
                return true;
            }
            Action::NextImages => {
                let next = steps::around(sight.noise, 1, sight.noises.len());
                self.request.noise = sight.noises.get(next).cloned();
                // Both sessions may lack the same γ and response of another noise.
                (self.request.gamma, self.request.response) = (None, None);
                return true;
            }
            Action::Help | Action::HelpFirst => self.help = Some(0),
            Action::HelpUp => self.help = self.help.map(|first| first.saturating_sub(1)),
            Action::HelpDown => self.help = self.help.map(|first| (first + 1).min(self.last_help)),
            Action::HelpLast => self.help = Some(self.last_help),
            Action::CloseHelp => self.help = None,
            _ => {}
        }
        false
    }

    /// Handles editing in the jump line.
    fn jump(&mut self, action: Action, sight: &ComparisonContent) {
        let Some(typed) = &mut self.jump else { return };
        let names = sight.names_of_classes(self.class);
        match action {
            Action::JumpBack => jump::step(typed, &names, -1),
            Action::JumpOn => jump::step(typed, &names, 1),
            Action::CompleteJump => jump::complete(typed, &names),
            Action::RubOut => {
                typed.typed.pop();
                typed.chosen = 0;
            }
            Action::RubOutAll => *typed = PickerState::default(),
            _ => {
                if let Some(index) = jump::chosen(typed, &names) {
                    self.class = ClassId(index);
                    self.jump = None;
                }
            }
        }
    }

    fn step_class(&mut self, sight: &ComparisonContent, step: isize) {
        let next = steps::around(self.class.0, step, sight.compared.classes.len());
        self.class = ClassId(next);
    }
}

/// The content of a comparison of two sessions in their current states.
#[derive(Debug, Clone)]
pub struct ComparisonContent {
    /// The names of the sessions.
    pub names: [String; 2],
    /// The names of the classes, \[K\].
    pub classes: Vec<String>,
    /// The maps and their difference.
    pub compared: MapComparison,
    /// Every γ that both sessions have, ascending.
    pub gammas: Vec<Gamma>,
    /// The index of the γ shown.
    pub gamma_index: usize,
    /// The responses that both have.
    pub responses: Vec<Response>,
    /// The kinds of noise that both used.
    pub noises: Vec<String>,
    /// The index of the noise shown.
    pub noise: usize,
    /// The comparison of the decisions, from the counts.
    pub called: Option<TableComparison>,
    /// How many pixels differ.
    pub headline: String,
    /// Cautions about what else the maps differ in, and about the trials, the most important first.
    pub cautions: String,
    /// The unit of the maps.
    pub unit: String,
    /// The scales of the classes' maps.
    pub scales: Scales,
    /// The range of the z maps of all classes.
    pub limits: ZLimits,
}

/// Largest absolute values of z maps on a plane.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ZLimits {
    /// The z maps of A and B.
    pub z: f32,
    /// The z map of their difference.
    pub difference_z: f32,
}

impl ZLimits {
    /// Computes them for some classes.
    pub fn of(compared: &MapComparison, classes: impl Iterator<Item = ClassId> + Clone) -> Self {
        let largest = |maps_of: Range<usize>| {
            let classes = classes.clone();
            let maps = classes.flat_map(|class| {
                let maps_of = maps_of.clone();
                maps_of.filter_map(move |map| values(compared, MapKind::Z, map, class))
            });
            maps.flatten().map(f32::abs).fold(0.0, f32::max)
        };
        Self {
            z: largest(0..2),
            difference_z: largest(2..3),
        }
    }
}

/// The scales of the maps: the three of a class (A, B and difference) share one.
fn scales(compared: &MapComparison) -> Scales {
    Scales::of(ClassId::all(compared.classes.len()).map(|class| {
        let maps = (0..3).filter_map(|map| values(compared, MapKind::Image, map, class));
        let all: Vec<f32> = maps.flatten().collect();
        (!all.is_empty()).then(|| Reach::of(&all, 0.0, compared.reliability(class)))
    }))
}

/// The values of a map of a class on a plane, \[h·w\]: of A (0), of B (1) or of their difference (2); of several
/// channels the one farthest from zero, since a pixel is outlined if any differs. `None` if there is none.
pub fn values(
    compared: &MapComparison,
    kind: MapKind,
    map_index: usize,
    class: ClassId,
) -> Option<Vec<f32>> {
    let z = kind == MapKind::Z;
    let map = match map_index {
        2 => {
            let difference = compared.classes.get(class.0)?.as_ref()?;
            if z {
                &difference.z
            } else {
                &difference.difference
            }
        }
        map_index => {
            let class_map = compared.map(map_index, class)?;
            if z { &class_map.z } else { &class_map.image }
        }
    };
    Some(channels::strongest(map, compared.shape))
}

impl ComparisonContent {
    /// Compares two sessions with the viewer's choices.
    ///
    /// # Errors
    /// If they cannot be compared.
    pub fn new([a, b]: [&Session; 2], look: &ComparisonState) -> Result<Self, ComparisonError> {
        let pair = SessionPair::new(a, b, &look.request)?;
        let response = look.request.response.unwrap_or(pair.responses[0]);
        let chosen = look.request.gamma.and_then(|gamma| pair.gamma_index(gamma));
        let gamma_index = chosen.unwrap_or_else(|| pair.best_gamma_index(response));
        let compared = MapComparison::new(&pair, gamma_index, response);
        let cautions = compared.cautions();
        let cautions: Vec<&str> = cautions.chain([caution(&pair, &compared)]).collect();
        let noise = pair.plans[0].noise.label();
        let classes = ClassId::all(compared.classes.len());
        Ok(Self {
            names: pair.names().map(clean),
            classes: classes
                .clone()
                .map(|class| clean(&pair.class_name(class)))
                .collect(),
            gammas: pair.gammas.iter().map(|trials| trials.gamma).collect(),
            gamma_index,
            called: pair.gammas[gamma_index].compare_counts(),
            headline: headline(&compared),
            cautions: cautions.join("; "),
            unit: pair.unit(response),
            scales: scales(&compared),
            limits: ZLimits::of(&compared, classes),
            noise: pair
                .noises
                .iter()
                .position(|other| other == noise)
                .unwrap_or(0),
            noises: pair.noises,
            responses: pair.responses,
            compared,
        })
    }

    /// The classes as jump targets.
    pub fn names_of_classes(&self, chosen: ClassId) -> JumpTargets {
        JumpTargets {
            noun: "class",
            all: self.classes.clone(),
            numbered: true,
            chosen: chosen.0,
        }
    }

    /// Whether an action is possible now.
    pub fn is_possible(&self, action: Action) -> bool {
        match action {
            Action::OpenJump | Action::OpenFind => self.classes.len() > 1,
            // The list of keys is short enough here to need no search.
            Action::FindKeys => false,
            Action::WeakerGamma | Action::StrongerGamma => self.gammas.len() > 1,
            Action::SwitchResponse => self.responses.len() > 1,
            Action::NextImages => self.noises.len() > 1,
            _ => true,
        }
    }
}
