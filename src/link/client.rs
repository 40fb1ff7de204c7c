//! A viewer's side of the socket: follows a session through whatever becomes of its engine.
//!
//! While the engine lives its states arrive here. When it is gone the file says what there is,
//! read-only, and the link looks for a new engine with growing pauses.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use super::conversation::GREETING;
use super::wire::WireError;
use super::{Command, Connection, Link};
use crate::session::record::Note;
use crate::session::run::Phase;
use crate::session::store::{LeftError, Store, StoreError, now as now_s};
use crate::session::{Run, Session, State};

pub use super::conversation::{ConnectError, Conversation};

/// First and longest pause between two looks for an engine.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(3));

/// What came of asking an engine how its session is.
#[derive(Debug)]
pub enum Heard {
    /// It said so.
    Session(Box<Session>),
    /// It has not answered in time.
    Nothing,
    /// It cannot be asked: there is none, or no way to it.
    Unreachable,
}

/// Asks the engine of a session how it is now.
pub async fn now(store: &Store, name: &str, patience: Duration) -> Heard {
    let told = async {
        let mut engine = match Conversation::begin_patiently(store, name).await {
            Ok(engine) => engine,
            Err(error) if error.is_silence() => return Heard::Nothing,
            Err(_) => return Heard::Unreachable,
        };
        loop {
            if engine.ask().await.is_err() {
                return Heard::Unreachable;
            }
            match engine.hear().await {
                // The very first state says nothing of the run yet.
                Ok(Some(session)) if session.run.is_none() => {}
                Ok(Some(session)) => return Heard::Session(Box::new(session)),
                _ => return Heard::Unreachable,
            }
        }
    };
    timeout(patience, told).await.unwrap_or(Heard::Nothing)
}

/// Follows a session from now on. `session` is shown until the first state arrives; `expected` is
/// [`Connection::Connecting`] where an engine should be there, or [`Connection::ReadOnly`] where
/// none is known. Needs a tokio runtime; ends when the link is dropped.
pub fn follow(store: Store, session: Session, expected: Connection) -> Link {
    let name = session.name.clone();
    let (publish, sessions) = watch::channel(Arc::new(session));
    let (connected, connection) = watch::channel(expected);
    let (say, said) = mpsc::unbounded_channel();
    let (refuse, refused) = watch::channel(String::new());
    let log = Some(store.log_path(&name));
    let follower = Follower {
        store,
        name,
        publish,
        connected,
        said,
        refuse,
        told: Vec::new(),
        unheard: Vec::new(),
    };
    tokio::spawn(follower.follow());
    Link {
        sessions,
        commands: Some(say),
        connection,
        refused,
        log,
    }
}

struct Follower {
    store: Store,
    name: String,
    publish: watch::Sender<Arc<Session>>,
    connected: watch::Sender<Connection>,
    said: mpsc::UnboundedReceiver<Command>,
    refuse: watch::Sender<String>,
    /// Notes that an engine was told and has not shown yet.
    told: Vec<Note>,
    /// Notes that no engine has heard.
    unheard: Vec<Note>,
}

/// What is told of an engine that ended without a word.
const DIED: &str = "the engine died; this is its last checkpoint";

/// How an engine has ended, by the state that it left in the file; `None` where it left none.
fn last_word(state: &State) -> Option<Phase> {
    match state {
        State::Failed(message) => Some(Phase::Failed(message.clone())),
        State::Stopped => Some(Phase::Stopped),
        State::Finished => Some(Phase::Finished),
        State::New | State::Running => None,
    }
}

/// Why the follower ends.
struct Left;

/// What a conversation came to.
#[derive(Default)]
struct Conversed {
    states: u64,
    problem: Option<WireError>,
}

impl Follower {
    async fn follow(mut self) {
        let mut pause = BACK_OFF.0;
        loop {
            match Conversation::begin(&self.store, &self.name).await {
                Ok(conversation) => {
                    self.connected.send_replace(Connection::Live);
                    match self.converse(conversation).await {
                        Ok(Conversed { states, problem }) => {
                            // One that tells nothing is not asked ten times a second.
                            if states > 0 {
                                pause = BACK_OFF.0;
                            }
                            match problem {
                                Some(problem) => self.lost(problem.to_string()),
                                None => self.read_file(),
                            }
                        }
                        Err(Left) => return,
                    }
                }
                Err(ConnectError::NotRunning(_))
                    if *self.connected.borrow() == Connection::Connecting || self.ended_since() =>
                {
                    self.came_too_late();
                }
                Err(error) if error.is_silence() => self.silent(),
                Err(error) => self.nobody(&error, pause),
            }
            if self.wait(pause).await.is_err() {
                return;
            }
            pause = (pause * 2).min(BACK_OFF.1);
        }
    }

    /// Whether an engine that was lost has said its last word in the file since: it hangs up before it is
    /// written.
    fn ended_since(&self) -> bool {
        let lost = matches!(*self.connected.borrow(), Connection::Lost(_));
        let said = |session: Session| self.is_last_word(&session);
        lost && self.store.head(&self.name).is_ok_and(said)
    }

