//! The operators of a graph: what each one takes, and its attributes.
//!
//! The names and meanings are ONNX's, for two-dimensional images with the channels after the batch.
//! What shape comes out stands in [`super::shape`], what part of the image is seen in
//! [`super::field`], how it is computed in [`super::run`].

mod attributes;
mod functions;
mod roles;

pub use attributes::{
    Conv, Coordinates, Cut, DepthOrder, Direction, Divisor, Nearest, Padding, Pads, Recurrent,
    RecurrentOutput, Reduced, Reset, Resize, Rounding, Sampling, Window,
};
pub use functions::{Binary, Reduction, Unary};

use super::dim::Dim;

/// One operator with its attributes. What it computes on are the inputs of its node, in the order
/// given here; those in brackets may be left out.
#[derive(Debug, Clone, PartialEq)]
pub enum Op {
    /// The images \[N,C,H,W\], as they are shown: no inputs. Every graph has exactly one.
    Input,
    /// Two-dimensional convolution. Inputs: x \[N,C,H,W\], weight \[out,C/groups,h,w\], \[bias \[out\]\].
    Conv(Conv),
    /// x·W + b over the last axis. Inputs: x \[…,in\], weight \[in,out\], \[bias \[out\]\].
    Dense,
    /// The matrix product of the last two axes, the ones before broadcast. Inputs: a \[…,m,k\],
    /// b \[…,k,n\]. A vector takes part as NumPy's `matmul` has it.
    MatMul,
    /// (x − mean)/√(variance + ε)·scale + bias by channel, with fixed statistics. Inputs: x \[N,C,…\],
    /// scale, bias, mean, variance, each \[C\].
    BatchNorm {
        /// ε.
        epsilon: f64,
    },
    /// Standardized over the axes from `axis` on, then scale and bias. Inputs: x, \[scale, \[bias\]\] of
    /// the shape of these axes.
    LayerNorm {
        /// The first axis of those that are normalized together.
        axis: usize,
        /// ε.
        epsilon: f64,
    },
    /// Standardized over groups of channels and their positions, then scale and bias by channel.
    /// Inputs: x \[N,C,…\], \[scale \[C\], \[bias \[C\]\]\].
    GroupNorm {
        /// Groups that the channels fall into.
        groups: usize,
        /// ε.
        epsilon: f64,
    },
    /// Standardized over the positions of each channel, then scale and bias. Inputs: x \[N,C,…\],
    /// \[scale \[C\], \[bias \[C\]\]\].
    InstanceNorm {
        /// ε.
        epsilon: f64,
    },
    /// Local response normalization over neighbouring channels:
    /// x/(bias + alpha/size·Σx²)^beta. Input: x \[N,C,H,W\].
    Lrn {
        /// Channels summed.
        size: usize,
        /// α.
        alpha: f64,
        /// β.
        beta: f64,
        /// What keeps the sum from zero; `k` elsewhere.
        bias: f64,
    },
    /// A function of every number alone. Input: x.
    Unary(Unary),
    /// x where positive, else slope·x. Inputs: x, slope, broadcast to x.
    PRelu,
    /// A function of two numbers, with NumPy's broadcasting. Inputs: a, b.
    Binary(Binary),
    /// exp(x)/Σexp(x) along an axis. Input: x.
    Softmax {
        /// The axis summed over.
        axis: usize,
    },
    /// The logarithm of [`Op::Softmax`]. Input: x.
    LogSoftmax {
        /// The axis summed over.
        axis: usize,
    },
    /// The most of each window; what lies beyond the border never is it. Input: x \[N,C,H,W\].
    MaxPool(Window),
    /// The mean of each window. Input: x \[N,C,H,W\].
    AvgPool {
        /// The windows.
        window: Window,
        /// What the sum is divided by at the border.
        divisor: Divisor,
    },
    /// One number of all along some axes. Input: x. Global average pooling is the mean over axes 2
    /// and 3, kept.
    Reduce {
        /// Which number.
        reduction: Reduction,
        /// The axes, ascending.
        axes: Vec<usize>,
        /// What becomes of these axes.
        axes_after: Reduced,
    },
    /// All inputs one after the other along an axis. Inputs: one at least.
    Concat {
        /// The axis that grows.
        axis: usize,
    },
    /// A part of each axis named. Input: x.
    Slice(Vec<Cut>),
    /// Numbers added around, or taken off where negative. Input: x.
    Pad {
        /// For every axis, what is added before its first number.
        before: Vec<isize>,
        /// For every axis, what is added after its last number.
        after: Vec<isize>,
        /// What is added.
        with: Padding,
    },
    /// The same numbers, row-major, in another shape. Input: x.
    Reshape {
        /// The shape, with the axis that counts the images marked.
        shape: Vec<Dim>,
    },
    /// Axes in another order. Input: x.
    Transpose {
        /// For every axis of the result, the axis of x that it is.
        axes: Vec<usize>,
    },
    /// Chosen places along an axis. Input: x.
    Gather {
        /// The axis chosen from.
        axis: usize,
        /// The places, row-major.
        indices: Vec<usize>,
        /// What axes stand in place of the one chosen from: none for a single place, one for a
        /// list.
        shape: Vec<usize>,
    },
    /// Repeated along axes of length one, and new axes before them, as NumPy broadcasts. Input: x.
    Expand {
        /// What x is broadcast against.
        shape: Vec<Dim>,
    },
    /// Rows and columns sampled anew. Input: x \[N,C,H,W\].
    Resize(Resize),
    /// Blocks of channels become blocks of pixels. Input: x \[N,C·b²,H,W\].
    DepthToSpace {
        /// b, rows and columns of a block.
        block: usize,
        /// Where in the channels the place in the block is counted.
        order: DepthOrder,
    },
    /// Long short-term memory as ONNX has it, the gates i, o, f, c one below the other. Inputs:
    /// x \[L,N,in\], W \[directions,4·units,in\], R \[directions,4·units,units\],
    /// \[B \[directions,8·units\]\]. The state begins with zeros.
    Lstm {
        /// Units, directions and what is given out.
        recurrent: Recurrent,
    },
    /// Gated recurrent units as ONNX has them, the gates z, r, h one below the other. Inputs:
    /// x \[L,N,in\], W \[directions,3·units,in\], R \[directions,3·units,units\],
    /// \[B \[directions,6·units\]\]. The state begins with zeros.
    Gru {
        /// Units, directions and what is given out.
        recurrent: Recurrent,
        /// Where the reset gate acts.
        reset: Reset,
    },
}

