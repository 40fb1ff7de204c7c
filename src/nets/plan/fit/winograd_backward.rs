//! Gradients of a convolution's input, by the transposed Winograd algorithm.
//!
//! A tile of outputs is Y = Aᵀ\[(G g Gᵀ) ⊙ (Bᵀ d B)\]A of its inputs d (see `winograd`), which is linear in d. The
//! gradient of d is therefore B\[(G g Gᵀ) ⊙ (A y Aᵀ)\]Bᵀ, where y is the gradient of the outputs: as many
//! multiplications as in the forward pass, with the same transformed kernels, and no border of zeros around y. The
//! gradients of overlapping tiles are added.

use pulp::{Simd, WithSimd};

use super::super::Lanes;
use super::super::layout::{MemoryAreas, TensorSlot};
use super::super::product::{POSITIONS, Tile, adjacent_sums, channel_tiles, load, store};
use super::super::windows::SumGradients;
use super::super::winograd::{TILE_OUTPUTS, Transform};
use crate::nets::graph::op::Pads;

/// Unused vectors between the data of one point and the next, as in `winograd`.
const PAD: usize = 1;

/// Maximum points along an axis.
const MAX_POINTS: usize = 8;

/// The backward pass of a Winograd convolution to its input.
#[derive(Debug)]
pub struct WinogradBackward {
    transform: Transform,
    /// The gradients of the sums.
    from: SumGradients,
    /// The gradients of the convolution's input.
    to: TensorSlot,
    /// Tiles of the input channels.
    tiles: Vec<Tile>,
    /// Transformed kernels, ordered by tile, point, output channel, and channel of the tile.
    weights: Vec<f32>,
    /// First row and column of the sums for each spatial tile, in groups of up to four.
    spatial_tiles: Vec<Vec<(usize, usize)>>,
    /// Padding above and to the left of the convolution's input.
    pads: (usize, usize),
}

impl WinogradBackward {
    /// For a convolution with this padding; `from` are the gradients of its sums, `to` those of its input.
    pub fn new(pads: Pads, transform: Transform, from: SumGradients, to: TensorSlot) -> Self {
        let [_, rows, columns] = from.shape();
        let rows = (0..rows).step_by(TILE_OUTPUTS);
        let all: Vec<(usize, usize)> = rows
            .flat_map(|row| {
                let columns = (0..columns).step_by(TILE_OUTPUTS);
                columns.map(move |column| (row, column))
            })
            .collect();
        Self {
            transform,
            from,
            to,
            tiles: channel_tiles(to.channels),
            weights: Vec::new(),
            spatial_tiles: all.chunks(POSITIONS).map(<[_]>::to_vec).collect(),
            pads: (pads.top, pads.left),
        }
    }

    /// Packs the kernels of the convolution, row-major \[outputs,inputs,taps,taps\].
    pub fn pack_weights(&mut self, kernels: &[f32], lanes: Lanes) {
        let (inputs, outputs) = (self.to.channels, self.from.shape()[0]);
        self.weights.resize(self.packed_len(), 0.0);
        let area = kernels.len() / (inputs * outputs);
        let strides = [inputs * area, area];
        let weights = &mut self.weights;
        let kernels = (kernels, strides);
        self.transform
            .pack_squares(kernels, outputs, &self.tiles, lanes, weights);
    }

    /// Floats of the packed weights, also before they are packed.
    pub fn packed_len(&self) -> usize {
        let (inputs, outputs) = (self.to.channels, self.from.shape()[0]);
        self.transform.squares_len(outputs, inputs)
    }

    /// Floats of scratch memory for its transformed gradients and sums.
    pub fn scratch_len(&self, lanes: usize) -> usize {
        let points = self.transform.points.pow(2);
        let widest = self.tiles.iter().map(|tile| tile.count).max().unwrap_or(0);
        points * ((self.from.shape()[0] + widest) * POSITIONS + 2 * PAD) * lanes
    }
}

/// The backward pass of one group of images.
pub struct BackwardOnGroup<'a> {
    pub turned: &'a WinogradBackward,
    pub frames: MemoryAreas,
    pub group: usize,
    pub memory: *mut f32,
    /// Scratch memory of [`WinogradBackward::scratch_len`] floats.
    pub room: *mut f32,
}

impl WithSimd for BackwardOnGroup<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match self.turned.transform.points {
            MAX_POINTS => self.backward::<S, 8>(simd),
            _ => self.backward::<S, 6>(simd),
        }
    }
}

