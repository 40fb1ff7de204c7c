//! Training: Adam on the cross-entropy of the logits, with cosine annealing and early stopping.
//!
//! One [`Trainer::step`] is one batch, or the validation that ends an epoch. After any step
//! [`Trainer::save`] writes everything into the record that another process needs to resume exactly
//! there: the order of images follows from the seed and the epoch, and weights and optimizer moments
//! are stored bit for bit.

mod learner;
mod snapshot;

use burn::nn::loss::CrossEntropyLossConfig;
use burn::tensor::{Bytes, Device, Tensor, TensorData};
use rand::{SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;

use learner::{Learner, adam, learn};
use snapshot::Snapshot;

use super::graph::Graph;
use super::plan::Plan;
use super::plan::fit::Fit;
use super::score::{Score, count_correct, evaluate, pixels, write_pixels};
use super::weights::WeightsError;
use super::{Network, NetworkShape, launch};
use crate::data::Images;
use crate::session::array::Array;
use crate::session::config::{self, NetworkKind};
use crate::session::record::{Epoch, NetworkWeights, PartialEpoch, TrainingRecord};

/// Random streams that training draws from the session's seed.
const SPLIT_STREAM: u64 = 1;
const ORDER_STREAM: u64 = 2;

/// Why training cannot start or continue.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// Too few images to hold any out for validation and still train.
    #[error(
        "the training set has {images} images, too few to hold out {validation} of them for validation: start a new session with more images, or hold out another share of them (validation)"
    )]
    TooFew {
        /// Images in the training set.
        images: usize,
        /// Proportion to hold out.
        validation: f64,
    },
    /// The weights in the session do not fit its network.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The optimizer's state in the session cannot be read.
    #[error("the optimiser's state in the session cannot be read: {0}")]
    Optimizer(String),
    /// The loss became infinite or NaN.
    #[error(
        "the loss became {loss} in epoch {epoch}: the learning rate ({lr}) is too high for this network. Start a new session with a lower network.weights.lr_max"
    )]
    Diverged {
        /// Its value.
        loss: f64,
        /// The epoch.
        epoch: usize,
        /// The learning rate of the batch.
        lr: f64,
    },
}

/// The result of a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TrainStep {
    /// One batch of this many images.
    Batch(usize),
    /// The epoch's validation.
    Epoch(Epoch),
    /// Training is over: the record holds the best weights; call [`finish`] to close it.
    Done,
}

/// A network in training.
pub struct Trainer {
    config: config::TrainingConfig,
    seed: u64,
    device: Device,
    images: Images,
    train: Vec<usize>,
    valid: Vec<usize>,
    order: Vec<usize>,
    kind: NetworkKind,
    learner: Learner,
}

impl Trainer {
    /// Starts training, or resumes from `record`.
    ///
    /// # Errors
    /// If there are too few images, or the weights in the record do not fit the network.
    pub fn new(
        kind: NetworkKind,
        config: &config::TrainingConfig,
        seed: u64,
        images: &Images,
        device: &Device,
        record: &mut TrainingRecord,
    ) -> Result<Self, TrainError> {
        let device = device.clone().autodiff();
        let ports = NetworkShape {
            image: images.shape(),
            classes: images.classes,
        };
        let (train, valid) = split(images.len(), config.validation, seed)?;
        let mut optimizer = adam(config);
        let planned = Fit::is_state(record.optimizer.values());
        let network = if record.current.is_empty() {
            // Epochs without weights cannot be continued.
            *record = TrainingRecord::default();
            Network::new(kind, ports, seed, &device)
        } else {
            if !(planned || record.optimizer.values().is_empty()) {
                let bytes = Bytes::from_bytes_vec(record.optimizer.values().to_vec());
                optimizer = optimizer
                    .from_bytes(bytes)
                    .map_err(|error| TrainError::Optimizer(error.to_string()))?;
            }
            Network::with_weights(kind, ports, &record.current, &device)?
        };
        record.parameters = network.parameter_count();
        // Training resumes with whichever learner it was started with, plan or Burn, on any device.
        let fresh = record.optimizer.values().is_empty() && launch::is_by_plan();
        let mut fit = None;
        if planned || fresh {
            let weights = network.weights();
            let graph = Graph::for_kind(kind, ports, &weights)
                .map_err(|error| TrainError::Optimizer(error.to_string()))?;
            let state = record.optimizer.values();
            fit = Fit::new(&graph, &weights, state, config.weight_decay)
                .map_err(TrainError::Optimizer)?;
        }
        if planned && fit.is_none() {
            let message = "it belongs to a plan, and this network cannot be planned";
            return Err(TrainError::Optimizer(message.to_owned()));
        }
        let mut trainer = Self {
            config: config.clone(),
            seed,
            images: images.clone(),
            train,
            valid,
            order: Vec::new(),
            kind,
            learner: match fit {
                Some(fit) => Learner::Plan(Box::new(fit)),
                None => Learner::Burn {
                    network: Box::new(network),
                    optimizer: Box::new(optimizer),
                    loss: Box::new(CrossEntropyLossConfig::new().init(&device)),
                },
            },
            device,
        };
        trainer.begin_epoch(record);
        Ok(trainer)
    }

