//! An array in a session file.
//!
//! In the readable part of the file an array shows only what it is: shape, number type, checksum.
//! Its numbers stand at the file's end, one line an array, as base64 of zlib-compressed
//! little-endian bytes. [`Arrays`] is how the store finds the arrays of a record, always in the
//! same order. In memory the numbers are shared, so a published session costs no copy.

use std::any::Any;
use std::sync::{Arc, OnceLock};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use flate2::{Compression, read::ZlibDecoder, write::ZlibEncoder};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::io::{Read, Write};

/// A number that an [`Array`] may hold.
pub trait Element: Copy + Default + Send + Sync + PartialEq + 'static {
    /// The type's name in the file.
    const DTYPE: Dtype;
    /// Appends the little-endian bytes.
    fn write(self, out: &mut Vec<u8>);
    /// Reads one number from exactly `size_of::<Self>()` bytes.
    fn read(bytes: &[u8]) -> Self;
}

/// The number types of arrays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Dtype {
    /// Unsigned bytes.
    U8,
    /// 32-bit floats.
    F32,
    /// 64-bit signed integers.
    I64,
}

macro_rules! element {
    ($type:ty, $dtype:ident) => {
        impl Element for $type {
            const DTYPE: Dtype = Dtype::$dtype;
            fn write(self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }
            fn read(bytes: &[u8]) -> Self {
                let mut own = [0; size_of::<Self>()];
                own.copy_from_slice(bytes);
                Self::from_le_bytes(own)
            }
        }
    };
}
element!(u8, U8);
element!(f32, F32);
element!(i64, I64);

/// Numbers with a shape, row-major.
#[derive(Debug, Clone, PartialEq)]
pub struct Array<T> {
    shape: Vec<usize>,
    numbers: Arc<Numbers<T>>,
    /// The checksum that the file gave, until the numbers have been filled in.
    expected: Option<u32>,
}

/// Numbers that copies of an array share, and their checksum, once it has been asked for.
#[derive(Debug, Clone, Default)]
struct Numbers<T> {
    values: Vec<T>,
    crc32: OnceLock<u32>,
}

impl<T: PartialEq> PartialEq for Numbers<T> {
    fn eq(&self, other: &Self) -> bool {
        self.values == other.values
    }
}

impl<T> From<Vec<T>> for Numbers<T> {
    fn from(values: Vec<T>) -> Self {
        Self {
            values,
            crc32: OnceLock::new(),
        }
    }
}

impl<T: Element> Array<T> {
    /// An array of zeros.
    pub fn zeros(shape: &[usize]) -> Self {
        Self::new(shape, vec![T::default(); shape.iter().product()])
    }

    /// An array of these numbers.
    ///
    /// # Panics
    /// Where `values` does not have as many numbers as `shape` says: a mistake of the caller.
    pub fn new(shape: &[usize], values: Vec<T>) -> Self {
        assert_eq!(shape.iter().product::<usize>(), values.len());
        Self {
            shape: shape.to_vec(),
            numbers: Arc::new(values.into()),
            expected: None,
        }
    }

    /// Length along each axis.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The same numbers with other axes.
    ///
    /// # Errors
    /// Where they are not as many as `shape` says.
    pub fn reshape(&mut self, shape: &[usize]) -> Result<(), String> {
        if shape.iter().product::<usize>() != self.numbers.values.len() {
            return Err(format!(
                "its shape is {:?}, where {shape:?} belongs",
                self.shape
            ));
        }
        self.shape = shape.to_vec();
        Ok(())
    }

    /// All the numbers, row-major.
    pub fn values(&self) -> &[T] {
        &self.numbers.values
    }

    /// The numbers, to change: copied first where a published session still shares them.
    pub fn values_mut(&mut self) -> &mut [T] {
        let numbers = Arc::make_mut(&mut self.numbers);
        numbers.crc32 = OnceLock::new();
        &mut numbers.values
    }
}

impl<T: Element> Default for Array<T> {
    fn default() -> Self {
        Self::zeros(&[0])
    }
}

/// What stands for an array in the readable part.
#[derive(Serialize, Deserialize)]
#[serde(rename = "Array", deny_unknown_fields)]
struct Header {
    shape: Vec<usize>,
    dtype: Dtype,
    crc32: u32,
}

impl<T: Element> Serialize for Array<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Header {
            shape: self.shape.clone(),
            dtype: T::DTYPE,
            crc32: *self
                .numbers
                .crc32
                .get_or_init(|| crc32fast::hash(&Payload::bytes(self))),
        }
        .serialize(serializer)
    }
}

