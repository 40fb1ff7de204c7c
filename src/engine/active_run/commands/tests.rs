//! Tests of commands that change the plan and of pauses.

use super::*;
use crate::link::{EngineEnd, Link};
use crate::session::record::NoteTarget;
use crate::session::store::Store;
use crate::session::{Config, Run, SavedState, Session};

/// A run of a new session in this folder, and a viewer's link to it.
fn active(folder: &tempfile::TempDir) -> (ActiveRun, Link) {
    let lock = Store::new(folder.path()).lock("mine").unwrap();
    let (link, end) = Link::local(Session::new("mine", Config::default()));
    let EngineEnd { sessions, commands } = end;
    (ActiveRun::new(sessions, commands, lock), link)
}

#[test]
fn an_extension_is_saved_at_once_and_a_refused_one_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (mut active, link) = active(&folder);
    let extend = |trials| {
        let more = Extension {
            gamma: None,
            trials,
            target: None,
            class: None,
        };
        link.send(EngineCommand::Extend { images: 0, more });
    };
    extend(2_000_000);
    assert_eq!(active.obey_commands(), NextStep::Replan);
    assert!(active.checkpoint_is_due());
    active.checkpoint(SavedState::Running).unwrap();
    let saved = Store::new(folder.path()).load("mine").unwrap();
    assert_eq!(saved.trials(), (0, 8_000_000));
    extend(1_500_000);
    assert_eq!(active.obey_commands(), NextStep::Continue(Duration::ZERO));
    assert!(!active.checkpoint_is_due());
    assert_eq!(active.session.trials(), (0, 8_000_000));
}

#[test]
fn time_in_which_the_process_was_suspended_is_not_time_worked() {
    let folder = tempfile::tempdir().unwrap();
    let (mut active, _link) = active(&folder);
    active.elapsed_before = 7.0;
    active.exclude(Duration::from_secs(3600));
    active.checkpoint(SavedState::Running).unwrap();
    let saved = Store::new(folder.path()).load("mine").unwrap();
    assert_eq!(saved.record.elapsed_s, 7.0);
}

#[test]
fn a_pause_that_comes_while_images_are_read_begins_with_the_work() {
    let folder = tempfile::tempdir().unwrap();
    let (mut active, link) = active(&folder);
    let at_once = NextStep::Continue(Duration::ZERO);
    link.send(EngineCommand::Pause);
    // Once for each of two pictures.
    for _ in 0..2 {
        assert_eq!(active.obey_commands(), at_once);
    }
    active.run.phase = Phase::Working(0);
    let viewer = std::thread::spawn(move || {
        let is_paused = || {
            let run = link.newest().run.clone();
            run.is_some_and(|run| run.phase == Phase::Paused(0))
        };
        let until = Instant::now() + Duration::from_secs(5);
        while !is_paused() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(5));
        }
        let paused = is_paused();
        link.send(EngineCommand::Continue);
        (paused, link)
    });
    let next = active.obey_commands();
    let (paused, link) = viewer.join().unwrap();
    assert!(paused);
    assert!(matches!(next, NextStep::Continue(pause) if pause > Duration::ZERO));
    // One that is taken back in time never begins.
    active.run.phase = Phase::Starting;
    for command in [EngineCommand::Pause, EngineCommand::Continue] {
        link.send(command);
        assert_eq!(active.obey_commands(), at_once);
    }
    active.run.phase = Phase::Working(0);
    assert_eq!(active.obey_commands(), at_once);
}

#[test]
fn workers_are_held_during_a_pause_also_while_a_checkpoint_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let (mut active, link) = active(&folder);
    active.run.phase = Phase::Working(0);
    let held = std::cell::RefCell::new(Vec::new());
    let hold = |workers: bool| held.borrow_mut().push(workers);
    link.send(EngineCommand::Pause);
    let viewer = std::thread::spawn(move || {
        let until = Instant::now() + Duration::from_secs(5);
        let is_paused = |run: &Run| run.phase == Phase::Paused(0);
        while !link.newest().run.as_ref().is_some_and(is_paused) && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(5));
        }
        link.send(EngineCommand::Checkpoint);
        link
    });
    active.obey_holding(&hold);
    assert!(active.checkpoint_is_due());
    assert_eq!(*held.borrow(), [true]);
    let link = viewer.join().unwrap();
    link.send(EngineCommand::Continue);
    active.obey_holding(&hold);
    assert_eq!(*held.borrow(), [true, false]);
}

#[test]
fn a_paused_engine_notices_that_it_has_lost_its_lock() {
    let folder = tempfile::tempdir().unwrap();
    let lock = Store::new(folder.path()).lock("mine").unwrap();
    let (link, end) = Link::local(Session::new("mine", Config::default()));
    let EngineEnd { sessions, commands } = end;
    let mut active = ActiveRun::new(sessions, commands, lock);
    active.run.phase = Phase::Working(0);
    // The next look at the lock is due soon after the pause has begun.
    let earlier = active
        .looked_at_lock
        .checked_sub(Duration::from_millis(700));
    active.looked_at_lock = earlier.unwrap_or(active.looked_at_lock);
    link.send(EngineCommand::Pause);
    let path = folder.path().join("mine.lock");
    let watcher = std::thread::spawn(move || {
        let reaches = |phase: Phase| {
            let until = Instant::now() + Duration::from_secs(5);
            let is_there = || {
                let newest = link.newest();
                newest.run.as_ref().is_some_and(|run| run.phase == phase)
            };
            while !is_there() && Instant::now() < until {
                std::thread::sleep(Duration::from_millis(5));
            }
            is_there()
        };
        assert!(reaches(Phase::Paused(0)));
        std::fs::remove_file(path).unwrap();
        let noticed = reaches(Phase::Stopping);
        link.send(EngineCommand::Stop);
        noticed
    });
    assert_eq!(active.obey_commands(), NextStep::Stop);
    assert!(watcher.join().unwrap() && active.has_lost_lock());
}

/// Pauses a run, with these commands at the same moment and none later; whether the pause goes on after a checkpoint.
fn pauses_for_a_checkpoint(active: &mut ActiveRun, link: Link, commands: &[EngineCommand]) -> bool {
    active.run.phase = Phase::Working(0);
    link.send(EngineCommand::Pause);
    for command in commands {
        link.send(command.clone());
    }
    drop(link);
    active.obey_commands();
    active.still_paused && active.checkpoint_is_due() && active.run.phase == Phase::Paused(0)
}

#[test]
fn what_comes_together_with_a_pause_is_saved_during_it() {
    let note = Note {
        written: 5,
        on: NoteTarget::Session,
        text: "paused for the night".into(),
    };
    let more = Extension {
        gamma: None,
        trials: 2_000_000,
        target: None,
        class: None,
    };
    for command in [
        EngineCommand::Note(note),
        EngineCommand::Extend { images: 0, more },
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (mut active, link) = active(&folder);
        assert!(pauses_for_a_checkpoint(&mut active, link, &[command]));
    }
}

#[test]
fn a_checkpoint_that_failed_is_tried_again_during_a_pause() {
    for (problem, tries_again) in [(Some("the disk is full".to_owned()), true), (None, false)] {
        let folder = tempfile::tempdir().unwrap();
        let (mut active, link) = active(&folder);
        active.session.config.checkpoint_s = 0.0;
        active.run.problem = problem;
        let paused = pauses_for_a_checkpoint(&mut active, link, &[]);
        assert_eq!(paused, tries_again);
    }
}
