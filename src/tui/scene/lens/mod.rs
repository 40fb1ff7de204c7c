//! One kind of map for every class, at one γ or at the best of each: its values, its scale, what
//! stands in for it, or why there is none.

mod missing;
mod paint;

use std::sync::Arc;

use self::paint::Paints;
use crate::session::Session;
use crate::session::config::{Noise, Response};
use crate::session::form::Shape;
use crate::session::record::{ClassificationImages, FedBack, GammaTrials};
use crate::stats::classification::{ClassEstimate, Estimate, ImageEstimate};
use crate::stats::regression::Regression;
use crate::tui::action::Keys;
use crate::tui::form;
use crate::tui::look::Look;
use crate::tui::shared::{Scale, Shared};
use crate::tui::widget::heatmap::Ramp;

pub use self::missing::Missing;
pub use self::paint::Painting;
use crate::drawing::scale;
pub use crate::figure::choice::RELIABLE;

/// What the maps show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MapKind {
    /// The classification image, or the evidence image.
    #[default]
    Image,
    /// It without the noise's smoothing, where the noise smooths.
    Regression,
    /// It over its standard error.
    Z,
    /// Mean of the noise by decision.
    MeanNoise,
    /// Mean of the stimuli by decision.
    MeanStimulus,
}

impl MapKind {
    /// The kinds that maps under this noise have, in the order in which a key goes through them.
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

    /// Whether it is one of what the network responds, by a response and of one class or a pair.
    pub fn is_of_response(self) -> bool {
        matches!(self, Self::Image | Self::Z | Self::Regression)
    }

    /// The kind's name, by this response.
    pub fn label_of(self, response: Response) -> &'static str {
        match self {
            Self::Image => response.image_label(),
            Self::Regression => "regression",
            Self::Z => "z map",
            Self::MeanNoise => "mean noise",
            Self::MeanStimulus => "mean stimulus",
        }
    }

    /// The kind after this one, under this noise.
    pub fn next(self, noise: Noise) -> Self {
        let all = Self::under(noise);
        let at = all.iter().position(|&kind| kind == self);
        all[(at.unwrap_or(0) + 1) % all.len()]
    }
}

/// One kind of map, for every class.
#[derive(Debug, Clone)]
pub struct Lens<'a> {
    /// The sums at the γ in sight.
    pub trials: &'a GammaTrials,
    /// What they say.
    pub estimate: Arc<Estimate>,
    /// The sums that each class is seen in, and what they say.
    each: Vec<(&'a GammaTrials, Arc<Estimate>)>,
    /// The kind of map.
    pub kind: MapKind,
    /// What trials are taken to say in the image and its z map.
    pub response: Response,
    /// The class that every other is told from; `None`: each is seen by itself.
    pub versus: Option<usize>,
    /// What tells every class from that one.
    pairs: Vec<Option<ImageEstimate>>,
    /// What is looked at of several channels.
    look: Look,
    scale: Scale,
    /// What keys do, for what is said of them.
    keys: Keys,
    session: &'a Session,
    paints: Paints,
}

impl<'a> Lens<'a> {
    /// Every class at one γ, by its place in the plan; `None` where the plan has none.
    pub fn new(
        session: &'a Session,
        images: &'a ClassificationImages,
        shared: &Shared,
        kind: MapKind,
        gamma: usize,
    ) -> Option<Self> {
        Self::at(session, images, (gamma, |_| gamma), shared, kind)
    }

    /// Each class at the γ that shows it best, unless the viewer has chosen one for all.
    pub fn best(
        session: &'a Session,
        images: &'a ClassificationImages,
        shared: &Shared,
        kind: MapKind,
    ) -> Option<Self> {
        let of_class = |class| shared.gamma_of(images, class);
        let in_sight = shared.gamma_of_all(images);
        Self::at(session, images, (in_sight, of_class), shared, kind)
    }

