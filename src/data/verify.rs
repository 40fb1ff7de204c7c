//! Verification that the files of full sets on disk, and the images read from them, are byte for byte the published ones.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::DataError;
use super::catalog::{FileSpec, SetSpec};
use super::gzip::MaybeGzip;
use super::idx::{write_images, write_labels};
use super::paths;
use super::readers::raw::{RawPart, RawSet};

/// The result of verifying a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileState {
    /// Neither the plain nor the gzipped file is there.
    Missing,
    /// The content is the published one.
    Sound,
    /// The content has the published length; no checksum is known.
    Unverified,
    /// The file exists but differs from the published one, for this reason.
    Damaged(String),
}

/// One file of a set, verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileReport {
    /// The published file.
    pub file: FileSpec,
    /// Its path, whether or not it exists.
    pub path: PathBuf,
    /// The result.
    pub state: FileState,
}

/// Verifies the files of a set in the data folder; reads them in full, about 55 MB for an MNIST-like set.
pub fn verify_set(spec: &SetSpec, data_dir: &Path) -> Vec<FileReport> {
    let folder = paths::full_dir(data_dir, spec);
    spec.files
        .iter()
        .map(|file| verify_file(file, &folder))
        .collect()
}

/// Verifies one file in its folder, plain or gzipped.
pub fn verify_file(file: &FileSpec, folder: &Path) -> FileReport {
    let path = paths::locate(folder, file.name);
    let state = match digest_file(&path, file.bytes) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => FileState::Missing,
        Err(error) => FileState::Damaged(format!("cannot be read: {error}")),
        Ok(found) => match mismatch(file, &found) {
            None if file.sha256.is_some() => FileState::Sound,
            None => FileState::Unverified,
            Some(why) => FileState::Damaged(why),
        },
    };
    FileReport {
        file: *file,
        path,
        state,
    }
}

/// Whether images read as a published set were verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Authenticity {
    /// They are the published ones.
    Published,
    /// No checksum is known.
    Unknown,
}

/// Verifies that the images read are the published ones, whatever their files are called and however they are packed:
/// encodes images and labels as the published files and compares checksums.
///
/// # Errors
/// [`DataError::NotPublished`], with the file that differs.
pub(super) fn check_published(
    spec: &SetSpec,
    folder: &Path,
    raw: &RawSet,
) -> Result<Authenticity, DataError> {
    let [train_images, train_labels, test_images, test_labels] = spec.files else {
        return Ok(Authenticity::Unknown);
    };
    let halves = [
        (Some(&raw.train), train_images, train_labels),
        (raw.test.as_ref(), test_images, test_labels),
    ];
    for (half, images, labels) in halves {
        let Some(half) = half else { continue };
        if images.sha256.is_none() || labels.sha256.is_none() {
            return Ok(Authenticity::Unknown);
        }
        for (file, is_images) in [(images, true), (labels, false)] {
            if let Some(why) = mismatch(file, &idx_digest(half, is_images)) {
                return Err(DataError::NotPublished {
                    set: spec.label(),
                    path: folder.to_owned(),
                    file: file.name,
                    why,
                });
            }
        }
    }
    Ok(Authenticity::Published)
}

/// The fingerprint of images, or of their labels, as an IDX file.
fn idx_digest(half: &RawPart, is_images: bool) -> ContentDigest {
    let mut found = ContentDigest::default();
    let [_, height, width] = half.shape;
    let labels: Vec<u8> = half
        .labels
        .iter()
        .map(|&label| label.min(255) as u8)
        .collect();
    // Images that cannot be written as IDX are not the published ones, and their fingerprint will differ.
    let _ = match is_images {
        true => write_images(&mut found, &half.pixels, height, width),
        false => write_labels(&mut found, &labels),
    };
    found
}

/// Length and SHA-256 of some content, computed incrementally.
#[derive(Default)]
pub(super) struct ContentDigest {
    bytes: u64,
    hash: Sha256,
}

impl io::Write for ContentDigest {
    fn write(&mut self, content: &[u8]) -> io::Result<usize> {
        self.update(content);
        Ok(content.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl ContentDigest {
    pub(super) fn update(&mut self, content: &[u8]) {
        self.bytes += content.len() as u64;
        self.hash.update(content);
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    fn sha256(&self) -> String {
        let digest = self.hash.clone().finalize();
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// How content differs from that of `file`; `None` if it does not.
pub(super) fn mismatch(file: &FileSpec, found: &ContentDigest) -> Option<String> {
    if found.bytes() > file.bytes {
        return Some(format!("is longer than {} bytes", file.bytes));
    }
    if found.bytes() < file.bytes {
        return Some(format!("has {} bytes, not {}", found.bytes(), file.bytes));
    }
    let (expected, sha256) = (file.sha256?, found.sha256());
    (sha256 != expected).then(|| {
        format!(
            "has the SHA-256 {}…, not {}…",
            abridged(&sha256),
            abridged(expected)
        )
    })
}

fn abridged(sha256: &str) -> &str {
    sha256.get(..12).unwrap_or(sha256)
}

/// Fingerprint of a file's unpacked content, read at most to one byte beyond `limit`.
fn digest_file(path: &Path, limit: u64) -> io::Result<ContentDigest> {
    let about = path.metadata()?;
    if about.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if !about.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let file = BufReader::with_capacity(1 << 16, File::open(path)?);
    let mut content = MaybeGzip::new(file)?.take(limit + 1);
    let mut found = ContentDigest::default();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match content.read(&mut buffer) {
            Ok(0) => return Ok(found),
            Ok(length) => found.update(&buffer[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SHA-256 of `abc`, from FIPS 180-2.
    const ABC: FileSpec = FileSpec {
        name: "abc",
        sha256: Some("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        bytes: 3,
    };

    fn state_of(content: &[u8]) -> FileState {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("abc"), content).unwrap();
        verify_file(&ABC, folder.path()).state
    }

    #[test]
    fn the_published_content_passes() {
        assert_eq!(state_of(b"abc"), FileState::Sound);
    }

    #[test]
    fn without_a_checksum_the_length_alone_is_no_proof() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("abc"), b"xyz").unwrap();
        let file = FileSpec {
            sha256: None,
            ..ABC
        };
        assert_eq!(
            verify_file(&file, folder.path()).state,
            FileState::Unverified
        );
    }

    #[test]
    fn a_flipped_bit_is_damage() {
        assert!(
            matches!(state_of(b"abb"), FileState::Damaged(why) if why.contains("not ba7816bf8f01…"))
        );
    }

    #[test]
    fn a_short_and_a_long_file_are_damage() {
        assert_eq!(
            state_of(b"ab"),
            FileState::Damaged("has 2 bytes, not 3".into())
        );
        assert_eq!(
            state_of(b"abcd"),
            FileState::Damaged("is longer than 3 bytes".into())
        );
    }

    #[test]
    fn an_absent_file_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(verify_file(&ABC, folder.path()).state, FileState::Missing);
    }

    #[test]
    fn a_folder_in_place_of_the_file_is_damage() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("abc")).unwrap();
        assert!(matches!(
            verify_file(&ABC, folder.path()).state,
            FileState::Damaged(_)
        ));
    }
}
