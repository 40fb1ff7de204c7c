//! [`TerminalEvent`], what the dashboard receives from the terminal, and [`KeyReader`], the thread that reads keys.
//!
//! Keys are read on a separate thread, which checks before every read that the terminal still exists:
//! crossterm reads a hung-up terminal forever (<https://github.com/crossterm-rs/crossterm/issues/793>). Its
//! feature `use-dev-tty` is needed: without it, a key that arrives together with a resize stays unread until
//! the next key, since readiness is signalled once and the resize consumes it.

use std::io::{self, PipeWriter};
use std::os::fd::OwnedFd;
use std::thread;
use std::time::{Duration, Instant};

use crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use rustix::event::{PollFd, PollFlags, poll};
use tokio::sync::mpsc::UnboundedSender;

use super::terminal::is_gone;
use super::theme::Background;

/// How long crossterm polls for an event; with zero it would not look.
const READ: Duration = Duration::from_millis(1);

/// One event at the terminal.
#[derive(Debug)]
pub enum TerminalEvent {
    /// A key was pressed.
    Key(KeyEvent),
    /// Text was pasted.
    Pasted(String),
    /// The terminal has reported its background.
    Background(Background),
    /// A frame has been written, or writing failed.
    Written(io::Result<()>),
    /// The terminal is gone.
    Gone,
}

/// How long to wait for an answer about the background: a later one would visibly change the screen.
const PATIENCE: Duration = Duration::from_secs(3);

/// The longest gap between two parts of a terminal's answer.
const TOGETHER: Duration = Duration::from_millis(150);

/// Separates keys from late terminal answers that nothing waits for any more: a string that begins with APC,
/// DCS or OSC reads as Alt-_, Alt-P or Alt-], its text, and Alt-\.
#[derive(Debug, Default)]
struct Answers {
    /// When the last part of an answer came; `None` outside one.
    inside: Option<Instant>,
    /// Its text so far, without the delimiters.
    text: String,
}

impl Answers {
    /// Whether a key event at this time is part of an answer, not a key.
    fn takes(&mut self, key: &KeyEvent, at: Instant) -> bool {
        let alt = key.modifiers.contains(KeyModifiers::ALT);
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        let continues = self
            .inside
            .is_some_and(|last| at.saturating_duration_since(last) < TOGETHER);
        let opens = alt && matches!(key.code, KeyCode::Char('_' | 'P' | ']'));
        let closes = match key.code {
            KeyCode::Char('\\') => alt,
            KeyCode::Char('g') => control,
            _ => false,
        };
        if opens {
            self.text.clear();
        } else if let (true, false, KeyCode::Char(c)) = (continues, closes, key.code)
            && self.text.len() < LONGEST
        {
            self.text.push(c);
        }
        self.inside = (opens || continues && !closes).then_some(at);
        opens || continues
    }

    /// The background reported by the answer that has just ended, if that is its subject.
    fn background(&mut self) -> Option<Background> {
        if self.inside.is_some() || self.text.is_empty() {
            return None;
        }
        background(&std::mem::take(&mut self.text))
    }
}

/// Maximum characters of an answer that are kept.
const LONGEST: usize = 64;

/// Parses `11;rgb:ffff/ffff/ffff`: a background of more than half the brightness is light.
fn background(answer: &str) -> Option<Background> {
    let colour = answer.strip_prefix("11;rgb")?;
    let colour = colour.trim_start_matches('a').strip_prefix(':')?;
    let share = |part: &str| {
        let largest = 16_u32.checked_pow(part.len() as u32)?.checked_sub(1)?;
        let value = u32::from_str_radix(part, 16).ok()?;
        (largest > 0).then(|| f64::from(value) / f64::from(largest))
    };
    let parts: Vec<f64> = colour.split('/').map(share).collect::<Option<_>>()?;
    let [r, g, b, ..] = parts[..] else {
        return None;
    };
    // Rec. 709.
    Some(match 0.2126 * r + 0.7152 * g + 0.0722 * b {
        ..0.5 => Background::Dark,
        _ => Background::Light,
    })
}

/// The thread that reads keys. Dropping this ends it, so that something else may read.
#[derive(Debug)]
pub struct KeyReader {
    alive: Option<PipeWriter>,
    thread: Option<thread::JoinHandle<()>>,
}

