//! `--data` of a new session: images of one's own, or the folder of full sets.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::Refusal;
use crate::data::{self, Kind, Request, catalog};
use crate::session::config::{Dataset, DatasetName, DatasetSource};

/// What a plan says of the images at a path; `None` where it is a folder of full sets.
///
/// # Errors
/// Where it is neither, in words.
pub fn images(path: &Path) -> Result<Option<Dataset>, Refusal> {
    if is_images(path) {
        return dataset(path).map(Some);
    }
    if holds_sets(path) {
        return Ok(None);
    }
    Err(neither(path))
}

/// Whether there are images at a path which is no folder of full sets; also a level or two below
/// it, and above it where the path is a part of a set.
pub fn is_images(path: &Path) -> bool {
    let Some(found) = data::recognise(path) else {
        return false;
    };
    // A class may be called `mnist`; and arrays may lie beside the full sets by accident.
    (found.kind() == Kind::Pictures && data::is_images(path)) || !holds_sets(path)
}

fn holds_sets(path: &Path) -> bool {
    let mut sets = catalog::SETS.into_iter();
    sets.any(|spec| data::set_dir(path, spec).is_dir())
}

fn dataset(path: &Path) -> Result<Dataset, Refusal> {
    let whole = std::path::absolute(path).map_err(Refusal::failed)?;
    if whole.to_str().is_none() {
        return Err(Refusal::Usage(format!(
            "--data {}: the path has bytes that are no UTF-8, which a session file cannot hold; rename it",
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

/// The name of a set: that of its file, else of its folder, or of the whole where a part was given.
fn name(path: &Path) -> String {
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let found = data::recognise(path);
    let inside = found.as_ref().and_then(|it| it.folder.canonicalize().ok());
    let is_array = found.is_some_and(|found| found.kind() == Kind::Numpy);
    let named = match inside {
        _ if path.is_file() && is_array => path.file_stem(),
        Some(whole) if real.starts_with(&whole) && real != whole => {
            return plain(whole.file_name().unwrap_or_default());
        }
        _ => path.file_name().or(real.file_name()),
    };
    plain(named.unwrap_or_default())
}

/// A name that harms no terminal.
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

fn neither(path: &Path) -> Refusal {
    let plan = Dataset {
        name: DatasetName::Own("images".into()),
        source: DatasetSource::Folder(path.to_owned()),
        ..Dataset::default()
    };
    let request = Request {
        plan: &plan,
        seed: 0,
        data: &PathBuf::new(),
        cache: None,
    };
    let reason = match data::load(&request, &mut |_, _| ControlFlow::Continue(())) {
        Err(error) => error.to_string(),
        Ok(_) => "it changed meanwhile".into(),
    };
    if path.is_file() {
        return Refusal::Usage(format!("--data {}: {reason}", path.display()));
    }
    let sets = catalog::SETS.map(|spec| spec.slug).join(", ");
    Refusal::Usage(format!(
        "--data {0} is neither images of your own nor the folder of full sets. As images: {reason}. As the folder \
         of full sets it would hold a folder of one of them ({sets}); `noisescope data fetch --data {0}` makes such \
         a folder",
        path.display()
    ))
}
