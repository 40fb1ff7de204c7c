//! Convolutions by minimal filtering, F(4×4, r×r): of a tile of outputs, n² multiplications instead of
//! 16·r², n = 4 + r − 1.
//!
//! Winograd, *Arithmetic complexity of computations* (1980); Lavin & Gray, *Fast algorithms for
//! convolutional neural networks* (CVPR 2016). Y = Aᵀ\[(G g Gᵀ) ⊙ (Bᵀ d B)\]A by the points 0, ±1, ±2, ±½
//! and ∞ (as many as n needs). Points come in pairs ±a, so that Bᵀ and Aᵀ are sums and differences of even
//! and odd halves. A lane is one chain of operations as everywhere, so bits do not depend on batch or
//! vectors; they do differ from those of the direct convolution, in the last digits.

use std::sync::Arc;

use pulp::{Simd, WithSimd};

use super::layout::{Frames, Place};
use super::product::{Activation, POSITIONS, Tile, activated, kernel_of, load, store};
use crate::nets::graph::NodeId;

/// Rows and columns of a tile of outputs.
pub const OUTPUTS: usize = 4;

/// The pairs of points, in the order in which they are taken.
const PAIRS: [f64; 3] = [1.0, 2.0, 0.5];

/// Most points: of a kernel of 5.
const MOST: usize = 8;

/// The transforms of a kernel of r taps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Transform {
    /// Points: rows and columns of a tile of inputs.
    pub points: usize,
    /// For each pair ±a: the coefficients of Π(x² − b²) over the other pairs, the constant first, and a.
    pairs: [([f32; 3], f32); 3],
    /// The coefficients of Π(x² − b²) over all pairs, the constant first.
    all: [f32; 4],
}

impl Transform {
    /// Of 3 or 5 taps; `None` for others.
    pub fn new(taps: usize) -> Option<Self> {
        let points = OUTPUTS + taps - 1;
        let count = match taps {
            3 => 2,
            5 => 3,
            _ => return None,
        };
        let product = |left_out: Option<usize>| {
            let mut coefficients = [1.0, 0.0, 0.0, 0.0];
            let mut degree = 0;
            for (at, a) in PAIRS[..count].iter().enumerate() {
                if Some(at) == left_out {
                    continue;
                }
                degree += 1;
                for power in (0..=degree).rev() {
                    let below = if power > 0 {
                        coefficients[power - 1]
                    } else {
                        0.0
                    };
                    coefficients[power] = below - a * a * coefficients[power];
                }
            }
            coefficients
        };
        let pair = |at: usize| {
            let [a, b, c, _] = product(Some(at)).map(|it| it as f32);
            ([a, b, c], PAIRS[at] as f32)
        };
        Some(Self {
            points,
            pairs: std::array::from_fn(|at| {
                if at < count {
                    pair(at)
                } else {
                    Default::default()
                }
            }),
            all: product(None).map(|it| it as f32),
        })
    }

    /// Row j of G: what a kernel of r taps is multiplied by at point j. Points are 0, then +a and −a of each
    /// pair, then ∞.
    fn kernel_row(&self, j: usize, taps: usize) -> Vec<f64> {
        let count = (self.points - 2) / 2;
        if j + 1 == self.points {
            return (0..taps)
                .map(|k| f64::from(u8::from(k + 1 == taps)))
                .collect();
        }
        let a = point(j);
        let others = (0..=2 * count).filter(|&l| l != j).map(point);
        let scale: f64 = others.map(|b| a - b).product();
        (0..taps).map(|k| a.powi(k as i32) / scale).collect()
    }

    /// G g Gᵀ of a kernel g, row-major \[taps,taps\]: \[points,points\].
    pub fn kernel(&self, g: &[f32], taps: usize) -> Vec<f32> {
        let rows: Vec<Vec<f64>> = (0..self.points).map(|j| self.kernel_row(j, taps)).collect();
        let mut out = Vec::with_capacity(self.points * self.points);
        for down in &rows {
            for across in &rows {
                let mut sum = 0.0;
                for (y, u) in down.iter().enumerate() {
                    for (x, v) in across.iter().enumerate() {
                        sum += u * v * f64::from(g[y * taps + x]);
                    }
                }
                out.push(sum as f32);
            }
        }
        out
    }
}

/// A point by its place: 0, 1, −1, 2, −2, ½, −½.
fn point(j: usize) -> f64 {
    match j {
        0 => 0.0,
        j if j % 2 == 1 => PAIRS[j / 2],
        j => -PAIRS[j / 2 - 1],
    }
}

