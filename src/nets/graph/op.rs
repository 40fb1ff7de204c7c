//! The operators of a graph: what each one takes, and its attributes.
//!
//! The names and meanings are ONNX's, for two-dimensional images with the channels after the batch.
//! What shape comes out stands in [`super::shape`], what part of the image is seen in
//! [`super::field`], how it is computed in [`super::run`].

use super::shape::Dim;

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

/// A convolution's attributes. Pairs are rows, then columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conv {
    /// Positions from one to the next.
    pub stride: [usize; 2],
    /// Zeros around the image.
    pub pads: Pads,
    /// Positions from one tap of the kernel to the next.
    pub dilation: [usize; 2],
    /// Groups that the channels fall into, each convolved alone.
    pub groups: usize,
}

impl Default for Conv {
    /// Stride 1, no zeros around, no dilation, one group.
    fn default() -> Self {
        Self {
            stride: [1, 1],
            pads: Pads::default(),
            dilation: [1, 1],
            groups: 1,
        }
    }
}

/// Rows and columns beyond each side of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pads {
    /// Rows above.
    pub top: usize,
    /// Columns left.
    pub left: usize,
    /// Rows below.
    pub bottom: usize,
    /// Columns right.
    pub right: usize,
}

impl Pads {
    /// So many on every side.
    pub fn all(count: usize) -> Self {
        Self {
            top: count,
            left: count,
            bottom: count,
            right: count,
        }
    }

    /// Before the first and after the last, along rows (0) or columns (1).
    pub fn along(&self, axis: usize) -> (usize, usize) {
        match axis {
            0 => (self.top, self.bottom),
            _ => (self.left, self.right),
        }
    }
}

/// The windows of a pooling. Pairs are rows, then columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Rows and columns of a window.
    pub kernel: [usize; 2],
    /// Positions from one to the next.
    pub stride: [usize; 2],
    /// Rows and columns around the image.
    pub pads: Pads,
    /// Positions from one tap to the next.
    pub dilation: [usize; 2],
    /// What becomes of a window that does not fit at the far side.
    pub rounding: Rounding,
}

impl Window {
    /// Windows side by side.
    pub fn tiles(kernel: [usize; 2]) -> Self {
        Self {
            kernel,
            stride: kernel,
            pads: Pads::default(),
            dilation: [1, 1],
            rounding: Rounding::Floor,
        }
    }
}

/// What becomes of a window that does not fit at the far side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rounding {
    /// It is left out.
    Floor,
    /// It stays, where it begins inside the image or the padding before it, and has less in it.
    Ceil,
}

/// What an average is divided by where a window reaches beyond the image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Divisor {
    /// The places inside the image.
    Inside,
    /// The places inside the image and its padding: `count_include_pad`.
    WithPadding,
}

/// A function of one number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Unary {
    /// max(x,0).
    Relu,
    /// x where positive, else slope·x.
    LeakyRelu {
        /// The slope below zero.
        slope: f64,
    },
    /// x where positive, else alpha·(exp(x) − 1).
    Elu {
        /// α.
        alpha: f64,
    },
    /// gamma·(x where positive, else alpha·(exp(x) − 1)).
    Selu {
        /// α.
        alpha: f64,
        /// γ.
        gamma: f64,
    },
    /// max(x,0) + min(0,alpha·(exp(x/alpha) − 1)).
    Celu {
        /// α.
        alpha: f64,
    },
    /// 1/(1 + exp(−x)).
    Sigmoid,
    /// The hyperbolic tangent.
    Tanh,
    /// alpha·x + beta, kept within 0 and 1.
    HardSigmoid {
        /// α.
        alpha: f64,
        /// β.
        beta: f64,
    },
    /// x·hard sigmoid(x) with α = 1/6, β = 1/2.
    HardSwish,
    /// x·sigmoid(x).
    Silu,
    /// x·Φ(x), by the error function.
    Gelu,
    /// x·Φ(x), Φ approximated by a hyperbolic tangent (Hendrycks & Gimpel 2016).
    GeluTanh,
    /// x·tanh(softplus(x)).
    Mish,
    /// log(1 + exp(x)).
    Softplus,
    /// x/(1 + |x|).
    Softsign,
    /// The error function.
    Erf,
    /// eˣ.
    Exp,
    /// The natural logarithm.
    Log,
    /// The square root.
    Sqrt,
    /// −x.
    Neg,
    /// |x|.
    Abs,
    /// 1/x.
    Reciprocal,
    /// The largest integer not above x.
    Floor,
    /// The smallest integer not below x.
    Ceil,
    /// The nearest integer, the even one of two.
    Round,
    /// −1, 0 or 1.
    Sign,
    /// x kept within min and max; ±∞ where there is no such bound.
    Clip {
        /// The least.
        min: f64,
        /// The most.
        max: f64,
    },
    /// scale·x + shift.
    Affine {
        /// What x is multiplied by.
        scale: f64,
        /// What is added then.
        shift: f64,
    },
}

/// A function of two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binary {
    /// a + b.
    Add,
    /// a − b.
    Sub,
    /// a·b.
    Mul,
    /// a/b.
    Div,
    /// aᵇ.
    Pow,
    /// The greater.
    Max,
    /// The smaller.
    Min,
}

/// One number of many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reduction {
    /// Their mean.
    Mean,
    /// Their sum.
    Sum,
    /// The greatest.
    Max,
    /// The smallest.
    Min,
}

/// What becomes of axes that have been reduced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reduced {
    /// They stay, with length one.
    Kept,
    /// They are gone.
    Dropped,
}

