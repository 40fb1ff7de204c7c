//! `noisescope attach`: shows a session, live if an engine runs it, else from its file.

use std::process::ExitCode;

use clap::Args;

use super::CommandError;
use super::look::AttachView;
use super::output::{ReadingLine, print_report};
use super::show::{ResponseArg, knows_classes, parse_class};
use super::standing::load_with_standing;
use crate::ids::Gamma;
use crate::link::Connection;
use crate::report::{self, SessionStatus};
use crate::session::config::Response;
use crate::session::{Config, Session};
use crate::tui::Location;
use crate::tui::theme::can_draw;

/// Where the views open.
#[derive(Debug, Default, PartialEq, Args)]
pub struct StartArgs {
    /// Open this view: overview, training, maps, attack, filters, modulation, backdoor, audit, predictions, shards
    #[arg(long, value_name = "VIEW", conflicts_with = "plain")]
    view: Option<String>,
    /// Open at this class, by number or name
    #[arg(long, value_name = "CLASS", conflicts_with = "plain")]
    class: Option<String>,
    /// Open at this signal strength (default: the one that shows the class best)
    #[arg(long, value_name = "G", conflicts_with = "plain")]
    gamma: Option<Gamma>,
    /// Maps by decisions or by evidence (default: evidence if recorded)
    #[arg(long, value_enum, value_name = "WHAT", conflicts_with = "plain")]
    response: Option<ResponseArg>,
    /// Which of the plan's classification images, if it has several; from 1
    #[arg(long, value_name = "N", conflicts_with = "plain", value_parser = clap::value_parser!(u64).range(1..))]
    images: Option<u64>,
    /// Which of the plan's experiments of the view's kind, if it has several; from 1
    #[arg(long, value_name = "N", requires = "view", conflicts_with = "plain", value_parser = clap::value_parser!(u64).range(1..))]
    experiment: Option<u64>,
    /// Open at this layer
    #[arg(long, value_name = "LAYER", conflicts_with = "plain")]
    layer: Option<String>,
    /// Open at this unit of the layer, from 0
    #[arg(long, value_name = "UNIT", conflicts_with = "plain")]
    unit: Option<usize>,
    /// Enlarge the selection
    #[arg(long, conflicts_with = "plain")]
    closer: bool,
}

impl StartArgs {
    /// The start position; `None` if no option was given.
    ///
    /// # Errors
    /// If there is no such class; lists those that exist.
    fn start(&self, session: &Session) -> Result<Option<Location>, CommandError> {
        let refused = |problem: String| CommandError::Usage(format!("{}: {problem}", session.name));
        let typed = self.class.as_deref();
        let (known, unknown) = match knows_classes(session) {
            true => (typed, None),
            false => (None, typed),
        };
        let named = known.map(|typed| parse_class(session, typed));
        // A layer or unit implies the filters view, unless another view is named.
        let view = match (&self.view, &self.layer, self.unit) {
            (None, None, None) if self.closer => Some("maps".to_owned()),
            (None, None, None) => None,
            (None, ..) => Some("filters".to_owned()),
            (Some(view), ..) => Some(view.clone()),
        };
        let start = Location {
            view,
            class: named.transpose().map_err(refused)?,
            typed_class: unknown.map(str::to_owned),
            gamma: self.gamma,
            response: self.response.map(Response::from),
            images: self.images.map(|images| images as usize - 1),
            experiment: self.experiment.map(|number| number as usize - 1),
            layer: self.layer.clone(),
            unit: self.unit,
            closer: self.closer,
            extends: false,
        };
        Ok((start != Location::default()).then_some(start))
    }
}

/// Opens the views on the session; prints a summary with `plain` or without a terminal.
pub fn run(
    look: &AttachView<'_>,
    name: &str,
    plain: bool,
    at: &StartArgs,
) -> Result<ExitCode, CommandError> {
    if plain || !can_draw() {
        if *at != StartArgs::default() {
            return Err(CommandError::Usage(format!(
                "standard output is not a terminal that can draw, so the views cannot open anywhere; for the summary, leave out their options: noisescope attach {name} --plain"
            )));
        }
        let reading = ReadingLine::show("the session", [look.store.path(name)]);
        let (session, standing) = load_with_standing(look.store, name)?;
        drop(reading);
        return summary(&session, &standing);
    }
    let engine = look.store.engine(name);
    let reading = ReadingLine::show("the session", [look.store.path(name)]);
    let read = look.store.load(name);
    drop(reading);
    if let Ok(session) = &read
        && session.record.sharding.is_some()
    {
        // Loading the sum of the shards is slow, and the views load it themselves later. But checking a start
        // position needs it: before a merge only the shards' files know which maps and layers exist.
        let session = match *at == StartArgs::default() {
            true => session.clone(),
            false => look.store.load_whole(name)?,
        };
        let start = at.start(&session)?;
        return look.open(session, Connection::Watched, start);
    }
    let session = match read {
        // A damaged file does not matter while an engine holds the current state.
        Err(_) if engine.is_some() => Session::new(name, Config::default()),
        loaded => loaded?,
    };
    let connection = match engine {
        Some(_) => Connection::Connecting,
        None => Connection::ReadOnly,
    };
    let start = at.start(&session)?;
    look.open(session, connection, start)
}

/// Opens the views on the session with the prompt for more trials.
pub fn extend(look: &AttachView<'_>, name: &str) -> Result<ExitCode, CommandError> {
    let start = Location {
        extends: true,
        ..Location::default()
    };
    let connection = match look.store.engine(name) {
        Some(_) => Connection::Connecting,
        None => Connection::ReadOnly,
    };
    look.open(look.store.load(name)?, connection, Some(start))
}

/// Prints the session's summary.
pub fn summary(session: &Session, standing: &SessionStatus) -> Result<ExitCode, CommandError> {
    print_report(&report::summary_with_status(session, standing));
    Ok(ExitCode::SUCCESS)
}
