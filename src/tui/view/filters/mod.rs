//! What the units of every layer respond to: the layers, the units of the chosen layer as small maps, and the
//! chosen unit enlarged.

mod grid;
mod order;
mod panels;
mod selection;
mod unit;

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use self::panels::{closer, layers, parts, title};
use self::selection::FiltersSelection;
use super::{JumpKind, JumpTargets, Log, Reply, View, ViewContext, ViewEntry};
use crate::figure::Figure;
use crate::session::Session;
use crate::session::config::Analysis;
use crate::session::record::{LayerResponses, NoteTarget, SpikeTriggered};
use crate::stats::spike_triggered::LayerEstimate;
use crate::tui::action::{Action, KeyContext};
use crate::tui::experiment::{ExperimentChoice, ShownExperiment, ViewedExperiment};
use crate::tui::location::{Location, LocationError};
use crate::tui::scene::Scene;
use crate::tui::scene::pending;
use crate::tui::shared::SharedState;
use crate::tui::steps;
use crate::tui::widget::text::{below, beside, start};

pub use order::UnitOrder;
pub use selection::Stimuli;

/// Its row of the table.
pub const VIEW: ViewEntry = ViewEntry {
    name: "Filters",
    pace: Duration::from_millis(500),
    log: Log::OnRequest,
    new: || Box::new(FiltersView::default()),
};

impl ViewedExperiment for SpikeTriggered {
    const NAME: &'static str = "spike-triggered analysis";
    const NOUN: &'static str = "analysis";
    const PRONOUN: &'static str = "one";
    const EXAMPLE: &'static str = "analyses=[SpikeTriggered(())]";

    fn stage(_: &Analysis) -> &'static str {
        Self::NAME
    }
}

/// The view.
#[derive(Debug, Clone, Default)]
pub struct FiltersView {
    /// Which analysis is shown.
    pub shown: ShownExperiment<SpikeTriggered>,
    /// Index of the layer; `None` until one is chosen: then the first with structure.
    pub layer: Option<usize>,
    /// The unit of that layer.
    pub unit: usize,
    /// The stimuli that the averages are computed from.
    pub stimuli: Stimuli,
    /// Whether the chosen unit fills the view.
    pub enlarged: bool,
    /// The order of the units.
    pub order: UnitOrder,
    /// Whether units that never fire are hidden.
    pub hides_silent: bool,
}

impl View for FiltersView {
    fn draw(&self, scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
        let Some(spikes) = pending::begun(scene, self.shown, area, buf) else {
            return;
        };
        let Some(layer) = self.layer_in(spikes) else {
            return;
        };
        let estimate = layer.estimate();
        let shown = self.shown(layer, &estimate);
        let at = order::place(&shown, self.unit);
        let sight = FiltersSelection {
            spikes,
            layer,
            estimate: &estimate,
            shown: &shown,
            position: at,
            unit: shown.get(at).copied().unwrap_or(0),
            order: self.order,
            stimuli: self.stimuli,
        };
        let (list, rest) = parts(area);
        layers(scene, spikes, layer, list, buf);
        title(scene, &sight, self.shown, rest, buf);
        let body = below(rest, 2);
        if self.enlarged {
            unit::enlarged(scene, &sight, body, buf);
            return;
        }
        let columns = closer(rest);
        let grid_area = start(body, body.width - columns - 2);
        grid::draw(scene, &sight, grid_area, buf);
        unit::closer(scene, &sight, beside(body, body.width - columns), buf);
    }

