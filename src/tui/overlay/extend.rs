//! The line where a person types how many trials there shall be. The view stays in sight above it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::format::{about, count, duration, gamma, thousands, trials_of};
use crate::session::Session;
use crate::session::config::{ClassificationImages, Extension};
use crate::tui::action::{Action, key_of};
use crate::tui::scene::Scene;
use crate::tui::shared::Shared;
use crate::tui::state::State;
use crate::tui::widget::text::left;

/// The plan in sight and the γ that would go on; `None`: all.
fn plan<'a>(
    shared: &Shared,
    session: &'a Session,
) -> Option<(&'a ClassificationImages, Option<f64>)> {
    let plan = shared.images_plan(session)?;
    let gamma = shared.gamma.and_then(|place| plan.gammas.get(place));
    Some((plan, gamma.copied()))
}

/// Whether there are trials that could go on.
pub fn is_possible(shared: &Shared, session: &Session) -> bool {
    plan(shared, session).is_some()
}

/// Trials planned at the γ that would go on, the most of them.
fn planned(plan: &ClassificationImages, gamma: Option<f64>) -> u64 {
    let own = plan
        .gammas
        .iter()
        .filter(|own| gamma.is_none_or(|it| it == **own));
    own.map(|&own| plan.trials_at(own)).max().unwrap_or(0)
}

/// What is typed; twice what is planned where nothing is.
fn trials(text: &str, planned: u64) -> Option<u64> {
    match text.trim().is_empty() {
        true => planned.checked_mul(2),
        false => trials_of(text),
    }
}

/// What is asked for, with the place of the images among those of the plan; `None` while what is typed
/// is no number of trials beyond what is planned.
pub fn asked(state: &State, session: &Session) -> Option<(usize, Extension)> {
    let (plan, gamma) = plan(&state.shared, session)?;
    let planned = planned(plan, gamma);
    let trials = trials(&state.extend.typed, planned)?;
    let more = Extension {
        gamma,
        trials,
        target: None,
        class: None,
    };
    (trials > planned).then_some((state.shared.images, more))
}

/// Draws it over the last rows of `area`.
pub fn draw(scene: &Scene<'_>, state: &State, area: Rect, buf: &mut Buffer) {
    let Scene { session, theme, .. } = *scene;
    let (place, cursor) = super::line(theme, area, buf);
    let Some((plan, at)) = plan(&state.shared, session) else {
        return;
    };
    let planned = planned(plan, at);
    let which = match at {
        Some(own) => format!("at {} {}", theme.glyphs.gamma, gamma(own)),
        None if plan.gammas.len() == 1 => String::new(),
        None => format!("at each of {} {}", plan.gammas.len(), theme.glyphs.gamma),
    };
    let mut typed = Line::from(vec![
        Span::styled("trials in all ", theme.accent()),
        Span::styled(state.extend.typed.clone(), theme.bright()),
        Span::styled(cursor, theme.accent()),
    ]);
    let hint = match state.extend.typed.is_empty() {
        true => format!(
            "   {which}, {} now; {} doubles them",
            thousands(planned),
            key_of(state.shared.keys, Action::Extend)
        ),
        false => format!("   {which}, {} now", thousands(planned)),
    };
    typed.push_span(Span::styled(hint, theme.dim()));
    left(buf, place, 1, typed);
    let told = match asked(state, session) {
        None => Span::styled(
            format!("a number above {}: 400k, 4M, 4e6", thousands(planned)),
            theme.warning(),
        ),
        Some((_, more)) => {
            let own = plan.gammas.iter().filter(|gamma| more.is_of(**gamma));
            let added = own.map(|&own| more.trials.saturating_sub(plan.trials_at(own)));
            let added: u64 = added.fold(0, u64::saturating_add);
            Span::styled(
                format!("{} more{}", count(added as f64), time(session, added)),
                theme.text(),
            )
        }
    };
    left(buf, place, 2, told);
}

/// How long so many trials take, at the pace of this run where it has one.
fn time(session: &Session, trials: u64) -> String {
    let stages = session.run.iter().flat_map(|run| &run.stages);
    let rates = stages.filter(|stage| stage.unit == "trials");
    let rate = rates.filter_map(|stage| stage.per_second).next_back();
    match rate.filter(|rate| *rate > 0.0) {
        Some(rate) => format!(
            ", about {} at {} trials/s; templates and attack follow anew",
            duration(trials as f64 / rate),
            about(rate)
        ),
        None => "; how long that takes is known once it runs".into(),
    }
}
