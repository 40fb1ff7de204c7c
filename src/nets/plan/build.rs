//! From a graph to a program.

mod draft;
mod functions;
mod memory;
mod recurrent;
mod spatial;

use self::draft::Draft;
use super::steps::Program;
use super::{Lanes, Unplanned};
use crate::nets::graph::{Graph, NodeId};

/// Plans a graph as far as the values of some nodes, at least one, need it. `direct`: every convolution is
/// computed directly.
pub fn program(
    graph: &Graph,
    wanted: &[NodeId],
    lanes: Lanes,
    direct: bool,
) -> Result<Program, Unplanned> {
    let mut draft = Draft::new(graph, wanted, lanes.count(), direct);
    for id in graph.ids() {
        if draft.is_alive(id) && !draft.is_taken(id) {
            draft.node(id)?;
        }
    }
    draft.finish()
}
