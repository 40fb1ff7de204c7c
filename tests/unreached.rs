//! Engines that are hard to reach: without a socket, in oddly named folders, with a long queue, or of another user.

mod common;

use std::ffi::OsStr;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::{Bench, both, endless, finished, signal, wait_until, with_plan};
use noisescope::link::EngineCommand;
use noisescope::link::client::Conversation;
use noisescope::session::SavedState;
use noisescope::session::store::Store;

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

#[test]
fn an_engine_recreates_its_removed_socket_and_never_seems_interrupted() {
    let bench = Bench::new();
    let engine = bench.run_in_background("live");
    let socket = bench.path("sessions/live.sock");
    fs::remove_file(&socket).unwrap();
    let page = bench.succeed(&["attach", "live", "--plain"]);
    assert!(page.contains("live  running"), "{page}");
    assert!(bench.succeed(&["ls"]).contains("running"));
    wait_until("the socket", || socket.exists());
    fs::remove_file(&socket).unwrap();
    // A command waits for the new socket.
    let began = Instant::now();
    bench.succeed(&["pause", "live"]);
    assert!(began.elapsed() < Duration::from_secs(6));
    bench.succeed(&["stop", "live"]);
    assert_eq!(bench.load("live").record.state, SavedState::Stopped);
    assert!(
        bench
            .store()
            .engine("live")
            .is_none_or(|running| running.pid != engine)
    );
}

#[cfg(target_os = "linux")]
#[test]
fn without_unix_sockets_a_run_is_listed_and_stopped_by_a_signal() {
    let bench = Bench::new();
    let (source, library) = (bench.path("bind.c"), bench.path("bind.so"));
    fs::write(
        &source,
        "#include <errno.h>\n#include <sys/socket.h>\nint bind(int f,const struct sockaddr*a,socklen_t n){errno=EPERM;return -1;}",
    )
    .unwrap();
    let built = Command::new("cc")
        .args(["-shared", "-fPIC", "-o"])
        .arg(&library)
        .arg(&source)
        .status();
    assert!(built.unwrap().success());
    let plan = endless(&bench);
    let arguments = with_plan(&["run", "mute", "--detach"], &plan);
    let started = bench
        .program()
        .env("LD_PRELOAD", &library)
        .args(arguments)
        .output()
        .unwrap();
    assert!(started.status.success(), "{}", both(&started));
    bench.wait_for_trials("mute", 0);
    let pid = bench.store().engine("mute").unwrap().pid;
    assert!(bench.succeed(&["ls"]).contains("running"));
    let page = bench.succeed(&["attach", "mute", "--plain"]);
    assert!(page.contains("mute  running"), "{page}");
    assert!(page.contains(&format!("kill -TERM {pid}")), "{page}");
    let error = bench.refuse(1, &["pause", "mute"]);
    assert!(error.contains(&format!("process {pid}")), "{error}");
    let printed = bench.succeed(&["stop", "mute"]);
    assert!(printed.contains("sent TERM"), "{printed}");
    assert_eq!(bench.load("mute").record.state, SavedState::Stopped);
}

#[test]
fn a_note_waits_for_another_command_that_holds_the_session() {
    let bench = finished();
    let lock = bench.store().lock("done").unwrap();
    let mut program = bench.program();
    program.args(["note", "done", "as expected"]);
    program.stdout(Stdio::piped()).stderr(Stdio::piped());
    let noting = program.spawn().unwrap();
    std::thread::sleep(Duration::from_millis(400));
    drop(lock);
    let output = noting.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", both(&output));
    let notes = bench.load("done").record.notes;
    let texts: Vec<&str> = notes.iter().map(|note| note.text.as_str()).collect();
    assert_eq!(texts, ["as expected"]);
}

#[test]
fn a_stop_waits_for_another_command_instead_of_killing_it() {
    let bench = finished();
    let lock = bench.store().lock("done").unwrap();
    let mut program = bench.program();
    let stopping = program.args(["stop", "done"]).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(400));
    // A signal would have ended this test.
    drop(lock);
    let output = stopping.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", both(&output));
    let printed = both(&output);
    // The other words if it was slow to start.
    let is_told = printed.contains("is not running") || printed.contains("nothing is running");
    assert!(is_told, "{printed}");
}

