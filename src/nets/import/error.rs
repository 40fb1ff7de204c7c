//! Errors of importing weights, with messages for the user.

use std::path::{Path, PathBuf};

use super::list;
use super::pickle::{self, PickleError};
use super::recognise::{NonWeightsFile, Remedy, from_torch};
use crate::session::form::Shape;

/// Why weights cannot be imported from a file.
#[derive(Debug, thiserror::Error)]
#[error("network.weights: {}: {fault}{}", .path.display(), self.remedy())]
pub struct ImportError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub fault: Box<WeightsFault>,
    /// The shape of the images that the network should take: C, H, W.
    pub image: Shape,
}

impl ImportError {
    /// Whether the file is intact, but its weights are for another architecture, images or classes.
    pub fn is_misfit(&self) -> bool {
        matches!(
            &*self.fault,
            WeightsFault::Layers { .. }
                | WeightsFault::Missing { .. }
                | WeightsFault::Shape { .. }
                | WeightsFault::Extra { .. }
                | WeightsFault::Applies { .. }
        )
    }

    /// Its layers and those of the architecture, in words, if they differ.
    pub fn layers(&self) -> Option<(&str, &str)> {
        match &*self.fault {
            WeightsFault::Layers { found, needed, .. } => Some((found, needed)),
            _ => None,
        }
    }

    /// What to do, if that depends on the file and the images.
    fn remedy(&self) -> String {
        match &*self.fault {
            WeightsFault::Foreign((_, remedy)) => {
                format!("; {}", remedy.advice(&self.path, self.image))
            }
            WeightsFault::Shape {
                meaning: Some(ShapeMismatch::ChannelsLast),
                ..
            } => format!(". {}", Remedy::Keras.advice(Path::new("…"), self.image)),
            fault if fault.is_of_another_network() => {
                format!(". To use it unchanged, {}", from_torch(self.image))
            }
            _ => String::new(),
        }
    }
}

/// What is wrong with a file of weights.
#[derive(Debug, thiserror::Error)]
pub enum WeightsFault {
    /// It does not exist or cannot be read.
    #[error("the file cannot be read: {0}")]
    Unreadable(#[from] std::io::Error),
    /// It is another kind of file.
    #[error("this is {}", .0.0)]
    Foreign(NonWeightsFile),
    /// It starts like a weights file, but the rest is not readable.
    #[error(
        "the file is damaged, or of a kind that cannot be read: {0}; download or save it again"
    )]
    Damaged(String),
    /// An excessively long pickle.
    #[error(
        "the file's data besides its tensors exceeds {} MiB; save only the weights, with torch.save(model.state_dict(), \"model.pt\")", pickle::MAX_BYTES >> 20
    )]
    TooLong,
    /// Written in big-endian byte order.
    #[error(
        "the file was written on a big-endian machine; load and save it on another, or with torch.save after torch.serialization.set_default_load_endianness"
    )]
    BigEndian,
    /// A pickle asks to run code.
    #[error(
        "the file asks Python to run `{0}`, which weights do not need; nothing was run. Do not load it in Python either unless you trust its source; use a file of the weights alone, saved with torch.save(model.state_dict(), \"model.pt\")"
    )]
    Code(String),
    /// Its layers are not those of the architecture.
    #[error(
        "the file has the layers {found}, but the network `{kind}` needs {needed}; {}", others(.fits)
    )]
    Layers {
        /// Those in the file.
        found: String,
        /// Those of the architecture.
        needed: String,
        /// The architecture.
        kind: &'static str,
        /// Architectures that they fit.
        fits: Vec<&'static str>,
    },
    /// A tensor is missing.
    #[error("the file has no tensor `{name}`; it has {available}")]
    Missing {
        /// The tensor.
        name: String,
        /// The tensors that it has.
        available: String,
    },
    /// A tensor has another shape.
    #[error("the tensor `{name}` has the shape {found:?}, but the network `{kind}` needs {needed:?}{}", clause(.meaning))]
    Shape {
        /// The tensor.
        name: String,
        /// Its shape in the file.
        found: Vec<usize>,
        /// The shape that PyTorch gives it in this architecture.
        needed: Vec<usize>,
        /// The architecture.
        kind: &'static str,
        /// What that means, if known.
        meaning: Option<ShapeMismatch>,
    },
    /// A tensor holds something other than real numbers.
    #[error(
        "the tensor `{name}` has the type {found}; weights must be floating-point numbers (f64, f32, f16 or bf16)"
    )]
    DType {
        /// The tensor.
        name: String,
        /// Its type.
        found: String,
    },
    /// A tensor holds infinities or NaNs.
    #[error(
        "the tensor `{name}` has {bad} of {of} values that are infinite or not numbers; the training failed, use an earlier checkpoint"
    )]
    NotFinite {
        /// The tensor.
        name: String,
        /// Number of such values.
        bad: usize,
        /// Number of values.
        of: usize,
    },
    /// Tensors that the architecture does not have.
    #[error(
        "the network `{kind}` has no place for {names}; the file was made for another architecture"
    )]
    Extra {
        /// The tensors.
        names: String,
        /// The architecture.
        kind: &'static str,
    },
    /// Weights that are computed from other tensors.
    #[error(
        "the weight `{name}` is computed from {from} ({how}); turn it into a plain one before saving, with {with}"
    )]
    Computed {
        /// The weight.
        name: String,
        /// The tensors.
        from: String,
        /// How.
        how: &'static str,
        /// The function that turns it into a plain one.
        with: &'static str,
    },
    /// The file has buffers that scale the images.
    #[error(
        "the file has `{mean_name}` {mean:?} and `{std_name}` {std:?}, with which its network scaled the images; start a session with the same scaling, using --set 'network.input=(mean: {mean:?}, std: {std:?})'"
    )]
    Scaling {
        /// The buffer of means.
        mean_name: String,
        /// The value subtracted from each channel.
        mean: Vec<f32>,
        /// The buffer of deviations.
        std_name: String,
        /// The divisor of each channel.
        std: Vec<f32>,
    },
    /// A whole module applies something that the architecture does not.
    #[error("the module in the file applies {applies}, but the network `{kind}` applies {instead}")]
    Applies {
        /// Classes of its parts.
        applies: String,
        /// The architecture.
        kind: &'static str,
        /// What the architecture applies.
        instead: &'static str,
    },
}

