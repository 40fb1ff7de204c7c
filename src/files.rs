//! Safe handling of files that someone else may have created: opens only regular files, and quotes paths
//! for a shell.

use std::ffi::OsStr;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;

use crate::format::bytes;
use crate::host;

/// Opens a regular file for reading. Never blocks on a named pipe and never reads a device.
///
/// # Errors
/// The system's error, or what the path is if not a regular file.
pub fn open(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags(OFlags::NONBLOCK))
        .open(path)?;
    check_regular(&file.metadata()?)?;
    Ok(file)
}

/// Reads the whole content of a regular file.
///
/// # Errors
/// As [`open`], and if there is not enough memory for the content.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = open(path)?;
    let free = host::available_memory().unwrap_or(u64::MAX);
    let mut content = room_for(file.metadata()?.len(), free)?;
    file.read_to_end(&mut content)?;
    Ok(content)
}

/// Memory for a content of `length` bytes, if that many are `free`.
///
/// # Errors
/// If there is less.
fn room_for(length: u64, free: u64) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    if length > free || content.try_reserve_exact(length as usize).is_err() {
        return Err(io::Error::other(format!(
            "it has {}, but only {} of memory is free",
            bytes(length),
            bytes(free)
        )));
    }
    Ok(content)
}

/// A text without the byte-order mark that some editors write at its beginning.
pub fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// Opens a file for appending, or creates it readable by its owner only. Does not follow a symbolic link.
///
/// # Errors
/// The system's error, or what the path is if not a regular file.
pub fn append(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .custom_flags(flags(OFlags::NOFOLLOW | OFlags::NONBLOCK))
        .open(path)
        .map_err(|error| match error.raw_os_error() {
            Some(code) if code == rustix::io::Errno::LOOP.raw_os_error() => symlink_error(),
            _ => error,
        })?;
    check_regular(&file.metadata()?)?;
    Ok(file)
}

/// Writes a file that replaces any earlier one of its name as a whole or not at all. A link or a pipe of that name is
/// replaced, too; nothing is written into it.
///
/// # Errors
/// The system's error; then whatever had this name still has it.
pub fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}.tmp", std::process::id()));
    replace_by(Path::new(&beside), path, content)
}

/// The same by a temporary file of this path, in the same folder.
///
/// # Errors
/// The system's error; then whatever had this name still has it.
pub fn replace_by(beside: &Path, path: &Path, content: &[u8]) -> io::Result<()> {
    // Left by an earlier process of this number, or planted.
    let _ = fs::remove_file(beside);
    let written = File::create_new(beside).and_then(|mut file| {
        file.write_all(content)?;
        match file.sync_all() {
            // Not every file system can.
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::InvalidInput | ErrorKind::Unsupported
                ) => {}
            synced => synced?,
        }
        fs::rename(beside, path)
    });
    if written.is_err() {
        let _ = fs::remove_file(beside);
    }
    written
}

/// What to do if a file cannot grow or be created because its disk, a quota or a limit is exhausted, after a semicolon;
/// empty for other errors.
pub fn room_remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            "; free some space on its disk, or remove files if it has too many (df, df -i)"
        }
        ErrorKind::FileTooLarge => "; raise the limit on the size of its files (prlimit --fsize)",
        _ => "",
    }
}

/// The error for a path that is an unexpected symbolic link.
pub fn symlink_error() -> io::Error {
    io::Error::other("it is a symbolic link, which is not followed here; remove it")
}

/// Converts [`OFlags`] to the integer that the standard library takes.
pub fn flags(flags: OFlags) -> i32 {
    flags.bits() as i32
}

/// Refuses anything that is not a regular file.
///
/// # Errors
/// What it is instead.
pub fn check_regular(about: &Metadata) -> io::Result<()> {
    match kind(about) {
        None => Ok(()),
        Some(kind) => Err(io::Error::other(format!("it is {kind}, not a file"))),
    }
}

/// The kind of a file that is not a regular one, with its article; `None` for a regular file.
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

