//! The table of the reliability of every class's map at every γ: which γ is used, and why.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::selection::MapsSelection;
use crate::figure::choice::{RELIABLE, is_reliable};
use crate::format::{count, gamma, reliability};
use crate::ids::ClassId;
use crate::session::config::Response;
use crate::session::record::GammaTrials;
use crate::tui::action::{Action, first_key_of};
use crate::tui::form;
use crate::tui::scene::Scene;
use crate::tui::widget::columns::{columns, pad_start};
use crate::tui::widget::text::{below, beside, left, right, start, wrap};

/// Columns of a cell, and of the number of trials that the best map of a class needs.
const CELL: u16 = 8;
const NEEDED: u16 = 16;
/// Maximum columns of the names of classes.
const NAMES: u16 = 20;
/// Rows above the cells, and below them.
const HEAD: u16 = 2;
const FOOT: u16 = 3;

/// Draws the table: a row per class, a column per γ; those around the chosen one if they do not all fit.
pub fn draw(scene: &Scene<'_>, sight: &MapsSelection<'_>, area: Rect, buf: &mut Buffer) {
    let (theme, shared, images) = (scene.theme, scene.shared, sight.images);
    let response = shared.current_response(images);
    let classes = sight.lens.classes();
    let mut order: Vec<usize> = (0..images.gammas.len()).collect();
    order.sort_by(|&a, &b| images.gammas[a].gamma.total_cmp(&images.gammas[b].gamma));
    let names = (form::widest(scene.session) as u16 + 2).clamp(7, NAMES);
    let room = area.width.saturating_sub(names + NEEDED) / CELL;
    let chosen = shared.gamma_index_of(images, shared.class);
    let chosen = order.iter().position(|&index| index == chosen).unwrap_or(0);
    let across = form::window(chosen, order.len(), usize::from(room));
    let rows = area.height.saturating_sub(HEAD + FOOT);
    let down = form::window(shared.class.0, classes, usize::from(rows));

    let title = format!("R of the {}s", response.image_label());
    let mut title_spans = vec![Span::styled(title, theme.bright())];
    let part = |words: String| Span::styled(format!("   {words}"), theme.dim());
    title_spans.extend(form::position(&down, classes).map(part));
    if across.len() < order.len() {
        title_spans.push(part(format!(
            "{} of {} {}",
            across.len(),
            order.len(),
            theme.glyphs.gamma
        )));
    }
    while Line::from(title_spans.clone()).width() > usize::from(area.width) && title_spans.len() > 1
    {
        title_spans.pop();
    }
    left(buf, area, 0, Line::from(title_spans));

    let column = |index: usize| beside(area, names + CELL * index as u16);
    let last = across.len();
    for (position, &index) in order[across.clone()].iter().enumerate() {
        let mut text = gamma(images.gammas[index].gamma);
        let room = usize::from(CELL) - 1;
        if position == 0 {
            let signed = format!("{} {text}", theme.glyphs.gamma);
            if columns(&signed) <= room {
                text = signed;
            } else {
                // The value matters: a sign too long for the cell goes before it.
                let sign = Span::styled(format!("{} ", theme.glyphs.gamma), theme.dim());
                right(buf, start(area, names), 1, sign);
            }
        }
        let text = pad_start(&text, room);
        let style = if across.start + position == chosen {
            theme.chosen()
        } else {
            theme.dim()
        };
        left(
            buf,
            start(column(position), CELL),
            1,
            Span::styled(text, style),
        );
    }
    left(
        buf,
        beside(column(last), 2),
        1,
        Span::styled(format!("for R {RELIABLE}"), theme.dim()),
    );

    for (row, class) in down.map(ClassId).enumerate() {
        let row = HEAD + row as u16;
        let chosen = class == shared.class;
        let name = form::class_name_within(scene.session, class, usize::from(names - 2));
        let name = match chosen {
            true => Span::styled(format!("{}{name}", theme.glyphs.pointer), theme.chosen()),
            false => Span::raw(format!(" {name}")),
        };
        left(buf, start(area, names), row, name);
        let used = shared.gamma_index_of(images, class);
        for (position, &index) in order[across.clone()].iter().enumerate() {
            let (text, style) = cell(scene, &images.gammas[index], response, class);
            // The γ in use is marked by a glyph, not by colour alone.
            let (mark, style) = match index == used {
                true => (theme.glyphs.pointer, theme.chosen()),
                false => (" ", style),
            };
            let text = format!("{mark}{text}");
            let text = format!("{text:>0$}", usize::from(CELL) - 1);
            left(
                buf,
                start(column(position), CELL),
                row,
                Span::styled(text, style),
            );
        }
        let needed = images.gammas.get(used).and_then(|trials| {
            let estimate = trials.estimate();
            let map = estimate.classes.get(class.0)?.image(response)?;
            let words = match is_reliable(Some(map)) {
                true => "enough".to_owned(),
                false => format!("{} trials", count(map.needed? as f64)),
            };
            Some(words)
        });
        let needed = needed.unwrap_or_else(|| theme.glyphs.dot.into());
        let needed_area = beside(column(last), 2);
        left(buf, needed_area, row, Span::styled(needed, theme.dim()));
    }
    let (mark, dot, sign) = (theme.glyphs.pointer, theme.glyphs.dot, theme.glyphs.gamma);
    let explanations = match shared.gamma_index {
        Some(_) => {
            let key = first_key_of(shared.keys, Action::BestGamma);
            vec![
                format!(
                    "{mark} this {sign} for all classes, as chosen; {key}: each class at its best"
                ),
                format!("{mark} as chosen; {key}: the best of each"),
            ]
        }
        None => vec![
            format!(
                "{mark} the most reliable of each class, hence its {sign} in Maps and Overview; changes when another is better by 0.1. {dot}: no R"
            ),
            format!("{mark} the most reliable of each class. {dot}: no R"),
        ],
    };
    let foot = below(area, area.height.saturating_sub(FOOT - 1));
    let fits = |lines: &Vec<String>| lines.len() <= usize::from(foot.height);
    let lines = explanations
        .iter()
        .map(|words| wrap(words, area.width))
        .find(fits);
    for (row, line) in lines.unwrap_or_default().into_iter().enumerate() {
        left(buf, foot, row as u16, Span::styled(line, theme.dim()));
    }
}

/// The reliability of a class at one γ, and its style.
fn cell(
    scene: &Scene<'_>,
    trials: &GammaTrials,
    response: Response,
    class: ClassId,
) -> (String, Style) {
    let theme = scene.theme;
    let nothing = (theme.glyphs.dot.to_owned(), theme.dim());
    if trials.trials == 0 {
        return nothing;
    }
    let estimate = trials.estimate();
    let map = estimate
        .classes
        .get(class.0)
        .and_then(|class| class.image(response));
    match map.and_then(|map| Some((map, map.reliability?))) {
        Some((map, r)) => {
            let style = match is_reliable(Some(map)) {
                true => theme.bright(),
                false => theme.text(),
            };
            (reliability(r), style)
        }
        None => nothing,
    }
}
