//! The fingerprint of a session's file as an engine left it: checked by metadata alone, or by reading
//! the file if that is not enough.

use std::fs::File;
use std::io::{self, Read};

use rustix::fs::{Stat, fstat};

use super::folder::{FileId, file_id};

/// A file's identity, size, modification time and checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileFingerprint {
    place: FileId,
    bytes: u64,
    modified: (i64, i64),
    crc32: u32,
}

impl FileFingerprint {
    /// The fingerprint of a file with this content.
    pub(super) fn from_content(about: &Stat, content: &[u8]) -> Self {
        Self {
            place: file_id(about),
            bytes: content.len() as u64,
            modified: modified(about),
            crc32: crc32fast::hash(content),
        }
    }

    /// Whether the metadata match, so that the content is presumably the same.
    pub(super) fn matches_metadata(&self, about: &Stat) -> bool {
        self.place == file_id(about)
            && u64::try_from(about.st_size) == Ok(self.bytes)
            && self.modified == modified(about)
    }

    /// The new fingerprint of a file whose content is unchanged; `None` if it has changed.
    ///
    /// # Errors
    /// I/O errors.
    pub(super) fn refresh(&self, mut file: &File) -> io::Result<Option<Self>> {
        let about = fstat(file)?;
        if u64::try_from(about.st_size) != Ok(self.bytes) {
            return Ok(None);
        }
        let mut sum = crc32fast::Hasher::new();
        let mut piece = vec![0; 1 << 16];
        loop {
            match file.read(&mut piece)? {
                0 => break,
                length => sum.update(&piece[..length]),
            }
        }
        let same = Self {
            place: file_id(&about),
            modified: modified(&about),
            ..*self
        };
        Ok((sum.finalize() == self.crc32).then_some(same))
    }
}

/// When a file was written, in seconds and nanoseconds since the Unix epoch.
#[allow(clippy::unnecessary_cast, reason = "the types differ between systems")]
fn modified(about: &Stat) -> (i64, i64) {
    (about.st_mtime as i64, about.st_mtime_nsec as i64)
}
