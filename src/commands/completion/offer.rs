//! What could come next on a command line, as the scripts of the shells read it.

use crate::format::clean;

/// A word that could come next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The word.
    pub word: String,
    /// What it is, on one line; empty if there is nothing to say.
    pub about: String,
}

impl Candidate {
    /// A word, and what it is.
    pub fn new(word: impl Into<String>, about: impl Into<String>) -> Self {
        Self {
            word: word.into(),
            about: about.into(),
        }
    }
}

/// The names in the file system that could come next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paths {
    /// Files and folders.
    Files,
    /// Folders only.
    Folders,
}

/// Everything that could come next.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Offer {
    /// Words.
    pub words: Vec<Candidate>,
    /// Paths, which the shell lists itself.
    pub paths: Option<Paths>,
}

impl Offer {
    /// As the scripts read it: a line for each word, with a tab before what it is; then `:files` or `:folders`.
    pub fn lines(&self) -> String {
        let mut lines = String::new();
        for Candidate { word, about } in &self.words {
            // The scripts take such a line for something else.
            if word.starts_with(':') || word.contains(char::is_control) {
                continue;
            }
            lines.push_str(word);
            let about = clean(about);
            let about: Vec<&str> = about.split_whitespace().collect();
            if !about.is_empty() {
                lines.push('\t');
                lines.push_str(&about.join(" "));
            }
            lines.push('\n');
        }
        match self.paths {
            Some(Paths::Files) => lines.push_str(":files\n"),
            Some(Paths::Folders) => lines.push_str(":folders\n"),
            None => {}
        }
        lines
    }
}
