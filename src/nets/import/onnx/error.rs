//! What keeps a file from being imported: what it is, where, and what to do.

use std::fmt;
use std::io;
use std::path::PathBuf;

use super::recognise::Foreign;
use crate::nets::graph::GraphError;

/// A network that cannot be taken from a file.
#[derive(Debug, thiserror::Error)]
#[error("network.weights: {}: {fault}", .path.display())]
pub struct OnnxError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub fault: Fault,
}

impl OnnxError {
    /// Whether the file leaves the size of the images open, and nobody has said it.
    pub fn leaves_size_open(&self) -> bool {
        matches!(self.fault, Fault::OpenSize { .. })
    }
}

/// What is wrong with an ONNX file.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// It is not there, or the system does not let it be read.
    #[error("the file cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    /// It is something else.
    #[error("this is {}, not an ONNX model; {}", .0.what, .0.remedy)]
    Foreign(Foreign),
    /// It is no model, or one with holes.
    #[error("the file is damaged, or no ONNX model: {0}; fetch or export it again")]
    Damaged(String),
    /// A file of weights beside the model is not there.
    #[error(
        "the weights `{array}` lie in the side file {}, which cannot be read: {source}; put it beside the model under this name, or export with the weights inside (torch.onnx.export(…, external_data=False))", .path.display()
    )]
    SideFile {
        /// The array.
        array: String,
        /// The side file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file of weights outside the model's folder.
    #[error(
        "the weights `{array}` are said to lie in `{place}`, which is not in the model's folder; a side file elsewhere is not read"
    )]
    SidePlace {
        /// The array.
        array: String,
        /// Where it is said to lie.
        place: String,
    },
    /// An array of a number type that cannot be used.
    #[error(
        "the array `{array}` is of type {found}; export the network with float32 weights, not quantized"
    )]
    ArrayType {
        /// The array.
        array: String,
        /// Its type.
        found: &'static str,
    },
    /// Weights that are no numbers.
    #[error(
        "the weights `{0}` have values that are infinite or not numbers; the training that made them went wrong, take an earlier checkpoint"
    )]
    NotFinite(String),
    /// Operators that are not known here.
    #[error(
        "operators are missing: {}; choose an output before them with --set 'network.output=Some(\"NODE\")', or export the network with other operators", list(.0)
    )]
    Operators(Vec<Missing>),
    /// A known operator, used in a way that is not.
    #[error("{operator} at `{node}`: {problem}")]
    Use {
        /// The operator.
        operator: String,
        /// The node.
        node: String,
        /// What cannot be done.
        problem: String,
    },
    /// No input takes images.
    #[error(
        "no input of the network takes images: it has {0}; needed is one of the shape [N,C,H,W] or [N,H,W,C]"
    )]
    NoImage(String),
    /// More than one input is needed.
    #[error(
        "the network has several inputs, {0}, and images can be given to one only; export it with the others fixed, or choose an output that needs one of them only, with --set 'network.output=Some(\"NODE\")'"
    )]
    Inputs(String),
    /// Rows or columns are left open.
    #[error(
        "the input `{input}` has the shape {shape}, which leaves the size of the images open; give --data, whose images fix it, or say it with --set 'network.image=Some((CHANNELS, ROWS, COLUMNS))'"
    )]
    OpenSize {
        /// The input.
        input: String,
        /// Its shape as the file writes it.
        shape: String,
    },
    /// Channels are left open.
    #[error(
        "the input `{input}` has the shape {shape}, which leaves the channels of the images open; export the network with their number fixed"
    )]
    OpenChannels {
        /// The input.
        input: String,
        /// Its shape as the file writes it.
        shape: String,
    },
    /// Another size is asked for than the file has.
    #[error(
        "the network takes images of {}×{} pixels only, and {}×{} are asked for; leave the size out", .fixed.0, .fixed.1, .asked.0, .asked.1
    )]
    OtherSize {
        /// Rows and columns of the file.
        fixed: (usize, usize),
        /// Rows and columns asked for.
        asked: (usize, usize),
    },
    /// The output is no class vector.
    #[error(
        "the output `{output}` is {found}, where one number a class is needed, [N,classes]{}", offer(.choices)
    )]
    Output {
        /// The output.
        output: String,
        /// What it is.
        found: String,
        /// Nodes that give class vectors.
        choices: Vec<String>,
    },
    /// Which of several outputs is meant cannot be told.
    #[error("the network has several outputs, {found}{}", offer(.choices))]
    Outputs {
        /// All of them, with their shapes.
        found: String,
        /// Those that may be class vectors.
        choices: Vec<String>,
    },
    /// No node of the name asked for.
    #[error("no node or output is called `{name}`{}", offer(.there))]
    NoSuchOutput {
        /// The name.
        name: String,
        /// Names that are like it, or that there are.
        there: Vec<String>,
    },
    /// The graph does not fit together.
    #[error(transparent)]
    Graph(#[from] GraphError),
}

/// An operator that is not known here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// The operator, with its domain where that is not the standard's.
    pub operator: String,
    /// The first node that is one.
    pub node: String,
    /// How many nodes are.
    pub times: usize,
}

impl fmt::Display for Missing {
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

fn list(missing: &[Missing]) -> String {
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

/// What keeps one node from being imported.
#[derive(Debug)]
pub enum Problem {
    /// In words; the caller knows the node.
    Cannot(String),
    /// What names its place already.
    Fault(Fault),
}

impl Problem {
    /// A problem in words.
    pub fn cannot<T>(words: impl Into<String>) -> Result<T, Self> {
        Err(Self::Cannot(words.into()))
    }
}

impl From<GraphError> for Problem {
    fn from(error: GraphError) -> Self {
        match error {
            GraphError::Misfit { why, .. } => Self::Cannot(why),
            other => Self::Fault(Fault::Graph(other)),
        }
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}
