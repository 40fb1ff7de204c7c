//! Winograd convolutions, F(4×4, r×r): a tile of outputs takes n² multiplications instead of 16·r², with
//! n = 4 + r − 1.
//!
//! Winograd, *Arithmetic complexity of computations* (1980); Lavin & Gray, *Fast algorithms for
//! convolutional neural networks* (CVPR 2016). Y = Aᵀ\[(G g Gᵀ) ⊙ (Bᵀ d B)\]A with the points 0, ±1, ±2, ±½ and ∞ (as
//! many as n requires). Points come in pairs ±a, so Bᵀ and Aᵀ are sums and differences of even and odd halves. As
//! elsewhere, each lane is one chain of operations, so results are bit-identical for any batch and vector width; they
//! differ from the direct convolution in the last digits.

mod transform;

use std::sync::Arc;

use pulp::{Simd, WithSimd};

use super::layout::{MemoryAreas, TensorSlot};
use super::product::{Activation, POSITIONS, Tile, activate, adjacent_sums, load, store};
use super::windows;
use crate::nets::graph::NodeId;
use transform::MAX_POINTS;
pub use transform::{TILE_OUTPUTS, Transform};

/// Unused vectors between the data of one point and the next: without them, all points of a channel would map to the
/// same few cache sets.
const PAD: usize = 1;

/// Bᵀ applied to six or eight numbers: E ± a·O for the points ±a, where E and O are the even and odd halves of
/// Π(x² − b²) over the other pairs.
#[inline(always)]
fn inputs<S: Simd, const N: usize>(simd: S, d: [S::f32s; N]) -> [S::f32s; N] {
    let fma = |by: f32, x: S::f32s, to: S::f32s| simd.mul_add_f32s(simd.splat_f32s(by), x, to);
    let (add, sub) = (
        |a: S::f32s, b: S::f32s| simd.add_f32s(a, b),
        |a: S::f32s, b: S::f32s| simd.sub_f32s(a, b),
    );
    let mut out = d;
    if N == MAX_POINTS {
        let (d0, d1, d2, d3, d4, d5) = (d[0], d[1], d[2], d[3], d[4], d[5]);
        let (d6, d7) = (d[N - 2], d[N - 1]);
        out[0] = sub(fma(5.25, sub(d2, d4), d6), d0);
        out[N - 1] = sub(fma(5.25, sub(d3, d5), d7), d1);
        let (e, o) = (fma(-4.25, d4, add(d6, d2)), fma(-4.25, d3, add(d5, d1)));
        (out[1], out[2]) = (add(e, o), sub(e, o));
        let e = fma(0.25, d2, fma(-1.25, d4, d6));
        let o = fma(0.25, d1, fma(-1.25, d3, d5));
        (out[3], out[4]) = (fma(2.0, o, e), fma(-2.0, o, e));
        let (e, o) = (
            fma(4.0, d2, fma(-5.0, d4, d6)),
            fma(4.0, d1, fma(-5.0, d3, d5)),
        );
        (out[5], out[N - 2]) = (fma(0.5, o, e), fma(-0.5, o, e));
    } else {
        let (d0, d1, d2, d3, d4, d5) = (d[0], d[1], d[2], d[3], d[4], d[5]);
        out[0] = fma(4.0, d0, fma(-5.0, d2, d4));
        out[5] = fma(4.0, d1, fma(-5.0, d3, d5));
        let (e, o) = (fma(-4.0, d2, d4), fma(-4.0, d1, d3));
        (out[1], out[2]) = (add(e, o), sub(e, o));
        let (e, o) = (sub(d4, d2), sub(d3, d1));
        (out[3], out[4]) = (fma(2.0, o, e), fma(-2.0, o, e));
    }
    out
}

/// Aᵀ applied to six or eight numbers: even powers of a multiply the sum of each pair, odd powers its difference.
#[inline(always)]
fn outputs<S: Simd, const N: usize>(simd: S, m: [S::f32s; N]) -> [S::f32s; TILE_OUTPUTS] {
    let fma = |by: f32, x: S::f32s, to: S::f32s| simd.mul_add_f32s(simd.splat_f32s(by), x, to);
    let (add, sub) = (
        |a: S::f32s, b: S::f32s| simd.add_f32s(a, b),
        |a: S::f32s, b: S::f32s| simd.sub_f32s(a, b),
    );
    let (s1, t1) = (add(m[1], m[2]), sub(m[1], m[2]));
    let (s2, t2) = (add(m[3], m[4]), sub(m[3], m[4]));
    if N == MAX_POINTS {
        let (s3, t3) = (add(m[5], m[N - 2]), sub(m[5], m[N - 2]));
        [
            add(add(m[0], s1), add(s2, s3)),
            fma(0.5, t3, fma(2.0, t2, t1)),
            fma(0.25, s3, fma(4.0, s2, s1)),
            fma(0.125, t3, fma(8.0, t2, add(t1, m[N - 1]))),
        ]
    } else {
        [
            add(add(m[0], s1), s2),
            fma(2.0, t2, t1),
            fma(4.0, s2, s1),
            fma(8.0, t2, add(t1, m[N - 1])),
        ]
    }
}

