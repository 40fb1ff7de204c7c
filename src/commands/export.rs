//! `noisescope export`: writes a session's results for other programs and for papers.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::{CommandError, output, show};
use crate::drawing::{Background, LARGEST_SIDE, Palette, Sheet};
use crate::export::figure_files::{DPI, FigureExport, FigureFormat};
use crate::export::{self, ExportError, ExportFormat};
use crate::figure::FigureError;
use crate::format::thousands;
use crate::ids::Gamma;
use crate::link::shards::ShardWatcher;
use crate::session::store::Store;

/// Narrowest and widest figure, in millimetres.
const WIDTHS: (f64, f64) = (20.0, 1200.0);
/// Smallest and largest letters, in points.
const LETTERS: (f64, f64) = (3.0, 48.0);
/// Fewest and most dots per inch.
const DOTS: (f64, f64) = (30.0, 2400.0);

/// What to export, in which format, and where.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// The session; of a running one, what it had measured at its last checkpoint
    name: String,
    /// json: every number; npz: the maps, for numpy.load; csv: tidy tables; safetensors: the network's weights; svg,
    /// pdf, png: figures
    #[arg(long, value_enum)]
    format: ExportFormat,
    /// Output path (default: standard output for json, NAME.npz, NAME.safetensors, the folders NAME-tables for csv and
    /// NAME-figures for figures, and NAME-FIGURE.svg for one figure; - is standard output for a single file)
    #[arg(long, value_name = "PATH")]
    out: Option<PathBuf>,
    #[command(flatten)]
    look: FigureArgs,
}

/// Which figures to draw, and how.
#[derive(Debug, Args)]
#[command(next_help_heading = "Figures")]
pub struct FigureArgs {
    /// Only this figure, or all of a kind: maps, map, z-maps, mean-stimuli, pair-CLASS-not-CLASS, filters,
    /// covariance, attack, modulation, audit, backdoor, training, confusion, shards; or all whose names begin so:
    /// noise2, map-8 (repeatable)
    #[arg(long, value_name = "F")]
    figure: Vec<String>,
    /// Of figures that show one class, only those of this class, by number or name (repeatable)
    #[arg(long, value_name = "CLASS")]
    class: Vec<String>,
    /// Of figures at several signal strengths, only those at this one
    #[arg(long, value_name = "G")]
    gamma: Option<Gamma>,
    /// Width in millimetres (default: 180, two columns of a paper)
    #[arg(long, value_name = "MM", value_parser = length)]
    width: Option<f64>,
    /// As wide as one column of a paper, 85 mm, or two, 180 mm
    #[arg(long, value_enum, conflicts_with = "width")]
    column: Option<Column>,
    /// Font size in points (default: 7)
    #[arg(long, value_name = "PT", value_parser = letters)]
    font_size: Option<f64>,
    /// Dots per inch of a png (default: 300)
    #[arg(long, value_name = "N", value_parser = dots)]
    dpi: Option<f64>,
    /// Colours of maps and curves
    #[arg(long, value_enum, default_value = "blue-orange")]
    palette: Palette,
    /// Background of the figure
    #[arg(long, value_enum, default_value = "light")]
    background: Paper,
    /// Omit the title, for a paper with its own caption
    #[arg(long)]
    no_title: bool,
}

/// Width of a figure in columns of a paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Column {
    /// 85 mm
    Single,
    /// 180 mm
    Double,
}

/// Background of a figure.
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
        .map_err(|_| format!("not a number of {unit}"))?;
    match (least..=most).contains(&value) {
        true => Ok(value),
        false => Err(format!("must be from {least} to {most} {unit}")),
    }
}

fn length(text: &str) -> Result<f64, String> {
    between(text, WIDTHS, "millimetres")
}

fn letters(text: &str) -> Result<f64, String> {
    between(text, LETTERS, "points")
}

fn dots(text: &str) -> Result<f64, String> {
    between(text, DOTS, "dots per inch")
}

impl FigureArgs {
    fn sheet(&self) -> Sheet {
        let default = match self.column {
            Some(Column::Single) => Sheet::SINGLE,
            Some(Column::Double) | None => Sheet::DOUBLE,
        };
        Sheet {
            width: self.width.unwrap_or(default.width),
            text_points: self.font_size.unwrap_or(default.text_points),
            background: match self.background {
                Paper::Light => Background::Light,
                Paper::Dark => Background::Dark,
            },
            palette: self.palette,
            titled: !self.no_title,
        }
    }

    /// Refuses more dots than a picture of this width can have, which would be drawn with fewer.
    fn check_dots(&self) -> Result<(), CommandError> {
        const MM_PER_INCH: f64 = 25.4;
        let (width, dpi) = (self.sheet().width, self.dpi.unwrap_or(DPI));
        let across = width / MM_PER_INCH * dpi;
        if across <= LARGEST_SIDE {
            return Ok(());
        }
        Err(CommandError::Usage(format!(
            "--dpi {dpi}: a figure of {width} mm would be {} pixels wide, and at most {} are possible; use --dpi {} or \
             less, or --format svg or pdf",
            thousands(across as u64),
            thousands(LARGEST_SIDE as u64),
            (LARGEST_SIDE / width * MM_PER_INCH).floor()
        )))
    }

