//! Runs a graph on a device: logits, values of any node, and pushes.
//!
//! This is the reference for every other way of computing a graph. All results are differentiable
//! with respect to the images if these are on a device that records gradients. A value is freed when
//! its last user has run.

mod arrange;
mod compute;
mod functions;
mod fused;
mod recurrent;
mod value;
mod windows;

use std::collections::{BTreeMap, HashMap};

use burn::tensor::{Device, Tensor, TensorData};

use compute::{compute, layer};
use fused::{FusedLayer, fused_nodes};
pub use value::DynTensor;

use super::dim::shape_text;
use super::op::Binary;
use super::{Dim, Graph, Node, NodeId, NodeInput, Op};
use crate::nets::layout::in_fast_layout;
use crate::session::array::Array;

/// A graph with its weights on a device. Copies share them.
#[derive(Debug, Clone)]
pub struct LoadedGraph {
    graph: Graph,
    device: Device,
    weights: BTreeMap<String, DynTensor>,
    /// Nodes that are computed together with the layer before them.
    fused: HashMap<NodeId, FusedLayer>,
    /// Offsets added to the units of nodes.
    pushes: Vec<Push>,
}

/// An offset for every unit of a node.
#[derive(Debug, Clone)]
struct Push {
    node: NodeId,
    /// One number per unit, \[units\].
    offset: Tensor<1>,
    /// The axis that the units lie along.
    axis: usize,
}

/// Why a node cannot be pushed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PushError {
    /// The number of values differs from the number of units.
    #[error("{found} values for the {units} units of `{node}`")]
    Units {
        /// The node.
        node: String,
        /// Values given.
        found: usize,
        /// Units of the node.
        units: usize,
    },
    /// The axis has no units.
    #[error("`{node}` has the shape {shape}: there are no units along axis {axis}")]
    Axis {
        /// The node.
        node: String,
        /// The shape of its output, as text.
        shape: String,
        /// The axis.
        axis: usize,
    },
    /// The site's units do not lie along one axis.
    #[error("the units of `{site}` do not lie along one axis, so they cannot be pushed")]
    Site {
        /// The site.
        site: String,
    },
}

impl Graph {
    /// The graph on a device, with the weights that its nodes use.
    pub fn load(&self, device: &Device) -> LoadedGraph {
        let mut weights = BTreeMap::new();
        for node in self.nodes() {
            for input in &node.inputs {
                if let NodeInput::Weight(name) = input
                    && !weights.contains_key(name)
                {
                    weights.insert(
                        name.clone(),
                        DynTensor::from_array(&self.weights()[name], device),
                    );
                }
            }
        }
        LoadedGraph {
            graph: self.clone(),
            device: device.clone(),
            weights,
            fused: fused_nodes(self, device),
            pushes: Vec::new(),
        }
    }
}

/// What an operator gives on arrays, none of which depends on the images. `shape` is that of the result. `None` for the
/// images themselves.
pub fn on_arrays(op: &Op, arrays: &[&Array<f32>], shape: &[usize]) -> Option<Array<f32>> {
    let device = Device::flex();
    let inputs = arrays
        .iter()
        .map(|array| DynTensor::from_array(array, &device));
    let mut inputs: Vec<DynTensor> = inputs.collect();
    let value = match op {
        Op::Input => return None,
        Op::Conv(_) | Op::Dense | Op::BatchNorm { .. } => {
            let bias = (inputs.len() > BIAS).then(|| inputs.remove(BIAS));
            layer(op, inputs, bias.map(DynTensor::into_tensor))
        }
        op => compute(op, inputs, shape),
    };
    let count = shape.iter().product();
    match value.reshaped(&[count]) {
        DynTensor::R1(numbers) => {
            let numbers = numbers.into_data().try_into_vec().ok()?;
            Some(Array::new(shape, numbers))
        }
        _ => None,
    }
}

/// The values of a run, each kept until its last use.
struct Values {
    values: Vec<Option<DynTensor>>,
    /// Remaining uses.
    uses: Vec<usize>,
}

impl Values {
    fn take(&mut self, id: NodeId) -> DynTensor {
        self.uses[id.0] -= 1;
        let value = &mut self.values[id.0];
        let taken = match self.uses[id.0] {
            0 => value.take(),
            _ => value.clone(),
        };
        // Nodes come after their inputs, and uses have been counted.
        taken.unwrap_or_else(|| unreachable!("a value used more often than counted"))
    }
}

