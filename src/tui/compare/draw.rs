//! Draws the comparison: a pure function of the two sessions, the viewer's choices, the area and what the
//! terminal can show.

use std::iter;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::content::{ComparisonContent, ComparisonState, ZLimits, values};
use super::layout::{ComparisonLayout, FACTS, GAP};
use super::scene::ComparisonScene;
use super::{classes, labels};
use crate::figure::channels;
use crate::format::{clean, reliability};
use crate::report::status;
use crate::session::config::Response;
use crate::tui::action::{self, Action, first_key_of};
use crate::tui::frame::{footer, room};
use crate::tui::overlay::{help, jump};
use crate::tui::scene::map_set::MapKind;
use crate::tui::shared::{Pixels, Scale};
use crate::tui::theme::Theme;
use crate::tui::widget::heatmap::{Heatmap, Ramp, SignificanceMarks};
use crate::tui::widget::scale::round_up;
use crate::tui::widget::text::{below, beside, centre, cut, left, right, start, top, wrap};

/// Draws the comparison.
pub fn draw(drawn: &ComparisonScene<'_>, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let back = match (drawn.state.help, &drawn.state.jump) {
        (None, None) => Action::EndComparison,
        // What covers the maps takes the other key.
        _ => Action::Interrupt,
    };
    let back = format!("{} goes back", first_key_of(drawn.keys, back));
    room::draw(
        theme,
        area,
        buf,
        |area, buf| framed(drawn, theme, area, buf),
        |area, buf| room::ask_for_more(&back, area, buf),
    );
}

fn framed(drawn: &ComparisonScene<'_>, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let [head, body, foot] = room::bands(theme, area, buf);
    header(drawn, theme, head, buf);
    match (drawn.state.help, drawn.content) {
        (Some(first), _) => help::draw_of_comparison(drawn.keys, theme, first, body, buf),
        (None, Ok(sight)) => {
            maps(drawn, sight, theme, body, buf);
            if let Some(typed) = &drawn.state.jump {
                let names = sight.names_of_classes(drawn.state.class);
                jump::draw_names(typed, &names, theme, body, buf);
            }
        }
        (None, Err(misfit)) => {
            for (row, line) in (0..).zip(wrap(&misfit.to_string(), body.width)) {
                left(buf, body, 1 + row, Span::styled(line, theme.warning()));
            }
        }
    }
    let rows = action::available_at(drawn.keys, drawn.contexts.clone()).filter(|row| {
        match drawn.content {
            Ok(sight) => sight.is_possible(row.action),
            // Without content there is nothing to move in.
            Err(_) => row.action == Action::EndComparison,
        }
    });
    let shown = drawn.content.ok().map(|content| content.compared.response);
    let word = |short| match short {
        "γ" => theme.glyphs.gamma,
        "evidence" if shown == Some(Response::Evidence) => "decisions",
        _ => short,
    };
    match &drawn.state.notice {
        Some(news) => footer::draw_notice(news, theme, foot, buf),
        None => footer::draw(rows, word, theme, foot, buf),
    }
}

fn header(drawn: &ComparisonScene<'_>, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let states = drawn.sessions.map(status::status_label);
    let state = match states[0] == states[1] {
        true => format!("both {}", states[0]),
        false => format!("A {}, B {}", states[0], states[1]),
    };
    let used = right(buf, area, 0, Span::styled(state, theme.dim()));
    let room = usize::from(area.width.saturating_sub(used + 26)) / 2;
    let name = |index: usize| cut(&clean(&drawn.sessions[index].name), room);
    let line = Line::from(vec![
        Span::styled("noisescope  ", theme.dim()),
        Span::styled("A ", theme.dim()),
        Span::styled(name(0), theme.bright()),
        Span::styled("   B ", theme.dim()),
        Span::styled(name(1), theme.bright()),
    ]);
    left(
        buf,
        start(area, area.width.saturating_sub(used + 1)),
        0,
        line,
    );
}

