//! The panels around the units: the list of layers, the title, and how the area is divided.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::selection::{FiltersSelection, Stimuli};
use crate::format::thousands;
use crate::session::record::{LayerResponses, SpikeTriggered};
use crate::tui::experiment::ShownExperiment;
use crate::tui::form;
use crate::tui::scene::Scene;
use crate::tui::widget::text::{beside, left, start};

/// Columns of the list of layers.
const LIST: u16 = 22;

/// The areas of the list of layers and of the rest beside it.
pub(super) fn parts(area: Rect) -> (Rect, Rect) {
    if area.width >= 76 {
        return (start(area, LIST), beside(area, LIST + 1));
    }
    (start(area, 12), beside(area, 13))
}

/// Minimum columns of the chosen unit's panel, and the width beyond which more are wasted.
const CLOSER: (u16, u16) = (28, 66);

/// Columns of the chosen unit's panel beside the grid.
pub(super) fn closer(area: Rect) -> u16 {
    (area.width / 2).clamp(CLOSER.0, CLOSER.1)
}

/// Draws every layer with its number of units, the chosen one marked.
pub(super) fn layers(
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
    let index = all.iter().position(|layer| layer.name == chosen.name);
    let index = index.unwrap_or(0);
    let mut room = usize::from(area.height.div_ceil(pitch));
    if room < all.len() {
        // The last row shows which of how many it is.
        room = whole_layers(area.height.saturating_sub(1), pitch).max(1);
        let words = format!(" {} of {} layers", index + 1, all.len());
        let row = area.height.saturating_sub(1);
        left(buf, area, row, Span::styled(words, theme.dim()));
    }
    let shown = form::window(index, all.len(), room);
    for (row_index, layer) in all[shown].iter().enumerate() {
        let row = row_index as u16 * pitch;
        let called = end_of(&layer.name, usize::from(area.width.saturating_sub(2)));
        let name = match layer.name == chosen.name {
            true => Span::styled(format!("{}{called}", theme.glyphs.pointer), theme.chosen()),
            false => Span::raw(format!(" {called}")),
        };
        left(buf, area, row, name);
        let words = match layer.estimate().silent.len() {
            silent @ 1.. if roomy => {
                let all = format!(" {} units, {silent} silent", layer.units);
                match all.chars().count() < usize::from(area.width) {
                    true => all,
                    false => format!(" {}, {silent} silent", layer.units),
                }
            }
            _ => format!(" {} units", layer.units),
        };
        left(buf, area, row + 1, Span::styled(words, theme.dim()));
    }
}

/// Number of layers that have both of their rows, one every `pitch`, in this many rows.
fn whole_layers(rows: u16, pitch: u16) -> usize {
    usize::from((rows + pitch).saturating_sub(2) / pitch)
}

/// A name in `room` columns: if it does not fit, its end, which distinguishes it from similar names.
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

/// Draws the title: what the maps are averages of.
pub(super) fn title(
    scene: &Scene<'_>,
    sight: &FiltersSelection<'_>,
    shown: ShownExperiment<SpikeTriggered>,
    area: Rect,
    buf: &mut Buffer,
) {
    let theme = scene.theme;
    let one = |chosen: bool, text: &'static str| match chosen {
        true => Span::styled(format!("{}{text}  ", theme.glyphs.pointer), theme.chosen()),
        false => Span::styled(format!(" {text}  "), theme.dim()),
    };
    let noise = sight.stimuli == Stimuli::Noise;
    let counted = match sight.fields() {
        0 => "none used yet".to_string(),
        fields => {
            let (height, width) = sight.layer.receptive_field;
            format!("{} receptive fields of {height}×{width}", thousands(fields))
        }
    };
    let mut spans = vec![one(noise, "noise"), one(!noise, "training images")];
    spans.splice(0..0, shown.title(scene.session, scene.theme, area.width));
    // Neighbouring pixels of images are correlated, and the averages retain that.
    let more = if noise { "" } else { ", not whitened" };
    let used = spans.iter().map(Span::width).sum::<usize>() + more.len();
    // In fewer words if they do not all fit.
    let brief = counted.split(" of ").next().unwrap_or_default().to_owned();
    let briefer = brief.replace(" receptive", "");
    let fits = |text: &&String| used + text.chars().count() <= usize::from(area.width);
    let counted = [&counted, &brief, &briefer].into_iter().find(fits);
    let counted = counted.cloned().unwrap_or_default();
    let more = match counted.is_empty() {
        true => more.trim_start_matches(", "),
        false => more,
    };
    spans.push(Span::styled(counted, theme.dim()));
    spans.push(Span::styled(more, theme.dim()));
    left(buf, area, 0, Line::from(spans));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_above_the_last_row_never_reach_into_it() {
        for pitch in [2, 3] {
            for rows in 0..40 {
                let layers = whole_layers(rows, pitch) as u16;
                let end = |layers: u16| layers.saturating_sub(1) * pitch + 2;
                assert!(layers == 0 || end(layers) <= rows, "{layers} in {rows}");
                assert!(end(layers + 1) > rows, "{layers} in {rows}");
            }
        }
    }
}