#[test]
fn an_extension_waits_for_another_command_that_holds_the_session() {
    let bench = finished();
    let lock = bench.store().lock("done").unwrap();
    let mut program = bench.program();
    program.args(["extend", "done", "--trials", "6000", "--plain"]);
    // For an engine that runs already, this would be refused.
    program.args(["--workers", "1"]);
    let extending = program.spawn().unwrap();
    std::thread::sleep(Duration::from_millis(400));
    drop(lock);
    let output = extending.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", both(&output));
    assert_eq!(bench.load("done").trials().0, 6000);
}

#[test]
fn an_engine_that_cannot_be_reached_and_has_saved_nothing_has_no_checkpoint_to_show() {
    let bench = Bench::new();
    bench.succeed(&with_plan(&["new", "mine"], &endless(&bench)));
    // An engine without a socket.
    let lock = bench.store().lock("mine").unwrap();
    let page = bench.succeed(&["attach", "mine", "--plain"]);
    drop(lock);
    let words = "cannot be reached from here: there is no checkpoint yet";
    assert!(page.contains(words), "{page}");
}

#[test]
fn folders_whose_names_are_not_unicode_or_hold_a_line_feed_work() {
    for name in [&b"not \xff unicode"[..], b"line\nfeed 100%"] {
        let bench = Bench::new();
        let folder = bench.folder.path().join(OsStr::from_bytes(name));
        fs::create_dir(&folder).unwrap();
        let plan = endless(&bench);
        let program = |arguments: &[&str]| {
            let mut program = bench.program();
            let output = program
                .env("NOISESCOPE_SESSIONS", &folder)
                .args(arguments)
                .output();
            let output = output.unwrap();
            assert!(output.status.success(), "{arguments:?} {}", both(&output));
            String::from_utf8_lossy(&output.stdout).into_owned()
        };
        program(&with_plan(&["run", "live", "--detach"], &plan));
        let store = Store::new(&folder);
        assert!(store.engine("live").unwrap().socket.is_some());
        program(&["pause", "live"]);
        assert!(program(&["attach", "live", "--plain"]).contains("paused"));
        program(&["continue", "live"]);
        program(&["stop", "live"]);
        assert_eq!(
            store.load("live").unwrap().record.state,
            SavedState::Stopped
        );
    }
}

