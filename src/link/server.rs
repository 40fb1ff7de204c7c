//! The engine's side of the socket: anyone of this user may look in, nobody can hold it up.
//!
//! Each viewer has a task of its own and asks for every state, so a slow or stopped one holds one
//! encoded state in memory and nothing else; the run does not wait for it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use tokio::net::UnixStream;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::codec::{FramedRead, FramedWrite};

use super::Command;
use super::socket::Bound;
use super::wire::{self, Ask, Tell, WireError};
use crate::session::Session;

/// How long a stranger may keep silent before it is shown out.
const GREETING: Duration = Duration::from_secs(5);
/// How long viewers have to take the last state once the engine has ended.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Least pause between two states for one viewer, in the time that it took to encode the first:
/// large states come less often, so that looking costs the run next to nothing.
const PAUSES: u32 = 40;
/// And the most that such a pause lasts.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Everything that a viewer's task needs.
#[derive(Clone)]
struct Desk {
    sessions: watch::Receiver<Arc<Session>>,
    commands: mpsc::UnboundedSender<Command>,
    newest: Arc<Mutex<Option<Prepared>>>,
}

/// A session as the engine published it, and as viewers get it.
type Prepared = (Arc<Session>, Arc<Session>);

impl Desk {
    /// The newest session as viewers get it: prepared once, however many want it.
    fn newest(&mut self) -> Arc<Session> {
        let published = Arc::clone(&self.sessions.borrow_and_update());
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        match &*newest {
            Some((own, prepared)) if Arc::ptr_eq(own, &published) => Arc::clone(prepared),
            _ => {
                let prepared = Arc::new(wire::for_viewers(&published));
                *newest = Some((published, Arc::clone(&prepared)));
                prepared
            }
        }
    }
}

/// Serves viewers until the engine has ended and they have had its last state.
pub async fn serve(
    bound: Bound,
    mut sessions: watch::Receiver<Arc<Session>>,
    commands: mpsc::UnboundedSender<Command>,
) {
    let desk = Desk {
        sessions: sessions.clone(),
        commands,
        newest: Arc::default(),
    };
    let mut viewers = JoinSet::new();
    loop {
        tokio::select! {
            accepted = bound.listener().accept() => match accepted {
                Ok((stream, _)) => {
                    viewers.spawn(attend(stream, desk.clone()));
                }
                Err(error) => {
                    // Out of descriptors, say: the run goes on, and one leaves in time.
                    tracing::warn!("a viewer could not be let in: {error}");
                    sleep(Duration::from_millis(200)).await;
                }
            },
            Some(_) = viewers.join_next() => {}
            () = over(&mut sessions) => break,
        }
    }
    drop(bound);
    let last = timeout(LAST_WORDS, async {
        while viewers.join_next().await.is_some() {}
    });
    // Whoever has not taken it by now will read the file.
    let _ = last.await;
}

/// Resolves once the engine will publish nothing more.
async fn over(sessions: &mut watch::Receiver<Arc<Session>>) {
    while sessions.changed().await.is_ok() {}
}

async fn attend(stream: UnixStream, desk: Desk) {
    if let Err(error) = converse(stream, desk).await {
        tracing::info!("a viewer left: {error}");
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
    #[error("it did not greet")]
    Silent,
}

async fn converse(stream: UnixStream, mut desk: Desk) -> Result<(), ViewerError> {
    let user = stream.peer_cred()?.uid();
    if user != rustix::process::getuid().as_raw() {
        return Err(ViewerError::Foreign(user));
    }
    let (from, to) = stream.into_split();
    let mut from = FramedRead::new(from, wire::asked());
    let mut to = FramedWrite::new(to, wire::told());
    let greeting = timeout(GREETING, from.next()).await;
    let Ok(Some(greeting)) = greeting else {
        return Err(ViewerError::Silent);
    };
    if let Err(error) = greeting
        .map_err(WireError::from)
        .and_then(|frame| wire::check_hello(&frame))
    {
        let refusal = Tell::Refused(error.to_string());
        to.send(wire::encode_tell(&refusal)).await?;
        return Err(error.into());
    }
    let welcome = Tell::Welcome {
        pid: std::process::id(),
    };
    to.send(wire::encode_tell(&welcome)).await?;
    // The newest counts as unseen: the first state goes out at once.
    desk.sessions.mark_changed();
    let mut wanted = false;
    // What the viewer has; kept whole, so that an array's place in memory stays its own.
    let mut last: Option<Arc<Session>> = None;
    let (mut rested, mut rest) = (true, Instant::now());
    loop {
        tokio::select! {
            asked = from.next() => match asked {
                None => return Ok(()),
                Some(frame) => match wire::decode_ask(&frame?)? {
                    Ask::Hello { .. } => {}
                    Ask::Next => wanted = true,
                    Ask::Say(command) => {
                        // An engine that has just ended no longer listens.
                        let _ = desk.commands.send(command);
                    }
                },
            },
            () = sleep_until(rest), if !rested => rested = true,
            changed = desk.sessions.changed(), if wanted && rested => {
                if changed.is_err() {
                    return Ok(());
                }
                (wanted, rested) = (false, false);
                let began = Instant::now();
                let newest = desk.newest();
                let frame = wire::encode_session(&newest, last.as_deref());
                rest = Instant::now() + (PAUSES * began.elapsed()).min(LONGEST_PAUSE);
                last = Some(newest);
                to.send(frame).await?;
            }
        }
    }
}
