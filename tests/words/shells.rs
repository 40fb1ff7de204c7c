//! Completions and the manual.

use std::fs;
use std::path::Path;

use crate::common::{Bench, both, small_set};

#[test]
fn completions_offer_every_command_except_hidden_ones() {
    let bench = Bench::new();
    // What is around a command that is offered.
    for (shell, [before, after]) in [("elvish", ["cand ", " '"]), ("powershell", ["new('", "'"])] {
        let text = bench.succeed(&["completions", shell]);
        let offers = |command: &str| text.contains(&format!("{before}{command}{after}"));
        assert!(offers("export") && offers("report"), "{shell}: {text}");
        assert!(!offers("engine"), "{shell} offers a hidden command");
    }
    // The other shells ask the program.
    for shell in ["bash", "zsh", "fish"] {
        let text = bench.succeed(&["completions", shell]);
        assert!(text.contains(" complete -- "), "{shell}: {text}");
    }
    let text = bench.succeed(&["complete", "--", "noisescope", ""]);
    let offers = |command: &str| text.contains(&format!("{command}\t"));
    assert!(offers("export") && offers("report"), "{text}");
    assert!(!offers("engine") && !offers("complete"), "{text}");
}

/// What bash offers at the end of these words, as it splits them.
fn in_bash(bench: &Bench, words: &[&str]) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_noisescope"));
    let script = r#"
        source <("$1" completions bash)
        program=$1 at=$2
        shift 2
        COMP_WORDS=("$program" "$@") COMP_CWORD=$#
        _noisescope "$program" "$at" "${COMP_WORDS[COMP_CWORD - 1]}"
        printf '%s\n' "${COMPREPLY[@]}"
    "#;
    let last = words.last().unwrap();
    let at = if matches!(*last, "=" | ":") {
        ""
    } else {
        *last
    };
    let output = bench
        .program_of("bash")
        .args(["-c", script, "bash"])
        .arg(program)
        .arg(at)
        .args(words)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", both(&output));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn bash_completes_names_of_sessions_classes_and_values_with_separators() {
    let bench = Bench::new();
    bench.succeed(&["new", "mine", "--preset", "fashion-paper"]);
    bench.succeed(&["new", "other"]);
    assert_eq!(in_bash(&bench, &["attach", "m"]), "mine\n");
    assert_eq!(in_bash(&bench, &["attach", ""]), "mine\nother\n");
    // Quoted if the user has not begun to.
    let words = ["show", "mine", "--map", "Ankle"];
    assert_eq!(in_bash(&bench, &words), "Ankle\\ boot\n");
    // Bash takes an equals sign and a colon for words.
    let words = ["run", "other", "--network", "=", "lo"];
    assert_eq!(in_bash(&bench, &words), "logistic\n");
    let words = ["run", "other", "--device", "cuda", ":"];
    assert_eq!(in_bash(&bench, &words), "0\n");
    // A name that ends at the cursor keeps its folder.
    small_set(&bench.path("my folder"), 20, 10, 28);
    assert_eq!(in_bash(&bench, &["--sessions", "my"]), "my folder\n");
}

#[test]
fn paths_alone_are_left_to_bash_which_knows_how_they_were_quoted() {
    let bench = Bench::new();
    fs::write(bench.path("net.onnx"), "").unwrap();
    let script = r#"
        source <("$1" completions bash)
        compopt() { echo "$@"; }
        COMP_WORDS=("$1" inspect '"$HOME/n') COMP_CWORD=2
        _noisescope "$1" '$HOME/n' inspect
        echo "${#COMPREPLY[@]}"
    "#;
    let mut bash = bench.program_of("bash");
    bash.args(["-c", script, "bash"])
        .env("HOME", bench.path(""));
    let output = bash.arg(env!("CARGO_BIN_EXE_noisescope")).output().unwrap();
    assert_eq!(both(&output), "-o default\n0\n");
}

#[test]
fn zsh_offers_sessions_with_their_state_and_paths_where_they_may_be() {
    let bench = Bench::new();
    bench.succeed(&["new", "mine", "--preset", "quickstart"]);
    // The functions that only exist while zsh completes.
    let script = r#"
        compdef() { }
        compset() { }
        _describe() { print -l -- "${(@P)3}" }
        _files() { print -- files "$@" }
        eval "$($1 completions zsh)"
        words=("$@") CURRENT=$# PREFIX=${@[-1]}
        _noisescope
    "#;
    let offered = |words: &[&str]| {
        let mut zsh = bench.program_of("zsh");
        zsh.args(["-f", "-c", script, "zsh"]);
        zsh.arg(env!("CARGO_BIN_EXE_noisescope")).args(words);
        let output = zsh.output().ok()?;
        String::from_utf8(output.stdout).ok()
    };
    let Some(sessions) = offered(&["attach", ""]) else {
        eprintln!("NOT RUN: zsh is not installed");
        return;
    };
    assert_eq!(sessions, "mine:new: MNIST cnn\n");
    let presets = offered(&["run", ""]).unwrap();
    assert!(
        presets.contains("\naudit:preset: MNIST cnn, 1 experiment\n"),
        "{presets}"
    );
    let networks = offered(&["run", "mine", "--network", ""]).unwrap();
    assert!(
        networks.starts_with("cnn\nmlp\n") && networks.ends_with("files\n"),
        "{networks}"
    );
    assert_eq!(offered(&["--sessions", ""]).unwrap(), "files -/\n");
}

#[test]
fn fish_completes_paths_with_spaces_quotes_and_variables() {
    let bench = Bench::new();
    fs::create_dir(bench.path("my folder")).unwrap();
    fs::write(bench.path("my folder/it's.onnx"), "").unwrap();
    let script = r#"
        $argv[1] completions fish | source
        for typed in 'my\ folder/' '\'my folder/' '"my folder/it\'s' '~/my\ folder/' '$HOME/my\ folder/' --data=my\\\ f
            complete --do-complete "$argv[1] inspect $typed"
        end
    "#;
    let mut fish = bench.program_of("fish");
    fish.args(["--no-config", "-c", script]);
    fish.env("HOME", bench.path(""));
    let Ok(output) = fish.arg(env!("CARGO_BIN_EXE_noisescope")).output() else {
        eprintln!("NOT RUN: fish is not installed");
        return;
    };
    let name = "my folder/it's.onnx";
    let expected = format!("{name}\n{name}\n{name}\n~/{name}\n$HOME/{name}\n--data=my folder/\n");
    assert_eq!(both(&output), expected);
}

#[test]
fn completions_are_silent_where_the_program_fails() {
    let bench = Bench::new();
    let script = r#"
        source <("$1" completions bash)
        COMP_WORDS=(/nowhere/noisescope attach "") COMP_CWORD=2
        _noisescope /nowhere/noisescope "" attach
        echo "${#COMPREPLY[@]}"
    "#;
    let mut bash = bench.program_of("bash");
    bash.args(["-c", script, "bash"]);
    let output = bash.arg(env!("CARGO_BIN_EXE_noisescope")).output().unwrap();
    assert_eq!(both(&output), "0\n");
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
