//! [`FrameScheduler`]: schedules frames and limits how many bytes each may send.
//!
//! A key is answered at once, within the frame-rate cap. Changes of the run are drawn at the pace of the
//! current view and within the line's byte budget: a frame that exceeds its share delays the next one.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use tokio::time::Instant;

use super::frame_writer::{FrameBudget, Painter};
use super::options::DisplayOptions;
use super::theme::{Bandwidth, MapPalette};

/// Bytes per second for changes of the run.
const FAST: f64 = 32_000.0;
const SLOW: f64 = 6_000.0;
/// Minimum time between two frames on a slow line, unless a key was pressed.
const SLOW_PACE: Duration = Duration::from_secs(1);
/// The share of a second's byte budget that must be free before the run's next frame.
const LEAST_SHARE: f64 = 0.4;

/// The history of frames and the pending reasons to draw.
#[derive(Debug)]
pub struct FrameScheduler {
    painter: Painter,
    /// Minimum time between two frames.
    frame: Duration,
    line: Bandwidth,
    /// Whether the viewer's state changed since the last frame.
    asked: bool,
    /// Whether the clock advanced, or pixels are still to be sent.
    aged: bool,
    /// Whether a newer state of the run waits to be drawn.
    stale: bool,
    /// Whether a frame is still being written to the terminal.
    writing: bool,
    began: Instant,
    /// When the last frame, the last answer to a key, and the last newer state were drawn.
    drawn: Option<Instant>,
    answered: Option<Instant>,
    renewed: Option<Instant>,
    /// Bytes that may be sent now, and when that was computed.
    free: f64,
    counted: Instant,
}

/// A frame that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DueFrame {
    /// Whether it shows a newer state of the run.
    pub renews: bool,
    room: FrameBudget,
}

impl FrameScheduler {
    /// Nothing drawn yet; the first frame is due now.
    pub fn new(options: DisplayOptions, now: Instant) -> Self {
        let line = options.bandwidth();
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

    /// The viewer's state changed.
    pub fn request(&mut self) {
        self.asked = true;
    }

    /// The clock advanced: displayed ages grow.
    pub fn age(&mut self) {
        self.aged = true;
    }

    /// A newer state of the run has arrived.
    pub fn newer(&mut self) {
        self.stale = true;
    }

    /// A newer state has arrived that must be drawn without delay.
    pub fn urgent(&mut self) {
        self.stale = true;
        self.renewed = None;
    }

    /// The frame being written has been written.
    pub fn written(&mut self) {
        self.writing = false;
    }

    /// Another program used the terminal: redraw everything.
    pub fn forget(&mut self) {
        self.painter.forget();
        self.asked = true;
    }

    /// When the next frame is due in a view of this pace; `None` while nothing changed or a frame is being
    /// written.
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

    /// When a newer state of the run is due to be drawn, if there is one.
    fn renewal(&self, pace: Duration) -> Option<Instant> {
        self.stale.then(|| match self.renewed {
            Some(last) => self.ready().max(last + pace.max(self.min_interval())),
            None => self.drawn.map_or(self.began, |last| last + self.frame),
        })
    }

    /// When the screen may next change without a key press.
    fn ready(&self) -> Instant {
        let paced = self
            .drawn
            .map_or(self.began, |last| last + self.min_interval());
        paced.max(self.affordable())
    }

    /// Minimum time between two frames without a key press.
    fn min_interval(&self) -> Duration {
        match self.line {
            Bandwidth::Fast => self.frame,
            Bandwidth::Slow => self.frame.max(SLOW_PACE),
        }
    }

    /// The frame that is due now, if any.
    pub fn next(&mut self, pace: Duration, now: Instant) -> Option<DueFrame> {
        if self.due(pace).is_none_or(|due| due > now) {
            return None;
        }
        let renews = self.renewal(pace).is_some_and(|due| due <= now);
        self.count(now);
        let room = match self.asked {
            true => FrameBudget::All,
            false => FrameBudget::Bytes(self.free.max(0.0) as usize),
        };
        Some(DueFrame { renews, room })
    }

    /// Draws the frame and returns its bytes: empty if nothing on the screen changes.
    pub fn paint(
        &mut self,
        due: DueFrame,
        size: (u16, u16),
        palette: &MapPalette,
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
        // A user who pages quickly must not be made to wait long for it.
        self.free = (self.free - bytes.len() as f64).max(-budget(self.line));
        bytes
    }

    /// When the budget allows a frame for the run's own changes.
    fn affordable(&self) -> Instant {
        let missing = LEAST_SHARE * budget(self.line) - self.free;
        let wait = (missing / budget(self.line)).max(0.0);
        self.counted + Duration::from_secs_f64(wait)
    }

    fn count(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.counted).as_secs_f64();
        let budget_now = budget(self.line);
        self.free = (self.free + passed * budget_now).min(budget_now);
        self.counted = now;
    }
}

fn budget(line: Bandwidth) -> f64 {
    match line {
        Bandwidth::Fast => FAST,
        Bandwidth::Slow => SLOW,
    }
}
