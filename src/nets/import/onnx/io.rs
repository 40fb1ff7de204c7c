//! Finds the input that takes images and the output that gives logits.

use std::collections::{HashMap, HashSet};

use super::error::OnnxFault;
use super::messages::{
    DimensionProto, GraphProto, LengthProto, NodeProto, TensorTypeProto, ValueInfoProto,
};
use super::{OnnxOptions, names};
use crate::session::form::Shape;

/// The largest number of values in an image.
const MOST: usize = 1 << 28;

/// The layout of images in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageLayout {
    /// \[N,C,H,W\], as PyTorch does.
    ChannelsFirst,
    /// \[N,H,W,C\], as TensorFlow does.
    ChannelsLast,
    /// \[N,H,W\], with one channel.
    OneChannel,
    /// \[N,C·H·W\], a vector.
    Flat,
}

/// The input that takes images.
#[derive(Debug, Clone)]
pub struct ImageInput {
    /// Its name in the file.
    pub name: String,
    /// Its layout of images.
    pub layout: ImageLayout,
    /// Channels, rows, columns.
    pub image: Shape,
    /// The batch size of the file if fixed, else 1.
    pub batch: i64,
    /// The ONNX code of its number type.
    pub data_type: i32,
}

/// The nodes that an output needs, in the file's order, and all names used: the nodes' inputs and the
/// output.
pub fn needed<'a>(nodes: &'a [NodeProto], output: &str) -> (Vec<&'a NodeProto>, HashSet<String>) {
    let makers = makers(nodes);
    let mut open = vec![output.to_owned()];
    let (mut chosen, mut names) = (HashSet::new(), HashSet::new());
    while let Some(name) = open.pop() {
        if name.is_empty() || !names.insert(name.clone()) {
            continue;
        }
        if let Some(&index) = makers.get(name.as_str())
            && chosen.insert(index)
        {
            inputs(&nodes[index], &mut open);
        }
    }
    let nodes = nodes.iter().enumerate();
    let nodes = nodes.filter(|(index, _)| chosen.contains(index));
    (nodes.map(|(_, node)| node).collect(), names)
}

/// The index of the node that defines each name.
fn makers(nodes: &[NodeProto]) -> HashMap<&str, usize> {
    let outputs = nodes.iter().enumerate().flat_map(|(index, node)| {
        let outputs = node.output.iter().filter(|name| !name.is_empty());
        outputs.map(move |name| (name.as_str(), index))
    });
    outputs.collect()
}

/// Adds the inputs of a node, including those of its subgraphs.
pub fn inputs(node: &NodeProto, names: &mut Vec<String>) {
    names.extend(node.input.iter().cloned());
    let within = node
        .attribute
        .iter()
        .filter_map(|attribute| attribute.g.as_deref());
    for graph in within {
        for inner in &graph.node {
            inputs(inner, names);
        }
        names.extend(graph.output.iter().map(|output| output.name.clone()));
    }
}

/// The name of the wanted output, or of the only one.
///
/// # Errors
/// If there are several and none is wanted, or none of the wanted name.
pub fn output(
    graph: &GraphProto,
    nodes: &[NodeProto],
    wanted: Option<&str>,
) -> Result<String, OnnxFault> {
    let Some(wanted) = wanted else {
        return match &graph.output[..] {
            [only] => Ok(only.name.clone()),
            [] => Err(OnnxFault::Damaged("it has no output".into())),
            several => {
                let shown: Vec<String> = several.iter().map(described).collect();
                let may_be = |output: &ValueInfoProto| {
                    let rank = shape(output).map(|shape| shape.len());
                    matches!(data_type(output), 0 | 1 | 10 | 11 | 16)
                        && rank.is_none_or(|rank| rank == 2)
                };
                let choice = |output: &ValueInfoProto| {
                    let scores = scores_behind(nodes, &output.name);
                    scores.or_else(|| may_be(output).then(|| output.name.clone()))
                };
                let mut choices: Vec<String> = several.iter().filter_map(choice).collect();
                let mut seen = HashSet::new();
                choices.retain(|name| seen.insert(name.clone()));
                Err(OnnxFault::Outputs {
                    found: shown.join(", "),
                    choices,
                })
            }
        };
    };
    if graph.output.iter().any(|output| output.name == wanted) || makers(nodes).contains_key(wanted)
    {
        return Ok(wanted.to_owned());
    }
    let matches = |node: &&NodeProto| node.name == wanted || names::readable_name(node) == wanted;
    let first = nodes
        .iter()
        .find(matches)
        .and_then(|node| node.output.first());
    first.cloned().ok_or_else(|| {
        let mut near: Vec<(f64, String)> = nodes
            .iter()
            .flat_map(|node| {
                [names::readable_name(node)]
                    .into_iter()
                    .chain(node.output.clone())
            })
            .map(|name| (strsim::jaro_winkler(&name, wanted), name))
            .collect();
        near.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        near.dedup();
        OnnxFault::NoSuchOutput {
            name: wanted.to_owned(),
            near: near.into_iter().take(4).map(|(_, name)| name).collect(),
        }
    })
}

