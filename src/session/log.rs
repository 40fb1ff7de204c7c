//! Reading the log that an engine leaves beside its session, while no engine runs.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use super::run::{LOG_LINES, LogLine};

/// Number of bytes read from the end of a log.
const TAIL: u64 = 64 << 10;

/// The last lines of a log, oldest first, at most as many as a run keeps; empty if there is no log.
pub fn tail(path: &Path) -> Vec<LogLine> {
    let bytes = end_of(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let mut lines: Vec<LogLine> = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let time = lines.last().map_or(0, |last| last.at);
        lines.push(read(line, time));
    }
    lines.split_off(lines.len().saturating_sub(LOG_LINES))
}

/// The end of a file, starting at a line boundary.
fn end_of(path: &Path) -> io::Result<Vec<u8>> {
    // Opening a named pipe would block until a writer appears.
    if !fs::metadata(path)?.is_file() {
        return Ok(Vec::new());
    }
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let from = length.saturating_sub(TAIL);
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.take(TAIL).read_to_end(&mut bytes)?;
    if from > 0 {
        let first = bytes.iter().position(|&byte| byte == b'\n');
        bytes.drain(..first.map_or(0, |newline| newline + 1));
    }
    Ok(bytes)
}

/// Parses a line such as `2026-11-26T16:02:11.5Z  INFO text`; a line in any other form is kept whole,
/// with the time of the line before.
fn read(line: &str, before: i64) -> LogLine {
    let mut words = line.splitn(2, char::is_whitespace);
    let time = words
        .next()
        .and_then(|word| word.parse::<jiff::Timestamp>().ok());
    let rest = words.next().unwrap_or_default().trim_start();
    let level = ["ERROR", "WARN", "INFO", "DEBUG", "TRACE"]
        .into_iter()
        .find_map(|level| Some((level, rest.strip_prefix(level)?)));
    match (time, level) {
        (Some(time), Some((level, text))) => LogLine {
            at: time.as_second(),
            text: text.trim_start().to_owned(),
            warning: matches!(level, "ERROR" | "WARN"),
        },
        _ => LogLine {
            at: before,
            text: line.to_owned(),
            warning: false,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_a_log_are_read_with_their_times() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.log");
        assert_eq!(tail(&path), []);
        let text = "2026-11-26T16:02:11.250000Z  INFO memory: about 91 MB\n\
                    2026-11-26T16:02:12.000001Z  WARN no checkpoint: the disk is full\n\
                    noisescope: aborted\n";
        fs::write(&path, text).unwrap();
        let lines = tail(&path);
        let time = "2026-11-26T16:02:11Z".parse::<jiff::Timestamp>().unwrap();
        let line = |after: i64, text: &str, warning: bool| LogLine {
            at: time.as_second() + after,
            text: text.into(),
            warning,
        };
        assert_eq!(
            lines,
            [
                line(0, "memory: about 91 MB", false),
                line(1, "no checkpoint: the disk is full", true),
                line(1, "noisescope: aborted", false),
            ]
        );
    }

    #[test]
    fn only_the_last_whole_lines_of_a_long_log_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.log");
        let text: String = (0..9000).map(|i| format!("line {i}\n")).collect();
        fs::write(&path, text).unwrap();
        let lines = tail(&path);
        assert_eq!(lines.len(), LOG_LINES);
        assert_eq!(lines.last().unwrap().text, "line 8999");
        let long = "x".repeat(2 * TAIL as usize);
        fs::write(&path, format!("{long}\nthe end\n")).unwrap();
        assert_eq!(end_of(&path).unwrap(), b"the end\n");
        assert_eq!(tail(&path).len(), 1);
    }
}
