//! Figures on a terminal: `show`, its protocols, and the dashboard's key for them.

use std::time::{Duration, Instant};

use crate::common::pty::Pty;
use crate::common::{self, Bench, both, finished};

/// Runs `show` on a new terminal, with additional environment variables.
fn show(bench: &Bench, environment: &[&str], more: &[&str]) -> Pty {
    let mut command = vec!["env"];
    command.extend(environment);
    command.extend([env!("CARGO_BIN_EXE_noisescope"), "show", "done"]);
    command.extend(more);
    Pty::start_program(bench.folder.path(), &command, 100, 40)
}

fn has(pty: &Pty, bytes: &str) -> bool {
    String::from_utf8_lossy(&pty.bytes()).contains(bytes)
}

#[test]
fn show_needs_a_terminal_and_otherwise_suggests_export() {
    let bench = finished();
    let error = bench.refuse(2, &["show", "done", "--map", "3"]);
    assert!(
        error.contains("noisescope export done --format png --figure ")
            && error.contains("map-3-gamma-0.4"),
        "{error}"
    );
    // What does not exist is said first.
    let error = bench.refuse(2, &["show", "done", "--filters", "conv9"]);
    assert!(!error.contains("not a terminal"), "{error}");
    for arguments in [
        &["show", "done"][..],
        &["show", "done", "--map", "3", "--attack"],
    ] {
        assert_eq!(
            bench.output(arguments).status.code(),
            Some(2),
            "{arguments:?}"
        );
    }
    // Only a map can be chosen by these options; nothing given is ignored.
    for figure in [&["--training"][..], &["--figure", "maps"]] {
        for option in [
            ["--gamma", "0.4"],
            ["--images", "1"],
            ["--response", "decision"],
        ] {
            let refused = bench.output(&[&["show", "done"][..], figure, &option].concat());
            assert_eq!(refused.status.code(), Some(2));
            let error = both(&refused);
            assert!(error.contains("cannot be used with"), "{error}");
        }
    }
    let mut pty = show(&bench, &[], &["--attack"]);
    assert_eq!(pty.exit_code(), 2);
    assert!(
        pty.text()
            .contains("this session has no attack yet; Attack in the plan makes it"),
        "{}",
        pty.text()
    );
}

#[test]
fn a_silent_terminal_soon_gets_half_blocks() {
    let bench = finished();
    let began = Instant::now();
    let mut pty = show(&bench, &[], &["--map", "3"]);
    assert_eq!(pty.exit_code(), 0);
    assert!(
        began.elapsed() < Duration::from_secs(10),
        "{:?}",
        began.elapsed()
    );
    assert!(has(&pty, "\x1b_Gi=31,"), "the terminal was not asked");
    assert!(!has(&pty, "a=T"));
    assert!(pty.text().matches('▄').count() > 500, "{}", pty.text());
}

#[test]
fn a_chart_too_coarse_in_half_blocks_is_refused() {
    let bench = finished();
    let mut pty = show(&bench, &[], &["--training", "--protocol", "block"]);
    assert_eq!(pty.exit_code(), 1);
    assert!(pty.text().contains("too coarse"), "{}", pty.text());
    assert!(pty.text().contains("--format png"), "{}", pty.text());
    // With enough pixels it is legible.
    let wide = ["--training", "--protocol", "block", "--width", "300"];
    let mut pty = show(&bench, &[], &wide);
    assert_eq!(pty.exit_code(), 0);
}

#[test]
fn only_half_blocks_go_through_tmux() {
    let bench = finished();
    let mut pty = show(
        &bench,
        &["TMUX=/tmp/none,1,0", "TERM=tmux-256color"],
        &["--map", "3"],
    );
    assert_eq!(pty.exit_code(), 0);
    assert!(
        !has(&pty, "\x1b_G") && !has(&pty, "\x1b[c"),
        "{}",
        pty.text()
    );
    assert!(pty.text().matches('▄').count() > 500, "{}", pty.text());
}

