//! Dense layers in training. Weights always stay row-major \[inputs,outputs\]; forward and backward pass read them with
//! different strides.

use pulp::{Simd, WithSimd};

use super::super::Lanes;
use super::super::product::{load, store};
use super::super::team::run_tasks;
use super::BatchMemory;
use super::adam::Parameter;
use super::memory::{DisjointPointer, FloatPointer};
use super::transpose::transpose;

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
    /// The gradients by what it gives as [`Rows`] has them: kept from batch to batch.
    pub rows: Vec<f32>,
}

impl Dense {
    /// The forward pass.
    pub fn forward(&self, frames: &BatchMemory, parameters: &[Parameter], lanes: Lanes) {
        let weight = &parameters[self.weight].values;
        let bias = &parameters[self.bias].values;
        self.tiles(self.outputs, frames, lanes, |first, count, group| Product {
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

    /// Computes all tiles of `numbers` rows for all groups, four groups at a time.
    fn tiles<'a>(
        &self,
        numbers: usize,
        frames: &BatchMemory,
        lanes: Lanes,
        product: impl Fn(usize, usize, usize) -> Product<'a> + Sync,
    ) {
        let operations = frames.groups * lanes.count() * self.inputs * self.outputs;
        run_tasks(numbers.div_ceil(TILE), operations, |tile| {
            let first = tile * TILE;
            for group in (0..frames.groups).step_by(VECTORS) {
                let own = product(first, TILE.min(numbers - first), group);
                lanes.arch().dispatch(own);
            }
        });
    }

    /// Gradients of the weights and of the input.
    pub fn backward(&mut self, frames: &BatchMemory, parameters: &mut [Parameter], lanes: Lanes) {
        self.weight_gradients(frames, parameters, lanes);
        self.input_gradients(frames, parameters, lanes);
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
        let turned = Rows {
            pointer: DisjointPointer(rows.as_mut_ptr()),
            images,
            width,
        };
        run_tasks(frames.groups, 4 * images * width, |group| {
            lanes.arch().dispatch(ReluTranspose {
                layer,
                frames: *frames,
                group,
                rows: turned,
            });
        });
        let bias = &mut parameters[self.bias].gradient;
        bias.fill(0.0);
        for (block, bias) in bias.chunks_mut(VECTORS * count).enumerate() {
            let first = block * VECTORS * count;
            let stride = turned.stride(first, count);
            let own = &rows[first * images..][..stride * images];
            for row in own.chunks_exact(stride) {
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
                rows: turned,
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
                    let given = *frames.at(group, self.to, count).add(number);
                    let gradient = frames.at(group, self.gradient, count).add(number);
                    if given <= 0.0 {
                        *gradient = 0.0;
                    }
                }
            }
        }
    }

    /// Gradients of the input, after the ReLU has been applied to those of the output.
    pub fn input_gradients(&self, frames: &BatchMemory, parameters: &[Parameter], lanes: Lanes) {
        if let Some(before) = self.input_gradient {
            let weight = &parameters[self.weight].values;
            self.tiles(self.inputs, frames, lanes, |first, count, group| Product {
                frames: *frames,
                group,
                from: self.gradient,
                inputs: self.outputs,
                to: before,
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

/// The gradients by what a layer gives, an image a row: a block of [`VECTORS`] vectors of outputs after the other, each
/// row by row, so that they are read one after the other.
#[derive(Clone, Copy)]
struct Rows {
    pointer: FloatPointer,
    images: usize,
    /// Outputs, to the next whole vector.
    width: usize,
}

impl Rows {
    /// Numbers of a row of the block of an output.
    #[inline(always)]
    fn stride(&self, output: usize, lanes: usize) -> usize {
        let block = VECTORS * lanes;
        block.min(self.width - output / block * block)
    }

    /// Where the number of an image and an output stands.
    #[inline(always)]
    fn at(&self, image: usize, output: usize, lanes: usize) -> *mut f32 {
        let first = output / (VECTORS * lanes) * (VECTORS * lanes);
        let number = first * self.images + image * self.stride(output, lanes) + output - first;
        self.pointer.0.wrapping_add(number)
    }
}

/// The gradients by what a layer gives of one group, through its rectifier, and as rows.
struct ReluTranspose<'a> {
    layer: &'a Dense,
    frames: BatchMemory,
    group: usize,
    rows: Rows,
}

impl WithSimd for ReluTranspose<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let lanes = S::F32_LANES;
        let own = self.layer;
        let zero = simd.splat_f32s(0.0);
        if own.relu {
            for output in 0..own.outputs {
                // SAFETY: both values stand in the frame of the group, which is this task's.
                unsafe {
                    let at = self.frames.at(self.group, own.gradient + output, lanes);
                    let given = self.frames.at(self.group, own.to + output, lanes);
                    let through = simd.less_than_f32s(zero, load(simd, given));
                    store(simd, at, simd.select_f32s(through, load(simd, at), zero));
                }
            }
        }
        let block = VECTORS * lanes;
        for first in (0..own.outputs).step_by(block) {
            // SAFETY: the rows of the images of the group are this task's, whole vectors long.
            unsafe {
                let from = self.frames.at(self.group, own.gradient + first, lanes);
                let to = self.rows.at(self.group * lanes, first, lanes);
                transpose(from, (block.min(own.outputs - first), lanes), to);
            }
        }
    }
}

/// A tile of a matrix product for four groups of images.
struct Product<'a> {
    frames: BatchMemory,
    group: usize,
    from: usize,
    inputs: usize,
    to: usize,
    first: usize,
    count: usize,
    /// The weights from the tile's first one on.
    weight: &'a [f32],
    strides: (usize, usize),
    bias: Option<&'a [f32]>,
    relu: bool,
}

impl WithSimd for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match self.count {
            6 => self.halves::<S, 6>(simd),
            5 => self.halves::<S, 5>(simd),
            4 => self.halves::<S, 4>(simd),
            3 => self.halves::<S, 3>(simd),
            2 => self.halves::<S, 2>(simd),
            _ => self.halves::<S, 1>(simd),
        }
    }
}

