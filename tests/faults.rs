//! Faults during a run: system calls that fail, a killed process, a power cut. Nothing that was saved is lost, and a
//! resumed run ends in the same bits.
//!
//! Each test tries a few cases; `scripts/durability` tries more through the environment variables named here. A test that
//! this machine cannot run (no strace, not root) prints that it was skipped.

mod common;

#[path = "faults/disk.rs"]
mod disk;
#[path = "faults/strace.rs"]
mod strace;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::dice::{Dice, count};
use common::{Bench, both, set_options, wait_until};
use disk::Disk;
use noisescope::session::store::{Store, read_at};
use noisescope::session::{SavedState, Session};
use strace::{FAULTS, strace_works, with_fault};

/// Options for a run of a second or two with many checkpoints.
fn plan(bench: &Bench, trials: u64) -> Vec<String> {
    set_options([
        bench.bars(100, 50, 28),
        "network=(kind: Logistic, weights: Train((epochs: 1)))".into(),
        format!(
            "analyses=[ClassificationImages((gammas: [0.0, 0.4], trials: {trials}, block: 64))]"
        ),
        "checkpoint_s=0.1".into(),
    ])
}

/// Creates a session of this plan in a folder, without running it.
fn create_session(bench: &Bench, folder: &Path, name: &str, trials: u64) {
    let plan = plan(bench, trials);
    let mut program = bench.program();
    program
        .env("NOISESCOPE_SESSIONS", folder)
        .args(["new", name])
        .args(plan);
    let output = program.output().unwrap();
    assert!(output.status.success(), "{}", both(&output));
}

/// The finished session of an undisturbed run.
fn reference(bench: &Bench, trials: u64) -> Session {
    let folder = bench.path("sessions");
    create_session(bench, &folder, "whole", trials);
    bench.succeed(&["run", "whole", "--plain", "--workers", "1"]);
    bench.load("whole")
}

/// The session from its file or, if that is damaged, from its previous generation.
fn saved(store: &Store, name: &str) -> Session {
    let file = read_at(&store.path(name), name);
    file.or_else(|_| read_at(&store.backup_path(name), name))
        .expect("one generation is intact")
}

/// Runs the session to its end and asserts the same results as `whole`.
fn assert_finishes_as(bench: &Bench, name: &str, whole: &Session) {
    bench.succeed(&["run", name, "--plain", "--workers", "1"]);
    let session = bench.load(name);
    assert_eq!(session.record.state, SavedState::Finished, "{name}");
    assert!(
        session.record.analyses == whole.record.analyses,
        "{name}: the sums differ"
    );
}

/// A call that fails once or repeatedly neither loses what was saved nor makes the program panic.
#[test]
fn no_failing_system_call_loses_saved_data() {
    if !strace_works() {
        return;
    }
    let bench = Bench::new();
    let whole = reference(&bench, 2000);
    let (mut dice, all) = (Dice(7), count("NOISESCOPE_FAULTS", 14));
    let (mut ended, mut stopped) = (0, 0);
    for number in 0..all {
        let (call, errors, calls) = FAULTS[(number % FAULTS.len() as u64) as usize];
        let error = errors[dice.roll(errors.len() as u64) as usize];
        let first = 1 + dice.roll(calls);
        // `write` also wakes the event loop, which cannot work without it. If a single such write fails, the message
        // shows it; if all fail, it cannot be distinguished from a file's write, so those faults are not injected.
        let kinds = if call == "write" { 1 } else { 3 };
        let repeat = ["", "+", "+3"][dice.roll(kinds) as usize];
        let fault = format!("{call}:error={error}:when={first}{repeat}");
        let name = format!("fault-{number}");
        create_session(&bench, &bench.path("sessions"), &name, 2000);
        let output = with_fault(&bench, &name, &fault);
        let printed = both(&output);
        let code = output.status.code();
        // What was saved is checked in any case.
        if !printed.contains("failed to wake I/O driver") {
            assert!(
                !printed.contains("panicked") && code != Some(101),
                "{fault}: {printed}"
            );
            assert!(!printed.contains("crashed"), "{fault}: {printed}");
        }
        ended += u32::from(code == Some(0));
        stopped += u32::from(code != Some(0));
        let left = saved(&bench.store(), &name);
        assert!(left.trials().0 <= whole.trials().0, "{fault}");
        // If the newest generation is damaged, the user restores the previous one, as the message says.
        if bench.store().load(&name).is_err() {
            fs::copy(bench.store().backup_path(&name), bench.store().path(&name)).unwrap();
        }
        assert_finishes_as(&bench, &name, &whole);
    }
    println!(
        "{all} faults injected: {ended} runs finished anyway, {stopped} stopped with an error, 0 lost"
    );
}

