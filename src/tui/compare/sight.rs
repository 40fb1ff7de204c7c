//! What is looked at of two sessions, and what there is to see.

use std::ops::Range;

use crate::comparison::{Compared, Misfit, Pair, Wish};
use crate::drawing::scale::{Reach, Scales};
use crate::figure::channels;
use crate::format::clean;
use crate::report::comparison::{caution, headline};
use crate::session::Session;
use crate::session::config::Response;
use crate::stats::agreement::Called;
use crate::tui::action::Action;
use crate::tui::overlay::jump;
use crate::tui::scene::lens::MapKind;
use crate::tui::shared::{Pixels, Scale};
use crate::tui::state::{News, Palette};
use crate::tui::steps;
use crate::tui::view::Names;

/// What the viewer looks at.
#[derive(Debug, Clone)]
pub struct Look {
    /// The noise, the γ and the response that the viewer has chosen.
    pub wish: Wish,
    /// The chosen class.
    pub class: usize,
    /// The images, or their z maps.
    pub kind: MapKind,
    /// Whether the maps of all classes share one scale.
    pub scale: Scale,
    /// Which pixels of the difference are painted.
    pub pixels: Pixels,
    /// The first line of the list of keys, where that is in sight.
    pub help: Option<usize>,
    /// The furthest line of that list on this terminal.
    pub last_help: usize,
    /// What is typed to jump to a class, where something is.
    pub jump: Option<Palette>,
    /// What came of the last thing that was done, until the next key.
    pub news: Option<News>,
}

impl Look {
    /// The first look, with what was asked for.
    pub fn new(wish: Wish) -> Self {
        Self {
            wish,
            class: 0,
            kind: MapKind::Image,
            scale: Scale::Common,
            pixels: Pixels::All,
            help: None,
            last_help: 0,
            jump: None,
            news: None,
        }
    }