    /// The first of these options that was given, if any.
    fn given(&self) -> Option<&'static str> {
        let all = [
            (!self.figure.is_empty(), "--figure"),
            (!self.class.is_empty(), "--class"),
            (self.gamma.is_some(), "--gamma"),
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

/// Refuses an output path that ends like a file of another format than the chosen one, or like a session's file.
pub(super) fn check_ending(
    out: Option<&Path>,
    format: &impl ValueEnum,
) -> Result<(), CommandError> {
    let chosen = format.to_possible_value();
    check_ending_for(out, chosen.as_ref().map_or("", |value| value.get_name()))
}

/// The same, for a format by its name.
pub(super) fn check_ending_for(out: Option<&Path>, chosen: &str) -> Result<(), CommandError> {
    // A folder may have any name.
    let Some(path) = out.filter(|path| !path.is_dir()) else {
        return Ok(());
    };
    if is_session_file(path) {
        return Err(CommandError::Usage(format!(
            "--out {} ends like a session's file, which would be lost; choose another name",
            path.display()
        )));
    }
    match export::export_ending(path).or_else(|| foreign_ending(path, chosen)) {
        Some(other) if other != chosen => Err(CommandError::Usage(format!(
            "--out ends in .{other} but the format is {chosen}; make them agree"
        ))),
        _ => Ok(()),
    }
}

/// The ending of a path, if it is one of pictures or texts that no export writes. JSON is a text.
fn foreign_ending(path: &Path, chosen: &str) -> Option<&'static str> {
    const FOREIGN: [&str; 8] = ["bmp", "gif", "jpeg", "jpg", "tif", "tiff", "txt", "webp"];
    let extension = path.extension()?;
    let mut endings = FOREIGN.into_iter();
    let found = endings.find(|ending| extension.eq_ignore_ascii_case(ending));
    found.filter(|ending| (chosen, *ending) != ("json", "txt"))
}

/// Whether a path, or the file that it is a link to, ends like a session's file or its previous generation.
fn is_session_file(path: &Path) -> bool {
    let target = path.canonicalize();
    [Some(path), target.as_deref().ok()]
        .into_iter()
        .flatten()
        .any(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.ends_with(".ron") || name.ends_with(".ron.bak")
        })
}

/// Reads the session and writes the export.
pub fn run(store: &Store, export: &ExportArgs) -> Result<ExitCode, CommandError> {
    let (name, look) = (&export.name, &export.look);
    let kind = export.format.figure_format();
    if let (None, Some(option)) = (kind, look.given()) {
        return Err(CommandError::Usage(format!(
            "{option} applies only to figures: use it with --format svg, pdf or png"
        )));
    }
    if let (Some(kind), Some(_)) = (kind, look.dpi)
        && kind != FigureFormat::Png
    {
        return Err(CommandError::Usage(format!(
            "--dpi applies only to png, since a figure in {} has no dots; leave it out, or use --format png",
            kind.ending()
        )));
    }
    if kind == Some(FigureFormat::Png) {
        look.check_dots()?;
    }
    let out = export.out.as_deref();
    check_ending(out, &export.format)?;
    let mut session = store.load_whole(name)?;
    if session.record.sharding.is_some() {
        // The shards' progress is in their own files; without it only the figure of the shards is missing.
        if let Ok(Some(looked)) = ShardWatcher::new(store.clone(), name).poll() {
            session.run = looked.run;
        }
        output::complain(format_args!(
            "{name} is divided and its shards are not merged: this is their sum so far"
        ));
    }
    let Some(kind) = kind else {
        if export.format == ExportFormat::Safetensors {
            // A large network is stored beside the session files, not in them.
            export::weights::write(&session, store.folder(), out).map_err(CommandError::failed)?;
            return Ok(ExitCode::SUCCESS);
        }
        export::write(&session, export.format, out).map_err(failure)?;
        return Ok(ExitCode::SUCCESS);
    };
    let classes = look
        .class
        .iter()
        .map(|typed| show::parse_class(&session, typed));
    let classes = classes.collect::<Result<_, String>>();
    let drawn = FigureExport {
        format: kind,
        sheet: look.sheet(),
        dpi: look.dpi.unwrap_or(DPI),
        figures: look.figure.clone(),
        classes: classes.map_err(|problem| CommandError::Usage(format!("{name}: {problem}")))?,
        gamma: look.gamma,
    };
    export::figure_files::write(&session, &drawn, out).map_err(|error| match error {
        // The session may have this figure later.
        ExportError::Figure(
            error @ (FigureError::Missing(_)
            | FigureError::NoConfusion { .. }
            | FigureError::Uncompared),
        ) => CommandError::failed(format!("{name}: {error}")),
        ExportError::Figure(error) => CommandError::Usage(format!("{name}: {error}")),
        error => failure(error),
    })?;
    Ok(ExitCode::SUCCESS)
}

/// The error of the command: a path that cannot hold the export, and a format that this build
/// lacks, are mistakes in the command line.
pub(super) fn failure(error: ExportError) -> CommandError {
    match error {
        ExportError::Several { .. } | ExportError::NoPdf => CommandError::Usage(error.to_string()),
        error => CommandError::failed(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_output_path_does_not_end_like_a_file_of_another_format() {
        for (out, chosen, fits) in [
            ("sheet.png", "png", true),
            ("sheet.PNG", "png", true),
            ("sheet", "png", true),
            ("map-gamma-0.4", "svg", true),
            ("trials.txt", "json", true),
            ("trials.txt", "png", false),
            ("sheet.JPG", "png", false),
            ("maps.json", "npz", false),
            ("page.txt", "html", false),
            ("mine.ron", "json", false),
        ] {
            let checked = check_ending_for(Some(Path::new(out)), chosen);
            assert_eq!(checked.is_ok(), fits, "{out} as {chosen}");
        }
        assert!(check_ending_for(None, "png").is_ok());
    }
}
