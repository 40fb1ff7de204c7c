//! The IDX format of the MNIST family: a big-endian header, then one byte per pixel or label.
//!
//! Reads plain and gzipped files and checks every header against the bytes that follow it; writes plain files. Knows
//! nothing about which files form a data set or where they are.

use std::io::{self, BufRead, Read, Write};
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::file::{self, FileError, most_bytes};
use super::gzip::MaybeGzip;

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

/// Why a file is not a valid IDX file of the expected kind.
#[derive(Debug, Error)]
pub enum IdxError {
    /// The file cannot be read, or is not an IDX file.
    #[error(transparent)]
    File(#[from] FileError),
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
    /// The file is an IDX file of another kind.
    #[error("{} is not an IDX {kind} file: {}, but unsigned bytes, {} are expected{}", path.display(), describe_magic(*found), dimensions_of(*expected), kind_remedy(*found))]
    Magic {
        /// The file.
        path: PathBuf,
        /// The expected kind.
        kind: &'static str,
        /// The magic number of that kind.
        expected: u32,
        /// The magic number found.
        found: u32,
    },
    /// The header announces more than the file can hold.
    #[error("{} has an impossible header: it declares {dimensions}, but a file of {stored} bytes holds at most {most}", path.display())]
    ImpossibleHeader {
        /// The file.
        path: PathBuf,
        /// The announced dimensions, such as `60000×28×28`.
        dimensions: String,
        /// Bytes in the file as stored.
        stored: u64,
        /// Bytes of data that it can hold.
        most: u64,
    },
    /// The header announces no data at all.
    #[error("{} is empty: its header declares {dimensions}", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
        /// The announced dimensions.
        dimensions: String,
    },
    /// The file ends before the data that its header announces.
    #[error("{} is cut short: its header declares {expected} bytes of data, but it has {found}", path.display())]
    Truncated {
        /// The file.
        path: PathBuf,
        /// Announced bytes after the header.
        expected: u64,
        /// Bytes found after the header.
        found: u64,
    },
    /// The file continues after the data that its header announces.
    #[error("{} continues after the {expected} bytes of data that its header declares", path.display())]
    Trailing {
        /// The file.
        path: PathBuf,
        /// Announced bytes after the header.
        expected: u64,
    },
    /// Every line feed of the file has become two bytes.
    #[error("{} was damaged by a transfer in text mode: every byte 0x0a has become 0x0d 0x0a; copy it again in binary mode", path.display())]
    TextMode {
        /// The file.
        path: PathBuf,
    },
}

/// A description of the type and dimensions that a magic number encodes, or the number itself if invalid.
fn describe_magic(magic: u32) -> String {
    let [zero, nought, code, _] = magic.to_be_bytes();
    let element = match code {
        0x08 => "unsigned bytes",
        0x09 => "signed bytes",
        0x0b => "int16",
        0x0c => "int32",
        0x0d => "float32",
        0x0e => "float64",
        _ => "",
    };
    if (zero, nought) != (0, 0) || element.is_empty() {
        return format!("it starts with 0x{magic:08x}");
    }
    let kind = match magic {
        IMAGE_MAGIC => " (an image file)",
        LABEL_MAGIC => " (a label file)",
        _ => "",
    };
    format!("it holds {element}, {}{kind}", dimensions_of(magic))
}

fn dimensions_of(magic: u32) -> String {
    match magic & 0xff {
        1 => "1 dimension".to_owned(),
        count => format!("{count} dimensions"),
    }
}

fn kind_remedy(magic: u32) -> &'static str {
    match magic {
        IMAGE_MAGIC | LABEL_MAGIC => "; were two files swapped?",
        _ if describe_magic(magic).starts_with("it holds") => {
            "; save arrays of other types with numpy.savez(\"images.npz\", images=…, labels=…)"
        }
        _ => "",
    }
}

/// Reads an image file, plain or gzipped.
///
/// # Errors
/// Any [`IdxError`].
pub fn read_images(path: &Path) -> Result<IdxImages, IdxError> {
    let opened = file::open(path)?;
    decode_images(opened.content, opened.stored, path)
}

/// Reads a label file, plain or gzipped; does not check the labels against the classes.
///
/// # Errors
/// Any [`IdxError`].
pub fn read_labels(path: &Path) -> Result<Vec<u8>, IdxError> {
    let opened = file::open(path)?;
    decode_labels(opened.content, opened.stored, path)
}

/// Decodes an image file held in memory, plain or gzipped. `path` is for error messages.
///
/// # Errors
/// As [`read_images`].
pub fn parse_images(bytes: &[u8], path: &Path) -> Result<IdxImages, IdxError> {
    let content = in_memory(bytes, path)?;
    decode_images(content, bytes.len() as u64, path)
}

/// Decodes a label file held in memory, plain or gzipped. `path` is for error messages.
///
/// # Errors
/// As [`read_labels`].
pub fn parse_labels(bytes: &[u8], path: &Path) -> Result<Vec<u8>, IdxError> {
    let content = in_memory(bytes, path)?;
    decode_labels(content, bytes.len() as u64, path)
}

fn in_memory<'a>(bytes: &'a [u8], path: &Path) -> Result<MaybeGzip<&'a [u8]>, IdxError> {
    let failed = |source| FileError::Read {
        path: path.to_owned(),
        source,
    };
    Ok(MaybeGzip::new(bytes).map_err(failed)?)
}

