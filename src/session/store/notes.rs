//! Leaving a note in the file of a session that no engine runs.

use super::{Store, StoreError};
use crate::session::record::{Note, NoteTarget};
use crate::session::{NoteError, Session};

/// Why a note could not be saved in a file.
#[derive(Debug, thiserror::Error)]
pub enum StoreNoteError {
    /// The file could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The session rejects the note.
    #[error(transparent)]
    Note(#[from] NoteError),
}

impl Store {
    /// Saves a note in the file of a session that no engine runs, and returns the session with it. A
    /// divided session's own file is not written by its shards: its notes are kept when shards are
    /// merged.
    ///
    /// # Errors
    /// If an engine runs it, the file cannot be read or written, or the note's place does not exist.
    pub fn note(&self, name: &str, note: Note) -> Result<Session, StoreNoteError> {
        let mut lock = self.lock(name)?;
        let mut session = lock.load()?;
        let is_unit = matches!(note.on, NoteTarget::Unit { .. });
        match is_unit && session.record.sharding.is_some() {
            false => session.note(note)?,
            // Before merging, only shards know the layers.
            true => {
                let mut whole = self.load_whole(name)?;
                whole.note(note)?;
                session.record.notes = whole.record.notes;
            }
        }
        lock.save(&session)?;
        Ok(session)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Config;
    use std::fs;

    #[test]
    fn a_note_on_a_divided_session_itself_needs_none_of_its_shards() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path());
        let mut session = Session::new("mine", Config::default());
        session.divide(2, "any").unwrap();
        store.save(&session).unwrap();
        fs::write(store.path("mine.shard-1-of-2"), "damaged").unwrap();
        assert!(store.load_whole("mine").is_err());
        let note = Note {
            written: 7,
            on: NoteTarget::Session,
            text: "look at this".into(),
        };
        let noted = store.note("mine", note.clone()).unwrap();
        assert_eq!(noted.record.notes, std::slice::from_ref(&note));
        assert_eq!(store.load("mine").unwrap().record.notes, [note]);
        assert_eq!(store.engine("mine"), None, "the lock was released");
    }
}
