//! A graph planned for a plain processor.
//!
//! A lane of a vector is an image: values lie as \[channel\]\[row\]\[column\]\[lane\], so that any
//! kernel, stride, border or window is the same few instructions for sixteen images (eight with AVX2), and
//! nothing is packed or wasted. Convolutions and dense layers are one micro-kernel, [`product`]; a lane is one
//! sequential chain of fused multiply-adds, so that the logits of an image are the same bits in any batch,
//! on any number of workers, and with vectors of any width.
//!
//! [`Plan::new`] lays out memory and steps once for a network; a node that it does not know is an
//! [`Unplanned`], and the graph is computed by Burn.

mod build;
mod each;
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
mod windows;
mod winograd;

use std::sync::{Arc, Mutex};

pub use lanes::Lanes;
pub use steps::Portion;

use self::steps::{Program, Scratch};
use super::graph::{Graph, NodeId};
use super::launch;

/// A planned graph. Copies share it, and its memory between runs.
#[derive(Debug, Clone)]
pub struct Plan {
    program: Arc<Program>,
    lanes: Lanes,
    /// Memory of runs that are over.
    idle: Arc<Mutex<Vec<Scratch>>>,
}

/// A node that no plan is made for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{op} at `{node}`: {why}")]
pub struct Unplanned {
    /// The node's name.
    pub node: String,
    /// Its operator.
    pub op: &'static str,
    /// What the plan does not know of it.
    pub why: String,
}

impl Plan {
    /// Plans a graph for the widest vectors that this processor has, or for those that
    /// `NOISESCOPE_SIMD` names.
    ///
    /// # Errors
    /// [`Unplanned`] names the first node that is not known.
    pub fn new(graph: &Graph) -> Result<Self, Unplanned> {
        Self::with(graph, Lanes::chosen(), launch::is_direct())
    }

    /// The same for such vectors; `direct`: no convolution by minimal filtering.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn with(graph: &Graph, lanes: Lanes, direct: bool) -> Result<Self, Unplanned> {
        Self::of(graph, &[graph.output()], lanes, direct)
    }

    /// Plans a graph as far as the values of some nodes, at least one, need it. These are what
    /// [`Self::run`] gives, in this order.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn of(
        graph: &Graph,
        wanted: &[NodeId],
        lanes: Lanes,
        direct: bool,
    ) -> Result<Self, Unplanned> {
        let program = build::program(graph, wanted, lanes, direct)?;
        Ok(Self {
            program: Arc::new(program),
            lanes,
            idle: Arc::default(),
        })
    }

    /// Logits, row-major \[N,K\], of images, row-major \[N,C,H,W\].
    ///
    /// # Panics
    /// Where these are no whole images.
    pub fn logits(&self, pixels: &[f32]) -> Vec<f32> {
        self.logits_of(1, pixels).pop().unwrap_or_default()
    }

    /// What the first so many of the wanted nodes give, which are logits \[N,K\], each row-major.
    ///
    /// # Panics
    /// Where these are no whole images, or it gives fewer.
    pub fn logits_of(&self, outputs: usize, pixels: &[f32]) -> Vec<Vec<f32>> {
        let images = pixels.len() / self.program.numbers.max(1);
        let wanted = &self.program.outputs[..outputs];
        let mut logits: Vec<Vec<f32>> = wanted
            .iter()
            .map(|output| Vec::with_capacity(images * output.numbers()))
            .collect();
        self.run(pixels, &mut |portion| {
            let lanes = portion.lanes();
            for (output, logits) in logits.iter_mut().enumerate() {
                let classes = portion.place(output).numbers();
                for image in 0..portion.images {
                    let value = portion.value(output, image / lanes);
                    let own = (0..classes).map(|class| value[class * lanes + image % lanes]);
                    logits.extend(own);
                }
            }
        });
        logits
    }

    /// Shows the network images, row-major \[N,C,H,W\]; `take` is given what it computed of each portion of
    /// them, in order.
    ///
    /// # Panics
    /// Where these are no whole images.
    pub fn run(&self, pixels: &[f32], take: &mut dyn FnMut(Portion)) {
        let own = self.idle.lock().ok().and_then(|mut idle| idle.pop());
        let mut scratch = own.unwrap_or_else(|| Scratch::new(&self.program));
        self.lanes.run(&self.program, &mut scratch, pixels, take);
        if let Ok(mut idle) = self.idle.lock() {
            idle.push(scratch);
        }
    }

    /// The same plan with `delta`, one number a unit, added to what a node of its graph gives, before what
    /// follows it; `None` where the plan has no bias there.
    pub fn pushed(&self, node: NodeId, delta: &[f32]) -> Option<Self> {
        Some(Self {
            program: Arc::new(self.program.pushed(node, delta)?),
            lanes: self.lanes,
            idle: Arc::clone(&self.idle),
        })
    }

    /// Every step, and the microseconds that it takes for an image on one core, alone.
    pub fn times(&self) -> Vec<(String, f64)> {
        let mut scratch = Scratch::new(&self.program);
        let times = self.lanes.times(&self.program, &mut scratch);
        let labels = self.program.steps.iter().map(|step| step.label());
        labels.zip(times).collect()
    }

    /// The vectors that it computes with.
    pub fn lanes(&self) -> Lanes {
        self.lanes
    }

    /// Bytes of its weights, and of the memory that each worker takes.
    pub fn bytes(&self) -> (usize, usize) {
        (self.program.weights(), self.program.scratch())
    }

    /// Multiplications and additions of one image.
    pub fn operations(&self) -> u64 {
        self.program.operations
    }
}

#[cfg(test)]
mod tests;
