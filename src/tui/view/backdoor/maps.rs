//! The z maps of a network's classes on one scale, the strongest windows of the classes that stand
//! out and of the chosen class outlined.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Span;

use super::sight::{Sight, index};
use crate::session::record::Window;
use crate::stats::backdoor::FLAGGED;
use crate::tui::scene::Scene;
use crate::tui::scene::sheet::Layout;
use crate::tui::theme::Depth;
use crate::tui::widget::heatmap::{Heatmap, Ramp, cells};
use crate::tui::widget::scale::{self, round_up};
use crate::tui::widget::text::{below, beside, centre, left, start, top};

/// Columns that the words of the scale need at least.
const LEGEND: u16 = 28;

/// The z map of a class; `None` where it has too few trials.
fn map<'a>(sight: &Sight<'a>, class: usize) -> Option<&'a [f32]> {
    let z = sight.finding()?.z.values();
    // All channels of a class.
    let pixels = z.len() / sight.classes.max(1);
    let own = z.get(class * pixels..(class + 1) * pixels)?;
    own.iter().all(|z| z.is_finite()).then_some(own)
}

fn ramp(sight: &Sight<'_>) -> Ramp {
    let maps = (0..sight.classes).filter_map(|class| map(sight, class));
    let most = maps.flatten().fold(0.0_f32, |most, z| most.max(z.abs()));
    Ramp::Diverging {
        centre: 0.0,
        limit: round_up(most),
    }
}

/// Draws all classes side by side, their scale below.
pub fn draw(scene: &Scene<'_>, sight: &Sight<'_>, area: Rect, buf: &mut Buffer) {
    let Some(size) = sight.size else {
        none_yet(scene, area, buf);
        return;
    };
    let place = top(area, area.height.saturating_sub(1));
    let layout = Layout::fit(sight.classes, size, (place.width, place.height), 1);
    for class in 0..sight.classes {
        let (row, column) = (class / layout.columns, class % layout.columns);
        let tile = Rect::new(
            area.x + column as u16 * layout.step,
            area.y + row as u16 * layout.pitch,
            layout.width,
            layout.height + 1,
        );
        tile_of(scene, sight, class, tile.intersection(area), buf);
    }
    let rows = sight.classes.div_ceil(layout.columns) as u16;
    let under = below(
        area,
        (rows * layout.pitch).min(area.height.saturating_sub(1)),
    );
    legend(scene, sight, under, buf);
}

/// Draws the chosen class alone; gives the columns it took.
pub fn enlarged(scene: &Scene<'_>, sight: &Sight<'_>, area: Rect, buf: &mut Buffer) -> u16 {
    let room = (area.width.saturating_sub(30), area.height.saturating_sub(2));
    let Some(size) = sight.size else {
        return none_yet(scene, area, buf);
    };
    let fits = |zoom: &u16| {
        let (width, height) = cells(size, *zoom);
        width <= room.0 && height <= room.1
    };
    let zoom = (1..=8).rev().find(fits).unwrap_or(1);
    let (width, height) = cells(size, zoom);
    let tile = start(top(area, height + 1), width);
    tile_of(scene, sight, sight.class, tile, buf);
    legend(
        scene,
        sight,
        start(below(area, height + 1), width.max(LEGEND)),
        buf,
    );
    width
}

/// Says so where no network has been examined; gives the columns it took, which are all.
fn none_yet(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) -> u16 {
    let text = Span::styled("no maps yet", scene.theme.dim());
    centre(buf, area, area.height / 2, text);
    area.width
}

fn legend(scene: &Scene<'_>, sight: &Sight<'_>, area: Rect, buf: &mut Buffer) {
    let theme = scene.theme;
    if (0..sight.classes).all(|class| map(sight, class).is_none()) {
        return;
    }
    let used = scale::draw(ramp(sight), 14.min(area.width / 3), area, theme, buf);
    let rest = beside(area, used);
    let words = ["  z, in standard errors", "  z"].into_iter();
    let mut fit = words.filter(|words| words.len() <= usize::from(rest.width));
    let words = fit.next().unwrap_or_default();
    left(buf, rest, 0, Span::styled(words, theme.dim()));
}

fn tile_of(scene: &Scene<'_>, sight: &Sight<'_>, class: usize, area: Rect, buf: &mut Buffer) {
    let theme = scene.theme;
    let place = top(area, area.height.saturating_sub(1));
    let window = sight.finding().and_then(|it| *it.windows.get(class)?);
    let own = window.and_then(|it| it.index);
    match map(sight, class).zip(sight.size) {
        Some((values, size)) => {
            Heatmap::plain(values, size, ramp(sight)).draw(place, theme, buf);
            let told = own.is_some_and(|index| index > FLAGGED) || class == sight.class;
            if let Some(window) = window.filter(|_| told) {
                outline(scene, window, size, place, buf);
            }
        }
        None => {
            let text = Span::styled("too few", theme.dim());
            centre(buf, place, place.height / 2, text);
        }
    }
    let words = match own {
        Some(_) if area.width >= 7 => format!(" {}", index(own)),
        _ => String::new(),
    };
    let flagged = own.is_some_and(|index| index > FLAGGED);
    let style = if flagged {
        theme.warning()
    } else {
        theme.dim()
    };
    let name = match class == sight.class {
        true => Span::styled(format!("{}{class}", theme.glyphs.pointer), theme.chosen()),
        false => Span::raw(format!(" {class}")),
    };
    left(
        buf,
        area,
        place.height,
        ratatui::text::Line::from(vec![name, Span::styled(words, style)]),
    );
}

/// A box about a window of the map that fills `area`; where the map is too small for one, brackets.
fn outline(scene: &Scene<'_>, window: Window, size: (usize, usize), area: Rect, buf: &mut Buffer) {
    let theme = scene.theme;
    let area = area.intersection(buf.area);
    if area.is_empty() {
        return;
    }
    let span = |first: usize, of: usize, length: u16| {
        let at = |pixel: usize| pixel as f64 / of as f64 * f64::from(length);
        let low = at(first).floor() as u16;
        let high = (at(first + window.size).ceil() as u16).saturating_sub(1);
        (low.min(length - 1), high.clamp(low, length - 1))
    };
    let (top, bottom) = span(window.row, size.0, area.height);
    let (left, right) = span(window.column, size.1, area.width);
    let mut put = |x: u16, y: u16, symbol: &str| {
        let cell = &mut buf[(area.x + x, area.y + y)];
        let style = match theme.depth {
            Depth::Mono => theme.bright(),
            _ => Style::new().fg(theme.contrast(cell.bg)),
        };
        cell.set_symbol(symbol).set_style(style);
    };
    if bottom - top < 2 || right - left < 2 {
        let middle = top.midpoint(bottom);
        put(left, middle, "[");
        put(right, middle, if left == right { "o" } else { "]" });
        return;
    }
    let [across, down, corners] = match theme.glyphs.unicode {
        true => ["─", "│", "┌┐└┘"],
        false => ["-", "|", "++++"],
    };
    for x in left + 1..right {
        put(x, top, across);
        put(x, bottom, across);
    }
    for y in top + 1..bottom {
        put(left, y, down);
        put(right, y, down);
    }
    let places = [(left, top), (right, top), (left, bottom), (right, bottom)];
    for (corner, (x, y)) in corners.chars().zip(places) {
        put(x, y, corner.encode_utf8(&mut [0; 4]));
    }
}
