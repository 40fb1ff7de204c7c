//! What reaches the dashboard from the terminal: keys, frames that have been written, its end.
//!
//! Keys are read on a thread of their own, which asks the terminal whether it still lives before
//! every read: crossterm reads a hung-up terminal for ever
//! (<https://github.com/crossterm-rs/crossterm/issues/793>). Its feature `use-dev-tty` is needed:
//! without it, a key that comes together with a change of size stays unread until the next key,
//! since readiness is told once and the size takes it.

use std::io::{self, PipeWriter};
use std::os::fd::OwnedFd;
use std::thread;
use std::time::Duration;

use crossterm::event::{self, Event, KeyEvent, KeyEventKind};
use rustix::event::{PollFd, PollFlags, poll};
use tokio::sync::mpsc::UnboundedSender;

use super::terminal::is_gone;

/// How long crossterm looks for an event; with no time at all it would not look.
const READ: Duration = Duration::from_millis(1);

/// One thing that happened at the terminal.
#[derive(Debug)]
pub enum Input {
    /// A key was pressed.
    Key(KeyEvent),
    /// A frame has been written, or could not be.
    Written(io::Result<()>),
    /// There is no terminal any more.
    Gone,
}

/// The thread that reads keys. It has ended once this is dropped, so that somebody else may read.
#[derive(Debug)]
pub struct Keys {
    alive: Option<PipeWriter>,
    thread: Option<thread::JoinHandle<()>>,
}

/// What a wait for keys ended with.
#[derive(Debug, PartialEq, Eq)]
enum Waited {
    /// There is a key.
    Key,
    /// The terminal is gone.
    Gone,
    /// Nobody wants keys any more.
    Unwanted,
}

impl Keys {
    /// Starts it.
    ///
    /// # Errors
    /// Where no thread or pipe can be had.
    pub fn start(keyboard: OwnedFd, events: UnboundedSender<Input>) -> io::Result<Self> {
        let (alive, writer) = io::pipe()?;
        let keys = thread::Builder::new().name("keys".into());
        let thread = keys.spawn(move || {
            let end = loop {
                match wait(&keyboard, &alive) {
                    Waited::Key => {}
                    end => break end,
                }
                match read(&keyboard, &events) {
                    Ok(0) => thread::sleep(Duration::from_millis(50)),
                    Ok(_) => {}
                    Err(_) => break Waited::Gone,
                }
            };
            if end == Waited::Gone {
                let _ = events.send(Input::Gone);
            }
        })?;
        Ok(Self {
            alive: Some(writer),
            thread: Some(thread),
        })
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        self.alive = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Waits for a key.
fn wait(keyboard: &OwnedFd, alive: &io::PipeReader) -> Waited {
    loop {
        let mut fds = [
            PollFd::new(keyboard, PollFlags::IN),
            PollFd::new(alive, PollFlags::IN),
        ];
        match poll(&mut fds, None) {
            Err(rustix::io::Errno::INTR) => continue,
            Err(_) => return Waited::Gone,
            Ok(_) => {}
        }
        let over = PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL;
        if !fds[1].revents().is_empty() {
            return Waited::Unwanted;
        }
        if fds[0].revents().intersects(over) {
            return Waited::Gone;
        }
        if fds[0].revents().contains(PollFlags::IN) {
            return Waited::Key;
        }
    }
}

/// Passes on the keys that are there. Gives how many events that were.
fn read(keyboard: &OwnedFd, events: &UnboundedSender<Input>) -> io::Result<usize> {
    let mut count = 0;
    while !is_gone(keyboard) && event::poll(READ)? {
        count += 1;
        // Pasted text is no command; sizes are asked for, not told.
        if let Event::Key(key) = event::read()?
            && key.kind != KeyEventKind::Release
            && events.send(Input::Key(key)).is_err()
        {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
    }
    Ok(count)
}
