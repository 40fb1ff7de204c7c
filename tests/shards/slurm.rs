//! Shards under Slurm.

use std::process::{Command, Stdio};

use noisescope::session::SavedState;
use noisescope::session::store::shard_name;

use super::{IMAGES, plan};
use crate::common::{Bench, both, signal, wait_until, with_plan};

#[test]
fn the_job_script_is_printed_and_without_slurm_nothing_is_divided() {
    let bench = Bench::new();
    let plan = plan(&bench, &IMAGES.replace("80000", "2000"));
    bench.succeed(&with_plan(&["new", "many"], &plan));
    let printed = bench.succeed(&[
        "submit",
        "many",
        "--slurm",
        "--shards",
        "4",
        "--gpus",
        "1",
        "--time",
        "4:00:00",
        "--print",
        "--",
        "--account=a",
    ]);
    for line in [
        "#SBATCH --array=1-4",
        "#SBATCH --requeue",
        "#SBATCH --signal=B:USR1@120",
        "#SBATCH --open-mode=append",
        "#SBATCH --time=4:00:00",
        "#SBATCH --gpus=1",
        "#SBATCH --account=a",
    ] {
        assert!(
            printed.lines().any(|printed_line| printed_line == line),
            "{line}: {printed}"
        );
    }
    assert!(
        printed.contains("run many --shard \"$SLURM_ARRAY_TASK_ID/4\" --plain --requeue"),
        "{printed}"
    );
    assert!(printed.contains("merge many && exec "), "{printed}");
    let mut program = bench.program();
    program.env("PATH", bench.path("nothing"));
    let output = program
        .args(["submit", "many", "--slurm"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", both(&output));
    assert!(
        both(&output).contains("sbatch is not installed here"),
        "{}",
        both(&output)
    );
    assert!(bench.load("many").record.sharding.is_none());
    assert!(
        bench
            .succeed(&["run", "many", "--plain", "--device", "cpu"])
            .contains("finished")
    );
}

/// Puts a stand-in for one of Slurm's programs, a shell script, before all others; returns the search path with it.
fn stand_in(bench: &Bench, name: &str, script: &str) -> String {
    let folder = bench.path("bin");
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join(name);
    std::fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&file, mode).unwrap();
    format!("{}:{}", folder.display(), std::env::var("PATH").unwrap())
}

/// `submit` of a session with a stand-in for sbatch: its exit code and what it printed.
fn submit(bench: &Bench, script: &str, arguments: &[&str]) -> (Option<i32>, String) {
    let mut program = bench.program();
    program.env("PATH", stand_in(bench, "sbatch", script));
    program.args(["submit", "many", "--slurm"]).args(arguments);
    let output = program.output().unwrap();
    (output.status.code(), both(&output))
}

#[test]
fn the_scripts_of_a_session_are_not_written_through_a_link_or_into_a_pipe() {
    let bench = Bench::new();
    let plan = plan(&bench, &IMAGES.replace("80000", "2000"));
    bench.succeed(&with_plan(&["new", "many"], &plan));
    let target = bench.path("mine");
    std::fs::write(&target, "my own").unwrap();
    let scripts =
        ["many.sbatch", "many.merge.sbatch"].map(|name| bench.path("sessions").join(name));
    std::os::unix::fs::symlink(&target, &scripts[0]).unwrap();
    let made = std::process::Command::new("mkfifo")
        .arg(&scripts[1])
        .status();
    assert!(made.unwrap().success());
    let (code, printed) = submit(&bench, "echo 12", &["--shards", "4"]);
    assert_eq!(code, Some(0), "{printed}");
    assert_eq!(std::fs::read_to_string(&target).unwrap(), "my own");
    for script in &scripts {
        let about = std::fs::symlink_metadata(script).unwrap();
        assert!(about.is_file(), "{}", script.display());
    }
}

#[test]
fn a_session_that_cannot_be_submitted_is_not_divided() {
    let bench = Bench::new();
    let plan = plan(&bench, &IMAGES.replace("80000", "2000"));
    bench.succeed(&with_plan(&["new", "many"], &plan));
    let before = bench.load("many");
    let refuses = r#"[ "$1" = --version ] && exit 0; echo "invalid partition" >&2; exit 1"#;
    let (code, printed) = submit(&bench, refuses, &["--shards", "4"]);
    assert_eq!(code, Some(1), "{printed}");
    assert!(printed.contains("invalid partition"), "{printed}");
    assert!(bench.load("many") == before);
    // A device that does not exist would fail on every node.
    let (code, printed) = submit(&bench, "echo 12", &["--device", "cuda0"]);
    assert_eq!(code, Some(2), "{printed}");
    assert!(printed.contains("no device `cuda0`"), "{printed}");
    assert!(bench.load("many") == before);
    // In the script, it would be a command.
    let (code, printed) = submit(&bench, "echo 12", &["--", "account=a"]);
    assert_eq!(code, Some(2), "{printed}");
    assert!(
        printed.contains("`account=a` is not an option"),
        "{printed}"
    );
    assert!(bench.load("many") == before);
    let silent = r#"[ "$1" = --version ] && exit 0; exit 1"#;
    let (code, printed) = submit(&bench, silent, &["--shards", "4"]);
    assert_eq!(code, Some(1), "{printed}");
    assert!(printed.contains("without saying why"), "{printed}");
    assert!(bench.load("many") == before);
    // Submitted or not, it has no number to wait for or to cancel.
    let (code, printed) = submit(&bench, "echo welcome", &["--shards", "4"]);
    assert_eq!(code, Some(1), "{printed}");
    assert!(printed.contains("but printed `welcome`"), "{printed}");
    // The first job is queued, the second is not.
    let second = r#"case "$*" in *dependency*) echo "too many jobs" >&2; exit 1;; esac; echo 12"#;
    let (code, printed) = submit(&bench, second, &["--shards", "4"]);
    assert_eq!(code, Some(1), "{printed}");
    for words in [
        "job 12 runs the shards",
        "too many jobs",
        "noisescope merge many",
    ] {
        assert!(printed.contains(words), "{words}: {printed}");
    }
    let sharding = bench.load("many").record.sharding.unwrap();
    assert_eq!((sharding.count, sharding.jobs), (4, vec!["12".to_owned()]));
    // Whether it waits, only Slurm knows.
    let listed = bench.succeed(&["ls"]);
    let line = "4 shards: 4 not started; submitted as job 12: squeue --jobs 12";
    assert!(listed.contains(line), "{listed}");
}

#[test]
fn a_job_that_cannot_be_recorded_is_named_with_how_to_cancel_it() {
    for (changing, cancelled) in [("*", "scancel 12"), ("*dependency*", "scancel 13")] {
        let bench = Bench::new();
        let plan = plan(&bench, &IMAGES.replace("80000", "2000"));
        bench.succeed(&with_plan(&["new", "many"], &plan));
        // Somebody changes the session's file after the job was submitted.
        let script = format!(
            r#"[ "$1" = --version ] && exit 0
            case "$*" in {changing}) echo >> '{}';; esac
            case "$*" in *dependency*) echo 13;; *) echo 12;; esac"#,
            bench.store().path("many").display()
        );
        let (code, printed) = submit(&bench, &script, &["--shards", "4"]);
        assert_eq!(code, Some(1), "{printed}");
        assert!(printed.contains("could not be"), "{printed}");
        assert!(printed.contains(cancelled), "{printed}");
    }
}

