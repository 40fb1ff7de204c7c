//! The operators of a graph, with their inputs and attributes.
//!
//! The names and meanings are ONNX's, for two-dimensional images with the channels after the batch.
//! Output shapes are in [`super::shape`], receptive fields in [`super::field`], the computation in
//! [`super::run`].

mod attributes;
mod functions;
mod roles;

pub use attributes::{
    Conv, DepthOrder, Divisor, GruReset, Interpolation, NearestMode, PadFill, Pads, PoolWindow,
    RecurrentDirection, RecurrentOutput, RecurrentSpec, ReducedAxes, Resize, ResizeCoordinates,
    Rounding, SliceAxis,
};
pub use functions::{Binary, Reduction, Unary};

use super::dim::Dim;

/// One operator with its attributes. It computes on the inputs of its node, in the order given here;
/// those in brackets are optional.
#[derive(Debug, Clone, PartialEq)]
pub enum Op {
    /// The images \[N,C,H,W\] as shown to the network. No inputs. Every graph has exactly one.
    Input,
    /// Two-dimensional convolution. Inputs: x \[N,C,H,W\], weight \[out,C/groups,h,w\], \[bias \[out\]\].
    Conv(Conv),
    /// x·W + b over the last axis. Inputs: x \[…,in\], weight \[in,out\], \[bias \[out\]\].
    Dense,
    /// The matrix product of the last two axes, the ones before broadcast. Inputs: a \[…,m,k\],
    /// b \[…,k,n\]. Vectors are handled as by NumPy's `matmul`.
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
        /// A constant that keeps the denominator from zero; often called `k`.
        bias: f64,
    },
    /// An elementwise function. Input: x.
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
    /// The maximum of each window; padding never counts. Input: x \[N,C,H,W\].
    MaxPool(PoolWindow),
    /// The mean of each window. Input: x \[N,C,H,W\].
    AvgPool {
        /// The windows.
        window: PoolWindow,
        /// The divisor at the border.
        divisor: Divisor,
    },
    /// Reduction over some axes. Input: x. Global average pooling is the mean over axes 2 and 3, with
    /// both axes kept.
    Reduce {
        /// The reduction.
        reduction: Reduction,
        /// The axes, ascending.
        axes: Vec<usize>,
        /// Whether these axes are kept or dropped.
        axes_after: ReducedAxes,
    },
    /// All inputs concatenated along an axis. Inputs: at least one.
    Concat {
        /// The axis.
        axis: usize,
    },
    /// A part of each listed axis. Input: x.
    Slice(Vec<SliceAxis>),
    /// Padding, or cropping where negative. Input: x.
    Pad {
        /// For every axis, the padding before its start.
        before: Vec<isize>,
        /// For every axis, the padding after its end.
        after: Vec<isize>,
        /// The values to pad with.
        fill: PadFill,
    },
    /// The same values, row-major, in another shape. Input: x.
    Reshape {
        /// The shape, in which one axis may be batched.
        shape: Vec<Dim>,
    },
    /// Axes in another order. Input: x.
    Transpose {
        /// For every axis of the result, the corresponding axis of x.
        axes: Vec<usize>,
    },
    /// Selected indices along an axis. Input: x.
    Gather {
        /// The axis to select from.
        axis: usize,
        /// The indices, row-major.
        indices: Vec<usize>,
        /// The axes that replace `axis`: none for a single index, one for a list.
        shape: Vec<usize>,
    },
    /// Broadcast to a shape by NumPy's rules. Input: x.
    Expand {
        /// The shape that x is broadcast against.
        shape: Vec<Dim>,
    },
    /// Rows and columns resampled. Input: x \[N,C,H,W\].
    Resize(Resize),
    /// Blocks of channels become blocks of pixels. Input: x \[N,C·b²,H,W\].
    DepthToSpace {
        /// b, rows and columns of a block.
        block: usize,
        /// The order of block and channel indices within the channels.
        order: DepthOrder,
    },
    /// Long short-term memory as in ONNX, the gates i, o, f, c stacked. Inputs:
    /// x \[L,N,in\], W \[directions,4·units,in\], R \[directions,4·units,units\],
    /// \[B \[directions,8·units\]\]. The initial state is zero.
    Lstm {
        /// Units, directions and output.
        recurrent: RecurrentSpec,
    },
    /// Gated recurrent units as in ONNX, the gates z, r, h stacked. Inputs:
    /// x \[L,N,in\], W \[directions,3·units,in\], R \[directions,3·units,units\],
    /// \[B \[directions,6·units\]\]. The initial state is zero.
    Gru {
        /// Units, directions and output.
        recurrent: RecurrentSpec,
        /// Where the reset gate acts.
        reset: GruReset,
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
