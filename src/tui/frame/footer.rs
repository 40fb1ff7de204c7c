//! The line at the bottom: the keys that matter here.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::format::clean;
use crate::tui::action::Binding;
use crate::tui::theme::Theme;
use crate::tui::widget::text::{cut, left};

/// Draws what came of the last thing that was done, in their place.
pub fn news(words: &str, failed: bool, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let (mark, style) = match failed {
        true => (theme.glyphs.warning, theme.warning()),
        false => (theme.glyphs.done, theme.text()),
    };
    let text = cut(&format!("{mark} {}", clean(words)), usize::from(area.width));
    left(buf, area, 0, Span::styled(text, style));
}

/// Columns from which on the palette is told whatever else has no room.
const ROOMY: u16 = 72;

/// The words that go first where there is no room for all, in this order: the list of keys and the palette have
/// them.
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

/// Draws the rows that have a word for it, in what [`crate::tui::possible::word`] makes of that. The
/// last two entries are the way out and help: they stay whatever else must go.
pub fn draw(
    rows: impl Iterator<Item = &'static Binding>,
    word: impl Fn(&'static str) -> &'static str,
    theme: &Theme,
    area: Rect,
    buf: &mut Buffer,
) {
    let mut entries: Vec<(String, &'static str)> = Vec::new();
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
    let width = |(keys, word): &(String, &'static str)| {
        Span::raw(keys).width() + 1 + Span::raw(*word).width()
    };
    let total = |entries: &[(String, &'static str)]| {
        entries.iter().map(width).sum::<usize>() + 3 * entries.len().saturating_sub(1)
    };
    // What can be done in every view is told where there is room for it.
    for word in EXTRAS {
        if total(&entries) > usize::from(area.width) {
            entries.retain(|(_, own)| *own != word);
        }
    }
    // What stands in brackets only explains.
    if total(&entries) > usize::from(area.width) {
        for (_, word) in &mut entries {
            *word = word.split(" (").next().unwrap_or(word);
        }
    }
    // The way to everything else stays on all but the narrowest screens.
    let kept = match entries.len().checked_sub(3).and_then(|at| entries.get(at)) {
        Some((_, "commands")) if area.width >= ROOMY => 3,
        _ => 2,
    };
    while total(&entries) > usize::from(area.width) && entries.len() > kept + 1 {
        let at = entries.len() - kept - 1;
        entries.remove(at);
    }
    let mut spans = Vec::new();
    for (keys, word) in entries {
        spans.push(Span::styled(keys, theme.accent()));
        spans.push(Span::styled(format!(" {word}   "), theme.dim()));
    }
    left(buf, area, 0, Line::from(spans));
}
