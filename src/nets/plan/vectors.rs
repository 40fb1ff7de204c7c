//! Unaligned loads and stores of vectors, and maxima and minima that keep what is not a number.

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

/// max(x, bound), or NaN if x is NaN. What [`Simd::max_f32s`] makes of NaN depends on the processor: zero, for example,
/// would look like an answer of the network.
#[inline(always)]
pub fn at_least<S: Simd>(simd: S, x: S::f32s, bound: S::f32s) -> S::f32s {
    simd.select_f32s(simd.less_than_or_equal_f32s(x, bound), bound, x)
}

/// min(x, bound), or NaN if x is NaN.
#[inline(always)]
pub fn at_most<S: Simd>(simd: S, x: S::f32s, bound: S::f32s) -> S::f32s {
    simd.select_f32s(simd.less_than_or_equal_f32s(bound, x), bound, x)
}

/// The larger of two numbers, or NaN if either is NaN.
#[inline(always)]
pub fn max<S: Simd>(simd: S, a: S::f32s, b: S::f32s) -> S::f32s {
    or_nan(simd, simd.max_f32s(a, b), [a, b])
}

/// The smaller of two numbers, or NaN if either is NaN.
#[inline(always)]
pub fn min<S: Simd>(simd: S, a: S::f32s, b: S::f32s) -> S::f32s {
    or_nan(simd, simd.min_f32s(a, b), [a, b])
}

/// The maximum or minimum of two numbers, or NaN if either is NaN.
#[inline(always)]
fn or_nan<S: Simd>(simd: S, extremum: S::f32s, [a, b]: [S::f32s; 2]) -> S::f32s {
    let extremum = simd.select_f32s(simd.equal_f32s(a, a), extremum, a);
    // If b is NaN, vectors have it already: those of x86 give the second operand, those of ARM NaN.
    match S::F32_LANES {
        1 => simd.select_f32s(simd.equal_f32s(b, b), extremum, b),
        _ => extremum,
    }
}

/// max(x, 0), or NaN if x is NaN.
#[inline(always)]
pub fn relu<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    at_least(simd, x, simd.splat_f32s(0.0))
}
