//! Completions and the manual.

use std::fs;

use crate::common::Bench;

#[test]
fn completions_offer_every_command_except_hidden_ones() {
    let bench = Bench::new();
    // What is around a command that is offered.
    for (shell, [before, after]) in [
        ("bash", [" ", " "]),
        ("zsh", ["'", ":"]),
        ("fish", ["-a \"", "\""]),
        ("elvish", ["cand ", " '"]),
        ("powershell", ["new('", "'"]),
    ] {
        let text = bench.succeed(&["completions", shell]);
        let offers = |command: &str| text.contains(&format!("{before}{command}{after}"));
        assert!(offers("export") && offers("report"), "{shell}: {text}");
        assert!(!offers("engine"), "{shell} offers a hidden command");
    }
}

#[test]
fn a_page_of_the_manual_replaces_an_earlier_one_as_a_whole() {
    let bench = Bench::new();
    bench.succeed(&["man", "--out", "man1"]);
    let page = bench.path("man1/noisescope.1");
    // What a reader has open stays what it was.
    let opened = page.with_file_name("opened");
    fs::write(&page, "an earlier page").unwrap();
    fs::hard_link(&page, &opened).unwrap();
    bench.succeed(&["man", "--out", "man1"]);
    assert_eq!(fs::read_to_string(&opened).unwrap(), "an earlier page");
    let text = fs::read_to_string(&page).unwrap();
    assert!(text.contains(".TH noisescope 1"), "{text}");
}
