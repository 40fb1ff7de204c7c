//! The user's preferences and the terminal's background.

use crate::common::pty::Pty;
use crate::common::{finished, wait_until};

/// The colour code of zero in maps on this background.
fn zero_colour(background: noisescope::tui::theme::Background) -> String {
    use noisescope::tui::theme::{Depth, MapPalette};
    let palette = MapPalette::new(Depth::True, background);
    match palette.diverging(0.0) {
        ratatui::style::Color::Rgb(r, g, b) => format!("2;{r};{g};{b}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_terminal_that_reports_a_light_background_gets_light_colours() {
    use noisescope::tui::theme::Background;
    let bench = finished();
    let arguments = ["attach", "done", "--view", "maps"];
    let (dark, light) = (
        zero_colour(Background::Dark),
        zero_colour(Background::Light),
    );
    let has = |pty: &Pty, colour: &str| String::from_utf8_lossy(&pty.bytes()).contains(colour);
    let mut pty = Pty::start(bench.folder.path(), &arguments, 100, 30);
    pty.wait_for("finished");
    assert!(
        has(&pty, "\x1b]11;?\x1b\\"),
        "the terminal is asked for its background"
    );
    wait_until("maps on dark", || has(&pty, &dark));
    assert!(!has(&pty, &light));
    pty.press("\x1b]11;rgb:fdfd/f6f6/e3e3\x1b\\");
    wait_until("maps on light", || has(&pty, &light));
    // The answer was not taken for keys.
    assert!(pty.text().contains("finished"), "{}", pty.text());
    pty.press("q");
    assert_eq!(pty.exit_code(), 0);

    // With an option, the terminal is not asked.
    for flag in ["--light", "--dark"] {
        let arguments = ["attach", "done", "--view", "maps", flag];
        let mut pty = Pty::start(bench.folder.path(), &arguments, 100, 30);
        let expected = if flag == "--light" { &light } else { &dark };
        wait_until("maps", || has(&pty, expected));
        assert!(!has(&pty, "\x1b]11;?"), "{flag}");
        pty.press("q");
        assert_eq!(pty.exit_code(), 0);
    }
}

#[test]
fn preferences_change_keys_and_colours_and_flags_take_precedence() {
    let bench = finished();
    let file = bench.path("config.ron");
    std::fs::write(
        &file,
        "(color: None, ascii: true, keys: {\"leave\": [\"Q\"], \"next-view\": [\"V\"]})",
    )
    .unwrap();
    let file = file.to_str().unwrap();
    let arguments = ["attach", "done", "--config", file];
    let mut pty = Pty::start(bench.folder.path(), &arguments, 100, 30);
    pty.wait_for("Q leave");
    pty.press("VV");
    pty.wait("the maps in ASCII", |text| {
        text.contains("evidence image") && text.is_ascii()
    });
    assert!(!String::from_utf8_lossy(&pty.bytes()).contains("38;2;"));
    // The default key has no effect any more.
    pty.press("q");
    pty.press("Q");
    assert_eq!(pty.exit_code(), 0);
    let arguments = ["attach", "done", "--config", file, "--color", "truecolor"];
    let mut pty = Pty::start(bench.folder.path(), &arguments, 100, 30);
    pty.wait_for("Q leave");
    assert!(String::from_utf8_lossy(&pty.bytes()).contains("38;2;"));
    pty.press("Q");
    assert_eq!(pty.exit_code(), 0);
}

#[test]
fn invalid_preferences_are_refused_with_their_place() {
    let bench = finished();
    let printed = bench.succeed(&["config"]);
    std::fs::write(bench.path("whole.ron"), &printed).unwrap();
    let printed = bench.succeed(&["config", "--check", "--config", "whole.ron"]);
    assert!(printed.contains("valid"), "{printed}");
    std::fs::write(bench.path("bad.ron"), "(\n  keys: {\"pause\": [\"S\"]},\n)").unwrap();
    let error = bench.refuse(2, &["config", "--check", "--config", "bad.ron"]);
    assert!(
        error.contains("bad.ron: keys.pause and keys.ask-stop: `S` would mean both in every view"),
        "{error}"
    );
    std::fs::write(bench.path("bad.ron"), "(\n  colour: None,\n)").unwrap();
    let error = bench.refuse(2, &["config", "--check", "--config", "bad.ron"]);
    assert!(error.contains("bad.ron: line 2"), "{error}");
    let error = bench.refuse(2, &["config", "--check", "--config", "none.ron"]);
    assert!(error.contains("none.ron: no such file"), "{error}");
}

#[test]
fn preferences_are_written_only_once_and_pasted_text_is_no_command() {
    let bench = finished();
    let file = "folder/of/mine/config.ron";
    bench.succeed(&["config", "--write", "--config", file]);
    let printed = bench.succeed(&["config", "--check", "--config", file]);
    assert!(printed.contains("valid"), "{printed}");
    let error = bench.refuse(2, &["config", "--write", "--config", file]);
    assert!(error.contains("the file exists"), "{error}");
    let arguments = ["attach", "done", "--view", "maps", "--config", file];
    let mut pty = Pty::start(bench.folder.path(), &arguments, 100, 30);
    pty.wait_for("finished");
    // A pasted q does not leave; text pasted into a note is entered there.
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

/// A plan cannot change once its session exists, and no extension is made twice: the corrected command would be refused.
#[test]
fn invalid_preferences_are_reported_before_a_session_is_created_or_extended() {
    let bench = finished();
    let file = bench.path("config.ron");
    std::fs::write(&file, "(none: 1)").unwrap();
    let file = file.to_str().unwrap();
    let arguments = ["run", "mine", "--set", "seed=5", "--config", file];
    let mut pty = Pty::start(bench.folder.path(), &arguments, 100, 30);
    assert_eq!(pty.exit_code(), 2);
    assert!(!bench.store().exists("mine"));
    let arguments = ["extend", "done", "--trials", "6000", "--config", file];
    let mut pty = Pty::start(bench.folder.path(), &arguments, 100, 30);
    assert_eq!(pty.exit_code(), 2);
    assert!(!bench.load("done").config.is_extended());
    // What shows nothing needs none.
    let plan_only = [&arguments[..], &["--no-run"]].concat();
    let mut pty = Pty::start(bench.folder.path(), &plan_only, 100, 30);
    assert_eq!(pty.exit_code(), 0);
    assert!(bench.load("done").config.is_extended());
}
