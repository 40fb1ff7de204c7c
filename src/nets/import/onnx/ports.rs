//! Where images go in and logits come out.

use std::collections::{HashMap, HashSet};

use onnx_ir::{GraphProto, NodeProto, ValueInfoProto};

use super::error::Fault;
use super::{Options, names};
use crate::session::form::Shape;

/// Most numbers of an image.
const MOST: usize = 1 << 28;

/// How the file counts an image's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// \[N,C,H,W\], as PyTorch does.
    ChannelsFirst,
    /// \[N,H,W,C\], as TensorFlow does.
    ChannelsLast,
    /// \[N,H,W\], of one channel.
    OneChannel,
    /// \[N,C·H·W\], one number after the other.
    Flat,
}

/// The input that takes images.
#[derive(Debug, Clone)]
pub struct Port {
    /// Its name in the file.
    pub name: String,
    /// How it counts an image's numbers.
    pub layout: Layout,
    /// Channels, rows, columns.
    pub image: Shape,
    /// How many images the file takes at a time where it fixes that, else 1.
    pub batch: i64,
    /// The standard's number of its number type.
    pub data_type: i32,
}

/// The nodes that an output needs, in the file's order, and all the names that are asked for: those
/// that they take, and the output.
pub fn needed<'a>(nodes: &'a [NodeProto], output: &str) -> (Vec<&'a NodeProto>, HashSet<String>) {
    let makers = makers(nodes);
    let mut open = vec![output.to_owned()];
    let (mut chosen, mut asked) = (HashSet::new(), HashSet::new());
    while let Some(name) = open.pop() {
        if name.is_empty() || !asked.insert(name.clone()) {
            continue;
        }
        if let Some(&at) = makers.get(name.as_str())
            && chosen.insert(at)
        {
            inputs(&nodes[at], &mut open);
        }
    }
    let nodes = nodes.iter().enumerate();
    let nodes = nodes.filter(|(at, _)| chosen.contains(at));
    (nodes.map(|(_, node)| node).collect(), asked)
}

/// Which node gives a name.
fn makers(nodes: &[NodeProto]) -> HashMap<&str, usize> {
    let outputs = nodes.iter().enumerate().flat_map(|(at, node)| {
        let outputs = node.output.iter().filter(|name| !name.is_empty());
        outputs.map(move |name| (name.as_str(), at))
    });
    outputs.collect()
}

/// What a node takes, the graphs in it too.
fn inputs(node: &NodeProto, names: &mut Vec<String>) {
    names.extend(node.input.iter().cloned());
    let within = node
        .attribute
        .iter()
        .filter_map(|attribute| attribute.g.as_ref());
    for graph in within {
        for inner in &graph.node {
            inputs(inner, names);
        }
        names.extend(graph.output.iter().map(|output| output.name.clone()));
    }
}

/// The name of the output that is asked for, or of the only one.
///
/// # Errors
/// Where there are several, or none of the name.
pub fn output(
    graph: &GraphProto,
    nodes: &[NodeProto],
    wanted: Option<&str>,
) -> Result<String, Fault> {
    let Some(wanted) = wanted else {
        return match &graph.output[..] {
            [only] => Ok(only.name.clone()),
            [] => Err(Fault::Damaged("it has no output".into())),
            several => {
                let shown: Vec<String> = several.iter().map(described).collect();
                let may_be = |output: &&ValueInfoProto| {
                    let rank = shape(output).map(|shape| shape.len());
                    matches!(data_type(output), 0 | 1 | 10 | 11 | 16)
                        && rank.is_none_or(|rank| rank == 2)
                };
                let choices = several.iter().filter(may_be);
                Err(Fault::Outputs {
                    found: shown.join(", "),
                    choices: choices.map(|output| output.name.clone()).collect(),
                })
            }
        };
    };
    if graph.output.iter().any(|output| output.name == wanted) || makers(nodes).contains_key(wanted)
    {
        return Ok(wanted.to_owned());
    }
    let called = |node: &&NodeProto| node.name == wanted || names::readable(node) == wanted;
    let first = nodes
        .iter()
        .find(called)
        .and_then(|node| node.output.first());
    first.cloned().ok_or_else(|| {
        let mut near: Vec<(f64, String)> = nodes
            .iter()
            .flat_map(|node| {
                [names::readable(node)]
                    .into_iter()
                    .chain(node.output.clone())
            })
            .map(|name| (strsim::jaro_winkler(&name, wanted), name))
            .collect();
        near.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        near.dedup();
        Fault::NoSuchOutput {
            name: wanted.to_owned(),
            there: near.into_iter().take(4).map(|(_, name)| name).collect(),
        }
    })
}

/// The output of the softmax that gives `output`, over operators that only pass it on.
pub fn softmax_behind(nodes: &[NodeProto], output: &str) -> Option<String> {
    let makers = makers(nodes);
    let mut name = output;
    for _ in 0..nodes.len() {
        let node = &nodes[*makers.get(name)?];
        match node.op_type.as_str() {
            "Softmax" | "LogSoftmax" => return Some(name.to_owned()),
            "Identity" | "Cast" | "Flatten" | "Reshape" | "Squeeze" | "Unsqueeze" | "Dropout" => {
                name = node.input.first()?;
            }
            _ => return None,
        }
    }
    None
}

/// The input that takes images, of those that are needed.
///
/// # Errors
/// Where there is none, or more than one, or a size is left open.
pub fn input(
    graph: &GraphProto,
    needed: &HashSet<String>,
    options: &Options,
) -> Result<Port, Fault> {
    let mut free = free(graph);
    free.retain(|input| needed.contains(&input.name));
    let words = |inputs: &[&ValueInfoProto]| {
        let each = inputs.iter().map(|input| described(input));
        each.collect::<Vec<_>>().join(", ")
    };
    match &free[..] {
        [] => Err(Fault::NoImage("none that the output depends on".into())),
        [input] => port(input, options).unwrap_or_else(|| Err(Fault::NoImage(words(&free)))),
        several => Err(Fault::Inputs(words(several))),
    }
}

