//! Reads an ONNX file's protobuf messages and its arrays, inside the file or in external ones.

use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Component, Path, PathBuf};

use burn::tensor::{DType, TensorData};
use bytes::Bytes;
use prost::Message;

use super::constant::Constant;
use super::count::SymbolicInt;
use super::error::OnnxFault;
use super::messages::{ModelProto, TensorProto};
use super::recognise;
use crate::files;
use crate::session::array::Array;

/// The largest size in bytes that an array may claim.
const MOST_BYTES: usize = 1 << 32;

/// Reads a model file.
///
/// # Errors
/// If it cannot be read, is another kind of file, or is damaged.
pub fn model(path: &Path) -> Result<ModelProto, OnnxFault> {
    model_of(&Bytes::from(files::read(path)?))
}

/// Parses a model from the content of a file.
///
/// # Errors
/// If it is another kind of file, or damaged.
pub fn model_of(bytes: &Bytes) -> Result<ModelProto, OnnxFault> {
    if let Some(foreign) = recognise::foreign(&bytes[..bytes.len().min(1 << 16)]) {
        return Err(OnnxFault::Foreign(foreign));
    }
    let model =
        ModelProto::decode(bytes.clone()).map_err(|error| OnnxFault::Damaged(error.to_string()))?;
    if model.graph.node.is_empty() || model.opset_import.is_empty() {
        let message = "it contains no graph of operators".to_owned();
        return Err(OnnxFault::Damaged(message));
    }
    Ok(model)
}

/// Reads arrays, from the model or from external files beside it.
pub struct ArrayReader {
    folder: PathBuf,
}

impl ArrayReader {
    /// A reader for the model in this file.
    pub fn of(model: &Path) -> Self {
        Self {
            folder: model.parent().map(Path::to_owned).unwrap_or_default(),
        }
    }

    /// The numbers of an array.
    ///
    /// # Errors
    /// If it is damaged, of an unsupported type, or its side file cannot be read.
    pub fn read(&self, tensor: &TensorProto) -> Result<Constant, OnnxFault> {
        let damaged =
            |problem: &str| OnnxFault::Damaged(format!("the array `{}` {problem}", tensor.name));
        let shape = tensor.dims.iter().map(|&length| usize::try_from(length));
        let shape: Vec<usize> = shape
            .collect::<Result<_, _>>()
            .map_err(|_| damaged("has a negative length"))?;
        let count = shape.iter().try_fold(1usize, |product, &length| {
            let count = product.checked_mul(length)?;
            (count <= MOST_BYTES).then_some(count)
        });
        let count = count.ok_or_else(|| damaged("is absurdly large"))?;
        let kind = Kind::of(tensor.data_type).ok_or_else(|| OnnxFault::ArrayType {
            array: tensor.name.clone(),
            found: type_name(tensor.data_type),
        })?;
        let bytes = if is_external(tensor) {
            self.side_file(tensor, count * kind.width())?
        } else if tensor.raw_data.is_empty() && count > 0 {
            kind.typed_fields(tensor)
        } else {
            tensor.raw_data.to_vec()
        };
        if bytes.len() != count * kind.width() {
            return Err(damaged(&format!(
                "has {} bytes, but its shape {shape:?} requires {}",
                bytes.len(),
                count * kind.width()
            )));
        }
        Ok(kind.numbers(&shape, bytes))
    }

    /// The external file that holds an array, if any.
    ///
    /// # Errors
    /// If it is outside the model's folder.
    pub fn side_path(&self, tensor: &TensorProto) -> Result<Option<PathBuf>, OnnxFault> {
        if !is_external(tensor) {
            return Ok(None);
        }
        let place = external(tensor, "location").unwrap_or_default();
        let inside = |part: Component| matches!(part, Component::Normal(_) | Component::CurDir);
        if place.is_empty() || !Path::new(place).components().all(inside) {
            return Err(OnnxFault::SidePlace {
                array: tensor.name.clone(),
                place: place.to_owned(),
            });
        }
        Ok(Some(self.folder.join(place)))
    }

    fn side_file(&self, tensor: &TensorProto, needed: usize) -> Result<Vec<u8>, OnnxFault> {
        let path = self.side_path(tensor)?.unwrap_or_default();
        let offset = external_number(tensor, "offset")?.unwrap_or(0);
        if let Some(length) = external_number(tensor, "length")?
            && length != needed as u64
        {
            return Err(OnnxFault::Damaged(format!(
                "the array `{}` has {length} bytes in its side file, but its shape requires {needed}",
                tensor.name
            )));
        }
        let read = || -> io::Result<Vec<u8>> {
            let mut file = files::open(&path)?;
            file.seek(SeekFrom::Start(offset))?;
            let mut bytes = Vec::new();
            file.take(needed as u64).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        read().map_err(|source| OnnxFault::SideFile {
            array: tensor.name.clone(),
            path: path.clone(),
            source,
        })
    }
}

/// An entry of an array's external-data field.
fn external<'a>(tensor: &'a TensorProto, key: &str) -> Option<&'a str> {
    let entries = tensor.external_data.iter();
    let mut found = entries.filter(|entry| entry.key == key);
    found.next().map(|entry| entry.value.as_str())
}

