//! How a face reaches a run: the newest session, and a way to say something to its engine.
//!
//! The engine never waits here: it replaces the newest state, and a face that looks seldom sees
//! fewer states. Without an engine a link is read-only on what the file holds.

pub mod client;
mod conversation;
pub mod server;
pub mod shards;
pub mod socket;
pub mod wire;

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use tokio::sync::{mpsc, watch};

use crate::session::config::Extension;
use crate::session::record::Note;
use crate::session::run::LogLine;
use crate::session::{Session, log};

/// What a face may ask of an engine. It obeys between two blocks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Command {
    /// Stand still until [`Command::Continue`].
    Pause,
    /// Go on after a pause.
    Continue,
    /// Finish the block, write a checkpoint and end.
    Stop,
    /// Raise what is still to do of classification images: [`Session::extend`].
    Extend {
        /// Which of the plan's classification images, among these alone.
        images: usize,
        /// What is added.
        more: Extension,
    },
    /// Leave a note, or remove one, and write a checkpoint: [`Session::note`].
    Note(Note),
    /// Write a checkpoint now, and go on.
    Checkpoint,
    /// End although what was measured cannot be saved: it is given up. Else as [`Command::Stop`].
    Discard,
}

/// A face's end of the link.
#[derive(Debug, Clone)]
pub struct Link {
    /// The newest session. Closed once the engine has ended.
    pub sessions: watch::Receiver<Arc<Session>>,
    /// To the engine; `None` where none runs and the session is only looked at.
    pub commands: Option<mpsc::UnboundedSender<Command>>,
    /// Whether the engine can be reached now.
    pub connection: watch::Receiver<Connection>,
    /// Why the last thing that was said could not be done, in words, where no engine was there to do it.
    pub refused: watch::Receiver<String>,
    /// The log that engines left beside the session; `None` where there is no place for one.
    pub log: Option<PathBuf>,
}

/// Whether the engine can be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Connection {
    /// It was started and has not answered yet.
    Connecting,
    /// States arrive and commands are heard.
    Live,
    /// It is gone, for the reason told; what is shown is the last that is known, read-only. The
    /// link looks for a new engine meanwhile, and is live again once there is one.
    Lost(String),
    /// No engine runs; the session is only looked at.
    ReadOnly,
    /// Several engines run its shards: their files are read as they come, and no commands are heard.
    Watched,
}

/// An engine's end of the link.
#[derive(Debug)]
pub struct EngineEnd {
    /// Publishes the newest session.
    pub sessions: watch::Sender<Arc<Session>>,
    /// What faces ask.
    pub commands: mpsc::UnboundedReceiver<Command>,
}

impl Link {
    /// A link inside this process.
    pub fn local(session: Session) -> (Self, EngineEnd) {
        let (publish, sessions) = watch::channel(Arc::new(session));
        let (say, commands) = mpsc::unbounded_channel();
        let link = Self {
            sessions,
            commands: Some(say),
            connection: watch::channel(Connection::Live).1,
            refused: watch::channel(String::new()).1,
            log: None,
        };
        let end = EngineEnd {
            sessions: publish,
            commands,
        };
        (link, end)
    }

    /// A session that no engine runs.
    pub fn read_only(session: Session) -> Self {
        let (_, sessions) = watch::channel(Arc::new(session));
        Self {
            sessions,
            commands: None,
            connection: watch::channel(Connection::ReadOnly).1,
            refused: watch::channel(String::new()).1,
            log: None,
        }
    }

    /// The newest session.
    pub fn newest(&self) -> Arc<Session> {
        Arc::clone(&self.sessions.borrow())
    }

    /// Lets what was said arrive, but not for long: the engine may be hung. Gives why the last of it could not be
    /// done, where it could not.
    pub async fn ended(self) -> Option<String> {
        const PATIENCE: std::time::Duration = std::time::Duration::from_secs(3);
        let Self {
            commands,
            mut sessions,
            mut refused,
            ..
        } = self;
        commands.as_ref()?;
        refused.mark_unchanged();
        // The follower ends once it has passed on what was said.
        drop(commands);
        let ended = async { while sessions.changed().await.is_ok() {} };
        let _ = tokio::time::timeout(PATIENCE, ended).await;
        let new = refused.has_changed().unwrap_or(true);
        let words = refused.borrow().clone();
        (new && !words.is_empty()).then_some(words)
    }

    /// What engines wrote into the log, oldest first.
    pub fn past(&self) -> Vec<LogLine> {
        self.log.as_deref().map(log::tail).unwrap_or_default()
    }

    /// Asks something of the engine; nothing happens where none runs.
    pub fn say(&self, command: Command) {
        if let Some(commands) = &self.commands {
            // An engine that has just ended no longer listens: then there is nothing to ask.
            let _ = commands.send(command);
        }
    }
}
