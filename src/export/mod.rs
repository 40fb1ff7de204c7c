//! Export of everything measured in a session, for other programs. Reads a session and writes files; computes nothing.

use std::fs;
use std::io::{self, Cursor, Write};
use std::path::{Path, PathBuf};

use crate::figure::FigureError;
use crate::files::{self, room_remedy};
use crate::session::Session;

pub mod comparison;
mod comparison_export;
mod csv;
pub mod figure_files;
mod folder;
mod json;
mod npz;
pub mod trials;
pub mod weights;

use folder::ExportFolder;
pub use folder::export_ending;

pub use self::csv::{CsvTable, tables};
pub use figure_files::write_one as figure;
pub use json::json;
pub use npz::npz;

/// The format of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ExportFormat {
    /// Every number as one JSON object, without the maps.
    Json,
    /// The maps and counts, for numpy.load.
    Npz,
    /// Every number as tidy tables, in a folder of files.
    Csv,
    /// Every figure as vector graphics for web pages, in a folder of files.
    Svg,
    /// Every figure as vector graphics for papers, in a folder of files.
    Pdf,
    /// Every figure as pixels, in a folder of files.
    Png,
    /// The network's weights, for PyTorch and other programs.
    Safetensors,
}

impl ExportFormat {
    /// The format of the figures; `None` if it exports numbers.
    pub fn figure_format(self) -> Option<figure_files::FigureFormat> {
        match self {
            Self::Svg => Some(figure_files::FigureFormat::Svg),
            Self::Pdf => Some(figure_files::FigureFormat::Pdf),
            Self::Png => Some(figure_files::FigureFormat::Png),
            _ => None,
        }
    }
}

/// Why an export failed.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// Nothing has been measured yet.
    #[error(
        "{name} has measured nothing yet, so there is nothing to export; run it first: \
         noisescope run {name}"
    )]
    Nothing {
        /// The session.
        name: String,
    },
    /// The program was built without the feature `pdf`.
    #[error(
        "this build writes no PDF; build it with `cargo build --release --features pdf`, or write \
         SVG: --format svg"
    )]
    NoPdf,
    /// The data could not be encoded.
    #[error("the export could not be encoded: {0}")]
    Encode(io::Error),
    /// The file could not be written.
    #[error("{} could not be written: {error}{}", path.display(), room_remedy(error))]
    File {
        /// Its path.
        path: PathBuf,
        /// The system's error.
        error: io::Error,
    },
    /// A figure could not be drawn.
    #[error(transparent)]
    Figure(#[from] FigureError),
    /// The destination exists and was not written by an export.
    #[error(
        "{} already exists and was not written by an export; choose another path with --out",
        path.display()
    )]
    Occupied {
        /// The destination.
        path: PathBuf,
    },
    /// The export is several files, and the destination is the name of one or standard output.
    #[error(
        "this export writes several files, which {} cannot hold; name a folder with --out{alternative}",
        path.display()
    )]
    Several {
        /// The destination.
        path: PathBuf,
        /// Another remedy, if there is one, with the words before it.
        alternative: &'static str,
    },
    /// There is no network to write, or its file is missing.
    #[error("{0}")]
    Network(String),
    /// Standard output could not be written.
    #[error("standard output could not be written: {0}")]
    Stdout(io::Error),
}

/// Writes the session. Without `out`, JSON goes to standard output; into the current folder, NPZ goes to `NAME.npz`,
/// CSV to `NAME-tables/` and figures to `NAME-figures/`, and the path that was written is printed to standard error.
/// Every file replaces an earlier one of its name atomically, and other files in a folder stay.
///
/// # Errors
/// If there is nothing to write, or it cannot be written; the message contains the path.
pub fn write(
    session: &Session,
    format: ExportFormat,
    out: Option<&Path>,
) -> Result<(), ExportError> {
    if let Some(kind) = format.figure_format() {
        return figure_files::write(session, &figure_files::FigureExport::all(kind), out);
    }
    let (bytes, default) = match format {
        ExportFormat::Csv => {
            let default = PathBuf::from(format!("{}-tables", session.name));
            return write_folder(out.unwrap_or(&default), |folder| csv::csv(session, folder));
        }
        ExportFormat::Npz => {
            let mut bytes = Cursor::new(Vec::new());
            npz(session, &mut bytes)?;
            let default = PathBuf::from(format!("{}.npz", session.name));
            (bytes.into_inner(), Some(default))
        }
        ExportFormat::Safetensors => return weights::write(session, Path::new(""), out),
        _ => (text(session).into_bytes(), None),
    };
    let Some(path) = out.map(Path::to_path_buf).or(default) else {
        return write_stdout(&bytes);
    };
    write_and_report(&path, &bytes)
}

