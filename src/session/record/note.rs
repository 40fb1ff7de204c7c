//! Notes that the user left: a line on the session, on a map or on a unit of a layer.

use serde::{Deserialize, Serialize};

use super::Record;
use crate::format;
use crate::ids::{ClassId, Gamma};
use crate::session::config::Response;

/// A line of text that the user left.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Note {
    /// When it was written, in seconds since the Unix epoch.
    pub written: i64,
    /// The object that it annotates.
    pub on: NoteTarget,
    /// The text, of at most [`Self::MAX_CHARS`] characters. If empty, it removes the existing note.
    pub text: String,
}

/// The object that a note annotates; each has at most one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[serde(rename = "NoteOn")]
pub enum NoteTarget {
    /// The session as a whole.
    Session,
    /// The map of a class.
    Map {
        /// Which of the plan's classification images, counting only those, from 0.
        images: usize,
        /// The response that the map is of.
        response: Response,
        /// The class, from 0.
        class: ClassId,
        /// The signal strength; one of the plan's.
        gamma: Gamma,
    },
    /// A unit of a layer.
    Unit {
        /// The layer's name, for example `fc1`.
        layer: String,
        /// The unit, from 0.
        unit: usize,
    },
}

impl Note {
    /// Maximum number of characters in its text.
    pub const MAX_CHARS: usize = 200;

    /// Maximum number of bytes in the name of the layer that a new note is on, so that it fits in a message to an
    /// engine.
    pub const MAX_LAYER_BYTES: usize = 1 << 15;

    /// A text as stored in a note: trimmed, with line breaks and other control characters replaced by
    /// single spaces.
    pub fn line(text: &str) -> String {
        let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
        let parts = text.split(breaks).map(str::trim);
        let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
        parts.join(" ")
    }
}

impl NoteTarget {
    /// A description: `evidence image of Dress, γ 0.2`, `fc1, unit 437`, `the session`.
    pub fn in_words(&self, record: &Record) -> String {
        match self {
            Self::Session => "the session".into(),
            Self::Map {
                images,
                response,
                class,
                gamma,
            } => {
                let number = match *images {
                    0 => String::new(),
                    more => format!(", images {}", more.saturating_add(1)),
                };
                format!(
                    "{} of {}, γ {}{number}",
                    response.image_label(),
                    record.class_in_words(*class),
                    format::gamma(*gamma)
                )
            }
            Self::Unit { layer, unit } => format!("{}, unit {unit}", format::layer(layer)),
        }
    }
}

impl Record {
    /// The note on an object.
    pub fn note_on(&self, on: &NoteTarget) -> Option<&Note> {
        self.notes.iter().find(|note| note.on == *on)
    }

    /// Whether this note is stored unchanged; for an empty note, whether there is none on its object.
    pub fn has_note(&self, note: &Note) -> bool {
        let stored = self.note_on(&note.on);
        match note.text.is_empty() {
            true => stored.is_none(),
            false => stored == Some(note),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::{Config, Form};

    #[test]
    fn a_text_becomes_a_line() {
        for (typed, line) in [
            ("as it was typed", "as it was typed"),
            (
                "  two \r\n\tlines\u{2028}and a \u{1b}[2J\n",
                "two lines and a [2J",
            ),
            ("γ: 縦縞", "γ: 縦縞"),
            (" \n\t\0 ", ""),
        ] {
            assert_eq!(Note::line(typed), line);
        }
    }

    #[test]
    fn a_subject_is_described_in_words() {
        let mut record = Record::new(&Config::default());
        let map = |images, class| NoteTarget::Map {
            images,
            response: Response::Evidence,
            class,
            gamma: Gamma(0.2),
        };
        assert_eq!(
            map(0, ClassId(1)).in_words(&record),
            "evidence image of class 1, γ 0.2"
        );
        record.form = Some(Form {
            classes: vec!["Dress".into(), "7".into(), " ".into(), "a\nb".into()],
            ..Form::numbered([1, 2, 2], 0)
        });
        for (class, words) in [
            (0, "evidence image of Dress, γ 0.2, images 2"),
            (1, "evidence image of class 7, γ 0.2, images 2"),
            (2, "evidence image of class 2, γ 0.2, images 2"),
            (3, "evidence image of a b, γ 0.2, images 2"),
        ] {
            assert_eq!(map(1, ClassId(class)).in_words(&record), words);
        }
        // A file or a socket can contain anything.
        assert!(
            !map(usize::MAX, ClassId(usize::MAX))
                .in_words(&record)
                .is_empty()
        );
        let unit = NoteTarget::Unit {
            layer: "fc1".into(),
            unit: 437,
        };
        assert_eq!(unit.in_words(&record), "fc1, unit 437");
        let numbered = NoteTarget::Unit {
            layer: "3".into(),
            unit: 7,
        };
        assert_eq!(numbered.in_words(&record), "layer 3, unit 7");
        assert_eq!(NoteTarget::Session.in_words(&record), "the session");
    }
}
