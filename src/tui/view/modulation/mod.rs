//! The network's decisions with the biases of a layer pushed: by how much every class is recognised better or
//! worse, and the curves behind it.

mod curves;
mod effect;
mod selection;
mod table;

use std::ops::Range;
use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use self::selection::{ModulationSelection, signed};
use super::{JumpKind, JumpTargets, Log, Reply, View, ViewContext, ViewEntry};
use crate::figure::{self, Figure};
use crate::format::short;
use crate::ids::ClassId;
use crate::session::{Session, record};
use crate::tui::action::{Action, KeyContext};
use crate::tui::experiment::{ExperimentChoice, ShownExperiment, ViewedExperiment};
use crate::tui::location::{Location, LocationError};
use crate::tui::scene::Scene;
use crate::tui::scene::pending;
use crate::tui::shared::SharedState;
use crate::tui::widget::text::{below, beside, left, start, top};
use crate::tui::{form, steps};

/// Its row of the table.
pub const VIEW: ViewEntry = ViewEntry {
    name: "Modulation",
    pace: Duration::from_millis(500),
    log: Log::OnRequest,
    new: || Box::new(ModulationView::default()),
};

impl ViewedExperiment for record::Modulation {
    const NAME: &'static str = "modulation of layers";
    const NOUN: &'static str = "modulation";
    const PRONOUN: &'static str = "one";
    const EXAMPLE: &'static str = "analyses=[Modulation(())]";
}

/// Columns for the strength beside the names of the layers, and for the layer's position among many.
const STRENGTH: usize = 34;
/// Columns of the curves beside the table.
const CURVES: u16 = 40;

/// The view.
#[derive(Debug, Clone, Default)]
pub struct ModulationView {
    /// Which modulation is shown.
    pub shown: ShownExperiment<record::Modulation>,
    /// Index of the layer; `None` until one is chosen: then that of the largest effect.
    pub layer: Option<usize>,
    /// Index of the push's strength in the plan; `None` until one is chosen: then that of the largest effect
    /// on the layer shown.
    pub strength: Option<usize>,
}

impl View for ModulationView {
    fn draw(&self, scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
        let Some(modulation) = pending::begun(scene, self.shown, area, buf) else {
            return;
        };
        let Some(sight) = self.selection(modulation, scene) else {
            return;
        };
        choices(scene, &sight, self.shown, area, buf);
        let body = below(area, 1 + u16::from(area.height >= 22));
        let (whole, _) = table::size(&sight, body.width);
        let many = sight.classes > table::FEW && whole + CURVES > body.width;
        // If the table is wider than the area, part of it goes beside the curves.
        let width = match many && body.width >= 100 {
            true => body.width - CURVES,
            false => whole,
        };
        if body.width >= width + CURVES {
            table::draw(scene, &sight, start(body, width), buf);
            let rest = beside(body, width + 3);
            let half = rest.height.min(36) / 2;
            curves::by_strength(scene, &sight, top(rest, half.saturating_sub(1)), buf);
            curves::psychometric(scene, &sight, top(below(rest, half), half), buf);
        } else {
            let height = table::rows(sight.classes, body.height);
            table::draw(scene, &sight, top(body, height), buf);
            let rest = below(body, height);
            if rest.height < 5 {
                return;
            }
            let half = rest.width / 2;
            curves::by_strength(scene, &sight, start(rest, half.saturating_sub(1)), buf);
            curves::psychometric(scene, &sight, beside(rest, half + 1), buf);
        }
    }

    fn contexts(&self) -> &'static [KeyContext] {
        &[
            KeyContext::Classes,
            KeyContext::Layers,
            KeyContext::Strengths,
        ]
    }

    fn update(&mut self, action: Action, _: &mut SharedState, around: &ViewContext<'_>) -> Reply {
        let modulation = self.shown.record(around.session);
        let layers = modulation.map_or(0, |modulation| modulation.layers.len());
        let strengths = modulation.map_or(0, |modulation| modulation.strengths.len());
        let Some((layer, strength)) = modulation.and_then(|modulation| self.places_in(modulation))
        else {
            return Reply::Ignored;
        };
        match action {
            Action::LayerAbove => self.layer = Some(steps::along(layer, -1, layers)),
            Action::LayerBelow => self.layer = Some(steps::along(layer, 1, layers)),
            Action::LessPush => self.strength = Some(steps::along(strength, -1, strengths)),
            Action::MorePush => self.strength = Some(steps::along(strength, 1, strengths)),
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
        let modulation = self.shown.record(session);
        match action {
            Action::LayerAbove | Action::LayerBelow => {
                modulation.is_some_and(|modulation| modulation.layers.len() > 1)
            }
            Action::LessPush | Action::MorePush => {
                modulation.is_some_and(|modulation| modulation.strengths.len() > 1)
            }
            _ => true,
        }
    }

    fn names(&self, kind: JumpKind, session: &Session) -> Option<JumpTargets> {
        let modulation = self.shown.record(session)?;
        let (chosen, _) = self.places_in(modulation)?;
        (kind == JumpKind::Item).then(|| JumpTargets {
            noun: "layer",
            all: modulation
                .layers
                .iter()
                .map(|layer| layer.name.clone())
                .collect(),
            numbered: false,
            chosen,
        })
    }

    fn choose(&mut self, _: JumpKind, index: usize, _: &Session) {
        self.layer = Some(index);
    }

    fn location(&self, shared: &SharedState, session: &Session) -> Location {
        let modulation = self.shown.record(session);
        let layer = modulation
            .and_then(|modulation| Some(&modulation.layers[self.places_in(modulation)?.0]));
        Location {
            class: Some(shared.class),
            layer: layer.map(|layer| layer.name.clone()),
            ..Location::default()
        }
    }

    fn go_to(&mut self, start: &Location, session: &Session) -> Result<(), LocationError> {
        let Some(name) = &start.layer else {
            return Ok(());
        };
        let Some(modulation) = self.shown.record(session) else {
            return Err(LocationError::Unknown("the plan has no Modulation".into()));
        };
        let layers = &modulation.layers;
        match layers.iter().position(|layer| layer.name == *name) {
            Some(index) => self.layer = Some(index),
            None if layers.is_empty() => {
                return Err(LocationError::NotYet(format!(
                    "`{name}` has not been pushed yet"
                )));
            }
            None => {
                let all: Vec<&str> = layers.iter().map(|layer| layer.name.as_str()).collect();
                return Err(LocationError::Unknown(format!(
                    "there is no pushed layer `{name}`; there are {}",
                    all.join(", ")
                )));
            }
        }
        Ok(())
    }

    fn figure(&self, _: &SharedState, session: &Session) -> Option<Figure> {
        let nth = self.shown.number(session);
        let figure = Figure::Modulation { nth };
        figure::has(session, &figure).then_some(figure)
    }
}

