//! The maps of two sessions compared, at one γ and for one response.

use std::sync::Arc;

use super::SessionPair;
use crate::format;
use crate::ids::{ClassId, Gamma};
use crate::session::Session;
use crate::session::config::{Noise, Response};
use crate::session::form::Shape;
use crate::session::record::GammaTrials;
use crate::stats::classification::{GammaEstimate, ImageEstimate};
use crate::stats::comparison::{MapDifference, SignificanceBounds, difference};

/// The maps of two sessions at one γ, compared class by class.
#[derive(Debug, Clone)]
pub struct MapComparison {
    /// The signal strength.
    pub gamma: Gamma,
    /// The response that the maps are made by.
    pub response: Response,
    /// The estimate from each session's trials.
    pub estimates: [Arc<GammaEstimate>; 2],
    /// Channels, rows and columns of a map.
    pub shape: Shape,
    /// The bounds beyond which pixels differ significantly.
    pub bounds: SignificanceBounds,
    /// The trials that the maps of each session are made of.
    pub trials: [u64; 2],
    /// Whether the evidence of both is centred within the same groups of trials: above γ = 0 these are the classes that
    /// have maps, and the others together. If not, the maps may differ for that alone.
    pub same_centring: bool,
    /// Whether both were shown the same noise: PCA noise is made from each session's own training images. If not, the
    /// maps may differ for that alone.
    pub same_noise: bool,
    /// The difference of the two maps for every class, \[K\]; `None` unless both have one.
    pub classes: Vec<Option<MapDifference>>,
    /// Whether each has too few trials for any evidence image.
    lacks_trials: [bool; 2],
}

/// Totals over all classes that have maps in both sessions.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ComparisonTotals {
    /// Classes.
    pub maps: usize,
    /// Pixels tested.
    pub tested: usize,
    /// Pixels beyond the bound for a single map.
    pub significant: usize,
    /// Pixels beyond the bound for all maps together.
    pub beyond: usize,
    /// Mean over classes of the correlation of the two maps; `None` if there is none.
    pub correlation: Option<f64>,
}

impl ComparisonTotals {
    /// The share of pixels beyond the bound for all maps; `None` if none was tested.
    pub fn share(&self) -> Option<f64> {
        (self.tested > 0).then(|| self.beyond as f64 / self.tested as f64)
    }
}

impl MapComparison {
    /// Compares at the γ with index `place` in the pair.
    ///
    /// # Panics
    /// If there is no such γ.
    pub fn new(pair: &SessionPair<'_>, place: usize, response: Response) -> Self {
        let common = pair.gammas[place];
        let estimates = common.trials.map(GammaTrials::estimate);
        let shape = common.trials[0].shape();
        let errors = common.trials[0].errors();
        let [first, second] = common.trials;
        let centred = response == Response::Evidence && common.gamma > Gamma::NOISE;
        let mut compared = Self {
            trials: common.trials.map(|trials| trials.trials_of(response)),
            same_centring: !centred || pooled_classes(first) == pooled_classes(second),
            same_noise: pair.plans[0].noise != Noise::Pca || !differ_in_images(pair.sessions),
            gamma: common.gamma,
            response,
            shape,
            bounds: SignificanceBounds::new(1, shape.iter().product()),
            classes: Vec::new(),
            lacks_trials: common.trials.map(GammaTrials::lacks_trials_for_evidence),
            estimates,
        };
        let classes = common.trials[0].classes();
        let maps = ClassId::all(classes).filter(|&class| compared.maps(class).is_some());
        compared.bounds = SignificanceBounds::new(maps.count(), shape.iter().product());
        let of_class = |class| difference(compared.maps(class)?, shape, errors, compared.bounds);
        compared.classes = ClassId::all(classes).map(of_class).collect();
        compared
    }

    /// Cautions if the maps differ in more than the networks.
    pub fn cautions(&self) -> impl Iterator<Item = &'static str> {
        let cautions = [
            (
                self.same_noise,
                "the PCA noise of each is made from its own training images, which differ: the maps depend on it",
            ),
            (
                self.same_centring,
                "the plans have maps of other classes: above γ 0 evidence depends on which",
            ),
        ];
        let cautions = cautions.into_iter().filter(|(is_same, _)| !is_same);
        cautions.map(|(_, words)| words)
    }

    /// The two maps of a class; `None` unless both have one.
    pub fn maps(&self, class: ClassId) -> Option<[&ImageEstimate; 2]> {
        Some([self.map(0, class)?, self.map(1, class)?])
    }

    /// The map of a class in one of the sessions.
    pub fn map(&self, session: usize, class: ClassId) -> Option<&ImageEstimate> {
        let estimate = self.estimates[session].classes.get(class.0)?;
        estimate.image(self.response)
    }

    /// The reliability of the more reliable of a class's two maps.
    pub fn reliability(&self, class: ClassId) -> Option<f64> {
        let both = [0, 1].map(|session| self.map(session, class)?.reliability);
        both.into_iter().flatten().reduce(f64::max)
    }

    /// Classes that have maps in both, ascending, with their difference.
    pub fn differences(&self) -> impl Iterator<Item = (ClassId, &MapDifference)> {
        let classes = ClassId::all(self.classes.len()).zip(&self.classes);
        classes.filter_map(|(class, difference)| Some((class, difference.as_ref()?)))
    }

    /// Why a class has no map in one of the sessions; `None` if it has one.
    pub fn missing_reason(&self, session: usize, class: ClassId) -> Option<String> {
        if self.map(session, class).is_some() {
            return None;
        }
        let estimate = &self.estimates[session];
        let of_class = estimate.classes.get(class.0)?;
        Some(match self.response {
            _ if !of_class.listed => "not in its plan".into(),
            Response::Evidence if self.lacks_trials[session] => "too few trials".into(),
            Response::Evidence => "constant output".into(),
            Response::Decision => {
                format!("too few, called {}", format::count(of_class.called as f64))
            }
        })
    }

    /// The totals over all classes.
    pub fn totals(&self) -> ComparisonTotals {
        let mut totals = ComparisonTotals::default();
        let mut correlations = Vec::new();
        for (_, difference) in self.differences() {
            totals.maps += 1;
            totals.tested += difference.tested;
            totals.significant += difference.significant;
            totals.beyond += difference.significant_in_all;
            correlations.extend(difference.correlation);
        }
        let count = correlations.len();
        totals.correlation =
            (count > 0).then(|| correlations.into_iter().sum::<f64>() / count as f64);
        totals
    }
}

/// Whether the training images of two sessions are known to differ; those of earlier versions have no fingerprint.
fn differ_in_images(sessions: [&Session; 2]) -> bool {
    let [first, second] = sessions.map(|session| session.record.inputs.last());
    first
        .zip(second)
        .is_some_and(|(first, second)| first.train != second.train)
}

/// The classes whose trials form one group by which evidence is centred above γ = 0: those without maps, if there are
/// several. Every other class is a group of its own.
fn pooled_classes(trials: &GammaTrials) -> Vec<ClassId> {
    let all = ClassId::all(trials.classes());
    let rest: Vec<ClassId> = all.filter(|class| !trials.listed.contains(class)).collect();
    match rest.len() {
        0 | 1 => Vec::new(),
        _ => rest,
    }
}
