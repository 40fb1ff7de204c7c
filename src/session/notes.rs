//! Notes that people leave: where they can be left, and how many there are.

use super::config::{Analysis as Plan, ClassificationImages, Config, Response};
use super::record::{LayerResponses, Note, NoteOn, Record, SpikeTriggered};
use super::{Form, Session};

/// Most notes of a session.
const MOST: usize = 500;

/// Most layers that are named where one is not found.
const NAMED: usize = 12;

/// Why a note cannot be left.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// It is longer than a line; its characters.
    #[error("a note has at most {most} characters, and this one has {0}", most = Note::MOST)]
    Long(usize),
    /// There are as many as there can be.
    #[error("there are {MOST} notes, which is as many as a session keeps; remove one first")]
    Full,
    /// It is a shard.
    #[error(
        "it is a shard, whose file goes when it is merged; leave the note on the session that it is of"
    )]
    Shard,
    /// Nothing has been done, so that the plan may still change.
    #[error(
        "nothing has been done yet: before it has begun only the session as a whole has a note"
    )]
    NotBegun,
    /// No classification images of that number.
    #[error("the plan has {there} classification images; there is no number {asked}")]
    NoImages {
        /// The number, from 1.
        asked: usize,
        /// How many there are.
        there: usize,
    },
    /// No maps of what trials are taken to say.
    #[error("the plan has no {0}s")]
    NoMaps(&'static str),
    /// No such γ.
    #[error("the plan has no γ = {asked}; it has {there}")]
    Gamma {
        /// The γ.
        asked: String,
        /// Those of the plan.
        there: String,
    },
    /// No such class.
    #[error("there is no class {asked}; {there}")]
    Class {
        /// The class, from 0.
        asked: usize,
        /// Those that there are, in words.
        there: String,
    },
    /// No layer has been measured.
    #[error("no unit of a layer has been measured yet; SpikeTriggered(()) in a plan does that")]
    NoLayers,
    /// No such layer.
    #[error("there is no layer `{asked}`; there are {there}")]
    Layer {
        /// The layer.
        asked: String,
        /// Those that have been measured.
        there: String,
    },
    /// No such unit.
    #[error("{layer} has the units 0 to {last}; there is no {asked}")]
    Unit {
        /// The layer.
        layer: String,
        /// The unit, from 0.
        asked: usize,
        /// The last one.
        last: usize,
    },
}

impl Session {
    /// Leaves a note, in the place of one that is there already. One without text only removes that.
    ///
    /// # Errors
    /// As [`Self::fit_note`]; the session stays as it was.
    pub fn note(&mut self, note: Note) -> Result<(), NoteError> {
        let note = self.fit_note(note)?;
        let notes = &mut self.record.notes;
        notes.retain(|own| own.on != note.on);
        if !note.text.is_empty() {
            notes.push(note);
        }
        Ok(())
    }

    /// The note as it would be left, on one line.
    ///
    /// # Errors
    /// Where it is too long, there is no such place, or there are too many already.
    pub fn fit_note(&self, mut note: Note) -> Result<Note, NoteError> {
        let record = &self.record;
        if record.shard.is_some() {
            return Err(NoteError::Shard);
        }
        note.text = Note::line(&note.text);
        check(&note, record, &self.config)?;
        // A plan may be edited until something has been done, and a file whose notes do not fit it is refused.
        let has_begun = record.form.is_some() && record.has_begun(&self.config);
        match &note.on {
            NoteOn::Session => {}
            _ if !has_begun => return Err(NoteError::NotBegun),
            NoteOn::Unit { .. } if layers(record).next().is_none() => {
                return Err(NoteError::NoLayers);
            }
            _ => {}
        }
        let is_new = !note.text.is_empty() && record.note_on(&note.on).is_none();
        match is_new && record.notes.len() >= MOST {
            true => Err(NoteError::Full),
            false => Ok(note),
        }
    }
}

/// What is wrong with the notes of a record that was read, and where.
pub(super) fn unfit(record: &Record, config: &Config) -> Option<String> {
    let notes = &record.notes;
    if notes.len() > MOST {
        return Some(format!(
            "it has {} notes, where at most {MOST} belong",
            notes.len()
        ));
    }
    notes.iter().enumerate().find_map(|(place, note)| {
        if let Err(problem) = check(note, record, config) {
            return Some(format!("notes[{place}]: {problem}"));
        }
        let is_second = notes[..place].iter().any(|own| own.on == note.on);
        is_second.then(|| {
            let words = note.on.in_words(record);
            format!("notes[{place}]: there is a note on {words} already")
        })
    })
}

