//! [`OpenScreen`], the terminal taken over for a screen, and what its event loop waits for.

use std::io;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::frame_writer::FrameWriter;
use super::input::{KeyReader, TerminalEvent};
use super::options::DisplayOptions;
use super::terminal::Terminal;

/// How often the clock ticks: displayed ages are updated, and a terminal that is gone is noticed.
const TICK: Duration = Duration::from_secs(1);

/// The terminal taken over for a screen, and what its event loop waits for.
pub struct OpenScreen {
    /// The terminal; dropping it restores it.
    pub terminal: Terminal,
    /// Where keys and frames report to, for a reader and a writer started later.
    pub events: UnboundedSender<TerminalEvent>,
    /// What they have reported.
    pub inbox: UnboundedReceiver<TerminalEvent>,
    /// The thread that reads keys.
    pub keys: KeyReader,
    /// The thread that writes frames.
    pub pen: FrameWriter,
    /// The terminal has another size.
    pub resized: Signal,
    /// The program continues after a stop.
    pub continued: Signal,
    /// Ticks every second.
    pub clock: Interval,
}

impl OpenScreen {
    /// Takes the terminal and starts its threads.
    ///
    /// # Errors
    /// If there is no terminal, it fails, or a thread cannot be started.
    pub fn enter(options: &DisplayOptions) -> io::Result<Self> {
        let terminal = Terminal::enter()?;
        let (events, inbox) = unbounded_channel();
        let (keys, pen) = start_threads(&terminal, &events)?;
        if options.asks_background() {
            terminal.ask_background();
        }
        let resized = signal(SignalKind::window_change())?;
        let continued = signal(SignalKind::from_raw(rustix::process::Signal::CONT.as_raw()))?;
        let mut clock = interval(TICK);
        clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Ok(Self {
            terminal,
            events,
            inbox,
            keys,
            pen,
            resized,
            continued,
            clock,
        })
    }
}

/// Starts the threads that read keys and write frames.
///
/// # Errors
/// If one cannot be started.
pub fn start_threads(
    terminal: &Terminal,
    events: &UnboundedSender<TerminalEvent>,
) -> io::Result<(KeyReader, FrameWriter)> {
    let keys = KeyReader::start(terminal.keyboard().try_clone()?, events.clone())?;
    let pen = FrameWriter::start(terminal.screen()?, events.clone())?;
    Ok((keys, pen))
}