    /// The γ in sight, and that of every class, by their places in the plan.
    fn at(
        session: &'a Session,
        images: &'a ClassificationImages,
        (in_sight, gamma): (usize, impl Fn(usize) -> usize),
        shared: &Shared,
        kind: MapKind,
    ) -> Option<Self> {
        let trials = images.gammas.get(in_sight)?;
        let of_class = |class| {
            let trials = images.gammas.get(gamma(class)).unwrap_or(trials);
            (trials, trials.estimate())
        };
        let mut lens = Self {
            trials,
            estimate: trials.estimate(),
            each: (0..trials.classes()).map(of_class).collect(),
            kind: match MapKind::under(trials.kind).contains(&kind) {
                true => kind,
                false => MapKind::Image,
            },
            response: shared.response_in(images),
            versus: None,
            pairs: Vec::new(),
            look: shared.look.within(trials.shape()[0]),
            scale: shared.scale,
            keys: shared.keys,
            session,
            paints: Paints::default(),
        };
        // Where all classes agree, that γ is the one in sight.
        if let Some((trials, estimate)) = lens.each.first().filter(|_| !lens.is_mixed()) {
            (lens.trials, lens.estimate) = (trials, Arc::clone(estimate));
        }
        if lens.response == Response::Evidence {
            lens.tell_from(shared.versus);
        }
        lens.paints = Paints::of(&lens);
        Some(lens)
    }

    /// Sees every class beside another one.
    fn tell_from(&mut self, versus: Option<usize>) {
        let Some(other) = versus.filter(|&other| other < self.classes()) else {
            return;
        };
        let shape = self.shape();
        let each = self.each.iter().enumerate();
        self.pairs = each
            .map(|(class, (trials, estimate))| estimate.pair(class, other, shape, trials.errors()))
            .collect();
        self.versus = Some(other);
    }

    /// Whether classes are seen at different γ.
    pub fn is_mixed(&self) -> bool {
        let mut others = self.each.iter().map(|(trials, _)| trials.gamma);
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

    /// What a class is called where it is clear that a class is meant.
    pub fn name(&self, class: usize) -> String {
        form::name(self.session, class)
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.each.len()
    }

    /// What the trials say of a class.
    pub fn class(&self, class: usize) -> Option<&ClassEstimate> {
        self.each.get(class)?.1.classes.get(class)
    }

    /// The image of a class by the response in sight, and what it is worth.
    pub fn image(&self, class: usize) -> Option<&ImageEstimate> {
        if self.versus.is_some() {
            return self.pairs.get(class)?.as_ref();
        }
        self.class(class)?.image(self.response)
    }

    /// The map of a class without the noise's smoothing, by the response in sight.
    pub fn regression(&self, class: usize) -> Option<&Regression> {
        self.image(class)?.regression.as_ref()
    }

    /// The image of a class where the figures told of it are those of the map in sight: a regression has others.
    pub fn judged(&self, class: usize) -> Option<&ImageEstimate> {
        self.image(class)
            .filter(|_| self.kind != MapKind::Regression)
    }

    /// How reliable the map in sight is.
    pub fn reliability(&self, class: usize) -> Option<f64> {
        match self.kind {
            MapKind::Regression => self.regression(class)?.reliability,
            _ => self.image(class)?.reliability,
        }
    }

    /// What is shown where it is the image or its z map: `evidence for each class rather than 9`.
    pub fn rather_than(&self) -> Option<String> {
        let other = self.name(self.versus?);
        let of_pairs = self.kind.is_of_response();
        of_pairs.then(|| format!("rather than {other}"))
    }

    /// The sums that a class is seen in.
    pub fn trials_of(&self, class: usize) -> Option<&'a GammaTrials> {
        self.each.get(class).map(|(trials, _)| *trials)
    }

    /// The γ that a class is seen at.
    pub fn gamma_of(&self, class: usize) -> Option<f64> {
        self.each.get(class).map(|(trials, _)| trials.gamma)
    }

