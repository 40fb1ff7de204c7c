//! Tests of claiming a lock: who keeps it, who loses it, and what is waited for.

use super::*;
use crate::host::Machine;
use std::io::Write;
use std::time::SystemTime;

const LOCK: &str = "mine.lock";

fn sessions() -> (tempfile::TempDir, Folder) {
    let outer = tempfile::tempdir().unwrap();
    let folder = Folder::open(outer.path()).unwrap();
    (outer, folder)
}

/// An engine on another machine.
fn remote() -> Owner {
    let mut owner = Owner::current();
    owner.machine = Some(Machine {
        name: "farm-7".into(),
        boot: "another".into(),
    });
    owner
}

/// A lock with this content, which the system does not enforce.
fn left_by(folder: &Folder, owner: &Owner) -> File {
    let file = folder.new_file(LOCK).unwrap();
    owner.write(&file).unwrap();
    file
}

fn set_age(file: &File, seconds: u64) {
    let written = SystemTime::now() - Duration::from_secs(seconds);
    file.set_modified(written).unwrap();
}

#[test]
fn a_lock_is_in_place_until_it_is_removed_or_replaced() {
    let (_outer, folder) = sessions();
    let file = folder.new_file(LOCK).unwrap();
    assert!(is_in_place(&folder, LOCK, &file).unwrap());
    folder.remove(LOCK).unwrap();
    assert!(!is_in_place(&folder, LOCK, &file).unwrap());
    let other = folder.new_file(LOCK).unwrap();
    assert!(!is_in_place(&folder, LOCK, &file).unwrap());
    assert!(is_in_place(&folder, LOCK, &other).unwrap());
}

#[test]
fn who_may_not_change_a_session_is_not_sent_to_a_folder_without_it() {
    let denied = |is_there| {
        let error = io::Error::from(io::ErrorKind::PermissionDenied);
        with_remedy(error, is_there).to_string()
    };
    assert!(denied(false).contains("name another folder"));
    assert!(denied(true).contains("a copy of the session"));
    let full = io::Error::from(io::ErrorKind::StorageFull);
    assert_eq!(with_remedy(full, true).kind(), io::ErrorKind::StorageFull);
}

#[test]
fn a_lock_that_another_process_probes_for_a_moment_is_claimed_and_not_replaced() {
    let (_outer, folder) = sessions();
    let probing = folder.new_file(LOCK).unwrap();
    let place = FileId::from(&probing.metadata().unwrap());
    probing.lock().unwrap();
    let probe = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(20));
        probing.unlock().unwrap();
    });
    let claimed = claim(&folder, "mine", LOCK).unwrap();
    probe.join().unwrap();
    assert!(claimed.is_locked);
    assert_eq!(FileId::from(&claimed.file.metadata().unwrap()), place);
    let content = Owner::read(&claimed.file).unwrap();
    assert_eq!(content, Some(claimed.owner));
}

#[test]
fn a_lock_of_a_living_engine_is_respected_even_if_the_system_does_not_enforce_it() {
    let (_outer, folder) = sessions();
    let living = Owner::current();
    if living.machine.is_none() {
        println!("skipped: this system does not tell its boot");
        return;
    }
    let file = left_by(&folder, &living);
    let error = claim(&folder, "mine", LOCK).err().unwrap();
    assert!(matches!(error, StoreError::Locked { .. }), "{error}");
    let holder = format!("by process {}.", std::process::id());
    assert!(error.to_string().contains(&holder), "{error}");
    assert_eq!(Owner::read(&file).unwrap(), Some(living));
}

#[test]
fn without_system_locks_a_claim_is_lost_to_whoever_wrote_last() {
    let (_outer, folder) = sessions();
    let (mine, other) = (Owner::current(), Owner::current());
    let file = left_by(&folder, &mine);
    let kept = || check_kept(&folder, LOCK, &file, &mine).unwrap();
    assert_eq!(kept(), Ok(()));
    other.write(&file).unwrap();
    assert_eq!(kept(), Err(Some(other)));
    file.set_len(0).unwrap();
    assert_eq!(kept(), Err(None));
    // Its own content in a file that nobody finds any more excludes nobody.
    mine.write(&file).unwrap();
    assert_eq!(kept(), Ok(()));
    folder.remove(LOCK).unwrap();
    assert_eq!(kept(), Err(None));
}

