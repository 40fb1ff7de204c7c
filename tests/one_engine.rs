//! Only one engine writes a session, whatever happens to its lock, its folder and its file: real engines, disturbed by
//! users and other programs.

mod common;

#[path = "one_engine/locks.rs"]
mod locks;
#[path = "one_engine/planted.rs"]
mod planted;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use common::{Bench, both, endless, signal};
use noisescope::session::store::Store;
use noisescope::session::{Config, SavedState, Session};

/// Starts an endless run in the foreground and waits for its first trials.
fn start(bench: &Bench, name: &str) -> Child {
    let child = bench.start(name, &endless(bench), &[]);
    bench.wait_for_trials(name, 0);
    child
}

/// The output of an engine that ended on its own with an error.
fn final_output(child: Child) -> String {
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", both(&output));
    both(&output)
}

#[test]
fn an_engine_whose_lock_is_removed_or_replaced_stops_writing() {
    for replaced in [false, true] {
        let bench = Bench::new();
        let child = start(&bench, "mine");
        let lock = bench.path("sessions/mine.lock");
        let content = fs::read(&lock).unwrap();
        fs::remove_file(&lock).unwrap();
        if replaced {
            fs::write(&lock, content).unwrap();
        }
        let printed = final_output(child);
        assert!(printed.contains("has stopped writing"), "{printed}");
        assert!(printed.contains("mine.ron"), "{printed}");
        let reason = if replaced {
            "its lock is now"
        } else {
            "its lock was removed"
        };
        assert!(printed.contains(reason), "{printed}");
        let left = bench.load("mine");
        assert_eq!(
            left.record.state,
            SavedState::Running,
            "the engine wrote nothing more"
        );
        assert!(printed.contains("is the checkpoint of"), "{printed}");
        assert_eq!(
            lock.exists(),
            replaced,
            "the engine does not remove a foreign lock"
        );
        // The lock file of a dead engine keeps nobody out.
        let again = bench.start("mine", &[], &[]);
        bench.wait_for_trials("mine", left.trials().0);
        signal(&again, "TERM");
        assert_eq!(again.wait_with_output().unwrap().status.code(), Some(143));
    }
}

#[test]
fn a_removed_or_replaced_session_file_is_not_overwritten_and_nothing_is_lost() {
    for replaced in [false, true] {
        let bench = Bench::new();
        let child = start(&bench, "mine");
        let done = bench.load("mine").trials().0;
        let path = bench.store().path("mine");
        match replaced {
            true => fs::write(&path, "(seed: 77) // another file").unwrap(),
            false => fs::remove_file(&path).unwrap(),
        }
        let printed = final_output(child);
        let reason = if replaced {
            "replaced or changed"
        } else {
            "its file was removed"
        };
        assert!(printed.contains(reason), "{printed}");
        match replaced {
            true => assert!(fs::read_to_string(&path).unwrap().contains("another file")),
            false => assert!(!path.exists(), "it is not recreated"),
        }
        assert!(
            printed.contains("Resume: noisescope run mine-rescued"),
            "{printed}"
        );
        let rescued = bench.load("mine-rescued");
        assert!(rescued.trials().0 >= done);
        assert_eq!(rescued.record.state, SavedState::Stopped);
    }
}

#[test]
fn a_moved_folder_is_not_recreated_and_keeps_the_results() {
    let bench = Bench::new();
    let child = start(&bench, "mine");
    let done = bench.load("mine").trials().0;
    let (old, new) = (bench.path("sessions"), bench.path("moved"));
    fs::rename(&old, &new).unwrap();
    let printed = final_output(child);
    assert!(
        printed.contains("was moved, removed or replaced"),
        "{printed}"
    );
    assert!(!old.exists(), "the old folder is not recreated");
    let moved = Store::new(&new);
    assert!(moved.load("mine").unwrap().trials().0 >= done);
    assert!(moved.load("mine-rescued").unwrap().trials().0 >= done);
}

#[test]
fn what_is_done_to_a_copied_folder_never_reaches_the_engine_of_the_original() {
    let bench = Bench::new();
    let pid = bench.run_in_background("mine");
    let copy = bench.path("copy");
    fs::create_dir(&copy).unwrap();
    for file in ["mine.ron", "mine.lock"] {
        fs::copy(bench.path("sessions").join(file), copy.join(file)).unwrap();
    }
    // An engine of a fresh lock would be watched for some seconds.
    let lock = fs::File::options().write(true).open(copy.join("mine.lock"));
    let earlier = SystemTime::now() - Duration::from_secs(60);
    lock.unwrap().set_modified(earlier).unwrap();
    let of_copy = copy.display().to_string();
    let in_copy =
        |command: &[&'static str]| [&["--sessions", of_copy.as_str()][..], command].concat();
    let listed = bench.succeed(&in_copy(&["ls"]));
    assert!(listed.contains("interrupted"), "{listed}");
    bench.succeed(&in_copy(&["note", "mine", "on the copy"]));
    let _ = bench.output(&in_copy(&["stop", "mine"]));
    let noted = |folder: &Path| Store::new(folder).load("mine").unwrap().record.notes.len();
    assert_eq!(noted(&copy), 1);
    let engine = bench.store().engine("mine");
    assert_eq!(engine.map(|engine| engine.pid), Some(pid), "it still runs");
    bench.succeed(&["stop", "mine"]);
    assert_eq!(noted(bench.store().folder()), 0);
}

#[test]
fn a_session_file_that_is_only_touched_counts_as_unchanged() {
    let bench = Bench::new();
    let mut child = start(&bench, "mine");
    let path = bench.store().path("mine");
    for _ in 0..3 {
        let now = Command::new("touch").arg(&path).status();
        assert!(now.unwrap().success());
        bench.wait_for_trials("mine", bench.load("mine").trials().0);
    }
    assert_eq!(child.try_wait().unwrap(), None);
    signal(&child, "TERM");
    assert_eq!(child.wait().unwrap().code(), Some(143));
}

#[test]
fn a_reader_that_holds_the_lock_cannot_keep_the_owner_out() {
    let bench = Bench::new();
    let child = start(&bench, "mine");
    let lock = bench.path("sessions/mine.lock");
    let mode = fs::metadata(&lock).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "nobody else can open it");
    // A lock file left by a killed engine, on which a reader holds a shared lock.
    let content = fs::read(&lock).unwrap();
    signal(&child, "KILL");
    child.wait_with_output().unwrap();
    fs::write(&lock, content).unwrap();
    let reader = fs::File::open(&lock).unwrap();
    reader.lock_shared().unwrap();
    let again = bench.start("mine", &[], &[]);
    bench.wait_for_trials("mine", bench.load("mine").trials().0);
    signal(&again, "TERM");
    assert_eq!(again.wait_with_output().unwrap().status.code(), Some(143));
}

