//! The micro-kernels of [`Product`](super::Product) and Winograd.

use pulp::Simd;

use super::super::vectors::{self, load, store};
use super::{Activation, POSITIONS};

/// Sums a tile at four positions, two at a time if registers are few.
///
/// # Safety
/// As for [`Multiply::sum`](super::Multiply).
#[inline(always)]
pub(super) unsafe fn tile_of<S: Simd, const OC: usize>(
    simd: S,
    x: [*const f32; POSITIONS],
    offsets: &[usize],
    weights: *const f32,
    sums: *mut f32,
    bias: Option<*const f32>,
) {
    let lanes = S::F32_LANES;
    // SAFETY: the caller's.
    unsafe {
        if S::REGISTER_COUNT >= 32 {
            kernel::<S, OC, 4>(simd, x, offsets, weights, sums, bias);
        } else {
            let [a, b, c, d] = x;
            kernel::<S, OC, 2>(simd, [a, b], offsets, weights, sums, bias);
            kernel::<S, OC, 2>(simd, [c, d], offsets, weights, sums.add(2 * lanes), bias);
        }
    }
}

/// The micro-kernel. Sums start from the bias or, without one, from their stored values.
///
/// # Safety
/// A vector must be readable at every x plus every offset; weights \[offsets,OC\] and bias \[OC\] must be readable,
/// and sums \[OC,POSITIONS\] readable and writable.
#[inline(always)]
unsafe fn kernel<S: Simd, const OC: usize, const P: usize>(
    simd: S,
    x: [*const f32; P],
    offsets: &[usize],
    weights: *const f32,
    sums: *mut f32,
    bias: Option<*const f32>,
) {
    let lanes = S::F32_LANES;
    // SAFETY: the caller's.
    unsafe {
        let mut acc: [[S::f32s; P]; OC] = match bias {
            Some(bias) => std::array::from_fn(|oc| [simd.splat_f32s(*bias.add(oc)); P]),
            None => std::array::from_fn(|oc| {
                std::array::from_fn(|p| load(simd, sums.add((oc * POSITIONS + p) * lanes)))
            }),
        };
        let mut weights = weights;
        for &offset in offsets {
            let x: [S::f32s; P] = std::array::from_fn(|p| load(simd, x[p].add(offset)));
            for (oc, acc) in acc.iter_mut().enumerate() {
                let weight = simd.splat_f32s(*weights.add(oc));
                for p in 0..P {
                    acc[p] = simd.mul_add_f32s(weight, x[p], acc[p]);
                }
            }
            weights = weights.add(OC);
        }
        for (oc, acc) in acc.iter().enumerate() {
            for (p, sum) in acc.iter().enumerate() {
                store(simd, sums.add((oc * POSITIONS + p) * lanes), *sum);
            }
        }
    }
}

/// Sums a tile of `count` channels at four adjacent positions. `x` is (pointer, floats from one k to the next, number
/// of k) of \[k,POSITIONS\]; weights are \[k,count\]; sums are \[count,POSITIONS\].
///
/// # Safety
/// `x` and the weights must be readable, the sums writable.
#[inline(always)]
pub unsafe fn adjacent_sums<S: Simd>(
    simd: S,
    count: usize,
    x: (*const f32, usize, usize),
    weights: *const f32,
    sums: *mut f32,
) {
    // SAFETY: the caller's.
    unsafe {
        match count {
            6 => adjacent_tile::<S, 6>(simd, x, weights, sums),
            5 => adjacent_tile::<S, 5>(simd, x, weights, sums),
            4 => adjacent_tile::<S, 4>(simd, x, weights, sums),
            3 => adjacent_tile::<S, 3>(simd, x, weights, sums),
            2 => adjacent_tile::<S, 2>(simd, x, weights, sums),
            _ => adjacent_tile::<S, 1>(simd, x, weights, sums),
        }
    }
}

/// Sums a tile at four adjacent positions, two at a time if registers are few.
///
/// # Safety
/// As for [`adjacent_sums`].
#[inline(always)]
unsafe fn adjacent_tile<S: Simd, const OC: usize>(
    simd: S,
    (x, step, count): (*const f32, usize, usize),
    weights: *const f32,
    sums: *mut f32,
) {
    let lanes = S::F32_LANES;
    // SAFETY: the caller's.
    unsafe {
        if S::REGISTER_COUNT >= 32 {
            adjacent::<S, OC, 4>(simd, (x, step, count), weights, sums);
        } else {
            adjacent::<S, OC, 2>(simd, (x, step, count), weights, sums);
            let x = x.add(2 * lanes);
            adjacent::<S, OC, 2>(simd, (x, step, count), weights, sums.add(2 * lanes));
        }
    }
}

/// The micro-kernel for adjacent positions.
///
/// # Safety
/// As for [`adjacent_sums`].
#[inline(always)]
unsafe fn adjacent<S: Simd, const OC: usize, const P: usize>(
    simd: S,
    (x, step, count): (*const f32, usize, usize),
    weights: *const f32,
    sums: *mut f32,
) {
    let lanes = S::F32_LANES;
    let mut acc = [[simd.splat_f32s(0.0); P]; OC];
    let (mut x, mut weights) = (x, weights);
    // SAFETY: the caller's.
    unsafe {
        for _ in 0..count {
            let inputs: [S::f32s; P] = std::array::from_fn(|p| load(simd, x.add(p * lanes)));
            for (oc, acc) in acc.iter_mut().enumerate() {
                let weight = simd.splat_f32s(*weights.add(oc));
                for p in 0..P {
                    acc[p] = simd.mul_add_f32s(weight, inputs[p], acc[p]);
                }
            }
            weights = weights.add(OC);
            x = x.wrapping_add(step);
        }
        for (oc, acc) in acc.iter().enumerate() {
            for (p, sum) in acc.iter().enumerate() {
                store(simd, sums.add((oc * POSITIONS + p) * lanes), *sum);
            }
        }
    }
}

/// Applies an activation to sums.
#[inline(always)]
pub fn activate<S: Simd>(simd: S, x: S::f32s, activation: Activation) -> S::f32s {
    match activation {
        Activation::None => x,
        Activation::Relu => vectors::relu(simd, x),
        Activation::Clip(min, max) => {
            let above = vectors::at_least(simd, x, simd.splat_f32s(min));
            vectors::at_most(simd, above, simd.splat_f32s(max))
        }
    }
}
