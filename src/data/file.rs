//! Opens image files: regular files only, gzip unpacked transparently, never more than a size limit.
//!
//! Also recognises files that are not what their name says.

use std::fs::{File, Metadata};
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::gzip::MaybeGzip;
use crate::format::bytes;
use crate::host;

/// The most bytes of pixels that are read from one set, however much memory there is: 8 GiB.
pub const MOST_BYTES: u64 = 8 << 30;

/// The most bytes of pixels that can be read now: half of the free memory, since they are briefly held twice, and at
/// most [`MOST_BYTES`].
pub fn most_bytes() -> u64 {
    host::available_memory().map_or(MOST_BYTES, |free| MOST_BYTES.min(free / 2))
}

/// Why a file cannot be read, whatever its format.
#[derive(Debug, Error)]
pub enum FileError {
    /// The file cannot be opened or read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A link leads to something that does not exist.
    #[error("{} is a link to {}, which does not exist: remove the link, or restore what it leads to", path.display(), target.display())]
    BrokenLink {
        /// The link.
        path: PathBuf,
        /// What it leads to, as written in the link.
        target: PathBuf,
    },
    /// The path is a folder, a device or the like.
    #[error("{} is {kind}, not a file; a file of images is expected there", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
        /// What it is, with an article.
        kind: &'static str,
    },
    /// The gzip stream is damaged or ends early.
    #[error("{} is a damaged gzip file ({source}); replace it with a good copy", path.display())]
    Gzip {
        /// The file.
        path: PathBuf,
        /// The decoder's error.
        source: io::Error,
    },
    /// The content is too large for memory.
    #[error("{} holds {what}; at most {} of images are read{}: make it smaller, or use a part of it", path.display(), bytes(*limit), if *limit < MOST_BYTES { ", which is half of the free memory" } else { "" })]
    TooLarge {
        /// The file or folder.
        path: PathBuf,
        /// Its size, described.
        what: String,
        /// Bytes allowed.
        limit: u64,
    },
    /// It unpacks into far more than images would.
    #[error("{} has {stored} bytes but unpacks into more than {}, which images never do: packed images take at least a hundredth of their unpacked size", path.display(), bytes(*limit))]
    Bomb {
        /// The file.
        path: PathBuf,
        /// Bytes of the file as stored.
        stored: u64,
        /// Bytes that it may unpack into.
        limit: u64,
    },
    /// The file is of another format.
    #[error("{} is {}, not {expected}; {}", path.display(), found.what, found.remedy)]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What was expected, with an article.
        expected: &'static str,
        /// Its actual format.
        found: ForeignFormat,
    },
}

/// The recognised format of a file that is not what its name says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ForeignFormat {
    /// The kind of file, with an article.
    pub what: &'static str,
    /// What to do about it.
    pub remedy: &'static str,
}

