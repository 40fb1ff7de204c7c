//! The program in a real pseudo-terminal, driven by keys and signals.

mod common;

use common::pty::Pty;
use common::{Bench, endless, finished, wait_until};
use noisescope::session::SavedState;

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

/// Base64 of what the last OSC 52 put on the clipboard, decoded.
fn clipboard(bytes: &[u8]) -> Option<String> {
    use base64::Engine as _;
    let text = String::from_utf8_lossy(bytes);
    let begin = text.rfind("\x1b]52;c;")? + 7;
    let end = text[begin..].find('\x07')? + begin;
    let own = base64::engine::general_purpose::STANDARD.decode(&text[begin..end]);
    own.ok().and_then(|own| String::from_utf8(own).ok())
}

#[test]
fn a_caption_reaches_the_clipboard_and_a_figure_the_folder() {
    let bench = finished();
    let mut pty = Pty::start(bench.folder.path(), &["attach", "done"], 100, 30);
    pty.wait_for("finished");
    pty.press("3\r");
    pty.wait_for("called it");
    pty.press("yc");
    pty.wait_for("copied: Evidence image of class 0");
    let text = clipboard(&pty.bytes()).expect("an OSC 52");
    assert!(
        text.contains("|z| > ") && text.contains("Session done"),
        "{text}"
    );
    pty.press("yl");
    wait_until("the command line", || {
        clipboard(&pty.bytes()).is_some_and(|text| text.contains("--view maps"))
    });
    let command = clipboard(&pty.bytes()).unwrap();
    assert_eq!(
        command.split(" attach ").nth(1),
        Some("done --view maps --class 0 --closer"),
        "{command}"
    );
    pty.press("e");
    pty.wait_for("wrote done-evidence-map-0-gamma-0.4.png in");
    let png = std::fs::read(bench.path("done-evidence-map-0-gamma-0.4.png")).unwrap();
    assert!(png.starts_with(b"\x89PNG"));
    // Right after, the next class is written too.
    pty.press(".");
    wait_until("the next figure", || {
        bench.path("done-evidence-map-1-gamma-0.4.png").exists()
    });
    pty.press("q");
    assert_eq!(pty.exit_code(), 0);
    // The copied words, given to the program, come back to the same place.
    let words = [
        "attach", "done", "--view", "maps", "--class", "1", "--closer",
    ];
    let mut again = Pty::start(bench.folder.path(), &words, 100, 30);
    again.wait_for("called it");
    again.wait_for("class 1");
    again.press("q");
    assert_eq!(again.exit_code(), 0);
}

#[test]
fn through_tmux_the_text_goes_to_tmux_too() {
    let bench = finished();
    // A stand-in that keeps what it is given: whichever tmux is installed, it is not asked.
    let bin = bench.path("bin");
    std::fs::create_dir(&bin).unwrap();
    let script = format!(
        "#!/bin/sh\necho \"$@\" > {0}/words\ncat > {0}/text\n",
        bin.display()
    );
    let program = bin.join("tmux");
    std::fs::write(&program, script).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&program, mode).unwrap();
    let path = format!("PATH={}:{}", bin.display(), std::env::var("PATH").unwrap());
    let words = [
        "env",
        "TMUX=/tmp/tmux-0/default,1,0",
        &path,
        env!("CARGO_BIN_EXE_noisescope"),
        "attach",
        "done",
    ];
    let mut pty = Pty::start_program(bench.folder.path(), &words, 100, 30);
    pty.wait_for("finished");
    pty.press("yl");
    wait_until("tmux to be told", || {
        std::fs::read_to_string(bin.join("text")).is_ok_and(|text| text.contains("attach done"))
    });
    let words = std::fs::read_to_string(bin.join("words")).unwrap();
    assert_eq!(words.trim(), "load-buffer -w -");
    wait_until("it to be passed through as well", || {
        String::from_utf8_lossy(&pty.bytes()).contains("\x1bPtmux;\x1b\x1b]52;c;")
    });
    pty.press("q");
    assert_eq!(pty.exit_code(), 0);
}

