//! The small maps beside the enlarged one: the same class at every other γ, and by the other response.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::selection::MapsSelection;
use crate::drawing::scale::Reach;
use crate::format::{gamma, reliability};
use crate::session::config::Response;
use crate::session::record::GammaTrials;
use crate::stats::classification::ClassEstimate;
use crate::tui::scene::Scene;
use crate::tui::scene::map_set::MapKind;
use crate::tui::widget::heatmap::{Heatmap, Ramp, cells};
use crate::tui::widget::scale::round_up;
use crate::tui::widget::text::{left, start};

/// Columns between two maps.
const GAP: u16 = 2;
/// Rows of text below a map, and a blank one.
const WORDS: u16 = 2;
/// Columns of the text below a map; coarse maps are enlarged to about this width.
const TEXT: u16 = 28;

/// Columns and rows of a map.
fn extent(sight: &MapsSelection<'_>) -> (u16, u16) {
    let size = sight.lens.size();
    let (single, _) = cells(size, 1);
    cells(size, (TEXT / single.max(1)).clamp(1, 8))
}

/// Columns that the maps need; 0 if there is nothing to show.
pub fn columns(sight: &MapsSelection<'_>) -> u16 {
    let width = extent(sight).0.max(TEXT);
    let whole = sight.lens.kind.is_of_response() && sight.lens.versus.is_none();
    match whole && sight.lens.kind != MapKind::Regression && sight.images.gammas.len() > 1 {
        true => width,
        false => 0,
    }
}

/// Draws as many as fit, the nearest γ first.
pub fn draw(scene: &Scene<'_>, sight: &MapsSelection<'_>, area: Rect, buf: &mut Buffer) {
    let theme = scene.theme;
    let (width, height) = (columns(sight), extent(sight).1);
    if width == 0 || area.width < width || area.height < height + WORDS {
        return;
    }
    let across = usize::from((area.width + GAP) / (width + GAP));
    let down = usize::from((area.height + 1) / (height + WORDS + 1)).max(1);
    let title = Span::styled("the same class, varied", theme.bright());
    left(buf, area, 0, title);
    for (index, (trials, response)) in others(sight).into_iter().take(across * down).enumerate() {
        let tile_area = Rect {
            x: area.x + (index % across) as u16 * (width + GAP),
            y: area.y + 1 + (index / across) as u16 * (height + WORDS),
            width,
            height: height + 1,
        };
        one(
            scene,
            sight,
            (trials, response),
            tile_area.intersection(area),
            buf,
        );
    }
}

/// The other response at the same γ, then the other γ, nearest first.
fn others<'a>(sight: &MapsSelection<'a>) -> Vec<(&'a GammaTrials, Response)> {
    let current = (sight.lens.trials.gamma, sight.lens.response);
    let begun = || {
        sight
            .images
            .gammas
            .iter()
            .filter(|trials| trials.trials > 0)
    };
    let mut gammas: Vec<&GammaTrials> =
        begun().filter(|trials| trials.gamma != current.0).collect();
    gammas.sort_by(|a, b| {
        (a.gamma.0 - current.0.0)
            .abs()
            .total_cmp(&(b.gamma.0 - current.0.0).abs())
    });
    let mut all: Vec<_> = gammas
        .into_iter()
        .map(|trials| (trials, current.1))
        .collect();
    if sight.images.has_evidence() {
        let other = match current.1 {
            Response::Decision => Response::Evidence,
            Response::Evidence => Response::Decision,
        };
        let same = begun().find(|trials| trials.gamma == current.0);
        all.splice(0..0, same.map(|trials| (trials, other)));
    }
    all
}

fn one(
    scene: &Scene<'_>,
    sight: &MapsSelection<'_>,
    (trials, response): (&GammaTrials, Response),
    area: Rect,
    buf: &mut Buffer,
) {
    let theme = scene.theme;
    let size = sight.lens.size();
    let (width, height) = extent(sight);
    let estimate = trials.estimate();
    let class = estimate.classes.get(scene.shared.class.0);
    let map = class.and_then(|class| class.image(response));
    let glyph = theme.glyphs.gamma;
    let mut spans = vec![Span::styled(
        format!("{glyph} {}  ", gamma(trials.gamma)),
        theme.dim(),
    )];
    let map_area = Rect {
        height,
        ..start(area, width)
    }
    .intersection(area);
    match map {
        Some(map) => {
            let values = match sight.lens.kind {
                MapKind::Z => &map.z,
                _ => &map.image,
            };
            let values = scene.shared.component.values(values, trials.shape());
            let reach = Reach::of(&values, 0.0, map.reliability);
            let ramp = Ramp::Diverging {
                centre: 0.0,
                limit: round_up(reach.extent),
            };
            Heatmap::plain(&values, size, ramp).draw(map_area, theme, buf);
            if let Some(r) = map.reliability {
                spans.push(Span::raw(format!("R {}  ", reliability(r))));
            }
        }
        None => {
            for row in (0..map_area.height).step_by(2) {
                let dots = format!("{} ", theme.glyphs.dot);
                let dots = dots.repeat(usize::from(map_area.width).div_ceil(2));
                left(buf, map_area, row, Span::styled(dots, theme.dim()));
            }
            let why = reason(class, trials, response);
            spans.push(Span::styled(format!("{why}  "), theme.dim()));
        }
    }
    if response != sight.lens.response {
        spans.push(Span::styled(response.label(), theme.dim()));
        // Its γ is that of the large map; without the response it would be mistaken for that map.
        let width = spans.iter().map(Span::width).sum::<usize>();
        if width > usize::from(area.width) {
            spans.remove(0);
        }
    }
    left(buf, area, height, Line::from(spans));
}

/// Why a class has no map, in two words at most.
fn reason(class: Option<&ClassEstimate>, trials: &GammaTrials, response: Response) -> &'static str {
    match response {
        _ if class.is_some_and(|class| !class.listed) => "not listed",
        Response::Evidence if !trials.lacks_trials_for_evidence() => "constant",
        Response::Evidence | Response::Decision => "too few",
    }
}
