//! The line where a class is typed to jump to: by its number, its name, or a part of that. The view
//! stays in sight above it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::session::Session;
use crate::tui::form;
use crate::tui::scene::Scene;
use crate::tui::state::State;
use crate::tui::widget::text::left;

/// The classes that fit a text, the best first: those of that name or number, those that begin so,
/// those that have it somewhere.
pub fn fitting(text: &str, session: &Session) -> Vec<usize> {
    let text = text.trim().to_lowercase();
    let rank = |class: usize| {
        let name = form::name(session, class).to_lowercase();
        let number = class.to_string();
        let by_name = [name == text, name.starts_with(&text), name.contains(&text)];
        let by_number = [number == text, number.starts_with(&text)];
        match (by_name, by_number) {
            ([true, ..], _) => Some(0),
            (_, [true, _]) => Some(1),
            ([_, true, _], _) => Some(2),
            (_, [_, true]) => Some(3),
            ([_, _, true], _) => Some(4),
            _ => None,
        }
    };
    let mut ranked: Vec<(u8, usize)> = (0..form::classes(session))
        .filter_map(|class| Some((rank(class)?, class)))
        .collect();
    ranked.sort_unstable();
    ranked.into_iter().map(|(_, class)| class).collect()
}

/// The class that is chosen among those that fit; `None` where none does.
pub fn chosen(state: &State, session: &Session) -> Option<usize> {
    let fitting = fitting(&state.jump.typed, session);
    let last = fitting.len().checked_sub(1)?;
    fitting.get(state.jump.chosen.min(last)).copied()
}

/// To the match before or after.
pub fn step(state: &mut State, session: &Session, step: isize) {
    let last = fitting(&state.jump.typed, session).len().saturating_sub(1);
    let now = state.jump.chosen.min(last);
    state.jump.chosen = now.saturating_add_signed(step).min(last);
}

/// Types the rest of what all matches begin with; where they part, the name of the chosen one.
pub fn complete(state: &mut State, session: &Session) {
    let Some(class) = chosen(state, session) else {
        return;
    };
    let begun = state.jump.typed.trim().to_lowercase();
    let names = fitting(&begun, session).into_iter();
    let names = names.map(|class| form::name(session, class));
    let begin: Vec<String> = names
        .filter(|name| name.to_lowercase().starts_with(&begun))
        .collect();
    let common = begin.iter().cloned().reduce(|a, b| {
        let same = a.chars().zip(b.chars());
        let same = same.take_while(|(a, b)| a.to_lowercase().eq(b.to_lowercase()));
        same.map(|(a, _)| a).collect()
    });
    let common = common.unwrap_or_default();
    let longer = common.trim_end().chars().count() > begun.chars().count() && !begun.is_empty();
    state.jump.typed = match longer {
        true => common,
        false => form::name(session, class),
    };
    state.jump.chosen = 0;
}

/// Draws it over the last rows of `area`.
pub fn draw(scene: &Scene<'_>, state: &State, area: Rect, buf: &mut Buffer) {
    let Scene { session, theme, .. } = *scene;
    let (place, cursor) = super::line(theme, area, buf);
    let count = form::classes(session);
    let fitting = fitting(&state.jump.typed, session);
    let mut typed = Line::from(vec![
        Span::styled("class ", theme.accent()),
        Span::styled(state.jump.typed.clone(), theme.bright()),
        Span::styled(cursor, theme.accent()),
    ]);
    let told = match state.jump.typed.is_empty() {
        true => format!("   a number or a name, one of {count}"),
        false => format!("   {} of {count} fit", fitting.len()),
    };
    typed.push_span(Span::styled(told, theme.dim()));
    left(buf, place, 1, typed);
    let Some(chosen) = chosen(state, session) else {
        let text = Span::styled("no class is called so", theme.warning());
        left(buf, place, 2, text);
        return;
    };
    left(buf, place, 2, matches(scene, &fitting, chosen, place.width));
}

/// The classes that fit, as many as have room, the chosen one among them and marked.
fn matches(scene: &Scene<'_>, fitting: &[usize], chosen: usize, width: u16) -> Line<'static> {
    let Scene { session, theme, .. } = *scene;
    let entry = |&class: &usize| {
        let (name, number) = (form::name(session, class), class.to_string());
        let text = match name == number {
            true => number,
            false => format!("{number} {name}"),
        };
        match class == chosen {
            true => Span::styled(format!("{}{text}  ", theme.glyphs.pointer), theme.chosen()),
            false => Span::styled(format!(" {text}  "), theme.dim()),
        }
    };
    let room = usize::from(width) + 2;
    let at = fitting
        .iter()
        .position(|&class| class == chosen)
        .unwrap_or(0);
    // From the chosen one back while there is room, then on.
    let mut spans = vec![entry(&fitting[at])];
    let mut used = spans[0].width();
    let before = fitting[..at].iter().rev().map(entry);
    for span in before {
        if used + span.width() > room / 2 {
            break;
        }
        used += span.width();
        spans.insert(0, span);
    }
    for span in fitting[at + 1..].iter().map(entry) {
        if used + span.width() > room {
            break;
        }
        used += span.width();
        spans.push(span);
    }
    Line::from(spans)
}
