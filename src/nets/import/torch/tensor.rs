//! Identifies the tensors among the objects of a pickle, and reads their layout in a storage.

use std::rc::Rc;

use burn::tensor::{BoolStore, DType};

use super::super::WeightsFault;
use super::super::pickle::{PickleId, PickleNode, PickleTree};
use super::super::raw::RawTensor;
use super::magic;
use super::storage::Storages;

/// The largest span of a storage, in bytes, that a tensor may cover.
const MOST_SPREAD: u64 = 1 << 30;

/// More bytes than precede the numbers of a storage within the pickle.
const BEFORE_NUMBERS: usize = 1 << 12;

/// A tensor of a pickle.
pub enum TensorSource {
    /// Numbers in a storage.
    Dense(StridedTensor),
    /// Numbers in a storage within the pickle, and what holds its bytes.
    InPickle(StridedTensor, PickleId),
    /// A tensor of an unsupported kind, described.
    Other(String),
}

/// The layout of a tensor in a storage. All counts are in elements.
#[derive(Debug, Clone, PartialEq)]
pub struct StridedTensor {
    key: String,
    element: Element,
    offset: usize,
    shape: Vec<usize>,
    stride: Vec<usize>,
    /// Elements of the storage.
    available: usize,
    /// Whether its numbers have the opposite sign of those in the storage.
    negated: bool,
}

/// A type of numbers.
#[derive(Debug, Clone, PartialEq)]
enum Element {
    Known(DType),
    /// By PyTorch's name.
    Other(String),
}

/// The tensor that a value is; `None` if it is not a tensor.
pub fn tensor_source(tree: &PickleTree, id: PickleId) -> Option<TensorSource> {
    let mut id = id;
    // A parameter wraps a tensor; the number of wrappings is limited because they may be cyclic.
    for _ in 0..8 {
        let class = tree.class(id)?;
        let arguments = tree.sequence(tree.object(id)?.arguments)?;
        let known = matches!(class.module.as_str(), "torch._utils" | "torch._tensor");
        let name = match class.name.as_str() {
            name if known && name.starts_with("_rebuild") => name,
            _ => return None,
        };
        match (name, arguments) {
            ("_rebuild_parameter" | "_rebuild_parameter_with_state", [data, ..])
            | ("_rebuild_device_tensor_from_cpu_tensor", [data, ..]) => id = *data,
            ("_rebuild_from_type_v2", [function, _, arguments, ..]) => {
                let name = tree.global(*function)?.name.as_str();
                return Some(dense(tree, name, tree.sequence(*arguments)?));
            }
            _ => return Some(dense(tree, name, arguments)),
        }
    }
    None
}

fn dense(tree: &PickleTree, name: &str, arguments: &[PickleId]) -> TensorSource {
    let other = || {
        let kind = name.trim_start_matches("_rebuild_").replace('_', " ");
        TensorSource::Other(match name {
            "_rebuild_qtensor" => "quantised".to_owned(),
            "_rebuild_sparse_tensor" => "sparse".to_owned(),
            "_rebuild_meta_tensor_no_storage" => "meta, which has no values".to_owned(),
            _ => kind,
        })
    };
    let plain = [
        "_rebuild_tensor",
        "_rebuild_tensor_v2",
        "_rebuild_tensor_v3",
    ];
    if !plain.contains(&name) {
        return other();
    }
    let read = || -> Option<TensorSource> {
        let [storage, offset, shape, stride, more @ ..] = arguments else {
            return None;
        };
        let counts = |id: &PickleId| -> Option<Vec<usize>> {
            let counts = tree.sequence(*id)?.iter().map(|id| tree.count(*id));
            counts.collect()
        };
        let (mut layout, bytes) = stored(tree, *storage)?;
        if let (true, Some(dtype)) = (name == "_rebuild_tensor_v3", more.get(2)) {
            layout.element = element(&tree.global(*dtype)?.name);
            layout.available /= layout.element.width();
        }
        // PyTorch negates some views, such as the imaginary part of a conjugate, only when they are read.
        let metadata = match name {
            "_rebuild_tensor_v2" => more.get(2),
            "_rebuild_tensor_v3" => more.get(3),
            _ => None,
        };
        let flag = metadata.and_then(|metadata| tree.get(*metadata, "neg"));
        let dense = StridedTensor {
            offset: layout.offset.checked_add(tree.count(*offset)?)?,
            shape: counts(shape)?,
            stride: counts(stride)?,
            negated: flag.is_some_and(|flag| *tree.node(flag) == PickleNode::Bool(true)),
            ..layout
        };
        if dense.shape.len() != dense.stride.len() {
            return None;
        }
        Some(match bytes {
            Some(bytes) => TensorSource::InPickle(dense, bytes),
            None => TensorSource::Dense(dense),
        })
    };
    read().unwrap_or_else(other)
}

/// A storage as a tensor without a shape, and what holds its bytes if it is within the pickle.
fn stored(tree: &PickleTree, id: PickleId) -> Option<(StridedTensor, Option<PickleId>)> {
    if let PickleNode::Persistent(key) = tree.node(id) {
        return Some((persistent(tree, tree.sequence(*key)?)?, None));
    }
    // Python's own pickle calls torch.storage._load_from_bytes.
    if tree.class(id)?.name != "_load_from_bytes" {
        return None;
    }
    let content = *tree.sequence(tree.object(id)?.arguments)?.first()?;
    let bytes = tree.holder_of_bytes(content)?;
    let inner = magic::root(&tree.bytes(bytes, BEFORE_NUMBERS)?)?;
    let PickleNode::Persistent(key) = inner.node(inner.root) else {
        return None;
    };
    let layout = persistent(&inner, inner.sequence(*key)?)?;
    let key = String::new();
    Some((StridedTensor { key, ..layout }, Some(bytes)))
}

