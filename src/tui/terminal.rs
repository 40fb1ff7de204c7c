//! Takes control of the terminal and restores it: raw mode, alternate screen, cursor, pasting, however the
//! program ends; and suspends at Ctrl-Z.
//!
//! Nothing here draws. A separate thread (`frame_writer`) writes to the terminal, so a slow line never delays
//! the run.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use crossterm::terminal::{disable_raw_mode, enable_raw_mode};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::theme::Background;

/// Alternate screen, cleared once; hidden cursor; bracketed paste, so that pasted text does not arrive as
/// keys.
const ENTER: &[u8] = b"\x1b[?1049h\x1b[2J\x1b[?25l\x1b[?2004h";
/// Undoes [`ENTER`], after ending a truncated frame and resetting its colours.
const LEAVE: &[u8] = b"\x1b[?2026l\x1b[0m\x1b[?2004l\x1b[?25h\x1b[?1049l";

/// State for the panic hook, which takes no arguments.
static TAKEN: AtomicBool = AtomicBool::new(false);
static OWNER: Mutex<Option<ThreadId>> = Mutex::new(None);
static LATE: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// The background reported by this process's only terminal, if any.
static BACKGROUND: Mutex<Option<Background>> = Mutex::new(None);

/// When the terminal was asked for its background, until it answers.
static ASKED: Mutex<Option<Instant>> = Mutex::new(None);

/// How long an answer may be in transit, and how long to wait for it before leaving: an answer arriving later
/// would be typed into the shell.
const UNDER_WAY: Duration = Duration::from_secs(1);
const LINGER: Duration = Duration::from_millis(300);

/// How long a slow line may take to accept what restores the terminal: a last frame may still be on its way.
const DRAINING: Duration = Duration::from_secs(10);

/// Asks for the background colour (OSC 11). The answer, if any, arrives among the keys.
const QUESTION: &[u8] = b"\x1b]11;?\x1b\\";

/// The terminal while this program controls it. Dropping it restores it.
#[derive(Debug)]
pub struct Terminal {
    keyboard: OwnedFd,
    screen: File,
}

impl Terminal {
    /// Takes the terminal: raw mode, alternate screen, no cursor.
    ///
    /// # Errors
    /// If there is no terminal, or it fails.
    pub fn enter() -> io::Result<Self> {
        let terminal = Self {
            keyboard: keyboard()?,
            screen: File::from(io::stdout().as_fd().try_clone_to_owned()?),
        };
        terminal.take()?;
        Ok(terminal)
    }

    /// The source of keys.
    pub fn keyboard(&self) -> &OwnedFd {
        &self.keyboard
    }

    /// A second handle on the screen, for the thread that writes.
    ///
    /// # Errors
    /// If the process has no file descriptor left.
    pub fn screen(&self) -> io::Result<File> {
        self.screen.try_clone()
    }

    /// Columns and rows; 80×24 if the terminal does not know.
    pub fn size(&self) -> (u16, u16) {
        match rustix::termios::tcgetwinsize(&self.screen) {
            Ok(size) if size.ws_col > 0 && size.ws_row > 0 => (size.ws_col, size.ws_row),
            _ => (80, 24),
        }
    }

    /// Whether the other end is gone: the connection dropped or the window closed.
    pub fn is_gone(&self) -> bool {
        is_gone(&self.keyboard) || is_gone(&self.screen)
    }

    /// Takes control of the terminal, also again after a stop; harmless if already in control.
    ///
    /// # Errors
    /// If the terminal fails.
    pub fn take(&self) -> io::Result<()> {
        // After SIGCONT the shell has set its own modes, while crossterm believes that its own still hold.
        let _ = disable_raw_mode();
        enable_raw_mode()?;
        if let Ok(mut owner) = OWNER.lock() {
            *owner = Some(thread::current().id());
        }
        TAKEN.store(true, Ordering::SeqCst);
        (&self.screen).write_all(ENTER)
    }

    /// Asks for the background. Nothing waits for the answer.
    pub fn ask_background(&self) {
        if let Ok(mut asked) = ASKED.lock() {
            *asked = Some(Instant::now());
        }
        // If the terminal cannot be written to, the next frame finds out.
        let _ = (&self.screen).write_all(QUESTION);
    }

    /// Releases the terminal for output on the main screen; afterwards, [`Terminal::take`] it again.
    pub fn step_aside(&self) {
        give_back();
    }

    /// Suspends as Ctrl-Z does: restores the terminal and stops the whole job. Returns once it is continued;
    /// then [`Terminal::take`] the terminal again.
    pub fn suspend(&self) {
        give_back();
        // The whole process group, as the terminal itself would: a parent that waits for this
        // process must stop with it, or the shell never gets its prompt back.
        let _ = rustix::process::kill_current_process_group(rustix::process::Signal::TSTP);
    }
}

