//! A viewer's side of the socket: follows a session through whatever becomes of its engine.
//!
//! While the engine lives its states arrive here. When it is gone the file says what there is,
//! read-only, and the link looks for a new engine with growing pauses.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use tokio_util::codec::{FramedRead, FramedWrite, LengthDelimitedCodec};

use super::wire::{self, Ask, Told, WireError};
use super::{Command, Connection, Link};
use crate::session::record::Note;
use crate::session::run::Phase;
use crate::session::store::{BEAT, LeftError, Store, StoreError, now as now_s};
use crate::session::{Run, Session, State};

/// How long an engine may take to answer a greeting.
const GREETING: Duration = Duration::from_secs(5);
/// How long an engine may take to make its socket anew.
const REBOUND: Duration = Duration::from_millis(2 * BEAT.as_millis() as u64 + 1000);
/// First and longest pause between two looks for an engine.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(3));

/// Why an engine cannot be spoken to.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// None runs the session.
    #[error("no engine runs session `{0}`; `noisescope run {0}` starts one")]
    NotRunning(String),
    /// One runs it without a socket: it has just begun, or could make none, or is another user's.
    #[error(
        "session `{name}` is running, process {pid}, without a socket that can be reached from here; `kill -TERM {pid}` stops it after a checkpoint, `kill -USR1 {pid}` writes one"
    )]
    NoSocket {
        /// The session.
        name: String,
        /// The engine's process.
        pid: u32,
    },
    /// Somebody took its socket away.
    #[error(
        "session `{name}` is running, process {pid}; its socket {path} is gone and is made anew within seconds; `kill -TERM {pid}` stops it after a checkpoint"
    )]
    Gone {
        /// The session.
        name: String,
        /// The engine's process.
        pid: u32,
        /// Where the socket was.
        path: String,
    },
    /// It runs on another machine.
    #[error(
        "session `{name}` is running on {machine}, process {pid}, and cannot be reached from here; look in there"
    )]
    Elsewhere {
        /// The session.
        name: String,
        /// The engine's process.
        pid: u32,
        /// The machine.
        machine: String,
    },
    /// The socket is there and does not answer as it should.
    #[error("the engine of session `{name}` (process {pid}) cannot be reached at {path}: {error}")]
    Io {
        /// The session.
        name: String,
        /// The engine's process.
        pid: u32,
        /// The socket.
        path: String,
        /// What the system said.
        error: std::io::Error,
    },
    /// It answers in another language.
    #[error("the engine of session `{name}` cannot be spoken to: {error}")]
    Wire {
        /// The session.
        name: String,
        /// What is wrong.
        error: WireError,
    },
}

impl ConnectError {
    /// Whether somebody is there who does not answer.
    fn is_silence(&self) -> bool {
        use std::io::ErrorKind::{TimedOut, WouldBlock};
        matches!(self, Self::Io { error, .. } if matches!(error.kind(), TimedOut | WouldBlock))
    }
}

/// A greeted connection.
pub struct Conversation {
    from: FramedRead<OwnedReadHalf, LengthDelimitedCodec>,
    to: FramedWrite<OwnedWriteHalf, LengthDelimitedCodec>,
    /// The engine's process.
    pub pid: u32,
    /// The last state that came: the next one builds on it.
    last: Option<Box<Session>>,
}

