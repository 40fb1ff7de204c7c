//! What breaks under a run: calls of the system that fail, the process killed at any moment, the power cut. Nothing
//! that was saved is lost, and a run that goes on ends in the same bits.
//!
//! A bounded part of a study: `scripts/durability` asks for more of each with the variables named here. What this
//! machine cannot do (no strace, not root) is skipped loudly.

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use common::dice::{Dice, count};
use common::{Bench, both, small_set, wait_until};
use noisescope::session::store::{Store, read_at};
use noisescope::session::{SavedState, Session};

/// The plan of a run of a second or two with many checkpoints.
fn plan(bench: &Bench, trials: u64) -> Vec<String> {
    small_set(&bench.path("bars"), 100, 50, 28);
    [
        format!("dataset.source=Folder({:?})", bench.path("bars")),
        "network=(kind: Logistic, weights: Train((epochs: 1)))".into(),
        format!(
            "analyses=[ClassificationImages((gammas: [0.0, 0.4], trials: {trials}, block: 64))]"
        ),
        "checkpoint_s=0.1".into(),
    ]
    .into_iter()
    .flat_map(|setting| ["--set".to_owned(), setting])
    .collect()
}

/// A session of this plan that has not run, in a folder.
fn new(bench: &Bench, folder: &Path, name: &str, trials: u64) {
    let plan = plan(bench, trials);
    let mut program = bench.program();
    program
        .env("NOISESCOPE_SESSIONS", folder)
        .args(["new", name])
        .args(plan);
    let output = program.output().unwrap();
    assert!(output.status.success(), "{}", both(&output));
}

/// What the plan leads to where nothing fails.
fn reference(bench: &Bench, trials: u64) -> Session {
    let folder = bench.path("sessions");
    new(bench, &folder, "whole", trials);
    bench.succeed(&["run", "whole", "--plain", "--workers", "1"]);
    bench.load("whole")
}

/// The session, from its file or, where that is not whole, from its previous generation.
fn saved(store: &Store, name: &str) -> Session {
    let file = read_at(&store.path(name), name);
    file.or_else(|_| read_at(&store.backup_path(name), name))
        .expect("one generation is whole")
}

/// Runs the session to its end, and compares what came out.
fn ends_as(bench: &Bench, name: &str, whole: &Session) {
    bench.succeed(&["run", name, "--plain", "--workers", "1"]);
    let session = bench.load(name);
    assert_eq!(session.record.state, SavedState::Finished, "{name}");
    assert!(
        session.record.analyses == whole.record.analyses,
        "{name}: other sums"
    );
}

fn traces() -> bool {
    let tried = Command::new("strace")
        .args(["-f", "-qq", "-o", "/dev/null", "true"])
        .output();
    let works = tried.is_ok_and(|output| output.status.success());
    if !works {
        println!("SKIPPED: strace is not here, or may not trace; no fault was injected");
    }
    works
}