/// A Winograd convolution, with stride 1 and without groups.
#[derive(Debug, Clone)]
pub struct Winograd {
    /// The node that the bias belongs to.
    pub node: NodeId,
    /// Input.
    pub from: TensorSlot,
    /// Output.
    pub to: TensorSlot,
    /// The transforms.
    pub transform: Transform,
    /// Tiles of output channels.
    pub tiles: Arc<[Tile]>,
    /// Transformed kernels, ordered by tile, point, input channel, and channel of the tile.
    pub weights: Arc<[f32]>,
    /// One per output channel.
    pub bias: Arc<[f32]>,
    /// Spatial tiles, four at a time: offset of the inputs in floats, and row and column of the outputs.
    pub quads: Vec<[(usize, usize, usize); POSITIONS]>,
    /// Rows and columns of the convolution's outputs.
    pub size: (usize, usize),
    /// Whether 2×2 max pooling is fused.
    pub pooled: bool,
    /// The activation applied to the sums.
    pub activation: Activation,
}

impl Winograd {
    /// Floats of scratch memory for its transformed inputs and sums.
    pub fn scratch_len(&self, lanes: usize) -> usize {
        let points = self.transform.points.pow(2);
        let widest = self.tiles.iter().map(|tile| tile.count).max().unwrap_or(0);
        points * ((self.from.channels + widest) * POSITIONS + 2 * PAD) * lanes
    }
}

/// A Winograd convolution on one group of images.
pub struct WinogradOnGroup<'a> {
    pub winograd: &'a Winograd,
    pub frames: MemoryAreas,
    pub group: usize,
    pub memory: *mut f32,
    /// Scratch memory of [`Winograd::scratch_len`] floats.
    pub scratch: *mut f32,
    /// In training with pooling: where to write the index of each window's maximum (see [`windows::choose`]), as an offset
    /// from the maximum in elements per lane.
    pub chosen: Option<usize>,
}

impl WithSimd for WinogradOnGroup<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match self.winograd.transform.points {
            MAX_POINTS => self.convolve::<S, 8>(simd),
            _ => self.convolve::<S, 6>(simd),
        }
    }
}

impl WinogradOnGroup<'_> {
    #[inline(always)]
    fn convolve<S: Simd, const N: usize>(&self, simd: S) {
        let winograd = self.winograd;
        let lanes = S::F32_LANES;
        let vector = POSITIONS * lanes;
        let (channels, from) = (winograd.from.channels, winograd.from);
        let start = self.frames.start(&from, self.group) * lanes;
        let into = self.frames.start(&winograd.to, self.group);
        // Transformed inputs [point,channel,position], then sums [point,channel of the tile,position].
        let transformed = self.scratch;
        let apart = channels * vector + PAD * lanes;
        let sums = self.scratch.wrapping_add(N * N * apart);
        for quad in &winograd.quads {
            for (position, (base, ..)) in quad.iter().enumerate() {
                for channel in 0..channels {
                    // SAFETY: tiles lie inside the tensor and its border; the scratch memory is long enough.
                    unsafe {
                        let x = self
                            .memory
                            .add(start + base + channel * from.padded_plane() * lanes);
                        let to = transformed.add(channel * vector + position * lanes);
                        transform_inputs::<S, N>(simd, x, from.padded_width() * lanes, (to, apart));
                    }
                }
            }
            let mut weights = winograd.weights.as_ptr();
            for tile in winograd.tiles.iter() {
                let sums_apart = tile.count * vector + PAD * lanes;
                for point in 0..N * N {
                    // SAFETY: as above; tiles, points and channels determine the length of the weights.
                    unsafe {
                        let x = transformed.add(point * apart);
                        let to = sums.add(point * sums_apart);
                        adjacent_sums(simd, tile.count, (x, vector, channels), weights, to);
                        weights = weights.add(channels * tile.count);
                    }
                }
                for oc in 0..tile.count {
                    let channel = tile.first + oc;
                    for (position, &(_, row, column)) in quad.iter().enumerate() {
                        // SAFETY: as above.
                        unsafe {
                            let m = sums.add(oc * vector + position * lanes);
                            let y = transform_outputs::<S, N>(simd, m, sums_apart);
                            self.write(simd, y, channel, (row, column), into);
                        }
                    }
                }
            }
        }
    }

    /// Writes the part of a tile of outputs that lies inside the tensor.
    ///
    /// # Safety
    /// The tensor must lie inside the memory.
    #[inline(always)]
    unsafe fn write<S: Simd>(
        &self,
        simd: S,
        y: [[S::f32s; TILE_OUTPUTS]; TILE_OUTPUTS],
        channel: usize,
        (row, column): (usize, usize),
        into: usize,
    ) {
        let winograd = self.winograd;
        let lanes = S::F32_LANES;
        let bias = simd.splat_f32s(winograd.bias[channel]);
        let activation = winograd.activation;
        let place = |row: usize, column: usize| {
            let at = into + winograd.to.offset(channel, row, column);
            // SAFETY: the caller's.
            unsafe { self.memory.add(at * lanes) }
        };
        if winograd.pooled {
            for i in 0..TILE_OUTPUTS / 2 {
                for j in 0..TILE_OUTPUTS / 2 {
                    let (r, c) = (row / 2 + i, column / 2 + j);
                    if r < winograd.to.rows && c < winograd.to.columns {
                        let [a, b] = [y[2 * i][2 * j], y[2 * i][2 * j + 1]];
                        let [c_, d] = [y[2 * i + 1][2 * j], y[2 * i + 1][2 * j + 1]];
                        if let Some(apart) = self.chosen {
                            let relu = activation == Activation::Relu;
                            let sums = [
                                simd.add_f32s(a, bias),
                                simd.add_f32s(b, bias),
                                simd.add_f32s(c_, bias),
                                simd.add_f32s(d, bias),
                            ];
                            let [most, chosen] = windows::choose(simd, sums, relu);
                            // SAFETY: the caller's.
                            unsafe {
                                store(simd, place(r, c), most);
                                store(simd, place(r, c).add(apart * lanes), chosen);
                            }
                            continue;
                        }
                        let most = simd.max_f32s(simd.max_f32s(a, b), simd.max_f32s(c_, d));
                        let value = activate(simd, simd.add_f32s(most, bias), activation);
                        // SAFETY: the caller's.
                        unsafe { store(simd, place(r, c), value) };
                    }
                }
            }
            return;
        }
        for (i, y) in y.iter().enumerate() {
            for (j, y) in y.iter().enumerate() {
                if row + i < winograd.size.0 && column + j < winograd.size.1 {
                    let value = activate(simd, simd.add_f32s(*y, bias), activation);
                    // SAFETY: the caller's.
                    unsafe { store(simd, place(row + i, column + j), value) };
                }
            }
        }
    }
}

