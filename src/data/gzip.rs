//! Transparent reading of gzipped and plain files, distinguished by their first two bytes and never by name. A file that
//! was gzipped twice, for example by a server and a script, is unpacked twice.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Most bytes of images that one packed byte unpacks into; deflate itself can reach ten times as many.
pub(crate) const MOST_EXPANSION: u64 = 100;
/// Content up to this size may be packed better than that.
const SMALL: u64 = 256 << 20;

/// A reader of plain content, unpacking gzip on the fly.
pub(crate) struct MaybeGzip<R> {
    inner: Inner<R>,
    /// The error from peeking at the first unpacked bytes, returned by the first `read`.
    pending: Option<io::Error>,
}

enum Inner<R> {
    Stored(R),
    Gzip(Box<BufReader<MultiGzDecoder<R>>>),
    Twice(Box<MultiGzDecoder<BufReader<MultiGzDecoder<R>>>>),
}

impl<R: BufRead> MaybeGzip<R> {
    /// Peeks at the first bytes of `reader` to detect gzip.
    ///
    /// # Errors
    /// If those bytes cannot be read.
    pub(crate) fn new(mut reader: R) -> io::Result<Self> {
        if !reader.fill_buf()?.starts_with(&GZIP_MAGIC) {
            return Ok(Self {
                inner: Inner::Stored(reader),
                pending: None,
            });
        }
        let mut once = BufReader::with_capacity(1 << 16, MultiGzDecoder::new(reader));
        let packed_twice = once
            .fill_buf()
            .map(|content| content.starts_with(&GZIP_MAGIC));
        let (inner, pending) = match packed_twice {
            Ok(true) => (Inner::Twice(Box::new(MultiGzDecoder::new(once))), None),
            Ok(false) => (Inner::Gzip(Box::new(once)), None),
            Err(error) => (Inner::Gzip(Box::new(once)), Some(error)),
        };
        Ok(Self { inner, pending })
    }

    /// Whether the content is gzipped.
    pub(crate) fn is_gzip(&self) -> bool {
        !matches!(self.inner, Inner::Stored(_))
    }

    /// The most bytes accepted from `stored` bytes: anything that unpacks into more is a decompression bomb.
    pub(crate) fn max_unpacked(&self, stored: u64) -> u64 {
        match self.inner {
            Inner::Stored(_) => stored,
            Inner::Gzip(_) | Inner::Twice(_) => max_unpacked_size(stored),
        }
    }
}

/// The most unpacked bytes accepted from `stored` packed ones.
pub(crate) fn max_unpacked_size(stored: u64) -> u64 {
    stored.saturating_mul(MOST_EXPANSION).max(SMALL)
}

impl<R: BufRead> Read for MaybeGzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(error) = self.pending.take() {
            return Err(error);
        }
        match &mut self.inner {
            Inner::Stored(reader) => reader.read(buffer),
            Inner::Gzip(decoder) => decoder.read(buffer),
            Inner::Twice(decoder) => decoder.read(buffer),
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
        MaybeGzip::new(bytes)?.read_to_end(&mut content)?;
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
    fn content_that_was_gzipped_twice_reads_the_same() {
        assert_eq!(read_all(&gzip(&gzip(b"digits"))).unwrap(), b"digits");
    }

    #[test]
    fn gzip_cut_short_is_an_error_wherever_it_is_cut() {
        let packed = gzip(b"digits");
        for length in 2..packed.len() {
            assert!(read_all(&packed[..length]).is_err(), "{length}");
        }
    }

    #[test]
    fn an_empty_file_is_plain_and_empty() {
        assert_eq!(read_all(b"").unwrap(), b"");
    }
}
