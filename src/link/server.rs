//! The engine's side of the socket: serves this user's viewers without ever blocking the run.
//!
//! Each viewer has its own task and requests every state, so a slow or stopped viewer costs one encoded state in
//! memory and nothing else; the run does not wait for it. The number of viewers and the bytes in flight are
//! limited, and file descriptors are reserved for checkpoints.
//!
//! The engine's heartbeat in its lock is also written here, and the socket recreated if it has been removed.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use rustix::process::{Resource, getrlimit};
use tokio::net::UnixStream;
use tokio::net::unix::OwnedReadHalf;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, sleep, sleep_until, timeout};
use tokio_util::codec::{FramedRead, FramedWrite, LengthDelimitedCodec};

use super::EngineCommand;
use super::socket::{BindError, BoundSocket};
use super::wire::{self, EngineMessage, ViewerMessage, WireError};
use crate::session::Session;
use crate::session::store::{BEAT, Heartbeat, Store};

/// How long a new connection may take to send its greeting.
const GREETING: Duration = Duration::from_secs(5);
/// How long viewers have to receive the last state once the engine has ended.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Minimum pause between two states for one viewer, as a multiple of the time to encode the first:
/// large states are sent less often, so viewers cost the run next to nothing.
const PAUSES: u32 = 40;
/// Maximum length of that pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Most viewers at a time.
const MOST_VIEWERS: usize = 64;
/// File descriptors reserved for checkpoints, images and whatever else the engine opens.
const RESERVED_DESCRIPTORS: u64 = 48;
/// Most megabytes of states in flight to viewers; a single state may be larger.
const MOST_MEGABYTES: u32 = 512;
/// How long sending one state to a viewer may take.
const SEND_TIMEOUT: Duration = Duration::from_secs(60);
/// How long a viewer that does not take its state may still send commands.
const LAST_COMMANDS: Duration = Duration::from_secs(1);

/// Where viewers connect: the socket, and its entry in the lock.
#[derive(Debug)]
pub struct ViewerListener {
    store: Store,
    name: String,
    voice: Heartbeat,
    bound: Option<BoundSocket>,
}

impl ViewerListener {
    /// Creates the socket of a session and records it in the lock through `voice`. If that fails, the error is
    /// returned too: the run continues, but viewers cannot attach. Needs a tokio runtime.
    pub fn open(store: Store, name: &str, voice: Heartbeat) -> (Self, Result<(), BindError>) {
        let mut door = Self {
            store,
            name: name.to_owned(),
            voice,
            bound: None,
        };
        let bound = door.bind();
        (door, bound)
    }

    fn bind(&mut self) -> Result<(), BindError> {
        let bound = BoundSocket::bind(&self.store, &self.name);
        let path = bound.as_ref().ok().map(BoundSocket::path);
        if let Err(error) = self.voice.publish_socket(path) {
            tracing::warn!(
                "the lock cannot be written, so viewers will not find the socket: {error}"
            );
        }
        self.bound = None;
        self.bound = Some(bound?);
        Ok(())
    }

    /// Writes the heartbeat, and recreates the socket if it is gone and the lock is still held.
    fn maintain(&mut self) {
        if self.bound.as_ref().is_some_and(BoundSocket::is_in_place) {
            if let Err(error) = self.voice.beat() {
                tracing::debug!("the lock cannot be written: {error}");
            }
            return;
        }
        if !self.voice.holds_lock() {
            // The socket that is there now may be that of the engine that has taken over.
            return;
        }
        let was_bound = self.bound.is_some();
        match self.bind() {
            Ok(()) if was_bound => tracing::info!("the socket was gone and has been recreated"),
            Ok(()) => {}
            Err(error) if was_bound => tracing::warn!("the socket is gone: {error}"),
            // Already reported; it is tried again.
            Err(_) => {}
        }
    }

    /// Accepts the next viewer; waits forever if there is no socket.
    async fn accept(&self) -> std::io::Result<UnixStream> {
        match &self.bound {
            Some(bound) => bound.listener().accept().await.map(|(stream, _)| stream),
            None => std::future::pending().await,
        }
    }
}

