//! Windows: the most or the mean of each.

use std::ops::Range;
use std::sync::Arc;

use pulp::{Simd, WithSimd};

use super::layout::{Frames, Place};
use super::product::{load, store};

/// The most or the mean of windows, channel by channel.
#[derive(Debug, Clone)]
pub struct Pool {
    /// What it reads.
    pub from: Place,
    /// What it writes.
    pub to: Place,
    /// Whether it is the most, else the mean.
    pub most: bool,
    /// For every position of the result, row-major, its taps in `taps` and what their sum is multiplied
    /// by.
    pub windows: Arc<[(Range<usize>, f32)]>,
    /// Places in a channel, in numbers of one lane.
    pub taps: Arc<[usize]>,
}

/// A pooling on one group of images.
pub struct OnGroup<'a> {
    pub pool: &'a Pool,
    pub frames: Frames,
    pub group: usize,
    pub memory: *mut f32,
}

impl WithSimd for OnGroup<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let lanes = S::F32_LANES;
        let Pool {
            from,
            to,
            most,
            windows,
            taps,
        } = self.pool;
        let (a, b) = (
            self.frames.start(from, self.group),
            self.frames.start(to, self.group),
        );
        for channel in 0..to.channels {
            let first = a + channel * from.plane();
            let mut positions = windows.iter();
            for row in 0..to.rows {
                let into = b + to.offset(channel, row, 0);
                for (column, (own, factor)) in positions.by_ref().take(to.columns).enumerate() {
                    // SAFETY: taps were made of this value's places, and values lie inside the memory.
                    unsafe {
                        let at = |tap: &usize| load(simd, self.memory.add((first + tap) * lanes));
                        let mut own = taps[own.clone()].iter();
                        let Some(tap) = own.next() else {
                            continue;
                        };
                        let mut value = at(tap);
                        for tap in own {
                            value = match most {
                                true => simd.max_f32s(value, at(tap)),
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
