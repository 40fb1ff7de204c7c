//! Reading a session's file within this machine's memory: in full, or only its readable part.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use rustix::fs::fstat;

use super::fingerprint::FileFingerprint;
use super::{Result, StoreError};
use crate::files;
use crate::session::Session;
use crate::session::error::io_error;
use crate::session::memory::{check_free_memory, out_of_memory};
use crate::session::text::{ARRAYS, from_text, head_from_text};

/// Maximum size of a file without arrays when only the readable part is read.
const MOST_HEAD: usize = 24 << 20;
/// Maximum size of a readable part with arrays after it, as a session has: the counts of a thousand classes take 6 MB
/// for each γ.
const LONGEST_HEAD: usize = 256 << 20;
/// Bytes of memory that a byte of the readable part takes at most while it is parsed.
const PARSED: u64 = 8;
/// Bytes that are read at a time when only the readable part is read.
const PIECE: usize = 1 << 16;
/// Bytes at the end of a file that are looked at if its arrays are not read.
const TAIL: u64 = 64;

/// A session, and the fingerprint of the file that was read.
pub(super) fn read_session(path: &Path, name: &str) -> Result<(Session, FileFingerprint)> {
    let failed = |action| io_error(path, action);
    let mut file = files::open(path).map_err(failed("read the file"))?;
    let about = fstat(&file).map_err(|error| failed("read the file")(error.into()))?;
    let bytes = u64::try_from(about.st_size).unwrap_or(0);
    check_free_memory(path, "it has", bytes)?;
    let mut content = Vec::new();
    let reserved = content.try_reserve_exact(bytes as usize + 1);
    reserved.map_err(|_| out_of_memory(path, "it has", bytes))?;
    let read = (&mut file).take(bytes + 1).read_to_end(&mut content);
    read.map_err(failed("read the file"))?;
    let kept = FileFingerprint::from_content(&about, &content);
    let text = into_text(content, path)?;
    Ok((from_text(&text, path, name)?, kept))
}

/// A session without the numbers of its arrays, which stay empty: enough to show what it is and its
/// progress.
pub(super) fn read_head(path: &Path, name: &str) -> Result<Session> {
    read_head_within(path, name, MOST_HEAD)
}

/// The same of a file that has at most this many bytes if it has no arrays.
fn read_head_within(path: &Path, name: &str, most: usize) -> Result<Session> {
    let failed = |action| io_error(path, action);
    let mut file = files::open(path).map_err(failed("read the file"))?;
    let longest = most.max(LONGEST_HEAD);
    let (head, is_whole) = head(&mut file, longest).map_err(failed("read the file"))?;
    let limit = if is_whole && head.len() <= longest {
        most
    } else {
        longest
    };
    if head.len() > limit {
        return Err(StoreError::TooLarge {
            path: path.to_owned(),
            what: "its readable part is too long to list".into(),
            limit: limit as u64,
            free: false,
        });
    }
    let parsed = PARSED * head.len() as u64;
    check_free_memory(path, "its readable part needs", parsed)?;
    let text = into_text(head, path)?;
    match is_whole {
        // A plan that the user wrote, or a truncated file.
        true => from_text(&text, path, name),
        false if has_end(&mut file).map_err(failed("read the file"))? => {
            head_from_text(&text, path, name)
        }
        false => Err(StoreError::Damaged {
            path: path.to_owned(),
            problem: "it is truncated within its arrays".into(),
            advice: String::new(),
        }),
    }
}

/// Whether a file with arrays was written, or copied, to its end: the list of arrays and the session are closed.
fn has_end(file: &mut File) -> std::io::Result<bool> {
    let length = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
    let mut tail = Vec::new();
    file.take(TAIL).read_to_end(&mut tail)?;
    let session = tail.trim_ascii_end().strip_suffix(b")");
    let list = session.map(|before| before.trim_ascii_end());
    Ok(list.is_some_and(|list| {
        list.strip_suffix(b",")
            .unwrap_or(list)
            .trim_ascii_end()
            .ends_with(b"]")
    }))
}

/// The text before the arrays, and whether that is the whole file; at most [`PIECE`] more
/// bytes than `most`.
fn head(file: &mut File, most: usize) -> std::io::Result<(Vec<u8>, bool)> {
    let mut content = Vec::new();
    loop {
        let before = content.len();
        let read = file.take(PIECE as u64).read_to_end(&mut content)?;
        // The marker may span two chunks.
        let from = before.saturating_sub(ARRAYS.len());
        let mark = content[from..]
            .windows(ARRAYS.len())
            .position(|bytes| bytes[0] == ARRAYS.as_bytes()[0] && bytes == ARRAYS.as_bytes());
        if let Some(place) = mark {
            content.truncate(from + place);
            return Ok((content, false));
        }
        // Text does not contain NUL bytes: stop searching.
        if read == 0 || content.len() > most || content[before..].contains(&0) {
            return Ok((content, true));
        }
    }
}

