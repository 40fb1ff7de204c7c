//! The contact sheet: the maps of all classes side by side, with what is to say under each.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::Scene;
use super::lens::Lens;
use crate::format::{count, gamma, percent, reliability};
use crate::tui::shared::Pixels;
use crate::tui::widget::heatmap::{Heatmap, Marks, cells};
use crate::tui::widget::text::{centre, left, top};

/// Columns between two maps.
const GAP: u16 = 2;

/// Columns that the words under a map like to have.
const WORDS: u16 = 20;

/// How maps are laid out on a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Maps in a row.
    pub columns: usize,
    /// Columns of a map.
    pub width: u16,
    /// Rows of a map.
    pub height: u16,
    /// Rows of words under a map.
    pub words: u16,
    /// Columns from one map to the next.
    pub step: u16,
    /// Rows from one row of maps to the next.
    pub pitch: u16,
}

impl Layout {
    /// The best layout of `maps` maps of `size` pixels on `width` × `height` cells, in full rows,
    /// with up to `words` rows of words under each.
    pub fn fit(maps: usize, size: (usize, usize), place: (u16, u16), words: u16) -> Self {
        let maps = maps.max(1);
        (1..=maps)
            .filter(|columns| maps.is_multiple_of(*columns))
            .flat_map(|columns| (1..=words.max(1)).map(move |words| (columns, words)))
            .flat_map(|(columns, words)| [0, 1].map(|gap| (columns, words, gap)))
            .map(|(columns, words, gap)| {
                let layout = Self::with(maps, size, place, (columns, words, gap));
                // A column more on every map is worth more than a row of words, and that more
                // than air; more columns than pixels are worth no more.
                let whole = cells(size, 1).0;
                (4 * layout.width.min(whole) + 3 * words + 2 * gap, layout)
            })
            .max_by_key(|(worth, layout)| (*worth, layout.columns))
            .map_or_else(
                || Self::with(maps, size, place, (1, 1, 0)),
                |(_, best)| best,
            )
    }

    /// The layout with so many maps in a row, rows of words, and rows of air.
    pub fn with(
        maps: usize,
        size: (usize, usize),
        (width, height): (u16, u16),
        (columns, words, gap): (usize, u16, u16),
    ) -> Self {
        let columns = columns.max(1);
        let rows = maps.div_ceil(columns).max(1) as u16;
        let across = (width + GAP) / columns as u16;
        let down = (height + gap) / rows;
        let (room_x, room_y) = (across.saturating_sub(GAP), down.saturating_sub(words + gap));
        // Square pixels: a cell is one wide and two high.
        let room = room_x.min(room_y.saturating_mul(2));
        let (full, _) = cells(size, 1);
        let (wide, tall) = if room >= full && full > 0 {
            cells(size, room / full)
        } else if room >= full / 2 && room < full / 2 + full / 8 {
            // A clean average of four pixels is worth more than a few columns.
            (full / 2, full.div_ceil(4))
        } else {
            (room, room.div_ceil(2))
        };
        Self {
            columns,
            width: wide,
            height: tall,
            words,
            step: across.min(WORDS.max(wide + GAP)),
            pitch: tall + words + gap,
        }
    }
}

/// Draws the maps of all classes over `area`.
pub fn draw(scene: &Scene<'_>, lens: &Lens<'_>, layout: Layout, area: Rect, buf: &mut Buffer) {
    for class in 0..lens.classes() {
        let (row, column) = (class / layout.columns, class % layout.columns);
        let x = area.x + column as u16 * layout.step;
        let y = area.y + row as u16 * layout.pitch;
        let tile = Rect::new(x, y, layout.step.saturating_sub(1), layout.pitch);
        tile_of(scene, lens, class, layout, tile.intersection(area), buf);
    }
}

fn tile_of(
    scene: &Scene<'_>,
    lens: &Lens<'_>,
    class: usize,
    layout: Layout,
    tile: Rect,
    buf: &mut Buffer,
) {
    let map = Rect {
        width: layout.width,
        height: layout.height,
        ..tile
    }
    .intersection(tile);
    thumbnail(scene, lens, class, map, buf);
    let words = Rect {
        y: tile.y + layout.height.min(tile.height),
        height: tile.height.saturating_sub(layout.height).min(layout.words),
        ..tile
    };
    for (row, line) in caption(scene, lens, class, layout).into_iter().enumerate() {
        left(buf, words, row as u16, line);
    }
}

