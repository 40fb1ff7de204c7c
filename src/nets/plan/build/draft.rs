//! A program in the making: values without memory, steps in order.

use std::collections::HashMap;
use std::sync::Arc;

use super::memory::placed;
use crate::nets::graph::op::{Conv, Pads, Unary, Window};
use crate::nets::graph::{Graph, Input, Node, NodeId, Op};
use crate::nets::plan::Unplanned;
use crate::nets::plan::each::Each;
use crate::nets::plan::function::Function;
use crate::nets::plan::layout::Place;
use crate::nets::plan::product::Activation;
use crate::nets::plan::steps::{Program, Step};
use crate::nets::plan::winograd::{OUTPUTS, Transform};
use crate::session::array::Array;

/// A recurrent layer whose tables wait for the places of its values.
type Later = Box<dyn FnOnce(&[Place]) -> Step>;

/// The program so far. Until the end a place is the number of its value.
pub struct Draft<'a> {
    pub graph: &'a Graph,
    pub lanes: usize,
    /// Whether every convolution is computed directly.
    pub direct: bool,
    /// The nodes whose values are given.
    wanted: &'a [NodeId],
    users: Vec<Vec<NodeId>>,
    alive: Vec<bool>,
    /// The border that is wanted of what a node gives.
    borders: Vec<Pads>,
    /// What nodes give.
    given: Vec<Option<Place>>,
    /// Nodes that are part of a step before them.
    taken: Vec<bool>,
    /// Floats of every value, for one lane, and whether it must stand in the frames.
    values: Vec<(usize, bool)>,
    steps: Vec<(Step, Option<Later>)>,
    /// Values that recurrent layers use.
    of_later: Vec<usize>,
    /// Weights as steps read them, by what was made of them.
    packed: HashMap<String, Arc<[f32]>>,
    pub operations: u64,
}

impl<'a> Draft<'a> {
    /// Nothing planned yet, for vectors of so many images.
    pub fn new(graph: &'a Graph, wanted: &'a [NodeId], lanes: usize, direct: bool) -> Self {
        let nodes = graph.nodes();
        let mut alive = vec![false; nodes.len()];
        wanted.iter().for_each(|id| alive[id.0] = true);
        for id in (0..nodes.len()).rev() {
            if alive[id] {
                for input in nodes[id].inputs.iter() {
                    if let Input::Node(before) = input {
                        alive[before.0] = true;
                    }
                }
            }
        }
        let mut borders = vec![Pads::default(); nodes.len()];
        for (at, node) in nodes.iter().enumerate().filter(|(at, _)| alive[*at]) {
            if let (Op::Conv(conv), Some(Input::Node(before))) = (&node.op, node.inputs.first()) {
                let own = &mut borders[before.0];
                own.top = own.top.max(conv.pads.top);
                own.left = own.left.max(conv.pads.left);
                own.bottom = own.bottom.max(conv.pads.bottom);
                own.right = own.right.max(conv.pads.right);
                let taps = match node.inputs.get(1) {
                    Some(Input::Weight(name)) if !direct => {
                        let size = [nodes[at].shape[2].count, nodes[at].shape[3].count];
                        winograd_taps(conv, graph.weights().get(name), size)
                    }
                    _ => None,
                };
                if let Some((taps, _)) = taps {
                    // Tiles of outputs may reach past the last one, and read zeros there.
                    let beyond = |axis: usize, before: usize| {
                        let outputs = nodes[at].shape[axis].count.next_multiple_of(OUTPUTS);
                        (outputs + taps - 1)
                            .saturating_sub(before + nodes[before_of(node)].shape[axis].count)
                    };
                    own.bottom = own.bottom.max(beyond(2, conv.pads.top));
                    own.right = own.right.max(beyond(3, conv.pads.left));
                }
            }
        }
        let mut users = graph.users();
        users
            .iter_mut()
            .for_each(|own| own.retain(|id| alive[id.0]));
        Self {
            graph,
            lanes,
            direct,
            wanted,
            users,
            borders,
            given: vec![None; nodes.len()],
            taken: vec![false; nodes.len()],
            alive,
            values: Vec::new(),
            steps: Vec::new(),
            of_later: Vec::new(),
            packed: HashMap::new(),
            operations: 0,
        }
    }

