//! Elementwise functions of one tensor, vectorized.

use pulp::Simd;

use super::vectors::{at_least, at_most};

/// An elementwise function of one tensor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum UnaryFunction {
    /// x.
    Identity,
    /// max(x,0).
    Relu,
    /// x if positive, else slope·x.
    LeakyRelu(f32),
    /// Clamped to a minimum and a maximum.
    Clip(f32, f32),
    /// scale·x + shift.
    Affine(f32, f32),
    /// 1/(1 + exp(−x)).
    Sigmoid,
    /// The hyperbolic tangent.
    Tanh,
    /// x·sigmoid(x).
    Silu,
    /// scale·x + shift, clamped to \[0,1\].
    HardSigmoid(f32, f32),
    /// x times the hard sigmoid of x.
    HardSwish(f32, f32),
    /// eˣ.
    Exp,
    /// |x|.
    Abs,
    /// The nearest whole number, of two as near the even one.
    Round,
    /// x if positive, else height·(exp(x/width) − 1); all times a factor.
    Exponential {
        height: f32,
        width: f32,
        factor: f32,
    },
    /// x·Φ(x), using the error function.
    Gelu,
    /// x·Φ(x), with Φ approximated by a hyperbolic tangent.
    GeluTanh,
    /// x·tanh(log(1 + exp(x))).
    Mish,
    /// log(1 + exp(x)).
    Softplus,
    /// x/(1 + |x|).
    Softsign,
    /// The error function.
    Erf,
    /// The square root.
    Sqrt,
    /// 1/x.
    Reciprocal,
}

/// Applies a function to a vector.
#[inline(always)]
pub fn apply_unary<S: Simd>(simd: S, function: UnaryFunction, x: S::f32s) -> S::f32s {
    let (zero, one) = (simd.splat_f32s(0.0), simd.splat_f32s(1.0));
    let clip = |x, min, max| {
        let above = at_least(simd, x, simd.splat_f32s(min));
        at_most(simd, above, simd.splat_f32s(max))
    };
    let affine =
        |x, scale, shift| simd.mul_add_f32s(simd.splat_f32s(scale), x, simd.splat_f32s(shift));
    match function {
        UnaryFunction::Identity => x,
        UnaryFunction::Relu => at_least(simd, x, zero),
        UnaryFunction::LeakyRelu(slope) => {
            let below = simd.mul_f32s(at_most(simd, x, zero), simd.splat_f32s(slope));
            simd.add_f32s(at_least(simd, x, zero), below)
        }
        UnaryFunction::Clip(min, max) => clip(x, min, max),
        UnaryFunction::Affine(scale, shift) => affine(x, scale, shift),
        UnaryFunction::Sigmoid => sigmoid(simd, x),
        UnaryFunction::Tanh => tanh(simd, x),
        UnaryFunction::Silu => simd.mul_f32s(x, sigmoid(simd, x)),
        UnaryFunction::HardSigmoid(scale, shift) => clip(affine(x, scale, shift), 0.0, 1.0),
        UnaryFunction::HardSwish(scale, shift) => {
            simd.mul_f32s(x, clip(affine(x, scale, shift), 0.0, 1.0))
        }
        UnaryFunction::Exp => {
            // Beyond the range of `exp`, the square of the root: up to infinity, down to zero.
            let root = exp(simd, simd.mul_f32s(x, simd.splat_f32s(0.5)));
            let inside = simd.less_than_f32s(simd.abs_f32s(x), simd.splat_f32s(MAX_EXPONENT));
            simd.select_f32s(inside, exp(simd, x), simd.mul_f32s(root, root))
        }
        UnaryFunction::Abs => simd.abs_f32s(x),
        UnaryFunction::Round => round(simd, x),
        UnaryFunction::Exponential {
            height,
            width,
            factor,
        } => {
            let below = simd.mul_f32s(at_most(simd, x, zero), simd.splat_f32s(1.0 / width));
            let below = simd.sub_f32s(exp(simd, below), one);
            let below = simd.mul_f32s(below, simd.splat_f32s(height));
            let all = simd.add_f32s(at_least(simd, x, zero), below);
            simd.mul_f32s(all, simd.splat_f32s(factor))
        }
        UnaryFunction::Gelu => {
            let root = simd.splat_f32s(std::f32::consts::FRAC_1_SQRT_2);
            let share = simd.add_f32s(one, erf(simd, simd.mul_f32s(x, root)));
            simd.mul_f32s(simd.mul_f32s(x, simd.splat_f32s(0.5)), share)
        }
        UnaryFunction::GeluTanh => {
            // √(2/π)·(x + 0.044715·x³).
            let cube = simd.mul_f32s(x, simd.mul_f32s(x, x));
            let inner = simd.mul_add_f32s(simd.splat_f32s(0.044_715), cube, x);
            let inner = simd.mul_f32s(inner, simd.splat_f32s(0.797_884_6));
            let share = simd.add_f32s(one, tanh(simd, inner));
            simd.mul_f32s(simd.mul_f32s(x, simd.splat_f32s(0.5)), share)
        }
        UnaryFunction::Mish => simd.mul_f32s(x, tanh(simd, softplus(simd, x))),
        UnaryFunction::Softplus => softplus(simd, x),
        UnaryFunction::Softsign => simd.div_f32s(x, simd.add_f32s(one, simd.abs_f32s(x))),
        UnaryFunction::Erf => erf(simd, x),
        UnaryFunction::Sqrt => simd.sqrt_f32s(x),
        UnaryFunction::Reciprocal => simd.div_f32s(one, x),
    }
}

