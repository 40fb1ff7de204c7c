//! What the viewer looks at. Nothing of the run is in here: that is the [`Session`].

use jiff::tz::TimeZone;

use super::view::{self, Size};
use crate::session::Session;
use crate::session::record::ClassificationImages;

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
    /// What the maps show.
    pub kind: MapKind,
    /// Whether maps share one scale.
    pub scale: Scale,
    /// Which pixels are painted.
    pub pixels: Pixels,
    /// Whether the chosen class fills the view.
    pub enlarged: bool,
    /// Row and column of the pixel under the cursor.
    pub cursor: (usize, usize),
    /// Whether the log is shown; `None`: where there is room.
    pub log: Option<bool>,
    /// What lies over the view.
    pub overlay: Overlay,
    /// Whether the viewer has asked the engine to stop.
    pub stop_asked: bool,
    /// Whether an engine listens.
    pub engine: Engine,
    /// The clock, seconds since the Unix epoch.
    pub now: i64,
    /// The clock's zone.
    pub zone: TimeZone,
    /// The terminal.
    pub size: Size,
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
    /// Whether to stop the run, asked because the viewer wants to leave.
    Leave,
    /// Whether to stop the run, asked because the viewer wants it stopped.
    Stop,
}

/// Whether an engine listens to this viewer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// It takes commands.
    Listens,
    /// Nobody runs the session: it is only looked at.
    None,
}

impl State {
    /// The first look at a session.
    pub fn new(engine: Engine) -> Self {
        Self {
            view: 0,
            class: 0,
            gamma: None,
            kind: MapKind::Image,
            scale: Scale::Common,
            pixels: Pixels::All,
            enlarged: false,
            cursor: (14, 14),
            log: None,
            overlay: Overlay::None,
            stop_asked: false,
            engine,
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

    /// The γ in sight, by its place in the plan: the chosen one, else the strongest among those
    /// that show the most classes.
    pub fn gamma_in(&self, images: &ClassificationImages) -> usize {
        let last = images.gammas.len().saturating_sub(1);
        if let Some(gamma) = self.gamma {
            return gamma.min(last);
        }
        let shown = |trials: &crate::session::record::GammaTrials| {
            if trials.trials == 0 {
                return 0;
            }
            let estimate = trials.estimate();
            estimate.classes.iter().filter(|c| c.sufficient).count()
        };
        images
            .gammas
            .iter()
            .enumerate()
            .max_by(|(_, a), (_, b)| {
                shown(a)
                    .cmp(&shown(b))
                    .then((a.trials > 0).cmp(&(b.trials > 0)))
                    .then(a.gamma.total_cmp(&b.gamma))
            })
            .map_or(0, |(place, _)| place)
    }

    /// Whether an engine is at work on this session and takes commands.
    pub fn engine_runs(&self, session: &Session) -> bool {
        self.engine == Engine::Listens
            && !session.run.as_ref().is_some_and(|run| run.phase.is_over())
    }
}
