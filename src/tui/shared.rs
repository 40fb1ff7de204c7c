//! [`SharedState`], the state that all views share: the class, the γ, which classification images, how maps are
//! painted; and the viewer's environment: size, clock, connection.
//!
//! Nothing about the run is in here: that is the [`Session`]. The state of a single view belongs to that
//! view.

use jiff::tz::TimeZone;

use super::action::{Action, KeyBindings, TABLE};
use super::component::ColourComponent;
use super::experiment::{ExperimentChoice, ShownExperiment};
use super::form;
use super::size::Size;
use super::steps;
use crate::figure::{Figure, choice};
use crate::ids::{ClassId, Gamma};
use crate::link::Connection;
use crate::session::Session;
use crate::session::config::{self, Response};
use crate::session::record::{self, ClassificationImages};
use crate::session::run::{LogLine, Phase};

/// The state that all views share.
#[derive(Debug, Clone)]
pub struct SharedState {
    /// The chosen class.
    pub class: ClassId,
    /// The chosen γ, by its index in the plan; `None` until the viewer chooses: then the most informative
    /// one.
    pub gamma_index: Option<usize>,
    /// The chosen response; `None` until the viewer chooses: then the most informative one.
    pub response: Option<Response>,
    /// The class that all others are compared with; `None`: each class alone.
    pub versus: Option<ClassId>,
    /// The γ at which each class was best when last checked, by its index in the plan.
    pub best_gamma_indices: Vec<usize>,
    /// Which of the plan's classification images are shown.
    pub images: ShownExperiment<ClassificationImages>,
    /// Whether maps share one scale.
    pub scale: Scale,
    /// Which pixels are painted.
    pub pixels: Pixels,
    /// The command with which a shell calls this program for these sessions.
    pub program: &'static str,
    /// The key bindings.
    pub keys: KeyBindings,
    /// The component shown of maps with several channels.
    pub component: ColourComponent,
    /// Since when the display is frozen, in seconds since the Unix epoch; `None` while it follows the run.
    pub frozen: Option<i64>,
    /// Whether the engine can be reached.
    pub connection: Connection,
    /// The session's saved log, used when no engine is running.
    pub saved_log: Vec<LogLine>,
    /// The clock, seconds since the Unix epoch.
    pub now: i64,
    /// The time zone.
    pub zone: TimeZone,
    /// The terminal's size.
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

impl SharedState {
    /// The initial state for a session.
    pub fn new(connection: Connection) -> Self {
        Self {
            class: ClassId(0),
            gamma_index: None,
            response: None,
            versus: None,
            best_gamma_indices: Vec::new(),
            images: ShownExperiment::default(),
            scale: Scale::Common,
            pixels: Pixels::All,
            program: "noisescope",
            keys: TABLE,
            component: ColourComponent::default(),
            frozen: None,
            connection,
            saved_log: Vec::new(),
            now: 0,
            zone: TimeZone::UTC,
            size: Size {
                width: 80,
                height: 24,
            },
        }
    }

