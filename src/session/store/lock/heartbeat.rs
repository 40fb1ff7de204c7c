//! The messages that an engine writes into its lock: its socket, and a beat that shows it is alive.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::session::store::folder::FileId;
use crate::session::store::owner::Owner;

/// Writes an engine's messages into its lock, as long as it holds it.
#[derive(Debug)]
pub struct Heartbeat {
    pub(super) path: PathBuf,
    pub(super) file: File,
    pub(super) owner: Owner,
}

impl Heartbeat {
    /// Whether the lock is in its place and still this engine's; false if that cannot be determined.
    pub fn holds_lock(&self) -> bool {
        let place = |about: io::Result<std::fs::Metadata>| about.ok().map(|it| FileId::from(&it));
        let ours = place(self.file.metadata());
        let is_in_place = ours.is_some() && place(std::fs::symlink_metadata(&self.path)) == ours;
        let now = Owner::read(&self.file).ok().flatten();
        is_in_place && now.is_some_and(|now| now.is_same(&self.owner))
    }

    /// Publishes the engine's socket to viewers; `None`: it has none.
    ///
    /// # Errors
    /// I/O errors.
    pub fn publish_socket(&mut self, socket: Option<&Path>) -> io::Result<()> {
        self.owner.socket = socket.map(Path::to_owned);
        self.say()
    }

    /// Shows that the engine is alive.
    ///
    /// # Errors
    /// I/O errors.
    pub fn beat(&mut self) -> io::Result<()> {
        self.owner.beat();
        self.say()
    }

    fn say(&self) -> io::Result<()> {
        // Write nothing into a lock that somebody else has taken.
        match Owner::read(&self.file)? {
            Some(now) if now.is_same(&self.owner) => self.owner.write(&self.file),
            _ => Ok(()),
        }
    }
}