    fn contexts(&self) -> &'static [KeyContext] {
        match self.enlarged {
            true => &[KeyContext::OneFigure, KeyContext::Units, KeyContext::Layers],
            false => &[KeyContext::Units, KeyContext::Layers, KeyContext::Figure],
        }
    }

    fn update(&mut self, action: Action, _: &mut SharedState, around: &ViewContext<'_>) -> Reply {
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

    fn experiment(&self) -> Option<&dyn ExperimentChoice> {
        Some(&self.shown)
    }

    fn experiment_mut(&mut self) -> Option<&mut dyn ExperimentChoice> {
        Some(&mut self.shown)
    }

    fn is_possible(&self, action: Action, _: &SharedState, session: &Session) -> bool {
        let spikes = self.shown.record(session);
        let layer = || self.layer_in(spikes?);
        match action {
            Action::LayerAbove | Action::LayerBelow => {
                spikes.is_some_and(|spikes| spikes.layers.len() > 1)
            }
            Action::PreviousUnit | Action::NextUnit | Action::UnitsAbove | Action::UnitsBelow => {
                layer().is_some_and(|layer| layer.units > 1)
            }
            Action::HideSilent => layer().is_some_and(|layer| !layer.estimate().silent.is_empty()),
            Action::SortUnits | Action::FirstUnit | Action::LastUnit => {
                layer().is_some_and(|layer| layer.units > 1)
            }
            _ => true,
        }
    }

    fn names(&self, kind: JumpKind, session: &Session) -> Option<JumpTargets> {
        let spikes = self.shown.record(session)?;
        let layer = self.layer_in(spikes)?;
        Some(match kind {
            JumpKind::Unit => JumpTargets {
                noun: "unit",
                all: (0..layer.units).map(|unit| unit.to_string()).collect(),
                numbered: true,
                chosen: self.unit,
            },
            _ => JumpTargets {
                noun: "layer",
                all: spikes
                    .layers
                    .iter()
                    .map(|layer| layer.name.clone())
                    .collect(),
                numbered: false,
                chosen: spikes
                    .layers
                    .iter()
                    .position(|other| other.name == layer.name)
                    .unwrap_or(0),
            },
        })
    }

    fn choose(&mut self, kind: JumpKind, index: usize, session: &Session) {
        match kind {
            JumpKind::Unit => {
                self.unit = index;
                // A silent unit that is asked for by number is shown.
                let spikes = self.shown.record(session);
                let layer = spikes.and_then(|spikes| self.layer_in(spikes));
                let silent = layer.is_some_and(|layer| layer.estimate().silent.contains(&index));
                self.hides_silent &= !silent;
            }
            _ => self.change_layer(index),
        }
    }

    fn note_subject(&self, _: &SharedState, session: &Session) -> NoteTarget {
        match self.unit_in(session) {
            Some((layer, unit)) => NoteTarget::Unit {
                layer: layer.to_owned(),
                unit,
            },
            None => NoteTarget::Session,
        }
    }

    fn location(&self, _: &SharedState, session: &Session) -> Location {
        let selection = self.unit_in(session);
        Location {
            layer: selection.map(|(layer, _)| layer.to_owned()),
            unit: selection.map(|(_, unit)| unit),
            closer: self.enlarged,
            ..Location::default()
        }
    }

    fn go_to(&mut self, start: &Location, session: &Session) -> Result<(), LocationError> {
        self.enlarged = start.closer;
        if start.layer.is_none() && start.unit.is_none() {
            return Ok(());
        }
        let Some(spikes) = self.shown.record(session) else {
            return Err(LocationError::Unknown(
                "the plan has no SpikeTriggered, and so no filters".into(),
            ));
        };
        if spikes.layers.is_empty() {
            return Err(LocationError::NotYet(match &start.layer {
                Some(name) => format!("there are no filters of `{name}` yet"),
                None => "there are no filters yet".into(),
            }));
        }
        if let Some(name) = &start.layer {
            let mut layers = spikes.layers.iter();
            let Some(index) = layers.position(|layer| layer.name == *name) else {
                let layers = spikes.layers.iter();
                let all: Vec<&str> = layers.map(|layer| layer.name.as_str()).collect();
                return Err(LocationError::Unknown(format!(
                    "there is no layer `{name}`; there are {}",
                    all.join(", ")
                )));
            };
            self.layer = Some(index);
        }
        if let Some(unit) = start.unit {
            let units = self.units(session);
            if unit >= units {
                return Err(LocationError::Unknown(format!(
                    "there is no unit {unit}; there are {units}, from 0"
                )));
            }
            self.unit = unit;
        }
        Ok(())
    }

    fn figure(&self, _: &SharedState, session: &Session) -> Option<Figure> {
        let nth = self.shown.number(session);
        let layer = self.layer_in(self.shown.record(session)?)?.name.clone();
        Some(Figure::Filters { nth, layer })
    }
}