    /// The classification images shown, if the plan has any.
    pub fn current_images<'a>(&self, session: &'a Session) -> Option<&'a ClassificationImages> {
        self.images_at(session).map(|(_, images)| images)
    }

    /// The plan of the classification images shown.
    pub fn images_plan<'a>(
        &self,
        session: &'a Session,
    ) -> Option<&'a config::ClassificationImages> {
        let (index, _) = self.images_at(session)?;
        match session.config.analyses.get(index)? {
            config::Analysis::ClassificationImages(plan) => Some(plan),
            _ => None,
        }
    }

    /// Whether the classification images shown have trials, and so something to choose.
    pub fn has_maps(&self, session: &Session) -> bool {
        let images = self.current_images(session);
        images.is_some_and(|images| images.gammas.iter().any(|gamma| gamma.trials > 0))
    }

    fn images_at<'a>(&self, session: &'a Session) -> Option<(usize, &'a ClassificationImages)> {
        self.images.in_plan(session)
    }

    /// The stage that the classification images shown are, by its index in the run: training is the first.
    pub fn images_stage(&self, session: &Session) -> Option<usize> {
        self.images_at(session).map(|(index, _)| index + 1)
    }

    /// The response used in the maps shown.
    pub fn current_response(&self, images: &ClassificationImages) -> Response {
        let chosen = self.response.filter(|_| images.has_evidence());
        chosen.unwrap_or_else(|| choice::best_response(images))
    }

    /// Switches to the other response, where different γ may be the best.
    fn switch_response(&mut self, session: &Session) {
        let Some(images) = self.current_images(session) else {
            return;
        };
        self.response = Some(match self.current_response(images) {
            Response::Decision => Response::Evidence,
            Response::Evidence => Response::Decision,
        });
        self.best_gamma_indices.clear();
        self.settle(session);
    }

    /// The γ at which all classes are shown together, by its index in the plan: the chosen one, else the
    /// strongest of those that show the most classes.
    pub fn gamma_index_of_all(&self, images: &ClassificationImages) -> usize {
        match self.gamma_index {
            Some(index) => index.min(images.gammas.len().saturating_sub(1)),
            None => choice::best_gamma_index_overall(images, self.current_response(images)),
        }
    }

    /// The γ at which a class is shown alone, by its index in the plan: the chosen one, else the class's
    /// best.
    pub fn gamma_index_of(&self, images: &ClassificationImages, class: ClassId) -> usize {
        match self.gamma_index {
            Some(index) => index.min(images.gammas.len().saturating_sub(1)),
            None => self.best_gamma_index(images, class),
        }
    }

    /// The γ that shows a class best, by its index in the plan.
    pub fn best_gamma_index(&self, images: &ClassificationImages, class: ClassId) -> usize {
        let previous = self.best_gamma_indices.get(class.0).copied();
        choice::best_gamma_index(images, self.current_response(images), class, previous)
    }

    /// Shows the classification images that the run works on, unless the viewer chose others or a γ of these, and
    /// updates the best γ of each class. A class keeps its γ until another is clearly better, so that maps do not
    /// flip back and forth.
    pub fn settle(&mut self, session: &Session) {
        let before = self.images.number(session);
        if self.gamma_index.is_none() {
            self.images.follow(session);
        }
        if self.images.number(session) != before {
            self.best_gamma_indices.clear();
        }
        let Some(images) = self.current_images(session) else {
            return;
        };
        let classes = images.gammas.first().map_or(0, |trials| trials.classes());
        self.best_gamma_indices = ClassId::all(classes)
            .map(|class| self.best_gamma_index(images, class))
            .collect();
    }

    /// Whether an action on the shared state is possible now.
    pub fn is_possible(&self, action: Action, session: &Session) -> bool {
        match action {
            Action::BestGamma => self.gamma_index.is_some(),
            Action::WeakerGamma
            | Action::StrongerGamma
            | Action::TableWeaker
            | Action::TableStronger => self
                .current_images(session)
                .is_some_and(|images| images.gammas.len() > 1),
            Action::NextImages => images(session) > 1,
            Action::Versus => {
                let images = self.current_images(session);
                let shows_evidence = |images| self.current_response(images) == Response::Evidence;
                images.is_some_and(shows_evidence) && form::classes(session) > 1
            }
            Action::SwitchResponse => self
                .current_images(session)
                .is_some_and(ClassificationImages::has_evidence),
            Action::NextLook => form::channels(session) > 1,
            _ => true,
        }
    }

    /// Applies an action on the shared state; returns whether it is one.
    pub fn update(&mut self, action: Action, session: &Session) -> bool {
        match action {
            Action::SheetLeft | Action::PreviousClass => self.step_class(session, -1),
            Action::SheetRight | Action::Again => self.step_class(session, 1),
            Action::FirstClass => self.class = ClassId(0),
            Action::LastClass => {
                self.class = ClassId(form::classes(session).saturating_sub(1));
            }
            Action::BestGamma => self.gamma_index = None,
            Action::Versus => {
                self.versus = match self.versus {
                    Some(_) => None,
                    None => Some(self.class),
                };
            }
            Action::NextImages => self.next_images(session),
            Action::SwitchResponse => self.switch_response(session),
            Action::NextLook => self.component = self.component.next(form::channels(session)),
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

    /// Moves to the previous or next class, wrapping around.
    fn step_class(&mut self, session: &Session, step: isize) {
        self.class = ClassId(steps::around(self.class.0, step, form::classes(session)));
    }

    /// Moves to the class in the row above or below, if there is one: `step` is a row's columns.
    pub fn step_row(&mut self, session: &Session, step: isize) {
        self.class = ClassId(steps::row(self.class.0, step, form::classes(session)));
    }

    /// Moves to a weaker or stronger γ than the one shown, by strength, whatever their order in the plan.
    pub fn step_gamma(&mut self, images: &ClassificationImages, in_sight: usize, step: isize) {
        let gammas: Vec<Gamma> = images.gammas.iter().map(|trials| trials.gamma).collect();
        if in_sight < gammas.len() {
            self.gamma_index = Some(steps::by_size(in_sight, step, &gammas));
        }
    }

    /// Moves to the next classification images. Choices made for the previous ones are reset.
    fn next_images(&mut self, session: &Session) {
        self.images.step(session);
        self.gamma_index = None;
        self.best_gamma_indices.clear();
        self.settle(session);
    }

    /// The maps of all classes as a figure.
    pub fn figure_of_maps(&self, session: &Session) -> Option<Figure> {
        let maps = self.current_images(session)?;
        let gamma = Some(maps.gammas.get(self.gamma_index_of_all(maps))?.gamma);
        // Each class at its best γ is a separate figure only if there are several γ.
        let several = maps
            .gammas
            .iter()
            .filter(|trials| trials.trials > 0)
            .count()
            > 1;
        Some(Figure::Maps {
            response: Some(self.current_response(maps)),
            images: self.images.number(session),
            gamma: gamma.filter(|_| self.gamma_index.is_some() || !several),
        })
    }

    /// The time as of which the display is: now or, if it is frozen, when it was frozen.
    pub fn shown_at(&self) -> i64 {
        self.frozen.unwrap_or(self.now)
    }

    /// Whether an engine is running this session and accepts commands.
    pub fn engine_runs(&self, session: &Session) -> bool {
        self.connection == Connection::Live
            && !session.run.as_ref().is_some_and(|run| run.phase.is_over())
    }

    /// Whether the session can be extended: by the running engine, or by a new one.
    pub fn can_extend(&self, session: &Session) -> bool {
        let away = matches!(self.connection, Connection::Lost(_) | Connection::ReadOnly);
        away || self.engine_runs(session)
    }

    /// Whether a new engine could resume this session: none is reachable, and the plan is not finished.
    pub fn can_resume(&self, session: &Session) -> bool {
        let away = matches!(self.connection, Connection::Lost(_) | Connection::ReadOnly);
        away && !is_finished(session)
    }
}

/// The number of classification images in the plan.
pub fn images(session: &Session) -> usize {
    session.record.all::<ClassificationImages>().count()
}

/// Whether everything in the plan is finished.
pub fn is_finished(session: &Session) -> bool {
    match &session.run {
        Some(run) => run.phase == Phase::Finished,
        None => session.record.state == record::SavedState::Finished,
    }
}
