//! Unaligned loads and stores of vectors, and the ReLU of training.

use pulp::Simd;

/// Loads a vector from memory, which need not be aligned.
///
/// # Safety
/// It must be readable.
#[inline(always)]
pub unsafe fn load<S: Simd>(_: S, from: *const f32) -> S::f32s {
    // SAFETY: see above; any bits are valid floats.
    unsafe { from.cast::<S::f32s>().read_unaligned() }
}

/// Stores a vector to memory, which need not be aligned.
///
/// # Safety
/// It must be writable.
#[inline(always)]
pub unsafe fn store<S: Simd>(_: S, to: *mut f32, value: S::f32s) {
    // SAFETY: the caller's.
    unsafe { to.cast::<S::f32s>().write_unaligned(value) }
}

/// max(x, 0) that leaves NaN, so that the loss shows it: a maximum of NaN and zero is zero on some processors.
#[inline(always)]
pub fn relu<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let zero = simd.splat_f32s(0.0);
    simd.select_f32s(simd.less_than_f32s(x, zero), zero, x)
}
