//! When a frame is due, and how much it may hold.
//!
//! A key is answered at once, though not more often than the cap on frames. What the run does by
//! itself is drawn at the pace of the view in sight, and within what the line may be given: a
//! frame that takes more than its share makes the next one wait.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use tokio::time::Instant;

use super::options::Options;
use super::pen::{Painter, Room};
use super::theme::{Line, Palette};

/// Bytes a second that the run's own changes may take.
const FAST: f64 = 32_000.0;
const SLOW: f64 = 6_000.0;
/// Least time between two frames on a slow line, unless a key was pressed.
const SLOW_PACE: Duration = Duration::from_secs(1);
/// The share of a second's bytes that must be free before the run's next frame.
const LEAST_SHARE: f64 = 0.4;

/// What the frames so far took, and what waits to be drawn.
#[derive(Debug)]
pub struct Frames {
    painter: Painter,
    /// Least time between two frames.
    frame: Duration,
    line: Line,
    /// Whether what the viewer looks at changed since the last frame.
    asked: bool,
    /// Whether the clock moved on, or pixels still wait.
    aged: bool,
    /// Whether a newer state of the run waits to be drawn.
    stale: bool,
    /// Whether a frame is still on its way to the terminal.
    writing: bool,
    began: Instant,
    /// The last frame, the last that answered a key, the last that showed a newer state.
    drawn: Option<Instant>,
    answered: Option<Instant>,
    renewed: Option<Instant>,
    /// Bytes that may be sent now, as of when.
    free: f64,
    counted: Instant,
}

/// A frame that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// Whether it shows a newer state of the run.
    pub renews: bool,
    room: Room,
}

impl Frames {
    /// None drawn yet; the first is due now.
    pub fn new(options: Options, now: Instant) -> Self {
        let line = options.line();
        Self {
            painter: Painter::default(),
            frame: Duration::from_secs(1) / options.fps.clamp(1, 60),
            line,
            asked: true,
            aged: false,
            stale: false,
            writing: false,
            began: now,
            drawn: None,
            answered: None,
            renewed: None,
            free: budget(line),
            counted: now,
        }
    }

    /// What the viewer looks at changed.
    pub fn ask(&mut self) {
        self.asked = true;
    }

    /// The clock moved on: ages in sight grow.
    pub fn age(&mut self) {
        self.aged = true;
    }

    /// A newer state of the run is there.
    pub fn newer(&mut self) {
        self.stale = true;
    }

    /// A newer state that must not be held back is there.
    pub fn urgent(&mut self) {
        self.stale = true;
        self.renewed = None;
    }

    /// The frame under way has been written.
    pub fn written(&mut self) {
        self.writing = false;
    }

    /// Somebody else had the terminal.
    pub fn forget(&mut self) {
        self.painter.forget();
        self.asked = true;
    }

    /// When the next frame is due in a view of this pace; `None` while nothing changed or one is
    /// on its way.
    pub fn due(&self, pace: Duration) -> Option<Instant> {
        if self.writing {
            return None;
        }
        let after = |last: Option<Instant>, wait: Duration| match last {
            Some(last) => last + wait,
            None => self.began,
        };
        let asked = self.asked.then(|| after(self.answered, self.frame));
        let aged = self.aged.then(|| self.ready());
        [asked, self.renewal(pace), aged]
            .into_iter()
            .flatten()
            .min()
    }

    /// When a newer state of the run is to be shown, if there is one.
    fn renewal(&self, pace: Duration) -> Option<Instant> {
        self.stale.then(|| match self.renewed {
            Some(last) => self.ready().max(last + pace.max(self.own())),
            None => self.drawn.map_or(self.began, |last| last + self.frame),
        })
    }

    /// When the screen may next change by itself.
    fn ready(&self) -> Instant {
        let paced = self.drawn.map_or(self.began, |last| last + self.own());
        paced.max(self.affordable())
    }

    /// Least time between two frames that nobody asked for.
    fn own(&self) -> Duration {
        match self.line {
            Line::Fast => self.frame,
            Line::Slow => self.frame.max(SLOW_PACE),
        }
    }

    /// The frame that is due now, if one is.
    pub fn next(&mut self, pace: Duration, now: Instant) -> Option<Due> {
        if self.due(pace).is_none_or(|due| due > now) {
            return None;
        }
        let renews = self.renewal(pace).is_some_and(|due| due <= now);
        self.count(now);
        let room = match self.asked {
            true => Room::All,
            false => Room::Bytes(self.free.max(0.0) as usize),
        };
        Some(Due { renews, room })
    }

    /// Draws it and gives its bytes: empty where nothing on the screen changes.
    pub fn paint(
        &mut self,
        due: Due,
        size: (u16, u16),
        palette: &Palette,
        now: Instant,
        draw: impl FnOnce(Rect, &mut Buffer),
    ) -> Vec<u8> {
        let bytes = self.painter.paint(size, palette, due.room, draw);
        if self.asked {
            self.answered = Some(now);
        }
        if due.renews {
            self.stale = false;
            self.renewed = Some(now);
        }
        (self.asked, self.aged) = (false, self.painter.is_behind());
        self.drawn = Some(now);
        self.writing = !bytes.is_empty();
        // A person who turns pages is not made to wait for it for long.
        self.free = (self.free - bytes.len() as f64).max(-budget(self.line));
        bytes
    }

    /// When enough may be sent for a frame of the run's own.
    fn affordable(&self) -> Instant {
        let missing = LEAST_SHARE * budget(self.line) - self.free;
        let wait = (missing / budget(self.line)).max(0.0);
        self.counted + Duration::from_secs_f64(wait)
    }

    fn count(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.counted).as_secs_f64();
        let most = budget(self.line);
        self.free = (self.free + passed * most).min(most);
        self.counted = now;
    }
}

fn budget(line: Line) -> f64 {
    match line {
        Line::Fast => FAST,
        Line::Slow => SLOW,
    }
}