/// A number in an array's external-data field; `None` if it is not there.
///
/// # Errors
/// If it is there, but is no number of bytes.
fn external_number(tensor: &TensorProto, key: &str) -> Result<Option<u64>, OnnxFault> {
    let Some(written) = external(tensor, key) else {
        return Ok(None);
    };
    written.parse().map(Some).map_err(|_| {
        OnnxFault::Damaged(format!(
            "the {key} of the array `{}` in its side file is `{written}`, not a number of bytes",
            tensor.name
        ))
    })
}

fn is_external(tensor: &TensorProto) -> bool {
    tensor.data_location == 1 || !tensor.external_data.is_empty()
}

/// The supported number types of arrays.
#[derive(Clone, Copy)]
enum Kind {
    Float(DType),
    Whole { width: usize, signed: bool },
}

impl Kind {
    fn of(data_type: i32) -> Option<Self> {
        let whole = |width, signed| Self::Whole { width, signed };
        Some(match data_type {
            1 => Self::Float(DType::F32),
            2 | 9 => whole(1, false),
            3 => whole(1, true),
            4 => whole(2, false),
            5 => whole(2, true),
            6 => whole(4, true),
            7 => whole(8, true),
            10 => Self::Float(DType::F16),
            11 => Self::Float(DType::F64),
            12 => whole(4, false),
            13 => whole(8, false),
            16 => Self::Float(DType::BF16),
            _ => return None,
        })
    }

    fn width(self) -> usize {
        match self {
            Self::Float(dtype) => dtype.size(),
            Self::Whole { width, .. } => width,
        }
    }

    /// The bytes of an array whose numbers are in typed fields of the message. Narrow types use wider
    /// fields.
    fn typed_fields(self, tensor: &TensorProto) -> Vec<u8> {
        let width = self.width();
        let narrow = |wide: &i32| wide.to_le_bytes()[..width.min(4)].to_vec();
        let unsigned = |wide: &u64| wide.to_le_bytes()[..width].to_vec();
        match self {
            Self::Float(DType::F32) => bytes_of(&tensor.float_data, |x| x.to_le_bytes().to_vec()),
            Self::Float(DType::F64) => bytes_of(&tensor.double_data, |x| x.to_le_bytes().to_vec()),
            Self::Whole {
                width: 8,
                signed: true,
            } => bytes_of(&tensor.int64_data, |x| x.to_le_bytes().to_vec()),
            Self::Whole {
                width: 4 | 8,
                signed: false,
            } => bytes_of(&tensor.uint64_data, unsigned),
            _ => bytes_of(&tensor.int32_data, narrow),
        }
    }

    fn numbers(self, shape: &[usize], bytes: Vec<u8>) -> Constant {
        match self {
            Self::Float(dtype) => {
                let data = TensorData::from_bytes_vec(bytes, shape.to_vec(), dtype);
                let values = data.convert::<f32>().try_into_vec().unwrap_or_default();
                Constant::Floats(Array::new(shape, values))
            }
            Self::Whole { width, signed } => {
                let number = |bytes: &[u8]| {
                    let negative = signed && bytes[width - 1] >= 0x80;
                    let mut wide = [if negative { 0xff } else { 0 }; 8];
                    wide[..width].copy_from_slice(bytes);
                    SymbolicInt::fixed(i64::from_le_bytes(wide))
                };
                Constant::Ints {
                    shape: shape.to_vec(),
                    values: bytes.chunks_exact(width).map(number).collect(),
                }
            }
        }
    }
}

fn bytes_of<T>(values: &[T], bytes: impl Fn(&T) -> Vec<u8>) -> Vec<u8> {
    values.iter().flat_map(bytes).collect()
}

/// The ONNX name of a number type.
pub fn type_name(data_type: i32) -> &'static str {
    match data_type {
        1 => "float",
        2 => "uint8",
        3 => "int8",
        4 => "uint16",
        5 => "int16",
        6 => "int32",
        7 => "int64",
        8 => "string",
        9 => "bool",
        10 => "float16",
        11 => "double",
        12 => "uint32",
        13 => "uint64",
        14 | 15 => "complex",
        16 => "bfloat16",
        17..=20 | 23 | 24 => "an 8-bit or 4-bit float",
        21 | 22 | 25 | 26 => "a 4-bit or 2-bit integer",
        _ => "unknown",
    }
}

/// The ONNX code of a number type, by the name that conversions used before version 6.
pub fn type_code(name: &str) -> Option<i32> {
    const NAMES: [&str; 16] = [
        "float",
        "uint8",
        "int8",
        "uint16",
        "int16",
        "int32",
        "int64",
        "string",
        "bool",
        "float16",
        "double",
        "uint32",
        "uint64",
        "complex64",
        "complex128",
        "bfloat16",
    ];
    let place = NAMES
        .iter()
        .position(|known| known.eq_ignore_ascii_case(name))?;
    i32::try_from(place + 1).ok()
}
