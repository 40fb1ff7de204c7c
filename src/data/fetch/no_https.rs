//! The mirrors of a build without the feature `fetch`: named, but not reached.

use super::Source;
use super::fault::{DeliveryError, SourceError};
use super::inbox::Inbox;

/// A public mirror, which this build cannot reach.
#[derive(Debug, Clone)]
pub struct HttpMirror {
    address: String,
}

impl HttpMirror {
    /// The public mirror at `address`.
    pub fn public(address: &str) -> Self {
        Self {
            address: address.to_owned(),
        }
    }
}

impl Source for HttpMirror {
    fn describe(&self) -> String {
        self.address.clone()
    }

    fn deliver(&self, _: &Inbox<'_>) -> Result<(), DeliveryError> {
        Err(SourceError::NoHttps.into())
    }
}
