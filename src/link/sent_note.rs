//! A note on its way to an engine, and how the engine's states answer it.

use std::time::{Duration, Instant};

use crate::session::Record;
use crate::session::record::Note;

/// How long a note that was written earlier may be the newest one and still not be taken for one that came later.
const ORDER_TIME: Duration = Duration::from_secs(1);

/// A note that was sent to an engine.
#[derive(Debug, Clone)]
pub struct SentNote {
    note: Note,
    /// The note that was in its place.
    before: Option<Note>,
    /// When it was sent.
    at: Instant,
}

impl SentNote {
    /// A note that is now sent to an engine whose newest state has this record.
    pub fn new(note: Note, newest: &Record) -> Self {
        Self {
            before: newest.note_on(&note.on).cloned(),
            note,
            at: Instant::now(),
        }
    }

    /// The note.
    pub fn note(&self) -> &Note {
        &self.note
    }

    /// Whether the engine has it, or had it until another one replaced it.
    pub fn has_arrived(&self, record: &Record) -> bool {
        record.has_note(&self.note) || self.is_replaced(record)
    }

    /// Whether another note on the same object came after this one, so that no state may have shown this one: of several
    /// that come at the same moment only the last one is kept. Notes may come in another order than they were written in;
    /// an earlier one that stays has come later.
    fn is_replaced(&self, record: &Record) -> bool {
        let now = record.note_on(&self.note.on);
        let is_later = now.is_some_and(|now| now.written >= self.note.written);
        now != self.before.as_ref() && (is_later || self.at.elapsed() > ORDER_TIME)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Config;
    use crate::session::record::NoteTarget;

    fn note(written: i64, text: &str) -> Note {
        Note {
            written,
            on: NoteTarget::Session,
            text: text.into(),
        }
    }

    fn with(notes: &[Note]) -> Record {
        Record {
            notes: notes.to_vec(),
            ..Record::new(&Config::default())
        }
    }

    #[test]
    fn a_note_has_arrived_if_it_is_there_or_another_came_after_it() {
        let (earlier, other) = (note(5, "earlier"), note(5, "of another terminal"));
        for ours in [note(5, "ours"), note(5, "")] {
            let before = with(std::slice::from_ref(&earlier));
            let mut sent = SentNote::new(ours, &before);
            assert!(!sent.has_arrived(&before));
            // In the same second.
            assert!(sent.has_arrived(&with(std::slice::from_ref(&other))));
            // One that was written before ours comes before it, unless it stays.
            let late = with(&[note(4, "late")]);
            assert!(!sent.has_arrived(&late));
            sent.at -= 2 * ORDER_TIME;
            assert!(sent.has_arrived(&late));
        }
        let sent = SentNote::new(note(5, "ours"), &with(&[]));
        assert!(sent.has_arrived(&with(&[note(5, "ours")])));
        assert!(!sent.has_arrived(&with(&[])));
        // By a clock that is ahead.
        let ahead = with(&[note(9, "earlier")]);
        let sent = SentNote::new(note(5, "ours"), &ahead);
        assert!(!sent.has_arrived(&ahead));
    }
}
