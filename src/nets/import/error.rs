//! What keeps weights from being taken, in a person's words.

use std::path::{Path, PathBuf};

use super::list;
use super::pickle::{self, PickleError};
use super::recognise::{Foreign, Remedy, from_torch};
use crate::session::form::Shape;

/// Weights that cannot be taken from a file.
#[derive(Debug, thiserror::Error)]
#[error("network.weights: {}: {fault}{}", .path.display(), self.remedy())]
pub struct ImportError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub fault: Box<Fault>,
    /// The images that the network is to be for: C, H, W.
    pub image: Shape,
}

impl ImportError {
    /// Whether the file is good, and its weights are for another architecture, images or classes.
    pub fn is_misfit(&self) -> bool {
        matches!(
            &*self.fault,
            Fault::Layers { .. }
                | Fault::Missing { .. }
                | Fault::Shape { .. }
                | Fault::Extra { .. }
                | Fault::Applies { .. }
        )
    }

    /// Whether its layers are not even those of the architecture.
    pub fn has_other_layers(&self) -> bool {
        matches!(&*self.fault, Fault::Layers { .. })
    }

    /// What to do, where that depends on the file and the images.
    fn remedy(&self) -> String {
        match &*self.fault {
            Fault::Foreign((_, remedy)) => format!("; {}", remedy.words(&self.path, self.image)),
            Fault::Shape {
                meaning: Some(Misfit::ChannelsLast),
                ..
            } => format!(". {}", Remedy::Keras.words(Path::new("…"), self.image)),
            fault if fault.is_of_another_network() => {
                format!(". To see it as it is, {}", from_torch(self.image))
            }
            _ => String::new(),
        }
    }
}

/// What is wrong with a file of weights.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// It is not there, or the system does not let it be read.
    #[error("the file cannot be read: {0}")]
    Unreadable(#[from] std::io::Error),
    /// It is something else.
    #[error("this is {}", .0.0)]
    Foreign(Foreign),
    /// It begins like weights, and goes on like nothing known.
    #[error("the file is damaged, or of a kind that cannot be read: {0}; fetch or save it again")]
    Damaged(String),
    /// A pickle beyond all measure.
    #[error(
        "what the file says beside its tensors is longer than {} MiB; save the weights alone, with torch.save(model.state_dict(), \"model.pt\")", pickle::MOST_BYTES >> 20
    )]
    TooLong,
    /// Written where the highest byte comes first.
    #[error(
        "the file was written on a big-endian machine; load and save it on another, or with torch.save after torch.serialization.set_default_load_endianness"
    )]
    BigEndian,
    /// A pickle asks for what reaches outside of it.
    #[error(
        "the file asks Python to run `{0}`, which weights have no need of; nothing of it was run. Do not load it in Python either, unless you trust who made it; take weights that were saved alone, with torch.save(model.state_dict(), \"model.pt\")"
    )]
    Code(String),
    /// Its layers are others.
    #[error(
        "the file has the layers {found} where the network `{kind}` needs {needed}; {}", others(.fits)
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
    /// A tensor is not there.
    #[error("the file has no tensor `{name}`; it has {there}")]
    Missing {
        /// The tensor.
        name: String,
        /// What there is.
        there: String,
    },
    /// A tensor has another shape.
    #[error("the tensor `{name}` has the shape {found:?} where the network `{kind}` needs {needed:?}{}", clause(.meaning))]
    Shape {
        /// The tensor.
        name: String,
        /// Its shape in the file.
        found: Vec<usize>,
        /// The shape that PyTorch gives it in this architecture.
        needed: Vec<usize>,
        /// The architecture.
        kind: &'static str,
        /// What that means, where it can be told.
        meaning: Option<Misfit>,
    },
    /// A tensor holds something other than real numbers.
    #[error(
        "the tensor `{name}` is of type {found}; weights must be floating-point numbers (f64, f32, f16 or bf16)"
    )]
    DType {
        /// The tensor.
        name: String,
        /// Its type.
        found: String,
    },
    /// A tensor holds infinities or what is not a number.
    #[error(
        "the tensor `{name}` has {bad} of {of} values that are infinite or not numbers; the training that made them went wrong, take an earlier checkpoint"
    )]
    NotFinite {
        /// The tensor.
        name: String,
        /// How many such values.
        bad: usize,
        /// How many values.
        of: usize,
    },
    /// Tensors that the architecture has no use for.
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
        "the weight `{name}` is computed from {from} ({how}); make it a plain one before saving, with {with}"
    )]
    Computed {
        /// The weight.
        name: String,
        /// The tensors.
        from: String,
        /// By what.
        how: &'static str,
        /// What makes it a plain one.
        with: &'static str,
    },
    /// Buffers that scale the images.
    #[error(
        "the file has `{mean_name}` {mean:?} and `{std_name}` {std:?}, by which its network scaled the images; begin a session that says so, with --set 'network.input=(mean: {mean:?}, std: {std:?})'"
    )]
    Scaling {
        /// The buffer of means.
        mean_name: String,
        /// What is taken off each channel.
        mean: Vec<f32>,
        /// The buffer of deviations.
        std_name: String,
        /// What each channel is divided by.
        std: Vec<f32>,
    },
    /// A whole module applies something that the architecture does not.
    #[error("the module in the file applies {applies}, and the network `{kind}` {instead}")]
    Applies {
        /// Classes of its parts.
        applies: String,
        /// The architecture.
        kind: &'static str,
        /// What the architecture applies.
        instead: &'static str,
    },
}

/// What another shape means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misfit {
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
    /// Kernels in the order of Keras.
    ChannelsLast,
}

impl Fault {
    /// Whether the file is good, and for a network that is not among the built-in ones.
    fn is_of_another_network(&self) -> bool {
        match self {
            Self::Layers { fits, .. } => fits.is_empty(),
            Self::Shape { meaning, .. } => matches!(meaning, None | Some(Misfit::Units(..))),
            Self::Extra { .. } | Self::Applies { .. } => true,
            _ => false,
        }
    }
}

impl From<PickleError> for Fault {
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

fn clause(meaning: &Option<Misfit>) -> String {
    match meaning {
        None => String::new(),
        Some(Misfit::Classes(found, needed)) => format!(
            ": it tells {found} classes apart, and the images are of {needed}; give it the images that it was made for (--data), or noise alone (dataset=None)"
        ),
        Some(Misfit::Units(found, needed)) => format!(
            ": a layer of {found} units where the built-in network has {needed}; those have one size only"
        ),
        Some(Misfit::Pixels(found, needed)) => format!(
            ": it takes images of {found} numbers, and these have {needed}; give it the images that it was made for (--data)"
        ),
        Some(Misfit::Size) => ": it was made for images of another size; give it those (--data)".to_owned(),
        Some(Misfit::ChannelsLast) => {
            ": the kernels have their channels last, as Keras keeps them, and then the next layers count their inputs in another order".to_owned()
        }
        Some(Misfit::Channels(found, needed)) => format!(
            ": it takes images of {found} channels, and these have {needed}; give it the images that it was made for (--data)"
        ),
    }
}
