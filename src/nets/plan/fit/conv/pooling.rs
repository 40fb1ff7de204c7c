//! Max pooling and ReLU after a convolution: forward and backward pass of one group of images.

use pulp::{Simd, WithSimd};

use super::super::super::layout::TensorSlot;
use super::super::super::product::{load, store};
use super::super::super::vectors;
use super::super::super::windows::{self, Windows};
use super::super::BatchMemory;
use super::Convolution;

/// The sums of a group of images, before max pooling and ReLU.
pub(super) struct GroupSums<'a> {
    pub layer: &'a Convolution,
    pub sums: TensorSlot,
    pub frames: BatchMemory,
    pub group: usize,
}

/// Max pooling and ReLU.
pub(super) struct PoolForward<'a>(pub GroupSums<'a>);

impl WithSimd for PoolForward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let lanes = S::F32_LANES;
        let place = self.0;
        let (layer, sums) = (place.layer, place.sums);
        let [height, width] = layer.window;
        // SAFETY: tensors lie in the frame of the group, which belongs to this task.
        let pointer = |number: usize| unsafe { place.frames.at(place.group, number, lanes) };
        for channel in 0..layer.to.channels {
            for row in 0..layer.to.rows {
                for column in 0..layer.to.columns {
                    let first = sums.offset(channel, row * height, column * width);
                    // SAFETY: as above.
                    let mut max = unsafe { load(simd, pointer(sums.origin + first)) };
                    for tap in 1..height * width {
                        let (row, column) =
                            (row * height + tap / width, column * width + tap % width);
                        let offset = sums.origin + sums.offset(channel, row, column);
                        // SAFETY: as above.
                        let sum = unsafe { load(simd, pointer(offset)) };
                        max = simd.select_f32s(simd.less_than_f32s(max, sum), sum, max);
                    }
                    if layer.relu {
                        max = vectors::relu(simd, max);
                    }
                    let offset = layer.to.origin + layer.to.offset(channel, row, column);
                    // SAFETY: as above.
                    unsafe { store(simd, pointer(offset), max) };
                }
            }
        }
    }
}

/// The backward pass of max pooling and ReLU: routes the gradient of the output to the first maximum of every window, if
/// the ReLU passes it.
pub(super) struct PoolBackward<'a>(pub GroupSums<'a>);

impl WithSimd for PoolBackward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let lanes = S::F32_LANES;
        let place = self.0;
        let (layer, sums) = (place.layer, place.sums);
        let [height, width] = layer.window;
        let zero = simd.splat_f32s(0.0);
        // SAFETY: tensors lie in the frame of the group, which belongs to this task.
        let pointer = |number: usize| unsafe { place.frames.at(place.group, number, lanes) };
        // Sums outside all windows have no gradient.
        let rows = layer.to.rows * height..sums.rows;
        let columns = layer.to.columns * width..sums.columns;
        for channel in 0..layer.to.channels {
            for row in 0..sums.rows {
                for column in 0..sums.columns {
                    if rows.contains(&row) || columns.contains(&column) {
                        let offset = sums.origin + sums.offset(channel, row, column);
                        // SAFETY: as above.
                        unsafe { store(simd, pointer(offset), zero) };
                    }
                }
            }
            for row in 0..layer.to.rows {
                for column in 0..layer.to.columns {
                    let offset = |tap: usize| {
                        let (row, column) =
                            (row * height + tap / width, column * width + tap % width);
                        sums.origin + sums.offset(channel, row, column)
                    };
                    let gradient_offset =
                        layer.gradient.origin + layer.gradient.offset(channel, row, column);
                    // SAFETY: as above.
                    let mut gradient = unsafe { load(simd, pointer(gradient_offset)) };
                    let mut max = simd.splat_f32s(f32::NEG_INFINITY);
                    for tap in 0..height * width {
                        // SAFETY: as above.
                        max = simd.max_f32s(max, unsafe { load(simd, pointer(offset(tap))) });
                    }
                    if layer.relu {
                        let passes = simd.less_than_f32s(zero, max);
                        gradient = simd.select_f32s(passes, gradient, zero);
                    }
                    for tap in 0..height * width {
                        // SAFETY: as above.
                        unsafe {
                            let sum = pointer(offset(tap));
                            let hit = simd.equal_f32s(load(simd, sum), max);
                            store(simd, sum, simd.select_f32s(hit, gradient, zero));
                            gradient = simd.select_f32s(hit, zero, gradient);
                        }
                    }
                }
            }
        }
    }
}

/// The backward pass of max pooling with stored indices: writes the gradient of every sum.
pub(super) struct Unpool {
    pub windows: Windows,
    pub sums: TensorSlot,
    pub frames: BatchMemory,
    pub group: usize,
}

impl WithSimd for Unpool {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let lanes = S::F32_LANES;
        let sums = self.sums;
        let maxima = self.windows.gradient;
        // SAFETY: values lie in the frame of the group, which is this task's.
        let pointer = |number: usize| unsafe { self.frames.at(self.group, number, lanes) };
        let zero = simd.splat_f32s(0.0);
        for channel in 0..sums.channels {
            for row in 0..sums.rows {
                let has_windows = row / windows::SIDE < maxima.rows;
                let first = match has_windows {
                    true => maxima.columns * windows::SIDE,
                    false => 0,
                };
                for column in first..sums.columns {
                    let to = pointer(sums.origin + sums.offset(channel, row, column));
                    // SAFETY: as above. No window holds these sums.
                    unsafe { store(simd, to, zero) };
                }
            }
            for row in 0..maxima.rows {
                for column in 0..maxima.columns {
                    let element = |number| pointer(number).cast_const();
                    // SAFETY: as above.
                    let gradients =
                        unsafe { self.windows.window(simd, element, [channel, row, column]) };
                    for (index, gradient) in gradients.into_iter().enumerate() {
                        let (y, x) = (index / windows::SIDE, index % windows::SIDE);
                        let (y, x) = (row * windows::SIDE + y, column * windows::SIDE + x);
                        // SAFETY: as above.
                        unsafe {
                            store(
                                simd,
                                pointer(sums.origin + sums.offset(channel, y, x)),
                                gradient,
                            )
                        };
                    }
                }
            }
        }
    }
}
