//! Words to the person, on streams that may be closed or full: losing a word must not end a run.

use std::fmt::Display;
use std::io::Write;

/// A line on standard output.
pub fn say(words: impl Display) {
    let _ = writeln!(std::io::stdout(), "{words}");
}

/// A paragraph on standard error, with the program's name before it.
pub fn complain(words: impl Display) {
    let _ = writeln!(std::io::stderr(), "noisescope: {words}");
}
