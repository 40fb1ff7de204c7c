//! `noisescope show`: displays one figure on the terminal at full resolution.

use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::CommandError;
use super::look::ScreenArgs;
use crate::drawing::Sheet;
use crate::figure::{self, Figure, choice};
use crate::files::quoted;
use crate::ids::{ClassId, Gamma};
use crate::session::Session;
use crate::session::config::Response;
use crate::session::form::Form;
use crate::session::record::ClassificationImages;
use crate::session::store::Store;
use crate::tui::picture::{self, PictureError, Protocol, TerminalDisplay};
use crate::tui::theme::can_draw;

/// Which figure to show, and how.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The session
    name: String,
    #[command(flatten)]
    which: FigureChoice,
    /// The signal strength of the map (default: the one that shows the class best)
    #[arg(long, value_name = "G", requires = "map")]
    gamma: Option<Gamma>,
    /// The response that the map is made by (default: evidence if recorded)
    #[arg(long, value_enum, value_name = "WHAT", requires = "map")]
    response: Option<ResponseArg>,
    /// Which of the plan's classification images, if it has several; from 1 (default: 1)
    #[arg(long, value_name = "N", requires = "map", value_parser = clap::value_parser!(u64).range(1..))]
    images: Option<u64>,
    /// How the picture is sent to the terminal
    #[arg(long, value_enum, default_value = "auto")]
    protocol: Protocol,
    /// Width in columns (default: as large as fits)
    #[arg(long, value_name = "COLS", value_parser = clap::value_parser!(u16).range(1..))]
    width: Option<u16>,
}

/// The response that a map is made by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ResponseArg {
    /// The network's decisions: the classification image
    Decision,
    /// Its outputs for the class: the evidence image
    Evidence,
}

impl From<ResponseArg> for Response {
    fn from(by: ResponseArg) -> Self {
        match by {
            ResponseArg::Decision => Self::Decision,
            ResponseArg::Evidence => Self::Evidence,
        }
    }
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct FigureChoice {
    /// The evidence image or classification image of a class, by number or name
    #[arg(long, value_name = "CLASS")]
    map: Option<String>,
    /// What the units of a layer respond to
    #[arg(long, value_name = "LAYER")]
    filters: Option<String>,
    /// Any figure by the name that `export` uses: maps, modulation, confusion, …
    #[arg(long, value_name = "F")]
    figure: Option<String>,
    /// Success of the attack against the pattern's weight
    #[arg(long)]
    attack: bool,
    /// Loss and accuracy by epoch
    #[arg(long)]
    training: bool,
}

impl ShowArgs {
    /// # Errors
    /// If there is no such class, figure or set of images; lists those that exist.
    fn figure(&self, session: &Session) -> Result<Figure, String> {
        let which = &self.which;
        if let Some(name) = &which.figure {
            let found = figure::find(session, name, &[]).map_err(|error| error.to_string())?;
            return found
                .into_iter()
                .next()
                .ok_or_else(|| format!("there is no figure `{name}`"));
        }
        Ok(match (&which.map, &which.filters) {
            (Some(typed), _) => Figure::Map {
                response: self.response.map(Response::from),
                images: self.place(session)?,
                class: parse_class(session, typed)?,
                gamma: self.gamma,
            },
            (None, Some(layer)) => Figure::Filters {
                nth: 0,
                layer: layer.clone(),
            },
            (None, None) if which.attack => Figure::Attack { nth: 0 },
            (None, None) => Figure::Training,
        })
    }

