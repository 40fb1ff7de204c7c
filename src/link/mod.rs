//! A viewer's link to an engine: the newest session, and a channel for commands.
//!
//! The engine never waits here: it replaces the newest state, and a viewer that polls less often sees
//! fewer states. Without an engine, a link shows the session file read-only.

pub mod client;
mod conversation;
mod sent_extension;
mod sent_note;
pub mod server;
pub mod shards;
pub mod socket;
mod waiting_notes;
pub mod wire;

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use tokio::sync::{mpsc, watch};

use crate::session::config::Extension;
use crate::session::record::Note;
use crate::session::run::LogLine;
use crate::session::{Session, log};

pub use sent_extension::{NOT_EXTENDED, SentExtension};
pub use sent_note::SentNote;

/// A command to an engine, which obeys it between two blocks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum EngineCommand {
    /// Pause until [`EngineCommand::Continue`].
    Pause,
    /// Resume after a pause.
    Continue,
    /// Finish the current block, write a checkpoint and exit.
    Stop,
    /// Add trials or γ to classification images: [`Session::extend`].
    Extend {
        /// Index among the plan's classification images only.
        images: usize,
        /// What to add.
        more: Extension,
    },
    /// Add or remove a note, and write a checkpoint: [`Session::note`].
    Note(Note),
    /// Write a checkpoint now and continue.
    Checkpoint,
    /// As [`EngineCommand::Stop`], but exit even if the results cannot be saved, and discard them.
    Discard,
}

/// A viewer's end of the link.
#[derive(Debug, Clone)]
pub struct Link {
    /// The newest session. Closed once the engine has exited.
    pub sessions: watch::Receiver<Arc<Session>>,
    /// Commands to the engine; `None` if none runs and the session is only viewed.
    pub commands: Option<mpsc::UnboundedSender<EngineCommand>>,
    /// Whether the engine can currently be reached.
    pub connection: watch::Receiver<Connection>,
    /// Why the last command failed, in words, if there was no engine to carry it out.
    pub rejection: watch::Receiver<String>,
    /// The engines' log file beside the session; `None` if there is nowhere to keep one.
    pub log: Option<PathBuf>,
}

/// Whether the engine can be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Connection {
    /// The engine was started and has not answered yet.
    Connecting,
    /// States arrive and commands are received.
    Live,
    /// The engine is gone, for the given reason; the last known state is shown, read-only. The link keeps
    /// looking for a new engine, and is live again once there is one.
    Lost(String),
    /// No engine runs; the session is only viewed.
    ReadOnly,
    /// Several engines run its shards: their files are read as they are written, and no commands are received.
    Watched,
}

/// An engine's end of the link.
#[derive(Debug)]
pub struct EngineEnd {
    /// Publishes the newest session.
    pub sessions: watch::Sender<Arc<Session>>,
    /// Commands from viewers.
    pub commands: mpsc::UnboundedReceiver<EngineCommand>,
}

impl Link {
    /// A link within this process.
    pub fn local(session: Session) -> (Self, EngineEnd) {
        let (publish, sessions) = watch::channel(Arc::new(session));
        let (send, commands) = mpsc::unbounded_channel();
        let link = Self {
            sessions,
            commands: Some(send),
            connection: watch::channel(Connection::Live).1,
            rejection: watch::channel(String::new()).1,
            log: None,
        };
        let end = EngineEnd {
            sessions: publish,
            commands,
        };
        (link, end)
    }

    /// A link to a session that no engine runs.
    pub fn read_only(session: Session) -> Self {
        let (_, sessions) = watch::channel(Arc::new(session));
        Self {
            sessions,
            commands: None,
            connection: watch::channel(Connection::ReadOnly).1,
            rejection: watch::channel(String::new()).1,
            log: None,
        }
    }

    /// The newest session.
    pub fn newest(&self) -> Arc<Session> {
        Arc::clone(&self.sessions.borrow())
    }

    /// Waits briefly for pending commands to be delivered (the engine may be hung), and returns why the last one
    /// failed, if it did.
    pub async fn close(self) -> Option<String> {
        const TIMEOUT: std::time::Duration = std::time::Duration::from_secs(3);
        let Self {
            commands,
            mut sessions,
            rejection: mut refused,
            ..
        } = self;
        commands.as_ref()?;
        refused.mark_unchanged();
        // The follower ends once it has passed on all commands.
        drop(commands);
        let ended = async { while sessions.changed().await.is_ok() {} };
        let _ = tokio::time::timeout(TIMEOUT, ended).await;
        let new = refused.has_changed().unwrap_or(true);
        let words = refused.borrow().clone();
        (new && !words.is_empty()).then_some(words)
    }

    /// The end of the engines' log, oldest line first.
    pub fn log_tail(&self) -> Vec<LogLine> {
        self.log.as_deref().map(log::tail).unwrap_or_default()
    }

    /// Sends a command to the engine; does nothing if none runs.
    pub fn send(&self, command: EngineCommand) {
        if let Some(commands) = &self.commands {
            // An engine that has just exited no longer listens; there is nothing to do then.
            let _ = commands.send(command);
        }
    }
}
