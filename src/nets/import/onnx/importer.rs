//! [`Importer`], the state of translating one file: the graph under construction, and what each name of
//! the file means. The translation of operators is in [`super::ops`].

use std::collections::{HashMap, HashSet};

use onnx_ir::{GraphProto, TensorProto};

use super::call::Value;
use super::constant::Constant;
use super::count::Count;
use super::error::{Fault, Problem};
use super::file::Arrays;
use super::lengths::{dims, floats};
use super::names::Names;
use crate::nets::graph::{Dim, Graph, GraphBuilder, Input, NodeId, Op};
use crate::session::array::Array;

/// The translation of one file.
pub struct Importer<'a> {
    /// The graph under construction.
    pub graph: GraphBuilder,
    /// Remarks for the user of the network.
    pub notes: Vec<String>,
    pub(super) arrays: &'a Arrays,
    pub(super) opset: i64,
    /// The batch size that the file was exported for, if fixed; 1 if open.
    pub batch: i64,
    values: HashMap<String, Value>,
    initializers: HashMap<&'a str, &'a TensorProto>,
    names: Names,
    weights: HashMap<String, Vec<String>>,
    /// Nodes whose values are all the same number.
    uniform: HashMap<NodeId, f32>,
    /// Nodes with a merged axis that counts other things before the batch, and how many per image.
    ahead: HashMap<NodeId, i64>,
    /// The operator and inputs of each node.
    made: Vec<(Op, Vec<Input>)>,
    /// The names the nodes would have if no other had the same.
    wanted: Vec<String>,
    /// The outputs of softmaxes that give the network's output.
    pub(super) last: HashSet<String>,
    /// Names that nodes use as inputs.
    pub(super) used: HashSet<String>,
}

impl<'a> Importer<'a> {
    /// A new importer, with nothing translated yet.
    pub fn new(graph: GraphBuilder, arrays: &'a Arrays, opset: i64, batch: i64) -> Self {
        Self {
            graph,
            notes: Vec::new(),
            arrays,
            opset,
            batch,
            values: HashMap::new(),
            initializers: HashMap::new(),
            names: Names::default(),
            weights: HashMap::new(),
            uniform: HashMap::new(),
            ahead: HashMap::new(),
            made: Vec::new(),
            wanted: Vec::new(),
            last: HashSet::new(),
            used: HashSet::new(),
        }
    }

    /// Sets the value of a name in the file.
    pub fn set(&mut self, name: &str, value: Value) {
        self.values.insert(name.to_owned(), value);
    }

    /// Marks the softmax that gives `output` as the last.
    pub fn take_off(&mut self, output: &str) {
        self.last.insert(output.to_owned());
    }

    /// Sets which names are used; other outputs of nodes are ignored.
    pub fn expect(&mut self, names: HashSet<String>) {
        self.used = names;
    }

    /// Registers the arrays of a graph; each is read on first use.
    pub fn declare(&mut self, graph: &'a GraphProto) {
        let named = graph
            .initializer
            .iter()
            .map(|tensor| (tensor.name.as_str(), tensor));
        self.initializers.extend(named);
    }

    /// The value of a name in the file.
    pub fn value(&mut self, name: &str) -> Result<Value, Fault> {
        if let Some(value) = self.values.get(name) {
            return Ok(value.clone());
        }
        let Some(tensor) = self.initializers.get(name) else {
            return Err(Fault::Damaged(format!("`{name}` is not defined")));
        };
        let value = Value::Weight(name.to_owned(), self.arrays.read(tensor)?);
        self.set(name, value.clone());
        Ok(value)
    }

    /// The numbers of an array in a node's attributes.
    pub fn array(&self, tensor: &TensorProto) -> Result<Constant, Fault> {
        self.arrays.read(tensor)
    }

