//! Writes frames to the terminal.
//!
//! [`Painter`] turns a drawing into the bytes that change the last frame into it: none if nothing changed. If
//! they exceed the line's budget, the map pixels that changed least wait for a later frame. [`FrameWriter`] writes
//! the bytes on its own thread, one frame at a time; while a slow line is still transmitting one, the next is
//! not drawn, so a slow viewer sees fewer frames and the run never waits.

use std::fs::File;
use std::io::{self, Write};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::text::Span;
use tokio::sync::mpsc::UnboundedSender;

use super::cell_encoder::CellEncoder;
use super::input::TerminalEvent;
use super::theme::MapPalette;

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
    behind: bool,
}

/// How many bytes a frame may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameBudget {
    /// Everything that changed.
    All,
    /// At most this many bytes: the map pixels that changed least are left for later, as many as necessary.
    Bytes(usize),
}

impl Painter {
    /// Forgets the terminal's contents: the next frame clears it and draws everything.
    pub fn forget(&mut self) {
        self.clear = true;
    }

    /// Whether the last frame postponed pixels to stay within its budget.
    pub fn is_behind(&self) -> bool {
        self.behind
    }

    /// Draws a frame of this size with `draw`, and returns the bytes that update the terminal; empty if
    /// nothing changed.
    pub fn paint(
        &mut self,
        size: (u16, u16),
        palette: &MapPalette,
        room: FrameBudget,
        draw: impl FnOnce(Rect, &mut Buffer),
    ) -> Vec<u8> {
        let area = Rect::new(0, 0, size.0, size.1);
        if self.shown.area != area || self.clear {
            self.shown = Buffer::empty(area);
            self.next = Buffer::empty(area);
            self.clear = true;
        }
        self.next.reset();
        draw(area, &mut self.next);
        distrust_clusters(&mut self.shown, &self.next);
        let clear = std::mem::take(&mut self.clear);
        let changes: Vec<Change<'_>> = self
            .shown
            .diff_iter(&self.next)
            .map(|(x, y, new)| Change {
                x,
                y,
                new,
                size: change(&self.shown[(x, y)], new, palette),
            })
            .collect();
        self.behind = false;
        if changes.is_empty() && !clear {
            return Vec::new();
        }
        let (body, least) = fitting(&changes, room);
        let waiting: Vec<(u16, u16)> = changes
            .iter()
            .filter(|change| change.size < least)
            .map(|change| (change.x, change.y))
            .collect();
        let nothing = waiting.len() == changes.len() && !clear;
        self.behind = !waiting.is_empty();
        for position in waiting {
            self.next[position] = self.shown[position].clone();
        }
        std::mem::swap(&mut self.shown, &mut self.next);
        if nothing {
            return Vec::new();
        }
        let clear = if clear { CLEAR } else { b"" };
        [BEGIN, clear, body.as_slice(), END].concat()
    }
}

/// Marks cells of the last frame of which it is not known what the terminal shows: those beside a cluster of
/// several characters that comes or goes. A terminal may give each character its own columns, more than the
/// cluster has in a frame, and then erases only the character that is overwritten.
fn distrust_clusters(shown: &mut Buffer, next: &Buffer) {
    let width = usize::from(shown.area.width);
    let mut marked: Vec<usize> = Vec::new();
    let mut marked_until = 0;
    for (at, (old, new)) in shown.content.iter().zip(&next.content).enumerate() {
        if old == new && at >= marked_until {
            continue;
        }
        let most = separate_columns(old.symbol()).max(separate_columns(new.symbol()));
        if most > 1 {
            let row_end = (at / width + 1) * width;
            let end = (at + most).min(row_end);
            marked.extend(at + Span::raw(new.symbol()).width().max(1)..end);
            marked_until = marked_until.max(end);
        }
    }
    for at in marked {
        // Equal to no cell that is drawn.
        shown.content[at].set_symbol("\u{fffd}").modifier = Modifier::all();
    }
}

/// The most columns that a cluster takes on a terminal that shows its characters one by one; 1 for a single
/// character, which every terminal erases as a whole.
fn separate_columns(symbol: &str) -> usize {
    if symbol.chars().nth(1).is_none() {
        return 1;
    }
    let columns = symbol.chars().map(|c| match c {
        // Half of a flag: one column or two.
        '\u{1f1e6}'..='\u{1f1ff}' => 2,
        c => Span::raw(&*c.encode_utf8(&mut [0; 4])).width(),
    });
    columns.sum()
}

/// A cell that differs from what the terminal shows.
struct Change<'a> {
    x: u16,
    y: u16,
    new: &'a Cell,
    /// In colour steps; [`WHOLE`] unless it was and remains a pixel of a map.
    size: usize,
}

/// The size of a change that cannot wait.
const WHOLE: usize = usize::MAX;

fn change(old: &Cell, new: &Cell, palette: &MapPalette) -> usize {
    if old.symbol() != new.symbol() || old.modifier != new.modifier {
        return WHOLE;
    }
    let steps = |old, new| match old == new {
        true => Some(0),
        false => palette.steps(old, new),
    };
    match (steps(old.fg, new.fg), steps(old.bg, new.bg)) {
        (Some(front), Some(back)) => front.max(back),
        _ => WHOLE,
    }
}

