//! Encodes sixel graphics: numbered colours, then bands of six rows, colour by colour. (DEC VT330/340
//! Programmer Reference Manual, chapter 14.)
//!
//! Up to 256 colours are exact. The crate icy_sixel 0.1 rounds each channel to five bits, which turns white grey.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::io::Write as _;

use image::RgbImage;

/// Maximum number of colour registers that terminals have.
const COLOURS: usize = 256;

/// The bytes of an image. If it has more colours than there are registers, its most frequent ones are kept
/// and each other is replaced by the nearest of these; the others are mostly the edges of letters.
pub fn encode(image: &RgbImage) -> Vec<u8> {
    let (width, height) = image.dimensions();
    let (palette, numbers) = numbered(image);
    let mut bytes = Vec::new();
    // Square pixels; unpainted pixels keep the background. Writing to a vector cannot fail.
    let _ = write!(bytes, "\x1bP0;1q\"1;1;{width};{height}");
    let percent = |channel: u8| (u32::from(channel) * 100 + 127) / 255;
    for (number, [r, g, b]) in palette.iter().enumerate() {
        let (r, g, b) = (percent(*r), percent(*g), percent(*b));
        let _ = write!(bytes, "#{number};2;{r};{g};{b}");
    }
    for top in (0..height).step_by(6) {
        band(&mut bytes, &numbers, (width, height), top);
        bytes.push(b'-');
    }
    bytes.extend_from_slice(b"\x1b\\\n");
    bytes
}

/// The colours of an image, and the index of each pixel's colour.
fn numbered(image: &RgbImage) -> (Vec<[u8; 3]>, Vec<usize>) {
    // How often each colour occurs, and where it first does.
    let mut counts: HashMap<[u8; 3], (u32, usize)> = HashMap::new();
    for (index, pixel) in image.pixels().enumerate() {
        counts.entry(pixel.0).or_insert((0, index)).0 += 1;
    }
    let mut all: Vec<([u8; 3], (u32, usize))> = counts.into_iter().collect();
    all.sort_unstable_by_key(|(_, (count, first))| (Reverse(*count), *first));
    all.truncate(COLOURS);
    all.sort_unstable_by_key(|(_, (_, first))| *first);
    let palette: Vec<[u8; 3]> = all.into_iter().map(|(colour, _)| colour).collect();
    let mut known: HashMap<[u8; 3], usize> = palette
        .iter()
        .enumerate()
        .map(|(index, colour)| (*colour, index))
        .collect();
    let numbers = image.pixels().map(|pixel| {
        *known.entry(pixel.0).or_insert_with(|| {
            let far = |colour: &[u8; 3]| -> u32 {
                let pairs = colour.iter().zip(pixel.0);
                pairs.map(|(a, b)| u32::from(a.abs_diff(b)).pow(2)).sum()
            };
            let nearest = palette
                .iter()
                .enumerate()
                .min_by_key(|(_, colour)| far(colour));
            nearest.map_or(0, |(number, _)| number)
        })
    });
    let numbers = numbers.collect();
    (palette, numbers)
}

/// Six rows starting at `top`: each colour once over the whole width, run-length encoded.
fn band(bytes: &mut Vec<u8>, numbers: &[usize], (width, height): (u32, u32), top: u32) {
    let rows = top..(top + 6).min(height);
    let row = |y: u32| &numbers[(y * width) as usize..((y + 1) * width) as usize];
    let mut used: Vec<usize> = rows.clone().flat_map(|y| row(y).iter().copied()).collect();
    used.sort_unstable();
    used.dedup();
    for (index, colour) in used.into_iter().enumerate() {
        if index > 0 {
            bytes.push(b'$');
        }
        let _ = write!(bytes, "#{colour}");
        let column = |x: u32| -> u8 {
            let bit = |y: u32| u8::from(row(y)[x as usize] == colour) << (y - top);
            rows.clone().map(bit).sum()
        };
        let columns: Vec<u8> = (0..width).map(column).collect();
        for same in columns.chunk_by(|a, b| a == b) {
            let sixel = char::from(b'?' + same[0]);
            let _ = match same.len() {
                count @ 4.. => write!(bytes, "!{count}{sixel}"),
                count => write!(bytes, "{}", sixel.to_string().repeat(count)),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;

    #[test]
    fn a_hand_made_image_becomes_the_sixels_of_the_manual() {
        // Red, red, red, red, blue over blue.
        let image = RgbImage::from_fn(5, 2, |x, y| match x < 4 && y == 0 {
            true => Rgb([255, 0, 0]),
            false => Rgb([0, 0, 255]),
        });
        let text = String::from_utf8(encode(&image)).unwrap();
        assert_eq!(
            text,
            "\x1bP0;1q\"1;1;5;2#0;2;100;0;0#1;2;0;0;100#0!4@?$#1!4AB-\x1b\\\n"
        );
    }

    #[test]
    fn more_colours_than_registers_take_the_nearest() {
        let image = RgbImage::from_fn(300, 1, |x, _| Rgb([x.min(255) as u8, 0, (x / 256) as u8]));
        let (palette, numbers) = numbered(&image);
        assert_eq!(palette.len(), 256);
        assert_eq!(numbers[299], 255);
    }
}