    /// Whether what is wanted follows from a node.
    pub fn is_alive(&self, id: NodeId) -> bool {
        self.alive[id.0]
    }

    /// Whether a node is part of a step before it.
    pub fn is_taken(&self, id: NodeId) -> bool {
        self.taken[id.0]
    }

    /// A node that no plan is made for.
    pub fn unplanned(&self, id: NodeId, why: &str) -> Unplanned {
        let node = self.graph.node(id);
        Unplanned {
            node: node.name.clone(),
            op: node.op.label(),
            why: why.to_owned(),
        }
    }

    /// The shape of what a node gives for one image: without the axis that counts the images.
    ///
    /// # Errors
    /// Where images lie along more than one axis or share one with something else.
    pub fn shape(&self, id: NodeId) -> Result<Vec<usize>, Unplanned> {
        let dims = &self.graph.node(id).shape;
        let batched: Vec<usize> = dims
            .iter()
            .filter(|it| it.batched)
            .map(|it| it.count)
            .collect();
        if batched != [1] {
            return Err(self.unplanned(id, "images share an axis with something else"));
        }
        let own = dims.iter().filter(|it| !it.batched);
        Ok(own.map(|it| it.count).collect())
    }

    /// The channels, rows and columns that what a node gives is laid out in: of what has other axes all numbers
    /// are channels.
    ///
    /// # Errors
    /// As [`Self::shape`].
    pub fn form(&self, id: NodeId) -> Result<[usize; 3], Unplanned> {
        let shape = self.shape(id)?;
        Ok(match *shape {
            [channels, rows, columns] => [channels, rows, columns],
            _ => [shape.iter().product(), 1, 1],
        })
    }

    /// The axis that counts the images.
    pub fn images(&self, id: NodeId) -> usize {
        let dims = self.graph.node(id).shape.iter();
        dims.take_while(|it| !it.batched).count()
    }

    /// The node that an input is.
    ///
    /// # Errors
    /// Where it is a weight.
    pub fn source(&self, id: NodeId, input: usize) -> Result<NodeId, Unplanned> {
        match self.graph.node(id).inputs.get(input) {
            Some(Input::Node(source)) => Ok(*source),
            _ => Err(self.unplanned(id, "it computes on a weight where a plan wants images")),
        }
    }

