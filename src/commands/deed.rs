//! Actions that the session browser performs on a session: pause, continue, stop, export its figures.

use super::signals::runtime;
use crate::export;
use crate::link::Command;
use crate::link::client::Conversation;
use crate::session::store::Store;
use crate::tui::browser::Deed;

/// Performs an action; returns a message on what was done, or why not. Slow, since a session may be large.
pub fn act(store: &Store) -> impl Fn(&Deed) -> Result<String, String> + Send + Sync + 'static {
    let store = store.clone();
    move |deed| match deed {
        Deed::Pause(name) => send(&store, name, Command::Pause, "pauses after this block"),
        Deed::Continue(name) => send(&store, name, Command::Continue, "continues"),
        Deed::Stop(name) => send(&store, name, Command::Stop, "stops after a checkpoint"),
        Deed::Export(name) => {
            let session = store.load_whole(name).map_err(|error| error.to_string())?;
            let folder = export::figures(&session).map_err(|error| error.to_string())?;
            let folder = std::path::absolute(&folder).unwrap_or(folder);
            Ok(format!(
                "wrote the figures of {name} into {}",
                folder.display()
            ))
        }
    }
}

/// Sends a command to a session's engine. The list itself shows its effect.
fn send(store: &Store, name: &str, command: Command, done: &str) -> Result<String, String> {
    let runtime = runtime().map_err(|refusal| refusal.to_string())?;
    runtime.block_on(async {
        let engine = Conversation::begin_patiently(store, name).await;
        let mut engine = engine.map_err(|error| error.to_string())?;
        engine
            .say(command)
            .await
            .map_err(|error| error.to_string())?;
        // The engine handles messages in order, so its reply means it has received the command.
        engine.ask().await.map_err(|error| error.to_string())?;
        let _ = engine.hear().await;
        Ok(format!("{name} {done}"))
    })
}
