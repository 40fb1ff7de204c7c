//! The prompt for jumping to an item of a list, a class, a unit or a layer, by its number, its name or a part
//! of it. The view stays visible above it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::ids::ClassId;
use crate::session::Session;
use crate::tui::form;
use crate::tui::scene::Scene;
use crate::tui::state::{DashboardState, PickerState};
use crate::tui::theme::Theme;
use crate::tui::view::{JumpKind, JumpTargets};
use crate::tui::widget::text::left;

/// The items to jump to; `None` if there is no choice.
pub fn names(state: &DashboardState, kind: JumpKind, session: &Session) -> Option<JumpTargets> {
    let names = match kind {
        JumpKind::Class => Some(classes(session, state.shared.class)),
        _ => state.active_view().names(kind, session),
    };
    names.filter(|names| names.all.len() > 1)
}

/// The classes of a session.
pub fn classes(session: &Session, chosen: ClassId) -> JumpTargets {
    let all = ClassId::all(form::classes(session));
    JumpTargets {
        noun: "class",
        all: all.map(|class| form::class_name(session, class)).collect(),
        numbered: true,
        chosen: chosen.0,
    }
}

/// The items that match a text, best first: the same name, in the same case before others; the same number; then by
/// prefix, then by substring.
pub fn fitting(text: &str, names: &JumpTargets) -> Vec<usize> {
    let typed = text.trim();
    let text = typed.to_lowercase();
    let rank = |index: usize, name: &str| {
        if name == typed {
            return Some(0);
        }
        let name = name.to_lowercase();
        let number = if names.numbered {
            index.to_string()
        } else {
            String::new()
        };
        let by_name = [name == text, name.starts_with(&text), name.contains(&text)];
        let by_number = [
            names.numbered && number == text,
            names.numbered && number.starts_with(&text),
        ];
        match (by_name, by_number) {
            ([true, ..], _) => Some(1),
            (_, [true, _]) => Some(2),
            ([_, true, _], _) => Some(3),
            (_, [_, true]) => Some(4),
            ([_, _, true], _) => Some(5),
            _ => None,
        }
    };
    let all = names.all.iter().enumerate();
    let ranked = all.filter_map(|(index, name)| Some((rank(index, name)?, index)));
    let mut ranked: Vec<(u8, usize)> = ranked.collect();
    ranked.sort_unstable();
    ranked.into_iter().map(|(_, index)| index).collect()
}

/// The chosen item among the matches; `None` if there is no match.
pub fn chosen(typed: &PickerState, names: &JumpTargets) -> Option<usize> {
    let fitting = fitting(&typed.typed, names);
    let last = fitting.len().checked_sub(1)?;
    fitting.get(typed.chosen.min(last)).copied()
}

/// Moves to the previous or next match.
pub fn step(typed: &mut PickerState, names: &JumpTargets, step: isize) {
    let last = fitting(&typed.typed, names).len().saturating_sub(1);
    typed.chosen = typed.chosen.min(last).saturating_add_signed(step).min(last);
}

/// Completes the text to the common prefix of all matches; if nothing can be added, to the name of the chosen
/// one.
pub fn complete(typed: &mut PickerState, names: &JumpTargets) {
    let Some(index) = chosen(typed, names) else {
        return;
    };
    let begun = typed.typed.trim().to_lowercase();
    let all = fitting(&begun, names).into_iter();
    let begin = all
        .map(|index| names.all[index].clone())
        .filter(|name| name.to_lowercase().starts_with(&begun));
    let common = begin.reduce(|a, b| {
        let same = a.chars().zip(b.chars());
        let same = same.take_while(|(a, b)| a.to_lowercase().eq(b.to_lowercase()));
        same.map(|(a, _)| a).collect()
    });
    let common = common.unwrap_or_default();
    let longer = common.trim_end().chars().count() > begun.chars().count() && !begun.is_empty();
    typed.typed = match longer {
        true => common,
        false => names.all[index].clone(),
    };
    typed.chosen = 0;
}

/// Draws the prompt over the last rows of `area`.
pub fn draw(
    scene: &Scene<'_>,
    state: &DashboardState,
    kind: JumpKind,
    area: Rect,
    buf: &mut Buffer,
) {
    if let Some(names) = names(state, kind, scene.session) {
        draw_names(&state.jump, &names, scene.theme, area, buf);
    }
}

