//! A viewer's connection to an engine over its socket: handshake, requests and replies.

use std::io::ErrorKind;
use std::time::Duration;

use bytes::BytesMut;
use futures::{SinkExt, StreamExt};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::timeout;
use tokio_util::codec::{FramedRead, FramedWrite, LengthDelimitedCodec};

use super::EngineCommand;
use super::wire::{self, ReceivedMessage, ViewerMessage, WireError};
use crate::host;
use crate::session::Session;
use crate::session::store::{BEAT, Store};

/// How long an engine may take to answer the greeting.
pub(super) const GREETING: Duration = Duration::from_secs(5);
/// How long an engine may take to recreate its socket.
const SOCKET_RECREATION: Duration = Duration::from_millis(2 * BEAT.as_millis() as u64 + 1000);
/// Pause between two attempts to connect.
const RETRY_PAUSE: Duration = Duration::from_millis(100);

/// Why a viewer cannot connect to an engine.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// No engine runs the session.
    #[error("session `{0}` is not running; start it: noisescope run {0}")]
    NotRunning(String),
    /// The engine has no socket: it has just started, could not create one, or belongs to another user.
    #[error(
        "session `{name}` is running, process {pid}, but has no socket that can be reached from here; {}",
        by_signals(*.pid, None)
    )]
    NoSocket {
        /// The session.
        name: String,
        /// The engine's process.
        pid: u32,
    },
    /// Its socket has been removed.
    #[error(
        "session `{name}` is running, process {pid}; its socket {path} is gone and will be recreated within seconds; {}",
        by_signals(*.pid, None)
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
        "session `{name}` is running on {machine}, process {pid}, and cannot be reached from here; attach to it there"
    )]
    Elsewhere {
        /// The session.
        name: String,
        /// The engine's process.
        pid: u32,
        /// The machine.
        machine: String,
    },
    /// The socket exists but connecting to it or reading from it failed.
    #[error(
        "the engine of session `{name}` (process {pid}) cannot be reached at {path}: {error}{}",
        if_denied(.error, *.pid)
    )]
    Io {
        /// The session.
        name: String,
        /// The engine's process.
        pid: u32,
        /// The socket.
        path: String,
        /// The system's error.
        error: std::io::Error,
    },
    /// The other side does not follow the protocol.
    #[error("cannot talk to the engine of session `{name}`: {error}")]
    Wire {
        /// The session.
        name: String,
        /// The engine's process.
        pid: u32,
        /// What is wrong.
        error: WireError,
    },
}

/// How to control an engine that cannot be reached, on this machine or on another: by signals, if this user may send them.
pub fn by_signals(pid: u32, machine: Option<&str>) -> String {
    match machine {
        Some(machine) => format!("`kill -TERM {pid}` on {machine} stops it after a checkpoint"),
        None => signals_in_words(pid, host::may_signal(pid)),
    }
}

fn signals_in_words(pid: u32, is_allowed: bool) -> String {
    match is_allowed {
        true => {
            format!("`kill -TERM {pid}` stops it after a checkpoint, `kill -USR1 {pid}` writes one")
        }
        false => "it is another user's, who alone can control it".to_owned(),
    }
}

/// The same after an error, if access to the socket was denied.
fn if_denied(error: &std::io::Error, pid: u32) -> String {
    match error.kind() {
        ErrorKind::PermissionDenied => format!("; {}", by_signals(pid, None)),
        _ => String::new(),
    }
}

impl ConnectError {
    /// Whether an engine is there but does not answer.
    pub(super) fn is_timeout(&self) -> bool {
        use std::io::ErrorKind::{TimedOut, WouldBlock};
        matches!(self, Self::Io { error, .. } if matches!(error.kind(), TimedOut | WouldBlock))
    }
}

/// What the engine sends.
type FromEngine = FramedRead<OwnedReadHalf, LengthDelimitedCodec>;
/// What is sent to it.
type ToEngine = FramedWrite<OwnedWriteHalf, LengthDelimitedCodec>;

/// Sends the greeting and receives the answer.
///
/// # Errors
/// If the engine has hung up or does not answer in time.
async fn greet(from: &mut FromEngine, to: &mut ToEngine) -> std::io::Result<BytesMut> {
    // An engine that has no room for another viewer says so and hangs up before it is greeted: its answer is there,
    // although the greeting can no longer be sent.
    let greeted = to.send(wire::encode(&ViewerMessage::hello())).await;
    match timeout(GREETING, from.next()).await {
        Ok(Some(Ok(frame))) => Ok(frame),
        Ok(Some(Err(error))) => Err(error),
        Ok(None) => greeted.and(Err(ErrorKind::ConnectionReset.into())),
        Err(_) => greeted.and(Err(ErrorKind::TimedOut.into())),
    }
}

