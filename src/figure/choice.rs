//! Which response and which γ show most: of all classes at once, or of one.

use crate::format;
use crate::session::config::Response;
use crate::session::record::{ClassificationImages, GammaTrials};
use crate::stats::classification::ImageEstimate;

/// Reliability from which a class counts as reliable.
pub const RELIABLE: f64 = 0.95;

/// Whether a map is reliable.
pub fn is_reliable(map: Option<&ImageEstimate>) -> bool {
    let reliability = map.and_then(|map| map.reliability);
    reliability.is_some_and(|r| r >= RELIABLE)
}

/// A reliability in words that agree with [`is_reliable`]: never `0.95` where it is below 0.95.
pub fn said(r: f64) -> String {
    let words = format::reliability(r);
    match r < RELIABLE && words == format::reliability(RELIABLE) {
        true => format!("{:.3}", (r * 1000.0).floor() / 1000.0),
        false => words,
    }
}

/// By how much another γ must be more reliable before a class moves to it.
const CLEARLY: f64 = 0.1;

/// The response whose maps are the best that there are: evidence, once there is a map of it.
pub fn response(images: &ClassificationImages) -> Response {
    let has_map = |trials: &GammaTrials| {
        let classes = &trials.estimate().classes;
        classes.iter().any(|class| class.evidence.is_some())
    };
    match images
        .gammas
        .iter()
        .any(|it| it.evidence.is_some() && has_map(it))
    {
        true => Response::Evidence,
        false => Response::Decision,
    }
}

/// The γ that shows the most classes, by its place in the plan. Of several, by decisions the strongest,
/// which most classes are called at; by evidence, which every class has anywhere, that whose maps are
/// the most reliable on the whole.
pub fn showing_most(images: &ClassificationImages, response: Response) -> usize {
    let shown = |trials: &GammaTrials| {
        if trials.trials == 0 {
            return (0, 0.0);
        }
        let estimate = trials.estimate();
        let maps = || estimate.classes.iter().filter_map(|it| it.image(response));
        let reliability: f64 = maps().filter_map(|it| it.reliability).sum();
        match response {
            Response::Decision => (maps().count(), 0.0),
            Response::Evidence => (maps().count(), reliability),
        }
    };
    images
        .gammas
        .iter()
        .enumerate()
        .max_by(|(_, a), (_, b)| {
            let (a_shown, b_shown) = (shown(a), shown(b));
            a_shown
                .0
                .cmp(&b_shown.0)
                .then(a_shown.1.total_cmp(&b_shown.1))
                .then((a.trials > 0).cmp(&(b.trials > 0)))
                .then(a.gamma.total_cmp(&b.gamma))
        })
        .map_or(0, |(place, _)| place)
}

/// The γ at which a class is most reliable, by its place in the plan; `kept` unless another is
/// clearly better. A class that no γ suffices for is best seen where most trials were called it,
/// among those with a signal.
pub fn best(
    images: &ClassificationImages,
    response: Response,
    class: usize,
    kept: Option<usize>,
) -> usize {
    let worth = |trials: &GammaTrials| -> Worth {
        if trials.trials == 0 {
            return Worth::NOTHING;
        }
        let estimate = trials.estimate();
        let Some(own) = estimate.classes.get(class) else {
            return Worth::NOTHING;
        };
        Worth {
            sufficient: own.image(response).is_some(),
            reliability: own
                .image(response)
                .and_then(|it| it.reliability)
                .unwrap_or(-1.0),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_reliable_is_not_written_as_if_it_was() {
        assert_eq!([0.95, 0.9501, 0.94].map(said), ["0.95", "0.95", "0.94"]);
        assert_eq!([0.9499, 0.9452].map(said), ["0.949", "0.945"]);
    }
}
