//! What to do: the part of a session that a person writes.
//!
//! Every field has a default, so a preset names only what it changes; an unknown field is an
//! error. [`Config::validate`] names the offending place the way the file spells it, for example
//! `analyses[0].gammas[1]`.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The whole plan of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Everything random in the run follows from this number.
    pub seed: u64,
    /// The images.
    pub dataset: Dataset,
    /// The network under study.
    pub network: Network,
    /// The experiments, in the order in which they run.
    pub analyses: Vec<Analysis>,
    /// Seconds between checkpoints of the session file.
    pub checkpoint_s: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            seed: 1,
            dataset: Dataset::default(),
            network: Network::default(),
            analyses: vec![Analysis::ClassificationImages(
                ClassificationImages::default(),
            )],
            checkpoint_s: 30.0,
        }
    }
}

/// Which images, and where they come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Dataset {
    /// The data set.
    pub name: DatasetName,
    /// Where its files are looked for.
    pub source: DatasetSource,
}

impl Default for Dataset {
    fn default() -> Self {
        Self {
            name: DatasetName::Mnist,
            source: DatasetSource::Auto,
        }
    }
}

/// A data set by name. Both have 10 classes of 28×28 images.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum DatasetName {
    /// Handwritten digits.
    Mnist,
    /// Articles of clothing.
    FashionMnist,
}

impl DatasetName {
    /// The name as its authors write it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Mnist => "MNIST",
            Self::FashionMnist => "Fashion-MNIST",
        }
    }
}

/// Where the images come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum DatasetSource {
    /// The full set where it is present, else the embedded subset.
    Auto,
    /// The first 10,000 training and 2,000 test images, which the program carries.
    Embedded,
    /// The full set (60,000 + 10,000) in the data folder; an error where it is not there.
    Full,
    /// The four IDX files in a folder of one's own.
    Folder(PathBuf),
}

/// The network and how it gets its weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Network {
    /// The architecture.
    pub kind: NetworkKind,
    /// How it gets its weights.
    pub weights: Weights,
}

impl Default for Network {
    fn default() -> Self {
        Self {
            kind: NetworkKind::Cnn,
            weights: Weights::Train(Training::default()),
        }
    }
}

/// The architectures. All take one-channel 28×28 images in \[0,1\] and give 10 logits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum NetworkKind {
    /// Two 5×5 convolutions with ReLU and max-pooling, two fully connected layers; 431,080 parameters.
    Cnn,
    /// One hidden layer of 1,000 ReLU units; 795,010 parameters.
    Mlp,
    /// Logistic regression; 7,850 parameters.
    Logistic,
}

impl NetworkKind {
    /// Every architecture.
    pub const ALL: [Self; 3] = [Self::Cnn, Self::Mlp, Self::Logistic];

    /// The lower-case name used in headers and on the command line.
    pub fn label(self) -> &'static str {
        match self {
            Self::Cnn => "cnn",
            Self::Mlp => "mlp",
            Self::Logistic => "logistic",
        }
    }
}

/// How the network gets its weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Weights {
    /// Trained here, on the session's data set.
    Train(Training),
}

/// Training with Adam, cosine annealing and early stopping.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Training {
    /// Most epochs to train for.
    pub epochs: usize,
    /// Epochs without a better validation accuracy after which training stops.
    pub patience: usize,
    /// Images a batch.
    pub batch: usize,
    /// Learning rate at the first batch.
    pub lr_max: f64,
    /// Learning rate at the last batch (cosine annealing from `lr_max`).
    pub lr_min: f64,
    /// L2 penalty added to the gradient, as Adam's `weight_decay` does; 0 turns it off.
    pub weight_decay: f64,
    /// Share of the training images that is held out for validation.
    pub validation: f64,
}

impl Default for Training {
    fn default() -> Self {
        Self {
            epochs: 15,
            patience: 5,
            batch: 256,
            lr_max: 1e-3,
            lr_min: 1e-5,
            weight_decay: 0.0,
            validation: 0.2,
        }
    }
}

/// One experiment of the plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Analysis {
    /// Average the noise by what the network calls it.
    ClassificationImages(ClassificationImages),
}

impl Analysis {
    /// The name used in views, reports and exports.
    pub fn label(&self) -> &'static str {
        match self {
            Self::ClassificationImages(_) => "classification images",
        }
    }
}

/// Classification images for a list of signal strengths γ.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClassificationImages {
    /// The noise.
    pub noise: Noise,
    /// Signal strengths in \[0,1\]: a stimulus is (1−γ)·noise + γ·image.
    pub gammas: Vec<f64>,
    /// Trials for each γ.
    pub trials: u64,
    /// Fewer trials than this in a cell that an estimate needs make its class insufficient.
    pub min_trials: u64,
    /// Trials a block: the unit of seeding, of progress and of interruption.
    pub block: usize,
}

impl Default for ClassificationImages {
    fn default() -> Self {
        Self {
            noise: Noise::Uniform,
            gammas: vec![0.0, 0.2, 0.3, 0.5],
            trials: 1_000_000,
            min_trials: 30,
            block: 256,
        }
    }
}

/// The kinds of noise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Noise {
    /// Independent pixels, U\[0,1\] on a 16-bit grid: (k+½)/65536.
    Uniform,
}

impl Noise {
    /// The lower-case name used in views and exports.
    pub fn label(self) -> &'static str {
        match self {
            Self::Uniform => "uniform",
        }
    }
}

