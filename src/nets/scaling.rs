//! What a network from a file wants its images to be, as nodes before all others.

use super::graph::op::{Binary, Unary};
use super::graph::{Graph, GraphBuilder, GraphError, Input, NodeId, Op};
use crate::session::array::Array;
use crate::session::config::{self, Order, Range};

/// Names of the nodes and weights that are put before a network.
const SCALE: &str = "images.scale";
const MEAN: &str = "images.mean";
const STD: &str = "images.std";
const ORDER: &str = "images.order";

/// Whether a weight is not the network's own but what its images are scaled by.
fn is_of_scaling(weight: &str) -> bool {
    [MEAN, STD].contains(&weight)
}

/// Numbers of all weights of a network that are its own.
pub fn parameters_of(graph: &Graph) -> usize {
    let weights = graph.weights().iter();
    let own = weights.filter(|(name, _)| !is_of_scaling(name));
    own.map(|(_, it)| it.values().len()).sum()
}

/// Means or deviations for another number of channels.
#[derive(Debug, thiserror::Error)]
pub enum ScalingError {
    /// Neither one number nor one a channel.
    #[error(
        "network.input.{field}: {found} numbers for images of {channels} channels; give one for each, or one for all"
    )]
    Channels {
        /// `mean` or `std`.
        field: &'static str,
        /// Numbers given.
        found: usize,
        /// Channels of an image.
        channels: usize,
    },
    /// The network has names that are needed.
    #[error("network.input: {0}")]
    Graph(#[from] GraphError),
}

impl Graph {
    /// The graph that takes images in \[0,1\] and gives this one what it wants.
    ///
    /// # Errors
    /// Where there are other numbers of means or deviations than channels.
    pub fn scaled(&self, wanted: &config::Input) -> Result<Graph, ScalingError> {
        if *wanted == config::Input::default() {
            return Ok(self.clone());
        }
        let channels = self.image()[0];
        let mut builder = GraphBuilder::new(self.image());
        let mut places: Vec<NodeId> = Vec::with_capacity(self.nodes().len());
        for (name, values) in self.weights() {
            builder.weight(name, values.clone())?;
        }
        for node in self.nodes() {
            let place = |input: &Input| match input {
                Input::Node(before) => places[before.0].into(),
                weight => weight.clone(),
            };
            let inputs: Vec<Input> = node.inputs.iter().map(place).collect();
            let mut last = builder.add(&node.name, node.op.clone(), &inputs)?;
            if node.op == Op::Input {
                last = prepared(&mut builder, last, wanted, channels)?;
            }
            places.push(last);
        }
        Ok(builder.finish(places[self.output().0])?)
    }
}

/// The nodes after the images.
fn prepared(
    builder: &mut GraphBuilder,
    images: NodeId,
    wanted: &config::Input,
    channels: usize,
) -> Result<NodeId, ScalingError> {
    let mut last = images;
    let range = match wanted.range {
        Range::Unit => None,
        Range::Byte => Some((255.0, 0.0)),
        Range::Signed => Some((2.0, -1.0)),
    };
    if let Some((scale, shift)) = range {
        let op = Op::Unary(Unary::Affine { scale, shift });
        last = builder.add(SCALE, op, &[last.into()])?;
    }
    if wanted.order == Order::Bgr {
        let op = Op::Gather {
            axis: 1,
            indices: (0..channels).rev().collect(),
            shape: vec![channels],
        };
        last = builder.add(ORDER, op, &[last.into()])?;
    }
    let fields = [
        ("mean", MEAN, &wanted.mean, Binary::Sub),
        ("std", STD, &wanted.std, Binary::Div),
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
        let values: Vec<f32> = values.iter().map(|&it| it as f32).collect();
        let weight = builder.weight(name, Array::new(&[values.len(), 1, 1], values))?;
        last = builder.add(name, Op::Binary(operation), &[last.into(), weight])?;
    }
    Ok(last)
}
