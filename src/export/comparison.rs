//! Two sessions compared, for other programs.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use super::drawn::{self, Drawn};
use super::folder::Folder;
use super::{ExportError, Format, csv, json, npz, print, store, wrote};
use crate::comparison::{Compared, Pair};
use crate::drawing::Sheet;
use crate::figure;

pub use super::what::What;

/// Most classes on one figure.
const MOST: usize = 12;

/// Writes it. Without `out`, JSON goes to standard output, and into the current folder NPZ to
/// `A-vs-B.npz`, CSV to `A-vs-B-tables/` and figures to `A-vs-B-figures/`.
///
/// # Errors
/// Where it cannot be written; the path is in the message.
pub fn write(what: &What<'_>, format: Format, out: Option<&Path>) -> Result<(), ExportError> {
    let default = |ending: &str| {
        let [a, b] = what.pair.names();
        PathBuf::from(format!("{a}-vs-{b}{ending}"))
    };
    if let Some(kind) = format.drawn() {
        let folder = Folder::begin(out.unwrap_or(&default("-figures")))?;
        figures(what, &folder, &Drawn::all(kind))?;
        wrote(&folder.finish()?);
        return Ok(());
    }
    let (bytes, path) = match format {
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
        _ => {
            let value = json::comparison(what.pair, &what.places, &what.responses, what.alike);
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

/// Every γ and response as a figure of at most [`MOST`] classes: `evidence-gamma-0.2.png`, and so on.
fn figures(what: &What<'_>, folder: &Folder, drawn: &Drawn) -> Result<(), ExportError> {
    for &place in &what.places {
        for &response in &what.responses {
            let compared = Compared::new(what.pair, place, response);
            let all = || {
                let has = |class: &usize| (0..2).any(|at| compared.map(at, *class).is_some());
                (0..compared.classes.len()).filter(has).collect()
            };
            let classes: Vec<usize> = what.classes.clone().unwrap_or_else(all);
            for (part, classes) in (1..).zip(classes.chunks(MOST)) {
                let drawing = figure::comparison(what.pair, &compared, classes, drawn.sheet);
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

/// Writes the maps of one class, those of A and B and their difference, as a figure into a folder, and
/// gives its path: `A-vs-B-evidence-map-8-gamma-0.2.png`.
///
/// # Errors
/// Where the file cannot be written.
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
