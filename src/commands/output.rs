//! Output to the user, ignoring write errors: a closed or full stream must not end a run.

use std::fmt::Display;
use std::io::Write;

use crate::format::clean;

/// Prints a line to standard output.
pub fn print_line(words: impl Display) {
    let _ = writeln!(std::io::stdout(), "{words}");
}

/// Prints a paragraph to standard error, prefixed with the program's name. It may quote files, so control characters
/// are removed.
pub fn complain(words: impl Display) {
    let words = words.to_string();
    let lines: Vec<String> = words.lines().map(clean).collect();
    let _ = writeln!(std::io::stderr(), "noisescope: {}", lines.join("\n"));
}
