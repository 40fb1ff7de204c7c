//! Numbers of an array as levels 0..=255, and the order of its dimensions.

use super::array::{Array, Element};
use super::raw::planar;
use crate::session::form::Shape;

/// Levels of pixels, and what became of the numbers that they were.
pub(super) struct Levels {
    /// In the array's own order.
    pub levels: Vec<u8>,
    /// What was lost or assumed.
    pub note: Option<String>,
}

/// Bytes from numbers: bytes as they are, whole numbers up to 255, sixteen bits, [0, 1], [−1, 1].
///
/// # Errors
/// Where the numbers are none of these, with their range.
pub(super) fn bytes_of(array: &Array<'_>) -> Result<Levels, String> {
    if let Some(levels) = array.bytes() {
        return Ok(Levels { levels, note: None });
    }
    let name = array.type_name();
    let (least, greatest, whole) = array.range()?;
    if array.element == Element::Bool {
        return Ok(scaled(
            array,
            0.0,
            255.0,
            "bool images became black and white, 0 and 255",
        ));
    }
    let is_float = array.element == Element::Float;
    if is_float && least >= 0.0 && greatest <= 1.0 {
        return Ok(scaled(
            array,
            0.0,
            255.0,
            &format!("{name} images from 0 to 1 became bytes"),
        ));
    }
    if is_float && least >= -1.0 && greatest <= 1.0 {
        return Ok(scaled(
            array,
            1.0,
            127.5,
            &format!("{name} images from −1 to 1 became bytes, −1 black and 1 white"),
        ));
    }
    if least >= 0.0 && greatest <= 255.0 {
        let mut said = format!("{name} images from 0 to 255 became bytes");
        if greatest < 64.0 {
            said = format!(
                "{said}; their greatest level is {greatest}, which is dark: if {greatest} means white, multiply by 255/{greatest} first"
            );
        }
        let mut levels = scaled(array, 0.0, 1.0, &said);
        if whole && greatest >= 64.0 {
            levels.note = None;
        }
        return Ok(levels);
    }
    if array.element == Element::Unsigned && array.size == 2 {
        return Ok(scaled(
            array,
            0.0,
            255.0 / 65535.0,
            "uint16 images from 0 to 65535 became bytes",
        ));
    }
    Err(format!(
        "holds {name} from {least} to {greatest}; levels are 0 to 255, or 0 to 1: undo a normalisation (multiply by \
         the standard deviation, add the mean) before saving"
    ))
}

/// `(value + offset) · factor`, rounded; the note tells the greatest loss.
fn scaled(array: &Array<'_>, offset: f64, factor: f64, said: &str) -> Levels {
    let mut worst = 0.0f64;
    let levels = array.map(|value| {
        let exact = (value + offset) * factor;
        let rounded = exact.round().clamp(0.0, 255.0);
        worst = worst.max((exact - rounded).abs());
        rounded as u8
    });
    // Thirds of a thousandth are what float32 itself loses.
    let lost = match worst < 1e-3 {
        true => "nothing was lost".to_owned(),
        false => format!("up to {worst:.2} of a level of 255 was lost in rounding"),
    };
    Levels {
        levels,
        note: Some(format!("{said}; {lost}")),
    }
}

/// Most channels that a dimension can be taken for.
const MOST_CHANNELS: usize = 4;

/// Images `[n, C, H, W]` from an array's bytes and shape, and a note where the shape alone does not say it.
///
/// # Errors
/// Where the shape is none of images.
pub(super) fn images_of(
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
                (false, 4) => Some(four()),
                _ => None,
            };
            let levels = match channels {
                1 => levels,
                _ => planar(&levels, channels, height * width),
            };
            Ok((levels, [channels, height, width], note))
        }
        [_, channels, height, width] if few(channels) => Ok((
            levels,
            [channels, height, width],
            (channels == 4).then(four),
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
                        "has the shape {shape:?}: rows of {length} numbers are no square images; save it as [n, H, W]"
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

fn four() -> String {
    "images have 4 channels, all of which are kept; cut an alpha channel off before saving"
        .to_owned()
}
