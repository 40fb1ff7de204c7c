//! What the maps of two sessions at one γ, by one response, say of each other.

use std::sync::Arc;

use super::Pair;
use crate::format;
use crate::session::config::Response;
use crate::session::form::Shape;
use crate::session::record::GammaTrials;
use crate::stats::classification::{Estimate, ImageEstimate};
use crate::stats::comparison::{Bounds, Difference, difference};

/// The maps of two sessions at one γ, compared class by class.
#[derive(Debug, Clone)]
pub struct Compared {
    /// The signal strength.
    pub gamma: f64,
    /// What trials are taken to say.
    pub response: Response,
    /// What the trials of each session say.
    pub estimates: [Arc<Estimate>; 2],
    /// Channels, rows and columns of a map.
    pub shape: Shape,
    /// The bounds past which pixels differ.
    pub bounds: Bounds,
    /// The difference of the maps of every class, \[K\]; `None` where not both have one.
    pub classes: Vec<Option<Difference>>,
    least: [u64; 2],
}

/// Sums over all classes that have maps in both.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Totals {
    /// Classes.
    pub maps: usize,
    /// Pixels tested.
    pub tested: usize,
    /// Pixels past the bound of one map.
    pub significant: usize,
    /// Pixels past the bound of all maps.
    pub beyond: usize,
    /// Mean over classes of the correlation of the two maps; `None` without any.
    pub correlation: Option<f64>,
}

impl Totals {
    /// The share of pixels past the bound of all maps; `None` where none was tested.
    pub fn share(&self) -> Option<f64> {
        (self.tested > 0).then(|| self.beyond as f64 / self.tested as f64)
    }
}

impl Compared {
    /// Compares at a place among the γ of the pair.
    ///
    /// # Panics
    /// Where there is no such place.
    pub fn new(pair: &Pair<'_>, place: usize, response: Response) -> Self {
        let own = pair.gammas[place];
        let estimates = own.trials.map(GammaTrials::estimate);
        let shape = own.trials[0].shape();
        let errors = own.trials[0].errors();
        let mut it = Self {
            gamma: own.gamma,
            response,
            shape,
            bounds: Bounds::new(1, shape.iter().product()),
            classes: Vec::new(),
            least: own.trials.map(|trials| trials.min_trials),
            estimates,
        };
        let classes = own.trials[0].classes();
        let maps = (0..classes).filter(|&class| it.maps(class).is_some());
        it.bounds = Bounds::new(maps.count(), shape.iter().product());
        let of_class = |class| difference(it.maps(class)?, shape, errors, it.bounds);
        it.classes = (0..classes).map(of_class).collect();
        it
    }

    /// The maps of a class; `None` where not both have one.
    pub fn maps(&self, class: usize) -> Option<[&ImageEstimate; 2]> {
        Some([self.map(0, class)?, self.map(1, class)?])
    }

    /// The map of a class in one of the sessions.
    pub fn map(&self, session: usize, class: usize) -> Option<&ImageEstimate> {
        let own = self.estimates[session].classes.get(class)?;
        own.image(self.response)
    }

    /// How reliable the better of the two maps of a class is.
    pub fn reliability(&self, class: usize) -> Option<f64> {
        let own = [0, 1].map(|session| self.map(session, class)?.reliability);
        own.into_iter().flatten().reduce(f64::max)
    }

    /// Classes that have maps in both, ascending.
    pub fn there(&self) -> impl Iterator<Item = (usize, &Difference)> {
        let classes = self.classes.iter().enumerate();
        classes.filter_map(|(class, own)| Some((class, own.as_ref()?)))
    }

    /// Why a class has no map in one of the sessions; `None` where it has one.
    pub fn lacks(&self, session: usize, class: usize) -> Option<String> {
        if self.map(session, class).is_some() {
            return None;
        }
        let estimate = &self.estimates[session];
        let own = estimate.classes.get(class)?;
        Some(match self.response {
            _ if !own.listed => "not in its plan".into(),
            Response::Evidence if estimate.trials < self.least[session] => "too few trials".into(),
            Response::Evidence => "constant output".into(),
            Response::Decision => format!("too few, called {}", format::count(own.called as f64)),
        })
    }

    /// The sums over all classes.
    pub fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        let mut correlations = Vec::new();
        for (_, own) in self.there() {
            totals.maps += 1;
            totals.tested += own.tested;
            totals.significant += own.significant;
            totals.beyond += own.beyond;
            correlations.extend(own.correlation);
        }
        let count = correlations.len();
        totals.correlation =
            (count > 0).then(|| correlations.into_iter().sum::<f64>() / count as f64);
        totals
    }
}
