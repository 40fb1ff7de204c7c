//! The program in a real pseudo-terminal, driven by keys and signals.

mod common;

#[path = "terminal/clipboard.rs"]
mod clipboard;
#[path = "terminal/preferences.rs"]
mod preferences;

use common::pty::Pty;
use common::{Bench, endless, finished, wait_until, with_plan};
use noisescope::session::SavedState;

/// Starts an endless run with its dashboard.
fn run_with_dashboard(bench: &Bench, columns: u16, rows: u16) -> Pty {
    let plan = endless(bench);
    let arguments = with_plan(&["run", "live"], &plan);
    Pty::start(bench.folder.path(), &arguments, columns, rows)
}

#[test]
fn after_start_navigate_resize_and_stop_the_terminal_is_restored() {
    let bench = Bench::new();
    let mut pty = run_with_dashboard(&bench, 120, 40);
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
    pty.wait_for("called it");
    pty.press("?");
    pty.wait_for("pause or resume the run");
    pty.press("?");
    pty.wait_for("called it");

    pty.resize(80, 24);
    pty.wait("the smaller screen", |text| {
        text.lines().all(|line| line.chars().count() <= 80) && text.contains("live")
    });
    pty.resize(50, 12);
    pty.wait_for("50×12 is too small a screen");
    pty.resize(120, 40);
    pty.wait_for("called it");
    pty.press("1");
    pty.wait_for("trials/s");

    pty.press("S");
    pty.wait_for("checkpoint");
    pty.press("s");
    assert_eq!(pty.exit_code(), 0);
    pty.wait_restored();
    assert!(pty.text().contains("noisescope run live"), "{}", pty.text());
    let session = bench.load("live");
    assert_eq!(session.record.state, SavedState::Stopped);
    assert!(session.trials().0 > 0);
}

