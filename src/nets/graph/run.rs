//! A graph on a device: logits, activations of any node, and units pushed.
//!
//! This is the reference for every other way of computing a graph. All results are differentiable
//! by the images where these live on a device that records gradients. A value is freed when the last
//! node that computes on it has run.

mod arrange;
mod functions;
mod recurrent;
mod value;
mod windows;

use std::collections::{BTreeMap, HashMap};

use burn::tensor::{Device, Tensor, TensorData};

pub use value::Value;

use super::op::{Binary, RecurrentOutput, Reduced};
use super::shape::written;
use super::{Dim, Graph, Input, Node, NodeId, Op};
use crate::nets::layout::{arranged, is_flex};

/// A graph whose weights lie on a device. Copies share them.
#[derive(Debug, Clone)]
pub struct Loaded {
    graph: Graph,
    device: Device,
    weights: BTreeMap<String, Value>,
    /// Poolings that are computed together with the convolution before them: pooling, convolution.
    fused: HashMap<NodeId, NodeId>,
    /// What is added to the units of some nodes.
    pushes: Vec<Push>,
}

/// An offset for every unit of a node.
#[derive(Debug, Clone)]
struct Push {
    node: NodeId,
    /// One number a unit, \[units\].
    offset: Tensor<1>,
    /// The axis that the units lie along.
    axis: usize,
}

/// A node that cannot be pushed so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PushError {
    /// Another number of values than units.
    #[error("{found} values for the {units} units of `{node}`")]
    Units {
        /// The node.
        node: String,
        /// Values given.
        found: usize,
        /// Units of the node.
        units: usize,
    },
    /// An axis without units.
    #[error("`{node}` gives {shape}: no units lie along axis {axis}")]
    Axis {
        /// The node.
        node: String,
        /// The shape of what it gives, written out.
        shape: String,
        /// The axis.
        axis: usize,
    },
    /// A site whose units do not lie along one axis.
    #[error("the units of `{site}` do not lie along one axis, so that they cannot be pushed")]
    Site {
        /// The site.
        site: String,
    },
}

impl Graph {
    /// The graph on a device, with those of its weights that nodes compute on.
    pub fn load(&self, device: &Device) -> Loaded {
        let mut weights = BTreeMap::new();
        for node in self.nodes() {
            for input in &node.inputs {
                if let Input::Weight(name) = input
                    && !weights.contains_key(name)
                {
                    weights.insert(name.clone(), Value::of(&self.weights()[name], device));
                }
            }
        }
        let fused = match is_flex(device) {
            true => pooled_convolutions(self),
            false => HashMap::new(),
        };
        Loaded {
            graph: self.clone(),
            device: device.clone(),
            weights,
            fused,
            pushes: Vec::new(),
        }
    }
}

/// Poolings that Flex computes faster together with the convolution before them. It gathers patches
/// in ordinary code, where one strided convolution is worth it.
fn pooled_convolutions(graph: &Graph) -> HashMap<NodeId, NodeId> {
    let users = graph.users();
    let together = |id: NodeId| {
        let node = graph.node(id);
        let (Op::MaxPool(window), [Input::Node(before)]) = (&node.op, node.inputs.as_slice())
        else {
            return None;
        };
        let convolution = graph.node(*before);
        let (Op::Conv(conv), Input::Weight(kernel)) = (&convolution.op, convolution.inputs.get(1)?)
        else {
            return None;
        };
        let shape = graph.weights()[kernel].shape();
        let alone = users[before.0] == [id] && *before != graph.output();
        (alone && windows::is_one_convolution(conv, shape, window)).then_some((id, *before))
    };
    graph.ids().filter_map(together).collect()
}

/// Where the values of a run are, each until its last use.
struct Values {
    values: Vec<Option<Value>>,
    /// Uses that are still to come.
    uses: Vec<usize>,
}

impl Values {
    fn take(&mut self, id: NodeId) -> Value {
        self.uses[id.0] -= 1;
        let value = &mut self.values[id.0];
        let taken = match self.uses[id.0] {
            0 => value.take(),
            _ => value.clone(),
        };
        // Nodes come after those that they compute on, and uses have been counted.
        taken.unwrap_or_else(|| unreachable!("a value that was used up"))
    }
}

