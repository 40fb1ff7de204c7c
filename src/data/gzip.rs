//! Reading a file that may or may not be gzipped: told by its first two bytes, never by its name.

use std::io::{self, BufRead, Read};

use flate2::bufread::MultiGzDecoder;

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Deflate cannot expand one stored byte into more than this many.
pub(crate) const MAX_EXPANSION: u64 = 1032;

/// The plain content of a reader, unpacked on the way where it is gzip.
pub(crate) struct Plain<R> {
    inner: Inner<R>,
}

enum Inner<R> {
    Stored(R),
    Gzip(Box<MultiGzDecoder<R>>),
}

impl<R: BufRead> Plain<R> {
    /// Looks at the first bytes of `reader` and decides.
    ///
    /// # Errors
    /// When those first bytes cannot be read.
    pub(crate) fn new(mut reader: R) -> io::Result<Self> {
        let inner = if reader.fill_buf()?.starts_with(&GZIP_MAGIC) {
            Inner::Gzip(Box::new(MultiGzDecoder::new(reader)))
        } else {
            Inner::Stored(reader)
        };
        Ok(Self { inner })
    }

    /// Whether the content is unpacked on the way.
    pub(crate) fn is_gzip(&self) -> bool {
        matches!(self.inner, Inner::Gzip(_))
    }
}

impl<R: BufRead> Read for Plain<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.inner {
            Inner::Stored(reader) => reader.read(buffer),
            Inner::Gzip(decoder) => decoder.read(buffer),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn read_all(bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        Plain::new(bytes)?.read_to_end(&mut content)?;
        Ok(content)
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn plain_and_gzipped_content_read_the_same() {
        assert_eq!(read_all(b"digits").unwrap(), b"digits");
        assert_eq!(read_all(&gzip(b"digits")).unwrap(), b"digits");
    }

    #[test]
    fn gzip_cut_short_is_an_error() {
        let packed = gzip(b"digits");
        assert!(read_all(&packed[..packed.len() - 4]).is_err());
    }

    #[test]
    fn an_empty_file_is_plain_and_empty() {
        assert_eq!(read_all(b"").unwrap(), b"");
    }
}
