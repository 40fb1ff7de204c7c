//! The event loop, and the signals that a program hears, with the exit codes they mean.

use std::future::poll_fn;
use std::task::Poll;

use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::Refusal;

/// Exit code after INT.
pub const INTERRUPTED: u8 = 130;
/// Exit code after TERM.
pub const TERMINATED: u8 = 143;
/// Exit code after USR1, where the run has asked for its place in the scheduler's queue again.
pub const REQUEUED: u8 = 138;
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

/// What a signal asks of an engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Write a checkpoint and go on.
    Checkpoint,
    /// Write a checkpoint and end with this exit code: 128 and the signal's number.
    Stop(u8),
}

/// XCPU, the soft limit of processor time, and XFSZ, a file that would be longer than allowed: the same numbers
/// on Linux and macOS.
const CPU_LIMIT: i32 = 24;
const FILE_LIMIT: i32 = 25;

/// All that an engine hears.
pub struct Orders {
    orders: Vec<(Signal, Order)>,
    /// A write beyond the limit is then an error like a full disk, and not the end.
    _file_limit: Signal,
}

impl Orders {
    /// Takes the signals over from the system. Needs a runtime.
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
        let mut orders = vec![(signal(SignalKind::user_defined1())?, Order::Checkpoint)];
        for kind in stops {
            let code = u8::try_from(128 + kind.as_raw_value()).unwrap_or(u8::MAX);
            orders.push((signal(kind)?, Order::Stop(code)));
        }
        Ok(Self {
            orders,
            _file_limit: signal(SignalKind::from_raw(FILE_LIMIT))?,
        })
    }

    /// The next one.
    pub async fn next(&mut self) -> Order {
        poll_fn(|context| {
            for (signal, order) in &mut self.orders {
                if let Poll::Ready(Some(())) = signal.poll_recv(context) {
                    return Poll::Ready(*order);
                }
            }
            Poll::Pending
        })
        .await
    }
}

/// An event loop that has taken the signals over already: whatever comes from now on is heard once somebody
/// listens, so that nothing that is written meanwhile is cut off.
pub struct Ready {
    /// The event loop.
    pub runtime: Runtime,
    /// The signals.
    pub orders: Orders,
}

impl Ready {
    /// Takes the signals over now.
    ///
    /// # Errors
    /// Where the system does not give them, in words.
    pub fn now() -> Result<Self, Refusal> {
        let runtime = runtime()?;
        let orders = {
            let _inside = runtime.enter();
            Orders::listen()
        };
        let orders = orders
            .map_err(|error| Refusal::Failed(format!("cannot listen to signals: {error}")))?;
        Ok(Self { runtime, orders })
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
