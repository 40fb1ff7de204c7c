//! The source that copies files from a folder on this machine.

use std::path::PathBuf;

use super::super::paths;
use super::Source;
use super::fault::{DeliveryError, SourceError};
use super::inbox::Inbox;
use crate::files;

/// A folder with files of a set under their standard names, plain or with `.gz`.
#[derive(Debug, Clone)]
pub struct FolderSource {
    folder: PathBuf,
}

impl FolderSource {
    /// A source that reads from `folder`.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
        }
    }
}

impl Source for FolderSource {
    fn describe(&self) -> String {
        format!("the folder {}", self.folder.display())
    }

    fn deliver(&self, inbox: &Inbox<'_>) -> Result<(), DeliveryError> {
        if !self.folder.is_dir() {
            return Err(SourceError::NoFolder.into());
        }
        for file in inbox.wanted() {
            let path = paths::locate(&self.folder, file.name);
            let content =
                files::open(&path).map_err(|error| SourceError::Unreadable { path, error })?;
            inbox.accept(file, content)?;
        }
        Ok(())
    }
}
