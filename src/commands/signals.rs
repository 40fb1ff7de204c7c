//! The event loop, and the signals that end a program, with the exit codes they mean.

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::Refusal;

/// Exit code after INT.
pub const INTERRUPTED: u8 = 130;
/// Exit code after TERM.
pub const TERMINATED: u8 = 143;
/// Exit code after HUP, or where the terminal is gone without one.
pub const HUNG_UP: u8 = 129;

/// INT, TERM and HUP.
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl Signals {
    /// Takes them over from the system. Needs a runtime.
    ///
    /// # Errors
    /// Where the system does not give them, in words.
    pub fn listen() -> Result<Self, Refusal> {
        let listen = |kind| {
            signal(kind)
                .map_err(|error| Refusal::Failed(format!("cannot listen to signals: {error}")))
        };
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hang_up: listen(SignalKind::hangup())?,
        })
    }

    /// The exit code of the next one.
    pub async fn next(&mut self) -> u8 {
        tokio::select! {
            _ = self.interrupt.recv() => INTERRUPTED,
            _ = self.terminate.recv() => TERMINATED,
            _ = self.hang_up.recv() => HUNG_UP,
        }
    }
}

/// An event loop on this thread.
///
/// # Errors
/// Where the system gives none.
pub fn runtime() -> Result<tokio::runtime::Runtime, Refusal> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Refusal::Failed(format!("cannot start the event loop: {error}")))
}
