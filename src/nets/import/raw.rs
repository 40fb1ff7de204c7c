//! [`RawTensor`], a tensor whose values are still in its file, and [`WeightsFile`], the tensors of a file.

use burn::tensor::{DType, TensorData};

use super::WeightsFault;

/// The contents of a weights file.
pub struct WeightsFile {
    /// Tensors in the order of the file.
    pub tensors: Vec<RawTensor>,
    /// Remarks on how they were found, one sentence each.
    pub notes: Vec<String>,
    /// Classes of the parts of a whole module, such as `torch.nn.modules.activation.Tanh`; empty for a
    /// state dict.
    pub modules: Vec<String>,
}

/// A tensor whose values are still in the file.
pub struct RawTensor {
    /// Its name in the file.
    pub name: String,
    /// Its shape in the file.
    pub shape: Vec<usize>,
    source: Source,
}

/// Reads the bytes of a tensor on demand: little-endian, row-major.
pub type Bytes = Box<dyn Fn() -> Result<Vec<u8>, WeightsFault>>;

enum Source {
    /// Numbers of a supported type.
    Numbers(DType, Bytes),
    /// An unsupported kind, described.
    Other(String),
    /// A pruned tensor: values times mask.
    Pruned(Box<RawTensor>, Box<RawTensor>),
    /// The numbers of a tensor with the opposite sign.
    Negated(Box<RawTensor>),
}

impl RawTensor {
    /// A tensor of numbers.
    pub fn new(name: String, shape: Vec<usize>, dtype: DType, bytes: Bytes) -> Self {
        let source = Source::Numbers(dtype, bytes);
        Self {
            name,
            shape,
            source,
        }
    }

    /// A tensor of an unsupported kind: `float8_e4m3fn`, `quantized`.
    pub fn unsupported(name: String, shape: Vec<usize>, kind: String) -> Self {
        let source = Source::Other(kind);
        Self {
            name,
            shape,
            source,
        }
    }

    /// Whether it is of an unsupported kind, whose values and perhaps shape are unknown.
    pub fn is_unsupported(&self) -> bool {
        matches!(self.source, Source::Other(_))
    }

    /// Values with the mask of `torch.nn.utils.prune`, which has the same shape.
    pub fn pruned(name: String, values: Self, mask: Self) -> Self {
        Self {
            name,
            shape: values.shape.clone(),
            source: Source::Pruned(Box::new(values), Box::new(mask)),
        }
    }

    /// The tensor with the opposite sign.
    pub fn negated(self) -> Self {
        Self {
            name: self.name.clone(),
            shape: self.shape.clone(),
            source: Source::Negated(Box::new(self)),
        }
    }

    /// Its values, row-major.
    ///
    /// # Errors
    /// If they are not floating-point numbers, not finite as f32, or cannot be read.
    pub fn values(&self) -> Result<Vec<f32>, WeightsFault> {
        let found = match &self.source {
            Source::Numbers(DType::F64 | DType::F32 | DType::F16 | DType::BF16, _) => None,
            Source::Numbers(dtype, _) => Some(dtype.name().to_owned()),
            Source::Other(kind) => Some(kind.clone()),
            Source::Pruned(values, mask) => {
                let (mut values, mask) = (values.values()?, mask.numbers()?);
                for (value, mask) in values.iter_mut().zip(mask) {
                    *value *= mask;
                }
                return self.finite(values);
            }
            Source::Negated(raw) => return Ok(opposite(raw.values()?)),
        };
        if let Some(found) = found {
            let name = self.name.clone();
            return Err(WeightsFault::DType { name, found });
        }
        self.finite(self.numbers()?)
    }

    fn finite(&self, values: Vec<f32>) -> Result<Vec<f32>, WeightsFault> {
        match values.iter().filter(|value| !value.is_finite()).count() {
            0 => Ok(values),
            bad => Err(WeightsFault::NotFinite {
                name: self.name.clone(),
                bad,
                of: values.len(),
            }),
        }
    }

    /// The numbers, of any type, as f32.
    fn numbers(&self) -> Result<Vec<f32>, WeightsFault> {
        let (dtype, bytes) = match &self.source {
            Source::Numbers(dtype, bytes) => (dtype, bytes),
            Source::Negated(raw) => return Ok(opposite(raw.numbers()?)),
            Source::Other(_) | Source::Pruned(..) => return self.values(),
        };
        let bytes = bytes()?;
        let count: usize = self.shape.iter().product();
        if bytes.len() != count * dtype.size() {
            return Err(WeightsFault::Damaged(format!(
                "the tensor `{}` has {} bytes, but its shape {:?} requires {}",
                self.name,
                bytes.len(),
                self.shape,
                count * dtype.size()
            )));
        }
        let data = TensorData::from_bytes_vec(bytes, self.shape.clone(), *dtype);
        let values = data.convert::<f32>().try_into_vec();
        values.map_err(|error| WeightsFault::Damaged(error.to_string()))
    }
}

/// Numbers with the opposite sign.
fn opposite(numbers: Vec<f32>) -> Vec<f32> {
    numbers.into_iter().map(|number| -number).collect()
}
