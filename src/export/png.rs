//! Figures of a session as files: every one, or one alone.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use image::{ImageFormat, RgbImage};

use super::folder::Folder;
use super::{ExportError, store};
use crate::figure::{self, Figure};
use crate::session::Session;

/// Writes them into a folder, each under the name of its figure: `map-8-gamma-0.2.png`.
///
/// # Errors
/// Where the session has no figure yet, or a file cannot be written.
pub fn png(session: &Session, folder: &Folder) -> Result<(), ExportError> {
    let figures = figure::all(session);
    if figures.is_empty() {
        return Err(ExportError::Nothing {
            name: session.name.clone(),
        });
    }
    for figure in figures {
        let image = encoded(&figure::draw(session, &figure)?)?;
        folder.write(&format!("{}.png", figure.name()), &image)?;
    }
    Ok(())
}

/// Writes one figure into a folder, as `NAME-map-8-gamma-0.2.png`, and gives its path. One that is there
/// already is replaced, in one step.
///
/// # Errors
/// Where the session does not have the figure, or the file cannot be written.
pub fn one(session: &Session, figure: &Figure, folder: &Path) -> Result<PathBuf, ExportError> {
    let bytes = encoded(&figure::draw(session, figure)?)?;
    let path = folder.join(format!("{}-{}.png", session.name, figure.name()));
    match store(&path, &bytes) {
        Ok(()) => Ok(path),
        Err(error) => Err(ExportError::File { path, error }),
    }
}

/// An image as the bytes of a PNG file.
///
/// # Errors
/// Where it cannot be encoded.
pub(super) fn encoded(image: &RgbImage) -> Result<Vec<u8>, ExportError> {
    let mut bytes = Cursor::new(Vec::new());
    image
        .write_to(&mut bytes, ImageFormat::Png)
        .map_err(|error| ExportError::Encode(std::io::Error::other(error)))?;
    Ok(bytes.into_inner())
}
