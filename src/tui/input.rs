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
use std::time::{Duration, Instant};

use crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
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

/// How soon the rest of a terminal's answer follows.
const TOGETHER: Duration = Duration::from_millis(150);

/// Tells keys from what a terminal answers late to a question that nobody waits for any more: a string
/// that begins with APC, DCS or OSC reads as Alt-_, Alt-P or Alt-], what it says, and Alt-\.
#[derive(Debug, Default)]
struct Answers {
    /// When the last part of one came; `None` outside.
    inside: Option<Instant>,
}

impl Answers {
    /// Whether an event that came at this time is a part of an answer, and no key.
    fn takes(&mut self, key: &KeyEvent, at: Instant) -> bool {
        let alt = key.modifiers.contains(KeyModifiers::ALT);
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        let goes_on = self
            .inside
            .is_some_and(|last| at.saturating_duration_since(last) < TOGETHER);
        let opens = alt && matches!(key.code, KeyCode::Char('_' | 'P' | ']'));
        let closes = match key.code {
            KeyCode::Char('\\') => alt,
            KeyCode::Char('g') => control,
            _ => false,
        };
        self.inside = (opens || goes_on && !closes).then_some(at);
        opens || goes_on
    }
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
            let mut answers = Answers::default();
            let end = loop {
                match wait(&keyboard, &alive) {
                    Waited::Key => {}
                    end => break end,
                }
                match read(&keyboard, &events, &mut answers) {
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
fn read(
    keyboard: &OwnedFd,
    events: &UnboundedSender<Input>,
    answers: &mut Answers,
) -> io::Result<usize> {
    let mut count = 0;
    while !is_gone(keyboard) && event::poll(READ)? {
        count += 1;
        // Pasted text is no command; sizes are asked for, not told.
        if let Event::Key(key) = event::read()?
            && key.kind != KeyEventKind::Release
            && !answers.takes(&key, Instant::now())
            && events.send(Input::Key(key)).is_err()
        {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> Vec<KeyEvent> {
        let mut chars = text.chars();
        let mut keys = Vec::new();
        while let Some(c) = chars.next() {
            keys.push(match c {
                '\x1b' => KeyEvent::new(
                    KeyCode::Char(chars.next().unwrap_or(' ')),
                    KeyModifiers::ALT,
                ),
                '\x07' => KeyEvent::new(KeyCode::Char('g'), KeyModifiers::CONTROL),
                c => KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE),
            });
        }
        keys
    }

    fn typed(text: &str, gap: Duration) -> String {
        let (mut answers, mut at) = (Answers::default(), Instant::now());
        let mut left = String::new();
        for key in keys(text) {
            at += gap;
            if !answers.takes(&key, at)
                && let KeyCode::Char(c) = key.code
            {
                left.push(c);
            }
        }
        left
    }

    #[test]
    fn a_late_answer_of_the_terminal_is_no_key() {
        let soon = Duration::from_millis(1);
        assert_eq!(typed("a\x1b_Gi=31;OK\x1b\\q", soon), "aq");
        assert_eq!(typed("\x1b]11;rgb:0000/0000/0000\x07jj", soon), "jj");
        assert_eq!(typed("\x1bP1+r544e\x1b\\?", soon), "?");
    }

    #[test]
    fn what_a_person_types_after_the_key_that_begins_an_answer_is_typed() {
        assert_eq!(typed("\x1b_qS", Duration::from_millis(200)), "qS");
    }
}
