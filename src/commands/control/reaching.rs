//! Connecting to an engine that may have only just started.

use std::time::Instant;

use crate::commands::holder::{OPENING, RETRY};
use crate::link::EngineCommand;
use crate::link::client::{ConnectError, Conversation};
use crate::session::SavedState;
use crate::session::store::Store;

/// Connects to an engine for this command. One that has just started has no socket yet, and another command that writes
/// the session's file never has one: both are waited for, except by a stop of what must be an engine, to which it can
/// send a signal.
pub(super) async fn connect(
    store: &Store,
    name: &str,
    command: &EngineCommand,
) -> Result<Conversation, ConnectError> {
    let until = Instant::now() + OPENING;
    loop {
        match Conversation::connect_with_retry(store, name).await {
            Err(ConnectError::NoSocket { .. })
                if Instant::now() < until
                    && (*command != EngineCommand::Stop || may_be_command(store, name)) =>
            {
                tokio::time::sleep(RETRY).await;
            }
            connected => return connected,
        }
    }
}

/// Whether a process without a socket may be another command, which a signal would kill: no engine has left the session
/// running in its file. A shard that waits for its network has no file yet.
fn may_be_command(store: &Store, name: &str) -> bool {
    let head = store.load_head(name);
    head.is_ok_and(|head| head.record.state != SavedState::Running)
}
