//! The contact sheet: the maps of all classes side by side, with what is to say under each. Where
//! they have no room, the rows about the chosen class.

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::Scene;
use super::lens::{Lens, MapKind, RELIABLE};
use super::progress::moving;
use crate::format::{coarse, count, gamma, percent, reliability};
use crate::session::Session;
use crate::session::config::Response;
use crate::session::record::ClassificationImages;
use crate::session::run::Phase;
use crate::tui::action::Action;
use crate::tui::form;
use crate::tui::shared::Pixels;
use crate::tui::widget::heatmap::{Heatmap, Marks, cells};
use crate::tui::widget::text::{centre, left, top};

/// Columns between two maps.
const GAP: u16 = 2;

/// Columns that the words under a map like to have.
const WORDS: u16 = 20;

/// What rows that are not full cost, in quarters of a column of a map.
const UNEVEN: u16 = 12;

/// Most classes that are always all in sight, in full rows where their number allows it.
const FEW: usize = 12;

/// Least columns of a map, and of the words under it, where rows of maps scroll.
const LEAST: u16 = 8;
const LEAST_WORDS: u16 = 10;

/// Columns from which on a map is easy to look at.
const EASY: u16 = 24;

/// How maps are laid out on a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Maps in a row.
    pub columns: usize,
    /// Rows of maps in sight.
    pub rows: usize,
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
    /// The best layout of `maps` maps of `size` pixels on `width` × `height` cells, with up to
    /// `words` rows of words under each. A few maps stand in full rows; of many, so many rows are
    /// in sight as leave room for pixels and names.
    pub fn fit(maps: usize, size: (usize, usize), place: (u16, u16), words: u16) -> Self {
        let maps = maps.max(1);
        let whole = cells(size, comfortable(size)).0;
        // Of a number without divisors one row and one column are the only full ones.
        let has_full_rows = (2..maps).any(|columns| maps.is_multiple_of(columns));
        let full = maps <= FEW && has_full_rows;
        let least = LEAST.min(whole.max(2));
        // A column more is worth something as far as a map is easy to read; from there on, more
        // classes in sight are worth more.
        let easy = whole.min((whole / 2).max(12));
        (1..=maps)
            .flat_map(|columns| {
                let all = maps.div_ceil(columns);
                let first = if maps <= FEW { all } else { 1 };
                (first..=all).map(move |rows| (columns, rows))
            })
            .take_while(|(columns, _)| place.0 / *columns as u16 >= 3 || *columns == 1)
            .flat_map(|at| (1..=words.max(1)).map(move |words| (at, words)))
            .flat_map(|(at, words)| [0, 1].map(|gap| (at, words, gap)))
            .map(|((columns, rows), words, gap)| {
                let seen = maps.min(columns * rows);
                let layout = Self::with(seen, size, place, (columns, words, gap));
                let width = layout.width.min(whole);
                if maps <= FEW {
                    // A column more on every map is worth more than a row of words, and that more
                    // than air; more columns than pixels are worth no more.
                    let empty = (columns * rows - maps) as u16;
                    // Rows that are not full are worth it where maps are clearly larger for it.
                    let uneven = match full && !maps.is_multiple_of(columns) {
                        true => UNEVEN,
                        false => 0,
                    };
                    let worth = 4 * width + 3 * words + 2 * gap;
                    return (u32::from(worth.saturating_sub(empty + uneven)), layout);
                }
                let readable = width >= least && layout.step >= LEAST_WORDS.max(least) + GAP;
                // One row alone does not show that there are more.
                let several = seen == maps || rows > 1;
                let worth = 40 * u32::from(width.min(easy)) / u32::from(easy.max(1))
                    + 40 * seen as u32 / maps as u32
                    + u32::from(3 * words + 2 * gap)
                    + u32::from(width.saturating_sub(easy));
                let marks = 1000 * u32::from(readable) + 400 * u32::from(several);
                (marks + worth, layout)
            })
            .max_by_key(|(worth, layout)| (*worth, layout.columns))
            .map_or_else(
                || Self::with(maps, size, place, (1, 1, 0)),
                |(_, best)| best,
            )
    }

    /// The classes in sight: those of the rows about the chosen one.
    pub fn shown(&self, chosen: usize, classes: usize) -> Range<usize> {
        let columns = self.columns.max(1);
        let all = classes.div_ceil(columns);
        let rows = form::window(chosen / columns, all, self.rows);
        rows.start * columns..(rows.end * columns).min(classes)
    }

    /// Rows that all rows of maps in sight take.
    pub fn taken(&self) -> u16 {
        self.rows as u16 * self.pitch
    }

    /// The layout with so many maps in a row, rows of words, and rows of air.
    pub fn with(
        maps: usize,
        size: (usize, usize),
        (width, height): (u16, u16),
        (columns, words, gap): (usize, u16, u16),
    ) -> Self {
        let columns = columns.max(1);
        let rows = maps.div_ceil(columns).clamp(1, 999) as u16;
        let across = (width + GAP) / columns as u16;
        let down = (height + gap) / rows;
        let (room_x, room_y) = (across.saturating_sub(GAP), down.saturating_sub(words + gap));
        // Square pixels: a cell is one wide and two high. What a height has room for, in columns:
        let (tall, broad) = (size.0.max(1) as u32, size.1.max(1) as u32);
        let by_height = (2 * u32::from(room_y) * broad / tall).min(u32::from(u16::MAX)) as u16;
        let room = room_x.min(by_height);
        let rows_of = |columns: u16| (u32::from(columns) * tall).div_ceil(2 * broad) as u16;
        let (full, _) = cells(size, 1);
        let (wide, tall) = if room >= full && full > 0 {
            cells(size, room / full)
        } else if room >= full / 2 && room < full / 2 + full / 8 {
            // A clean average of four pixels is worth more than a few columns.
            (full / 2, rows_of(full / 2))
        } else {
            (room, rows_of(room))
        };
        Self {
            columns,
            rows: usize::from(rows),
            width: wide,
            height: tall,
            words,
            step: across.min(WORDS.max(wide + GAP)),
            pitch: tall + words + gap,
        }
    }
}

