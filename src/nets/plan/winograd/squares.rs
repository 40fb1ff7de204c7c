//! Winograd convolutions over squares of 4×4 outputs, F(4×4, r×r).

use pulp::Simd;

use super::WinogradOnGroup;
use super::basis::{inputs, outputs};
use super::transform::TILE_OUTPUTS;
use crate::nets::plan::product::{POSITIONS, Tile, adjacent_sums, load, store};

/// Unused vectors between the data of one point and the next: without them, all points of a channel would map to the
/// same few cache sets.
const PAD: usize = 1;

/// The squares of a convolution.
#[derive(Debug, Clone)]
pub struct Squares {
    /// Tiles of output channels.
    pub tiles: Vec<Tile>,
    /// Squares, four at a time: offset of the inputs in floats, and row and column of the outputs.
    pub quads: Vec<[(usize, usize, usize); POSITIONS]>,
}

impl Squares {
    /// The squares of outputs of a size. `base` is the offset in floats of the first input of an output.
    pub fn new(
        tiles: Vec<Tile>,
        (rows, columns): (usize, usize),
        base: impl Fn(usize, usize) -> usize,
    ) -> Self {
        let corners = (0..rows).step_by(TILE_OUTPUTS).flat_map(|row| {
            let columns = (0..columns).step_by(TILE_OUTPUTS);
            columns.map(move |column| (row, column))
        });
        let all: Vec<(usize, usize, usize)> = corners
            .map(|(row, column)| (base(row, column), row, column))
            .collect();
        // The last four may repeat a square.
        let quads = all.chunks(POSITIONS);
        let quads = quads.map(|quad| std::array::from_fn(|i| quad[i.min(quad.len() - 1)]));
        Self {
            tiles,
            quads: quads.collect(),
        }
    }

    /// Floats of scratch memory for the transformed inputs and the sums, with n points along an axis.
    pub(super) fn scratch_len(&self, n: usize, channels: usize, lanes: usize) -> usize {
        let widest = self.tiles.iter().map(|tile| tile.count).max().unwrap_or(0);
        n * n * ((channels + widest) * POSITIONS + 2 * PAD) * lanes
    }
}

impl WinogradOnGroup<'_> {
    #[inline(always)]
    pub(super) fn convolve_squares<S: Simd, const N: usize>(&self, simd: S, squares: &Squares) {
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
        for quad in &squares.quads {
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
            for tile in squares.tiles.iter() {
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
