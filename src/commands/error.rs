//! Why a command failed, and its exit code.

use std::fmt;

use crate::engine::device::DeviceError;
use crate::session::config::ConfigError;
use crate::session::setting::SettingError;
use crate::session::store::StoreError;

/// Why a command failed; determines the message and the exit code.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// A session file cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A `--set` is invalid.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// A config cannot be run.
    #[error("{0}")]
    Invalid(#[from] ConfigError),
    /// A device is not available.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// The command line is wrong; says what to do instead.
    #[error("{0}")]
    Usage(String),
    /// The command failed while running.
    #[error("{0}")]
    Failed(String),
}

impl CommandError {
    /// Exit code: 2 for a mistake in the command line or config, 1 for a failure.
    pub(super) fn code(&self) -> u8 {
        match self {
            Self::Setting(_) | Self::Invalid(_) | Self::Device(_) | Self::Usage(_) => 2,
            Self::Store(
                StoreError::Syntax { .. }
                | StoreError::Invalid { .. }
                | StoreError::Name(_)
                | StoreError::Missing { .. }
                | StoreError::Newer { .. },
            ) => 2,
            Self::Store(_) | Self::Failed(_) => 1,
        }
    }

    /// A failure while running.
    pub(super) fn failed(error: impl fmt::Display) -> Self {
        Self::Failed(error.to_string())
    }
}