    /// Whether the file says how the engine ended that was known last: what was written before it began is no
    /// word of it.
    fn is_last_word(&self, session: &Session) -> bool {
        let known = self.publish.borrow();
        let written = session.record.updated != known.record.updated;
        let begun = known.record.state == State::New;
        last_word(&session.record.state).is_some() && (written || begun)
    }

    /// The engine that was expected has ended already: the file has its last word.
    fn came_too_late(&self) {
        if let Ok(mut session) = self.store.load(&self.name) {
            let Some(phase) = last_word(&session.record.state) else {
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

    /// Somebody is there who does not answer: what is known is the file, and that the engine has said
    /// nothing since it was written, or since it was first greeted.
    fn silent(&self) {
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

    /// Nobody answers. That is news only where somebody should, and has had the time to.
    fn nobody(&self, error: &ConnectError, pause: Duration) {
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

    /// Takes states until the engine hangs up, or says what cannot be understood.
    async fn converse(&mut self, mut conversation: Conversation) -> Result<Conversed, Left> {
        let mut heard = Conversed::default();
        for note in std::mem::take(&mut self.unheard) {
            self.told.push(note.clone());
            let _ = conversation.say(Command::Note(note)).await;
        }
        if conversation.ask().await.is_err() {
            self.not_heard();
            return Ok(heard);
        }
        let mut leaves = false;
        loop {
            // Whoever leaves is sure of what was told first.
            if leaves && self.told.is_empty() {
                return Err(Left);
            }
            tokio::select! {
                state = conversation.hear() => match state {
                    Ok(Some(session)) => {
                        heard.states += 1;
                        self.told.retain(|note| !session.record.has_note(note));
                        self.publish.send_replace(Arc::new(session));
                        if conversation.ask().await.is_err() {
                            self.not_heard();
                            return Ok(heard);
                        }
                    }
                    Ok(None) => {
                        self.not_heard();
                        return Ok(heard);
                    }
                    Err(error) => {
                        // A broken connection is how an engine dies.
                        self.not_heard();
                        heard.problem = Some(error).filter(WireError::is_misunderstanding);
                        return Ok(heard);
                    }
                },
                said = self.said.recv(), if !leaves => match said {
                    Some(command) => {
                        if let Command::Note(note) = &command {
                            self.told.push(note.clone());
                        }
                        if conversation.say(command).await.is_err() {
                            self.not_heard();
                            return Ok(heard);
                        }
                    }
                    None => leaves = true,
                },
                () = self.publish.closed() => return Err(Left),
            }
        }
    }

    /// The engine is gone: the newest state is the file's, unless the engine said its last word.
    fn read_file(&mut self) {
        let ended = |session: &Session| session.run.as_ref().is_some_and(|run| run.phase.is_over());
        if ended(&self.publish.borrow()) {
            self.connected.send_replace(Connection::ReadOnly);
            return;
        }
        if let Ok(mut session) = self.store.load(&self.name) {
            // A note that it had taken, and died before it could save it.
            let shown = self.publish.borrow().record.notes.clone();
            let lost = shown
                .into_iter()
                .filter(|note| !session.record.has_note(note));
            self.unheard.extend(lost);
            let ended = self.is_last_word(&session);
            let word = last_word(&session.record.state).filter(|_| ended);
            session.run = word.map(|phase| Run {
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

    /// The engine is gone: what it was told last it may not have heard, or not have saved.
    fn not_heard(&mut self) {
        self.unheard.append(&mut self.told);
    }

    /// Keeps of what no engine has heard that which needs none: notes.
    fn keep(&mut self, command: Command) {
        if let Command::Note(note) = command {
            self.unheard.push(note);
        }
    }

    /// Writes into the session's file what no engine has heard.
    async fn note(&mut self) {
        for note in std::mem::take(&mut self.unheard) {
            let (store, name, own) = (self.store.clone(), self.name.clone(), note.clone());
            let written = tokio::task::spawn_blocking(move || store.note(&name, own)).await;
            match written {
                Ok(Ok(session)) => {
                    // What is known of the run that has ended stays in sight.
                    let run = self.publish.borrow().run.clone();
                    self.publish
                        .send_replace(Arc::new(Session { run, ..session }));
                }
                // A new engine has it, which will be told.
                Ok(Err(LeftError::Store(StoreError::Locked { .. }))) => self.unheard.push(note),
                Ok(Err(problem)) => {
                    self.refuse.send_replace(format!("not noted: {problem}"));
                }
                Err(_) => {
                    self.refuse.send_replace("not noted".into());
                }
            }
        }
    }

    /// Waits, and drops what is said meanwhile, since nobody hears it; but for notes, which are written into
    /// the file.
    async fn wait(&mut self, pause: Duration) -> Result<(), Left> {
        let until = tokio::time::Instant::now() + pause;
        loop {
            self.note().await;
            tokio::select! {
                () = tokio::time::sleep_until(until) => return Ok(()),
                () = self.publish.closed() => return Err(Left),
                said = self.said.recv() => match said {
                    Some(command) => self.keep(command),
                    None => {
                        // Somebody noted something and left at once.
                        self.note().await;
                        return Err(Left);
                    }
                },
            }
        }
    }
}
