//! Decoder for a single PNG or JPEG picture: grey pictures get one channel, all others three.

use std::fs;
use std::io::Cursor;
use std::path::Path;

use image::codecs::jpeg::JpegDecoder;
use image::codecs::png::PngDecoder;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, Limits};

use super::super::file::{check_regular, failed, recognise_foreign};
use super::listing::extension;
use super::raw::to_planar;
use crate::session::form::Shape;

/// The longest side of a picture, in pixels.
const MOST_SIDE: u32 = 16_384;
/// The largest file of a picture: 256 MiB.
const MOST_STORED: u64 = 256 << 20;

/// Whether a file has the extension of a picture.
pub(super) fn is_picture(path: &Path) -> bool {
    matches!(extension(path).as_str(), "png" | "jpg" | "jpeg")
}

/// Properties of a picture before its conversion to bytes of one or three channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct PictureTraits {
    /// Sixteen bits a level.
    pub deep: bool,
    /// An alpha channel or a transparent colour.
    pub alpha: bool,
    /// Colours from a palette.
    pub palette: bool,
    /// A palette of greys only, so that one channel is enough.
    pub grey_palette: bool,
    /// Several frames, of which the first is used.
    pub animated: bool,
    /// One channel, from which three equal ones were made.
    pub grey: bool,
    /// An EXIF orientation other than upright, which is ignored.
    pub turned: bool,
}

/// A picture, decoded.
#[derive(Debug)]
pub(super) struct Picture {
    /// `[C, H, W]`.
    pub shape: Shape,
    /// Levels, channel by channel.
    pub pixels: Vec<u8>,
    /// Its original properties.
    pub traits: PictureTraits,
}

/// Why a picture cannot be used.
#[derive(Debug)]
pub(super) enum DecodeError {
    /// It cannot be read, for this reason.
    Unreadable(String),
    /// It has another shape than expected: this one.
    Differs(Shape),
}

/// Reads a picture. With `expected`, refuses another size before decoding, and gives a grey picture, or one with a grey
/// palette, the expected number of channels.
///
/// # Errors
/// A [`DecodeError`].
pub(super) fn read(path: &Path, expected: Option<Shape>) -> Result<Picture, DecodeError> {
    let unreadable = |error: &dyn std::fmt::Display| DecodeError::Unreadable(error.to_string());
    let about = fs::metadata(path).map_err(|error| unreadable(&failed(path, error)))?;
    check_regular(path, &about).map_err(|error| unreadable(&error))?;
    if about.len() > MOST_STORED {
        let reason = format!(
            "has {} bytes; pictures must have at most {MOST_STORED} bytes",
            about.len()
        );
        return Err(DecodeError::Unreadable(reason));
    }
    let bytes = fs::read(path).map_err(|error| unreadable(&error))?;
    decode(&bytes, expected)
}

/// Decodes a picture held in memory, as [`read`] does.
///
/// # Errors
/// A [`DecodeError`].
pub(super) fn decode(bytes: &[u8], expected: Option<Shape>) -> Result<Picture, DecodeError> {
    let unreadable = |error: image::ImageError| DecodeError::Unreadable(error.to_string());
    if bytes.starts_with(b"\x89PNG") {
        let mut limits = Limits::default();
        limits.max_image_width = Some(MOST_SIDE);
        limits.max_image_height = Some(MOST_SIDE);
        let decoder = PngDecoder::with_limits(Cursor::new(bytes), limits).map_err(unreadable)?;
        let animated = decoder.is_apng().unwrap_or(false);
        // Depth and colour type, at fixed offsets in the first chunk.
        let (depth, colour) = (bytes.get(24), bytes.get(25));
        let traits = PictureTraits {
            deep: depth == Some(&16),
            palette: colour == Some(&3),
            animated,
            ..PictureTraits::default()
        };
        return finish(decoder, traits, expected);
    }
    if bytes.starts_with(b"\xff\xd8") {
        if !is_whole_jpeg(bytes) {
            let reason = "is cut short: it has no end marker".to_owned();
            return Err(DecodeError::Unreadable(reason));
        }
        let decoder = JpegDecoder::new(Cursor::new(bytes)).map_err(unreadable)?;
        return finish(decoder, PictureTraits::default(), expected);
    }
    Err(DecodeError::Unreadable(
        match recognise_foreign(&bytes[..bytes.len().min(512)]) {
            Some(found) => format!("is {}", found.what),
            None => "is neither PNG nor JPEG".to_owned(),
        },
    ))
}

/// Whether a JPEG has its end marker. The decoder does not need it: what is missing of a picture becomes grey.
fn is_whole_jpeg(bytes: &[u8]) -> bool {
    const MARK: u8 = 0xff;
    let mut rest = bytes.get(2..).unwrap_or_default();
    while let Some(at) = rest.iter().position(|&byte| byte == MARK) {
        rest = &rest[at + 1..];
        match *rest {
            [0xd9, ..] => return true,
            // A byte 0xff of the picture, markers without content, and padding before a marker.
            [0 | 1 | 0xd0..=0xd8, ..] => rest = &rest[1..],
            [MARK, ..] => {}
            // Content with its length in front, which may hold a small picture with an end marker of its own.
            [_, high, low, ..] => {
                let length = usize::from(u16::from_be_bytes([high, low]));
                rest = rest.get(1 + length..).unwrap_or_default();
            }
            _ => return false,
        }
    }
    false
}

fn finish(
    mut decoder: impl ImageDecoder,
    mut traits: PictureTraits,
    expected: Option<Shape>,
) -> Result<Picture, DecodeError> {
    let unreadable = |error: image::ImageError| DecodeError::Unreadable(error.to_string());
    let (width, height) = decoder.dimensions();
    if width > MOST_SIDE || height > MOST_SIDE {
        let reason = format!("is {height}×{width}; sides must be at most {MOST_SIDE}");
        return Err(DecodeError::Unreadable(reason));
    }
    let (height, width) = (height as usize, width as usize);
    let colour = decoder.color_type();
    traits.alpha = colour.has_alpha();
    let channels = if colour.has_color() { 3 } else { 1 };
    if let Some([_, rows, columns]) = expected
        && (rows, columns) != (height, width)
    {
        return Err(DecodeError::Differs([channels, height, width]));
    }
    traits.turned = decoder
        .orientation()
        .is_ok_and(|orientation| orientation != Orientation::NoTransforms);
    let decoded = DynamicImage::from_decoder(decoder).map_err(unreadable)?;
    let mut shape = [channels, height, width];
    let mut pixels = match channels {
        1 => decoded.into_luma8().into_raw(),
        _ => decoded.into_rgb8().into_raw(),
    };
    if traits.palette
        && pixels
            .chunks_exact(3)
            .all(|pixel| pixel[0] == pixel[1] && pixel[1] == pixel[2])
    {
        traits.grey_palette = true;
        if expected.is_none_or(|[channels, ..]| channels == 1) {
            pixels = pixels.chunks_exact(3).map(|pixel| pixel[0]).collect();
            shape[0] = 1;
        }
    }
    if channels == 1 && expected.is_some_and(|[channels, ..]| channels == 3) {
        traits.grey = true;
        pixels = pixels.repeat(3);
        shape[0] = 3;
    } else if shape[0] == 3 {
        pixels = to_planar(&pixels, 3, height * width);
    }
    if expected.is_some_and(|expected| expected != shape) {
        return Err(DecodeError::Differs(shape));
    }
    Ok(Picture {
        shape,
        pixels,
        traits,
    })
}