#[test]
fn a_full_disk_is_noticed_before_there_are_jobs() {
    let bench = Bench::new();
    let plan = plan(&bench, &IMAGES.replace("80000", "2000"));
    bench.succeed(&with_plan(&["new", "many"], &plan));
    let (code, printed) = submit(&bench, "echo 12", &["--shards", "4"]);
    assert_eq!(code, Some(0), "{printed}");
    // Larger than the scripts.
    let mut session = bench.load("many");
    session.record.sharding.as_mut().unwrap().jobs = vec!["12".to_owned(); 5000];
    bench.store().save(&session).unwrap();
    let called = bench.path("called");
    let script = format!(
        r#"[ "$1" = --version ] && exit 0; touch '{}'; echo 14"#,
        called.display()
    );
    let path = stand_in(&bench, "sbatch", &script);
    let mut limited = Command::new("sh");
    limited.args(["-c", "ulimit -f 8; exec \"$@\"", "sh"]);
    limited.args([env!("CARGO_BIN_EXE_noisescope"), "submit", "many"]);
    limited.arg("--slurm").env("PATH", path);
    limited.env("NOISESCOPE_SESSIONS", bench.path("sessions"));
    let output = limited.output().unwrap();
    let printed = both(&output);
    assert_eq!(output.status.code(), Some(1), "{printed}");
    assert!(
        printed.contains("many.ron: cannot write the session"),
        "{printed}"
    );
    assert!(!called.exists(), "{printed}");
    assert!(bench.load("many") == session);
}