/// A configuration that cannot be run: where, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {problem}")]
pub struct Invalid {
    /// The place as the file spells it, for example `analyses[0].gammas[1]`.
    pub path: String,
    /// What is wrong with it and what would be right.
    pub problem: String,
}

fn invalid<T>(path: impl Into<String>, problem: impl Into<String>) -> Result<T, Invalid> {
    Err(Invalid {
        path: path.into(),
        problem: problem.into(),
    })
}

/// Most trials at one γ: sums of 16-bit numbers stay far inside 64 bits.
pub const MAX_TRIALS: u64 = 1 << 40;

/// Most γ in a list: each has sums of its own in memory, in the file and on the way to viewers.
pub const MAX_GAMMAS: usize = 64;

/// Most epochs, and most images a batch.
pub const MAX_TRAINING: usize = 1_000_000;

/// Most trials a block may have: a worker holds one block of stimuli in memory.
pub const MAX_BLOCK: usize = 8192;

impl Config {
    /// Checks every range. The path in the error is spelt as in the file.
    pub fn validate(&self) -> Result<(), Invalid> {
        if !(self.checkpoint_s.is_finite() && self.checkpoint_s >= 0.1) {
            return invalid(
                "checkpoint_s",
                format!(
                    "{} s between checkpoints; it must be at least 0.1",
                    self.checkpoint_s
                ),
            );
        }
        let Weights::Train(training) = &self.network.weights;
        training.validate("network.weights")?;
        for (i, analysis) in self.analyses.iter().enumerate() {
            let path = format!("analyses[{i}]");
            match analysis {
                Analysis::ClassificationImages(it) => it.validate(&path)?,
            }
        }
        Ok(())
    }
}

impl Training {
    fn validate(&self, path: &str) -> Result<(), Invalid> {
        let at_least_one = [
            ("epochs", self.epochs),
            ("patience", self.patience),
            ("batch", self.batch),
        ];
        for (field, value) in at_least_one {
            if value == 0 {
                return invalid(format!("{path}.{field}"), "it is 0; it must be at least 1");
            }
            if value > MAX_TRAINING {
                return invalid(
                    format!("{path}.{field}"),
                    format!("{value} is more than {MAX_TRAINING}"),
                );
            }
        }
        let learning_rates = [("lr_max", self.lr_max), ("lr_min", self.lr_min)];
        for (field, value) in learning_rates {
            if !(value.is_finite() && value > 0.0 && value <= 1.0) {
                return invalid(
                    format!("{path}.{field}"),
                    format!("a learning rate of {value}; it must lie in (0, 1]"),
                );
            }
        }
        if self.lr_min > self.lr_max {
            return invalid(
                format!("{path}.lr_min"),
                format!("{} is above lr_max, {}", self.lr_min, self.lr_max),
            );
        }
        if !(self.weight_decay.is_finite() && (0.0..=1.0).contains(&self.weight_decay)) {
            return invalid(
                format!("{path}.weight_decay"),
                format!("{} is outside [0, 1]", self.weight_decay),
            );
        }
        if !(self.validation > 0.0 && self.validation < 0.9) {
            return invalid(
                format!("{path}.validation"),
                format!(
                    "{} is outside (0, 0.9): early stopping needs held-out images",
                    self.validation
                ),
            );
        }
        Ok(())
    }
}

impl ClassificationImages {
    fn validate(&self, path: &str) -> Result<(), Invalid> {
        if self.gammas.is_empty() {
            return invalid(
                format!("{path}.gammas"),
                "the list is empty; give at least one γ in [0, 1]",
            );
        }
        if self.gammas.len() > MAX_GAMMAS {
            return invalid(
                format!("{path}.gammas"),
                format!(
                    "{} γ in the list; at most {MAX_GAMMAS} have room",
                    self.gammas.len()
                ),
            );
        }
        for (i, gamma) in self.gammas.iter().enumerate() {
            if !(0.0..=1.0).contains(gamma) {
                return invalid(
                    format!("{path}.gammas[{i}]"),
                    format!("γ = {gamma} is outside [0, 1]"),
                );
            }
            if self.gammas[..i].contains(gamma) {
                return invalid(
                    format!("{path}.gammas[{i}]"),
                    format!("γ = {gamma} stands in the list twice"),
                );
            }
        }
        if self.trials == 0 {
            return invalid(
                format!("{path}.trials"),
                "zero trials; give at least one a γ",
            );
        }
        if self.trials > MAX_TRIALS {
            return invalid(
                format!("{path}.trials"),
                format!(
                    "{} trials; at most {MAX_TRIALS} a γ are counted exactly",
                    self.trials
                ),
            );
        }
        if self.min_trials < 2 {
            return invalid(
                format!("{path}.min_trials"),
                format!(
                    "{} is too few to average; it must be at least 2",
                    self.min_trials
                ),
            );
        }
        if self.block == 0 || self.block > MAX_BLOCK {
            return invalid(
                format!("{path}.block"),
                format!(
                    "{} trials a block; it must lie in 1 to {MAX_BLOCK}",
                    self.block
                ),
            );
        }
        Ok(())
    }

    /// Blocks that one γ takes; the last may be short.
    pub fn blocks(&self) -> u64 {
        self.trials.div_ceil(self.block as u64)
    }

    /// Trials of block `block`, which is `self.block` but for the last.
    pub fn trials_of(&self, block: u64) -> usize {
        let left = self.trials.saturating_sub(block * self.block as u64);
        left.min(self.block as u64) as usize
    }
}
