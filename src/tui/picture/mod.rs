//! Pictures on a terminal, in the best way it supports: the graphics protocols of kitty, iTerm2 and sixel
//! terminals, coloured half blocks on the others, and characters without colour.
//!
//! viuer draws the half blocks. Its own probing is never used: it asks the terminal and waits for an answer
//! indefinitely, and through tmux none comes. `ask` asks with a time limit instead. viuer writes a protocol
//! only if its own probe found it, so those few bytes are assembled here.

mod ask;
mod letters;
mod protocol;
mod sixel;

use std::io::{self, Write};

use image::RgbImage;

use crate::drawing::{Background, Palette, Sheet, raster};
use crate::figure::coarse::{Strip, strips};
use crate::figure::{Figure, FigureError, draw};
use crate::session::Session;
use crate::tui::theme::{Depth, Theme};

/// How a picture is shown on the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Protocol {
    /// The best that the terminal supports.
    Auto,
    /// Coloured half blocks, which every terminal shows.
    Block,
    /// Kitty's graphics protocol.
    Kitty,
    /// iTerm2's inline images.
    Iterm,
    /// Sixel graphics.
    Sixel,
}

/// What a terminal can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TerminalDisplay {
    /// The protocol for pictures; never [`Protocol::Auto`].
    pub protocol: Protocol,
    /// Columns and rows.
    pub size: (u16, u16),
    /// Width and height of a cell in pixels; a guess if the terminal does not report it.
    pub cell: (u32, u32),
    /// Whether it shows 24-bit colours.
    pub true_colour: bool,
    /// The palette: grey where colour is disabled.
    pub palette: Palette,
    /// Whether it shows half blocks.
    pub unicode: bool,
    /// The background behind its text.
    pub background: Background,
}

/// Why no picture is shown.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// The figure could not be drawn.
    #[error(transparent)]
    Figure(#[from] FigureError),
    /// The terminal failed.
    #[error("the terminal did not accept the picture: {0}")]
    Terminal(#[from] io::Error),
    /// Half blocks are too coarse for this figure's letters and curves.
    #[error(
        "this terminal shows pictures in half blocks only, which are too coarse for curves and \
         letters; the views of `noisescope attach` draw them in characters, and \
         `noisescope export NAME --format png` writes them as files"
    )]
    TooCoarse,
    /// This build does not support pictures.
    #[error(
        "this build shows no pictures; build it with `cargo build --release --features show`, or \
         write files: noisescope export NAME --format png"
    )]
    Absent,
}

impl TerminalDisplay {
    /// What the terminal behind standard output can show: colours and characters by the theme, and the protocol
    /// from its environment or, if that is inconclusive, by asking it. Takes `ask::PATIENCE` at most.
    pub fn find(wanted: Protocol, theme: &Theme) -> Self {
        let variable = |name: &str| std::env::var(name).ok();
        Self::decide(wanted, theme, variable, ask::terminal)
    }

    /// The same, for any environment and any way of asking.
    pub fn decide(
        wanted: Protocol,
        theme: &Theme,
        variable: impl Fn(&str) -> Option<String>,
        ask: impl FnOnce() -> ask::GraphicsSupport,
    ) -> Self {
        let mono = theme.depth == Depth::Mono;
        let protocol = match wanted {
            Protocol::Auto if mono => Protocol::Block,
            Protocol::Auto => by_environment(&variable).unwrap_or_else(|| ask().protocol()),
            forced => forced,
        };
        let (size, cell) = measured();
        Self {
            protocol,
            size,
            cell,
            true_colour: theme.depth == Depth::True,
            palette: if mono {
                Palette::Grey
            } else {
                Palette::default()
            },
            unicode: theme.glyphs.unicode,
            background: theme.background,
        }
    }

    /// The sheet that a figure is drawn on, `columns` wide: with blocks a pixel is half a cell.
    fn sheet(&self, columns: u16) -> Sheet {
        let (width, text) = match self.protocol {
            Protocol::Block => (f64::from(columns), BLOCK_TEXT),
            _ => (
                f64::from(columns) * f64::from(self.cell.0),
                0.43 * f64::from(self.cell.1),
            ),
        };
        Sheet {
            width: width / PIXELS,
            text_points: text,
            background: self.background,
            palette: self.palette,
            titled: true,
        }
    }

    /// The rows that an image takes.
    fn rows(&self, image: &RgbImage) -> u32 {
        match self.protocol {
            Protocol::Block => image.height().div_ceil(2),
            _ => image.height().div_ceil(self.cell.1),
        }
    }

    /// What `drawn` returns for the largest number of columns at which its rows fit on the screen, and that
    /// number; or for `width` columns.
    fn fitted<T>(
        &self,
        width: Option<u16>,
        rows: impl Fn(&T) -> u32,
        drawn: impl Fn(u16) -> Result<T, FigureError>,
    ) -> Result<(T, u16), FigureError> {
        let mut columns = width.unwrap_or(self.size.0).clamp(LEAST, MOST);
        let mut best = (drawn(columns)?, columns);
        if width.is_some() {
            return Ok(best);
        }
        let room = u32::from(self.size.1).saturating_sub(SPARE);
        while rows(&best.0) > room && columns > LEAST {
            columns = (columns - columns.div_ceil(10)).max(LEAST);
            let narrower = drawn(columns)?;
            // A narrower picture is not always lower.
            if rows(&narrower) < rows(&best.0) {
                best = (narrower, columns);
            }
        }
        Ok(best)
    }
}