/// Recognises a foreign format by its first bytes; `None` if unknown.
pub fn recognise_foreign(head: &[u8]) -> Option<ForeignFormat> {
    const UNPACK: &str = "unpack it, and give the resulting folder or file";
    const KINDS: [(&[u8], &str, &str); 15] = [
        (
            b"version https://git-lfs",
            "a Git-LFS pointer",
            "run `git lfs pull` in its repository to get the actual content",
        ),
        (b"PK\x03\x04", "a zip archive", UNPACK),
        (b"\xfd7zXZ", "an xz archive", UNPACK),
        (b"BZh", "a bzip2 archive", UNPACK),
        (b"7z\xbc\xaf", "a 7-Zip archive", UNPACK),
        (b"\x28\xb5\x2f\xfd", "a zstd archive", UNPACK),
        (
            b"\x1f\x8b",
            "a gzip file in a gzip file in a gzip file",
            UNPACK,
        ),
        (
            b"\x89PNG",
            "a PNG picture",
            "put pictures into one folder per class, and give the folder above them",
        ),
        (
            b"\xff\xd8\xff",
            "a JPEG picture",
            "put pictures into one folder per class, and give the folder above them",
        ),
        (b"\x93NUMPY", "a NumPy array", "give it the extension .npy"),
        (
            b"MATLAB 5.0 MAT-file",
            "a MATLAB file",
            "load it with scipy.io.loadmat and save the arrays with numpy.savez(\"images.npz\", images=…, labels=…)",
        ),
        (
            b"\x89HDF",
            "an HDF5 file",
            "load it with h5py and save the arrays with numpy.savez(\"images.npz\", images=…, labels=…)",
        ),
        (
            b"PAR1",
            "a Parquet table",
            "save its images with numpy.savez(\"images.npz\", images=…, labels=…)",
        ),
        (b"%PDF", "a PDF document", "replace it with the actual file"),
        (
            b"\x80",
            "a Python pickle",
            "use the binary version of the set, or save the arrays with numpy.savez(\"images.npz\", images=…, labels=…)",
        ),
    ];
    if head.is_empty() {
        return Some(ForeignFormat {
            what: "empty",
            remedy: "replace it with a good copy",
        });
    }
    if let Some((_, what, remedy)) = KINDS.iter().find(|(start, ..)| {
        // One byte is too weak a mark, so a pickle must also have a protocol from 2 to 5.
        head.starts_with(start) && (start[0] != 0x80 || matches!(head.get(1), Some(2..=5)))
    }) {
        return Some(ForeignFormat { what, remedy });
    }
    foreign_text(head)
}

/// Recognises a web page, a table, or other text.
fn foreign_text(head: &[u8]) -> Option<ForeignFormat> {
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let printable =
        |&byte: &u8| byte >= 0x80 || matches!(byte, b' '..=b'~' | b'\t' | b'\r' | b'\n');
    if !text.iter().all(printable) {
        return None;
    }
    let text = String::from_utf8_lossy(text)
        .trim_start()
        .to_ascii_lowercase();
    let page = ["<!doctype", "<html", "<head", "<?xml", "<error"];
    if page.iter().any(|start| text.starts_with(start)) {
        return Some(ForeignFormat {
            what: "a web page",
            remedy: "a server sent it instead of the file: open it to see why, and download the file again",
        });
    }
    let first = text.lines().next().unwrap_or_default();
    if first.contains([',', ';', '\t']) {
        return Some(ForeignFormat {
            what: "a text table (CSV)",
            remedy: "save it as arrays: numpy.savez(\"images.npz\", images=…, labels=…)",
        });
    }
    Some(ForeignFormat {
        what: "a text file",
        remedy: "replace it with a good copy of the file",
    })
}

/// Whether `content` was damaged by a transfer in text mode, which turns every line feed into the two bytes 0x0d 0x0a.
/// False if there are fewer than four, which proves nothing.
pub(super) fn is_text_mode(content: &[u8]) -> bool {
    let (mut pairs, mut before) = (0usize, 0u8);
    for &byte in content {
        if byte == b'\n' {
            if before != b'\r' {
                return false;
            }
            pairs += 1;
        }
        before = byte;
    }
    pairs >= 4
}

/// An opened regular file, unpacked while reading.
pub(super) struct OpenedFile {
    /// The content.
    pub content: MaybeGzip<BufReader<File>>,
    /// Bytes of the file as stored.
    pub stored: u64,
}

/// Opens a regular file; refuses a named pipe or device before opening it.
///
/// # Errors
/// [`FileError::Read`], [`FileError::BrokenLink`] and [`FileError::NotAFile`].
pub(super) fn open(path: &Path) -> Result<OpenedFile, FileError> {
    let failed = |source| failed(path, source);
    let about = std::fs::metadata(path).map_err(failed)?;
    check_regular(path, &about)?;
    let file = File::open(path).map_err(failed)?;
    let content = MaybeGzip::new(BufReader::with_capacity(1 << 16, file)).map_err(failed)?;
    Ok(OpenedFile {
        content,
        stored: about.len(),
    })
}

