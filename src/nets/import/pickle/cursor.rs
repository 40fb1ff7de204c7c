//! The bytes of a pickle, from the first to the last.

use super::PickleError;

/// A place in a pickle.
pub struct Cursor<'a> {
    bytes: &'a [u8],
    /// How many bytes were read.
    pub at: usize,
}

impl<'a> Cursor<'a> {
    /// At the beginning.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// The next bytes. The length is compared with what there is before anything is taken.
    pub fn take(&mut self, length: usize) -> Result<&'a [u8], PickleError> {
        let end = self.at.checked_add(length);
        let taken = end.and_then(|end| self.bytes.get(self.at..end));
        let taken = taken.ok_or(PickleError::CutOff(self.bytes.len()))?;
        self.at += length;
        Ok(taken)
    }

    /// The next byte.
    pub fn byte(&mut self) -> Result<u8, PickleError> {
        Ok(self.take(1)?[0])
    }

    /// A little-endian whole number of up to eight bytes, without a sign.
    pub fn whole(&mut self, width: usize) -> Result<u64, PickleError> {
        let bytes = self.take(width)?.iter().rev();
        Ok(bytes.fold(0, |number, &byte| number << 8 | u64::from(byte)))
    }

    /// Bytes behind their length, which stands in `width` bytes.
    pub fn counted(&mut self, width: usize) -> Result<&'a [u8], PickleError> {
        let length = usize::try_from(self.whole(width)?);
        self.take(length.map_err(|_| PickleError::CutOff(self.bytes.len()))?)
    }

    /// The bytes up to the end of the line, which is skipped.
    pub fn line(&mut self) -> Result<&'a [u8], PickleError> {
        let rest = &self.bytes[self.at..];
        let length = rest.iter().position(|&byte| byte == b'\n');
        let line = self.take(length.ok_or(PickleError::CutOff(self.bytes.len()))?)?;
        self.at += 1;
        Ok(line)
    }
}
