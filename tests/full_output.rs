//! A command whose output is lost says so and does not end with exit code 0; and options that cannot apply are refused.
#![cfg(target_os = "linux")]

mod common;

use std::fs::{self, OpenOptions};
use std::process::{Command, Stdio};

use common::{Bench, both, endless, with_plan};

#[test]
fn output_lost_on_a_full_disk_is_an_error() {
    let bench = Bench::new();
    bench.succeed(&with_plan(&["new", "mine"], &endless(&bench)));
    for words in [
        &["config"][..],
        &["config", "--path"],
        &["note", "mine"],
        &["doctor", "mine"],
        &["merge", "mine"],
        &["new", "other"],
        &["ls"],
        &["ls", "--json"],
        &["attach", "mine", "--plain"],
        &["data", "list"],
        &["man"],
        &["completions", "bash"],
        &["--help"],
        &["-h"],
        &["--version"],
        &["inspect", "--help"],
        &["help", "run"],
        &[
            "bench",
            "--json",
            "--device",
            "flex",
            "--network",
            "logistic",
            "--batch",
            "8",
            "--trials",
            "8",
        ],
    ] {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = bench.program().args(words).stdout(full).output().unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{words:?}: {errors}");
        let said = errors.matches("noisescope: standard output could not be written: ");
        assert_eq!(said.count(), 1, "{words:?}: {errors}");
    }
    assert!(bench.store().exists("other"));
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let bench = Bench::new();
    for words in [
        &["config"][..],
        &["ls"],
        &["man"],
        &["completions", "bash"],
        &["--help"],
        &["inspect", "--help"],
        &["--version"],
    ] {
        let mut program = bench.program();
        program
            .args(words)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = program.spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{words:?}: {errors}");
        assert_eq!(errors, "", "{words:?}");
    }
}

#[test]
fn a_damaged_set_is_an_error_even_if_nobody_reads_the_list() {
    let bench = Bench::new();
    let set = bench.path("data/mnist");
    fs::create_dir_all(&set).unwrap();
    fs::write(set.join("train-labels-idx1-ubyte"), "half").unwrap();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut program = bench.program();
    program.args(["data", "verify"]).stdout(writer);
    let output = program.output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(errors.contains("noisescope data fetch mnist"), "{errors}");
}

#[test]
fn preferences_that_could_not_be_written_whole_leave_no_file() {
    let bench = Bench::new();
    let path = bench.path("config.ron");
    // Files may have no bytes; a write beyond that is an error, as on a full disk.
    let script = "ulimit -f 0; exec \"$@\"";
    let mut program = Command::new("sh");
    program.args(["-c", script, "sh", env!("CARGO_BIN_EXE_noisescope")]);
    program.args(["config", "--write", "--config"]).arg(&path);
    let output = program.output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(errors.contains("config.ron"), "{errors}");
    assert!(!path.exists());
    let path = path.to_str().unwrap();
    bench.succeed(&["config", "--write", "--config", path]);
    bench.succeed(&["config", "--check", "--config", path]);
}

#[test]
fn options_for_views_are_refused_where_no_view_can_open() {
    let bench = Bench::new();
    bench.succeed(&with_plan(&["new", "mine"], &endless(&bench)));
    bench.succeed(&["attach", "mine"]);
    for options in [&["--view", "mpas"][..], &["--class", "1"], &["--closer"]] {
        let error = bench.refuse(2, &[&["attach", "mine"], options].concat());
        assert!(error.contains("noisescope attach mine --plain"), "{error}");
    }
}

#[test]
fn options_that_cannot_apply_together_are_refused() {
    let bench = Bench::new();
    for words in [
        &["bench", "--pieces", "--json"][..],
        &["bench", "--training", "--trials", "64"],
        &["bench", "--training", "--gamma", "0.5"],
        &["doctor", "mine", "--network", "mlp"],
        &["run", "mine", "--pilot", "--detach"],
        &["run", "mine", "--pilot", "--workers", "1"],
    ] {
        let output = bench.output(words);
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{words:?}: {errors}");
        assert!(
            errors.contains("cannot be used with"),
            "{words:?}: {errors}"
        );
        // Of the folders, which a variable names, the usage says nothing.
        assert!(!errors.contains("--sessions"), "{words:?}: {errors}");
    }
    for words in [
        &["bench", "--workers", "0"][..],
        &["trials", "mine", "--any", "--workers", "0"],
        &["inspect", "a.onnx", "--images", "0"],
    ] {
        let output = bench.output(words);
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{words:?}: {errors}");
        assert!(errors.contains(words[words.len() - 2]), "{errors}");
    }
}

#[test]
fn an_empty_variable_is_as_good_as_none() {
    let bench = Bench::new();
    bench.succeed(&with_plan(&["new", "mine"], &endless(&bench)));
    // Of a folder that no variable names, ./sessions is the first choice.
    let mut program = bench.program();
    program.env("NOISESCOPE_SESSIONS", "");
    program.env("NOISESCOPE_CONFIG", "");
    let output = program.args(["ls", "--json"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", both(&output));
    assert!(both(&output).contains("\"mine\""), "{}", both(&output));
}

#[test]
fn a_mistyped_session_gets_a_suggestion() {
    let bench = Bench::new();
    for name in ["first-run", "second-run"] {
        bench.succeed(&with_plan(&["new", name], &endless(&bench)));
    }
    let error = bench.refuse(2, &["attach", "fisrt-run"]);
    let words = "It holds: first-run, second-run; did you mean first-run?";
    assert!(error.contains(words), "{error}");
    let error = bench.refuse(2, &["attach", "another"]);
    assert!(!error.contains("did you mean"), "{error}");
}

#[test]
fn a_benchmark_that_cannot_be_measured_as_asked_is_refused() {
    let bench = Bench::new();
    let most = u64::MAX.to_string();
    for (option, value) in [
        ("--gamma", "2"),
        ("--gamma", "NaN"),
        ("--trials", "0"),
        ("--trials", most.as_str()),
        ("--workers", "0"),
    ] {
        let error = bench.refuse(2, &["bench", option, value]);
        assert!(
            error.contains(&format!("{option} {value}: must be")),
            "{error}"
        );
    }
    let refused = bench.output(&["bench", "--pieces", "--json"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(refused.stdout.is_empty());
    // The pieces are measured on one core.
    let refused = bench.output(&["bench", "--pieces", "--workers", "2"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(refused.stdout.is_empty());
}

#[test]
fn a_session_is_not_extended_if_it_cannot_be_run_as_asked() {
    let bench = Bench::new();
    bench.succeed(&with_plan(&["new", "mine"], &endless(&bench)));
    let before = bench.load("mine");
    let trials = (2 * before.trials().1).to_string();
    let extend = ["extend", "mine", "--trials", &trials, "--workers", "0"];
    let error = bench.refuse(2, &extend);
    assert!(error.contains("--workers 0: must be"), "{error}");
    assert_eq!(bench.load("mine").config, before.config);
}
