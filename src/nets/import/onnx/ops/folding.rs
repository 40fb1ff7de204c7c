//! Constant folding: what is computed at import, integers exactly and with the batch as a symbol, reals
//! in 32 bits.

use std::cmp::Ordering;

use super::super::constant::{Constant, affordable, broadcast};
use super::super::count::SymbolicInt;
use super::super::error::NodeProblem;
use super::super::lengths::floats;
use super::super::narrow;
use super::shape::integers;
use crate::nets::graph::op::Binary;
use crate::session::array::Array;

fn together(a: &Constant, b: &Constant) -> Result<(Constant, Constant), NodeProblem> {
    let words = || {
        NodeProblem::Cannot(format!(
            "the shapes {:?} and {:?} cannot be broadcast",
            a.shape(),
            b.shape()
        ))
    };
    let shape = broadcast(a.shape(), b.shape()).ok_or_else(words)?;
    affordable(&shape, a.len().max(b.len())).ok_or_else(NodeProblem::too_large)?;
    Ok((a.broadcast_to(&shape), b.broadcast_to(&shape)))
}

/// A function of two known arrays.
pub fn binary(function: Binary, a: &Constant, b: &Constant) -> Result<Constant, NodeProblem> {
    let (a, b) = together(a, b)?;
    if let (Constant::Ints { shape, values }, Constant::Ints { values: others, .. }) = (&a, &b) {
        let values = values.iter().zip(others);
        let values = values.map(|(&a, &b)| whole_numbers(function, a, b));
        let values: Option<Vec<SymbolicInt>> = values.collect();
        let words = "its result is not an integer for every number of images";
        return Ok(Constant::Ints {
            shape: shape.clone(),
            values: values.ok_or(NodeProblem::Cannot(words.into()))?,
        });
    }
    let (a, b) = (floats(&a)?, floats(&b)?);
    let numbers = a.values().iter().zip(b.values());
    let numbers = numbers.map(|(&a, &b)| match function {
        Binary::Add => a + b,
        Binary::Sub => a - b,
        Binary::Mul => a * b,
        Binary::Div => a / b,
        Binary::Pow => a.powf(b),
        Binary::Max => a.max(b),
        Binary::Min => a.min(b),
    });
    Ok(Constant::Floats(Array::new(a.shape(), numbers.collect())))
}

fn whole_numbers(function: Binary, a: SymbolicInt, b: SymbolicInt) -> Option<SymbolicInt> {
    match function {
        Binary::Add => a.plus(b),
        Binary::Sub => a.minus(b),
        Binary::Mul => a.times(b),
        Binary::Div => a.over(b),
        Binary::Pow => {
            let power = u32::try_from(b.known()?).ok()?;
            a.known()?.checked_pow(power).map(SymbolicInt::fixed)
        }
        Binary::Max => Some(if a.compare(b)? == Ordering::Less {
            b
        } else {
            a
        }),
        Binary::Min => Some(if a.compare(b)? == Ordering::Greater {
            b
        } else {
            a
        }),
    }
}

/// A comparison or a logical operator of two known arrays, as zeros and ones.
pub fn compare(operator: &str, a: &Constant, b: &Constant) -> Result<Constant, NodeProblem> {
    let (a, b) = together(a, b)?;
    let shape = a.shape().to_vec();
    let orders: Vec<Option<Ordering>> = match (&a, &b) {
        (Constant::Ints { values, .. }, Constant::Ints { values: others, .. }) => {
            let pairs = values.iter().zip(others);
            pairs.map(|(a, &b)| a.compare(b)).collect()
        }
        _ => {
            let (a, b) = (floats(&a)?, floats(&b)?);
            let pairs = a.values().iter().zip(b.values());
            pairs.map(|(a, b)| a.partial_cmp(b)).collect()
        }
    };
    let set = |number: &SymbolicInt| *number != SymbolicInt::fixed(0);
    let truths: Vec<Option<bool>> = match operator {
        "And" | "Or" | "Xor" => {
            let (a, b) = (integers(&a)?, integers(&b)?);
            let pairs = a.iter().zip(&b).map(|(a, b)| (set(a), set(b)));
            let truth = |(a, b)| match operator {
                "And" => a && b,
                "Or" => a || b,
                _ => a != b,
            };
            pairs.map(truth).map(Some).collect()
        }
        _ => {
            let truth = |order| match operator {
                "Equal" => Some(order == Ordering::Equal),
                "Greater" => Some(order == Ordering::Greater),
                "GreaterOrEqual" => Some(order != Ordering::Less),
                "Less" => Some(order == Ordering::Less),
                "LessOrEqual" => Some(order != Ordering::Greater),
                _ => None,
            };
            orders.into_iter().map(|order| truth(order?)).collect()
        }
    };
    let values = truths
        .into_iter()
        .map(|truth| truth.map(|truth| SymbolicInt::fixed(i64::from(truth))));
    let values: Option<Vec<SymbolicInt>> = values.collect();
    let words = "its result depends on the number of images";
    Ok(Constant::Ints {
        shape,
        values: values.ok_or(NodeProblem::Cannot(words.into()))?,
    })
}

