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

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::path::{Path, PathBuf};
    use std::time::{Duration, UNIX_EPOCH};

    /// Writes a file in place, as of so many seconds since the Unix epoch.
    fn write(path: &Path, content: &str, written: u64) {
        fs::write(path, content).unwrap();
        let file = File::options().write(true).open(path).unwrap();
        let time = UNIX_EPOCH + Duration::from_secs(written);
        file.set_modified(time).unwrap();
    }

    fn about(path: &Path) -> Stat {
        fstat(File::open(path).unwrap()).unwrap()
    }

    /// A file of four bytes, and its fingerprint.
    fn kept(folder: &Path) -> (PathBuf, FileFingerprint) {
        let path = folder.join("mine.ron");
        write(&path, "text", 1_000);
        let kept = FileFingerprint::from_content(&about(&path), b"text");
        (path, kept)
    }

    #[test]
    fn the_metadata_match_only_in_place_size_and_time_together() {
        let folder = tempfile::tempdir().unwrap();
        let (path, kept) = kept(folder.path());
        assert!(kept.matches_metadata(&about(&path)));
        write(&path, "text", 1_001);
        assert!(!kept.matches_metadata(&about(&path)), "another time");
        write(&path, "texts", 1_000);
        assert!(!kept.matches_metadata(&about(&path)), "another size");
        let other = folder.path().join("other.ron");
        write(&other, "text", 1_000);
        assert!(!kept.matches_metadata(&about(&other)), "another file");
        write(&path, "text", 1_000);
        assert!(kept.matches_metadata(&about(&path)));
    }

    #[test]
    fn an_unchanged_file_gets_its_new_time_and_place_and_a_changed_one_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (path, kept) = kept(folder.path());
        let refreshed = || kept.refresh(&File::open(&path).unwrap()).unwrap();
        write(&path, "text", 2_000);
        let touched = refreshed().unwrap();
        assert!(touched.matches_metadata(&about(&path)) && touched != kept);
        // Restored from a copy: another file.
        let copy = folder.path().join("copy.ron");
        write(&copy, "text", 3_000);
        fs::rename(&copy, &path).unwrap();
        assert!(refreshed().unwrap().matches_metadata(&about(&path)));
        for changed in ["Text", "tex", "texts", ""] {
            write(&path, changed, 1_000);
            assert_eq!(refreshed(), None, "{changed}");
        }
    }
}
