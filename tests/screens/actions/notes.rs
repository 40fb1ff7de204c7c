//! Tests of notes: typing, saving, replacing and removing them, and their subjects.

use noisescope::session::config::Response;
use noisescope::session::record::{Note, NoteTarget};

use super::*;

#[test]
fn a_note_is_typed_saved_shown_and_removed() {
    let mut session = accumulated();
    let mut state = showing("Maps", (120, 40));
    state.shared.class = ClassId(2);
    press(&session, &mut state, &letters("\na"));
    assert!(screen(&session, &state).contains("on classification image of class 2"));
    let Effect::Send(EngineCommand::Note(note)) = last_effect(&session, &mut state, "odd bar\n")
    else {
        panic!("no note is sent to the engine")
    };
    assert_eq!((note.text.as_str(), note.written), ("odd bar", NOW));
    assert!(matches!(
        note.on,
        NoteTarget::Map {
            class: ClassId(2),
            response: Response::Decision,
            ..
        }
    ));
    assert!(screen(&session, &state).contains("note saved: classification image of class 2"));
    session.note(note).expect("the note is valid");
    let output = screen(&session, &state);
    assert!(output.contains("note: odd bar"), "{output}");
    // The note can be edited; without a change nothing is sent.
    press(&session, &mut state, &letters("a"));
    assert_eq!(state.note.typed, "odd bar");
    assert_eq!(last_effect(&session, &mut state, "\n"), Effect::Redraw);
    press(&session, &mut state, &letters("a"));
    for _ in 0..7 {
        press(&session, &mut state, &[KeyCode::Backspace]);
    }
    let Effect::Send(EngineCommand::Note(note)) = last_effect(&session, &mut state, "\n") else {
        panic!("no note is sent to the engine")
    };
    assert_eq!(note.text, "");
    session.note(note).expect("the note exists");
    assert!(session.record.notes.is_empty());
    // A note that cannot be saved is reported and stays in the editor.
    let mut fresh = synthetic::new();
    fresh.run = None;
    let mut editing = showing("Overview", (120, 40));
    press(&fresh, &mut editing, &letters("aplan"));
    editing.note_subject = NoteTarget::Unit {
        layer: "conv1".into(),
        unit: 0,
    };
    assert_eq!(last_effect(&fresh, &mut editing, "\n"), Effect::Redraw);
    assert_eq!(editing.overlay, Overlay::Note);
    assert!(screen(&fresh, &editing).contains("note not saved"));
    // A note belongs to the map on which it was begun, even if the selection changes meanwhile.
    let mut begun = showing("Maps", (120, 40));
    press(&session, &mut begun, &letters("\naone"));
    begun.shared.class = ClassId(7);
    let Effect::Send(EngineCommand::Note(note)) = last_effect(&session, &mut begun, "\n") else {
        panic!("no note is sent to the engine")
    };
    assert!(
        matches!(
            note.on,
            NoteTarget::Map {
                class: ClassId(0),
                ..
            }
        ),
        "{note:?}"
    );
    // Pasted text is accepted only while text is being typed.
    assert!(!update::paste(&mut begun, "q"));
    press(&session, &mut begun, &letters("a"));
    assert!(update::paste(&mut begun, "two\nlines"));
    assert!(begun.note.typed.ends_with("two lines"));
    // Typing stops at the maximum length of a note.
    press(&session, &mut state, &letters("a"));
    press(&session, &mut state, &letters(&"x".repeat(300)));
    assert_eq!(state.note.typed.chars().count(), Note::MAX_CHARS);
}

#[test]
fn a_note_is_attached_to_the_selection() {
    let session = everything::session();
    let on = |view: &str, keys: &str| {
        let mut state = showing(view, (120, 40));
        press(&session, &mut state, &letters(keys));
        match last_effect(&session, &mut state, "ax\n") {
            Effect::Send(EngineCommand::Note(note)) => note.on,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(on("Overview", "ll"), NoteTarget::Session);
    let unit = NoteTarget::Unit {
        layer: "conv2".into(),
        unit: 3,
    };
    assert_eq!(on("Filters", "jlll"), unit);
}

#[test]
fn notes_are_unavailable_while_connecting_or_watching() {
    let session = accumulated();
    for connection in [Connection::Connecting, Connection::Watched] {
        let mut state = showing("Maps", (120, 40));
        state.shared.connection = connection;
        assert_eq!(last_effect(&session, &mut state, "a"), Effect::None);
    }
}