/// On a file system without fsync the program runs, and reports the weaker guarantee.
#[test]
fn a_file_system_without_fsync_is_reported_and_does_not_stop_the_run() {
    if !strace_works() {
        return;
    }
    let bench = Bench::new();
    let whole = reference(&bench, 1000);
    create_session(&bench, &bench.path("sessions"), "mine", 1000);
    let output = with_fault(&bench, "mine", "fsync:error=EINVAL");
    let printed = both(&output);
    assert_eq!(output.status.code(), Some(0), "{printed}");
    assert!(
        printed.contains("does not report when a file is on the disk"),
        "{printed}"
    );
    assert!(bench.load("mine").record.analyses == whole.record.analyses);
}

/// The process is repeatedly killed at random moments until the run has ended.
#[test]
fn a_repeatedly_killed_run_equals_an_uninterrupted_one() {
    let bench = Bench::new();
    let trials = 30_000;
    // Choose the number of trials so that a run takes at least half a second in any build, and kill at any time in it.
    let (trials, whole, run_ms) = [trials, 4 * trials, 16 * trials]
        .into_iter()
        .map(|trials| {
            let began = Instant::now();
            let whole = reference(&bench, trials);
            let run_ms = began.elapsed().as_millis() as u64;
            for path in [
                bench.store().path("whole"),
                bench.store().backup_path("whole"),
            ] {
                let _ = fs::remove_file(path);
            }
            (trials, whole, run_ms)
        })
        .find(|(trials, _, run_ms)| *run_ms > 500 || *trials > 400_000)
        .unwrap();
    let (mut dice, all, began) = (Dice(11), count("NOISESCOPE_KILLS", 8), Instant::now());
    let (mut killed, mut sessions) = (0, 0);
    while killed < all {
        let name = format!("killed-{sessions}");
        sessions += 1;
        create_session(&bench, &bench.path("sessions"), &name, trials);
        let mut before = 0;
        loop {
            let mut child = bench
                .program()
                .args(["run", &name, "--plain", "--workers", "1"])
                .stdout(Stdio::null())
                .spawn()
                .unwrap();
            std::thread::sleep(Duration::from_millis(5 + dice.roll(run_ms)));
            let ended = child.try_wait().unwrap();
            child.kill().unwrap();
            child.wait().unwrap();
            let session = bench.store().load(&name).expect("the file is intact");
            let done = session.trials().0;
            assert!(done >= before, "{name}: {done} after {before}");
            before = done;
            if ended.is_some() || killed >= all {
                break;
            }
            killed += 1;
        }
        assert_finishes_as(&bench, &name, &whole);
    }
    println!(
        "{killed} kills of {sessions} sessions in {:.0} s: 0 lost, all finished with the same bits",
        began.elapsed().as_secs_f64()
    );
}

