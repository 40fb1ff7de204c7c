//! The plan: a network graph compiled for the CPU.
//!
//! Each lane of a vector holds one image: tensors are laid out as \[channel\]\[row\]\[column\]\[lane\]. Any kernel,
//! stride, border or window therefore takes the same few instructions for sixteen images (eight with AVX2), with no
//! repacking and no wasted lanes. Convolutions and dense layers share one micro-kernel, `product`. Each lane is a
//! single sequential chain of fused multiply-adds, so an image's logits are bit-identical in any batch, on any
//! number of workers, and at any vector width.
//!
//! [`Plan::new`] lays out memory and steps once per network. If it meets an unsupported node, it returns
//! [`UnsupportedNode`], and Burn computes the graph instead.

mod build;
mod elementwise;
pub mod fit;
mod function;
mod lanes;
mod layout;
mod pool;
mod product;
mod recurrent;
mod steps;
mod team;
pub mod triggered;
mod vectors;
mod windows;
mod winograd;

use std::sync::{Arc, Mutex};

pub use lanes::Lanes;
pub use steps::Portion;

use self::steps::{Program, Scratch};
use super::graph::{Graph, NodeId};
use super::launch;

/// A compiled graph. Clones share the program and the pool of scratch memory.
#[derive(Debug, Clone)]
pub struct Plan {
    program: Arc<Program>,
    lanes: Lanes,
    /// Scratch memory of finished runs, for reuse.
    idle: Arc<Mutex<Vec<Scratch>>>,
}

/// A node that the plan does not support.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{op} at `{node}`: {why}")]
pub struct UnsupportedNode {
    /// The node's name.
    pub node: String,
    /// Its operator.
    pub op: &'static str,
    /// Why it is not supported.
    pub why: String,
}

impl Plan {
    /// Plans a graph for the widest vectors of this processor, or for those named by `NOISESCOPE_SIMD`.
    ///
    /// # Errors
    /// [`UnsupportedNode`] names the first unsupported node.
    pub fn new(graph: &Graph) -> Result<Self, UnsupportedNode> {
        Self::with_lanes(
            graph,
            Lanes::from_env_or_widest(),
            launch::is_winograd_disabled(),
        )
    }

    /// Plans a graph for the given vectors. With `direct`, no convolution uses Winograd.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn with_lanes(graph: &Graph, lanes: Lanes, direct: bool) -> Result<Self, UnsupportedNode> {
        Self::for_nodes(graph, &[graph.output()], lanes, direct)
    }

    /// Plans only the part of a graph that `nodes` (at least one) depend on. [`Self::run`] returns the outputs of these
    /// nodes, in this order.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn for_nodes(
        graph: &Graph,
        nodes: &[NodeId],
        lanes: Lanes,
        direct: bool,
    ) -> Result<Self, UnsupportedNode> {
        let program = build::compile(graph, nodes, lanes, direct)?;
        Ok(Self {
            program: Arc::new(program),
            lanes,
            idle: Arc::default(),
        })
    }

    /// Logits, row-major \[N,K\], of images, row-major \[N,C,H,W\].
    ///
    /// # Panics
    /// If `pixels` is not a whole number of images.
    pub fn logits(&self, pixels: &[f32]) -> Vec<f32> {
        self.logits_of_outputs(1, pixels).pop().unwrap_or_default()
    }

    /// The outputs of the first `outputs` planned nodes, which must be logits \[N,K\], each row-major.
    ///
    /// # Panics
    /// If `pixels` is not a whole number of images, or the plan has fewer outputs.
    pub fn logits_of_outputs(&self, outputs: usize, pixels: &[f32]) -> Vec<Vec<f32>> {
        let images = pixels.len() / self.program.image_len.max(1);
        let wanted = &self.program.outputs[..outputs];
        let mut logits: Vec<Vec<f32>> = wanted
            .iter()
            .map(|output| Vec::with_capacity(images * output.elements()))
            .collect();
        self.run(pixels, &mut |portion| {
            let lanes = portion.lanes();
            for (output, logits) in logits.iter_mut().enumerate() {
                let classes = portion.slot(output).elements();
                for image in 0..portion.images {
                    let value = portion.value(output, image / lanes);
                    let row = (0..classes).map(|class| value[class * lanes + image % lanes]);
                    logits.extend(row);
                }
            }
        });
        logits
    }

    /// Runs the network on images, row-major \[N,C,H,W\]. `take` receives the outputs of each portion of them, in
    /// order.
    ///
    /// # Panics
    /// If `pixels` is not a whole number of images.
    pub fn run(&self, pixels: &[f32], take: &mut dyn FnMut(Portion)) {
        let reused = self.idle.lock().ok().and_then(|mut idle| idle.pop());
        let mut scratch = reused.unwrap_or_else(|| Scratch::new(&self.program));
        self.lanes.run(&self.program, &mut scratch, pixels, take);
        if let Ok(mut idle) = self.idle.lock() {
            idle.push(scratch);
        }
    }

    /// The same plan with `delta`, one number per unit, added to a node's output before any activation or pooling
    /// fused with it; `None` if no step holds that node's bias.
    pub fn with_bias_offset(&self, node: NodeId, delta: &[f32]) -> Option<Self> {
        Some(Self {
            program: Arc::new(self.program.with_bias_offset(node, delta)?),
            lanes: self.lanes,
            idle: Arc::clone(&self.idle),
        })
    }

    /// Every step and its time in microseconds per image, measured alone on one core.
    pub fn step_times(&self) -> Vec<(String, f64)> {
        let mut scratch = Scratch::new(&self.program);
        let times = self.lanes.times(&self.program, &mut scratch);
        let labels = self.program.steps.iter().map(|step| step.label());
        labels.zip(times).collect()
    }

    /// The vectors that the plan computes with.
    pub fn lanes(&self) -> Lanes {
        self.lanes
    }

    /// Bytes of the weights, and of the scratch memory that each worker needs.
    pub fn bytes(&self) -> (usize, usize) {
        (self.program.weight_bytes(), self.program.scratch_bytes())
    }

    /// Multiplications and additions per image.
    pub fn operations(&self) -> u64 {
        self.program.operations
    }
}

#[cfg(test)]
mod tests;
