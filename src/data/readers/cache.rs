//! Cache of images that are slow to read, in one file, so that pictures are decoded only once.
//!
//! The file's name encodes the source folder and its state; its last bytes are a checksum of the rest. A file that is
//! damaged or of another state is not used.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::raw::RawSet;

/// First bytes of a cache file; the number is raised when the format changes, or what is noted on pictures.
const MAGIC: &[u8; 16] = b"noisescope img 2";
const PREFIX: &str = "images-";
const SUFFIX: &str = ".cache";
/// Longest header accepted, in bytes: labels, names and notes of a set.
const MOST_HEADER: u64 = 1 << 30;

/// The state of a set's source: its folder, and every file in it with its size and time.
#[derive(Debug, Clone)]
pub(in crate::data) struct SourceState {
    folder: String,
    state: Sha256,
}

impl SourceState {
    pub(super) fn of(folder: &Path) -> Self {
        let digest = Sha256::digest(folder.as_os_str().as_encoded_bytes());
        Self {
            folder: hexadecimal(&digest[..6]),
            state: Sha256::new(),
        }
    }

    /// Adds a fact to the state.
    pub(super) fn add(&mut self, fact: &[u8]) {
        self.state.update((fact.len() as u64).to_le_bytes());
        self.state.update(fact);
    }

    fn state(&self) -> String {
        hexadecimal(&self.state.clone().finalize()[..12])
    }

    /// Prefix of the names of all cache files of this folder.
    fn prefix(&self) -> String {
        format!("{PREFIX}{}-", self.folder)
    }

    fn file(&self, cache: &Path) -> PathBuf {
        cache.join(format!("{}{}{SUFFIX}", self.prefix(), self.state()))
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The cached images of this state; `None` if there are none or they are damaged.
pub(in crate::data) fn load(cache: &Path, fingerprint: &SourceState) -> Option<RawSet> {
    let path = fingerprint.file(cache);
    if !fs::metadata(&path).ok()?.is_file() {
        return None;
    }
    let file = File::open(path).ok()?;
    let stored = file.metadata().ok()?.len();
    let mut content = Summed {
        inner: BufReader::with_capacity(1 << 18, file),
        sum: Sha256::new(),
    };
    if content.bytes(16)? != MAGIC {
        return None;
    }
    let length = u64::from_le_bytes(content.bytes(8)?.try_into().ok()?);
    if length > stored.min(MOST_HEADER) {
        return None;
    }
    let mut raw: RawSet = postcard::from_bytes(&content.bytes(length)?).ok()?;
    let halves = [Some(&mut raw.train), raw.test.as_mut()];
    for half in halves.into_iter().flatten() {
        let area = half
            .shape
            .iter()
            .try_fold(1u64, |area, &size| area.checked_mul(size as u64))?;
        let length = area.checked_mul(half.labels.len() as u64)?;
        if length > stored {
            return None;
        }
        half.pixels = content.bytes(length)?;
    }
    let sum = content.sum.clone().finalize();
    (content.bytes(32)? == sum.as_slice()).then_some(raw)
}

struct Summed<T> {
    inner: T,
    sum: Sha256,
}

impl<R: Read> Summed<R> {
    /// Exactly the next `length` bytes; `None` if there are fewer.
    fn bytes(&mut self, length: u64) -> Option<Vec<u8>> {
        let mut bytes = vec![0; usize::try_from(length).ok()?];
        self.inner.read_exact(&mut bytes).ok()?;
        self.sum.update(&bytes);
        Some(bytes)
    }
}

impl<W: Write> Write for Summed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = self.inner.write(bytes)?;
        self.sum.update(&bytes[..length]);
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Caches images under their state and removes older cache files of the same folder. The file is renamed once it is
/// complete.
///
/// # Errors
/// The system's error.
pub(in crate::data) fn store(
    cache: &Path,
    fingerprint: &SourceState,
    raw: &RawSet,
) -> io::Result<()> {
    fs::create_dir_all(cache)?;
    let path = fingerprint.file(cache);
    let part = path.with_extension(format!("{}.tmp", std::process::id()));
    // A leftover of a killed process with the same id.
    let _ = fs::remove_file(&part);
    let outcome = write(&part, raw).and_then(|()| fs::rename(&part, &path));
    if outcome.is_err() {
        // If this fails too, a later run may remove the leftover.
        let _ = fs::remove_file(&part);
        return outcome;
    }
    for entry in fs::read_dir(cache)?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with(&fingerprint.prefix()) && name.ends_with(SUFFIX) && entry.path() != path
        {
            let _ = fs::remove_file(entry.path());
        }
    }
    Ok(())
}

fn write(path: &Path, raw: &RawSet) -> io::Result<()> {
    let mut to = Summed {
        inner: BufWriter::with_capacity(1 << 18, File::create_new(path)?),
        sum: Sha256::new(),
    };
    let header = postcard::to_stdvec(raw).map_err(io::Error::other)?;
    to.write_all(MAGIC)?;
    to.write_all(&(header.len() as u64).to_le_bytes())?;
    to.write_all(&header)?;
    to.write_all(&raw.train.pixels)?;
    if let Some(test) = &raw.test {
        to.write_all(&test.pixels)?;
    }
    let sum = to.sum.clone().finalize();
    to.inner.write_all(&sum)?;
    to.inner
        .into_inner()
        .map_err(io::IntoInnerError::into_error)?
        .sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_no_temporary_file() {
        let cache = tempfile::tempdir().unwrap();
        let state = SourceState::of(Path::new("pictures"));
        // A folder has the name of the cache file, so that the complete file cannot take it.
        let taken = state.file(cache.path());
        fs::create_dir(&taken).unwrap();
        let files = || -> Vec<PathBuf> {
            let entries = fs::read_dir(cache.path()).unwrap();
            entries.map(|entry| entry.unwrap().path()).collect()
        };
        assert!(store(cache.path(), &state, &RawSet::default()).is_err());
        assert_eq!(files(), std::slice::from_ref(&taken));
        fs::remove_dir(&taken).unwrap();
        store(cache.path(), &state, &RawSet::default()).unwrap();
        assert_eq!(files(), [taken]);
    }
}
