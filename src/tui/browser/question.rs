//! The question whether to delete a session: its contents, and the name to type.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::row::{FileContents, SessionContents};
use crate::format::{age, clean};
use crate::tui::action::{Action, KeyBindings, first_key_of};
use crate::tui::theme::Theme;
use crate::tui::widget::text::{below, beside, cut, left, start, wrap};

/// The question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DeleteQuestion {
    /// The session.
    pub name: String,
    /// The contents of its files; `None` until they have been read.
    pub contents: Option<SessionContents>,
    /// Whether its name must be typed, because its contents are unknown.
    pub is_typed: bool,
    /// The text typed so far.
    pub typed: String,
}

impl DeleteQuestion {
    /// A question about the session of this name; `unread` if its file cannot be read.
    pub fn new(name: String, unread: bool) -> Self {
        Self {
            name,
            contents: None,
            is_typed: unread,
            typed: String::new(),
        }
    }

    /// Whether it may be deleted now: its contents have been shown or, if they are unknown, its name has been
    /// typed.
    pub fn may_delete(&self) -> bool {
        self.contents.is_some() && (!self.is_typed || self.typed == self.name)
    }

    /// Draws the question.
    pub fn draw(&self, now: i64, keys: KeyBindings, theme: &Theme, area: Rect, buf: &mut Buffer) {
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
            None => say("reading its contents", theme.dim()),
            Some(contents) => {
                let (text, known) = describe("Its file", &contents.file, now);
                say(&text, if known { theme.text() } else { theme.warning() });
                match &contents.previous {
                    None => say("There is no previous generation.", theme.text()),
                    Some(previous) => {
                        let (text, known) = describe("Its previous generation", previous, now);
                        say(&text, if known { theme.text() } else { theme.warning() });
                    }
                }
                let go = match contents.previous {
                    None => "It goes",
                    Some(_) => "Both go",
                };
                let text = format!("{go} to the folder trash/ beside the sessions.");
                say(&text, theme.text());
            }
        }
        row += 1;
        let key = |action: Action, words: &str| {
            let key = format!("{:>5}", first_key_of(keys, action));
            Line::from(vec![
                Span::styled(key, theme.chosen()),
                Span::raw(words.to_owned()),
            ])
        };
        let (delete, keep) = match self.is_typed {
            true => (Action::DeleteNamed, Action::KeepNamed),
            false => (Action::DeleteNow, Action::Keep),
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
        }
        left(buf, area, row, key(delete, "  delete it"));
        left(buf, area, row + 1, key(keep, "  keep it"));
    }
}

/// Describes the contents of a file; the flag is false if they are unknown.
fn describe(subject: &str, held: &Result<FileContents, String>, now: i64) -> (String, bool) {
    match held {
        Ok(held) => {
            let when = held.updated.map_or_else(
                || "never saved by an engine".to_owned(),
                |updated| format!("saved {}", age((now - updated).max(0))),
            );
            (format!("{subject}: {}; {when}.", held.in_words()), true)
        }
        Err(problem) => (format!("{subject} cannot be read: {problem}"), false),
    }
}
