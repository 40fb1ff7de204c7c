//! Compiles a graph into a program.

mod arithmetic;
mod draft;
mod functions;
mod memory;
mod normalize;
mod pooling;
mod recurrent;
mod spatial;
mod winograd;

use self::draft::Draft;
use super::steps::Program;
use super::{Lanes, UnsupportedNode};
use crate::nets::graph::{Graph, NodeId};

/// Compiles the part of a graph that the `wanted` nodes (at least one) depend on. With `direct`, no convolution uses
/// Winograd.
pub fn compile(
    graph: &Graph,
    wanted: &[NodeId],
    lanes: Lanes,
    direct: bool,
) -> Result<Program, UnsupportedNode> {
    let mut draft = Draft::new(graph, wanted, lanes.count(), direct);
    for id in graph.ids() {
        if draft.is_needed(id) && !draft.is_fused(id) {
            draft.plan_node(id)?;
        }
    }
    draft.finish()
}