impl FiltersView {
    /// The layer shown.
    fn layer_in<'a>(&self, spikes: &'a SpikeTriggered) -> Option<&'a LayerResponses> {
        let last = spikes.layers.len().checked_sub(1)?;
        let index = self
            .layer
            .unwrap_or_else(|| order::first_with_structure(spikes));
        spikes.layers.get(index.min(last))
    }

    /// The layer shown and its chosen unit.
    fn unit_in<'a>(&self, session: &'a Session) -> Option<(&'a str, usize)> {
        let layer = self.layer_in(self.shown.record(session)?)?;
        let shown = self.shown(layer, &layer.estimate());
        let unit = shown.get(order::place(&shown, self.unit))?;
        Some((&layer.name, *unit))
    }

    /// The units shown, in their order.
    fn shown(&self, layer: &LayerResponses, estimate: &LayerEstimate) -> Vec<usize> {
        self.order.of(layer.units, estimate, self.hides_silent)
    }

    /// The number of units in the layer shown.
    fn units(&self, session: &Session) -> usize {
        let spikes = self.shown.record(session);
        let layer = spikes.and_then(|spikes| self.layer_in(spikes));
        layer.map_or(0, |layer| layer.units)
    }

    /// Moves to the layer above or below.
    fn step_layer(&mut self, session: &Session, step: isize) {
        let Some(spikes) = self.shown.record(session) else {
            return;
        };
        let now = self
            .layer
            .unwrap_or_else(|| order::first_with_structure(spikes));
        self.change_layer(steps::along(now, step, spikes.layers.len()));
    }

    /// Changes the layer and, since its units differ, resets the unit.
    fn change_layer(&mut self, next: usize) {
        if self.layer != Some(next) {
            self.unit = 0;
        }
        self.layer = Some(next);
    }

    /// Chooses a unit: `next` maps the current position among the units shown, and their number, to a new
    /// position.
    fn move_to(&mut self, session: &Session, next: impl Fn(usize, usize) -> usize) {
        let spikes = self.shown.record(session);
        let Some(layer) = spikes.and_then(|spikes| self.layer_in(spikes)) else {
            return;
        };
        let shown = self.shown(layer, &layer.estimate());
        let now = order::place(&shown, self.unit);
        if let Some(unit) = shown.get(next(now, shown.len())) {
            self.unit = *unit;
        }
    }

    /// Moves to the unit at a position among those shown, or to the last.
    fn go(&mut self, session: &Session, position: usize) {
        self.move_to(session, |_, units| position.min(units.saturating_sub(1)));
    }

    /// Moves to the previous or next unit, wrapping around.
    fn step_unit(&mut self, session: &Session, step: isize) {
        self.move_to(session, |now, units| steps::around(now, step, units));
    }

    /// Moves to the unit in the row above or below, if there is one.
    fn step_row(&mut self, around: &ViewContext<'_>, step: isize) {
        let columns = self.columns(around.session, around.body) as isize;
        self.move_to(around.session, |now, units| {
            steps::row(now, step * columns, units)
        });
    }

    /// Number of units in a row.
    fn columns(&self, session: &Session, area: Rect) -> usize {
        let spikes = self.shown.record(session);
        let Some(layer) = spikes.and_then(|spikes| self.layer_in(spikes)) else {
            return 1;
        };
        let (_, rest) = parts(area);
        let grid_area = below(start(rest, rest.width.saturating_sub(closer(rest) + 2)), 2);
        let units = self.shown(layer, &layer.estimate()).len();
        grid::Grid::fit(layer, units, grid_area).columns.max(1)
    }
}
