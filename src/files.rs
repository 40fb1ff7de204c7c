//! Files that somebody else may have put there: only regular ones are opened, and names are told so that a
//! shell takes them as they are.

use std::ffi::OsStr;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;

use crate::format::bytes;
use crate::host;

/// Opens a regular file to be read. A named pipe does not hold the program up and a device is not read.
///
/// # Errors
/// What the system said, or what the path is instead, in words.
pub fn open(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags(OFlags::NONBLOCK))
        .open(path)?;
    regular(&file.metadata()?)?;
    Ok(file)
}

/// The content of a regular file, where the system gives the memory that it takes.
///
/// # Errors
/// As [`open`], and where there is no memory for it, in words.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = open(path)?;
    let length = file.metadata()?.len();
    let mut content = Vec::new();
    let free = host::available_memory().unwrap_or(u64::MAX);
    let refused = length > free || content.try_reserve_exact(length as usize).is_err();
    if refused {
        return Err(io::Error::other(format!(
            "it has {}, and {} of memory are free",
            bytes(length),
            bytes(free)
        )));
    }
    file.read_to_end(&mut content)?;
    Ok(content)
}

/// Opens a file of one's own to add to it, or makes it; nobody else may read it. A link that was planted
/// there is not followed.
///
/// # Errors
/// What the system said, or what the path is instead, in words.
pub fn append(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .custom_flags(flags(OFlags::NOFOLLOW | OFlags::NONBLOCK))
        .open(path)
        .map_err(|error| match error.raw_os_error() {
            Some(code) if code == rustix::io::Errno::LOOP.raw_os_error() => planted(),
            _ => error,
        })?;
    regular(&file.metadata()?)?;
    Ok(file)
}

/// Says that a name is a symbolic link where none belongs.
pub fn planted() -> io::Error {
    io::Error::other("it is a symbolic link, which is not followed here; remove it")
}

/// Flags of [`OFlags`] as the standard library takes them.
pub fn flags(flags: OFlags) -> i32 {
    flags.bits() as i32
}

/// Refuses what is no regular file.
///
/// # Errors
/// What it is, in words.
pub fn regular(about: &Metadata) -> io::Result<()> {
    match kind(about) {
        None => Ok(()),
        Some(kind) => Err(io::Error::other(format!("it is {kind}, not a file"))),
    }
}

/// What something is that is no regular file, with its article.
pub fn kind(about: &Metadata) -> Option<&'static str> {
    let kind = about.file_type();
    match () {
        () if kind.is_file() => None,
        () if kind.is_dir() => Some("a folder"),
        () if kind.is_symlink() => Some("a symbolic link"),
        () if kind.is_fifo() => Some("a named pipe"),
        () if kind.is_socket() => Some("a socket"),
        () if kind.is_block_device() || kind.is_char_device() => Some("a device"),
        () => Some("something else"),
    }
}

/// A path as a shell takes it for one word: in quotes where it has to be.
pub fn quoted(path: impl AsRef<OsStr>) -> String {
    let bytes = path.as_ref().as_bytes();
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-+,:@%".contains(byte);
    if !bytes.is_empty() && bytes.iter().all(plain) {
        return String::from_utf8_lossy(bytes).into_owned();
    }
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.contains(char::is_control) => {
            format!("'{}'", text.replace('\'', r"'\''"))
        }
        _ => {
            let escaped: String = bytes
                .iter()
                .map(|&byte| match byte {
                    b'\'' | b'\\' => format!("\\{}", char::from(byte)),
                    b' '..=b'~' => char::from(byte).to_string(),
                    _ => format!("\\x{byte:02x}"),
                })
                .collect();
            format!("$'{escaped}'")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a shell makes of the words.
    fn through_a_shell(words: &str) -> Vec<u8> {
        let shell = std::process::Command::new("bash")
            .args(["-c", &format!("printf %s {words}")])
            .output();
        shell.unwrap().stdout
    }

    #[test]
    fn a_shell_takes_a_quoted_path_for_the_path() {
        for path in [
            &b"/tmp/plain.ron"[..],
            b"with space",
            b"it's; rm -rf $HOME `x` \"y\"",
            b"",
            b"line\nfeed",
            b"not \xff unicode \\ '",
            "Gr\u{f6}\u{df}e".as_bytes(),
        ] {
            let words = quoted(OsStr::from_bytes(path));
            assert_eq!(through_a_shell(&words), path, "{words}");
        }
        assert_eq!(quoted("/a/b-c.ron"), "/a/b-c.ron");
    }

    #[test]
    fn pipes_devices_and_planted_links_are_refused_without_waiting() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        let said = |result: io::Result<File>| result.unwrap_err().to_string();
        assert!(said(open(&pipe)).contains("a named pipe"));
        assert!(said(open(Path::new("/dev/zero"))).contains("a device"));
        assert!(said(open(folder.path())).contains("a folder"));
        let (link, target) = (folder.path().join("link"), folder.path().join("target"));
        std::os::unix::fs::symlink(&target, &link).unwrap();
        assert!(said(append(&link)).contains("symbolic link"));
        assert!(!target.exists(), "nothing was made through the link");
        append(&target).unwrap();
        assert!(open(&link).is_ok(), "reading through a link is no harm");
    }
}
