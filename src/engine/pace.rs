//! How fast a stage goes: trials per second over the last seconds, and when it will be done.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How far back the rate looks.
const WINDOW: Duration = Duration::from_secs(5);
/// Least time before a rate is told.
const FIRST: Duration = Duration::from_millis(700);
/// Least time before an end is foretold.
const BELIEVABLE: Duration = Duration::from_secs(3);

/// The pace of one stage in this run. Pauses do not count.
#[derive(Debug)]
pub struct Pace {
    began: Instant,
    paused: Duration,
    counted: u64,
    recent: VecDeque<(Duration, u64)>,
}

impl Pace {
    /// Starts the clock.
    pub fn new() -> Self {
        Self {
            began: Instant::now(),
            paused: Duration::ZERO,
            counted: 0,
            recent: VecDeque::from([(Duration::ZERO, 0)]),
        }
    }

    /// Counts things done.
    pub fn count(&mut self, things: u64) {
        self.counted += things;
        let now = self.worked();
        self.recent.push_back((now, self.counted));
        while self.recent.len() > 2 && self.recent[1].0 + WINDOW < now {
            self.recent.pop_front();
        }
    }

    /// Leaves out a pause.
    pub fn pause(&mut self, pause: Duration) {
        self.paused += pause;
    }

    /// Time worked so far.
    pub fn worked(&self) -> Duration {
        self.began.elapsed().saturating_sub(self.paused)
    }

    /// Things per second over the last seconds.
    pub fn per_second(&self) -> Option<f64> {
        let (then, before) = *self.recent.front()?;
        let span = self.worked().checked_sub(then)?;
        (span >= FIRST && self.counted > before)
            .then(|| (self.counted - before) as f64 / span.as_secs_f64())
    }

    /// Seconds until `left` more things are done, at this run's mean rate.
    pub fn eta_s(&self, left: u64) -> Option<f64> {
        let worked = self.worked();
        (worked >= BELIEVABLE && self.counted > 0)
            .then(|| left as f64 * worked.as_secs_f64() / self.counted as f64)
    }
}
