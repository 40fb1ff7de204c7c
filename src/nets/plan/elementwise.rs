//! Elementwise functions of one and two tensors, normalizations, and reorderings.

use std::sync::Arc;

use pulp::{Simd, WithSimd};

use super::function::{UnaryFunction, apply_unary, exp};
use super::layout::{MemoryAreas, TensorSlot};
use super::vectors::{self, load, store};

/// An elementwise function of two tensors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BinaryFunction {
    /// a + b.
    Add,
    /// a − b.
    Sub,
    /// a·b.
    Mul,
    /// a/b.
    Div,
    /// The larger.
    Max,
    /// The smaller.
    Min,
}

/// A step that works element by element or channel by channel. The last `TensorSlot` is the output.
#[derive(Debug, Clone)]
pub enum Elementwise {
    /// A function of every element.
    Unary(UnaryFunction, TensorSlot, TensorSlot),
    /// scale·x + shift with one (scale, shift) pair per channel, then a function of the result.
    ChannelAffine(Arc<[(f32, f32)]>, UnaryFunction, TensorSlot, TensorSlot),
    /// x/divisor with one divisor per channel, then a function of the result.
    ChannelQuotient(Arc<[f32]>, UnaryFunction, TensorSlot, TensorSlot),
    /// A function of two tensors of the same shape, then a function of the result.
    Binary(BinaryFunction, UnaryFunction, [TensorSlot; 2], TensorSlot),
    /// The elements of a tensor, or some of them, in another order: for every element written, the offset to read,
    /// in elements per lane.
    Select(Arc<[usize]>, TensorSlot, TensorSlot),
    /// Sets a tensor and its border to zero.
    Clear(TensorSlot),
    /// Sets a tensor, but not its border, to one number.
    Fill(f32, TensorSlot),
    /// exp(x)/Σexp(x) over the channels at every position, or (`true`) the logarithm of that.
    Softmax(bool, TensorSlot, TensorSlot),
    /// Standardizes over groups of channels and all their positions.
    Standardize(Standardization, TensorSlot, TensorSlot),
}

/// How channels are standardized.
#[derive(Debug, Clone, PartialEq)]
pub struct Standardization {
    /// Number of groups of adjacent channels.
    pub groups: usize,
    /// Added to the variance.
    pub epsilon: f32,
    /// The (scale, shift) applied afterwards, per channel.
    pub scale_shift: Arc<[(f32, f32)]>,
}

/// An elementwise step on one group of images.
pub struct ElementwiseOnGroup<'a> {
    pub each: &'a Elementwise,
    pub frames: MemoryAreas,
    pub group: usize,
    pub memory: *mut f32,
}

