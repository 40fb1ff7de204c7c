//! Two sessions compared, for other programs.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use image::ImageFormat;

use super::folder::Folder;
use super::{ExportError, Format, csv, json, npz, print, store, wrote};
use crate::comparison::Compared;
use crate::figure::{self, Sheet};

pub use super::what::What;

/// Most classes on one figure.
const MOST: usize = 12;

/// Writes it. Without `out`, JSON goes to standard output, and into the current folder NPZ to
/// `A-vs-B.npz`, CSV to `A-vs-B-tables/` and PNG to `A-vs-B-figures/`.
///
/// # Errors
/// Where it cannot be written; the path is in the message.
pub fn write(what: &What<'_>, format: Format, out: Option<&Path>) -> Result<(), ExportError> {
    let default = |ending: &str| {
        let [a, b] = what.pair.names();
        PathBuf::from(format!("{a}-vs-{b}{ending}"))
    };
    let (bytes, path) = match format {
        Format::Json => {
            let value = json::comparison(what.pair, &what.places, &what.responses, what.alike);
            let bytes = format!("{value:#}\n").into_bytes();
            match out {
                None => return print(&bytes),
                Some(out) => (bytes, out.to_owned()),
            }
        }
        Format::Npz => {
            let mut bytes = Cursor::new(Vec::new());
            npz::comparison(what, &mut bytes)?;
            let path = out.map_or_else(|| default(".npz"), Path::to_owned);
            (bytes.into_inner(), path)
        }
        Format::Csv => {
            let folder = Folder::begin(out.unwrap_or(&default("-tables")))?;
            let shown = what.alike.and_then(Result::ok);
            for (name, table) in csv::comparison(what.pair, &what.places, &what.responses, shown) {
                folder.write(&format!("{name}.csv"), table.text().as_bytes())?;
            }
            wrote(&folder.finish()?);
            return Ok(());
        }
        Format::Png => {
            let folder = Folder::begin(out.unwrap_or(&default("-figures")))?;
            figures(what, &folder)?;
            wrote(&folder.finish()?);
            return Ok(());
        }
    };
    store(&path, &bytes).map_err(|error| ExportError::File {
        path: path.clone(),
        error,
    })?;
    wrote(&path);
    Ok(())
}

/// Every γ and response as a figure of at most [`MOST`] classes: `evidence-gamma-0.2.png`, and so on.
fn figures(what: &What<'_>, folder: &Folder) -> Result<(), ExportError> {
    for &place in &what.places {
        for &response in &what.responses {
            let compared = Compared::new(what.pair, place, response);
            let all = || {
                let has = |class: &usize| (0..2).any(|at| compared.map(at, *class).is_some());
                (0..compared.classes.len()).filter(has).collect()
            };
            let classes: Vec<usize> = what.classes.clone().unwrap_or_else(all);
            for (part, classes) in (1..).zip(classes.chunks(MOST)) {
                let image = figure::comparison(what.pair, &compared, classes, Sheet::FILE);
                let mut bytes = Cursor::new(Vec::new());
                image
                    .write_to(&mut bytes, ImageFormat::Png)
                    .map_err(|error| ExportError::Encode(std::io::Error::other(error)))?;
                let part = match part {
                    1 => String::new(),
                    part => format!("-{part}"),
                };
                let gamma = crate::format::gamma(compared.gamma);
                let name = format!("{}-gamma-{gamma}{part}.png", response.key());
                folder.write(&name, &bytes.into_inner())?;
            }
        }
    }
    Ok(())
}