/// The nearest whole number, of two as near the even one. Floats from 2²³ on are whole, so that the addition rounds.
#[inline(always)]
fn round<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let (size, whole) = (simd.abs_f32s(x), simd.splat_f32s(8_388_608.0));
    let near = simd.sub_f32s(simd.add_f32s(size, whole), whole);
    // With the sign of x, which zeros have, too.
    let sign = simd.and_u32s(simd.transmute_u32s_f32s(x), simd.splat_u32s(1 << 31));
    let near = simd.or_u32s(simd.transmute_u32s_f32s(near), sign);
    let has_fraction = simd.less_than_f32s(size, whole);
    simd.select_f32s(has_fraction, simd.transmute_f32s_u32s(near), x)
}

/// Where [`exp`] clamps its argument, on both sides.
const MAX_EXPONENT: f32 = 87.0;

/// eˣ to two units in the last place, with x clamped to ±87: x = n·ln 2 + r, and a polynomial in r
/// (coefficients from Cephes' `expf`, S. L. Moshier).
#[inline(always)]
pub fn exp<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    // Adding this leaves the nearest integer in the low bits.
    const MAGIC: f32 = 12_582_912.0;
    let splat = |v: f32| simd.splat_f32s(v);
    let x = at_least(simd, x, splat(-MAX_EXPONENT));
    let x = at_most(simd, x, splat(MAX_EXPONENT));
    let shifted = simd.mul_add_f32s(x, splat(std::f32::consts::LOG2_E), splat(MAGIC));
    let n = simd.sub_f32s(shifted, splat(MAGIC));
    let r = simd.mul_add_f32s(n, splat(-355.0 / 512.0), x);
    let r = simd.mul_add_f32s(n, splat(2.121_944_4e-4), r);
    let mut p = splat(1.987_569_1e-4);
    for coefficient in [
        1.398_2e-3,
        8.333_452e-3,
        4.166_579_6e-2,
        1.666_666_5e-1,
        5.0e-1,
    ] {
        p = simd.mul_add_f32s(p, r, splat(coefficient));
    }
    let y = simd.mul_add_f32s(simd.mul_f32s(r, r), p, simd.add_f32s(r, splat(1.0)));
    // 2ⁿ: n moved into the exponent bits.
    let bits = simd.transmute_u32s_f32s(shifted);
    let power = simd.wrapping_dyn_shl_u32s(bits, simd.splat_u32s(23));
    let power = simd.add_u32s(power, simd.splat_u32s(1.0_f32.to_bits()));
    simd.mul_f32s(y, simd.transmute_f32s_u32s(power))
}

/// 1/(1 + exp(−x)).
#[inline(always)]
pub fn sigmoid<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let one = simd.splat_f32s(1.0);
    let e = exp(simd, simd.neg_f32s(x));
    simd.div_f32s(one, simd.add_f32s(one, e))
}

/// The hyperbolic tangent: 1 − 2/(1 + exp(2x)), or x·(1 − x²/3 + 2x⁴/15 − 17x⁶/315) near zero, where the first
/// form cancels.
#[inline(always)]
pub fn tanh<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let splat = |v: f32| simd.splat_f32s(v);
    let e = exp(simd, simd.add_f32s(x, x));
    let quotient = simd.div_f32s(splat(2.0), simd.add_f32s(e, splat(1.0)));
    let large = simd.sub_f32s(splat(1.0), quotient);
    let square = simd.mul_f32s(x, x);
    let mut p = splat(-17.0 / 315.0);
    for coefficient in [2.0 / 15.0, -1.0 / 3.0, 1.0] {
        p = simd.mul_add_f32s(p, square, splat(coefficient));
    }
    let small = simd.mul_f32s(x, p);
    let near = simd.less_than_f32s(square, splat(0.04));
    simd.select_f32s(near, small, large)
}

/// log(1 + eˣ): max(x,0) + log(1 + u) with u = exp(−|x|); log(1 + u) is the series of 2·artanh(u/(2 + u)).
#[inline(always)]
pub fn softplus<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let splat = |v: f32| simd.splat_f32s(v);
    let u = exp(simd, simd.neg_f32s(simd.abs_f32s(x)));
    let s = simd.div_f32s(u, simd.add_f32s(splat(2.0), u));
    let square = simd.mul_f32s(s, s);
    let mut p = splat(1.0 / 13.0);
    for odd in [11.0, 9.0, 7.0, 5.0, 3.0, 1.0] {
        p = simd.mul_add_f32s(p, square, splat(1.0 / odd));
    }
    let log = simd.mul_f32s(simd.mul_f32s(splat(2.0), s), p);
    simd.add_f32s(at_least(simd, x, splat(0.0)), log)
}

/// The error function to 3.2·10⁻⁷, of which 1.5·10⁻⁷ are the formula's (Abramowitz & Stegun 1964, 7.1.26), the rest
/// rounding.
#[inline(always)]
pub fn erf<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let splat = |v: f32| simd.splat_f32s(v);
    let size = simd.abs_f32s(x);
    let below = simd.mul_add_f32s(splat(0.327_591_1), size, splat(1.0));
    let t = simd.div_f32s(splat(1.0), below);
    let mut p = splat(1.061_405_4);
    for coefficient in [-1.453_152_1, 1.421_413_8, -0.284_496_74, 0.254_829_6] {
        p = simd.mul_add_f32s(p, t, splat(coefficient));
    }
    let square = simd.neg_f32s(simd.mul_f32s(size, size));
    let tail = simd.mul_f32s(simd.mul_f32s(p, t), exp(simd, square));
    let value = simd.sub_f32s(splat(1.0), tail);
    let negative = simd.less_than_f32s(x, splat(0.0));
    simd.select_f32s(negative, simd.neg_f32s(value), value)
}
