//! Functions of one and of two numbers, and numbers brought to other places.

use std::sync::Arc;

use pulp::{Simd, WithSimd};

use super::layout::{Frames, Place};
use super::product::{load, store};

/// A function of one number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Function {
    /// The same.
    Same,
    /// max(x,0).
    Relu,
    /// x where positive, else slope·x.
    Leaky(f32),
    /// Kept within two bounds.
    Clip(f32, f32),
    /// scale·x + shift.
    Affine(f32, f32),
    /// 1/(1 + exp(−x)).
    Sigmoid,
    /// The hyperbolic tangent.
    Tanh,
    /// x·sigmoid(x).
    Silu,
    /// scale·x + shift, kept within 0 and 1.
    HardSigmoid(f32, f32),
    /// x times that.
    HardSwish(f32, f32),
    /// eˣ.
    Exp,
    /// |x|.
    Abs,
}

/// A function of two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pair {
    /// a + b.
    Add,
    /// a − b.
    Sub,
    /// a·b.
    Mul,
    /// a/b.
    Div,
    /// The greater.
    Max,
    /// The smaller.
    Min,
}

/// One step on every number.
#[derive(Debug, Clone)]
pub enum Each {
    /// A function of every number.
    One(Function, Place, Place),
    /// scale·x + shift, a pair a channel.
    Channels(Arc<[(f32, f32)]>, Place, Place),
    /// A function of two values of one shape, then of what comes out.
    Two(Pair, Function, [Place; 2], Place),
    /// The numbers of a value in another order, or some of them: for every number written, where it
    /// stands, in numbers of one lane.
    Select(Arc<[usize]>, Place, Place),
    /// Zeros in a value and its border.
    Clear(Place),
}

/// A step on one group of images.
pub struct OnGroup<'a> {
    pub each: &'a Each,
    pub frames: Frames,
    pub group: usize,
    pub memory: *mut f32,
}

