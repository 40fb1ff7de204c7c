//! `noisescope note`: a line on a session, on a map or on a unit of a layer, kept with the session whether it runs or
//! not; and the list of those that there are.

use std::process::ExitCode;

use clap::Args;

use super::listing::judged;
use super::say::say;
use super::show::By;
use super::{Refusal, control, noted};
use crate::figure::choice;
use crate::format::clean;
use crate::link::Command;
use crate::session::config::{Analysis, Response};
use crate::session::record::{ClassificationImages, Note, NoteOn};
use crate::session::store::{Store, now, timestamp};
use crate::session::{NoteError, Session};

/// What is left, and on what.
#[derive(Debug, Args)]
pub struct Leave {
    /// The session
    name: String,
    /// The line, of at most 200 characters; it replaces the one that is there (default: list all that there are)
    #[arg(group = "line")]
    text: Option<String>,
    /// On the map of a class, by number or name (default: on the session as a whole)
    #[arg(long, value_name = "CLASS", requires = "line", conflicts_with = "unit")]
    class: Option<String>,
    /// The signal strength of the map (default: the one that shows the class best)
    #[arg(long, value_name = "G", requires = "class")]
    gamma: Option<f64>,
    /// What trials are taken to say in the map (default: evidence where there is some)
    #[arg(long, value_enum, value_name = "WHAT", requires = "class")]
    response: Option<By>,
    /// Which of the plan's classification images, where it has several; from 1 (default: 1)
    #[arg(long, value_name = "N", requires = "class", value_parser = clap::value_parser!(u64).range(1..))]
    images: Option<u64>,
    /// On a unit of a layer: fc1/437
    #[arg(long, value_name = "LAYER/UNIT", requires = "line")]
    unit: Option<String>,
    /// Remove the note that is there
    #[arg(long, group = "line")]
    remove: bool,
}

/// Leaves a note, removes one, or lists them.
pub fn run(store: &Store, leave: &Leave) -> Result<ExitCode, Refusal> {
    let name = &leave.name;
    let (session, _) = judged(store, name)?;
    let text = match (&leave.text, leave.remove) {
        (Some(text), _) => text.clone(),
        (None, true) => String::new(),
        (None, false) => {
            list(&session);
            return Ok(ExitCode::SUCCESS);
        }
    };
    let refused = |problem: String| Refusal::Usage(format!("{name}: {problem}"));
    let note = Note {
        written: now(),
        on: place(&session, leave).map_err(refused)?,
        text,
    };
    // What is wrong with it is told before an engine hears of it.
    let note = session
        .fit_note(note)
        .map_err(|error| refused(error.to_string()))?;
    let place = note.on.in_words(&session.record);
    let before = session.record.note_on(&note.on);
    let before = before.map(|before| clean(&before.text));
    let told = match (note.text.is_empty(), before) {
        (true, None) => {
            say(format_args!("{name} has no note on {place}"));
            return Ok(ExitCode::SUCCESS);
        }
        (true, Some(before)) => format!("removed from {place}: {before}"),
        (false, None) => format!("noted on {place}"),
        (false, Some(before)) => format!("noted on {place}, in the place of: {before}"),
    };
    match store.engine(name) {
        Some(_) => {
            control::run(store, name, Command::Note(note))?;
        }
        None => noted::in_file(store, name, note)?,
    }
    say(format_args!("{name}: {told}"));
    Ok(ExitCode::SUCCESS)
}

/// Every note on a line, the oldest first.
fn list(session: &Session) {
    let (name, record) = (&session.name, &session.record);
    if record.notes.is_empty() {
        say(format_args!(
            "{name} has no notes; leave one: noisescope note {name} TEXT"
        ));
    }
    for note in &record.notes {
        say(format_args!(
            "{}  {}: {}",
            timestamp(note.written),
            note.on.in_words(record),
            clean(&note.text)
        ));
    }
}

/// What the note is on.
fn place(session: &Session, leave: &Leave) -> Result<NoteOn, String> {
    match (&leave.class, &leave.unit) {
        (Some(class), _) => map(session, leave, class),
        (None, Some(unit)) => parsed_unit(unit),
        (None, None) => Ok(NoteOn::Session),
    }
}

/// The map of a class that is meant: where nothing is said of it, the one that shows most.
fn map(session: &Session, leave: &Leave, class: &str) -> Result<NoteOn, String> {
    let Some(form) = &session.record.form else {
        return Err(NoteError::NotBegun.to_string());
    };
    let class = form.find(class)?;
    let images = leave.images.unwrap_or(1) as usize - 1;
    let own = session.record.all::<ClassificationImages>().nth(images);
    let response = match leave.response {
        Some(by) => by.into(),
        None => own.map_or(Response::Decision, |(_, own)| choice::response(own)),
    };
    let best = own.and_then(|(at, own)| {
        let place = choice::best(own, response, class, None);
        match session.config.analyses.get(at) {
            Some(Analysis::ClassificationImages(plan)) => plan.gammas.get(place).copied(),
            _ => None,
        }
    });
    Ok(NoteOn::Map {
        images,
        response,
        class,
        // Where there are no such images, that is what is refused.
        gamma: leave.gamma.or(best).unwrap_or_default(),
    })
}

/// Takes `fc1/437`; the name of a layer may have such strokes itself.
fn parsed_unit(typed: &str) -> Result<NoteOn, String> {
    let parts = typed.rsplit_once('/');
    let parsed = parts.and_then(|(layer, unit)| {
        let unit = unit.trim().parse::<usize>().ok()?;
        Some((layer, unit))
    });
    match parsed.filter(|(layer, _)| !layer.is_empty()) {
        Some((layer, unit)) => Ok(NoteOn::Unit {
            layer: layer.to_owned(),
            unit,
        }),
        None => Err(format!(
            "--unit {typed}: a layer and the number of one of its units, for example fc1/437"
        )),
    }
}