impl Product<'_> {
    #[inline(always)]
    fn halves<S: Simd, const N: usize>(&self, simd: S) {
        if S::REGISTER_COUNT >= 32 {
            self.tile::<S, N, 4>(simd, self.group);
        } else {
            self.tile::<S, N, 2>(simd, self.group);
            self.tile::<S, N, 2>(simd, self.group + 2);
        }
    }

    #[inline(always)]
    fn tile<S: Simd, const N: usize, const P: usize>(&self, simd: S, group: usize) {
        let lanes = S::F32_LANES;
        let (along, across) = self.strides;
        let mut acc = [[simd.splat_f32s(0.0); P]; N];
        if let Some(bias) = self.bias {
            for (n, acc) in acc.iter_mut().enumerate() {
                *acc = [simd.splat_f32s(bias[self.first + n]); P];
            }
        }
        let last = (self.inputs - 1) * along + (N - 1) * across;
        assert!(last < self.weight.len(), "weights of a tile");
        let mut x = [std::ptr::null::<f32>(); P];
        for (p, x) in x.iter_mut().enumerate() {
            // SAFETY: tensors lie in the frames, and nobody writes to this one now.
            *x = unsafe { self.frames.at(group + p, self.from, lanes).cast_const() };
        }
        // SAFETY: tensors lie in the frames, and the index of the tile's last weight was checked.
        unsafe {
            let weight = self.weight.as_ptr();
            accumulate(simd, &mut acc, (x, self.inputs), weight, self.strides);
        }
        for (n, acc) in acc.iter().enumerate() {
            for (p, sum) in acc.iter().enumerate() {
                let sum = match self.relu {
                    true => simd.max_f32s(*sum, simd.splat_f32s(0.0)),
                    false => *sum,
                };
                // SAFETY: these elements of the groups belong to this task.
                unsafe {
                    let to = self.frames.at(group + p, self.to + self.first + n, lanes);
                    store(simd, to, sum);
                }
            }
        }
    }
}

/// Adds weight\[n,k\]·x\[p,k\] to acc\[n,p\] for all k in order.
///
/// # Safety
/// `count` vectors must be readable at every x, and all weights with these strides along k and along n.
#[inline(always)]
pub unsafe fn accumulate<S: Simd, const N: usize, const P: usize>(
    simd: S,
    acc: &mut [[S::f32s; P]; N],
    (x, count): ([*const f32; P], usize),
    weight: *const f32,
    (along, across): (usize, usize),
) {
    let lanes = S::F32_LANES;
    let mut kept = *acc;
    for k in 0..count {
        let mut own = [simd.splat_f32s(0.0); P];
        for (p, own) in own.iter_mut().enumerate() {
            // SAFETY: the caller's.
            *own = unsafe { load(simd, x[p].add(k * lanes)) };
        }
        for (n, kept) in kept.iter_mut().enumerate() {
            // SAFETY: the caller's.
            let w = simd.splat_f32s(unsafe { *weight.add(k * along + n * across) });
            for p in 0..P {
                kept[p] = simd.mul_add_f32s(w, own[p], kept[p]);
            }
        }
    }
    *acc = kept;
}

/// The gradients of the weights of some inputs: sums over the images, one after the other. Works on a few groups of
/// images at a time, so that their gradients for a few outputs stay in the L1 cache for all inputs.
struct Weight<'a> {
    layer: &'a Dense,
    frames: BatchMemory,
    /// The range of inputs: first, and one past the last.
    inputs: (usize, usize),
    rows: Rows,
    gradient: FloatPointer,
}

