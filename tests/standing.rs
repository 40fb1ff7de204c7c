//! The status of a session is the same in every command; and output to pipes, dumb terminals and slow terminals.

mod common;

use std::process::Command;
use std::time::Duration;

use common::pty::Pty;
use common::{Bench, finished, wait_until};
use serde_json::Value;

fn signal(pid: u32, signal: &str) {
    let sent = Command::new("kill")
        .args([signal, &pid.to_string()])
        .status();
    assert!(sent.unwrap().success());
}

/// The entry of the only session in `ls --json`.
fn listed(bench: &Bench) -> Value {
    let all: Value = serde_json::from_str(&bench.succeed(&["ls", "--json"])).unwrap();
    all[0].clone()
}

#[test]
fn every_command_reports_the_same_status() {
    let bench = Bench::new();
    let pid = bench.run_in_background("live");
    let assert_status = |status: &str| {
        assert_eq!(listed(&bench)["state"], status);
        let page = bench.succeed(&["attach", "live", "--plain"]);
        assert!(page.starts_with(&format!("live  {status}")), "{page}");
    };
    assert_status("running");
    bench.succeed(&["pause", "live"]);
    assert_status("paused");
    bench.succeed(&["continue", "live"]);
    signal(pid, "-STOP");
    let row = listed(&bench);
    assert_eq!(row["state"], "hung");
    let since: jiff::Timestamp = row["silent_since"].as_str().unwrap().parse().unwrap();
    let age = jiff::Timestamp::now().duration_since(since).as_secs();
    assert!((5..60).contains(&age), "{age} s");
    let page = bench.succeed(&["attach", "live", "--plain"]);
    assert!(page.starts_with("live  hung"), "{page}");
    // Also for a viewer that connects when it has long been silent.
    let mut pty = Pty::start(bench.folder.path(), &["attach", "live"], 100, 30);
    pty.wait_for("hung, silent for");
    pty.press("q");
    assert_eq!(pty.exit_code(), 0);
    let table = bench.succeed(&["ls"]);
    assert!(table.contains("engine silent for"), "{table}");
    signal(pid, "-CONT");
    wait_until("its next answer", || listed(&bench)["state"] == "running");
    assert_status("running");
    signal(pid, "-KILL");
    wait_until("its end", || bench.store().engine("live").is_none());
    assert_status("interrupted");
}

#[test]
fn a_hung_engine_shows_no_rate_and_no_eta_until_it_answers_again() {
    let bench = Bench::new();
    let pid = bench.run_in_background("live");
    let mut pty = Pty::start(bench.folder.path(), &["attach", "live"], 100, 30);
    pty.wait_for("trials/s");
    signal(pid, "-STOP");
    pty.wait("a hung engine", |text| {
        text.contains("hung, silent for") && !text.contains("trials/s") && !text.contains("ETA")
    });
    signal(pid, "-CONT");
    pty.wait("a running engine", |text| {
        text.contains("trials/s") && !text.contains("hung")
    });
    pty.press("q");
    assert_eq!(pty.exit_code(), 0);
}

#[test]
fn a_pipe_gets_the_list_of_sessions_and_no_run_begins() {
    let bench = Bench::new();
    bench.succeed(&["new", "mine"]);
    let printed = bench.succeed(&[]);
    assert!(
        printed.contains("mine") && printed.contains("new"),
        "{printed}"
    );
    assert_eq!(bench.store().names().unwrap(), ["mine"]);
}

#[test]
fn a_dumb_terminal_gets_plain_lines() {
    let bench = finished();
    let program = env!("CARGO_BIN_EXE_noisescope");
    for (arguments, expected) in [
        (vec!["attach", "done"], "done  finished"),
        (vec![], "STATE"),
        (vec!["run", "done"], "done  finished"),
    ] {
        let all = [vec!["env", "TERM=dumb", program], arguments].concat();
        let mut pty = Pty::start_program(bench.folder.path(), &all, 100, 30);
        assert_eq!(pty.exit_code(), 0);
        wait_until("lines", || {
            String::from_utf8_lossy(&pty.bytes()).contains(expected)
        });
        let bytes = pty.bytes();
        assert!(
            !bytes.contains(&0x1b),
            "{}",
            String::from_utf8_lossy(&bytes)
        );
    }
}

#[test]
fn a_late_answer_from_the_terminal_does_not_reach_the_shell() {
    let bench = finished();
    let program = env!("CARGO_BIN_EXE_noisescope");
    let line = format!(
        "{program} show done --training >/dev/tty 2>&1; read -r -t 1 -n 1 c && echo LEFT || echo CLEAN"
    );
    let command = ["bash", "-c", &line];
    let mut pty = Pty::start_program(bench.folder.path(), &command, 100, 30);
    wait_until("the question", || {
        pty.bytes().windows(3).any(|bytes| bytes == b"\x1b[c")
    });
    std::thread::sleep(Duration::from_millis(700));
    pty.press("\x1b_Gi=31;OK\x1b\\\x1b[?62;4c");
    pty.wait("the shell", |text| {
        text.contains("CLEAN") || text.contains("LEFT")
    });
    assert!(pty.text().contains("CLEAN"), "{}", pty.text());
}

#[test]
fn the_log_is_shown_without_an_engine() {
    let bench = finished();
    let mut pty = Pty::start(bench.folder.path(), &["attach", "done"], 100, 30);
    pty.wait_for("finished");
    pty.press("L");
    pty.wait_for("done.ron");
    pty.press("q");
    assert_eq!(pty.exit_code(), 0);
}
