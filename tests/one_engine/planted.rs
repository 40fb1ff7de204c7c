//! Files in a sessions folder that others planted or could read.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use crate::common::{Bench, both, endless};

#[test]
fn planted_links_and_named_pipes_are_refused() {
    let bench = Bench::new();
    let plan = endless(&bench);
    let victim = bench.path("victim");
    for planted in ["mine.lock", "mine.log"] {
        let link = bench.path("sessions").join(planted);
        std::os::unix::fs::symlink(&victim, &link).unwrap();
        let mut arguments = vec!["run", "mine", "--detach"];
        if !bench.store().exists("mine") {
            arguments.extend(plan.iter().map(String::as_str));
        }
        let error = bench.refuse(1, &arguments);
        assert!(
            error.contains(planted) && error.contains("symbolic link"),
            "{error}"
        );
        assert!(!victim.exists(), "nothing was written through it");
        fs::remove_file(link).unwrap();
    }
    // A session file that is a link stays a link, and its target is unchanged.
    let elsewhere = bench.path("it's elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let (path, target) = (bench.store().path("mine"), elsewhere.join("mine.ron"));
    fs::rename(&path, &target).unwrap();
    std::os::unix::fs::symlink(&target, &path).unwrap();
    let before = fs::read(&target).unwrap();
    let error = bench.refuse(1, &["run", "mine", "--plain"]);
    assert!(
        error.contains(r"'it'\''s elsewhere' run mine") || error.contains(r"it'\''s elsewhere"),
        "{error}"
    );
    assert!(path.is_symlink() && fs::read(&target).unwrap() == before);
    bench.succeed(&["attach", "mine", "--plain"]);
    fs::remove_file(&path).unwrap();
    // No command blocks on a pipe.
    let pipe = Command::new("mkfifo").arg(&path).status();
    assert!(pipe.unwrap().success());
    for command in [
        &["run", "mine", "--plain"][..],
        &["attach", "mine", "--plain"],
        &["export", "mine", "--format", "json"],
    ] {
        let error = bench.refuse(1, command);
        assert!(error.contains("a named pipe"), "{error}");
    }
    let weights = bench.path("weights.pt");
    assert!(
        Command::new("mkfifo")
            .arg(&weights)
            .status()
            .unwrap()
            .success()
    );
    let from = format!("network.weights=File({weights:?})");
    let error = bench.refuse(1, &["run", "other", "--plain", "--set", &from]);
    assert!(error.contains("a named pipe"), "{error}");
}

#[test]
fn files_beside_a_session_are_private_whatever_the_umask() {
    let bench = Bench::new();
    let plan = endless(&bench).join("' '");
    let program = bench.program();
    let run = format!(
        "umask 000; exec {:?} run live --detach '{plan}'",
        program.get_program()
    );
    let mut shell = Command::new("bash");
    shell.args(["-c", &run]).current_dir(bench.folder.path());
    for (key, value) in program.get_envs() {
        match value {
            Some(value) => shell.env(key, value),
            None => shell.env_remove(key),
        };
    }
    let output = shell
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", both(&output));
    for name in ["live.lock", "live.log", "live.sock"] {
        let metadata = fs::metadata(bench.path("sessions").join(name)).unwrap();
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600, "{name}");
    }
    // Permissions that the user sets on the session file itself are kept. A checkpoint being written at that moment may
    // have read the old ones, so there are several tries.
    let path = bench.store().path("live");
    let kept = (0..4).any(|_| {
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        bench.wait_for_trials("live", bench.load("live").trials().0);
        bench.wait_for_trials("live", bench.load("live").trials().0);
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        mode & 0o777 == 0o640
    });
    assert!(kept);
}