impl WithSimd for ElementwiseOnGroup<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let lanes = S::F32_LANES;
        let start = |place: &TensorSlot| self.frames.start(place, self.group);
        // SAFETY: tensors lie inside the memory.
        let at = |number: usize| unsafe { self.memory.add(number * lanes) };
        match self.each {
            Elementwise::Unary(function, from, to) => {
                let (a, b) = (start(from), start(to));
                rows(from, to, |_, from, to, length| {
                    for i in 0..length {
                        // SAFETY: as above.
                        unsafe {
                            let x = load(simd, at(a + from + i));
                            store(simd, at(b + to + i), apply_unary(simd, *function, x));
                        }
                    }
                });
            }
            Elementwise::ChannelAffine(pairs, function, from, to) => {
                let (a, b) = (start(from), start(to));
                rows(from, to, |channel, from, to, length| {
                    let (scale, shift) = pairs[channel];
                    for i in 0..length {
                        // SAFETY: as above.
                        unsafe {
                            let x = load(simd, at(a + from + i));
                            let x = apply_unary(simd, UnaryFunction::Affine(scale, shift), x);
                            store(simd, at(b + to + i), apply_unary(simd, *function, x));
                        }
                    }
                });
            }
            Elementwise::ChannelQuotient(divisors, function, from, to) => {
                let (a, b) = (start(from), start(to));
                rows(from, to, |channel, from, to, length| {
                    let divisor = simd.splat_f32s(divisors[channel]);
                    for i in 0..length {
                        // SAFETY: as above.
                        unsafe {
                            let x = simd.div_f32s(load(simd, at(a + from + i)), divisor);
                            store(simd, at(b + to + i), apply_unary(simd, *function, x));
                        }
                    }
                });
            }
            Elementwise::Binary(pair, function, [first, second], to) => {
                let (a, b, out) = (start(first), start(second), start(to));
                rows(first, to, |channel, from, into, length| {
                    let row = row_of(first, channel, from);
                    let other = second.offset(channel, row, 0);
                    for i in 0..length {
                        // SAFETY: as above.
                        unsafe {
                            let x = load(simd, at(a + from + i));
                            let y = load(simd, at(b + other + i));
                            let z = apply_unary(simd, *function, apply_binary(simd, *pair, x, y));
                            store(simd, at(out + into + i), z);
                        }
                    }
                });
            }
            Elementwise::Clear(to) => {
                let first = start(to);
                for number in first..first + to.padded_elements() {
                    // SAFETY: as above.
                    unsafe { store(simd, at(number), simd.splat_f32s(0.0)) };
                }
            }
            Elementwise::Fill(number, to) => {
                let first = start(to);
                rows(to, to, |_, from, _, length| {
                    for i in 0..length {
                        // SAFETY: as above.
                        unsafe { store(simd, at(first + from + i), simd.splat_f32s(*number)) };
                    }
                });
            }
            Elementwise::Softmax(log, from, to) => {
                let (a, b) = (start(from), start(to));
                for row in 0..from.rows {
                    for column in 0..from.columns {
                        let place = |channel| at(a + from.offset(channel, row, column));
                        let mut most = simd.splat_f32s(f32::NEG_INFINITY);
                        let mut sum = simd.splat_f32s(0.0);
                        for channel in 0..from.channels {
                            // SAFETY: as above.
                            most = simd.max_f32s(most, unsafe { load(simd, place(channel)) });
                        }
                        for channel in 0..from.channels {
                            // SAFETY: as above.
                            let x = unsafe { load(simd, place(channel)) };
                            sum = simd.add_f32s(sum, exp(simd, simd.sub_f32s(x, most)));
                        }
                        // One per position: the logarithm is taken lane by lane.
                        let mut logs = [0.0_f32; 16];
                        simd.partial_store_f32s(&mut logs[..lanes], sum);
                        logs.iter_mut().for_each(|sum| *sum = sum.ln());
                        let logs = simd.partial_load_f32s(&logs[..lanes]);
                        for channel in 0..from.channels {
                            // SAFETY: as above.
                            unsafe {
                                let x = simd.sub_f32s(load(simd, place(channel)), most);
                                let y = match log {
                                    true => simd.sub_f32s(x, logs),
                                    false => simd.div_f32s(exp(simd, x), sum),
                                };
                                store(simd, at(b + to.offset(channel, row, column)), y);
                            }
                        }
                    }
                }
            }
            Elementwise::Standardize(standard, from, to) => {
                let (a, b) = (start(from), start(to));
                let channels = from.channels / standard.groups.max(1);
                let count = (channels * from.rows * from.columns) as f32;
                let share = simd.splat_f32s(1.0 / count);
                for group in 0..standard.groups {
                    // One group of channels as a tensor of its own.
                    let part = TensorSlot { channels, ..*from };
                    let first = a + group * channels * from.padded_plane();
                    let into = b + group * channels * to.padded_plane();
                    let mut sum = simd.splat_f32s(0.0);
                    rows(&part, to, |_, from, _, length| {
                        for i in 0..length {
                            // SAFETY: as above.
                            sum = simd.add_f32s(sum, unsafe { load(simd, at(first + from + i)) });
                        }
                    });
                    let mean = simd.mul_f32s(sum, share);
                    let mut squares = simd.splat_f32s(0.0);
                    rows(&part, to, |_, from, _, length| {
                        for i in 0..length {
                            // SAFETY: as above.
                            let x = unsafe { load(simd, at(first + from + i)) };
                            let x = simd.sub_f32s(x, mean);
                            squares = simd.mul_add_f32s(x, x, squares);
                        }
                    });
                    let spread = simd.mul_f32s(squares, share);
                    let spread = simd.add_f32s(spread, simd.splat_f32s(standard.epsilon));
                    let spread = simd.sqrt_f32s(spread);
                    rows(&part, to, |channel, from, to, length| {
                        let (scale, shift) = standard.scale_shift[group * channels + channel];
                        for i in 0..length {
                            // SAFETY: as above.
                            unsafe {
                                let x = load(simd, at(first + from + i));
                                let x = simd.div_f32s(simd.sub_f32s(x, mean), spread);
                                let function = UnaryFunction::Affine(scale, shift);
                                store(simd, at(into + to + i), apply_unary(simd, function, x));
                            }
                        }
                    });
                }
            }
            Elementwise::Select(table, from, to) => {
                let (a, b) = (start(from), start(to));
                let mut numbers = table.iter();
                for channel in 0..to.channels {
                    for row in 0..to.rows {
                        let first = b + to.offset(channel, row, 0);
                        for (i, number) in numbers.by_ref().take(to.columns).enumerate() {
                            // SAFETY: as above; the table was made for this tensor.
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

/// Visits the rows of two tensors of the same shape: channel, the row's offset in each, columns.
#[inline(always)]
fn rows(from: &TensorSlot, to: &TensorSlot, mut visit: impl FnMut(usize, usize, usize, usize)) {
    for channel in 0..from.channels {
        for row in 0..from.rows {
            let (a, b) = (from.offset(channel, row, 0), to.offset(channel, row, 0));
            visit(channel, a, b, from.columns);
        }
    }
}

/// The row whose first column lies at an offset in a channel.
#[inline(always)]
fn row_of(place: &TensorSlot, channel: usize, offset: usize) -> usize {
    (offset - place.offset(channel, 0, 0)) / place.padded_width()
}

/// Applies a function to two vectors.
#[inline(always)]
fn apply_binary<S: Simd>(simd: S, pair: BinaryFunction, a: S::f32s, b: S::f32s) -> S::f32s {
    match pair {
        BinaryFunction::Add => simd.add_f32s(a, b),
        BinaryFunction::Sub => simd.sub_f32s(a, b),
        BinaryFunction::Mul => simd.mul_f32s(a, b),
        BinaryFunction::Div => simd.div_f32s(a, b),
        BinaryFunction::Max => vectors::max(simd, a, b),
        BinaryFunction::Min => vectors::min(simd, a, b),
    }
}
