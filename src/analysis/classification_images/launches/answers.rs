//! The network's answers to a launch as tensors, and the factors of the products that sum them.

use burn::tensor::{DType, FloatDType, Tensor};

use super::{Column, NoiseLaunches};
use crate::session::config::{EvidenceMeasure, Weighting};
use crate::session::record::CONFIDENCE_STEPS;
use crate::stats::classification::MAX_RESPONSE_STEPS;

/// The network's answers to a launch, as numbers to be summed: \[N,·\] each.
pub(super) struct LaunchAnswers {
    /// Called class, one-hot among all K; zeros for padding.
    pub(super) called: Tensor<2>,
    /// Weight of each trial, \[N,1\]; `None` if all count the same.
    pub(super) weight: Option<Tensor<2>>,
    /// Responses, \[N,M\], and whether each is finite and not clipped.
    responses: Option<(Tensor<2>, Tensor<2>)>,
}

impl NoiseLaunches<'_> {
    /// The answers in logits, \[N,K\]. `mask` is 1 for trials and 0 for padding, \[N,1\]; `None` without padding.
    pub(super) fn answers(&self, logits: Tensor<2>, mask: Option<&Tensor<2>>) -> LaunchAnswers {
        let [n, _] = logits.dims();
        let mut called = self.one_of(logits.clone().argmax(1).reshape([n]));
        if let Some(mask) = mask {
            called = called * mask.clone();
        }
        let logits = logits.cast(DType::F64);
        let weight = match self.analysis.config.weighting {
            Weighting::Equal => None,
            // As on the host: a confidence in whole steps, at least 1.
            Weighting::Confidence => {
                let steps = (confidence(logits.clone()) * CONFIDENCE_STEPS + 0.5).floor();
                Some(steps.clamp_min(1.0))
            }
            Weighting::Threshold(least) => {
                let is_enough = confidence(logits.clone()).greater_equal_elem(least);
                Some(is_enough.cast(FloatDType::F64))
            }
        };
        let responses = self.analysis.readers.get(self.part).map(|hearing| {
            let responses = match self.analysis.config.evidence {
                EvidenceMeasure::Logit => logits.clone() - logits.mean_dim(1),
                EvidenceMeasure::LogProbability => log_softmax(logits),
                EvidenceMeasure::Probability | EvidenceMeasure::LogOdds => {
                    log_softmax(logits).exp()
                }
            };
            let steps = (self.of_listed(responses) * (1.0 / hearing.step())).round();
            let most = f64::from(MAX_RESPONSE_STEPS);
            let clamped = steps.clone().clamp(-most, most);
            // NaN differs from itself.
            let kept = clamped.clone().equal(steps).cast(FloatDType::F64);
            // NaN makes the sum NaN, which is detected when it is read.
            let mut masked = (clamped, kept);
            if let Some(mask) = mask {
                masked = (masked.0 * mask.clone(), masked.1 * mask.clone());
            }
            masked
        });
        LaunchAnswers {
            called,
            weight,
            responses,
        }
    }

    /// The columns multiplied by the noise, \[N,R\].
    pub(super) fn columns_of(
        &self,
        truth: &Tensor<2>,
        all: &Tensor<2>,
        answers: &LaunchAnswers,
    ) -> Tensor<2> {
        let weighed = |column: Tensor<2>| match &answers.weight {
            Some(weight) => column * weight.clone(),
            None => column,
        };
        let (shown, called) = (truth.clone(), answers.called.clone());
        let column = |column: &Column| match column {
            Column::Called => weighed(self.of_listed(called.clone())),
            Column::All => weighed(all.clone()),
            Column::Shown => weighed(self.of_listed(shown.clone())),
            Column::Hit => weighed(self.of_listed(shown.clone() * called.clone())),
            Column::Response => match &answers.responses {
                Some((responses, _)) => responses.clone(),
                None => all.clone().narrow(1, 0, 0),
            },
            Column::Kept => match &answers.responses {
                Some((_, kept)) => kept.clone(),
                None => all.clone().narrow(1, 0, 0),
            },
            Column::Stratum => self.of_listed(shown.clone()),
            Column::Every => all.clone(),
            Column::Counted => counted(all, answers),
        };
        Tensor::cat(self.columns.iter().map(column).collect(), 1)
    }

    /// The two factors of the products of answers: true classes and responses, \[N,K+M\]; and called classes, their
    /// weights, the squared weights, responses, and whether they are kept, \[N,C\].
    pub(super) fn product_factors(
        &self,
        truth: Tensor<2>,
        answers: LaunchAnswers,
    ) -> (Tensor<2>, Tensor<2>) {
        let (mut left, mut right) = (vec![truth], Vec::new());
        match &answers.weight {
            None => right.push(answers.called),
            Some(weight) => {
                let counts = weight.clone().greater_elem(0.0).cast(FloatDType::F64);
                right.push(answers.called.clone() * counts);
                if self.analysis.config.weighting == Weighting::Confidence {
                    let weighed = answers.called * weight.clone();
                    right.extend([weighed.clone(), weighed * weight.clone()]);
                }
            }
        }
        if let Some((responses, kept)) = answers.responses {
            left.push(responses.clone());
            right.extend([responses, kept]);
        }
        (Tensor::cat(left, 1), Tensor::cat(right, 1))
    }
}

/// 1 for trials that are not dropped, \[N,1\].
pub(super) fn counted(all: &Tensor<2>, answers: &LaunchAnswers) -> Tensor<2> {
    match &answers.weight {
        Some(weight) => {
            let counts = weight.clone().greater_elem(0.0);
            counts.cast(FloatDType::F64) * all.clone()
        }
        None => all.clone(),
    }
}

/// Logarithms of the softmax probabilities of logits \[N,K\], as in [`crate::nets::softmax`].
fn log_softmax(logits: Tensor<2>) -> Tensor<2> {
    let shifted = logits.clone() - logits.max_dim(1);
    let total = shifted.clone().exp().sum_dim(1).log();
    shifted - total
}

/// Softmax probability of the decision, \[N,1\].
fn confidence(logits: Tensor<2>) -> Tensor<2> {
    log_softmax(logits).max_dim(1).exp()
}
