//! The file that a network came from.

use serde::{Deserialize, Serialize};

use super::arrays;
use crate::session::array::Array;

/// A file that holds a network of its own, as it was when the session began.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// Where it lay.
    pub path: String,
    /// SHA-256 of it, and of the files of weights beside it, in hexadecimal.
    pub sha256: String,
    /// The file itself where it is small and alone, so that the session needs it only once; else
    /// empty.
    pub file: Array<u8>,
}

impl Model {
    /// Most bytes of a file that the session keeps.
    pub const MOST: usize = 8 << 20;
}

arrays!(Model: file);
