//! The IDX format of the MNIST family: a big-endian header, then one byte a pixel or a label.
//!
//! Reads plain and gzipped files and checks every header against the bytes that follow it; writes plain
//! files. Which files make a data set, and where they lie, is not known here.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::gzip::{MAX_EXPANSION, Plain};

/// First four bytes of an image file: unsigned bytes, three dimensions.
pub const IMAGE_MAGIC: u32 = 0x0000_0803;
/// First four bytes of a label file: unsigned bytes, one dimension.
pub const LABEL_MAGIC: u32 = 0x0000_0801;

/// The content of an IDX image file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdxImages {
    /// Grey levels 0..=255, `[count, height, width]`.
    pub pixels: Vec<u8>,
    /// Images in the file, at least 1.
    pub count: usize,
    /// Rows of an image, at least 1.
    pub height: usize,
    /// Columns of an image, at least 1.
    pub width: usize,
}

/// Why a file is not the IDX file that it should be.
#[derive(Debug, Error)]
pub enum IdxError {
    /// The file cannot be opened or read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The path is a folder or a device.
    #[error("{} is not a file; an IDX file is expected there", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// The gzip stream is damaged or ends early.
    #[error("{} is a damaged gzip file ({source}); replace it with a good copy", path.display())]
    Gzip {
        /// The file.
        path: PathBuf,
        /// What the decoder said.
        source: io::Error,
    },
    /// The file ends inside its header.
    #[error("{} ends inside its header: {expected} bytes expected, {found} found", path.display())]
    Header {
        /// The file.
        path: PathBuf,
        /// Bytes in a header of this kind.
        expected: usize,
        /// Bytes in the file.
        found: usize,
    },
    /// The file is of another kind.
    #[error("{} is not an IDX {kind} file: it starts with 0x{found:08x}{}, not 0x{expected:08x}", path.display(), other_kind(*found))]
    Magic {
        /// The file.
        path: PathBuf,
        /// What was expected, in words.
        kind: &'static str,
        /// The magic number of that kind.
        expected: u32,
        /// The number found.
        found: u32,
    },
    /// The header announces more than the file can hold.
    #[error("{} has an impossible header: it announces {dimensions}, more than a file of {stored} bytes can hold", path.display())]
    Absurd {
        /// The file.
        path: PathBuf,
        /// The announced dimensions, such as `60000×28×28`.
        dimensions: String,
        /// Bytes in the file as stored.
        stored: u64,
    },
    /// The header announces no data at all.
    #[error("{} is empty: its header announces {dimensions}", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
        /// The announced dimensions.
        dimensions: String,
    },
    /// The file ends before the data that its header announces.
    #[error("{} is cut short: its header announces {expected} bytes of data, {found} are there", path.display())]
    Truncated {
        /// The file.
        path: PathBuf,
        /// Announced bytes after the header.
        expected: u64,
        /// Bytes found after the header.
        found: u64,
    },
    /// The file goes on after the data that its header announces.
    #[error("{} goes on after the {expected} bytes of data that its header announces", path.display())]
    Trailing {
        /// The file.
        path: PathBuf,
        /// Announced bytes after the header.
        expected: u64,
    },
    /// A label names no class.
    #[error("{} gives item {index} the label {label}; labels go from 0 to {}", path.display(), classes - 1)]
    Label {
        /// The file.
        path: PathBuf,
        /// Position of the label, from 0.
        index: usize,
        /// The label found.
        label: u8,
        /// Number of classes.
        classes: u8,
    },
}

fn other_kind(magic: u32) -> &'static str {
    match magic {
        IMAGE_MAGIC => " (an image file)",
        LABEL_MAGIC => " (a label file)",
        _ => "",
    }
}

/// Reads an image file, plain or gzipped.
///
/// # Errors
/// Any [`IdxError`] but [`IdxError::Label`].
pub fn read_images(path: &Path) -> Result<IdxImages, IdxError> {
    let (reader, stored) = open(path)?;
    decode_images(reader, stored, path)
}

/// Reads a label file, plain or gzipped; labels lie in `0..classes`.
///
/// # Errors
/// Any [`IdxError`].
pub fn read_labels(path: &Path, classes: u8) -> Result<Vec<u8>, IdxError> {
    let (reader, stored) = open(path)?;
    decode_labels(reader, stored, path, classes)
}

/// Decodes an image file held in memory, plain or gzipped. `path` serves the error messages.
///
/// # Errors
/// As [`read_images`].
pub fn parse_images(bytes: &[u8], path: &Path) -> Result<IdxImages, IdxError> {
    decode_images(bytes, bytes.len() as u64, path)
}

/// Decodes a label file held in memory, plain or gzipped. `path` serves the error messages.
///
/// # Errors
/// As [`read_labels`].
pub fn parse_labels(bytes: &[u8], path: &Path, classes: u8) -> Result<Vec<u8>, IdxError> {
    decode_labels(bytes, bytes.len() as u64, path, classes)
}

