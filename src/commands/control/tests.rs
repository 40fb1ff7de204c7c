//! Tests of commands to an engine that ends or refuses them.

use std::sync::Arc;

use super::*;
use crate::link::server::{ViewerListener, serve};
use crate::link::{EngineEnd, Link, NOT_EXTENDED};
use crate::session::record::NoteTarget;
use crate::session::run::LogLine;
use crate::session::{Config, Run};

/// Asks a session whose engine leaves it as `after` does to its newest state, once it has received the command, and then
/// ends.
fn asked<T>(after: impl FnOnce(&mut Session) + Send + 'static, ask: impl FnOnce(&Store) -> T) -> T {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    let mut session = Session::new("mine", Config::default());
    store.save(&session).unwrap();
    let lock = store.lock("mine").unwrap();
    let (link, end) = Link::local(session.clone());
    let EngineEnd {
        sessions,
        mut commands,
    } = end;
    let (voice, place) = (lock.heartbeat().unwrap(), store.clone());
    let server = std::thread::spawn(move || {
        runtime().unwrap().block_on(async {
            let (door, bound) = ViewerListener::open(place, "mine", voice);
            bound.unwrap();
            serve(door, link.sessions.clone(), link.commands.unwrap()).await;
        });
    });
    let engine = std::thread::spawn(move || {
        let received = commands.blocking_recv();
        after(&mut session);
        sessions.send_replace(Arc::new(session));
        received.is_some()
    });
    let until = Instant::now() + Duration::from_secs(10);
    let socket = || store.engine("mine").and_then(|engine| engine.socket);
    while socket().is_none() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(5));
    }
    let answer = ask(&store);
    assert!(engine.join().unwrap());
    server.join().unwrap();
    drop(lock);
    answer
}

/// Extends a session whose engine leaves it as `after` does, and then ends; returns the refusal.
fn refused(after: impl FnOnce(&mut Session) + Send + 'static) -> String {
    let more = Extension {
        gamma: None,
        trials: 9_000_000,
        target: None,
        class: None,
    };
    let extended = |store: &Store| extend(store, "mine", (0, more), "it is extended");
    asked(after, extended).unwrap_err().to_string()
}

#[test]
fn a_note_that_another_viewer_has_replaced_at_once_is_not_waited_for() {
    let note = |written, text: &str| Note {
        written,
        on: NoteTarget::Session,
        text: text.into(),
    };
    let (mine, other) = (note(7, "mine"), note(6, "of another viewer"));
    let after = |session: &mut Session| {
        // Both came between two blocks.
        session.record.notes = vec![other];
        session.run = Some(Run {
            phase: Phase::Working(1),
            ..Run::default()
        });
    };
    let answer = asked(after, |store| run(store, "mine", EngineCommand::Note(mine)));
    assert!(answer.is_ok());
}

#[test]
fn an_extension_that_comes_as_the_engine_ends_is_not_reported_as_done() {
    let refused = refused(|session| {
        session.run = Some(Run {
            phase: Phase::Finished,
            ..Run::default()
        });
    });
    let words = "the engine of mine ended before it could extend it; run the command again";
    assert_eq!(refused, words);
}

#[test]
fn an_extension_that_an_engine_refuses_is_reported_with_its_reason() {
    let refused = refused(|session| {
        let line = LogLine {
            at: 0,
            text: format!("{NOT_EXTENDED}too few trials"),
            warning: true,
        };
        session.run = Some(Run {
            phase: Phase::Working(1),
            log: vec![line],
            ..Run::default()
        });
    });
    assert_eq!(refused, "mine: not extended: too few trials");
}

#[test]
fn an_engine_that_died_as_it_started_is_not_reported_as_running() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    let mut session = Session::new("mine", Config::default());
    let mut process = std::process::Command::new("true").spawn().unwrap();
    let ended = process.id();
    process.wait().unwrap();
    let waited_for = |session: &Session, pid| {
        store.save(session).unwrap();
        wait_until_working(&store, "mine", pid)
    };
    let started = |session: &Session| waited_for(session, ended);
    for state in [SavedState::New, SavedState::Running] {
        session.record.state = state;
        let error = started(&session).unwrap_err().to_string();
        assert!(error.contains("died as it started"), "{error}");
        // One that is slow to load its libraries has not died.
        assert!(waited_for(&session, std::process::id()).is_ok());
    }
    // One that was quick has left its final state.
    for state in [SavedState::Stopped, SavedState::Finished] {
        session.record.state = state;
        assert!(started(&session).is_ok());
    }
}

#[test]
fn a_command_that_takes_long_is_not_one_without_a_response() {
    let words = |command: EngineCommand, seen: Option<Phase>| {
        overdue("mine", &command, seen.as_ref(), PATIENCE)
    };
    let stopping = words(EngineCommand::Stop, Some(Phase::Stopping));
    assert!(stopping.contains("mine is stopping"), "{stopping}");
    let starting = words(EngineCommand::Pause, Some(Phase::Starting));
    assert!(
        starting.contains("pauses when its work begins"),
        "{starting}"
    );
    for seen in [None, Some(Phase::Working(1))] {
        let silent = words(EngineCommand::Stop, seen);
        assert!(silent.contains("has not responded"), "{silent}");
    }
}

#[test]
fn a_session_without_a_checkpoint_has_none_to_return_to() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    let mut session = Session::new("mine", Config::default());
    store.save(&session).unwrap();
    let loss = describe_loss(&store, "mine", &session, "full");
    assert!(loss.contains("since there is no checkpoint"), "{loss}");
    assert_eq!(left_behind(&store, "mine"), "there is no checkpoint yet");
    session.record.updated = 5;
    store.save(&session).unwrap();
    let loss = describe_loss(&store, "mine", &session, "full");
    assert!(loss.contains("since the checkpoint of"), "{loss}");
    let left = left_behind(&store, "mine");
    assert_eq!(left, "its file has the last checkpoint");
}
