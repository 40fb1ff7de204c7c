//! The network under study and its weights.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use super::check::invalid;
use super::{ConfigError, MAX_TRAINING};
use crate::session::form::Shape;

/// Most numbers of an image whose form a plan gives: 64 channels of 1024×1024.
const MOST_NUMBERS: usize = 1 << 26;

/// The network under study and where its weights come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Network {
    /// The architecture.
    pub kind: NetworkKind,
    /// Where its weights come from.
    pub weights: WeightSource,
    /// Channels, rows and columns of the input if the plan has no images (`dataset: None`), which
    /// otherwise determine it. `None`: one channel of 28×28.
    pub image: Option<Shape>,
    /// The input encoding that the network expects, if its weights come from a file.
    pub input: InputEncoding,
    /// The output of an ONNX file that gives the logits, by its name or a node's; `None`: the only
    /// output.
    pub output: Option<String>,
}

impl Default for Network {
    fn default() -> Self {
        Self {
            kind: NetworkKind::Cnn,
            weights: WeightSource::Train(TrainingConfig::default()),
            image: None,
            input: InputEncoding::default(),
            output: None,
        }
    }
}

/// The input that a network from a file expects. Images are in \[0,1\] here; they are scaled to the
/// range, their channels reordered, then each channel has its mean subtracted and is divided by its
/// deviation.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[serde(rename = "Input")]
pub struct InputEncoding {
    /// The values of black and white.
    pub range: InputRange,
    /// Subtracted from each channel: one number per channel, or one for all; empty: nothing.
    pub mean: Vec<f64>,
    /// Each channel is then divided by this; empty: by nothing.
    pub std: Vec<f64>,
    /// The order of the channels, which also applies to `mean` and `std`.
    pub order: ChannelOrder,
}

/// The values of black and white that a network expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename = "Range")]
pub enum InputRange {
    /// 0 and 1.
    #[default]
    Unit,
    /// 0 and 255.
    Byte,
    /// −1 and 1.
    Signed,
}

/// The order of the colour channels that a network expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename = "Order")]
pub enum ChannelOrder {
    /// Red, green, blue.
    #[default]
    Rgb,
    /// Blue, green, red.
    Bgr,
}

impl Network {
    /// The name in headers and reports: the kind, or the file name of an ONNX network.
    pub fn label(&self) -> String {
        match (&self.weights, self.kind) {
            (WeightSource::File(path), NetworkKind::Onnx) => path.file_name().map_or_else(
                || self.kind.label().to_owned(),
                |name| name.to_string_lossy().into(),
            ),
            _ => self.kind.label().to_owned(),
        }
    }

    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        match (&self.weights, self.kind) {
            (WeightSource::Train(_), NetworkKind::Onnx) => {
                return invalid(
                    "network.weights",
                    "an ONNX network is not trained here; it comes from a file: weights: File(\"model.onnx\")",
                );
            }
            (WeightSource::Train(training), _) => training.validate("network.weights")?,
            (WeightSource::File(_), _) => {}
        }
        if self.output.is_some() && self.kind != NetworkKind::Onnx {
            return invalid(
                "network.output",
                "only an ONNX network has outputs to choose from",
            );
        }
        if self.input != InputEncoding::default() && matches!(self.weights, WeightSource::Train(_))
        {
            return invalid(
                "network.input",
                "a network that is trained here takes images in [0,1]; only weights from a file may need another range",
            );
        }
        self.input.validate("network.input")
    }

    /// Rejects in a new plan an image without pixels, and one that no memory holds.
    ///
    /// # Errors
    /// Names the place and the accepted values.
    pub fn check_image(&self) -> Result<(), ConfigError> {
        let Some([channels, height, width]) = self.image else {
            return Ok(());
        };
        let numbers = channels.checked_mul(height);
        let numbers = numbers.and_then(|rows| rows.checked_mul(width));
        if numbers.is_some_and(|numbers| (1..=MOST_NUMBERS).contains(&numbers)) {
            return Ok(());
        }
        invalid(
            "network.image",
            format!(
                "({channels}, {height}, {width}): channels, rows and columns must each be at least 1, and at most {MOST_NUMBERS} numbers together"
            ),
        )
    }
}

