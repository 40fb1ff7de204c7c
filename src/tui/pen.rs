//! Frames on their way to the terminal.
//!
//! [`Painter`] turns a drawing into the bytes that change the last frame into it: none where
//! nothing changed. [`Pen`] writes them on a thread of its own, one frame at a time; while a slow
//! line still takes one, the next is not drawn, so a slow viewer sees fewer frames and the run
//! never waits.

use std::fs::File;
use std::io::{self, Write};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use ratatui::backend::{Backend, CrosstermBackend};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use tokio::sync::mpsc::UnboundedSender;

use super::input::Input;

/// Between these the terminal shows nothing half drawn (synchronized output, mode 2026).
const BEGIN: &[u8] = b"\x1b[?2026h";
const END: &[u8] = b"\x1b[?2026l";
const CLEAR: &[u8] = b"\x1b[0m\x1b[2J";

/// Two frames and the difference between them.
#[derive(Debug, Default)]
pub struct Painter {
    shown: Buffer,
    next: Buffer,
    clear: bool,
}

impl Painter {
    /// Forgets what the terminal shows: the next frame clears it and draws everything.
    pub fn forget(&mut self) {
        self.clear = true;
    }

    /// Draws a frame of this size with `draw`, and gives the bytes that bring the terminal there;
    /// empty where it already shows just that.
    pub fn paint(&mut self, size: (u16, u16), draw: impl FnOnce(Rect, &mut Buffer)) -> Vec<u8> {
        let area = Rect::new(0, 0, size.0, size.1);
        if self.shown.area != area || self.clear {
            self.shown = Buffer::empty(area);
            self.next = Buffer::empty(area);
            self.clear = true;
        }
        self.next.reset();
        draw(area, &mut self.next);
        let mut bytes = Vec::new();
        bytes.extend_from_slice(BEGIN);
        if std::mem::take(&mut self.clear) {
            bytes.extend_from_slice(CLEAR);
        }
        let empty = bytes.len() == BEGIN.len();
        let mut changes = self.shown.diff_iter(&self.next).peekable();
        if empty && changes.peek().is_none() {
            return Vec::new();
        }
        // Writing to a vector cannot fail.
        let _ = CrosstermBackend::new(&mut bytes).draw(changes);
        bytes.extend_from_slice(END);
        std::mem::swap(&mut self.shown, &mut self.next);
        bytes
    }
}

/// The thread that writes.
#[derive(Debug)]
pub struct Pen {
    frames: Option<mpsc::Sender<Vec<u8>>>,
    ended: mpsc::Receiver<()>,
}

impl Pen {
    /// Starts it. Each frame written is reported to `events`.
    ///
    /// # Errors
    /// Where no thread can be had.
    pub fn start(mut screen: File, events: UnboundedSender<Input>) -> io::Result<Self> {
        let (frames, inbox) = mpsc::channel::<Vec<u8>>();
        let (end, ended) = mpsc::channel();
        thread::Builder::new()
            .name("screen".into())
            .spawn(move || {
                // Dropped when the thread ends, which is what the other side waits for.
                let _end: mpsc::Sender<()> = end;
                for frame in inbox {
                    let written = screen.write_all(&frame);
                    if events.send(Input::Written(written)).is_err() {
                        break;
                    }
                }
            })?;
        Ok(Self {
            frames: Some(frames),
            ended,
        })
    }

    /// Sends one frame on its way. The caller waits for [`Input::Written`] before the next.
    pub fn write(&self, frame: Vec<u8>) {
        if let Some(frames) = &self.frames {
            let _ = frames.send(frame);
        }
    }
}

impl Drop for Pen {
    /// Lets the frame under way finish, but not for long: the line may be dead.
    fn drop(&mut self) {
        self.frames = None;
        let _ = self.ended.recv_timeout(Duration::from_millis(300));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::style::Style;

    fn say(painter: &mut Painter, size: (u16, u16), text: &str) -> String {
        let bytes = painter.paint(size, |_, buf| {
            buf.set_string(0, 0, text, Style::new());
        });
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_frame_that_changes_nothing_sends_nothing() {
        let mut painter = Painter::default();
        assert!(say(&mut painter, (10, 2), "noise").contains("noise"));
        assert_eq!(say(&mut painter, (10, 2), "noise"), "");
        let change = say(&mut painter, (10, 2), "noisy");
        assert!(
            change.contains('y') && !change.contains("nois"),
            "{change:?}"
        );
    }

    #[test]
    fn frames_are_synchronized_and_clear_only_at_a_new_size() {
        let mut painter = Painter::default();
        let first = say(&mut painter, (10, 2), "a");
        assert!(first.starts_with("\x1b[?2026h") && first.ends_with("\x1b[?2026l"));
        assert!(first.contains("\x1b[2J"));
        assert!(!say(&mut painter, (10, 2), "b").contains("\x1b[2J"));
        assert!(say(&mut painter, (12, 2), "b").contains("\x1b[2J"));
        painter.forget();
        assert!(say(&mut painter, (12, 2), "b").contains("\x1b[2J"));
    }
}
