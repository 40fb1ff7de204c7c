//! Export of a comparison of two sessions, in every format.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use super::figure_files::{self, FigureExport, FigureFormat};
use super::folder::ExportFolder;
use super::{ExportError, csv, json, npz, write_and_report, write_folder, write_stdout};
use crate::comparison::{MapComparison, SessionPair};
use crate::drawing::Sheet;
use crate::figure;
use crate::ids::{ClassId, Gamma};
use crate::session::config::Response;

pub use super::comparison_export::ComparisonExport;

/// Maximum number of classes in one figure.
const MOST: usize = 12;

/// The format of a comparison's export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ComparisonFormat {
    /// Every number as one JSON object, without the maps.
    Json,
    /// The maps and counts, for numpy.load.
    Npz,
    /// Every number as tidy tables, in a folder of files.
    Csv,
    /// The maps as vector graphics for web pages, in a folder of files.
    Svg,
    /// The maps as vector graphics for papers, in a folder of files.
    Pdf,
    /// The maps as pixels, in a folder of files.
    Png,
}

impl ComparisonFormat {
    /// The format of the figures; `None` if it exports numbers.
    pub fn figure_format(self) -> Option<FigureFormat> {
        match self {
            Self::Svg => Some(FigureFormat::Svg),
            Self::Pdf => Some(FigureFormat::Pdf),
            Self::Png => Some(FigureFormat::Png),
            Self::Json | Self::Npz | Self::Csv => None,
        }
    }
}

/// Writes the comparison. Without `out`, JSON goes to standard output; into the current folder, NPZ goes to
/// `A-vs-B.npz`, CSV to `A-vs-B-tables/` and figures to `A-vs-B-figures/`.
///
/// # Errors
/// If it cannot be written; the message contains the path.
pub fn write(
    export: &ComparisonExport<'_>,
    format: ComparisonFormat,
    out: Option<&Path>,
) -> Result<(), ExportError> {
    let default = |ending: &str| {
        let [a, b] = export.pair.names();
        PathBuf::from(format!("{a}-vs-{b}{ending}"))
    };
    if let Some(kind) = format.figure_format() {
        kind.check()?;
        return write_folder(out.unwrap_or(&default("-figures")), |folder| {
            figures(export, folder, &FigureExport::all(kind))
        });
    }
    let (bytes, path) = match format {
        ComparisonFormat::Npz => {
            let mut bytes = Cursor::new(Vec::new());
            npz::comparison(export, &mut bytes)?;
            let path = out.map_or_else(|| default(".npz"), Path::to_owned);
            (bytes.into_inner(), path)
        }
        ComparisonFormat::Csv => {
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

/// Writes every γ and response as figures of at most [`MOST`] classes: `evidence-gamma-0.2.png`, and so on; of a single
/// class that was asked for: `evidence-map-8-gamma-0.2.png`.
fn figures(
    export: &ComparisonExport<'_>,
    folder: &ExportFolder,
    drawn: &FigureExport,
) -> Result<(), ExportError> {
    for &place in &export.places {
        for &response in &export.responses {
            let compared = MapComparison::new(export.pair, place, response);
            if let Some(class) = export.class {
                let drawing = figure::comparison(export.pair, &compared, &[class], drawn.sheet);
                let name = map_name(response, class, compared.gamma);
                figure_files::add_figure(folder, &name, &drawing, drawn)?;
                continue;
            }
            let has = |class: &ClassId| (0..2).any(|side| compared.map(side, *class).is_some());
            let all = ClassId::all(compared.classes.len());
            let classes: Vec<ClassId> = all.filter(has).collect();
            for (part, classes) in (1..).zip(classes.chunks(MOST)) {
                let drawing = figure::comparison(export.pair, &compared, classes, drawn.sheet);
                let name = figure_name(response, compared.gamma, part);
                figure_files::add_figure(folder, &name, &drawing, drawn)?;
            }
        }
    }
    Ok(())
}

/// The name of a file of figures, without extension: `evidence-gamma-0.2`, its second part `evidence-gamma-0.2-2`.
fn figure_name(response: Response, gamma: Gamma, part: usize) -> String {
    let part = match part {
        1 => String::new(),
        part => format!("-{part}"),
    };
    format!(
        "{}-gamma-{}{part}",
        response.key(),
        figure::exact_gamma(gamma)
    )
}

/// The name of a file of one class's figure, without extension: `evidence-map-8-gamma-0.2`.
fn map_name(response: Response, class: ClassId, gamma: Gamma) -> String {
    format!(
        "{}-map-{class}-gamma-{}",
        response.key(),
        figure::exact_gamma(gamma)
    )
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
        "{a}-vs-{b}-{}",
        map_name(compared.response, class, compared.gamma)
    );
    let drawing = figure::comparison(pair, compared, &[class], Sheet::DOUBLE);
    figure_files::write_png(&drawing, &name, folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_two_signal_strengths_have_two_names() {
        let name = |gamma: f64, part| figure_name(Response::Evidence, Gamma(gamma), part);
        assert_eq!(name(0.2, 1), "evidence-gamma-0.2");
        assert_eq!(name(0.0, 2), "evidence-gamma-0.0-2");
        assert_ne!(name(0.2, 1), name(0.2004, 1));
    }
}