/// The bytes of the changes that fit, and the smallest size among them.
fn fitting(changes: &[Change<'_>], room: FrameBudget) -> (Vec<u8>, usize) {
    let written = |least: usize| {
        let mut ink = CellEncoder::new();
        for change in changes.iter().filter(|change| change.size >= least) {
            ink.cell(change.x, change.y, change.new);
        }
        ink.finish()
    };
    let all = written(0);
    let FrameBudget::Bytes(budget) = room else {
        return (all, 0);
    };
    if all.len() <= budget {
        return (all, 0);
    }
    // The smallest size that fits lies above `low` and at or below `high`.
    let mut sizes: Vec<usize> = changes.iter().map(|change| change.size).collect();
    sizes.sort_unstable();
    sizes.dedup();
    let (mut low, mut high) = (0, sizes.len() - 1);
    while high - low > 1 {
        let middle = low.midpoint(high);
        if written(sizes[middle]).len() <= budget {
            high = middle;
        } else {
            low = middle;
        }
    }
    // If even the largest changes do not fit, they are sent anyway.
    let least = sizes[high];
    (written(least), least)
}

/// The thread that writes frames.
#[derive(Debug)]
pub struct FrameWriter {
    frames: Option<mpsc::Sender<Vec<u8>>>,
    ended: mpsc::Receiver<()>,
}

impl FrameWriter {
    /// Starts the thread. Each frame written is reported to `events`.
    ///
    /// # Errors
    /// If the thread cannot be started.
    pub fn start(mut screen: File, events: UnboundedSender<TerminalEvent>) -> io::Result<Self> {
        let (frames, inbox) = mpsc::channel::<Vec<u8>>();
        let (end, ended) = mpsc::channel();
        thread::Builder::new()
            .name("screen".into())
            .spawn(move || {
                // Dropped when the thread ends, which is what the other side waits for.
                let _end: mpsc::Sender<()> = end;
                for frame in inbox {
                    let written = screen.write_all(&frame);
                    if events.send(TerminalEvent::Written(written)).is_err() {
                        break;
                    }
                }
            })?;
        Ok(Self {
            frames: Some(frames),
            ended,
        })
    }

    /// Queues one frame. The caller waits for [`TerminalEvent::Written`] before the next.
    pub fn write(&self, frame: Vec<u8>) {
        if let Some(frames) = &self.frames {
            let _ = frames.send(frame);
        }
    }
}

impl Drop for FrameWriter {
    /// Lets the current frame finish, but not for long: the line may be dead.
    fn drop(&mut self) {
        self.frames = None;
        let _ = self.ended.recv_timeout(Duration::from_millis(300));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::theme::{Background, Depth};
    use ratatui::style::{Color, Style};

    fn say(painter: &mut Painter, size: (u16, u16), text: &str) -> String {
        let palette = MapPalette::new(Depth::True, Background::Dark);
        let bytes = painter.paint(size, &palette, FrameBudget::All, |_, buf| {
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
    fn columns_beside_a_cluster_of_characters_are_written_when_it_comes_and_when_it_goes() {
        let mut painter = Painter::default();
        let mut shows = |text: &str| say(&mut painter, (10, 2), text);
        // Two columns; the second is a character of its own, which `a` does not overwrite.
        shows("น้ำ");
        let erased = shows("a");
        assert!(erased.contains("a "), "{erased:?}");
        // Two columns, or four on a terminal without flags.
        let flag = shows("🇩🇪");
        assert!(flag.contains("🇩🇪\x1b[1;3H  "), "{flag:?}");
        assert_eq!(shows("🇩🇪"), "");
        let erased = shows("a");
        assert!(erased.contains("a   "), "{erased:?}");
        // The second flag remains, and is written again after the first.
        shows("🇩🇪🇫🇷");
        let second = shows("ab🇫🇷");
        assert!(second.contains("ab🇫🇷\x1b[1;5H  "), "{second:?}");
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

    #[test]
    fn changes_without_room_wait_and_the_largest_go_first() {
        let palette = MapPalette::new(Depth::True, Background::Dark);
        let mut painter = Painter::default();
        let mut map = |room: FrameBudget, values: [f32; 3]| {
            let bytes = painter.paint((10, 2), &palette, room, |_, buf| {
                for (x, value) in values.into_iter().enumerate() {
                    let colour = palette.diverging(value);
                    let style = Style::new().fg(colour).bg(Color::Reset);
                    buf.set_string(2 * x as u16, 0, "▀", style);
                }
            });
            (
                bytes.windows(3).filter(|w| *w == "▀".as_bytes()).count(),
                painter.is_behind(),
            )
        };
        assert_eq!(map(FrameBudget::Bytes(10), [0.0, 0.0, 0.0]), (3, false));
        // Room for one cell.
        assert_eq!(map(FrameBudget::Bytes(40), [0.1, 0.9, 0.5]), (1, true));
        assert_eq!(map(FrameBudget::Bytes(40), [0.1, 0.9, 0.5]), (1, true));
        assert_eq!(map(FrameBudget::Bytes(40), [0.1, 0.9, 0.5]), (1, false));
        assert_eq!(map(FrameBudget::Bytes(40), [0.1, 0.9, 0.5]), (0, false));
        assert_eq!(map(FrameBudget::All, [0.4, 0.2, 0.3]), (3, false));
    }
}