fn into_text(content: Vec<u8>, path: &Path) -> Result<String> {
    String::from_utf8(content).map_err(|error| StoreError::Damaged {
        path: path.to_owned(),
        problem: format!(
            "byte {} is not UTF-8 text",
            error.utf8_error().valid_up_to()
        ),
        advice: String::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Config;
    use crate::session::schema::VERSION;
    use crate::session::text::to_text;
    use std::fs;
    use std::io::{Seek, Write};

    /// The length of the readable part of a file of this content, and whether that is the whole file.
    fn head_of(content: &[u8], most: usize) -> (usize, bool) {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(content).unwrap();
        file.rewind().unwrap();
        let (head, is_whole) = head(&mut file, most).unwrap();
        assert!(content.starts_with(&head));
        (head.len(), is_whole)
    }

    /// A file whose arrays come after this many bytes.
    fn with_arrays_after(length: usize) -> Vec<u8> {
        let mut content = vec![b'x'; length];
        content.extend_from_slice(ARRAYS.as_bytes());
        content.extend_from_slice(b"\"1\"],\n)");
        content
    }

    #[test]
    fn the_readable_part_ends_before_the_arrays_wherever_they_begin() {
        for length in [0, 10, PIECE - 5, PIECE, 2 * PIECE + 100] {
            let content = with_arrays_after(length);
            assert_eq!(head_of(&content, MOST_HEAD), (length, false));
        }
    }

    #[test]
    fn the_search_for_the_arrays_ends_at_the_limit_at_a_nul_byte_and_at_the_end() {
        let mut content = with_arrays_after(PIECE + 50);
        assert_eq!(head_of(&content, PIECE), (PIECE + 50, false));
        assert_eq!(head_of(&content, PIECE - 1), (PIECE, true));
        content[3] = 0;
        assert_eq!(head_of(&content, MOST_HEAD), (PIECE, true));
        let without = vec![b'x'; 2 * PIECE];
        assert_eq!(head_of(&without, MOST_HEAD), (2 * PIECE, true));
        assert_eq!(head_of(b"", MOST_HEAD), (0, true));
    }

    #[test]
    fn the_readable_part_of_a_session_and_a_plan_without_a_record_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.ron");
        let mut session = Session::new("mine", Config::default());
        session.record.updated = 5;
        fs::write(&path, to_text(&session).unwrap()).unwrap();
        let head = read_head(&path, "mine").unwrap();
        assert_eq!(
            (head.name.as_str(), head.record.updated, &head.config),
            ("mine", 5, &session.config)
        );
        let plan = ron::to_string(&session.config).unwrap();
        let plan = format!("(version: {VERSION}, config: {plan})");
        fs::write(&path, &plan).unwrap();
        assert_eq!(read_head(&path, "mine").unwrap().config, session.config);
        // A readable part of exactly the limit is read, a longer one is not.
        assert!(read_head_within(&path, "mine", plan.len()).is_ok());
        let error = read_head_within(&path, "mine", plan.len() - 1).unwrap_err();
        assert!(matches!(error, StoreError::TooLarge { .. }), "{error}");
    }

    #[test]
    fn the_readable_part_of_a_session_of_many_classes_may_be_long() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.ron");
        let session = Session::new("mine", Config::default());
        fs::write(&path, to_text(&session).unwrap()).unwrap();
        // Arrays come after it, so it is a session and no plan.
        assert!(read_head_within(&path, "mine", 10).unwrap() == session);
    }

    #[test]
    fn a_file_may_begin_with_the_byte_order_mark_of_an_editor() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.ron");
        let whole = to_text(&Session::new("mine", Config::default())).unwrap();
        let plan = format!("(version: {VERSION}, config: (seed: 5))");
        for (text, seed) in [(whole.as_str(), Config::default().seed), (plan.as_str(), 5)] {
            fs::write(&path, format!("\u{feff}{text}")).unwrap();
            assert_eq!(read_head(&path, "mine").unwrap().config.seed, seed);
            let (session, _) = read_session(&path, "mine").unwrap();
            assert_eq!(session.config.seed, seed);
        }
        // A file of nothing else is still empty.
        fs::write(&path, "\u{feff}").unwrap();
        let error = read_session(&path, "mine").unwrap_err().to_string();
        assert!(error.contains("it is empty"), "{error}");
    }

    #[test]
    fn a_file_that_is_cut_within_its_arrays_is_not_listed_as_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.ron");
        let whole = to_text(&Session::new("mine", Config::default())).unwrap();
        let arrays = whole.find(ARRAYS).unwrap() + ARRAYS.len();
        for length in arrays..=whole.trim_end().len() {
            fs::write(&path, &whole[..length]).unwrap();
            let head = read_head(&path, "mine");
            assert_eq!(
                head.is_ok(),
                read_session(&path, "mine").is_ok(),
                "{length}"
            );
            assert_eq!(head.is_ok(), length == whole.trim_end().len(), "{length}");
        }
        // Written by an editor.
        fs::write(&path, format!("{}\r\n \n", whole.trim_end())).unwrap();
        assert!(read_head(&path, "mine").is_ok());
    }

    #[test]
    fn an_empty_file_is_called_empty() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.ron");
        fs::write(&path, "").unwrap();
        let error = read_session(&path, "mine").unwrap_err().to_string();
        assert!(error.contains("it is empty"), "{error}");
    }

    /// The system gives the size of such a file as 0.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_that_is_longer_than_its_size_was_is_not_taken_for_the_shorter_one() {
        let error = read_session(Path::new("/proc/self/status"), "mine").unwrap_err();
        let error = error.to_string();
        assert!(error.contains("it is not a session"), "{error}");
    }
}
