//! Errors of session files, phrased for the user.

use std::io;
use std::path::{Path, PathBuf};

use super::config;
use super::schema::VERSION;
use crate::files;
use crate::format::bytes;

/// A session or configuration file that cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The operating system refused.
    #[error("{}: cannot {action}: {source}{}", path.display(), remedy(action, source))]
    Io {
        /// The file.
        path: PathBuf,
        /// The operation that failed.
        action: &'static str,
        /// The cause.
        source: io::Error,
    },
    /// The text is not a session.
    #[error("{}:{line}:{column}: {problem}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// What was found there and what was expected.
        problem: String,
    },
    /// A value is out of range.
    #[error("{}: {source}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// The place and the reason.
        source: config::ConfigError,
    },
    /// Written by a newer program.
    #[error(
        "{}: it was written by a newer noisescope (schema {found}; this one reads up to {VERSION}). Update noisescope; the file is unchanged",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: u32,
    },
    /// The numbers do not match their checksums or shapes.
    #[error("{}: the file is damaged: {problem}. {}", path.display(), advice)]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
        /// What to do about it.
        advice: String,
    },
    /// There is no session of that name.
    #[error("there is no session `{name}` in {}. {}", folder.display(), hint)]
    Missing {
        /// The requested name.
        name: String,
        /// The folder that was searched.
        folder: PathBuf,
        /// Existing sessions, or how to create one.
        hint: String,
    },
    /// Another engine is running it.
    #[error(
        "session `{name}` is already being run{}. Wait until it has ended, or view it: noisescope attach {name}",
        by.as_ref().map_or_else(String::new, |by| format!(" by {by}"))
    )]
    Locked {
        /// The session.
        name: String,
        /// The engine's process and machine, if known.
        by: Option<String>,
    },
    /// Another engine may have the session, or its file is not the one that this engine wrote.
    #[error(
        "{}: this engine has stopped writing, since another may be running session `{name}`: {what}",
        path.display()
    )]
    LockLost {
        /// The session.
        name: String,
        /// Its file.
        path: PathBuf,
        /// The evidence.
        what: String,
    },
    /// The session's path is not a regular file.
    #[error("{}: it is {kind}, not a session file. {remedy}", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
        /// What it is, with an article.
        kind: &'static str,
        /// What to do about it.
        remedy: String,
    },
    /// A shard that does not belong to the session.
    #[error("{}: {problem}", path.display())]
    Foreign {
        /// The shard's file.
        path: PathBuf,
        /// What does not match, and a remedy.
        problem: String,
    },
    /// It needs more memory than this machine or this program allows.
    #[error("{}: {what}; the limit is {}{}", path.display(), bytes(*limit), if *free { ", which is what is free on this machine" } else { "" })]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The required amount, in words.
        what: String,
        /// The limit in bytes.
        limit: u64,
        /// Whether the limit is the machine's free memory.
        free: bool,
    },
    /// The name is not a plain file name.
    #[error(
        "`{0}` cannot be a session's name: use letters, digits, `.`, `-` and `_`, not starting with a dot or a dash, at most 100 bytes (letters outside ASCII have 2 to 4)"
    )]
    Name(String),
}

impl StoreError {
    /// Whether a file cannot be written because its folder, or the file system, does not allow it.
    pub fn is_unwritable(&self) -> bool {
        use std::io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
        match self {
            Self::Io { source, .. } => {
                matches!(source.kind(), PermissionDenied | ReadOnlyFilesystem)
            }
            _ => false,
        }
    }

    /// Whether a retry would be wrong, since another engine may have the session.
    pub fn is_lock_lost(&self) -> bool {
        matches!(self, Self::LockLost { .. })
    }
}

/// What to do about a refusal of the system, after a semicolon; empty if it is unknown or depends on the command.
fn remedy(action: &str, source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::PermissionDenied if action.starts_with("read ") => {
            "; its owner can let you read it (chmod)"
        }
        _ => files::room_remedy(source),
    }
}

/// Wraps an I/O error with the file and the operation that failed.
pub(super) fn io_error(
    path: &Path,
    action: &'static str,
) -> impl FnOnce(io::Error) -> StoreError + use<> {
    let path = path.to_owned();
    move |source| StoreError::Io {
        path,
        action,
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_after_losing_its_lock_must_an_engine_not_try_again() {
        let lost = StoreError::LockLost {
            name: "mine".into(),
            path: "mine.ron".into(),
            what: "its file was removed".into(),
        };
        let locked = StoreError::Locked {
            name: "mine".into(),
            by: None,
        };
        let full = io::Error::from(io::ErrorKind::StorageFull);
        let full = io_error(Path::new("mine.ron"), "write")(full);
        assert!(lost.is_lock_lost());
        assert!(!locked.is_lock_lost() && !full.is_lock_lost());
    }

    #[test]
    fn who_may_not_read_a_file_is_told_who_can_change_that() {
        let denied = |action| {
            let denied = io::Error::from(io::ErrorKind::PermissionDenied);
            io_error(Path::new("mine.ron"), action)(denied).to_string()
        };
        let file = denied("read the file");
        assert!(file.starts_with("mine.ron: cannot read the file: "));
        assert!(file.ends_with("; its owner can let you read it (chmod)"));
        assert!(denied("read the sessions folder").contains("(chmod)"));
        // For these, it depends on the command.
        assert!(!denied("write the session").contains(';'));
    }

    #[test]
    fn a_file_is_unwritable_if_its_folder_or_its_file_system_does_not_allow_it() {
        use io::ErrorKind::{NotFound, PermissionDenied, ReadOnlyFilesystem, StorageFull};
        let failed = |kind| io_error(Path::new("mine.ron"), "write")(io::Error::from(kind));
        for kind in [PermissionDenied, ReadOnlyFilesystem] {
            assert!(failed(kind).is_unwritable(), "{kind}");
        }
        for kind in [NotFound, StorageFull] {
            assert!(!failed(kind).is_unwritable(), "{kind}");
        }
        assert!(!StoreError::Name("a/b".into()).is_unwritable());
    }
}