impl BackwardOnGroup<'_> {
    /// Address of an element of the group's tensor.
    #[inline(always)]
    fn address<S: Simd>(&self, slot: &TensorSlot, [channel, row, column]: [usize; 3]) -> *mut f32 {
        let offset = self.frames.start(slot, self.group) + slot.offset(channel, row, column);
        // SAFETY: tensors lie inside the memory.
        unsafe { self.memory.add(offset * S::F32_LANES) }
    }

    #[inline(always)]
    fn backward<S: Simd, const N: usize>(&self, simd: S) {
        let layer = self.turned;
        let lanes = S::F32_LANES;
        let vector = POSITIONS * lanes;
        let outputs = layer.from.shape()[0];
        let first = self.frames.shared + self.group * self.frames.per_group;
        let point_stride = outputs * vector + PAD * lanes;
        let sums = self.room.wrapping_add(N * N * point_stride);
        for channel in 0..layer.to.channels {
            for row in 0..layer.to.rows {
                for column in 0..layer.to.columns {
                    let to = self.address::<S>(&layer.to, [channel, row, column]);
                    // SAFETY: the tensor belongs to this task.
                    unsafe { store(simd, to, simd.splat_f32s(0.0)) };
                }
            }
        }
        for quad in &layer.spatial_tiles {
            for channel in 0..outputs {
                for (position, &origin) in quad.iter().enumerate() {
                    let to = channel * vector + position * lanes;
                    // SAFETY: the scratch memory is long enough.
                    unsafe {
                        let pointer =
                            |number: usize| self.memory.add((first + number) * lanes).cast_const();
                        let tile = layer
                            .from
                            .tile(simd, pointer, [channel, origin.0, origin.1]);
                        transform_gradients::<S, N>(simd, &tile, (self.room.add(to), point_stride));
                    }
                }
            }
            let mut weights = layer.weights.as_ptr();
            for tile in &layer.tiles {
                let sum_stride = tile.count * vector + PAD * lanes;
                for point in 0..N * N {
                    // SAFETY: as above; tiles, points and channels determine the length of the weights. The results of
                    // positions without a tile are not read.
                    unsafe {
                        let y = self.room.add(point * point_stride).cast_const();
                        let to = sums.add(point * sum_stride);
                        adjacent_sums(simd, tile.count, (y, vector, outputs), weights, to);
                        weights = weights.add(outputs * tile.count);
                    }
                }
                for channel_of_tile in 0..tile.count {
                    for (position, &origin) in quad.iter().enumerate() {
                        // SAFETY: as above.
                        unsafe {
                            let from = sums
                                .add(channel_of_tile * vector + position * lanes)
                                .cast_const();
                            self.add::<S, N>(
                                simd,
                                tile.first + channel_of_tile,
                                origin,
                                (from, sum_stride),
                            );
                        }
                    }
                }
            }
        }
    }

    /// Adds B m Bᵀ of points m that lie `apart` floats apart, as far as it lies inside the convolution's input.
    ///
    /// # Safety
    /// The points must be readable.
    #[expect(clippy::needless_range_loop, reason = "rows become columns")]
    #[inline(always)]
    unsafe fn add<S: Simd, const N: usize>(
        &self,
        simd: S,
        channel: usize,
        (row, column): (usize, usize),
        (from, apart): (*const f32, usize),
    ) {
        let (to, pads) = (&self.turned.to, self.turned.pads);
        let zero = simd.splat_f32s(0.0);
        let mut rows = [[zero; N]; N];
        for i in 0..N {
            let mut row = [zero; N];
            for j in 0..N {
                // SAFETY: the caller's.
                row[j] = unsafe { load(simd, from.add((i * N + j) * apart)) };
            }
            rows[i] = inputs_backward::<S, N>(simd, row);
        }
        for j in 0..N {
            let Some(x) = (column + j).checked_sub(pads.1).filter(|x| *x < to.columns) else {
                continue;
            };
            let mut points = [zero; N];
            for i in 0..N {
                points[i] = rows[i][j];
            }
            let inputs = inputs_backward::<S, N>(simd, points);
            for i in 0..N {
                if let Some(y) = (row + i).checked_sub(pads.0).filter(|y| *y < to.rows) {
                    let address = self.address::<S>(to, [channel, y, x]);
                    // SAFETY: tensors lie inside the memory.
                    unsafe { store(simd, address, simd.add_f32s(load(simd, address), inputs[i])) };
                }
            }
        }
    }
}

