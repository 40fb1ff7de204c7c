//! Figures of a session as files, all or some of them, each with its caption beside it.

use std::fs;
use std::path::{Path, PathBuf};

use super::folder::ExportFolder;
use super::{ExportError, STDOUT, report_written, write_file, write_stdout};
#[cfg(feature = "pdf")]
use crate::drawing::pdf;
use crate::drawing::{Drawing, Sheet, png, svg};
use crate::figure::{self, Figure};
use crate::ids::{ClassId, Gamma};
use crate::session::Session;

/// Default resolution in dots per inch: what journals require.
pub const DPI: f64 = 300.0;

/// The file format of a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FigureFormat {
    /// Vector graphics, for web pages and drawing programs.
    Svg,
    /// Vector graphics, for papers.
    Pdf,
    /// Pixels, for everything else.
    Png,
}

impl FigureFormat {
    /// The file extension.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Svg => "svg",
            Self::Pdf => "pdf",
            Self::Png => "png",
        }
    }

    /// Checks that this build can write it.
    ///
    /// # Errors
    /// If it cannot.
    pub fn check(self) -> Result<(), ExportError> {
        match self {
            Self::Pdf if !cfg!(feature = "pdf") => Err(ExportError::NoPdf),
            Self::Svg | Self::Pdf | Self::Png => Ok(()),
        }
    }
}

/// Which figures to write, and how to draw them.
#[derive(Debug, Clone, PartialEq)]
pub struct FigureExport {
    /// Their file format.
    pub format: FigureFormat,
    /// The sheet they are drawn on.
    pub sheet: Sheet,
    /// Resolution of PNG files in dots per inch.
    pub dpi: f64,
    /// Names of figures or kinds of figure; if empty, all.
    pub figures: Vec<String>,
    /// Classes whose figures are written; if empty, all. Figures that are not of one class are not affected.
    pub classes: Vec<ClassId>,
    /// The γ of the figures; if `None`, all. Figures that are at no γ are not affected.
    pub gamma: Option<Gamma>,
}

impl FigureExport {
    /// Every figure, two columns of a paper wide.
    pub fn all(kind: FigureFormat) -> Self {
        Self {
            format: kind,
            sheet: Sheet::DOUBLE,
            dpi: DPI,
            figures: Vec::new(),
            classes: Vec::new(),
            gamma: None,
        }
    }

    /// The selected figures.
    fn chosen(&self, session: &Session) -> Result<Vec<Figure>, ExportError> {
        if self.figures.is_empty() {
            let of_class = |figure: &Figure| {
                let class = figure.class();
                self.classes.is_empty() || class.is_none_or(|class| self.classes.contains(&class))
            };
            let all = figure::list(session).into_iter();
            return self.at_gamma(session, all.filter(of_class).collect());
        }
        let mut chosen: Vec<Figure> = Vec::new();
        for name in &self.figures {
            let found = figure::find(session, name, &self.classes)?;
            for figure in self.at_gamma(session, found)? {
                if !chosen.contains(&figure) {
                    chosen.push(figure);
                }
            }
        }
        Ok(chosen)
    }

    /// Those of the selected γ.
    fn at_gamma(
        &self,
        session: &Session,
        figures: Vec<Figure>,
    ) -> Result<Vec<Figure>, ExportError> {
        match self.gamma {
            Some(gamma) => Ok(figure::at_one_gamma(session, &figures, gamma)?),
            None => Ok(figures),
        }
    }

    /// Encodes a drawing as a file of this format.
    pub(super) fn bytes(&self, drawing: &Drawing) -> Result<Vec<u8>, ExportError> {
        let bytes = match self.format {
            FigureFormat::Svg => Some(svg::file(drawing).into_bytes()),
            #[cfg(feature = "pdf")]
            FigureFormat::Pdf => pdf(drawing),
            #[cfg(not(feature = "pdf"))]
            FigureFormat::Pdf => return Err(ExportError::NoPdf),
            FigureFormat::Png => png(drawing, self.dpi),
        };
        bytes.ok_or_else(|| {
            let message = format!(
                "{} could not be drawn as {}",
                drawing.title,
                self.format.ending()
            );
            ExportError::Encode(std::io::Error::other(message))
        })
    }
}

