//! What the units of every layer respond to.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{Log, Scene, View, awaited};
use crate::session::record;
use crate::tui::action::Place;
use crate::tui::state::State;

/// The view.
pub const VIEW: View = View {
    name: "Filters",
    draw,
    places,
    columns: |_, _| 1,
    pace: Duration::from_millis(500),
    log: Log::WhenAsked,
};

fn places(_: &State) -> &'static [Place] {
    &[Place::Units, Place::Layers]
}

fn draw(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    awaited::begun::<record::SpikeTriggered>(scene, area, buf);
}
