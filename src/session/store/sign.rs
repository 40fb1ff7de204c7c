//! A sign of life of an engine, for who watches many of them from any machine.

use std::time::SystemTime;

use super::Store;
use super::owner::{Owner, Standing};
use crate::files;

/// What a lock shows of the engine that holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sign {
    /// Whether its process lives; `None` where it runs on another machine, where its beat alone tells.
    pub lives: Option<bool>,
    /// Counts on while it lives.
    pub beat: u64,
    /// When the lock was written last, by the clock of the file system.
    pub written: Option<SystemTime>,
}

impl Store {
    /// The sign of the engine that has, or had, a session's lock; `None` where nobody has.
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
            written: file.metadata().and_then(|it| it.modified()).ok(),
        })
    }
}
