//! What operators are given besides their inputs: windows, borders, cuts, sampling, directions.

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
