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

/// Adds the notes that have disappeared between two states of an engine; those that are there again are forgotten.
pub(super) fn note_vanished(vanished: &mut Vec<Note>, before: &Record, now: &Record) {
    let is_gone = |note: &Note| now.note_on(&note.on).is_none();
    vanished.retain(is_gone);
    let gone = before.notes.iter().filter(|note| is_gone(note));
    gone.for_each(|note| keep(vanished, note.clone()));
}

/// The removals of those vanished notes that a file still has, because the engine died before it saved them.
pub(super) fn unsaved_removals(vanished: &[Note], file: &Record) -> Vec<Note> {
    let left = vanished.iter().filter(|note| file.has_note(note));
    let removal = |note: &Note| Note {
        text: String::new(),
        ..note.clone()
    };
    left.map(removal).collect()
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
    fn a_note_that_disappeared_is_removed_from_a_file_that_still_has_it_and_no_other_is() {
        let record = |notes: &[Note]| Record {
            notes: notes.to_vec(),
            ..Record::new(&Config::default())
        };
        let (first, second) = (
            note(5, NoteTarget::Session, "a tpyo"),
            note(6, NoteTarget::Session, "of another viewer"),
        );
        let (with, without) = (record(std::slice::from_ref(&first)), record(&[]));
        let mut vanished = Vec::new();
        note_vanished(&mut vanished, &with, &with);
        assert_eq!(vanished, []);
        note_vanished(&mut vanished, &with, &without);
        note_vanished(&mut vanished, &without, &without);
        assert_eq!(vanished, std::slice::from_ref(&first));
        let removal = note(5, NoteTarget::Session, "");
        assert_eq!(unsaved_removals(&vanished, &with), [removal]);
        assert_eq!(unsaved_removals(&vanished, &without), []);
        let newer = record(std::slice::from_ref(&second));
        assert_eq!(unsaved_removals(&vanished, &newer), []);
        note_vanished(&mut vanished, &without, &newer);
        assert_eq!(vanished, []);
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
