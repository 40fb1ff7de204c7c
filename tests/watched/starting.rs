//! Starting and ending runs in the foreground and in the background.

use std::fs;
use std::path::Path;
use std::process::Command;

use noisescope::session::SavedState;

use super::visit;
use crate::common::pty::Pty;
use crate::common::{self, Bench, endless, signal, wait_until, with_plan};

#[test]
fn a_foreground_run_can_be_viewed_too() {
    let bench = Bench::new();
    let mut child = bench.start("live", &endless(&bench), &[]);
    bench.wait_for_trials("live", 0);
    assert!(visit(&bench, "live").trials().0 > 0);
    bench.succeed(&["stop", "live"]);
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_folder_whose_name_is_too_long_for_a_socket_falls_back_to_the_runtime_folder() {
    let bench = Bench::new();
    let long = bench.path(&"long".repeat(40));
    fs::create_dir(&long).unwrap();
    let plan = endless(&bench);
    let mut program = bench.program();
    program.env("NOISESCOPE_SESSIONS", &long);
    program.args(["run", "live", "--detach"]).args(&plan);
    let output = program.output().unwrap();
    assert!(output.status.success(), "{}", common::both(&output));
    let store = noisescope::session::store::Store::new(&long);
    let engine = store.engine("live").unwrap();
    let socket = engine.socket.expect("a socket elsewhere");
    assert!(socket.starts_with(bench.folder.path()) && !socket.starts_with(&long));
    let killed = Command::new("kill")
        .args(["-9", &engine.pid.to_string()])
        .status();
    assert!(killed.unwrap().success());
}

#[test]
fn an_engine_that_cannot_start_says_why() {
    let bench = Bench::new();
    let mut pty = Pty::start(bench.folder.path(), &["run", "mnist-paper"], 100, 30);
    assert_eq!(pty.exit_code(), 1);
    let text = pty.text().replace('\n', " ");
    assert!(text.contains("noisescope data fetch"), "{text}");
    pty.wait_restored();
}

#[test]
fn nothing_is_left_running_when_a_detached_run_is_done() {
    let bench = Bench::new();
    let plan = endless(&bench);
    let mut arguments = with_plan(&["run", "short", "--detach"], &plan);
    arguments.extend([
        "--set",
        "analyses=[ClassificationImages((gammas: [0.4], trials: 2000))]",
    ]);
    bench.succeed(&arguments);
    wait_until("the end", || {
        bench.store().engine("short").is_none()
            && bench.load("short").record.state == SavedState::Finished
            && !bench.path("sessions/short.sock").exists()
    });
    let left: Vec<String> = fs::read_dir(bench.path("sessions"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| {
            !Path::new(name)
                .extension()
                .is_some_and(|extension| extension == "bak" || extension == "log")
        })
        .collect();
    assert_eq!(left, ["short.ron"]);
}

#[test]
fn a_json_run_stopped_by_a_signal_ends_with_a_stopped_event() {
    let bench = Bench::new();
    let plan = endless(&bench);
    let arguments = with_plan(&["run", "live", "--json"], &plan);
    let child = bench.program().args(arguments).spawn().unwrap();
    bench.wait_for_trials("live", 0);
    signal(&child, "TERM");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(143));
    let printed = String::from_utf8(output.stdout).unwrap();
    let events: Vec<serde_json::Value> = printed
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(events.first().unwrap()["event"], "started");
    assert_eq!(events.last().unwrap()["event"], "stopped");
    assert!(events.iter().all(|event| event["t"].is_number()));
}

#[test]
fn a_log_that_cannot_be_written_does_not_end_the_run() {
    let bench = Bench::new();
    bench.succeed(&with_plan(&["new", "live"], &endless(&bench)));
    let full = fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let mut engine = bench
        .program()
        .args(["engine", "live"])
        .stderr(full)
        .spawn()
        .unwrap();
    bench.wait_for_trials("live", 0);
    let done = bench.load("live").trials().0;
    bench.wait_for_trials("live", done);
    bench.succeed(&["stop", "live"]);
    assert!(engine.wait().unwrap().success());
}

#[test]
fn a_detached_run_that_cannot_begin_says_why() {
    let bench = Bench::new();
    let error = bench.refuse(1, &["run", "mnist-paper", "--detach"]);
    assert!(error.contains("noisescope data fetch"), "{error}");
}
