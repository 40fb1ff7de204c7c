//! Remarks on a data set.

use std::fmt;
use std::ops::Deref;

/// A sentence about a set, and whether the user should look into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatasetNote {
    /// The sentence.
    pub text: String,
    /// Whether something may be wrong: images missing, or possibly transposed.
    pub warning: bool,
}

impl DatasetNote {
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

impl Deref for DatasetNote {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for DatasetNote {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(&self.text)
    }
}