/// Computes A y Aᵀ of a tile of gradients y, and writes the points `apart` floats apart.
///
/// # Safety
/// The points must be writable.
#[expect(clippy::needless_range_loop, reason = "rows become columns")]
#[inline(always)]
pub unsafe fn transform_gradients<S: Simd, const N: usize>(
    simd: S,
    tile: &[[S::f32s; TILE_OUTPUTS]; TILE_OUTPUTS],
    (to, apart): (*mut f32, usize),
) {
    let zero = simd.splat_f32s(0.0);
    let mut half = [[zero; N]; TILE_OUTPUTS];
    for y in 0..TILE_OUTPUTS {
        half[y] = outputs_backward::<S, N>(simd, tile[y]);
    }
    for j in 0..N {
        let mut gradients = [zero; TILE_OUTPUTS];
        for y in 0..TILE_OUTPUTS {
            gradients[y] = half[y][j];
        }
        let column = outputs_backward::<S, N>(simd, gradients);
        for i in 0..N {
            // SAFETY: the caller's.
            unsafe { store(simd, to.add((i * N + j) * apart), column[i]) };
        }
    }
}

/// A applied to four numbers: their sums at the points, split into even and odd powers.
#[inline(always)]
fn outputs_backward<S: Simd, const N: usize>(simd: S, y: [S::f32s; TILE_OUTPUTS]) -> [S::f32s; N] {
    let fma = |by: f32, x: S::f32s, to: S::f32s| simd.mul_add_f32s(simd.splat_f32s(by), x, to);
    let mut m = [y[0]; N];
    m[N - 1] = y[3];
    let (e, o) = (simd.add_f32s(y[0], y[2]), simd.add_f32s(y[1], y[3]));
    (m[1], m[2]) = (simd.add_f32s(e, o), simd.sub_f32s(e, o));
    let (e, o) = (fma(4.0, y[2], y[0]), fma(4.0, y[3], y[1]));
    (m[3], m[4]) = (fma(2.0, o, e), fma(-2.0, o, e));
    if N == MAX_POINTS {
        let (e, o) = (fma(0.25, y[2], y[0]), fma(0.25, y[3], y[1]));
        (m[5], m[N - 2]) = (fma(0.5, o, e), fma(-0.5, o, e));
    }
    m
}

/// B applied to six or eight points, from the sums and differences of each pair ±a.
#[inline(always)]
fn inputs_backward<S: Simd, const N: usize>(simd: S, s: [S::f32s; N]) -> [S::f32s; N] {
    let fma = |by: f32, x: S::f32s, to: S::f32s| simd.mul_add_f32s(simd.splat_f32s(by), x, to);
    let mul = |by: f32, x: S::f32s| simd.mul_f32s(simd.splat_f32s(by), x);
    let (add, sub) = (
        |a: S::f32s, b: S::f32s| simd.add_f32s(a, b),
        |a: S::f32s, b: S::f32s| simd.sub_f32s(a, b),
    );
    let (e1, o1) = (add(s[1], s[2]), sub(s[1], s[2]));
    let (e2, o2) = (add(s[3], s[4]), mul(2.0, sub(s[3], s[4])));
    let last = s[N - 1];
    let mut d = s;
    if N == MAX_POINTS {
        let (e3, o3) = (add(s[5], s[N - 2]), mul(0.5, sub(s[5], s[N - 2])));
        d[0] = mul(-1.0, s[0]);
        d[1] = sub(fma(4.0, o3, fma(0.25, o2, o1)), last);
        d[2] = fma(5.25, s[0], fma(4.0, e3, fma(0.25, e2, e1)));
        d[3] = fma(5.25, last, fma(-5.0, o3, fma(-1.25, o2, mul(-4.25, o1))));
        d[4] = fma(-5.25, s[0], fma(-5.0, e3, fma(-1.25, e2, mul(-4.25, e1))));
        d[5] = fma(-5.25, last, add(o1, add(o2, o3)));
        d[N - 2] = add(s[0], add(e1, add(e2, e3)));
    } else {
        d[0] = mul(4.0, s[0]);
        d[1] = fma(4.0, last, fma(-4.0, o1, mul(-1.0, o2)));
        d[2] = fma(-5.0, s[0], fma(-4.0, e1, mul(-1.0, e2)));
        d[3] = fma(-5.0, last, add(o1, o2));
        d[4] = add(s[0], add(e1, e2));
    }
    d
}
