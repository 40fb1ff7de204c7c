//! Choosing the response and the γ that show the most, for all classes at once or for one.

use crate::format;
use crate::ids::{ClassId, Gamma};
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

/// A reliability as text, consistent with [`is_reliable`]: never `0.95` if it is below 0.95.
pub fn reliability_text(r: f64) -> String {
    let words = format::reliability(r);
    match r < RELIABLE && words == format::reliability(RELIABLE) {
        true => format!("{:.3}", (r * 1000.0).floor() / 1000.0),
        false => words,
    }
}

/// How much more reliable another γ must be before a class switches to it.
const CLEARLY: f64 = 0.1;

/// The response with the better maps: evidence, once there is an evidence map.
pub fn best_response(images: &ClassificationImages) -> Response {
    let has_map = |trials: &GammaTrials| {
        let classes = &trials.estimate().classes;
        classes.iter().any(|class| class.evidence.is_some())
    };
    match images
        .gammas
        .iter()
        .any(|trials| trials.evidence.is_some() && has_map(trials))
    {
        true => Response::Evidence,
        false => Response::Decision,
    }
}

/// The index in the plan of the γ that shows the most classes. Ties: by decisions the strongest γ, at which most
/// classes are called; by evidence, where every class has a map at every γ, the γ whose maps are the most reliable
/// overall.
pub fn best_gamma_index_overall(images: &ClassificationImages, response: Response) -> usize {
    let shown = |trials: &GammaTrials| {
        if trials.trials == 0 {
            return (0, 0.0);
        }
        let estimate = trials.estimate();
        let maps = || {
            estimate
                .classes
                .iter()
                .filter_map(|class| class.image(response))
        };
        let reliability: f64 = maps().filter_map(|map| map.reliability).sum();
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

/// The index in the plan of the γ at which a class is most reliable; `kept` unless another is clearly better. If no γ
/// suffices for the class, the one at which it was called most often, preferring those with a signal.
pub fn best_gamma_index(
    images: &ClassificationImages,
    response: Response,
    class: ClassId,
    kept: Option<usize>,
) -> usize {
    let quality = |trials: &GammaTrials| -> Quality {
        if trials.trials == 0 {
            return Quality::NOTHING;
        }
        let estimate = trials.estimate();
        let Some(class_estimate) = estimate.classes.get(class.0) else {
            return Quality::NOTHING;
        };
        Quality {
            sufficient: class_estimate.image(response).is_some(),
            reliability: class_estimate
                .image(response)
                .and_then(|map| map.reliability)
                .unwrap_or(-1.0),
            signal: trials.gamma > Gamma::NOISE && class_estimate.called > 0,
            called: class_estimate.called,
        }
    };
    let all: Vec<Quality> = images.gammas.iter().map(quality).collect();
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

/// How well the trials at one γ show one class.
struct Quality {
    sufficient: bool,
    reliability: f64,
    signal: bool,
    called: u64,
}

impl Quality {
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
    fn an_unreliable_r_is_not_rounded_up_to_the_threshold() {
        assert_eq!(
            [0.95, 0.9501, 0.94].map(reliability_text),
            ["0.95", "0.95", "0.94"]
        );
        assert_eq!([0.9499, 0.9452].map(reliability_text), ["0.949", "0.945"]);
    }
}
