//! Actions that the session browser performs on a session: pause, continue, stop, export its figures.

use super::signals::runtime;
use crate::export;
use crate::link::EngineCommand;
use crate::link::client::Conversation;
use crate::session::store::Store;
use crate::tui::browser::SessionTask;

/// Performs an action; returns a message on what was done, or why not. Slow, since a session may be large.
pub fn session_action(
    store: &Store,
) -> impl Fn(&SessionTask) -> Result<String, String> + Send + Sync + 'static {
    let store = store.clone();
    move |deed| match deed {
        SessionTask::Pause(name) => send(
            &store,
            name,
            EngineCommand::Pause,
            "pauses after this block",
        ),
        SessionTask::Continue(name) => send(&store, name, EngineCommand::Continue, "continues"),
        // If its network is being trained, another engine would take that over.
        SessionTask::Stop(name) if is_divided(&store, name) => Err(format!(
            "{name} is divided into shards; to stop all of them: noisescope stop {name}"
        )),
        SessionTask::Stop(name) => send(
            &store,
            name,
            EngineCommand::Stop,
            "stops after a checkpoint",
        ),
        SessionTask::Export(name) => {
            let session = store.load_whole(name).map_err(|error| error.to_string())?;
            let folder = export::write_figures(&session).map_err(|error| error.to_string())?;
            let folder = std::path::absolute(&folder).unwrap_or(folder);
            Ok(format!(
                "wrote the figures of {name} into {}",
                folder.display()
            ))
        }
    }
}

/// Whether a session is divided among several engines.
fn is_divided(store: &Store, name: &str) -> bool {
    let head = store.load_head(name);
    head.is_ok_and(|head| head.record.sharding.is_some())
}

/// Sends a command to a session's engine. The list itself shows its effect.
fn send(store: &Store, name: &str, command: EngineCommand, done: &str) -> Result<String, String> {
    let runtime = runtime().map_err(|refusal| refusal.to_string())?;
    runtime.block_on(async {
        let engine = Conversation::connect_with_retry(store, name).await;
        let mut engine = engine.map_err(|error| error.to_string())?;
        engine
            .send_command(command)
            .await
            .map_err(|error| error.to_string())?;
        // The engine handles messages in order, so its reply means it has received the command.
        engine
            .request_state()
            .await
            .map_err(|error| error.to_string())?;
        let _ = engine.receive_state().await;
        Ok(format!("{name} {done}"))
    })
}