/// The node whose result is `output`, directly or through operators that only pass it on, and the name of that result.
fn source<'a>(nodes: &'a [NodeProto], output: &'a str) -> Option<(&'a NodeProto, &'a str)> {
    let makers = makers(nodes);
    let mut name = output;
    for _ in 0..nodes.len() {
        let node = &nodes[*makers.get(name)?];
        match node.op_type.as_str() {
            "Identity" | "Cast" | "Flatten" | "Reshape" | "Squeeze" | "Unsqueeze" | "Dropout" => {
                name = node.input.first()?;
            }
            _ => return Some((node, name)),
        }
    }
    None
}

/// The output of the softmax that gives `output`.
pub fn softmax_behind(nodes: &[NodeProto], output: &str) -> Option<String> {
    let (node, name) = source(nodes, output)?;
    let is_softmax = matches!(node.op_type.as_str(), "Softmax" | "LogSoftmax");
    is_softmax.then(|| name.to_owned())
}

/// The input of the sigmoid that gives `output`.
pub fn logits_behind_sigmoid(nodes: &[NodeProto], output: &str) -> Option<String> {
    let (node, _) = source(nodes, output)?;
    let is_sigmoid = matches!(node.op_type.as_str(), "Sigmoid" | "HardSigmoid");
    node.input.first().filter(|_| is_sigmoid).cloned()
}

/// The scores from which `output` gives a decision: the largest ones, their places, or a list of them with class names.
pub fn scores_behind(nodes: &[NodeProto], output: &str) -> Option<String> {
    let makers = makers(nodes);
    let mut name = output;
    for _ in 0..nodes.len() {
        let node = &nodes[*makers.get(name)?];
        name = node.input.first()?;
        match node.op_type.as_str() {
            "ArgMax" | "TopK" | "ZipMap" => return Some(name.to_owned()),
            "Identity" | "Cast" | "Flatten" | "Reshape" | "Squeeze" | "Unsqueeze" => {}
            _ => return None,
        }
    }
    None
}

/// The input that takes images, among those needed.
///
/// # Errors
/// If there is none, or more than one, or a size is left open.
pub fn input(
    graph: &GraphProto,
    needed: &HashSet<String>,
    options: &OnnxOptions,
) -> Result<ImageInput, OnnxFault> {
    let mut free = free(graph);
    free.retain(|input| needed.contains(&input.name));
    let words = |inputs: &[&ValueInfoProto]| {
        let each = inputs.iter().map(|input| described(input));
        each.collect::<Vec<_>>().join(", ")
    };
    match &free[..] {
        [] => Err(OnnxFault::NoImage("none that the output depends on".into())),
        [input] => port(input, options).unwrap_or_else(|| Err(OnnxFault::NoImage(words(&free)))),
        several => Err(OnnxFault::Inputs(words(several))),
    }
}

/// The inputs that are not weights.
pub fn free(graph: &GraphProto) -> Vec<&ValueInfoProto> {
    let arrays = graph.initializer.iter();
    let arrays: HashSet<&str> = arrays.map(|array| array.name.as_str()).collect();
    let is_free = |input: &&ValueInfoProto| !arrays.contains(input.name.as_str());
    graph.input.iter().filter(is_free).collect()
}

/// The name and the shape of an input or output: `` `logits` [N,10] ``.
pub fn described(value: &ValueInfoProto) -> String {
    let shape = shape(value).map_or_else(|| "of unknown shape".into(), |shape| written(&shape));
    format!("`{}` {shape}", value.name)
}

