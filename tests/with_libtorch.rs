//! `scripts/with-libtorch`: finding, checking and installing libtorch.
#![cfg(unix)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// Makes a folder look like libtorch of this version.
fn libtorch(folder: &Path, version: [u32; 3]) {
    // The header of versions before 2.10 still exists in later ones, and includes the new one.
    let old = folder.join("include/torch/csrc/api/include/torch");
    let new = folder.join("include/torch/headeronly");
    fs::create_dir_all(&old).unwrap();
    fs::create_dir_all(&new).unwrap();
    let headers = if version < [2, 10, 0] {
        old
    } else {
        fs::write(
            old.join("version.h"),
            "#include <torch/headeronly/version.h>\n",
        )
        .unwrap();
        new
    };
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
    .env_remove("NOISESCOPE_NVRTC")
    .output()
    .unwrap()
}

fn refused(libtorch: &Path, arguments: &[&str]) -> String {
    let output = with(libtorch, arguments);
    assert_eq!(output.status.code(), Some(2));
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_supported_libtorch_is_set_up_for_the_build_and_the_loader() {
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
    let printed = String::from_utf8(output.stdout).unwrap();
    let (named, libraries) = printed.split_once('\n').unwrap();
    let path = folder.path().display().to_string();
    assert_eq!(named, path);
    assert!(libraries.starts_with(&format!("{path}/lib")), "{libraries}");
}

#[test]
fn an_unsupported_version_is_refused_before_anything_is_compiled() {
    for version in [[2, 7, 1], [2, 12, 0]] {
        let folder = tempfile::tempdir().unwrap();
        libtorch(folder.path(), version);
        let error = refused(folder.path(), &["true"]);
        let name = version.map(|number| number.to_string()).join(".");
        assert!(error.contains(&name) && error.contains("2.9.0"), "{error}");
        assert!(error.contains("Unset LIBTORCH"), "the next step: {error}");
    }
}

#[test]
fn a_neighbouring_version_is_tried_with_a_one_line_note() {
    for (version, expected) in [
        ([2, 8, 0], "untested"),
        ([2, 9, 1], "known to build"),
        ([2, 10, 0], "untested"),
        ([2, 11, 0], "known to build"),
        ([2, 11, 1], "untested"),
        ([2, 9, 0], ""),
    ] {
        let folder = tempfile::tempdir().unwrap();
        libtorch(folder.path(), version);
        let output = with(
            folder.path(),
            &["sh", "-c", "echo $LIBTORCH_BYPASS_VERSION_CHECK"],
        );
        let note = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{note}");
        assert_eq!(
            note.lines().count(),
            usize::from(!expected.is_empty()),
            "{note}"
        );
        assert!(note.contains(expected), "{note}");
        let bypass = if expected.is_empty() { "\n" } else { "1\n" };
        assert_eq!(String::from_utf8(output.stdout).unwrap(), bypass);
    }
}

#[test]
fn nvrtc_is_that_of_libtorchs_cuda_version() {
    for (cuda, nvrtc_path) in [
        ("12.8", "cuda_nvrtc/lib/libnvrtc.so.12"),
        ("13.0", "cu13/lib/libnvrtc.so.13"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let torch = folder.path().join("torch");
        libtorch(&torch, [2, 9, 0]);
        fs::write(torch.join("lib/libtorch_cuda.so"), "").unwrap();
        let version = format!("cuda: Optional[str] = '{cuda}'\nhip: Optional[str] = None\n");
        fs::write(torch.join("version.py"), version).unwrap();
        for library in [
            "cuda_nvrtc/lib/libnvrtc.so.12",
            "cuda_nvrtc/lib/libnvrtc-builtins.so.12.8",
            "cu13/lib/libnvrtc.so.13",
        ] {
            let library = folder.path().join("nvidia").join(library);
            fs::create_dir_all(library.parent().unwrap()).unwrap();
            fs::write(library, "").unwrap();
        }
        let output = with(
            &torch,
            &[
                "sh",
                "-c",
                "echo $NOISESCOPE_NVRTC; echo $LD_LIBRARY_PATH$DYLD_LIBRARY_PATH",
            ],
        );
        let printed = String::from_utf8(output.stdout).unwrap();
        let (nvrtc, libraries) = printed.split_once('\n').unwrap();
        let expected = folder
            .path()
            .canonicalize()
            .unwrap()
            .join("nvidia")
            .join(nvrtc_path);
        assert_eq!(Path::new(nvrtc).canonicalize().unwrap(), expected);
        let beside = Path::new(nvrtc).parent().unwrap().display().to_string();
        assert!(
            libraries.split(':').any(|path| path.trim() == beside),
            "{libraries}"
        );
    }
}

#[test]
fn a_folder_that_is_no_libtorch_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let error = refused(folder.path(), &["true"]);
    assert!(error.contains("is not a libtorch"), "{error}");
}

#[test]
fn without_a_command_or_with_an_unknown_option_the_usage_is_printed() {
    let folder = tempfile::tempdir().unwrap();
    libtorch(folder.path(), [2, 9, 0]);
    assert!(refused(folder.path(), &[]).contains("cargo build"));
    assert!(refused(folder.path(), &["--fast", "true"]).contains("--help"));
}

/// A fake Python that creates virtual environments in which pip installs a fake torch.
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
fn the_private_libtorch_is_installed_once_and_commands_do_not_hold_its_lock() {
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
    let installation = home.join("libtorch-2.9.0-cpu");
    let lock = home.join("libtorch-2.9.0-cpu.lock");
    // While the command runs, the lock must be free for another call. Not every system has `flock`.
    let check_lock = format!(
        "! command -v flock >/dev/null || flock -n '{}' true",
        lock.display()
    );
    let errors = |output: &Output| String::from_utf8_lossy(&output.stderr).into_owned();
    let first = with(&check_lock);
    assert!(first.status.success(), "{}", errors(&first));
    assert!(
        errors(&first).contains("200 MB to download"),
        "{}",
        errors(&first)
    );
    let second = with("echo $LIBTORCH");
    assert_eq!(errors(&second), "");
    let printed = String::from_utf8(second.stdout).unwrap();
    assert_eq!(
        printed.trim(),
        installation.join("torch").display().to_string()
    );
    let installs = fs::read_to_string(installation.join("installs")).unwrap();
    assert_eq!(installs.lines().count(), 1);
}
