//! [`MapSet`]: one kind of map for every class, at one γ or at the best γ of each, with its values, its scale,
//! its substitute, or the reason why there is none.

mod missing;
mod paint;

use std::sync::Arc;

use self::paint::MapColours;
use crate::ids::{ClassId, Gamma};
use crate::session::Session;
use crate::session::config::{Noise, Response};
use crate::session::form::Shape;
use crate::session::record::{ClassificationImages, FedBack, GammaTrials};
use crate::stats::classification::{ClassEstimate, GammaEstimate, ImageEstimate};
use crate::stats::regression::Regression;
use crate::tui::action::KeyBindings;
use crate::tui::component::ColourComponent;
use crate::tui::form;
use crate::tui::shared::{Scale, SharedState};
use crate::tui::widget::heatmap::Ramp;

pub use self::missing::MissingMap;
pub use self::paint::Painting;
use crate::drawing::scale;
pub use crate::figure::choice::RELIABLE;

/// A kind of map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MapKind {
    /// The classification image, or the evidence image.
    #[default]
    Image,
    /// The image corrected for the noise's smoothing, if the noise smooths.
    Regression,
    /// The image divided by its standard error.
    Z,
    /// The mean noise, by decision.
    MeanNoise,
    /// The mean stimulus, by decision.
    MeanStimulus,
}

impl MapKind {
    /// The kinds of map under this noise, in the order in which a key cycles through them.
    pub fn under(noise: Noise) -> &'static [Self] {
        const ALL: [MapKind; 5] = [
            MapKind::Image,
            MapKind::Z,
            MapKind::MeanNoise,
            MapKind::MeanStimulus,
            MapKind::Regression,
        ];
        if noise.has_coefficients() {
            &ALL
        } else {
            &ALL[..4]
        }
    }

    /// Whether the map depends on the response shown, and exists for pairs of classes.
    pub fn is_of_response(self) -> bool {
        matches!(self, Self::Image | Self::Z | Self::Regression)
    }

    /// The kind's name, given the response.
    pub fn label_of(self, response: Response) -> &'static str {
        match self {
            Self::Image => response.image_label(),
            Self::Regression => "regression",
            Self::Z => "z map",
            Self::MeanNoise => "mean noise",
            Self::MeanStimulus => "mean stimulus",
        }
    }

    /// The next kind under this noise.
    pub fn next(self, noise: Noise) -> Self {
        let all = Self::under(noise);
        let index = all.iter().position(|&kind| kind == self);
        all[(index.unwrap_or(0) + 1) % all.len()]
    }
}

/// One kind of map, for every class.
#[derive(Debug, Clone)]
pub struct MapSet<'a> {
    /// The sums at the γ shown.
    pub trials: &'a GammaTrials,
    /// The estimates from them.
    pub estimate: Arc<GammaEstimate>,
    /// Each class's sums, at the γ chosen for it, and the estimates from them.
    by_class: Vec<(&'a GammaTrials, Arc<GammaEstimate>)>,
    /// The kind of map.
    pub kind: MapKind,
    /// The response that the image and its z map are based on.
    pub response: Response,
    /// The class that all others are compared with; `None`: each class alone.
    pub versus: Option<ClassId>,
    /// The comparison of each class with that one.
    pairs: Vec<Option<ImageEstimate>>,
    /// The component shown of several channels.
    component: ColourComponent,
    scale: Scale,
    /// The key bindings, for messages that name keys.
    keys: KeyBindings,
    session: &'a Session,
    colours: MapColours,
}

impl<'a> MapSet<'a> {
    /// Every class at one γ, by its index in the plan; `None` if the plan has no such γ.
    pub fn new(
        session: &'a Session,
        images: &'a ClassificationImages,
        shared: &SharedState,
        kind: MapKind,
        gamma_index: usize,
    ) -> Option<Self> {
        Self::with_gammas(
            session,
            images,
            (gamma_index, |_| gamma_index),
            shared,
            kind,
        )
    }

    /// Each class at its best γ, unless the viewer has chosen one for all.
    pub fn best(
        session: &'a Session,
        images: &'a ClassificationImages,
        shared: &SharedState,
        kind: MapKind,
    ) -> Option<Self> {
        let index_of = |class| shared.gamma_index_of(images, class);
        let in_sight = shared.gamma_index_of_all(images);
        Self::with_gammas(session, images, (in_sight, index_of), shared, kind)
    }

