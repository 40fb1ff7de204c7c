//! Nodes that are computed faster together with the layer before them, if nothing else uses that
//! layer's output.

use std::collections::HashMap;

use burn::tensor::{Device, Tensor};

use super::super::op::{Conv, Pads, RecurrentDirection, RecurrentOutput, RecurrentSpec};
use super::super::{Graph, NodeId, NodeInput, Op};
use super::compute::{next_input, recurrent_output, recurrent_weights};
use super::value::DynTensor;
use super::{LoadedGraph, Values, recurrent, windows};
use crate::nets::composed::{Convolution, composed};
use crate::nets::layout::is_flex;
use crate::nets::pooled::pooled_convolution;

/// A layer that is computed with the node after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FusedLayer {
    /// The layer.
    pub first: NodeId,
    /// A reshape between them.
    pub between: Option<NodeId>,
    with: With,
}

/// The node that follows the layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum With {
    /// A pooling. Flex gathers patches in plain code, which makes a single strided convolution worthwhile.
    Pooling,
    /// Another convolution, composed with it into one.
    Convolution,
    /// An LSTM on the states of another, run step by step together: both of them.
    Recurrent([RecurrentSpec; 2]),
}

/// All nodes of a graph that are computed faster this way on a device.
pub fn fused_nodes(graph: &Graph, device: &Device) -> HashMap<NodeId, FusedLayer> {
    let users = graph.users();
    let fuse = |id: NodeId| {
        let only_source = |id: NodeId| match graph.node(id).inputs.first() {
            Some(&NodeInput::Node(before)) => {
                let alone = users[before.0] == [id] && before != graph.output();
                alone.then_some(before)
            }
            _ => None,
        };
        let source = only_source(id)?;
        let (first, between) = match graph.node(source).op {
            Op::Reshape { .. } => (only_source(source)?, Some(source)),
            _ => (source, None),
        };
        let with = match between {
            None => with_first(graph, first, id, device)?,
            Some(between) => stacked(graph, [first, between, id])?,
        };
        let fused = FusedLayer {
            first,
            between,
            with,
        };
        Some((id, fused))
    };
    graph.ids().filter_map(fuse).collect()
}

fn with_first(graph: &Graph, first: NodeId, id: NodeId, device: &Device) -> Option<With> {
    let Op::Conv(conv) = &graph.node(first).op else {
        return None;
    };
    match &graph.node(id).op {
        Op::MaxPool(window) => {
            let kernel = kernel(graph, first)?;
            let fusible = windows::is_one_convolution(conv, &kernel, window);
            (fusible && is_flex(device)).then_some(With::Pooling)
        }
        Op::Conv(second) => {
            let (before, after) = (kernel(graph, first)?, kernel(graph, id)?);
            let sides = &graph.node(id).shape[2..];
            let weights = &graph.node(id).inputs[1..];
            let fusible = weights
                .iter()
                .all(|input| matches!(input, NodeInput::Weight(_)))
                && [conv, second].into_iter().all(is_kept)
                && sides.iter().all(|side| side.count >= 3)
                && is_composed(before, after);
            fusible.then_some(With::Convolution)
        }
        _ => None,
    }
}

/// Two LSTMs, both forward in time, of which the second reads all states of the first, with nothing
/// between them but a reshape that drops the axis of directions.
fn stacked(graph: &Graph, [first, between, second]: [NodeId; 3]) -> Option<With> {
    let forward_lstm = |id: NodeId| match &graph.node(id).op {
        Op::Lstm { recurrent } if recurrent.direction == RecurrentDirection::Forward => {
            Some(*recurrent)
        }
        _ => None,
    };
    let layers = [forward_lstm(first)?, forward_lstm(second)?];
    let weights = &graph.node(second).inputs[1..];
    let states = &graph.node(first).shape;
    let fusible = layers[0].output == RecurrentOutput::All
        && weights
            .iter()
            .all(|input| matches!(input, NodeInput::Weight(_)))
        && graph.node(between).shape == [states[0], states[2], states[3]];
    fusible.then_some(With::Recurrent(layers))
}

/// The shape of a convolution's weight.
fn kernel(graph: &Graph, id: NodeId) -> Option<[usize; 4]> {
    match graph.node(id).inputs.get(1)? {
        NodeInput::Weight(name) => graph.weights()[name].shape().try_into().ok(),
        NodeInput::Node(_) => None,
    }
}

/// Whether a 3×3 convolution keeps the size of the image.
fn is_kept(conv: &Conv) -> bool {
    let kept = Conv {
        pads: Pads::all(1),
        ..Conv::default()
    };
    *conv == kept
}

/// Whether two 3×3 convolutions take more multiplications than the 5×5 one that they compose to.
fn is_composed(before: [usize; 4], after: [usize; 4]) -> bool {
    let ([between, inputs, ..], [outputs, ..]) = (before, after);
    let small = before[2..] == [3, 3] && after[2..] == [3, 3];
    small && 25 * inputs * outputs < 9 * between * (inputs + outputs)
}

impl LoadedGraph {
    /// A node's value, computed together with the layer before it.
    pub(super) fn run_fused(
        &self,
        fused: &FusedLayer,
        id: NodeId,
        values: &mut Values,
        shape: &[usize],
    ) -> DynTensor {
        let mut inputs = self.inputs(fused.first, values).into_iter();
        let x = next_input(&mut inputs);
        if let With::Recurrent(layers) = fused.with {
            let weights = [
                recurrent_weights(inputs),
                recurrent_weights(self.weights_of(id).into_iter()),
            ];
            let all = recurrent::stacked(layers, &x.into_tensor(), &weights);
            return recurrent_output(all, layers[1].output, shape);
        }
        let weight = next_input(&mut inputs);
        let bias = self.biased(fused.first, inputs.next());
        match fused.with {
            With::Pooling => pooled_convolution(x.into_tensor(), weight.into_tensor(), bias).into(),
            With::Convolution | With::Recurrent(_) => {
                let mut inputs = self.weights_of(id).into_iter();
                let after: Tensor<4> = next_input(&mut inputs).into_tensor();
                let after_bias = self.biased(id, inputs.next());
                let first = convolution(weight.into_tensor(), bias);
                composed(x.into_tensor(), &first, &convolution(after, after_bias)).into()
            }
        }
    }

    /// The weights among a node's inputs after the first.
    fn weights_of(&self, id: NodeId) -> Vec<DynTensor> {
        let weight = |input: &NodeInput| match input {
            NodeInput::Weight(name) => Some(self.weights[name].clone()),
            NodeInput::Node(_) => None,
        };
        self.graph.node(id).inputs[1..]
            .iter()
            .filter_map(weight)
            .collect()
    }
}

fn convolution(weight: Tensor<4>, bias: Option<Tensor<1>>) -> Convolution {
    let zero = || Tensor::zeros([weight.dims()[0]], &weight.device());
    Convolution {
        bias: bias.unwrap_or_else(zero),
        weight,
    }
}
