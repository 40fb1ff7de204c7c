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
