//! Tests of where notes can be left.

use super::*;
use crate::session::config;
use crate::session::record::{Analysis, TrainingRecord};

/// A session that has begun, with ten classes, γ 0, 0.2, 0.3 and 0.5, and a layer of three units.
fn begun() -> Session {
    let mut plan = Config::default();
    let units = config::SpikeTriggered::default();
    plan.analyses.push(Plan::SpikeTriggered(units));
    let mut session = Session::new("mine", plan);
    session.record.form = Some(Form::numbered([1, 2, 2], 10));
    session.record.training = Some(TrainingRecord::default());
    session.record.analyses[1] = Analysis::SpikeTriggered(SpikeTriggered {
        layers: vec![LayerResponses::new("fc1", 3, [1, 2, 2], false, None)],
        ..SpikeTriggered::default()
    });
    session
}

fn map(class: ClassId, gamma: Gamma) -> NoteTarget {
    NoteTarget::Map {
        images: 0,
        response: Response::Evidence,
        class,
        gamma,
    }
}

fn unit(layer: &str, unit: usize) -> NoteTarget {
    NoteTarget::Unit {
        layer: layer.into(),
        unit,
    }
}

fn note(on: NoteTarget, text: &str) -> Note {
    Note {
        written: 7,
        on,
        text: text.into(),
    }
}

#[test]
fn a_subject_has_one_note_which_the_next_replaces_and_an_empty_one_removes() {
    let mut session = begun();
    for on in [
        NoteTarget::Session,
        map(ClassId(9), Gamma(0.5)),
        map(ClassId(9), Gamma(0.3)),
        unit("fc1", 2),
    ] {
        session.note(note(on, "first")).unwrap();
    }
    let second = note(map(ClassId(9), Gamma(0.5)), "a\nsecond");
    session.note(second).unwrap();
    let texts = |session: &Session| -> Vec<String> {
        let notes = session.record.notes.iter();
        notes.map(|note| note.text.clone()).collect()
    };
    assert_eq!(texts(&session), ["first", "first", "first", "a second"]);
    let left = note(map(ClassId(9), Gamma(0.5)), "a second");
    assert_eq!(
        session.record.note_on(&map(ClassId(9), Gamma(0.5))),
        Some(&left)
    );
    assert!(session.record.has_note(&left));
    assert!(
        !session
            .record
            .has_note(&note(map(ClassId(9), Gamma(0.5)), "another"))
    );
    session
        .note(note(map(ClassId(9), Gamma(0.5)), " \n "))
        .unwrap();
    assert_eq!(texts(&session), ["first", "first", "first"]);
    assert!(
        session
            .record
            .has_note(&note(map(ClassId(9), Gamma(0.5)), ""))
    );
    // Removing a missing note does nothing.
    session.note(note(map(ClassId(9), Gamma(0.5)), "")).unwrap();
    assert_eq!(session.record.notes.len(), 3);
}

