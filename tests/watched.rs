//! Runs outlive their viewers: real engines and real viewers that disconnect, stall, pause and stop.

mod common;

#[path = "watched/starting.rs"]
mod starting;

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::time::{Duration, Instant};

use common::pty::Pty;
use common::{Bench, wait_until};
use noisescope::link::client::Conversation;
use noisescope::session::run::Phase;
use noisescope::session::{SavedState, Session};

/// Whether the process is running; a zombie is not.
fn alive(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| {
        !stat
            .rsplit(')')
            .next()
            .unwrap_or("")
            .trim_start()
            .starts_with('Z')
    })
}

fn descriptors(pid: u32) -> usize {
    fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count()
}

fn threads(pid: u32) -> usize {
    fs::read_dir(format!("/proc/{pid}/task")).unwrap().count()
}

/// Resident memory of a process in bytes.
fn resident(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/statm")).unwrap();
    let pages: u64 = status.split_whitespace().nth(1).unwrap().parse().unwrap();
    pages * 4096
}

fn child_of(parent: u32) -> Option<u32> {
    let children = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).ok()?;
    children.split_whitespace().next()?.parse().ok()
}

/// CPU time that a process has used, in clock ticks.
fn ticks(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit(')').next()?.split_whitespace().collect();
    Some(fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?)
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

/// Connects once as a viewer does; returns the session's state.
fn visit(bench: &Bench, name: &str) -> Session {
    runtime().block_on(async {
        let mut engine = Conversation::connect(&bench.store(), name).await.unwrap();
        engine.request_state().await.unwrap();
        engine.receive_state().await.unwrap().unwrap()
    })
}

#[test]
fn a_dropped_connection_ends_the_viewer_and_not_the_run() {
    let bench = Bench::new();
    let engine = bench.run_in_background("live");
    let mut pty = Pty::start(bench.folder.path(), &["attach", "live"], 120, 40);
    pty.wait_for("trials/s");
    let viewer = pty.child.process_id().unwrap();
    pty.close();
    let began = Instant::now();
    pty.exit_code();
    assert!(
        began.elapsed() < Duration::from_secs(2),
        "{:?}",
        began.elapsed()
    );
    assert!(!alive(viewer) && alive(engine));
    let done = bench.load("live").trials().0;
    bench.wait_for_trials("live", done);
}

/// Under `setsid` the viewer has no controlling terminal, so it gets no HUP when the terminal closes.
#[test]
fn a_silently_closed_terminal_ends_the_viewer_without_a_busy_loop() {
    let bench = Bench::new();
    let engine = bench.run_in_background("live");
    let program = env!("CARGO_BIN_EXE_noisescope");
    let command = ["setsid", "--wait", program, "attach", "live"];
    let mut pty = Pty::start_program(bench.folder.path(), &command, 120, 40);
    pty.wait_for("trials/s");
    let parent = pty.child.process_id().unwrap();
    // If setsid need not fork, it becomes the viewer itself.
    let viewer = child_of(parent).unwrap_or(parent);
    let before = ticks(viewer).unwrap();
    pty.close();
    let began = Instant::now();
    let mut used = 0;
    wait_until("the viewer's end", || {
        used = ticks(viewer).map_or(used, |now| now.saturating_sub(before));
        !alive(viewer)
    });
    assert!(
        began.elapsed() < Duration::from_secs(2),
        "{:?}",
        began.elapsed()
    );
    assert!(used <= 5, "{used} clock ticks after the terminal closed");
    assert!(alive(engine));
}

#[test]
fn the_engine_survives_hup_and_stops_at_term() {
    let bench = Bench::new();
    let engine = bench.run_in_background("live");
    let kill = |name: &str| {
        let sent = Command::new("kill")
            .args([name, &engine.to_string()])
            .status();
        assert!(sent.unwrap().success());
    };
    kill("-HUP");
    let done = bench.load("live").trials().0;
    bench.wait_for_trials("live", done);
    kill("-TERM");
    wait_until("the engine's end", || !alive(engine));
    assert_eq!(bench.load("live").record.state, SavedState::Stopped);
    assert!(
        !bench.path("sessions/live.sock").exists(),
        "the socket is removed"
    );
}

#[test]
fn pause_continue_and_stop_reach_a_running_engine() {
    let bench = Bench::new();
    let engine = bench.run_in_background("live");
    bench.succeed(&["pause", "live"]);
    // Commands report the engine's state, not that of the last checkpoint.
    let listed = bench.succeed(&["ls"]);
    assert!(listed.contains("paused"), "{listed}");
    let page = bench.succeed(&["attach", "live", "--plain"]);
    assert!(
        page.contains("live  paused; resume: noisescope continue live"),
        "{page}"
    );
    assert!(matches!(
        visit(&bench, "live").run.unwrap().phase,
        Phase::Paused(_)
    ));
    bench.succeed(&["continue", "live"]);
    assert!(matches!(
        visit(&bench, "live").run.unwrap().phase,
        Phase::Working(_)
    ));
    let printed = bench.succeed(&["stop", "live"]);
    assert!(printed.contains("noisescope run live"), "{printed}");
    wait_until("the engine's end", || !alive(engine));
    assert_eq!(bench.load("live").record.state, SavedState::Stopped);
    let error = bench.refuse(1, &["pause", "live"]);
    assert!(error.contains("session `live` is not running"), "{error}");
}

#[test]
fn a_hundred_visits_and_five_viewers_leak_nothing() {
    let bench = Bench::new();
    let engine = bench.run_in_background("live");
    visit(&bench, "live");
    for _ in 0..10 {
        visit(&bench, "live");
    }
    let (fds, tasks, memory) = (descriptors(engine), threads(engine), resident(engine));
    for _ in 0..100 {
        visit(&bench, "live");
    }
    let grown = resident(engine).saturating_sub(memory);
    // A state is 2.6 MB here, so leaking one at each visit would add 260 MB.
    assert!(
        grown < 64 << 20,
        "{grown} bytes more after a hundred visits"
    );
    let mut viewers: Vec<Pty> = (0..5)
        .map(|_| Pty::start(bench.folder.path(), &["attach", "live"], 80, 24))
        .collect();
    for viewer in &mut viewers {
        viewer.wait_for("trials/s");
    }
    for viewer in &mut viewers {
        viewer.press("q");
        assert_eq!(viewer.exit_code(), 0);
    }
    wait_until("the descriptors to be closed", || {
        descriptors(engine) <= fds
    });
    assert!(
        threads(engine) <= tasks,
        "{} threads, {tasks} before",
        threads(engine)
    );
}

#[test]
fn a_stopped_viewer_costs_the_run_nothing() {
    let bench = Bench::new();
    let engine = bench.run_in_background("live");
    let mut pty = Pty::start(bench.folder.path(), &["attach", "live"], 120, 40);
    pty.wait_for("trials/s");
    let viewer = pty.child.process_id().unwrap();
    let kill = |name: &str| {
        Command::new("kill")
            .args([name, &viewer.to_string()])
            .status()
            .unwrap()
    };
    assert!(kill("-STOP").success());
    std::thread::sleep(Duration::from_secs(1));
    let before = resident(engine);
    let done = bench.load("live").trials().0;
    std::thread::sleep(Duration::from_secs(3));
    bench.wait_for_trials("live", done);
    let grown = resident(engine).saturating_sub(before);
    assert!(
        grown < 32 << 20,
        "{grown} bytes more while a viewer was stopped"
    );
    // Other viewers are served meanwhile, and the stopped one recovers.
    visit(&bench, "live");
    assert!(kill("-CONT").success());
    pty.press("2");
    pty.wait_for("validation");
}

#[test]
fn strangers_on_the_socket_do_no_harm() {
    let bench = Bench::new();
    let engine = bench.run_in_background("live");
    let socket = bench.store().engine("live").unwrap().socket.unwrap();
    let mode = fs::metadata(&socket).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let say = |bytes: &[u8]| -> Vec<u8> {
        let mut stream = UnixStream::connect(&socket).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(8)))
            .unwrap();
        stream.write_all(bytes).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        answer
    };
    // A frame of 4 GiB, another protocol, noise, and a greeting of version 0.
    say(&[0xff; 64]);
    say(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    say(&(0..=255).collect::<Vec<u8>>());
    let mut older = vec![12, 0, 0, 0, 0];
    older.extend_from_slice(b"noisescope");
    older.push(0);
    let answer = String::from_utf8_lossy(&say(&older)).into_owned();
    assert!(answer.contains("version"), "{answer:?}");
    assert!(alive(engine));
    assert!(matches!(
        visit(&bench, "live").run.unwrap().phase,
        Phase::Working(_)
    ));
}

