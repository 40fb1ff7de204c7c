//! Tests of commands to an engine that ends or refuses them.

use std::sync::Arc;

use super::*;
use crate::link::server::{ViewerListener, serve};
use crate::link::{EngineEnd, Link, NOT_EXTENDED};
use crate::session::record::NoteTarget;
use crate::session::run::LogLine;
use crate::session::store::Lock;
use crate::session::{Config, Run};

/// Sends a command to the engine of this session, which does this to its newest state once it has received one, and ends
/// after the answer to the command.
fn with_engine<T>(
    mut session: Session,
    after: impl FnOnce(&mut Session, &mut Lock) + Send + 'static,
    send: impl FnOnce(&Store) -> T,
) -> T {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    store.save(&session).unwrap();
    let mut lock = store.lock("mine").unwrap();
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
    let (answering, answered) = std::sync::mpsc::channel::<()>();
    let engine = std::thread::spawn(move || {
        let received = commands.blocking_recv();
        after(&mut session, &mut lock);
        sessions.send_replace(Arc::new(session));
        // Nothing more is published, as during a pause.
        let _ = answered.recv();
        (received.is_some(), lock)
    });
    let until = Instant::now() + Duration::from_secs(10);
    let socket = || store.engine("mine").and_then(|engine| engine.socket);
    while socket().is_none() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(5));
    }
    let answer = send(&store);
    drop(answering);
    let (received, lock) = engine.join().unwrap();
    assert!(received);
    server.join().unwrap();
    drop(lock);
    answer
}

fn new_session() -> Session {
    Session::new("mine", Config::default())
}

/// Extends a session whose engine leaves it as `after` does to its newest state; returns the refusal.
fn refused(after: impl FnOnce(&mut Session) + Send + 'static) -> String {
    let more = Extension {
        gamma: None,
        trials: 9_000_000,
        target: None,
        class: None,
    };
    let refused = with_engine(
        new_session(),
        |session, _| after(session),
        |store| extend(store, "mine", (0, more), "it is extended"),
    );
    refused.unwrap_err().to_string()
}

fn note(text: &str) -> Note {
    Note {
        written: 5,
        on: NoteTarget::Session,
        text: text.into(),
    }
}

/// Sends a note to an engine that adds these notes at the same moment, and saves them unless there is a problem.
fn noted(notes: &'static [&'static str], problem: Option<&str>) -> Result<(), String> {
    let problem = problem.map(str::to_owned);
    let after = move |session: &mut Session, lock: &mut Lock| {
        for text in notes {
            session.note(note(text)).unwrap();
        }
        if problem.is_none() {
            lock.save(session).unwrap();
        }
        session.run = Some(Run {
            phase: Phase::Working(0),
            problem,
            ..Run::default()
        });
    };
    let command = EngineCommand::Note(note("ours"));
    let sent = with_engine(new_session(), after, |store| run(store, "mine", command));
    sent.map(drop).map_err(|error| error.to_string())
}

#[test]
fn a_note_is_reported_as_added_once_it_is_in_the_file() {
    assert_eq!(noted(&["ours"], None), Ok(()));
    let error = noted(&["ours"], Some("the disk is full")).unwrap_err();
    assert!(
        error.contains("mine: not saved yet: the disk is full"),
        "{error}"
    );
}

#[test]
fn a_note_that_is_replaced_at_the_same_moment_is_not_waited_for() {
    assert_eq!(noted(&["ours", "of another terminal"], None), Ok(()));
}

#[test]
fn a_paused_engine_that_still_cannot_save_is_not_waited_for_until_it_tries_again() {
    let mut full = new_session();
    full.run = Some(Run {
        phase: Phase::Paused(0),
        problem: Some("the disk is full".into()),
        ..Run::default()
    });
    let after = |session: &mut Session, _: &mut Lock| session.note(note("ours")).unwrap();
    let command = EngineCommand::Note(note("ours"));
    let sent = with_engine(full, after, |store| run(store, "mine", command));
    let error = sent.unwrap_err().to_string();
    assert!(error.contains("not saved yet: the disk is full"), "{error}");
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
        let larger = Extension {
            gamma: None,
            trials: 10_000_000,
            target: None,
            class: None,
        };
        session.extend(0, larger).unwrap();
        let line = LogLine {
            at: 0,
            text: format!("{NOT_EXTENDED}9000000 trials are no more than the 10000000"),
            warning: true,
        };
        session.run = Some(Run {
            phase: Phase::Working(1),
            log: vec![line],
            ..Run::default()
        });
    });
    let words = "mine: not extended: 9000000 trials are no more than the 10000000 already planned; give a larger number";
    assert_eq!(refused, words);
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
