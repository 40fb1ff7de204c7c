//! Winograd convolutions: fewer multiplications for the same sums.
//!
//! Winograd, *Arithmetic complexity of computations* (1980); Lavin & Gray, *Fast algorithms for
//! convolutional neural networks* (CVPR 2016). Along one axis, four outputs of a kernel with r taps take n = 4 + r − 1
//! multiplications instead of 4·r: y = Aᵀ\[(G g) ⊙ (Bᵀ d)\] with the points 0, ±1, ±2, ±½ and ∞ (as many as n
//! requires). Points come in pairs ±a, so Bᵀ and Aᵀ are sums and differences of even and odd halves.
//!
//! [`Squares`] transform along both axes, F(4×4, r×r), so that sixteen outputs take n² multiplications instead of 16·r²;
//! [`Rows`] only along rows, which costs less of everything else. As elsewhere, each lane is one chain of operations, so
//! results are bit-identical for any batch and vector width; they differ from the direct convolution in the last digits.

mod basis;
mod choice;
mod pack;
mod rows;
mod squares;
mod transform;

use std::sync::Arc;

use pulp::{Simd, WithSimd};

use super::layout::{MemoryAreas, TensorSlot};
use super::product::{Activation, activate, store};
use super::{vectors, windows};
use crate::nets::graph::NodeId;
pub use choice::{KernelShape, Variant};
pub use rows::Rows;
pub use squares::{Squares, transform_inputs};
use transform::MAX_POINTS;
pub use transform::{TILE_OUTPUTS, Transform};

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
    /// Whether it transforms squares or rows.
    pub form: Form,
    /// Transformed kernels: of squares ordered by tile, point, input channel, and channel of the tile
    /// ([`Transform::pack_squares`]); of rows by output channel, input channel, kernel row, and point
    /// ([`Transform::pack_rows`]).
    pub weights: Arc<[f32]>,
    /// One per output channel.
    pub bias: Arc<[f32]>,
    /// Rows and columns of the convolution's outputs.
    pub size: (usize, usize),
    /// Whether 2×2 max pooling is fused.
    pub pooled: bool,
    /// The activation applied to the sums.
    pub activation: Activation,
}

/// What a Winograd convolution transforms.
#[derive(Debug, Clone)]
pub enum Form {
    /// Squares of 4×4 outputs.
    Squares(Squares),
    /// Four adjacent outputs of a row.
    Rows(Rows),
}

impl Winograd {
    /// Its name in the breakdown of a trial.
    pub fn label(&self) -> &'static str {
        match self.form {
            Form::Squares(_) => "winograd",
            Form::Rows(_) => "winograd along rows",
        }
    }

    /// Floats of scratch memory for its transformed inputs and sums.
    pub fn scratch_len(&self, lanes: usize) -> usize {
        let (n, channels) = (self.transform.points, self.from.channels);
        match &self.form {
            Form::Squares(squares) => squares.scratch_len(n, channels, lanes),
            Form::Rows(rows) => rows.scratch_len(n, channels, self.size, lanes),
        }
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
        match (&self.winograd.form, self.winograd.transform.points) {
            (Form::Squares(squares), MAX_POINTS) => self.convolve_squares::<S, 8>(simd, squares),
            (Form::Squares(squares), _) => self.convolve_squares::<S, 6>(simd, squares),
            (Form::Rows(rows), MAX_POINTS) => self.convolve_rows::<S, 8, 4>(simd, rows),
            (Form::Rows(rows), _) => self.convolve_rows::<S, 6, 3>(simd, rows),
        }
    }
}

impl WinogradOnGroup<'_> {
    /// Writes the part of a tile of R×4 outputs, R even, that lies inside the tensor.
    ///
    /// # Safety
    /// The tensor must lie inside the memory.
    #[inline(always)]
    unsafe fn write<S: Simd, const R: usize>(
        &self,
        simd: S,
        y: [[S::f32s; TILE_OUTPUTS]; R],
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
            for i in 0..R / 2 {
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
                        let halves = [vectors::max(simd, a, b), vectors::max(simd, c_, d)];
                        let most = vectors::max(simd, halves[0], halves[1]);
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
