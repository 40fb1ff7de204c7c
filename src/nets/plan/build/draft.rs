//! The draft of a program: steps in order, and tensors that have no memory yet.

mod finish;

use std::collections::HashMap;
use std::sync::Arc;

use crate::nets::graph::op::{Conv, Pads, PoolWindow, Unary};
use crate::nets::graph::{Graph, NodeId, NodeInput, Op};
use crate::nets::plan::UnsupportedNode;
use crate::nets::plan::function::UnaryFunction;
use crate::nets::plan::layout::TensorSlot;
use crate::nets::plan::product::Activation;
use crate::nets::plan::steps::PlanStep;
use crate::nets::plan::winograd::{KernelShape, Variant};
use crate::session::array::Array;

/// Builds a recurrent layer once its tensors have memory.
type DeferredStep = Box<dyn FnOnce(&[TensorSlot]) -> PlanStep>;

/// The program so far. Until [`Draft::finish`], [`TensorSlot::origin`] is the index of a tensor.
pub struct Draft<'a> {
    pub graph: &'a Graph,
    pub lanes: usize,
    /// Whether every convolution is computed directly.
    pub direct: bool,
    /// The nodes whose outputs the program returns.
    requested: &'a [NodeId],
    users: Vec<Vec<NodeId>>,
    needed: Vec<bool>,
    /// The border that the output of each node needs.
    borders: Vec<Pads>,
    /// The output of each node.
    outputs: Vec<Option<TensorSlot>>,
    /// Nodes already fused into an earlier step.
    fused: Vec<bool>,
    /// For every tensor, its elements per lane and whether it must lie in the frames.
    tensors: Vec<(usize, bool)>,
    steps: Vec<(PlanStep, Option<DeferredStep>)>,
    /// Tensors that recurrent layers use.
    deferred_tensors: Vec<usize>,
    /// Weights packed for the kernels, by form, weight name and operator.
    packed: HashMap<String, Arc<[f32]>>,
    /// Multiplications and additions per image.
    pub operations: u64,
}

impl<'a> Draft<'a> {
    /// An empty draft, for vectors of `lanes` images.
    pub fn new(graph: &'a Graph, wanted: &'a [NodeId], lanes: usize, direct: bool) -> Self {
        let nodes = graph.nodes();
        let mut alive = vec![false; nodes.len()];
        wanted.iter().for_each(|id| alive[id.0] = true);
        for id in (0..nodes.len()).rev() {
            if alive[id] {
                for input in nodes[id].inputs.iter() {
                    if let NodeInput::Node(before) = input {
                        alive[before.0] = true;
                    }
                }
            }
        }
        let mut borders = vec![Pads::default(); nodes.len()];
        for (node, _) in nodes.iter().zip(&alive).filter(|(_, alive)| **alive) {
            if let (Op::Conv(conv), Some(NodeInput::Node(before))) = (&node.op, node.inputs.first())
            {
                let border = &mut borders[before.0];
                border.top = border.top.max(conv.pads.top);
                border.left = border.left.max(conv.pads.left);
                border.bottom = border.bottom.max(conv.pads.bottom);
                border.right = border.right.max(conv.pads.right);
                let weight = match node.inputs.get(1) {
                    Some(NodeInput::Weight(name)) if !direct => graph.weights().get(name),
                    _ => None,
                };
                let size =
                    [2, 3].map(|axis: usize| node.shape.get(axis).map_or(0, |dim| dim.count));
                if let (Some(weight), Some(variant)) = (weight, winograd_for(conv, weight, size)) {
                    let kernel = [weight.shape()[2], weight.shape()[3]];
                    let [rows, columns] = variant.reach(kernel, size);
                    // What is read beyond the last input are zeros.
                    let beyond = |axis: usize, reach: usize, pad: usize| {
                        reach.saturating_sub(pad + nodes[before.0].shape[axis].count)
                    };
                    border.bottom = border.bottom.max(beyond(2, rows, conv.pads.top));
                    border.right = border.right.max(beyond(3, columns, conv.pads.left));
                }
            }
        }
        let mut users = graph.users();
        users
            .iter_mut()
            .for_each(|users| users.retain(|id| alive[id.0]));
        Self {
            graph,
            lanes,
            direct,
            requested: wanted,
            users,
            borders,
            outputs: vec![None; nodes.len()],
            fused: vec![false; nodes.len()],
            needed: alive,
            tensors: Vec::new(),
            steps: Vec::new(),
            deferred_tensors: Vec::new(),
            packed: HashMap::new(),
            operations: 0,
        }
    }

    /// Whether any requested node depends on this node.
    pub fn is_needed(&self, id: NodeId) -> bool {
        self.needed[id.0]
    }