    /// The weight that an input is, where it is one.
    pub fn weight(&self, id: NodeId, input: usize) -> Option<&'a Array<f32>> {
        match self.graph.node(id).inputs.get(input)? {
            Input::Weight(name) => self.graph.weights().get(name),
            Input::Node(_) => None,
        }
    }

    /// What `make` makes of the weight that an input is; once for all nodes whose operator is the same and
    /// that have the same weight.
    pub fn packed(
        &mut self,
        id: NodeId,
        input: usize,
        make: impl FnOnce() -> Vec<f32>,
    ) -> Arc<[f32]> {
        let node = self.graph.node(id);
        let Some(Input::Weight(name)) = node.inputs.get(input) else {
            return make().into();
        };
        let key = format!("{name} {:?}", node.op);
        let made = self.packed.entry(key).or_insert_with(|| make().into());
        Arc::clone(made)
    }

    /// What a node gives.
    pub fn place(&self, id: NodeId) -> Place {
        // Nodes come after those that they compute on, and every one gives something.
        self.given[id.0].unwrap_or_else(|| unreachable!("a node that gives nothing"))
    }

    /// A new value for what a node gives, with the border that is wanted of it.
    pub fn give(&mut self, id: NodeId) -> Result<Place, Unplanned> {
        let border = match self.shape(id)?.len() {
            3 => self.borders[id.0],
            _ => Pads::default(),
        };
        let [channels, rows, columns] = self.form(id)?;
        let place = Place {
            channels,
            rows,
            columns,
            border,
            ..flat(0)
        };
        let place = self.value(place);
        self.given[id.0] = Some(place);
        Ok(place)
    }

    /// A new value.
    pub fn value(&mut self, place: Place) -> Place {
        self.values.push((place.size(), false));
        Place {
            at: self.values.len() - 1,
            ..place
        }
    }

    /// A new value in the frames, of so many numbers.
    pub fn framed(&mut self, numbers: usize) -> Place {
        let place = self.value(flat(numbers));
        self.values[place.at].1 = true;
        place
    }

    /// Lets a node give what stands in a place without a border already.
    ///
    /// # Errors
    /// As [`Self::shape`].
    pub fn alias(&mut self, id: NodeId, place: Place) -> Result<(), Unplanned> {
        let [channels, rows, columns] = self.form(id)?;
        self.given[id.0] = Some(Place {
            channels,
            rows,
            columns,
            ..place
        });
        Ok(())
    }

    /// The border that is wanted of what a node gives.
    pub fn border(&self, id: NodeId) -> Pads {
        self.borders[id.0]
    }

    /// Adds a step.
    pub fn step(&mut self, step: Step) {
        self.steps.push((step, None));
    }

    /// Adds a step on all groups whose tables are made at the end from the places of all values; `used`
    /// are those that it reads and writes. `for_now` stands in its place.
    pub fn later(&mut self, for_now: Step, used: &[usize], step: Later) {
        for &value in used {
            self.values[value].1 = true;
            self.of_later.push(value);
        }
        self.steps.push((for_now, Some(step)));
    }

    /// What follows a convolution or a dense layer and can be done to its sums, windows that `pools` takes
    /// among it: the last node of that, the
    /// windows of a maximum, and the activation.
    pub fn follow(
        &mut self,
        id: NodeId,
        pools: impl Fn(&Window) -> bool,
    ) -> (NodeId, Option<Window>, Activation) {
        let (mut last, mut window, mut activation) = (id, None, Activation::None);
        while let [user] = *self.users[last.0] {
            if self.wanted.contains(&last) {
                break;
            }
            match (&self.graph.node(user).op, activation) {
                (Op::MaxPool(own), _)
                    if pools(own) && window.is_none() && self.tiles(last, own) =>
                {
                    window = Some(*own);
                }
                (Op::Unary(Unary::Relu), Activation::None) => activation = Activation::Relu,
                (Op::Unary(Unary::Clip { min, max }), Activation::None) => {
                    activation = Activation::Clip(*min as f32, *max as f32);
                }
                _ => break,
            }
            self.taken[user.0] = true;
            last = user;
        }
        (last, window, activation)
    }

    /// A rectifier that alone follows a node and is taken into its step: the last node of that, and the
    /// function.
    pub fn follow_relu(&mut self, id: NodeId) -> (NodeId, Function) {
        match *self.users[id.0] {
            [user]
                if !self.wanted.contains(&id)
                    && self.graph.node(user).op == Op::Unary(Unary::Relu) =>
            {
                self.taken[user.0] = true;
                (user, Function::Relu)
            }
            _ => (id, Function::Same),
        }
    }

    /// Whether windows stand side by side and inside what a node gives.
    fn tiles(&self, id: NodeId, window: &Window) -> bool {
        let node: &Node = self.graph.node(id);
        node.shape.len() == 4
            && *window
                == (Window {
                    rounding: window.rounding,
                    ..Window::tiles(window.kernel)
                })
            && (0..2).all(|axis| {
                let length = node.shape[2 + axis].count;
                window.rounding == crate::nets::graph::op::Rounding::Floor
                    || length.is_multiple_of(window.kernel[axis])
            })
    }

    /// Gives every value its memory.
    pub fn finish(mut self) -> Result<Program, Unplanned> {
        let misfit = self.steps.iter().find(|(step, _)| !step.fits());
        if misfit.is_some() {
            return Err(self.unplanned(self.wanted[0], "values of two forms meet in a step"));
        }
        let mut outputs: Vec<Place> = self.wanted.iter().map(|id| self.place(*id)).collect();
        for out in &outputs {
            self.values[out.at].1 = true;
        }
        let of_groups: Vec<bool> = self
            .steps
            .iter()
            .map(|(step, _)| step.is_of_groups())
            .collect();
        let segments = segments(&of_groups);
        let segment_of = |step: usize| segments.iter().position(|own| own.contains(&step));
        // The segment of every value; one of several, or of all groups, stands in the frames. And the steps
        // from the first that uses it to the last.
        let mut seen: Vec<Option<usize>> = vec![None; self.values.len()];
        let mut lives = vec![(usize::MAX, 0); self.values.len()];
        // Places with a border, by their value.
        let mut bordered = vec![None; self.values.len()];
        for (at, (step, _)) in self.steps.iter_mut().enumerate() {
            let own = segment_of(at);
            for place in step.places() {
                let framed = &mut self.values[place.at].1;
                *framed |= of_groups[at] || seen[place.at].is_some() && seen[place.at] != own;
                seen[place.at] = own;
                let (first, last) = &mut lives[place.at];
                (*first, *last) = (at.min(*first), at);
                if !place.is_dense() {
                    bordered[place.at] = Some(*place);
                }
            }
        }
        // What is given stays to the end; a border stays zero; and of recurrent layers it is not known here
        // when they use a value.
        let mut kept: Vec<bool> = (0..self.values.len())
            .map(|value| bordered[value].is_some() || lives[value].0 == usize::MAX)
            .collect();
        outputs.iter().for_each(|out| kept[out.at] = true);
        self.of_later.iter().for_each(|&value| kept[value] = true);
        let (resolved, frames, shared) = placed(&self.values, &lives, &kept);
        let resolve = |place: &mut Place| (place.at, place.framed) = resolved[place.at];
        let places: Vec<Place> = resolved
            .iter()
            .zip(&self.values)
            .map(|(&(at, framed), (size, _))| Place {
                at,
                framed,
                ..flat(*size)
            })
            .collect();
        let mut steps = Vec::new();
        for (at, (mut step, later)) in std::mem::take(&mut self.steps).into_iter().enumerate() {
            if shared {
                // What stood there before leaves no zeros in a border.
                let first = (0..lives.len()).filter(|&value| lives[value].0 == at);
                for mut place in first.filter_map(|value| bordered[value]) {
                    resolve(&mut place);
                    if !place.framed {
                        steps.push(Step::Each(Each::Clear(Place { skip: 0, ..place })));
                    }
                }
            }
            steps.push(match later {
                Some(later) => later(&places),
                None => {
                    step.places().into_iter().for_each(resolve);
                    step
                }
            });
        }
        outputs.iter_mut().for_each(resolve);
        let sums = |step: &Step| match step {
            Step::Product(product) => product.sums(self.lanes),
            Step::Winograd(winograd) => winograd.room(self.lanes),
            Step::Recurrent(layer) => layer.sums(self.lanes),
            _ => 0,
        };
        let of_groups: Vec<bool> = steps.iter().map(Step::is_of_groups).collect();
        let program = Program {
            sums: steps.iter().map(sums).max().unwrap_or(0),
            segments: self::segments(&of_groups),
            steps,
            frames,
            outputs,
            numbers: self.graph.image().iter().product(),
            lanes: self.lanes,
            operations: self.operations,
        };
        match program.scratch() > MOST {
            true => Err(self.unplanned(
                self.wanted[0],
                "its values take too much memory for a vector of images",
            )),
            false => Ok(program),
        }
    }
}

