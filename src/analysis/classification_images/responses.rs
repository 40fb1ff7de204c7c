//! Responses: the network's outputs for each class as integers, which add exactly.

use crate::ids::ClassId;
use crate::nets::decision;
use crate::nets::softmax::log_softmax;
use crate::session::config::EvidenceMeasure;
use crate::stats::classification::MAX_RESPONSE_STEPS;

/// Largest response, in steps, in the block from which the step is chosen: an eighth of [`MAX_RESPONSE_STEPS`], so that
/// responses up to eight times as large are not clipped.
const REACH: f64 = (MAX_RESPONSE_STEPS / 8) as f64;

/// The step if all responses are 0.
const SMALLEST: f64 = 1.0 / 1024.0;

/// How responses are read from logits.
#[derive(Debug, Clone, PartialEq)]
pub struct ResponseReader {
    /// The measure of evidence.
    evidence: EvidenceMeasure,
    /// The classes whose responses are read, ascending, \[M\].
    listed: Vec<ClassId>,
    /// The unit of a response.
    step: f64,
}

/// Responses of some trials.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrialResponses {
    /// In units of the step, \[N,M\].
    pub responses: Vec<i32>,
    /// How many were clipped at [`MAX_RESPONSE_STEPS`] or not a number.
    pub clipped: u64,
}

impl ResponseReader {
    /// For these classes, with a power of two for the step, chosen to suit these rows of logits.
    pub fn calibrated<'a>(
        evidence: EvidenceMeasure,
        listed: &[ClassId],
        logits: impl Iterator<Item = &'a [f32]>,
    ) -> Self {
        let mut largest = 0.0_f64;
        for row in logits {
            let responses = responses(evidence, row);
            let finite = responses
                .into_iter()
                .map(f64::abs)
                .filter(|y| y.is_finite());
            largest = finite.fold(largest, f64::max);
        }
        let step = match largest > 0.0 {
            true => (largest / REACH).log2().ceil().exp2(),
            false => SMALLEST,
        };
        Self::new(evidence, listed, step.max(f64::MIN_POSITIVE))
    }

    /// For these classes, with a given step.
    pub fn new(evidence: EvidenceMeasure, listed: &[ClassId], step: f64) -> Self {
        Self {
            evidence,
            listed: listed.to_vec(),
            step,
        }
    }

    /// The unit of a response.
    pub fn step(&self) -> f64 {
        self.step
    }

    /// The responses to rows of logits, \[K\] each.
    pub fn read<'a>(&self, logits: impl Iterator<Item = &'a [f32]>) -> TrialResponses {
        if self.evidence == EvidenceMeasure::Logit {
            return self.read_logits(logits);
        }
        let most = f64::from(MAX_RESPONSE_STEPS);
        let mut result = TrialResponses::default();
        for row in logits {
            let responses = responses(self.evidence, row);
            for &class in &self.listed {
                let steps = (responses[class] / self.step).round_ties_even();
                result.clipped += u64::from(!(-most..=most).contains(&steps));
                // NaN becomes 0.
                result.responses.push(steps.clamp(-most, most) as i32);
            }
        }
        result
    }
}

impl ResponseReader {
    /// [`Self::read`] for logits minus their mean, with this processor's SIMD.
    fn read_logits<'a>(&self, logits: impl Iterator<Item = &'a [f32]>) -> TrialResponses {
        let (most, scale) = (f64::from(MAX_RESPONSE_STEPS), 1.0 / self.step);
        let mut result = TrialResponses::default();
        pulp::Arch::new().dispatch(
            #[inline(always)]
            || {
                for row in logits {
                    let mean = row.iter().map(|&v| f64::from(v)).sum::<f64>() / row.len() as f64;
                    for &class in &self.listed {
                        // The step is a power of two, so multiplying by its inverse is exact; rounded as on devices.
                        let steps = ((f64::from(row[class]) - mean) * scale).round_ties_even();
                        result.clipped += u64::from(!(-most..=most).contains(&steps));
                        result.responses.push(steps.clamp(-most, most) as i32);
                    }
                }
            },
        );
        result
    }
}

/// The evidence of a row of logits for each class, \[K\].
fn responses(evidence: EvidenceMeasure, row: &[f32]) -> Vec<f64> {
    match evidence {
        EvidenceMeasure::Logit => {
            let mean = row.iter().map(|&v| f64::from(v)).sum::<f64>() / row.len() as f64;
            row.iter().map(|&v| f64::from(v) - mean).collect()
        }
        EvidenceMeasure::LogProbability => log_softmax(row),
        EvidenceMeasure::Probability => log_softmax(row).into_iter().map(f64::exp).collect(),
        EvidenceMeasure::LogOdds => log_odds(row),
    }
}

