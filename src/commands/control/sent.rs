//! A command on its way to an engine, and how the engine's states answer it.

use std::time::Instant;

use super::RETRY_TIME;
use crate::link::{EngineCommand, SentExtension, SentNote};
use crate::session::Session;
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
    note: Option<SentNote>,
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
        let note = match (command, newest) {
            (EngineCommand::Note(note), Some(newest)) => {
                Some(SentNote::new(note.clone(), &newest.record))
            }
            _ => None,
        };
        let run = newest.and_then(|newest| newest.run.as_ref());
        Self {
            command,
            extension,
            note,
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
            EngineCommand::Note(_) => {
                let sent = self.note.as_ref();
                sent.is_some_and(|sent| sent.has_arrived(&session.record))
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
}
