//! Connecting to an engine that may have only just started.

use std::time::{Duration, Instant};

use crate::link::EngineCommand;
use crate::link::client::{ConnectError, Conversation};
use crate::session::store::Store;

/// How long an engine that has just started may take to open its socket.
const OPENING: Duration = Duration::from_secs(2);
/// Time between two looks for it.
const LOOK: Duration = Duration::from_millis(20);

/// Connects to an engine for this command. One that has just started has no socket yet, and another command that writes
/// the session's file never has one: both are waited for, except by a stop, which can be a signal.
pub(super) async fn connect(
    store: &Store,
    name: &str,
    command: &EngineCommand,
) -> Result<Conversation, ConnectError> {
    let until = Instant::now() + OPENING;
    loop {
        match Conversation::connect_with_retry(store, name).await {
            Err(ConnectError::NoSocket { .. })
                if *command != EngineCommand::Stop && Instant::now() < until =>
            {
                tokio::time::sleep(LOOK).await;
            }
            connected => return connected,
        }
    }
}