    /// Batches in an epoch.
    pub fn batches(&self) -> usize {
        self.train.len().div_ceil(self.config.batch)
    }

    fn begin_epoch(&mut self, record: &mut TrainingRecord) {
        record.partial.of = self.batches();
        let epoch = record.epochs.len() as u64;
        self.order.clone_from(&self.train);
        self.order
            .shuffle(&mut stream(self.seed, ORDER_STREAM + epoch));
    }

    /// Learning rate of the next batch: cosine annealing over all batches of all epochs
    /// (Loshchilov & Hutter 2017, one period).
    fn learning_rate(&self, record: &TrainingRecord) -> f64 {
        let done = record.epochs.len() * self.batches() + record.partial.batches;
        let last = (self.config.epochs * self.batches())
            .saturating_sub(1)
            .max(1);
        let phase = std::f64::consts::PI * done as f64 / last as f64;
        let (high, low) = (self.config.lr_max, self.config.lr_min);
        low + (high - low) * (1.0 + phase.cos()) / 2.0
    }

    /// One batch, or the validation that ends the epoch. `after_batch` is called after every batch of
    /// the validation.
    ///
    /// # Errors
    /// [`TrainError::Diverged`].
    pub fn step(
        &mut self,
        record: &mut TrainingRecord,
        after_batch: &mut dyn FnMut(),
    ) -> Result<TrainStep, TrainError> {
        if self.is_over(record) {
            return Ok(TrainStep::Done);
        }
        if record.partial.batches < self.batches() {
            return self.batch(record).map(TrainStep::Batch);
        }
        let epoch = self.validate(record, after_batch)?;
        self.begin_epoch(record);
        Ok(TrainStep::Epoch(epoch))
    }

    fn is_over(&self, record: &TrainingRecord) -> bool {
        let done = record.epochs.len();
        let best = record.best_epoch.unwrap_or(done);
        record.finished
            || done >= self.config.epochs
            || done.saturating_sub(best) >= self.config.patience
    }

    fn batch(&mut self, record: &mut TrainingRecord) -> Result<usize, TrainError> {
        let lr = self.learning_rate(record);
        let from = record.partial.batches * self.config.batch;
        let to = (from + self.config.batch).min(self.order.len());
        let chosen = &self.order[from..to];
        let labels: Vec<usize> = chosen
            .iter()
            .map(|&i| usize::from(self.images.label(i)))
            .collect();
        let images = &self.images;
        let learned = match &mut self.learner {
            Learner::Plan(fit) => {
                let show = |at: usize, into: &mut [f32]| write_pixels(images, chosen[at], into);
                let result = fit.batch(&show, &labels, lr);
                let loss = result.loss / labels.len().max(1) as f64;
                match loss.is_finite() {
                    true => Ok((loss, result.logits)),
                    false => Err(loss),
                }
            }
            Learner::Burn {
                network,
                optimizer,
                loss,
            } => {
                let [channels, height, width] = images.shape();
                let shape = [chosen.len(), channels, height, width];
                let inputs = TensorData::new(pixels(images, chosen), shape);
                let inputs = Tensor::from_data(inputs, &self.device);
                learn(network, optimizer, loss, (inputs, &labels), lr)
            }
        };
        let (value, logits) = learned.map_err(|loss| TrainError::Diverged {
            loss,
            epoch: record.epochs.len() + 1,
            lr,
        })?;

        let partial = &mut record.partial;
        partial.batches += 1;
        partial.images = partial.images.saturating_add(labels.len());
        partial.loss_sum += value * labels.len() as f64;
        let correct = count_correct(logits.chunks_exact(self.images.classes.max(1)), &labels);
        partial.correct = partial.correct.saturating_add(correct);
        partial.lr = lr;
        record.batch_loss.push(value);
        Ok(labels.len())
    }

