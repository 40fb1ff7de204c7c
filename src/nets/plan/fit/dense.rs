//! Dense layers in training. Weights are row-major \[inputs,outputs\]; the forward and the backward pass read them with
//! different strides.

mod product;
mod weights;

use super::super::Lanes;
use super::super::team::run_tasks;
use super::BatchMemory;
use super::adam::{AdamStep, Parameter};
use super::kernel::with_scratch;
use super::memory::{DisjointPointer, Memory};
use product::Product;
pub use product::accumulate;
use weights::{ReluTranspose, Rows, Weight};

/// Rows of a tile, and its vectors of images or of outputs.
const TILE: usize = 6;
const VECTORS: usize = 4;

/// Inputs of a task for the gradients of the weights: whole tiles.
const TASK_INPUTS: usize = 48;

/// A dense layer.
#[derive(Debug)]
pub struct Dense {
    /// Indices of weight and bias among the parameters.
    pub weight: usize,
    pub bias: usize,
    /// Offset of the input in a frame.
    pub from: usize,
    pub inputs: usize,
    /// Offset of the output.
    pub to: usize,
    /// Offset of the output's gradient.
    pub gradient: usize,
    pub outputs: usize,
    /// Whether a ReLU follows.
    pub relu: bool,
    /// Offset of the input's gradient, if needed.
    pub input_gradient: Option<usize>,
    /// Buffer for the gradients of the output in the layout of [`Rows`]; reused from batch to batch.
    pub rows: Memory,
}

impl Dense {
    /// The forward pass.
    pub fn forward(&self, frames: &BatchMemory, parameters: &[Parameter], lanes: Lanes) {
        let weight = &parameters[self.weight].values;
        let bias = &parameters[self.bias].values;
        self.run_tiles(self.outputs, frames, lanes, |first, count, group| Product {
            frames: *frames,
            group,
            from: self.from,
            inputs: self.inputs,
            to: self.to,
            first,
            count,
            weight: &weight[first..],
            // Along k, and from one row of the tile to the next.
            strides: (self.outputs, 1),
            bias: Some(bias),
            relu: self.relu,
        });
    }

    /// Computes all tiles of `rows` rows for all groups, four groups at a time.
    fn run_tiles<'a>(
        &self,
        rows: usize,
        frames: &BatchMemory,
        lanes: Lanes,
        product: impl Fn(usize, usize, usize) -> Product<'a> + Sync,
    ) {
        let operations = frames.groups * lanes.count() * self.inputs * self.outputs;
        run_tasks(rows.div_ceil(TILE), operations, |tile| {
            let first = tile * TILE;
            for group in (0..frames.groups).step_by(VECTORS) {
                let tile_product = product(first, TILE.min(rows - first), group);
                lanes.arch().dispatch(tile_product);
            }
        });
    }

    /// Applies the ReLU to the gradients of the output, and prepares these for [`Self::weight_gradients`].
    pub fn output_gradients(
        &mut self,
        frames: &BatchMemory,
        parameters: &mut [Parameter],
        lanes: Lanes,
    ) {
        let count = lanes.count();
        let rows = self.reserve_rows(frames, count);
        let layer = &*self;
        let added = rows.images * rows.width;
        run_tasks(frames.groups, 4 * added, |group| {
            lanes.arch().dispatch(ReluTranspose {
                layer,
                frames: *frames,
                group,
                rows,
            });
        });
        let bias = &mut parameters[self.bias].gradient;
        let sums = DisjointPointer(bias.as_mut_ptr());
        let block = VECTORS * count;
        run_tasks(bias.len().div_ceil(block), added, |task| {
            let first = task * block;
            let bias = sums.slice(first, block.min(layer.outputs - first));
            bias.fill(0.0);
            for row in rows
                .block(first, count)
                .chunks_exact(rows.stride(first, count))
            {
                bias.iter_mut().zip(row).for_each(|(sum, d)| *sum += d);
            }
        });
    }

    /// Memory for the gradients of the output of all images, which keeps what it holds.
    fn reserve_rows(&mut self, frames: &BatchMemory, lanes: usize) -> Rows {
        let (images, width) = (frames.groups * lanes, self.outputs.next_multiple_of(lanes));
        self.rows.reserve(width, images);
        Rows {
            pointer: self.rows.pointer(),
            images,
            width,
        }
    }

    /// Gradients of the weights, after [`Self::output_gradients`]. With `update`, the weights are updated by them at once,
    /// and the gradients are not stored.
    pub fn weight_gradients(
        &mut self,
        frames: &BatchMemory,
        parameters: &mut [Parameter],
        lanes: Lanes,
        update: Option<&AdamStep>,
    ) {
        let rows = self.reserve_rows(frames, lanes.count());
        let operations = rows.images * self.inputs * self.outputs;
        let (tensors, gradient) = parameters[self.weight].pointers();
        let layer = &*self;
        run_tasks(self.inputs.div_ceil(TASK_INPUTS), operations, |task| {
            let first = task * TASK_INPUTS;
            let inputs = (first, layer.inputs.min(first + TASK_INPUTS));
            with_scratch(TASK_INPUTS * VECTORS * lanes.count(), |sums| {
                lanes.arch().dispatch(Weight {
                    layer,
                    frames: *frames,
                    inputs,
                    rows,
                    sums,
                    gradient,
                    update: update.map(|step| (step, tensors)),
                });
            });
        });
    }

    /// Applies the ReLU to the gradients of the output.
    pub fn rectify(&self, frames: &BatchMemory, lanes: Lanes) {
        if !self.relu {
            return;
        }
        let count = lanes.count();
        for group in 0..frames.groups {
            for number in 0..self.outputs * count {
                // SAFETY: both tensors lie in the frame of the group, and no task is running.
                unsafe {
                    let output = *frames.at(group, self.to, count).add(number);
                    let gradient = frames.at(group, self.gradient, count).add(number);
                    let passes = output > 0.0;
                    if !passes {
                        *gradient = 0.0;
                    }
                }
            }
        }
    }

    /// Gradients of the input, after the ReLU has been applied to those of the output.
    pub fn input_gradients(&self, frames: &BatchMemory, parameters: &[Parameter], lanes: Lanes) {
        if let Some(to) = self.input_gradient {
            let weight = &parameters[self.weight].values;
            self.run_tiles(self.inputs, frames, lanes, |first, count, group| Product {
                frames: *frames,
                group,
                from: self.gradient,
                inputs: self.outputs,
                to,
                first,
                count,
                weight: &weight[first * self.outputs..],
                strides: (1, self.outputs),
                bias: None,
                relu: false,
            });
        }
    }
}
