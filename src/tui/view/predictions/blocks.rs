//! The confusion matrix of many classes at a glance: a pixel per pair of classes or, if it covers several
//! pairs, the worst mistake among them; and the pair under the cursor in words.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::selection::PredictionsSelection;
use crate::format::{percent, thousands};
use crate::ids::ClassId;
use crate::tui::form;
use crate::tui::scene::Scene;
use crate::tui::widget::heatmap::{Heatmap, Ramp, cells};
use crate::tui::widget::text::{below, left, start, top};

/// Rows below the blocks: the pair under the cursor, and what a pixel covers.
const WORDS: u16 = 3;
/// From this share of mistakes among several pairs, the mistakes rather than the correct decisions set the
/// colour.
const TELLING: f32 = 0.05;

/// How many classes a pixel covers on each side, and how many times it is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PixelBlocks {
    bin: usize,
    zoom: u16,
    /// Pixels on each side.
    side: usize,
}

impl PixelBlocks {
    /// The largest blocks for this many classes in an area of these columns and rows.
    pub fn fit(classes: usize, (width, height): (u16, u16)) -> Self {
        let classes = classes.max(1);
        let room = usize::from(width.min(2 * height.saturating_sub(WORDS))).max(1);
        let bin = classes.div_ceil(room).max(1);
        let side = classes.div_ceil(bin);
        Self {
            bin,
            zoom: (room / side).clamp(1, 4) as u16,
            side,
        }
    }

    /// Columns and rows that the blocks take.
    pub fn extent(self) -> (u16, u16) {
        cells((self.side, self.side), self.zoom)
    }
}

/// The position of every pixel on the ramp: correct decisions above zero, mistakes below, where even rare
/// ones are visible.
fn places(sight: &PredictionsSelection<'_>, blocks: PixelBlocks) -> Vec<f32> {
    let side = blocks.side;
    let (mut worst, mut hits) = (vec![0.0_f32; side * side], vec![(0_u64, 0_u64); side]);
    for truth in ClassId::all(sight.classes) {
        let total = sight.split.shown(truth);
        for called in ClassId::all(sight.classes) {
            let count = sight.count(truth, called);
            let (row, column) = (truth.0 / blocks.bin, called.0 / blocks.bin);
            if truth == called {
                hits[row].0 += count;
                hits[row].1 += total;
            } else if total > 0 {
                let share = count as f32 / total as f32;
                let cell = &mut worst[row * side + column];
                *cell = cell.max(share);
            }
        }
    }
    let position = |index: usize| {
        let (row, column) = (index / side, index % side);
        let mistakes = worst[index];
        let (right, total) = hits[row];
        if row == column && total > 0 && (blocks.bin == 1 || mistakes < TELLING) {
            return 0.25 + 0.6 * right as f32 / total as f32;
        }
        match mistakes {
            0.0 => 0.0,
            // The fourth root spreads the colours towards rare mistakes.
            share => -share.sqrt().sqrt().clamp(0.12, 1.0),
        }
    };
    (0..side * side).map(position).collect()
}

/// Draws the blocks, with the pair under the cursor marked and named below.
pub fn draw(scene: &Scene<'_>, sight: &PredictionsSelection<'_>, area: Rect, buf: &mut Buffer) {
    let theme = scene.theme;
    let blocks = PixelBlocks::fit(sight.classes, (area.width, area.height));
    let (width, height) = blocks.extent();
    let values = places(sight, blocks);
    Heatmap {
        cursor: Some((sight.truth.0 / blocks.bin, sight.class.0 / blocks.bin)),
        ..Heatmap::plain(
            &values,
            (blocks.side, blocks.side),
            Ramp::Diverging {
                centre: 0.0,
                limit: 1.0,
            },
        )
    }
    .draw(start(top(area, height), width), theme, buf);
    for (row, line) in words(scene, sight, blocks, area.width)
        .into_iter()
        .enumerate()
    {
        left(buf, below(area, height), row as u16, line);
    }
}

/// Describes the pair under the cursor, and what a pixel covers.
fn words(
    scene: &Scene<'_>,
    sight: &PredictionsSelection<'_>,
    blocks: PixelBlocks,
    width: u16,
) -> Vec<Line<'static>> {
    let theme = scene.theme;
    let count = sight.count(sight.truth, sight.class);
    let shown = sight.split.shown(sight.truth);
    let share = match shown {
        0 => String::new(),
        _ => format!(" ({})", percent(count as f64 / shown as f64)),
    };
    let room = usize::from(width).saturating_sub(8);
    let class = |word: &'static str, class| {
        Line::from(vec![
            Span::styled(format!("{word:<8}"), theme.dim()),
            Span::styled(
                form::class_name_within(sight.session, class, room),
                theme.chosen(),
            ),
        ])
    };
    let images = format!("{} of {}{share}", thousands(count), thousands(shown));
    let bin = blocks.bin;
    let pixel = match bin {
        1 => String::new(),
        _ => format!("  worst of {bin}×{bin} classes per pixel"),
    };
    let mut last = Line::from(vec![
        Span::styled(format!("{:<8}", "images"), theme.dim()),
        Span::raw(images),
        Span::styled(pixel, theme.dim()),
    ]);
    if last.width() > usize::from(width) {
        last.spans.pop();
    }
    vec![
        class("true", sight.truth),
        class("called", sight.class),
        last,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_of_any_number_of_classes_fit() {
        for classes in [1, 2, 7, 13, 26, 100, 1000] {
            for place in [(20, 8), (58, 13), (78, 19), (118, 34), (198, 54)] {
                let blocks = PixelBlocks::fit(classes, place);
                let (width, height) = blocks.extent();
                assert!(
                    width <= place.0 && height + WORDS <= place.1,
                    "{classes} {place:?}"
                );
                assert!(blocks.side * blocks.bin >= classes);
            }
        }
    }
}