/// Logical not, as zeros and ones.
pub fn not(a: &Constant) -> Result<Constant, NodeProblem> {
    let values = integers(a)?.into_iter();
    Ok(Constant::Ints {
        shape: a.shape().to_vec(),
        values: values
            .map(|number| SymbolicInt::fixed(i64::from(number == SymbolicInt::fixed(0))))
            .collect(),
    })
}

/// The sign of a remainder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RemainderSign {
    /// That of the divisor, as in Python.
    Divisor,
    /// That of the dividend, as in C.
    Dividend,
}

/// The remainder.
pub fn modulo(a: &Constant, b: &Constant, sign: RemainderSign) -> Result<Constant, NodeProblem> {
    let (a, b) = together(a, b)?;
    let of_divisor = sign == RemainderSign::Divisor;
    if let (Constant::Ints { .. }, Constant::Ints { .. }) = (&a, &b) {
        let rest = |(a, b): (i64, i64)| {
            let rest = (b != 0).then(|| a.wrapping_rem(b))?;
            let opposite = of_divisor && rest != 0 && (rest < 0) != (b < 0);
            Some(SymbolicInt::fixed(if opposite { rest + b } else { rest }))
        };
        let numbers = a.ints().zip(b.ints());
        let values = numbers.and_then(|(a, b)| a.into_iter().zip(b).map(rest).collect());
        let words = "its remainder depends on the number of images, or divides by zero";
        return Ok(Constant::Ints {
            shape: a.shape().to_vec(),
            values: values.ok_or(NodeProblem::Cannot(words.into()))?,
        });
    }
    let (a, b) = (floats(&a)?, floats(&b)?);
    let rest = |(a, b): (&f32, &f32)| {
        let rest = a % b;
        let opposite = of_divisor && rest != 0.0 && (rest < 0.0) != (*b < 0.0);
        if opposite { rest + b } else { rest }
    };
    let numbers = a.values().iter().zip(b.values()).map(rest);
    Ok(Constant::Floats(Array::new(a.shape(), numbers.collect())))
}

/// Elementwise choice between two known arrays.
pub fn choose(
    condition: &Constant,
    yes: &Constant,
    no: &Constant,
) -> Result<Constant, NodeProblem> {
    let (yes, no) = together(yes, no)?;
    let (condition, yes) = together(condition, &yes)?;
    let (_, no) = together(&condition, &no)?;
    let truth: Vec<bool> = integers(&condition)?
        .into_iter()
        .map(|number| number != SymbolicInt::fixed(0))
        .collect();
    if let (Constant::Ints { shape, values }, Constant::Ints { values: others, .. }) = (&yes, &no) {
        let values = values
            .iter()
            .zip(others)
            .zip(truth)
            .map(|((yes, no), truth)| if truth { *yes } else { *no });
        return Ok(Constant::Ints {
            shape: shape.clone(),
            values: values.collect(),
        });
    }
    let (yes, no) = (floats(&yes)?, floats(&no)?);
    let numbers = yes.values().iter().zip(no.values()).zip(truth);
    let numbers = numbers.map(|((yes, no), truth)| if truth { *yes } else { *no });
    Ok(Constant::Floats(Array::new(yes.shape(), numbers.collect())))
}