impl<'de, T: Element> Deserialize<'de> for Array<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let header = Header::deserialize(deserializer)?;
        if header.dtype != T::DTYPE {
            return Err(serde::de::Error::custom(format!(
                "an array of {:?} stands where one of {:?} belongs",
                header.dtype,
                T::DTYPE
            )));
        }
        Ok(Self {
            shape: header.shape,
            numbers: Arc::default(),
            expected: Some(header.crc32),
        })
    }
}

/// Most bytes that one array may claim to have: a bound on what a lying header can allocate.
const MOST_BYTES: usize = 1 << 32;

/// Most bytes that one compressed byte stands for.
const MOST_EXPANSION: usize = 1032;

/// The numbers of one array apart from its header, whatever their type.
pub trait Payload {
    /// The numbers as little-endian bytes.
    fn bytes(&self) -> Vec<u8>;
    /// How many bytes the shape asks for.
    ///
    /// # Errors
    /// Where the shape is absurd.
    fn byte_count(&self) -> Result<usize, String>;
    /// Takes the numbers from little-endian bytes, checked against the header.
    ///
    /// # Errors
    /// What is wrong with them, in words.
    fn fill_bytes(&mut self, bytes: &[u8]) -> Result<(), String>;
    /// The array itself.
    fn as_any(&self) -> &dyn Any;
    /// Whether another array is a copy that shares these numbers in memory.
    fn is_shared_with(&self, other: &dyn Payload) -> bool;
    /// Takes the numbers of another array of the same kind and shape, without a copy.
    ///
    /// # Errors
    /// Where it is of another kind or shape.
    fn share(&mut self, other: &dyn Payload) -> Result<(), String>;

    /// The numbers as they stand at the end of the file.
    fn encode(&self) -> String {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
        // Writing to a vector cannot fail.
        let _ = encoder.write_all(&self.bytes());
        STANDARD.encode(encoder.finish().unwrap_or_default())
    }

    /// Takes the numbers from the end of the file, checked against the header.
    ///
    /// # Errors
    /// What is wrong with them, in words.
    fn fill(&mut self, encoded: &str) -> Result<(), String> {
        let compressed = STANDARD
            .decode(encoded)
            .map_err(|error| format!("it is not base64 ({error})"))?;
        let count = self.byte_count()?;
        // Memory is taken for what the line can hold, whatever the shape claims.
        let most = compressed.len().saturating_mul(MOST_EXPANSION);
        if most < count {
            return Err(format!(
                "its shape asks for {count} bytes, and its line can hold {most} at most"
            ));
        }
        let mut bytes = Vec::new();
        let no_room = |_| format!("the system does not give the {count} bytes that it takes");
        bytes.try_reserve_exact(count + 1).map_err(no_room)?;
        ZlibDecoder::new(compressed.as_slice())
            .take(count as u64 + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| format!("it does not decompress ({error})"))?;
        self.fill_bytes(&bytes)
    }
}

impl<T: Element> Payload for Array<T> {
    fn bytes(&self) -> Vec<u8> {
        let values = self.values();
        let mut bytes = Vec::with_capacity(std::mem::size_of_val(values));
        for value in values {
            value.write(&mut bytes);
        }
        bytes
    }

    fn byte_count(&self) -> Result<usize, String> {
        self.shape
            .iter()
            .try_fold(1_usize, |all, &axis| all.checked_mul(axis))
            .and_then(|count| count.checked_mul(size_of::<T>()))
            .filter(|&bytes| bytes <= MOST_BYTES)
            .ok_or_else(|| format!("its shape {:?} is absurd", self.shape))
    }

