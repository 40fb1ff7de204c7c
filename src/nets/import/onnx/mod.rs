//! Imports networks from ONNX files, from any exporter, as a [`crate::nets::graph`].
//!
//! [`read`] returns the graph from the images to the logits. `file` reads the file's messages; `io`
//! determines which input takes images and which output gives logits; `walk` translates the nodes one by
//! one with the rules of `ops`, keeping its state in `importer`. Shape arithmetic is computed at import,
//! with the number of images as a symbol (`count`), so that a file exported for a single image can be run
//! on any number.

mod attributes;
mod bundle;
mod call;
mod class_names;
mod constant;
mod count;
mod error;
mod file;
mod functions;
mod importer;
mod io;
mod known;
mod lengths;
pub(crate) mod messages;
mod names;
mod narrow;
mod ops;
mod recognise;
mod strided_indices;
mod survey;
#[cfg(test)]
mod tests;
mod types;
mod walk;

use std::path::Path;

pub use bundle::Bundle;
pub use error::{MissingOperator, OnnxError, OnnxFault};
pub use io::ImageLayout;
pub use recognise::NonOnnxFile;
pub use survey::{ModelSummary, Operator};

use crate::nets::graph::{Dim, Graph, GraphBuilder, GraphError, NodeId, NodeInput, Op, dim};
use call::ImportValue;
use importer::Importer;
use io::ImageInput;
use messages::ModelProto;
use names::UniqueNames;

/// Choices that a file leaves open.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OnnxOptions {
    /// The output that gives the logits: an output's name, or a node's.
    pub output: Option<String>,
    /// Rows and columns of the images, if the file leaves them open.
    pub size: Option<(usize, usize)>,
}

/// A network imported from a file.
#[derive(Debug, Clone)]
pub struct OnnxImport {
    /// From images \[N,C,H,W\] to logits \[N,K\].
    pub graph: Graph,
    /// Changes made and other remarks for the user, one sentence each.
    pub notes: Vec<String>,
    /// One name per class, if the file has them.
    pub class_names: Option<Vec<String>>,
    /// The layout of images in the file; the graph always takes \[N,C,H,W\].
    pub layout: ImageLayout,
}

/// Reads a network from an ONNX file.
///
/// # Errors
/// Names the file, what is wrong with it and where, and what to do.
pub fn read(path: &Path, options: &OnnxOptions) -> Result<OnnxImport, OnnxError> {
    let read = || -> Result<OnnxImport, OnnxFault> {
        let model = file::model(path)?;
        imported(&model, &file::ArrayReader::of(path), options)
    };
    read().map_err(|fault| OnnxError {
        path: path.to_owned(),
        fault,
    })
}

fn imported(
    model: &ModelProto,
    arrays: &file::ArrayReader,
    options: &OnnxOptions,
) -> Result<OnnxImport, OnnxFault> {
    let opset = survey::opset(model);
    let nodes = functions::inlined(model)?;
    let output = io::output(&model.graph, &nodes, options.output.as_deref())?;
    let (needed, asked) = io::needed(&nodes, &output);
    let missing = ops::missing(&needed);
    if !missing.is_empty() {
        let scores = io::scores_behind(&nodes, &output);
        let known = |name: &String| ops::missing(&io::needed(&nodes, name).0).is_empty();
        return Err(OnnxFault::Operators(missing, scores.filter(known)));
    }
    let port = io::input(&model.graph, &asked, options)?;
    let mut importer = Importer::new(GraphBuilder::new(port.image), arrays, opset, port.batch);
    importer.add_arrays(&model.graph);
    importer.set_used_names(asked);
    enter(&mut importer, &port)?;
    if let Some(softmax) = io::softmax_behind(&nodes, &output) {
        importer.mark_final_softmax(&softmax);
    }
    importer.walk(&needed)?;
    let last = leave(&mut importer, &output)?;
    let (graph, mut notes) = importer.finish(last)?;
    if let Some(logits) = io::logits_behind_sigmoid(&nodes, &output) {
        notes.push(format!(
            "the network ends in a sigmoid, and its outputs from 0 to 1 are taken as they are, though they are called \
             logits; for those before it add --set 'network.output=Some(\"{logits}\")'"
        ));
    }
    Ok(OnnxImport {
        class_names: class_names::read(model, graph.classes()),
        graph,
        notes,
        layout: port.layout,
    })
}

