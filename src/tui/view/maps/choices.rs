//! The available choices, and the colour scale, in one line each.

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::selection::MapsSelection;
use crate::format::gamma;
use crate::ids::ClassId;
use crate::session::config::Response;
use crate::tui::form;
use crate::tui::scene::Scene;
use crate::tui::scene::map_set::MapKind;
use crate::tui::shared::{Pixels, Scale};
use crate::tui::widget::columns::columns;
use crate::tui::widget::heatmap::Ramp;
use crate::tui::widget::scale;
use crate::tui::widget::text::{beside, left};

/// Draws the available kinds of map and γ, with the current ones marked.
pub fn draw(scene: &Scene<'_>, sight: &MapsSelection<'_>, area: Rect, buf: &mut Buffer) {
    let (theme, lens) = (scene.theme, &sight.lens);
    let one = |chosen: bool, text: &str, gap: &str| {
        if chosen {
            let text = format!("{}{text}{gap}", theme.glyphs.pointer);
            Span::styled(text, theme.chosen())
        } else {
            Span::styled(format!(" {text}{gap}"), theme.dim())
        }
    };
    let all_gammas = &sight.images.gammas;
    let line = |kinds: &[MapKind], gap: &str, shown: &Range<usize>| -> Line<'static> {
        let kinds = kinds
            .iter()
            .map(|kind| one(*kind == lens.kind, kind.label_of(lens.response), gap));
        let versus = lens.rather_than().map(|words| {
            let text = format!("{words}{gap}");
            Span::styled(text, theme.chosen())
        });
        let name = Span::styled(format!("{gap}{} ", theme.glyphs.gamma), theme.dim());
        // If the classes use different γ, each is shown at its best.
        let best = lens.is_mixed().then(|| one(true, "best", gap));
        let gammas = all_gammas[shown.clone()].iter().map(|trials| {
            let chosen = trials.gamma == lens.estimate.gamma && !lens.is_mixed();
            one(chosen, &gamma(trials.gamma), gap)
        });
        let more = |left_out: bool| left_out.then(|| one(false, "…", gap));
        // If there are several noises, the one shown goes before its γ.
        let plan = scene.shared.images_plan(scene.session);
        let place = scene.shared.images.place(scene.session);
        let noise = plan.zip(place).map(|(plan, place)| {
            let text = format!("{gap}{} noise, {place}", plan.noise.label());
            Span::styled(text, theme.chosen())
        });
        kinds
            .chain(versus)
            .chain(noise)
            .chain([name])
            .chain(best)
            .chain(more(shown.start > 0))
            .chain(gammas)
            .chain(more(shown.end < all_gammas.len()))
            .collect()
    };
    let all = MapKind::under(lens.trials.kind);
    let whole = 0..all_gammas.len();
    let words = [line(all, "  ", &whole), line(all, " ", &whole)]
        .into_iter()
        .find(|line| line.width() <= usize::from(area.width) + 2);
    // On a narrow screen the kind shown alone and, of many γ, those around the chosen one.
    let words = words.unwrap_or_else(|| {
        let chosen = all_gammas
            .iter()
            .position(|trials| trials.gamma == lens.estimate.gamma);
        let shown = form::most_around(chosen.unwrap_or(0), all_gammas.len(), |shown| {
            line(&[lens.kind], " ", shown).width() <= usize::from(area.width) + 1
        });
        line(&[lens.kind], " ", &shown)
    });
    left(buf, area, 0, words);
}

/// A scale, and what is shown beside it.
pub struct ScaleLine {
    /// The scale.
    pub ramp: Ramp,
    /// The class whose scale it is; `None`: that of all classes shown.
    pub class: Option<ClassId>,
    /// Which classes are visible, if not all are.
    pub position: Option<String>,
    /// That a map shows averages of its pixels, if it does.
    pub averaged: Option<String>,
}

/// Draws the colour scale and its meaning, and which classes are visible.
pub fn scale_line(
    scene: &Scene<'_>,
    sight: &MapsSelection<'_>,
    line: ScaleLine,
    area: Rect,
    buf: &mut Buffer,
) {
    let (theme, lens) = (scene.theme, &sight.lens);
    let used = scale::draw(line.ramp, 20.min(area.width / 3), area, theme, buf);
    let mut parts = Vec::new();
    parts.extend(line.averaged.map(|words| format!("  {words}")));
    parts.extend(line.position.map(|words| format!("  {words}")));
    parts.extend(lens.channels_in_words().map(|words| format!("  {words}")));
    match (lens.kind, lens.response) {
        (MapKind::Z, _) => parts.push(" standard errors".to_string()),
        (MapKind::Image | MapKind::Regression, Response::Evidence) => {
            let plan = scene.shared.images_plan(scene.session);
            parts.extend(plan.map(|plan| format!("  {} a pixel", plan.evidence.unit())));
        }
        _ => {}
    }
    let image = matches!(lens.kind, MapKind::Image | MapKind::Z);
    let plan = scene.shared.images_plan(scene.session).filter(|_| image);
    let smoothing = plan.and_then(|plan| plan.noise.smoothing());
    // Placed before the parts that may be dropped.
    parts.splice(0..0, smoothing.map(|words| format!("  {words}")));
    let own_scale = line.class.and_then(|class| lens.own_scale(class));
    parts.push(match (scene.shared.scale, own_scale, lens.exceptions()) {
        (Scale::Own, ..) => "  each its own scale".into(),
        (Scale::Common, Some(_), _) => "  its own scale".into(),
        // Without the exceptions this would not be true.
        (Scale::Common, None, Some(words)) => format!("  one scale, {words}"),
        (Scale::Common, None, None) => "  one scale".into(),
    });
    if lens.is_clipped() {
        parts.push(", noisy classes exceed it".into());
    }
    if scene.shared.pixels == Pixels::Significant {
        parts.push(format!(", only |z| > {:.1}", lens.estimate.threshold));
    }
    // Parts that do not fit are dropped whole.
    let room = usize::from(area.width.saturating_sub(used));
    while columns(&parts.concat()) > room && parts.pop().is_some() {}
    let words = parts.concat();
    left(buf, beside(area, used), 0, Span::styled(words, theme.dim()));
}
