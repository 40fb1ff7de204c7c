//! The prompt for a new number of trials. The view stays visible above it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::format::{count, duration, gamma, parse_trials, rounded_count, thousands};
use crate::ids::Gamma;
use crate::session::Session;
use crate::session::config::{ClassificationImages, Extension};
use crate::tui::action::{Action, first_key_of};
use crate::tui::scene::Scene;
use crate::tui::shared::SharedState;
use crate::tui::state::DashboardState;
use crate::tui::widget::text::left;

/// The plan shown and the γ to extend; `None`: all.
fn plan<'a>(
    shared: &SharedState,
    session: &'a Session,
) -> Option<(&'a ClassificationImages, Option<Gamma>)> {
    let plan = shared.images_plan(session)?;
    let gamma = shared.gamma_index.and_then(|index| plan.gammas.get(index));
    Some((plan, gamma.copied()))
}

/// Whether there are trials to extend.
pub fn is_possible(shared: &SharedState, session: &Session) -> bool {
    plan(shared, session).is_some()
}

/// The smallest and the largest number of trials planned among the γ to extend.
fn planned(plan: &ClassificationImages, gamma: Option<Gamma>) -> (u64, u64) {
    let gammas = plan
        .gammas
        .iter()
        .filter(|value| gamma.is_none_or(|gamma| gamma == **value));
    let trials: Vec<u64> = gammas.map(|&value| plan.trials_at(value)).collect();
    let least = trials.iter().copied().min().unwrap_or(0);
    (least, trials.iter().copied().max().unwrap_or(0))
}

/// The typed number; twice the planned number if nothing is typed.
fn trials(text: &str, planned: u64) -> Option<u64> {
    match text.trim().is_empty() {
        true => planned.checked_mul(2),
        false => parse_trials(text),
    }
}

/// What confirming does if nothing is typed.
fn by_default(least: u64, most: u64) -> String {
    match least == most {
        true => "doubles them".into(),
        // All γ get the same number: twice the largest.
        false => format!("makes each {}", thousands(most.saturating_mul(2))),
    }
}

/// The requested extension, with the index of its images in the plan; `None` unless the typed text is a
/// number of trials above the one planned at some γ.
pub fn requested_extension(
    state: &DashboardState,
    session: &Session,
) -> Option<(usize, Extension)> {
    let (plan, gamma) = plan(&state.shared, session)?;
    let (least, most) = planned(plan, gamma);
    let trials = trials(&state.extend.typed, most)?;
    let more = Extension {
        gamma,
        trials,
        target: None,
        class: None,
    };
    (trials > least).then_some((state.shared.images.number(session), more))
}

/// Draws the prompt over the last rows of `area`.
pub fn draw(scene: &Scene<'_>, state: &DashboardState, area: Rect, buf: &mut Buffer) {
    let Scene { session, theme, .. } = *scene;
    let (panel, cursor) = super::line(theme, area, buf);
    let Some((plan, chosen)) = plan(&state.shared, session) else {
        return;
    };
    let (least, most) = planned(plan, chosen);
    let now = match least == most {
        true => thousands(most),
        false => format!("{}–{}", thousands(least), thousands(most)),
    };
    let scope = match chosen {
        Some(value) => format!("at {} {}", theme.glyphs.gamma, gamma(value)),
        None if plan.gammas.len() == 1 => String::new(),
        None => format!("at each of {} {}", plan.gammas.len(), theme.glyphs.gamma),
    };
    let mut typed = Line::from(vec![
        Span::styled("total trials ", theme.accent()),
        Span::styled(state.extend.typed.clone(), theme.bright()),
        Span::styled(cursor, theme.accent()),
    ]);
    let hint = match state.extend.typed.is_empty() {
        true => format!(
            "   {scope}, {now} now; {} {}",
            first_key_of(state.shared.keys, Action::Extend),
            by_default(least, most)
        ),
        false => format!("   {scope}, {now} now"),
    };
    typed.push_span(Span::styled(hint, theme.dim()));
    left(buf, panel, 1, typed);
    let feedback = match requested_extension(state, session) {
        None => Span::styled(
            format!("a number above {}: 400k, 4M, 4e6", thousands(least)),
            theme.warning(),
        ),
        Some((_, more)) => {
            let gammas = plan.gammas.iter().filter(|gamma| more.applies_to(**gamma));
            let added = gammas.map(|&value| more.trials.saturating_sub(plan.trials_at(value)));
            let added: u64 = added.fold(0, u64::saturating_add);
            Span::styled(
                format!(
                    "{} more{}",
                    count(added as f64),
                    time(&state.shared, session, added)
                ),
                theme.text(),
            )
        }
    };
    left(buf, panel, 2, feedback);
}

/// The duration of this many trials of the images shown, at their pace in this run if they have one, and what starts over
/// with the new maps.
fn time(shared: &SharedState, session: &Session, trials: u64) -> String {
    let run = session.run.as_ref();
    let index = shared.images_stage(session);
    let stage = index.and_then(|index| run?.stages.get(index));
    let rate = stage.and_then(|stage| stage.per_second);
    let mut names = session.starts_over(shared.images.number(session));
    names.dedup();
    let rerun = match names.is_empty() {
        true => String::new(),
        false => format!("; {} will be rerun", names.join(" and ")),
    };
    match rate.filter(|rate| *rate > 0.0) {
        Some(rate) => format!(
            ", about {} at {} trials/s{rerun}",
            duration(trials as f64 / rate),
            rounded_count(rate)
        ),
        None => format!("{rerun}; the duration is known once it runs"),
    }
}

#[cfg(test)]
mod tests {
    use super::by_default;

    #[test]
    fn different_numbers_are_made_equal_and_not_doubled() {
        assert_eq!(by_default(5_000, 5_000), "doubles them");
        assert_eq!(by_default(5_000, 8_000), "makes each 16,000");
    }
}