/// What a wrong shape means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShapeMismatch {
    /// Another number of classes.
    Classes(usize, usize),
    /// A hidden layer of another size.
    Units(usize, usize),
    /// Images of another number of pixels.
    Pixels(usize, usize),
    /// Images of other channels.
    Channels(usize, usize),
    /// Images of another size.
    Size,
    /// Kernels in Keras's order, channels last.
    ChannelsLast,
}

impl WeightsFault {
    /// Whether the file is intact, but for a network that is not built in.
    fn is_of_another_network(&self) -> bool {
        match self {
            Self::Layers { fits, .. } => fits.is_empty(),
            Self::Shape { meaning, .. } => matches!(meaning, None | Some(ShapeMismatch::Units(..))),
            Self::Extra { .. } | Self::Applies { .. } => true,
            _ => false,
        }
    }
}

impl From<PickleError> for WeightsFault {
    fn from(error: PickleError) -> Self {
        Self::Damaged(error.to_string())
    }
}

fn others(fits: &[&'static str]) -> String {
    match fits {
        [] => "it was made for another architecture".to_owned(),
        fits => format!(
            "they fit {}: --set network.kind={}",
            list(fits),
            fits.join(" or ")
        ),
    }
}

fn clause(meaning: &Option<ShapeMismatch>) -> String {
    match meaning {
        None => String::new(),
        Some(ShapeMismatch::Classes(found, needed)) => format!(
            ": it has {found} classes, but the images have {needed}; use the images it was made for (--data), or noise alone (dataset=None)"
        ),
        Some(ShapeMismatch::Units(found, needed)) => format!(
            ": a layer has {found} units, but the built-in network's has {needed}, which cannot be changed"
        ),
        Some(ShapeMismatch::Pixels(found, needed)) => format!(
            ": it takes images of {found} values, but these have {needed}; use the images it was made for (--data)"
        ),
        Some(ShapeMismatch::Size) => ": it was made for images of another size; use those (--data)".to_owned(),
        Some(ShapeMismatch::ChannelsLast) => {
            ": the kernels have their channels last, as in Keras, so the next layers have their inputs in another order".to_owned()
        }
        Some(ShapeMismatch::Channels(found, needed)) => format!(
            ": it takes images of {found} channels, but these have {needed}; use the images it was made for (--data)"
        ),
    }
}
