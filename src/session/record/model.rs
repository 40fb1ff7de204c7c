//! The file that a network came from.

use serde::{Deserialize, Serialize};

use super::arrays;
use crate::session::array::Array;

/// A file that holds a whole network, as it was when the session began.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// Its path.
    pub path: String,
    /// Its SHA-256, over the weight files beside it too, in hexadecimal.
    pub sha256: String,
    /// The file itself if it is small and self-contained, so that the session needs it only once;
    /// otherwise empty.
    pub file: Array<u8>,
}

impl Model {
    /// Maximum size of a file that the session stores.
    pub const MAX_BYTES: usize = 8 << 20;
}

arrays!(Model: file);
