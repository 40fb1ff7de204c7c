//! What is worth saying of a set of images.

use std::fmt;
use std::ops::Deref;

/// A sentence about a set, and whether a person should look into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The sentence.
    pub text: String,
    /// Whether it may be wrong so: something is missing, or perhaps turned.
    pub warning: bool,
}

impl Note {
    /// For information only.
    pub fn info(text: String) -> Self {
        Self {
            text,
            warning: false,
        }
    }

    /// Something to look into.
    pub fn warning(text: String) -> Self {
        Self {
            text,
            warning: true,
        }
    }
}

impl Deref for Note {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Note {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(&self.text)
    }
}
