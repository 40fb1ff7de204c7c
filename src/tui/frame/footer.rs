//! The footer: the keys that matter most in the current place.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::format::clean;
use crate::tui::action::Binding;
use crate::tui::state::{ActionOutcome, Notice};
use crate::tui::theme::Theme;
use crate::tui::widget::text::{cut, left};

/// Draws the result of the last action instead of the keys.
pub fn draw_notice(notice: &Notice, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let (mark, style) = match notice.outcome {
        ActionOutcome::Done => (theme.glyphs.done, theme.text()),
        ActionOutcome::Awaited => (theme.glyphs.waiting, theme.text()),
        ActionOutcome::Failed => (theme.glyphs.warning, theme.warning()),
    };
    let text = format!("{mark} {}", clean(&notice.words));
    let text = cut(&text, usize::from(area.width));
    left(buf, area, 0, Span::styled(text, style));
}

/// The width from which the palette's key is kept in the footer, and keys that change a map rather than those that move
/// on it.
const ROOMY: u16 = 72;

/// The entries that are dropped first, in this order, if not all fit; the list of keys and the palette still
/// have them.
const EXTRAS: [&str; 12] = [
    "more trials",
    "note",
    "one view",
    "the other view",
    "two views",
    "unit by number",
    "silent",
    "sort",
    "copy",
    "export",
    "table of R",
    "picture",
];

/// The words of the keys that change what an enlarged map shows.
const CHANGES: [&str; 4] = ["evidence", "decisions", "versus", "map"];

/// The words of the keys that move on an enlarged map, which are dropped to make room for [`CHANGES`].
const MOVES: [&str; 2] = ["cursor", "class"];

/// The keys of an entry, and its word.
type Entry = (String, &'static str);

/// Draws the rows that have a footer word, after mapping it with [`crate::tui::possible::word`]. The last two
/// entries, leave and help, always stay.
pub fn draw(
    rows: impl Iterator<Item = &'static Binding>,
    word: impl Fn(&'static str) -> &'static str,
    theme: &Theme,
    area: Rect,
    buf: &mut Buffer,
) {
    let mut entries: Vec<Entry> = Vec::new();
    for row in rows.filter(|row| !row.short.is_empty()) {
        // The digits of the views have no word.
        let key = row.keys[0].label(0);
        let word = word(row.short);
        if word.is_empty() {
            continue;
        }
        match entries.iter_mut().find(|(_, other)| *other == word) {
            Some((keys, _)) => {
                // Arrows, and the two keys beside them at most: "←→↑↓ class".
                if keys.chars().count() < 4 {
                    keys.push_str(&key);
                }
            }
            None => entries.push((key, word)),
        }
    }
    let width = |(keys, word): &Entry| Span::raw(keys).width() + 1 + Span::raw(*word).width();
    let total = |entries: &[Entry]| {
        entries.iter().map(width).sum::<usize>() + 3 * entries.len().saturating_sub(1)
    };
    // Actions available in every view are shown only if there is room.
    for word in EXTRAS {
        if total(&entries) > usize::from(area.width) {
            entries.retain(|(_, entry)| *entry != word);
        }
    }
    // Text in brackets is only explanation.
    if total(&entries) > usize::from(area.width) {
        for (_, word) in &mut entries {
            *word = word.split(" (").next().unwrap_or(word);
        }
    }
    // The palette leads to everything else, so it stays on all but the narrowest screens.
    let kept = match entries
        .len()
        .checked_sub(3)
        .and_then(|index| entries.get(index))
    {
        Some((_, "commands")) if area.width >= ROOMY => 3,
        _ => 2,
    };
    if area.width >= ROOMY && entries.iter().any(|(_, word)| *word == MOVES[0]) {
        let fits = |entries: &[Entry]| total(entries) <= usize::from(area.width);
        entries = with_room_for_changes(entries, kept, fits);
    }
    while total(&entries) > usize::from(area.width) && entries.len() > kept + 1 {
        let index = entries.len() - kept - 1;
        entries.remove(index);
    }
    let mut spans = Vec::new();
    for (keys, word) in entries {
        spans.push(Span::styled(keys, theme.accent()));
        spans.push(Span::styled(format!(" {word}   "), theme.dim()));
    }
    left(buf, area, 0, Line::from(spans));
}

/// The entries without those of [`MOVES`] that must go for all of [`CHANGES`] to fit beside the last `kept` ones; all
/// entries if those do not fit anyway.
fn with_room_for_changes(
    entries: Vec<Entry>,
    kept: usize,
    fits: impl Fn(&[Entry]) -> bool,
) -> Vec<Entry> {
    let needed_fit = |entries: &[Entry]| {
        let last = entries.iter().rposition(|(_, word)| CHANGES.contains(word));
        let changes = last.map_or(0, |last| last + 1);
        let end = entries.len().saturating_sub(kept).max(changes);
        fits(&[&entries[..changes], &entries[end..]].concat())
    };
    let mut fewer = entries.clone();
    for word in MOVES {
        if needed_fit(&fewer) {
            return fewer;
        }
        fewer.retain(|(_, entry)| *entry != word);
    }
    match needed_fit(&fewer) {
        true => fewer,
        false => entries,
    }
}
