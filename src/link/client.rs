//! A viewer's side of the socket: follows a session across the lifetimes of its engines.
//!
//! While the engine lives, its states arrive here. When it is gone, the session file is shown
//! read-only, and the link looks for a new engine with growing pauses.

mod notes;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use super::conversation::GREETING;
use super::waiting_notes::note_vanished;
use super::wire::WireError;
use super::{Connection, EngineCommand, Link, SentExtension, SentNote};
use crate::session::config::Extension;
use crate::session::record::Note;
use crate::session::run::Phase;
use crate::session::store::{Store, now as now_s};
use crate::session::{Run, SavedState, Session};

pub use super::conversation::{ConnectError, Conversation, by_signals};

/// First and longest pause between two attempts to connect.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(3));

/// The outcome of asking an engine for its session.
#[derive(Debug)]
pub enum EngineAnswer {
    /// It answered.
    Session(Box<Session>),
    /// It did not answer in time.
    NoAnswer,
    /// It cannot be asked: none runs, or it cannot be reached.
    Unreachable,
}

/// Asks the engine of a session for its current state.
pub async fn query(store: &Store, name: &str, patience: Duration) -> EngineAnswer {
    let answer = async {
        let mut engine = match Conversation::connect_with_retry(store, name).await {
            Ok(engine) => engine,
            Err(error) if error.is_timeout() => return EngineAnswer::NoAnswer,
            Err(_) => return EngineAnswer::Unreachable,
        };
        loop {
            if engine.request_state().await.is_err() {
                return EngineAnswer::Unreachable;
            }
            match engine.receive_state().await {
                // The first state has no information about the run yet.
                Ok(Some(session)) if session.run.is_none() => {}
                Ok(Some(session)) => return EngineAnswer::Session(Box::new(session)),
                _ => return EngineAnswer::Unreachable,
            }
        }
    };
    timeout(patience, answer)
        .await
        .unwrap_or(EngineAnswer::NoAnswer)
}

/// Follows a session from now on. `session` is shown until the first state arrives; `expected` is
/// [`Connection::Connecting`] if an engine should be running, or [`Connection::ReadOnly`] if
/// none is known. Needs a tokio runtime; ends when the link is dropped.
pub fn follow(store: Store, session: Session, expected: Connection) -> Link {
    let name = session.name.clone();
    let (publish, sessions) = watch::channel(Arc::new(session));
    let (connected, connection) = watch::channel(expected);
    let (send, commands) = mpsc::unbounded_channel();
    let (refuse, refused) = watch::channel(String::new());
    let log = Some(store.log_path(&name));
    let follower = Follower {
        store,
        name,
        publish,
        connected,
        commands,
        refuse,
        unconfirmed: Vec::new(),
        undelivered: Vec::new(),
        vanished: Vec::new(),
        extensions: Vec::new(),
    };
    tokio::spawn(follower.follow());
    Link {
        sessions,
        commands: Some(send),
        connection,
        rejection: refused,
        log,
    }
}

struct Follower {
    store: Store,
    name: String,
    publish: watch::Sender<Arc<Session>>,
    connected: watch::Sender<Connection>,
    commands: mpsc::UnboundedReceiver<EngineCommand>,
    refuse: watch::Sender<String>,
    /// Notes sent to an engine and not yet seen in its states.
    unconfirmed: Vec<SentNote>,
    /// Notes that no engine has received.
    undelivered: Vec<Note>,
    /// Notes that disappeared from the engine's states.
    vanished: Vec<Note>,
    /// Extensions sent to an engine that its states have not answered yet.
    extensions: Vec<SentExtension>,
}

/// The problem reported if an engine ended without a final state.
const DIED: &str = "it died; this is its last checkpoint";

/// The problem reported if an engine ended before it extended the plan as it was asked to.
const UNEXTENDED: &str = "not extended: the engine ended before it could do so; repeat it";

/// How an engine ended, from the state it left in the file; `None` if it left none.
fn final_phase(state: &SavedState) -> Option<Phase> {
    match state {
        SavedState::Failed(message) => Some(Phase::Failed(message.clone())),
        SavedState::Stopped => Some(Phase::Stopped),
        SavedState::Finished => Some(Phase::Finished),
        SavedState::New | SavedState::Running => None,
    }
}

