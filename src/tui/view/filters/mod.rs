//! What the units of every layer respond to: the layers, the units of the chosen one as small
//! maps, and the chosen unit large.

mod grid;
mod sight;
mod unit;

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use self::sight::Sight;
use super::{Around, Entry, Log, Reply, View};
use crate::figure::Figure;
use crate::format::thousands;
use crate::session::Session;
use crate::session::config::Analysis;
use crate::session::record::{LayerResponses, SpikeTriggered};
use crate::tui::action::{Action, Place};
use crate::tui::form;
use crate::tui::scene::Scene;
use crate::tui::scene::awaited::{self, Named};
use crate::tui::shared::Shared;
use crate::tui::steps;
use crate::tui::widget::text::{below, beside, left, start};

pub use sight::Stimuli;

/// Its line of the table.
pub const VIEW: Entry = Entry {
    name: "Filters",
    pace: Duration::from_millis(500),
    log: Log::WhenAsked,
    new: || Box::new(Filters::default()),
};

impl Named for SpikeTriggered {
    const NAME: &'static str = "spike-triggered analysis";
    const AGAIN: &'static str = "one";
    const EXAMPLE: &'static str = "analyses=[SpikeTriggered(())]";

    fn stage(_: &Analysis) -> &'static str {
        Self::NAME
    }
}

/// The view.
#[derive(Debug, Clone, Default)]
pub struct Filters {
    /// The layer, by its place.
    pub layer: usize,
    /// The unit of that layer.
    pub unit: usize,
    /// What the averages of the layer are taken on.
    pub stimuli: Stimuli,
    /// Whether the chosen unit fills the view.
    pub enlarged: bool,
}

/// Columns of the list of layers.
const LIST: u16 = 22;

impl View for Filters {
    fn draw(&self, scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
        let Some(spikes) = awaited::begun::<SpikeTriggered>(scene, area, buf) else {
            return;
        };
        let Some(layer) = self.layer_in(spikes) else {
            return;
        };
        let estimate = layer.estimate();
        let sight = Sight {
            spikes,
            layer,
            estimate: &estimate,
            unit: self.unit.min(layer.units.saturating_sub(1)),
            stimuli: self.stimuli,
        };
        let (list, rest) = parts(area);
        layers(scene, spikes, layer, list, buf);
        title(scene, &sight, rest, buf);
        let body = below(rest, 2);
        if self.enlarged {
            unit::enlarged(scene, &sight, body, buf);
            return;
        }
        let columns = closer(rest);
        let place = start(body, body.width - columns - 2);
        grid::draw(scene, &sight, place, buf);
        unit::closer(scene, &sight, beside(body, body.width - columns), buf);
    }

    fn places(&self) -> &'static [Place] {
        match self.enlarged {
            true => &[Place::OneFigure, Place::Units, Place::Layers],
            false => &[Place::Units, Place::Layers, Place::Figure],
        }
    }

    fn update(&mut self, action: Action, _: &mut Shared, around: &Around<'_>) -> Reply {
        let session = around.session;
        match action {
            Action::PreviousUnit => self.step_unit(session, -1),
            Action::NextUnit => self.step_unit(session, 1),
            Action::UnitsAbove => self.step_row(around, -1),
            Action::UnitsBelow => self.step_row(around, 1),
            Action::LayerAbove => self.step_layer(session, -1),
            Action::LayerBelow => self.step_layer(session, 1),
            Action::SwitchStimuli => self.stimuli = self.stimuli.other(),
            Action::Enlarge => self.enlarged = true,
            Action::ShrinkFigure => self.enlarged = false,
            _ => return Reply::Ignored,
        }
        Reply::Done
    }

    fn figure(&self, _: &Shared, session: &Session) -> Option<Figure> {
        let layer = self.layer_in(session.record.first()?)?.name.clone();
        Some(Figure::Filters { layer })
    }
}

