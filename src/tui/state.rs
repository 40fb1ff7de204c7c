//! What the viewer looks at. Nothing of the run is in here: that is the [`Session`].

use jiff::tz::TimeZone;

use super::steps;
use super::view::{self, Size};
use crate::figure::choice;
use crate::link::Connection;
use crate::session::record::{self, ClassificationImages};
use crate::session::run::Phase;
use crate::session::{Session, config};

/// What the viewer looks at.
#[derive(Debug, Clone)]
pub struct State {
    /// Which of [`view::VIEWS`].
    pub view: usize,
    /// The chosen class.
    pub class: usize,
    /// The chosen γ, by its place in the plan; `None` until the viewer chooses: then the one that
    /// shows most.
    pub gamma: Option<usize>,
    /// The γ at which each class was last seen best.
    pub best: Vec<usize>,
    /// What the maps show.
    pub kind: MapKind,
    /// Whether maps share one scale.
    pub scale: Scale,
    /// Which pixels are painted.
    pub pixels: Pixels,
    /// Which of the plan's classification images, among these alone.
    pub images: usize,
    /// The layer in sight of the views that have layers, by its place.
    pub layer: usize,
    /// The unit of that layer.
    pub unit: usize,
    /// What the averages of a layer are taken on.
    pub stimuli: Stimuli,
    /// The pattern of an attack, by its place in [`record::PATTERNS`].
    pub pattern: usize,
    /// The weight w of the pattern, by its place in the plan.
    pub weight: usize,
    /// Whether an attack is seen over all targets at once.
    pub target_mean: bool,
    /// What is attacked: 0 images, 1 noise.
    pub source: usize,
    /// The strength of a push, by its place in the plan.
    pub strength: usize,
    /// The network of the backdoor study, by its place.
    pub suspect: usize,
    /// The γ of what was found in it, by its place in the plan.
    pub finding: usize,
    /// The part of the data set, by its place in the plan.
    pub split: usize,
    /// Whether the chosen class or figure fills the view.
    pub enlarged: bool,
    /// Row and column of the pixel under the cursor.
    pub cursor: (usize, usize),
    /// Whether the log is shown; `None`: where there is room.
    pub log: Option<bool>,
    /// What lies over the view.
    pub overlay: Overlay,
    /// What is typed into the palette of commands.
    pub palette: Palette,
    /// Whether the engine can be reached.
    pub connection: Connection,
    /// The clock, seconds since the Unix epoch.
    pub now: i64,
    /// The clock's zone.
    pub zone: TimeZone,
    /// The terminal.
    pub size: Size,
}

/// What is typed into the palette of commands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Palette {
    /// The text.
    pub typed: String,
    /// Which of the commands that fit it is chosen, from 0.
    pub chosen: usize,
}

/// What the maps show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MapKind {
    /// The classification image.
    Image,
    /// It over its standard error.
    Z,
    /// Mean of the noise by decision.
    MeanNoise,
    /// Mean of the stimuli by decision.
    MeanStimulus,
}

impl MapKind {
    /// Every kind, in the order in which a key goes through them.
    pub const ALL: [Self; 4] = [Self::Image, Self::Z, Self::MeanNoise, Self::MeanStimulus];

    /// The kind's name.
    pub fn label(self) -> &'static str {
        match self {
            Self::Image => "classification image",
            Self::Z => "z map",
            Self::MeanNoise => "mean noise",
            Self::MeanStimulus => "mean stimulus",
        }
    }

    /// The kind after this one.
    pub fn next(self) -> Self {
        let at = Self::ALL.iter().position(|&kind| kind == self);
        Self::ALL[(at.unwrap_or(0) + 1) % Self::ALL.len()]
    }
}

/// Whether maps share one scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// One for all classes.
    Common,
    /// Each map its own.
    Own,
}

/// What the units of a layer were shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stimuli {
    /// Noise.
    Noise,
    /// Training images.
    Images,
}

/// Which pixels of a map are painted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pixels {
    /// All.
    All,
    /// Those past the threshold of significance.
    Significant,
}

/// What lies over the view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overlay {
    /// Nothing.
    None,
    /// The keys, from this line on.
    Help(usize),
    /// The palette of commands.
    Palette,
    /// Whether to stop the run.
    Stop,
}

impl State {
    /// The first look at a session.
    pub fn new(connection: Connection) -> Self {
        Self {
            view: 0,
            class: 0,
            gamma: None,
            best: Vec::new(),
            kind: MapKind::Image,
            scale: Scale::Common,
            pixels: Pixels::All,
            images: 0,
            layer: 0,
            unit: 0,
            stimuli: Stimuli::Noise,
            pattern: 0,
            weight: 5,
            target_mean: false,
            source: 0,
            // Past the end, which is the last: where an effect is largest.
            strength: usize::MAX,
            suspect: 0,
            finding: usize::MAX,
            split: 0,
            enlarged: false,
            cursor: (14, 14),
            log: None,
            overlay: Overlay::None,
            palette: Palette::default(),
            connection,
            now: 0,
            zone: TimeZone::UTC,
            size: Size {
                width: 80,
                height: 24,
            },
        }
    }

    /// The view in sight.
    pub fn view(&self) -> &'static view::View {
        &view::VIEWS[self.view.min(view::VIEWS.len() - 1)]
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
        let last = steps::images(session).checked_sub(1)?;
        let mut all = session.record.all::<ClassificationImages>();
        all.nth(self.images.min(last))
    }

    /// The γ in sight, by its place in the plan: the chosen one, else the best of the class that
    /// fills the view, else the strongest among those that show the most classes.
    pub fn gamma_in(&self, images: &ClassificationImages) -> usize {
        let last = images.gammas.len().saturating_sub(1);
        match self.gamma {
            Some(gamma) => gamma.min(last),
            None if self.enlarged => self.best_gamma(images, self.class),
            None => choice::showing_most(images),
        }
    }

    /// The γ that shows a class best, by its place in the plan.
    pub fn best_gamma(&self, images: &ClassificationImages, class: usize) -> usize {
        let kept = self.best.get(class).copied();
        choice::best(images, class, kept)
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

    /// Whether an engine is at work on this session and takes commands.
    pub fn engine_runs(&self, session: &Session) -> bool {
        self.connection == Connection::Live
            && !session.run.as_ref().is_some_and(|run| run.phase.is_over())
    }

    /// Whether a new engine could go on with this session: none can be reached, and the plan is
    /// not done.
    pub fn can_resume(&self, session: &Session) -> bool {
        let away = matches!(self.connection, Connection::Lost(_) | Connection::ReadOnly);
        away && !is_finished(session)
    }
}

/// Whether everything in the plan is done.
pub fn is_finished(session: &Session) -> bool {
    match &session.run {
        Some(run) => run.phase == Phase::Finished,
        None => session.record.state == record::State::Finished,
    }
}