/// The link has been dropped, so the follower ends.
struct LinkDropped;

/// How a conversation ended.
#[derive(Default)]
struct ConversationEnd {
    states: u64,
    problem: Option<WireError>,
}

impl Follower {
    async fn follow(mut self) {
        let mut pause = BACK_OFF.0;
        loop {
            match Conversation::connect(&self.store, &self.name).await {
                Ok(conversation) => {
                    self.connected.send_replace(Connection::Live);
                    match self.converse(conversation).await {
                        Ok(ConversationEnd { states, problem }) => {
                            self.mark_undelivered();
                            // An engine that sent no state is not retried ten times a second.
                            if states > 0 {
                                pause = BACK_OFF.0;
                            }
                            match problem {
                                Some(problem) => self.lost(problem.to_string()),
                                None => self.read_file(),
                            }
                            self.report_unextended();
                        }
                        Err(LinkDropped) => return,
                    }
                }
                Err(ConnectError::NotRunning(_))
                    if *self.connected.borrow() == Connection::Connecting || self.ended_since() =>
                {
                    self.show_final_state();
                }
                Err(error) if error.is_timeout() => self.show_silent_engine(),
                Err(error) => self.report_missing(&error, pause),
            }
            if self.wait(pause).await.is_err() {
                return;
            }
            pause = (pause * 2).min(BACK_OFF.1);
        }
    }

    /// Whether a lost engine has written its final state to the file since: it hangs up before writing it.
    fn ended_since(&self) -> bool {
        let lost = matches!(*self.connected.borrow(), Connection::Lost(_));
        let is_final = |session: Session| self.is_final_state(&session);
        lost && self.store.load_head(&self.name).is_ok_and(is_final)
    }

    /// Whether the file holds the final state of the last known engine, and not one written before that engine
    /// started.
    fn is_final_state(&self, session: &Session) -> bool {
        let known = self.publish.borrow();
        let written = session.record.updated != known.record.updated;
        let begun = known.record.state == SavedState::New;
        // Perhaps written in the same second. No engine starts on a finished session.
        let finished = session.record.state == SavedState::Finished;
        final_phase(&session.record.state).is_some() && (written || begun || finished)
    }

    /// The expected engine has already ended: shows its final state from the file.
    fn show_final_state(&self) {
        if let Ok(mut session) = self.store.load(&self.name) {
            let Some(phase) = final_phase(&session.record.state) else {
                return self.lost(DIED.into());
            };
            session.run = Some(Run {
                phase,
                ..Run::default()
            });
            self.publish.send_replace(Arc::new(session));
        }
        self.connected.send_replace(Connection::ReadOnly);
    }

    /// An engine is there but does not answer: shows the file, dated by when it was written or when the greeting
    /// was sent, whichever is earlier.
    fn show_silent_engine(&self) {
        if self.publish.borrow().run.is_some() {
            return;
        }
        let Ok(mut session) = self.store.load(&self.name) else {
            return;
        };
        let greeted = now_s() - GREETING.as_secs() as i64;
        let written = session.record.updated;
        let stages = session.stages();
        let open = stages.iter().position(|stage| !stage.finished);
        session.run = Some(Run {
            phase: Phase::Working(open.unwrap_or(0)),
            at: if written > 0 {
                written.min(greeted)
            } else {
                greeted
            },
            stages,
            ..Run::default()
        });
        self.publish.send_replace(Arc::new(session));
    }

    /// There is no engine. Reports that only if one is expected and has had time to start.
    fn report_missing(&self, error: &ConnectError, pause: Duration) {
        let now = self.connected.borrow().clone();
        let patient = now == Connection::Connecting && pause < BACK_OFF.1;
        let expected = !patient && now != Connection::ReadOnly;
        if expected || matches!(error, ConnectError::Wire { .. }) {
            self.lost(error.to_string());
        }
    }

    fn lost(&self, why: String) {
        let lost = Connection::Lost(why);
        if *self.connected.borrow() != lost {
            self.connected.send_replace(lost);
        }
    }

