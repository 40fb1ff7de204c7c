//! A graph that computes several pushes of one node at once.

use super::super::op::Binary;
use super::super::{Graph, GraphBuilder, GraphError, NodeId, NodeInput, Op};
use crate::session::array::Array;

/// A graph with an output for every push.
#[derive(Debug, Clone)]
pub struct PushGraph {
    /// The graph. The nodes before the pushes are in it once, those after them once per push.
    pub graph: Graph,
    /// The logits node of each push, in order.
    pub outputs: Vec<NodeId>,
}

impl Graph {
    /// A graph that computes the logits with each of `pushes`, one number per unit, added to the output of
    /// `node` along `axis`. If the node's only user is a max-pooling, the pushes are added after it: adding a
    /// constant to a channel adds it to the channel's maxima, bit for bit.
    ///
    /// # Errors
    /// If a push does not match the length of the axis, or there are no pushes.
    pub fn with_each_push(
        &self,
        node: NodeId,
        axis: usize,
        pushes: &[Vec<f32>],
    ) -> Result<PushGraph, GraphError> {
        let users = self.users();
        let point = match *users[node.0] {
            [user] if matches!(self.node(user).op, Op::MaxPool(_)) && axis == 1 => user,
            _ => node,
        };
        let mut after = vec![false; self.nodes().len()];
        for id in self.ids() {
            let inputs = self.node(id).inputs.iter();
            after[id.0] = inputs
                .filter_map(NodeInput::node)
                .any(|before| before == point || after[before.0]);
        }
        let mut builder = GraphBuilder::new(self.image());
        for (name, values) in self.weights() {
            builder.weight(name, values.clone())?;
        }
        let mut places: Vec<Option<NodeId>> = vec![None; self.nodes().len()];
        let add =
            |builder: &mut GraphBuilder, places: &[Option<NodeId>], id: NodeId, name: &str| {
                let node = self.node(id);
                let place = |input: &NodeInput| match input {
                    NodeInput::Node(id) => places[id.0]
                        .map(NodeInput::Node)
                        .unwrap_or_else(|| input.clone()),
                    NodeInput::Weight(_) => input.clone(),
                };
                let inputs: Vec<NodeInput> = node.inputs.iter().map(place).collect();
                builder.add(name, node.op.clone(), &inputs)
            };
        for id in self.ids().filter(|id| !after[id.0]) {
            places[id.0] = Some(add(&mut builder, &places, id, &self.node(id).name)?);
        }
        let shared = places[point.0];
        let shape = {
            let mut shape = vec![1; self.node(point).shape.len().saturating_sub(axis)];
            if let Some(units) = shape.first_mut() {
                *units = self.node(point).shape[axis].count;
            }
            shape
        };
        let mut outputs = Vec::with_capacity(pushes.len());
        for (number, push) in pushes.iter().enumerate() {
            let misfit = || GraphError::Misfit {
                node: self.node(node).name.clone(),
                op: self.node(node).op.label(),
                why: format!("a push of {} numbers along axis {axis}", push.len()),
            };
            let before = shared.ok_or_else(misfit)?;
            if shape.iter().product::<usize>() != push.len() {
                return Err(misfit());
            }
            let name = |node: &str| format!("{node} [push {number}]");
            let weight = builder.weight(&name("by"), Array::new(&shape, push.clone()))?;
            let pushed = [NodeInput::Node(before), weight];
            let moved = &self.node(point).name;
            places[point.0] = Some(builder.add(&name(moved), Op::Binary(Binary::Add), &pushed)?);
            for id in self.ids().filter(|id| after[id.0]) {
                let name = name(&self.node(id).name);
                places[id.0] = Some(add(&mut builder, &places, id, &name)?);
            }
            outputs.extend(places[self.output().0]);
        }
        let first = outputs.first().copied();
        let first = first.ok_or(GraphError::NoPush)?;
        Ok(PushGraph {
            graph: builder.finish(first)?,
            outputs,
        })
    }
}