/// The program with a fault injected: a call of the system, the error that it gives, and when.
fn with_fault(bench: &Bench, name: &str, fault: &str) -> Output {
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
    // What cannot be saved at all is not given up by itself.
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

/// Ends what strace started, and strace with it.
fn kill_group(strace: &Child) {
    let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", strace.id()));
    for pid in children.unwrap_or_default().split_whitespace() {
        let _ = Command::new("kill").args(["-9", pid]).status();
    }
}

/// Calls that fail, what they say, and about when in a run of this kind they matter.
const FAULTS: [(&str, &[&str], u64); 12] = [
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

/// A call that fails once or again and again neither loses what was saved nor breaks the program down.
#[test]
fn no_failing_call_of_the_system_loses_anything() {
    if !traces() {
        return;
    }
    let bench = Bench::new();
    let whole = reference(&bench, 2000);
    let (mut dice, all) = (Dice(7), count("NOISESCOPE_FAULTS", 14));
    let (mut ended, mut stood) = (0, 0);
    for number in 0..all {
        let (call, errors, late) = FAULTS[(number % FAULTS.len() as u64) as usize];
        let error = errors[dice.roll(errors.len() as u64) as usize];
        let first = 1 + dice.roll(late);
        // A write of another kind wakes the event loop, which stands on it: one that fails is told from a file's
        // by its words, many are not.
        let kinds = if call == "write" { 1 } else { 3 };
        let again = ["", "+", "+3"][dice.roll(kinds) as usize];
        let fault = format!("{call}:error={error}:when={first}{again}");
        let name = format!("fault-{number}");
        new(&bench, &bench.path("sessions"), &name, 2000);
        let output = with_fault(&bench, &name, &fault);
        let words = both(&output);
        let code = output.status.code();
        // What was saved is looked at all the same.
        if !words.contains("failed to wake I/O driver") {
            assert!(
                !words.contains("panicked") && code != Some(101),
                "{fault}: {words}"
            );
            assert!(!words.contains("crashed"), "{fault}: {words}");
        }
        ended += u32::from(code == Some(0));
        stood += u32::from(code != Some(0));
        let left = saved(&bench.store(), &name);
        assert!(left.trials().0 <= whole.trials().0, "{fault}");
        // Where the newest is not whole, a person takes the previous one, as the words say.
        if bench.store().load(&name).is_err() {
            fs::copy(bench.store().backup_path(&name), bench.store().path(&name)).unwrap();
        }
        ends_as(&bench, &name, &whole);
    }
    println!(
        "{all} faults injected: {ended} runs ended all the same, {stood} stopped in words, 0 lost"
    );
}

/// A file system that knows no syncing is no reason not to run; what is weaker there is told.
#[test]
fn a_file_system_without_syncing_is_told_and_does_not_stop_the_run() {
    if !traces() {
        return;
    }
    let bench = Bench::new();
    let whole = reference(&bench, 1000);
    new(&bench, &bench.path("sessions"), "mine", 1000);
    let output = with_fault(&bench, "mine", "fsync:error=EINVAL");
    let words = both(&output);
    assert_eq!(output.status.code(), Some(0), "{words}");
    assert!(
        words.contains("does not report when a file is on the disk"),
        "{words}"
    );
    assert!(bench.load("mine").record.analyses == whole.record.analyses);
}

/// The process is killed at moments of chance, again and again, until the run has ended.
#[test]
fn a_run_that_is_killed_again_and_again_ends_in_the_same_bits() {
    let bench = Bench::new();
    let trials = 30_000;
    // A run of half a second at least, whatever the build, and kills at all of its moments.
    let (trials, whole, most) = [trials, 4 * trials, 16 * trials]
        .into_iter()
        .map(|trials| {
            let began = Instant::now();
            let whole = reference(&bench, trials);
            let most = began.elapsed().as_millis() as u64;
            for path in [
                bench.store().path("whole"),
                bench.store().backup_path("whole"),
            ] {
                let _ = fs::remove_file(path);
            }
            (trials, whole, most)
        })
        .find(|(trials, _, most)| *most > 500 || *trials > 400_000)
        .unwrap();
    let (mut dice, all, began) = (Dice(11), count("NOISESCOPE_KILLS", 8), Instant::now());
    let (mut killed, mut sessions) = (0, 0);
    while killed < all {
        let name = format!("killed-{sessions}");
        sessions += 1;
        new(&bench, &bench.path("sessions"), &name, trials);
        let mut before = 0;
        loop {
            let mut child = bench
                .program()
                .args(["run", &name, "--plain", "--workers", "1"])
                .stdout(Stdio::null())
                .spawn()
                .unwrap();
            std::thread::sleep(Duration::from_millis(5 + dice.roll(most)));
            let ended = child.try_wait().unwrap();
            child.kill().unwrap();
            child.wait().unwrap();
            let session = bench.store().load(&name).expect("the file is whole");
            let done = session.trials().0;
            assert!(done >= before, "{name}: {done} after {before}");
            before = done;
            if ended.is_some() || killed >= all {
                break;
            }
            killed += 1;
        }
        ends_as(&bench, &name, &whole);
    }
    println!(
        "{killed} kills of {sessions} sessions in {:.0} s: 0 lost, all ended in the same bits",
        began.elapsed().as_secs_f64()
    );
}

/// What a checkpoint does, in order: nothing takes the session's name that is not on the disk, and the name is
/// brought to the disk after it.
#[test]
fn a_checkpoint_is_on_the_disk_before_it_takes_the_name_of_the_session() {
    if !traces() {
        return;
    }
    let bench = Bench::new();
    new(&bench, &bench.path("sessions"), "mine", 1000);
    let log = bench.path("trace");
    let program = bench.program();
    let mut strace = Command::new("strace");
    strace
        .args(["-f", "-qq", "-y", "-s", "8", "-e"])
        .arg("trace=write,pwrite64,writev,ftruncate,fsync,fdatasync,rename,renameat,renameat2,link,linkat")
        .arg("-o")
        .arg(&log)
        .arg(program.get_program())
        .args(["run", "mine", "--plain"])
        .current_dir(bench.folder.path())
        .stdout(Stdio::null());
    for (key, value) in program.get_envs() {
        match value {
            Some(value) => strace.env(key, value),
            None => strace.env_remove(key),
        };
    }
    assert!(strace.status().unwrap().success());
    let trace = fs::read_to_string(&log).unwrap();
    let lines: Vec<&str> = trace.lines().collect();
    let mut checkpoints = 0;
    for (at, line) in lines.iter().enumerate() {
        if !(line.contains("rename") && line.contains(", \"mine.ron\"")) {
            continue;
        }
        checkpoints += 1;
        let temporary = line.split('"').nth(1).unwrap();
        assert!(
            temporary.starts_with("mine.ron.") && temporary.ends_with(".tmp"),
            "{line}"
        );
        let of = |line: &&str| line.contains(temporary);
        let synced = lines[..at]
            .iter()
            .rposition(|line| of(line) && line.contains("fsync"));
        let written = lines[..at]
            .iter()
            .rposition(|line| of(line) && line.contains("write("));
        assert!(
            written.is_some() && synced > written,
            "{line}: not on the disk before"
        );
        let after = lines[at + 1..]
            .iter()
            .position(|line| line.contains("fsync") && line.contains("/sessions>"));
        let next = lines[at + 1..]
            .iter()
            .position(|line| line.contains("rename"));
        assert!(
            after.is_some() && (next.is_none() || after < next),
            "{line}: the name is not synced"
        );
        if checkpoints > 1 {
            let kept = lines[..at]
                .iter()
                .rposition(|line| line.contains("rename") && line.contains("mine.ron.bak\""));
            assert!(
                kept > synced,
                "{line}: the previous generation is kept last"
            );
        }
    }
    assert!(checkpoints > 2, "{checkpoints} checkpoints in\n{trace}");
}

/// A journalling file system of its own, in a file.
struct Disk {
    image: PathBuf,
    mount: PathBuf,
}

impl Disk {
    /// `None` where only root could make it, or something is missing.
    fn new(bench: &Bench) -> Option<Self> {
        let disk = Self {
            image: bench.path("disk.img"),
            mount: bench.path("disk"),
        };
        fs::create_dir(&disk.mount).ok()?;
        fs::File::create(&disk.image).ok()?.set_len(48 << 20).ok()?;
        let made = Command::new("mkfs.ext4")
            .args(["-q", "-F"])
            .arg(&disk.image)
            .status();
        let python = Command::new("python3").arg("--version").output();
        (made.ok()?.success() && python.is_ok() && disk.mount()).then_some(disk)
    }

    /// Without the help that ext4 gives to programs which do not sync.
    fn mount(&self) -> bool {
        let mounted = Command::new("mount")
            .args(["-o", "loop,noauto_da_alloc,commit=1"])
            .args([&self.image, &self.mount])
            .output();
        mounted.is_ok_and(|output| output.status.success())
    }

    /// Everything that is not on the disk is gone, as when the power fails; then it is mounted again, and the
    /// journal is played back.
    fn cut(&self) {
        // EXT4_IOC_SHUTDOWN, without flushing the log.
        let shutdown = "import fcntl,os,struct,sys\nfcntl.ioctl(os.open(sys.argv[1],os.O_RDONLY),0x8004587d,struct.pack('I',2))";
        let cut = Command::new("python3")
            .args(["-c", shutdown])
            .arg(&self.mount)
            .output()
            .unwrap();
        assert!(cut.status.success(), "{}", both(&cut));
    }

    fn again(&self) {
        wait_until("the disk to be let go", || {
            Command::new("umount")
                .arg(&self.mount)
                .output()
                .unwrap()
                .status
                .success()
        });
        assert!(self.mount(), "the disk comes back");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.mount).output();
    }
}

/// The power fails at moments of chance: every checkpoint that was followed by another is there, whole. A program
/// that does not sync (the control) loses its file on the same disk.
#[test]
fn a_power_cut_loses_no_checkpoint_and_the_control_does() {
    let bench = Bench::new();
    let Some(disk) = Disk::new(&bench) else {
        println!("SKIPPED: a power cut needs root, mkfs.ext4, a loop device and python3");
        return;
    };
    let (mut dice, all) = (Dice(5), count("NOISESCOPE_CUTS", 4));
    // The control: as a careless program replaces a file.
    let careless = disk.mount.join("careless");
    fs::write(&careless, vec![1; 100_000]).unwrap();
    fs::write(disk.mount.join("new"), vec![2; 100_000]).unwrap();
    fs::rename(disk.mount.join("new"), &careless).unwrap();
    // Time for the journal, in which names are, and not for what the file holds.
    std::thread::sleep(Duration::from_millis(1700));
    disk.cut();
    disk.again();
    let control = fs::read(&careless).unwrap_or_default();
    assert!(
        control != vec![2; 100_000],
        "the control lost nothing: this disk cannot show a loss"
    );
    let folder = disk.mount.join("sessions");
    new(&bench, &folder, "mine", 100_000_000);
    let store = Store::new(&folder);
    let mut before = 0;
    for number in 0..all {
        let mut child = bench
            .program()
            .env("NOISESCOPE_SESSIONS", &folder)
            .args(["run", "mine", "--plain"])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let done = || store.load("mine").map_or(0, |session| session.trials().0);
        wait_until("trials", || done() > before);
        std::thread::sleep(Duration::from_millis(dice.roll(400)));
        // Once the next one stands in its place, this one is on the disk.
        let earlier = done();
        wait_until("the next checkpoint", || done() > earlier);
        disk.cut();
        child.kill().unwrap();
        child.wait().unwrap();
        disk.again();
        let session = store
            .load("mine")
            .unwrap_or_else(|error| panic!("cut {number}: {error}"));
        let left = session.trials().0;
        assert!(
            left >= earlier,
            "cut {number}: {left} trials are left of {earlier}"
        );
        before = left;
    }
    println!("{all} power cuts: 0 lost; the control lost its file");
}
