//! What can be wrong with a session file, said to the person who has it.

use std::io;
use std::path::{Path, PathBuf};

use super::config;
use super::schema::VERSION;
use crate::format::bytes;

/// A session or configuration file that cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The operating system refused.
    #[error("{}: cannot {action}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// Why not.
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
        /// What stands there and what would be right.
        problem: String,
    },
    /// A value out of its range.
    #[error("{}: {source}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Where in it, and why.
        source: config::Invalid,
    },
    /// Written by a newer program.
    #[error(
        "{}: it was written by a newer noisescope (schema {found}; this one reads up to {VERSION}). Update noisescope; the file was left as it is.",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: u32,
    },
    /// The numbers are not those that were written.
    #[error("{}: the file is damaged: {problem}. {}", path.display(), advice)]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
        /// What to do about it.
        advice: String,
    },
    /// There is none of that name.
    #[error("there is no session `{name}` in {}. {}", folder.display(), hint)]
    Missing {
        /// The name asked for.
        name: String,
        /// Where it was looked for.
        folder: PathBuf,
        /// The ones that exist, or how to make one.
        hint: String,
    },
    /// Another engine runs it.
    #[error(
        "session `{name}` is being run already{}. Look in with `noisescope attach {name}`, or wait until it has ended.",
        by.as_ref().map_or_else(String::new, |by| format!(" by {by}"))
    )]
    Locked {
        /// The session.
        name: String,
        /// The engine's process and machine in words, where they are known.
        by: Option<String>,
    },
    /// The engine that has it is not the only one any more, or its file is not the one that it wrote.
    #[error(
        "{}: this engine has stopped writing, since it may not be the only one of session `{name}`: {what}",
        path.display()
    )]
    Ousted {
        /// The session.
        name: String,
        /// Its file.
        path: PathBuf,
        /// What was found.
        what: String,
    },
    /// No regular file stands where a session's file belongs.
    #[error("{}: it is {kind}, not a session's file. {remedy}", path.display())]
    NotAFile {
        /// Where.
        path: PathBuf,
        /// What it is, with its article.
        kind: &'static str,
        /// What to do about it.
        remedy: String,
    },
    /// A shard that is none of its session's.
    #[error("{}: {problem}", path.display())]
    Foreign {
        /// The shard's file.
        path: PathBuf,
        /// What in it is of something else, and what to do.
        problem: String,
    },
    /// More than this machine, or this program, takes into memory.
    #[error("{}: {what}; at most {} are read{}", path.display(), bytes(*limit), if *free { ", which is what is free on this machine" } else { "" })]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// How much is asked for, in words.
        what: String,
        /// Bytes that are allowed.
        limit: u64,
        /// Whether more memory would do.
        free: bool,
    },
    /// A name that is no plain file name.
    #[error(
        "`{0}` cannot be a session's name: use letters, digits, `.`, `-` and `_`, not starting with a dot or a dash, at most 100 characters"
    )]
    Name(String),
}

impl StoreError {
    /// Whether trying again would not be right: somebody else may have the session.
    pub fn is_ousted(&self) -> bool {
        matches!(self, Self::Ousted { .. })
    }
}

/// Says which file could not be acted upon, and how.
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
