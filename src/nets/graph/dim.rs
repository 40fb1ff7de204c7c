//! Axis lengths that may scale with the number of images.

use crate::session::form::Shape;

/// The largest number of axes that a value may have.
pub const MAX_AXES: usize = 6;

/// The length of one axis: fixed, or a multiple of the number of images N.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Dim {
    /// The length; if batched, the length for one image.
    pub count: usize,
    /// Whether the length is N·count.
    pub batched: bool,
}

impl Dim {
    /// An axis whose length does not depend on N.
    pub const fn fixed(count: usize) -> Self {
        Self {
            count,
            batched: false,
        }
    }

    /// An axis of length N·count.
    pub const fn batch(count: usize) -> Self {
        Self {
            count,
            batched: true,
        }
    }

    /// The length for N images.
    pub fn length(self, images: usize) -> usize {
        match self.batched {
            true => self.count * images,
            false => self.count,
        }
    }
}

/// \[N,C,H,W\] of images.
pub(super) fn images(image: Shape) -> Vec<Dim> {
    let [channels, height, width] = image.map(Dim::fixed);
    vec![Dim::batch(1), channels, height, width]
}

/// A shape as text: `[N,10]`, `[197,12N,64]`.
pub fn shape_text(shape: &[Dim]) -> String {
    let axis = |dim: &Dim| match (dim.batched, dim.count) {
        (true, 1) => "N".to_owned(),
        (true, count) => format!("{count}N"),
        (false, count) => count.to_string(),
    };
    let axes: Vec<String> = shape.iter().map(axis).collect();
    format!("[{}]", axes.join(","))
}