impl WithSimd for Weight<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let vectors = match S::REGISTER_COUNT >= 32 {
            true => VECTORS,
            false => VECTORS / 2,
        };
        for group in (0..self.frames.groups).step_by(GROUP_BLOCK) {
            let mut output = 0;
            while output < self.rows.width {
                // Few outputs are taken with more inputs, so that a tile keeps its size.
                let left = ((self.rows.width - output) / S::F32_LANES).min(vectors);
                match left {
                    4 => self.column::<S, 6, 4>(simd, (group, output)),
                    2..4 => self.column::<S, 6, 2>(simd, (group, output)),
                    _ if S::REGISTER_COUNT >= 32 => {
                        self.column::<S, MAX_TILE_INPUTS, 1>(simd, (group, output));
                    }
                    _ => self.column::<S, 12, 1>(simd, (group, output)),
                }
                output += match left {
                    4 => 4,
                    2..4 => 2,
                    _ => 1,
                } * S::F32_LANES;
            }
        }
    }
}

/// Maximum inputs of a tile.
const MAX_TILE_INPUTS: usize = 24;

/// Groups that are summed over before the next outputs: their gradients by four vectors of outputs stay in the second
/// cache.
const GROUP_BLOCK: usize = 16;

impl Weight<'_> {
    /// All tiles of N inputs and P vectors of outputs; remaining inputs are processed by fours, then one by one.
    #[inline(always)]
    fn column<S: Simd, const N: usize, const P: usize>(
        &self,
        simd: S,
        (group, output): (usize, usize),
    ) {
        let (mut input, last) = self.inputs;
        while input + N <= last {
            self.tile::<S, N, P>(simd, (group, input, output));
            input += N;
        }
        while input + 4 <= last {
            self.tile::<S, 4, P>(simd, (group, input, output));
            input += 4;
        }
        for input in input..last {
            self.tile::<S, 1, P>(simd, (group, input, output));
        }
    }

    #[inline(always)]
    fn tile<S: Simd, const N: usize, const P: usize>(
        &self,
        simd: S,
        (first_group, input, output): (usize, usize, usize),
    ) {
        let lanes = S::F32_LANES;
        let own = self.layer;
        let mut acc = [[simd.splat_f32s(0.0); P]; N];
        if first_group > 0 {
            for (n, acc) in acc.iter_mut().enumerate() {
                for (p, acc) in acc.iter_mut().enumerate() {
                    let (at, count) = self.place(input + n, output + p * lanes, lanes);
                    // SAFETY: the weights of these inputs belong to this task.
                    unsafe {
                        if count == lanes {
                            *acc = load(simd, at);
                        } else {
                            *acc = simd.partial_load_f32s(std::slice::from_raw_parts(at, count));
                        }
                    }
                }
            }
        }
        let groups = first_group..self.frames.groups.min(first_group + GROUP_BLOCK);
        let stride = self.rows.stride(output, lanes);
        assert!(groups.end * lanes <= self.rows.images && output + P * lanes <= self.rows.width);
        // In registers: what may panic on the way would have them written to memory.
        let mut kept = acc;
        for group in groups {
            // SAFETY: the input lies in the frame, nobody writes to it now, and the rows were checked.
            unsafe {
                let mut x = self.frames.at(group, own.from + input, lanes).cast_const();
                let mut row = self.rows.at(group * lanes, output, lanes).cast_const();
                for _ in 0..lanes {
                    let mut d = [simd.splat_f32s(0.0); P];
                    for (p, d) in d.iter_mut().enumerate() {
                        *d = load(simd, row.add(p * lanes));
                    }
                    for (n, kept) in kept.iter_mut().enumerate() {
                        let x = simd.splat_f32s(*x.add(n * lanes));
                        for p in 0..P {
                            kept[p] = simd.mul_add_f32s(x, d[p], kept[p]);
                        }
                    }
                    x = x.add(1);
                    row = row.add(stride);
                }
            }
        }
        let acc = kept;
        for (n, acc) in acc.iter().enumerate() {
            for (p, sum) in acc.iter().enumerate() {
                let (at, count) = self.place(input + n, output + p * lanes, lanes);
                // SAFETY: the weights of these inputs belong to this task.
                unsafe {
                    if count == lanes {
                        store(simd, at, *sum);
                    } else {
                        simd.partial_store_f32s(std::slice::from_raw_parts_mut(at, count), *sum);
                    }
                }
            }
        }
    }

    /// Address of the gradients for an input and a vector of outputs, and their number.
    #[inline(always)]
    fn place(&self, input: usize, output: usize, lanes: usize) -> (*mut f32, usize) {
        let outputs = self.layer.outputs;
        let count = outputs.saturating_sub(output).min(lanes);
        let at = input * outputs + output.min(outputs);
        (self.gradient.0.wrapping_add(at), count)
    }
}