/// Most bytes of the values of a run.
const MOST: usize = 1 << 30;

/// Steps that follow upon each other and are alike in whether they work on all groups.
fn segments(of_groups: &[bool]) -> Vec<std::ops::Range<usize>> {
    let mut segments = Vec::new();
    let mut first = 0;
    for at in 1..=of_groups.len() {
        if at == of_groups.len() || of_groups[at] != of_groups[first] {
            segments.push(first..at);
            first = at;
        }
    }
    segments
}

/// The node that a node computes on first.
fn before_of(node: &Node) -> usize {
    match node.inputs.first() {
        Some(Input::Node(before)) => before.0,
        _ => 0,
    }
}

/// Rows and columns of a kernel, and its transforms, where minimal filtering is worth it for outputs of so many
/// rows and columns.
pub fn winograd_taps(
    conv: &Conv,
    weight: Option<&Array<f32>>,
    size: [usize; 2],
) -> Option<(usize, Transform)> {
    let [outputs, inputs, height, width] = *weight?.shape() else {
        return None;
    };
    let plain = conv.stride == [1, 1] && conv.dilation == [1, 1] && conv.groups == 1;
    let transform = Transform::worth(height, inputs, outputs, size)?;
    (plain && height == width).then_some((height, transform))
}

/// Numbers without rows and columns.
pub fn flat(numbers: usize) -> Place {
    Place {
        at: 0,
        skip: 0,
        framed: false,
        channels: numbers,
        rows: 1,
        columns: 1,
        border: Pads::default(),
    }
}
