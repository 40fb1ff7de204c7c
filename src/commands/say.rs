//! Words to the person, on streams that may be closed or full: losing a word must not end a run.

use std::fmt::Display;
use std::io::Write;

use crate::format::clean;

/// A line on standard output.
pub fn say(words: impl Display) {
    let _ = writeln!(std::io::stdout(), "{words}");
}

/// A paragraph on standard error, with the program's name before it. It may quote files, whose letters must not
/// steer the terminal.
pub fn complain(words: impl Display) {
    let words = words.to_string();
    let lines: Vec<String> = words.lines().map(clean).collect();
    let _ = writeln!(std::io::stderr(), "noisescope: {}", lines.join("\n"));
}
