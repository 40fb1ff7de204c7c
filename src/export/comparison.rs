//! Export of a comparison of two sessions, in every format.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use super::drawn::{self, Drawn};
use super::folder::Folder;
use super::{ExportError, Format, csv, json, npz, print, store, wrote};
use crate::comparison::{Compared, Pair};
use crate::drawing::Sheet;
use crate::figure;

pub use super::what::What;

/// Maximum number of classes in one figure.
const MOST: usize = 12;

/// Writes the comparison. Without `out`, JSON goes to standard output; into the current folder, NPZ goes to
/// `A-vs-B.npz`, CSV to `A-vs-B-tables/` and figures to `A-vs-B-figures/`.
///
/// # Errors
/// If it cannot be written; the message contains the path.
pub fn write(export: &What<'_>, format: Format, out: Option<&Path>) -> Result<(), ExportError> {
    let default = |ending: &str| {
        let [a, b] = export.pair.names();
        PathBuf::from(format!("{a}-vs-{b}{ending}"))
    };
    if let Some(kind) = format.drawn() {
        let folder = Folder::begin(out.unwrap_or(&default("-figures")))?;
        figures(export, &folder, &Drawn::all(kind))?;
        wrote(&folder.finish()?);
        return Ok(());
    }
    let (bytes, path) = match format {
        Format::Npz => {
            let mut bytes = Cursor::new(Vec::new());
            npz::comparison(export, &mut bytes)?;
            let path = out.map_or_else(|| default(".npz"), Path::to_owned);
            (bytes.into_inner(), path)
        }
        Format::Csv => {
            let folder = Folder::begin(out.unwrap_or(&default("-tables")))?;
            let shown = export.alike.and_then(Result::ok);
            for (name, table) in
                csv::comparison(export.pair, &export.places, &export.responses, shown)
            {
                folder.write(&format!("{name}.csv"), table.text().as_bytes())?;
            }
            wrote(&folder.finish()?);
            return Ok(());
        }
        _ => {
            let value =
                json::comparison(export.pair, &export.places, &export.responses, export.alike);
            let bytes = format!("{value:#}\n").into_bytes();
            match out {
                None => return print(&bytes),
                Some(out) => (bytes, out.to_owned()),
            }
        }
    };
    store(&path, &bytes).map_err(|error| ExportError::File {
        path: path.clone(),
        error,
    })?;
    wrote(&path);
    Ok(())
}

/// Writes every γ and response as figures of at most [`MOST`] classes: `evidence-gamma-0.2.png`, and so on.
fn figures(export: &What<'_>, folder: &Folder, drawn: &Drawn) -> Result<(), ExportError> {
    for &place in &export.places {
        for &response in &export.responses {
            let compared = Compared::new(export.pair, place, response);
            let all = || {
                let has = |class: &usize| (0..2).any(|side| compared.map(side, *class).is_some());
                (0..compared.classes.len()).filter(has).collect()
            };
            let classes: Vec<usize> = export.classes.clone().unwrap_or_else(all);
            for (part, classes) in (1..).zip(classes.chunks(MOST)) {
                let drawing = figure::comparison(export.pair, &compared, classes, drawn.sheet);
                let part = match part {
                    1 => String::new(),
                    part => format!("-{part}"),
                };
                let gamma = crate::format::gamma(compared.gamma);
                let name = format!("{}-gamma-{gamma}{part}", response.key());
                drawn::add(folder, &name, &drawing, drawn)?;
            }
        }
    }
    Ok(())
}

/// Writes the maps of one class (A, B and their difference) as a figure into a folder and returns its path:
/// `A-vs-B-evidence-map-8-gamma-0.2.png`.
///
/// # Errors
/// If the file cannot be written.
pub fn one(
    pair: &Pair<'_>,
    compared: &Compared,
    class: usize,
    folder: &Path,
) -> Result<PathBuf, ExportError> {
    let [a, b] = pair.names();
    let name = format!(
        "{a}-vs-{b}-{}-map-{class}-gamma-{}",
        compared.response.key(),
        crate::format::gamma(compared.gamma)
    );
    let drawing = figure::comparison(pair, compared, &[class], Sheet::DOUBLE);
    drawn::alone(&drawing, &name, folder)
}