/// Writes a plain image file: `pixels` is `[n, height, width]`.
///
/// # Errors
/// `InvalidInput` when `pixels` is no whole number of images or a dimension exceeds 32 bits; else what the writer says.
pub fn write_images(
    mut to: impl Write,
    pixels: &[u8],
    height: usize,
    width: usize,
) -> io::Result<()> {
    let one = height.saturating_mul(width);
    if one == 0 || !pixels.len().is_multiple_of(one) {
        let message = format!(
            "{} pixels are no whole number of {height}×{width} images",
            pixels.len()
        );
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    to.write_all(&IMAGE_MAGIC.to_be_bytes())?;
    for dimension in [pixels.len() / one, height, width] {
        to.write_all(&dimension_bytes(dimension)?)?;
    }
    to.write_all(pixels)
}

/// Writes a plain label file.
///
/// # Errors
/// `InvalidInput` when there are more labels than 32 bits count; else what the writer says.
pub fn write_labels(mut to: impl Write, labels: &[u8]) -> io::Result<()> {
    to.write_all(&LABEL_MAGIC.to_be_bytes())?;
    to.write_all(&dimension_bytes(labels.len())?)?;
    to.write_all(labels)
}

fn dimension_bytes(dimension: usize) -> io::Result<[u8; 4]> {
    u32::try_from(dimension)
        .map(u32::to_be_bytes)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))
}

fn open(path: &Path) -> Result<(BufReader<File>, u64), IdxError> {
    let failed = |source| IdxError::Read {
        path: path.to_owned(),
        source,
    };
    let about = std::fs::metadata(path).map_err(failed)?;
    if !about.is_file() {
        return Err(IdxError::NotAFile {
            path: path.to_owned(),
        });
    }
    let file = File::open(path).map_err(failed)?;
    Ok((BufReader::with_capacity(1 << 16, file), about.len()))
}

fn decode_images(reader: impl BufRead, stored: u64, path: &Path) -> Result<IdxImages, IdxError> {
    let ([count, height, width], pixels) = decode(reader, stored, path, "image", IMAGE_MAGIC)?;
    Ok(IdxImages {
        pixels,
        count,
        height,
        width,
    })
}

fn decode_labels(
    reader: impl BufRead,
    stored: u64,
    path: &Path,
    classes: u8,
) -> Result<Vec<u8>, IdxError> {
    let ([_], labels) = decode(reader, stored, path, "label", LABEL_MAGIC)?;
    match labels.iter().position(|&label| label >= classes) {
        None => Ok(labels),
        Some(index) => Err(IdxError::Label {
            path: path.to_owned(),
            index,
            label: labels[index],
            classes,
        }),
    }
}

/// Header, checks and data of a file with `N` dimensions, `stored` bytes long as it lies on disk.
fn decode<const N: usize>(
    reader: impl BufRead,
    stored: u64,
    path: &Path,
    kind: &'static str,
    expected: u32,
) -> Result<([usize; N], Vec<u8>), IdxError> {
    let path = path.to_owned();
    let mut reader = match Plain::new(reader) {
        Ok(reader) => reader,
        Err(source) => return Err(IdxError::Read { path, source }),
    };
    let packed = reader.is_gzip();
    let unreadable = |path, source| match packed {
        true => IdxError::Gzip { path, source },
        false => IdxError::Read { path, source },
    };

    let header_length = 4 + 4 * N;
    let mut header = Vec::with_capacity(header_length);
    if let Err(source) = (&mut reader)
        .take(header_length as u64)
        .read_to_end(&mut header)
    {
        return Err(unreadable(path, source));
    }
    let mut words = header
        .chunks_exact(4)
        .map(|word| u32::from_be_bytes([word[0], word[1], word[2], word[3]]));
    if let Some(found) = words.next().filter(|&found| found != expected) {
        return Err(IdxError::Magic {
            path,
            kind,
            expected,
            found,
        });
    }
    if header.len() < header_length {
        return Err(IdxError::Header {
            path,
            expected: header_length,
            found: header.len(),
        });
    }
    let dimensions: [usize; N] =
        std::array::from_fn(|_| words.next().map_or(0, |word| word as usize));

    let length = data_length(&dimensions, stored, packed, &path)?;
    // A plain file's length is known to hold this much; a gzip header may lie, so the vector grows with what comes.
    let mut data = Vec::with_capacity(if packed { 0 } else { length as usize });
    if let Err(source) = (&mut reader).take(length + 1).read_to_end(&mut data) {
        return Err(unreadable(path, source));
    }
    let found = data.len() as u64;
    match found.cmp(&length) {
        std::cmp::Ordering::Equal => Ok((dimensions, data)),
        std::cmp::Ordering::Less => Err(IdxError::Truncated {
            path,
            expected: length,
            found,
        }),
        std::cmp::Ordering::Greater => Err(IdxError::Trailing {
            path,
            expected: length,
        }),
    }
}

/// Bytes of data that `dimensions` announce, once the file is known to be able to hold them.
fn data_length(
    dimensions: &[usize],
    stored: u64,
    packed: bool,
    path: &Path,
) -> Result<u64, IdxError> {
    let path = path.to_owned();
    let words = || {
        dimensions
            .iter()
            .map(usize::to_string)
            .collect::<Vec<_>>()
            .join("×")
    };
    if dimensions.contains(&0) {
        return Err(IdxError::Empty {
            path,
            dimensions: words(),
        });
    }
    let room = if packed {
        stored.saturating_mul(MAX_EXPANSION)
    } else {
        stored
    };
    let length = dimensions
        .iter()
        .try_fold(1u64, |product, &size| product.checked_mul(size as u64));
    match length {
        Some(length) if length <= room => Ok(length),
        Some(length) if !packed => Err(IdxError::Truncated {
            path,
            expected: length,
            found: stored.saturating_sub(4 + 4 * dimensions.len() as u64),
        }),
        _ => Err(IdxError::Absurd {
            path,
            dimensions: words(),
            stored,
        }),
    }
}

#[cfg(test)]
mod tests;
