//! The numbers of an array as bytes: encoding, decoding and sharing them, whatever their type.

use std::any::Any;
use std::io::{Read, Write};
use std::sync::{Arc, OnceLock};

use base64::{Engine as _, decoded_len_estimate, engine::general_purpose::STANDARD};
use flate2::{Compression, read::ZlibDecoder, write::ZlibEncoder};

use super::{Array, Element, Numbers};

/// Maximum bytes that one array may claim: bounds the allocation that a corrupt header can cause.
const MOST_BYTES: usize = 1 << 32;

/// Maximum bytes that one compressed byte can expand to.
const MOST_EXPANSION: usize = 1032;

/// Why the numbers of an array cannot be filled in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FillError {
    /// They are not those that were written: what is wrong with them.
    #[error("{0}")]
    Damaged(String),
    /// The system does not allocate the bytes that they need.
    #[error("the system cannot allocate the {0} bytes it needs")]
    OutOfMemory(usize),
}

impl From<String> for FillError {
    fn from(problem: String) -> Self {
        Self::Damaged(problem)
    }
}

/// An empty vector with room for this many bytes of numbers.
fn with_room<T>(bytes: usize) -> Result<Vec<T>, FillError> {
    let mut room = Vec::new();
    let reserved = room.try_reserve_exact(bytes.div_ceil(size_of::<T>()));
    reserved.map_err(|_| FillError::OutOfMemory(bytes))?;
    Ok(room)
}

/// The numbers of an array, independent of their type.
pub trait Payload {
    /// The numbers as little-endian bytes.
    fn bytes(&self) -> Vec<u8>;
    /// Size in bytes according to the shape.
    ///
    /// # Errors
    /// If the shape is unreasonably large.
    fn byte_count(&self) -> Result<usize, String>;
    /// Fills in the numbers from little-endian bytes, checked against the header.
    ///
    /// # Errors
    /// What is wrong with them, or that there is no memory for them.
    fn fill_bytes(&mut self, bytes: &[u8]) -> Result<(), FillError>;
    /// The array itself, for downcasting.
    fn as_any(&self) -> &dyn Any;
    /// Whether another array shares these numbers in memory.
    fn is_shared_with(&self, other: &dyn Payload) -> bool;
    /// Shares the numbers of another array of the same type and shape, without copying.
    ///
    /// # Errors
    /// If its type or shape differs.
    fn share(&mut self, other: &dyn Payload) -> Result<(), String>;

    /// The numbers as encoded at the end of the file.
    fn encode(&self) -> String {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
        // Writing to a vector cannot fail.
        let _ = encoder.write_all(&self.bytes());
        STANDARD.encode(encoder.finish().unwrap_or_default())
    }

    /// Fills in the numbers from the end of the file, checked against the header.
    ///
    /// # Errors
    /// What is wrong with them, or that there is no memory for them.
    fn fill(&mut self, encoded: &str) -> Result<(), FillError> {
        let mut compressed = with_room(decoded_len_estimate(encoded.len()))?;
        STANDARD
            .decode_vec(encoded, &mut compressed)
            .map_err(|error| format!("it is not base64 ({error})"))?;
        let count = self.byte_count()?;
        // Allocate no more than the line can hold, whatever the shape claims.
        let most = compressed.len().saturating_mul(MOST_EXPANSION);
        if most < count {
            let problem =
                format!("its shape needs {count} bytes, but its line holds at most {most}");
            return Err(problem.into());
        }
        let mut bytes = with_room(count + 1)?;
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

    fn fill_bytes(&mut self, bytes: &[u8]) -> Result<(), FillError> {
        let count = self.byte_count()?;
        if bytes.len() != count {
            let problem = format!(
                "it holds {} bytes; its shape {:?} needs {count}",
                bytes.len(),
                self.shape
            );
            return Err(problem.into());
        }
        let found = crc32fast::hash(bytes);
        if let Some(expected) = self.expected.filter(|&expected| expected != found) {
            let problem = format!("its checksum is {found:#010x}, not {expected:#010x}");
            return Err(problem.into());
        }
        let mut values = with_room(count)?;
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
            _ => Err("it is not the same array as before".into()),
        }
    }
}
