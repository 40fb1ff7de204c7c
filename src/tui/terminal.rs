//! Taking the terminal and giving it back: raw mode, alternate screen, cursor, pasting, whatever
//! way the program ends; and stepping aside at Ctrl-Z.
//!
//! Nothing here draws. The terminal is written to by a thread of its own ([`super::pen`]), so a
//! slow line never holds up the run.

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

/// Alternate screen, cleared once; cursor hidden; a pasted text arrives as one and not as keys.
const ENTER: &[u8] = b"\x1b[?1049h\x1b[2J\x1b[?25l\x1b[?2004h";
/// The same backwards, after closing a frame that was cut short and its colours.
const LEAVE: &[u8] = b"\x1b[?2026l\x1b[0m\x1b[?2004l\x1b[?25h\x1b[?1049l";

/// What a panic must know, wherever it happens: a hook takes no arguments.
static TAKEN: AtomicBool = AtomicBool::new(false);
static OWNER: Mutex<Option<ThreadId>> = Mutex::new(None);
static LATE: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// What stands behind the text of the one terminal of this process, once it has said so.
static BACKGROUND: Mutex<Option<Background>> = Mutex::new(None);

/// When the terminal was asked, while it has not answered.
static ASKED: Mutex<Option<Instant>> = Mutex::new(None);

/// How long an answer may be under way, and how long one leaves later for it: what came after that would be
/// typed into the shell.
const UNDER_WAY: Duration = Duration::from_secs(1);
const LINGER: Duration = Duration::from_millis(300);

/// What stands behind the text (OSC 11). The answer comes among the keys, if it comes.
const QUESTION: &[u8] = b"\x1b]11;?\x1b\\";

/// The terminal while it is ours. Dropping it gives it back.
#[derive(Debug)]
pub struct Terminal {
    keyboard: OwnedFd,
    screen: File,
}

impl Terminal {
    /// Takes the terminal: raw mode, alternate screen, no cursor.
    ///
    /// # Errors
    /// Where there is no terminal, or it refuses.
    pub fn enter() -> io::Result<Self> {
        let terminal = Self {
            keyboard: keyboard()?,
            screen: File::from(io::stdout().as_fd().try_clone_to_owned()?),
        };
        terminal.take()?;
        Ok(terminal)
    }

    /// Where keys come from.
    pub fn keyboard(&self) -> &OwnedFd {
        &self.keyboard
    }

    /// A second handle on the screen, for the thread that writes.
    ///
    /// # Errors
    /// Where the process has no file descriptor left.
    pub fn screen(&self) -> io::Result<File> {
        self.screen.try_clone()
    }

    /// Columns and rows; what a terminal that does not know is taken for is 80×24.
    pub fn size(&self) -> (u16, u16) {
        match rustix::termios::tcgetwinsize(&self.screen) {
            Ok(size) if size.ws_col > 0 && size.ws_row > 0 => (size.ws_col, size.ws_row),
            _ => (80, 24),
        }
    }

    /// Whether the other end is gone: the connection dropped, the window closed.
    pub fn is_gone(&self) -> bool {
        is_gone(&self.keyboard) || is_gone(&self.screen)
    }

    /// Takes the terminal (again, after a stop): harmless where it is taken already.
    ///
    /// # Errors
    /// Where the terminal refuses.
    pub fn take(&self) -> io::Result<()> {
        // After SIGCONT the shell has set its own modes, and crossterm believes that its own
        // still hold.
        let _ = disable_raw_mode();
        enable_raw_mode()?;
        if let Ok(mut owner) = OWNER.lock() {
            *owner = Some(thread::current().id());
        }
        TAKEN.store(true, Ordering::SeqCst);
        (&self.screen).write_all(ENTER)
    }

    /// Asks what stands behind the text. Nothing waits for the answer.
    pub fn ask_background(&self) {
        if let Ok(mut asked) = ASKED.lock() {
            *asked = Some(Instant::now());
        }
        // A terminal that cannot be written to is found out by the next frame.
        let _ = (&self.screen).write_all(QUESTION);
    }

    /// Steps aside for something that is written on the main screen; then [`Terminal::take`] it
    /// again.
    pub fn step_aside(&self) {
        give_back();
    }

    /// Steps aside as Ctrl-Z does: gives the terminal back and stops the whole job. Returns once
    /// somebody continues it; then [`Terminal::take`] it again.
    pub fn suspend(&self) {
        give_back();
        // The whole process group, as the terminal itself would: a parent that waits for this
        // process must stop with it, or the shell never gets its prompt back.
        let _ = rustix::process::kill_current_process_group(rustix::process::Signal::TSTP);
    }
}

impl Terminal {
    /// Takes an answer that is still under way, so that the shell does not.
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
            // Not eprintln!, which panics where the terminal is gone.
            let _ = writeln!(io::stderr(), "{message}");
        }
    }
}

/// What stands behind the text, where the terminal has said so.
pub(super) fn background() -> Option<Background> {
    BACKGROUND.lock().map(|own| *own).unwrap_or_default()
}

/// Takes note of what the terminal has said.
pub(super) fn has_background(background: Background) {
    if let Ok(mut asked) = ASKED.lock() {
        *asked = None;
    }
    if let Ok(mut own) = BACKGROUND.lock() {
        *own = Some(background);
    }
}

/// Makes a panic give the terminal back before its message is printed. Call it once, after any
/// other hook has been installed; without a dashboard on the screen it changes nothing.
///
/// A panic on another thread than the dashboard's does not end the dashboard: its message is kept
/// and printed once the terminal has been given back.
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

/// Gives the terminal back, once. Never blocks and never fails: there may be no terminal any more.
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

/// Where crossterm reads its keys from: standard input, or the terminal behind a redirected one.
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
    let flags = ask(fd, PollFlags::OUT, 200);
    flags.contains(PollFlags::OUT) && !flags.intersects(PollFlags::HUP | PollFlags::ERR)
}

fn ask(fd: &impl AsFd, events: PollFlags, millis: i64) -> PollFlags {
    let mut fds = [PollFd::new(fd, events)];
    let wait = Timespec {
        tv_sec: 0,
        tv_nsec: millis * 1_000_000,
    };
    match poll(&mut fds, Some(&wait)) {
        Ok(_) => fds[0].revents(),
        Err(_) => PollFlags::empty(),
    }
}
