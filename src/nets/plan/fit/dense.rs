//! Dense layers in training. Weights are row-major \[inputs,outputs\]; the forward and the backward pass read them with
//! different strides.

mod product;
mod weights;

use super::super::Lanes;
use super::super::team::run_tasks;
use super::BatchMemory;
use super::adam::Parameter;
use super::memory::DisjointPointer;
use product::Product;
pub use product::accumulate;
use weights::{MAX_TILE_INPUTS, ReluTranspose, Rows, Weight};

/// Rows of a tile, and its vectors of images or of outputs.
const TILE: usize = 6;
const VECTORS: usize = 4;

/// Number of tasks for the gradients of the weights.
const TASKS: usize = 16;

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
    pub rows: Vec<f32>,
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

    /// Gradients of the weights. Also applies the ReLU to the gradients of the output.
    pub fn weight_gradients(
        &mut self,
        frames: &BatchMemory,
        parameters: &mut [Parameter],
        lanes: Lanes,
    ) {
        let count = lanes.count();
        let width = self.outputs.next_multiple_of(count);
        let images = frames.groups * count;
        let operations = images * self.inputs * self.outputs;
        let mut rows = std::mem::take(&mut self.rows);
        rows.resize(images * width, 0.0);
        let layer = &*self;
        let output_gradients = Rows {
            pointer: DisjointPointer(rows.as_mut_ptr()),
            images,
            width,
        };
        run_tasks(frames.groups, 4 * images * width, |group| {
            lanes.arch().dispatch(ReluTranspose {
                layer,
                frames: *frames,
                group,
                rows: output_gradients,
            });
        });
        let bias = &mut parameters[self.bias].gradient;
        bias.fill(0.0);
        for (block, bias) in bias.chunks_mut(VECTORS * count).enumerate() {
            let first = block * VECTORS * count;
            let stride = output_gradients.stride(first, count);
            let block_rows = &rows[first * images..][..stride * images];
            for row in block_rows.chunks_exact(stride) {
                bias.iter_mut().zip(row).for_each(|(sum, d)| *sum += d);
            }
        }
        let gradient = DisjointPointer(parameters[self.weight].gradient.as_mut_ptr());
        // Pieces of whole tiles, several per worker.
        let tile = if self.outputs < 2 * count {
            MAX_TILE_INPUTS
        } else {
            TILE
        };
        let piece = self.inputs.div_ceil(TASKS).next_multiple_of(tile);
        run_tasks(self.inputs.div_ceil(piece), operations, |task| {
            lanes.arch().dispatch(Weight {
                layer,
                frames: *frames,
                inputs: (task * piece, layer.inputs.min((task + 1) * piece)),
                rows: output_gradients,
                gradient,
            });
        });
        self.rows = rows;
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
