//! `noisescope show`: one figure on the terminal, at full resolution. Not a dashboard.

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::Args;

use super::Refusal;
use crate::figure::Figure;
use crate::session::store::Store;
use crate::tui::picture::{self, PictureError, Protocol, Screen};

/// Which figure, and how it is shown.
#[derive(Debug, Args)]
pub struct Show {
    /// The session
    name: String,
    #[command(flatten)]
    which: Which,
    /// The signal strength of the map (default: the one that shows the class best)
    #[arg(long, value_name = "G", requires = "map")]
    gamma: Option<f64>,
    /// How the picture reaches the terminal
    #[arg(long, value_enum, default_value = "auto")]
    protocol: Protocol,
    /// Columns (default: as large as it fits)
    #[arg(long, value_name = "COLS", value_parser = clap::value_parser!(u16).range(1..))]
    width: Option<u16>,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Which {
    /// The classification image of a class
    #[arg(long, value_name = "CLASS")]
    map: Option<usize>,
    /// What the units of a layer respond to
    #[arg(long, value_name = "LAYER")]
    filters: Option<String>,
    /// Success of the attack by weight of the pattern
    #[arg(long)]
    attack: bool,
    /// Loss and accuracy by epoch
    #[arg(long)]
    training: bool,
}

impl Show {
    fn figure(&self) -> Figure {
        let which = &self.which;
        match (which.map, &which.filters) {
            (Some(class), _) => Figure::Map {
                images: 0,
                class,
                gamma: self.gamma,
            },
            (None, Some(layer)) => Figure::Filters {
                layer: layer.clone(),
            },
            (None, None) if which.attack => Figure::Attack,
            (None, None) => Figure::Training,
        }
    }
}

/// Reads the session and shows the figure.
pub fn run(store: &Store, show: &Show) -> Result<ExitCode, Refusal> {
    let name = &show.name;
    if !picture::AVAILABLE {
        return Err(Refusal::Usage(PictureError::Absent.to_string()));
    }
    if !std::io::stdout().is_terminal() {
        return Err(Refusal::Usage(format!(
            "a picture needs a terminal, and standard output is none; for files: \
             noisescope export {name} --format png"
        )));
    }
    let session = store.load(name)?;
    let screen = Screen::find(show.protocol);
    match picture::show(&session, &show.figure(), &screen, show.width) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(PictureError::Figure(error)) => Err(Refusal::Usage(format!("{name}: {error}"))),
        Err(error) => Err(Refusal::failed(error)),
    }
}
