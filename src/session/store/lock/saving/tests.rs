//! Tests of a session's file as it is saved: its permissions, its previous generation, its place if the lock is lost, and
//! what is left of engines that were killed.

use super::*;
use crate::session::Config;
use crate::session::store::{Store, check_name};
use std::fs;
use std::path::Path;

#[test]
fn only_a_sessions_own_temporary_files_are_removed() {
    for begun in [
        "a.ron.tmp",
        "a.ron.bak.tmp",
        &unique("a.ron"),
        &unique("a.ron.bak"),
        &unique("a.lock"),
        // As submit writes its scripts.
        "a.sbatch.12.tmp",
        "a.merge.sbatch.12.tmp",
    ] {
        assert!(is_temporary(begun, "a"), "{begun}");
    }
    for other in [
        "a.ron",
        "a.ron.bak",
        "a.lock",
        "a.sbatch",
        "b.ron.1-2-3.tmp",
        "b.sbatch.12.tmp",
        "a.ron.copy.tmp",
        "a.ron.1-2.ron.3-4-5.tmp",
        "a.tmp",
    ] {
        assert!(!is_temporary(other, "a"), "{other}");
    }
}

/// A sessions folder inside another one, and the lock of a session in it.
fn locked() -> (tempfile::TempDir, Store, Lock) {
    let outer = tempfile::tempdir().unwrap();
    let store = Store::new(outer.path().join("sessions"));
    let lock = store.lock("mine").unwrap();
    (outer, store, lock)
}

/// A session that is known by when it was updated.
fn session(updated: i64) -> Session {
    let mut session = Session::new("mine", Config::default());
    session.record.updated = updated;
    session
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn what_a_killed_engine_left_is_removed_by_the_next_one() {
    let (_outer, store, lock) = locked();
    drop(lock);
    let at = |name: &str| store.folder().join(name);
    let (begun, other) = (unique("mine.ron"), unique("other.ron"));
    for name in [&begun, &other] {
        fs::write(at(name), "").unwrap();
    }
    drop(store.lock("mine").unwrap());
    assert!(!at(&begun).exists() && at(&other).exists());
}

#[test]
fn a_new_sessions_file_has_the_permissions_of_any_new_file_and_keeps_those_it_is_given() {
    let (_outer, store, mut lock) = locked();
    let plain = store.folder().join("plain");
    fs::write(&plain, "").unwrap();
    let about = fs::read_to_string("/proc/self/status").unwrap_or_default();
    // A system that does not tell them gets a file of its owner only.
    let usual = match about.contains("\nUmask:") {
        true => mode(&plain),
        false => 0o600,
    };
    let path = store.path("mine");
    lock.save(&session(1)).unwrap();
    assert_eq!(mode(&path), usual);
    for given in [0o640, 0o600, 0o664] {
        fs::set_permissions(&path, Permissions::from_mode(given)).unwrap();
        lock.save(&session(2)).unwrap();
        assert_eq!(mode(&path), given);
    }
}

#[test]
fn a_file_system_that_does_not_report_syncing_is_mentioned_once() {
    let (_outer, store, mut lock) = locked();
    lock.note_sync(Synced::Yes);
    assert!(lock.missing_guarantees().is_empty());
    for _ in 0..2 {
        lock.note_sync(Synced::Unknown);
    }
    lock.note_sync(Synced::Yes);
    let [words] = lock.missing_guarantees() else {
        panic!("{:?}", lock.missing_guarantees());
    };
    let folder = store.folder().display();
    let begin = format!("{folder} does not report when a file is on the disk: ");
    assert!(words.starts_with(&begin), "{words}");
}

#[test]
fn a_checkpoint_after_one_that_could_not_replace_the_file_leaves_no_temporary_file() {
    let (_outer, store, mut lock) = locked();
    for updated in [1, 2] {
        lock.save(&session(updated)).unwrap();
    }
    // As far as such a checkpoint comes: the file is its own previous generation.
    lock.keep().unwrap();
    lock.save(&session(3)).unwrap();
    let left = lock.folder.names().into_iter();
    let left: Vec<String> = left.filter(|name| name.ends_with(".tmp")).collect();
    assert_eq!(left, Vec::<String>::new());
    let updated = |session: Session| session.record.updated;
    assert_eq!(updated(store.load("mine").unwrap()), 3);
    assert_eq!(store.previous("mine").unwrap().map(updated), Some(2));
}

#[test]
fn without_hard_links_a_generation_is_kept_as_a_copy() {
    let (_outer, store, mut lock) = locked();
    lock.save(&session(1)).unwrap();
    lock.copy("mine.ron", "copy.ron").unwrap();
    assert_eq!(store.load("copy").unwrap().record.updated, 1);
    // Another file: what is written to the first one does not change it.
    fs::write(store.path("mine"), "").unwrap();
    assert_eq!(store.load("copy").unwrap().record.updated, 1);
    assert!(lock.copy("missing.ron", "another.ron").is_err());
    assert!(lock.copy("mine.ron", "copy.ron").is_err(), "it exists");
}

#[test]
fn a_session_whose_file_is_no_longer_its_engines_is_saved_under_the_next_free_name() {
    let (_outer, store, mut lock) = locked();
    lock.save(&session(1)).unwrap();
    assert_eq!(lock.rescue(&session(1)).unwrap(), None);
    fs::write(store.path("mine"), "of another").unwrap();
    let names = ["mine-rescued", "mine-rescued-2", "mine-rescued-3"];
    for (updated, name) in (2..).zip(names) {
        let rescued = lock.rescue(&session(updated)).unwrap();
        assert_eq!(rescued.as_deref(), Some(name));
        assert_eq!(store.load(name).unwrap().record.updated, updated);
    }
    assert_eq!(store.load(names[0]).unwrap().record.updated, 2);
    assert_eq!(fs::read(store.path("mine")).unwrap(), b"of another");
    let mut all: Vec<String> = lock.folder.names();
    all.retain(|file| file.ends_with(".tmp"));
    assert!(all.is_empty(), "{all:?}");
}

#[test]
fn a_rescued_session_can_be_run_and_no_other_engine_removes_it_as_it_is_written() {
    for name in ["mine", &"縦".repeat(33), &"a".repeat(100)] {
        check_name(name).unwrap();
        let rescued = rescued_name(name);
        check_name(&format!("{rescued}-999")).unwrap();
        let temporary = unique(&format!("{rescued}.ron"));
        assert!(!is_temporary(&temporary, name), "{temporary}");
        // If it is left behind, the engine that runs the rescued session removes it.
        assert!(is_temporary(&temporary, &rescued), "{temporary}");
    }
}

#[test]
fn a_session_whose_folder_was_moved_is_saved_where_the_folder_is_now() {
    let (outer, store, mut lock) = locked();
    lock.save(&session(1)).unwrap();
    let moved = Store::new(outer.path().join("moved"));
    fs::rename(store.folder(), moved.folder()).unwrap();
    let rescued = lock.rescue(&session(2)).unwrap();
    assert_eq!(rescued.as_deref(), Some("mine-rescued"));
    assert_eq!(moved.load("mine-rescued").unwrap().record.updated, 2);
    assert_eq!(moved.load("mine").unwrap().record.updated, 1);
    assert!(!store.folder().exists());
}