impl InputEncoding {
    /// Its fields as written in a plan, without defaults: `(range: Byte, order: Bgr)`.
    pub fn in_plan(&self) -> String {
        let mut parts = Vec::new();
        if self.range != InputRange::Unit {
            parts.push(format!("range: {:?}", self.range));
        }
        for (field, values) in [("mean", &self.mean), ("std", &self.std)] {
            if !values.is_empty() {
                parts.push(format!("{field}: {values:?}"));
            }
        }
        if self.order != ChannelOrder::Rgb {
            parts.push(format!("order: {:?}", self.order));
        }
        format!("({})", parts.join(", "))
    }

    fn validate(&self, path: &str) -> Result<(), ConfigError> {
        for (field, values) in [("mean", &self.mean), ("std", &self.std)] {
            for (i, value) in values.iter().enumerate() {
                let path = format!("{path}.{field}[{i}]");
                if !value.is_finite() {
                    return invalid(path, format!("{value} is not a finite number"));
                }
                if field == "std" && *value <= 0.0 {
                    return invalid(path, format!("{value}; a deviation must be above 0"));
                }
            }
        }
        Ok(())
    }
}

/// The architectures. Each adapts to the size of the images, which are in \[0,1\], and gives one logit
/// per class. Parameter counts are for one channel, 28×28 pixels and ten classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum NetworkKind {
    /// Two 5×5 convolutions with ReLU and max-pooling, two fully connected layers; 431,080 parameters.
    Cnn,
    /// One hidden layer of 1,000 ReLU units; 795,010 parameters.
    Mlp,
    /// Logistic regression; 7,850 parameters.
    Logistic,
    /// Image rows as time steps through two LSTM layers of 128 units; classified from the last state.
    Rnn,
    /// Two 3×3 convolutions and two fully connected layers with no non-linearity except max-pooling;
    /// 421,642 parameters.
    Simple,
    /// As `Simple`, with batch normalization and a depthwise convolution; 422,346 parameters.
    Complex,
    /// Any network from an ONNX file.
    Onnx,
}

impl NetworkKind {
    /// Every architecture that can be trained here.
    pub const ALL: [Self; 6] = [
        Self::Cnn,
        Self::Mlp,
        Self::Logistic,
        Self::Rnn,
        Self::Simple,
        Self::Complex,
    ];

    /// The lower-case name used in headers and on the command line.
    pub fn label(self) -> &'static str {
        self.into()
    }

    /// Whether it is a built-in architecture with the layers `conv1` and `conv2`.
    pub fn is_convolutional(self) -> bool {
        matches!(self, Self::Cnn | Self::Simple | Self::Complex)
    }
}

/// Where the weights come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename = "Weights")]
pub enum WeightSource {
    /// Trained here, on the session's data set.
    Train(TrainingConfig),
    /// Loaded from a file: a PyTorch state dict (`.pt`, `.pth`), safetensors, or an ONNX network
    /// (`.onnx`).
    File(PathBuf),
}

/// Training with Adam, cosine annealing and early stopping.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[serde(rename = "Training")]
pub struct TrainingConfig {
    /// Maximum number of epochs.
    pub epochs: usize,
    /// Training stops after this many epochs without better validation accuracy.
    pub patience: usize,
    /// Images per batch.
    pub batch: usize,
    /// Learning rate at the first batch.
    pub lr_max: f64,
    /// Learning rate at the last batch (cosine annealing from `lr_max`).
    pub lr_min: f64,
    /// L2 penalty added to the gradient, as Adam's `weight_decay` does; 0 turns it off.
    pub weight_decay: f64,
    /// Share of the training images held out for validation.
    pub validation: f64,
}

impl Default for TrainingConfig {
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

impl TrainingConfig {
    pub(super) fn validate(&self, path: &str) -> Result<(), ConfigError> {
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
                    format!("a learning rate of {value}; it must be in (0, 1]"),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_without_pixels_or_larger_than_memory_is_refused() {
        let check = |image| {
            let network = Network {
                image,
                ..Network::default()
            };
            network.check_image().map_err(|error| error.path)
        };
        for image in [[3, 32, 32], [1, 1, 1], [64, 1024, 1024]] {
            assert_eq!(check(Some(image)), Ok(()), "{image:?}");
        }
        assert_eq!(check(None), Ok(()));
        for image in [
            [0, 1, 1],
            [1, 0, 1],
            [1, 1, 0],
            [65, 1024, 1024],
            [1, 1_000_000, 1_000_000],
            [2, usize::MAX, 2],
        ] {
            let refused = Err("network.image".to_owned());
            assert_eq!(check(Some(image)), refused, "{image:?}");
        }
    }
}
