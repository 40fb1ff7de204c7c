//! `noisescope export`: what a session has measured, for other programs and for papers.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::{Refusal, say, show};
use crate::drawing::{Background, Palette, Sheet};
use crate::export::drawn::{DPI, Drawn, Kind};
use crate::export::{self, ExportError, Format};
use crate::figure::FigureError;
use crate::link::shards::Watch;
use crate::session::store::Store;

/// Narrowest and widest figure, in millimetres.
const WIDTHS: (f64, f64) = (20.0, 1200.0);
/// Smallest and largest letters, in points.
const LETTERS: (f64, f64) = (3.0, 48.0);
/// Fewest and most dots an inch.
const DOTS: (f64, f64) = (30.0, 2400.0);

/// What is written, as what, and where to.
#[derive(Debug, Args)]
pub struct Export {
    /// The session
    name: String,
    /// json: every number; npz: the maps, for numpy.load; csv: tidy tables; safetensors: the network's weights; svg,
    /// pdf, png: figures
    #[arg(long, value_enum)]
    format: Format,
    /// Where to (default: standard output for json, NAME.npz, NAME.safetensors, the folders NAME-tables for csv and
    /// NAME-figures for figures, and NAME-FIGURE.svg for one figure)
    #[arg(long, value_name = "PATH")]
    out: Option<PathBuf>,
    #[command(flatten)]
    look: FigureLook,
}

/// Which figures, and how they are drawn.
#[derive(Debug, Args)]
#[command(next_help_heading = "Figures")]
pub struct FigureLook {
    /// This one alone, or all of a kind: maps, map, z-maps, mean-stimuli, pair, filters, covariance, attack,
    /// modulation, audit, backdoor, training, confusion, shards. More than one: give it again
    #[arg(long, value_name = "F")]
    figure: Vec<String>,
    /// Of figures of one class only those of this class, by number or name
    #[arg(long, value_name = "CLASS")]
    class: Vec<String>,
    /// Millimetres across (default: 180, two columns of a paper)
    #[arg(long, value_name = "MM", value_parser = length)]
    width: Option<f64>,
    /// As wide as one column of a paper, 85 mm, or two, 180 mm
    #[arg(long, value_enum, conflicts_with = "width")]
    column: Option<Column>,
    /// Size of letters in points (default: 7)
    #[arg(long, value_name = "PT", value_parser = letters)]
    font_size: Option<f64>,
    /// Dots an inch of a png (default: 300)
    #[arg(long, value_name = "N", value_parser = dots)]
    dpi: Option<f64>,
    /// Colours of maps and curves
    #[arg(long, value_enum, default_value = "blue-orange")]
    palette: Palette,
    /// What stands behind the figure
    #[arg(long, value_enum, default_value = "light")]
    background: Paper,
    /// Leave the heading out: in a paper the caption says it
    #[arg(long)]
    no_title: bool,
}

/// How many columns of a paper a figure is as wide as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Column {
    /// 85 mm
    Single,
    /// 180 mm
    Double,
}

/// What stands behind a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Paper {
    /// White
    Light,
    /// Nearly black
    Dark,
}

fn between(text: &str, (least, most): (f64, f64), unit: &str) -> Result<f64, String> {
    let value: f64 = text
        .trim()
        .parse()
        .map_err(|_| format!("it is no number of {unit}"))?;
    match (least..=most).contains(&value) {
        true => Ok(value),
        false => Err(format!("it is from {least} to {most} {unit}")),
    }
}

fn length(text: &str) -> Result<f64, String> {
    between(text, WIDTHS, "millimetres")
}

fn letters(text: &str) -> Result<f64, String> {
    between(text, LETTERS, "points")
}

fn dots(text: &str) -> Result<f64, String> {
    between(text, DOTS, "dots an inch")
}

impl FigureLook {
    fn sheet(&self) -> Sheet {
        let own = match self.column {
            Some(Column::Single) => Sheet::SINGLE,
            Some(Column::Double) | None => Sheet::DOUBLE,
        };
        Sheet {
            width: self.width.unwrap_or(own.width),
            text: self.font_size.unwrap_or(own.text),
            background: match self.background {
                Paper::Light => Background::Light,
                Paper::Dark => Background::Dark,
            },
            palette: self.palette,
            titled: !self.no_title,
        }
    }

    /// Which of its options was given, where one was.
    fn given(&self) -> Option<&'static str> {
        let all = [
            (!self.figure.is_empty(), "--figure"),
            (!self.class.is_empty(), "--class"),
            (self.width.is_some(), "--width"),
            (self.column.is_some(), "--column"),
            (self.font_size.is_some(), "--font-size"),
            (self.dpi.is_some(), "--dpi"),
            (self.palette != Palette::default(), "--palette"),
            (self.background != Paper::Light, "--background"),
            (self.no_title, "--no-title"),
        ];
        all.into_iter()
            .find(|(given, _)| *given)
            .map(|(_, name)| name)
    }
}

/// Of a path that ends as another kind of figure does, that ending.
fn other_ending(kind: Kind) -> impl Fn(&Path) -> Option<String> {
    move |path| {
        let own = path.extension()?.to_str()?.to_ascii_lowercase();
        let all = [Kind::Svg, Kind::Pdf, Kind::Png].map(Kind::ending);
        (all.contains(&own.as_str()) && own != kind.ending()).then_some(own)
    }
}

/// Reads the session and writes the export.
pub fn run(store: &Store, export: &Export) -> Result<ExitCode, Refusal> {
    let (name, look) = (&export.name, &export.look);
    let kind = export.format.drawn();
    if let (None, Some(option)) = (kind, look.given()) {
        return Err(Refusal::Usage(format!(
            "{option} is about figures: it goes with --format svg, pdf or png"
        )));
    }
    let mut session = store.load_whole(name)?;
    if session.record.sharding.is_some() {
        // How far each shard is stands in the shards' files; without it there is only no figure of it.
        if let Ok(Some(looked)) = Watch::new(store.clone(), name).look() {
            session.run = looked.run;
        }
        say::complain(format_args!(
            "{name} is divided, and its shards are not merged: this is the sum of what they have done so far"
        ));
    }
    let out = export.out.as_deref();
    let Some(kind) = kind else {
        if export.format == Format::Safetensors {
            // A large network lies beside the sessions, not in them.
            export::weights::write(&session, store.folder(), out).map_err(Refusal::failed)?;
            return Ok(ExitCode::SUCCESS);
        }
        export::write(&session, export.format, out).map_err(Refusal::failed)?;
        return Ok(ExitCode::SUCCESS);
    };
    if let Some(other) = out.and_then(other_ending(kind)) {
        return Err(Refusal::Usage(format!(
            "--out ends in .{other} and the format is {}; let them agree, or name a folder",
            kind.ending()
        )));
    }
    let classes = look.class.iter().map(|typed| show::class(&session, typed));
    let classes = classes.collect::<Result<_, String>>();
    let drawn = Drawn {
        kind,
        sheet: look.sheet(),
        dpi: look.dpi.unwrap_or(DPI),
        figures: look.figure.clone(),
        classes: classes.map_err(|problem| Refusal::Usage(format!("{name}: {problem}")))?,
    };
    export::drawn::write(&session, &drawn, out).map_err(|error| match error {
        // Later there may be one.
        ExportError::Figure(error @ FigureError::Nothing(_)) => {
            Refusal::failed(format!("{name}: {error}"))
        }
        ExportError::Figure(error) => Refusal::Usage(format!("{name}: {error}")),
        error => Refusal::failed(error),
    })?;
    Ok(ExitCode::SUCCESS)
}
