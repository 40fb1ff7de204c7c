//! Errors of importing an ONNX file, with messages that name the place and the remedy.

use std::fmt;
use std::io;
use std::path::PathBuf;

use super::recognise::NonOnnxFile;
use crate::nets::graph::GraphError;

/// Why a network cannot be imported from a file.
#[derive(Debug, thiserror::Error)]
#[error("network.weights: {}: {fault}", .path.display())]
pub struct OnnxError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub fault: OnnxFault,
}

impl OnnxError {
    /// Whether the file leaves the image size open and no size was given.
    pub fn leaves_size_open(&self) -> bool {
        matches!(self.fault, OnnxFault::OpenSize { .. })
    }
}

/// What is wrong with an ONNX file.
#[derive(Debug, thiserror::Error)]
pub enum OnnxFault {
    /// It does not exist or cannot be read.
    #[error("the file cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    /// It is another kind of file.
    #[error("this is {}, not an ONNX model; {}", .0.what, .0.remedy)]
    Foreign(NonOnnxFile),
    /// It is not a model, or an incomplete one.
    #[error("the file is damaged, or not an ONNX model: {0}; download or export it again")]
    Damaged(String),
    /// An external weights file cannot be read.
    #[error(
        "the weights `{array}` are in the side file {}, which cannot be read: {source}; put it beside the model under this name, or export with the weights inside (torch.onnx.export(…, external_data=False))", .path.display()
    )]
    SideFile {
        /// The array.
        array: String,
        /// The side file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// An external weights file outside the model's folder.
    #[error(
        "the weights `{array}` refer to the side file `{place}`, which is not in the model's folder; side files elsewhere are not read"
    )]
    SidePlace {
        /// The array.
        array: String,
        /// The path that the model gives.
        place: String,
    },
    /// An array of an unsupported number type.
    #[error(
        "the array `{array}` has the type {found}; export the network with float32 weights, or quantised to 8 bits"
    )]
    ArrayType {
        /// The array.
        array: String,
        /// Its type.
        found: &'static str,
    },
    /// Weights that are infinite or NaN.
    #[error(
        "the weights `{0}` have values that are infinite or not numbers; the training failed, use an earlier checkpoint"
    )]
    NotFinite(String),
    /// Unsupported operators, and the scores that they decide by if that is all they do.
    #[error(
        "unsupported operators: {}; choose an output before them with --set 'network.output=Some(\"{}\")', or export the network with other operators", list(.0), .1.as_deref().unwrap_or("NODE")
    )]
    Operators(Vec<MissingOperator>, Option<String>),
    /// A supported operator, used in an unsupported way.
    #[error("{operator} at `{node}`: {problem}")]
    UnsupportedUse {
        /// The operator.
        operator: String,
        /// The node.
        node: String,
        /// The problem.
        problem: String,
    },
    /// No input takes images.
    #[error(
        "no input of the network takes images: it has {0}; one of the shape [N,C,H,W] or [N,H,W,C] is needed"
    )]
    NoImage(String),
    /// More than one input is needed.
    #[error(
        "the network has several inputs, {0}, but only one can take images; export it with the others fixed, or choose an output that needs only one of them, with --set 'network.output=Some(\"NODE\")'"
    )]
    Inputs(String),
    /// Rows or columns are left open.
    #[error(
        "the input `{input}` has the shape {shape}, which leaves the size of the images open; give --data, whose images set it, or set it with --set 'network.image=Some((CHANNELS, ROWS, COLUMNS))'"
    )]
    OpenSize {
        /// The input.
        input: String,
        /// Its shape as in the file.
        shape: String,
    },
    /// The number of channels is left open.
    #[error(
        "the input `{input}` has the shape {shape}, which leaves the number of channels open; export the network with it fixed"
    )]
    OpenChannels {
        /// The input.
        input: String,
        /// Its shape as in the file.
        shape: String,
    },
    /// The size requested differs from the file's.
    #[error(
        "the network takes images of {}×{} pixels only, but {}×{} were requested; leave the size out", .fixed.0, .fixed.1, .asked.0, .asked.1
    )]
    OtherSize {
        /// Rows and columns of the file.
        fixed: (usize, usize),
        /// Rows and columns requested.
        asked: (usize, usize),
    },
    /// The output is not a class vector.
    #[error(
        "the output `{output}` is {found}, but one number per class is needed, [N,classes]{}", offer(.choices)
    )]
    Output {
        /// The output.
        output: String,
        /// What it is.
        found: String,
        /// Nodes that are class vectors.
        choices: Vec<String>,
    },
    /// The output is a single number, as that of a classifier that tells two classes apart.
    #[error(
        "the output `{0}` is one number per image, but one number per class is needed, [N,classes]; if it is the score x of one of two classes, export both: torch.cat([0 * x, x], 1) in PyTorch, before any sigmoid"
    )]
    OneNumber(String),
    /// There are several outputs to choose from.
    #[error("the network has several outputs, {found}{}", offer(.choices))]
    Outputs {
        /// All of them, with their shapes.
        found: String,
        /// Those that may be class vectors.
        choices: Vec<String>,
    },
    /// There is no node of the name given.
    #[error("there is no node or output `{name}`{}", offer(.near))]
    NoSuchOutput {
        /// The name.
        name: String,
        /// Similar names, else existing ones.
        near: Vec<String>,
    },
    /// The graph is invalid.
    #[error(transparent)]
    Graph(#[from] GraphError),
}

/// An unsupported operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingOperator {
    /// The operator, with its domain unless that is the standard one.
    pub operator: String,
    /// The first node with it.
    pub node: String,
    /// Number of nodes with it.
    pub times: usize,
}

impl fmt::Display for MissingOperator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.times {
            1 => write!(f, "{} (at `{}`)", self.operator, self.node),
            times => write!(
                f,
                "{} ({times} times, first at `{}`)",
                self.operator, self.node
            ),
        }
    }
}

fn list(missing: &[MissingOperator]) -> String {
    let words: Vec<String> = missing.iter().map(ToString::to_string).collect();
    words.join(", ")
}

fn offer(choices: &[String]) -> String {
    const MOST: usize = 8;
    let named = choices.iter().map(|name| format!("Some(\"{name}\")"));
    let named: Vec<String> = named.take(MOST).collect();
    let more = if choices.len() > MOST { " …" } else { "" };
    match &named[..] {
        [] => String::new(),
        [only] => format!("; choose with --set 'network.output={only}'"),
        [first, others @ ..] => format!(
            "; choose with --set 'network.output={first}', or {}{more}",
            others.join(", ")
        ),
    }
}

/// Why one node cannot be imported.
#[derive(Debug)]
pub enum NodeProblem {
    /// A message; the caller adds the node.
    Cannot(String),
    /// An error that already names its place.
    Fault(OnnxFault),
}

impl NodeProblem {
    /// An error with this message.
    pub fn cannot<T>(words: impl Into<String>) -> Result<T, Self> {
        Err(Self::Cannot(words.into()))
    }

    /// The error of a node that would make an absurdly large array.
    pub fn too_large() -> Self {
        Self::Cannot("it makes an absurdly large array".into())
    }
}

impl From<GraphError> for NodeProblem {
    fn from(error: GraphError) -> Self {
        match error {
            GraphError::Misfit { why, .. } => Self::Cannot(why),
            other => Self::Fault(OnnxFault::Graph(other)),
        }
    }
}

impl From<OnnxFault> for NodeProblem {
    fn from(fault: OnnxFault) -> Self {
        Self::Fault(fault)
    }
}
