//! Named tensors of a file, whatever its format. No code in a pickle is ever run: it is read as
//! data, and what asks for more than tensors is refused.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use burn::store::pytorch_reader::{self, PickleError, PickleValue, PytorchError, PytorchReader};
use burn::store::{ModuleStore, SafetensorsStore, SafetensorsStoreError};
use burn::tensor::{BoolStore, DType, TensorData};

use super::Fault;

/// A tensor whose values are still in the file.
pub struct Raw {
    /// Its name in the file.
    pub name: String,
    /// Its shape in the file.
    pub shape: Vec<usize>,
    dtype: DType,
    bytes: Box<dyn Fn() -> Result<Vec<u8>, Fault>>,
}

impl Raw {
    /// Its values, row-major.
    ///
    /// # Errors
    /// Where they are no floating-point numbers, or not finite as f32, or cannot be read.
    pub fn values(&self) -> Result<Vec<f32>, Fault> {
        if !matches!(
            self.dtype,
            DType::F64 | DType::F32 | DType::F16 | DType::BF16
        ) {
            return Err(Fault::DType {
                name: self.name.clone(),
                found: self.dtype.name(),
            });
        }
        let data = TensorData::from_bytes_vec((self.bytes)()?, self.shape.clone(), self.dtype);
        let values: Vec<f32> = data
            .convert::<f32>()
            .try_into_vec()
            .map_err(|error| Fault::Damaged(error.to_string()))?;
        if values.iter().any(|value| !value.is_finite()) {
            return Err(Fault::NotFinite(self.name.clone()));
        }
        Ok(values)
    }
}

/// The tensors of a PyTorch checkpoint or a safetensors file by name.
///
/// # Errors
/// Where the file cannot be read, is something else, or asks for code.
pub fn tensors(path: &Path) -> Result<BTreeMap<String, Raw>, Fault> {
    let mut start = Vec::new();
    File::open(path)?.take(512).read_to_end(&mut start)?;
    if let Some(what) = foreign(&start) {
        return Err(Fault::Foreign(what.to_owned()));
    }
    if is_safetensors(&start) {
        safetensors(path)
    } else {
        pytorch(path)
    }
}

/// A safetensors file begins with the length of its header, which is JSON.
fn is_safetensors(start: &[u8]) -> bool {
    start.get(8) == Some(&b'{') && start[4..8] == [0; 4]
}

/// What a file is that holds no weights, by its first bytes.
fn foreign(start: &[u8]) -> Option<&'static str> {
    let begins = |bytes: &[u8]| start.starts_with(bytes);
    let text = !start.is_empty() && start.iter().all(|byte| matches!(byte, 9..=13 | 32..=126));
    Some(match start {
        [] => "an empty file",
        _ if begins(b"\x1f\x8b") => "a gzip-compressed file, which must be unpacked first",
        _ if begins(b"\x89HDF") => "an HDF5 file, as Keras writes them",
        _ if begins(b"\x93NUMPY") => "a NumPy array",
        _ if begins(b"\x89PNG") => "a PNG picture",
        _ if begins(b"(session") || begins(b"(\n") => "a RON file, perhaps a session",
        _ if text && !is_safetensors(start) => "a text file",
        _ => return None,
    })
}

fn pytorch(path: &Path) -> Result<BTreeMap<String, Raw>, Fault> {
    if let Some(name) = foreign_object(&PytorchReader::read_pickle_data(path, None)?) {
        return Err(Fault::Code(name));
    }
    let tensors = PytorchReader::new(path)?.into_tensors();
    let raw = |(name, tensor): (String, pytorch_reader::Tensor)| {
        let raw = Raw {
            name: name.clone(),
            shape: tensor.shape().to_vec(),
            dtype: dtype(tensor.dtype()),
            bytes: Box::new(move || tensor.read().map_err(damaged)),
        };
        (name, raw)
    };
    Ok(tensors.into_iter().map(raw).collect())
}

/// The first object that is made by something other than PyTorch's tensors and Python's own
/// collections.
fn foreign_object(value: &PickleValue) -> Option<String> {
    match value {
        PickleValue::Unsupported(name) => {
            // `torch.Tensor`, `torch.float32`, `torch.Size`; without a dot, a type of Python's own.
            let plain = match name.split_once('.') {
                None => true,
                Some((module, name)) => module == "torch" && !name.contains('.'),
            };
            (!plain).then(|| name.clone())
        }
        PickleValue::List(items) => items.iter().find_map(foreign_object),
        PickleValue::Dict(items) => items.values().find_map(foreign_object),
        _ => None,
    }
}

impl From<PytorchError> for Fault {
    fn from(error: PytorchError) -> Self {
        match error {
            PytorchError::Io(error) => damaged(error),
            PytorchError::Pickle(PickleError::UnsupportedType(name)) => Self::Code(name),
            other => Self::Damaged(other.to_string()),
        }
    }
}

/// The file was opened before: what fails now is its content.
fn damaged(error: io::Error) -> Fault {
    Fault::Damaged(error.to_string())
}

fn dtype(dtype: pytorch_reader::DType) -> DType {
    use pytorch_reader::DType as There;
    match dtype {
        There::F64 => DType::F64,
        There::F32 => DType::F32,
        There::F16 => DType::F16,
        There::BF16 => DType::BF16,
        There::I64 => DType::I64,
        There::I32 => DType::I32,
        There::I16 => DType::I16,
        There::I8 => DType::I8,
        There::U64 => DType::U64,
        There::U32 => DType::U32,
        There::U16 => DType::U16,
        There::U8 => DType::U8,
        There::Bool => DType::Bool(BoolStore::Native),
    }
}

fn safetensors(path: &Path) -> Result<BTreeMap<String, Raw>, Fault> {
    let mut store = SafetensorsStore::from_file(path);
    let tensors = store.get_all_tensors()?;
    let raw = |(name, tensor): (&String, &burn::store::burn_pack::Tensor)| {
        let tensor = tensor.clone();
        let raw = Raw {
            name: name.clone(),
            shape: tensor.shape.as_slice().to_vec(),
            dtype: tensor.dtype,
            bytes: Box::new(move || {
                let bytes = tensor.to_bytes();
                let bytes = bytes.map_err(|error| Fault::Damaged(error.to_string()))?;
                Ok(bytes.to_vec())
            }),
        };
        (name.clone(), raw)
    };
    Ok(tensors.iter().map(raw).collect())
}

impl From<SafetensorsStoreError> for Fault {
    fn from(error: SafetensorsStoreError) -> Self {
        match error {
            SafetensorsStoreError::Io(error) => damaged(error),
            other => Self::Damaged(other.to_string()),
        }
    }
}
