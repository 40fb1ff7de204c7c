//! What all views look at: the class, the γ, which classification images, how maps are painted;
//! and what they all need to know of the viewer's side: size, clock, connection.
//!
//! Nothing of the run is in here: that is the [`Session`]. What belongs to one view is that view's.

use jiff::tz::TimeZone;

use super::action::{Action, Keys, TABLE};
use super::form;
use super::look::Look;
use super::size::Size;
use super::steps;
use crate::figure::{Figure, choice};
use crate::link::Connection;
use crate::session::Session;
use crate::session::config::{self, Response};
use crate::session::record::{self, ClassificationImages};
use crate::session::run::{LogLine, Phase};

/// What all views look at.
#[derive(Debug, Clone)]
pub struct Shared {
    /// The chosen class.
    pub class: usize,
    /// The chosen γ, by its place in the plan; `None` until the viewer chooses: then the one that
    /// shows most.
    pub gamma: Option<usize>,
    /// What trials are taken to say; `None` until the viewer chooses: then what shows most.
    pub response: Option<Response>,
    /// The class that every other is told from; `None`: each is seen by itself.
    pub versus: Option<usize>,
    /// The γ at which each class was last seen best.
    pub best: Vec<usize>,
    /// Which of the plan's classification images, among these alone.
    pub images: usize,
    /// Whether maps share one scale.
    pub scale: Scale,
    /// Which pixels are painted.
    pub pixels: Pixels,
    /// What keys do.
    pub keys: Keys,
    /// What is looked at of maps of several channels.
    pub look: Look,
    /// Since when the picture stands still, seconds since the Unix epoch; `None` where it follows.
    pub frozen: Option<i64>,
    /// Whether the engine can be reached.
    pub connection: Connection,
    /// What engines wrote into the session's log, for when none runs.
    pub past: Vec<LogLine>,
    /// The clock, seconds since the Unix epoch.
    pub now: i64,
    /// The clock's zone.
    pub zone: TimeZone,
    /// The terminal.
    pub size: Size,
}

/// Whether maps share one scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// One for all classes.
    Common,
    /// Each map its own.
    Own,
}

/// Which pixels of a map are painted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pixels {
    /// All.
    All,
    /// Those past the threshold of significance.
    Significant,
}

impl Shared {
    /// The first look at a session.
    pub fn new(connection: Connection) -> Self {
        Self {
            class: 0,
            gamma: None,
            response: None,
            versus: None,
            best: Vec::new(),
            images: 0,
            scale: Scale::Common,
            pixels: Pixels::All,
            keys: TABLE,
            look: Look::default(),
            frozen: None,
            connection,
            past: Vec::new(),
            now: 0,
            zone: TimeZone::UTC,
            size: Size {
                width: 80,
                height: 24,
            },
        }
    }