/// Adds the image input, converted to the file's layout.
fn enter(importer: &mut Importer, port: &ImageInput) -> Result<(), OnnxFault> {
    let words = |problem| match problem {
        error::NodeProblem::Fault(fault) => fault,
        error::NodeProblem::Cannot(words) => OnnxFault::Damaged(words),
    };
    let images = importer.emit("images", Op::Input, &[]).map_err(words)?;
    let [channels, rows, columns] = port.image;
    let op = match port.layout {
        ImageLayout::ChannelsFirst => None,
        ImageLayout::ChannelsLast => Some(Op::Transpose {
            axes: vec![0, 2, 3, 1],
        }),
        ImageLayout::OneChannel => Some(Op::Reshape {
            shape: vec![Dim::batch(1), Dim::fixed(rows), Dim::fixed(columns)],
        }),
        ImageLayout::Flat => {
            let note = format!(
                "its input `{}` is a vector, taken as images of {channels}×{rows}×{columns}",
                port.name
            );
            importer.notes.push(note);
            Some(Op::Reshape {
                shape: vec![Dim::batch(1), Dim::fixed(channels * rows * columns)],
            })
        }
    };
    if types::is_integer(port.data_type) {
        let (range, setting) = match port.data_type {
            types::INT8 => ("−128 to 127", "(range: Byte, mean: [128])"),
            _ => ("0 to 255", "(range: Byte)"),
        };
        let note = format!(
            "its input `{}` takes integers ({}): show it images from {range} with --set 'network.input={setting}'",
            port.name,
            file::type_name(port.data_type)
        );
        importer.notes.push(note);
    }
    let value = match op {
        None => ImportValue::Node(images),
        Some(op) => importer
            .emit_value("laid_out", op, &[images.into()])
            .map_err(words)?,
    };
    importer.set(&port.name, value);
    importer.set_number_type(&port.name, port.data_type);
    Ok(())
}

/// The node that gives the logits \[N,K\].
fn leave(importer: &mut Importer, output: &str) -> Result<NodeId, OnnxFault> {
    let fault = |importer: &Importer, found: String| OnnxFault::Output {
        output: output.to_owned(),
        found,
        choices: importer.class_vectors(output),
    };
    let ImportValue::Node(id) = importer.value(output)? else {
        return Err(fault(importer, "the same for every image".into()));
    };
    let dims = importer.graph.shape(id).to_vec();
    let one = Dim::fixed(1);
    match dims[..] {
        [batch, classes] if batch == Dim::batch(1) && !classes.batched && classes.count > 1 => {
            Ok(id)
        }
        [batch, classes, ref rest @ ..]
            if batch == Dim::batch(1)
                && !classes.batched
                && classes.count > 1
                && rest.iter().all(|&length| length == one) =>
        {
            let name = format!("{output}.classes");
            let shape = vec![batch, classes];
            let flat = importer.emit(&name, Op::Reshape { shape }, &[id.into()]);
            flat.map_err(|_| OnnxFault::Damaged(name))
        }
        [batch] | [batch, Dim { count: 1, .. }] if batch == Dim::batch(1) => {
            Err(OnnxFault::OneNumber(output.to_owned()))
        }
        _ => {
            let found = format!("of the shape {}", dim::shape_text(&dims));
            Err(fault(importer, found))
        }
    }
}

/// The graph without the nodes and weights that its output does not need, with its nodes renamed.
fn pruned(graph: &Graph, node_names: &[String]) -> Result<Graph, GraphError> {
    let mut names = UniqueNames::default();
    let mut used = vec![false; graph.nodes().len()];
    used[graph.output().0] = true;
    for (index, node) in graph.nodes().iter().enumerate().rev() {
        if !used[index] {
            continue;
        }
        for input in &node.inputs {
            if let NodeInput::Node(input) = input {
                used[input.0] = true;
            }
        }
    }
    let mut builder = GraphBuilder::new(graph.image());
    let mut new_ids = vec![NodeId(0); used.len()];
    for id in graph.ids() {
        let node = graph.node(id);
        if !used[id.0] && node.op != Op::Input {
            continue;
        }
        let mut inputs = Vec::new();
        for input in &node.inputs {
            inputs.push(match input {
                NodeInput::Node(before) => new_ids[before.0].into(),
                NodeInput::Weight(name) if builder.weight_values(name).is_some() => {
                    name.as_str().into()
                }
                NodeInput::Weight(name) => match graph.weights().get(name) {
                    Some(values) => builder.weight(name, values.clone())?,
                    None => name.as_str().into(),
                },
            });
        }
        let name = names.unique(&node_names[id.0]);
        new_ids[id.0] = builder.add(&name, node.op.clone(), &inputs)?;
    }
    builder.finish(new_ids[graph.output().0])
}
