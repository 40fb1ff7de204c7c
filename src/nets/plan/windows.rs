//! Windows of 2×2 of which the largest sum is passed on, as training needs them: with which of the four it is, so that
//! a gradient finds its way back without the sums.

use pulp::Simd;

use super::layout::TensorSlot;
use super::product::load;

/// Rows and columns of a window.
pub const SIDE: usize = 2;

/// The number of a window whose largest sum the rectifier stops.
const STOPPED: f32 = -1.0;

/// The largest of the four sums of a window, and its number in reading order, 0 to 3; of equal ones the first. With a
/// rectifier a maximum that is not above zero becomes zero and has no number.
#[inline(always)]
pub fn choose<S: Simd>(simd: S, sums: [S::f32s; SIDE * SIDE], relu: bool) -> [S::f32s; 2] {
    let mut most = sums[0];
    let mut chosen = simd.splat_f32s(0.0);
    for (number, &sum) in sums.iter().enumerate().skip(1) {
        let above = simd.less_than_f32s(most, sum);
        chosen = simd.select_f32s(above, simd.splat_f32s(number as f32), chosen);
        most = simd.select_f32s(above, sum, most);
    }
    if relu {
        let zero = simd.splat_f32s(0.0);
        let passes = simd.less_than_f32s(zero, most);
        chosen = simd.select_f32s(passes, chosen, simd.splat_f32s(STOPPED));
        // Not a selection: what is no number stays none.
        most = simd.max_f32s(most, zero);
    }
    [most, chosen]
}

/// The gradients by the sums of windows.
#[derive(Debug, Clone, Copy)]
pub struct Windows {
    /// Channels, rows and columns of the sums. Sums that no window holds have no gradient.
    pub shape: [usize; 3],
    /// The gradient by the maxima.
    pub gradient: TensorSlot,
    /// The number of each maximum, see [`choose`].
    pub chosen: TensorSlot,
}

impl Windows {
    /// The gradients by the four sums of a window; `at` is where a number of the frame stands.
    ///
    /// # Safety
    /// The gradient and the number of the window must be readable.
    #[inline(always)]
    pub unsafe fn window<S: Simd>(
        &self,
        simd: S,
        at: impl Fn(usize) -> *const f32,
        [channel, row, column]: [usize; 3],
    ) -> [S::f32s; SIDE * SIDE] {
        let place = |of: &TensorSlot| at(of.origin + of.offset(channel, row, column));
        // SAFETY: the caller's.
        let (gradient, chosen) = unsafe {
            (
                load(simd, place(&self.gradient)),
                load(simd, place(&self.chosen)),
            )
        };
        let zero = simd.splat_f32s(0.0);
        let mut all = [zero; SIDE * SIDE];
        for (number, own) in all.iter_mut().enumerate() {
            let hit = simd.equal_f32s(chosen, simd.splat_f32s(number as f32));
            *own = simd.select_f32s(hit, gradient, zero);
        }
        all
    }

    /// The gradient by the maximum of a window as far as the rectifier lets it pass.
    ///
    /// # Safety
    /// As for [`Self::window`].
    #[inline(always)]
    pub unsafe fn passed<S: Simd>(
        &self,
        simd: S,
        at: impl Fn(usize) -> *const f32,
        [channel, row, column]: [usize; 3],
    ) -> S::f32s {
        let place = |of: &TensorSlot| at(of.origin + of.offset(channel, row, column));
        // SAFETY: the caller's.
        let (gradient, chosen) = unsafe {
            (
                load(simd, place(&self.gradient)),
                load(simd, place(&self.chosen)),
            )
        };
        let zero = simd.splat_f32s(0.0);
        let stopped = simd.less_than_f32s(chosen, zero);
        simd.select_f32s(stopped, zero, gradient)
    }
}

/// The gradients by the sums of a convolution.
#[derive(Debug, Clone, Copy)]
pub enum SumGradients {
    /// Each where it stands.
    Each(TensorSlot),
    /// One of every window of 2×2 has that by their maximum.
    Windows(Windows),
}

impl SumGradients {
    /// Channels, rows and columns of the sums.
    pub fn shape(&self) -> [usize; 3] {
        match self {
            Self::Each(place) => [place.channels, place.rows, place.columns],
            Self::Windows(windows) => windows.shape,
        }
    }

    /// Those of N×N sums, zero past the last row and column; the first row and column are even. `at` is where a
    /// number of the frame stands.
    ///
    /// # Safety
    /// They must be readable.
    #[inline(always)]
    pub unsafe fn tile<S: Simd, const N: usize>(
        &self,
        simd: S,
        at: impl Fn(usize) -> *const f32,
        [channel, row, column]: [usize; 3],
    ) -> [[S::f32s; N]; N] {
        let mut tile = [[simd.splat_f32s(0.0); N]; N];
        match self {
            Self::Each(place) => {
                for (y, own) in tile.iter_mut().enumerate().take(place.rows - row) {
                    for (x, own) in own.iter_mut().enumerate().take(place.columns - column) {
                        let number = place.origin + place.offset(channel, row + y, column + x);
                        // SAFETY: the caller's.
                        *own = unsafe { load(simd, at(number)) };
                    }
                }
            }
            Self::Windows(windows) => {
                let (first, left) = (row / SIDE, column / SIDE);
                let rows = (windows.gradient.rows - first.min(windows.gradient.rows)).min(N / SIDE);
                let columns = windows.gradient.columns - left.min(windows.gradient.columns);
                for y in 0..rows {
                    for x in 0..columns.min(N / SIDE) {
                        let window = [channel, first + y, left + x];
                        // SAFETY: the caller's.
                        let [a, b, c, d] = unsafe { windows.window(simd, &at, window) };
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
