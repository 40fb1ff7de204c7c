//! Injecting failing system calls with strace.

use std::fs;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::common::Bench;

/// Whether strace works here; prints a message if it does not.
pub fn strace_works() -> bool {
    let tried = Command::new("strace")
        .args(["-f", "-qq", "-o", "/dev/null", "true"])
        .output();
    let works = tried.is_ok_and(|output| output.status.success());
    if !works {
        println!("SKIPPED: strace is not installed or not permitted; no fault was injected");
    }
    works
}

/// Runs the session with a fault injected by strace: a system call, the error it returns, and when.
pub fn with_fault(bench: &Bench, name: &str, fault: &str) -> Output {
    let call = fault.split(':').next().unwrap_or_default();
    let program = bench.program();
    let mut strace = Command::new("strace");
    strace
        .args(["-f", "-qq", "-o", "/dev/null", "--seccomp-bpf", "-e"])
        .arg(format!("trace={call}"))
        .arg("-e")
        .arg(format!("inject={fault}"))
        .arg(program.get_program())
        .args(["run", name, "--plain", "--workers", "1"])
        .current_dir(bench.folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    for (key, value) in program.get_envs() {
        match value {
            Some(value) => strace.env(key, value),
            None => strace.env_remove(key),
        };
    }
    let mut child = strace.spawn().unwrap();
    let out = child.stdout.take().unwrap();
    let reader = std::thread::spawn(move || std::io::read_to_string(out).unwrap_or_default());
    let began = Instant::now();
    // An engine that cannot save does not give up, so it is killed.
    while child.try_wait().unwrap().is_none() {
        if began.elapsed() > Duration::from_secs(30) {
            kill_group(&child);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let output = child.wait_with_output().unwrap();
    Output {
        stdout: reader.join().unwrap().into_bytes(),
        ..output
    }
}

/// Kills the processes that strace started; strace then ends too.
fn kill_group(strace: &Child) {
    let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", strace.id()));
    for pid in children.unwrap_or_default().split_whitespace() {
        let _ = Command::new("kill").args(["-9", pid]).status();
    }
}

/// System calls to fail, the errors to return, and among how many calls the first to fail is drawn.
pub const FAULTS: [(&str, &[&str], u64); 12] = [
    ("fsync", &["EIO", "ENOSPC", "EINVAL", "EDQUOT"], 12),
    ("renameat", &["EIO", "ENOSPC", "EACCES", "EXDEV"], 12),
    ("linkat", &["EPERM", "EMLINK", "EOPNOTSUPP", "EIO"], 6),
    ("openat", &["ENOSPC", "EMFILE", "EIO", "EACCES"], 80),
    ("write", &["EIO", "ENOSPC", "EFBIG", "EDQUOT"], 60),
    ("pwrite64", &["EIO", "ENOSPC"], 6),
    ("ftruncate", &["EIO", "EINVAL"], 6),
    ("flock", &["ENOLCK", "ENOSYS", "EINTR", "EIO"], 3),
    ("newfstatat", &["EIO", "EACCES", "ESTALE"], 60),
    ("statx", &["EIO", "EACCES"], 60),
    ("unlinkat", &["EACCES", "EIO"], 3),
    ("fchmod", &["EPERM", "EIO"], 6),
];
