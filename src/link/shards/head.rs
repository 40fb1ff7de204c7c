//! The readable part of a divided session's own file, which is read again only if the file has changed: one that is too
//! long to list is read with all its arrays, which takes seconds.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::session::Session;
use crate::session::store::{Store, StoreError};

/// The version of a file: its inode, and seconds and nanoseconds of its modification.
pub(super) type FileVersion = (u64, i64, i64);

/// The version of a file with this metadata.
pub(super) fn version_of(about: &Metadata) -> FileVersion {
    (about.ino(), about.mtime(), about.mtime_nsec())
}

/// The version of a file; `None` if there is none.
pub(super) fn version(path: &Path) -> Option<FileVersion> {
    fs::metadata(path).ok().as_ref().map(version_of)
}

/// The session as it was last read, and from which version of its file.
#[derive(Debug, Default)]
pub(super) struct KnownHead(Option<(Option<FileVersion>, Session)>);

impl KnownHead {
    /// The session, which is read again if its file has changed.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(super) fn read(&mut self, store: &Store, name: &str) -> Result<&Session, StoreError> {
        let found = version(&store.path(name));
        let session = match self.0.take() {
            Some((known, session)) if found.is_some() && known == found => session,
            _ => store.load_head(name)?,
        };
        let (_, session) = self.0.insert((found, session));
        Ok(session)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Config;

    #[test]
    fn a_file_is_read_again_only_if_it_has_changed() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path());
        let mut session = Session::new("night", Config::default());
        session.divide(2, "any").unwrap();
        store.save(&session).unwrap();
        let is_divided = |head: &mut KnownHead| {
            let read = head.read(&store, "night").unwrap();
            read.record.sharding.is_some()
        };
        let mut head = KnownHead::default();
        assert!(is_divided(&mut head));
        // What is in the file now cannot be read; its time says that it is the same.
        let path = store.path("night");
        let written = fs::metadata(&path).unwrap().modified().unwrap();
        fs::write(&path, "nonsense").unwrap();
        let file = fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(written).unwrap();
        assert!(is_divided(&mut head));
        // Another version of it.
        let later = written + std::time::Duration::from_secs(1);
        file.set_modified(later).unwrap();
        assert!(head.read(&store, "night").is_err());
        session.record.sharding = None;
        store.save(&session).unwrap();
        assert!(!is_divided(&mut head));
    }
}