/// The length of an axis of an input: a number, or open, with a name.
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

/// The type of a value that is an array.
fn tensor_type(value: &ValueInfoProto) -> Option<&TensorTypeProto> {
    value.value_type.as_ref()?.tensor_type.as_ref()
}

fn shape(value: &ValueInfoProto) -> Option<Vec<Length>> {
    let shape = tensor_type(value)?.shape.as_ref()?;
    let length = |dimension: &DimensionProto| match &dimension.value {
        Some(LengthProto::Named(name)) => Length::Open(name.clone()),
        Some(LengthProto::Fixed(length)) if *length > 0 => {
            usize::try_from(*length).map_or_else(|_| Length::Open(String::new()), Length::Fixed)
        }
        Some(LengthProto::Fixed(_)) | None => Length::Open(String::new()),
    };
    Some(shape.dim.iter().map(length).collect())
}

fn data_type(value: &ValueInfoProto) -> i32 {
    tensor_type(value).map_or(0, |array| array.elem_type)
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

/// An input as one that takes images; `None` if its shape is not that of images.
fn port(input: &ValueInfoProto, options: &OnnxOptions) -> Option<Result<ImageInput, OnnxFault>> {
    let shape = shape(input)?;
    let (batch, rest) = shape.split_first()?;
    let few = |length: &Length| matches!(length, Length::Fixed(1 | 3));
    let (layout, channels, sides) = match rest {
        [height, width, channels] if few(channels) && !few(height) => {
            (ImageLayout::ChannelsLast, channels.clone(), [height, width])
        }
        [channels, height, width] => (
            ImageLayout::ChannelsFirst,
            channels.clone(),
            [height, width],
        ),
        [height, width] if batch.fixed().is_none_or(|batch| batch == 1) => {
            (ImageLayout::OneChannel, Length::Fixed(1), [height, width])
        }
        [length] => return flat(input, batch, length.fixed()?, options),
        _ => return None,
    };
    Some(
        sized(input, &shape, &channels, sides, options).map(|image| ImageInput {
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
    options: &OnnxOptions,
) -> Result<Shape, OnnxFault> {
    let Some(channels) = channels.fixed() else {
        return Err(OnnxFault::OpenChannels {
            input: input.name.clone(),
            shape: written(shape),
        });
    };
    let requested = options.size;
    let rows = height.fixed().or(requested.map(|(rows, _)| rows));
    let columns = width.fixed().or(requested.map(|(_, columns)| columns));
    let (Some(rows), Some(columns)) = (rows, columns) else {
        return Err(OnnxFault::OpenSize {
            input: input.name.clone(),
            shape: written(shape),
        });
    };
    let numbers = channels.checked_mul(rows);
    let numbers = numbers.and_then(|count| count.checked_mul(columns));
    if numbers.is_none_or(|count| count > MOST) {
        let message = format!("its images have the shape {}", written(shape));
        return Err(OnnxFault::Damaged(message));
    }
    match requested {
        Some(asked) if asked != (rows, columns) => Err(OnnxFault::OtherSize {
            fixed: (rows, columns),
            asked,
        }),
        _ => Ok([channels, rows, columns]),
    }
}

/// A vector input, if its length is that of a square image or one of the requested size.
fn flat(
    input: &ValueInfoProto,
    batch: &Length,
    length: usize,
    options: &OnnxOptions,
) -> Option<Result<ImageInput, OnnxFault>> {
    let square = |channels: usize| {
        let side = (length / channels).isqrt();
        (side > 1 && channels * side * side == length).then_some([channels, side, side])
    };
    let sized = |(rows, columns): (usize, usize)| {
        let channels = length.checked_div(rows * columns)?;
        (channels > 0 && channels * rows * columns == length).then_some([channels, rows, columns])
    };
    if length > MOST {
        let message = format!("its images have {length} values");
        return Some(Err(OnnxFault::Damaged(message)));
    }
    let image = match options.size {
        Some(size) => sized(size)?,
        None => square(1).or_else(|| square(3))?,
    };
    Some(Ok(ImageInput {
        name: input.name.clone(),
        layout: ImageLayout::Flat,
        image,
        batch: batch_of(batch),
        data_type: data_type(input),
    }))
}