    fn fill_bytes(&mut self, bytes: &[u8]) -> Result<(), String> {
        let count = self.byte_count()?;
        if bytes.len() != count {
            return Err(format!(
                "it holds {} bytes where its shape {:?} asks for {count}",
                bytes.len(),
                self.shape
            ));
        }
        let found = crc32fast::hash(bytes);
        if let Some(expected) = self.expected.filter(|&expected| expected != found) {
            return Err(format!(
                "its checksum is {found:#010x}, not {expected:#010x}"
            ));
        }
        let mut values = Vec::new();
        let reserved = values.try_reserve_exact(count / size_of::<T>());
        reserved
            .map_err(|_| format!("the system does not give the {count} bytes that it takes"))?;
        values.extend(bytes.chunks_exact(size_of::<T>()).map(T::read));
        self.numbers = Arc::new(Numbers {
            values,
            crc32: OnceLock::from(found),
        });
        self.expected = None;
        Ok(())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn is_shared_with(&self, other: &dyn Payload) -> bool {
        let other = other.as_any().downcast_ref::<Self>();
        other.is_some_and(|other| {
            self.shape == other.shape && Arc::ptr_eq(&self.numbers, &other.numbers)
        })
    }

    fn share(&mut self, other: &dyn Payload) -> Result<(), String> {
        match other.as_any().downcast_ref::<Self>() {
            Some(other) if other.shape == self.shape => {
                self.numbers = Arc::clone(&other.numbers);
                self.expected = None;
                Ok(())
            }
            _ => Err("it is not the array that it was".into()),
        }
    }
}

/// A part of a record that owns arrays. Both methods visit them in the same order, which is the
/// order of the lines at the end of the file. A name is the path from here, for messages.
pub trait Arrays {
    /// Shows every array to `visit`.
    fn arrays<'a>(&'a self, visit: &mut dyn FnMut(String, &'a dyn Payload));
    /// The same, to fill them in.
    fn arrays_mut<'a>(&'a mut self, visit: &mut dyn FnMut(String, &'a mut dyn Payload));
}

impl<T: Element> Arrays for Array<T> {
    fn arrays<'a>(&'a self, visit: &mut dyn FnMut(String, &'a dyn Payload)) {
        visit(String::new(), self);
    }

    fn arrays_mut<'a>(&'a mut self, visit: &mut dyn FnMut(String, &'a mut dyn Payload)) {
        visit(String::new(), self);
    }
}

impl<T: Arrays> Arrays for Vec<T> {
    fn arrays<'a>(&'a self, visit: &mut dyn FnMut(String, &'a dyn Payload)) {
        for (i, it) in self.iter().enumerate() {
            it.arrays(&mut |name, array| visit(format!("[{i}]{name}"), array));
        }
    }

    fn arrays_mut<'a>(&'a mut self, visit: &mut dyn FnMut(String, &'a mut dyn Payload)) {
        for (i, it) in self.iter_mut().enumerate() {
            it.arrays_mut(&mut |name, array| visit(format!("[{i}]{name}"), array));
        }
    }
}

impl<T: Arrays> Arrays for Option<T> {
    fn arrays<'a>(&'a self, visit: &mut dyn FnMut(String, &'a dyn Payload)) {
        self.iter().for_each(|it| it.arrays(visit));
    }

    fn arrays_mut<'a>(&'a mut self, visit: &mut dyn FnMut(String, &'a mut dyn Payload)) {
        self.iter_mut().for_each(|it| it.arrays_mut(visit));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_array_comes_back_from_its_header_and_its_line(values in prop::collection::vec(any::<i64>(), 0..200)) {
            let array = Array::new(&[values.len()], values);
            let header = ron::to_string(&array).unwrap();
            let mut back: Array<i64> = ron::from_str(&header).unwrap();
            back.fill(&array.encode()).unwrap();
            prop_assert_eq!(array, back);
        }

        #[test]
        fn not_a_number_and_infinities_come_back_bit_for_bit(bits in prop::collection::vec(any::<u32>(), 1..50)) {
            let array = Array::new(&[bits.len()], bits.iter().map(|&b| f32::from_bits(b)).collect());
            let mut back: Array<f32> = ron::from_str(&ron::to_string(&array).unwrap()).unwrap();
            back.fill(&array.encode()).unwrap();
            let back: Vec<u32> = back.values().iter().map(|v| v.to_bits()).collect();
            prop_assert_eq!(bits, back);
        }
    }

    #[test]
    fn one_flipped_number_is_noticed() {
        let header = ron::to_string(&Array::new(&[3], vec![1_i64, 2, 3])).unwrap();
        let mut other: Array<i64> = ron::from_str(&header).unwrap();
        let error = other
            .fill(&Array::new(&[3], vec![1_i64, 2, 4]).encode())
            .unwrap_err();
        assert!(error.contains("checksum"), "{error}");
    }

    #[test]
    fn a_line_of_another_shape_is_refused() {
        let header = ron::to_string(&Array::new(&[2], vec![1_i64, 2])).unwrap();
        let mut other: Array<i64> = ron::from_str(&header).unwrap();
        let error = other
            .fill(&Array::new(&[3], vec![1_i64, 2, 3]).encode())
            .unwrap_err();
        assert!(error.contains("asks for 16"), "{error}");
    }

    #[test]
    fn a_lying_shape_allocates_nothing() {
        let mut lying: Array<i64> =
            ron::from_str("(shape: [4000000000000, 4000000000000, 9], dtype: I64, crc32: 0)")
                .unwrap();
        assert!(lying.fill("AAAA").unwrap_err().contains("absurd"));
    }
}
