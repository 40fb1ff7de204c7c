//! Opening a file of images: regular files only, unpacked on the way where they are gzip, never more than a limit.
//!
//! Beside it, what a file is in truth when it is not what its name says.

use std::fs::{File, Metadata};
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::gzip::Plain;
use crate::format::bytes;
use crate::host;

/// The most bytes of pixels that are taken into memory from one set, however much there is: 8 GiB.
pub const MOST_BYTES: u64 = 8 << 30;

/// The most bytes of pixels that are taken into memory now: half of what is free, since they are there twice for a
/// moment, and [`MOST_BYTES`] at most.
pub fn most_bytes() -> u64 {
    host::available_memory().map_or(MOST_BYTES, |free| MOST_BYTES.min(free / 2))
}

/// Why a file cannot be read, whatever it should hold.
#[derive(Debug, Error)]
pub enum FileError {
    /// The file cannot be opened or read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The path is a folder, a device or the like.
    #[error("{} is {kind}, not a file; a file of images is expected there", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
        /// What it is, with its article.
        kind: &'static str,
    },
    /// The gzip stream is damaged or ends early.
    #[error("{} is a damaged gzip file ({source}); replace it with a good copy", path.display())]
    Gzip {
        /// The file.
        path: PathBuf,
        /// What the decoder said.
        source: io::Error,
    },
    /// More than the program takes into memory.
    #[error("{} holds {what}; at most {} of images are read{}: make it smaller, or take a part of it", path.display(), bytes(*limit), if *limit < MOST_BYTES { ", which is half of the memory that is free" } else { "" })]
    TooLarge {
        /// The file or folder.
        path: PathBuf,
        /// How much, in words.
        what: String,
        /// Bytes that are allowed.
        limit: u64,
    },
    /// It unpacks into more than images ever do.
    #[error("{} has {stored} bytes and unpacks into more than {}, which no images do; a file of images takes at least a hundredth of what it unpacks into", path.display(), bytes(*limit))]
    Bomb {
        /// The file.
        path: PathBuf,
        /// Bytes of the file as it is stored.
        stored: u64,
        /// Bytes that it may unpack into.
        limit: u64,
    },
    /// The file is of a kind that cannot hold these images.
    #[error("{} is {}, not {expected}; {}", path.display(), found.what, found.remedy)]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What was expected, with its article.
        expected: &'static str,
        /// What it is.
        found: Foreign,
    },
}

/// What a file is that is not what its name says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Foreign {
    /// The kind of file, with its article.
    pub what: &'static str,
    /// What to do about it.
    pub remedy: &'static str,
}

/// What content is in truth, told by how it begins; `None` when it is nothing known.
pub fn foreign(head: &[u8]) -> Option<Foreign> {
    const UNPACK: &str = "unpack it, and give the folder or file that comes out";
    const KINDS: [(&[u8], &str, &str); 15] = [
        (
            b"version https://git-lfs",
            "a Git-LFS pointer",
            "run `git lfs pull` in its repository to get the content that it stands for",
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
            "put pictures into a folder a class, and give the folder above them",
        ),
        (
            b"\xff\xd8\xff",
            "a JPEG picture",
            "put pictures into a folder a class, and give the folder above them",
        ),
        (
            b"\x93NUMPY",
            "a NumPy array",
            "name it as such, with the ending .npy",
        ),
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
        (b"%PDF", "a PDF document", "replace it with the file itself"),
        (
            b"\x80",
            "a Python pickle",
            "take the binary version of the set, or save the arrays with numpy.savez(\"images.npz\", images=…, labels=…)",
        ),
    ];
    if head.is_empty() {
        return Some(Foreign {
            what: "empty",
            remedy: "replace it with a good copy",
        });
    }
    if let Some((_, what, remedy)) = KINDS.iter().find(|(start, ..)| {
        // A pickle is told by its protocol, 2 to 5, too: one byte alone says little.
        head.starts_with(start) && (start[0] != 0x80 || matches!(head.get(1), Some(2..=5)))
    }) {
        return Some(Foreign { what, remedy });
    }
    foreign_text(head)
}

/// The kinds of text: a page, a table.
fn foreign_text(head: &[u8]) -> Option<Foreign> {
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
        return Some(Foreign {
            what: "a web page",
            remedy: "a server sent it in place of the file: open it to see why, and fetch the file again",
        });
    }
    let first = text.lines().next().unwrap_or_default();
    if first.contains([',', ';', '\t']) {
        return Some(Foreign {
            what: "a table in text (CSV)",
            remedy: "save it as arrays: numpy.savez(\"images.npz\", images=…, labels=…)",
        });
    }
    Some(Foreign {
        what: "a text",
        remedy: "replace it with a good copy of the file",
    })
}

/// Whether `content` was sent through a transfer in text mode: every line feed has become two bytes, 0x0d 0x0a.
/// Content with fewer than four of them does not say.
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

/// A regular file, opened; its content comes unpacked.
pub(super) struct Opened {
    /// The content.
    pub content: Plain<BufReader<File>>,
    /// Bytes of the file as it is stored.
    pub stored: u64,
}

/// Opens a regular file; a named pipe or a device is refused before it is opened.
///
/// # Errors
/// [`FileError::Read`] and [`FileError::NotAFile`].
pub(super) fn open(path: &Path) -> Result<Opened, FileError> {
    let failed = |source| FileError::Read {
        path: path.to_owned(),
        source,
    };
    let about = std::fs::metadata(path).map_err(failed)?;
    check_regular(path, &about)?;
    let file = File::open(path).map_err(failed)?;
    let content = Plain::new(BufReader::with_capacity(1 << 16, file)).map_err(failed)?;
    Ok(Opened {
        content,
        stored: about.len(),
    })
}

/// Refuses what is no regular file.
///
/// # Errors
/// [`FileError::NotAFile`], saying what it is.
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

/// The whole content of a file, unpacked, [`most_bytes`] at most.
///
/// # Errors
/// Any [`FileError`] but [`FileError::Foreign`].
pub(super) fn whole(path: &Path) -> Result<Vec<u8>, FileError> {
    let mut opened = open(path)?;
    let packed = opened.content.is_gzip();
    let (limit, room) = (most_bytes(), opened.content.room(opened.stored));
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

/// The first bytes of a file's content, 512 at most; none when it cannot be read.
pub(super) fn head(path: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Ok(opened) = open(path) {
        // What could be read before an error tells as much as there is.
        let _ = opened.content.take(512).read_to_end(&mut bytes);
    }
    bytes
}

/// The error of a read that failed midway.
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
    fn what_a_file_is_in_truth_is_told_by_how_it_begins() {
        let what = |head: &[u8]| foreign(head).map(|found| found.what);
        assert_eq!(what(b"<!DOCTYPE html><html>"), Some("a web page"));
        assert_eq!(what(b"\n <html lang=en>"), Some("a web page"));
        assert_eq!(
            what(b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 3\n"),
            Some("a Git-LFS pointer")
        );
        assert_eq!(what(b"label,pixel0\n5,0\n"), Some("a table in text (CSV)"));
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
    fn what_is_no_regular_file_is_refused_without_opening_it() {
        let said = whole(Path::new("/dev/zero")).unwrap_err().to_string();
        assert!(said.contains("is a device"), "{said}");
        let folder = tempfile::tempdir().unwrap();
        assert!(
            whole(folder.path())
                .unwrap_err()
                .to_string()
                .contains("is a folder")
        );
    }
}
