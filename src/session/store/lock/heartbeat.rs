//! The messages that an engine writes into its lock: its socket, and a beat that shows it is alive.

use std::fs::File;
use std::io;
use std::path::Path;

use crate::session::store::owner::Owner;

/// Writes an engine's messages into its lock, as long as it holds it.
#[derive(Debug)]
pub struct Heartbeat {
    pub(super) file: File,
    pub(super) owner: Owner,
}

impl Heartbeat {
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