/// A connection after the handshake.
pub struct Conversation {
    from: FromEngine,
    to: ToEngine,
    /// The engine's process.
    pub pid: u32,
    /// The last state received: the next one builds on it.
    last: Option<Box<Session>>,
}

impl Conversation {
    /// Connects to the engine of a session and completes the handshake.
    ///
    /// # Errors
    /// Why the engine cannot be reached.
    pub async fn connect(store: &Store, name: &str) -> Result<Self, ConnectError> {
        let Some(engine) = store.engine(name) else {
            return Err(ConnectError::NotRunning(name.to_owned()));
        };
        let pid = engine.pid;
        if let Some(machine) = engine.remote_machine {
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
            pid,
            error,
        };
        let stream = UnixStream::connect(&path).await.map_err(io)?;
        let user = stream.peer_cred().map_err(io)?.uid();
        if user != rustix::process::getuid().as_raw() {
            let foreign = format!("it belongs to user {user}");
            return Err(io(std::io::Error::other(foreign)));
        }
        let (from, to) = stream.into_split();
        let mut to = FramedWrite::new(to, wire::codec_to_engine());
        let mut from = FramedRead::new(from, wire::codec_to_viewer());
        let answer = greet(&mut from, &mut to).await;
        let answer = answer.map_err(|error| match error.kind() {
            // A frame that is too long.
            ErrorKind::InvalidData => wire(error.into()),
            _ => io(error),
        })?;
        match wire::decode_engine_message(&answer, None).map_err(wire)? {
            ReceivedMessage::Welcome(pid) => Ok(Self {
                from,
                to,
                pid,
                last: None,
            }),
            ReceivedMessage::Session(_) => Err(wire(WireError::Garbage(
                "a state before the greeting".into(),
            ))),
        }
    }

    /// The same, but waits a while if the socket is gone, since the engine recreates it.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub async fn connect_with_retry(store: &Store, name: &str) -> Result<Self, ConnectError> {
        let deadline = tokio::time::Instant::now() + SOCKET_RECREATION;
        loop {
            match Self::connect(store, name).await {
                Err(ConnectError::Gone { .. }) if tokio::time::Instant::now() < deadline => {
                    tokio::time::sleep(RETRY_PAUSE).await;
                }
                other => return other,
            }
        }
    }

    /// Requests the next state.
    ///
    /// # Errors
    /// If the engine is gone.
    pub async fn request_state(&mut self) -> Result<(), WireError> {
        Ok(self.to.send(wire::encode(&ViewerMessage::Next)).await?)
    }

    /// Sends a command to the engine.
    ///
    /// # Errors
    /// If the engine is gone.
    pub async fn send_command(&mut self, command: EngineCommand) -> Result<(), WireError> {
        Ok(self
            .to
            .send(wire::encode(&ViewerMessage::Say(command)))
            .await?)
    }

    /// Receives the requested state; `None` once the engine has hung up.
    ///
    /// # Errors
    /// If the message cannot be read.
    pub async fn receive_state(&mut self) -> Result<Option<Session>, WireError> {
        loop {
            let Some(frame) = self.from.next().await else {
                return Ok(None);
            };
            if let ReceivedMessage::Session(session) =
                wire::decode_engine_message(&frame?, self.last.as_deref())?
            {
                self.last = Some(session.clone());
                return Ok(Some(*session));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::wire::EngineMessage;

    #[test]
    fn an_engine_that_hangs_up_before_it_is_greeted_is_heard() {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_all().build().unwrap().block_on(async {
            let greeted = |engine: UnixStream, viewer: UnixStream| async move {
                drop(engine);
                let (from, to) = viewer.into_split();
                let mut from = FramedRead::new(from, wire::codec_to_viewer());
                let mut to = FramedWrite::new(to, wire::codec_to_engine());
                greet(&mut from, &mut to).await
            };
            let (viewer, mut engine) = UnixStream::pair().unwrap();
            let refusal = EngineMessage::Refused("close one".into());
            let mut answer = FramedWrite::new(&mut engine, wire::codec_to_viewer());
            let frame = wire::encode_engine_message(&refusal);
            answer.send(frame.clone()).await.unwrap();
            assert_eq!(greeted(engine, viewer).await.unwrap(), frame);
            // One that says nothing has died.
            let (viewer, engine) = UnixStream::pair().unwrap();
            let error = greeted(engine, viewer).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::BrokenPipe);
        });
    }

    #[test]
    fn signals_are_advised_only_to_a_user_who_may_send_them() {
        let own = by_signals(std::process::id(), None);
        assert!(own.contains("kill -TERM"), "{own}");
        let anothers = signals_in_words(7, false);
        assert!(
            anothers.contains("another user") && !anothers.contains("kill"),
            "{anothers}"
        );
    }
}
