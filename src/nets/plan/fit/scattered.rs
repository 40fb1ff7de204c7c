//! Gradients of the input of a convolution without padding, tap by tap: the gradient of each sum is scattered to the
//! inputs of that sum, so that nothing is multiplied by zeros around the sums.

use pulp::{Simd, WithSimd};

use super::super::layout::TensorSlot;
use super::super::product::{Tile, channel_tiles, load, store};
use super::BatchMemory;

/// Adjacent sums of a row that are processed together: with 32 registers, and with fewer.
const TOGETHER: [usize; 2] = [4, 2];

/// The backward pass of a convolution to its input.
#[derive(Debug)]
pub struct Scattered {
    taps: usize,
    /// The gradients of the sums.
    from: TensorSlot,
    /// The gradients of the inputs.
    to: TensorSlot,
    /// Tiles of the input channels.
    tiles: Vec<Tile>,
    /// Weights, ordered by tap, tile, output channel, and channel of the tile.
    weights: Vec<f32>,
}

impl Scattered {
    /// For a convolution without padding; `from` are the gradients of its sums, `to` those of its inputs.
    pub fn new(taps: usize, from: TensorSlot, to: TensorSlot) -> Self {
        Self {
            taps,
            from,
            to,
            tiles: channel_tiles(to.channels),
            weights: Vec::new(),
        }
    }

    /// Packs the kernels of the convolution, row-major \[outputs,inputs,taps,taps\].
    pub fn take(&mut self, kernels: &[f32]) {
        let (inputs, outputs) = (self.to.channels, self.from.channels);
        let area = self.taps * self.taps;
        self.weights.clear();
        self.weights.reserve(self.packed_len());
        for tap in 0..area {
            for tile in &self.tiles {
                for output in 0..outputs {
                    let channels = tile.first..tile.first + tile.count;
                    let kernel = |input: usize| kernels[(output * inputs + input) * area + tap];
                    self.weights.extend(channels.map(kernel));
                }
            }
        }
        debug_assert_eq!(self.weights.len(), self.packed_len());
    }

    /// Floats of the packed weights, also before they are packed.
    pub fn packed_len(&self) -> usize {
        self.to.channels * self.from.channels * self.taps * self.taps
    }
}

/// The backward pass of one group of images.
pub struct OnGroup<'a> {
    pub scattered: &'a Scattered,
    pub frames: BatchMemory,
    pub group: usize,
}

impl WithSimd for OnGroup<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let lanes = S::F32_LANES;
        let layer = self.scattered;
        for channel in 0..layer.to.channels {
            for row in 0..layer.to.rows {
                for column in 0..layer.to.columns {
                    let offset = layer.to.origin + layer.to.offset(channel, row, column);
                    // SAFETY: the value lies in the frame of the group, which is this task's.
                    unsafe {
                        let to = self.frames.at(self.group, offset, lanes);
                        store(simd, to, simd.splat_f32s(0.0));
                    }
                }
            }
        }
        let max_sums = TOGETHER[usize::from(S::REGISTER_COUNT < 32)];
        for row in 0..layer.from.rows {
            let mut column = 0;
            while column < layer.from.columns {
                column += match (layer.from.columns - column).min(max_sums) {
                    4 => self.sums::<S, 4>(simd, (row, column)),
                    2 | 3 => self.sums::<S, 2>(simd, (row, column)),
                    _ => self.sums::<S, 1>(simd, (row, column)),
                };
            }
        }
    }
}

impl OnGroup<'_> {
    /// Adds the gradients of P adjacent sums of a row, of all channels, to those of their inputs. Returns P.
    #[inline(always)]
    fn sums<S: Simd, const P: usize>(&self, simd: S, (row, column): (usize, usize)) -> usize {
        let layer = self.scattered;
        let mut weights = layer.weights.as_ptr();
        let first = layer.from.origin + layer.from.offset(0, row, column);
        // SAFETY: values lie in the frame; without padding every tap of a sum meets an input. Weights are as long as
        // taps, tiles and channels say.
        unsafe {
            let d = self.frames.at(self.group, first, S::F32_LANES).cast_const();
            for tap in 0..layer.taps * layer.taps {
                let (row, column) = (row + tap / layer.taps, column + tap % layer.taps);
                for tile in &layer.tiles {
                    let offset = layer.to.origin + layer.to.offset(tile.first, row, column);
                    let to = self.frames.at(self.group, offset, S::F32_LANES);
                    match tile.count {
                        6 => self.add::<S, 6, P>(simd, d, weights, to),
                        5 => self.add::<S, 5, P>(simd, d, weights, to),
                        4 => self.add::<S, 4, P>(simd, d, weights, to),
                        3 => self.add::<S, 3, P>(simd, d, weights, to),
                        2 => self.add::<S, 2, P>(simd, d, weights, to),
                        _ => self.add::<S, 1, P>(simd, d, weights, to),
                    }
                    weights = weights.add(layer.from.channels * tile.count);
                }
            }
        }
        P
    }

    /// Adds the contribution of one tap: from the gradients of P sums of all output channels to those of I input channels.
    ///
    /// # Safety
    /// The gradients of the sums must be readable from the first channel on, those of the inputs writable, and the
    /// weights of the tap and the tile readable.
    #[inline(always)]
    unsafe fn add<S: Simd, const I: usize, const P: usize>(
        &self,
        simd: S,
        d: *const f32,
        weights: *const f32,
        to: *mut f32,
    ) {
        let lanes = S::F32_LANES;
        let layer = self.scattered;
        let (sum_plane, input_plane) = (
            layer.from.padded_plane() * lanes,
            layer.to.padded_plane() * lanes,
        );
        let mut acc = [[simd.splat_f32s(0.0); P]; I];
        // SAFETY: the caller's.
        unsafe {
            for (i, acc) in acc.iter_mut().enumerate() {
                for (p, acc) in acc.iter_mut().enumerate() {
                    *acc = load(simd, to.add(i * input_plane + p * lanes));
                }
            }
            let (mut d, mut weights) = (d, weights);
            for _ in 0..layer.from.channels {
                let mut x = [simd.splat_f32s(0.0); P];
                for (p, x) in x.iter_mut().enumerate() {
                    *x = load(simd, d.add(p * lanes));
                }
                for (i, acc) in acc.iter_mut().enumerate() {
                    let weight = simd.splat_f32s(*weights.add(i));
                    for p in 0..P {
                        acc[p] = simd.mul_add_f32s(weight, x[p], acc[p]);
                    }
                }
                d = d.add(sum_plane);
                weights = weights.add(I);
            }
            for (i, acc) in acc.iter().enumerate() {
                for (p, acc) in acc.iter().enumerate() {
                    store(simd, to.add(i * input_plane + p * lanes), *acc);
                }
            }
        }
    }
}