    /// Applies an action to what there is to see; says whether another comparison is needed for it.
    pub fn update(&mut self, action: Action, sight: &Sight) -> bool {
        let step = match action {
            Action::WeakerGamma => -1,
            Action::StrongerGamma => 1,
            _ => 0,
        };
        match action {
            Action::SheetLeft | Action::PreviousClass => self.step_class(sight, -1),
            Action::SheetRight | Action::Again => self.step_class(sight, 1),
            Action::FirstClass => self.class = 0,
            Action::LastClass => self.class = sight.classes.len().saturating_sub(1),
            Action::OpenJump | Action::OpenFind => {
                self.jump = Some(Palette {
                    typed: String::new(),
                    chosen: self.class,
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
                let next = steps::by_size(sight.gamma, step, &sight.gammas);
                self.wish.gamma = sight.gammas.get(next).copied();
                return true;
            }
            Action::SwitchResponse => {
                let other = |it: &&Response| **it != sight.compared.response;
                if let Some(other) = sight.responses.iter().find(other) {
                    self.wish.response = Some(*other);
                }
                return true;
            }
            Action::NextImages => {
                let next = steps::around(sight.noise, 1, sight.noises.len());
                self.wish.noise = sight.noises.get(next).cloned();
                self.wish.gamma = None;
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

    /// What is done in the line where a class is typed.
    fn jump(&mut self, action: Action, sight: &Sight) {
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
            Action::RubOutAll => *typed = Palette::default(),
            _ => {
                if let Some(class) = jump::chosen(typed, &names) {
                    self.class = class;
                    self.jump = None;
                }
            }
        }
    }

    fn step_class(&mut self, sight: &Sight, step: isize) {
        self.class = steps::around(self.class, step, sight.compared.classes.len());
    }
}

/// What there is to see of two sessions as they are now.
#[derive(Debug, Clone)]
pub struct Sight {
    /// The names of the sessions.
    pub names: [String; 2],
    /// The names of the classes, \[K\].
    pub classes: Vec<String>,
    /// The maps and their difference.
    pub compared: Compared,
    /// Every γ that both have, ascending, and the place of the one in sight.
    pub gammas: Vec<f64>,
    /// The place of the γ in sight.
    pub gamma: usize,
    /// The responses that both have.
    pub responses: Vec<Response>,
    /// The kinds of noise that both were shown.
    pub noises: Vec<String>,
    /// The place of the one in sight.
    pub noise: usize,
    /// What the counts say of the decisions.
    pub called: Option<Called>,
    /// How many pixels differ.
    pub headline: String,
    /// What is to be known of the trials.
    pub caution: &'static str,
    /// The unit of the maps.
    pub unit: String,
    /// The scales of the classes' maps.
    pub scales: Scales,
    /// How far the z maps of all classes reach.
    pub limits: Limits,
}

/// How far z maps reach from zero, on a plane.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// The z maps of A and B.
    pub z: f32,
    /// The z map of their difference.
    pub difference_z: f32,
}

impl Limits {
    /// Of some classes.
    pub fn of(compared: &Compared, classes: Range<usize>) -> Self {
        let most = |places: Range<usize>| {
            let classes = classes.clone();
            let maps = classes.flat_map(|class| {
                let places = places.clone();
                places.filter_map(move |at| values(compared, MapKind::Z, at, class))
            });
            maps.flatten().map(f32::abs).fold(0.0, f32::max)
        };
        Self {
            z: most(0..2),
            difference_z: most(2..3),
        }
    }
}

/// The scales of the maps: the three of a class, of A, of B and their difference, share one.
fn scales(compared: &Compared) -> Scales {
    Scales::of((0..compared.classes.len()).map(|class| {
        let maps = (0..3).filter_map(|at| values(compared, MapKind::Image, at, class));
        let all: Vec<f32> = maps.flatten().collect();
        (!all.is_empty()).then(|| Reach::of(&all, 0.0, compared.reliability(class)))
    }))
}

/// The values of a map of a class on a plane, \[h·w\]: of A (0), of B (1), or of their difference (2); of
/// several channels their mean. `None` where there is none.
pub fn values(compared: &Compared, kind: MapKind, at: usize, class: usize) -> Option<Vec<f32>> {
    let z = kind == MapKind::Z;
    let map = match at {
        2 => {
            let own = compared.classes.get(class)?.as_ref()?;
            if z { &own.z } else { &own.difference }
        }
        at => {
            let own = compared.map(at, class)?;
            if z { &own.z } else { &own.image }
        }
    };
    Some(channels::luminance(map, compared.shape))
}

impl Sight {
    /// Compares two sessions as the viewer looks at them.
    ///
    /// # Errors
    /// Where they cannot be compared.
    pub fn new([a, b]: [&Session; 2], look: &Look) -> Result<Self, Misfit> {
        let pair = Pair::new(a, b, &look.wish)?;
        let response = look.wish.response.unwrap_or(pair.responses[0]);
        let chosen = look.wish.gamma.and_then(|gamma| pair.place(gamma));
        let gamma = chosen.unwrap_or_else(|| pair.best(response));
        let compared = Compared::new(&pair, gamma, response);
        let noise = pair.plans[0].noise.label();
        let classes = 0..compared.classes.len();
        Ok(Self {
            names: pair.names().map(clean),
            classes: classes.map(|class| clean(&pair.name(class))).collect(),
            gammas: pair.gammas.iter().map(|it| it.gamma).collect(),
            gamma,
            called: pair.gammas[gamma].called(),
            headline: headline(&compared),
            caution: caution(&pair, &compared),
            unit: pair.unit(response),
            scales: scales(&compared),
            limits: Limits::of(&compared, 0..compared.classes.len()),
            noise: pair.noises.iter().position(|it| it == noise).unwrap_or(0),
            noises: pair.noises,
            responses: pair.responses,
            compared,
        })
    }

    /// The classes, to jump to one.
    pub fn names_of_classes(&self, chosen: usize) -> Names {
        Names {
            what: "class",
            all: self.classes.clone(),
            numbered: true,
            chosen,
        }
    }

    /// Whether an action can do anything now.
    pub fn is_possible(&self, action: Action) -> bool {
        match action {
            Action::OpenJump | Action::OpenFind => self.classes.len() > 1,
            // Of so few keys none needs to be looked for.
            Action::FindKeys => false,
            Action::WeakerGamma | Action::StrongerGamma => self.gammas.len() > 1,
            Action::SwitchResponse => self.responses.len() > 1,
            Action::NextImages => self.noises.len() > 1,
            _ => true,
        }
    }
}
