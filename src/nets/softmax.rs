//! Log-probabilities from logits.

/// Log-softmax of one row of logits.
pub fn log_softmax(logits: &[f32]) -> Vec<f64> {
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let shifted = || {
        logits
            .iter()
            .map(|&logit| f64::from(logit) - f64::from(most))
    };
    let total = shifted().map(f64::exp).sum::<f64>().ln();
    shifted().map(|logit| logit - total).collect()
}