/// Pixels per millimetre of screen, at the 96 per inch that programs assume.
const PIXELS: f64 = 96.0 / 25.4;
/// Size of letters in points when a pixel is half a cell.
const BLOCK_TEXT: f64 = 6.0;
/// Minimum and maximum columns of a picture.
const LEAST: u16 = 40;
const MOST: u16 = 400;
/// Minimum width in pixels at which curves and letters are legible.
const FINE: u32 = 300;
/// Rows left free below a picture: for a prompt and a line of text.
const SPARE: u32 = 2;

/// The size of the terminal behind standard output, in columns and rows, and of a cell in pixels.
fn measured() -> ((u16, u16), (u32, u32)) {
    let Ok(size) = rustix::termios::tcgetwinsize(io::stdout()) else {
        return ((80, 24), CELL);
    };
    let (columns, rows) = match (size.ws_col, size.ws_row) {
        (0, _) | (_, 0) => (80, 24),
        some => some,
    };
    let cell = (size.ws_xpixel / columns, size.ws_ypixel / rows);
    let cell = (u32::from(cell.0), u32::from(cell.1));
    let likely = (4..=64).contains(&cell.0) && (4..=128).contains(&cell.1);
    ((columns, rows), if likely { cell } else { CELL })
}

/// Pixels of a cell if the terminal does not report them.
const CELL: (u32, u32) = (10, 20);

/// The protocol that the environment implies with certainty. Inside tmux and screen only blocks work.
fn by_environment(variable: &impl Fn(&str) -> Option<String>) -> Option<Protocol> {
    let get = |name: &str| variable(name).unwrap_or_default();
    let term = get("TERM").to_lowercase();
    let inside = ["TMUX", "STY", "ZELLIJ"]
        .iter()
        .any(|name| !get(name).is_empty());
    if inside || term.starts_with("screen") || term.starts_with("tmux") || term == "linux" {
        return Some(Protocol::Block);
    }
    if term.contains("kitty") || term.contains("ghostty") {
        return Some(Protocol::Kitty);
    }
    match get("TERM_PROGRAM").as_str() {
        "iTerm.app" => Some(Protocol::Iterm),
        _ => None,
    }
}

/// Draws a figure of a session on the terminal behind standard output, `width` columns wide or as large as
/// fits.
///
/// # Errors
/// If the session has no such figure, or the terminal does not accept it.
pub fn show(
    session: &Session,
    figure: &Figure,
    screen: &TerminalDisplay,
    width: Option<u16>,
) -> Result<(), PictureError> {
    if !AVAILABLE {
        return Err(PictureError::Absent);
    }
    if screen.protocol == Protocol::Block && figure.is_coarse() {
        let drawn = |columns| strips(session, figure, u32::from(columns), screen.sheet(columns));
        let rows = |all: &Vec<Strip>| {
            let height = |strip: &Strip| screen.rows(&strip.image) + strip.words.len() as u32;
            all.iter().map(height).sum()
        };
        let (strips, _) = screen.fitted(width, rows, drawn)?;
        for strip in strips {
            in_blocks(strip.image, screen)?;
            write(lines(&strip.words).as_bytes())?;
        }
        return Ok(());
    }
    let drawn = |columns| {
        let drawing = draw(session, figure, screen.sheet(columns))?;
        Ok(raster(&drawing, PIXELS))
    };
    let (image, columns) = screen.fitted(width, |image| screen.rows(image), drawn)?;
    if screen.protocol == Protocol::Block {
        return match image.width() < FINE {
            true => Err(PictureError::TooCoarse),
            false => in_blocks(image, screen),
        };
    }
    let bytes = match screen.protocol {
        Protocol::Kitty => protocol::kitty(&image, columns)?,
        Protocol::Iterm => protocol::iterm(&image, columns)?,
        _ => sixel::encode(&image),
    };
    write(&bytes)
}

/// The words placed at their columns, line by line.
fn lines(words: &[Vec<(u32, String)>]) -> String {
    let mut text = String::new();
    for line in words {
        let mut used = 0;
        for (column, word) in line {
            let column = *column as usize;
            text.push_str(&" ".repeat(column.saturating_sub(used)));
            text.push_str(word);
            used = used.max(column) + ratatui::text::Span::raw(word.as_str()).width();
        }
        text.push('\n');
    }
    text
}

/// Coloured half blocks, or characters where colour or half blocks are unavailable.
fn in_blocks(image: RgbImage, screen: &TerminalDisplay) -> Result<(), PictureError> {
    match screen.palette {
        Palette::Grey => write(&letters::written(&image, screen)),
        _ if screen.unicode => blocks(image, screen),
        _ => write(&letters::written(&image, screen)),
    }
}

fn write(bytes: &[u8]) -> Result<(), PictureError> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes)?;
    stdout.flush()?;
    Ok(())
}

/// Half blocks, drawn by viuer.
#[cfg(feature = "show")]
fn blocks(image: RgbImage, screen: &TerminalDisplay) -> Result<(), PictureError> {
    let config = viuer::Config {
        width: Some(image.width()),
        absolute_offset: false,
        truecolor: screen.true_colour,
        use_kitty: false,
        use_iterm: false,
        ..viuer::Config::default()
    };
    let image = image::DynamicImage::ImageRgb8(image);
    match viuer::print(&image, &config) {
        Ok(_) => Ok(()),
        Err(viuer::ViuError::Io(error)) => Err(error.into()),
        Err(error) => Err(io::Error::other(error.to_string()).into()),
    }
}

#[cfg(not(feature = "show"))]
fn blocks(_: RgbImage, _: &TerminalDisplay) -> Result<(), PictureError> {
    Err(PictureError::Absent)
}

/// Whether this build can show pictures.
pub const AVAILABLE: bool = cfg!(feature = "show");

#[cfg(test)]
mod tests;
