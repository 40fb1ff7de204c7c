//! What the list of sessions does to one of them without leaving it: pause, go on, stop, write its figures.

use super::signals::runtime;
use crate::export;
use crate::link::Command;
use crate::link::client::Conversation;
use crate::session::store::Store;
use crate::tui::browser::Deed;

/// Does it, and says what came of it or why it was not done. Slow: a session may be large.
pub fn act(store: &Store) -> impl Fn(&Deed) -> Result<String, String> + Send + Sync + 'static {
    let store = store.clone();
    move |deed| match deed {
        Deed::Pause(name) => say(
            &store,
            name,
            Command::Pause,
            "stands still after this block",
        ),
        Deed::Continue(name) => say(&store, name, Command::Continue, "goes on"),
        Deed::Stop(name) => say(&store, name, Command::Stop, "stops after a checkpoint"),
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

/// Says something to the engine of a session. What comes of it the list shows.
fn say(store: &Store, name: &str, command: Command, done: &str) -> Result<String, String> {
    let runtime = runtime().map_err(|refusal| refusal.to_string())?;
    runtime.block_on(async {
        let engine = Conversation::begin_patiently(store, name).await;
        let mut engine = engine.map_err(|error| error.to_string())?;
        engine
            .say(command)
            .await
            .map_err(|error| error.to_string())?;
        // An engine hears what was said before what is asked.
        engine.ask().await.map_err(|error| error.to_string())?;
        let _ = engine.hear().await;
        Ok(format!("{name} {done}"))
    })
}