/// The grey of zero on this background, as a terminal is told it.
fn zero(background: noisescope::tui::theme::Background) -> String {
    use noisescope::tui::theme::{Depth, MapPalette};
    let palette = MapPalette::new(Depth::True, background);
    match palette.diverging(0.0) {
        ratatui::style::Color::Rgb(r, g, b) => format!("2;{r};{g};{b}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_terminal_that_says_it_is_light_is_drawn_on_as_a_light_one() {
    use noisescope::tui::theme::Background;
    let bench = finished();
    let words = ["attach", "done", "--view", "maps"];
    let (dark, light) = (zero(Background::Dark), zero(Background::Light));
    let has = |pty: &Pty, colour: &str| String::from_utf8_lossy(&pty.bytes()).contains(colour);
    let mut pty = Pty::start(bench.folder.path(), &words, 100, 30);
    pty.wait_for("finished");
    assert!(has(&pty, "\x1b]11;?\x1b\\"), "it is asked");
    wait_until("maps on dark", || has(&pty, &dark));
    assert!(!has(&pty, &light));
    pty.press("\x1b]11;rgb:fdfd/f6f6/e3e3\x1b\\");
    wait_until("maps on light", || has(&pty, &light));
    // The answer was no key.
    assert!(pty.text().contains("finished"), "{}", pty.text());
    pty.press("q");
    assert_eq!(pty.exit_code(), 0);

    // Where a person has said it, nobody is asked.
    for flag in ["--light", "--dark"] {
        let words = ["attach", "done", "--view", "maps", flag];
        let mut pty = Pty::start(bench.folder.path(), &words, 100, 30);
        let own = if flag == "--light" { &light } else { &dark };
        wait_until("maps", || has(&pty, own));
        assert!(!has(&pty, "\x1b]11;?"), "{flag}");
        pty.press("q");
        assert_eq!(pty.exit_code(), 0);
    }
}

#[test]
fn preferences_change_keys_and_colours_and_flags_go_first() {
    let bench = finished();
    let file = bench.path("config.ron");
    std::fs::write(
        &file,
        "(color: None, ascii: true, keys: {\"leave\": [\"Q\"], \"next-view\": [\"N\"]})",
    )
    .unwrap();
    let file = file.to_str().unwrap();
    let words = ["attach", "done", "--config", file];
    let mut pty = Pty::start(bench.folder.path(), &words, 100, 30);
    pty.wait_for("Q leave");
    pty.press("NN");
    pty.wait("the maps in ASCII", |text| {
        text.contains("evidence image") && text.is_ascii()
    });
    assert!(!String::from_utf8_lossy(&pty.bytes()).contains("38;2;"));
    // The key that ships does nothing any more.
    pty.press("q");
    pty.press("Q");
    assert_eq!(pty.exit_code(), 0);
    let words = ["attach", "done", "--config", file, "--color", "truecolor"];
    let mut pty = Pty::start(bench.folder.path(), &words, 100, 30);
    pty.wait_for("Q leave");
    assert!(String::from_utf8_lossy(&pty.bytes()).contains("38;2;"));
    pty.press("Q");
    assert_eq!(pty.exit_code(), 0);
}

#[test]
fn preferences_that_will_not_do_are_refused_with_the_place() {
    let bench = finished();
    let printed = bench.succeed(&["config"]);
    std::fs::write(bench.path("whole.ron"), &printed).unwrap();
    let said = bench.succeed(&["config", "--check", "--config", "whole.ron"]);
    assert!(said.contains("valid"), "{said}");
    std::fs::write(bench.path("bad.ron"), "(\n  keys: {\"pause\": [\"S\"]},\n)").unwrap();
    let said = bench.refuse(2, &["config", "--check", "--config", "bad.ron"]);
    assert!(
        said.contains("bad.ron: keys.pause and keys.ask-stop: `S` would mean both in every view"),
        "{said}"
    );
    std::fs::write(bench.path("bad.ron"), "(\n  colour: None,\n)").unwrap();
    let said = bench.refuse(2, &["config", "--check", "--config", "bad.ron"]);
    assert!(said.contains("bad.ron: line 2"), "{said}");
    let said = bench.refuse(2, &["config", "--check", "--config", "none.ron"]);
    assert!(said.contains("none.ron: no such file"), "{said}");
}

#[test]
fn a_note_left_on_a_finished_session_is_in_its_file() {
    let bench = finished();
    let mut pty = Pty::start(bench.folder.path(), &["attach", "done"], 100, 30);
    pty.wait_for("finished");
    // Written and left at once: it must not be lost.
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
    let plan = endless(&bench);
    let mut words = vec!["run", "live", "--detach"];
    words.extend(plan.iter().map(String::as_str));
    bench.succeed(&words);
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
fn a_note_told_to_a_running_engine_is_in_the_file_though_one_leaves_at_once() {
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
fn a_number_of_trials_is_asked_for_from_the_list() {
    let bench = finished();
    let mut pty = Pty::start(bench.folder.path(), &[], 100, 30);
    pty.wait_for("finished");
    pty.press("+");
    pty.wait_for("trials in all");
    pty.press("\x1b");
    pty.wait("the views alone", |text| !text.contains("trials in all"));
    pty.press("q");
    pty.wait_for("1 session");
    pty.press("q");
    assert_eq!(pty.exit_code(), 0);
}

#[test]
fn preferences_are_written_once_and_pasted_text_is_no_command() {
    let bench = finished();
    let file = "folder/of/mine/config.ron";
    bench.succeed(&["config", "--write", "--config", file]);
    let said = bench.succeed(&["config", "--check", "--config", file]);
    assert!(said.contains("valid"), "{said}");
    let said = bench.refuse(2, &["config", "--write", "--config", file]);
    assert!(said.contains("the file exists"), "{said}");
    let words = ["attach", "done", "--view", "maps", "--config", file];
    let mut pty = Pty::start(bench.folder.path(), &words, 100, 30);
    pty.wait_for("finished");
    // A pasted q does not leave; pasted into a note it is text.
    pty.press("\x1b[200~q\x1b[201~");
    pty.press("a");
    pty.wait_for("kept in the session");
    pty.press("\x1b[200~quick brown\x1b[201~");
    pty.wait_for("note quick brown");
    pty.press("\x1b");
    pty.wait("the views alone", |text| {
        !text.contains("kept in the session")
    });
    pty.press("q");
    assert_eq!(pty.exit_code(), 0);
    assert!(bench.load("done").record.notes.is_empty());
}

#[test]
fn watching_a_divided_session_takes_no_time_of_the_processor() {
    let bench = Bench::new();
    let plan = endless(&bench);
    let mut words = vec!["new", "wide"];
    words.extend(plan.iter().map(String::as_str));
    bench.succeed(&words);
    let mut session = bench.load("wide");
    session.divide(4, "0.1.0").expect("it can be divided");
    bench.store().save(&session).expect("nobody runs it");
    let mut pty = Pty::start(bench.folder.path(), &["attach", "wide"], 100, 30);
    pty.wait_for("4 shards");
    let pid = pty.child.process_id().expect("it lives");
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