/// Refuses anything that is not a regular file.
///
/// # Errors
/// [`FileError::NotAFile`], which says what it is.
pub(super) fn check_regular(path: &Path, about: &Metadata) -> Result<(), FileError> {
    let kind = about.file_type();
    let kind = match () {
        () if kind.is_file() => return Ok(()),
        () if kind.is_dir() => "a folder",
        () if kind.is_fifo() => "a named pipe",
        () if kind.is_socket() => "a socket",
        () if kind.is_block_device() || kind.is_char_device() => "a device",
        () => "something else",
    };
    Err(FileError::NotAFile {
        path: path.to_owned(),
        kind,
    })
}

/// Reads the whole content of a file, unpacked, at most [`most_bytes`].
///
/// # Errors
/// Any [`FileError`] except [`FileError::Foreign`].
pub(super) fn read_whole(path: &Path) -> Result<Vec<u8>, FileError> {
    let mut opened = open(path)?;
    let packed = opened.content.is_gzip();
    let (limit, room) = (most_bytes(), opened.content.max_unpacked(opened.stored));
    let too_large = || match packed && room < limit {
        true => FileError::Bomb {
            path: path.to_owned(),
            stored: opened.stored,
            limit: room,
        },
        false => FileError::TooLarge {
            path: path.to_owned(),
            what: format!("more than {}", bytes(limit)),
            limit,
        },
    };
    let most = limit.min(room);
    if !packed && opened.stored > most {
        return Err(too_large());
    }
    let mut content = Vec::with_capacity(if packed { 0 } else { opened.stored as usize });
    let read = (&mut opened.content)
        .take(most + 1)
        .read_to_end(&mut content);
    match read {
        Err(source) => Err(unreadable(path, packed, source)),
        Ok(_) if content.len() as u64 > most => Err(too_large()),
        Ok(_) => Ok(content),
    }
}

/// The first bytes of a file's content, at most 512; empty if it cannot be read.
pub(super) fn read_head(path: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Ok(opened) = open(path) {
        // On an error, use the bytes read so far.
        let _ = opened.content.take(512).read_to_end(&mut bytes);
    }
    bytes
}

/// The error for a file that cannot be opened, or whose size cannot be read.
pub(super) fn failed(path: &Path, source: io::Error) -> FileError {
    let target = match source.kind() {
        io::ErrorKind::NotFound => std::fs::read_link(path).ok(),
        _ => None,
    };
    let path = path.to_owned();
    match target {
        Some(target) => FileError::BrokenLink { path, target },
        None => FileError::Read { path, source },
    }
}

/// The error for a read that failed midway.
pub(super) fn unreadable(path: &Path, packed: bool, source: io::Error) -> FileError {
    let path = path.to_owned();
    match packed {
        true => FileError::Gzip { path, source },
        false => FileError::Read { path, source },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_files_real_type_is_recognised_by_its_first_bytes() {
        let what = |head: &[u8]| recognise_foreign(head).map(|found| found.what);
        assert_eq!(what(b"<!DOCTYPE html><html>"), Some("a web page"));
        assert_eq!(what(b"\n <html lang=en>"), Some("a web page"));
        assert_eq!(
            what(b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 3\n"),
            Some("a Git-LFS pointer")
        );
        assert_eq!(what(b"label,pixel0\n5,0\n"), Some("a text table (CSV)"));
        assert_eq!(what(b"\x80\x02}q"), Some("a Python pickle"));
        assert_eq!(what(b"\x80\xff\x00"), None);
        assert_eq!(what(&[0, 0, 8, 3, 0]), None);
        assert_eq!(what(b""), Some("empty"));
    }

    #[test]
    fn text_mode_shows_in_every_line_feed() {
        assert!(is_text_mode(b"1\r\n2\r\n3\r\n4\r\n"));
        assert!(!is_text_mode(b"1\r\n2\r\n3\r\n4\r\n\n"));
        assert!(!is_text_mode(b"1\r\n"));
    }

    #[test]
    fn files_that_are_not_regular_are_refused_without_opening_them() {
        let message = read_whole(Path::new("/dev/zero")).unwrap_err().to_string();
        assert!(message.contains("is a device"), "{message}");
        let folder = tempfile::tempdir().unwrap();
        assert!(
            read_whole(folder.path())
                .unwrap_err()
                .to_string()
                .contains("is a folder")
        );
    }
}