    /// Whether a node is already fused into an earlier step.
    pub fn is_fused(&self, id: NodeId) -> bool {
        self.fused[id.0]
    }

    /// The error for an unsupported node.
    pub fn unsupported(&self, id: NodeId, why: &str) -> UnsupportedNode {
        let node = self.graph.node(id);
        UnsupportedNode {
            node: node.name.clone(),
            op: node.op.label(),
            why: why.to_owned(),
        }
    }

    /// The shape of a node's output for one image, without the batch axis.
    ///
    /// # Errors
    /// If images lie along more than one axis or share one with something else.
    pub fn shape(&self, id: NodeId) -> Result<Vec<usize>, UnsupportedNode> {
        let dims = &self.graph.node(id).shape;
        let batched: Vec<usize> = dims
            .iter()
            .filter(|dim| dim.batched)
            .map(|dim| dim.count)
            .collect();
        if batched != [1] {
            return Err(self.unsupported(id, "images share an axis with something else"));
        }
        let rest = dims.iter().filter(|dim| !dim.batched);
        Ok(rest.map(|dim| dim.count).collect())
    }

    /// The channels, rows and columns of a node's output as laid out in memory. An output with other axes has one
    /// channel per element.
    ///
    /// # Errors
    /// As [`Self::shape`].
    pub fn layout_shape(&self, id: NodeId) -> Result<[usize; 3], UnsupportedNode> {
        let shape = self.shape(id)?;
        Ok(match *shape {
            [channels, rows, columns] => [channels, rows, columns],
            _ => [shape.iter().product(), 1, 1],
        })
    }

    /// The index of the batch axis.
    pub fn batch_axis(&self, id: NodeId) -> usize {
        let dims = self.graph.node(id).shape.iter();
        dims.take_while(|dim| !dim.batched).count()
    }

    /// The node that feeds an input.
    ///
    /// # Errors
    /// If the input is a weight.
    pub fn source(&self, id: NodeId, input: usize) -> Result<NodeId, UnsupportedNode> {
        match self.graph.node(id).inputs.get(input) {
            Some(NodeInput::Node(source)) => Ok(*source),
            _ => Err(self.unsupported(id, "its input is a weight")),
        }
    }

