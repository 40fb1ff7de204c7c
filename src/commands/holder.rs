//! Who holds a session: an engine that runs it, or for a moment another command, which commands wait for. An engine that
//! starts or ends holds it for a moment like such a command.

use std::time::{Duration, Instant};

use super::CommandError;
use crate::session::store::{EngineProcess, Lock, Store, StoreError};

/// How long other commands may keep a command from a session.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long an engine that has just started may take to open its socket.
pub const OPENING: Duration = Duration::from_secs(2);
/// Time between two attempts.
pub const RETRY: Duration = Duration::from_millis(20);

/// Takes the lock of a session, for which it waits while another command holds it.
///
/// # Errors
/// As [`Store::lock`].
pub fn lock(store: &Store, name: &str) -> Result<Lock, StoreError> {
    let until = Instant::now() + PATIENCE;
    loop {
        match store.lock(name) {
            Err(StoreError::Locked { .. })
                if Instant::now() < until && is_brief(store.engine(name).as_ref()) =>
            {
                std::thread::sleep(RETRY);
            }
            taken => return taken,
        }
    }
}

/// Changes a session: by its engine if one runs it, else in its file; `change` is told which. Tried again if the session
/// changes hands meanwhile.
///
/// # Errors
/// Those of the last attempt.
pub fn change<T>(
    store: &Store,
    name: &str,
    mut change: impl FnMut(bool) -> Result<T, CommandError>,
) -> Result<T, CommandError> {
    let until = Instant::now() + PATIENCE;
    let process = || store.engine(name).map(|engine| engine.pid);
    loop {
        let before = holder(store, name);
        let changed = change(before.is_some());
        if is_decided(&changed, before, process) || Instant::now() >= until {
            return changed;
        }
        std::thread::sleep(RETRY);
    }
}

/// The process of the engine that runs a session, if one does. What may be another command is waited for.
fn holder(store: &Store, name: &str) -> Option<u32> {
    let until = Instant::now() + OPENING;
    loop {
        let engine = store.engine(name)?;
        if !is_brief(Some(&engine)) || Instant::now() >= until {
            return Some(engine.pid);
        }
        std::thread::sleep(RETRY);
    }
}

/// Whether a session may be held for a moment only: by nobody any more, or by a process that takes no commands (yet).
fn is_brief(holder: Option<&EngineProcess>) -> bool {
    holder.is_none_or(|engine| engine.socket.is_none() && engine.remote_machine.is_none())
}

/// Whether another attempt to change a session would end like this one. `before` is the process that held the session
/// then, and `process` finds the one that holds it now: what one of them refused, the next one may take.
fn is_decided<T>(
    changed: &Result<T, CommandError>,
    before: Option<u32>,
    process: impl FnOnce() -> Option<u32>,
) -> bool {
    match changed {
        Ok(_) => true,
        Err(CommandError::Store(StoreError::Locked { .. })) => false,
        Err(_) => before.is_none() || before == process(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::{Config, Session};

    #[test]
    fn a_change_is_tried_again_once_another_process_holds_the_session_or_none() {
        let failed = || Err(CommandError::Failed("it is not running".into()));
        let tries_again = |changed: Result<(), CommandError>, before, now: Option<u32>| {
            !is_decided(&changed, before, || now)
        };
        // One command after another holds it.
        assert!(tries_again(failed(), Some(7), Some(8)));
        assert!(tries_again(failed(), Some(7), None));
        assert!(!tries_again(failed(), Some(7), Some(7)));
        // The file was refused, not its holder.
        assert!(!tries_again(failed(), None, Some(8)));
        assert!(!tries_again(Ok(()), Some(7), None));
    }

    #[test]
    fn a_command_is_waited_for_and_an_engine_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path());
        let new = Session::new("mine", Config::default());
        store.save(&new).unwrap();
        let mut held = store.lock("mine").unwrap();
        let command = std::thread::scope(|scope| {
            let waiting = scope.spawn(|| lock(&store, "mine").map(drop));
            // Longer than a lock itself is waited for.
            std::thread::sleep(Duration::from_millis(400));
            held.save(&new).unwrap();
            drop(held);
            waiting.join().unwrap()
        });
        assert!(command.is_ok(), "{command:?}");
        let engine = store.lock("mine").unwrap();
        let mut voice = engine.heartbeat().unwrap();
        let socket = folder.path().join("its.sock");
        voice.publish_socket(Some(socket.as_path())).unwrap();
        assert!(matches!(
            lock(&store, "mine"),
            Err(StoreError::Locked { .. })
        ));
        assert_eq!(holder(&store, "mine"), Some(std::process::id()));
    }
}