/// The inputs that are no weights.
pub fn free(graph: &GraphProto) -> Vec<&ValueInfoProto> {
    let arrays = graph.initializer.iter();
    let arrays: HashSet<&str> = arrays.map(|array| array.name.as_str()).collect();
    let is_free = |input: &&ValueInfoProto| !arrays.contains(input.name.as_str());
    graph.input.iter().filter(is_free).collect()
}

/// The name and the shape of an input or output: `` `logits` [N,10] ``.
pub fn described(value: &ValueInfoProto) -> String {
    let shape = shape(value).map_or_else(|| "of unknown shape".into(), |it| written(&it));
    format!("`{}` {shape}", value.name)
}

/// The length of an axis of an input: a number, or open under some name.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Length {
    Fixed(usize),
    Open(String),
}

impl Length {
    fn fixed(&self) -> Option<usize> {
        match self {
            Length::Fixed(length) => Some(*length),
            Length::Open(_) => None,
        }
    }
}

fn shape(value: &ValueInfoProto) -> Option<Vec<Length>> {
    let kind = value.type_.as_ref()?;
    if !kind.has_tensor_type() {
        return None;
    }
    let shape = kind.tensor_type().shape.as_ref()?;
    let lengths = shape
        .dim
        .iter()
        .map(|dim| match usize::try_from(dim.dim_value()) {
            Ok(length) if length > 0 => Length::Fixed(length),
            _ => Length::Open(dim.dim_param().to_owned()),
        });
    Some(lengths.collect())
}

fn data_type(value: &ValueInfoProto) -> i32 {
    value
        .type_
        .as_ref()
        .filter(|kind| kind.has_tensor_type())
        .map_or(0, |kind| kind.tensor_type().elem_type)
}

fn written(shape: &[Length]) -> String {
    let axes: Vec<String> = shape
        .iter()
        .map(|length| match length {
            Length::Fixed(length) => length.to_string(),
            Length::Open(name) if name.is_empty() => "?".to_owned(),
            Length::Open(name) => name.clone(),
        })
        .collect();
    format!("[{}]", axes.join(","))
}

/// An input as one that takes images; `None` where its shape is none of images.
fn port(input: &ValueInfoProto, options: &Options) -> Option<Result<Port, Fault>> {
    let shape = shape(input)?;
    let (batch, rest) = shape.split_first()?;
    let few = |length: &Length| matches!(length, Length::Fixed(1 | 3));
    let (layout, channels, sides) = match rest {
        [height, width, channels] if few(channels) && !few(height) => {
            (Layout::ChannelsLast, channels.clone(), [height, width])
        }
        [channels, height, width] => (Layout::ChannelsFirst, channels.clone(), [height, width]),
        [height, width] if batch.fixed().is_none_or(|batch| batch == 1) => {
            (Layout::OneChannel, Length::Fixed(1), [height, width])
        }
        [length] => return flat(input, batch, length.fixed()?, options),
        _ => return None,
    };
    Some(
        sized(input, &shape, &channels, sides, options).map(|image| Port {
            name: input.name.clone(),
            layout,
            image,
            batch: batch_of(batch),
            data_type: data_type(input),
        }),
    )
}

fn batch_of(length: &Length) -> i64 {
    let fixed = length.fixed().and_then(|batch| i64::try_from(batch).ok());
    fixed.unwrap_or(1)
}

fn sized(
    input: &ValueInfoProto,
    shape: &[Length],
    channels: &Length,
    [height, width]: [&Length; 2],
    options: &Options,
) -> Result<Shape, Fault> {
    let Some(channels) = channels.fixed() else {
        return Err(Fault::OpenChannels {
            input: input.name.clone(),
            shape: written(shape),
        });
    };
    let asked = options.size;
    let rows = height.fixed().or(asked.map(|(rows, _)| rows));
    let columns = width.fixed().or(asked.map(|(_, columns)| columns));
    let (Some(rows), Some(columns)) = (rows, columns) else {
        return Err(Fault::OpenSize {
            input: input.name.clone(),
            shape: written(shape),
        });
    };
    let numbers = channels.checked_mul(rows);
    let numbers = numbers.and_then(|count| count.checked_mul(columns));
    if numbers.is_none_or(|count| count > MOST) {
        let what = format!("its images have the shape {}", written(shape));
        return Err(Fault::Damaged(what));
    }
    match asked {
        Some(asked) if asked != (rows, columns) => Err(Fault::OtherSize {
            fixed: (rows, columns),
            asked,
        }),
        _ => Ok([channels, rows, columns]),
    }
}

/// An input of one number after the other, where they make up a square image or one of the size asked
/// for.
fn flat(
    input: &ValueInfoProto,
    batch: &Length,
    length: usize,
    options: &Options,
) -> Option<Result<Port, Fault>> {
    let square = |channels: usize| {
        let side = (length / channels).isqrt();
        (side > 1 && channels * side * side == length).then_some([channels, side, side])
    };
    let asked = |(rows, columns): (usize, usize)| {
        let channels = length.checked_div(rows * columns)?;
        (channels > 0 && channels * rows * columns == length).then_some([channels, rows, columns])
    };
    let image = match options.size {
        Some(size) => asked(size)?,
        None => square(1).or_else(|| square(3))?,
    };
    Some(Ok(Port {
        name: input.name.clone(),
        layout: Layout::Flat,
        image,
        batch: batch_of(batch),
        data_type: data_type(input),
    }))
}
