//! What the network says with the biases of a layer pushed.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{Log, Scene, View, awaited};
use crate::session::record;
use crate::tui::action::Place;
use crate::tui::state::State;

/// The view.
pub const VIEW: View = View {
    name: "Modulation",
    draw,
    places,
    columns: |_, _| 1,
    pace: Duration::from_millis(500),
    log: Log::WhenAsked,
};

fn places(_: &State) -> &'static [Place] {
    &[Place::Classes, Place::Layers, Place::Strengths]
}

fn draw(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    awaited::begun::<record::Modulation>(scene, area, buf);
}
