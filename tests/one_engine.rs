//! One engine a session, whatever becomes of its lock, its folder and its file: real engines, and people and
//! programs that come between them.

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use common::{Bench, both, endless, signal, wait_until};
use noisescope::session::store::Store;
use noisescope::session::{Config, SavedState, Session};

/// Starts an endless run in the foreground and waits for its first trials.
fn start(bench: &Bench, name: &str) -> Child {
    let plan = endless(bench);
    let mut arguments = vec!["run", name, "--plain"];
    arguments.extend(plan.iter().map(String::as_str));
    let child = bench.program().args(arguments).spawn().unwrap();
    bench.wait_for_trials(name, 0);
    child
}

/// What an engine says that has ended by itself.
fn last_words(child: Child) -> String {
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", both(&output));
    both(&output)
}

#[test]
fn a_removed_or_replaced_lock_stops_the_writing_with_a_sentence() {
    for replaced in [false, true] {
        let bench = Bench::new();
        let child = start(&bench, "mine");
        let lock = bench.path("sessions/mine.lock");
        let said = fs::read(&lock).unwrap();
        fs::remove_file(&lock).unwrap();
        if replaced {
            fs::write(&lock, said).unwrap();
        }
        let words = last_words(child);
        assert!(words.contains("has stopped writing"), "{words}");
        assert!(words.contains("mine.ron"), "{words}");
        let found = if replaced {
            "its lock is now"
        } else {
            "its lock was removed"
        };
        assert!(words.contains(found), "{words}");
        let left = bench.load("mine");
        assert_eq!(
            left.record.state,
            SavedState::Running,
            "it wrote nothing more"
        );
        assert!(words.contains("is the checkpoint of"), "{words}");
        assert_eq!(lock.exists(), replaced, "what is not its own stays");
        // A dead engine's word in a lock keeps nobody out.
        let again = bench
            .program()
            .args(["run", "mine", "--plain"])
            .spawn()
            .unwrap();
        bench.wait_for_trials("mine", left.trials().0);
        signal(&again, "TERM");
        assert_eq!(again.wait_with_output().unwrap().status.code(), Some(143));
    }
}

#[test]
fn a_session_file_that_is_removed_or_replaced_is_not_overwritten_and_nothing_is_lost() {
    for replaced in [false, true] {
        let bench = Bench::new();
        let child = start(&bench, "mine");
        let done = bench.load("mine").trials().0;
        let path = bench.store().path("mine");
        match replaced {
            true => fs::write(&path, "(seed: 77) // somebody's own").unwrap(),
            false => fs::remove_file(&path).unwrap(),
        }
        let words = last_words(child);
        let found = if replaced {
            "replaced or changed"
        } else {
            "its file was removed"
        };
        assert!(words.contains(found), "{words}");
        match replaced {
            true => assert!(
                fs::read_to_string(&path)
                    .unwrap()
                    .contains("somebody's own")
            ),
            false => assert!(!path.exists(), "it is not made again"),
        }
        assert!(
            words.contains("resume them with noisescope run mine-rescued"),
            "{words}"
        );
        let rescued = bench.load("mine-rescued");
        assert!(rescued.trials().0 >= done);
        assert_eq!(rescued.record.state, SavedState::Stopped);
    }
}

#[test]
fn a_moved_folder_is_not_made_again_and_what_was_measured_goes_with_it() {
    let bench = Bench::new();
    let child = start(&bench, "mine");
    let done = bench.load("mine").trials().0;
    let (old, new) = (bench.path("sessions"), bench.path("moved"));
    fs::rename(&old, &new).unwrap();
    let words = last_words(child);
    assert!(words.contains("was moved, removed or replaced"), "{words}");
    assert!(!old.exists(), "the old place stays empty");
    let moved = Store::new(&new);
    assert!(moved.load("mine").unwrap().trials().0 >= done);
    assert!(moved.load("mine-rescued").unwrap().trials().0 >= done);
}

