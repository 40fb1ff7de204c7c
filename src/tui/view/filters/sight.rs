//! A layer, one of its units, and what it was shown.

use std::borrow::Cow;

use super::order::Order;
use crate::session::record::{LayerResponses, SpikeTriggered};
use crate::stats::spike_triggered::LayerEstimate;
use crate::tui::scene::Scene;
use crate::tui::widget::heatmap::Ramp;
use crate::tui::widget::scale::round_up;

/// What the units of a layer were shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Stimuli {
    /// Noise.
    #[default]
    Noise,
    /// Training images.
    Images,
}

impl Stimuli {
    /// The others.
    pub fn other(self) -> Self {
        match self {
            Self::Noise => Self::Images,
            Self::Images => Self::Noise,
        }
    }
}

/// A layer, one of its units, and what it was shown.
#[derive(Clone, Copy)]
pub struct Sight<'a> {
    /// The record.
    pub spikes: &'a SpikeTriggered,
    /// The layer.
    pub layer: &'a LayerResponses,
    /// What was found of it.
    pub estimate: &'a LayerEstimate,
    /// The units in sight, in their order.
    pub shown: &'a [usize],
    /// The place of the chosen one among them.
    pub at: usize,
    /// The unit.
    pub unit: usize,
    /// The order that they are in.
    pub order: Order,
    /// What it was shown.
    pub stimuli: Stimuli,
}

impl Sight<'_> {
    /// The average of a unit on the stimuli in sight; `None` where it never fired.
    pub fn average(&self, unit: usize) -> Option<&[f32]> {
        let averages = match self.stimuli {
            Stimuli::Noise => &self.estimate.sta,
            Stimuli::Images => &self.estimate.image_sta,
        };
        averages.get(unit)?.as_deref()
    }

    /// The weights of a unit that sees the image itself.
    pub fn kernel(&self, unit: usize) -> Option<&[f32]> {
        let (height, width) = self.layer.receptive_field;
        let pixels = self.layer.channels * height * width;
        let values = self.layer.kernel.values();
        values.get(unit * pixels..(unit + 1) * pixels)
    }

    /// Receptive fields seen of the stimuli in sight.
    pub fn fields(&self) -> u64 {
        let responses = match self.stimuli {
            Stimuli::Noise => &self.layer.noise,
            Stimuli::Images => &self.layer.images,
        };
        responses.fields.iter().sum()
    }

    /// Stimuli on which a unit was active.
    pub fn fired(&self, unit: usize) -> u64 {
        let responses = match self.stimuli {
            Stimuli::Noise => &self.layer.noise,
            Stimuli::Images => &self.layer.images,
        };
        let fired = responses.fired.values().get(unit);
        fired.map_or(0, |&count| count.max(0) as u64)
    }
}

/// What is looked at of a map of a layer, whose fields have so many channels.
pub fn looked_at<'a>(
    scene: &Scene<'_>,
    values: &'a [f32],
    (height, width): (usize, usize),
) -> Cow<'a, [f32]> {
    let channels = values.len() / (height * width).max(1);
    scene.shared.look.of(values, [channels, height, width])
}

/// The scale of one map: symmetric about zero.
pub fn ramp(values: &[f32]) -> Ramp {
    let most = values.iter().fold(0.0_f32, |most, v| most.max(v.abs()));
    Ramp::Diverging {
        centre: 0.0,
        limit: round_up(most),
    }
}
