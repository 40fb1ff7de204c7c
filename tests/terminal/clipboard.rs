//! Copying from the dashboard to the clipboard, and exporting its figures.

use crate::common::pty::Pty;
use crate::common::{Bench, finished, set_options, wait_until, with_plan};

/// The decoded text that the last OSC 52 sequence put on the clipboard.
fn clipboard(bytes: &[u8]) -> Option<String> {
    use base64::Engine as _;
    let text = String::from_utf8_lossy(bytes);
    let begin = text.rfind("\x1b]52;c;")? + 7;
    let end = text[begin..].find('\x07')? + begin;
    let decoded = base64::engine::general_purpose::STANDARD.decode(&text[begin..end]);
    String::from_utf8(decoded.ok()?).ok()
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
    // The next class is written right after it.
    pty.press(".");
    wait_until("the next figure", || {
        bench.path("done-evidence-map-1-gamma-0.4.png").exists()
    });
    pty.press("q");
    assert_eq!(pty.exit_code(), 0);
    // The copied command leads back to the same view.
    let arguments = [
        "attach", "done", "--view", "maps", "--class", "1", "--closer",
    ];
    let mut again = Pty::start(bench.folder.path(), &arguments, 100, 30);
    again.wait_for("called it");
    again.wait_for("class 1");
    again.press("q");
    assert_eq!(again.exit_code(), 0);
}

#[test]
fn a_copied_command_line_waits_for_a_run_that_has_not_come_so_far() {
    let bench = Bench::new();
    let plan = set_options([
        bench.bars(200, 50, 28),
        "network=(kind: Logistic, weights: Train((epochs: 1)))".into(),
        "analyses=[SpikeTriggered((trials: 1000000000, images: 0, gradient_units: 0))]".into(),
        "checkpoint_s=3600".into(),
    ]);
    bench.succeed(&with_plan(&["new", "early"], &plan));
    let place = [
        "attach", "early", "--view", "filters", "--layer", "logits", "--unit", "3", "--closer",
    ];
    let mut pty = Pty::start(bench.folder.path(), &place, 100, 30);
    pty.wait_for("no filters of `logits` yet; goes there as soon as it can");
    bench.succeed(&["run", "early", "--detach"]);
    pty.wait_for("unit 3 of 10, logits");
    pty.press("q");
    assert_eq!(pty.exit_code(), 0);
}

#[test]
fn under_tmux_copied_text_goes_to_tmux_too() {
    let bench = finished();
    // A stand-in for tmux that records its arguments and input, so that no installed tmux is used.
    let bin = bench.path("bin");
    std::fs::create_dir(&bin).unwrap();
    let script = format!(
        "#!/bin/sh\necho \"$@\" > {0}/arguments\ncat > {0}/text\n",
        bin.display()
    );
    let program = bin.join("tmux");
    std::fs::write(&program, script).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&program, mode).unwrap();
    let path = format!("PATH={}:{}", bin.display(), std::env::var("PATH").unwrap());
    let command = [
        "env",
        "TMUX=/tmp/tmux-0/default,1,0",
        &path,
        env!("CARGO_BIN_EXE_noisescope"),
        "attach",
        "done",
    ];
    let mut pty = Pty::start_program(bench.folder.path(), &command, 100, 30);
    pty.wait_for("finished");
    pty.press("yl");
    wait_until("the text to reach tmux", || {
        std::fs::read_to_string(bin.join("text")).is_ok_and(|text| text.contains("attach done"))
    });
    let arguments = std::fs::read_to_string(bin.join("arguments")).unwrap();
    assert_eq!(arguments.trim(), "load-buffer -w -");
    wait_until("the text to be passed through tmux", || {
        String::from_utf8_lossy(&pty.bytes()).contains("\x1bPtmux;\x1b\x1b]52;c;")
    });
    pty.press("q");
    assert_eq!(pty.exit_code(), 0);
}
