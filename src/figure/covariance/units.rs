//! The units whose covariance has been analysed, and how far each lies outside chance.

use crate::format::signed;
use crate::session::Session;
use crate::session::config::{self, Analysis};
use crate::session::record::{Covariance, SpikeTriggered};

/// A unit whose covariance has been analysed.
pub struct CovarianceUnit<'a> {
    pub covariance: &'a Covariance,
    /// The smallest and largest eigenvalue explained by chance.
    pub chance: (f64, f64),
    /// Its spike-triggered average.
    pub average: Option<Vec<f32>>,
    pub plan: Option<&'a config::SpikeTriggered>,
    /// The noise it was shown, if it differs between the units of the layer.
    pub own_noise: Option<&'static str>,
}

impl CovarianceUnit<'_> {
    pub fn is_outside(&self, value: f64) -> bool {
        value < self.chance.0 || value > self.chance.1
    }

    /// The number of eigenvalues outside chance.
    fn outside(&self) -> usize {
        let all = self.covariance.eigenvalues.iter();
        all.filter(|value| self.is_outside(**value)).count()
    }

    /// How far the eigenvalues lie outside chance, relative to its range.
    fn reach(&self) -> f64 {
        let (low, high) = self.chance;
        let all = &self.covariance.eigenvalues;
        let ends = all.first().zip(all.last());
        let beyond = ends.map_or(0.0, |(first, last)| (low - first).max(last - high));
        beyond / (high - low).max(f64::MIN_POSITIVE)
    }

    /// Its axes with their eigenvalues, the largest first.
    pub fn axes(&self) -> impl Iterator<Item = (f64, &[f32])> {
        let pixels = self.covariance.field().iter().product::<usize>().max(1);
        let maps = self.covariance.axes.values().chunks_exact(pixels);
        self.covariance.significant.iter().copied().zip(maps)
    }

    pub fn name(&self) -> String {
        let unit = self.covariance.unit.unit;
        match self.own_noise {
            Some(noise) => format!("unit {unit}, {noise} noise"),
            None => format!("unit {unit}"),
        }
    }

    /// The noise it was shown.
    pub fn noise(&self) -> Option<&'static str> {
        self.plan.map(|plan| plan.noise.label())
    }

    /// A summary: `3 of 196 eigenvalues outside chance, −0.01 to +0.02`.
    pub fn summary(&self) -> String {
        let (low, high) = self.chance;
        let all = self.covariance.eigenvalues.len();
        let range = format!("{} to {}", signed(low), signed(high));
        match self.outside() {
            0 => format!("none of {all} eigenvalues outside chance, {range}"),
            outside => format!("{outside} of {all} eigenvalues outside chance, {range}"),
        }
    }
}

/// The units of a layer whose covariance is known, those farthest outside chance first.
pub fn units<'a>(session: &'a Session, layer: &str) -> Vec<CovarianceUnit<'a>> {
    let unit = |(index, spikes): (usize, &'a SpikeTriggered)| {
        let covariance = spikes.covariance.as_ref()?;
        if covariance.unit.layer != layer || covariance.eigenvalues.is_empty() {
            return None;
        }
        let responses = spikes
            .layers
            .iter()
            .find(|responses| responses.name == layer);
        let average = responses
            .and_then(|responses| responses.estimate().sta.get(covariance.unit.unit)?.clone());
        let pixels: usize = covariance.field().iter().product();
        let plan = match session.config.analyses.get(index) {
            Some(Analysis::SpikeTriggered(plan)) => Some(plan),
            _ => None,
        };
        Some(CovarianceUnit {
            covariance,
            chance: covariance.shuffled?,
            average: average.filter(|map| map.len() == pixels),
            plan,
            own_noise: None,
        })
    };
    let all = session.record.all::<SpikeTriggered>();
    let mut units: Vec<CovarianceUnit<'a>> = all.filter_map(unit).collect();
    units.sort_by(|a, b| b.reach().total_cmp(&a.reach()));
    if units
        .windows(2)
        .any(|pair| pair[0].noise() != pair[1].noise())
    {
        let units = units.iter_mut();
        units.for_each(|unit| unit.own_noise = unit.noise());
    }
    units
}