/// The zoom at which a map is easy to look at: one cell a pixel, but for coarse ones.
pub fn comfortable(size: (usize, usize)) -> u16 {
    let (height, width) = (size.0.max(1) as u16, size.1.max(1) as u16);
    EASY.div_ceil(height.max(width)).clamp(1, 4)
}

/// Whether an action on a sheet can do anything: of maps of one channel there is one look.
pub fn is_possible(action: Action, session: &Session) -> bool {
    let mut all = session.record.all::<ClassificationImages>();
    let channels = |images: &ClassificationImages| images.gammas.first().map(|it| it.shape()[0]);
    action != Action::NextLook || all.any(|(_, images)| channels(images) > Some(1))
}

/// Draws the maps of all classes over `area`, or those about the chosen one.
pub fn draw(scene: &Scene<'_>, lens: &Lens<'_>, layout: Layout, area: Rect, buf: &mut Buffer) {
    for (at, class) in layout.shown(scene.shared.class, lens.classes()).enumerate() {
        let (row, column) = (at / layout.columns, at % layout.columns);
        let x = area.x + column as u16 * layout.step;
        let y = area.y + row as u16 * layout.pitch;
        let tile = Rect::new(x, y, layout.step.saturating_sub(1), layout.pitch);
        tile_of(scene, lens, class, layout, tile.intersection(area), buf);
    }
}