    /// A lens from the index of the γ shown, and a function giving that of each class.
    fn with_gammas(
        session: &'a Session,
        images: &'a ClassificationImages,
        (in_sight, index_of): (usize, impl Fn(ClassId) -> usize),
        shared: &SharedState,
        kind: MapKind,
    ) -> Option<Self> {
        let trials = images.gammas.get(in_sight)?;
        let for_class = |class| {
            let trials = images.gammas.get(index_of(class)).unwrap_or(trials);
            (trials, trials.estimate())
        };
        let mut lens = Self {
            trials,
            estimate: trials.estimate(),
            by_class: ClassId::all(trials.classes()).map(for_class).collect(),
            kind: match MapKind::under(trials.kind).contains(&kind) {
                true => kind,
                false => MapKind::Image,
            },
            response: shared.current_response(images),
            versus: None,
            pairs: Vec::new(),
            component: shared.component.within(trials.shape()[0]),
            scale: shared.scale,
            keys: shared.keys,
            session,
            colours: MapColours::default(),
        };
        // If all classes use the same γ, that is the one shown.
        if let Some((trials, estimate)) = lens.by_class.first().filter(|_| !lens.is_mixed()) {
            (lens.trials, lens.estimate) = (trials, Arc::clone(estimate));
        }
        if lens.response == Response::Evidence {
            lens.compare_with(shared.versus);
        }
        lens.colours = MapColours::of(&lens);
        Some(lens)
    }

    /// Compares every class with another one.
    fn compare_with(&mut self, versus: Option<ClassId>) {
        let Some(other) = versus.filter(|&other| other.0 < self.classes()) else {
            return;
        };
        let shape = self.shape();
        let each = ClassId::all(self.classes()).zip(&self.by_class);
        self.pairs = each
            .map(|(class, (trials, estimate))| {
                let (errors, shown) = (trials.errors(), trials.trials);
                estimate.class_difference(class, other, shape, errors, shown)
            })
            .collect();
        self.versus = Some(other);
    }

    /// Whether the classes are shown at different γ.
    pub fn is_mixed(&self) -> bool {
        let mut others = self.by_class.iter().map(|(trials, _)| trials.gamma);
        let first = others.next();
        others.any(|gamma| Some(gamma) != first)
    }

    /// Height and width of a map in pixels.
    pub fn size(&self) -> (usize, usize) {
        self.trials.size()
    }

    /// Channels, rows and columns of a map.
    pub fn shape(&self) -> Shape {
        self.trials.shape()
    }

    /// The short name of a class.
    pub fn name(&self, class: ClassId) -> String {
        form::class_name(self.session, class)
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.by_class.len()
    }

    /// The estimates of a class.
    pub fn class(&self, class: ClassId) -> Option<&ClassEstimate> {
        self.by_class.get(class.0)?.1.classes.get(class.0)
    }

    /// The image of a class by the current response, with its quality measures.
    pub fn image(&self, class: ClassId) -> Option<&ImageEstimate> {
        if self.versus.is_some() {
            return self.pairs.get(class.0)?.as_ref();
        }
        self.class(class)?.image(self.response)
    }

    /// The map of a class corrected for the noise's smoothing, by the current response.
    pub fn regression(&self, class: ClassId) -> Option<&Regression> {
        self.image(class)?.regression.as_ref()
    }

    /// The image of a class if its quality measures describe the map shown; `None` for a regression, which
    /// has its own.
    pub fn image_of_shown_map(&self, class: ClassId) -> Option<&ImageEstimate> {
        self.image(class)
            .filter(|_| self.kind != MapKind::Regression)
    }

    /// The reliability of the map shown.
    pub fn reliability(&self, class: ClassId) -> Option<f64> {
        match self.kind {
            MapKind::Regression => self.regression(class)?.reliability,
            _ => self.image(class)?.reliability,
        }
    }

    /// The suffix for an image or z map of pairs: `rather than 9`, as in `evidence for each class rather than
    /// 9`.
    pub fn rather_than(&self) -> Option<String> {
        let other = self.name(self.versus?);
        let of_pairs = self.kind.is_of_response();
        of_pairs.then(|| format!("rather than {other}"))
    }