/// Writes figures. If figures are selected by name, exactly one matches, and `out` is missing or names a file, it is
/// written as one file with its caption in a text file beside it; if `out` is `-`, that file alone goes to standard
/// output. Otherwise all go into the folder `NAME-figures`, each with its caption beside it. Every file replaces an
/// earlier one of its name atomically, and other files in the folder stay.
///
/// # Errors
/// If there is no such figure, or a file cannot be written.
pub fn write(
    session: &Session,
    drawn: &FigureExport,
    out: Option<&Path>,
) -> Result<(), ExportError> {
    drawn.format.check()?;
    let chosen = drawn.chosen(session)?;
    if chosen.is_empty() {
        return Err(ExportError::Nothing {
            name: session.name.clone(),
        });
    }
    let ending = drawn.format.ending();
    let is_file = |path: &Path| {
        let extension = path.extension();
        extension.is_some_and(|extension| extension.eq_ignore_ascii_case(ending))
    };
    let to_stdout = out == Some(Path::new(STDOUT));
    if let ([figure], false) = (&chosen[..], drawn.figures.is_empty())
        && (to_stdout || out.is_none_or(is_file))
    {
        let drawing = figure::draw(session, figure, drawn.sheet)?;
        if to_stdout {
            return write_stdout(&drawn.bytes(&drawing)?);
        }
        let default = PathBuf::from(format!("{}-{}.{ending}", session.name, figure.name()));
        let path = out.map_or(default, Path::to_path_buf);
        let caption = path.with_extension("txt");
        if fs::read(&caption).is_ok_and(|existing| !is_caption(&existing)) {
            return Err(ExportError::Occupied { path: caption });
        }
        write_file(&path, &drawn.bytes(&drawing)?)?;
        write_file(&caption, description(&drawing).as_bytes())?;
        report_written(&path);
        report_written(&caption);
        return Ok(());
    }
    let folder = write_folder(session, &chosen, drawn, out)?;
    report_written(&folder);
    Ok(())
}

/// Writes some figures into a folder and returns its path; prints nothing.
pub(super) fn write_folder(
    session: &Session,
    figures: &[Figure],
    drawn: &FigureExport,
    out: Option<&Path>,
) -> Result<PathBuf, ExportError> {
    let default = PathBuf::from(format!("{}-figures", session.name));
    let folder = ExportFolder::create(out.unwrap_or(&default)).map_err(|error| match error {
        ExportError::Several { path, .. } => ExportError::Several {
            path,
            alternative: ", or write figures one by one with --figure",
        },
        error => error,
    })?;
    for figure in figures {
        let drawing = figure::draw(session, figure, drawn.sheet)?;
        add_figure(&folder, &figure.name(), &drawing, drawn)?;
    }
    folder.finish()
}

/// Adds a figure and its caption to a folder.
pub(super) fn add_figure(
    folder: &ExportFolder,
    name: &str,
    drawing: &Drawing,
    drawn: &FigureExport,
) -> Result<(), ExportError> {
    let bytes = drawn.bytes(drawing)?;
    folder.write(&format!("{name}.{}", drawn.format.ending()), &bytes)?;
    folder.write(&format!("{name}.txt"), description(drawing).as_bytes())
}

/// The text written beside a figure: its caption and its alternative text.
fn description(drawing: &Drawing) -> String {
    format!("{}\n\n{ALTERNATIVE}{}\n", drawing.caption, drawing.alt_text)
}

/// The label before the alternative text.
const ALTERNATIVE: &str = "Alternative text: ";

/// Whether a text file is one that was written beside a figure, and not somebody else's.
fn is_caption(text: &[u8]) -> bool {
    std::str::from_utf8(text).is_ok_and(|text| text.contains(&format!("\n\n{ALTERNATIVE}")))
}

/// Writes one figure into a folder as `NAME-map-8-gamma-0.2.png` and returns its path. An existing file is replaced
/// atomically. The caption is embedded in the file.
///
/// # Errors
/// If the session does not have the figure, or the file cannot be written.
pub fn write_one(
    session: &Session,
    figure: &Figure,
    folder: &Path,
) -> Result<PathBuf, ExportError> {
    let drawing = figure::draw(session, figure, Sheet::DOUBLE)?;
    let name = format!("{}-{}", session.name, figure.name());
    write_png(&drawing, &name, folder)
}

/// Writes a drawing into a folder as a PNG of this name and returns its path.
pub(super) fn write_png(
    drawing: &Drawing,
    name: &str,
    folder: &Path,
) -> Result<PathBuf, ExportError> {
    let path = folder.join(format!("{name}.png"));
    let bytes = FigureExport::all(FigureFormat::Png).bytes(drawing)?;
    write_file(&path, &bytes)?;
    Ok(path)
}
