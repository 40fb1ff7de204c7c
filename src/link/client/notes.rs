//! The notes of a viewer whose engine is gone: those that it had not received or not saved are written into the file.

use std::sync::Arc;

use super::Follower;
use crate::link::SentNote;
use crate::link::waiting_notes::{has_arrived, keep, unsaved_removals};
use crate::session::record::Note;
use crate::session::store::{StoreError, StoreNoteError};
use crate::session::{Record, Session};

impl Follower {
    /// Keeps a note that is now sent to the engine, until its states show that it has arrived.
    pub(super) fn keep_unconfirmed(&mut self, note: Note) {
        let sent = SentNote::new(note, &self.publish.borrow().record);
        let is_other = |earlier: &SentNote| earlier.note().on != sent.note().on;
        self.unconfirmed.retain(is_other);
        self.unconfirmed.push(sent);
    }

    /// The engine is gone: it may not have received or saved the unconfirmed notes.
    pub(super) fn mark_undelivered(&mut self) {
        let all = std::mem::take(&mut self.unconfirmed);
        let notes = all.iter().map(|sent| sent.note().clone());
        notes.for_each(|note| self.keep_note(note));
    }

    /// Keeps a note that no engine has received.
    pub(super) fn keep_note(&mut self, note: Note) {
        keep(&mut self.undelivered, note);
    }

    /// Writes undelivered notes into the session's file.
    pub(super) async fn save_notes(&mut self) {
        for note in std::mem::take(&mut self.undelivered) {
            let (store, name, copy) = (self.store.clone(), self.name.clone(), note.clone());
            let written = tokio::task::spawn_blocking(move || store.note(&name, copy)).await;
            match written {
                Ok(Ok(session)) => {
                    // The state of the ended run stays visible.
                    let run = self.publish.borrow().run.clone();
                    self.publish
                        .send_replace(Arc::new(Session { run, ..session }));
                }
                // A new engine holds the lock and will receive the note.
                Ok(Err(StoreNoteError::Store(StoreError::Locked { .. }))) => {
                    self.undelivered.push(note)
                }
                Ok(Err(problem)) => {
                    self.refuse
                        .send_replace(format!("note not saved: {problem}"));
                }
                Err(_) => {
                    self.refuse.send_replace("note not saved".into());
                }
            }
        }
    }

    /// Keeps what a dead engine had accepted and not saved in its file: notes, and removals of notes. Those that it did
    /// not receive are newer.
    pub(super) fn recover_notes(&mut self, file: &Record) {
        let mut lost = unsaved_removals(&self.vanished, file);
        let known = Arc::clone(&self.publish.borrow());
        // A file that was written later has all notes of this state, but for those that were removed since.
        if file.updated == known.record.updated {
            let notes = known.record.notes.iter();
            lost.extend(notes.filter(|note| !has_arrived(file, note)).cloned());
        }
        let newer = std::mem::replace(&mut self.undelivered, lost);
        newer.into_iter().for_each(|note| self.keep_note(note));
    }

    /// Reports notes that cannot be saved any more, since the link was dropped while another process had the session.
    pub(super) fn report_unsaved_notes(&mut self) {
        if !std::mem::take(&mut self.undelivered).is_empty() {
            let name = &self.name;
            self.refuse.send_replace(format!(
                "note not saved, since another process is using {name}; repeat it: noisescope note {name} TEXT"
            ));
        }
    }
}
