//! What an examination says, line by line.

use std::fmt::Display;

use super::say::say;

/// What is thought of one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It works.
    Works,
    /// It is not there, and nothing needs it.
    Without,
    /// It does not work and should.
    Broken,
}

/// What has been said so far, and whether anything is broken.
#[derive(Default)]
pub struct Report {
    broken: bool,
}

impl Report {
    /// Whether anything does not work that should.
    pub fn is_broken(&self) -> bool {
        self.broken
    }

    /// A heading.
    pub fn title(&self, title: &str) {
        say(format_args!("\n{title}"));
    }

    /// What is thought of something, and why.
    pub fn line(&mut self, verdict: Verdict, what: &str, words: impl Display) {
        let mark = match verdict {
            Verdict::Works => "ok",
            Verdict::Without => "-",
            Verdict::Broken => "NO",
        };
        self.broken |= verdict == Verdict::Broken;
        say(format_args!("  {mark:<3} {what:<16} {words}"));
    }
}
