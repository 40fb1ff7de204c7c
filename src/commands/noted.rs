//! Writes a note into the file of a session that no engine is running.

use super::Refusal;
use crate::session::record::Note;
use crate::session::store::{LeftError, Store};

/// Writes a note into the file of a session that no engine is running.
pub fn in_file(store: &Store, name: &str, note: Note) -> Result<(), Refusal> {
    match store.note(name, note) {
        Ok(_) => Ok(()),
        Err(LeftError::Store(error)) => Err(error.into()),
        Err(LeftError::Note(error)) => Err(Refusal::Usage(format!("{name}: {error}"))),
    }
}
