//! Shared by the tests with real processes: a small data set, the program, and waiting for it.
#![allow(dead_code)] // each test program uses only a part

pub mod dice;
pub mod pty;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use noisescope::data::idx;
use noisescope::session::Session;
use noisescope::session::store::Store;

/// A temporary folder for one test: sessions, data, output.
pub struct Bench {
    pub folder: tempfile::TempDir,
}

impl Bench {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("sessions")).unwrap();
        Self { folder }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn store(&self) -> Store {
        Store::new(self.path("sessions"))
    }

    pub fn load(&self, name: &str) -> Session {
        self.store().load(name).unwrap()
    }

    /// The program with this test's folders.
    pub fn program(&self) -> Command {
        self.program_of(env!("CARGO_BIN_EXE_noisescope"))
    }

    /// Another program with this test's folders.
    pub fn program_of(&self, path: &str) -> Command {
        let mut command = Command::new(path);
        command
            .env("NOISESCOPE_SESSIONS", self.path("sessions"))
            .env("NOISESCOPE_DATA", self.path("data"))
            .env("XDG_RUNTIME_DIR", self.folder.path())
            .env_remove("RUST_BACKTRACE")
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub fn output(&self, arguments: &[&str]) -> Output {
        self.program().args(arguments).output().unwrap()
    }

    /// Runs the program and expects success; returns standard output.
    pub fn succeed(&self, arguments: &[&str]) -> String {
        let output = self.output(arguments);
        assert!(output.status.success(), "{arguments:?}\n{}", both(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs the program and expects it to fail with this exit code; returns standard error, which must be one paragraph.
    pub fn refuse(&self, code: i32, arguments: &[&str]) -> String {
        let output = self.output(arguments);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{arguments:?}\n{}",
            both(&output)
        );
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(!error.trim_end().contains("\n\n"), "one paragraph: {error}");
        error
    }
}

/// The option `--set` for each of these settings.
pub fn set_options(settings: impl IntoIterator<Item = String>) -> Vec<String> {
    let settings = settings.into_iter();
    settings
        .flat_map(|setting| ["--set".to_owned(), setting])
        .collect()
}

/// A command's arguments followed by the options of a plan.
pub fn with_plan<'a>(arguments: &[&'a str], plan: &'a [String]) -> Vec<&'a str> {
    let options = plan.iter().map(String::as_str);
    arguments.iter().copied().chain(options).collect()
}

/// Options for a small network on small images, with more trials than any test waits for.
pub fn endless(bench: &Bench) -> Vec<String> {
    set_options([
        bench.bars(400, 100, 28),
        "network=(kind: Logistic, weights: Train((epochs: 2)))".into(),
        "analyses=[ClassificationImages((gammas: [0.0, 0.4], trials: 1000000000))]".into(),
        "checkpoint_s=0.3".into(),
    ])
}

impl Bench {
    /// Writes a small data set, unless there is one, and returns the setting that selects it; see [`small_set`].
    pub fn bars(&self, train: usize, test: usize, side: usize) -> String {
        let folder = self.path("bars");
        if !folder.exists() {
            small_set(&folder, train, test, side);
        }
        format!("dataset.source=Folder({folder:?})")
    }

    /// Starts a run with these options, in the foreground.
    pub fn start(&self, name: &str, plan: &[String], more: &[&str]) -> Child {
        let mut program = self.program();
        program.args(["run", name, "--plain"]).args(plan).args(more);
        program.spawn().unwrap()
    }

    /// Runs a session with these options to its end.
    pub fn run(&self, name: &str, plan: &[String], more: &[&str]) -> Session {
        let arguments = with_plan(&["run", name, "--plain"], plan);
        self.succeed(&[&arguments[..], more].concat());
        self.load(name)
    }

    /// Starts an endless run in the background and waits for its first trials; returns its process id.
    pub fn run_in_background(&self, name: &str) -> u32 {
        self.succeed(&with_plan(&["run", name, "--detach"], &endless(self)));
        self.wait_for_trials(name, 0);
        self.store().engine(name).expect("an engine runs").pid
    }

    /// Waits until the session file has more than this many trials.
    pub fn wait_for_trials(&self, name: &str, more_than: u64) {
        wait_until("more trials", || {
            self.store()
                .load(name)
                .is_ok_and(|session| session.trials().0 > more_than)
        });
    }
}

impl Drop for Bench {
    /// Kills engines that still run, so that none outlives its test.
    fn drop(&mut self) {
        for name in self.store().names().unwrap_or_default() {
            if let Some(engine) = self.store().engine(&name) {
                let _ = Command::new("kill")
                    .args(["-9", &engine.pid.to_string()])
                    .status();
            }
        }
    }
}

/// Standard output followed by standard error.
pub fn both(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// Writes the four IDX files of a small data set: class k is a bright bar at column 2 + 2k over noise.
pub fn small_set(folder: &Path, train: usize, test: usize, side: usize) {
    fs::create_dir_all(folder).unwrap();
    for (split, count) in [("train", train), ("t10k", test)] {
        let mut pixels = vec![0_u8; count * side * side];
        let labels: Vec<u8> = (0..count).map(|i| (i % 10) as u8).collect();
        let mut state = 12345_u32 + count as u32;
        for (i, pixel) in pixels.iter_mut().enumerate() {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let column = i % side;
            let class = usize::from(labels[i / (side * side)]);
            let bar = column / 2 == 1 + class;
            *pixel = if bar { 200 } else { 0 } + (state >> 27) as u8;
        }
        let images = File::create(folder.join(format!("{split}-images-idx3-ubyte"))).unwrap();
        idx::write_images(images, &pixels, side, side).unwrap();
        let file = File::create(folder.join(format!("{split}-labels-idx1-ubyte"))).unwrap();
        idx::write_labels(file, &labels).unwrap();
    }
}

/// A bench with a finished session `done`: a small network and its maps at γ 0.4.
pub fn finished() -> Bench {
    let bench = Bench::new();
    let set = bench.bars(200, 50, 28);
    bench.succeed(&[
        "run",
        "done",
        "--plain",
        "--set",
        &set,
        "--set",
        "network=(kind: Logistic, weights: Train((epochs: 1)))",
        "--set",
        "analyses=[ClassificationImages((gammas: [0.4], trials: 5000))]",
    ]);
    bench
}

/// Waits until `done` is true; panics with `what` after a minute.
pub fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "waited a minute for {what}"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Sends a process the signal of this name.
pub fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill")
        .args([&format!("-{name}"), &child.id().to_string()])
        .status();
    assert!(sent.unwrap().success());
}