#[test]
fn a_file_that_is_only_touched_or_put_back_as_it_was_is_the_same() {
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
fn somebody_who_may_only_read_cannot_keep_the_owner_out() {
    let bench = Bench::new();
    let child = start(&bench, "mine");
    let lock = bench.path("sessions/mine.lock");
    let mode = fs::metadata(&lock).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "nobody else can open it");
    // One that was left behind, and that somebody holds to read.
    let said = fs::read(&lock).unwrap();
    signal(&child, "KILL");
    child.wait_with_output().unwrap();
    fs::write(&lock, said).unwrap();
    let reader = fs::File::open(&lock).unwrap();
    reader.lock_shared().unwrap();
    let again = bench
        .program()
        .args(["run", "mine", "--plain"])
        .spawn()
        .unwrap();
    bench.wait_for_trials("mine", bench.load("mine").trials().0);
    signal(&again, "TERM");
    assert_eq!(again.wait_with_output().unwrap().status.code(), Some(143));
}

/// A library that takes the place of a function of the system.
fn shim(bench: &Bench, name: &str, code: &str) -> std::path::PathBuf {
    let (source, library) = (
        bench.path(&format!("{name}.c")),
        bench.path(&format!("{name}.so")),
    );
    fs::write(&source, code).unwrap();
    let built = Command::new("cc")
        .args(["-shared", "-fPIC", "-o"])
        .arg(&library)
        .arg(&source)
        .status();
    assert!(
        built.unwrap().success(),
        "a C compiler is what Rust links with"
    );
    library
}

/// The program on such a system.
fn on(bench: &Bench, library: &Path, arguments: &[&str]) -> Command {
    let mut program = bench.program();
    program.env("LD_PRELOAD", library).args(arguments);
    program
}

const NO_FLOCK: &str = "#include <errno.h>\nint flock(int f,int o){errno=ENOSYS;return -1;}";
const FLOCK_ALWAYS: &str = "int flock(int f,int o){return 0;}";

#[cfg(target_os = "linux")]
#[test]
fn without_file_locks_or_with_locks_that_hold_nobody_the_second_engine_is_refused() {
    for (name, code) in [("none", NO_FLOCK), ("always", FLOCK_ALWAYS)] {
        let bench = Bench::new();
        let library = shim(&bench, name, code);
        let plan = endless(&bench);
        let mut arguments = vec!["run", "mine", "--plain"];
        arguments.extend(plan.iter().map(String::as_str));
        let mut first = on(&bench, &library, &arguments).spawn().unwrap();
        bench.wait_for_trials("mine", 0);
        let second = on(&bench, &library, &["run", "mine", "--plain"])
            .output()
            .unwrap();
        assert_eq!(second.status.code(), Some(1), "{name}");
        let words = String::from_utf8_lossy(&second.stderr).into_owned();
        assert!(words.contains("is already being run by process"), "{words}");
        assert!(words.contains(&first.id().to_string()), "{words}");
        let listed = on(&bench, &library, &["ls"]).output().unwrap();
        assert!(String::from_utf8_lossy(&listed.stdout).contains("running"));
        assert_eq!(first.try_wait().unwrap(), None, "{name}: the first goes on");
        let stopped = on(&bench, &library, &["stop", "mine"]).output().unwrap();
        assert!(stopped.status.success(), "{}", both(&stopped));
        let told = first.wait_with_output().unwrap();
        let weaker = both(&told).contains("has no file locks");
        assert_eq!(weaker, name == "none", "{}", both(&told));
        // One that was killed keeps nobody out.
        let mut killed = on(&bench, &library, &["run", "mine", "--plain"])
            .spawn()
            .unwrap();
        bench.wait_for_trials("mine", bench.load("mine").trials().0);
        killed.kill().unwrap();
        killed.wait().unwrap();
        let again = on(&bench, &library, &["run", "mine", "--plain"])
            .spawn()
            .unwrap();
        bench.wait_for_trials("mine", bench.load("mine").trials().0);
        signal(&again, "TERM");
        assert_eq!(again.wait_with_output().unwrap().status.code(), Some(143));
    }
}