impl LoadedGraph {
    /// The graph.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// The device of the weights.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Logits \[N,K\] of images \[N,C,H,W\].
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let mut values = self.values(images, &[self.graph.output]);
        values.remove(0).into_tensor()
    }

    /// The values of `wanted` nodes on images \[N,C,H,W\], in that order.
    pub fn values(&self, images: Tensor<4>, wanted: &[NodeId]) -> Vec<DynTensor> {
        let n = images.dims()[0];
        let nodes = self.graph.nodes();
        let fused = |id: &NodeId| {
            let fused = self.fused.get(id)?;
            let inside = [Some(fused.first), fused.between];
            let mut inside = inside.into_iter().flatten();
            let needed = inside.any(|id| wanted.contains(&id) || self.has_separate_push(id));
            (!needed).then_some(fused)
        };
        let mut uses = vec![0; nodes.len()];
        wanted.iter().for_each(|id| uses[id.0] += 1);
        for id in self.graph.ids().collect::<Vec<_>>().into_iter().rev() {
            if uses[id.0] > 0 {
                // A layer that is computed with the node after it is skipped.
                let source = fused(&id).map_or(id, |fused| fused.first);
                for input in &nodes[source.0].inputs {
                    if let NodeInput::Node(input) = input {
                        uses[input.0] += 1;
                    }
                }
            }
        }
        let mut values = Values {
            values: vec![None; nodes.len()],
            uses,
        };
        let mut images = Some(images);
        for id in self.graph.ids() {
            if values.uses[id.0] == 0 {
                continue;
            }
            let value = match (&nodes[id.0].op, fused(&id)) {
                (Op::Input, _) => self.arranged(images.take()),
                (_, Some(fused)) => {
                    let shape = self.lengths(id, n);
                    self.run_fused(fused, id, &mut values, &shape)
                }
                _ => self.node(id, &mut values, n),
            };
            values.values[id.0] = Some(self.pushed_value(id, value));
        }
        wanted.iter().map(|&id| values.take(id)).collect()
    }

    /// Images in the best memory layout for convolutions.
    fn arranged(&self, images: Option<Tensor<4>>) -> DynTensor {
        let convolves = |node: &Node| matches!(node.op, Op::Conv(_));
        // A graph has one input.
        let images = images.unwrap_or_else(|| unreachable!("a second input"));
        DynTensor::R4(match self.graph.nodes().iter().any(convolves) {
            true => in_fast_layout(images),
            false => images,
        })
    }

    fn inputs(&self, id: NodeId, values: &mut Values) -> Vec<DynTensor> {
        let value = |input: &NodeInput| match input {
            NodeInput::Node(id) => values.take(*id),
            NodeInput::Weight(name) => self.weights[name].clone(),
        };
        self.graph.node(id).inputs.iter().map(value).collect()
    }

    /// Whether a node has a push that is not part of its bias.
    fn has_separate_push(&self, id: NodeId) -> bool {
        let node = self.graph.node(id);
        let mut pushes = self.pushes.iter();
        pushes.any(|push| push.node == id && !is_bias(node, push.axis))
    }

    /// The bias of a layer with its pushes added; a pushed layer without a bias gets one.
    fn biased(&self, id: NodeId, bias: Option<DynTensor>) -> Option<Tensor<1>> {
        let bias = bias.map(DynTensor::into_tensor);
        let node = self.graph.node(id);
        let pushes = self.pushes.iter();
        let pushes = pushes.filter(|push| push.node == id && is_bias(node, push.axis));
        pushes.fold(bias, |bias, push| {
            let offset = push.offset.clone();
            Some(match bias {
                Some(bias) => bias + offset,
                None => offset,
            })
        })
    }

    /// A value with those of its pushes added that do not go into a bias.
    fn pushed_value(&self, id: NodeId, value: DynTensor) -> DynTensor {
        let node = self.graph.node(id);
        let pushes = self.pushes.iter();
        let pushes = pushes.filter(|push| push.node == id && !is_bias(node, push.axis));
        pushes.fold(value, |value, push| {
            let axes = value.axes();
            let mut shape = vec![1; axes];
            shape[push.axis] = push.offset.dims()[0];
            let offset = DynTensor::R1(push.offset.clone()).reshaped(&shape);
            functions::binary(Binary::Add, value, offset)
        })
    }

    /// The shape of a node's output for `n` images.
    fn lengths(&self, id: NodeId, n: usize) -> Vec<usize> {
        let dims = self.graph.node(id).shape.iter();
        dims.map(|dim| dim.length(n)).collect()
    }

    fn node(&self, id: NodeId, values: &mut Values, n: usize) -> DynTensor {
        let node = self.graph.node(id);
        let mut inputs = self.inputs(id, values);
        let shape = self.lengths(id, n);
        match &node.op {
            Op::Conv(_) | Op::Dense | Op::BatchNorm { .. } => {
                let bias = (inputs.len() > BIAS).then(|| inputs.remove(BIAS));
                let bias = self.biased(id, bias);
                layer(&node.op, inputs, bias)
            }
            op => compute(op, inputs, &shape),
        }
    }

    /// The same graph with `delta`, one number per unit, added to a node's output along `axis`, or to
    /// the bias if the node is a layer. Pushes add up, of several nodes or of one node repeatedly.
    ///
    /// # Errors
    /// If `delta` does not have the length of that axis.
    pub fn pushed(&self, node: NodeId, axis: usize, delta: &[f32]) -> Result<Self, PushError> {
        let found = self.graph.node(node);
        let units = match found.shape.get(axis) {
            Some(Dim {
                count,
                batched: false,
            }) => *count,
            _ => {
                return Err(PushError::Axis {
                    node: found.name.clone(),
                    shape: shape_text(&found.shape),
                    axis,
                });
            }
        };
        if delta.len() != units {
            return Err(PushError::Units {
                node: found.name.clone(),
                found: delta.len(),
                units,
            });
        }
        let data = TensorData::new(delta.to_vec(), [units]);
        let mut pushed = self.clone();
        pushed.pushes.push(Push {
            node,
            offset: Tensor::from_data(data, &self.device),
            axis,
        });
        Ok(pushed)
    }
}

/// The index of the bias among a layer's inputs.
const BIAS: usize = 2;

/// Whether a push along an axis goes into a bias.
fn is_bias(node: &Node, axis: usize) -> bool {
    match node.op {
        Op::Conv(_) | Op::BatchNorm { .. } => axis == 1,
        Op::Dense => axis + 1 == node.shape.len(),
        _ => false,
    }
}
