//! Reading a session's file within this machine's memory: in full, or only its readable part.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use rustix::fs::fstat;

use super::fingerprint::FileFingerprint;
use super::{Result, StoreError};
use crate::files;
use crate::session::Session;
use crate::session::error::io_error;
use crate::session::memory::{check_free_memory, out_of_memory};
use crate::session::text::{ARRAYS, from_text, head_from_text};

/// Maximum size of the readable part when only that is read.
const MOST_HEAD: usize = 24 << 20;

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
    let failed = |action| io_error(path, action);
    let mut file = files::open(path).map_err(failed("read the file"))?;
    let (head, is_whole) = head(&mut file).map_err(failed("read the file"))?;
    if head.len() > MOST_HEAD {
        return Err(StoreError::TooLarge {
            path: path.to_owned(),
            what: "its readable part is too long to list".into(),
            limit: MOST_HEAD as u64,
            free: false,
        });
    }
    let text = into_text(head, path)?;
    match is_whole {
        // A plan that the user wrote, or a truncated file.
        true => from_text(&text, path, name),
        false => head_from_text(&text, path, name),
    }
}

/// The text before the arrays, and whether that is the whole file; at most a little more than
/// [`MOST_HEAD`] bytes.
fn head(file: &mut File) -> std::io::Result<(Vec<u8>, bool)> {
    const PIECE: usize = 1 << 16;
    let mut content = Vec::new();
    loop {
        let before = content.len();
        let read = file.take(PIECE as u64).read_to_end(&mut content)?;
        // The marker may span two chunks.
        let from = before.saturating_sub(ARRAYS.len());
        let mark = content[from..]
            .windows(ARRAYS.len())
            .position(|bytes| bytes == ARRAYS.as_bytes());
        if let Some(place) = mark {
            content.truncate(from + place);
            return Ok((content, false));
        }
        // Text does not contain NUL bytes: stop searching.
        if read == 0 || content.len() > MOST_HEAD || content[before..].contains(&0) {
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
