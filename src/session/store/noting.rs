//! A note in the file of a session that no engine runs.

use super::{Store, StoreError};
use crate::session::record::{Note, NoteOn};
use crate::session::{NoteError, Session};

/// Why a note was not left in a file.
#[derive(Debug, thiserror::Error)]
pub enum LeftError {
    /// The file could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The session takes no such note.
    #[error(transparent)]
    Note(#[from] NoteError),
}

impl Store {
    /// Leaves a note in the file of a session that no engine runs, and gives the session with it. The file of
    /// a divided session is its own, which no shard writes any more: its notes stay where they are when
    /// shards are merged.
    ///
    /// # Errors
    /// Where an engine runs it, the file cannot be read or written, or there is no such place for a note.
    pub fn note(&self, name: &str, note: Note) -> Result<Session, LeftError> {
        let mut lock = self.lock(name)?;
        let mut session = lock.load()?;
        let is_unit = matches!(note.on, NoteOn::Unit { .. });
        match is_unit && session.record.sharding.is_some() {
            false => session.note(note)?,
            // Before they are merged, shards alone know what layers there are.
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
