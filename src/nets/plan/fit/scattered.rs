//! Gradients by the inputs of a convolution without padding, tap by tap: each sum's gradient is added to the inputs that
//! the sum was made of, so that nothing is multiplied by the zeros around the sums.

use pulp::{Simd, WithSimd};

use super::super::layout::TensorSlot;
use super::super::product::{Tile, channel_tiles, load, store};
use super::BatchMemory;

/// Sums of a row that are taken together, with many registers and with few.
const TOGETHER: [usize; 2] = [4, 2];

/// The way back of a convolution.
#[derive(Debug)]
pub struct Scattered {
    taps: usize,
    /// The gradients by the sums.
    from: TensorSlot,
    /// Those by the inputs.
    to: TensorSlot,
    /// Tiles of the input channels.
    tiles: Vec<Tile>,
    /// By tap, tile, output channel and channel of the tile.
    weights: Vec<f32>,
}

impl Scattered {
    /// Of a convolution without padding that sums in `from` and whose inputs have their gradients in `to`.
    pub fn new(taps: usize, from: TensorSlot, to: TensorSlot) -> Self {
        Self {
            taps,
            from,
            to,
            tiles: channel_tiles(to.channels),
            weights: Vec::new(),
        }
    }

    /// Takes the kernels of the convolution, an output and then an input channel, row-major.
    pub fn take(&mut self, kernels: &[f32]) {
        let (inputs, outputs) = (self.to.channels, self.from.channels);
        let area = self.taps * self.taps;
        self.weights.clear();
        self.weights.reserve(kernels.len());
        for tap in 0..area {
            for tile in &self.tiles {
                for output in 0..outputs {
                    let channels = tile.first..tile.first + tile.count;
                    let kernel = |input: usize| kernels[(output * inputs + input) * area + tap];
                    self.weights.extend(channels.map(kernel));
                }
            }
        }
    }

    /// Channels of the sums and of the inputs.
    pub fn channels(&self) -> (usize, usize) {
        (self.from.channels, self.to.channels)
    }
}

/// The way back of one group of images.
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
        let own = self.scattered;
        for channel in 0..own.to.channels {
            for row in 0..own.to.rows {
                for column in 0..own.to.columns {
                    let number = own.to.origin + own.to.offset(channel, row, column);
                    // SAFETY: the value stands in the frame of the group, which is this task's.
                    unsafe {
                        let to = self.frames.at(self.group, number, lanes);
                        store(simd, to, simd.splat_f32s(0.0));
                    }
                }
            }
        }
        let most = TOGETHER[usize::from(S::REGISTER_COUNT < 32)];
        for row in 0..own.from.rows {
            let mut column = 0;
            while column < own.from.columns {
                column += match (own.from.columns - column).min(most) {
                    4 => self.sums::<S, 4>(simd, (row, column)),
                    2 | 3 => self.sums::<S, 2>(simd, (row, column)),
                    _ => self.sums::<S, 1>(simd, (row, column)),
                };
            }
        }
    }
}

impl OnGroup<'_> {
    /// Adds the gradients by P sums of a row, of all channels, to those by their inputs; gives P.
    #[inline(always)]
    fn sums<S: Simd, const P: usize>(&self, simd: S, (row, column): (usize, usize)) -> usize {
        let own = self.scattered;
        let mut weights = own.weights.as_ptr();
        let first = own.from.origin + own.from.offset(0, row, column);
        // SAFETY: values stand in the frame; without padding every tap of a sum meets an input. Weights are as long as
        // taps, tiles and channels say.
        unsafe {
            let d = self.frames.at(self.group, first, S::F32_LANES).cast_const();
            for tap in 0..own.taps * own.taps {
                let (row, column) = (row + tap / own.taps, column + tap % own.taps);
                for tile in &own.tiles {
                    let number = own.to.origin + own.to.offset(tile.first, row, column);
                    let to = self.frames.at(self.group, number, S::F32_LANES);
                    match tile.count {
                        6 => self.add::<S, 6, P>(simd, d, weights, to),
                        5 => self.add::<S, 5, P>(simd, d, weights, to),
                        4 => self.add::<S, 4, P>(simd, d, weights, to),
                        3 => self.add::<S, 3, P>(simd, d, weights, to),
                        2 => self.add::<S, 2, P>(simd, d, weights, to),
                        _ => self.add::<S, 1, P>(simd, d, weights, to),
                    }
                    weights = weights.add(own.from.channels * tile.count);
                }
            }
        }
        P
    }

    /// Adds what the gradients by P sums of all output channels contribute at a tap to those by I input channels.
    ///
    /// # Safety
    /// The gradients by the sums must be readable from the first channel on, those by the inputs writable, and the
    /// weights of the tap and the tile be there.
    #[inline(always)]
    unsafe fn add<S: Simd, const I: usize, const P: usize>(
        &self,
        simd: S,
        d: *const f32,
        weights: *const f32,
        to: *mut f32,
    ) {
        let lanes = S::F32_LANES;
        let own = self.scattered;
        let (from, into) = (
            own.from.padded_plane() * lanes,
            own.to.padded_plane() * lanes,
        );
        let mut acc = [[simd.splat_f32s(0.0); P]; I];
        // SAFETY: the caller's.
        unsafe {
            for (i, acc) in acc.iter_mut().enumerate() {
                for (p, acc) in acc.iter_mut().enumerate() {
                    *acc = load(simd, to.add(i * into + p * lanes));
                }
            }
            let (mut d, mut weights) = (d, weights);
            for _ in 0..own.from.channels {
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
                d = d.add(from);
                weights = weights.add(I);
            }
            for (i, acc) in acc.iter().enumerate() {
                for (p, acc) in acc.iter().enumerate() {
                    store(simd, to.add(i * into + p * lanes), *acc);
                }
            }
        }
    }
}