/// Converts a known array to another number type, given by its ONNX code.
pub fn cast(constant: &Constant, to: i32) -> Result<Constant, NodeProblem> {
    let shape = constant.shape().to_vec();
    match (to, constant) {
        (1 | 11, Constant::Floats(_)) => Ok(constant.clone()),
        (1 | 10 | 11 | 16, _) => Ok(Constant::Floats(narrow::rounded(floats(constant)?, to))),
        (9, Constant::Ints { values, .. }) => {
            let truth = |number: &SymbolicInt| {
                SymbolicInt::fixed(i64::from(*number != SymbolicInt::fixed(0)))
            };
            Ok(Constant::Ints {
                shape,
                values: values.iter().map(truth).collect(),
            })
        }
        (9, Constant::Floats(array)) => {
            let truth = |number: &f32| SymbolicInt::fixed(i64::from(*number != 0.0));
            Ok(Constant::Ints {
                shape,
                values: array.values().iter().map(truth).collect(),
            })
        }
        (_, Constant::Ints { values, .. }) => Ok(Constant::Ints {
            shape,
            values: values.iter().map(|&value| narrowed(value, to)).collect(),
        }),
        (_, Constant::Floats(array)) => {
            #[allow(clippy::cast_possible_truncation)]
            let whole = |number: &f32| narrowed(SymbolicInt::fixed(*number as i64), to);
            Ok(Constant::Ints {
                shape,
                values: array.values().iter().map(whole).collect(),
            })
        }
    }
}

/// An integer in the type of this ONNX code, of which a narrow one keeps the lowest bits; one that depends on the batch
/// is left as it is.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn narrowed(number: SymbolicInt, to: i32) -> SymbolicInt {
    let Some(known) = number.known() else {
        return number;
    };
    SymbolicInt::fixed(match to {
        2 => i64::from(known as u8),
        3 => i64::from(known as i8),
        4 => i64::from(known as u16),
        5 => i64::from(known as i16),
        6 => i64::from(known as i32),
        12 => i64::from(known as u32),
        _ => known,
    })
}

/// An elementwise function of a known array; `None` for one that shape arithmetic does not use.
pub fn unary(operator: &str, constant: &Constant) -> Option<Constant> {
    match (operator, constant) {
        ("Neg", Constant::Ints { shape, values }) => {
            let negative = values
                .iter()
                .map(|&value| SymbolicInt::fixed(0).minus(value));
            Some(Constant::Ints {
                shape: shape.clone(),
                values: negative.collect::<Option<_>>()?,
            })
        }
        ("Abs", Constant::Ints { shape, .. }) => {
            let numbers = constant.ints()?;
            Some(Constant::Ints {
                shape: shape.clone(),
                values: numbers
                    .into_iter()
                    .map(|number| SymbolicInt::fixed(number.saturating_abs()))
                    .collect(),
            })
        }
        (
            "Floor" | "Ceil" | "Round" | "Neg" | "Abs" | "Sqrt" | "Exp" | "Log" | "Sin" | "Cos"
            | "Reciprocal",
            _,
        ) => {
            let array = constant.floats()?;
            let function = |number: f32| match operator {
                "Floor" => number.floor(),
                "Ceil" => number.ceil(),
                "Round" => number.round_ties_even(),
                "Neg" => -number,
                "Abs" => number.abs(),
                "Sqrt" => number.sqrt(),
                "Exp" => number.exp(),
                "Log" => number.ln(),
                "Sin" => number.sin(),
                "Cos" => number.cos(),
                _ => number.recip(),
            };
            let numbers = array.values().iter().copied().map(function).collect();
            Some(Constant::Floats(Array::new(array.shape(), numbers)))
        }
        _ => None,
    }
}

/// Reduces a known list to one number; `None` for a reduction that shape arithmetic does not use.
pub fn reduce(operator: &str, constant: &Constant) -> Option<SymbolicInt> {
    let function = match operator {
        "ReduceProd" => Binary::Mul,
        "ReduceSum" => Binary::Add,
        "ReduceMax" => Binary::Max,
        "ReduceMin" => Binary::Min,
        _ => return None,
    };
    let Constant::Ints { values, .. } = constant else {
        return None;
    };
    let (first, rest) = values.split_first()?;
    rest.iter()
        .try_fold(*first, |all, &number| whole_numbers(function, all, number))
}