#[test]
fn leaving_keeps_the_run_going_and_says_how_to_return() {
    let bench = Bench::new();
    let mut pty = run_with_dashboard(&bench, 100, 30);
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
fn a_paused_run_makes_no_progress_until_it_continues() {
    let bench = Bench::new();
    let mut pty = run_with_dashboard(&bench, 120, 40);
    pty.wait_for("trials/s");
    pty.press("p");
    pty.wait_for("paused");
    std::thread::sleep(std::time::Duration::from_secs(1));
    let done = bench.load("live").trials().0;
    std::thread::sleep(std::time::Duration::from_secs(1));
    assert_eq!(
        bench.load("live").trials().0,
        done,
        "it continued during the pause"
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
fn a_finished_session_opens_and_closes_at_once() {
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
fn a_long_file_is_announced_while_it_is_read_and_the_line_is_erased() {
    let bench = finished();
    let path = bench.store().path("done");
    let session = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, "\n".repeat(2 << 20) + &session).unwrap();
    for arguments in [
        &["attach", "done"][..],
        &["attach", "done", "--plain"],
        &["ls"],
    ] {
        let mut pty = Pty::start(bench.folder.path(), arguments, 100, 30);
        pty.wait_for("finished");
        let written = String::from_utf8_lossy(&pty.bytes()).into_owned();
        assert!(written.contains("reading the session"), "{arguments:?}");
        if arguments.len() == 2 {
            pty.press("q");
        }
        assert_eq!(pty.exit_code(), 0);
        pty.wait_restored();
        assert!(!pty.text().contains("reading"), "{}", pty.text());
    }
}

#[test]
fn the_browser_filters_opens_and_deletes_sessions() {
    let bench = Bench::new();
    bench.succeed(&["new", "first"]);
    bench.succeed(&["new", "second"]);
    let mut pty = Pty::start(bench.folder.path(), &[], 100, 30);
    pty.wait_for("first");
    pty.wait_for("second");
    assert!(pty.on_alternate_screen());
    pty.press("/sec\r");
    pty.wait("only the matching session", |text| {
        text.contains("second") && !text.contains("first")
    });
    pty.press("d");
    // The session's results are stated before it is deleted.
    pty.wait_for("nothing has been measured");
    pty.press("y");
    wait_until("the deletion", || !bench.store().exists("second"));
    pty.wait_for("second is now in");
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

#[test]
fn a_note_left_on_a_finished_session_is_in_its_file() {
    let bench = finished();
    let mut pty = Pty::start(bench.folder.path(), &["attach", "done"], 100, 30);
    pty.wait_for("finished");
    // Leaving right after writing it must not lose it.
    pty.press("3\rafour strokes\rq");
    assert_eq!(pty.exit_code(), 0);
    let session = bench.load("done");
    let texts: Vec<&str> = session
        .record
        .notes
        .iter()
        .map(|note| &note.text[..])
        .collect();
    assert_eq!(texts, ["four strokes"]);
    assert_eq!(session.record.state, SavedState::Finished);
}

#[test]
fn runs_are_paused_and_stopped_from_the_list() {
    let bench = Bench::new();
    bench.succeed(&with_plan(&["run", "live", "--detach"], &endless(&bench)));
    bench.wait_for_trials("live", 0);
    let mut pty = Pty::start(bench.folder.path(), &[], 100, 30);
    pty.wait_for("running");
    pty.press("p");
    pty.wait_for("live pauses after this block");
    pty.wait_for("paused");
    pty.press("p");
    pty.wait_for("live continues");
    pty.press("S");
    pty.wait_for("Stop live?");
    pty.press("s");
    wait_until("the stop", || {
        bench.load("live").record.state == SavedState::Stopped
    });
    pty.wait_for("stopped");
    pty.press("q");
    assert_eq!(pty.exit_code(), 0);
}

#[test]
fn a_note_sent_just_before_leaving_is_saved_by_the_engine() {
    let bench = Bench::new();
    bench.run_in_background("live");
    let mut pty = Pty::start(bench.folder.path(), &["attach", "live"], 100, 30);
    pty.wait_for("trials/s");
    pty.press("awhile it runs\rq");
    assert_eq!(pty.exit_code(), 0);
    wait_until("the note in the file", || {
        let notes = bench.load("live").record.notes;
        notes.iter().any(|note| note.text == "while it runs")
    });
    bench.succeed(&["stop", "live"]);
    let notes = bench.load("live").record.notes;
    assert_eq!(notes.len(), 1, "{notes:?}");
}

#[test]
fn the_list_prompts_for_a_number_of_trials() {
    let bench = finished();
    let mut pty = Pty::start(bench.folder.path(), &[], 100, 30);
    pty.wait_for("finished");
    pty.press("+");
    pty.wait_for("total trials");
    pty.press("\x1b");
    pty.wait("the views alone", |text| !text.contains("total trials"));
    pty.press("q");
    pty.wait_for("1 session");
    pty.press("q");
    assert_eq!(pty.exit_code(), 0);
}

#[test]
fn watching_a_divided_session_uses_little_cpu_time() {
    let bench = Bench::new();
    bench.succeed(&with_plan(&["new", "wide"], &endless(&bench)));
    let mut session = bench.load("wide");
    session.divide(4, "0.1.0").expect("it can be divided");
    bench.store().save(&session).expect("no engine runs it");
    let mut pty = Pty::start(bench.folder.path(), &["attach", "wide"], 100, 30);
    pty.wait_for("4 shards");
    let pid = pty.child.process_id().expect("it is running");
    // Ticks of a hundredth of a second, in user and in system mode.
    let ticks = || -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        let after = stat.rsplit(')').next().unwrap().to_owned();
        let fields: Vec<&str> = after.split_whitespace().collect();
        fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
    };
    let before = ticks();
    std::thread::sleep(std::time::Duration::from_secs(3));
    let spent = ticks() - before;
    assert!(spent < 100, "{spent} hundredths of a second in three");
    pty.press("q");
    assert_eq!(pty.exit_code(), 0);
}
