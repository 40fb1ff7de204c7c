//! The geometry of a convolution, and the tensors that its sums are written to.

use super::super::super::layout::TensorSlot;
use super::super::super::product::Activation;
use super::super::super::winograd::{KernelShape, Transform, Variant};
use crate::nets::graph::op::Pads;

/// The size of a square kernel, its padding, and how it is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Geometry {
    pub taps: usize,
    pub pads: Pads,
    /// Whether every channel is convolved separately (depthwise).
    pub depthwise: bool,
    /// Whether Winograd is disabled.
    pub direct: bool,
}

impl Geometry {
    /// Offset of the first input of an output, in elements from the start of the tensor.
    pub(super) fn base(self, from: &TensorSlot, row: usize, column: usize) -> usize {
        let row = row + from.border.top - self.pads.top;
        let column = column + from.border.left - self.pads.left;
        row * from.padded_width() + column
    }

    /// The border that inputs \[C,H,W\] need for outputs \[C,H,W\].
    pub fn input_border(self, inputs: [usize; 3], outputs: [usize; 3]) -> Pads {
        let Pads {
            top,
            left,
            bottom,
            right,
        } = self.pads;
        let Some(variant) = self.forward_variant(inputs[0], outputs) else {
            return self.pads;
        };
        let [rows, columns] = variant.reach([self.taps; 2], [outputs[1], outputs[2]]);
        Pads {
            top,
            left,
            bottom: bottom.max(rows.saturating_sub(top + inputs[1])),
            right: right.max(columns.saturating_sub(left + inputs[2])),
        }
    }

    /// The Winograd transforms along both axes from `inputs` channels to outputs \[C,H,W\], if they are worth it: forward
    /// and backward.
    pub fn transform(self, inputs: usize, outputs: [usize; 3]) -> Option<Transform> {
        let (kernel, size) = self.kernel_shape(inputs, outputs)?;
        kernel.squares(size)
    }

    /// The variant of Winograd that the forward pass uses, if any: along rows only where the backward pass is direct.
    pub fn forward_variant(self, inputs: usize, outputs: [usize; 3]) -> Option<Variant> {
        let (kernel, size) = self.kernel_shape(inputs, outputs)?;
        let squares = kernel.squares(size).map(Variant::Squares);
        squares.or_else(|| kernel.along_rows(size).map(Variant::Rows))
    }

    /// The kernel and the size of the outputs for Winograd; `None` if it cannot be used.
    fn kernel_shape(
        self,
        inputs: usize,
        [outputs, rows, columns]: [usize; 3],
    ) -> Option<(KernelShape, [usize; 2])> {
        let kernel = KernelShape {
            rows: self.taps,
            columns: self.taps,
            inputs,
            outputs,
        };
        (!self.depthwise && !self.direct).then_some((kernel, [rows, columns]))
    }

    /// The border that the gradients of outputs \[C,H,W\] need to compute those of inputs \[C,H,W\]: see
    /// [`Kernel::backward`](super::Kernel::backward).
    pub fn gradient_border(self, inputs: [usize; 3], outputs: [usize; 3]) -> Pads {
        let backward = self.backward();
        match (self.transform(inputs[0], outputs), self.depthwise) {
            (Some(_), _) => Pads::default(),
            (None, false) if self.is_scattered() => Pads::default(),
            (None, true) => backward.input_border(outputs, inputs),
            (None, false) => Pads {
                top: 0,
                bottom: 0,
                ..backward.pads
            },
        }
    }

    /// Whether the gradients of the inputs are scattered from those of the sums, unless Winograd is used along
    /// both axes.
    pub(super) fn is_scattered(self) -> bool {
        !self.depthwise && self.pads == Pads::default()
    }

    /// The convolution that computes the gradients of the inputs from those of the outputs.
    pub fn backward(self) -> Self {
        let other = |pad: usize| self.taps - 1 - pad;
        Self {
            pads: Pads {
                top: other(self.pads.top),
                left: other(self.pads.left),
                bottom: other(self.pads.bottom),
                right: other(self.pads.right),
            },
            ..self
        }
    }
}

/// Where the sums of a convolution go.
#[derive(Debug, Clone, Copy)]
pub enum SumsTarget {
    /// Each sum is stored in this tensor.
    Sums(TensorSlot),
    /// Of every 2×2 window, only the maximum and its index in the window are stored. `size` are the rows and columns of
    /// the sums.
    Windows {
        size: (usize, usize),
        to: TensorSlot,
        chosen: TensorSlot,
        relu: bool,
    },
}

impl SumsTarget {
    /// The tensor that sums or maxima are written to.
    pub(super) fn to(&self) -> TensorSlot {
        match *self {
            Self::Sums(to) | Self::Windows { to, .. } => to,
        }
    }

    /// Rows and columns of the sums.
    pub(super) fn size(&self) -> (usize, usize) {
        match *self {
            Self::Sums(to) => (to.rows, to.columns),
            Self::Windows { size, .. } => size,
        }
    }

    /// Offset from a maximum to its index, in elements per lane: both tensors have the same border.
    pub(super) fn chosen_offset(&self) -> Option<usize> {
        match self {
            Self::Sums(_) => None,
            Self::Windows { to, chosen, .. } => Some(chosen.origin - to.origin),
        }
    }

    /// The activation applied before sums are written.
    pub(super) fn activation(&self) -> Activation {
        match self {
            Self::Windows { relu: true, .. } => Activation::Relu,
            _ => Activation::None,
        }
    }
}
