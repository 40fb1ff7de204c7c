//! `noisescope note`: writes, removes or lists notes on a session, a map or a unit of a layer, whether or not the session
//! is running.

use std::process::ExitCode;

use clap::Args;

use super::output::print_line;
use super::show::ResponseArg;
use super::standing::load_with_standing;
use super::{CommandError, control, holder, note_file};
use crate::figure::choice;
use crate::format::clean;
use crate::ids::Gamma;
use crate::link::EngineCommand;
use crate::session::config::{Analysis, Response};
use crate::session::record::{ClassificationImages, Note, NoteTarget};
use crate::session::store::{Store, now, timestamp};
use crate::session::{NoteError, Session};

/// The note and what it is about.
#[derive(Debug, Args)]
pub struct NoteArgs {
    /// The session
    name: String,
    /// The note, at most 200 characters; replaces an existing one (default: list all notes)
    #[arg(group = "line")]
    text: Option<String>,
    /// On the map of a class, by number or name (default: on the session as a whole); with TEXT or --remove
    #[arg(long, value_name = "CLASS", requires = "line", conflicts_with = "unit")]
    class: Option<String>,
    /// The signal strength of the map (default: the one that shows the class best)
    #[arg(long, value_name = "G", requires = "class", conflicts_with = "unit")]
    gamma: Option<Gamma>,
    /// The response that the map is made by (default: evidence if recorded)
    #[arg(
        long,
        value_enum,
        value_name = "WHAT",
        requires = "class",
        conflicts_with = "unit"
    )]
    response: Option<ResponseArg>,
    /// Which of the plan's classification images, if it has several; from 1 (default: 1)
    #[arg(long, value_name = "N", requires = "class", conflicts_with = "unit", value_parser = clap::value_parser!(u64).range(1..))]
    images: Option<u64>,
    /// On a unit of a layer: fc1/437; with TEXT or --remove
    #[arg(long, value_name = "LAYER/UNIT", requires = "line")]
    unit: Option<String>,
    /// Remove the existing note
    #[arg(long, group = "line")]
    remove: bool,
}

/// Writes a note, removes one, or lists them.
pub fn run(store: &Store, leave: &NoteArgs) -> Result<ExitCode, CommandError> {
    let name = &leave.name;
    let (session, _) = load_with_standing(store, name)?;
    let text = match (&leave.text, leave.remove) {
        (Some(text), _) => text.clone(),
        (None, true) => String::new(),
        (None, false) => {
            list(&session);
            return Ok(ExitCode::SUCCESS);
        }
    };
    let refused = |problem: String| CommandError::Usage(format!("{name}: {problem}"));
    // An engine takes an empty one for a removal.
    if !leave.remove && Note::line(&text).is_empty() {
        return Err(refused(
            "the note is empty, so nothing was changed; to remove a note: --remove".to_owned(),
        ));
    }
    let note = Note {
        written: now(),
        on: place(&session, leave).map_err(refused)?,
        text,
    };
    // Report errors before anything is sent to an engine.
    let note = session
        .fit_note(note)
        .map_err(|error| refused(error.to_string()))?;
    let place = note.on.in_words(&session.record);
    let before = session.record.note_on(&note.on);
    let before = before.map(|before| clean(&before.text));
    let message = match (note.text.is_empty(), before) {
        (true, None) => {
            let others = notes_nearby(&session, &note.on);
            print_line(format_args!("{name} has no note on {place}{others}"));
            return Ok(ExitCode::SUCCESS);
        }
        (true, Some(before)) => format!("note removed from {place}: {before}"),
        (false, None) => format!("note added to {place}"),
        (false, Some(before)) => format!("note added to {place}, replacing: {before}"),
    };
    save(store, name, &note)?;
    print_line(format_args!("{name}: {message}"));
    Ok(ExitCode::SUCCESS)
}

/// Gives a note to the engine that runs the session, or else writes it into the file.
fn save(store: &Store, name: &str, note: &Note) -> Result<(), CommandError> {
    holder::change(store, name, |is_run| match is_run {
        true => control::run(store, name, EngineCommand::Note(note.clone())).map(drop),
        false => note_file::note_in_file(store, name, note.clone()),
    })
}

/// Prints every note on a line, oldest first.
fn list(session: &Session) {
    let (name, record) = (&session.name, &session.record);
    if record.notes.is_empty() {
        print_line(format_args!(
            "{name} has no notes; to write one: noisescope note {name} TEXT"
        ));
    }
    for note in &record.notes {
        print_line(format_args!(
            "{}  {}: {}",
            timestamp(note.written),
            note.on.in_words(record),
            clean(&note.text)
        ));
    }
}

/// Where else there are notes on maps of the same class, if this is on one.
fn notes_nearby(session: &Session, on: &NoteTarget) -> String {
    let class_of = |on: &NoteTarget| match on {
        NoteTarget::Map { class, .. } => Some(*class),
        NoteTarget::Session | NoteTarget::Unit { .. } => None,
    };
    let wanted = class_of(on);
    let notes = session.record.notes.iter();
    let near = notes.filter(|note| wanted.is_some() && class_of(&note.on) == wanted);
    let places: Vec<String> = near.map(|note| note.on.in_words(&session.record)).collect();
    match places.is_empty() {
        true => String::new(),
        false => format!(
            "; there is one on {} (choose it with --gamma, --response and --images)",
            places.join(", one on ")
        ),
    }
}

/// What the note is on.
fn place(session: &Session, leave: &NoteArgs) -> Result<NoteTarget, String> {
    match (&leave.class, &leave.unit) {
        (Some(class), _) => map(session, leave, class),
        (None, Some(unit)) => parsed_unit(unit),
        (None, None) => Ok(NoteTarget::Session),
    }
}

/// The map of a class: by default the one that shows the class best.
fn map(session: &Session, leave: &NoteArgs, class: &str) -> Result<NoteTarget, String> {
    let Some(form) = &session.record.form else {
        return Err(NoteError::NotBegun.to_string());
    };
    let class = form.find(class)?;
    let images = leave.images.unwrap_or(1) as usize - 1;
    let record = session.record.all::<ClassificationImages>().nth(images);
    let response = match leave.response {
        Some(by) => by.into(),
        None => record.map_or(Response::Decision, |(_, record)| {
            choice::best_response(record)
        }),
    };
    let best = record.and_then(|(index, record)| {
        let place = choice::best_gamma_index(record, response, class, None);
        match session.config.analyses.get(index) {
            Some(Analysis::ClassificationImages(plan)) => plan.gammas.get(place).copied(),
            _ => None,
        }
    });
    Ok(NoteTarget::Map {
        images,
        response,
        class,
        // If there are no such images, `fit_note` refuses the note for that reason.
        gamma: leave.gamma.or(best).unwrap_or_default(),
    })
}

/// Parses `fc1/437`; a layer's name may itself contain slashes.
fn parsed_unit(typed: &str) -> Result<NoteTarget, String> {
    let parts = typed.rsplit_once('/');
    let parsed = parts.and_then(|(layer, unit)| {
        let unit = unit.trim().parse::<usize>().ok()?;
        Some((layer, unit))
    });
    match parsed.filter(|(layer, _)| !layer.is_empty()) {
        Some((layer, unit)) => Ok(NoteTarget::Unit {
            layer: layer.to_owned(),
            unit,
        }),
        None => Err(format!(
            "--unit {typed}: give a layer and the number of a unit, for example fc1/437"
        )),
    }
}