/// The map of a class, or why there is none, over the whole of `area`.
pub fn thumbnail(scene: &Scene<'_>, lens: &Lens<'_>, class: usize, area: Rect, buf: &mut Buffer) {
    let theme = scene.theme;
    let own = lens.values(class).map(|values| (values, lens.ramp(class)));
    let marks = match scene.shared.pixels {
        Pixels::Significant if own.is_some() => Marks::Only,
        _ => Marks::None,
    };
    if let Some((values, ramp)) = own.or_else(|| lens.stand_in(class)) {
        Heatmap {
            values,
            size: lens.size(),
            ramp,
            significance: lens.significance(class),
            marks,
            cursor: None,
        }
        .draw(area, theme, buf);
        return;
    }
    let Some(missing) = lens.missing(class) else {
        return;
    };
    for row in 0..area.height {
        let dots = format!("{} ", theme.glyphs.dot).repeat(usize::from(area.width).div_ceil(2));
        if row % 2 == 0 {
            left(buf, area, row, Span::styled(dots, theme.dim()));
        }
    }
    let lines = missing.lines;
    let start = area.height.saturating_sub(lines.len() as u16) / 2;
    for (row, line) in lines.iter().enumerate() {
        let text = Span::styled(format!(" {line} "), theme.text());
        centre(buf, top(area, area.height), start + row as u16, text);
    }
}

/// The lines under the map of a class: first its name and reliability, then its trials, then what
/// its mean stimulus is called.
fn caption(scene: &Scene<'_>, lens: &Lens<'_>, class: usize, layout: Layout) -> Vec<Line<'static>> {
    let theme = scene.theme;
    let Some(own) = lens.class(class) else {
        return Vec::new();
    };
    let chosen = scene.shared.class == class;
    let name = if chosen {
        Span::styled(format!("{}{class} ", theme.glyphs.pointer), theme.chosen())
    } else {
        Span::styled(format!(" {class} "), theme.bright())
    };
    // The last of a row has no gap after it.
    let room = usize::from(layout.step.saturating_sub(GAP));
    let trials = format!("{} trials", count(own.called as f64));
    let mut all = match lens.stand_in(class) {
        Some(_) => {
            // What must not be mistaken for a classification image says so, and why there is none.
            let reasons = lens.missing(class).map_or_else(Vec::new, |it| it.lines);
            let why = reasons.join(" ");
            let both = format!("mean stimulus {} {why}", theme.glyphs.dot);
            let fits = |text: &String| text.chars().count() + 3 <= room;
            let (words, rest) = if fits(&both) {
                (both, String::new())
            } else if layout.words == 1 {
                let short = [why, reasons.first().cloned().unwrap_or_default()];
                let short = short.into_iter().find(fits);
                (short.unwrap_or_else(|| "stim.".into()), String::new())
            } else {
                let short = ["mean stimulus", "stimulus", "stim."].map(String::from);
                let short = short.into_iter().find(fits);
                (short.unwrap_or_default(), format!("  {why}"))
            };
            let words = Span::styled(words, theme.dim());
            let rest = Span::styled(rest, theme.dim());
            vec![Line::from(vec![name, words]), Line::from(rest)]
        }
        None => {
            let trials = Span::styled(format!("  {trials}"), theme.dim());
            let mut first = vec![name];
            first.extend(quality(scene, lens, class, room.saturating_sub(3)));
            vec![Line::from(first), Line::from(trials)]
        }
    };
    let fed_back = match lens.fed_back(class) {
        Some(back) => {
            let text = format!("  called {} {}", back.class, percent(back.confidence));
            let style = if back.class == class {
                theme.text()
            } else {
                theme.dim()
            };
            Span::styled(text, style)
        }
        None if own.called == 0 => Span::raw(""),
        None => Span::styled("  not fed back yet", theme.dim()),
    };
    all.push(Line::from(fed_back));
    all.truncate(usize::from(layout.words));
    all
}

/// How reliable the map of a class is, and at which γ where that is the class's own, in `room`
/// columns.
fn quality(scene: &Scene<'_>, lens: &Lens<'_>, class: usize, room: usize) -> Vec<Span<'static>> {
    let theme = scene.theme;
    let Some(own) = lens.class(class) else {
        return Vec::new();
    };
    let at = match lens.gamma_of(class) {
        Some(own) if lens.is_mixed() => Some(gamma(own)),
        _ => None,
    };
    let Some(r) = own.reliability else {
        let words = match own.sufficient {
            true => "R not yet",
            false if room < 15 => "no R",
            false => "insufficient",
        };
        return vec![Span::styled(words, theme.dim())];
    };
    let r = reliability(r);
    let Some(at) = at else {
        return vec![Span::raw(format!("R {r}"))];
    };
    // In a narrow place without the zeros before the points, and with the digits that fit.
    let glyph = theme.glyphs.gamma;
    let bare = |text: &str| text.strip_prefix('0').unwrap_or(text).to_string();
    let wide = glyph.chars().count() + at.len() + r.len() + 5 <= room;
    let (at, mut r) = match wide {
        true => (format!("{glyph} {at}  "), format!("R {r}")),
        false => (
            format!("{}{} ", &glyph[..glyph.len().min(2)], bare(&at)),
            bare(&r),
        ),
    };
    if !wide {
        let left = room.saturating_sub(at.chars().count()).max(3);
        r = r.chars().take(left).collect();
    }
    vec![Span::styled(at, theme.dim()), Span::raw(r)]
}
