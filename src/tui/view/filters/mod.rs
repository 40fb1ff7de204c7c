//! What the units of every layer respond to: the layers, the units of the chosen one as small
//! maps, and the chosen unit large.

mod grid;
mod unit;

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{Log, Scene, View, awaited};
use crate::figure::Figure;
use crate::format::thousands;
use crate::session::Session;
use crate::session::record::{LayerResponses, SpikeTriggered};
use crate::stats::spike_triggered::LayerEstimate;
use crate::tui::action::Place;
use crate::tui::state::{State, Stimuli};
use crate::tui::widget::heatmap::Ramp;
use crate::tui::widget::scale::round_up;
use crate::tui::widget::text::{below, beside, left, start};

/// The view.
pub const VIEW: View = View {
    name: "Filters",
    draw,
    places,
    columns,
    figure,
    pace: Duration::from_millis(500),
    log: Log::WhenAsked,
};

/// Columns of the list of layers.
const LIST: u16 = 22;

fn places(state: &State) -> &'static [Place] {
    match state.enlarged {
        true => &[Place::OneFigure, Place::Units, Place::Layers],
        false => &[Place::Units, Place::Layers, Place::Figure],
    }
}

fn figure(state: &State, session: &Session) -> Option<Figure> {
    let spikes = session.record.first::<SpikeTriggered>()?;
    let layer = layer(spikes, state)?.name.clone();
    Some(Figure::Filters { layer })
}

/// The layer in sight.
fn layer<'a>(spikes: &'a SpikeTriggered, state: &State) -> Option<&'a LayerResponses> {
    let last = spikes.layers.len().checked_sub(1)?;
    spikes.layers.get(state.layer.min(last))
}

/// A layer, one of its units, and what it was shown.
#[derive(Clone, Copy)]
struct Sight<'a> {
    spikes: &'a SpikeTriggered,
    layer: &'a LayerResponses,
    estimate: &'a LayerEstimate,
    unit: usize,
    stimuli: Stimuli,
}

impl Sight<'_> {
    /// The average of a unit on the stimuli in sight; `None` where it never fired.
    fn average(&self, unit: usize) -> Option<&[f32]> {
        let averages = match self.stimuli {
            Stimuli::Noise => &self.estimate.sta,
            Stimuli::Images => &self.estimate.image_sta,
        };
        averages.get(unit)?.as_deref()
    }

    /// The weights of a unit that sees the image itself.
    fn kernel(&self, unit: usize) -> Option<&[f32]> {
        let (height, width) = self.layer.receptive_field;
        let pixels = height * width;
        let values = self.layer.kernel.values();
        values.get(unit * pixels..(unit + 1) * pixels)
    }

    /// Receptive fields seen of the stimuli in sight.
    fn fields(&self) -> u64 {
        let responses = match self.stimuli {
            Stimuli::Noise => &self.layer.noise,
            Stimuli::Images => &self.layer.images,
        };
        responses.fields.iter().sum()
    }

    /// Stimuli on which a unit was active.
    fn fired(&self, unit: usize) -> u64 {
        let responses = match self.stimuli {
            Stimuli::Noise => &self.layer.noise,
            Stimuli::Images => &self.layer.images,
        };
        let fired = responses.fired.values().get(unit);
        fired.map_or(0, |&count| count.max(0) as u64)
    }
}

/// The scale of one map: symmetric about zero.
fn ramp(values: &[f32]) -> Ramp {
    let most = values.iter().fold(0.0_f32, |most, v| most.max(v.abs()));
    Ramp::Diverging {
        centre: 0.0,
        limit: round_up(most),
    }
}

/// The list of layers, and the rest: beside it where there is room, else below one row of names.
fn parts(area: Rect) -> (Rect, Rect) {
    if area.width >= 76 {
        return (start(area, LIST), beside(area, LIST + 1));
    }
    (start(area, 12), beside(area, 13))
}

/// Columns of the chosen unit beside the grid.
fn closer(area: Rect) -> u16 {
    (area.width / 2).clamp(28, 66)
}

fn columns(scene: &Scene<'_>, area: Rect) -> usize {
    let spikes = scene.session.record.first::<SpikeTriggered>();
    let Some(layer) = spikes.and_then(|it| layer(it, scene.state)) else {
        return 1;
    };
    let (_, rest) = parts(area);
    let place = below(start(rest, rest.width - closer(rest) - 2), 2);
    grid::Grid::fit(layer, place).columns
}

fn draw(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let Some(spikes) = awaited::begun::<SpikeTriggered>(scene, area, buf) else {
        return;
    };
    let Some(layer) = layer(spikes, scene.state) else {
        return;
    };
    let estimate = layer.estimate();
    let sight = Sight {
        spikes,
        layer,
        estimate: &estimate,
        unit: scene.state.unit.min(layer.units.saturating_sub(1)),
        stimuli: scene.state.stimuli,
    };
    let (list, rest) = parts(area);
    layers(scene, spikes, layer, list, buf);
    title(scene, &sight, rest, buf);
    let body = below(rest, 2);
    if scene.state.enlarged {
        unit::enlarged(scene, &sight, body, buf);
        return;
    }
    let columns = closer(rest);
    let place = start(body, body.width - columns - 2);
    grid::draw(scene, &sight, place, buf);
    unit::closer(scene, &sight, beside(body, body.width - columns), buf);
}

/// Every layer with its units and its receptive field, the chosen one marked.
fn layers(
    scene: &Scene<'_>,
    spikes: &SpikeTriggered,
    chosen: &LayerResponses,
    area: Rect,
    buf: &mut Buffer,
) {
    let theme = scene.theme;
    let roomy = area.width >= LIST;
    for (at, own) in spikes.layers.iter().enumerate() {
        let row = at as u16 * if roomy { 3 } else { 2 };
        let name = match own.name == chosen.name {
            true => Span::styled(
                format!("{}{}", theme.glyphs.pointer, own.name),
                theme.chosen(),
            ),
            false => Span::raw(format!(" {}", own.name)),
        };
        left(buf, area, row, name);
        let words = match own.estimate().silent.len() {
            silent @ 1.. if roomy => format!(" {} units, {silent} silent", own.units),
            _ => format!(" {} units", own.units),
        };
        left(buf, area, row + 1, Span::styled(words, theme.dim()));
    }
}

/// What the maps are averages of.
fn title(scene: &Scene<'_>, sight: &Sight<'_>, area: Rect, buf: &mut Buffer) {
    let theme = scene.theme;
    let one = |chosen: bool, text: &'static str| match chosen {
        true => Span::styled(format!("{}{text}  ", theme.glyphs.pointer), theme.chosen()),
        false => Span::styled(format!(" {text}  "), theme.dim()),
    };
    let noise = sight.stimuli == Stimuli::Noise;
    let counted = match sight.fields() {
        0 => "none seen yet".to_string(),
        fields => {
            let (height, width) = sight.layer.receptive_field;
            format!("{} receptive fields of {height}×{width}", thousands(fields))
        }
    };
    let mut spans = vec![
        one(noise, "noise"),
        one(!noise, "training images"),
        Span::styled(counted, theme.dim()),
    ];
    if !noise {
        // Neighbouring pixels of images go together, and that is still in their averages.
        spans.push(Span::styled(", not whitened", theme.dim()));
    }
    left(buf, area, 0, Line::from(spans));
}