/// ("storage", type, key, device, elements, and in early files a view into another storage).
fn persistent(tree: &PickleTree, fields: &[PickleId]) -> Option<StridedTensor> {
    let [kind, class, key, _device, elements, view @ ..] = fields else {
        return None;
    };
    if tree.text(*kind) != Some("storage") {
        return None;
    }
    let view = view.first().and_then(|view| tree.sequence(*view));
    let offset = match view {
        Some([_, offset, ..]) => tree.count(*offset)?,
        _ => 0,
    };
    Some(StridedTensor {
        key: match tree.node(*key) {
            PickleNode::Text(key) => key.to_string(),
            PickleNode::Int(key) => key.to_string(),
            _ => return None,
        },
        element: element(tree.global(*class)?.name.trim_end_matches("Storage")),
        offset,
        shape: Vec::new(),
        stride: Vec::new(),
        available: tree.count(*elements)?,
        negated: false,
    })
}

/// The storages of a pickle: their keys and the size of an element in bytes.
pub fn storages(tree: &PickleTree) -> impl Iterator<Item = (String, u64)> {
    let keys = tree.nodes().iter().filter_map(|node| match node {
        PickleNode::Persistent(key) => persistent(tree, tree.sequence(*key)?),
        _ => None,
    });
    keys.map(|layout| (layout.key, layout.element.width() as u64))
}

/// A number type by its name or that of its storage class.
fn element(name: &str) -> Element {
    let dtype = match name {
        "Double" | "float64" => DType::F64,
        "Float" | "float32" => DType::F32,
        "Half" | "float16" => DType::F16,
        "BFloat16" | "bfloat16" => DType::BF16,
        "Long" | "int64" => DType::I64,
        "Int" | "int32" => DType::I32,
        "Short" | "int16" => DType::I16,
        "Char" | "int8" => DType::I8,
        "uint64" => DType::U64,
        "uint32" => DType::U32,
        "uint16" => DType::U16,
        // Untyped storages count bytes.
        "Byte" | "uint8" | "Untyped" => DType::U8,
        "Bool" | "bool" => DType::Bool(BoolStore::Native),
        other => return Element::Other(other.to_owned()),
    };
    Element::Known(dtype)
}

impl Element {
    /// Size in bytes.
    fn width(&self) -> usize {
        match self {
            Self::Known(dtype) => dtype.size(),
            Self::Other(name) => match name.as_str() {
                "ComplexFloat" | "complex64" => 8,
                "ComplexDouble" | "complex128" => 16,
                "QInt32" => 4,
                _ => 1,
            },
        }
    }
}

impl StridedTensor {
    /// The tensor, with its values still in the storage.
    ///
    /// # Errors
    /// If it extends past the storage or spans too much of it.
    pub fn raw(self, name: String, storages: &Rc<Storages>) -> Result<RawTensor, WeightsFault> {
        let dtype = match &self.element {
            Element::Known(dtype) => *dtype,
            Element::Other(kind) => {
                return Ok(RawTensor::unsupported(
                    name,
                    self.shape,
                    kind.to_lowercase(),
                ));
            }
        };
        let damaged =
            |problem: &str| WeightsFault::Damaged(format!("the tensor `{name}` {problem}"));
        let reach = self.reach();
        let end = reach.and_then(|reach| self.offset.checked_add(reach));
        let (Some(reach), Some(true)) = (reach, end.map(|end| end <= self.available)) else {
            return Err(damaged("extends past its storage"));
        };
        let width = dtype.size();
        let (start, length) = (self.offset as u64 * width as u64, (reach * width) as u64);
        if length > MOST_SPREAD {
            return Err(damaged("spans more than a gigabyte"));
        }
        let (shape, storages, negated) = (self.shape.clone(), Rc::clone(storages), self.negated);
        let bytes = move || {
            let window = storages.read(&self.key, start, length)?;
            Ok(self.gathered(window, width))
        };
        let raw = RawTensor::new(name, shape, dtype, Box::new(bytes));
        Ok(match negated {
            true => raw.negated(),
            false => raw,
        })
    }

    /// Number of storage elements from the tensor's first to its last.
    fn reach(&self) -> Option<usize> {
        if self.shape.contains(&0) {
            return Some(0);
        }
        let mut reach: usize = 1;
        for (&length, &stride) in self.shape.iter().zip(&self.stride) {
            reach = reach.checked_add((length - 1).checked_mul(stride)?)?;
        }
        Some(reach)
    }

    /// The elements of a window of the storage in row-major order.
    fn gathered(&self, window: Vec<u8>, width: usize) -> Vec<u8> {
        let mut expected = 1;
        let mut dense = true;
        for (&length, &stride) in self.shape.iter().zip(&self.stride).rev() {
            dense &= length <= 1 || stride == expected;
            expected *= length;
        }
        if dense {
            return window;
        }
        let mut places = vec![0];
        for (&length, &stride) in self.shape.iter().zip(&self.stride) {
            let along = |place: usize| (0..length).map(move |index| place + index * stride);
            places = places.into_iter().flat_map(along).collect();
        }
        let element = |place: usize| &window[place * width..(place + 1) * width];
        places.into_iter().flat_map(element).copied().collect()
    }
}
