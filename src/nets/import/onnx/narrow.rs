//! Types of 16 bits. Arrays are rounded as in the file. What a file computes in such types is computed in 32 bits, as ONNX
//! Runtime does on a processor.

use burn::tensor::{DType, TensorData};

use super::types::{BFLOAT16, FLOAT16};
use crate::session::array::Array;

/// An array in the type of this ONNX code. A number beyond the range of 16-bit floats stays: masks have such, where a
/// large one does the same as infinity.
pub fn rounded(array: Array<f32>, code: i32) -> Array<f32> {
    let narrow = match code {
        FLOAT16 => DType::F16,
        BFLOAT16 => DType::BF16,
        _ => return array,
    };
    let wide = array.values();
    let data = TensorData::new(wide.to_vec(), [wide.len()]);
    let data = data.convert_dtype(narrow).convert::<f32>();
    let near: Vec<f32> = data.try_into_vec().unwrap_or_default();
    let kept = |(&near, &wide): (&f32, &f32)| if near.is_finite() { near } else { wide };
    let values = near.iter().zip(wide).map(kept).collect();
    Array::new(array.shape(), values)
}
