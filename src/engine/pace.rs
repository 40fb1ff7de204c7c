//! The speed of a stage: trials per second over the last few seconds, and its ETA.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Time over which the rate is measured.
const WINDOW: Duration = Duration::from_secs(5);
/// Minimum time before a rate is shown.
const MIN_TIME_FOR_RATE: Duration = Duration::from_millis(700);
/// Minimum time worked before an ETA is shown.
const MIN_TIME_FOR_ETA: Duration = Duration::from_secs(3);

/// A timed wait does not take this much too long unless the process is suspended.
const SUSPENDED: Duration = Duration::from_secs(2);

/// For how long this process was suspended (Ctrl-Z, a scheduler that suspends jobs, a frozen virtual machine) during a wait
/// of at most `limit` that took `took`; `None` if it was not.
pub fn suspended_during(limit: Duration, took: Duration) -> Option<Duration> {
    took.checked_sub(limit).filter(|over| *over >= SUSPENDED)
}

/// Measures the speed of one stage in this run. Pauses do not count.
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

    /// Adds trials or images done.
    pub fn count(&mut self, more: u64) {
        self.counted += more;
        let now = self.worked();
        self.recent.push_back((now, self.counted));
        while self.recent.len() > 2 && self.recent[1].0 + WINDOW < now {
            self.recent.pop_front();
        }
    }

    /// Excludes a pause.
    pub fn pause(&mut self, pause: Duration) {
        self.paused += pause;
    }

    /// Time worked so far.
    pub fn worked(&self) -> Duration {
        self.began.elapsed().saturating_sub(self.paused)
    }

    /// Trials or images per second over the last few seconds.
    pub fn per_second(&self) -> Option<f64> {
        let (then, before) = *self.recent.front()?;
        let span = self.worked().checked_sub(then)?;
        (span >= MIN_TIME_FOR_RATE && self.counted > before)
            .then(|| (self.counted - before) as f64 / span.as_secs_f64())
    }

    /// Seconds until `left` more are done, at this run's mean rate.
    pub fn eta_s(&self, left: u64) -> Option<f64> {
        let worked = self.worked();
        (worked >= MIN_TIME_FOR_ETA && self.counted > 0)
            .then(|| left as f64 * worked.as_secs_f64() / self.counted as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_that_took_far_too_long_was_a_suspension() {
        let limit = Duration::from_millis(100);
        let after = |millis| suspended_during(limit, Duration::from_millis(millis));
        assert_eq!([after(0), after(100), after(900)], [None; 3]);
        assert_eq!(after(20_100), Some(Duration::from_secs(20)));
    }
}