/// Kills an engine while a viewer is attached, and waits until the viewer notices.
fn engine_killed_under_a_viewer(bench: &Bench) -> (u32, Pty) {
    let engine = bench.run_in_background("live");
    let mut pty = Pty::start(bench.folder.path(), &["attach", "live"], 120, 40);
    pty.wait_for("trials/s");
    let killed = Command::new("kill")
        .args(["-9", &engine.to_string()])
        .status();
    assert!(killed.unwrap().success());
    pty.wait_for("read-only");
    (engine, pty)
}

#[test]
fn a_viewer_notices_a_killed_engine_and_can_resume_it() {
    let bench = Bench::new();
    let (engine, mut pty) = engine_killed_under_a_viewer(&bench);
    let listed = bench.succeed(&["ls"]);
    assert!(listed.contains("interrupted"), "{listed}");
    let done = bench.load("live").trials().0;
    assert!(
        bench.path("sessions/live.sock").exists(),
        "kill -9 leaves a stale socket"
    );
    pty.press("r");
    bench.wait_for_trials("live", done);
    pty.wait("a live view again", |text| !text.contains("read-only"));
    assert_ne!(bench.store().engine("live").unwrap().pid, engine);
    pty.press("q");
    assert_eq!(pty.exit_code(), 0);
}

#[test]
fn a_viewer_finds_an_engine_that_was_started_elsewhere() {
    let bench = Bench::new();
    let (_, mut pty) = engine_killed_under_a_viewer(&bench);
    bench.succeed(&["run", "live", "--detach"]);
    pty.wait("a live view again", |text| !text.contains("read-only"));
}