impl Conversation {
    /// Connects to the engine of a session and greets it.
    ///
    /// # Errors
    /// Why there is nobody to talk to.
    pub async fn begin(store: &Store, name: &str) -> Result<Self, ConnectError> {
        let Some(engine) = store.engine(name) else {
            return Err(ConnectError::NotRunning(name.to_owned()));
        };
        let pid = engine.pid;
        if let Some(machine) = engine.elsewhere {
            return Err(ConnectError::Elsewhere {
                name: name.to_owned(),
                pid,
                machine,
            });
        }
        let Some(path) = engine.socket else {
            return Err(ConnectError::NoSocket {
                name: name.to_owned(),
                pid,
            });
        };
        let io = |error: std::io::Error| match error.kind() {
            ErrorKind::NotFound | ErrorKind::ConnectionRefused => ConnectError::Gone {
                name: name.to_owned(),
                pid,
                path: path.display().to_string(),
            },
            _ => ConnectError::Io {
                name: name.to_owned(),
                pid,
                path: path.display().to_string(),
                error,
            },
        };
        let wire = |error| ConnectError::Wire {
            name: name.to_owned(),
            error,
        };
        let stream = UnixStream::connect(&path).await.map_err(io)?;
        let user = stream.peer_cred().map_err(io)?.uid();
        if user != rustix::process::getuid().as_raw() {
            let foreign = format!("it belongs to user {user}");
            return Err(io(std::io::Error::other(foreign)));
        }
        let (from, to) = stream.into_split();
        let mut to = FramedWrite::new(to, wire::asked());
        let mut from = FramedRead::new(from, wire::told());
        to.send(wire::encode(&Ask::hello())).await.map_err(io)?;
        let answer = match timeout(GREETING, from.next()).await {
            Ok(Some(Ok(frame))) => frame,
            Ok(Some(Err(error))) => return Err(wire(error.into())),
            Ok(None) => return Err(io(std::io::ErrorKind::ConnectionReset.into())),
            Err(_) => return Err(io(std::io::ErrorKind::TimedOut.into())),
        };
        match wire::decode_tell(&answer, None).map_err(wire)? {
            Told::Welcome(pid) => Ok(Self {
                from,
                to,
                pid,
                last: None,
            }),
            Told::Session(_) => Err(wire(WireError::Garbage(
                "a state before the greeting".into(),
            ))),
        }
    }

    /// The same, waiting a while for an engine whose socket is gone: it makes it anew.
    ///
    /// # Errors
    /// As [`Self::begin`].
    pub async fn begin_patiently(store: &Store, name: &str) -> Result<Self, ConnectError> {
        let until = tokio::time::Instant::now() + REBOUND;
        loop {
            match Self::begin(store, name).await {
                Err(ConnectError::Gone { .. }) if tokio::time::Instant::now() < until => {
                    tokio::time::sleep(BACK_OFF.0).await;
                }
                other => return other,
            }
        }
    }

    /// Asks for the next state.
    ///
    /// # Errors
    /// Where the engine is gone.
    pub async fn ask(&mut self) -> Result<(), WireError> {
        Ok(self.to.send(wire::encode(&Ask::Next)).await?)
    }

    /// Says something to the engine.
    ///
    /// # Errors
    /// Where the engine is gone.
    pub async fn say(&mut self, command: Command) -> Result<(), WireError> {
        Ok(self.to.send(wire::encode(&Ask::Say(command))).await?)
    }

    /// The next state that was asked for; `None` once the engine has hung up.
    ///
    /// # Errors
    /// Garbage.
    pub async fn hear(&mut self) -> Result<Option<Session>, WireError> {
        loop {
            let Some(frame) = self.from.next().await else {
                return Ok(None);
            };
            if let Told::Session(session) = wire::decode_tell(&frame?, self.last.as_deref())? {
                self.last = Some(session.clone());
                return Ok(Some(*session));
            }
        }
    }
}

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
                    if *self.connected.borrow() == Connection::Connecting =>
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

    /// The engine that was expected has ended already: the file has its last word.
    fn came_too_late(&self) {
        if let Ok(mut session) = self.store.load(&self.name) {
            let phase = match &session.record.state {
                State::Failed(message) => Phase::Failed(message.clone()),
                State::Stopped => Phase::Stopped,
                State::Finished => Phase::Finished,
                State::New | State::Running => {
                    return self.lost("the engine died; this is its last checkpoint".into());
                }
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
        if let Ok(session) = self.store.load(&self.name) {
            // A note that it had taken, and died before it could save it.
            let shown = self.publish.borrow().record.notes.clone();
            let lost = shown
                .into_iter()
                .filter(|note| !session.record.has_note(note));
            self.unheard.extend(lost);
            self.publish.send_replace(Arc::new(session));
        }
        self.lost("the engine died; this is its last checkpoint".into());
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
