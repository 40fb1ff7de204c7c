//! Tests of the right to write a session: what takes it away, and what the lock tells others.

use super::*;
use crate::session::Config;
use std::fs;
use std::time::{Duration, SystemTime};

/// A sessions folder inside another one, and the lock of a session in it.
fn locked() -> (tempfile::TempDir, Store, Lock) {
    let outer = tempfile::tempdir().unwrap();
    let store = Store::new(outer.path().join("sessions"));
    let lock = store.lock("mine").unwrap();
    (outer, store, lock)
}

fn session() -> Session {
    Session::new("mine", Config::default())
}

/// Why the lock is lost, in words; empty if it is not.
fn loss(lock: &mut Lock) -> String {
    match lock.check() {
        Ok(()) => String::new(),
        Err(StoreError::LockLost { name, path, what }) => {
            assert_eq!((name.as_str(), path), ("mine", lock.path()));
            what
        }
        Err(other) => panic!("another error: {other}"),
    }
}

#[test]
fn a_lock_is_of_one_sessions_file_and_a_usual_file_system_gives_every_guarantee() {
    let (outer, store, lock) = locked();
    assert_eq!(lock.path(), outer.path().join("sessions/mine.ron"));
    assert!(store.folder().join("mine.lock").exists());
    assert!(lock.missing_guarantees().is_empty());
}

#[test]
fn a_session_exists_if_its_file_or_its_previous_generation_does() {
    let (_outer, store, mut lock) = locked();
    assert!(!lock.session_exists().unwrap());
    fs::write(store.path("mine"), "").unwrap();
    assert!(lock.session_exists().unwrap());
    fs::write(store.backup_path("mine"), "").unwrap();
    assert!(lock.session_exists().unwrap());
    fs::remove_file(store.path("mine")).unwrap();
    assert!(lock.session_exists().unwrap());
}

#[test]
fn an_engine_whose_lock_is_gone_or_anothers_has_lost_it() {
    let other = Owner::current();
    let here = format!("process {}", std::process::id());
    let (_outer, store, mut lock) = locked();
    let path = store.folder().join("mine.lock");
    assert_eq!(loss(&mut lock), "");

    let ours = fs::read(&path).unwrap();
    fs::write(&path, "anything").unwrap();
    assert_eq!(loss(&mut lock), "its lock was overwritten");
    other.write(&lock.file).unwrap();
    assert_eq!(loss(&mut lock), format!("{here} has taken it over"));
    fs::write(&path, &ours).unwrap();
    assert_eq!(loss(&mut lock), "");

    fs::remove_file(&path).unwrap();
    assert_eq!(loss(&mut lock), "its lock was removed");
    fs::write(&path, "anything").unwrap();
    assert_eq!(loss(&mut lock), "its lock was replaced");
    fs::write(&path, &ours).unwrap();
    assert_eq!(loss(&mut lock), format!("its lock is now that of {here}"));
    drop(lock);
    assert!(path.exists(), "the lock is that of another engine");
}

#[test]
fn an_engine_whose_folder_is_moved_has_lost_its_lock_even_if_another_takes_its_place() {
    let (outer, store, mut lock) = locked();
    fs::rename(store.folder(), outer.path().join("moved")).unwrap();
    let folder = store.folder().display();
    let words = format!("its folder {folder} was moved, removed or replaced");
    assert_eq!(loss(&mut lock), words);
    fs::create_dir_all(store.path("mine")).unwrap();
    assert_eq!(loss(&mut lock), words);
    // What has the session's path there is not its file.
    assert!(lock.standing().unwrap().is_none());
    assert!(!lock.session_exists().unwrap());
}