    /// The sums of a class, at the γ chosen for it.
    pub fn trials_of(&self, class: ClassId) -> Option<&'a GammaTrials> {
        self.by_class.get(class.0).map(|(trials, _)| *trials)
    }

    /// The estimates at the γ chosen for a class.
    pub fn estimate_of(&self, class: ClassId) -> &GammaEstimate {
        match self.by_class.get(class.0) {
            Some((_, estimate)) => estimate,
            None => &self.estimate,
        }
    }

    /// The γ at which a class is shown.
    pub fn gamma_of(&self, class: ClassId) -> Option<Gamma> {
        self.by_class.get(class.0).map(|(trials, _)| trials.gamma)
    }

    /// The network's decision on the mean stimulus of a class, or on its evidence image.
    pub fn fed_back(&self, class: ClassId) -> Option<FedBack> {
        let trials = self.by_class.get(class.0)?.0;
        if self.versus.is_some() || self.kind == MapKind::Regression {
            return None;
        }
        *match self.response {
            Response::Decision => trials.fed_back.get(class.0)?,
            Response::Evidence => trials.evidence_fed_back.get(class.0)?,
        }
    }

    /// Whether the mean stimulus replaces the classification image or z map of a class, which has too few
    /// trials; any trial gives one. It has its own grey scale.
    pub fn shows_substitute(&self, class: ClassId) -> bool {
        let stands_in = self.kind.is_of_response() && self.versus.is_none();
        let stimulus = |estimate: &ClassEstimate| estimate.mean_stimulus.is_some();
        stands_in && self.values(class).is_none() && self.class(class).is_some_and(stimulus)
    }

    /// The map of a class with all its channels, \[c·h·w\].
    pub fn values(&self, class: ClassId) -> Option<&[f32]> {
        match self.kind {
            MapKind::Image => Some(&self.image(class)?.image),
            MapKind::Regression => Some(&self.regression(class)?.image),
            MapKind::Z => Some(&self.image(class)?.z),
            MapKind::MeanNoise => self.class(class)?.mean_noise.as_deref(),
            MapKind::MeanStimulus => self.class(class)?.mean_stimulus.as_deref(),
        }
    }

    /// The colour ramp of a class's map.
    pub fn ramp(&self, class: ClassId) -> Ramp {
        match self.scale {
            Scale::Common if !self.colours.is_apart(class) => self.common_ramp(),
            Scale::Common | Scale::Own => self.colours.own_ramp(class),
        }
    }

    /// The label of a map that does not use the common scale: where its own scale ends.
    pub fn own_scale(&self, class: ClassId) -> Option<String> {
        self.values(class)?;
        let apart = self.scale == Scale::Own || self.colours.is_apart(class);
        match self.ramp(class) {
            Ramp::Diverging { limit, .. } if apart => Some(scale::limit_label(limit)),
            _ => None,
        }
    }

    /// The scale that classes share.
    pub fn common_ramp(&self) -> Ramp {
        self.colours.common
    }

    /// The component shown of several channels, in words; `None` if there is one channel.
    pub fn channels_in_words(&self) -> Option<String> {
        let channels = self.shape()[0];
        match self.kind {
            MapKind::MeanStimulus if channels == 3 => Some("in colour".into()),
            _ => self.component.label(channels),
        }
    }

    /// The classes with their own scale while the others share one, in words: `8 on its own`.
    pub fn exceptions(&self) -> Option<String> {
        if self.scale == Scale::Own {
            return None;
        }
        let apart = ClassId::all(self.classes()).filter(|&class| self.colours.is_apart(class));
        let names: Vec<String> = apart.map(|class| self.name(class)).collect();
        let numbered = names.iter().all(|name| name.parse::<usize>().is_ok());
        let pronoun = if names.len() == 1 { "its" } else { "their" };
        match names.len() {
            0 => None,
            1..=4 => {
                let names = names.join(if numbered { " " } else { ", " });
                Some(format!("{names} on {pronoun} own"))
            }
            many => Some(format!("{many} on {pronoun} own")),
        }
    }

    /// The class that every trial was called, if there is one.
    pub fn class_of_all_decisions(&self) -> Option<ClassId> {
        let all = self.estimate.trials;
        let classes = self.estimate.classes.iter();
        classes
            .map(|class| class.called)
            .position(|called| all > 0 && called == all)
            .map(ClassId)
    }

    /// Whether one of several channels is shown alone.
    pub fn is_one_channel(&self) -> bool {
        matches!(self.component, ColourComponent::Channel(_))
    }

    /// Whether some value exceeds its scale.
    pub fn is_clipped(&self) -> bool {
        let past = |class| {
            let ramp = self.ramp(class);
            ramp != self.colours.own_ramp(class)
                && paint::is_past(ramp, self.colours.plane(self, class).as_deref())
        };
        self.scale == Scale::Common && ClassId::all(self.classes()).any(past)
    }
}
