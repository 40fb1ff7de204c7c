//! Output to the user. A failed write does not end a command, since a closed or full stream must not end a run; but a
//! command whose output was lost does not end with exit code 0.

use std::borrow::Cow;
use std::fmt::Display;
use std::fs;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::OnceLock;

use clap::error::{ContextKind, ContextValue, ErrorKind as ParseErrorKind};

use crate::format::{clean, with_ascii_minus};
use crate::tui::theme::can_draw;

/// The first failed write to standard output.
static LOST: OnceLock<io::Error> = OnceLock::new();

/// Prints a line to standard output.
pub fn print_line(words: impl Display) {
    remember(writeln!(io::stdout(), "{words}"));
}

/// Prints a report on a session to standard output.
pub fn print_report(text: &str) {
    print_text(&*for_reader(text, io::stdout().is_terminal()));
}

/// A report for its reader: unchanged on a terminal, else with hyphens for minus signs, since no program reads a minus sign
/// as part of a number.
fn for_reader(text: &str, is_terminal: bool) -> Cow<'_, str> {
    match is_terminal {
        true => text.into(),
        false => with_ascii_minus(text).into(),
    }
}

/// Prints a whole text to standard output.
pub fn print_text(text: impl AsRef<[u8]>) {
    let mut out = io::stdout().lock();
    remember(out.write_all(text.as_ref()).and_then(|()| out.flush()));
}

/// Files of more bytes than this take noticeably long to read where other programs keep the processors busy.
const LONG: u64 = 1 << 20;

/// A line on the terminal that says what is being read, until it is dropped.
#[derive(Debug)]
pub struct ReadingLine;

impl ReadingLine {
    /// Says what is being read, if its files are long and the terminal can erase the line again.
    pub fn show(what: &str, files: impl IntoIterator<Item = PathBuf>) -> Option<Self> {
        let lengths = files.into_iter().filter_map(|path| fs::metadata(path).ok());
        let bytes: u64 = lengths.map(|about| about.len()).sum();
        if bytes <= LONG || !can_draw() {
            return None;
        }
        print_text(format!("reading {what} …"));
        Some(Self)
    }
}

impl Drop for ReadingLine {
    fn drop(&mut self) {
        print_text("\r\x1b[K");
    }
}

/// Prints what ended the parsing of a command line, help or a version to standard output or a refusal to standard error,
/// and returns its exit code.
pub fn print_end_of_parsing(end: clap::Error) -> ExitCode {
    let end = without_false_tip(end);
    let printed = end.print().and_then(|()| io::stdout().flush());
    if !end.use_stderr() {
        remember(printed);
    }
    ExitCode::from(u8::try_from(end.exit_code()).unwrap_or(2))
}

/// Removes clap's tip to give an unknown option as a value, after `--`, unless the command takes such words: it would be
/// the name of a session.
fn without_false_tip(mut end: clap::Error) -> clap::Error {
    let usage = end.get(ContextKind::Usage).map(ToString::to_string);
    let takes_words = usage.is_some_and(|usage| usage.contains("[-- "));
    if end.kind() != ParseErrorKind::UnknownArgument || takes_words {
        return end;
    }
    if let Some(ContextValue::StyledStrs(mut tips)) = end.remove(ContextKind::Suggested) {
        tips.retain(|tip| !tip.to_string().contains("as a value"));
        if !tips.is_empty() {
            end.insert(ContextKind::Suggested, ContextValue::StyledStrs(tips));
        }
    }
    end
}

/// Remembers a failed write for [`checked`]. A closed pipe is no failure: the reader has seen enough.
fn remember(written: io::Result<()>) {
    if let Err(error) = written
        && error.kind() != ErrorKind::BrokenPipe
    {
        // Only the first is kept.
        let _ = LOST.set(error);
    }
}

/// The exit code of a command that ends with `code`: a failure if output was lost, which is reported.
pub fn checked(code: ExitCode) -> ExitCode {
    let Some(error) = LOST.get() else {
        return code;
    };
    complain(format_args!(
        "standard output could not be written: {error}"
    ));
    match code == ExitCode::SUCCESS {
        true => ExitCode::FAILURE,
        false => code,
    }
}

/// Prints a paragraph to standard error, prefixed with the program's name. It may quote files, so control characters
/// are removed.
pub fn complain(words: impl Display) {
    tell(format_args!("noisescope: {words}"));
}

/// Prints a paragraph to standard error that is not a complaint. Control characters are removed.
pub fn tell(words: impl Display) {
    let words = words.to_string();
    let lines: Vec<String> = words.lines().map(clean).collect();
    let _ = writeln!(io::stderr(), "{}", lines.join("\n"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_gets_numbers_that_a_program_can_read() {
        assert_eq!(for_reader("R −0.12", false), "R -0.12");
        assert_eq!(for_reader("R −0.12", true), "R −0.12");
    }
}
