//! The number types of values, by their ONNX codes. A graph computes in 32-bit floats only, but ONNX divides integers
//! differently from reals, and rounds to the range of the type that it quantises to.

use super::attributes::Attributes;
use super::file::type_code;

/// The type of a value is not known.
pub const UNKNOWN: i32 = 0;
/// 32-bit floats.
pub const FLOAT: i32 = 1;
/// Bytes.
pub const UINT8: i32 = 2;
/// Bytes with a sign.
pub const INT8: i32 = 3;
/// 16-bit integers without a sign.
pub const UINT16: i32 = 4;
/// 16-bit integers.
pub const INT16: i32 = 5;
/// 32-bit integers.
pub const INT32: i32 = 6;
/// 64-bit integers.
pub const INT64: i32 = 7;
/// Truth values.
pub const BOOL: i32 = 9;

/// 16-bit floats.
pub const FLOAT16: i32 = 10;
/// 32-bit floats cut to 16 bits.
pub const BFLOAT16: i32 = 16;

/// Whether it is a type of integers.
pub fn is_integer(code: i32) -> bool {
    matches!(code, UINT8..=INT64 | 12 | 13)
}

/// Whether it is a type of reals.
pub fn is_real(code: i32) -> bool {
    matches!(code, FLOAT | FLOAT16 | 11 | BFLOAT16)
}

/// The type that a `Cast` converts to; `None` if it is unknown. Before version 6 it is a name.
pub fn cast_target(attributes: Attributes) -> Option<i32> {
    match attributes.text("to").unwrap_or_default() {
        "" => i32::try_from(attributes.int("to", i64::from(FLOAT))).ok(),
        name => type_code(name),
    }
}

/// The type of a node's outputs, from those of its inputs.
pub fn of_outputs(operator: &str, attributes: Attributes, inputs: &[i32]) -> i32 {
    let input = |place: usize| inputs.get(place).copied().unwrap_or(UNKNOWN);
    let value = || attributes.tensor("value").map(|tensor| tensor.data_type);
    let whole = attributes.has("value_int") || attributes.has("value_ints");
    match operator {
        "Cast" => cast_target(attributes).unwrap_or(UNKNOWN),
        "Constant" => value().unwrap_or(if whole { INT64 } else { FLOAT }),
        "ConstantOfShape" => value().unwrap_or(FLOAT),
        "Shape" | "Size" => INT64,
        "Equal" | "Greater" | "GreaterOrEqual" | "Less" | "LessOrEqual" | "And" | "Or" | "Xor"
        | "Not" => BOOL,
        "CastLike" | "Where" => input(1),
        "OneHot" => input(2),
        "DequantizeLinear" => input(1),
        "QuantizeLinear" => match (input(2), attributes.int("output_dtype", 0)) {
            (UNKNOWN, 0) => UINT8,
            (UNKNOWN, named) => i32::try_from(named).unwrap_or(UNKNOWN),
            (of_zero, _) => of_zero,
        },
        _ => input(0),
    }
}
