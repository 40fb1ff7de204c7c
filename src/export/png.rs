//! Every figure of a session as a file.

use std::io::Cursor;

use image::ImageFormat;

use super::ExportError;
use super::folder::Folder;
use crate::figure;
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
        let image = figure::draw(session, &figure)?;
        let mut bytes = Cursor::new(Vec::new());
        image
            .write_to(&mut bytes, ImageFormat::Png)
            .map_err(|error| ExportError::Encode(std::io::Error::other(error)))?;
        folder.write(&format!("{}.png", figure.name()), &bytes.into_inner())?;
    }
    Ok(())
}