impl Loaded {
    /// The graph.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// Where the weights lie.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Logits \[N,K\] of images \[N,C,H,W\].
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let mut values = self.values(images, &[self.graph.output]);
        values.remove(0).raised()
    }

    /// What nodes give on images \[N,C,H,W\], in the order asked for.
    pub fn values(&self, images: Tensor<4>, wanted: &[NodeId]) -> Vec<Value> {
        let n = images.dims()[0];
        let nodes = self.graph.nodes();
        let fused = |id: &NodeId| {
            let convolution = self.fused.get(id)?;
            (!wanted.contains(convolution)).then_some(*convolution)
        };
        let mut uses = vec![0; nodes.len()];
        wanted.iter().for_each(|id| uses[id.0] += 1);
        for id in self.graph.ids().collect::<Vec<_>>().into_iter().rev() {
            if uses[id.0] > 0 {
                // A convolution that is computed with its pooling is passed over.
                let source = fused(&id).unwrap_or(id);
                for input in &nodes[source.0].inputs {
                    if let Input::Node(input) = input {
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
                (_, Some(convolution)) => self.pooled(convolution, &mut values),
                _ => self.node(id, &mut values, n),
            };
            values.values[id.0] = Some(self.pushed_value(id, value));
        }
        wanted.iter().map(|&id| values.take(id)).collect()
    }

    /// Images as convolutions are best given them.
    fn arranged(&self, images: Option<Tensor<4>>) -> Value {
        let convolves = |node: &Node| matches!(node.op, Op::Conv(_));
        // A graph has one input.
        let images = images.unwrap_or_else(|| unreachable!("a second input"));
        Value::R4(match self.graph.nodes().iter().any(convolves) {
            true => arranged(images),
            false => images,
        })
    }

    fn inputs(&self, id: NodeId, values: &mut Values) -> Vec<Value> {
        let of = |input: &Input| match input {
            Input::Node(id) => values.take(*id),
            Input::Weight(name) => self.weights[name].clone(),
        };
        self.graph.node(id).inputs.iter().map(of).collect()
    }

    /// A convolution and the pooling after it.
    fn pooled(&self, convolution: NodeId, values: &mut Values) -> Value {
        let mut inputs = self.inputs(convolution, values).into_iter();
        let (x, kernel) = (next(&mut inputs), next(&mut inputs));
        let bias = self.biased(convolution, inputs.next());
        windows::in_one_convolution(x.raised(), kernel.raised(), bias).into()
    }

    /// The bias of a layer with what it is pushed by: pushing a layer that has a bias moves that, and
    /// one that has none is given one.
    fn biased(&self, id: NodeId, bias: Option<Value>) -> Option<Tensor<1>> {
        let bias = bias.map(Value::raised);
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

    /// A value with its pushes, where they do not go into a bias.
    fn pushed_value(&self, id: NodeId, value: Value) -> Value {
        let node = self.graph.node(id);
        let pushes = self.pushes.iter();
        let pushes = pushes.filter(|push| push.node == id && !is_bias(node, push.axis));
        pushes.fold(value, |value, push| {
            let axes = value.axes();
            let mut shape = vec![1; axes];
            shape[push.axis] = push.offset.dims()[0];
            let offset = Value::R1(push.offset.clone()).reshaped(&shape);
            functions::binary(Binary::Add, value, offset)
        })
    }

    fn node(&self, id: NodeId, values: &mut Values, n: usize) -> Value {
        let node = self.graph.node(id);
        let mut inputs = self.inputs(id, values);
        let shape: Vec<usize> = node.shape.iter().map(|dim| dim.length(n)).collect();
        match &node.op {
            Op::Conv(_) | Op::Dense | Op::BatchNorm { .. } => {
                let bias = (inputs.len() > BIAS).then(|| inputs.remove(BIAS));
                let bias = self.biased(id, bias);
                layer(&node.op, inputs, bias)
            }
            op => compute(op, inputs, &shape),
        }
    }

    /// The same graph with `delta`, one number a unit, added to what a node gives, along `axis`; to
    /// the bias of a layer that has one. Pushes of several nodes, or of one node several times, add
    /// up.
    ///
    /// # Errors
    /// Where `delta` has another length than that axis.
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
                    shape: written(&found.shape),
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

/// Where the bias of a layer that has one stands among its inputs.
const BIAS: usize = 2;

/// Whether a push along an axis goes into a bias.
fn is_bias(node: &Node, axis: usize) -> bool {
    match node.op {
        Op::Conv(_) | Op::BatchNorm { .. } => axis == 1,
        Op::Dense => axis + 1 == node.shape.len(),
        _ => false,
    }
}

fn next(inputs: &mut impl Iterator<Item = Value>) -> Value {
    // The door has counted them.
    inputs
        .next()
        .unwrap_or_else(|| unreachable!("an input short"))
}

/// A layer with a bias of its own, which is given apart from its other inputs.
fn layer(op: &Op, inputs: Vec<Value>, bias: Option<Tensor<1>>) -> Value {
    let mut inputs = inputs.into_iter();
    let x = next(&mut inputs);
    match op {
        Op::Conv(conv) => {
            windows::convolve(conv, x.raised(), next(&mut inputs).raised(), bias).into()
        }
        Op::BatchNorm { epsilon } => {
            let scale: Tensor<1> = next(&mut inputs).raised();
            let (mean, variance) = (next(&mut inputs).raised(), next(&mut inputs).raised());
            let bias = bias.unwrap_or_else(|| scale.zeros_like());
            functions::batch(x, [scale, bias, mean, variance], *epsilon)
        }
        _ => {
            let weight: Tensor<2> = next(&mut inputs).raised();
            value::map!(x, x => burn::tensor::module::linear(x, weight, bias))
        }
    }
}

/// Every other operator on its inputs; `shape` is what it gives.
fn compute(op: &Op, inputs: Vec<Value>, shape: &[usize]) -> Value {
    if let Op::Concat { axis } = op {
        return arrange::concat(inputs, *axis);
    }
    let mut inputs = inputs.into_iter();
    let x = next(&mut inputs);
    let axes = x.axes();
    match op {
        Op::MatMul => multiplied(x, next(&mut inputs), shape),
        Op::LayerNorm { axis, epsilon } => functions::scaled(
            functions::standardized(x, *axis, *epsilon),
            inputs.collect(),
        ),
        Op::GroupNorm { groups, epsilon } => {
            let weights = inputs.map(|weight| functions::by_channel(weight, axes));
            functions::scaled(functions::grouped(x, *groups, *epsilon), weights.collect())
        }
        Op::InstanceNorm { epsilon } => {
            let weights = inputs.map(|weight| functions::by_channel(weight, axes));
            let channels = x.dims()[1];
            functions::scaled(functions::grouped(x, channels, *epsilon), weights.collect())
        }
        Op::Lrn {
            size,
            alpha,
            beta,
            bias,
        } => functions::local_response(x.raised(), *size, (*alpha, *beta, *bias)).into(),
        Op::Unary(function) => functions::unary(*function, x),
        Op::PRelu => functions::prelu(x, next(&mut inputs)),
        Op::Binary(function) => functions::binary(*function, x, next(&mut inputs)),
        Op::Softmax { axis } => functions::soft(x, *axis),
        Op::LogSoftmax { axis } => functions::log_soft(x, *axis),
        Op::MaxPool(window) => windows::max_pool(window, x.raised()).into(),
        Op::AvgPool { window, divisor } => {
            windows::average_pool(window, *divisor, x.raised()).into()
        }
        Op::Reduce {
            reduction,
            axes,
            axes_after,
        } => {
            let kept = functions::reduce(*reduction, x, axes);
            match axes_after {
                Reduced::Kept => kept,
                Reduced::Dropped => kept.reshaped(shape),
            }
        }
        Op::Slice(cuts) => arrange::slice(x, cuts),
        Op::Pad {
            before,
            after,
            with,
        } => arrange::pad(x, before, after, *with),
        Op::Reshape { .. } => x.reshaped(shape),
        Op::Transpose { axes } => x.permuted(axes),
        Op::Gather { axis, indices, .. } => arrange::gather(x, *axis, indices).reshaped(shape),
        Op::Expand { .. } => arrange::expand(x, shape),
        Op::Resize(resize) => arrange::resize(x.raised(), resize).into(),
        Op::DepthToSpace { block, order } => {
            arrange::depth_to_space(x.raised(), *block, *order).into()
        }
        Op::Lstm { recurrent } => {
            let all = recurrent::lstm(recurrent, x.raised(), &recurrent_weights(inputs));
            recurrent_output(all, recurrent.output, shape)
        }
        Op::Gru { recurrent, reset } => {
            let all = recurrent::gru(recurrent, *reset, x.raised(), &recurrent_weights(inputs));
            recurrent_output(all, recurrent.output, shape)
        }
        Op::Input | Op::Conv(_) | Op::Dense | Op::BatchNorm { .. } | Op::Concat { .. } => {
            unreachable!("{} is computed elsewhere", op.label())
        }
    }
}

fn recurrent_weights(mut inputs: impl Iterator<Item = Value>) -> recurrent::Weights {
    recurrent::Weights {
        input: next(&mut inputs).raised(),
        state: next(&mut inputs).raised(),
        bias: inputs.next().map(Value::raised),
    }
}

fn recurrent_output(all: Tensor<4>, output: RecurrentOutput, shape: &[usize]) -> Value {
    match output {
        RecurrentOutput::All => all.into(),
        RecurrentOutput::Last | RecurrentOutput::Cell => Value::R4(all).reshaped(shape),
    }
}

/// NumPy's `matmul`; a vector is a row on the left and a column on the right.
fn multiplied(a: Value, b: Value, shape: &[usize]) -> Value {
    let b = match b.axes() {
        1 => {
            let length = b.dims()[0];
            b.reshaped(&[length, 1])
        }
        _ => b,
    };
    let a = match a.axes() {
        1 => {
            let length = a.dims()[0];
            a.reshaped(&[1, length])
        }
        _ => a,
    };
    value::map_pair!(a, b, (a, b) => a.matmul(b)).reshaped(shape)
}