    /// Receives states until the engine hangs up or sends something unreadable.
    async fn converse(
        &mut self,
        mut conversation: Conversation,
    ) -> Result<ConversationEnd, LinkDropped> {
        let mut outcome = ConversationEnd::default();
        for note in std::mem::take(&mut self.undelivered) {
            self.keep_unconfirmed(note.clone());
            let _ = conversation.send_command(EngineCommand::Note(note)).await;
        }
        if conversation.request_state().await.is_err() {
            return Ok(outcome);
        }
        let mut dropped = false;
        loop {
            // Before leaving, wait until all notes and extensions are confirmed.
            if dropped && self.unconfirmed.is_empty() && self.extensions.is_empty() {
                return Err(LinkDropped);
            }
            tokio::select! {
                state = conversation.receive_state() => match state {
                    Ok(Some(session)) => {
                        outcome.states += 1;
                        self.unconfirmed.retain(|sent| !sent.has_arrived(&session.record));
                        let before = Arc::clone(&self.publish.borrow());
                        note_vanished(&mut self.vanished, &before.record, &session.record);
                        self.extensions.retain(|sent| !sent.is_answered(&session));
                        self.publish.send_replace(Arc::new(session));
                        if conversation.request_state().await.is_err() {
                            return Ok(outcome);
                        }
                    }
                    Ok(None) => return Ok(outcome),
                    Err(error) => {
                        // When an engine dies, the connection breaks.
                        outcome.problem = Some(error).filter(WireError::is_misunderstanding);
                        return Ok(outcome);
                    }
                },
                command = self.commands.recv(), if !dropped => match command {
                    Some(command) => {
                        match &command {
                            EngineCommand::Note(note) => self.keep_unconfirmed(note.clone()),
                            EngineCommand::Extend { images, more } => {
                                self.keep_extension(*images, more.clone());
                            }
                            _ => {}
                        }
                        if conversation.send_command(command).await.is_err() {
                            return Ok(outcome);
                        }
                    }
                    None => dropped = true,
                },
                () = self.publish.closed() => return Err(LinkDropped),
            }
        }
    }

    /// The engine is gone: shows the file, unless the engine has sent its final state.
    fn read_file(&mut self) {
        let ended = |session: &Session| session.run.as_ref().is_some_and(|run| run.phase.is_over());
        if ended(&self.publish.borrow()) {
            self.connected.send_replace(Connection::ReadOnly);
            return;
        }
        if let Ok(mut session) = self.store.load(&self.name) {
            let ended = self.is_final_state(&session);
            if !ended {
                self.recover_notes(&session.record);
            }
            let phase = final_phase(&session.record.state).filter(|_| ended);
            session.run = phase.map(|phase| Run {
                phase,
                ..Run::default()
            });
            self.publish.send_replace(Arc::new(session));
            if ended {
                self.connected.send_replace(Connection::ReadOnly);
                return;
            }
        }
        self.lost(DIED.into());
    }

    /// Keeps an extension until the engine has answered it.
    fn keep_extension(&mut self, images: usize, more: Extension) {
        let sent = SentExtension::new(images, more, &self.publish.borrow());
        self.extensions.push(sent);
    }

    /// The engine is gone: reports the extensions that it has not carried out, which the newest state lacks.
    fn report_unextended(&mut self) {
        let newest = Arc::clone(&self.publish.borrow());
        let mut sent = std::mem::take(&mut self.extensions).into_iter();
        if sent.any(|sent| !sent.is_answered(&newest)) {
            self.refuse.send_replace(UNEXTENDED.into());
        }
    }

    /// Waits, dropping commands meanwhile since there is no engine; notes are written into the file.
    async fn wait(&mut self, pause: Duration) -> Result<(), LinkDropped> {
        let deadline = tokio::time::Instant::now() + pause;
        loop {
            self.save_notes().await;
            tokio::select! {
                () = tokio::time::sleep_until(deadline) => return Ok(()),
                () = self.publish.closed() => return Err(LinkDropped),
                command = self.commands.recv() => match command {
                    // The only command for which no engine is needed.
                    Some(EngineCommand::Note(note)) => self.keep_note(note),
                    Some(EngineCommand::Extend { images, more }) => {
                        self.keep_extension(images, more);
                        self.report_unextended();
                    }
                    Some(_) => {}
                    None => {
                        // A note was sent just before the link was dropped.
                        self.save_notes().await;
                        self.report_unsaved_notes();
                        return Err(LinkDropped);
                    }
                },
            }
        }
    }
}

#[cfg(test)]
mod tests;
