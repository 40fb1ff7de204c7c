//! Notes on their way to a session. Of several on one object only the last one counts, so that an earlier one never
//! replaces it later.

use crate::session::Record;
use crate::session::record::Note;

/// Adds a note, in place of an earlier one on its object.
pub(super) fn keep(notes: &mut Vec<Note>, note: Note) {
    notes.retain(|earlier| earlier.on != note.on);
    notes.push(note);
}

/// Whether a record has this note, or a newer one on its object.
pub(super) fn has_arrived(record: &Record, note: &Note) -> bool {
    let is_newer = |stored: &Note| stored.written > note.written;
    record.has_note(note) || record.note_on(&note.on).is_some_and(is_newer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Config;
    use crate::session::record::NoteTarget;

    fn note(written: i64, on: NoteTarget, text: &str) -> Note {
        Note {
            written,
            on,
            text: text.into(),
        }
    }

    #[test]
    fn of_several_notes_on_one_object_the_last_one_waits() {
        let unit = NoteTarget::Unit {
            layer: "fc1".into(),
            unit: 3,
        };
        let mut waiting = Vec::new();
        keep(&mut waiting, note(1, NoteTarget::Session, "with a tpyo"));
        keep(&mut waiting, note(2, unit.clone(), "a unit"));
        // Whatever the clock said.
        keep(&mut waiting, note(0, NoteTarget::Session, "without"));
        let expected = [
            note(2, unit, "a unit"),
            note(0, NoteTarget::Session, "without"),
        ];
        assert_eq!(waiting, expected);
    }

    #[test]
    fn a_note_has_arrived_if_it_or_a_newer_one_is_stored() {
        let mut record = Record::new(&Config::default());
        let on = || NoteTarget::Session;
        assert!(!has_arrived(&record, &note(5, on(), "this")));
        assert!(has_arrived(&record, &note(5, on(), "")), "it is removed");
        for (stored, arrived) in [
            (note(5, on(), "this"), true),
            (note(4, on(), "earlier"), false),
            (note(6, on(), "of another viewer"), true),
        ] {
            record.notes = vec![stored.clone()];
            let found = has_arrived(&record, &note(5, on(), "this"));
            assert_eq!(found, arrived, "{stored:?}");
        }
        assert!(has_arrived(&record, &note(5, on(), "")), "removed too late");
    }
}
