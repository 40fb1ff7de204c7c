//! The question whether to delete a session: what is in it, and what must be typed.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::row::{Contents, Held};
use crate::format::{age, clean};
use crate::tui::theme::Theme;
use crate::tui::widget::text::{below, beside, cut, left, start, wrap};

/// The question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Question {
    /// The session.
    pub name: String,
    /// What is in its files; `None` until they have been read.
    pub contents: Option<Contents>,
    /// Whether its name must be typed: what is in its file is not known.
    pub is_typed: bool,
    /// What is typed.
    pub typed: String,
}

impl Question {
    /// About a session of this name; `unread` where its file cannot be read.
    pub fn new(name: String, unread: bool) -> Self {
        Self {
            name,
            contents: None,
            is_typed: unread,
            typed: String::new(),
        }
    }

    /// Whether it may be deleted now: the person has been told what is in it and, where that is not
    /// known, has typed its name.
    pub fn may_delete(&self) -> bool {
        self.contents.is_some() && (!self.is_typed || self.typed == self.name)
    }

    /// Draws it.
    pub fn draw(&self, now: i64, theme: &Theme, area: Rect, buf: &mut Buffer) {
        let area = start(below(beside(area, 2), 1), 76);
        let room = usize::from(area.width.saturating_sub(10));
        let name = cut(&clean(&self.name), room);
        let title = Span::styled(format!("Delete {name}?"), theme.bright());
        left(buf, area, 0, Line::from(title));
        let mut row = 2;
        let mut say = |text: &str, style: Style| {
            for line in wrap(&clean(text), area.width) {
                left(buf, area, row, Span::styled(line, style));
                row += 1;
            }
        };
        match &self.contents {
            None => say("reading what is in it", theme.dim()),
            Some(contents) => {
                let (words, known) = said("Its file", &contents.file, now);
                say(&words, if known { theme.text() } else { theme.warning() });
                match &contents.previous {
                    None => say("There is no previous generation of it.", theme.text()),
                    Some(previous) => {
                        let (words, known) = said("Its previous generation", previous, now);
                        say(&words, if known { theme.text() } else { theme.warning() });
                    }
                }
                say(
                    "Both go to the folder trash/ beside the sessions.",
                    theme.text(),
                );
            }
        }
        row += 1;
        let key = |key: &str, words: &str| {
            Line::from(vec![
                Span::styled(key.to_owned(), theme.chosen()),
                Span::raw(words.to_owned()),
            ])
        };
        if self.is_typed {
            left(buf, area, row, "Type its name to delete it:");
            let caret = if theme.glyphs.unicode { "▏" } else { "_" };
            let typed = Line::from(vec![
                Span::styled(clean(&self.typed), theme.bright()),
                Span::styled(caret, theme.accent()),
            ]);
            left(buf, area, row + 1, typed);
            row += 3;
            left(buf, area, row, key("Enter", "  delete it"));
        } else {
            left(buf, area, row, key("    y", "  delete it"));
        }
        left(buf, area, row + 1, key("  Esc", "  keep it"));
    }
}

/// What a file holds, and whether that is known.
fn said(whose: &str, held: &Result<Held, String>, now: i64) -> (String, bool) {
    match held {
        Ok(held) => {
            let when = held.updated.map_or_else(
                || "never saved by an engine".to_owned(),
                |updated| format!("saved {}", age((now - updated).max(0))),
            );
            (format!("{whose}: {}; {when}.", held.in_words()), true)
        }
        Err(why) => (format!("{whose} cannot be read: {why}"), false),
    }
}
