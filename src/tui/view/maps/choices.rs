//! What is shown, and how its values become colours, in a line each.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::sight::Sight;
use crate::format::gamma;
use crate::session::config::Response;
use crate::tui::scene::Scene;
use crate::tui::scene::lens::MapKind;
use crate::tui::shared::{self, Pixels, Scale};
use crate::tui::widget::heatmap::Ramp;
use crate::tui::widget::scale;
use crate::tui::widget::text::{beside, left};

/// What is shown, among what could be: the kinds of map, and the γ of the plan.
pub fn draw(scene: &Scene<'_>, sight: &Sight<'_>, area: Rect, buf: &mut Buffer) {
    let (theme, lens) = (scene.theme, &sight.lens);
    let one = |chosen: bool, text: &str, gap: &str| {
        if chosen {
            let text = format!("{}{text}{gap}", theme.glyphs.pointer);
            Span::styled(text, theme.chosen())
        } else {
            Span::styled(format!(" {text}{gap}"), theme.dim())
        }
    };
    let line = |kinds: &[MapKind], gap: &str| -> Line<'static> {
        let kinds = kinds
            .iter()
            .map(|kind| one(*kind == lens.kind, kind.label_of(lens.response), gap));
        let versus = lens.rather_than().map(|words| {
            let text = format!("{words}{gap}");
            Span::styled(text, theme.chosen())
        });
        let name = Span::styled(format!("{gap}{} ", theme.glyphs.gamma), theme.dim());
        let gammas = sight.images.gammas.iter().map(|trials| {
            let chosen = trials.gamma == lens.estimate.gamma;
            one(chosen, &gamma(trials.gamma), gap)
        });
        // Of several noises the one in sight has its name before its γ.
        let plan = scene.shared.images_plan(scene.session);
        let several = shared::images(scene.session) > 1;
        let noise = plan.filter(|_| several).map(|plan| {
            let text = format!("{gap}{} noise", plan.noise.label());
            Span::styled(text, theme.chosen())
        });
        kinds
            .chain(versus)
            .chain(noise)
            .chain([name])
            .chain(gammas)
            .collect()
    };
    let shortest = line(&[lens.kind], " ");
    let line = [line(&MapKind::ALL, "  "), line(&MapKind::ALL, " ")]
        .into_iter()
        .find(|line| line.width() <= usize::from(area.width) + 2)
        .unwrap_or(shortest);
    left(buf, area, 0, line);
}

/// The bar of a scale and what it stands for; before that, which classes are in sight where not all
/// are.
pub fn scale_line(
    scene: &Scene<'_>,
    sight: &Sight<'_>,
    (ramp, position): (Ramp, Option<String>),
    area: Rect,
    buf: &mut Buffer,
) {
    let (theme, lens) = (scene.theme, &sight.lens);
    let used = scale::draw(ramp, 20.min(area.width / 3), area, theme, buf);
    let mut parts = Vec::new();
    parts.extend(position.map(|words| format!("  {words}")));
    parts.extend(lens.channels_in_words().map(|words| format!("  {words}")));
    match (lens.kind, lens.response) {
        (MapKind::Z, _) => parts.push(" standard errors".to_string()),
        (MapKind::Image, Response::Evidence) => {
            let plan = scene.shared.images_plan(scene.session);
            parts.extend(plan.map(|plan| format!("  {} a pixel", plan.evidence.unit())));
        }
        _ => {}
    }
    parts.push(match scene.shared.scale {
        Scale::Common => "  one scale".into(),
        Scale::Own => "  each its own scale".into(),
    });
    parts.extend(lens.exceptions().map(|words| format!(", {words}")));
    if lens.is_clipped() {
        parts.push(", noisy classes run past it".into());
    }
    if scene.shared.pixels == Pixels::Significant {
        parts.push(format!(", only |z| > {:.1}", lens.estimate.threshold));
    }
    // What has no room goes as a whole.
    let room = usize::from(area.width.saturating_sub(used));
    while parts.concat().chars().count() > room && parts.pop().is_some() {}
    let words = parts.concat();
    left(buf, beside(area, used), 0, Span::styled(words, theme.dim()));
}
