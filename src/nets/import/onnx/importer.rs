//! [`Importer`], the state of translating one file: the graph under construction, and what each name of
//! the file means. The translation of operators is in [`super::ops`].

use std::collections::{HashMap, HashSet};

use super::call::ImportValue;
use super::constant::Constant;
use super::count::SymbolicInt;
use super::error::{NodeProblem, OnnxFault};
use super::file::ArrayReader;
use super::lengths::{dims, floats};
use super::messages::{GraphProto, TensorProto};
use super::names::UniqueNames;
use super::types;
use crate::nets::graph::{Dim, Graph, GraphBuilder, NodeId, NodeInput, Op};
use crate::session::array::Array;

/// The translation of one file.
pub struct Importer<'a> {
    /// The graph under construction.
    pub graph: GraphBuilder,
    /// Remarks for the user of the network.
    pub notes: Vec<String>,
    pub(super) arrays: &'a ArrayReader,
    pub(super) opset: i64,
    /// The batch size that the file was exported for, if fixed; 1 if open.
    pub batch: i64,
    pub(super) values: HashMap<String, ImportValue>,
    /// The number type of each name.
    number_types: HashMap<String, i32>,
    initializers: HashMap<&'a str, &'a TensorProto>,
    names: UniqueNames,
    weights: HashMap<String, Vec<String>>,
    /// Nodes whose values are all the same number.
    pub(super) uniform: HashMap<NodeId, f32>,
    /// The values of nodes that do not depend on the images, such as normalised weights.
    pub(super) fixed: HashMap<NodeId, Array<f32>>,
    /// Nodes with a merged axis that counts other things before the batch, and how many per image.
    ahead: HashMap<NodeId, i64>,
    /// The operator and inputs of each node.
    made: Vec<(Op, Vec<NodeInput>)>,
    /// The names the nodes would have if no other had the same.
    node_names: Vec<String>,
    /// The outputs of softmaxes that give the network's output.
    pub(super) last: HashSet<String>,
    /// Names that nodes use as inputs.
    pub(super) used: HashSet<String>,
    /// Elements of all arrays of the file that were read.
    elements_read: usize,
    /// Elements of all arrays that were made from them.
    elements_made: usize,
}

/// The most elements of all arrays that are made at import, beyond several times those of the file.
const MOST_MADE: usize = 1 << 28;

impl<'a> Importer<'a> {
    /// A new importer, with nothing translated yet.
    pub fn new(graph: GraphBuilder, arrays: &'a ArrayReader, opset: i64, batch: i64) -> Self {
        Self {
            graph,
            notes: Vec::new(),
            arrays,
            opset,
            batch,
            values: HashMap::new(),
            number_types: HashMap::new(),
            initializers: HashMap::new(),
            names: UniqueNames::default(),
            weights: HashMap::new(),
            uniform: HashMap::new(),
            fixed: HashMap::new(),
            ahead: HashMap::new(),
            made: Vec::new(),
            node_names: Vec::new(),
            last: HashSet::new(),
            used: HashSet::new(),
            elements_read: 0,
            elements_made: 0,
        }
    }

    /// Sets the value of a name in the file.
    pub fn set(&mut self, name: &str, value: ImportValue) {
        self.values.insert(name.to_owned(), value);
    }

    /// Sets the number type of a name in the file.
    pub fn set_number_type(&mut self, name: &str, code: i32) {
        self.number_types.insert(name.to_owned(), code);
    }

    /// The number type of a name in the file.
    pub fn number_type(&self, name: &str) -> i32 {
        let array = || self.initializers.get(name).map(|array| array.data_type);
        let known = self.number_types.get(name).copied();
        known.or_else(array).unwrap_or(types::UNKNOWN)
    }

    /// Marks the softmax that gives `output` as the last.
    pub fn mark_final_softmax(&mut self, output: &str) {
        self.last.insert(output.to_owned());
    }

    /// Sets which names are used; other outputs of nodes are ignored.
    pub fn set_used_names(&mut self, names: HashSet<String>) {
        self.used = names;
    }

    /// Registers the arrays of a graph; each is read on first use.
    pub fn add_arrays(&mut self, graph: &'a GraphProto) {
        let named = graph
            .initializer
            .iter()
            .map(|tensor| (tensor.name.as_str(), tensor));
        self.initializers.extend(named);
    }

