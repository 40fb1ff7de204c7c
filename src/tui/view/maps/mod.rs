//! The maps of every class, or of one class enlarged.

mod all;
mod enlarged;
mod numbers;

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::lens::Lens;
use super::{Log, Scene, View, awaited};
use crate::format::gamma;
use crate::session::record::ClassificationImages;
use crate::tui::action::Place;
use crate::tui::state::{MapKind, Pixels, Scale, State};
use crate::tui::steps;
use crate::tui::widget::heatmap::Ramp;
use crate::tui::widget::scale;
use crate::tui::widget::text::{below, beside, left};

/// The view.
pub const VIEW: View = View {
    name: "Maps",
    draw,
    places,
    columns: all::columns,
    figure: super::pictured::maps,
    pace: Duration::from_millis(500),
    log: Log::WhenAsked,
};

fn places(state: &State) -> &'static [Place] {
    if state.enlarged {
        &[Place::Enlarged, Place::Maps]
    } else {
        &[Place::Sheet, Place::Maps]
    }
}

fn lens<'a>(scene: &Scene<'a>) -> Option<Lens<'a>> {
    Lens::new(scene.state.images_in(scene.session)?, scene.state)
}

fn draw(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let Some(lens) = lens(scene) else {
        awaited::begun::<ClassificationImages>(scene, area, buf);
        return;
    };
    choices(scene, &lens, area, buf);
    if scene.state.enlarged {
        enlarged::draw(scene, &lens, below(area, 1), buf);
    } else {
        all::draw(scene, &lens, below(area, 1), buf);
    }
}

/// What is shown, among what could be: the kinds of map, and the γ of the plan.
fn choices(scene: &Scene<'_>, lens: &Lens<'_>, area: Rect, buf: &mut Buffer) {
    let theme = scene.theme;
    let one = |chosen: bool, text: &str, gap: &str| {
        if chosen {
            let text = format!("{}{text}{gap}", theme.glyphs.pointer);
            Span::styled(text, theme.chosen())
        } else {
            Span::styled(format!(" {text}{gap}"), theme.dim())
        }
    };
    let images = scene.state.images_in(scene.session);
    let line = |kinds: &[MapKind], gap: &str| -> Line<'static> {
        let kinds = kinds
            .iter()
            .map(|kind| one(*kind == lens.kind, kind.label(), gap));
        let name = Span::styled(format!("{gap}{} ", theme.glyphs.gamma), theme.dim());
        let gammas = images.iter().flat_map(|images| &images.gammas);
        let gammas = gammas.map(|trials| {
            let chosen = trials.gamma == lens.estimate.gamma;
            one(chosen, &gamma(trials.gamma), gap)
        });
        // Of several noises the one in sight has its name before its γ.
        let plan = scene.state.images_plan(scene.session);
        let several = steps::images(scene.session) > 1;
        let noise = plan.filter(|_| several).map(|plan| {
            let text = format!("{gap}{} noise", plan.noise.label());
            Span::styled(text, theme.chosen())
        });
        kinds.chain(noise).chain([name]).chain(gammas).collect()
    };
    let shortest = line(&[lens.kind], " ");
    let line = [line(&MapKind::ALL, "  "), line(&MapKind::ALL, " ")]
        .into_iter()
        .find(|line| line.width() <= usize::from(area.width) + 2)
        .unwrap_or(shortest);
    left(buf, area, 0, line);
}

/// The bar of a scale and what it stands for.
fn scale_line(scene: &Scene<'_>, lens: &Lens<'_>, ramp: Ramp, area: Rect, buf: &mut Buffer) {
    let theme = scene.theme;
    let used = scale::draw(ramp, 20.min(area.width / 3), area, theme, buf);
    let mut parts = Vec::new();
    if lens.kind == MapKind::Z {
        parts.push(" standard errors".to_string());
    }
    parts.push(match scene.state.scale {
        Scale::Common => "  one scale".into(),
        Scale::Own => "  each its own scale".into(),
    });
    parts.extend(lens.exceptions().map(|words| format!(", {words}")));
    if lens.is_clipped() {
        parts.push(", noisy classes run past it".into());
    }
    if scene.state.pixels == Pixels::Significant {
        parts.push(format!(", only |z| > {:.1}", lens.estimate.threshold));
    }
    // What has no room goes as a whole.
    let room = usize::from(area.width.saturating_sub(used));
    while parts.concat().chars().count() > room && parts.pop().is_some() {}
    let words = parts.concat();
    left(buf, beside(area, used), 0, Span::styled(words, theme.dim()));
}