    /// Adds a node to the graph, named `name` or like it.
    pub fn emit(&mut self, name: &str, op: Op, inputs: &[Input]) -> Result<NodeId, Problem> {
        let uniform = self.uniform_of(&op, inputs);
        let unique = self.names.unique(name);
        let id = self.graph.add(&unique, op.clone(), inputs)?;
        self.wanted.push(name.to_owned());
        self.keep_ahead(id, inputs);
        self.made.push((op, inputs.to_vec()));
        if let Some(number) = uniform {
            self.uniform.insert(id, number);
        }
        Ok(id)
    }

    /// Names in the file that are class vectors, except `output`, the last first.
    pub fn class_vectors(&self, output: &str) -> Vec<String> {
        let vector = |shape: &[Dim]| match shape {
            [batch, classes] => *batch == Dim::batch(1) && !classes.batched && classes.count > 1,
            _ => false,
        };
        let mut found: Vec<(NodeId, &String)> = self
            .values
            .iter()
            .filter_map(|(name, value)| match value {
                Value::Node(id) if vector(self.graph.shape(*id)) && name != output => {
                    Some((*id, name))
                }
                _ => None,
            })
            .collect();
        found.sort_by(|a, b| b.cmp(a));
        found.into_iter().map(|(_, name)| name.clone()).collect()
    }

    /// The finished graph with `last` as its logits, and the notes.
    pub fn finish(self, last: NodeId) -> Result<(Graph, Vec<String>), Fault> {
        let graph = super::pruned(&self.graph.finish(last)?, &self.wanted)?;
        Ok((graph, self.notes))
    }

    /// The operator and inputs of an input's node; `None` for weights.
    pub fn made(&self, input: &Input) -> Option<(&Op, &[Input])> {
        let Input::Node(id) = input else { return None };
        let (op, inputs) = self.made.get(id.0)?;
        Some((op, inputs))
    }

    /// The value before a transposition, with the order of axes that combines it with `order`; `None` if
    /// the value is not transposed.
    pub fn transposed_before(&self, value: &Value, order: &[usize]) -> Option<(Value, Vec<usize>)> {
        let Value::Node(id) = value else { return None };
        match self.made(&(*id).into())? {
            (Op::Transpose { axes }, [Input::Node(before)]) => {
                let both = order.iter().map(|&axis| axes[axis]).collect();
                Some((Value::Node(*before), both))
            }
            _ => None,
        }
    }

    /// The number of elements per image that are counted before the batch in a value with these lengths.
    pub fn ahead(&self, value: &Value, lengths: &[Count]) -> i64 {
        let in_front = lengths.iter().take_while(|length| length.each == 0);
        let in_front: i64 = in_front.map(|length| length.fixed).product();
        let within = match value {
            Value::Node(id) => self.ahead.get(id).copied().unwrap_or(1),
            _ => 1,
        };
        in_front.saturating_mul(within)
    }

    /// Records that `within` elements per image are counted before the batch within its axis.
    pub fn set_ahead(&mut self, value: &Value, within: i64) {
        if let (Value::Node(id), 2..) = (value, within) {
            self.ahead.insert(*id, within);
        }
    }

    /// Carries that over to a node's output: an axis of the same length is taken for the same axis.
    fn keep_ahead(&mut self, id: NodeId, inputs: &[Input]) {
        let length = |shape: &[Dim]| shape.iter().find(|dim| dim.batched).map(|dim| dim.count);
        let batch = length(self.graph.shape(id));
        let within = inputs.iter().find_map(|input| match input {
            Input::Node(before) if length(self.graph.shape(*before)) == batch => {
                self.ahead.get(before).copied()
            }
            _ => None,
        });
        if let Some(within) = within {
            self.ahead.insert(id, within);
        }
    }

    /// Adds a node and returns its output as a value.
    pub fn give(&mut self, name: &str, op: Op, inputs: &[Input]) -> Result<Value, Problem> {
        self.emit(name, op, inputs).map(Value::Node)
    }

