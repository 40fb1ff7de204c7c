//! Starts an engine as a separate process and waits until it is reachable.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::CommandError;
use super::machine::MachineArgs;
use crate::files;
use crate::session::store::Store;

/// How long an engine may take to open its socket.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long an engine that holds the lock may take to open its socket.
const SOCKET_PATIENCE: Duration = Duration::from_secs(2);
/// A log longer than this is replaced when the next engine starts.
const LOG_BYTES: u64 = 4 << 20;

/// An engine that has started.
#[derive(Debug, Clone, Copy)]
pub struct SpawnedEngine {
    /// Its process id.
    pub pid: u32,
}

/// Path of this program, even if its file has been replaced since it started.
pub fn this_program() -> PathBuf {
    let program = std::env::current_exe()
        .ok()
        .filter(|program| program.exists());
    program.unwrap_or_else(|| "/proc/self/exe".into())
}

/// Opens the log of a session's engines for appending.
///
/// # Errors
/// The system's error.
pub fn open_log(log: &Path) -> std::io::Result<std::fs::File> {
    if std::fs::metadata(log).is_ok_and(|metadata| metadata.len() > LOG_BYTES) {
        // A failure here only leaves a long log.
        let _ = std::fs::remove_file(log);
    }
    files::append(log)
}

/// Starts the engine of an existing session and waits until viewers can reach it. The session's lock
/// must be free.
///
/// # Errors
/// The engine's last message if it ended immediately.
pub fn start(
    store: &Store,
    data: &Path,
    name: &str,
    machine: &MachineArgs,
) -> Result<SpawnedEngine, CommandError> {
    let log = store.log_path(name);
    let file = open_log(&log).map_err(|error| {
        CommandError::Failed(format!("{}: cannot open the log: {error}", log.display()))
    })?;
    let began = file.metadata().map_or(0, |metadata| metadata.len());
    let mut command = Command::new(this_program());
    command
        .arg("--sessions")
        .arg(store.folder())
        .arg("--data")
        .arg(data)
        .args(["engine", name, "--device", &machine.device]);
    if let Some(workers) = machine.workers {
        command.args(["--workers", &workers.to_string()]);
    }
    if let Some(launch) = machine.launch {
        command.args(["--launch", &launch.to_string()]);
    }
    if let Some(rounding) = machine.tf32 {
        command.arg(format!("--tf32={}", rounding.word()));
    }
    if let Some(exact) = machine.exact {
        command.args(["--exact", exact.word()]);
    }
    if machine.accept_inputs {
        command.arg("--accept-inputs");
    }
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(file)
        .spawn()
        .map_err(|error| CommandError::Failed(format!("cannot start the engine: {error}")))?;
    let pid = child.id();
    let mut deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if let Some(engine) = store.engine(name).filter(|engine| engine.pid == pid) {
            if engine.socket.is_some() {
                reap(child);
                return Ok(SpawnedEngine { pid });
            }
            deadline = deadline.min(Instant::now() + SOCKET_PATIENCE);
        }
        if let Ok(Some(_)) = child.try_wait() {
            return Err(CommandError::Failed(last_words(&log, began)));
        }
        std::thread::sleep(Duration::from_millis(3));
    }
    // It runs without a socket, so no viewer can connect; its log says why.
    reap(child);
    Ok(SpawnedEngine { pid })
}

/// Collects the engine's exit code when it ends, so that it does not become a zombie.
fn reap(mut child: Child) {
    std::thread::spawn(move || child.wait());
}

/// The last message in the engine's log after byte `from`.
fn last_words(log: &Path, from: u64) -> String {
    let text = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(text.get(from as usize..).unwrap_or_default()).into_owned();
    let words = text
        .trim()
        .rsplit("noisescope: ")
        .next()
        .unwrap_or_default();
    if words.is_empty() {
        format!("the engine ended without a message; see {}", log.display())
    } else {
        words.to_owned()
    }
}
