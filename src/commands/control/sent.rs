//! A command on its way to an engine, and how the engine's states answer it.

use std::time::Instant;

use super::RETRY_TIME;
use crate::link::{EngineCommand, SentExtension};
use crate::session::Session;
use crate::session::record::Note;
use crate::session::run::{Phase, Run};
use crate::session::store::Store;

/// Whether a command adds something to the session that must not be lost with the engine.
pub(super) fn adds(command: &EngineCommand) -> bool {
    matches!(
        command,
        EngineCommand::Extend { .. } | EngineCommand::Note(_)
    )
}

/// A command that was sent to an engine.
pub(super) struct SentCommand<'a> {
    command: &'a EngineCommand,
    extension: Option<SentExtension>,
    /// The note that was in the place of the one sent.
    note_before: Option<Note>,
    /// Why the engine could not save the session before.
    problem_before: Option<String>,
    /// When it was sent.
    pub(super) at: Instant,
}

impl<'a> SentCommand<'a> {
    /// A command that is now sent to an engine; one that [`adds`] something to one whose newest state is `newest`.
    pub(super) fn new(command: &'a EngineCommand, newest: Option<&Session>) -> Self {
        let extension = match (command, newest) {
            (EngineCommand::Extend { images, more }, Some(newest)) => {
                Some(SentExtension::new(*images, more.clone(), newest))
            }
            _ => None,
        };
        let note_before = match (command, newest) {
            (EngineCommand::Note(note), Some(newest)) => newest.record.note_on(&note.on).cloned(),
            _ => None,
        };
        let run = newest.and_then(|newest| newest.run.as_ref());
        Self {
            command,
            extension,
            note_before,
            problem_before: run.and_then(|run| run.problem.clone()),
            at: Instant::now(),
        }
    }

    /// Why the engine refused it.
    pub(super) fn refusal(&self, session: &Session) -> Option<String> {
        self.extension.as_ref()?.refusal(session)
    }

    /// Whether the engine has carried it out, by this state of it.
    pub(super) fn is_obeyed(&self, session: &Session) -> bool {
        let phase = session.run.as_ref().map(|run| &run.phase);
        let phase = phase.unwrap_or(&Phase::Starting);
        match self.command {
            EngineCommand::Extend { images, more } => session.has_extension(*images, more),
            EngineCommand::Note(note) => {
                session.record.has_note(note) || self.is_replaced(note, session)
            }
            EngineCommand::Pause => matches!(phase, Phase::Paused(_)),
            EngineCommand::Continue | EngineCommand::Checkpoint => {
                matches!(phase, Phase::Working(_))
            }
            EngineCommand::Stop | EngineCommand::Discard => false,
        }
    }

    /// Whether what it added to this state of the engine is in the session's file as well.
    pub(super) fn is_saved(&self, session: &Session, store: &Store) -> bool {
        if !adds(self.command) {
            return true;
        }
        let is_in = |file: Session| match self.command {
            EngineCommand::Note(note) => {
                file.record.note_on(&note.on) == session.record.note_on(&note.on)
            }
            _ => self.is_obeyed(&file),
        };
        store.load_head(&session.name).is_ok_and(is_in)
    }

    /// Why what it adds cannot be saved, once the engine has tried.
    pub(super) fn problem<'r>(&self, run: &'r Run) -> Option<&'r str> {
        let problem = run.problem.as_deref()?;
        let has_tried =
            self.problem_before.as_deref() != Some(problem) || self.at.elapsed() > RETRY_TIME;
        (adds(self.command) && has_tried).then_some(problem)
    }

    /// Whether another note on the same object came after this one, so that no state may have shown this one: of several
    /// that come at the same moment only the last one is kept. Notes may come in another order than they were written in;
    /// an earlier one that stays has come later.
    fn is_replaced(&self, note: &Note, session: &Session) -> bool {
        let now = session.record.note_on(&note.on);
        let is_later = now.is_some_and(|now| now.written >= note.written);
        now != self.note_before.as_ref() && (is_later || self.at.elapsed() > RETRY_TIME)
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

    fn with(notes: &[Note]) -> Session {
        let mut session = Session::new("mine", Config::default());
        session.record.notes = notes.to_vec();
        session
    }

    #[test]
    fn a_note_has_come_if_it_is_there_or_another_came_after_it() {
        let (earlier, other) = (note(5, "earlier"), note(5, "of another terminal"));
        for ours in [note(5, "ours"), note(5, "")] {
            let command = EngineCommand::Note(ours);
            let before = with(std::slice::from_ref(&earlier));
            let mut sent = SentCommand::new(&command, Some(&before));
            assert!(!sent.is_obeyed(&before));
            assert!(sent.is_obeyed(&with(std::slice::from_ref(&other))));
            // One that was written before ours comes before it, unless it stays.
            let late = with(&[note(4, "late")]);
            assert!(!sent.is_obeyed(&late));
            sent.at -= 2 * RETRY_TIME;
            assert!(sent.is_obeyed(&late));
        }
        let command = EngineCommand::Note(note(5, "ours"));
        let sent = SentCommand::new(&command, Some(&with(&[])));
        assert!(sent.is_obeyed(&with(&[note(5, "ours")])));
        assert!(!sent.is_obeyed(&with(&[])));
    }
}