#[test]
fn jobs_that_were_cancelled_are_not_said_to_wait() {
    let bench = Bench::new();
    let plan = plan(&bench, &IMAGES.replace("80000", "2000"));
    bench.succeed(&with_plan(&["new", "many"], &plan));
    let submits = r#"case "$*" in *dependency*) echo 13;; *) echo 12;; esac"#;
    let (code, printed) = submit(&bench, submits, &["--shards", "4"]);
    assert_eq!(code, Some(0), "{printed}");
    let summary = || bench.succeed(&["attach", "many", "--plain"]);
    let before = summary();
    assert!(before.starts_with("many  new; submitted as jobs 12 and 13"));
    stand_in(&bench, "squeue", "echo waits");
    let path = stand_in(&bench, "scancel", "exit 0");
    let mut program = bench.program();
    let output = program.env("PATH", path).args(["stop", "many"]).output();
    let printed = both(&output.unwrap());
    assert!(printed.contains("cancelled 12 13"), "{printed}");
    let after = summary();
    let line = "many  new; run its shards: noisescope run many --shard 1/4 to 4/4";
    assert!(after.starts_with(line), "{after}");
    let sharding = bench.load("many").record.sharding.unwrap();
    assert_eq!((sharding.count, sharding.jobs.len()), (4, 0));
}

#[test]
fn usr1_requeues_only_this_slurm_task() {
    let bench = Bench::new();
    let plan = plan(&bench, &IMAGES.replace("80000", "2000000000"));
    bench.succeed(&with_plan(
        &["new", "many", "--set", "checkpoint_s=0.2"],
        &plan,
    ));
    // A stand-in for scontrol that records its arguments.
    let requests = bench.path("requests");
    let folder = bench.path("bin");
    std::fs::create_dir_all(&folder).unwrap();
    let script = format!("#!/bin/sh\necho \"$@\" > {}\n", requests.display());
    std::fs::write(folder.join("scontrol"), script).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(folder.join("scontrol"), mode).unwrap();
    let mut program = bench.program();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    program.env("PATH", path).env("SLURM_JOB_ID", "12");
    program
        .env("SLURM_ARRAY_JOB_ID", "12")
        .env("SLURM_ARRAY_TASK_ID", "3");
    program
        .env("SLURM_ARRAY_TASK_COUNT", "4")
        .env("SLURM_ARRAY_TASK_MIN", "1");
    program.args([
        "run",
        "many",
        "--shard",
        "auto",
        "--requeue",
        "--device",
        "cpu",
    ]);
    let child = program
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let shard_session = shard_name("many", 3, 4);
    wait_until("the shard to run", || {
        bench
            .store()
            .load_head(&shard_session)
            .is_ok_and(|session| session.record.state == SavedState::Running)
    });
    signal(&child, "USR1");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(138), "{}", both(&output));
    assert_eq!(
        std::fs::read_to_string(requests).unwrap().trim(),
        "requeue 12_3"
    );
    let session = bench.load(&shard_session);
    assert_eq!(session.record.state, SavedState::Stopped);
    assert_eq!(session.record.shard.unwrap().job.as_deref(), Some("12_3"));
}
