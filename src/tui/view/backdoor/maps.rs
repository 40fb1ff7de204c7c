//! Draws the maps of a network's classes on one scale, with the strongest windows of the flagged classes and
//! of the chosen class outlined.

use std::borrow::Cow;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::selection::{BackdoorSelection, index};
use crate::ids::ClassId;
use crate::stats::backdoor::FLAG_THRESHOLD;
use crate::tui::form;
use crate::tui::scene::Scene;
use crate::tui::scene::contact_sheet::ContactSheetLayout;
use crate::tui::scene::outline::outline;
use crate::tui::widget::heatmap::{Heatmap, Ramp, averaged, extent};
use crate::tui::widget::scale::{self, round_up};
use crate::tui::widget::text::{below, beside, centre, left, start, top};

/// Minimum columns of the scale's text.
const LEGEND: u16 = 28;

/// Columns of the scale with its quantity and that the map is averaged, in short or from how many pixels.
const SHORT_LEGEND: u16 = 40;
const WHOLE_LEGEND: u16 = 56;

/// The selected component of a class's map: z of its classification image or, if no class has one, its
/// evidence image. `None` if it has too few trials.
fn map<'a>(
    scene: &Scene<'_>,
    sight: &BackdoorSelection<'a>,
    class: ClassId,
) -> Option<Cow<'a, [f32]>> {
    let (finding, shape) = (sight.finding()?, sight.shape?);
    let z = match sight.shows_evidence() {
        true => finding.evidence.values(),
        false => finding.z.values(),
    };
    // All channels of a class.
    let pixels = shape.iter().product::<usize>();
    let map = z.get(class.0 * pixels..(class.0 + 1) * pixels)?;
    let has = map.iter().all(|z| z.is_finite());
    has.then(|| scene.shared.component.values(map, shape))
}

fn ramp(scene: &Scene<'_>, sight: &BackdoorSelection<'_>) -> Ramp {
    let maps = ClassId::all(sight.classes).filter_map(|class| map(scene, sight, class));
    let largest = |map: Cow<'_, [f32]>| map.iter().fold(0.0_f32, |largest, z| largest.max(z.abs()));
    let limit = maps.map(largest).fold(0.0, f32::max);
    Ramp::Diverging {
        centre: 0.0,
        limit: round_up(limit),
    }
}

/// Draws all classes side by side, with their scale below.
pub fn draw(scene: &Scene<'_>, sight: &BackdoorSelection<'_>, area: Rect, buf: &mut Buffer) {
    let Some(size) = sight.size() else {
        none_yet(scene, area, buf);
        return;
    };
    let sheet_area = top(area, area.height.saturating_sub(1));
    let layout = ContactSheetLayout::fit(
        sight.classes,
        size,
        (sheet_area.width, sheet_area.height),
        1,
    );
    let shown = layout.shown(sight.class, sight.classes);
    let ramp = ramp(scene, sight);
    for (index, class) in shown.clone().map(ClassId).enumerate() {
        let (row, column) = (index / layout.columns, index % layout.columns);
        let tile = Rect::new(
            area.x + column as u16 * layout.step,
            area.y + row as u16 * layout.pitch,
            layout.width,
            layout.height + 1,
        );
        let words = layout.step.saturating_sub(2).max(layout.width);
        tile_of(
            scene,
            sight,
            (class, ramp, words),
            tile.intersection(area),
            buf,
        );
    }
    let under = below(area, layout.taken().min(area.height.saturating_sub(1)));
    let position = form::position(&shown, sight.classes);
    legend(scene, sight, (ramp, position), under, buf);
}