impl ModulationView {
    /// The indices of the layer and the strength shown.
    fn places_in(&self, modulation: &record::Modulation) -> Option<(usize, usize)> {
        let last = modulation.layers.len().checked_sub(1)?;
        let last_strength = modulation.strengths.len().checked_sub(1)?;
        let layer = self
            .layer
            .unwrap_or_else(|| effect::layer(modulation))
            .min(last);
        let strength = self
            .strength
            .unwrap_or_else(|| effect::strength(modulation, layer));
        Some((layer, strength.min(last_strength)))
    }

    /// The current selection, with every index within its range.
    fn selection<'a>(
        &self,
        modulation: &'a record::Modulation,
        scene: &Scene<'a>,
    ) -> Option<ModulationSelection<'a>> {
        let (layer, strength) = self.places_in(modulation)?;
        let strengths = &modulation.strengths;
        let classes = form::classes(scene.session);
        Some(ModulationSelection {
            session: scene.session,
            modulation,
            layer: &modulation.layers[layer],
            strength,
            rest: strengths.iter().position(|&k| k == 0)?,
            image: modulation.gammas.len().checked_sub(1)?,
            class: scene.shared.class.min(ClassId(classes.checked_sub(1)?)),
            classes,
        })
    }
}

/// Draws the layers and the strength of the push.
fn choices(
    scene: &Scene<'_>,
    sight: &ModulationSelection<'_>,
    shown: ShownExperiment<record::Modulation>,
    area: Rect,
    buf: &mut Buffer,
) {
    let theme = scene.theme;
    let layers = &sight.modulation.layers;
    let chosen = layers
        .iter()
        .position(|layer| layer.name == sight.layer.name);
    let chosen = chosen.unwrap_or(0);
    // If there are many layers, those around the chosen one, and which of how many it is.
    let width = |visible: &Range<usize>| -> usize {
        let all = layers[visible.clone()].iter();
        all.map(|layer| Span::raw(layer.name.as_str()).width() + 3)
            .sum()
    };
    let place = shown.title(scene.session, scene.theme, area.width);
    let room = usize::from(area.width).saturating_sub(STRENGTH);
    let room = room.saturating_sub(place.as_ref().map_or(0, Span::width));
    let visible = form::most_around(chosen, layers.len(), |visible| width(visible) <= room);
    let least = 2 + usize::from(place.is_some());
    let mut spans: Vec<Span<'_>> = place.into_iter().collect();
    for layer in &layers[visible.clone()] {
        spans.push(match layer.name == sight.layer.name {
            true => Span::styled(
                format!("{}{}  ", theme.glyphs.pointer, layer.name),
                theme.chosen(),
            ),
            false => Span::styled(format!(" {}  ", layer.name), theme.dim()),
        });
    }
    if visible.len() < layers.len() {
        let position = format!("{} of {} layers", chosen + 1, layers.len());
        spans.push(Span::styled(position, theme.dim()));
    }
    let k = sight.k(sight.strength);
    let bias = short((k as f64 * sight.layer.alpha).abs());
    spans.push(Span::styled("   strength ", theme.dim()));
    spans.push(Span::styled(signed(k), theme.chosen()));
    let (first, last) = (
        sight.modulation.strengths.first(),
        sight.modulation.strengths.last(),
    );
    if let (Some(&first), Some(&last)) = (first, last) {
        let range = format!(" of {} to {}", signed(first), signed(last));
        spans.push(Span::styled(range, theme.dim()));
    }
    let effect = match k {
        0 => "   no push".to_string(),
        1.. => format!("   biases raised by up to {bias}"),
        _ => format!("   biases lowered by up to {bias}"),
    };
    spans.push(Span::styled(effect, theme.dim()));
    while Line::from(spans.clone()).width() > usize::from(area.width) && spans.len() > least {
        spans.pop();
    }
    left(buf, area, 0, Line::from(spans));
}
