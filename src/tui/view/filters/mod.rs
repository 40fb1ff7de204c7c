//! What the units of every layer respond to: the layers, the units of the chosen one as small
//! maps, and the chosen unit large.

mod grid;
mod order;
mod sight;
mod unit;

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use self::sight::Sight;
use super::{Around, Entry, Log, Names, Reply, View, Wanted};
use crate::figure::Figure;
use crate::format::thousands;
use crate::session::Session;
use crate::session::config::Analysis;
use crate::session::record::{LayerResponses, NoteOn, SpikeTriggered};
use crate::stats::spike_triggered::LayerEstimate;
use crate::tui::action::{Action, Place};
use crate::tui::form;
use crate::tui::scene::Scene;
use crate::tui::scene::awaited::{self, Named};
use crate::tui::shared::Shared;
use crate::tui::start::Start;
use crate::tui::steps;
use crate::tui::widget::text::{below, beside, left, start};

pub use order::Order;
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
    /// The layer, by its place; `None` until one is chosen: then the first with structure.
    pub layer: Option<usize>,
    /// The unit of that layer.
    pub unit: usize,
    /// What the averages of the layer are taken on.
    pub stimuli: Stimuli,
    /// Whether the chosen unit fills the view.
    pub enlarged: bool,
    /// In which order units stand.
    pub order: Order,
    /// Whether units that never fire are left out.
    pub hides_silent: bool,
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
        let shown = self.shown(layer, &estimate);
        let at = order::place(&shown, self.unit);
        let sight = Sight {
            spikes,
            layer,
            estimate: &estimate,
            shown: &shown,
            at,
            unit: shown.get(at).copied().unwrap_or(0),
            order: self.order,
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
            Action::FirstUnit => self.go(session, 0),
            Action::LastUnit => self.go(session, usize::MAX),
            Action::SortUnits => self.order = self.order.other(),
            Action::HideSilent => self.hides_silent = !self.hides_silent,
            Action::SwitchStimuli => self.stimuli = self.stimuli.other(),
            Action::Enlarge => self.enlarged = true,
            Action::ShrinkFigure => self.enlarged = false,
            _ => return Reply::Ignored,
        }
        Reply::Done
    }

    fn is_possible(&self, action: Action, session: &Session) -> bool {
        let spikes = session.record.first::<SpikeTriggered>();
        let layer = || self.layer_in(spikes?);
        match action {
            Action::LayerAbove | Action::LayerBelow => {
                spikes.is_some_and(|own| own.layers.len() > 1)
            }
            Action::PreviousUnit | Action::NextUnit | Action::UnitsAbove | Action::UnitsBelow => {
                layer().is_some_and(|own| own.units > 1)
            }
            Action::HideSilent => layer().is_some_and(|own| !own.estimate().silent.is_empty()),
            Action::SortUnits | Action::FirstUnit | Action::LastUnit => {
                layer().is_some_and(|own| own.units > 1)
            }
            _ => true,
        }
    }

    fn names(&self, wanted: Wanted, session: &Session) -> Option<Names> {
        let spikes = session.record.first::<SpikeTriggered>()?;
        let layer = self.layer_in(spikes)?;
        Some(match wanted {
            Wanted::Unit => Names {
                what: "unit",
                all: (0..layer.units).map(|unit| unit.to_string()).collect(),
                numbered: true,
                chosen: self.unit,
            },
            _ => Names {
                what: "layer",
                all: spikes.layers.iter().map(|own| own.name.clone()).collect(),
                numbered: false,
                chosen: spikes
                    .layers
                    .iter()
                    .position(|own| own.name == layer.name)
                    .unwrap_or(0),
            },
        })
    }

    fn choose(&mut self, wanted: Wanted, at: usize, session: &Session) {
        match wanted {
            Wanted::Unit => {
                self.unit = at;
                // Whoever asks for a silent unit by its number sees it.
                let spikes = session.record.first::<SpikeTriggered>();
                let layer = spikes.and_then(|own| self.layer_in(own));
                let silent = layer.is_some_and(|own| own.estimate().silent.contains(&at));
                self.hides_silent &= !silent;
            }
            _ => self.change_layer(at),
        }
    }

    fn noted(&self, _: &Shared, session: &Session) -> NoteOn {
        match self.unit_in(session) {
            Some((layer, unit)) => NoteOn::Unit {
                layer: layer.to_owned(),
                unit,
            },
            None => NoteOn::Session,
        }
    }

    fn place(&self, _: &Shared, session: &Session) -> Start {
        let own = self.unit_in(session);
        Start {
            layer: own.map(|(layer, _)| layer.to_owned()),
            unit: own.map(|(_, unit)| unit),
            closer: self.enlarged,
            ..Start::default()
        }
    }

    fn go_to(&mut self, start: &Start, session: &Session) -> Result<(), String> {
        self.enlarged = start.closer;
        let layers = session.record.first::<SpikeTriggered>();
        let layers = layers.map(|own| &own.layers[..]).unwrap_or_default();
        if let Some(name) = &start.layer {
            let Some(at) = layers.iter().position(|own| own.name == *name) else {
                let all: Vec<&str> = layers.iter().map(|own| own.name.as_str()).collect();
                return Err(match all.is_empty() {
                    true => format!("there are no filters of `{name}` yet"),
                    false => format!("there is no layer `{name}`; there are {}", all.join(", ")),
                });
            };
            self.layer = Some(at);
        }
        if let Some(unit) = start.unit {
            let units = self.units(session);
            if unit >= units {
                return Err(format!(
                    "there is no unit {unit}; there are {units}, from 0"
                ));
            }
            self.unit = unit;
        }
        Ok(())
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
        let at = self
            .layer
            .unwrap_or_else(|| order::first_with_structure(spikes));
        spikes.layers.get(at.min(last))
    }

    /// The layer in sight and the chosen unit of it.
    fn unit_in<'a>(&self, session: &'a Session) -> Option<(&'a str, usize)> {
        let layer = self.layer_in(session.record.first()?)?;
        let shown = self.shown(layer, &layer.estimate());
        let unit = shown.get(order::place(&shown, self.unit))?;
        Some((&layer.name, *unit))
    }

    /// The units in sight, in their order.
    fn shown(&self, layer: &LayerResponses, estimate: &LayerEstimate) -> Vec<usize> {
        self.order.of(layer.units, estimate, self.hides_silent)
    }

    /// How many units the layer in sight has.
    fn units(&self, session: &Session) -> usize {
        let spikes = session.record.first::<SpikeTriggered>();
        let layer = spikes.and_then(|own| self.layer_in(own));
        layer.map_or(0, |layer| layer.units)
    }

    /// To the layer above or below.
    fn step_layer(&mut self, session: &Session, step: isize) {
        let Some(spikes) = session.record.first::<SpikeTriggered>() else {
            return;
        };
        let now = self
            .layer
            .unwrap_or_else(|| order::first_with_structure(spikes));
        self.change_layer(steps::along(now, step, spikes.layers.len()));
    }

    /// To another layer, which has other units.
    fn change_layer(&mut self, next: usize) {
        if self.layer != Some(next) {
            self.unit = 0;
        }
        self.layer = Some(next);
    }

    /// Chooses the unit that `next` makes of the place of the one in sight among those in sight.
    fn move_to(&mut self, session: &Session, next: impl Fn(usize, usize) -> usize) {
        let spikes = session.record.first::<SpikeTriggered>();
        let Some(layer) = spikes.and_then(|own| self.layer_in(own)) else {
            return;
        };
        let shown = self.shown(layer, &layer.estimate());
        let now = order::place(&shown, self.unit);
        if let Some(unit) = shown.get(next(now, shown.len())) {
            self.unit = *unit;
        }
    }

    /// To the first or the last unit in sight.
    fn go(&mut self, session: &Session, at: usize) {
        self.move_to(session, |_, units| at.min(units.saturating_sub(1)));
    }

    /// To the unit before or after; after the last comes the first.
    fn step_unit(&mut self, session: &Session, step: isize) {
        self.move_to(session, |now, units| steps::around(now, step, units));
    }

    /// To the unit in the row above or below, where there is one.
    fn step_row(&mut self, around: &Around<'_>, step: isize) {
        let columns = self.columns(around.session, around.body) as isize;
        self.move_to(around.session, |now, units| {
            steps::row(now, step * columns, units)
        });
    }

    /// How many units stand side by side.
    fn columns(&self, session: &Session, area: Rect) -> usize {
        let spikes = session.record.first::<SpikeTriggered>();
        let Some(layer) = spikes.and_then(|own| self.layer_in(own)) else {
            return 1;
        };
        let (_, rest) = parts(area);
        let place = below(start(rest, rest.width.saturating_sub(closer(rest) + 2)), 2);
        let units = self.shown(layer, &layer.estimate()).len();
        grid::Grid::fit(layer, units, place).columns.max(1)
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
    let place = place.unwrap_or(0);
    let mut room = usize::from(area.height.div_ceil(pitch));
    if room < all.len() {
        // The last row says which of how many it is.
        room = usize::from((area.height.saturating_sub(1)).div_ceil(pitch)).max(1);
        let words = format!(" {} of {} layers", place + 1, all.len());
        let row = area.height.saturating_sub(1);
        left(buf, area, row, Span::styled(words, theme.dim()));
    }
    let shown = form::window(place, all.len(), room);
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
