//! Probabilities and log-probabilities from logits.

use crate::ids::ClassId;

/// Log-softmax of one row of logits; NaN for all classes if one is +∞.
pub fn log_softmax(logits: &[f32]) -> Vec<f64> {
    let most = largest(logits);
    let shifted = || {
        logits
            .iter()
            .map(|&logit| f64::from(logit) - f64::from(most))
    };
    let total = shifted().map(f64::exp).sum::<f64>().ln();
    shifted().map(|logit| logit - total).collect()
}

/// Softmax probability of one class; if the largest logit is infinite, the limit: the classes with that logit share
/// it equally. NaN if a logit is.
pub fn probability(logits: &[f32], class: ClassId) -> f64 {
    let most = largest(logits);
    if !most.is_infinite() || logits.iter().any(|logit| logit.is_nan()) {
        return log_softmax(logits)[class].exp();
    }
    if logits[class] < most {
        return 0.0;
    }
    let sharing = logits.iter().filter(|&&logit| logit >= most).count();
    1.0 / sharing as f64
}

/// The largest of these logits that is a number.
fn largest(logits: &[f32]) -> f32 {
    logits.iter().copied().fold(f32::NEG_INFINITY, f32::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HUGE: f32 = f32::INFINITY;

    #[test]
    fn an_infinite_logit_leaves_no_doubt() {
        let of = |logits: &[f32]| -> Vec<f64> {
            let classes = ClassId::all(logits.len());
            classes.map(|class| probability(logits, class)).collect()
        };
        assert_eq!(of(&[0.5, HUGE, -HUGE]), [0.0, 1.0, 0.0]);
        assert_eq!(of(&[HUGE, 3.0, HUGE]), [0.5, 0.0, 0.5]);
        assert_eq!(of(&[-HUGE; 4]), [0.25; 4]);
        assert!(of(&[HUGE, f32::NAN])[0].is_nan());
    }
}