/// Draws the chosen class alone; returns the columns used.
pub fn enlarged(
    scene: &Scene<'_>,
    sight: &BackdoorSelection<'_>,
    area: Rect,
    buf: &mut Buffer,
) -> u16 {
    let room = (area.width.saturating_sub(30), area.height.saturating_sub(2));
    let Some(size) = sight.size() else {
        return none_yet(scene, area, buf);
    };
    let (width, height) = extent(size, room);
    let tile = start(top(area, height + 1), width);
    let ramp = ramp(scene, sight);
    tile_of(scene, sight, (sight.class, ramp, width), tile, buf);
    let words = averaged(size, (width, height));
    // A map that is averaged may be narrower than the words that say so; on a small screen the quantity comes first.
    let (used, words) = match words {
        Some(words) if width >= WHOLE_LEGEND => (width, Some(words)),
        Some(_) if room.0 >= SHORT_LEGEND => (width.max(SHORT_LEGEND), Some("averaged".to_owned())),
        Some(_) | None => (width, None),
    };
    legend(
        scene,
        sight,
        (ramp, words),
        start(below(area, height + 1), used.max(LEGEND)),
        buf,
    );
    used
}

/// Draws a message if no network has been examined; returns the columns used, i.e. all.
fn none_yet(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) -> u16 {
    let text = Span::styled("no maps yet", scene.theme.dim());
    centre(buf, area, area.height / 2, text);
    area.width
}

fn legend(
    scene: &Scene<'_>,
    sight: &BackdoorSelection<'_>,
    (ramp, position): (Ramp, Option<String>),
    area: Rect,
    buf: &mut Buffer,
) {
    let theme = scene.theme;
    if ClassId::all(sight.classes).all(|class| map(scene, sight, class).is_none()) {
        let words = Span::styled(position.unwrap_or_default(), theme.dim());
        left(buf, area, 0, words);
        return;
    }
    let used = scale::draw(ramp, 14.min(area.width / 3), area, theme, buf);
    let rest = beside(area, used);
    let channels = sight.shape.map_or(1, |shape| shape[0]);
    let look = scene.shared.component.label(channels);
    let look = look.map_or_else(String::new, |look| format!(" of {look}"));
    let position = position.map(|words| format!("  {words}"));
    let (quantity, unit) = match sight.shows_evidence() {
        true => ("evidence", "in logits per full range of a pixel"),
        false => ("z", "in standard errors"),
    };
    let (short, position) = (format!("  {quantity}{look}"), position.unwrap_or_default());
    let words = [
        format!("{short}, {unit}{position}"),
        format!("{short}{position}"),
        position,
        short,
        format!("  {quantity}"),
    ];
    let fits = |words: &&String| words.chars().count() <= usize::from(rest.width);
    let words = words.iter().filter(|words| !words.is_empty()).find(fits);
    let words = Span::styled(words.cloned().unwrap_or_default(), theme.dim());
    left(buf, rest, 0, words);
}

fn tile_of(
    scene: &Scene<'_>,
    sight: &BackdoorSelection<'_>,
    (class, ramp, words): (ClassId, Ramp, u16),
    area: Rect,
    buf: &mut Buffer,
) {
    let theme = scene.theme;
    let map_area = top(area, area.height.saturating_sub(1));
    let window = sight
        .finding()
        .and_then(|finding| *finding.windows.get(class.0)?);
    let value = window.and_then(|window| window.index);
    match map(scene, sight, class).zip(sight.size()) {
        Some((values, size)) => {
            Heatmap::plain(&values, size, ramp).draw(map_area, theme, buf);
            let is_outlined =
                value.is_some_and(|index| index > FLAG_THRESHOLD) || class == sight.class;
            if let Some(window) = window.filter(|_| is_outlined) {
                let window = (window.row, window.column, window.size);
                outline(window, size, map_area, theme, buf);
            }
        }
        None => {
            let text = Span::styled("too few", theme.dim());
            centre(buf, map_area, map_area.height / 2, text);
        }
    }
    let number = match value {
        Some(_) if words >= 7 => format!(" {}", index(value)),
        _ => String::new(),
    };
    let flagged = value.is_some_and(|index| index > FLAG_THRESHOLD);
    let style = if flagged {
        theme.warning()
    } else {
        theme.dim()
    };
    let room = usize::from(words).saturating_sub(number.chars().count());
    let name = sight.marked(class, room.max(2), theme);
    let line = Line::from(vec![name, Span::styled(number, style)]);
    let under = Rect {
        width: words.max(area.width),
        ..area
    };
    left(buf, under.intersection(buf.area), map_area.height, line);
}
