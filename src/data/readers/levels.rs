//! Conversion of an array to image levels 0..=255, and of its dimensions to `[n, C, H, W]`.

use super::array::{ElementType, NumpyArray};
use super::raw::to_planar;
use crate::session::form::Shape;

/// The numbers of an array that are black and white.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct LevelRange {
    /// Becomes 0.
    pub black: f64,
    /// Becomes 255.
    pub white: f64,
}

impl LevelRange {
    const UNIT: Self = Self::to(1.0);
    const SIGNED: Self = Self {
        black: -1.0,
        white: 1.0,
    };
    const BYTE: Self = Self::to(255.0);
    const WORD: Self = Self::to(65_535.0);

    const fn to(white: f64) -> Self {
        Self { black: 0.0, white }
    }
}

/// Levels of pixels, with a note on their conversion.
pub(super) struct PixelLevels {
    /// Levels in the array's order.
    pub levels: Vec<u8>,
    /// What was taken for black and white.
    pub range: LevelRange,
    /// What was assumed, and what precision was lost.
    pub note: Option<String>,
    /// Whether the images are so dark that the range is probably wrong, as the note says.
    pub is_dark: bool,
}

/// How far numbers from 0 to 1 may go beyond, as rounding in a resampling makes them do.
const SLACK: f64 = 1e-3;
/// Floats up to this may be from 0 to 1, with some beyond.
const MOST_OF_ONE: f64 = 2.0;
/// Images without a level above this are dark.
const DARK: f64 = 64.0;

/// Converts numbers to bytes: bytes unchanged, numbers up to 255, 16-bit integers, [0, 1], [−1, 1].
///
/// # Errors
/// If the numbers are none of these; says their range.
pub(super) fn to_levels(array: &NumpyArray<'_>) -> Result<PixelLevels, String> {
    if let Some(levels) = array.bytes() {
        let binary = levels.iter().max() == Some(&1);
        let note = "uint8 images have no level but 0 and 1, which is nearly black: if 1 means white, multiply by 255 first";
        return Ok(PixelLevels {
            levels,
            range: LevelRange::BYTE,
            note: binary.then(|| note.to_owned()),
            is_dark: binary,
        });
    }
    let name = array.type_name();
    let (least, greatest, whole) = array.range()?;
    if array.element == ElementType::Bool {
        return Ok(scaled(
            array,
            LevelRange::UNIT,
            "bool images were converted to black and white, 0 and 255",
        ));
    }
    let is_float = array.element == ElementType::Float;
    let dark = |note: &str, white: f64| {
        let one = match is_float && !whole && greatest <= MOST_OF_ONE {
            true => format!(", and if 1 does, by {white}, and clip what is beyond"),
            false => String::new(),
        };
        format!(
            "{note}; their greatest level is {greatest}, which is dark: if {greatest} means white, multiply by {white}/{greatest} first{one}"
        )
    };
    if is_float && least >= -SLACK && greatest <= 1.0 + SLACK {
        return Ok(scaled(
            array,
            LevelRange::UNIT,
            &format!("{name} images from 0 to 1 were converted to bytes"),
        ));
    }
    // Numbers that are only a little below 0 may come from a resampling of numbers from 0 to 1.
    if is_float && (-1.0 - SLACK..=-0.5).contains(&least) && greatest <= 1.0 + SLACK {
        return Ok(scaled(
            array,
            LevelRange::SIGNED,
            &format!("{name} images from −1 to 1 were converted to bytes, −1 black and 1 white"),
        ));
    }
    // Less than half a level is rounded away.
    let beyond = if is_float && greatest >= DARK {
        0.49
    } else {
        0.0
    };
    if least >= -beyond && greatest <= 255.0 + beyond {
        let mut note = format!("{name} images from 0 to 255 were converted to bytes");
        let is_dark = greatest < DARK;
        if is_dark {
            note = dark(&note, 255.0);
        }
        let mut levels = scaled(array, LevelRange::BYTE, &note);
        levels.is_dark = is_dark;
        if whole && !is_dark {
            levels.note = None;
        }
        return Ok(levels);
    }
    if array.element == ElementType::Unsigned && array.size == 2 {
        let white = LevelRange::WORD.white;
        let mut note = "uint16 images from 0 to 65535 were converted to bytes".to_owned();
        let is_dark = greatest * 255.0 / white < DARK;
        if is_dark {
            note = dark(&note, white);
        }
        let mut levels = scaled(array, LevelRange::WORD, &note);
        levels.is_dark = is_dark;
        return Ok(levels);
    }
    let held = format!("holds {name} from {least} to {greatest}");
    if is_float && (-0.5..0.0).contains(&least) && greatest <= 1.0 + SLACK {
        return Err(format!(
            "{held}, which may be levels from −1 to 1 of which none is dark, or levels from 0 to 1 that a resampling left \
             below 0: save (x + 1)/2 of the former; clip the latter"
        ));
    }
    if !is_float {
        return Err(format!(
            "{held}; integers must be levels from 0 to 255, or from 0 to 65535 in uint16: shift and scale them to one of these \
             before saving"
        ));
    }
    Err(format!(
        "{held}; levels must be 0 to 255, 0 to 1, or −1 to 1: undo any normalisation (multiply by the standard deviation, \
         add the mean) before saving, and clip what a resampling left beyond"
    ))
}

