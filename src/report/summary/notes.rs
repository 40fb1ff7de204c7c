//! The user's notes, at the end of a summary.

use super::wrapped;
use crate::format::clean;
use crate::session::record::Record;

/// Maximum number of characters of a word on one line.
const LONGEST: usize = 70;

/// Every note, oldest first; empty if there are none.
pub(super) fn notes(record: &Record) -> Vec<String> {
    if record.notes.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![String::new(), "notes".into()];
    for note in &record.notes {
        let place = note.on.in_words(record);
        let words = format!("{place}: {}", clean(&note.text));
        lines.extend(wrapped(&in_pieces(&words), 78));
    }
    lines
}

/// Breaks words that do not fit on a line, as in languages without spaces, into pieces.
fn in_pieces(text: &str) -> String {
    let mut words = Vec::new();
    for word in text.split(' ') {
        let letters: Vec<char> = word.chars().collect();
        let pieces = letters.chunks(LONGEST);
        words.extend(pieces.map(|piece| piece.iter().collect::<String>()));
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::super::summary;
    use crate::ids::{ClassId, Gamma};
    use crate::report::tests::finished;
    use crate::session::config::Response;
    use crate::session::record::{Note, NoteTarget};

    #[test]
    fn notes_come_last_on_the_page_within_eighty_columns() {
        let mut session = finished();
        assert!(!summary(&session).contains("notes"));
        for (on, text) in [
            (NoteTarget::Session, "x".repeat(Note::MAX_CHARS)),
            (
                NoteTarget::Map {
                    images: 0,
                    response: Response::Decision,
                    class: ClassId(1),
                    gamma: Gamma::NOISE,
                },
                "a stroke where none should be".into(),
            ),
        ] {
            let note = Note {
                written: 7,
                on,
                text,
            };
            session.note(note).unwrap();
        }
        let page = summary(&session);
        let last = "  classification image of class 1, γ 0.0: a stroke where none should be\n";
        assert!(page.ends_with(last), "{page}");
        assert!(page.contains("\n\nnotes\n  the session:\n    x"), "{page}");
        let letters = page.matches('x').count();
        assert!(letters >= Note::MAX_CHARS, "{letters}");
        for line in page.lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
    }
}