/// How many viewers may be connected at a time, given this process's limit on file descriptors.
fn most_viewers() -> usize {
    let descriptors = getrlimit(Resource::Nofile).current;
    let left = descriptors.map_or(u64::MAX, |all| all.saturating_sub(RESERVED_DESCRIPTORS));
    MOST_VIEWERS
        .min(usize::try_from(left).unwrap_or(usize::MAX))
        .max(1)
}

/// Everything a viewer's task needs.
#[derive(Clone)]
struct ViewerContext {
    /// Megabytes that may still be in flight.
    room: Arc<Semaphore>,
    sessions: watch::Receiver<Arc<Session>>,
    commands: mpsc::UnboundedSender<EngineCommand>,
    newest: Arc<Mutex<Option<Prepared>>>,
    logged: Arc<LastLogged>,
}

/// The last message about viewers in the log. It is not repeated: a viewer of another version tries again every few seconds,
/// for weeks.
#[derive(Debug, Default)]
struct LastLogged(Mutex<String>);

impl LastLogged {
    /// Whether a message is another one than the last, and so to be logged.
    fn is_new(&self, words: &str) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = *last != words;
        if is_new {
            words.clone_into(&mut last);
        }
        is_new
    }
}

/// A session as the engine published it, and as sent to viewers.
type Prepared = (Arc<Session>, Arc<Session>);

impl ViewerContext {
    /// The newest session as sent to viewers: prepared once for all of them.
    fn newest(&mut self) -> Arc<Session> {
        let published = Arc::clone(&self.sessions.borrow_and_update());
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        match &*newest {
            Some((original, prepared)) if Arc::ptr_eq(original, &published) => Arc::clone(prepared),
            _ => {
                let prepared = Arc::new(wire::for_viewers(&published));
                *newest = Some((published, Arc::clone(&prepared)));
                prepared
            }
        }
    }
}

/// Serves viewers until the engine has ended and they have received its last state.
pub async fn serve(
    mut door: ViewerListener,
    mut sessions: watch::Receiver<Arc<Session>>,
    commands: mpsc::UnboundedSender<EngineCommand>,
) {
    let desk = ViewerContext {
        sessions: sessions.clone(),
        commands,
        newest: Arc::default(),
        logged: Arc::default(),
        room: Arc::new(Semaphore::new(MOST_MEGABYTES as usize)),
    };
    let most = most_viewers();
    let mut beats = interval(BEAT);
    let mut viewers = JoinSet::new();
    loop {
        tokio::select! {
            accepted = door.accept() => match accepted {
                Ok(stream) if viewers.len() < most => {
                    viewers.spawn(attend(stream, desk.clone()));
                }
                // This is brief, so the next viewer may wait for it.
                Ok(stream) => turn_away(stream, most).await,
                Err(error) => {
                    // Out of descriptors, perhaps: the run continues, and another viewer will leave in time.
                    let words = format!("a viewer could not connect: {error}");
                    if desk.logged.is_new(&words) {
                        tracing::warn!("{words}");
                    }
                    sleep(Duration::from_millis(200)).await;
                }
            },
            Some(_) = viewers.join_next() => {}
            _ = beats.tick() => door.maintain(),
            () = engine_ended(&mut sessions) => break,
        }
    }
    drop(door);
    let last = timeout(LAST_WORDS, async {
        while viewers.join_next().await.is_some() {}
    });
    // Viewers that have not received it by now will read the file.
    let _ = last.await;
}

/// Resolves once the engine will not publish any more.
async fn engine_ended(sessions: &mut watch::Receiver<Arc<Session>>) {
    while sessions.changed().await.is_ok() {}
}

/// Refuses a viewer because there are too many.
async fn turn_away(stream: UnixStream, most: usize) {
    let refusal = EngineMessage::Refused(format!(
        "{most} viewers are attached to this run already, which is the maximum; close one"
    ));
    let mut to = FramedWrite::new(stream, wire::codec_to_viewer());
    let _ = timeout(
        Duration::from_millis(200),
        to.send(wire::encode_engine_message(&refusal)),
    )
    .await;
}