impl Op {
    /// The operator's name, as ONNX spells it.
    pub fn label(&self) -> &'static str {
        match self {
            Op::Input => "Input",
            Op::Conv(_) => "Conv",
            Op::Dense => "Dense",
            Op::MatMul => "MatMul",
            Op::BatchNorm { .. } => "BatchNormalization",
            Op::LayerNorm { .. } => "LayerNormalization",
            Op::GroupNorm { .. } => "GroupNormalization",
            Op::InstanceNorm { .. } => "InstanceNormalization",
            Op::Lrn { .. } => "LRN",
            Op::Unary(unary) => unary.label(),
            Op::PRelu => "PRelu",
            Op::Binary(binary) => binary.label(),
            Op::Softmax { .. } => "Softmax",
            Op::LogSoftmax { .. } => "LogSoftmax",
            Op::MaxPool(_) => "MaxPool",
            Op::AvgPool { .. } => "AveragePool",
            Op::Reduce { reduction, .. } => reduction.label(),
            Op::Concat { .. } => "Concat",
            Op::Slice(_) => "Slice",
            Op::Pad { .. } => "Pad",
            Op::Reshape { .. } => "Reshape",
            Op::Transpose { .. } => "Transpose",
            Op::Gather { .. } => "Gather",
            Op::Expand { .. } => "Expand",
            Op::Resize(_) => "Resize",
            Op::DepthToSpace { .. } => "DepthToSpace",
            Op::Lstm { .. } => "LSTM",
            Op::Gru { .. } => "GRU",
        }
    }
}