    /// What the network calls the mean stimulus of a class, or its evidence image.
    pub fn fed_back(&self, class: usize) -> Option<FedBack> {
        let trials = self.each.get(class)?.0;
        if self.versus.is_some() || self.kind == MapKind::Regression {
            return None;
        }
        *match self.response {
            Response::Decision => trials.fed_back.get(class)?,
            Response::Evidence => trials.evidence_fed_back.get(class)?,
        }
    }

    /// Whether a class that has too few trials for a classification image or its z map is shown by
    /// its mean stimulus, which any trial gives, on a grey scale of its own.
    pub fn stands_in(&self, class: usize) -> bool {
        let stands_in = self.kind.is_of_response() && self.versus.is_none();
        let stimulus = |own: &ClassEstimate| own.mean_stimulus.is_some();
        stands_in && self.values(class).is_none() && self.class(class).is_some_and(stimulus)
    }

    /// The map of a class, all its channels: \[c·h·w\].
    pub fn values(&self, class: usize) -> Option<&[f32]> {
        match self.kind {
            MapKind::Image => Some(&self.image(class)?.image),
            MapKind::Regression => Some(&self.regression(class)?.image),
            MapKind::Z => Some(&self.image(class)?.z),
            MapKind::MeanNoise => self.class(class)?.mean_noise.as_deref(),
            MapKind::MeanStimulus => self.class(class)?.mean_stimulus.as_deref(),
        }
    }

    /// How the values of a class become colours.
    pub fn ramp(&self, class: usize) -> Ramp {
        match self.scale {
            Scale::Common if !self.paints.is_apart(class) => self.common_ramp(),
            Scale::Common | Scale::Own => self.paints.own_ramp(class),
        }
    }

    /// What a map that does not share the common scale says on itself: where its own ends.
    pub fn own_scale(&self, class: usize) -> Option<String> {
        self.values(class)?;
        let apart = self.scale == Scale::Own || self.paints.is_apart(class);
        match self.ramp(class) {
            Ramp::Diverging { limit, .. } if apart => Some(scale::said(limit)),
            _ => None,
        }
    }

    /// The scale that classes share.
    pub fn common_ramp(&self) -> Ramp {
        self.paints.common
    }

    /// What is shown of several channels, in words; `None` where there is one.
    pub fn channels_in_words(&self) -> Option<String> {
        let channels = self.shape()[0];
        match self.kind {
            MapKind::MeanStimulus if channels == 3 => Some("in colour".into()),
            _ => self.look.label(channels),
        }
    }

    /// The classes that have a scale of their own beside the common one, in words: `8 on its own`.
    pub fn exceptions(&self) -> Option<String> {
        if self.scale == Scale::Own {
            return None;
        }
        let apart = (0..self.classes()).filter(|&class| self.paints.is_apart(class));
        let names: Vec<String> = apart.map(|class| self.name(class)).collect();
        let numbered = names.iter().all(|name| name.parse::<usize>().is_ok());
        let whose = if names.len() == 1 { "its" } else { "their" };
        match names.len() {
            0 => None,
            1..=4 => {
                let names = names.join(if numbered { " " } else { ", " });
                Some(format!("{names} on {whose} own"))
            }
            many => Some(format!("{many} on {whose} own")),
        }
    }

    /// The class that every trial was called, if one was.
    pub fn takes_all(&self) -> Option<usize> {
        let all = self.estimate.trials;
        let classes = self.estimate.classes.iter();
        classes
            .map(|own| own.called)
            .position(|called| all > 0 && called == all)
    }

    /// Whether one channel of several is looked at, and not all together.
    pub fn is_one_channel(&self) -> bool {
        matches!(self.look, Look::Channel(_))
    }

    /// Whether some value lies past the end of its scale.
    pub fn is_clipped(&self) -> bool {
        let past = |class| {
            let ramp = self.ramp(class);
            ramp != self.paints.own_ramp(class)
                && paint::is_past(ramp, self.paints.plane(self, class).as_deref())
        };
        self.scale == Scale::Common && (0..self.classes()).any(past)
    }
}
