//! Which γ shows most: of all classes at once, or of one.

use crate::session::record::{ClassificationImages, GammaTrials};

/// Reliability from which a class counts as reliable.
pub const RELIABLE: f64 = 0.95;

/// By how much another γ must be more reliable before a class moves to it.
const CLEARLY: f64 = 0.1;

/// The strongest γ among those that show the most classes, by its place in the plan.
pub fn showing_most(images: &ClassificationImages) -> usize {
    let shown = |trials: &GammaTrials| {
        if trials.trials == 0 {
            return 0;
        }
        let estimate = trials.estimate();
        estimate.classes.iter().filter(|c| c.sufficient).count()
    };
    images
        .gammas
        .iter()
        .enumerate()
        .max_by(|(_, a), (_, b)| {
            shown(a)
                .cmp(&shown(b))
                .then((a.trials > 0).cmp(&(b.trials > 0)))
                .then(a.gamma.total_cmp(&b.gamma))
        })
        .map_or(0, |(place, _)| place)
}

/// The γ at which a class is most reliable, by its place in the plan; `kept` unless another is
/// clearly better. A class that no γ suffices for is best seen where most trials were called it,
/// among those with a signal.
pub fn best(images: &ClassificationImages, class: usize, kept: Option<usize>) -> usize {
    let worth = |trials: &GammaTrials| -> Worth {
        if trials.trials == 0 {
            return Worth::NOTHING;
        }
        let estimate = trials.estimate();
        let Some(own) = estimate.classes.get(class) else {
            return Worth::NOTHING;
        };
        Worth {
            sufficient: own.sufficient,
            reliability: own.reliability.unwrap_or(-1.0),
            signal: trials.gamma > 0.0 && own.called > 0,
            called: own.called,
        }
    };
    let all: Vec<Worth> = images.gammas.iter().map(worth).collect();
    let best = (0..all.len()).reduce(|a, b| match all[b].beats(&all[a]) {
        true => b,
        false => a,
    });
    let best = best.unwrap_or(0);
    match kept.filter(|kept| *kept < all.len()) {
        Some(kept) if !all[best].clearly_beats(&all[kept]) => kept,
        _ => best,
    }
}

/// What the trials at one γ are worth for one class.
struct Worth {
    sufficient: bool,
    reliability: f64,
    signal: bool,
    called: u64,
}

impl Worth {
    const NOTHING: Self = Self {
        sufficient: false,
        reliability: -1.0,
        signal: false,
        called: 0,
    };

    fn beats(&self, other: &Self) -> bool {
        let order = self
            .sufficient
            .cmp(&other.sufficient)
            .then(match self.sufficient {
                true => self.reliability.total_cmp(&other.reliability),
                false => self.signal.cmp(&other.signal),
            })
            .then(self.called.cmp(&other.called));
        order.is_gt()
    }

    fn clearly_beats(&self, other: &Self) -> bool {
        match (self.sufficient, other.sufficient) {
            (true, true) => self.reliability > other.reliability + CLEARLY,
            (true, false) => true,
            (false, true) => false,
            (false, false) => {
                let more = self.signal && !other.signal;
                more || (self.signal == other.signal && self.called > 2 * other.called)
            }
        }
    }
}
