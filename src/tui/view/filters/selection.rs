//! [`FiltersSelection`]: a layer, one of its units, and the stimuli.

use std::borrow::Cow;

use super::order::UnitOrder;
use crate::session::record::{LayerResponses, SpikeTriggered};
use crate::stats::spike_triggered::LayerEstimate;
use crate::tui::scene::Scene;
use crate::tui::widget::heatmap::Ramp;
use crate::tui::widget::scale::round_up;

/// The stimuli that the averages are computed from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Stimuli {
    /// Noise.
    #[default]
    Noise,
    /// Training images.
    Images,
}

impl Stimuli {
    /// The other stimuli.
    pub fn other(self) -> Self {
        match self {
            Self::Noise => Self::Images,
            Self::Images => Self::Noise,
        }
    }
}

/// A layer, one of its units, and the stimuli.
#[derive(Clone, Copy)]
pub struct FiltersSelection<'a> {
    /// The record.
    pub spikes: &'a SpikeTriggered,
    /// The layer.
    pub layer: &'a LayerResponses,
    /// The estimates for the layer.
    pub estimate: &'a LayerEstimate,
    /// The units shown, in their order.
    pub shown: &'a [usize],
    /// The position of the chosen unit among them.
    pub position: usize,
    /// The unit.
    pub unit: usize,
    /// Their order.
    pub order: UnitOrder,
    /// The stimuli.
    pub stimuli: Stimuli,
}

impl FiltersSelection<'_> {
    /// The average of a unit on the chosen stimuli; `None` if it never fired.
    pub fn average(&self, unit: usize) -> Option<&[f32]> {
        let averages = match self.stimuli {
            Stimuli::Noise => &self.estimate.sta,
            Stimuli::Images => &self.estimate.image_sta,
        };
        averages.get(unit)?.as_deref()
    }

    /// The weights of a unit that is connected to the image directly.
    pub fn kernel(&self, unit: usize) -> Option<&[f32]> {
        let (height, width) = self.layer.receptive_field;
        let pixels = self.layer.channels * height * width;
        let values = self.layer.kernel.values();
        values.get(unit * pixels..(unit + 1) * pixels)
    }

    /// Number of receptive fields in the chosen stimuli.
    pub fn fields(&self) -> u64 {
        let responses = match self.stimuli {
            Stimuli::Noise => &self.layer.noise,
            Stimuli::Images => &self.layer.images,
        };
        responses.fields.iter().sum()
    }

    /// Number of stimuli on which a unit was active.
    pub fn fired(&self, unit: usize) -> u64 {
        let responses = match self.stimuli {
            Stimuli::Noise => &self.layer.noise,
            Stimuli::Images => &self.layer.images,
        };
        let fired = responses.fired.values().get(unit);
        fired.map_or(0, |&count| count.max(0) as u64)
    }
}

/// The selected component of a map of a layer.
pub fn component_of<'a>(
    scene: &Scene<'_>,
    values: &'a [f32],
    (height, width): (usize, usize),
) -> Cow<'a, [f32]> {
    let channels = values.len() / (height * width).max(1);
    scene
        .shared
        .component
        .values(values, [channels, height, width])
}

/// The scale of one map, symmetric about zero.
pub fn ramp(values: &[f32]) -> Ramp {
    let limit = values.iter().fold(0.0_f32, |limit, v| limit.max(v.abs()));
    Ramp::Diverging {
        centre: 0.0,
        limit: round_up(limit),
    }
}