fn maps(
    drawn: &ComparisonScene<'_>,
    sight: &ComparisonContent,
    theme: &Theme,
    area: Rect,
    buf: &mut Buffer,
) {
    let look = drawn.state;
    labels::choices(sight, look, theme, area, buf);
    let differ = sight.compared.totals().beyond > 0;
    let style = if differ { theme.text() } else { theme.dim() };
    let line = cut(&sight.headline, usize::from(area.width));
    left(buf, area, 1, Span::styled(line, style));
    let cautions = cut(&sight.cautions, usize::from(area.width));
    left(buf, area, 2, Span::styled(cautions, theme.dim()));
    let area = below(area, 4);
    let [_, height, width] = sight.compared.shape;
    let layout = ComparisonLayout::fit((height, width), area);
    let ramps = ramps(sight, look);
    let used = 3 * layout.map.0 + 2 * GAP;
    for index in 0..3 {
        let column = beside(area, index as u16 * (layout.map.0 + GAP));
        let column = start(column, layout.map.0);
        one(
            sight,
            look,
            index,
            ramps[usize::from(index == 2)],
            theme,
            (column, layout.map.1),
            buf,
        );
    }
    let under = below(area, 1 + layout.map.1);
    let beside_table = start(under, used.max(area.width.min(60)));
    let scale_area = if layout.beside { beside_table } else { under };
    labels::scale_line(sight, look, ramps, theme, scale_area, buf);
    labels::facts(drawn, sight, theme, below(under, 1), buf);
    let table = match layout.beside {
        true => beside(area, used + GAP),
        false => below(under, FACTS),
    };
    classes::draw(sight, look, theme, table, buf);
}

/// The colour ramps of A and B, and of their difference: one common scale where they share a unit. A z map of
/// a difference is not on the scale of the others.
fn ramps(sight: &ComparisonContent, look: &ComparisonState) -> [Ramp; 2] {
    let ramp = |limit: f32| Ramp::Diverging { centre: 0.0, limit };
    match (look.kind, look.scale) {
        (MapKind::Z, scale) => {
            let limits = match scale {
                Scale::Common => sight.limits,
                Scale::Own => ZLimits::of(&sight.compared, iter::once(look.class)),
            };
            [limits.z, limits.difference_z].map(|limit| ramp(round_up(limit)))
        }
        (_, Scale::Common) => [ramp(sight.scales.limit(look.class.0)); 2],
        (_, Scale::Own) => [ramp(sight.scales.own_limit(look.class.0)); 2],
    }
}

/// Draws one of the three maps below its title.
fn one(
    sight: &ComparisonContent,
    look: &ComparisonState,
    index: usize,
    ramp: Ramp,
    theme: &Theme,
    (area, height): (Rect, u16),
    buf: &mut Buffer,
) {
    let compared = &sight.compared;
    let quality = |index: usize| {
        let map = compared.map(index, look.class);
        let r = map.and_then(|map| map.reliability);
        r.map_or_else(String::new, |r| format!("  R {}", reliability(r)))
    };
    let title = match index {
        0 => format!("A{}", quality(0)),
        1 => format!("B{}", quality(1)),
        _ if look.kind == MapKind::Z => "z of A minus B".into(),
        _ => "A minus B".into(),
    };
    let title = cut(&title, usize::from(area.width));
    left(buf, area, 0, Span::styled(title, theme.bright()));
    let map_area = top(below(area, 1), height);
    let Some(values) = values(compared, look.kind, index, look.class) else {
        let missing = match index {
            2 => Some("not in both".to_owned()),
            index => compared.missing_reason(index, look.class),
        };
        let text = cut(&missing.unwrap_or_default(), usize::from(map_area.width));
        centre(buf, map_area, height / 2, Span::styled(text, theme.dim()));
        return;
    };
    let [_, rows, columns] = compared.shape;
    let difference = compared.classes[look.class].as_ref().filter(|_| index == 2);
    let z: Option<Vec<f32>> =
        difference.map(|difference| channels::strongest(&difference.z, compared.shape));
    let bound = compared.bounds.map as f32;
    Heatmap {
        significance: z.as_ref().map(|z| (&z[..], bound)),
        marks: match look.pixels {
            Pixels::Significant if z.is_some() => SignificanceMarks::Only,
            _ => SignificanceMarks::Outline,
        },
        ..Heatmap::plain(&values, (rows, columns), ramp)
    }
    .draw(map_area, theme, buf);
}
