//! The list `notes`.

use serde_json::{Value, json};

use crate::session::Record;
use crate::session::record::{Note, NoteTarget};

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

fn place(on: &NoteTarget, record: &Record) -> Value {
    match on {
        NoteTarget::Session => json!({"what": "session"}),
        NoteTarget::Map {
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
        NoteTarget::Unit { layer, unit } => json!({
            "what": "unit",
            "layer": layer,
            "unit": unit,
        }),
    }
}
