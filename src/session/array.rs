//! Typed arrays and how a session file stores them.
//!
//! The readable part of the file shows only an array's header: shape, number type, checksum. The numbers
//! follow at the end of the file, one line per array, as base64 of zlib-compressed little-endian bytes.
//! [`Arrays`] visits the arrays of a record, always in the same order. In memory, clones share the
//! numbers, so publishing a session copies nothing.

mod payload;

use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use payload::{FillError, Payload};

/// A number type that an [`Array`] can hold.
pub trait Element: Copy + Default + Send + Sync + PartialEq + 'static {
    /// The type's name in the file.
    const DTYPE: Dtype;
    /// Appends the little-endian bytes.
    fn write(self, out: &mut Vec<u8>);
    /// Reads one number from exactly `size_of::<Self>()` bytes.
    fn read(bytes: &[u8]) -> Self;
}

/// An array's number type.
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
                let mut buffer = [0; size_of::<Self>()];
                buffer.copy_from_slice(bytes);
                Self::from_le_bytes(buffer)
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
    /// The checksum from the file's header, until the numbers have been filled in.
    expected: Option<u32>,
}

/// The numbers, shared between clones of an array, and their checksum once it has been computed.
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

    /// An array with these values.
    ///
    /// # Panics
    /// If the length of `values` does not match `shape`, which is a bug in the caller.
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

    /// Changes the shape and keeps the numbers.
    ///
    /// # Errors
    /// If their count does not match `shape`.
    pub fn reshape(&mut self, shape: &[usize]) -> Result<(), String> {
        if shape.iter().product::<usize>() != self.numbers.values.len() {
            return Err(format!("its shape is {:?}; expected {shape:?}", self.shape));
        }
        self.shape = shape.to_vec();
        Ok(())
    }

    /// All the numbers, row-major.
    pub fn values(&self) -> &[T] {
        &self.numbers.values
    }

    /// The numbers, mutably; copied first if a published session still shares them.
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

/// An array's header in the readable part of the file.
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
                "found an array of {:?}; expected {:?}",
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

/// A part of a record that owns arrays. Both methods visit them in the order of the lines at the end of
/// the file. A name is the path from here, for messages.
pub trait Arrays {
    /// Visits every array.
    fn arrays<'a>(&'a self, visit: &mut dyn FnMut(String, &'a dyn Payload));
    /// Visits every array mutably, to fill it in.
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
        for (i, element) in self.iter().enumerate() {
            element.arrays(&mut |name, array| visit(format!("[{i}]{name}"), array));
        }
    }

    fn arrays_mut<'a>(&'a mut self, visit: &mut dyn FnMut(String, &'a mut dyn Payload)) {
        for (i, element) in self.iter_mut().enumerate() {
            element.arrays_mut(&mut |name, array| visit(format!("[{i}]{name}"), array));
        }
    }
}

impl<T: Arrays> Arrays for Option<T> {
    fn arrays<'a>(&'a self, visit: &mut dyn FnMut(String, &'a dyn Payload)) {
        self.iter().for_each(|inner| inner.arrays(visit));
    }

    fn arrays_mut<'a>(&'a mut self, visit: &mut dyn FnMut(String, &'a mut dyn Payload)) {
        self.iter_mut().for_each(|inner| inner.arrays_mut(visit));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_array_round_trips_through_its_header_and_line(values in prop::collection::vec(any::<i64>(), 0..200)) {
            let array = Array::new(&[values.len()], values);
            let header = ron::to_string(&array).unwrap();
            let mut back: Array<i64> = ron::from_str(&header).unwrap();
            back.fill(&array.encode()).unwrap();
            prop_assert_eq!(array, back);
        }

        #[test]
        fn nan_and_infinities_round_trip_bit_for_bit(bits in prop::collection::vec(any::<u32>(), 1..50)) {
            let array = Array::new(&[bits.len()], bits.iter().map(|&b| f32::from_bits(b)).collect());
            let mut back: Array<f32> = ron::from_str(&ron::to_string(&array).unwrap()).unwrap();
            back.fill(&array.encode()).unwrap();
            let back: Vec<u32> = back.values().iter().map(|v| v.to_bits()).collect();
            prop_assert_eq!(bits, back);
        }
    }

