//! Tests of the notes and extensions that a viewer keeps when its engine is gone.

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

/// A viewer whose engine showed `shown`, left `file`, and has not received `unconfirmed`.
fn left_alone(shown: &[Note], file: &Session, unconfirmed: &[Note]) -> Follower {
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
        unconfirmed: Vec::new(),
        undelivered: Vec::new(),
        vanished: Vec::new(),
        extensions: Vec::new(),
    };
    let notes = unconfirmed.iter().cloned();
    notes.for_each(|note| follower.keep_unconfirmed(note));
    follower.mark_undelivered();
    follower.read_file();
    follower
}

/// The notes that such a viewer still has to save.
fn to_save(shown: &[Note], file: &Session, unconfirmed: &[Note]) -> Vec<Note> {
    left_alone(shown, file, unconfirmed).undelivered
}

#[test]
fn an_engine_that_finished_in_the_second_of_its_last_checkpoint_has_not_died() {
    let phase = |state: SavedState, updated: i64| {
        let follower = left_alone(&[], &session(state, updated, &[]), &[]);
        let newest = Arc::clone(&follower.publish.borrow());
        let connection = follower.connected.borrow().clone();
        (newest.run.as_ref().map(|run| run.phase.clone()), connection)
    };
    let died = || (None, Connection::Lost(DIED.into()));
    let ended = |phase: Phase| (Some(phase), Connection::ReadOnly);
    assert_eq!(phase(SavedState::Finished, 1), ended(Phase::Finished));
    assert_eq!(phase(SavedState::Stopped, 2), ended(Phase::Stopped));
    assert_eq!(phase(SavedState::Running, 2), died());
    // Left by the engine before.
    assert_eq!(phase(SavedState::Stopped, 1), died());
}

#[test]
fn a_note_that_a_dead_engine_had_not_saved_is_saved_unless_the_file_has_a_newer_one() {
    let accepted = note(5, "accepted");
    let died = |notes: &[Note]| session(SavedState::Running, 1, notes);
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
fn a_note_that_was_removed_before_the_engine_ended_or_died_stays_removed() {
    let shown = note(5, "removed by another viewer");
    for state in [SavedState::Finished, SavedState::Running] {
        // Written after this viewer's last state.
        let file = session(state, 2, &[]);
        assert_eq!(to_save(std::slice::from_ref(&shown), &file, &[]), []);
    }
}

#[test]
fn a_removal_that_a_dead_engine_had_not_saved_is_saved() {
    let removed = note(5, "removed");
    let file = session(SavedState::Running, 1, std::slice::from_ref(&removed));
    let mut follower = left_alone(&[], &file, &[]);
    assert_eq!(follower.undelivered, [], "it never disappeared");
    follower.vanished = vec![removed];
    follower.recover_notes(&file.record);
    assert_eq!(follower.undelivered, [note(5, "")]);
}

#[test]
fn an_extension_that_an_engine_did_not_take_before_it_ended_is_reported() {
    let more = Extension {
        gamma: None,
        trials: 2_000_000,
        target: None,
        class: None,
    };
    let reported = |taken: bool| {
        let mut file = session(SavedState::Finished, 2, &[]);
        if taken {
            file.extend(0, more.clone()).unwrap();
        }
        let mut follower = left_alone(&[], &file, &[]);
        follower.keep_extension(0, more.clone());
        follower.report_unextended();
        follower.refuse.borrow().clone()
    };
    assert_eq!(reported(true), "");
    let words = "not extended: the engine ended before it could do so; repeat it";
    assert_eq!(reported(false), words);
}
