//! What goes into a network and what comes out of it.

use crate::session::config::NetworkKind;
use crate::session::form::{Form, Shape};

/// The images that a network takes, and the classes that it tells apart. Every architecture is sized
/// to these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ports {
    /// Channels, rows and columns of an image: C, H, W.
    pub image: Shape,
    /// Classes: K.
    pub classes: usize,
}

impl From<&Form> for Ports {
    fn from(form: &Form) -> Self {
        Self {
            image: form.shape(),
            classes: form.count(),
        }
    }
}

/// Images that an architecture cannot be sized to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PortsError {
    /// Too small for its convolutions and poolings.
    #[error(
        "network.kind {kind} needs images of {least}×{least} pixels at least, and these are {height}×{width}; take {others}"
    )]
    Small {
        /// The architecture.
        kind: &'static str,
        /// Rows and columns that it needs.
        least: usize,
        /// Rows of the images.
        height: usize,
        /// Columns of the images.
        width: usize,
        /// Architectures that fit.
        others: String,
    },
    /// Fewer than two classes.
    #[error("the images have {0} class; a network that tells classes apart needs two at least")]
    Classes(usize),
}

impl Ports {
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
    /// What it needs, and which ones fit.
    pub fn check(&self, kind: NetworkKind) -> Result<(), PortsError> {
        let [_, height, width] = self.image;
        let fits = |kind| height.min(width) >= least(kind);
        if self.classes < 2 {
            return Err(PortsError::Classes(self.classes));
        }
        if fits(kind) {
            return Ok(());
        }
        let others: Vec<&str> = NetworkKind::ALL
            .into_iter()
            .filter(|&kind| fits(kind))
            .map(NetworkKind::label)
            .collect();
        Err(PortsError::Small {
            kind: kind.label(),
            least: least(kind),
            height,
            width,
            others: others.join(", "),
        })
    }
}

/// Rows and columns that an architecture needs: of `cnn` so many that its second pooling has
/// something to pool, of `simple` and `complex` that a receptive field lies inside the image.
fn least(kind: NetworkKind) -> usize {
    match kind {
        NetworkKind::Cnn => 16,
        NetworkKind::Simple | NetworkKind::Complex => 8,
        NetworkKind::Mlp | NetworkKind::Logistic | NetworkKind::Rnn | NetworkKind::Onnx => 1,
    }
}