/// Whether a note is short enough and on something that there is, as far as it is known what there is.
fn check(note: &Note, record: &Record, config: &Config) -> Result<(), NoteError> {
    let length = note.text.chars().count();
    if length > Note::MOST {
        return Err(NoteError::Long(length));
    }
    match &note.on {
        NoteOn::Session => Ok(()),
        NoteOn::Map {
            images,
            response,
            class,
            gamma,
        } => {
            check_map(images_of(config, *images)?, *response, *gamma)?;
            check_class(*class, record.form.as_ref())
        }
        NoteOn::Unit { layer, unit } => check_unit(layer, *unit, record),
    }
}

/// The classification images of this number among those of the plan, from 0.
fn images_of(config: &Config, images: usize) -> Result<&ClassificationImages, NoteError> {
    let plans = config.analyses.iter().filter_map(|it| match it {
        Plan::ClassificationImages(plan) => Some(plan),
        _ => None,
    });
    let plans: Vec<&ClassificationImages> = plans.collect();
    plans.get(images).copied().ok_or(NoteError::NoImages {
        asked: images.saturating_add(1),
        there: plans.len(),
    })
}

fn check_map(plan: &ClassificationImages, response: Response, gamma: f64) -> Result<(), NoteError> {
    if !plan.has(response) {
        return Err(NoteError::NoMaps(response.image_label()));
    }
    if plan.gammas.contains(&gamma) {
        return Ok(());
    }
    let there: Vec<String> = plan.gammas.iter().map(f64::to_string).collect();
    Err(NoteError::Gamma {
        asked: gamma.to_string(),
        there: there.join(", "),
    })
}

/// What classes there are is known once the images have been opened.
fn check_class(class: usize, form: Option<&Form>) -> Result<(), NoteError> {
    match form.filter(|form| class >= form.count()) {
        None => Ok(()),
        Some(form) => Err(NoteError::Class {
            asked: class,
            there: form.listed(),
        }),
    }
}

/// What layers there are is known once one has been measured; of a divided session only its shards know it.
fn check_unit(layer: &str, unit: usize, record: &Record) -> Result<(), NoteError> {
    let mut named = layers(record).filter(|own| own.name == layer);
    match named.next().map(|own| own.units) {
        Some(units) if unit < units => Ok(()),
        Some(units) => Err(NoteError::Unit {
            layer: layer.to_owned(),
            asked: unit,
            last: units.saturating_sub(1),
        }),
        None if layers(record).next().is_none() => Ok(()),
        None => Err(NoteError::Layer {
            asked: layer.to_owned(),
            there: names(record),
        }),
    }
}

/// Every layer whose units have been measured.
fn layers(record: &Record) -> impl Iterator<Item = &LayerResponses> {
    let all = record.all::<SpikeTriggered>();
    all.flat_map(|(_, it)| it.layers.iter())
}

