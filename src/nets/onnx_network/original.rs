//! The ONNX file that a session began with: at the path in its plan, beside the session, or stored in it.

use std::path::{Path, PathBuf};

use crate::nets::import::onnx::{Bundle, OnnxError};
use crate::session::record::Model;

/// Why that file cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OriginalFileError {
    /// It cannot be read.
    #[error(transparent)]
    Onnx(#[from] OnnxError),
    /// It is missing or has changed.
    #[error("network.weights: {0}")]
    Changed(String),
}

/// The existing files that may be the network's: at the path in the plan, and beside the session.
pub fn candidates(path: &Path, folder: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let beside = path.file_name().map(|name| folder.join(name));
    let places = std::iter::once(path.to_owned()).chain(beside);
    places.filter(|place| place.is_file())
}

/// Opens a network's file: at the path in the plan, beside the session, or stored in it. It must be the one
/// that the session began with.
///
/// # Errors
/// If the file is missing or has changed.
pub fn bundle(
    began: Option<&Model>,
    path: &Path,
    folder: &Path,
) -> Result<Bundle, OriginalFileError> {
    let Some(began) = began else {
        return Ok(Bundle::open(path)?);
    };
    let is_kept = !began.file.values().is_empty();
    let mut others = Vec::new();
    for place in candidates(path, folder) {
        match Bundle::open(&place) {
            Ok(bundle) if bundle.sha256() == began.sha256 => return Ok(bundle),
            Err(error) if !is_kept => return Err(error.into()),
            _ => others.push(place.display().to_string()),
        }
    }
    if is_kept {
        return Ok(Bundle::from_bytes(path, began.file.values().to_vec())?);
    }
    let began = &began.sha256[..12.min(began.sha256.len())];
    Err(OriginalFileError::Changed(match others.is_empty() {
        true => format!(
            "{} is gone; restore the file that this session began with (SHA-256 {began}…), here or in {}",
            path.display(),
            folder.display()
        ),
        false => format!(
            "{} is not the file that this session began with (SHA-256 {began}…); restore that file, or start a new session",
            others.join(" and ")
        ),
    }))
}
