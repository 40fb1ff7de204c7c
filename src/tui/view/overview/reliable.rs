//! Draws the reliability of the maps at every γ: on one row, or one row each with the trials.

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::figure::choice::is_reliable;
use crate::format::{count, counted, gamma};
use crate::ids::{ClassId, Gamma};
use crate::session::config::Response;
use crate::session::record::{ClassificationImages, GammaTrials};
use crate::tui::form;
use crate::tui::scene::Scene;
use crate::tui::scene::map_set::{MapKind, MapSet, RELIABLE};
use crate::tui::widget::bar::progress;
use crate::tui::widget::text::{beside, left};

/// How the reliability is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReliabilityForm {
    /// All γ on one row.
    Line,
    /// One row each.
    Table,
}

/// Draws it; returns the rows used.
pub fn draw(
    scene: &Scene<'_>,
    images: &ClassificationImages,
    form: ReliabilityForm,
    area: Rect,
    buf: &mut Buffer,
) -> u16 {
    match form {
        ReliabilityForm::Line => {
            line(scene, images, area, buf);
            1
        }
        ReliabilityForm::Table => {
            table(scene, images, area, buf);
            images.gammas.len() as u16
        }
    }
}

/// Draws one row per γ, the weakest first: trials, progress towards the planned number, and how many maps are
/// reliable.
fn table(scene: &Scene<'_>, images: &ClassificationImages, area: Rect, buf: &mut Buffer) {
    let theme = scene.theme;
    let used = gammas_used(scene, images);
    let response = scene.shared.current_response(images);
    let plan = scene.shared.images_plan(scene.session);
    let mut order: Vec<&GammaTrials> = images.gammas.iter().collect();
    order.sort_by(|a, b| a.gamma.total_cmp(&b.gamma));
    for (row, trials) in order.into_iter().enumerate() {
        let style = match used.contains(&trials.gamma) {
            true => theme.chosen(),
            false => theme.text(),
        };
        let name = format!("{} {:<6}", theme.glyphs.gamma, gamma(trials.gamma));
        let words = match reliable(trials, response) {
            Some((good, all)) => format!(
                "{good:>2} of {} reliable, R {} {RELIABLE}",
                counted(all as u64, "map", "maps"),
                theme.glyphs.at_least
            ),
            None => "no trials yet".into(),
        };
        let mut spans = vec![
            Span::styled(name, style),
            Span::styled(
                format!("{:>9} trials  ", count(trials.trials as f64)),
                theme.dim(),
            ),
        ];
        let planned = plan.map(|plan| plan.trials_at(trials.gamma));
        if let Some(planned) = planned.filter(|planned| *planned > 0) {
            let share = match trials.reached {
                true => 1.0,
                false => trials.trials as f64 / planned as f64,
            };
            spans.extend(progress(share, 16, theme));
            spans.push(Span::raw("  "));
        }
        spans.push(Span::raw(words));
        left(buf, beside(area, 2), row as u16, Line::from(spans));
    }
}

fn reliable(trials: &GammaTrials, response: Response) -> Option<(usize, usize)> {
    if trials.trials == 0 {
        return None;
    }
    let estimate = trials.estimate();
    let reliable = estimate.classes.iter();
    let reliable = reliable.filter(|class| is_reliable(class.image(response)));
    Some((reliable.count(), estimate.classes.len()))
}

/// The γ at which the maps above are shown.
fn gammas_used(scene: &Scene<'_>, images: &ClassificationImages) -> Vec<Gamma> {
    let lens = MapSet::best(scene.session, images, scene.shared, MapKind::Image);
    let of_lens = |lens: MapSet<'_>| {
        ClassId::all(lens.classes())
            .filter_map(|class| lens.gamma_of(class))
            .collect()
    };
    lens.map(of_lens).unwrap_or_default()
}

/// Draws all γ one after another, on one row.
fn line(scene: &Scene<'_>, images: &ClassificationImages, area: Rect, buf: &mut Buffer) {
    let theme = scene.theme;
    let used = gammas_used(scene, images);
    let response = scene.shared.current_response(images);
    #[derive(Clone, Copy, PartialEq)]
    enum Words {
        All,
        Some,
        Few,
    }
    let counts: Vec<Option<(usize, usize)>> = images
        .gammas
        .iter()
        .map(|trials| reliable(trials, response))
        .collect();
    let line = |words: Words, shown: &Range<usize>| -> Line<'static> {
        let more = |left_out: bool| left_out.then(|| Span::styled("…  ", theme.dim()));
        let mut spans = Vec::from_iter(more(shown.start > 0));
        for index in shown.clone() {
            let trials = &images.gammas[index];
            let style = if used.contains(&trials.gamma) {
                theme.chosen()
            } else {
                theme.text()
            };
            let name = if words == Words::Few && index > shown.start {
                gamma(trials.gamma)
            } else {
                format!("{} {}", theme.glyphs.gamma, gamma(trials.gamma))
            };
            spans.push(Span::styled(name, style));
            spans.push(Span::raw(match counts[index] {
                Some((good, all)) => format!(" {good}/{all}"),
                None => " -".into(),
            }));
            if words == Words::All {
                let trials = format!(" of {}", count(trials.trials as f64));
                spans.push(Span::styled(trials, theme.dim()));
            }
            spans.push(Span::raw(if words == Words::Few { "  " } else { "   " }));
        }
        spans.extend(more(shown.end < images.gammas.len()));
        spans.into()
    };
    let label = format!("reliable, R {} {RELIABLE}", theme.glyphs.at_least);
    let room = usize::from(area.width) + 3;
    let whole = 0..images.gammas.len();
    let (label, indent, line) = if line(Words::All, &whole).width() + 25 <= room {
        (label, 25, line(Words::All, &whole))
    } else if line(Words::Some, &whole).width() + 25 <= room {
        (label, 25, line(Words::Some, &whole))
    } else {
        // Of many γ, those around the one at which all classes are shown together.
        let chosen = scene.shared.gamma_index_of_all(images);
        let shown = form::most_around(chosen, whole.end, |shown| {
            line(Words::Few, shown).width() + 11 < room
        });
        ("reliable".into(), 11, line(Words::Few, &shown))
    };
    left(buf, beside(area, 2), 0, Span::styled(label, theme.dim()));
    left(buf, beside(area, indent), 0, line);
}