impl Filters {
    /// The layer in sight.
    fn layer_in<'a>(&self, spikes: &'a SpikeTriggered) -> Option<&'a LayerResponses> {
        let last = spikes.layers.len().checked_sub(1)?;
        spikes.layers.get(self.layer.min(last))
    }

    /// How many units the layer in sight has.
    fn units(&self, session: &Session) -> usize {
        let spikes = session.record.first::<SpikeTriggered>();
        let layer = spikes.and_then(|own| self.layer_in(own));
        layer.map_or(0, |layer| layer.units)
    }

    /// To the layer above or below. Another layer has other units.
    fn step_layer(&mut self, session: &Session, step: isize) {
        let spikes = session.record.first::<SpikeTriggered>();
        let layers = spikes.map_or(0, |own| own.layers.len());
        let next = steps::along(self.layer, step, layers);
        if next != self.layer {
            self.unit = 0;
        }
        self.layer = next;
    }

    /// To the unit before or after; after the last comes the first.
    fn step_unit(&mut self, session: &Session, step: isize) {
        let units = self.units(session);
        let now = self.unit.min(units.saturating_sub(1));
        self.unit = match units {
            0 => self.unit,
            _ => steps::around(now, step, units),
        };
    }

    /// To the unit in the row above or below, where there is one.
    fn step_row(&mut self, around: &Around<'_>, step: isize) {
        let columns = self.columns(around.session, around.body) as isize;
        self.unit = steps::row(self.unit, step * columns, self.units(around.session));
    }

    /// How many units stand side by side.
    fn columns(&self, session: &Session, area: Rect) -> usize {
        let spikes = session.record.first::<SpikeTriggered>();
        let Some(layer) = spikes.and_then(|own| self.layer_in(own)) else {
            return 1;
        };
        let (_, rest) = parts(area);
        let place = below(start(rest, rest.width.saturating_sub(closer(rest) + 2)), 2);
        grid::Grid::fit(layer, place).columns.max(1)
    }
}

/// The list of layers, and the rest: beside it where there is room, else below one row of names.
fn parts(area: Rect) -> (Rect, Rect) {
    if area.width >= 76 {
        return (start(area, LIST), beside(area, LIST + 1));
    }
    (start(area, 12), beside(area, 13))
}

/// Columns that the figures of a unit need, and those from which more are only air.
const CLOSER: (u16, u16) = (28, 66);

/// Columns of the chosen unit beside the grid.
fn closer(area: Rect) -> u16 {
    (area.width / 2).clamp(CLOSER.0, CLOSER.1)
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
    let pitch = if roomy { 3 } else { 2 };
    let all = &spikes.layers;
    let place = all.iter().position(|own| own.name == chosen.name);
    let room = usize::from(area.height.div_ceil(pitch));
    let shown = form::window(place.unwrap_or(0), all.len(), room);
    for (at, own) in all[shown].iter().enumerate() {
        let row = at as u16 * pitch;
        let called = end_of(&own.name, usize::from(area.width.saturating_sub(2)));
        let name = match own.name == chosen.name {
            true => Span::styled(format!("{}{called}", theme.glyphs.pointer), theme.chosen()),
            false => Span::raw(format!(" {called}")),
        };
        left(buf, area, row, name);
        let words = match own.estimate().silent.len() {
            silent @ 1.. if roomy => {
                let all = format!(" {} units, {silent} silent", own.units);
                match all.chars().count() < usize::from(area.width) {
                    true => all,
                    false => format!(" {}, {silent} silent", own.units),
                }
            }
            _ => format!(" {} units", own.units),
        };
        left(buf, area, row + 1, Span::styled(words, theme.dim()));
    }
}

/// A name in `room` columns: where it has none, its end, which tells it from its neighbours.
fn end_of(name: &str, room: usize) -> String {
    let length = name.chars().count();
    match length <= room {
        true => name.to_owned(),
        false => {
            let end = name.chars().skip(length + 1 - room.max(1));
            format!("…{}", end.collect::<String>())
        }
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
    let mut spans = vec![one(noise, "noise"), one(!noise, "training images")];
    // Neighbouring pixels of images go together, and that is still in their averages.
    let more = if noise { "" } else { ", not whitened" };
    let used = spans.iter().map(Span::width).sum::<usize>() + more.len();
    // In fewer words where there is no room for all.
    let brief = counted.split(" of ").next().unwrap_or_default().to_owned();
    let briefer = brief.replace(" receptive", "");
    let fits = |text: &&String| used + text.chars().count() <= usize::from(area.width);
    let counted = [&counted, &brief, &briefer].into_iter().find(fits);
    let counted = counted.cloned().unwrap_or_default();
    spans.push(Span::styled(counted, theme.dim()));
    spans.push(Span::styled(more, theme.dim()));
    left(buf, area, 0, Line::from(spans));
}