    /// A value as an input for a node.
    pub fn operand(&mut self, value: &Value, name: &str) -> Result<Input, Problem> {
        match value {
            Value::Above(..) => {
                Problem::cannot("it computes with a comparison of values from the images")
            }
            Value::Places(_) => Problem::cannot("it computes with the index of each image"),
            Value::Node(id) => Ok((*id).into()),
            Value::Weight(name, constant) => self.weight(name, &floats(constant)?),
            Value::Known(constant) => self.weight(&format!("{name}.value"), &floats(constant)?),
            Value::Spread(constant, counts) => {
                let weight = self.weight(&format!("{name}.value"), &floats(constant)?)?;
                let shape = dims(counts)?;
                let name = format!("{name}.repeated");
                Ok(self.emit(&name, Op::Expand { shape }, &[weight])?.into())
            }
        }
    }

    /// A value as a node's output; weights are expanded into one.
    pub fn computed(&mut self, value: &Value, name: &str) -> Result<NodeId, Problem> {
        match self.operand(value, name)? {
            Input::Node(id) => Ok(id),
            weight @ Input::Weight(_) => {
                let shape = self.dims(value)?;
                self.emit(&format!("{name}.value"), Op::Expand { shape }, &[weight])
            }
        }
    }

    /// A weight of the graph with these numbers, under this name or one like it.
    pub fn weight(&mut self, name: &str, numbers: &Array<f32>) -> Result<Input, Problem> {
        let same_name = self.weights.entry(name.to_owned()).or_default();
        for existing in same_name.iter() {
            if self.graph.weight_values(existing) == Some(numbers) {
                return Ok(existing.as_str().into());
            }
        }
        if numbers.values().iter().any(|number| !number.is_finite()) {
            return Err(Fault::NotFinite(name.to_owned()).into());
        }
        let mut unique = name.to_owned();
        let mut number = same_name.len();
        while number > 0 || self.graph.weight_values(&unique).is_some() {
            unique = format!("{name}_{}", number.max(1));
            if self.graph.weight_values(&unique).is_none() {
                break;
            }
            number = number.max(1) + 1;
        }
        same_name.push(unique.clone());
        Ok(self.graph.weight(&unique, numbers.clone())?)
    }

    /// A value's length along each axis.
    pub fn dims(&self, value: &Value) -> Result<Vec<Dim>, Problem> {
        match value {
            Value::Node(id) | Value::Above(id, _) => Ok(self.graph.shape(*id).to_vec()),
            Value::Known(constant) | Value::Weight(_, constant) => Ok(constant
                .shape()
                .iter()
                .map(|&length| Dim::fixed(length))
                .collect()),
            Value::Spread(_, counts) => dims(counts),
            Value::Places(places) => dims(&places.lengths),
        }
    }

    /// The number that a value has everywhere, if it is known to be uniform.
    pub fn uniform(&self, value: &Value) -> Option<f32> {
        match value {
            Value::Node(id) => self.uniform.get(id).copied(),
            Value::Above(..) | Value::Places(_) => None,
            Value::Known(constant) | Value::Weight(_, constant) | Value::Spread(constant, _) => {
                same_everywhere(&constant.floats()?)
            }
        }
    }

    fn uniform_of(&self, op: &Op, inputs: &[Input]) -> Option<f32> {
        let moves_only = matches!(
            op,
            Op::Expand { .. }
                | Op::Slice(_)
                | Op::Reshape { .. }
                | Op::Transpose { .. }
                | Op::Gather { .. }
                | Op::Concat { .. }
        );
        let number = |input: &Input| match input {
            Input::Node(id) => self.uniform.get(id).copied(),
            Input::Weight(name) => same_everywhere(self.graph.weight_values(name)?),
        };
        let (first, rest) = inputs.split_first()?;
        let first = number(first).filter(|_| moves_only)?;
        let same = |input: &Input| number(input) == Some(first);
        rest.iter().all(same).then_some(first)
    }
}

fn same_everywhere(array: &Array<f32>) -> Option<f32> {
    let (first, rest) = array.values().split_first()?;
    rest.iter().all(|number| number == first).then_some(*first)
}