/// A path as a single shell word, quoted if necessary.
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

    /// The words as a shell expands them.
    fn through_a_shell(words: &str) -> Vec<u8> {
        let shell = std::process::Command::new("bash")
            .args(["-c", &format!("printf %s {words}")])
            .output();
        shell.unwrap().stdout
    }

    #[test]
    fn a_shell_reads_a_quoted_path_as_the_path() {
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
    fn a_quoted_path_is_one_line_that_a_person_can_read() {
        assert_eq!(quoted("with space"), "'with space'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted("gr\u{fc}n"), "'gr\u{fc}n'");
        assert_eq!(quoted("line\nfeed"), r"$'line\x0afeed'");
        let path = OsStr::from_bytes(b"it's \xff\\");
        assert_eq!(quoted(path), r"$'it\'s \xff\\'");
    }

    #[test]
    fn pipes_devices_and_planted_links_are_refused_without_waiting() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        let message = |result: io::Result<File>| result.unwrap_err().to_string();
        assert!(message(open(&pipe)).contains("a named pipe"));
        assert!(message(open(Path::new("/dev/zero"))).contains("a device"));
        assert!(message(open(folder.path())).contains("a folder"));
        let (link, target) = (folder.path().join("link"), folder.path().join("target"));
        std::os::unix::fs::symlink(&target, &link).unwrap();
        assert!(message(append(&link)).contains("symbolic link"));
        assert!(!target.exists(), "nothing was created through the link");
        append(&target).unwrap();
        assert!(open(&link).is_ok(), "reading through a link is harmless");
    }

    #[test]
    fn a_file_is_replaced_as_a_whole_or_not_at_all_and_never_through_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("target"), "my own").unwrap();
        fs::write(at("old"), "a longer text").unwrap();
        std::os::unix::fs::symlink(at("target"), at("link")).unwrap();
        let made = std::process::Command::new("mkfifo")
            .arg(at("pipe"))
            .status();
        assert!(made.unwrap().success());
        for name in ["new", "old", "link", "pipe"] {
            replace(&at(name), b"text").unwrap();
            let about = fs::symlink_metadata(at(name)).unwrap();
            assert!(about.is_file(), "{name}");
            assert_eq!(fs::read(at(name)).unwrap(), b"text", "{name}");
        }
        assert_eq!(fs::read(at("target")).unwrap(), b"my own");
        // What cannot be replaced stays, and nothing is left beside it.
        fs::create_dir(at("folder")).unwrap();
        assert!(replace(&at("folder"), b"text").is_err());
        assert!(at("folder").is_dir());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 6);
    }

    #[test]
    fn every_kind_of_file_has_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("file"), "text").unwrap();
        std::os::unix::fs::symlink(at("file"), at("link")).unwrap();
        let made = std::process::Command::new("mkfifo")
            .arg(at("pipe"))
            .status();
        assert!(made.unwrap().success());
        let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
        for (path, expected) in [
            (at("file"), None),
            (at("link"), Some("a symbolic link")),
            (at("pipe"), Some("a named pipe")),
            (at("socket"), Some("a socket")),
            (folder.path().to_owned(), Some("a folder")),
            ("/dev/null".into(), Some("a device")),
        ] {
            let about = std::fs::symlink_metadata(&path).unwrap();
            assert_eq!(kind(&about), expected, "{path:?}");
        }
        assert_eq!(read(&at("link")).unwrap(), b"text");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_has_no_kind_of_its_own_is_not_taken_for_a_device() {
        use rustix::event::{EventfdFlags, eventfd};
        let counter = File::from(eventfd(0, EventfdFlags::empty()).unwrap());
        let about = counter.metadata().unwrap();
        assert_eq!(kind(&about), Some("something else"));
        let refused = check_regular(&about).unwrap_err();
        assert_eq!(refused.to_string(), "it is something else, not a file");
    }

    #[test]
    fn a_content_is_read_if_all_of_it_fits_into_free_memory() {
        assert!(room_for(10, 10).unwrap().capacity() >= 10);
        let refused = room_for(12_000, 11_000).unwrap_err().to_string();
        let expected = "it has 12.0 kB, but only 11.0 kB of memory is free";
        assert_eq!(refused, expected);
        // More than any machine has addresses for.
        assert!(room_for(u64::MAX, u64::MAX).is_err());
    }

    #[test]
    fn a_file_to_append_to_is_the_owners_and_neither_a_link_nor_a_device() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        append(&path).unwrap().write_all(b"one ").unwrap();
        append(&path).unwrap().write_all(b"two").unwrap();
        assert_eq!(read(&path).unwrap(), b"one two");
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        // Only a link is refused as one.
        let link = folder.path().join("link");
        std::os::unix::fs::symlink("anywhere", &link).unwrap();
        let message = append(&link).unwrap_err().to_string();
        assert_eq!(message, symlink_error().to_string());
        assert!(message.ends_with("remove it"), "{message}");
        let missing = append(&folder.path().join("missing/log")).unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
        let device = append(Path::new("/dev/null")).unwrap_err();
        assert_eq!(device.to_string(), "it is a device, not a file");
    }
}