    /// The classification images in sight, if the plan has any.
    pub fn images_in<'a>(&self, session: &'a Session) -> Option<&'a ClassificationImages> {
        self.images_at(session).map(|(_, images)| images)
    }

    /// Their plan.
    pub fn images_plan<'a>(
        &self,
        session: &'a Session,
    ) -> Option<&'a config::ClassificationImages> {
        let (at, _) = self.images_at(session)?;
        match session.config.analyses.get(at)? {
            config::Analysis::ClassificationImages(plan) => Some(plan),
            _ => None,
        }
    }

    fn images_at<'a>(&self, session: &'a Session) -> Option<(usize, &'a ClassificationImages)> {
        let last = images(session).checked_sub(1)?;
        let mut all = session.record.all::<ClassificationImages>();
        all.nth(self.images.min(last))
    }

    /// What trials are taken to say in the maps in sight.
    pub fn response_in(&self, images: &ClassificationImages) -> Response {
        let there = self.response.filter(|_| images.has_evidence());
        there.unwrap_or_else(|| choice::response(images))
    }

    /// To what trials say otherwise. The γ that shows a class best is another one there.
    fn switch_response(&mut self, session: &Session) {
        let Some(images) = self.images_in(session) else {
            return;
        };
        self.response = Some(match self.response_in(images) {
            Response::Decision => Response::Evidence,
            Response::Evidence => Response::Decision,
        });
        self.best.clear();
        self.settle(session);
    }

    /// The γ at which all classes are seen together, by its place in the plan: the chosen one,
    /// else the strongest among those that show the most classes.
    pub fn gamma_of_all(&self, images: &ClassificationImages) -> usize {
        match self.gamma {
            Some(gamma) => gamma.min(images.gammas.len().saturating_sub(1)),
            None => choice::showing_most(images, self.response_in(images)),
        }
    }

    /// The γ at which a class is seen alone, by its place in the plan: the chosen one, else the
    /// one that shows it best.
    pub fn gamma_of(&self, images: &ClassificationImages, class: usize) -> usize {
        match self.gamma {
            Some(gamma) => gamma.min(images.gammas.len().saturating_sub(1)),
            None => self.best_gamma(images, class),
        }
    }

    /// The γ that shows a class best, by its place in the plan.
    pub fn best_gamma(&self, images: &ClassificationImages, class: usize) -> usize {
        let kept = self.best.get(class).copied();
        choice::best(images, self.response_in(images), class, kept)
    }

    /// Looks which γ shows each class best now. A class stays where it is until another γ is
    /// clearly better, so that no map flips to and fro.
    pub fn settle(&mut self, session: &Session) {
        let Some(images) = self.images_in(session) else {
            return;
        };
        let classes = images.gammas.first().map_or(0, |gamma| gamma.classes());
        self.best = (0..classes)
            .map(|class| self.best_gamma(images, class))
            .collect();
    }

    /// Whether an action on what is shared can do anything now.
    pub fn is_possible(&self, action: Action, session: &Session) -> bool {
        match action {
            Action::BestGamma => self.gamma.is_some(),
            Action::WeakerGamma
            | Action::StrongerGamma
            | Action::TableWeaker
            | Action::TableStronger => self
                .images_in(session)
                .is_some_and(|images| images.gammas.len() > 1),
            Action::NextImages => images(session) > 1,
            Action::Versus => {
                let images = self.images_in(session);
                let heard = |own| self.response_in(own) == Response::Evidence;
                images.is_some_and(heard) && form::classes(session) > 1
            }
            Action::SwitchResponse => self
                .images_in(session)
                .is_some_and(ClassificationImages::has_evidence),
            Action::NextLook => form::channels(session) > 1,
            _ => true,
        }
    }

    /// Applies an action on what is shared; says whether it is one.
    pub fn update(&mut self, action: Action, session: &Session) -> bool {
        match action {
            Action::SheetLeft | Action::PreviousClass => self.step_class(session, -1),
            Action::SheetRight | Action::Again => self.step_class(session, 1),
            Action::FirstClass => self.class = 0,
            Action::LastClass => self.class = form::classes(session).saturating_sub(1),
            Action::BestGamma => self.gamma = None,
            Action::Versus => {
                self.versus = match self.versus {
                    Some(_) => None,
                    None => Some(self.class),
                };
            }
            Action::NextImages => self.next_images(session),
            Action::SwitchResponse => self.switch_response(session),
            Action::NextLook => self.look = self.look.next(form::channels(session)),
            Action::SwitchScale => {
                self.scale = match self.scale {
                    Scale::Common => Scale::Own,
                    Scale::Own => Scale::Common,
                };
            }
            Action::Freeze => {
                self.frozen = match self.frozen {
                    Some(_) => None,
                    None => Some(self.now),
                };
            }
            Action::SwitchPixels => {
                self.pixels = match self.pixels {
                    Pixels::All => Pixels::Significant,
                    Pixels::Significant => Pixels::All,
                };
            }
            _ => return false,
        }
        true
    }

    /// To the class before or after; after the last comes the first.
    fn step_class(&mut self, session: &Session, step: isize) {
        self.class = steps::around(self.class, step, form::classes(session));
    }

    /// To the class in the row above or below, where there is one: `step` is a row's columns.
    pub fn step_row(&mut self, session: &Session, step: isize) {
        self.class = steps::row(self.class, step, form::classes(session));
    }

    /// To a weaker or a stronger γ than the one in sight, by strength, whatever their order in
    /// the plan.
    pub fn step_gamma(&mut self, images: &ClassificationImages, in_sight: usize, step: isize) {
        let gammas: Vec<f64> = images.gammas.iter().map(|trials| trials.gamma).collect();
        if in_sight < gammas.len() {
            self.gamma = Some(steps::by_size(in_sight, step, &gammas));
        }
    }

    /// To the next of several classification images. What was chosen of the others does not hold.
    fn next_images(&mut self, session: &Session) {
        self.images = (self.images + 1) % images(session).max(1);
        self.gamma = None;
        self.best.clear();
        self.settle(session);
    }

    /// The maps of all classes as a figure.
    pub fn figure_of_maps(&self, session: &Session) -> Option<Figure> {
        let own = self.images_in(session)?;
        let gamma = Some(own.gammas.get(self.gamma_of_all(own))?.gamma);
        // Each class at its best is a figure where there is a choice.
        let several = own.gammas.iter().filter(|it| it.trials > 0).count() > 1;
        Some(Figure::Maps {
            response: Some(self.response_in(own)),
            images: self.images.min(images(session).checked_sub(1)?),
            gamma: gamma.filter(|_| self.gamma.is_some() || !several),
        })
    }

    /// Whether an engine is at work on this session and takes commands.
    pub fn engine_runs(&self, session: &Session) -> bool {
        self.connection == Connection::Live
            && !session.run.as_ref().is_some_and(|run| run.phase.is_over())
    }

    /// Whether more trials can be asked for: of an engine at work, or of a new one.
    pub fn can_extend(&self, session: &Session) -> bool {
        let away = matches!(self.connection, Connection::Lost(_) | Connection::ReadOnly);
        away || self.engine_runs(session)
    }

    /// Whether a new engine could go on with this session: none can be reached, and the plan is
    /// not done.
    pub fn can_resume(&self, session: &Session) -> bool {
        let away = matches!(self.connection, Connection::Lost(_) | Connection::ReadOnly);
        away && !is_finished(session)
    }
}

/// How many classification images the plan has.
pub fn images(session: &Session) -> usize {
    session.record.all::<ClassificationImages>().count()
}

/// Whether everything in the plan is done.
pub fn is_finished(session: &Session) -> bool {
    match &session.run {
        Some(run) => run.phase == Phase::Finished,
        None => session.record.state == record::State::Finished,
    }
}
