//! The lines of text around the maps of a comparison.

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::content::{ComparisonContent, ComparisonState};
use super::scene::ComparisonScene;
use crate::figure::channels;
use crate::format::{self, clean, percent, reliability};
use crate::ids::ClassId;
use crate::report::comparison::agreement_line;
use crate::tui::form;
use crate::tui::scene::map_set::MapKind;
use crate::tui::shared::Scale;
use crate::tui::theme::Theme;
use crate::tui::widget::heatmap::Ramp;
use crate::tui::widget::scale;
use crate::tui::widget::text::{beside, cut, left};

/// Draws the available choices, with the current ones marked.
pub fn choices(
    sight: &ComparisonContent,
    look: &ComparisonState,
    theme: &Theme,
    area: Rect,
    buf: &mut Buffer,
) {
    let one = |chosen: bool, text: &str| match chosen {
        true => Span::styled(format!("{}{text}  ", theme.glyphs.pointer), theme.chosen()),
        false => Span::styled(format!(" {text}  "), theme.dim()),
    };
    let mut spans = Vec::new();
    for response in &sight.responses {
        let chosen = *response == sight.compared.response;
        spans.push(one(chosen, look.kind.label_of(*response)));
        if look.kind == MapKind::Z {
            spans.push(Span::styled(
                format!("by {}  ", response.label()),
                theme.dim(),
            ));
        }
    }
    if sight.noises.len() > 1 {
        for (index, noise) in sight.noises.iter().enumerate() {
            spans.push(one(index == sight.noise, noise));
        }
    }
    spans.push(Span::styled(
        format!("  {} ", theme.glyphs.gamma),
        theme.dim(),
    ));
    // Of many γ, those around the chosen one.
    let gammas = |shown: &Range<usize>| -> Vec<Span<'static>> {
        let more = |left_out: bool| left_out.then(|| one(false, "…"));
        let value = |index: usize| {
            let text = format::gamma(sight.gammas[index]);
            one(index == sight.gamma_index, &text)
        };
        let before = more(shown.start > 0).into_iter();
        before
            .chain(shown.clone().map(value))
            .chain(more(shown.end < sight.gammas.len()))
            .collect()
    };
    let width = |spans: &[Span<'_>]| spans.iter().map(Span::width).sum::<usize>();
    let room = (usize::from(area.width) + 2).saturating_sub(width(&spans));
    let shown = form::most_around(sight.gamma_index, sight.gammas.len(), |shown| {
        width(&gammas(shown)) <= room
    });
    spans.extend(gammas(&shown));
    // Whole or not at all.
    let plane = plane(sight.compared.shape[0]);
    let plane = plane.map(|words| Span::styled(format!(" {words}"), theme.dim()));
    let all = width(&spans) + plane.as_ref().map_or(0, Span::width);
    spans.extend(plane.filter(|_| all <= usize::from(area.width)));
    left(buf, area, 0, Line::from(spans));
}

/// Which plane is drawn of maps of several channels.
fn plane(channels: usize) -> Option<String> {
    (channels > 1).then(|| format!("strongest of {channels} channels"))
}

/// The colour scale and its meaning; of z maps, also the scale of their difference.
pub fn scale_line(
    sight: &ComparisonContent,
    look: &ComparisonState,
    ramps: [Ramp; 2],
    theme: &Theme,
    area: Rect,
    buf: &mut Buffer,
) {
    if look.kind == MapKind::Z {
        return z_scales(ramps, theme, area, buf);
    }
    let bar = MOST_BAR.min(area.width / 4);
    let used = scale::draw(ramps[0], bar, area, theme, buf);
    let meaning = match look.scale {
        Scale::Common if !sight.scales.has_own_scale(look.class.0) => {
            format!("  {}, one scale", sight.unit)
        }
        _ => format!("  {}, this class", sight.unit),
    };
    let meaning = cut(&meaning, usize::from(area.width.saturating_sub(used)));
    left(
        buf,
        beside(area, used),
        0,
        Span::styled(meaning, theme.dim()),
    );
}

/// Maximum columns of the bar of a scale, and minimum columns of one of two.
const MOST_BAR: u16 = 16;
const LEAST_BAR: u16 = 4;

/// The scale of the z maps of A and B, and that of their difference: in fewer words and with shorter bars if there is
/// little room.
fn z_scales([each, difference]: [Ramp; 2], theme: &Theme, area: Rect, buf: &mut Buffer) {
    let numbers = scale::columns(each, 0) + scale::columns(difference, 0);
    let bar = |words: &str| {
        let taken = numbers + words.len() as u16;
        MOST_BAR.min(area.width.saturating_sub(taken) / 2)
    };
    let (full, brief) = ("  standard errors; A minus B ", "  A minus B ");
    let words = match bar(full) {
        LEAST_BAR.. => full,
        _ => brief,
    };
    let used = scale::draw(each, bar(words), area, theme, buf);
    let meaning = Span::styled(words, theme.dim());
    let used = used + left(buf, beside(area, used), 0, meaning);
    scale::draw(difference, bar(words), beside(area, used), theme, buf);
}

/// The facts about the chosen class and the decisions.
pub fn facts(
    drawn: &ComparisonScene<'_>,
    sight: &ComparisonContent,
    theme: &Theme,
    area: Rect,
    buf: &mut Buffer,
) {
    let class = drawn.state.class;
    let mut spans = vec![Span::styled(
        format!("{}  ", name(sight, class)),
        theme.chosen(),
    )];
    spans.extend(
        sight
            .compared
            .classes
            .get(class.0)
            .and_then(Option::as_ref)
            .map(|comparison| {
                let r = |name: &str, r: Option<f64>| {
                    r.map_or_else(String::new, |r| format!("{name} {}   ", reliability(r)))
                };
                let clusters = comparison
                    .clusters
                    .as_ref()
                    .map(|clusters| match clusters.len() {
                        1 => "   1 cluster".to_owned(),
                        many => format!("   {many} clusters"),
                    });
                Span::raw(format!(
                    "{}{}{} past |z| {:.2}{}",
                    r("r", comparison.correlation),
                    r("corrected", comparison.corrected),
                    channels::counted(comparison.significant, sight.compared.shape[0]),
                    sight.compared.bounds.map,
                    clusters.unwrap_or_default()
                ))
            }),
    );
    left(buf, area, 0, Line::from(spans));
    let alike = match drawn.agreement {
        Some(Ok(shown)) => Some(agreement_line(shown)),
        Some(Err(problem)) => Some(format!("no common trials: {}", clean(problem))),
        None => None,
    };
    let counts = sight.called.map(|called| {
        let correct = |index: usize| {
            called.correct[index]
                .rate()
                .map_or_else(|| "–".into(), percent)
        };
        format!(
            "correct: A {}, B {}   distance of decisions: {:.3}, by chance {:.3}",
            correct(0),
            correct(1),
            called.distance,
            called.by_chance
        )
    });
    for (row, line) in (1..).zip([alike, counts].into_iter().flatten()).take(2) {
        let line = cut(&line, usize::from(area.width));
        left(buf, area, row, Span::styled(line, theme.dim()));
    }
}

/// A class as named in a sentence.
fn name(sight: &ComparisonContent, class: ClassId) -> String {
    let name = sight.classes.get(class.0).map_or("", String::as_str);
    match name.parse::<u64>() {
        Ok(_) => format!("class {name}"),
        Err(_) => name.to_owned(),
    }
}
