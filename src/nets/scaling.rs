//! Input scaling of imported networks: nodes put in front of the graph that turn images in \[0,1\] into
//! what the network was trained on.

use super::graph::op::{Binary, Unary};
use super::graph::{Graph, GraphBuilder, GraphError, NodeId, NodeInput, Op};
use crate::session::array::Array;
use crate::session::config::{self, ChannelOrder, InputRange};

/// Names of the nodes and weights that are put in front of a network.
const SCALE: &str = "images.scale";
const MEAN: &str = "images.mean";
const STD: &str = "images.std";
const ORDER: &str = "images.order";

/// Whether a weight belongs to the input scaling and not to the network.
fn is_scaling_weight(weight: &str) -> bool {
    [MEAN, STD].contains(&weight)
}

/// The number of parameters of a network, without its input scaling and the scales of quantised activations.
pub fn graph_parameter_count(graph: &Graph) -> usize {
    let quantisation = graph.quantisation_weights();
    let is_parameter = |name: &str| !is_scaling_weight(name) && !quantisation.contains(name);
    let weights = graph.weights().iter();
    let parameters = weights.filter(|(name, _)| is_parameter(name));
    parameters.map(|(_, array)| array.values().len()).sum()
}

/// Why an input scaling cannot be applied.
#[derive(Debug, thiserror::Error)]
pub enum ScalingError {
    /// Neither one number nor one per channel.
    #[error(
        "network.input.{field}: {found} numbers for images of {channels} channels; give one per channel, or one for all"
    )]
    Channels {
        /// `mean` or `std`.
        field: &'static str,
        /// Numbers given.
        found: usize,
        /// Channels of an image.
        channels: usize,
    },
    /// The network already uses one of the names needed.
    #[error("network.input: {0}")]
    Graph(#[from] GraphError),
}

impl Graph {
    /// This graph behind the given input scaling, so that it takes images in \[0,1\].
    ///
    /// # Errors
    /// If the number of means or deviations does not match the channels.
    pub fn with_input_scaling(
        &self,
        scaling: &config::InputEncoding,
    ) -> Result<Graph, ScalingError> {
        if *scaling == config::InputEncoding::default() {
            return Ok(self.clone());
        }
        let channels = self.image()[0];
        let mut builder = GraphBuilder::new(self.image());
        let mut new_ids: Vec<NodeId> = Vec::with_capacity(self.nodes().len());
        for (name, values) in self.weights() {
            builder.weight(name, values.clone())?;
        }
        for node in self.nodes() {
            let renumbered = |input: &NodeInput| match input {
                NodeInput::Node(before) => new_ids[before.0].into(),
                weight => weight.clone(),
            };
            let inputs: Vec<NodeInput> = node.inputs.iter().map(renumbered).collect();
            let mut last = builder.add(&node.name, node.op.clone(), &inputs)?;
            if node.op == Op::Input {
                last = scaling_nodes(&mut builder, last, scaling, channels)?;
            }
            new_ids.push(last);
        }
        Ok(builder.finish(new_ids[self.output().0])?)
    }
}

/// Adds the scaling nodes after the images.
fn scaling_nodes(
    builder: &mut GraphBuilder,
    images: NodeId,
    scaling: &config::InputEncoding,
    channels: usize,
) -> Result<NodeId, ScalingError> {
    let mut last = images;
    let range = match scaling.range {
        InputRange::Unit => None,
        InputRange::Byte => Some((255.0, 0.0)),
        InputRange::Signed => Some((2.0, -1.0)),
    };
    if let Some((scale, shift)) = range {
        let op = Op::Unary(Unary::Affine { scale, shift });
        last = builder.add(SCALE, op, &[last.into()])?;
    }
    if scaling.order == ChannelOrder::Bgr {
        let op = Op::Gather {
            axis: 1,
            indices: (0..channels).rev().collect(),
            shape: vec![channels],
        };
        last = builder.add(ORDER, op, &[last.into()])?;
    }
    let fields = [
        ("mean", MEAN, &scaling.mean, Binary::Sub),
        ("std", STD, &scaling.std, Binary::Div),
    ];
    for (field, name, values, operation) in fields {
        if values.is_empty() {
            continue;
        }
        if values.len() != 1 && values.len() != channels {
            return Err(ScalingError::Channels {
                field,
                found: values.len(),
                channels,
            });
        }
        let values: Vec<f32> = values.iter().map(|&value| value as f32).collect();
        let weight = builder.weight(name, Array::new(&[values.len(), 1, 1], values))?;
        last = builder.add(name, Op::Binary(operation), &[last.into(), weight])?;
    }
    Ok(last)
}
