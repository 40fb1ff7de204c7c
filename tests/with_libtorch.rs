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