    #[test]
    fn one_changed_number_is_detected() {
        let header = ron::to_string(&Array::new(&[3], vec![1_i64, 2, 3])).unwrap();
        let mut other: Array<i64> = ron::from_str(&header).unwrap();
        let error = other
            .fill(&Array::new(&[3], vec![1_i64, 2, 4]).encode())
            .unwrap_err();
        assert!(error.to_string().contains("checksum"), "{error}");
    }

    #[test]
    fn a_line_of_another_shape_is_refused() {
        let header = ron::to_string(&Array::new(&[2], vec![1_i64, 2])).unwrap();
        let mut other: Array<i64> = ron::from_str(&header).unwrap();
        let error = other
            .fill(&Array::new(&[3], vec![1_i64, 2, 3]).encode())
            .unwrap_err();
        assert!(error.to_string().contains("needs 16"), "{error}");
    }

    #[test]
    fn a_lying_shape_allocates_nothing() {
        let mut lying: Array<i64> =
            ron::from_str("(shape: [4000000000000, 4000000000000, 9], dtype: I64, crc32: 0)")
                .unwrap();
        let error = lying.fill("AAAA").unwrap_err();
        assert!(error.to_string().contains("absurd"), "{error}");
    }

    #[test]
    fn a_line_that_is_too_short_for_its_shape_is_refused_by_its_length() {
        // A compressed byte expands to at most 1032: three of them to 3096.
        let problem = |size: usize| {
            let header = format!("(shape: [{size}], dtype: U8, crc32: 0)");
            let mut array: Array<u8> = ron::from_str(&header).unwrap();
            array.fill("AAAA").unwrap_err().to_string()
        };
        assert_eq!(
            problem(3097),
            "its shape needs 3097 bytes, but its line holds at most 3096"
        );
        let longest = problem(3096);
        assert!(longest.starts_with("it does not decompress"), "{longest}");
    }

    #[test]
    fn numbers_that_were_read_take_no_more_memory_than_they_need() {
        let array = Array::new(&[100], vec![1_i64; 100]);
        let mut back: Array<i64> = ron::from_str(&ron::to_string(&array).unwrap()).unwrap();
        back.fill(&array.encode()).unwrap();
        assert!(back.numbers.values.capacity() < 200);
    }

    #[test]
    fn an_array_takes_another_shape_of_as_many_numbers_and_no_other() {
        let numbers: Vec<i64> = (0..6).collect();
        let mut array = Array::new(&[2, 3], numbers.clone());
        array.reshape(&[3, 1, 2]).unwrap();
        assert_eq!(array, Array::new(&[3, 1, 2], numbers));
        assert_eq!(
            array.reshape(&[4]).unwrap_err(),
            "its shape is [3, 1, 2]; expected [4]"
        );
        assert_eq!(array.shape(), [3, 1, 2]);
    }

    #[test]
    fn an_array_shares_the_numbers_of_one_of_its_type_and_shape_alone() {
        let first = Array::new(&[2], vec![3_i64, 4]);
        let mut second = Array::<i64>::zeros(&[2]);
        assert!(!second.is_shared_with(&first));
        second.share(&first).unwrap();
        assert_eq!(second, first);
        assert!(second.is_shared_with(&first) && first.is_shared_with(&second));
        // The same numbers in another shape are another array.
        let mut column = first.clone();
        column.reshape(&[2, 1]).unwrap();
        assert!(!column.is_shared_with(&first));
        for other in [
            &column as &dyn Payload,
            &Array::<i64>::zeros(&[3]),
            &Array::<u8>::zeros(&[2]),
        ] {
            assert!(!second.is_shared_with(other));
            assert_eq!(
                second.share(other).unwrap_err(),
                "it is not the same array as before"
            );
        }
        // Written to, it has numbers of its own.
        second.values_mut()[0] = 5;
        assert!(!second.is_shared_with(&first));
        assert_eq!(first.values(), [3, 4]);
    }
}