#[test]
fn a_stop_command_overtakes_a_thousand_others() {
    let bench = Bench::new();
    bench.run_in_background("live");
    runtime().block_on(async {
        let mut engine = Conversation::connect(&bench.store(), "live").await.unwrap();
        for _ in 0..500 {
            engine.send_command(EngineCommand::Continue).await.unwrap();
            engine.send_command(EngineCommand::Pause).await.unwrap();
        }
        engine.send_command(EngineCommand::Continue).await.unwrap();
        let began = Instant::now();
        engine.send_command(EngineCommand::Stop).await.unwrap();
        let over = async {
            loop {
                let _ = engine.request_state().await;
                match engine.receive_state().await {
                    Ok(Some(session))
                        if session.run.as_ref().is_some_and(|run| run.phase.is_over()) =>
                    {
                        return;
                    }
                    Ok(Some(_)) => {}
                    _ => return,
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(8), over)
            .await
            .expect("an end within seconds");
        println!(
            "stop behind 1,001 commands: {:.2} s",
            began.elapsed().as_secs_f64()
        );
    });
    wait_until("the end", || bench.store().engine("live").is_none());
    assert_eq!(bench.load("live").record.state, SavedState::Stopped);
}

#[test]
fn the_number_of_viewers_is_limited_and_checkpoints_continue() {
    let bench = Bench::new();
    // Few file descriptors, as on some systems by default.
    let plan = endless(&bench).join("' '");
    let program = bench.program();
    let script = format!(
        "ulimit -n 100; exec {:?} run live --detach '{plan}'",
        program.get_program()
    );
    let mut shell = Command::new("bash");
    shell.args(["-c", &script]).current_dir(bench.folder.path());
    for (key, value) in program.get_envs() {
        match value {
            Some(value) => shell.env(key, value),
            None => shell.env_remove(key),
        };
    }
    let output = shell.output().unwrap();
    assert!(output.status.success(), "{}", both(&output));
    bench.wait_for_trials("live", 0);
    let socket = bench.store().engine("live").unwrap().socket.unwrap();
    let mut strangers: Vec<UnixStream> = Vec::new();
    for _ in 0..90 {
        strangers.extend(UnixStream::connect(&socket).ok());
    }
    let saved = bench.load("live").trials().0;
    bench.wait_for_trials("live", saved);
    let mut last = strangers.pop().unwrap();
    last.set_read_timeout(Some(Duration::from_secs(4))).unwrap();
    let _ = last.write_all(&[0; 4]);
    let mut answer = Vec::new();
    let _ = last.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer).into_owned();
    assert!(
        answer.contains("viewers are attached to this run already"),
        "{answer}"
    );
    drop(strangers);
    // Clients that sent no greeting are disconnected, which makes room for others.
    wait_until("room", || bench.output(&["pause", "live"]).status.success());
    bench.succeed(&["stop", "live"]);
}

/// As does one of another version of the protocol, it refuses everyone who connects, also to stop it.
#[test]
fn an_engine_that_takes_no_commands_is_stopped_by_a_signal() {
    let bench = Bench::new();
    bench.run_in_background("live");
    let (runtime, store) = (runtime(), bench.store());
    let connect = || runtime.block_on(Conversation::connect(&store, "live"));
    let viewers: Vec<Conversation> = (0..64).map(|_| connect().unwrap()).collect();
    let error = bench.refuse(1, &["pause", "live"]);
    assert!(
        error.contains("viewers are attached to this run already"),
        "{error}"
    );
    let printed = bench.succeed(&["stop", "live"]);
    assert!(
        printed.contains("viewers are attached") && printed.contains("sent TERM"),
        "{printed}"
    );
    assert_eq!(bench.load("live").record.state, SavedState::Stopped);
    drop(viewers);
}

/// The program for another user of the machine, who may read the sessions but not write them, nor read their locks;
/// `None` if this test cannot become one.
fn as_another_user(bench: &Bench) -> Option<Command> {
    if rustix::process::getuid().as_raw() != 0 || !std::path::Path::new("/proc/locks").exists() {
        println!("SKIPPED: only root can become another user, on Linux");
        return None;
    }
    for path in [bench.folder.path().to_owned(), bench.path("sessions")] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let copy = bench.path("noisescope");
    fs::copy(env!("CARGO_BIN_EXE_noisescope"), &copy).unwrap();
    let mut other = Command::new("setpriv");
    other
        .args(["--reuid", "65534", "--regid", "65534", "--clear-groups"])
        .arg(&copy)
        .env("NOISESCOPE_SESSIONS", bench.path("sessions"))
        .env("HOME", "/nonexistent")
        .env("NOISESCOPE_DATA", "/nonexistent")
        .current_dir(bench.folder.path());
    Some(other)
}

#[test]
fn another_user_opens_a_finished_session_with_any_command_that_shows_one() {
    let bench = finished();
    for arguments in [["attach", "done", "--plain"], ["run", "done", "--plain"]] {
        let Some(mut other) = as_another_user(&bench) else {
            return;
        };
        let output = other.args(arguments).output().unwrap();
        let page = both(&output);
        assert!(output.status.success(), "{page}");
        assert!(page.starts_with("done  finished"), "{page}");
    }
}

#[test]
fn another_user_sees_that_a_session_is_running() {
    let bench = Bench::new();
    let pid = bench.run_in_background("live");
    let Some(mut other) = as_another_user(&bench) else {
        return;
    };
    let output = other.args(["attach", "live", "--plain"]).output().unwrap();
    let page = both(&output);
    assert!(output.status.success(), "{page}");
    assert!(
        page.contains("live  running") && page.contains(&format!("process {pid}")),
        "{page}"
    );
    // The other user's command has not locked the owner out.
    bench.succeed(&["stop", "live"]);
    let mut again = bench.start("live", &[], &[]);
    bench.wait_for_trials("live", bench.load("live").trials().0);
    signal(&again, "TERM");
    assert_eq!(again.wait().unwrap().code(), Some(143));
}
