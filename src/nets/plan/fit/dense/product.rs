//! The product of a dense layer's weights with vectors of images, tile by tile.

use pulp::{Simd, WithSimd};

use super::super::super::product::{load, store};
use super::super::super::vectors;
use super::super::BatchMemory;

/// A tile of a matrix product for four groups of images.
pub(super) struct Product<'a> {
    pub frames: BatchMemory,
    pub group: usize,
    pub from: usize,
    pub inputs: usize,
    pub to: usize,
    pub first: usize,
    pub count: usize,
    /// The weights from the tile's first one on.
    pub weight: &'a [f32],
    pub strides: (usize, usize),
    pub bias: Option<&'a [f32]>,
    pub relu: bool,
}

impl WithSimd for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match self.count {
            6 => self.halves::<S, 6>(simd),
            5 => self.halves::<S, 5>(simd),
            4 => self.halves::<S, 4>(simd),
            3 => self.halves::<S, 3>(simd),
            2 => self.halves::<S, 2>(simd),
            _ => self.halves::<S, 1>(simd),
        }
    }
}

impl Product<'_> {
    #[inline(always)]
    fn halves<S: Simd, const N: usize>(&self, simd: S) {
        if S::REGISTER_COUNT >= 32 {
            self.tile::<S, N, 4>(simd, self.group);
        } else {
            self.tile::<S, N, 2>(simd, self.group);
            self.tile::<S, N, 2>(simd, self.group + 2);
        }
    }

    #[inline(always)]
    fn tile<S: Simd, const N: usize, const P: usize>(&self, simd: S, group: usize) {
        let lanes = S::F32_LANES;
        let (along, across) = self.strides;
        let mut acc = [[simd.splat_f32s(0.0); P]; N];
        if let Some(bias) = self.bias {
            for (n, acc) in acc.iter_mut().enumerate() {
                *acc = [simd.splat_f32s(bias[self.first + n]); P];
            }
        }
        let last = (self.inputs - 1) * along + (N - 1) * across;
        assert!(last < self.weight.len(), "weights of a tile");
        let mut x = [std::ptr::null::<f32>(); P];
        for (p, x) in x.iter_mut().enumerate() {
            // SAFETY: tensors lie in the frames, and nobody writes to this one now.
            *x = unsafe { self.frames.at(group + p, self.from, lanes).cast_const() };
        }
        // SAFETY: tensors lie in the frames, and the index of the tile's last weight was checked.
        unsafe {
            let weight = self.weight.as_ptr();
            accumulate(simd, &mut acc, (x, self.inputs), weight, self.strides);
        }
        for (n, acc) in acc.iter().enumerate() {
            for (p, sum) in acc.iter().enumerate() {
                let sum = match self.relu {
                    true => vectors::relu(simd, *sum),
                    false => *sum,
                };
                // SAFETY: these elements of the groups belong to this task.
                unsafe {
                    let to = self.frames.at(group + p, self.to + self.first + n, lanes);
                    store(simd, to, sum);
                }
            }
        }
    }
}

/// Adds weight\[n,k\]·x\[p,k\] to acc\[n,p\] for all k in order.
///
/// # Safety
/// `count` vectors must be readable at every x, and all weights with these strides along k and along n.
#[inline(always)]
pub unsafe fn accumulate<S: Simd, const N: usize, const P: usize>(
    simd: S,
    acc: &mut [[S::f32s; P]; N],
    (x, count): ([*const f32; P], usize),
    weight: *const f32,
    (along, across): (usize, usize),
) {
    let lanes = S::F32_LANES;
    let mut sums = *acc;
    for k in 0..count {
        let mut vectors = [simd.splat_f32s(0.0); P];
        for (p, vector) in vectors.iter_mut().enumerate() {
            // SAFETY: the caller's.
            *vector = unsafe { load(simd, x[p].add(k * lanes)) };
        }
        for (n, sums) in sums.iter_mut().enumerate() {
            // SAFETY: the caller's.
            let w = simd.splat_f32s(unsafe { *weight.add(k * along + n * across) });
            for p in 0..P {
                sums[p] = simd.mul_add_f32s(w, vectors[p], sums[p]);
            }
        }
    }
    *acc = sums;
}
