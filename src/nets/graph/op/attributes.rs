//! The attributes of operators: windows, padding, slices, sampling, directions.

/// A convolution's attributes. Pairs are rows, then columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conv {
    /// Step between windows.
    pub stride: [usize; 2],
    /// Zeros around the image.
    pub pads: Pads,
    /// Step between taps of the kernel.
    pub dilation: [usize; 2],
    /// Groups of channels, each convolved separately.
    pub groups: usize,
}

impl Default for Conv {
    /// Stride 1, no padding, no dilation, one group.
    fn default() -> Self {
        Self {
            stride: [1, 1],
            pads: Pads::default(),
            dilation: [1, 1],
            groups: 1,
        }
    }
}

/// Rows and columns added on each side of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pads {
    /// Rows at the top.
    pub top: usize,
    /// Columns at the left.
    pub left: usize,
    /// Rows at the bottom.
    pub bottom: usize,
    /// Columns at the right.
    pub right: usize,
}

impl Pads {
    /// The same padding on every side.
    pub fn all(count: usize) -> Self {
        Self {
            top: count,
            left: count,
            bottom: count,
            right: count,
        }
    }

    /// Padding before the start and after the end, along rows (0) or columns (1).
    pub fn along(&self, axis: usize) -> (usize, usize) {
        match axis {
            0 => (self.top, self.bottom),
            _ => (self.left, self.right),
        }
    }
}

/// The windows of a pooling. Pairs are rows, then columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolWindow {
    /// Rows and columns of a window.
    pub kernel: [usize; 2],
    /// Step between windows.
    pub stride: [usize; 2],
    /// Padding around the image.
    pub pads: Pads,
    /// Step between taps.
    pub dilation: [usize; 2],
    /// How a window that does not fit at the far side is handled.
    pub rounding: Rounding,
}

impl PoolWindow {
    /// Adjacent windows, without padding.
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

/// How a window that does not fit at the far side is handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rounding {
    /// It is dropped.
    Floor,
    /// It is kept, truncated, if it starts inside the image or the padding before it.
    Ceil,
}

/// The divisor of an average where a window reaches beyond the image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Divisor {
    /// The number of pixels inside the image.
    Inside,
    /// The number of pixels inside the image and its padding: `count_include_pad`.
    WithPadding,
}

/// How reduced axes appear in the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReducedAxes {
    /// Kept, with length one.
    Kept,
    /// Dropped.
    Dropped,
}

/// A slice of one axis: `count` indices from `start` on, `step` apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SliceAxis {
    /// The axis.
    pub axis: usize,
    /// The first index.
    pub start: usize,
    /// Number of indices.
    pub count: usize,
    /// Step between indices; may be negative, never zero.
    pub step: isize,
}

/// The values beyond the border.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PadFill {
    /// A constant.
    Constant(f32),
    /// The image mirrored at its outermost row or column, which is not repeated.
    Reflect,
    /// The outermost value.
    Edge,
}

/// A resampling of rows and columns.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Resize {
    /// Rows and columns of the result.
    pub size: [usize; 2],
    /// The ratio of result to input, for rows and columns, used to compute coordinates: as given in the
    /// file, else the ratio of the sizes.
    pub scale: [f64; 2],
    /// How to interpolate.
    pub sampling: Interpolation,
    /// How output coordinates map to input coordinates.
    pub coordinates: ResizeCoordinates,
}

/// The interpolation between pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Interpolation {
    /// The nearest pixel.
    Nearest(NearestMode),
    /// Bilinear between the four surrounding pixels.
    Bilinear,
    /// Bicubic among the sixteen surrounding pixels, those beyond the border as the outermost ones (Keys 1981).
    Bicubic {
        /// The slope of the weights at distance one: ONNX's `cubic_coeff_a`, −0.75 in PyTorch.
        slope: f64,
    },
}

impl Interpolation {
    /// The distance from a coordinate within which pixels have a weight.
    pub fn reach(self) -> f64 {
        match self {
            Interpolation::Nearest(_) | Interpolation::Bilinear => 1.0,
            Interpolation::Bicubic { .. } => 2.0,
        }
    }
}

/// Which pixel counts as nearest: ONNX's `nearest_mode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NearestMode {
    /// The one before.
    Floor,
    /// The one after.
    Ceil,
    /// The nearer one; on a tie, the one before.
    RoundPreferFloor,
    /// The nearer one; on a tie, the one after.
    RoundPreferCeil,
}

/// How output coordinates map to input coordinates: ONNX's `coordinate_transformation_mode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResizeCoordinates {
    /// (x + ½)/scale − ½.
    HalfPixel,
    /// The same, but 0 if the result has length one.
    PytorchHalfPixel,
    /// x/scale.
    Asymmetric,
    /// The outermost pixels coincide.
    AlignCorners,
}

/// The order of block and channel indices within the channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DepthOrder {
    /// Block before channel: ONNX's `DCR`.
    BlockFirst,
    /// Channel before block: ONNX's `CRD`, PyTorch's pixel shuffle.
    ChannelFirst,
}

/// A recurrent layer's size, directions and output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecurrentSpec {
    /// Units in each direction.
    pub units: usize,
    /// How the sequence is read.
    pub direction: RecurrentDirection,
    /// The node's output.
    pub output: RecurrentOutput,
}

/// How a sequence is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecurrentDirection {
    /// From the first step to the last.
    Forward,
    /// From the last step to the first.
    Reverse,
    /// Both, forward first.
    Bidirectional,
}

impl RecurrentDirection {
    /// Directions: 1 or 2.
    pub fn count(self) -> usize {
        match self {
            RecurrentDirection::Forward | RecurrentDirection::Reverse => 1,
            RecurrentDirection::Bidirectional => 2,
        }
    }

    /// For every direction, the step that it reads last, of `steps`.
    pub fn ends(self, steps: usize) -> Vec<usize> {
        match self {
            RecurrentDirection::Forward => vec![steps - 1],
            RecurrentDirection::Reverse => vec![0],
            RecurrentDirection::Bidirectional => vec![steps - 1, 0],
        }
    }
}

/// The output of a recurrent node.
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
pub enum GruReset {
    /// On the state, before its matrix.
    BeforeMatrix,
    /// On the matrix's product with the state, plus bias: PyTorch and Keras.
    AfterMatrix,
}