/// A session without results whose `updated` encodes which engine saved it, and its count of saves.
fn signed(engine: i64, count: i64) -> Session {
    let mut session = Session::new("mine", Config::default());
    session.record.updated = engine * 1_000_000 + count;
    session
}

/// Saves repeatedly as an engine does, until a save is refused or `over` is set; returns the start and end of each
/// successful save.
fn save_repeatedly(
    store: &Store,
    engine: i64,
    saved: &AtomicU64,
    over: &AtomicBool,
) -> Vec<(Instant, Instant)> {
    let mut all = Vec::new();
    let Ok(mut lock) = store.lock("mine") else {
        return all;
    };
    if lock.session_exists().is_ok_and(|exists| exists) && lock.load().is_err() {
        return all;
    }
    for count in 0.. {
        let began = Instant::now();
        if over.load(Ordering::Relaxed) || lock.save(&signed(engine, count)).is_err() {
            return all;
        }
        all.push((began, Instant::now()));
        saved.fetch_add(1, Ordering::Relaxed);
    }
    all
}

/// How many times two engines compete: `NOISESCOPE_TRIES`, or `usual`.
fn tries(usual: u64) -> u64 {
    let requested = std::env::var("NOISESCOPE_TRIES").ok();
    requested
        .and_then(|number| number.parse().ok())
        .unwrap_or(usual)
}

/// Waits up to five seconds until `done` is true.
fn wait_briefly(mut done: impl FnMut() -> bool) {
    let began = Instant::now();
    while !done() && began.elapsed() < Duration::from_secs(5) {
        std::thread::sleep(Duration::from_micros(200));
    }
}

/// Removes, replaces or moves the first engine's lock, file or folder.
fn disturb(folder: &Path, kind: u64) {
    let (lock, file) = (folder.join("mine.lock"), folder.join("mine.ron"));
    let aside = folder.with_extension("aside");
    let _ = match kind {
        0 => fs::remove_file(&lock),
        1 => fs::rename(&lock, folder.join("old.lock")),
        2 => fs::write(folder.join("new"), "").and_then(|()| fs::rename(folder.join("new"), &lock)),
        3 => [file, folder.join("mine.ron.bak"), lock]
            .iter()
            .try_for_each(fs::remove_file),
        4 => fs::copy(folder.join("mine.ron.bak"), folder.join("copy"))
            .and_then(|_| fs::rename(folder.join("copy"), &file))
            .and_then(|()| fs::remove_file(&lock)),
        _ => fs::rename(folder, &aside).and_then(|()| {
            fs::create_dir(folder)?;
            fs::copy(aside.join("mine.ron"), &file).map(drop)
        }),
    };
}

/// Once a second engine has saved, no save of the first one succeeds, whatever was removed, replaced or moved.
#[test]
fn two_engines_never_write_one_session() {
    let began = Instant::now();
    let (mut met, mut overlaps) = (0_u32, 0_u32);
    let count = tries(90);
    for number in 0..count {
        let outer = tempfile::tempdir().unwrap();
        let folder = outer.path().join("sessions");
        let store = Store::new(&folder);
        store.save(&signed(9, 0)).unwrap();
        let (over, ours, theirs) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
        let (first, second) = std::thread::scope(|scope| {
            let first = scope.spawn(|| save_repeatedly(&store, 1, &ours, &over));
            wait_briefly(|| ours.load(Ordering::Relaxed) > 1 || first.is_finished());
            // At varying points of a save.
            std::thread::sleep(Duration::from_micros(number % 17 * 350));
            disturb(&folder, number % 6);
            let second = scope.spawn(|| save_repeatedly(&store, 2, &theirs, &over));
            wait_briefly(|| theirs.load(Ordering::Relaxed) > 2 || second.is_finished());
            over.store(true, Ordering::Relaxed);
            (first.join().unwrap(), second.join().unwrap())
        });
        if let (Some((_, theirs)), false) = (second.first(), first.is_empty()) {
            met += 1;
            let late = first.iter().filter(|(began, _)| began > theirs).count();
            overlaps += u32::from(late > 0);
        }
    }
    println!(
        "two engines: {count} tries, in {met} the second engine saved, {overlaps} overlaps, {:.1} s",
        began.elapsed().as_secs_f64()
    );
    assert_eq!(overlaps, 0);
    assert!(
        u64::from(met) * 2 > count,
        "the second engine saved in only {met} of {count} tries"
    );
}
