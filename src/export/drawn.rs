//! Figures of a session as files: every one or some, each with its caption beside it.

use std::fs;
use std::path::{Path, PathBuf};

use super::folder::Folder;
use super::{ExportError, store, wrote};
use crate::drawing::{Drawing, Sheet, pdf, png, svg};
use crate::figure::{self, Figure};
use crate::session::Session;

/// Dots an inch of a picture unless another number is asked for: what journals ask for.
pub const DPI: f64 = 300.0;

/// What a figure is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Shapes and text, for pages and for programs that draw.
    Svg,
    /// Shapes and text, for papers.
    Pdf,
    /// Pixels, for everything else.
    Png,
}

impl Kind {
    /// The ending of its files.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Svg => "svg",
            Self::Pdf => "pdf",
            Self::Png => "png",
        }
    }
}

/// Which figures, and how they are drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Drawn {
    /// What they are written as.
    pub kind: Kind,
    /// What they are drawn on.
    pub sheet: Sheet,
    /// Dots an inch, of pictures of pixels.
    pub dpi: f64,
    /// Names of figures, or of their kinds; empty: all.
    pub figures: Vec<String>,
    /// Of figures of one class, only those of these; empty: of all.
    pub classes: Vec<usize>,
}

impl Drawn {
    /// Every figure, as wide as two columns of a paper.
    pub fn all(kind: Kind) -> Self {
        Self {
            kind,
            sheet: Sheet::DOUBLE,
            dpi: DPI,
            figures: Vec::new(),
            classes: Vec::new(),
        }
    }

    /// The figures that are meant.
    fn chosen(&self, session: &Session) -> Result<Vec<Figure>, ExportError> {
        if self.figures.is_empty() {
            let of_class = |figure: &Figure| {
                let class = figure.class();
                self.classes.is_empty() || class.is_none_or(|class| self.classes.contains(&class))
            };
            let all = figure::all(session).into_iter();
            return Ok(all.filter(of_class).collect());
        }
        let mut chosen: Vec<Figure> = Vec::new();
        for asked in &self.figures {
            for found in figure::find(session, asked, &self.classes)? {
                if !chosen.contains(&found) {
                    chosen.push(found);
                }
            }
        }
        Ok(chosen)
    }

    /// The bytes of a file.
    pub(super) fn bytes(&self, drawing: &Drawing) -> Result<Vec<u8>, ExportError> {
        let bytes = match self.kind {
            Kind::Svg => Some(svg::file(drawing).into_bytes()),
            Kind::Pdf => pdf(drawing),
            Kind::Png => png(drawing, self.dpi),
        };
        bytes.ok_or_else(|| {
            let what = format!(
                "{} could not be drawn as {}",
                drawing.title,
                self.kind.ending()
            );
            ExportError::Encode(std::io::Error::other(what))
        })
    }
}

/// Writes figures. One that is asked for by its name, without `out` or with a file's name in `out`, is one
/// file, with its caption in a text file beside it; else they go into the folder `NAME-figures`, each with
/// its caption beside it. What an export wrote there before is replaced, in one step.
///
/// # Errors
/// Where there is no such figure, or a file cannot be written.
pub fn write(session: &Session, drawn: &Drawn, out: Option<&Path>) -> Result<(), ExportError> {
    let chosen = drawn.chosen(session)?;
    if chosen.is_empty() {
        return Err(ExportError::Nothing {
            name: session.name.clone(),
        });
    }
    let ending = drawn.kind.ending();
    let is_file = |path: &Path| {
        let own = path.extension();
        own.is_some_and(|own| own.eq_ignore_ascii_case(ending))
    };
    if let ([figure], false) = (&chosen[..], drawn.figures.is_empty())
        && out.is_none_or(is_file)
    {
        let drawing = figure::draw(session, figure, drawn.sheet)?;
        let default = PathBuf::from(format!("{}-{}.{ending}", session.name, figure.name()));
        let path = out.map_or(default, Path::to_path_buf);
        let caption = path.with_extension("txt");
        if fs::read(&caption).is_ok_and(|there| !is_caption(&there)) {
            return Err(ExportError::Occupied { path: caption });
        }
        put(&path, &drawn.bytes(&drawing)?)?;
        put(&caption, said(&drawing).as_bytes())?;
        wrote(&path);
        wrote(&caption);
        return Ok(());
    }
    let folder = folder(session, &chosen, drawn, out)?;
    wrote(&folder);
    Ok(())
}

/// Writes some figures into a folder, and gives its path; says nothing.
pub(super) fn folder(
    session: &Session,
    figures: &[Figure],
    drawn: &Drawn,
    out: Option<&Path>,
) -> Result<PathBuf, ExportError> {
    let default = PathBuf::from(format!("{}-figures", session.name));
    let folder = Folder::begin(out.unwrap_or(&default))?;
    for figure in figures {
        let drawing = figure::draw(session, figure, drawn.sheet)?;
        add(&folder, &figure.name(), &drawing, drawn)?;
    }
    folder.finish()
}

/// Puts a figure and its caption into a folder.
pub(super) fn add(
    folder: &Folder,
    name: &str,
    drawing: &Drawing,
    drawn: &Drawn,
) -> Result<(), ExportError> {
    let bytes = drawn.bytes(drawing)?;
    folder.write(&format!("{name}.{}", drawn.kind.ending()), &bytes)?;
    folder.write(&format!("{name}.txt"), said(drawing).as_bytes())
}

/// What stands in the text beside a figure: its caption, and what it shows for who cannot see it.
fn said(drawing: &Drawing) -> String {
    format!(
        "{}\n\n{ALTERNATIVE}{}\n",
        drawing.caption, drawing.alternative
    )
}

/// What the alternative text begins with.
const ALTERNATIVE: &str = "Alternative text: ";

/// Whether a text was written beside a figure, and not by somebody else.
fn is_caption(text: &[u8]) -> bool {
    std::str::from_utf8(text).is_ok_and(|text| text.contains(&format!("\n\n{ALTERNATIVE}")))
}

fn put(path: &Path, bytes: &[u8]) -> Result<(), ExportError> {
    store(path, bytes).map_err(|error| ExportError::File {
        path: path.to_path_buf(),
        error,
    })
}

/// Writes one figure into a folder, as `NAME-map-8-gamma-0.2.png`, and gives its path. One that is there
/// already is replaced, in one step. Its caption is in the file.
///
/// # Errors
/// Where the session does not have the figure, or the file cannot be written.
pub fn one(session: &Session, figure: &Figure, folder: &Path) -> Result<PathBuf, ExportError> {
    let drawing = figure::draw(session, figure, Sheet::DOUBLE)?;
    let name = format!("{}-{}", session.name, figure.name());
    alone(&drawing, &name, folder)
}

/// Writes a drawing into a folder as a PNG of this name, and gives its path.
pub(super) fn alone(drawing: &Drawing, name: &str, folder: &Path) -> Result<PathBuf, ExportError> {
    let path = folder.join(format!("{name}.png"));
    put(&path, &Drawn::all(Kind::Png).bytes(drawing)?)?;
    Ok(path)
}