#[test]
fn without_colour_a_picture_is_drawn_in_characters() {
    let bench = finished();
    let mut pty = show(&bench, &["NO_COLOR=1"], &["--map", "3"]);
    assert_eq!(pty.exit_code(), 0);
    assert!(!has(&pty, "\x1b["), "{}", pty.text());
    assert!(pty.text().contains('▒'), "{}", pty.text());
}

#[test]
fn a_forced_protocol_is_used_without_asking_the_terminal() {
    let bench = finished();
    for (protocol, begins) in [
        ("kitty", "\x1b_Ga=T,f=100,q=2,c=60,"),
        ("iterm", "\x1b]1337;File=inline=1;"),
        ("sixel", "\x1bP0;1q\"1;1;600;"),
    ] {
        let mut pty = show(
            &bench,
            &[],
            &["--training", "--width", "60", "--protocol", protocol],
        );
        assert_eq!(pty.exit_code(), 0);
        assert!(has(&pty, begins) && !has(&pty, "a=q"), "{protocol}");
    }
}

#[test]
fn a_terminal_that_reports_kitty_graphics_gets_them() {
    let bench = finished();
    // Under load one answer may come too late, but not five.
    let shown = (0..5).any(|_| {
        let mut pty = show(&bench, &[], &["--map", "3"]);
        let began = Instant::now();
        while !has(&pty, "\x1b[c") && began.elapsed() < Duration::from_secs(30) {
            std::thread::sleep(Duration::from_millis(1));
        }
        pty.press("\x1b_Gi=31;OK\x1b\\\x1b[?62;4c");
        assert_eq!(pty.exit_code(), 0);
        has(&pty, "\x1b_Ga=T,f=100")
    });
    assert!(shown);
}

#[test]
fn a_key_shows_the_views_figure_and_enter_returns_to_the_view() {
    let bench = finished();
    let mut pty = Pty::start(bench.folder.path(), &["attach", "done"], 100, 30);
    pty.wait_for("finished");
    pty.press("3");
    pty.wait_for("3 Maps");
    pty.wait("the maps", |text| text.matches('▀').count() > 200);
    // The text of earlier pictures is still on the main screen, so occurrences are counted.
    let wait_for_picture = |pty: &Pty, times: usize| {
        common::wait_until("the picture", || {
            let bytes = pty.bytes();
            String::from_utf8_lossy(&bytes)
                .matches("Enter: back")
                .count()
                == times
        });
    };
    for times in 1..3 {
        pty.press("i");
        wait_for_picture(&pty, times);
        assert!(!pty.on_alternate_screen() && !pty.cursor_hidden());
        assert!(pty.text().matches('▄').count() > 200, "{}", pty.text());
        pty.press("\r");
        pty.wait("the maps again", |text| text.matches('▀').count() > 200);
        assert!(pty.on_alternate_screen());
        assert!(pty.text().contains("3 Maps"), "{}", pty.text());
    }
    pty.press("i");
    wait_for_picture(&pty, 3);
    let pid = pty.child.process_id().unwrap().to_string();
    let sent = std::process::Command::new("kill")
        .args(["-TERM", &pid])
        .status();
    assert!(sent.unwrap().success());
    assert_eq!(pty.exit_code(), 143);
    pty.wait_restored();
}

#[test]
fn ctrl_z_suspends_a_picture_and_fg_brings_the_view_back() {
    let bench = finished();
    let shell = ["bash", "--norc", "--noprofile", "-i"];
    let mut pty = Pty::start_program(bench.folder.path(), &shell, 100, 30);
    let program = env!("CARGO_BIN_EXE_noisescope");
    pty.press(&format!("{program} attach done --view maps\n"));
    pty.wait("the maps", |text| text.matches('▀').count() > 200);
    pty.press("i");
    pty.wait_for("Enter: back");
    pty.press("\x1a");
    pty.wait_for("Stopped");
    pty.press("fg\n");
    pty.wait("the maps again", |text| text.matches('▀').count() > 200);
    assert!(pty.on_alternate_screen());
    pty.press("q");
    pty.wait_restored();
}
