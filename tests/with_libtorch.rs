//! The script that finds libtorch refuses what would not build, with the next step.
#![cfg(unix)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// A folder that looks like a libtorch of a version.
fn libtorch(folder: &Path, version: [u32; 3]) {
    let headers = folder.join("include/torch/csrc/api/include/torch");
    fs::create_dir_all(&headers).unwrap();
    fs::create_dir_all(folder.join("lib")).unwrap();
    let names = ["MAJOR", "MINOR", "PATCH"];
    let lines = names.iter().zip(version);
    let lines = lines.map(|(name, number)| format!("#define TORCH_VERSION_{name} {number}\n"));
    fs::write(headers.join("version.h"), lines.collect::<String>()).unwrap();
}

fn with(libtorch: &Path, arguments: &[&str]) -> Output {
    Command::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/scripts/with-libtorch"
    ))
    .args(arguments)
    .env("LIBTORCH", libtorch)
    .env_remove("LIBTORCH_BYPASS_VERSION_CHECK")
    .output()
    .unwrap()
}

fn refused(libtorch: &Path, arguments: &[&str]) -> String {
    let output = with(libtorch, arguments);
    assert_eq!(output.status.code(), Some(2));
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_libtorch_that_fits_is_set_up_for_the_build_and_the_loader() {
    let folder = tempfile::tempdir().unwrap();
    libtorch(folder.path(), [2, 9, 0]);
    let output = with(
        folder.path(),
        &[
            "sh",
            "-c",
            "echo $LIBTORCH; echo $LD_LIBRARY_PATH$DYLD_LIBRARY_PATH",
        ],
    );
    let said = String::from_utf8(output.stdout).unwrap();
    let (named, libraries) = said.split_once('\n').unwrap();
    let path = folder.path().display().to_string();
    assert_eq!(named, path);
    assert!(libraries.starts_with(&format!("{path}/lib")), "{libraries}");
}

#[test]
fn another_version_is_refused_before_anything_is_compiled() {
    let folder = tempfile::tempdir().unwrap();
    libtorch(folder.path(), [2, 11, 0]);
    let words = refused(folder.path(), &["true"]);
    assert!(
        words.contains("2.11.0") && words.contains("2.9.0"),
        "{words}"
    );
    assert!(words.contains("Unset LIBTORCH"), "the next step: {words}");
}

#[test]
fn a_folder_that_is_no_libtorch_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let words = refused(folder.path(), &["true"]);
    assert!(words.contains("is no libtorch"), "{words}");
}

#[test]
fn without_a_command_or_with_an_unknown_option_it_says_how_it_is_used() {
    let folder = tempfile::tempdir().unwrap();
    libtorch(folder.path(), [2, 9, 0]);
    assert!(refused(folder.path(), &[]).contains("cargo build"));
    assert!(refused(folder.path(), &["--fast", "true"]).contains("--help"));
}

/// A Python that makes virtual environments, in which pip installs what looks like torch.
const PYTHON: &str = r#"#!/bin/sh
home=$(dirname "$(dirname "$0")")
headers=$home/torch/include/torch/csrc/api/include/torch
case "$1 $2" in
"-m venv") mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
"-m pip")
    mkdir -p "$headers" "$home/torch/lib"
    printf '#define TORCH_VERSION_%s\n' 'MAJOR 2' 'MINOR 9' 'PATCH 0' >"$headers/version.h"
    echo installed >>"$home/installs"
    ;;
*) [ ! -d "$home/torch" ] || echo "$home/torch" ;;
esac
"#;

#[test]
fn the_private_one_is_installed_once_and_nobody_waits_for_the_command() {
    let folder = tempfile::tempdir().unwrap();
    let bin = folder.path().join("bin");
    fs::create_dir(&bin).unwrap();
    let python = bin.join("python3");
    fs::write(&python, PYTHON).unwrap();
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(&python, executable).unwrap();
    let path = std::env::var("PATH").unwrap();
    let home = folder.path().join("cache");
    let with = |command: &str| {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/with-libtorch");
        let mut child = Command::new(script);
        child.args(["--cpu", "sh", "-c", command]);
        child.env("PATH", format!("{}:{path}", bin.display()));
        child.env("NOISESCOPE_LIBTORCH_HOME", &home);
        for name in ["LIBTORCH", "VIRTUAL_ENV", "CONDA_PREFIX"] {
            child.env_remove(name);
        }
        child.output().unwrap()
    };
    let place = home.join("libtorch-2.9.0-cpu");
    let lock = home.join("libtorch-2.9.0-cpu.lock");
    // While the command runs, another call must find the lock free. Not every system has `flock`.
    let free = format!(
        "! command -v flock >/dev/null || flock -n '{}' true",
        lock.display()
    );
    let words = |output: &Output| String::from_utf8_lossy(&output.stderr).into_owned();
    let first = with(&free);
    assert!(first.status.success(), "{}", words(&first));
    assert!(
        words(&first).contains("200 MB to download"),
        "{}",
        words(&first)
    );
    let second = with("echo $LIBTORCH");
    assert_eq!(words(&second), "");
    let told = String::from_utf8(second.stdout).unwrap();
    assert_eq!(told.trim(), place.join("torch").display().to_string());
    let installs = fs::read_to_string(place.join("installs")).unwrap();
    assert_eq!(installs.lines().count(), 1);
}
