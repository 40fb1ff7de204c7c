//! Writes a note into the file of a session that no engine is running.

use super::CommandError;
use crate::session::record::Note;
use crate::session::store::{Store, StoreNoteError};

/// Writes a note into the file of a session that no engine is running.
pub fn note_in_file(store: &Store, name: &str, note: Note) -> Result<(), CommandError> {
    match store.note(name, note) {
        Ok(_) => Ok(()),
        Err(StoreNoteError::Store(error)) => Err(error.into()),
        Err(StoreNoteError::Note(error)) => Err(CommandError::Usage(format!("{name}: {error}"))),
    }
}
