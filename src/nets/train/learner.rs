//! [`Learner`], which computes gradients and updates weights: Burn, or a compiled plan.

use burn::nn::loss::CrossEntropyLoss;
use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer, decay::WeightDecayConfig};
use burn::tensor::{Int, Tensor, TensorData};

use super::TrainError;
use crate::nets::plan::fit::Fit;
use crate::nets::{Network, read_back};
use crate::session::config;
use crate::session::record::NetworkWeights;

/// Computes gradients and updates weights.
pub(super) enum Learner {
    /// Burn, on the device.
    Burn {
        network: Box<Network>,
        optimizer: Box<ModuleOptimizer>,
        loss: Box<CrossEntropyLoss>,
    },
    /// A compiled plan, on the processor.
    Plan(Box<Fit>),
}

/// The result of a batch: its mean loss and its logits, row-major \[N,K\].
pub(super) type BatchResult = (f64, Vec<f32>);

impl Learner {
    /// The current weights.
    pub(super) fn weights(&self) -> NetworkWeights {
        match self {
            Self::Burn { network, .. } => network.weights(),
            Self::Plan(fit) => fit.weights(),
        }
    }

    /// The optimizer's state, for resuming.
    pub(super) fn state(&self) -> Result<Vec<u8>, TrainError> {
        match self {
            Self::Burn { optimizer, .. } => {
                let bytes = optimizer.into_bytes();
                let bytes = bytes.map_err(|error| TrainError::Optimizer(error.to_string()))?;
                Ok(bytes.to_vec())
            }
            Self::Plan(fit) => Ok(fit.state()),
        }
    }
}

/// One step of Burn's optimizer on a batch. If the loss is not finite, nothing changes and the loss is
/// returned as the error.
pub(super) fn learn(
    network: &mut Network,
    optimizer: &mut ModuleOptimizer,
    loss: &CrossEntropyLoss,
    (inputs, labels): (Tensor<4>, &[usize]),
    lr: f64,
) -> Result<BatchResult, f64> {
    let targets = TensorData::new(
        labels.iter().map(|&label| label as i64).collect::<Vec<_>>(),
        [labels.len()],
    );
    let targets = Tensor::<1, Int>::from_data(targets, &inputs.device());
    let logits = network.forward_training(inputs);
    let loss = loss.forward(logits.clone(), targets);
    let logits_read: Vec<f32> = read_back(logits.inner());
    let value = read_back(loss.clone().inner())
        .first()
        .map_or(f64::NAN, |&v| f64::from(v));
    if !value.is_finite() {
        return Err(value);
    }
    let gradients = GradientsParams::from_grads(loss.backward(), network);
    *network = optimizer.step(lr, network.clone(), gradients);
    Ok((value, logits_read))
}

/// The Adam optimizer of a config.
pub(super) fn adam(config: &config::TrainingConfig) -> ModuleOptimizer {
    let decay =
        (config.weight_decay > 0.0).then(|| WeightDecayConfig::new(config.weight_decay as f32));
    AdamConfig::new()
        .with_epsilon(1e-8)
        .with_weight_decay(decay)
        .init()
}
