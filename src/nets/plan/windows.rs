//! 2×2 max pooling in training: with each maximum it stores the index of the chosen sum in its window, so that the backward
//! pass can route gradients without the sums.

use pulp::Simd;

use super::layout::TensorSlot;
use super::vectors::{self, load};

/// Rows and columns of a window.
pub const SIDE: usize = 2;

/// The index stored for a window whose maximum the ReLU sets to zero.
const STOPPED: f32 = -1.0;

/// The largest of the four sums of a window, and its index in row-major order, 0 to 3; the first of equal sums. With
/// `relu`, a maximum that is not above zero becomes zero, with the index −1.
#[inline(always)]
pub fn choose<S: Simd>(simd: S, sums: [S::f32s; SIDE * SIDE], relu: bool) -> [S::f32s; 2] {
    let mut max = sums[0];
    let mut chosen = simd.splat_f32s(0.0);
    for (index, &sum) in sums.iter().enumerate().skip(1) {
        let larger = simd.less_than_f32s(max, sum);
        chosen = simd.select_f32s(larger, simd.splat_f32s(index as f32), chosen);
        max = simd.select_f32s(larger, sum, max);
    }
    if relu {
        let zero = simd.splat_f32s(0.0);
        let passes = simd.less_than_f32s(zero, max);
        chosen = simd.select_f32s(passes, chosen, simd.splat_f32s(STOPPED));
        max = vectors::relu(simd, max);
    }
    [max, chosen]
}

/// The gradients of the sums of pooled windows.
#[derive(Debug, Clone, Copy)]
pub struct Windows {
    /// Channels, rows and columns of the sums. Sums outside all windows have no gradient.
    pub shape: [usize; 3],
    /// The gradient of the maxima.
    pub gradient: TensorSlot,
    /// The index of each maximum in its window, see [`choose`].
    pub chosen: TensorSlot,
}

impl Windows {
    /// The gradients of the four sums of a window. `address` maps an offset in the frame to its address.
    ///
    /// # Safety
    /// The window's gradient and index must be readable.
    #[inline(always)]
    pub unsafe fn window<S: Simd>(
        &self,
        simd: S,
        address: impl Fn(usize) -> *const f32,
        [channel, row, column]: [usize; 3],
    ) -> [S::f32s; SIDE * SIDE] {
        let pointer = |slot: &TensorSlot| address(slot.origin + slot.offset(channel, row, column));
        // SAFETY: the caller's.
        let (gradient, chosen) = unsafe {
            (
                load(simd, pointer(&self.gradient)),
                load(simd, pointer(&self.chosen)),
            )
        };
        let zero = simd.splat_f32s(0.0);
        let mut gradients = [zero; SIDE * SIDE];
        for (index, gradient_of_sum) in gradients.iter_mut().enumerate() {
            let hit = simd.equal_f32s(chosen, simd.splat_f32s(index as f32));
            *gradient_of_sum = simd.select_f32s(hit, gradient, zero);
        }
        gradients
    }

    /// The gradient of a window's maximum, or zero if the ReLU blocks it.
    ///
    /// # Safety
    /// As for [`Self::window`].
    #[inline(always)]
    pub unsafe fn passed<S: Simd>(
        &self,
        simd: S,
        address: impl Fn(usize) -> *const f32,
        [channel, row, column]: [usize; 3],
    ) -> S::f32s {
        let pointer = |slot: &TensorSlot| address(slot.origin + slot.offset(channel, row, column));
        // SAFETY: the caller's.
        let (gradient, chosen) = unsafe {
            (
                load(simd, pointer(&self.gradient)),
                load(simd, pointer(&self.chosen)),
            )
        };
        let zero = simd.splat_f32s(0.0);
        let stopped = simd.less_than_f32s(chosen, zero);
        simd.select_f32s(stopped, zero, gradient)
    }
}

/// The gradients of a convolution's sums.
#[derive(Debug, Clone, Copy)]
pub enum SumGradients {
    /// Stored one by one.
    Each(TensorSlot),
    /// One sum of every 2×2 window has the gradient of the window's maximum; the others have none.
    Windows(Windows),
}

impl SumGradients {
    /// Channels, rows and columns of the sums.
    pub fn shape(&self) -> [usize; 3] {
        match self {
            Self::Each(slot) => [slot.channels, slot.rows, slot.columns],
            Self::Windows(windows) => windows.shape,
        }
    }

    /// The gradients of N×N sums, zero past the last row and column; the first row and column must be even. `address`
    /// maps an offset in the frame to its address.
    ///
    /// # Safety
    /// They must be readable.
    #[inline(always)]
    pub unsafe fn tile<S: Simd, const N: usize>(
        &self,
        simd: S,
        address: impl Fn(usize) -> *const f32,
        [channel, row, column]: [usize; 3],
    ) -> [[S::f32s; N]; N] {
        let mut tile = [[simd.splat_f32s(0.0); N]; N];
        match self {
            Self::Each(slot) => {
                for (y, row_of_tile) in tile.iter_mut().enumerate().take(slot.rows - row) {
                    for (x, gradient) in row_of_tile
                        .iter_mut()
                        .enumerate()
                        .take(slot.columns - column)
                    {
                        let offset = slot.origin + slot.offset(channel, row + y, column + x);
                        // SAFETY: the caller's.
                        *gradient = unsafe { load(simd, address(offset)) };
                    }
                }
            }
            Self::Windows(windows) => {
                let (top, left) = (row / SIDE, column / SIDE);
                let rows = (windows.gradient.rows - top.min(windows.gradient.rows)).min(N / SIDE);
                let columns = windows.gradient.columns - left.min(windows.gradient.columns);
                for y in 0..rows {
                    for x in 0..columns.min(N / SIDE) {
                        let window = [channel, top + y, left + x];
                        // SAFETY: the caller's.
                        let [a, b, c, d] = unsafe { windows.window(simd, &address, window) };
                        (tile[SIDE * y][SIDE * x], tile[SIDE * y][SIDE * x + 1]) = (a, b);
                        (
                            tile[SIDE * y + 1][SIDE * x],
                            tile[SIDE * y + 1][SIDE * x + 1],
                        ) = (c, d);
                    }
                }
            }
        }
        tile
    }
}