/// A lock as an engine of another machine writes it, counting on while it lives.
fn lock_of_elsewhere(path: &Path, beat: u64) {
    let text = format!(
        "4242\n\nmachine farm-7\nboot 0000 other\nstarted 5\ntoken farm-7-4242-5\nbeat {beat}\nend\n"
    );
    fs::write(path, text).unwrap();
}

/// `flock` on a network file system may hold only on one machine: the engine of another shows that it lives.
#[test]
fn an_engine_of_another_machine_is_known_by_its_beat() {
    let bench = Bench::new();
    let plan = endless(&bench);
    let mut arguments = vec!["new", "mine"];
    arguments.extend(plan.iter().map(String::as_str));
    bench.succeed(&arguments);
    let lock = bench.path("sessions/mine.lock");
    let ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for beat in 0.. {
                if ended.load(Ordering::Relaxed) {
                    return;
                }
                lock_of_elsewhere(&lock, beat);
                std::thread::sleep(Duration::from_millis(500));
            }
        });
        wait_until("the first beat", || lock.exists());
        let listed = bench.succeed(&["ls"]);
        let words = bench.output(&["run", "mine", "--plain"]);
        let stop = bench.output(&["stop", "mine"]);
        ended.store(true, Ordering::Relaxed);
        assert!(listed.contains("running"), "{listed}");
        assert_eq!(words.status.code(), Some(1));
        assert!(
            both(&words).contains("process 4242 on farm-7"),
            "{}",
            both(&words)
        );
        assert!(both(&stop).contains("farm-7"), "{}", both(&stop));
    });
    // It has ended without a word: after some seconds without a beat the session is free.
    let child = bench
        .program()
        .args(["run", "mine", "--plain"])
        .spawn()
        .unwrap();
    bench.wait_for_trials("mine", 0);
    // And one that takes it over from elsewhere is noticed.
    lock_of_elsewhere(&lock, 1);
    let words = last_words(child);
    assert!(
        words.contains("process 4242 on farm-7 has taken it over"),
        "{words}"
    );
}