/// Bᵀ of n numbers.
#[inline(always)]
fn inputs<S: Simd, const N: usize>(simd: S, t: &Transform, d: [S::f32s; N]) -> [S::f32s; N] {
    let splat = |v: f32| simd.splat_f32s(v);
    let pairs = (N - 2) / 2;
    // Σ q_i·d_{2i + first}; the leading coefficient is 1.
    let poly = |q: &[f32], first: usize, terms: usize| {
        let mut sum = d[2 * (terms - 1) + first];
        for i in 0..terms - 1 {
            sum = simd.mul_add_f32s(splat(q[i]), d[2 * i + first], sum);
        }
        sum
    };
    let mut out = [splat(0.0); N];
    out[0] = poly(&t.all, 0, pairs + 1);
    out[N - 1] = poly(&t.all, 1, pairs + 1);
    for p in 0..pairs {
        let (q, a) = &t.pairs[p];
        let even = poly(q, 2, pairs);
        let odd = poly(q, 1, pairs);
        out[1 + 2 * p] = simd.mul_add_f32s(splat(*a), odd, even);
        out[2 + 2 * p] = simd.mul_add_f32s(splat(-*a), odd, even);
    }
    out
}

/// Aᵀ of n numbers.
#[inline(always)]
fn outputs<S: Simd, const N: usize>(simd: S, t: &Transform, m: [S::f32s; N]) -> [S::f32s; OUTPUTS] {
    let splat = |v: f32| simd.splat_f32s(v);
    let pairs = (N - 2) / 2;
    let mut y = [m[0], splat(0.0), splat(0.0), m[N - 1]];
    for p in 0..pairs {
        let a = t.pairs[p].1;
        let sum = simd.add_f32s(m[1 + 2 * p], m[2 + 2 * p]);
        let difference = simd.sub_f32s(m[1 + 2 * p], m[2 + 2 * p]);
        y[0] = simd.add_f32s(y[0], sum);
        y[1] = simd.mul_add_f32s(splat(a), difference, y[1]);
        y[2] = simd.mul_add_f32s(splat(a * a), sum, y[2]);
        y[3] = simd.mul_add_f32s(splat(a * a * a), difference, y[3]);
    }
    y
}

/// A convolution with stride 1 and without groups.
#[derive(Debug, Clone)]
pub struct Winograd {
    /// The node whose bias this is.
    pub node: NodeId,
    /// What it reads.
    pub from: Place,
    /// What it writes.
    pub to: Place,
    /// The transforms.
    pub transform: Transform,
    /// Tiles of output channels.
    pub tiles: Arc<[Tile]>,
    /// Transformed kernels, by tile, point, input channel and channel of the tile.
    pub weights: Arc<[f32]>,
    /// One an output channel.
    pub bias: Arc<[f32]>,
    /// For four tiles at a time: where the inputs begin, in floats, and the row and column of the outputs.
    pub places: Vec<[(usize, usize, usize); POSITIONS]>,
    /// Rows and columns of the convolution's outputs.
    pub size: (usize, usize),
    /// Whether the most of each 2×2 outputs is written.
    pub pooled: bool,
    /// What is done to the sums.
    pub activation: Activation,
}

impl Winograd {
    /// Floats that its transformed inputs and sums take while they are made.
    pub fn room(&self, lanes: usize) -> usize {
        let points = self.transform.points.pow(2);
        let widest = self.tiles.iter().map(|tile| tile.count).max().unwrap_or(0);
        points * (self.from.channels + widest) * POSITIONS * lanes
    }
}

/// A convolution on one group of images.
pub struct OnGroup<'a> {
    pub winograd: &'a Winograd,
    pub frames: Frames,
    pub group: usize,
    pub memory: *mut f32,
    /// Room for [`Winograd::room`].
    pub room: *mut f32,
}

impl WithSimd for OnGroup<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match self.winograd.transform.points {
            MOST => self.convolve::<S, 8>(simd),
            _ => self.convolve::<S, 6>(simd),
        }
    }
}

