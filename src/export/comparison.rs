//! Export of a comparison of two sessions, in every format.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use super::figure_files::{self, FigureExport};
use super::folder::ExportFolder;
use super::{
    ExportError, ExportFormat, csv, json, npz, write_and_report, write_folder, write_stdout,
};
use crate::comparison::{MapComparison, SessionPair};
use crate::drawing::Sheet;
use crate::figure;
use crate::ids::ClassId;

pub use super::comparison_export::ComparisonExport;

/// Maximum number of classes in one figure.
const MOST: usize = 12;

/// Writes the comparison. Without `out`, JSON goes to standard output; into the current folder, NPZ goes to
/// `A-vs-B.npz`, CSV to `A-vs-B-tables/` and figures to `A-vs-B-figures/`.
///
/// # Errors
/// If it cannot be written; the message contains the path.
pub fn write(
    export: &ComparisonExport<'_>,
    format: ExportFormat,
    out: Option<&Path>,
) -> Result<(), ExportError> {
    let default = |ending: &str| {
        let [a, b] = export.pair.names();
        PathBuf::from(format!("{a}-vs-{b}{ending}"))
    };
    if let Some(kind) = format.figure_format() {
        return write_folder(out.unwrap_or(&default("-figures")), |folder| {
            figures(export, folder, &FigureExport::all(kind))
        });
    }
    let (bytes, path) = match format {
        ExportFormat::Npz => {
            let mut bytes = Cursor::new(Vec::new());
            npz::comparison(export, &mut bytes)?;
            let path = out.map_or_else(|| default(".npz"), Path::to_owned);
            (bytes.into_inner(), path)
        }
        ExportFormat::Csv => {
            return write_folder(out.unwrap_or(&default("-tables")), |folder| {
                let shown = export.agreement.and_then(Result::ok);
                let tables = csv::comparison(export.pair, &export.places, &export.responses, shown);
                csv::write_tables(tables, folder)
            });
        }
        _ => {
            let value = json::comparison(
                export.pair,
                &export.places,
                &export.responses,
                export.agreement,
            );
            let bytes = format!("{value:#}\n").into_bytes();
            match out {
                None => return write_stdout(&bytes),
                Some(out) => (bytes, out.to_owned()),
            }
        }
    };
    write_and_report(&path, &bytes)
}

/// Writes every γ and response as figures of at most [`MOST`] classes: `evidence-gamma-0.2.png`, and so on.
fn figures(
    export: &ComparisonExport<'_>,
    folder: &ExportFolder,
    drawn: &FigureExport,
) -> Result<(), ExportError> {
    for &place in &export.places {
        for &response in &export.responses {
            let compared = MapComparison::new(export.pair, place, response);
            let all = || {
                let has = |class: &ClassId| (0..2).any(|side| compared.map(side, *class).is_some());
                ClassId::all(compared.classes.len()).filter(has).collect()
            };
            let classes: Vec<ClassId> = export.classes.clone().unwrap_or_else(all);
            for (part, classes) in (1..).zip(classes.chunks(MOST)) {
                let drawing = figure::comparison(export.pair, &compared, classes, drawn.sheet);
                let part = match part {
                    1 => String::new(),
                    part => format!("-{part}"),
                };
                let gamma = crate::format::gamma(compared.gamma);
                let name = format!("{}-gamma-{gamma}{part}", response.key());
                figure_files::add_figure(folder, &name, &drawing, drawn)?;
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
pub fn write_one(
    pair: &SessionPair<'_>,
    compared: &MapComparison,
    class: ClassId,
    folder: &Path,
) -> Result<PathBuf, ExportError> {
    let [a, b] = pair.names();
    let name = format!(
        "{a}-vs-{b}-{}-map-{class}-gamma-{}",
        compared.response.key(),
        crate::format::gamma(compared.gamma)
    );
    let drawing = figure::comparison(pair, compared, &[class], Sheet::DOUBLE);
    figure_files::write_png(&drawing, &name, folder)
}