/// The order of a checkpoint's steps: only a synced file takes the session's name, and the folder is synced after the
/// renaming.
#[test]
fn a_checkpoint_is_synced_before_it_replaces_the_session_file() {
    if !strace_works() {
        return;
    }
    let bench = Bench::new();
    create_session(&bench, &bench.path("sessions"), "mine", 1000);
    let log = bench.path("trace");
    let program = bench.program();
    let mut strace = Command::new("strace");
    strace
        .args(["-f", "-qq", "-y", "-s", "8", "-e"])
        .arg("trace=write,pwrite64,writev,ftruncate,fsync,fdatasync,rename,renameat,renameat2,link,linkat")
        .arg("-o")
        .arg(&log)
        .arg(program.get_program())
        .args(["run", "mine", "--plain"])
        .current_dir(bench.folder.path())
        .stdout(Stdio::null());
    for (key, value) in program.get_envs() {
        match value {
            Some(value) => strace.env(key, value),
            None => strace.env_remove(key),
        };
    }
    assert!(strace.status().unwrap().success());
    let trace = fs::read_to_string(&log).unwrap();
    let lines: Vec<&str> = trace.lines().collect();
    let mut checkpoints = 0;
    for (index, line) in lines.iter().enumerate() {
        if !(line.contains("rename") && line.contains(", \"mine.ron\"")) {
            continue;
        }
        checkpoints += 1;
        let temporary = line.split('"').nth(1).unwrap();
        assert!(
            temporary.starts_with("mine.ron.") && temporary.ends_with(".tmp"),
            "{line}"
        );
        let names_temporary = |line: &&str| line.contains(temporary);
        let synced = lines[..index]
            .iter()
            .rposition(|line| names_temporary(line) && line.contains("fsync"));
        let written = lines[..index]
            .iter()
            .rposition(|line| names_temporary(line) && line.contains("write("));
        assert!(
            written.is_some() && synced > written,
            "{line}: not synced before"
        );
        let after = lines[index + 1..]
            .iter()
            .position(|line| line.contains("fsync") && line.contains("/sessions>"));
        let next = lines[index + 1..]
            .iter()
            .position(|line| line.contains("rename"));
        assert!(
            after.is_some() && (next.is_none() || after < next),
            "{line}: the folder is not synced"
        );
        if checkpoints > 1 {
            let kept = lines[..index]
                .iter()
                .rposition(|line| line.contains("rename") && line.contains("mine.ron.bak\""));
            assert!(
                kept > synced,
                "{line}: the previous generation is kept too early"
            );
        }
    }
    assert!(checkpoints > 2, "{checkpoints} checkpoints in\n{trace}");
}

/// After a power failure at a random moment, every checkpoint that was followed by another one is intact. A program that
/// does not sync (the control) loses its file on the same disk.
#[test]
fn a_power_cut_loses_the_control_file_but_no_checkpoint() {
    let bench = Bench::new();
    let Some(disk) = Disk::new(&bench) else {
        println!("SKIPPED: a power cut needs root, mkfs.ext4, a loop device and python3");
        return;
    };
    let (mut dice, all) = (Dice(5), count("NOISESCOPE_CUTS", 4));
    // The control: a file is replaced without syncing.
    let careless = disk.mount.join("careless");
    fs::write(&careless, vec![1; 100_000]).unwrap();
    fs::write(disk.mount.join("new"), vec![2; 100_000]).unwrap();
    fs::rename(disk.mount.join("new"), &careless).unwrap();
    // Long enough for the journal, which has the names, and not for the file's content.
    std::thread::sleep(Duration::from_millis(1700));
    disk.cut();
    disk.remount();
    let control = fs::read(&careless).unwrap_or_default();
    assert!(
        control != vec![2; 100_000],
        "the control lost nothing, so this disk cannot show a loss"
    );
    let folder = disk.mount.join("sessions");
    create_session(&bench, &folder, "mine", 100_000_000);
    let store = Store::new(&folder);
    let mut before = 0;
    for number in 0..all {
        let mut child = bench
            .program()
            .env("NOISESCOPE_SESSIONS", &folder)
            .args(["run", "mine", "--plain"])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let done = || store.load("mine").map_or(0, |session| session.trials().0);
        wait_until("trials", || done() > before);
        std::thread::sleep(Duration::from_millis(dice.roll(400)));
        // Once the next checkpoint has replaced it, this one is on the disk.
        let earlier = done();
        wait_until("the next checkpoint", || done() > earlier);
        disk.cut();
        child.kill().unwrap();
        child.wait().unwrap();
        disk.remount();
        let session = store
            .load("mine")
            .unwrap_or_else(|error| panic!("cut {number}: {error}"));
        let left = session.trials().0;
        assert!(
            left >= earlier,
            "cut {number}: {left} trials are left of {earlier}"
        );
        before = left;
    }
    println!("{all} power cuts: 0 lost; the control lost its file");
}
