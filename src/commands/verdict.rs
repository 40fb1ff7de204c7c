//! The line-by-line report of `doctor` and `verify`.

use std::fmt::Display;

use super::say::say;

/// The result of one check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It works.
    Works,
    /// It is absent or limited, which is acceptable.
    Without,
    /// It should work and does not.
    Broken,
}

/// Prints results and remembers whether anything is broken.
#[derive(Default)]
pub struct Report {
    broken: bool,
}

impl Report {
    /// Whether any check so far was [`Verdict::Broken`].
    pub fn is_broken(&self) -> bool {
        self.broken
    }

    /// Prints a heading.
    pub fn title(&self, title: &str) {
        say(format_args!("\n{title}"));
    }

    /// Prints the result of one check, with an explanation.
    pub fn line(&mut self, verdict: Verdict, subject: &str, words: impl Display) {
        let mark = match verdict {
            Verdict::Works => "ok",
            Verdict::Without => "-",
            Verdict::Broken => "NO",
        };
        self.broken |= verdict == Verdict::Broken;
        say(format_args!("  {mark:<3} {subject:<16} {words}"));
    }
}
