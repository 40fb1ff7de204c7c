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
use super::theme::Background;

/// How long crossterm looks for an event; with no time at all it would not look.
const READ: Duration = Duration::from_millis(1);

/// One thing that happened at the terminal.
#[derive(Debug)]
pub enum Input {
    /// A key was pressed.
    Key(KeyEvent),
    /// Text was pasted.
    Pasted(String),
    /// The terminal has said what stands behind the text.
    Background(Background),
    /// A frame has been written, or could not be.
    Written(io::Result<()>),
    /// There is no terminal any more.
    Gone,
}

/// How long an answer about the background is waited for: what comes later would change the screen before
/// somebody's eyes.
const PATIENCE: Duration = Duration::from_secs(3);

/// How soon the rest of a terminal's answer follows.
const TOGETHER: Duration = Duration::from_millis(150);

/// Tells keys from what a terminal answers late to a question that nobody waits for any more: a string
/// that begins with APC, DCS or OSC reads as Alt-_, Alt-P or Alt-], what it says, and Alt-\.
#[derive(Debug, Default)]
struct Answers {
    /// When the last part of one came; `None` outside.
    inside: Option<Instant>,
    /// What it says so far, without what begins and ends it.
    text: String,
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
        if opens {
            self.text.clear();
        } else if let (true, false, KeyCode::Char(c)) = (goes_on, closes, key.code)
            && self.text.len() < LONGEST
        {
            self.text.push(c);
        }
        self.inside = (opens || goes_on && !closes).then_some(at);
        opens || goes_on
    }

    /// What the answer that has just ended says of the background, if it is about that.
    fn background(&mut self) -> Option<Background> {
        if self.inside.is_some() || self.text.is_empty() {
            return None;
        }
        background(&std::mem::take(&mut self.text))
    }
}

/// Characters of an answer that are kept.
const LONGEST: usize = 64;

/// What `11;rgb:ffff/ffff/ffff` says: a background of more than half the brightness is light.
fn background(answer: &str) -> Option<Background> {
    let colour = answer.strip_prefix("11;rgb")?;
    let colour = colour.trim_start_matches('a').strip_prefix(':')?;
    let share = |part: &str| {
        let most = 16_u32.checked_pow(part.len() as u32)?.checked_sub(1)?;
        let value = u32::from_str_radix(part, 16).ok()?;
        (most > 0).then(|| f64::from(value) / f64::from(most))
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
    began: Instant,
) -> io::Result<usize> {
    let mut count = 0;
    while !is_gone(keyboard) && event::poll(READ)? {
        count += 1;
        // Pasted text is no command; sizes are asked for, not told.
        let key = match event::read()? {
            Event::Key(key) if key.kind != KeyEventKind::Release => key,
            Event::Paste(text) => {
                if events.send(Input::Pasted(text)).is_err() {
                    return Err(io::ErrorKind::BrokenPipe.into());
                }
                continue;
            }
            _ => continue,
        };
        let now = Instant::now();
        let input = match answers.takes(&key, now) {
            false => Some(Input::Key(key)),
            true => {
                let said = answers.background();
                let timely = now.saturating_duration_since(began) < PATIENCE;
                said.filter(|_| timely).map(Input::Background)
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
    fn a_late_answer_of_the_terminal_is_no_key() {
        let soon = Duration::from_millis(1);
        assert_eq!(typed("a\x1b_Gi=31;OK\x1b\\q", soon), "aq");
        assert_eq!(typed("\x1b]11;rgb:0000/0000/0000\x07jj", soon), "jj");
        assert_eq!(typed("\x1bP1+r544e\x1b\\?", soon), "?");
    }

    #[test]
    fn what_a_terminal_says_of_its_background_is_heard() {
        let heard = |text: &str| {
            let (mut answers, at) = (Answers::default(), Instant::now());
            let mut heard = None;
            for key in keys(text) {
                if answers.takes(&key, at) {
                    heard = heard.or(answers.background());
                }
            }
            heard
        };
        let light = Some(Background::Light);
        assert_eq!(heard("\x1b]11;rgb:ffff/ffff/ffff\x1b\\"), light);
        assert_eq!(heard("\x1b]11;rgb:fd/f6/e3\x07"), light);
        let dark = Some(Background::Dark);
        assert_eq!(heard("\x1b]11;rgb:1e1e/1e1e/2e2e\x1b\\"), dark);
        assert_eq!(heard("\x1b]11;rgba:0000/0000/0000/ffff\x07"), dark);
        for other in [
            "\x1b]10;rgb:ffff/ffff/ffff\x07",
            "\x1b]11;rgb:\x07",
            "\x1b]11;rgb:zz/zz/zz\x07",
            "\x1b_Gi=31;OK\x1b\\",
            "11;rgb:ffff/ffff/ffff",
        ] {
            assert_eq!(heard(other), None, "{other:?}");
        }
    }

    #[test]
    fn what_a_person_types_after_the_key_that_begins_an_answer_is_typed() {
        assert_eq!(typed("\x1b_qS", Duration::from_millis(200)), "qS");
    }
}