    /// Ends the epoch. If the loss is not finite, the record stays as it is: an epoch in it counts as done.
    fn validate(
        &mut self,
        record: &mut TrainingRecord,
        after_batch: &mut dyn FnMut(),
    ) -> Result<Epoch, TrainError> {
        let snapshot = match &self.learner {
            Learner::Burn { network, .. } => Snapshot::Burn {
                network: Box::new(burn::module::Module::valid(&**network)),
                device: self.device.clone().inner(),
            },
            Learner::Plan(fit) => {
                let ports = NetworkShape {
                    image: self.images.shape(),
                    classes: self.images.classes,
                };
                // The plan was compiled from a graph of this kind, so this one compiles too.
                match Graph::for_kind(self.kind, ports, &fit.weights())
                    .map(|graph| Plan::new(&graph))
                {
                    Ok(Ok(plan)) => Snapshot::Plan {
                        plan,
                        classes: self.images.classes,
                    },
                    _ => unreachable!("a network that was planned for training"),
                }
            }
        };
        let score = evaluate(&snapshot, &self.images, &self.valid, after_batch);
        if !score.loss.is_finite() {
            return Err(TrainError::Diverged {
                loss: score.loss,
                epoch: record.epochs.len() + 1,
                lr: record.partial.lr,
            });
        }
        let partial = std::mem::take(&mut record.partial);
        let trained = partial.images.max(1) as f64;
        let epoch = Epoch {
            epoch: record.epochs.len() + 1,
            train_loss: partial.loss_sum / trained,
            train_accuracy: partial.correct as f64 / trained,
            valid_loss: score.loss,
            valid_accuracy: score.accuracy,
            lr: partial.lr,
        };
        let best = record
            .epochs
            .iter()
            .map(|epoch| epoch.valid_accuracy)
            .fold(-1.0, f64::max);
        if epoch.valid_accuracy > best {
            record.best_epoch = Some(epoch.epoch);
            record.best = self.learner.weights();
        }
        record.epochs.push(epoch);
        Ok(epoch)
    }

    /// The time that each part of a step on these images takes, in microseconds per image; empty unless
    /// training by plan.
    pub fn step_times(&mut self, chosen: &[usize]) -> Vec<(String, f64)> {
        let labels: Vec<usize> = chosen
            .iter()
            .map(|&i| usize::from(self.images.label(i)))
            .collect();
        let images = &self.images;
        let show = |at: usize, into: &mut [f32]| write_pixels(images, chosen[at], into);
        match &mut self.learner {
            Learner::Plan(fit) => fit.times(&show, &labels),
            Learner::Burn { .. } => Vec::new(),
        }
    }

    /// Saves the weights and the optimizer's state in the record, for resuming.
    ///
    /// # Errors
    /// [`TrainError::Optimizer`] if the state cannot be written.
    pub fn save(&self, record: &mut TrainingRecord) -> Result<(), TrainError> {
        if record.finished {
            return Ok(());
        }
        record.current = self.learner.weights();
        let bytes = self.learner.state()?;
        record.optimizer = Array::new(&[bytes.len()], bytes);
        Ok(())
    }
}

/// Closes the record of a finished training: adds the test result and drops the state for resuming.
pub fn finish(record: &mut TrainingRecord, test: Score) {
    record.test_accuracy = Some(test.accuracy);
    record.finished = true;
    record.partial = PartialEpoch::default();
    record.current = NetworkWeights::default();
    record.optimizer = Array::default();
}

fn stream(seed: u64, stream: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(stream);
    rng
}

/// How many of `images` training images are held out for validation.
pub fn held_out(images: usize, validation: f64) -> usize {
    (images as f64 * validation).round() as usize
}

/// Indices of the images to train on and of those held out, determined by the seed.
fn split(
    images: usize,
    validation: f64,
    seed: u64,
) -> Result<(Vec<usize>, Vec<usize>), TrainError> {
    let held_out = held_out(images, validation);
    if held_out == 0 || held_out >= images {
        return Err(TrainError::TooFew { images, validation });
    }
    let mut all: Vec<usize> = (0..images).collect();
    all.shuffle(&mut stream(seed, SPLIT_STREAM));
    let mut train = all.split_off(held_out);
    // Sorted, so that only the epoch's shuffle decides the order.
    train.sort_unstable();
    all.sort_unstable();
    Ok((train, all))
}