/// Which classes are in sight where not all are, in words.
pub fn position(scene: &Scene<'_>, lens: &Lens<'_>, layout: Layout) -> Option<String> {
    let shown = layout.shown(scene.shared.class, lens.classes());
    form::position(&shown, lens.classes())
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
    let marks = match scene.shared.pixels {
        Pixels::Significant if lens.values(class).is_some() => Marks::Only,
        _ => Marks::None,
    };
    if let Some(painting) = lens.painting(class) {
        let significance = lens.significance(class);
        Heatmap {
            colours: painting.colours,
            significance: significance.as_ref().map(|(z, bound)| (&z[..], *bound)),
            marks,
            ..Heatmap::plain(&painting.values, lens.size(), painting.ramp)
        }
        .draw(area, theme, buf);
        if let Some(words) = lens.own_scale(class) {
            own_scale(&words, scene, area, buf);
        }
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
    let fits = |line: &String| Span::raw(line.as_str()).width() <= usize::from(area.width);
    let lines: Vec<String> = missing.lines.into_iter().filter(fits).collect();
    let start = area.height.saturating_sub(lines.len() as u16) / 2;
    for (row, line) in lines.iter().enumerate() {
        let padded = match Span::raw(line.as_str()).width() + 2 <= usize::from(area.width) {
            true => format!(" {line} "),
            false => line.clone(),
        };
        let text = Span::styled(padded, theme.text());
        centre(buf, top(area, area.height), start + row as u16, text);
    }
}

/// Says on a map, in its lower left corner, that it has a scale of its own, and where that ends where
/// there is room for it.
pub fn own_scale(words: &str, scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let fits = |words: &&str| Span::raw(*words).width() <= usize::from(area.width);
    let words = [words, "±"].into_iter().find(fits).unwrap_or_default();
    let row = area.height.saturating_sub(1);
    left(
        buf,
        area,
        row,
        Span::styled(words.to_owned(), scene.theme.text()),
    );
}

/// The lines under the map of a class: first its name and reliability, then its trials, then what
/// its mean stimulus is called.
fn caption(scene: &Scene<'_>, lens: &Lens<'_>, class: usize, layout: Layout) -> Vec<Line<'static>> {
    let theme = scene.theme;
    let Some(own) = lens.class(class) else {
        return Vec::new();
    };
    // The last of a row has no gap after it.
    let room = usize::from(layout.step.saturating_sub(GAP));
    let quality = |room| quality(scene, lens, class, room);
    let width = |spans: &[Span<'_>]| spans.iter().map(Span::width).sum::<usize>();
    let whole = form::within(scene.session, class, room.saturating_sub(1));
    // The name and what the map is worth stand on one row where they fit, else the name goes first.
    let numbered = whole.parse::<usize>().is_ok();
    let apart = !numbered && whole.chars().count() + 2 + width(&quality(9)) > room;
    let own_row = apart && layout.words > 1;
    let chosen = scene.shared.class == class;
    let name = if chosen {
        Span::styled(format!("{}{whole} ", theme.glyphs.pointer), theme.chosen())
    } else {
        Span::styled(format!(" {whole} "), theme.bright())
    };
    let named = name.width();
    let fits = |text: &String| text.chars().count() < room;
    let under = under_name(scene, lens, class, room);
    let trials = under.into_iter().find(fits).unwrap_or_default();
    let mut all = match lens.stands_in(class) {
        true => {
            // What must not be mistaken for a classification image says so, and why there is none.
            let reasons = lens.missing(class).map_or_else(Vec::new, |it| it.lines);
            let why = reasons.join(" ");
            let both = format!("mean stimulus {} {why}", theme.glyphs.dot);
            let fits = |text: &String| text.chars().count() + named <= room;
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
        false if own_row => {
            let mut second = vec![Span::raw("  ")];
            second.extend(quality(room.saturating_sub(2)));
            vec![Line::from(name), Line::from(second)]
        }
        false => {
            let trials = Span::styled(format!("  {trials}"), theme.dim());
            let own = quality(room.saturating_sub(named));
            let mut first = vec![name];
            first.extend(
                Some(own)
                    .filter(|own| named + width(own) <= room)
                    .unwrap_or_default(),
            );
            // Without a row below, the way to a reliable map stands beside its name.
            let needed = lens.judged(class).and_then(|map| map.needed);
            let soon = needed.filter(|_| layout.words == 1 && lens.response == Response::Evidence);
            let soon = soon.and_then(|needed| time_to(scene, lens, class, needed));
            let soon = soon.map(|time| Span::styled(format!("  in {time}"), theme.dim()));
            first.extend(soon.filter(|it| width(&first) + it.width() <= room));
            vec![Line::from(first), Line::from(trials)]
        }
    };
    let fed_back = match lens.fed_back(class) {
        _ if lens.versus.is_some() || lens.kind == MapKind::Regression => Span::raw(""),
        Some(back) => {
            let share = percent(back.confidence);
            let least = Span::raw(share.as_str()).width() + 10;
            let called = form::within(scene.session, back.class, room.saturating_sub(least));
            let text = match room {
                ..16 if lens.classes() > FEW => {
                    let called = form::within(scene.session, back.class, room.saturating_sub(9));
                    format!("  called {called}")
                }
                _ => format!("  called {called} {share}"),
            };
            let style = if back.class == class {
                theme.text()
            } else {
                theme.dim()
            };
            Span::styled(text, style)
        }
        None if own.called == 0 && lens.response == Response::Decision => Span::raw(""),
        None => Span::styled("  not fed back yet", theme.dim()),
    };
    all.push(Line::from(fed_back));
    all.truncate(usize::from(layout.words));
    // Under the small maps of many classes, what has no room goes as a whole.
    let goes = |line: &Line<'_>| lens.classes() > FEW && line.width() > room + 1;
    all.into_iter()
        .map(|line| if goes(&line) { Line::default() } else { line })
        .collect()
}

/// What stands below the name and the reliability of a map, the longest words first: how many trials it is
/// made of, or how many make it reliable.
fn under_name(scene: &Scene<'_>, lens: &Lens<'_>, class: usize, room: usize) -> Vec<String> {
    let Some(own) = lens.class(class) else {
        return Vec::new();
    };
    if lens.response == Response::Decision {
        let called = count(own.called as f64);
        return match room {
            ..16 if lens.classes() > FEW => vec![format!("of {called}"), called],
            _ => vec![format!("{called} trials"), called],
        };
    }
    let Some(needed) = lens.judged(class).and_then(|map| map.needed) else {
        return Vec::new();
    };
    let short = format!("{RELIABLE} at {}", count(needed as f64));
    let told = format!("R {short}");
    let Some(time) = time_to(scene, lens, class, needed) else {
        return vec![told, short];
    };
    vec![format!("{told}, {time}"), told, short]
}

/// How long the map of a class takes to so many trials, at the pace of this run; `None` where it has them
/// already, or no pace.
fn time_to(scene: &Scene<'_>, lens: &Lens<'_>, class: usize, needed: u64) -> Option<String> {
    let left = needed.saturating_sub(lens.trials_of(class).map_or(0, |it| it.trials));
    let stage = moving(scene).and_then(|run| match run.phase {
        Phase::Working(stage) => run.stages.get(stage),
        _ => None,
    });
    let rate = stage.filter(|stage| stage.unit == "trials");
    let rate = rate.and_then(|stage| stage.per_second);
    let rate = rate.filter(|rate| *rate > 0.0 && left > 0)?;
    // Every γ that is not done takes its turn.
    let images = scene.shared.images_in(scene.session);
    let plan = scene.shared.images_plan(scene.session);
    let gammas = images.into_iter().flat_map(|it| &it.gammas);
    let open = gammas.filter(|it| {
        let planned = plan.map_or(0, |plan| plan.trials_at(it.gamma));
        !it.reached && it.trials < planned
    });
    let seconds = left as f64 * open.count().max(1) as f64 / rate;
    Some(match seconds {
        // In steps, so that it stands still.
        ..60.0 => format!("{:.0} s", (seconds / 5.0).ceil() * 5.0),
        _ => coarse(seconds),
    })
}

/// How reliable the map of a class is, and at which γ where that is the class's own, in `room`
/// columns.
fn quality(scene: &Scene<'_>, lens: &Lens<'_>, class: usize, room: usize) -> Vec<Span<'static>> {
    let theme = scene.theme;
    let at = match lens.gamma_of(class) {
        Some(own) if lens.is_mixed() => Some(gamma(own)),
        _ => None,
    };
    let map = lens.image(class);
    let Some(r) = lens.reliability(class) else {
        let words = match map.is_some() {
            _ if lens.versus == Some(class) => "",
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
    // In a narrow place without the zeros before the points.
    let glyph = theme.glyphs.gamma;
    let bare = |text: &str| text.strip_prefix('0').unwrap_or(text).to_string();
    let wide = glyph.chars().count() + at.len() + r.len() + 5 <= room;
    let (at, mut r) = match wide {
        true => (format!("{glyph} {at}  "), format!("R {r}")),
        false => (
            format!(
                "{}{} ",
                if theme.glyphs.unicode { glyph } else { "g" },
                bare(&at)
            ),
            bare(&r),
        ),
    };
    // A number without its end would be another.
    if !wide && at.chars().count() + r.chars().count() > room {
        r.clear();
    }
    vec![Span::styled(at, theme.dim()), Span::raw(r)]
}