/// Writes a folder whose files `fill` produces, and prints its path.
fn write_folder(
    path: &Path,
    fill: impl FnOnce(&ExportFolder) -> Result<(), ExportError>,
) -> Result<(), ExportError> {
    let folder = ExportFolder::create(path)?;
    fill(&folder)?;
    report_written(&folder.finish()?);
    Ok(())
}

/// Writes every figure into the folder `NAME-figures` and returns its path; prints nothing.
///
/// # Errors
/// If there are none yet, or they cannot be written.
pub fn write_figures(session: &Session) -> Result<PathBuf, ExportError> {
    let all = crate::figure::list(session);
    if all.is_empty() {
        return Err(ExportError::Nothing {
            name: session.name.clone(),
        });
    }
    figure_files::write_folder(
        session,
        &all,
        &figure_files::FigureExport::all(figure_files::FigureFormat::Png),
        None,
    )
}

fn report_written(path: &Path) {
    // Failing to print this line must not fail a finished export.
    let _ = writeln!(io::stderr(), "wrote {}", path.display());
}

fn text(session: &Session) -> String {
    // `#` selects indented JSON.
    format!("{:#}\n", json(session))
}

/// The path that means standard output.
pub const STDOUT: &str = "-";

/// Writes to standard output. A reader that closes the pipe early is not an error.
fn write_stdout(bytes: &[u8]) -> Result<(), ExportError> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(ExportError::Stdout(error)),
        _ => Ok(()),
    }
}

/// Writes an HTML page atomically and prints its path.
///
/// # Errors
/// If it cannot be written; the message contains the path.
pub fn write_page(html: &str, path: &Path) -> Result<(), ExportError> {
    write_and_report(path, html.as_bytes())
}

/// Writes a file atomically and prints its path; `-` is standard output.
fn write_and_report(path: &Path, bytes: &[u8]) -> Result<(), ExportError> {
    if path == Path::new(STDOUT) {
        return write_stdout(bytes);
    }
    write_file(path, bytes)?;
    report_written(path);
    Ok(())
}

/// Writes a file atomically; prints nothing.
fn write_file(path: &Path, bytes: &[u8]) -> Result<(), ExportError> {
    write_atomically(path, bytes).map_err(|error| ExportError::File {
        path: path.to_owned(),
        error,
    })
}

/// Writes to a temporary file, then renames it, so that a reader sees the old file or the new one. Anything other than
/// a regular file (`/dev/stdout`, a pipe) is written directly; links are followed.
fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // The system follows links that canonicalize cannot resolve, such as /dev/stdout onto a pipe.
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => {
            return Err(io::Error::from(io::ErrorKind::IsADirectory));
        }
        Ok(metadata) if !metadata.is_file() => return fs::write(path, bytes),
        _ => {}
    }
    let path = match fs::canonicalize(path) {
        Ok(resolved) => resolved,
        Err(error) if error.kind() == io::ErrorKind::NotFound => end_of_links(path),
        Err(error) => return Err(error),
    };
    folder::remove_leftovers(&path);
    files::replace_by(&folder::temporary_path(&path), &path, bytes)
}

/// Where links lead from `path`, although nothing is there yet.
fn end_of_links(path: &Path) -> PathBuf {
    /// As many as Linux follows.
    const MOST: usize = 40;
    let mut path = path.to_path_buf();
    for _ in 0..MOST {
        let Ok(target) = fs::read_link(&path) else {
            break;
        };
        // An absolute target replaces the folder.
        path = path.parent().unwrap_or(Path::new("")).join(target);
    }
    path
}
