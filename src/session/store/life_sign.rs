//! Checking whether an engine is alive, for watching many engines from any machine.

use std::time::SystemTime;

use super::Store;
use super::owner::{Owner, OwnerState};
use crate::files;

/// An engine's signs of life in its lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LifeSign {
    /// Whether its process is alive; `None` if it runs on another machine, or if this is a copy of its lock:
    /// only the beat shows whether that is kept up to date.
    pub lives: Option<bool>,
    /// Increases while it is alive.
    pub beat: u64,
    /// When the lock was last written, by the clock of the file system.
    pub written: Option<SystemTime>,
}

impl Store {
    /// The signs of the engine that holds, or held, a session's lock; `None` if there is no lock.
    pub fn life_sign(&self, name: &str) -> Option<LifeSign> {
        let file = files::open(&self.sibling_path(name, ".lock")).ok()?;
        let owner = Owner::read(&file).ok()??;
        Some(LifeSign {
            lives: match owner.standing() {
                OwnerState::Alive => Some(true),
                OwnerState::Dead => Some(false),
                OwnerState::Copied | OwnerState::Unknown => None,
            },
            beat: owner.beat_count(),
            written: file
                .metadata()
                .and_then(|metadata| metadata.modified())
                .ok(),
        })
    }
}
