//! Checking whether an engine is alive, for watching many engines from any machine.

use std::time::SystemTime;

use super::Store;
use super::owner::{Owner, Standing};
use crate::files;

/// An engine's signs of life in its lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sign {
    /// Whether its process is alive; `None` if it runs on another machine, where only its beat shows
    /// that.
    pub lives: Option<bool>,
    /// Increases while it is alive.
    pub beat: u64,
    /// When the lock was last written, by the clock of the file system.
    pub written: Option<SystemTime>,
}

impl Store {
    /// The signs of the engine that holds, or held, a session's lock; `None` if there is no lock.
    pub fn sign(&self, name: &str) -> Option<Sign> {
        let file = files::open(&self.beside(name, ".lock")).ok()?;
        let owner = Owner::read(&file).ok()??;
        Some(Sign {
            lives: match owner.standing() {
                Standing::Alive => Some(true),
                Standing::Dead => Some(false),
                Standing::Unknown => None,
            },
            beat: owner.beats_so_far(),
            written: file
                .metadata()
                .and_then(|metadata| metadata.modified())
                .ok(),
        })
    }
}