impl Terminal {
    /// Consumes an answer still in transit, so that the shell does not get it.
    fn await_answer(&self) {
        let asked = ASKED
            .lock()
            .map(|mut asked| asked.take())
            .unwrap_or_default();
        if asked.is_some_and(|at| at.elapsed() < UNDER_WAY) && TAKEN.load(Ordering::SeqCst) {
            let waited = ask(&self.keyboard, PollFlags::IN, LINGER.as_millis() as i64);
            if waited.contains(PollFlags::IN) {
                let _ = rustix::termios::tcflush(
                    &self.keyboard,
                    rustix::termios::QueueSelector::IFlush,
                );
            }
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.await_answer();
        give_back();
        let late = LATE.lock().map(|mut late| std::mem::take(&mut *late));
        for message in late.unwrap_or_default() {
            // Not eprintln!, which panics if the terminal is gone.
            let _ = writeln!(io::stderr(), "{message}");
        }
    }
}

/// The background, if the terminal has reported it.
pub(super) fn background() -> Option<Background> {
    BACKGROUND
        .lock()
        .map(|background| *background)
        .unwrap_or_default()
}

/// Records the background that the terminal has reported.
pub(super) fn has_background(background: Background) {
    if let Ok(mut asked) = ASKED.lock() {
        *asked = None;
    }
    if let Ok(mut known) = BACKGROUND.lock() {
        *known = Some(background);
    }
}

/// Makes a panic restore the terminal before its message is printed. Call it once, after any other hook has
/// been installed; without a dashboard on the screen it changes nothing.
///
/// A panic on a thread other than the dashboard's does not end the dashboard: its message is kept and printed
/// once the terminal has been restored.
pub fn install_panic_hook() {
    let next = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if TAKEN.load(Ordering::SeqCst) {
            let owner = OWNER.lock().map(|owner| *owner).unwrap_or_default();
            if owner != Some(thread::current().id()) {
                if let Ok(mut late) = LATE.lock() {
                    let name = thread::current().name().unwrap_or("unnamed").to_string();
                    late.push(format!("thread '{name}' {info}"));
                }
                return;
            }
            give_back();
        }
        next(info);
    }));
}

/// Restores the terminal, once. Never fails, and waits only for a line that is slow: the terminal may be gone.
fn give_back() {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    let out = io::stdout();
    if is_writable(&out)
        && let Ok(fd) = out.as_fd().try_clone_to_owned()
    {
        let _ = File::from(fd).write_all(LEAVE);
    }
    let _ = disable_raw_mode();
}

/// Where crossterm reads keys: standard input, or the terminal if input is redirected.
fn keyboard() -> io::Result<OwnedFd> {
    let input = io::stdin();
    if input.is_terminal() {
        input.as_fd().try_clone_to_owned()
    } else {
        Ok(File::open("/dev/tty")?.into())
    }
}

/// Whether the other end of this terminal is gone.
pub(super) fn is_gone(fd: &impl AsFd) -> bool {
    let flags = ask(fd, PollFlags::IN, 0);
    flags.intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL)
}

fn is_writable(fd: &impl AsFd) -> bool {
    let flags = ask(fd, PollFlags::OUT, DRAINING.as_millis() as i64);
    flags.contains(PollFlags::OUT) && !flags.intersects(PollFlags::HUP | PollFlags::ERR)
}

fn ask(fd: &impl AsFd, events: PollFlags, millis: i64) -> PollFlags {
    let mut fds = [PollFd::new(fd, events)];
    let wait = Timespec {
        tv_sec: millis / 1000,
        tv_nsec: millis % 1000 * 1_000_000,
    };
    loop {
        match poll(&mut fds, Some(&wait)) {
            Ok(_) => return fds[0].revents(),
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => return PollFlags::empty(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn a_terminal_on_a_slow_line_is_waited_for_and_one_that_is_gone_is_not() {
        let (mut screen, mut reader) = UnixStream::pair().unwrap();
        screen.set_nonblocking(true).unwrap();
        while screen.write_all(&[0; 4096]).is_ok() {}
        let line = thread::spawn(move || {
            thread::sleep(Duration::from_millis(400));
            reader.set_nonblocking(true).unwrap();
            while let Ok(1..) = reader.read(&mut [0; 65536]) {}
            reader
        });
        assert!(is_writable(&screen));
        drop(line.join().unwrap());
        assert!(!is_writable(&screen));
    }
}