/// ln p − ln(1 − p) of each class, \[K\]. The p of the decision may be 1 as rounded, so its 1 − p is the sum of the
/// others' p.
fn log_odds(row: &[f32]) -> Vec<f64> {
    let odds = log_softmax(row).into_iter();
    let mut odds: Vec<f64> = odds.map(|log| log - (-log.exp_m1()).ln()).collect();
    let called = decision(row).0;
    let others = || row[..called].iter().chain(&row[called + 1..]);
    let most = f64::from(others().copied().fold(f32::NEG_INFINITY, f32::max));
    let total: f64 = others().map(|&v| (f64::from(v) - most).exp()).sum();
    odds[called] = f64::from(row[called]) - most - total.ln();
    odds
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST_TWO: [ClassId; 2] = [ClassId(0), ClassId(1)];

    fn rows() -> Vec<Vec<f32>> {
        vec![vec![3.0, -1.0, 1.0], vec![0.5, 0.25, -6.0]]
    }

    fn read(evidence: EvidenceMeasure, listed: &[ClassId]) -> (Vec<f64>, f64) {
        let rows = rows();
        let all = || rows.iter().map(Vec::as_slice);
        let reader = ResponseReader::calibrated(evidence, listed, all());
        let result = reader.read(all());
        assert_eq!(result.clipped, 0);
        let values = result.responses.into_iter().map(f64::from);
        (values.map(|y| y * reader.step()).collect(), reader.step())
    }

    #[test]
    fn a_logit_is_measured_from_the_mean_of_all_logits() {
        let (values, step) = read(
            EvidenceMeasure::Logit,
            &[ClassId(0), ClassId(1), ClassId(2)],
        );
        let expected = [2.0, -2.0, 0.0, 2.25, 2.0, -4.25];
        for (value, expected) in values.iter().zip(expected) {
            assert!((value - expected).abs() <= step / 2.0, "{value} {expected}");
        }
        // 4.25 of at most 4,096 steps: the next power of two.
        assert_eq!(step, 1.0 / 512.0);
    }

    #[test]
    fn probabilities_match_the_softmax() {
        let p = 1.0 / (1.0 + (-4.0_f64).exp() + (-2.0_f64).exp());
        for (evidence, expected) in [
            (EvidenceMeasure::Probability, p),
            (EvidenceMeasure::LogProbability, p.ln()),
            (EvidenceMeasure::LogOdds, (p / (1.0 - p)).ln()),
        ] {
            let (values, step) = read(evidence, &[ClassId(0)]);
            assert!(
                (values[0] - expected).abs() <= step / 2.0 + 1e-9,
                "{evidence:?}"
            );
        }
    }

    /// Of two classes, a logit minus the other; and a logit minus ln 2 if the other two are 0.
    #[test]
    fn the_log_odds_of_a_decision_beyond_doubt_are_those_of_the_logits() {
        let rows: [&[f32]; 3] = [&[100.0, 20.0], &[-64.0, 64.0], &[60.0, 0.0, 0.0]];
        let all = || rows.into_iter();
        let reader = ResponseReader::calibrated(EvidenceMeasure::LogOdds, &FIRST_TWO, all());
        assert_eq!(reader.step(), 1.0 / 32.0);
        let found = reader.read(all());
        assert_eq!(found.clipped, 0);
        let ln_2 = std::f64::consts::LN_2;
        let expected = [80.0, -80.0, -128.0, 128.0, 60.0 - ln_2, -60.0];
        for (y, expected) in found.responses.iter().zip(expected) {
            let found = f64::from(*y) * reader.step();
            assert!((found - expected).abs() <= 1.0 / 64.0, "{found} {expected}");
        }
    }

    #[test]
    fn nan_and_out_of_range_outputs_are_counted_as_clipped() {
        let reader = ResponseReader::new(EvidenceMeasure::Logit, &FIRST_TWO, 1.0 / 1024.0);
        let rows: [&[f32]; 2] = [&[f32::NAN, 1.0], &[1e9, 0.0]];
        let result = reader.read(rows.into_iter());
        assert_eq!(result.clipped, 4);
        assert_eq!(
            result.responses,
            [0, 0, MAX_RESPONSE_STEPS, -MAX_RESPONSE_STEPS]
        );
    }

    #[test]
    fn constant_outputs_have_a_step_too() {
        let rows: [&[f32]; 1] = [&[2.0, 2.0]];
        let reader =
            ResponseReader::calibrated(EvidenceMeasure::Logit, &FIRST_TWO, rows.into_iter());
        assert_eq!(reader.read(rows.into_iter()).responses, [0, 0]);
    }
}