/// A part of one axis: `count` places from `start` on, `step` apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// The axis.
    pub axis: usize,
    /// The first place.
    pub start: usize,
    /// How many places.
    pub count: usize,
    /// From one place to the next; may be negative, never zero.
    pub step: isize,
}

/// What stands beyond the border.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Padding {
    /// Always this number.
    Constant(f32),
    /// The numbers mirrored at the outermost one, which is not repeated.
    Reflect,
    /// The outermost number.
    Edge,
}

/// Rows and columns sampled anew.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Resize {
    /// Rows and columns of the result.
    pub size: [usize; 2],
    /// Result over input, rows and columns, as positions are computed with it: where the file says
    /// it, what it says, else the ratio of the sizes.
    pub scale: [f64; 2],
    /// Between which numbers of the input.
    pub sampling: Sampling,
    /// Which place of the input a place of the result looks at.
    pub coordinates: Coordinates,
}

/// What is taken at a place between the numbers of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sampling {
    /// The nearest number.
    Nearest(Nearest),
    /// Linear between the four around.
    Bilinear,
}

/// Which number is nearest: ONNX's `nearest_mode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nearest {
    /// The one before.
    Floor,
    /// The one after.
    Ceil,
    /// The nearer, the one before of two.
    RoundPreferFloor,
    /// The nearer, the one after of two.
    RoundPreferCeil,
}

/// Which place of the input a place of the result looks at: ONNX's
/// `coordinate_transformation_mode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coordinates {
    /// (x + ½)/scale − ½.
    HalfPixel,
    /// The same, and 0 where the result has one place.
    PytorchHalfPixel,
    /// x/scale.
    Asymmetric,
    /// The outermost places lie upon each other.
    AlignCorners,
}

/// Where in the channels the place in a block is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DepthOrder {
    /// Block before channel: ONNX's `DCR`.
    BlockFirst,
    /// Channel before block: ONNX's `CRD`, PyTorch's pixel shuffle.
    ChannelFirst,
}

/// A recurrent layer's size, directions and which of its results the node gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recurrent {
    /// Units in each direction.
    pub units: usize,
    /// How the sequence is read.
    pub direction: Direction,
    /// What the node gives.
    pub output: RecurrentOutput,
}

/// How a sequence is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the first step to the last.
    Forward,
    /// From the last step to the first.
    Reverse,
    /// Both, forward first.
    Bidirectional,
}

impl Direction {
    /// Directions: 1 or 2.
    pub fn count(self) -> usize {
        match self {
            Direction::Forward | Direction::Reverse => 1,
            Direction::Bidirectional => 2,
        }
    }

    /// For every direction, the step of so many that it reads last.
    pub fn ends(self, steps: usize) -> Vec<usize> {
        match self {
            Direction::Forward => vec![steps - 1],
            Direction::Reverse => vec![0],
            Direction::Bidirectional => vec![steps - 1, 0],
        }
    }
}

/// What a recurrent node gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecurrentOutput {
    /// The state after every step, \[L,directions,N,units\]: ONNX's `Y`.
    All,
    /// The state after the last step read, \[directions,N,units\]: ONNX's `Y_h`.
    Last,
    /// The cell after the last step read, \[directions,N,units\]: ONNX's `Y_c`; LSTM only.
    Cell,
}

/// Where the reset gate of a GRU acts: ONNX's `linear_before_reset`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reset {
    /// On the state, before its matrix.
    BeforeMatrix,
    /// On what the matrix makes of the state and its bias: PyTorch and Keras.
    AfterMatrix,
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

impl Unary {
    /// The function's name, as ONNX spells it.
    pub fn label(self) -> &'static str {
        match self {
            Unary::Relu => "Relu",
            Unary::LeakyRelu { .. } => "LeakyRelu",
            Unary::Elu { .. } => "Elu",
            Unary::Selu { .. } => "Selu",
            Unary::Celu { .. } => "Celu",
            Unary::Sigmoid => "Sigmoid",
            Unary::Tanh => "Tanh",
            Unary::HardSigmoid { .. } => "HardSigmoid",
            Unary::HardSwish => "HardSwish",
            Unary::Silu => "Silu",
            Unary::Gelu | Unary::GeluTanh => "Gelu",
            Unary::Mish => "Mish",
            Unary::Softplus => "Softplus",
            Unary::Softsign => "Softsign",
            Unary::Erf => "Erf",
            Unary::Exp => "Exp",
            Unary::Log => "Log",
            Unary::Sqrt => "Sqrt",
            Unary::Neg => "Neg",
            Unary::Abs => "Abs",
            Unary::Reciprocal => "Reciprocal",
            Unary::Floor => "Floor",
            Unary::Ceil => "Ceil",
            Unary::Round => "Round",
            Unary::Sign => "Sign",
            Unary::Clip { .. } => "Clip",
            Unary::Affine { .. } => "Affine",
        }
    }
}

impl Binary {
    /// The function's name, as ONNX spells it.
    pub fn label(self) -> &'static str {
        match self {
            Binary::Add => "Add",
            Binary::Sub => "Sub",
            Binary::Mul => "Mul",
            Binary::Div => "Div",
            Binary::Pow => "Pow",
            Binary::Max => "Max",
            Binary::Min => "Min",
        }
    }
}

impl Reduction {
    /// The reduction's name, as ONNX spells it.
    pub fn label(self) -> &'static str {
        match self {
            Reduction::Mean => "ReduceMean",
            Reduction::Sum => "ReduceSum",
            Reduction::Max => "ReduceMax",
            Reduction::Min => "ReduceMin",
        }
    }
}
