//! `noisescope show`: one figure on the terminal, at full resolution. Not a dashboard.

use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::Refusal;
use crate::figure::{self, Figure};
use crate::session::Session;
use crate::session::config::Response;
use crate::session::form::Form;
use crate::session::store::Store;
use crate::tui::picture::{self, PictureError, Protocol, Screen};
use crate::tui::theme::can_draw;

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
    /// What trials are taken to say in the map (default: evidence where there is some)
    #[arg(long, value_enum, value_name = "WHAT", requires = "map")]
    response: Option<By>,
    /// How the picture reaches the terminal
    #[arg(long, value_enum, default_value = "auto")]
    protocol: Protocol,
    /// Columns (default: as large as it fits)
    #[arg(long, value_name = "COLS", value_parser = clap::value_parser!(u16).range(1..))]
    width: Option<u16>,
}

/// What trials are taken to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum By {
    /// The network's decisions: the classification image
    Decision,
    /// What its outputs say for the class: the evidence image
    Evidence,
}

impl From<By> for Response {
    fn from(by: By) -> Self {
        match by {
            By::Decision => Self::Decision,
            By::Evidence => Self::Evidence,
        }
    }
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Which {
    /// The evidence image or classification image of a class, by number or name
    #[arg(long, value_name = "CLASS")]
    map: Option<String>,
    /// What the units of a layer respond to
    #[arg(long, value_name = "LAYER")]
    filters: Option<String>,
    /// Any figure by its name, as `export` calls it: maps, modulation, confusion, …
    #[arg(long, value_name = "F")]
    figure: Option<String>,
    /// Success of the attack by weight of the pattern
    #[arg(long)]
    attack: bool,
    /// Loss and accuracy by epoch
    #[arg(long)]
    training: bool,
}

impl Show {
    /// # Errors
    /// Where there is no such class, with those that there are.
    fn figure(&self, session: &Session) -> Result<Figure, String> {
        let which = &self.which;
        if let Some(asked) = &which.figure {
            let found = figure::find(session, asked, &[]).map_err(|error| error.to_string())?;
            return found
                .into_iter()
                .next()
                .ok_or_else(|| format!("there is no figure `{asked}`"));
        }
        Ok(match (&which.map, &which.filters) {
            (Some(typed), _) => Figure::Map {
                response: self.response.map(Response::from),
                images: 0,
                class: class(session, typed)?,
                gamma: self.gamma,
            },
            (None, Some(layer)) => Figure::Filters {
                layer: layer.clone(),
            },
            (None, None) if which.attack => Figure::Attack,
            (None, None) => Figure::Training,
        })
    }
}

/// The class that a person means. Before the images have been read, those of a known set.
pub fn class(session: &Session, typed: &str) -> Result<usize, String> {
    if let Some(form) = &session.record.form {
        return form.find(typed);
    }
    let dataset = session.config.dataset.as_ref();
    match dataset.and_then(|it| it.name.known_classes()) {
        Some(names) => {
            let mut form = Form::numbered([1, 1, 1], 0);
            form.classes = names.iter().map(|&name| name.to_owned()).collect();
            form.find(typed)
        }
        None => typed.trim().parse().map_err(|_| {
            format!(
                "`{typed}` is no number, and the names of the classes are known once the session has run"
            )
        }),
    }
}

/// Reads the session and shows the figure.
pub fn run(store: &Store, show: &Show) -> Result<ExitCode, Refusal> {
    let name = &show.name;
    if !picture::AVAILABLE {
        return Err(Refusal::Usage(PictureError::Absent.to_string()));
    }
    let session = store.load_whole(name)?;
    let refused = |problem: String| Refusal::Usage(format!("{name}: {problem}"));
    let figure = show.figure(&session).map_err(refused)?;
    if !can_draw() {
        return Err(Refusal::Usage(format!(
            "a picture needs a terminal that shows more than lines, and standard output is none; for files: \
             noisescope export {name} --format png"
        )));
    }
    let screen = Screen::find(show.protocol);
    match picture::show(&session, &figure, &screen, show.width) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(PictureError::Figure(error)) => Err(refused(error.to_string())),
        Err(error) => Err(Refusal::failed(error)),
    }
}