    /// The value of a name in the file.
    pub fn value(&mut self, name: &str) -> Result<ImportValue, OnnxFault> {
        if let Some(value) = self.values.get(name) {
            return Ok(value.clone());
        }
        let Some(tensor) = self.initializers.get(name) else {
            return Err(OnnxFault::Damaged(format!("`{name}` is not defined")));
        };
        let array = self.arrays.read(tensor)?;
        self.elements_read = self.elements_read.saturating_add(array.len());
        let value = ImportValue::Weight(name.to_owned(), array);
        self.set(name, value.clone());
        Ok(value)
    }

    /// Counts the arrays among a node's outputs; false if all arrays made so far are absurdly large together.
    pub fn can_afford(&mut self, outputs: &[ImportValue]) -> bool {
        let arrays = outputs.iter().filter_map(ImportValue::constant);
        let made: usize = arrays.map(Constant::len).sum();
        self.elements_made = self.elements_made.saturating_add(made);
        let several_times = self.elements_read.saturating_mul(8);
        self.elements_made <= several_times.saturating_add(MOST_MADE)
    }

    /// The numbers of an array in a node's attributes.
    pub fn array(&self, tensor: &TensorProto) -> Result<Constant, OnnxFault> {
        self.arrays.read(tensor)
    }

    /// Adds a node to the graph, named `name` or like it.
    pub fn emit(
        &mut self,
        name: &str,
        op: Op,
        inputs: &[NodeInput],
    ) -> Result<NodeId, NodeProblem> {
        let uniform = self.uniform_of(&op, inputs);
        let unique = self.names.unique(name);
        let id = self.graph.add(&unique, op.clone(), inputs)?;
        self.node_names.push(name.to_owned());
        self.keep_ahead(id, inputs);
        if let Some(array) = self.without_images(id, &op, inputs) {
            self.fixed.insert(id, array);
        }
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
                ImportValue::Node(id) if vector(self.graph.shape(*id)) && name != output => {
                    Some((*id, name))
                }
                _ => None,
            })
            .collect();
        found.sort_by(|a, b| b.cmp(a));
        found.into_iter().map(|(_, name)| name.clone()).collect()
    }

    /// The finished graph with `last` as its logits, and the notes.
    pub fn finish(self, last: NodeId) -> Result<(Graph, Vec<String>), OnnxFault> {
        let graph = super::pruned(&self.graph.finish(last)?, &self.node_names)?;
        Ok((graph, self.notes))
    }

    /// The operator and inputs of an input's node; `None` for weights.
    pub fn operator_of(&self, input: &NodeInput) -> Option<(&Op, &[NodeInput])> {
        let NodeInput::Node(id) = input else {
            return None;
        };
        let (op, inputs) = self.made.get(id.0)?;
        Some((op, inputs))
    }

    /// The value before a transposition, with the order of axes that combines it with `order`; `None` if
    /// the value is not transposed.
    pub fn transposed_before(
        &self,
        value: &ImportValue,
        order: &[usize],
    ) -> Option<(ImportValue, Vec<usize>)> {
        let ImportValue::Node(id) = value else {
            return None;
        };
        match self.operator_of(&(*id).into())? {
            (Op::Transpose { axes }, [NodeInput::Node(before)]) => {
                let both = order.iter().map(|&axis| axes[axis]).collect();
                Some((ImportValue::Node(*before), both))
            }
            _ => None,
        }
    }

    /// The number of elements per image that are counted before the batch in a value with these lengths.
    pub fn elements_before_batch(&self, value: &ImportValue, lengths: &[SymbolicInt]) -> i64 {
        let in_front = lengths.iter().take_while(|length| length.per_image == 0);
        let in_front: i64 = in_front.map(|length| length.fixed).product();
        let within = match value {
            ImportValue::Node(id) => self.ahead.get(id).copied().unwrap_or(1),
            _ => 1,
        };
        in_front.saturating_mul(within)
    }

    /// Records that `within` elements per image are counted before the batch within its axis.
    pub fn set_elements_before_batch(&mut self, value: &ImportValue, within: i64) {
        if let (ImportValue::Node(id), 2..) = (value, within) {
            self.ahead.insert(*id, within);
        }
    }

    /// Carries that over to a node's output: an axis of the same length is taken for the same axis.
    fn keep_ahead(&mut self, id: NodeId, inputs: &[NodeInput]) {
        let length = |shape: &[Dim]| shape.iter().find(|dim| dim.batched).map(|dim| dim.count);
        let batch = length(self.graph.shape(id));
        let within = inputs.iter().find_map(|input| match input {
            NodeInput::Node(before) if length(self.graph.shape(*before)) == batch => {
                self.ahead.get(before).copied()
            }
            _ => None,
        });
        if let Some(within) = within {
            self.ahead.insert(id, within);
        }
    }

    /// Adds a node and returns its output as a value.
    pub fn emit_value(
        &mut self,
        name: &str,
        op: Op,
        inputs: &[NodeInput],
    ) -> Result<ImportValue, NodeProblem> {
        self.emit(name, op, inputs).map(ImportValue::Node)
    }

    /// A value as an input for a node.
    pub fn operand(&mut self, value: &ImportValue, name: &str) -> Result<NodeInput, NodeProblem> {
        match value {
            ImportValue::GreaterThan(..) => {
                NodeProblem::cannot("it computes with a comparison of values from the images")
            }
            ImportValue::Places(_) => {
                NodeProblem::cannot("it computes with the index of each image")
            }
            ImportValue::Node(id) => Ok((*id).into()),
            ImportValue::Weight(name, constant) => self.weight(name, &floats(constant)?),
            ImportValue::Known(constant) => {
                self.weight(&format!("{name}.value"), &floats(constant)?)
            }
            ImportValue::Broadcast(constant, counts) => {
                let weight = self.weight(&format!("{name}.value"), &floats(constant)?)?;
                let shape = dims(counts)?;
                let name = format!("{name}.repeated");
                Ok(self.emit(&name, Op::Expand { shape }, &[weight])?.into())
            }
        }
    }

    /// A value as a node's output; weights are expanded into one.
    pub fn computed(&mut self, value: &ImportValue, name: &str) -> Result<NodeId, NodeProblem> {
        match self.operand(value, name)? {
            NodeInput::Node(id) => Ok(id),
            weight @ NodeInput::Weight(_) => {
                let shape = self.dims(value)?;
                self.emit(&format!("{name}.value"), Op::Expand { shape }, &[weight])
            }
        }
    }

    /// A weight of the graph with these numbers, under this name or one like it.
    pub fn weight(&mut self, name: &str, numbers: &Array<f32>) -> Result<NodeInput, NodeProblem> {
        let same_name = self.weights.entry(name.to_owned()).or_default();
        for existing in same_name.iter() {
            if self.graph.weight_values(existing) == Some(numbers) {
                return Ok(existing.as_str().into());
            }
        }
        if numbers.values().iter().any(|number| !number.is_finite()) {
            return Err(OnnxFault::NotFinite(name.to_owned()).into());
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
    pub fn dims(&self, value: &ImportValue) -> Result<Vec<Dim>, NodeProblem> {
        match value {
            ImportValue::Node(id) | ImportValue::GreaterThan(id, _) => {
                Ok(self.graph.shape(*id).to_vec())
            }
            ImportValue::Known(constant) | ImportValue::Weight(_, constant) => Ok(constant
                .shape()
                .iter()
                .map(|&length| Dim::fixed(length))
                .collect()),
            ImportValue::Broadcast(_, counts) => dims(counts),
            ImportValue::Places(places) => dims(&places.lengths),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn arrays_made_at_import_are_refused_if_they_are_absurdly_large_together() {
        let reader = ArrayReader::of(Path::new("model.onnx"));
        let mut importer = Importer::new(GraphBuilder::new([1, 1, 1]), &reader, 13, 1);
        // Only its shape is looked at.
        let large = ImportValue::Known(Constant::Ints {
            shape: vec![MOST_MADE / 2],
            values: Vec::new(),
        });
        let large = std::slice::from_ref(&large);
        assert!(importer.can_afford(large) && importer.can_afford(large));
        assert!(!importer.can_afford(large));
        // A file may turn every array of its own several times.
        importer.elements_read = MOST_MADE;
        assert!(importer.can_afford(&[]));
    }
}