#[test]
fn unknown_subjects_are_refused_with_the_existing_ones() {
    let mut session = begun();
    let second = NoteTarget::Map {
        images: 1,
        response: Response::Decision,
        class: ClassId(0),
        gamma: Gamma(0.2),
    };
    let before = session.clone();
    for (on, expected) in [
        (
            map(ClassId(10), Gamma(0.2)),
            "there is no class 10; there are 0 to 9",
        ),
        (
            map(ClassId(0), Gamma(0.7)),
            "no γ = 0.7; it has 0, 0.2, 0.3, 0.5",
        ),
        (map(ClassId(0), Gamma(f64::NAN)), "no γ = NaN"),
        (
            second,
            "there is no set 2 of classification images; the plan has 1",
        ),
        (unit("fc2", 0), "no layer `fc2`; there are fc1"),
        (unit("fc1", 3), "fc1 has units 0 to 2; there is no 3"),
    ] {
        let error = session.note(note(on, "a")).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    let Plan::ClassificationImages(plan) = &mut session.config.analyses[0] else {
        panic!("classification images come first");
    };
    plan.responses = vec![Response::Decision];
    assert_eq!(
        session.note(note(map(ClassId(0), Gamma(0.2)), "a")),
        Err(NoteError::NoMaps("evidence image"))
    );
    assert!(session.record == before.record);
}

#[test]
fn before_anything_is_known_only_the_session_can_have_a_note() {
    let mut session = Session::new("mine", Config::default());
    let refused = session.note(note(map(ClassId(0), Gamma(0.2)), "a"));
    assert_eq!(refused, Err(NoteError::NotBegun));
    session.note(note(NoteTarget::Session, "a")).unwrap();
    // The images are open, but nothing is trained or measured; or the other way round.
    session.record.form = Some(Form::numbered([1, 2, 2], 10));
    let refused = session.note(note(map(ClassId(0), Gamma(0.2)), "a"));
    assert_eq!(refused, Err(NoteError::NotBegun));
    session.record.form = None;
    session.record.training = Some(TrainingRecord::default());
    let refused = session.note(note(map(ClassId(0), Gamma(0.2)), "a"));
    assert_eq!(refused, Err(NoteError::NotBegun));
    let mut session = begun();
    session.record.analyses[1] = Analysis::SpikeTriggered(SpikeTriggered::default());
    let refused = session.note(note(unit("fc1", 0), "a"));
    assert_eq!(refused, Err(NoteError::NoLayers));
    // A note on a divided session stays in its own file, which has no layers until shards are
    // merged.
    session.record.notes.push(note(unit("fc1", 0), "a"));
    assert_eq!(unfit(&session.record, &session.config), None);
}

#[test]
fn a_note_is_one_line_and_their_number_is_limited() {
    let mut session = begun();
    let longest = "縞".repeat(Note::MAX_CHARS);
    session.note(note(NoteTarget::Session, &longest)).unwrap();
    let longer = session.note(note(NoteTarget::Session, &(longest + "縞")));
    assert_eq!(longer, Err(NoteError::Long(Note::MAX_CHARS + 1)));
    let layer = LayerResponses::new("fc1", MOST, [1, 1, 1], false, None);
    session.record.analyses[1] = Analysis::SpikeTriggered(SpikeTriggered {
        layers: vec![layer],
        ..SpikeTriggered::default()
    });
    for index in 1..MOST {
        session
            .note(note(unit("fc1", index), "one of many"))
            .unwrap();
    }
    let full = session.note(note(unit("fc1", 0), "one too many"));
    assert_eq!(full, Err(NoteError::Full));
    // An existing note can still be changed or removed.
    session.note(note(unit("fc1", 1), "another")).unwrap();
    session.note(note(unit("fc1", 2), "")).unwrap();
    session.note(note(unit("fc1", 0), "room for it")).unwrap();
    assert_eq!(unfit(&session.record, &session.config), None);
}

#[test]
fn a_note_on_a_layer_whose_name_no_message_can_hold_is_refused() {
    let long = |bytes: usize| {
        let mut session = begun();
        let name = "a".repeat(bytes);
        let layer = LayerResponses::new(&name, 3, [1, 1, 1], false, None);
        session.record.analyses[1] = Analysis::SpikeTriggered(SpikeTriggered {
            layers: vec![layer],
            ..SpikeTriggered::default()
        });
        session.note(note(unit(&name, 0), "a"))
    };
    let most = Note::MAX_LAYER_BYTES;
    assert_eq!(long(most), Ok(()));
    assert_eq!(long(most + 1), Err(NoteError::LayerName(most + 1)));
}

#[test]
fn invalid_notes_of_a_file_are_named_by_their_place() {
    let mut session = begun();
    session.note(note(NoteTarget::Session, "a")).unwrap();
    let problem = |session: &Session, notes: &[Note]| {
        let mut record = session.record.clone();
        record.notes.extend_from_slice(notes);
        unfit(&record, &session.config).unwrap_or_default()
    };
    for (notes, expected) in [
        (
            vec![note(map(ClassId(0), Gamma(0.7)), "a")],
            "notes[1]: the plan has no γ = 0.7",
        ),
        (
            vec![
                note(map(ClassId(0), Gamma(0.2)), "a"),
                note(map(ClassId(0), Gamma(0.2)), "b"),
            ],
            "notes[2]: there is already a note on evidence image of class 0, γ 0.2",
        ),
        (
            vec![note(map(ClassId(0), Gamma(0.2)), &"a".repeat(201))],
            "notes[1]: a note has at most 200 characters",
        ),
        (
            vec![note(map(ClassId(0), Gamma(0.2)), "a"); MOST],
            "it has 501 notes",
        ),
    ] {
        let message = problem(&session, &notes);
        assert!(message.starts_with(expected), "{message}");
    }
}
