//! Tests of the notes that a viewer keeps when its engine is gone.

use super::*;
use crate::session::Config;
use crate::session::record::NoteTarget;

/// A note on the session as a whole.
fn note(written: i64, text: &str) -> Note {
    Note {
        written,
        on: NoteTarget::Session,
        text: text.into(),
    }
}

/// A session in this state, last written at `updated`.
fn session(state: SavedState, updated: i64, notes: &[Note]) -> Session {
    let mut session = Session::new("mine", Config::default());
    (session.record.state, session.record.updated) = (state, updated);
    session.record.notes = notes.to_vec();
    session
}

/// The notes that a viewer still has to save, if its engine showed `shown` and left `file`, and has not received
/// `unconfirmed`.
fn to_save(shown: &[Note], file: &Session, unconfirmed: &[Note]) -> Vec<Note> {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    store.save(file).unwrap();
    let shown = session(SavedState::Running, 1, shown);
    let mut follower = Follower {
        store,
        name: "mine".into(),
        publish: watch::channel(Arc::new(shown)).0,
        connected: watch::channel(Connection::Live).0,
        commands: mpsc::unbounded_channel().1,
        refuse: watch::channel(String::new()).0,
        unconfirmed: unconfirmed.to_vec(),
        undelivered: Vec::new(),
    };
    follower.mark_undelivered();
    follower.read_file();
    follower.undelivered
}

#[test]
fn a_note_that_a_dead_engine_had_not_saved_is_saved_unless_the_file_has_a_newer_one() {
    let accepted = note(5, "accepted");
    let died = |notes: &[Note]| session(SavedState::Running, 2, notes);
    let left = |file: &[Note]| to_save(std::slice::from_ref(&accepted), &died(file), &[]);
    assert_eq!(left(&[]), std::slice::from_ref(&accepted));
    assert_eq!(left(&[note(4, "before")]), std::slice::from_ref(&accepted));
    assert_eq!(left(&[note(6, "of another viewer")]), []);
}

#[test]
fn a_note_that_was_on_its_way_replaces_the_one_that_was_shown() {
    let (shown, newer) = (note(5, "with a tpyo"), note(6, "without"));
    let file = session(SavedState::Running, 2, &[]);
    let left = to_save(&[shown], &file, std::slice::from_ref(&newer));
    assert_eq!(left, [newer]);
}

#[test]
fn a_note_that_was_removed_before_the_engine_ended_stays_removed() {
    let shown = note(5, "removed by another viewer");
    let file = session(SavedState::Finished, 2, &[]);
    assert_eq!(to_save(&[shown], &file, &[]), []);
}