async fn attend(stream: UnixStream, desk: ViewerContext) {
    let logged = Arc::clone(&desk.logged);
    if let Err(error) = converse(stream, desk).await {
        let words = format!("a viewer disconnected: {error}");
        if logged.is_new(&words) {
            tracing::info!("{words}");
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum ViewerError {
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("{0}")]
    Wire(#[from] WireError),
    #[error("it belongs to user {0}")]
    Foreign(u32),
    #[error("it sent no greeting")]
    Silent,
    #[error("it did not receive a state within {} s", SEND_TIMEOUT.as_secs())]
    Stalled,
}

async fn converse(stream: UnixStream, mut desk: ViewerContext) -> Result<(), ViewerError> {
    let user = stream.peer_cred()?.uid();
    if user != rustix::process::getuid().as_raw() {
        return Err(ViewerError::Foreign(user));
    }
    let (from, to) = stream.into_split();
    let mut from = FramedRead::new(from, wire::codec_to_engine());
    let mut to = FramedWrite::new(to, wire::codec_to_viewer());
    let greeting = timeout(GREETING, from.next()).await;
    let Ok(Some(greeting)) = greeting else {
        return Err(ViewerError::Silent);
    };
    if let Err(error) = greeting
        .map_err(WireError::from)
        .and_then(|frame| wire::check_greeting(&frame))
    {
        let refusal = EngineMessage::Refused(error.to_string());
        to.send(wire::encode_engine_message(&refusal)).await?;
        return Err(error.into());
    }
    let welcome = EngineMessage::Welcome {
        pid: std::process::id(),
    };
    to.send(wire::encode_engine_message(&welcome)).await?;
    // The newest state counts as unseen, so it is sent at once.
    desk.sessions.mark_changed();
    let mut requested = false;
    // The state the viewer has; kept whole, so that its arrays keep their addresses, which identify them.
    let mut last: Option<Arc<Session>> = None;
    let (mut rested, mut rest) = (true, Instant::now());
    loop {
        tokio::select! {
            asked = from.next() => match asked {
                None => return Ok(()),
                Some(frame) => match wire::decode_viewer_message(&frame?)? {
                    ViewerMessage::Hello { .. } => {}
                    ViewerMessage::Next => requested = true,
                    ViewerMessage::Say(command) => {
                        // An engine that has just exited no longer listens.
                        let _ = desk.commands.send(command);
                    }
                },
            },
            () = sleep_until(rest), if !rested => rested = true,
            changed = desk.sessions.changed(), if requested && rested => {
                if changed.is_err() {
                    return Ok(());
                }
                (requested, rested) = (false, false);
                let began = Instant::now();
                let newest = desk.newest();
                let frame = wire::encode_session(&newest, last.as_deref());
                rest = Instant::now() + (PAUSES * began.elapsed()).min(LONGEST_PAUSE);
                last = Some(newest);
                // If too much is in flight already, this waits for its turn.
                let megabytes = (frame.len() >> 20) as u32 + 1;
                let room = Arc::clone(&desk.room);
                let room = room.acquire_many_owned(megabytes.min(MOST_MEGABYTES)).await;
                let sent = timeout(SEND_TIMEOUT, to.send(frame)).await;
                drop(room);
                let sent = sent.map_or(Err(ViewerError::Stalled), |sent| sent.map_err(Into::into));
                if let Err(error) = sent {
                    // It may have sent commands before it left.
                    let _ = timeout(LAST_COMMANDS, pass_on_commands(&mut from, &desk)).await;
                    return Err(error);
                }
            }
        }
    }
}

/// Passes on the commands of a viewer until it has hung up or sends something unreadable.
async fn pass_on_commands(
    from: &mut FramedRead<OwnedReadHalf, LengthDelimitedCodec>,
    desk: &ViewerContext,
) {
    while let Some(Ok(frame)) = from.next().await {
        match wire::decode_viewer_message(&frame) {
            Ok(ViewerMessage::Say(command)) => {
                // An engine that has just exited no longer listens.
                let _ = desk.commands.send(command);
            }
            Ok(ViewerMessage::Hello { .. } | ViewerMessage::Next) => {}
            Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests;
