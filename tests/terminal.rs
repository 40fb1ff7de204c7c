//! The program in a real pseudo-terminal, driven by keys and signals.

mod common;

use common::pty::Pty;
use common::{Bench, endless, finished, wait_until};
use noisescope::session::State;

fn run_drawn(bench: &Bench, columns: u16, rows: u16) -> Pty {
    let plan = endless(bench);
    let mut arguments = vec!["run", "live"];
    arguments.extend(plan.iter().map(String::as_str));
    Pty::start(bench.folder.path(), &arguments, columns, rows)
}

#[test]
fn start_navigate_resize_stop_and_the_terminal_is_as_it_was() {
    let bench = Bench::new();
    let mut pty = run_drawn(&bench, 120, 40);
    pty.wait_for("live");
    assert!(pty.on_alternate_screen() && pty.cursor_hidden());
    pty.wait_for("trials/s");

    pty.press("2");
    pty.wait_for("validation");
    pty.press("3");
    pty.wait("maps of half-blocks", |text| {
        text.matches('▀').count() > 200
    });
    pty.press("\r");
    pty.wait_for("called so");
    pty.press("?");
    pty.wait_for("let it go on");
    pty.press("?");
    pty.wait_for("called so");

    pty.resize(80, 24);
    pty.wait("the smaller screen", |text| {
        text.lines().all(|line| line.chars().count() <= 80) && text.contains("live")
    });
    pty.resize(50, 12);
    pty.wait_for("50×12 is too small a screen");
    pty.resize(120, 40);
    pty.wait_for("called so");
    pty.press("1");
    pty.wait_for("trials/s");

    pty.press("S");
    pty.wait_for("checkpoint");
    pty.press("s");
    assert_eq!(pty.exit_code(), 0);
    pty.wait_restored();
    assert!(pty.text().contains("noisescope run live"), "{}", pty.text());
    let session = bench.load("live");
    assert_eq!(session.record.state, State::Stopped);
    assert!(session.trials().0 > 0);
}

#[test]
fn leaving_lets_the_run_go_on_and_says_how_to_look_in_again() {
    let bench = Bench::new();
    let mut pty = run_drawn(&bench, 100, 30);
    pty.wait_for("trials/s");
    pty.press("q");
    assert_eq!(pty.exit_code(), 0);
    pty.wait_restored();
    assert!(
        pty.text().contains("noisescope attach live"),
        "{}",
        pty.text()
    );
    let done = bench.load("live").trials().0;
    bench.wait_for_trials("live", done);
}

#[test]
fn pause_stands_still_and_continue_goes_on() {
    let bench = Bench::new();
    let mut pty = run_drawn(&bench, 120, 40);
    pty.wait_for("trials/s");
    pty.press("p");
    pty.wait_for("paused");
    std::thread::sleep(std::time::Duration::from_secs(1));
    let done = bench.load("live").trials().0;
    std::thread::sleep(std::time::Duration::from_secs(1));
    assert_eq!(
        bench.load("live").trials().0,
        done,
        "it went on during the pause"
    );
    pty.press("p");
    bench.wait_for_trials("live", done);
}

#[test]
fn signals_end_the_viewer_restore_the_screen_and_leave_the_run_alone() {
    let bench = Bench::new();
    let engine = bench.run_in_background("live");
    for (signal, code) in [("TERM", 143), ("INT", 130), ("HUP", 129)] {
        let mut pty = Pty::start(bench.folder.path(), &["attach", "live"], 80, 24);
        pty.wait_for("classification images");
        let pid = pty.child.process_id().unwrap().to_string();
        let sent = std::process::Command::new("kill")
            .args([&format!("-{signal}"), &pid])
            .status();
        assert!(sent.unwrap().success());
        assert_eq!(pty.exit_code(), code, "{signal}");
        pty.wait_restored();
    }
    assert_eq!(bench.store().engine("live").unwrap().pid, engine);
}

#[test]
fn ctrl_z_suspends_the_viewer_and_fg_brings_its_screen_back() {
    let bench = Bench::new();
    bench.run_in_background("live");
    let mut pty = Pty::start_program(
        bench.folder.path(),
        &["bash", "--norc", "--noprofile", "-i"],
        100,
        30,
    );
    let program = env!("CARGO_BIN_EXE_noisescope");
    pty.press(&format!("{program} attach live\n"));
    pty.wait_for("classification images");
    pty.press("\x1a");
    pty.wait_for("Stopped");
    pty.wait_restored();
    pty.press("fg\n");
    pty.wait_for("trials/s");
    assert!(pty.on_alternate_screen());
    pty.press("q");
    pty.wait_for("noisescope attach live");
    pty.wait_restored();
}

#[test]
fn a_finished_session_opens_and_leaves_at_once() {
    let bench = finished();
    for arguments in [["attach", "done"], ["run", "done"]] {
        let mut pty = Pty::start(bench.folder.path(), &arguments, 100, 30);
        pty.wait_for("done");
        pty.wait_for("finished");
        pty.press("q");
        assert_eq!(pty.exit_code(), 0);
        pty.wait_restored();
    }
}

#[test]
fn the_browser_makes_opens_and_deletes_sessions() {
    let bench = Bench::new();
    bench.succeed(&["new", "first"]);
    bench.succeed(&["new", "second"]);
    let mut pty = Pty::start(bench.folder.path(), &[], 100, 30);
    pty.wait_for("first");
    pty.wait_for("second");
    assert!(pty.on_alternate_screen());
    pty.press("/sec\r");
    pty.wait("only what was filtered for", |text| {
        text.contains("second") && !text.contains("first")
    });
    pty.press("d");
    // What is in it is told before it can go.
    pty.wait_for("nothing has been measured");
    pty.press("y");
    wait_until("the deletion", || !bench.store().exists("second"));
    pty.wait_for("second lies in");
    let trash = bench.path("sessions").join("trash");
    let kept: Vec<_> = std::fs::read_dir(trash).unwrap().collect();
    assert_eq!(kept.len(), 1, "{kept:?}");
    pty.press("\x1b");
    pty.wait_for("first");
    pty.press("\r");
    pty.wait_for("not started");
    pty.press("q");
    pty.wait_for("1 session");
    pty.press("q");
    assert_eq!(pty.exit_code(), 0);
    pty.wait_restored();
}
