//! Interprets `--data` of a new session: the user's own images, or the folder of full sets.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::CommandError;
use crate::data::{self, DatasetRequest, SetFormat, catalog};
use crate::session::config::{Dataset, DatasetName, DatasetSource};

/// The dataset entry for the images at a path; `None` if the path is a folder of full sets.
///
/// # Errors
/// If it is neither.
pub fn dataset_at(path: &Path) -> Result<Option<Dataset>, CommandError> {
    if has_images(path) {
        return dataset(path).map(Some);
    }
    if holds_sets(path) {
        return Ok(None);
    }
    Err(neither_error(path))
}

/// Whether a path holds images and is not a folder of full sets; also looks one or two levels below
/// it, and above it if the path is part of a set.
pub fn has_images(path: &Path) -> bool {
    let Some(found) = data::recognise(path) else {
        return false;
    };
    // A class folder may be called `mnist`, and arrays may lie beside the full sets by accident.
    (found.format() == SetFormat::Pictures && data::holds_images(path)) || !holds_sets(path)
}

fn holds_sets(path: &Path) -> bool {
    let mut sets = catalog::SETS.into_iter();
    sets.any(|spec| data::set_dir(path, spec).is_dir())
}

fn dataset(path: &Path) -> Result<Dataset, CommandError> {
    let whole = std::path::absolute(path).map_err(CommandError::failed)?;
    if whole.to_str().is_none() {
        return Err(CommandError::Usage(format!(
            "--data {}: the path is not valid UTF-8, which a session file cannot store; rename it",
            path.display()
        )));
    }
    Ok(Dataset {
        name: DatasetName::Own(name(&whole)),
        source: if whole.is_file() {
            DatasetSource::File(whole)
        } else {
            DatasetSource::Folder(whole)
        },
        ..Dataset::default()
    })
}

/// The name of a set: that of its file or folder, or of the whole set if a part of it was given.
fn name(path: &Path) -> String {
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let found = data::recognise(path);
    let inside = found
        .as_ref()
        .and_then(|found| found.folder.canonicalize().ok());
    let is_array = found.is_some_and(|found| found.format() == SetFormat::Numpy);
    let named = match inside {
        _ if path.is_file() && is_array => path.file_stem(),
        Some(whole) if real.starts_with(&whole) && real != whole => {
            return plain(whole.file_name().unwrap_or_default());
        }
        _ => path.file_name().or(real.file_name()),
    };
    plain(named.unwrap_or_default())
}

/// A name without control characters.
fn plain(name: &std::ffi::OsStr) -> String {
    let name = name.to_string_lossy();
    let name: String = name
        .chars()
        .map(|letter| if letter.is_control() { '_' } else { letter })
        .collect();
    if name.is_empty() {
        "images".into()
    } else {
        name
    }
}

fn neither_error(path: &Path) -> CommandError {
    let plan = Dataset {
        name: DatasetName::Own("images".into()),
        source: DatasetSource::Folder(path.to_owned()),
        ..Dataset::default()
    };
    let request = DatasetRequest {
        config: &plan,
        seed: 0,
        data: &PathBuf::new(),
        cache: None,
    };
    let reason = match data::load(&request, &mut |_, _| ControlFlow::Continue(())) {
        Err(error) => error.to_string(),
        Ok(_) => "it has just changed".into(),
    };
    if path.is_file() {
        return CommandError::Usage(format!("--data {}: {reason}", path.display()));
    }
    let sets = catalog::SETS.map(|spec| spec.slug).join(", ");
    CommandError::Usage(format!(
        "--data {0} is neither your own images nor the folder of full sets. As images: {reason}. As the folder \
         of full sets it would hold a folder for one of them ({sets}); `noisescope data fetch --data {0}` creates \
         such a folder",
        path.display()
    ))
}
