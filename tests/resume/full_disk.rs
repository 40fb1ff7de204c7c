//! Runs that meet a full disk.

use std::fs;
use std::process::{Child, Command};
use std::time::Duration;

use noisescope::session::SavedState;
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::Value;

use super::start_quick;
use crate::common::{Bench, both, signal, wait_until};

/// Limits the size of files that the process writes; a checkpoint then fails as on a full disk.
fn limit_files(child: &Child, bytes: Option<u64>) {
    let limit = Rlimit {
        current: bytes,
        maximum: None,
    };
    let pid = Pid::from_raw(child.id() as i32);
    prlimit(pid, Resource::Fsize, limit).unwrap();
}

/// Starts a run that meets a full disk after its first trials; returns it and the number of trials on the disk.
fn run_into_full_disk(bench: &Bench, name: &str) -> (Child, u64) {
    let child = start_quick(bench, name, "checkpoint_s=0.1");
    bench.wait_for_trials(name, 0);
    limit_files(&child, Some(1000));
    wait_until("a checkpoint that fails", || {
        bench
            .succeed(&["attach", name, "--plain"])
            .contains("File too large")
    });
    (child, bench.load(name).trials().0)
}

#[test]
fn a_full_disk_does_not_stop_the_run_and_the_next_checkpoint_tries_again() {
    let bench = Bench::new();
    let (mut child, before) = run_into_full_disk(&bench, "full");
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(child.try_wait().unwrap(), None, "the run continues");
    assert_eq!(bench.load("full").trials().0, before);
    limit_files(&child, None);
    bench.wait_for_trials("full", before);
    signal(&child, "TERM");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(143));
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(printed.contains("File too large"), "{printed}");
    assert_eq!(
        printed.matches("File too large").count(),
        1,
        "reported once: {printed}"
    );
    let entries = fs::read_dir(bench.path("sessions")).unwrap();
    let left =
        entries.filter(|entry| entry.as_ref().unwrap().path().extension() == Some("tmp".as_ref()));
    assert_eq!(left.count(), 0, "no temporary files are left");
}

#[test]
fn the_list_says_that_a_running_session_cannot_be_saved_and_what_to_do() {
    let bench = Bench::new();
    let (child, _) = run_into_full_disk(&bench, "full");
    let table = bench.succeed(&["ls"]);
    assert!(table.contains("running"), "{table}");
    assert!(table.contains("File too large"), "{table}");
    let problem = || {
        let all: Value = serde_json::from_str(&bench.succeed(&["ls", "--json"])).unwrap();
        assert_eq!(all[0]["state"], "running");
        all[0]["problem"].clone()
    };
    let told = problem();
    assert!(told.as_str().unwrap().contains("raise the limit"), "{told}");
    limit_files(&child, None);
    wait_until("a checkpoint", || problem().is_null());
    signal(&child, "TERM");
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(143));
}

#[test]
fn results_that_cannot_be_saved_are_discarded_only_on_request() {
    let bench = Bench::new();
    let (mut child, before) = run_into_full_disk(&bench, "full");
    for _ in 0..2 {
        let error = bench.refuse(1, &["stop", "full"]);
        assert!(error.contains("trials since the checkpoint of"), "{error}");
        assert!(error.contains("would be lost"), "{error}");
        assert!(error.contains("--discard"), "{error}");
        assert_eq!(child.try_wait().unwrap(), None, "it still tries to save");
    }
    // Signals do not discard anything either.
    signal(&child, "TERM");
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(child.try_wait().unwrap(), None);
    let printed = bench.succeed(&["stop", "full", "--discard"]);
    assert!(printed.contains("last checkpoint"), "{printed}");
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert_eq!(bench.load("full").trials().0, before);
}

#[test]
fn an_engine_waiting_for_disk_space_ends_once_there_is_some() {
    let bench = Bench::new();
    let (mut child, before) = run_into_full_disk(&bench, "full");
    bench.refuse(1, &["stop", "full"]);
    // There is nothing to pause or to continue, and nobody waits for it.
    for command in ["pause", "continue"] {
        let error = bench.refuse(1, &[command, "full"]);
        assert!(error.contains("as soon as it can be saved"), "{error}");
        assert!(error.contains("raise the limit"), "{error}");
    }
    limit_files(&child, None);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let session = bench.load("full");
    assert_eq!(session.record.state, SavedState::Stopped);
    assert!(
        session.trials().0 > before,
        "the trials measured meanwhile are saved"
    );
}

#[test]
fn an_extension_that_cannot_be_saved_is_not_reported_as_done() {
    let bench = Bench::new();
    let (child, _) = run_into_full_disk(&bench, "full");
    let planned = bench.load("full").config;
    let error = bench.refuse(1, &["extend", "full", "--trials", "2000000000"]);
    assert!(error.contains("not saved yet"), "{error}");
    assert!(error.contains("File too large"), "{error}");
    assert!(bench.load("full").config == planned);
    limit_files(&child, None);
    // The engine has it, and saves it as soon as it can.
    wait_until("the extension in the file", || {
        bench.load("full").config != planned
    });
    signal(&child, "TERM");
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(143));
}

#[test]
fn a_command_that_may_not_write_so_large_a_file_says_so_and_leaves_the_session() {
    let bench = Bench::new();
    bench.succeed(&["new", "mine"]);
    let before = fs::read(bench.store().path("mine")).unwrap();
    // A block is smaller than the session and larger than its lock.
    let mut limited = Command::new("sh");
    limited.args(["-c", "ulimit -f 1; exec \"$@\"", "sh"]);
    limited.args([env!("CARGO_BIN_EXE_noisescope"), "note", "mine", "a note"]);
    limited.env("NOISESCOPE_SESSIONS", bench.path("sessions"));
    let output = limited.output().unwrap();
    let printed = both(&output);
    assert_eq!(output.status.code(), Some(1), "{printed}");
    assert!(printed.contains("mine.ron: cannot write"), "{printed}");
    assert!(printed.contains("raise the limit"), "{printed}");
    assert!(fs::read(bench.store().path("mine")).unwrap() == before);
    // Neither a temporary file nor a lock.
    assert_eq!(fs::read_dir(bench.path("sessions")).unwrap().count(), 1);
}

#[test]
fn a_lock_that_cannot_be_written_is_not_left_behind() {
    let bench = Bench::new();
    let mut limited = Command::new("sh");
    limited.args(["-c", "ulimit -f 0; exec \"$@\"", "sh"]);
    limited.args([env!("CARGO_BIN_EXE_noisescope"), "new", "mine"]);
    limited.env("NOISESCOPE_SESSIONS", bench.path("sessions"));
    let output = limited.output().unwrap();
    let printed = both(&output);
    assert_eq!(output.status.code(), Some(1), "{printed}");
    assert!(printed.contains("cannot write the lock"), "{printed}");
    assert_eq!(fs::read_dir(bench.path("sessions")).unwrap().count(), 0);
}