    /// The weight of an input, if it is one.
    pub fn weight(&self, id: NodeId, input: usize) -> Option<&'a Array<f32>> {
        match self.graph.node(id).inputs.get(input)? {
            NodeInput::Weight(name) => self.graph.weights().get(name),
            NodeInput::Node(_) => None,
        }
    }

    /// The form of an input's weight called `form`, computed by `make` once for all nodes with the same operator and
    /// weight. The size of the output decides which form a convolution needs.
    pub fn packed(
        &mut self,
        id: NodeId,
        input: usize,
        form: &str,
        make: impl FnOnce() -> Vec<f32>,
    ) -> Arc<[f32]> {
        let node = self.graph.node(id);
        let Some(NodeInput::Weight(name)) = node.inputs.get(input) else {
            return make().into();
        };
        let key = format!("{form} {name} {:?}", node.op);
        let made = self.packed.entry(key).or_insert_with(|| make().into());
        Arc::clone(made)
    }

    /// The output of a node.
    pub fn output(&self, id: NodeId) -> TensorSlot {
        // Nodes come after their inputs, and every node has an output.
        self.outputs[id.0].unwrap_or_else(|| unreachable!("a node without an output"))
    }

    /// Adds a tensor for the output of a node, with the border that it needs.
    pub fn add_output(&mut self, id: NodeId) -> Result<TensorSlot, UnsupportedNode> {
        let border = match self.shape(id)?.len() {
            3 => self.borders[id.0],
            _ => Pads::default(),
        };
        let [channels, rows, columns] = self.layout_shape(id)?;
        let place = TensorSlot {
            channels,
            rows,
            columns,
            border,
            ..flat_slot(0)
        };
        let place = self.add_tensor(place);
        self.outputs[id.0] = Some(place);
        Ok(place)
    }

    /// Adds a tensor.
    pub fn add_tensor(&mut self, place: TensorSlot) -> TensorSlot {
        self.tensors.push((place.padded_elements(), false));
        TensorSlot {
            origin: self.tensors.len() - 1,
            ..place
        }
    }

    /// Adds a tensor of `numbers` elements in the frames.
    pub fn add_group_tensor(&mut self, numbers: usize) -> TensorSlot {
        let place = self.add_tensor(flat_slot(numbers));
        self.tensors[place.origin].1 = true;
        place
    }

    /// Makes an existing tensor without a border the output of a node.
    ///
    /// # Errors
    /// As [`Self::shape`].
    pub fn alias(&mut self, id: NodeId, place: TensorSlot) -> Result<(), UnsupportedNode> {
        let [channels, rows, columns] = self.layout_shape(id)?;
        self.outputs[id.0] = Some(TensorSlot {
            channels,
            rows,
            columns,
            ..place
        });
        Ok(())
    }

    /// The border that the output of a node needs.
    pub fn border(&self, id: NodeId) -> Pads {
        self.borders[id.0]
    }

    /// Adds a step.
    pub fn add_step(&mut self, step: PlanStep) {
        self.steps.push((step, None));
    }

    /// Adds a step on all groups that `build` creates at the end from the memory of all tensors. `used` are the tensors
    /// that it reads and writes; `placeholder` takes its place until then.
    pub fn defer_step(&mut self, placeholder: PlanStep, used: &[usize], build: DeferredStep) {
        for &value in used {
            self.tensors[value].1 = true;
            self.deferred_tensors.push(value);
        }
        self.steps.push((placeholder, Some(build)));
    }

    /// Fuses the activation and the max pooling (if `pools` accepts its window) that follow a convolution or dense
    /// layer. Returns the last fused node, the window, and the activation.
    pub fn fuse_followers(
        &mut self,
        id: NodeId,
        pools: impl Fn(&PoolWindow) -> bool,
    ) -> (NodeId, Option<PoolWindow>, Activation) {
        let (mut last, mut window, mut activation) = (id, None, Activation::None);
        while let [user] = *self.users[last.0] {
            if self.requested.contains(&last) {
                break;
            }
            match (&self.graph.node(user).op, activation) {
                (Op::MaxPool(pool), _)
                    if pools(pool) && window.is_none() && self.windows_tile(last, pool) =>
                {
                    window = Some(*pool);
                }
                (Op::Unary(Unary::Relu), Activation::None) => activation = Activation::Relu,
                (Op::Unary(Unary::Clip { min, max }), Activation::None) => {
                    activation = Activation::Clip(*min as f32, *max as f32);
                }
                _ => break,
            }
            self.fused[user.0] = true;
            last = user;
        }
        (last, window, activation)
    }

    /// Fuses a ReLU that is the only user of a node. Returns the last fused node and the function.
    pub fn fuse_relu(&mut self, id: NodeId) -> (NodeId, UnaryFunction) {
        self.fuse_function(id, Unary::Relu, UnaryFunction::Relu)
    }

    /// The same of a rounding to whole numbers.
    pub fn fuse_round(&mut self, id: NodeId) -> (NodeId, UnaryFunction) {
        self.fuse_function(id, Unary::Round, UnaryFunction::Round)
    }

    /// The same of any function.
    fn fuse_function(
        &mut self,
        id: NodeId,
        wanted: Unary,
        function: UnaryFunction,
    ) -> (NodeId, UnaryFunction) {
        match *self.users[id.0] {
            [user]
                if !self.requested.contains(&id)
                    && self.graph.node(user).op == Op::Unary(wanted) =>
            {
                self.fused[user.0] = true;
                (user, function)
            }
            _ => (id, UnaryFunction::Identity),
        }
    }

    /// Whether the output of a node is rounded.
    pub fn is_rounded(&self, id: NodeId) -> bool {
        let mut users = self.users[id.0].iter();
        users.any(|&user| self.graph.node(user).op == Op::Unary(Unary::Round))
    }

    /// Whether pooling windows are adjacent and lie inside the output of a node.
    fn windows_tile(&self, id: NodeId, window: &PoolWindow) -> bool {
        let node = self.graph.node(id);
        node.shape.len() == 4
            && *window
                == (PoolWindow {
                    rounding: window.rounding,
                    ..PoolWindow::tiles(window.kernel)
                })
            && (0..2).all(|axis| {
                let length = node.shape[2 + axis].count;
                window.rounding == crate::nets::graph::op::Rounding::Floor
                    || length.is_multiple_of(window.kernel[axis])
            })
    }
}

/// The variant of Winograd that is worth it for a convolution with outputs of this size.
pub fn winograd_for(conv: &Conv, weight: Option<&Array<f32>>, size: [usize; 2]) -> Option<Variant> {
    let [outputs, inputs, rows, columns] = *weight?.shape() else {
        return None;
    };
    let plain = conv.stride == [1, 1] && conv.dilation == [1, 1] && conv.groups == 1;
    let kernel = KernelShape {
        rows,
        columns,
        inputs,
        outputs,
    };
    kernel.cheapest(size).filter(|_| plain)
}

/// A tensor of `numbers` channels, without rows and columns, with its memory unassigned.
pub fn flat_slot(numbers: usize) -> TensorSlot {
    TensorSlot {
        origin: 0,
        skip: 0,
        per_group: false,
        channels: numbers,
        rows: 1,
        columns: 1,
        border: Pads::default(),
    }
}
