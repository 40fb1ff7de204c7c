//! The program in a real pseudo-terminal, driven by keys and signals.

mod common;

use common::pty::Pty;
use common::{Bench, small_set};
use noisescope::session::State;

/// A session of many trials on small images.
fn long_run(bench: &Bench, columns: u16, rows: u16) -> Pty {
    small_set(&bench.path("bars"), 400, 100, 28);
    let set = format!("dataset.source=Folder({:?})", bench.path("bars"));
    let arguments = [
        "run",
        "live",
        "--set",
        &set,
        "--set",
        "network.weights.epochs=2",
        "--set",
        "analyses=[ClassificationImages((gammas: [0.0, 0.4], trials: 100000000))]",
        "--set",
        "checkpoint_s=0.5",
    ];
    Pty::start(bench.folder.path(), &arguments, columns, rows)
}

#[test]
fn start_navigate_resize_quit_and_the_terminal_is_as_it_was() {
    let bench = Bench::new();
    let mut pty = long_run(&bench, 120, 40);
    pty.wait_for("live");
    assert!(pty.on_alternate_screen() && pty.cursor_hidden());
    pty.wait_for("trials/s");

    pty.press("2");
    pty.wait_for("validation");
    pty.press("3");
    pty.wait("maps of half-blocks", |text| {
        text.matches('▀').count() > 200
    });
    pty.press("]\r");
    pty.wait_for("called so");
    pty.press("\x1b");
    pty.press("?");
    pty.wait_for("pause");
    pty.press("\x1b");

    pty.resize(80, 24);
    pty.wait("the smaller screen", |text| {
        text.lines().all(|line| line.chars().count() <= 80) && text.contains("live")
    });
    pty.resize(50, 12);
    pty.wait("a plea for room", |text| text.contains("60"));
    pty.resize(120, 40);
    pty.press("1");
    pty.wait_for("trials/s");

    pty.press("q");
    pty.wait_for("stop");
    pty.press("s");
    assert_eq!(pty.exit_code(), 0);
    assert!(!pty.on_alternate_screen() && !pty.cursor_hidden());
    assert!(pty.text().contains("noisescope run live"), "{}", pty.text());
    let session = bench.load("live");
    assert_eq!(session.record.state, State::Stopped);
    assert!(session.trials().0 > 0);
}

#[test]
fn pause_stands_still_and_continue_goes_on() {
    let bench = Bench::new();
    let mut pty = long_run(&bench, 120, 40);
    pty.wait_for("trials/s");
    pty.press("p");
    pty.wait_for("paused");
    std::thread::sleep(std::time::Duration::from_secs(2));
    let done = bench.load("live").trials().0;
    std::thread::sleep(std::time::Duration::from_secs(2));
    assert_eq!(
        bench.load("live").trials().0,
        done,
        "it went on during the pause"
    );
    pty.press("p");
    pty.wait("more trials", |_| bench.load("live").trials().0 > done);
    pty.press("\x03");
    pty.press("\x03");
    let code = pty.exit_code();
    assert!(code == 0 || code == 130, "{code}");
    assert!(!pty.on_alternate_screen());
}

#[test]
fn term_restores_the_screen_and_gives_its_exit_code() {
    let bench = Bench::new();
    let mut pty = long_run(&bench, 80, 24);
    pty.wait_for("live");
    pty.wait("the first trials", |_| {
        bench
            .store()
            .load("live")
            .is_ok_and(|session| session.trials().0 > 0)
    });
    let pid = pty.child.process_id().unwrap().to_string();
    let sent = std::process::Command::new("kill")
        .args(["-TERM", &pid])
        .status();
    assert!(sent.unwrap().success());
    assert_eq!(pty.exit_code(), 143);
    assert!(!pty.on_alternate_screen() && !pty.cursor_hidden());
    assert_eq!(bench.load("live").record.state, State::Stopped);
}

#[test]
fn a_terminal_that_is_closed_stops_the_run_after_a_checkpoint() {
    let bench = Bench::new();
    let mut pty = long_run(&bench, 80, 24);
    pty.wait("the first trials", |_| {
        bench
            .store()
            .load("live")
            .is_ok_and(|session| session.trials().0 > 0)
    });
    pty.close();
    pty.exit_code();
    assert_eq!(bench.load("live").record.state, State::Stopped);
}

#[test]
fn a_finished_session_opens_and_leaves_at_once() {
    let bench = Bench::new();
    small_set(&bench.path("bars"), 200, 50, 28);
    let set = format!("dataset.source=Folder({:?})", bench.path("bars"));
    bench.succeed(&[
        "run",
        "done",
        "--plain",
        "--set",
        &set,
        "--set",
        "network=(kind: Logistic, weights: Train((epochs: 1)))",
        "--set",
        "analyses=[ClassificationImages((gammas: [0.4], trials: 5000))]",
    ]);
    for arguments in [["attach", "done"], ["run", "done"]] {
        let mut pty = Pty::start(bench.folder.path(), &arguments, 100, 30);
        pty.wait_for("done");
        pty.wait_for("finished");
        pty.press("q");
        assert_eq!(pty.exit_code(), 0);
        assert!(!pty.on_alternate_screen());
    }
}