    /// The index of the chosen images among the plan's classification images.
    fn place(&self, session: &Session) -> Result<usize, String> {
        let available = session.record.all::<ClassificationImages>().count();
        match self.images.unwrap_or(1) {
            // The first may be absent too, which the figure says.
            1 => Ok(0),
            chosen if chosen <= available as u64 => Ok(chosen as usize - 1),
            chosen => Err(format!(
                "there is no set {chosen} of classification images; the plan has {available}"
            )),
        }
    }
}

/// Whether the classes are known: of images that have been read, or of a known set.
pub fn knows_classes(session: &Session) -> bool {
    let dataset = session.config.dataset.as_ref();
    let of_set = dataset.and_then(|dataset| dataset.name.known_classes());
    session.record.form.is_some() || of_set.is_some()
}

/// Parses a class by number or name. Before the images have been read, uses the names of a known set.
pub fn parse_class(session: &Session, typed: &str) -> Result<ClassId, String> {
    if let Some(form) = &session.record.form {
        return form.find(typed);
    }
    let dataset = session.config.dataset.as_ref();
    match dataset.and_then(|dataset| dataset.name.known_classes()) {
        Some(names) => {
            let mut form = Form::numbered([1, 1, 1], 0);
            form.classes = names.iter().map(|&name| name.to_owned()).collect();
            form.find(typed)
        }
        None => typed.trim().parse().map(ClassId).map_err(|_| {
            format!(
                "`{typed}` is not a number, and class names are unknown until the session has run"
            )
        }),
    }
}

/// The name by which `export` writes the figure; a map has one at each signal strength and by each response.
fn exported_name(session: &Session, figure: &Figure) -> Option<String> {
    let exported = match figure {
        Figure::Map {
            response,
            images,
            class,
            gamma,
        } => {
            let (_, record) = session.record.all::<ClassificationImages>().nth(*images)?;
            let response = response.unwrap_or_else(|| choice::best_response(record));
            let place = choice::best_gamma_index(record, response, *class, None);
            let gamma = gamma.or(record.gammas.get(place).map(|trials| trials.gamma));
            Figure::Map {
                response: Some(response),
                images: *images,
                class: *class,
                gamma,
            }
        }
        figure => figure.clone(),
    };
    figure::has(session, &exported).then(|| exported.name())
}

/// Reads the session and shows the figure.
pub fn run(store: &Store, show: &ShowArgs, line: &ScreenArgs) -> Result<ExitCode, CommandError> {
    let name = &show.name;
    if !picture::AVAILABLE {
        return Err(CommandError::Usage(PictureError::Absent.to_string()));
    }
    let session = store.load_whole(name)?;
    let refused = |problem: String| CommandError::Usage(format!("{name}: {problem}"));
    let figure = show.figure(&session).map_err(refused)?;
    if !can_draw() {
        // What a terminal would refuse is refused here for the same reason.
        figure::draw(&session, &figure, Sheet::DOUBLE)
            .map_err(|error| refused(error.to_string()))?;
        let option = exported_name(&session, &figure).map_or_else(String::new, |figure| {
            format!(" --figure {}", quoted(figure))
        });
        return Err(CommandError::Usage(format!(
            "standard output is not a terminal that can draw; to get a file: noisescope export {name} --format png{option}"
        )));
    }
    let screen = TerminalDisplay::find(show.protocol, &line.options()?.theme());
    match picture::show(&session, &figure, &screen, show.width) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(PictureError::Figure(error)) => Err(refused(error.to_string())),
        Err(error) => Err(CommandError::failed(error)),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::session::Config;
    use crate::session::config::Analysis;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        show: ShowArgs,
    }

    #[test]
    fn a_map_of_any_of_the_plans_images_is_shown_and_no_other() {
        let images = Analysis::ClassificationImages(Default::default());
        let config = Config {
            analyses: vec![images.clone(), images],
            ..Config::default()
        };
        let session = Session::new("mine", config);
        let place = |words: &[&str]| -> Result<usize, String> {
            let words = [&["show", "mine", "--map", "3"], words].concat();
            match Line::parse_from(words).show.figure(&session)? {
                Figure::Map { images, .. } => Ok(images),
                _ => Err("another figure".to_owned()),
            }
        };
        assert_eq!(place(&[]), Ok(0));
        assert_eq!(place(&["--images", "2"]), Ok(1));
        let words = "there is no set 3 of classification images; the plan has 2";
        assert_eq!(place(&["--images", "3"]), Err(words.to_owned()));
    }
}
