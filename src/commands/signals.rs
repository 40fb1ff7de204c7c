//! The event loop, and the signals that the program handles, with their exit codes.

use std::future::poll_fn;
use std::task::Poll;

use rustix::process::{Resource, getrlimit};
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::CommandError;

/// Exit code after INT.
pub const INTERRUPTED: u8 = 130;
/// Exit code after TERM.
pub const TERMINATED: u8 = 143;
/// Exit code after USR1, when the job is requeued.
pub const REQUEUED: u8 = 138;
/// Exit code after HUP, or if the terminal vanished without one.
pub const HUNG_UP: u8 = 129;

/// Listener for INT, TERM and HUP.
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl Signals {
    /// Installs the handlers. Needs a runtime.
    ///
    /// # Errors
    /// If a handler cannot be installed.
    pub fn listen() -> Result<Self, CommandError> {
        let listen = |kind| signal(kind).map_err(unhandled);
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hang_up: listen(SignalKind::hangup())?,
        })
    }

    /// Waits for the next signal; returns its exit code.
    pub async fn next(&mut self) -> u8 {
        tokio::select! {
            _ = self.interrupt.recv() => INTERRUPTED,
            _ = self.terminate.recv() => TERMINATED,
            _ = self.hang_up.recv() => HUNG_UP,
        }
    }
}

/// What an engine does on a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignalAction {
    /// Write a checkpoint and continue.
    Checkpoint,
    /// Write a checkpoint and end with this exit code: 128 and the signal's number.
    Stop(u8),
}

/// Signal numbers of XCPU (CPU time limit) and XFSZ (file size limit), the same on Linux and macOS.
const CPU_LIMIT: i32 = 24;
const FILE_LIMIT: i32 = 25;

/// Listener for all signals that an engine handles.
pub struct EngineSignals {
    signals: Vec<(Signal, SignalAction)>,
    /// Handled so that a write beyond the limit is an error, like a full disk, and does not kill the process.
    _file_limit: Signal,
}

impl EngineSignals {
    /// Installs the handlers. Needs a runtime.
    fn listen() -> std::io::Result<Self> {
        let stops = [
            SignalKind::interrupt(),
            SignalKind::terminate(),
            SignalKind::hangup(),
            SignalKind::quit(),
            SignalKind::alarm(),
            SignalKind::user_defined2(),
            SignalKind::from_raw(CPU_LIMIT),
        ];
        let mut orders = vec![(
            signal(SignalKind::user_defined1())?,
            SignalAction::Checkpoint,
        )];
        for kind in stops {
            let code = u8::try_from(128 + kind.as_raw_value()).unwrap_or(u8::MAX);
            orders.push((signal(kind)?, SignalAction::Stop(code)));
        }
        Ok(Self {
            signals: orders,
            _file_limit: signal(SignalKind::from_raw(FILE_LIMIT))?,
        })
    }

    /// Waits for the next signal; returns the action.
    pub async fn next(&mut self) -> SignalAction {
        poll_fn(|context| {
            for (signal, order) in &mut self.signals {
                if let Poll::Ready(Some(())) = signal.poll_recv(context) {
                    return Poll::Ready(*order);
                }
            }
            Poll::Pending
        })
        .await
    }
}

/// An event loop with its signal handlers installed: signals are queued until they are awaited, so that none
/// interrupts a write in the meantime.
pub struct SignalLoop {
    /// The event loop.
    pub runtime: Runtime,
    /// The signals.
    pub signals: EngineSignals,
}

impl SignalLoop {
    /// Starts the event loop and installs the handlers.
    ///
    /// # Errors
    /// If either fails.
    pub fn start() -> Result<Self, CommandError> {
        let runtime = runtime()?;
        let orders = {
            let _inside = runtime.enter();
            EngineSignals::listen()
        };
        Ok(Self {
            runtime,
            signals: orders.map_err(unhandled)?,
        })
    }
}

/// Where the size of files is limited (`ulimit -f`): from now on a write beyond the limit is an error, like a full disk.
/// Without a handler it kills the process, which leaves what it was writing and says nothing.
///
/// # Errors
/// If the handler cannot be installed.
pub fn handle_file_limit() -> Result<(), CommandError> {
    if getrlimit(Resource::Fsize).current.is_none() {
        return Ok(());
    }
    let runtime = runtime()?;
    let _inside = runtime.enter();
    // It stays installed without the event loop.
    let installed = signal(SignalKind::from_raw(FILE_LIMIT)).map(drop);
    installed.map_err(unhandled)
}

fn unhandled(error: std::io::Error) -> CommandError {
    CommandError::Failed(format!("cannot handle signals: {error}"))
}

/// A new event loop for this thread.
///
/// # Errors
/// If the system cannot provide one.
pub fn runtime() -> Result<tokio::runtime::Runtime, CommandError> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| CommandError::Failed(format!("cannot start the event loop: {error}")))
}
