//! [`Cursor`], which reads the bytes of a pickle in order.

use super::PickleError;

/// A position in a pickle.
pub struct Cursor<'a> {
    bytes: &'a [u8],
    /// Number of bytes read so far.
    pub position: usize,
}

impl<'a> Cursor<'a> {
    /// A cursor at the start.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    /// The next bytes. The length is checked before anything is read.
    pub fn take(&mut self, length: usize) -> Result<&'a [u8], PickleError> {
        let end = self.position.checked_add(length);
        let taken = end.and_then(|end| self.bytes.get(self.position..end));
        let taken = taken.ok_or(PickleError::CutOff(self.bytes.len()))?;
        self.position += length;
        Ok(taken)
    }

    /// The next byte.
    pub fn byte(&mut self) -> Result<u8, PickleError> {
        Ok(self.take(1)?[0])
    }

    /// A little-endian unsigned integer of up to eight bytes.
    pub fn whole(&mut self, width: usize) -> Result<u64, PickleError> {
        let bytes = self.take(width)?.iter().rev();
        Ok(bytes.fold(0, |number, &byte| number << 8 | u64::from(byte)))
    }

    /// Bytes preceded by their length, which takes `width` bytes.
    pub fn counted(&mut self, width: usize) -> Result<&'a [u8], PickleError> {
        let length = usize::try_from(self.whole(width)?);
        self.take(length.map_err(|_| PickleError::CutOff(self.bytes.len()))?)
    }

    /// The bytes up to the end of the line, which is skipped.
    pub fn line(&mut self) -> Result<&'a [u8], PickleError> {
        let rest = &self.bytes[self.position..];
        let length = rest.iter().position(|&byte| byte == b'\n');
        let line = self.take(length.ok_or(PickleError::CutOff(self.bytes.len()))?)?;
        self.position += 1;
        Ok(line)
    }
}