#[test]
fn an_engine_writes_only_over_the_file_that_it_knows() {
    let (_outer, store, mut lock) = locked();
    let path = store.path("mine");
    assert!(!lock.session_exists().unwrap());
    fs::write(&path, "of another").unwrap();
    assert_eq!(loss(&mut lock), "another process created its file");
    assert!(lock.save(&session()).unwrap_err().is_lock_lost());
    assert_eq!(fs::read(&path).unwrap(), b"of another");
    fs::remove_file(&path).unwrap();

    lock.save(&session()).unwrap();
    lock.load().unwrap();
    // A copy of the same content at another time, as a backup restores it.
    let text = fs::read(&path).unwrap();
    let copy = store.folder().join("copy");
    fs::write(&copy, &text).unwrap();
    let file = File::options().write(true).open(&copy).unwrap();
    let earlier = SystemTime::now() - Duration::from_secs(1_000);
    file.set_modified(earlier).unwrap();
    fs::rename(&copy, &path).unwrap();
    assert_eq!(loss(&mut lock), "");
    assert_eq!(loss(&mut lock), "");

    let mut changed = text.clone();
    changed.reverse();
    fs::write(&path, &changed).unwrap();
    assert_eq!(loss(&mut lock), "its file was replaced or changed");
    fs::remove_file(&path).unwrap();
    assert_eq!(loss(&mut lock), "its file was removed");
    fs::write(&path, &text).unwrap();
    assert_eq!(loss(&mut lock), "");
}

#[test]
fn what_is_no_file_is_not_replaced_and_a_link_leads_to_its_session() {
    let (outer, store, mut lock) = locked();
    let path = store.path("mine");
    // As the system names it, without links.
    let folder = fs::canonicalize(outer.path()).unwrap();
    let target = folder.join("theirs.ron");
    fs::write(&target, "").unwrap();
    std::os::unix::fs::symlink(&target, &path).unwrap();
    let run = format!(
        "Run the session in the folder of its file: noisescope --sessions {} run theirs",
        files::quoted(&folder)
    );
    let mut refused = |kind: &str, remedy: &str| {
        let error = lock.save(&session()).unwrap_err().to_string();
        let words = format!(
            "{}: it is {kind}, not a session file. {remedy}",
            path.display()
        );
        assert_eq!(error, words);
        assert!(lock.session_exists().is_err() && lock.load().is_err());
    };
    refused("a symbolic link", &run);
    fs::remove_file(&target).unwrap();
    let remove = "Remove it, or choose another name";
    refused("a symbolic link", remove);
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    refused("a folder", remove);
}

#[test]
fn a_lock_tells_others_the_engines_socket_and_its_beats() {
    let (_outer, store, lock) = locked();
    let mut heartbeat = lock.heartbeat().unwrap();
    let socket = || store.engine("mine").unwrap().socket;
    let beats = || store.life_sign("mine").unwrap().beat;
    assert_eq!((socket(), beats()), (None, 0));
    let place = Path::new("/run/a b.sock");
    heartbeat.publish_socket(Some(place)).unwrap();
    assert_eq!((socket().as_deref(), beats()), (Some(place), 0));
    for count in 1..4 {
        heartbeat.beat().unwrap();
        assert_eq!((socket().as_deref(), beats()), (Some(place), count));
    }
    heartbeat.publish_socket(None).unwrap();
    assert_eq!((socket(), beats()), (None, 3));
}

#[test]
fn an_engine_writes_nothing_into_a_lock_that_another_has_taken() {
    let (_outer, store, lock) = locked();
    let mut heartbeat = lock.heartbeat().unwrap();
    let path = store.folder().join("mine.lock");
    let other = Owner::current();
    other.write(&lock.file).unwrap();
    let theirs = fs::read(&path).unwrap();
    heartbeat.beat().unwrap();
    heartbeat
        .publish_socket(Some(Path::new("/run/x.sock")))
        .unwrap();
    assert_eq!(fs::read(&path).unwrap(), theirs);
    fs::write(&path, "").unwrap();
    heartbeat.beat().unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"");
}

#[test]
fn a_lock_is_held_while_it_is_in_its_place_and_the_engines_own() {
    let (outer, store, lock) = locked();
    let heartbeat = lock.heartbeat().unwrap();
    assert!(heartbeat.holds_lock());
    // Moved away: nothing is in its place; a copy is another file, though with the same content.
    let (place, aside) = (store.folder().join("mine.lock"), outer.path().join("aside"));
    fs::rename(&place, &aside).unwrap();
    assert!(!heartbeat.holds_lock());
    fs::copy(&aside, &place).unwrap();
    assert!(!heartbeat.holds_lock());
    fs::rename(&aside, &place).unwrap();
    assert!(heartbeat.holds_lock());
    // The same file, taken by another engine.
    Owner::current().write(&heartbeat.file).unwrap();
    assert!(!heartbeat.holds_lock());
}
