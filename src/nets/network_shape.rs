//! The shape of a network's input images and its number of classes.

use crate::session::config::NetworkKind;
use crate::session::form::{Form, Shape};

/// The shape of the images that a network takes, and its number of classes. Every architecture is
/// sized to these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NetworkShape {
    /// Channels, rows and columns of an image: C, H, W.
    pub image: Shape,
    /// Classes: K.
    pub classes: usize,
}

impl From<&Form> for NetworkShape {
    fn from(form: &Form) -> Self {
        Self {
            image: form.shape(),
            classes: form.class_count(),
        }
    }
}

/// Why an architecture cannot be sized to some images.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NetworkShapeError {
    /// The images are too small for its convolutions and poolings.
    #[error(
        "network.kind {kind} needs images of at least {least}×{least} pixels, but these are {height}×{width}; use {others}"
    )]
    Small {
        /// The architecture.
        kind: &'static str,
        /// Rows and columns that it needs at least.
        least: usize,
        /// Rows of the images.
        height: usize,
        /// Columns of the images.
        width: usize,
        /// Architectures that fit.
        others: String,
    },
    /// Fewer than two classes.
    #[error("the images have {0} class; a network needs at least two")]
    Classes(usize),
}

impl NetworkShape {
    /// Numbers of an image: C·H·W.
    pub fn pixels(&self) -> usize {
        self.image.iter().product()
    }

    /// Rows and columns of an image.
    pub fn size(&self) -> (usize, usize) {
        (self.image[1], self.image[2])
    }

    /// Whether an architecture can be sized to these.
    ///
    /// # Errors
    /// States what it needs, and which architectures fit.
    pub fn check(&self, kind: NetworkKind) -> Result<(), NetworkShapeError> {
        let [_, height, width] = self.image;
        let fits = |kind| height.min(width) >= least(kind);
        if self.classes < 2 {
            return Err(NetworkShapeError::Classes(self.classes));
        }
        if fits(kind) {
            return Ok(());
        }
        let others: Vec<&str> = NetworkKind::ALL
            .into_iter()
            .filter(|&kind| fits(kind))
            .map(NetworkKind::label)
            .collect();
        Err(NetworkShapeError::Small {
            kind: kind.label(),
            least: least(kind),
            height,
            width,
            others: others.join(", "),
        })
    }
}

/// Minimum rows and columns for an architecture: for `cnn`, so that its second pooling has
/// something to pool; for `simple` and `complex`, so that a receptive field fits inside the image.
fn least(kind: NetworkKind) -> usize {
    match kind {
        NetworkKind::Cnn => 16,
        NetworkKind::Simple | NetworkKind::Complex => 8,
        NetworkKind::Mlp | NetworkKind::Logistic | NetworkKind::Rnn | NetworkKind::Onnx => 1,
    }
}
