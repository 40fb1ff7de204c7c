//! The table `notes`.

use super::ClassNames;
use super::table::{CsvField, CsvTable, row};
use crate::session::record::{NoteTarget, Record};

/// Every note, oldest first; columns that do not apply to what a note is on are empty.
pub(super) fn notes(record: &Record, names: &ClassNames) -> CsvTable {
    let mut table = CsvTable::new(&[
        "written", "on", "images", "response", "class", "name", "gamma", "layer", "unit", "text",
    ]);
    for note in &record.notes {
        let (target, map, unit) = match &note.on {
            NoteTarget::Session => ("session", None, None),
            NoteTarget::Map {
                images,
                response,
                class,
                gamma,
            } => ("map", Some((*images, *response, *class, *gamma)), None),
            NoteTarget::Unit { layer, unit } => ("unit", None, Some((layer.as_str(), *unit))),
        };
        row!(
            table,
            note.written,
            target,
            map.map(|(images, ..)| images),
            map.map(|(_, response, ..)| response.key()),
            map.map(|(_, _, class, _)| class.0),
            map.map(|(_, _, class, _)| names.get(class)),
            map.map(|(.., gamma)| gamma.0),
            unit.map(|(layer, _)| layer),
            unit.map(|(_, unit)| unit),
            note.text.as_str(),
        );
    }
    table
}
