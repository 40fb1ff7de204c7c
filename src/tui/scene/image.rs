//! Draws an image in \[0,1\], in colour if it has three channels.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::Scene;
use crate::figure::channels::RGB;
use crate::session::form::Shape;
use crate::tui::component::{ColourComponent, rgb_channels};
use crate::tui::widget::heatmap::{Heatmap, Ramp};

/// Black is 0 and white is 1.
const RAMP: Ramp = Ramp::Grey {
    low: 0.0,
    high: 1.0,
};

/// Draws an image, \[C,H,W\], over the whole of `area`: in colour if it has three channels, otherwise its
/// selected component.
pub fn draw(scene: &Scene<'_>, image: &[f32], shape: Shape, area: Rect, buf: &mut Buffer) {
    let look = match shape[0] {
        RGB => ColourComponent::Luminance,
        _ => scene.shared.component,
    };
    let values = look.values(image, shape);
    Heatmap {
        colours: rgb_channels(image, shape),
        ..Heatmap::plain(&values, (shape[1], shape[2]), RAMP)
    }
    .draw(area, scene.theme, buf);
}
