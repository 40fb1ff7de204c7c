//! Everything measured, for other programs. Reads a session and writes files; computes nothing.

use std::fs::{self, File};
use std::io::{self, Cursor, Write};
use std::path::{Path, PathBuf};

use crate::figure::FigureError;
use crate::session::Session;

pub mod comparison;
mod csv;
pub mod drawn;
mod folder;
mod json;
mod npz;
pub mod trials;
pub mod weights;
mod what;

use folder::Folder;

pub use csv::{Table, tables};
pub use drawn::one as figure;
pub use json::json;
pub use npz::npz;

/// What a session is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// All numbers and tables as one object, without the maps.
    Json,
    /// The maps and counts, for numpy.load.
    Npz,
    /// All numbers as tidy tables, a folder of files.
    Csv,
    /// Every figure as shapes and text, a folder of files.
    Svg,
    /// The same for papers.
    Pdf,
    /// The same as pixels.
    Png,
    /// The network's weights, for PyTorch and others.
    Safetensors,
}

impl Format {
    /// The kind of figure that it is; `None` where it holds numbers.
    pub fn drawn(self) -> Option<drawn::Kind> {
        match self {
            Self::Svg => Some(drawn::Kind::Svg),
            Self::Pdf => Some(drawn::Kind::Pdf),
            Self::Png => Some(drawn::Kind::Png),
            _ => None,
        }
    }
}

/// Why nothing was exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// There is no number to write yet.
    #[error(
        "{name} has measured nothing yet, so there is nothing to export; run it first: \
         noisescope run {name}"
    )]
    Nothing {
        /// The session.
        name: String,
    },
    /// The container could not be put together.
    #[error("the export could not be put together: {0}")]
    Encode(io::Error),
    /// The file could not be written.
    #[error("{} could not be written: {error}", path.display())]
    File {
        /// Where it was to be.
        path: PathBuf,
        /// The system's complaint.
        error: io::Error,
    },
    /// A figure that should be there could not be drawn.
    #[error(transparent)]
    Figure(#[from] FigureError),
    /// Something else stands where the folder was to be.
    #[error(
        "{} is there already and was not written by an export; name another place with --out",
        path.display()
    )]
    Occupied {
        /// Where it was to be.
        path: PathBuf,
    },
    /// There is no network to write, or its file is gone.
    #[error("{0}")]
    Network(String),
    /// Standard output could not be written.
    #[error("standard output could not be written: {0}")]
    Stdout(io::Error),
}

/// Writes the session. Without `out`, JSON goes to standard output, and into the current folder
/// NPZ to `NAME.npz`, CSV to `NAME-tables/` and figures to `NAME-figures/`; the name of what was
/// written goes to standard error. An export that is there already is replaced, in one step.
///
/// # Errors
/// Where there is nothing to write, or it cannot be written; the path is in the message.
pub fn write(session: &Session, format: Format, out: Option<&Path>) -> Result<(), ExportError> {
    if let Some(kind) = format.drawn() {
        return drawn::write(session, &drawn::Drawn::all(kind), out);
    }
    let (bytes, default) = match format {
        Format::Csv => return write_folder(session, "tables", csv::csv, out),
        Format::Npz => {
            let mut bytes = Cursor::new(Vec::new());
            npz(session, &mut bytes)?;
            let default = PathBuf::from(format!("{}.npz", session.name));
            (bytes.into_inner(), Some(default))
        }
        Format::Safetensors => return weights::write(session, Path::new(""), out),
        _ => (text(session).into_bytes(), None),
    };
    let Some(path) = out.map(Path::to_path_buf).or(default) else {
        return print(&bytes);
    };
    store(&path, &bytes).map_err(|error| ExportError::File {
        path: path.clone(),
        error,
    })?;
    wrote(&path);
    Ok(())
}

/// What `fill` writes, as a folder.
fn write_folder(
    session: &Session,
    what: &str,
    fill: fn(&Session, &Folder) -> Result<(), ExportError>,
    out: Option<&Path>,
) -> Result<(), ExportError> {
    let default = PathBuf::from(format!("{}-{what}", session.name));
    let folder = Folder::begin(out.unwrap_or(&default))?;
    fill(session, &folder)?;
    wrote(&folder.finish()?);
    Ok(())
}

/// Writes every figure into the folder `NAME-figures`, and gives its path; says nothing.
///
/// # Errors
/// Where there is none yet, or it cannot be written.
pub fn figures(session: &Session) -> Result<PathBuf, ExportError> {
    let all = crate::figure::all(session);
    if all.is_empty() {
        return Err(ExportError::Nothing {
            name: session.name.clone(),
        });
    }
    drawn::folder(session, &all, &drawn::Drawn::all(drawn::Kind::Png), None)
}

fn wrote(path: &Path) {
    // Losing this line must not fail an export that is done.
    let _ = writeln!(io::stderr(), "wrote {}", path.display());
}

fn text(session: &Session) -> String {
    // The alternate form is indented.
    format!("{:#}\n", json(session))
}

/// A reader that has seen enough is no failure.
fn print(bytes: &[u8]) -> Result<(), ExportError> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(ExportError::Stdout(error)),
        _ => Ok(()),
    }
}

/// Writes a page of HTML in one step, and says where.
///
/// # Errors
/// Where it cannot be written; the path is in the message.
pub fn page(html: &str, path: &Path) -> Result<(), ExportError> {
    store(path, html.as_bytes()).map_err(|error| ExportError::File {
        path: path.to_owned(),
        error,
    })?;
    wrote(path);
    Ok(())
}

/// Writes beside the file, then renames, so that whoever reads it sees the old one or the new one.
/// What is no regular file (`/dev/stdout`, a pipe) is written as it is; a link is followed.
fn store(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // The system follows links that have no path of their own to lead to, as /dev/stdout onto a pipe.
    match fs::metadata(path) {
        Ok(there) if there.is_dir() => return Err(io::Error::from(io::ErrorKind::IsADirectory)),
        Ok(there) if !there.is_file() => return fs::write(path, bytes),
        _ => {}
    }
    let path = match fs::canonicalize(path) {
        Ok(there) => there,
        Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_path_buf(),
        Err(error) => return Err(error),
    };
    folder::tidy(&path);
    let beside = folder::beside(&path);
    // Of a process that had the same number; a link that was planted is removed, and not followed.
    let _ = fs::remove_file(&beside);
    let written = File::create_new(&beside)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&beside, &path));
    if written.is_err() {
        // What is left of the attempt; the error to tell is the first one.
        let _ = fs::remove_file(&beside);
    }
    written
}
