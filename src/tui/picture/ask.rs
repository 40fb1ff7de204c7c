//! Asks a terminal which graphics protocols it supports, with a time limit.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};

use super::Protocol;

/// Longest wait for an answer. Every terminal answers, a remote one late; an answer arriving after this
/// program has ended would be typed into the shell, so waiting is better than giving up.
pub const PATIENCE: Duration = Duration::from_millis(1500);

/// Asks whether a tiny image could be shown (kitty's query, which stores nothing), then for the terminal's
/// attributes: every terminal answers the second query, so its answer ends the wait for the first.
const QUESTION: &[u8] = b"\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\\x1b[c";

/// The graphics protocols that a terminal reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GraphicsSupport {
    /// It supports kitty's graphics protocol.
    pub kitty: bool,
    /// It supports sixel graphics.
    pub sixel: bool,
}

impl GraphicsSupport {
    /// The best protocol it supports; blocks if it reported none.
    pub fn protocol(self) -> Protocol {
        match self {
            Self { kitty: true, .. } => Protocol::Kitty,
            Self { sixel: true, .. } => Protocol::Sixel,
            _ => Protocol::Block,
        }
    }

    /// Parses the bytes of an answer; the flag tells whether it is complete.
    fn read(bytes: &[u8]) -> (Self, bool) {
        let text = String::from_utf8_lossy(bytes);
        let kitty = text.contains("\x1b_Gi=31;OK");
        // `CSI ? 62 ; 4 ; 22 c`: attribute 4 is sixel.
        let attributes = text.split("\x1b[?").skip(1).find_map(|rest| {
            let end = rest.find('c')?;
            let attributes = &rest[..end];
            attributes
                .chars()
                .all(|c| c.is_ascii_digit() || c == ';')
                .then_some(attributes)
        });
        let sixel =
            attributes.is_some_and(|codes| codes.split(';').skip(1).any(|code| code == "4"));
        (Self { kitty, sixel }, attributes.is_some())
    }
}

/// Asks this process's terminal. Any failure counts as no answer.
pub fn terminal() -> GraphicsSupport {
    converse().unwrap_or_default()
}

fn converse() -> io::Result<GraphicsSupport> {
    let mut tty = OpenOptions::new().read(true).write(true).open("/dev/tty")?;
    let raw = Raw::enter(&tty)?;
    tty.write_all(QUESTION)?;
    tty.flush()?;
    let end = Instant::now() + PATIENCE;
    let mut received = Vec::new();
    let mut answer = (GraphicsSupport::default(), false);
    while !answer.1 && is_readable(&tty, end.saturating_duration_since(Instant::now())) {
        let mut buffer = [0; 256];
        let count = tty.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        received.extend_from_slice(&buffer[..count]);
        answer = GraphicsSupport::read(&received);
    }
    drop(raw);
    Ok(answer.0)
}

fn is_readable(tty: &File, wait: Duration) -> bool {
    let mut fds = [PollFd::new(tty, PollFlags::IN)];
    let wait = Timespec {
        tv_sec: wait.as_secs() as i64,
        tv_nsec: i64::from(wait.subsec_nanos()),
    };
    poll(&mut fds, Some(&wait)).is_ok_and(|ready| ready > 0)
}

/// The terminal without echo and line buffering, until dropped.
struct Raw {
    tty: std::os::fd::OwnedFd,
    before: Termios,
}

impl Raw {
    fn enter(tty: &File) -> io::Result<Self> {
        let tty = tty.as_fd().try_clone_to_owned()?;
        let before = tcgetattr(&tty)?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(&tty, OptionalActions::Now, &raw)?;
        Ok(Self { tty, before })
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        // Input after the wait was given up must not be echoed as if typed.
        let _ = tcsetattr(&self.tty, OptionalActions::Flush, &self.before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn responses_are_read_whatever_comes_between() {
        let read = |text: &str| GraphicsSupport::read(text.as_bytes());
        let (kitty, sixel) = (true, true);
        let none = GraphicsSupport::default();
        assert_eq!(
            read("\x1b_Gi=31;OK\x1b\\\x1b[?62;52;c"),
            (GraphicsSupport { kitty, ..none }, true)
        );
        assert_eq!(
            read("q\x1b[?62;4;22c"),
            (GraphicsSupport { sixel, ..none }, true)
        );
        assert_eq!(read("\x1b[?64;14;44c"), (none, true));
        assert_eq!(read("\x1b_Gi=31;ENOTSUP:no\x1b\\\x1b[?6c"), (none, true));
        // Half an answer, and the 4 of the class of terminal.
        assert_eq!(read("\x1b[?62;4"), (none, false));
        assert_eq!(read("\x1b[?4;6c"), (none, true));
    }
}