impl OnGroup<'_> {
    #[inline(always)]
    fn convolve<S: Simd, const N: usize>(&self, simd: S) {
        let own = self.winograd;
        let lanes = S::F32_LANES;
        let vector = POSITIONS * lanes;
        let (channels, from) = (own.from.channels, own.from);
        let start = self.frames.start(&from, self.group) * lanes;
        let into = self.frames.start(&own.to, self.group);
        // Transformed inputs [point,channel,position], then sums [point,channel of the tile,position].
        let transformed = self.room;
        let sums = self.room.wrapping_add(N * N * channels * vector);
        for quad in &own.places {
            for (position, (base, ..)) in quad.iter().enumerate() {
                for channel in 0..channels {
                    // SAFETY: tiles lie inside the value and its border; the room is long enough.
                    unsafe {
                        let x = self
                            .memory
                            .add(start + base + channel * from.plane() * lanes);
                        let to = transformed.add(channel * vector + position * lanes);
                        transform_inputs::<S, N>(
                            simd,
                            &own.transform,
                            x,
                            from.width() * lanes,
                            (to, channels * vector),
                        );
                    }
                }
            }
            let mut weights = own.weights.as_ptr();
            for tile in own.tiles.iter() {
                for point in 0..N * N {
                    // SAFETY: as above; weights are as long as tiles, points and channels say.
                    unsafe {
                        let x = transformed.add(point * channels * vector);
                        let to = sums.add(point * tile.count * vector);
                        kernel_of(simd, tile.count, (x, vector, channels), weights, to);
                        weights = weights.add(channels * tile.count);
                    }
                }
                for oc in 0..tile.count {
                    let channel = tile.first + oc;
                    for (position, &(_, row, column)) in quad.iter().enumerate() {
                        // SAFETY: as above.
                        unsafe {
                            let m = sums.add(oc * vector + position * lanes);
                            let y = transform_outputs::<S, N>(
                                simd,
                                &own.transform,
                                m,
                                tile.count * vector,
                            );
                            self.write(simd, y, channel, (row, column), into);
                        }
                    }
                }
            }
        }
    }

    /// Writes a tile of outputs, as far as it lies inside.
    ///
    /// # Safety
    /// The value must lie inside the memory.
    #[inline(always)]
    unsafe fn write<S: Simd>(
        &self,
        simd: S,
        y: [[S::f32s; OUTPUTS]; OUTPUTS],
        channel: usize,
        (row, column): (usize, usize),
        into: usize,
    ) {
        let own = self.winograd;
        let lanes = S::F32_LANES;
        let bias = simd.splat_f32s(own.bias[channel]);
        let place = |row: usize, column: usize| {
            let at = into + own.to.offset(channel, row, column);
            // SAFETY: the caller's.
            unsafe { self.memory.add(at * lanes) }
        };
        if own.pooled {
            for i in 0..OUTPUTS / 2 {
                for j in 0..OUTPUTS / 2 {
                    let (r, c) = (row / 2 + i, column / 2 + j);
                    if r < own.to.rows && c < own.to.columns {
                        let [a, b] = [y[2 * i][2 * j], y[2 * i][2 * j + 1]];
                        let [c_, d] = [y[2 * i + 1][2 * j], y[2 * i + 1][2 * j + 1]];
                        let most = simd.max_f32s(simd.max_f32s(a, b), simd.max_f32s(c_, d));
                        let value = activated(simd, simd.add_f32s(most, bias), own.activation);
                        // SAFETY: the caller's.
                        unsafe { store(simd, place(r, c), value) };
                    }
                }
            }
            return;
        }
        for (i, y) in y.iter().enumerate() {
            for (j, y) in y.iter().enumerate() {
                if row + i < own.size.0 && column + j < own.size.1 {
                    let value = activated(simd, simd.add_f32s(*y, bias), own.activation);
                    // SAFETY: the caller's.
                    unsafe { store(simd, place(row + i, column + j), value) };
                }
            }
        }
    }
}

/// Bᵀ d B of a tile of inputs whose rows are so far apart; the points are written so far apart.
///
/// # Safety
/// The tile must be readable and the points writable.
#[inline(always)]
unsafe fn transform_inputs<S: Simd, const N: usize>(
    simd: S,
    t: &Transform,
    x: *const f32,
    width: usize,
    (to, apart): (*mut f32, usize),
) {
    let lanes = S::F32_LANES;
    let mut rows = [[simd.splat_f32s(0.0); N]; N];
    for (i, row) in rows.iter_mut().enumerate() {
        // SAFETY: the caller's.
        let d = std::array::from_fn(|j| unsafe { load(simd, x.add(i * width + j * lanes)) });
        *row = inputs::<S, N>(simd, t, d);
    }
    for j in 0..N {
        let column = inputs::<S, N>(simd, t, std::array::from_fn(|i| rows[i][j]));
        for (i, value) in column.into_iter().enumerate() {
            // SAFETY: the caller's.
            unsafe { store(simd, to.add((i * N + j) * apart), value) };
        }
    }
}

/// Aᵀ m A of points that stand so far apart.
///
/// # Safety
/// They must be readable.
#[inline(always)]
unsafe fn transform_outputs<S: Simd, const N: usize>(
    simd: S,
    t: &Transform,
    m: *const f32,
    apart: usize,
) -> [[S::f32s; OUTPUTS]; OUTPUTS] {
    let mut rows = [[simd.splat_f32s(0.0); OUTPUTS]; N];
    for (i, row) in rows.iter_mut().enumerate() {
        // SAFETY: the caller's.
        let m = std::array::from_fn(|j| unsafe { load(simd, m.add((i * N + j) * apart)) });
        *row = outputs::<S, N>(simd, t, m);
    }
    let columns: [[S::f32s; OUTPUTS]; OUTPUTS] =
        std::array::from_fn(|j| outputs::<S, N>(simd, t, std::array::from_fn(|i| rows[i][j])));
    std::array::from_fn(|i| std::array::from_fn(|j| columns[j][i]))
}
