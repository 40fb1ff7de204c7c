//! The line-by-line report of `doctor` and `verify`.

use std::fmt::Display;

use super::output::print_line;

/// The result of one check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckStatus {
    /// It works.
    Pass,
    /// It is absent or limited, which is acceptable.
    Absent,
    /// It should work and does not.
    Broken,
}

/// Prints results and remembers whether anything is broken.
#[derive(Default)]
pub struct Checklist {
    broken: bool,
}

impl Checklist {
    /// Whether any check so far was [`CheckStatus::Broken`].
    pub fn is_broken(&self) -> bool {
        self.broken
    }

    /// Prints a heading.
    pub fn title(&self, title: &str) {
        print_line(format_args!("\n{title}"));
    }

    /// Prints the result of one check, with an explanation.
    pub fn add(&mut self, verdict: CheckStatus, subject: &str, words: impl Display) {
        let mark = match verdict {
            CheckStatus::Pass => "ok",
            CheckStatus::Absent => "-",
            CheckStatus::Broken => "NO",
        };
        self.broken |= verdict == CheckStatus::Broken;
        print_line(format_args!("  {mark:<3} {subject:<16} {words}"));
    }
}
