//! The run outlives its viewers: real engines, real viewers, and what can happen between them.

mod common;

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use common::pty::Pty;
use common::{Bench, endless, signal, wait_until};
use noisescope::link::client::Conversation;
use noisescope::session::run::Phase;
use noisescope::session::{SavedState, Session};

fn alive(pid: u32) -> bool {
    // A zombie has ended too.
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

/// Bytes of memory that a process holds.
fn resident(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/statm")).unwrap();
    let pages: u64 = status.split_whitespace().nth(1).unwrap().parse().unwrap();
    pages * 4096
}

fn child_of(parent: u32) -> Option<u32> {
    let children = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).ok()?;
    children.split_whitespace().next()?.parse().ok()
}

/// Clock ticks of processor time that a process has used.
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

/// Looks in once, as a viewer does.
fn look(bench: &Bench, name: &str) -> Session {
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

/// In a session of its own the viewer has no controlling terminal: no HUP comes when it closes.
#[test]
fn a_terminal_that_goes_without_a_word_ends_the_viewer_and_burns_nothing() {
    let bench = Bench::new();
    let engine = bench.run_in_background("live");
    let program = env!("CARGO_BIN_EXE_noisescope");
    let words = ["setsid", "--wait", program, "attach", "live"];
    let mut pty = Pty::start_program(bench.folder.path(), &words, 120, 40);
    pty.wait_for("trials/s");
    let parent = pty.child.process_id().unwrap();
    // Where setsid need not fork it becomes the viewer itself.
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
    assert!(used <= 5, "{used} clock ticks after the terminal had gone");
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
        "the socket went with it"
    );
}

#[test]
fn pause_continue_and_stop_reach_a_running_engine() {
    let bench = Bench::new();
    let engine = bench.run_in_background("live");
    bench.succeed(&["pause", "live"]);
    // Whoever asks hears the engine's word, not the file's of the last checkpoint.
    let listed = bench.succeed(&["ls"]);
    assert!(listed.contains("paused"), "{listed}");
    let page = bench.succeed(&["attach", "live", "--plain"]);
    assert!(
        page.contains("live  paused, to continue: noisescope continue live"),
        "{page}"
    );
    assert!(matches!(
        look(&bench, "live").run.unwrap().phase,
        Phase::Paused(_)
    ));
    bench.succeed(&["continue", "live"]);
    assert!(matches!(
        look(&bench, "live").run.unwrap().phase,
        Phase::Working(_)
    ));
    let words = bench.succeed(&["stop", "live"]);
    assert!(words.contains("noisescope run live"), "{words}");
    wait_until("the engine's end", || !alive(engine));
    assert_eq!(bench.load("live").record.state, SavedState::Stopped);
    let words = bench.refuse(1, &["pause", "live"]);
    assert!(words.contains("session `live` is not running"), "{words}");
}

#[test]
fn a_hundred_visits_and_five_viewers_at_once_leave_nothing_behind() {
    let bench = Bench::new();
    let engine = bench.run_in_background("live");
    look(&bench, "live");
    for _ in 0..10 {
        look(&bench, "live");
    }
    let (fds, tasks, memory) = (descriptors(engine), threads(engine), resident(engine));
    for _ in 0..100 {
        look(&bench, "live");
    }
    let grown = resident(engine).saturating_sub(memory);
    // A state is 2.6 MB here: were one left behind at each visit, it would be 260 MB.
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
    wait_until("the descriptors to go", || descriptors(engine) <= fds);
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
    let pty = Pty::start(bench.folder.path(), &["attach", "live"], 120, 40);
    let mut pty = pty;
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
        "{grown} bytes more while a viewer stood still"
    );
    // Others are served meanwhile, and the stopped one comes back.
    look(&bench, "live");
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
        look(&bench, "live").run.unwrap().phase,
        Phase::Working(_)
    ));
}

/// An engine that was killed under a viewer, which has noticed.
fn watched_to_its_death(bench: &Bench) -> (u32, Pty) {
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
fn a_killed_engine_is_noticed_named_and_resumed_from_its_viewer() {
    let bench = Bench::new();
    let (engine, mut pty) = watched_to_its_death(&bench);
    let listed = bench.succeed(&["ls"]);
    assert!(listed.contains("interrupted"), "{listed}");
    let done = bench.load("live").trials().0;
    assert!(
        bench.path("sessions/live.sock").exists(),
        "a stale socket is left by kill -9"
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
    let (_, mut pty) = watched_to_its_death(&bench);
    bench.succeed(&["run", "live", "--detach"]);
    pty.wait("a live view again", |text| !text.contains("read-only"));
}

#[test]
fn a_run_in_the_foreground_can_be_looked_at_too() {
    let bench = Bench::new();
    let plan = endless(&bench);
    let mut arguments = vec!["run", "live", "--plain"];
    arguments.extend(plan.iter().map(String::as_str));
    let mut child = bench.program().args(arguments).spawn().unwrap();
    bench.wait_for_trials("live", 0);
    assert!(look(&bench, "live").trials().0 > 0);
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
fn an_engine_that_cannot_start_says_why_to_the_one_who_started_it() {
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
    let mut arguments = vec!["run", "short", "--detach"];
    arguments.extend(plan.iter().map(String::as_str));
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
                .is_some_and(|it| it == "bak" || it == "log")
        })
        .collect();
    assert_eq!(left, ["short.ron"]);
}

#[test]
fn a_plain_run_that_is_stopped_from_outside_ends_well() {
    let bench = Bench::new();
    let plan = endless(&bench);
    let mut arguments = vec!["run", "live", "--json"];
    arguments.extend(plan.iter().map(String::as_str));
    let child = bench.program().args(arguments).spawn().unwrap();
    bench.wait_for_trials("live", 0);
    signal(&child, "TERM");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(143));
    let told = String::from_utf8(output.stdout).unwrap();
    let events: Vec<serde_json::Value> = told
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
    let plan = endless(&bench);
    let mut arguments = vec!["new", "live"];
    arguments.extend(plan.iter().map(String::as_str));
    bench.succeed(&arguments);
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
fn a_detached_run_that_cannot_begin_says_so() {
    let bench = Bench::new();
    let words = bench.refuse(1, &["run", "mnist-paper", "--detach"]);
    assert!(words.contains("noisescope data fetch"), "{words}");
}
