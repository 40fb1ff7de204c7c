//! Max and average pooling.

use std::ops::Range;
use std::sync::Arc;

use pulp::{Simd, WithSimd};

use super::layout::{MemoryAreas, TensorSlot};
use super::vectors::{self, load, store};

/// Max or average pooling, channel by channel.
#[derive(Debug, Clone)]
pub struct Pooling {
    /// Input.
    pub from: TensorSlot,
    /// Output.
    pub to: TensorSlot,
    /// Whether this is max pooling; otherwise average pooling.
    pub is_max: bool,
    /// For every output position, row-major: its range in `taps`, and the factor its sum is multiplied by.
    pub windows: Arc<[(Range<usize>, f32)]>,
    /// Offsets within a channel, in elements per lane.
    pub taps: Arc<[usize]>,
}

/// A pooling step on one group of images.
pub struct PoolingOnGroup<'a> {
    pub pool: &'a Pooling,
    pub frames: MemoryAreas,
    pub group: usize,
    pub memory: *mut f32,
}

impl WithSimd for PoolingOnGroup<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let lanes = S::F32_LANES;
        let Pooling {
            from,
            to,
            is_max: most,
            windows,
            taps,
        } = self.pool;
        let (a, b) = (
            self.frames.start(from, self.group),
            self.frames.start(to, self.group),
        );
        for channel in 0..to.channels {
            let first = a + channel * from.padded_plane();
            let mut positions = windows.iter();
            for row in 0..to.rows {
                let into = b + to.offset(channel, row, 0);
                for (column, (range, factor)) in positions.by_ref().take(to.columns).enumerate() {
                    // SAFETY: the taps were made for this tensor, and tensors lie inside the memory.
                    unsafe {
                        let at = |tap: &usize| load(simd, self.memory.add((first + tap) * lanes));
                        let mut window = taps[range.clone()].iter();
                        let Some(tap) = window.next() else {
                            continue;
                        };
                        let mut value = at(tap);
                        for tap in window {
                            value = match most {
                                true => vectors::max(simd, value, at(tap)),
                                false => simd.add_f32s(value, at(tap)),
                            };
                        }
                        if !most {
                            value = simd.mul_f32s(value, simd.splat_f32s(*factor));
                        }
                        store(simd, self.memory.add((into + column) * lanes), value);
                    }
                }
            }
        }
    }
}