/// Draws it for any names.
pub fn draw_names(
    typed: &PickerState,
    names: &JumpTargets,
    theme: &Theme,
    area: Rect,
    buf: &mut Buffer,
) {
    let (panel, cursor) = super::line(theme, area, buf);
    let count = names.all.len();
    let fitting = fitting(&typed.typed, names);
    let mut line = Line::from(vec![
        Span::styled(format!("{} ", names.noun), theme.accent()),
        Span::styled(typed.typed.clone(), theme.bright()),
        Span::styled(cursor, theme.accent()),
    ]);
    let named = names.all.iter().enumerate();
    let named = named
        .filter(|(index, name)| **name != index.to_string())
        .count()
        > 0;
    let hint = match (typed.typed.is_empty(), names.numbered, named) {
        (true, true, true) => format!("   a number or a name, one of {count}"),
        (true, true, false) => format!("   a number from 0 to {}", count - 1),
        (true, false, _) => format!("   a name, one of {count}"),
        (false, ..) => format!("   {} of {count} match", fitting.len()),
    };
    line.push_span(Span::styled(hint, theme.dim()));
    left(buf, panel, 1, line);
    let Some(chosen) = chosen(typed, names) else {
        let text = format!("no {} of that name", names.noun);
        left(buf, panel, 2, Span::styled(text, theme.warning()));
        return;
    };
    let matches = matches(names, &fitting, chosen, theme, panel.width);
    left(buf, panel, 2, matches);
}

/// The matches, as many as fit, including the chosen one, which is marked.
fn matches(
    names: &JumpTargets,
    fitting: &[usize],
    chosen: usize,
    theme: &Theme,
    width: u16,
) -> Line<'static> {
    let entry = |&index: &usize| {
        let (name, number) = (&names.all[index], index.to_string());
        let text = match *name == number || !names.numbered {
            true => name.clone(),
            false => format!("{number} {name}"),
        };
        match index == chosen {
            true => Span::styled(format!("{}{text}  ", theme.glyphs.pointer), theme.chosen()),
            false => Span::styled(format!(" {text}  "), theme.dim()),
        }
    };
    let room = usize::from(width) + 2;
    let position = fitting
        .iter()
        .position(|&position| position == chosen)
        .unwrap_or(0);
    // From the chosen one backwards while there is room, then forwards.
    let mut spans = vec![entry(&fitting[position])];
    let mut used = spans[0].width();
    let before = fitting[..position].iter().rev().map(entry);
    for span in before {
        if used + span.width() > room / 2 {
            break;
        }
        used += span.width();
        spans.insert(0, span);
    }
    for span in fitting[position + 1..].iter().map(entry) {
        if used + span.width() > room {
            break;
        }
        used += span.width();
        spans.push(span);
    }
    Line::from(spans)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(all: &[&str], numbered: bool) -> JumpTargets {
        JumpTargets {
            noun: "class",
            all: all.iter().map(|&name| name.to_owned()).collect(),
            numbered,
            chosen: 0,
        }
    }

    #[test]
    fn a_number_matches_only_numbered_items() {
        let classes = names(&["cat", "dog", "dogfish"], true);
        assert_eq!(fitting("1", &classes), [1]);
        assert_eq!(fitting("dog", &classes), [1, 2]);
        let layers = names(&["conv1", "conv2", "fc1"], false);
        assert_eq!(fitting("1", &layers), [0, 2]);
        assert_eq!(fitting("0", &layers), [0_usize; 0]);
    }

    #[test]
    fn of_names_that_differ_in_case_alone_the_one_that_is_typed_comes_first() {
        let letters = names(&["A", "B", "a"], true);
        assert_eq!(fitting("a", &letters), [2, 0]);
        assert_eq!(fitting("A", &letters), [0, 2]);
        assert_eq!(fitting("b", &letters), [1]);
    }

    #[test]
    fn typed_text_is_completed_as_far_as_all_matches_agree() {
        let classes = names(&["cat", "dog", "dogfish"], true);
        let mut typed = PickerState {
            typed: "d".into(),
            chosen: 0,
        };
        complete(&mut typed, &classes);
        assert_eq!(typed.typed, "dog");
        step(&mut typed, &classes, 5);
        assert_eq!(chosen(&typed, &classes), Some(2));
    }
}
