//! The list `notes`.

use serde_json::{Value, json};

use crate::session::Record;
use crate::session::record::{Note, NoteOn};

/// Every note, oldest first.
pub(super) fn list(record: &Record) -> Value {
    let note = |note: &Note| {
        json!({
            "written": note.written,
            "on": place(&note.on, record),
            "place": note.on.in_words(record),
            "text": note.text,
        })
    };
    record.notes.iter().map(note).collect()
}

fn place(on: &NoteOn, record: &Record) -> Value {
    match on {
        NoteOn::Session => json!({"what": "session"}),
        NoteOn::Map {
            images,
            response,
            class,
            gamma,
        } => json!({
            "what": "map",
            "images": images,
            "response": response.key(),
            "class": class,
            "name": record.class_name(*class),
            "gamma": gamma,
        }),
        NoteOn::Unit { layer, unit } => json!({
            "what": "unit",
            "layer": layer,
            "unit": unit,
        }),
    }
}