/// Why a wait for keys ended.
#[derive(Debug, PartialEq, Eq)]
enum Waited {
    /// A key is available.
    Key,
    /// The terminal is gone.
    Gone,
    /// The reader was dropped.
    Unwanted,
}

impl KeyReader {
    /// Starts the thread.
    ///
    /// # Errors
    /// If no thread or pipe can be created.
    pub fn start(keyboard: OwnedFd, events: UnboundedSender<TerminalEvent>) -> io::Result<Self> {
        let (alive, writer) = io::pipe()?;
        let keys = thread::Builder::new().name("keys".into());
        let thread = keys.spawn(move || {
            let mut answers = Answers::default();
            let began = Instant::now();
            let end = loop {
                match wait(&keyboard, &alive) {
                    Waited::Key => {}
                    end => break end,
                }
                match read(&keyboard, &events, &mut answers, began) {
                    Ok(0) => thread::sleep(Duration::from_millis(50)),
                    Ok(_) => {}
                    Err(_) => break Waited::Gone,
                }
            };
            if end == Waited::Gone {
                let _ = events.send(TerminalEvent::Gone);
            }
        })?;
        Ok(Self {
            alive: Some(writer),
            thread: Some(thread),
        })
    }
}

impl Drop for KeyReader {
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

/// Sends the available keys. Returns how many events there were.
fn read(
    keyboard: &OwnedFd,
    events: &UnboundedSender<TerminalEvent>,
    answers: &mut Answers,
    began: Instant,
) -> io::Result<usize> {
    let mut count = 0;
    while !is_gone(keyboard) && event::poll(READ)? {
        count += 1;
        // Pasted text is not a command; sizes are queried, not received.
        let key = match event::read()? {
            Event::Key(key) if key.kind != KeyEventKind::Release => key,
            Event::Paste(text) => {
                if events.send(TerminalEvent::Pasted(text)).is_err() {
                    return Err(io::ErrorKind::BrokenPipe.into());
                }
                continue;
            }
            _ => continue,
        };
        let now = Instant::now();
        let input = match answers.takes(&key, now) {
            false => Some(TerminalEvent::Key(key)),
            true => {
                let background = answers.background();
                let timely = now.saturating_duration_since(began) < PATIENCE;
                background.filter(|_| timely).map(TerminalEvent::Background)
            }
        };
        if let Some(input) = input
            && events.send(input).is_err()
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
    fn a_late_response_of_the_terminal_is_not_a_key() {
        let soon = Duration::from_millis(1);
        assert_eq!(typed("a\x1b_Gi=31;OK\x1b\\q", soon), "aq");
        assert_eq!(typed("\x1b]11;rgb:0000/0000/0000\x07jj", soon), "jj");
        assert_eq!(typed("\x1bP1+r544e\x1b\\?", soon), "?");
    }

    #[test]
    fn the_terminals_report_of_its_background_is_read() {
        let reported = |text: &str| {
            let (mut answers, at) = (Answers::default(), Instant::now());
            let mut reported = None;
            for key in keys(text) {
                if answers.takes(&key, at) {
                    reported = reported.or(answers.background());
                }
            }
            reported
        };
        let light = Some(Background::Light);
        assert_eq!(reported("\x1b]11;rgb:ffff/ffff/ffff\x1b\\"), light);
        assert_eq!(reported("\x1b]11;rgb:fd/f6/e3\x07"), light);
        let dark = Some(Background::Dark);
        assert_eq!(reported("\x1b]11;rgb:1e1e/1e1e/2e2e\x1b\\"), dark);
        assert_eq!(reported("\x1b]11;rgba:0000/0000/0000/ffff\x07"), dark);
        for other in [
            "\x1b]10;rgb:ffff/ffff/ffff\x07",
            "\x1b]11;rgb:\x07",
            "\x1b]11;rgb:zz/zz/zz\x07",
            "\x1b_Gi=31;OK\x1b\\",
            "11;rgb:ffff/ffff/ffff",
        ] {
            assert_eq!(reported(other), None, "{other:?}");
        }
    }

    #[test]
    fn keys_typed_after_one_that_could_begin_a_response_are_kept() {
        assert_eq!(typed("\x1b_qS", Duration::from_millis(200)), "qS");
    }
}
