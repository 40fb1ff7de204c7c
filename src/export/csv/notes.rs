//! The table `notes`.

use super::Names;
use super::table::{Field, Table, row};
use crate::session::record::{NoteOn, Record};

/// Every note, oldest first; columns that do not apply to what a note is on are empty.
pub(super) fn notes(record: &Record, names: &Names) -> Table {
    let mut table = Table::new(&[
        "written", "on", "images", "response", "class", "name", "gamma", "layer", "unit", "text",
    ]);
    for note in &record.notes {
        let (target, map, unit) = match &note.on {
            NoteOn::Session => ("session", None, None),
            NoteOn::Map {
                images,
                response,
                class,
                gamma,
            } => ("map", Some((*images, *response, *class, *gamma)), None),
            NoteOn::Unit { layer, unit } => ("unit", None, Some((layer.as_str(), *unit))),
        };
        row!(
            table,
            note.written,
            target,
            map.map(|(images, ..)| images),
            map.map(|(_, response, ..)| response.key()),
            map.map(|(_, _, class, _)| class),
            map.map(|(_, _, class, _)| names.get(class)),
            map.map(|(.., gamma)| gamma),
            unit.map(|(layer, _)| layer),
            unit.map(|(_, unit)| unit),
            note.text.as_str(),
        );
    }
    table
}
