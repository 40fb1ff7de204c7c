//! Runs an external program without input and with a time limit, and keeps its output for error messages.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::fault::SourceError;

/// Name of the file for a program's output, in the folder in which it runs.
const OUTPUT: &str = "output.txt";

const POLL: Duration = Duration::from_millis(20);

/// Runs `program` in `folder` and waits until it is done, for at most `limit`.
///
/// # Errors
/// [`SourceError::NoProgram`], [`SourceError::ProgramTooSlow`], or [`SourceError::ProgramFailed`] with its output.
pub(super) fn run(
    program: &Path,
    arguments: &[&str],
    folder: &Path,
    limit: Duration,
) -> Result<(), SourceError> {
    let name = program_name(program);
    let failed = |reason: String| SourceError::ProgramFailed {
        program: name.clone(),
        reason,
    };
    let output = folder.join(OUTPUT);
    let streams = File::create(&output).and_then(|file| Ok((file.try_clone()?, file)));
    let (stdout, stderr) = streams.map_err(|error| failed(error.to_string()))?;
    let mut child = match Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(stdout)
        .stderr(stderr)
        .spawn()
    {
        Ok(child) => child,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(SourceError::NoProgram { program: name });
        }
        Err(error) => return Err(failed(error.to_string())),
    };
    match wait(&mut child, limit) {
        Err(error) => Err(failed(error.to_string())),
        Ok(None) => Err(SourceError::ProgramTooSlow {
            program: name,
            limit,
        }),
        Ok(Some(status)) if status.success() => Ok(()),
        Ok(Some(status)) => Err(failed(format!("{status}{}", excerpt(&output)))),
    }
}

/// A program's file name.
pub(super) fn program_name(program: &Path) -> String {
    program
        .file_name()
        .unwrap_or(program.as_os_str())
        .to_string_lossy()
        .into_owned()
}

/// Waits for the child; its exit status, or `None` if it took too long and was killed.
fn wait(child: &mut Child, limit: Duration) -> io::Result<Option<ExitStatus>> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if start.elapsed() >= limit {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(POLL);
    }
}

/// The most relevant lines of a program's output, joined into one line without control characters.
fn excerpt(output: &Path) -> String {
    const MOST_BYTES: u64 = 16 * 1024;
    const MOST_LINES: usize = 3;
    const MOST_CHARS: usize = 240;

    let mut bytes = Vec::new();
    let read = File::open(output).and_then(|file| file.take(MOST_BYTES).read_to_end(&mut bytes));
    if read.is_err() {
        return String::new();
    }
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    let errors: Vec<&str> = lines
        .iter()
        .copied()
        .filter(|line| is_error(line))
        .collect();
    let telling = if errors.is_empty() { lines } else { errors };
    let line = telling[..telling.len().min(MOST_LINES)].join(" | ");
    let line: String = line
        .chars()
        .filter(|character| !character.is_control())
        .take(MOST_CHARS)
        .collect();
    if line.is_empty() {
        String::new()
    } else {
        format!(" ({line})")
    }
}

/// Whether a line looks like an error message of apt or npm.
fn is_error(line: &str) -> bool {
    line.starts_with("E:") || line.contains("ERR!") || line.contains("error")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, limit: Duration) -> Result<(), SourceError> {
        let folder = tempfile::tempdir().unwrap();
        run(Path::new("sh"), &["-c", script], folder.path(), limit)
    }

    const AMPLE: Duration = Duration::from_secs(20);

    #[test]
    fn a_program_gets_empty_standard_input() {
        shell("cat", AMPLE).unwrap();
    }

    #[test]
    fn a_failure_quotes_the_programs_output() {
        let error = shell(
            "echo fetching; printf 'E: no \\033[31mroute\\n' >&2; exit 3",
            AMPLE,
        )
        .unwrap_err();
        assert_eq!(
            error.to_string(),
            "sh failed: exit status: 3 (E: no [31mroute)"
        );
    }

    #[test]
    fn a_hanging_program_is_killed() {
        let start = Instant::now();
        let error = shell("exec sleep 60", Duration::from_millis(100)).unwrap_err();
        assert!(
            matches!(error, SourceError::ProgramTooSlow { .. }),
            "{error}"
        );
        assert!(start.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn a_program_that_is_not_installed_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = run(Path::new("noisescope-no-such"), &[], folder.path(), AMPLE).unwrap_err();
        assert_eq!(error.to_string(), "noisescope-no-such is not installed");
    }
}
