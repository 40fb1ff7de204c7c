//! The headline of an attack.

use super::Headline;
use crate::format::{percent, short};
use crate::session::record::Attack;

/// The weight at which a pattern flips half of the images, in words: interpolated between the two weights around it, or
/// the smallest one or less if that flips more. `None` if no weight does, or half are called the target without it.
fn half(attack: &Attack, pattern: usize) -> Option<String> {
    let mut curve: Vec<(f64, f64)> = (0..attack.weights.len())
        .filter_map(|index| {
            Some((
                attack.weights[index],
                attack.mean_targeted(0, pattern, index)?.interval.estimate,
            ))
        })
        .collect();
    curve.sort_by(|a, b| a.0.total_cmp(&b.0));
    let first = curve.iter().position(|(_, rate)| *rate >= 0.5)?;
    let (to, above) = curve[first];
    let words = |w: f64| format!("w {w:.2}");
    match first.checked_sub(1).map(|before| curve[before]) {
        Some((from, below)) => Some(words(from + (0.5 - below) / (above - below) * (to - from))),
        None if to == 0.0 => None,
        None if above > 0.5 => Some(format!("{} or less", words(to))),
        None => Some(words(to)),
    }
}

/// The baseline share (called the target without an attack) from which the headline mentions it.
const WORTH_SAYING: f64 = 0.02;

/// The weight at which each pattern flips half of the images, or its strongest effect, against the baseline.
pub(super) fn attack(attack: &Attack) -> Headline {
    // All but the control, which comes last.
    let patterns = 0..attack.kinds.len().saturating_sub(1);
    let results = patterns.filter_map(|pattern| {
        let name = attack.kinds[pattern].label();
        let result_at = |place: usize| Some(attack.mean_targeted(0, pattern, place)?.interval);
        let (place, most) = (0..attack.weights.len())
            .filter_map(|place| Some((place, result_at(place)?)))
            .max_by(|a, b| {
                let weights = attack.weights[b.0].total_cmp(&attack.weights[a.0]);
                a.1.estimate.total_cmp(&b.1.estimate).then(weights)
            })?;
        // What the network calls the target without any attack is not the pattern's doing.
        let zero_index = attack.weights.iter().position(|&weight| weight == 0.0);
        let baseline = zero_index.and_then(result_at);
        if let Some(without) = baseline
            && most.low <= without.high
        {
            let rate = percent(without.estimate);
            let words = format!("{name} flips no more than without it, {rate}");
            return Some((words, None));
        }
        let without = match baseline {
            Some(without) if without.estimate >= WORTH_SAYING => {
                format!(" ({} without)", percent(without.estimate))
            }
            _ => String::new(),
        };
        let half = half(attack, pattern);
        let words = match &half {
            Some(w) => format!("{name} flips half the images at {w}{without}"),
            None => {
                let strongest = short(attack.weights[place]);
                format!(
                    "{name} flips {} at most, at w {strongest}{without}",
                    percent(most.estimate)
                )
            }
        };
        Some((words, half))
    });
    let (parts, halves): (Vec<String>, Vec<Option<String>>) = results.unzip();
    let brief: Vec<String> = halves.into_iter().flatten().collect();
    match brief.is_empty() {
        true => Headline::of(parts),
        false => Headline::with_short(parts, format!("half flip at {}", brief.join(", "))),
    }
}