#[test]
fn a_system_without_locks_is_distinguished_from_a_lock_that_fails() {
    for code in [Errno::NOSYS, Errno::NOLCK, Errno::OPNOTSUPP, Errno::INVAL] {
        assert!(is_unsupported(&code.into()), "{code}");
    }
    for code in [Errno::IO, Errno::INTR, Errno::ACCESS] {
        assert!(!is_unsupported(&code.into()), "{code}");
    }
    assert!(!is_unsupported(&io::Error::other("any")));
}

#[test]
fn a_lock_has_been_silent_since_it_was_written() {
    let (outer, folder) = sessions();
    let file = folder.new_file(LOCK).unwrap();
    set_age(&file, 1_000);
    let silent = silent_for(&folder, LOCK, &file).unwrap().as_secs();
    assert!((990..1_300).contains(&silent), "{silent}");
    let future = SystemTime::now() + Duration::from_secs(1_000);
    file.set_modified(future).unwrap();
    let silent = silent_for(&folder, LOCK, &file).unwrap();
    assert_eq!(silent, Duration::ZERO);
    let left = std::fs::read_dir(outer.path()).unwrap().count();
    assert_eq!(left, 1, "the probe is removed");
}

#[test]
fn a_living_engine_keeps_its_lock_and_one_that_ended_or_fell_silent_does_not() {
    let (_outer, folder) = sessions();
    let far = remote();
    let file = left_by(&folder, &far);
    let is_held = |before: &Owner| is_still_held(&folder, LOCK, &file, before).unwrap();
    set_age(&file, 40);
    assert!(!is_held(&far));
    let living = Owner::current();
    if living.machine.is_some() {
        assert!(is_held(&living));
        let mut ended = living;
        ended.pid = u32::MAX;
        assert!(!is_held(&ended));
    }
}

#[test]
fn an_engine_on_another_machine_that_beats_while_it_is_watched_keeps_its_lock() {
    let (_outer, folder) = sessions();
    let before = remote();
    let mut now = before.clone();
    now.beat();
    let file = left_by(&folder, &now);
    assert!(is_still_held(&folder, LOCK, &file, &before).unwrap());
}

#[test]
fn an_engine_on_another_machine_that_releases_its_lock_while_it_is_watched_has_ended() {
    let (_outer, folder) = sessions();
    let before = remote();
    let file = left_by(&folder, &before);
    std::thread::scope(|scope| {
        let held = scope.spawn(|| is_still_held(&folder, LOCK, &file, &before));
        // After the first look, at which nothing has changed.
        std::thread::sleep(Duration::from_millis(400));
        folder.remove(LOCK).unwrap();
        assert!(!held.join().unwrap().unwrap());
    });
}

#[test]
fn a_lock_that_cannot_be_watched_is_not_taken_for_a_released_one() {
    let (outer, folder) = sessions();
    let before = remote();
    let file = left_by(&folder, &before);
    folder.remove(LOCK).unwrap();
    std::os::unix::fs::symlink("anywhere", outer.path().join(LOCK)).unwrap();
    let error = is_still_held(&folder, LOCK, &file, &before).unwrap_err();
    assert!(error.to_string().contains("symbolic link"), "{error}");
}

/// It has no beat that could be watched.
#[test]
fn a_lock_of_an_earlier_version_that_is_not_locked_is_free_whatever_happens_to_it() {
    let (_outer, folder) = sessions();
    let mut file = folder.new_file(LOCK).unwrap();
    file.write_all(b"77\n\n").unwrap();
    let before = Owner::read(&file).unwrap().unwrap();
    assert!(!before.has_beat());
    remote().write(&file).unwrap();
    assert!(!is_still_held(&folder, LOCK, &file, &before).unwrap());
}