impl WithSimd for OnGroup<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let lanes = S::F32_LANES;
        let start = |place: &Place| self.frames.start(place, self.group);
        // SAFETY: values lie inside the memory.
        let at = |number: usize| unsafe { self.memory.add(number * lanes) };
        match self.each {
            Each::One(function, from, to) => {
                let (a, b) = (start(from), start(to));
                rows(from, to, |_, from, to, length| {
                    for i in 0..length {
                        // SAFETY: as above.
                        unsafe {
                            let x = load(simd, at(a + from + i));
                            store(simd, at(b + to + i), of_one(simd, *function, x));
                        }
                    }
                });
            }
            Each::Channels(pairs, from, to) => {
                let (a, b) = (start(from), start(to));
                rows(from, to, |channel, from, to, length| {
                    let (scale, shift) = pairs[channel];
                    for i in 0..length {
                        // SAFETY: as above.
                        unsafe {
                            let x = load(simd, at(a + from + i));
                            let function = Function::Affine(scale, shift);
                            store(simd, at(b + to + i), of_one(simd, function, x));
                        }
                    }
                });
            }
            Each::Two(pair, function, [first, second], to) => {
                let (a, b, out) = (start(first), start(second), start(to));
                rows(first, to, |channel, from, into, length| {
                    let row = row_of(first, channel, from);
                    let other = second.offset(channel, row, 0);
                    for i in 0..length {
                        // SAFETY: as above.
                        unsafe {
                            let x = load(simd, at(a + from + i));
                            let y = load(simd, at(b + other + i));
                            let z = of_one(simd, *function, of_two(simd, *pair, x, y));
                            store(simd, at(out + into + i), z);
                        }
                    }
                });
            }
            Each::Clear(to) => {
                let first = start(to);
                for number in first..first + to.size() {
                    // SAFETY: as above.
                    unsafe { store(simd, at(number), simd.splat_f32s(0.0)) };
                }
            }
            Each::Select(table, from, to) => {
                let (a, b) = (start(from), start(to));
                let mut numbers = table.iter();
                for channel in 0..to.channels {
                    for row in 0..to.rows {
                        let first = b + to.offset(channel, row, 0);
                        for (i, number) in numbers.by_ref().take(to.columns).enumerate() {
                            // SAFETY: as above; the table was made of this value's places.
                            unsafe {
                                let x = load(simd, at(a + number));
                                store(simd, at(first + i), x);
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Visits the rows of two values of one shape: channel, the places of both, columns.
#[inline(always)]
fn rows(from: &Place, to: &Place, mut visit: impl FnMut(usize, usize, usize, usize)) {
    for channel in 0..from.channels {
        for row in 0..from.rows {
            let (a, b) = (from.offset(channel, row, 0), to.offset(channel, row, 0));
            visit(channel, a, b, from.columns);
        }
    }
}

/// The row that a place of a channel's first column is in.
#[inline(always)]
fn row_of(place: &Place, channel: usize, offset: usize) -> usize {
    (offset - place.offset(channel, 0, 0)) / place.width()
}

/// A function of one vector.
#[inline(always)]
pub fn of_one<S: Simd>(simd: S, function: Function, x: S::f32s) -> S::f32s {
    let zero = simd.splat_f32s(0.0);
    let clip = |x, min, max| {
        let above = simd.max_f32s(x, simd.splat_f32s(min));
        simd.min_f32s(above, simd.splat_f32s(max))
    };
    let affine =
        |x, scale, shift| simd.mul_add_f32s(simd.splat_f32s(scale), x, simd.splat_f32s(shift));
    match function {
        Function::Same => x,
        Function::Relu => simd.max_f32s(x, zero),
        Function::Leaky(slope) => {
            let below = simd.mul_f32s(simd.min_f32s(x, zero), simd.splat_f32s(slope));
            simd.add_f32s(simd.max_f32s(x, zero), below)
        }
        Function::Clip(min, max) => clip(x, min, max),
        Function::Affine(scale, shift) => affine(x, scale, shift),
        Function::Sigmoid => sigmoid(simd, x),
        Function::Tanh => tanh(simd, x),
        Function::Silu => simd.mul_f32s(x, sigmoid(simd, x)),
        Function::HardSigmoid(scale, shift) => clip(affine(x, scale, shift), 0.0, 1.0),
        Function::HardSwish(scale, shift) => {
            simd.mul_f32s(x, clip(affine(x, scale, shift), 0.0, 1.0))
        }
        Function::Exp => exp(simd, x),
        Function::Abs => simd.abs_f32s(x),
    }
}

/// A function of two vectors.
#[inline(always)]
fn of_two<S: Simd>(simd: S, pair: Pair, a: S::f32s, b: S::f32s) -> S::f32s {
    match pair {
        Pair::Add => simd.add_f32s(a, b),
        Pair::Sub => simd.sub_f32s(a, b),
        Pair::Mul => simd.mul_f32s(a, b),
        Pair::Div => simd.div_f32s(a, b),
        Pair::Max => simd.max_f32s(a, b),
        Pair::Min => simd.min_f32s(a, b),
    }
}

/// eˣ to two units in the last place, for x kept within ±87: x = n·ln 2 + r, and a polynomial of r (the
/// coefficients of Cephes' `expf`, S. L. Moshier).
#[inline(always)]
pub fn exp<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    // Adding it leaves the nearest integer in the low bits.
    const MAGIC: f32 = 12_582_912.0;
    let splat = |v: f32| simd.splat_f32s(v);
    let x = simd.min_f32s(simd.max_f32s(x, splat(-87.0)), splat(87.0));
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
    // 2ⁿ: n in the place of the exponent.
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

/// The hyperbolic tangent: 1 − 2/(1 + exp(2x)), and near zero, where that cancels, x·(1 − x²/3 + 2x⁴/15 −
/// 17x⁶/315).
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
