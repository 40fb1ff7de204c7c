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

/// The words of the keys that change what an enlarged map shows; the last one has to go first.
const CHANGES: [&str; 5] = ["evidence", "decisions", "versus", "map", COLOURS];

/// The words of the keys that move on an enlarged map, which are dropped to make room for [`CHANGES`].
const MOVES: [&str; 2] = ["cursor", "class"];

/// The word of the key that shows another colour of a map. Only maps of images in colour have it, and what one colour
/// shows another may hide: it comes before [`REFINEMENTS`].
const COLOURS: &str = "colours";

/// The words of the keys that change how the same map is drawn.
const REFINEMENTS: [&str; 2] = ["scale", "significant"];

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
    let colours = entries.iter().position(|(_, word)| *word == COLOURS);
    let refinement = entries
        .iter()
        .position(|(_, word)| REFINEMENTS.contains(word));
    if let Some((from, to)) = colours.zip(refinement).filter(|(from, to)| to < from) {
        entries[to..=from].rotate_right(1);
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
        let room_for = |changes: &[&str]| with_room_for(changes, &entries, kept, fits);
        let fewer = room_for(&CHANGES).or_else(|| room_for(&CHANGES[..CHANGES.len() - 1]));
        if let Some(fewer) = fewer {
            entries = fewer;
        }
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

/// The entries without those of [`MOVES`] that must go for all of these changes to fit beside the last `kept` ones;
/// `None` if those do not fit anyway.
fn with_room_for(
    changes: &[&str],
    entries: &[Entry],
    kept: usize,
    fits: impl Fn(&[Entry]) -> bool,
) -> Option<Vec<Entry>> {
    let needed_fit = |entries: &[Entry]| {
        let last = entries.iter().rposition(|(_, word)| changes.contains(word));
        let changes = last.map_or(0, |last| last + 1);
        let end = entries.len().saturating_sub(kept).max(changes);
        fits(&[&entries[..changes], &entries[end..]].concat())
    };
    let mut fewer = entries.to_vec();
    for word in MOVES {
        if needed_fit(&fewer) {
            return Some(fewer);
        }
        fewer.retain(|(_, entry)| *entry != word);
    }
    needed_fit(&fewer).then_some(fewer)
}