#[test]
fn planted_links_pipes_and_devices_are_refused_in_words() {
    let bench = Bench::new();
    let plan = endless(&bench);
    let victim = bench.path("victim");
    for planted in ["mine.lock", "mine.log"] {
        let link = bench.path("sessions").join(planted);
        std::os::unix::fs::symlink(&victim, &link).unwrap();
        let mut arguments = vec!["run", "mine", "--detach"];
        if !bench.store().exists("mine") {
            arguments.extend(plan.iter().map(String::as_str));
        }
        let words = bench.refuse(1, &arguments);
        assert!(
            words.contains(planted) && words.contains("symbolic link"),
            "{words}"
        );
        assert!(!victim.exists(), "nothing was written through it");
        fs::remove_file(link).unwrap();
    }
    // A session that is a link stays one, and its target as it is.
    let elsewhere = bench.path("it's elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let (path, target) = (bench.store().path("mine"), elsewhere.join("mine.ron"));
    fs::rename(&path, &target).unwrap();
    std::os::unix::fs::symlink(&target, &path).unwrap();
    let before = fs::read(&target).unwrap();
    let words = bench.refuse(1, &["run", "mine", "--plain"]);
    assert!(
        words.contains(r"'it'\''s elsewhere' run mine") || words.contains(r"it'\''s elsewhere"),
        "{words}"
    );
    assert!(path.is_symlink() && fs::read(&target).unwrap() == before);
    bench.succeed(&["attach", "mine", "--plain"]);
    fs::remove_file(&path).unwrap();
    // Nothing waits for a pipe.
    let pipe = Command::new("mkfifo").arg(&path).status();
    assert!(pipe.unwrap().success());
    for command in [
        &["run", "mine", "--plain"][..],
        &["attach", "mine", "--plain"],
        &["export", "mine", "--format", "json"],
    ] {
        let words = bench.refuse(1, command);
        assert!(words.contains("a named pipe"), "{words}");
    }
    let weights = bench.path("weights.pt");
    assert!(
        Command::new("mkfifo")
            .arg(&weights)
            .status()
            .unwrap()
            .success()
    );
    let from = format!("network.weights=File({weights:?})");
    let words = bench.refuse(1, &["run", "other", "--plain", "--set", &from]);
    assert!(words.contains("a named pipe"), "{words}");
}

#[test]
fn files_beside_a_session_are_its_owners_alone_whatever_the_umask() {
    let bench = Bench::new();
    let plan = endless(&bench).join("' '");
    let program = bench.program();
    let run = format!(
        "umask 000; exec {:?} run live --detach '{plan}'",
        program.get_program()
    );
    let mut shell = Command::new("bash");
    shell.args(["-c", &run]).current_dir(bench.folder.path());
    for (key, value) in program.get_envs() {
        match value {
            Some(value) => shell.env(key, value),
            None => shell.env_remove(key),
        };
    }
    let output = shell
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", both(&output));
    for name in ["live.lock", "live.log", "live.sock"] {
        let about = fs::metadata(bench.path("sessions").join(name)).unwrap();
        assert_eq!(about.permissions().mode() & 0o777, 0o600, "{name}");
    }
    // What a person allows for the session itself stays so. A checkpoint that is being written at that moment
    // has looked before.
    let path = bench.store().path("live");
    let kept = (0..4).any(|_| {
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        bench.wait_for_trials("live", bench.load("live").trials().0);
        bench.wait_for_trials("live", bench.load("live").trials().0);
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        mode & 0o777 == 0o640
    });
    assert!(kept);
}

/// A session of which nothing has been done, which says by whom it was saved, and how often.
fn signed(engine: i64, count: i64) -> Session {
    let mut session = Session::new("mine", Config::default());
    session.record.updated = engine * 1_000_000 + count;
    session
}

/// An engine that saves again and again, until it may not or all is over: for each save that succeeded, when it
/// began and ended.
fn saves(
    store: &Store,
    engine: i64,
    saved: &AtomicU64,
    over: &AtomicBool,
) -> Vec<(Instant, Instant)> {
    let mut all = Vec::new();
    let Ok(mut lock) = store.lock("mine") else {
        return all;
    };
    if lock.session_exists().is_ok_and(|there| there) && lock.load().is_err() {
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

/// How often two engines are brought together: `NOISESCOPE_TRIES`, for a study.
fn tries(usual: u64) -> u64 {
    let asked = std::env::var("NOISESCOPE_TRIES").ok();
    asked.and_then(|it| it.parse().ok()).unwrap_or(usual)
}

/// Waits for something that comes soon, or not at all.
fn until(mut done: impl FnMut() -> bool) {
    let began = Instant::now();
    while !done() && began.elapsed() < Duration::from_secs(5) {
        std::thread::sleep(Duration::from_micros(200));
    }
}

/// Removes, replaces or moves what the first engine stands on.
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

/// Once a second engine has saved, nothing that the first one saves comes through: whatever was removed,
/// replaced or moved.
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
            let first = scope.spawn(|| saves(&store, 1, &ours, &over));
            until(|| ours.load(Ordering::Relaxed) > 1 || first.is_finished());
            // At any place of what it does.
            std::thread::sleep(Duration::from_micros(number % 17 * 350));
            disturb(&folder, number % 6);
            let second = scope.spawn(|| saves(&store, 2, &theirs, &over));
            until(|| theirs.load(Ordering::Relaxed) > 2 || second.is_finished());
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
        "two engines: {count} tries, of which {met} came to a second engine that saved, {overlaps} overlaps, {:.1} s",
        began.elapsed().as_secs_f64()
    );
    assert_eq!(overlaps, 0);
    assert!(
        u64::from(met) * 2 > count,
        "only {met} of {count} tries came to two engines"
    );
}