/// Numbers of a range as levels, rounded; the greatest rounding error is appended to the note.
fn scaled(array: &NumpyArray<'_>, range: LevelRange, note: &str) -> PixelLevels {
    let factor = 255.0 / (range.white - range.black);
    let mut worst = 0.0f64;
    let levels = array.map(|value| {
        let exact = (value - range.black) * factor;
        let rounded = exact.round().clamp(0.0, 255.0);
        worst = worst.max((exact - rounded).abs());
        rounded as u8
    });
    // Errors below this come from float32 itself.
    let lost = match worst < 1e-3 {
        true => "nothing was lost".to_owned(),
        false => format!("rounding changed levels by up to {worst:.2} of 255"),
    };
    PixelLevels {
        levels,
        range,
        note: Some(format!("{note}; {lost}")),
        is_dark: false,
    }
}

/// A dimension up to this length can be the channels.
const MOST_CHANNELS: usize = 4;

/// Images `[n, C, H, W]` from an array's bytes and shape, with a note if the shape is ambiguous.
///
/// # Errors
/// If the shape is not one of images.
pub(super) fn to_images(
    levels: Vec<u8>,
    shape: &[usize],
) -> Result<(Vec<u8>, Shape, Option<String>), String> {
    let few = |length: usize| (1..=MOST_CHANNELS).contains(&length);
    match *shape {
        [_, height, width] => Ok((levels, [1, height, width], None)),
        [_, height, width, channels] if few(channels) => {
            let note = match (few(height), channels) {
                (true, _) => Some(format!(
                    "the shape {shape:?} was read as images, rows, columns, channels"
                )),
                (false, 4) => Some(four_channel_note()),
                _ => None,
            };
            let levels = match channels {
                1 => levels,
                _ => to_planar(&levels, channels, height * width),
            };
            Ok((levels, [channels, height, width], note))
        }
        [_, channels, height, width] if few(channels) => Ok((
            levels,
            [channels, height, width],
            (channels == 4).then(four_channel_note),
        )),
        [_, length] => {
            let side = |length: usize| {
                let side = length.isqrt();
                (side > 1 && side * side == length).then_some(side)
            };
            let (channels, side) = match (side(length), length.is_multiple_of(3)) {
                (Some(side), _) => (1, side),
                (None, true) if side(length / 3).is_some() => (3, (length / 3).isqrt()),
                _ => {
                    return Err(format!(
                        "has the shape {shape:?}: rows of {length} numbers are not square images; save it as [n, H, W]"
                    ));
                }
            };
            let note = match channels {
                1 => format!("rows of {length} numbers were read as images of {side}×{side}"),
                _ => format!(
                    "rows of {length} numbers were read as 3 channels of {side}×{side}, one after the other"
                ),
            };
            Ok((levels, [channels, side, side], Some(note)))
        }
        _ => Err(format!(
            "has the shape {shape:?}; images are [n, H, W], [n, H, W, C] or [n, C, H, W]"
        )),
    }
}

fn four_channel_note() -> String {
    "images have 4 channels, all of which are used; if one is an alpha channel, remove it before saving"
        .to_owned()
}
