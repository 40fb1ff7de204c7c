//! A conversation with an engine over its socket: the greeting, what is asked, what is heard.

use std::io::ErrorKind;
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::timeout;
use tokio_util::codec::{FramedRead, FramedWrite, LengthDelimitedCodec};

use super::Command;
use super::wire::{self, Ask, Told, WireError};
use crate::session::Session;
use crate::session::store::{BEAT, Store};

/// How long an engine may take to answer a greeting.
pub(super) const GREETING: Duration = Duration::from_secs(5);
/// How long an engine may take to make its socket anew.
const REBOUND: Duration = Duration::from_millis(2 * BEAT.as_millis() as u64 + 1000);
/// First pause between two looks for an engine.
const BACK_OFF: Duration = Duration::from_millis(100);

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
    pub(super) fn is_silence(&self) -> bool {
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
                    tokio::time::sleep(BACK_OFF).await;
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