/// Computes Bᵀ d B of a tile of inputs with rows `width` floats apart, and writes the points `apart` floats apart.
///
/// # Safety
/// The tile must be readable and the points writable.
#[expect(clippy::needless_range_loop, reason = "rows become columns")]
#[inline(always)]
pub unsafe fn transform_inputs<S: Simd, const N: usize>(
    simd: S,
    x: *const f32,
    width: usize,
    (to, apart): (*mut f32, usize),
) {
    let lanes = S::F32_LANES;
    let mut rows = [[simd.splat_f32s(0.0); N]; N];
    // Loops, not closures over arrays: closures are not always compiled with the caller's vector instructions.
    for i in 0..N {
        let mut d = [simd.splat_f32s(0.0); N];
        for j in 0..N {
            // SAFETY: the caller's.
            d[j] = unsafe { load(simd, x.add(i * width + j * lanes)) };
        }
        rows[i] = inputs::<S, N>(simd, d);
    }
    for j in 0..N {
        let mut d = [simd.splat_f32s(0.0); N];
        for i in 0..N {
            d[i] = rows[i][j];
        }
        let column = inputs::<S, N>(simd, d);
        for i in 0..N {
            // SAFETY: the caller's.
            unsafe { store(simd, to.add((i * N + j) * apart), column[i]) };
        }
    }
}

/// Computes Aᵀ m A of points that lie `apart` floats apart.
///
/// # Safety
/// The points must be readable.
#[expect(clippy::needless_range_loop, reason = "rows become columns")]
#[inline(always)]
unsafe fn transform_outputs<S: Simd, const N: usize>(
    simd: S,
    m: *const f32,
    apart: usize,
) -> [[S::f32s; TILE_OUTPUTS]; TILE_OUTPUTS] {
    let mut rows = [[simd.splat_f32s(0.0); TILE_OUTPUTS]; N];
    for i in 0..N {
        let mut row = [simd.splat_f32s(0.0); N];
        for j in 0..N {
            // SAFETY: the caller's.
            row[j] = unsafe { load(simd, m.add((i * N + j) * apart)) };
        }
        rows[i] = outputs::<S, N>(simd, row);
    }
    let mut y = [[simd.splat_f32s(0.0); TILE_OUTPUTS]; TILE_OUTPUTS];
    for j in 0..TILE_OUTPUTS {
        let mut points = [simd.splat_f32s(0.0); N];
        for i in 0..N {
            points[i] = rows[i][j];
        }
        let column = outputs::<S, N>(simd, points);
        for i in 0..TILE_OUTPUTS {
            y[i][j] = column[i];
        }
    }
    y
}