/// The names of these, not too many.
fn names(record: &Record) -> String {
    let names: Vec<&str> = layers(record).map(|own| own.name.as_str()).collect();
    match names.len().saturating_sub(NAMED) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names[..NAMED].join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::config;
    use crate::session::record::{Analysis, Training};

    /// A session that has begun, of ten classes and γ 0, 0.2, 0.3 and 0.5, with a layer of three units.
    fn begun() -> Session {
        let mut plan = Config::default();
        let units = config::SpikeTriggered::default();
        plan.analyses.push(Plan::SpikeTriggered(units));
        let mut session = Session::new("mine", plan);
        session.record.form = Some(Form::numbered([1, 2, 2], 10));
        session.record.training = Some(Training::default());
        session.record.analyses[1] = Analysis::SpikeTriggered(SpikeTriggered {
            layers: vec![LayerResponses::new("fc1", 3, [1, 2, 2], false, None)],
            ..SpikeTriggered::default()
        });
        session
    }

    fn map(class: usize, gamma: f64) -> NoteOn {
        NoteOn::Map {
            images: 0,
            response: Response::Evidence,
            class,
            gamma,
        }
    }

    fn unit(layer: &str, unit: usize) -> NoteOn {
        NoteOn::Unit {
            layer: layer.into(),
            unit,
        }
    }

    fn note(on: NoteOn, text: &str) -> Note {
        Note {
            written: 7,
            on,
            text: text.into(),
        }
    }

    #[test]
    fn a_place_has_one_note_which_the_next_replaces_and_an_empty_one_removes() {
        let mut session = begun();
        for on in [NoteOn::Session, map(9, 0.5), map(9, 0.3), unit("fc1", 2)] {
            session.note(note(on, "first")).unwrap();
        }
        let second = note(map(9, 0.5), "a\nsecond");
        session.note(second).unwrap();
        let texts = |session: &Session| -> Vec<String> {
            let notes = session.record.notes.iter();
            notes.map(|own| own.text.clone()).collect()
        };
        assert_eq!(texts(&session), ["first", "first", "first", "a second"]);
        let left = note(map(9, 0.5), "a second");
        assert_eq!(session.record.note_on(&map(9, 0.5)), Some(&left));
        assert!(session.record.has_note(&left));
        assert!(!session.record.has_note(&note(map(9, 0.5), "another")));
        session.note(note(map(9, 0.5), " \n ")).unwrap();
        assert_eq!(texts(&session), ["first", "first", "first"]);
        assert!(session.record.has_note(&note(map(9, 0.5), "")));
        // Where there is none, none is removed.
        session.note(note(map(9, 0.5), "")).unwrap();
        assert_eq!(session.record.notes.len(), 3);
    }

    #[test]
    fn what_there_is_not_is_refused_with_what_there_is() {
        let mut session = begun();
        let second = NoteOn::Map {
            images: 1,
            response: Response::Decision,
            class: 0,
            gamma: 0.2,
        };
        let before = session.clone();
        for (on, said) in [
            (map(10, 0.2), "there is no class 10; there are 0 to 9"),
            (map(0, 0.7), "no γ = 0.7; it has 0, 0.2, 0.3, 0.5"),
            (map(0, f64::NAN), "no γ = NaN"),
            (second, "1 classification images; there is no number 2"),
            (unit("fc2", 0), "no layer `fc2`; there are fc1"),
            (unit("fc1", 3), "fc1 has the units 0 to 2; there is no 3"),
        ] {
            let error = session.note(note(on, "a")).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
        let Plan::ClassificationImages(plan) = &mut session.config.analyses[0] else {
            panic!("classification images stand first");
        };
        plan.responses = vec![Response::Decision];
        assert_eq!(
            session.note(note(map(0, 0.2), "a")),
            Err(NoteError::NoMaps("evidence image"))
        );
        assert!(session.record == before.record);
    }

    #[test]
    fn before_anything_is_known_only_the_session_has_a_note() {
        let mut session = Session::new("mine", Config::default());
        let refused = session.note(note(map(0, 0.2), "a"));
        assert_eq!(refused, Err(NoteError::NotBegun));
        session.note(note(NoteOn::Session, "a")).unwrap();
        let mut session = begun();
        session.record.analyses[1] = Analysis::SpikeTriggered(SpikeTriggered::default());
        let refused = session.note(note(unit("fc1", 0), "a"));
        assert_eq!(refused, Err(NoteError::NoLayers));
        // What a divided session was given stays in its own file, which has no layers before it is merged.
        session.record.notes.push(note(unit("fc1", 0), "a"));
        assert_eq!(unfit(&session.record, &session.config), None);
    }

    #[test]
    fn a_note_is_a_line_and_a_session_has_so_many() {
        let mut session = begun();
        let longest = "縞".repeat(Note::MOST);
        session.note(note(NoteOn::Session, &longest)).unwrap();
        let longer = session.note(note(NoteOn::Session, &(longest + "縞")));
        assert_eq!(longer, Err(NoteError::Long(Note::MOST + 1)));
        let layer = LayerResponses::new("fc1", MOST, [1, 1, 1], false, None);
        session.record.analyses[1] = Analysis::SpikeTriggered(SpikeTriggered {
            layers: vec![layer],
            ..SpikeTriggered::default()
        });
        for at in 1..MOST {
            session.note(note(unit("fc1", at), "one of many")).unwrap();
        }
        let full = session.note(note(unit("fc1", 0), "one too many"));
        assert_eq!(full, Err(NoteError::Full));
        // One that is there may change, or go.
        session.note(note(unit("fc1", 1), "another")).unwrap();
        session.note(note(unit("fc1", 2), "")).unwrap();
        session.note(note(unit("fc1", 0), "room for it")).unwrap();
        assert_eq!(unfit(&session.record, &session.config), None);
    }

    #[test]
    fn notes_of_a_file_that_do_not_fit_are_named_by_their_place() {
        let mut session = begun();
        session.note(note(NoteOn::Session, "a")).unwrap();
        let problem = |session: &Session, notes: &[Note]| {
            let mut record = session.record.clone();
            record.notes.extend_from_slice(notes);
            unfit(&record, &session.config).unwrap_or_default()
        };
        for (notes, said) in [
            (
                vec![note(map(0, 0.7), "a")],
                "notes[1]: the plan has no γ = 0.7",
            ),
            (
                vec![note(map(0, 0.2), "a"), note(map(0, 0.2), "b")],
                "notes[2]: there is a note on evidence image of class 0, γ 0.2 already",
            ),
            (
                vec![note(map(0, 0.2), &"a".repeat(201))],
                "notes[1]: a note has at most 200 characters",
            ),
            (vec![note(map(0, 0.2), "a"); MOST], "it has 501 notes"),
        ] {
            let said_so = problem(&session, &notes);
            assert!(said_so.starts_with(said), "{said_so}");
        }
    }
}