/// Writes a plain image file: `pixels` is `[n, height, width]`.
///
/// # Errors
/// `InvalidInput` if `pixels` is not a whole number of images or a dimension exceeds 32 bits; else the writer's error.
pub fn write_images(
    mut to: impl Write,
    pixels: &[u8],
    height: usize,
    width: usize,
) -> io::Result<()> {
    let one = height.saturating_mul(width);
    if one == 0 || !pixels.len().is_multiple_of(one) {
        let message = format!(
            "{} pixels are not a whole number of {height}×{width} images",
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
/// `InvalidInput` if the number of labels exceeds 32 bits; else the writer's error.
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

fn decode_images<R: BufRead>(
    content: MaybeGzip<R>,
    stored: u64,
    path: &Path,
) -> Result<IdxImages, IdxError> {
    let ([count, height, width], pixels) = decode(content, stored, path, "image", IMAGE_MAGIC)?;
    Ok(IdxImages {
        pixels,
        count,
        height,
        width,
    })
}

fn decode_labels<R: BufRead>(
    content: MaybeGzip<R>,
    stored: u64,
    path: &Path,
) -> Result<Vec<u8>, IdxError> {
    let ([_], labels) = decode(content, stored, path, "label", LABEL_MAGIC)?;
    Ok(labels)
}

/// Reads and checks a file with `N` dimensions that takes `stored` bytes on disk; returns its dimensions and data.
fn decode<const N: usize, R: BufRead>(
    mut content: MaybeGzip<R>,
    stored: u64,
    path: &Path,
    kind: &'static str,
    expected: u32,
) -> Result<([usize; N], Vec<u8>), IdxError> {
    let packed = content.is_gzip();
    let header_length = 4 + 4 * N;
    let header = read_up_to(&mut content, header_length as u64, path)?;
    let mut words = header
        .chunks_exact(4)
        .map(|word| u32::from_be_bytes([word[0], word[1], word[2], word[3]]));
    let magic = words.next();
    if magic.is_none_or(|found| found != expected) {
        let mut start = header.clone();
        // On an error, use the bytes read so far.
        let _ = (&mut content).take(512).read_to_end(&mut start);
        if let Some(found) = file::recognise_foreign(&start) {
            return Err(FileError::Foreign {
                path: path.to_owned(),
                expected: "an IDX file",
                found,
            }
            .into());
        }
    }
    if let Some(found) = magic.filter(|&found| found != expected) {
        return Err(IdxError::Magic {
            path: path.to_owned(),
            kind,
            expected,
            found,
        });
    }
    if header.len() < header_length {
        return Err(IdxError::Header {
            path: path.to_owned(),
            expected: header_length,
            found: header.len(),
        });
    }
    let dimensions: [usize; N] =
        std::array::from_fn(|_| words.next().map_or(0, |word| word as usize));

    let length = data_length(&dimensions, stored, &content, path)?;
    // A plain file is known to hold this much; a gzipped file's header may lie, so there the vector grows as needed.
    let mut data = Vec::with_capacity(if packed { 0 } else { length as usize });
    (&mut content)
        .take(length + 1)
        .read_to_end(&mut data)
        .map_err(|source| file::unreadable(path, packed, source))?;
    let found = data.len() as u64;
    match found.cmp(&length) {
        std::cmp::Ordering::Equal => Ok((dimensions, data)),
        std::cmp::Ordering::Less => Err(IdxError::Truncated {
            path: path.to_owned(),
            expected: length,
            found,
        }),
        std::cmp::Ordering::Greater => {
            // Text mode adds at most one byte per byte.
            let _ = content.take(length).read_to_end(&mut data);
            let path = path.to_owned();
            Err(match file::is_text_mode(&data) {
                true => IdxError::TextMode { path },
                false => IdxError::Trailing {
                    path,
                    expected: length,
                },
            })
        }
    }
}

/// The next `length` bytes, or fewer if the content ends.
fn read_up_to<R: BufRead>(
    content: &mut MaybeGzip<R>,
    length: u64,
    path: &Path,
) -> Result<Vec<u8>, IdxError> {
    let packed = content.is_gzip();
    let mut bytes = Vec::with_capacity(length as usize);
    content
        .take(length)
        .read_to_end(&mut bytes)
        .map_err(|source| file::unreadable(path, packed, source))?;
    Ok(bytes)
}

/// Bytes of data that `dimensions` announce, after checking that the file can hold them.
fn data_length<R: BufRead>(
    dimensions: &[usize],
    stored: u64,
    content: &MaybeGzip<R>,
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
    let length = dimensions
        .iter()
        .try_fold(1u64, |product, &size| product.checked_mul(size as u64));
    match length {
        Some(length) if length <= content.max_unpacked(stored) && length > most_bytes() => {
            Err(FileError::TooLarge {
                path,
                what: words(),
                limit: most_bytes(),
            }
            .into())
        }
        Some(length) if length <= content.max_unpacked(stored) => Ok(length),
        Some(length) if !content.is_gzip() => Err(IdxError::Truncated {
            path,
            expected: length,
            found: stored.saturating_sub(4 + 4 * dimensions.len() as u64),
        }),
        _ => Err(IdxError::ImpossibleHeader {
            path,
            dimensions: words(),
            stored,
            most: content.max_unpacked(stored),
        }),
    }
}

#[cfg(test)]
mod tests;
