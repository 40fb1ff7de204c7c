//! Encodes the graphics protocols that take a whole image file.

use std::io::{self, Cursor, Write as _};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use image::{ImageFormat, RgbImage};

/// Maximum base64 characters in one piece of kitty's protocol.
const PIECE: usize = 4096;

/// kitty's protocol: a PNG in pieces, shown `columns` wide
/// (<https://sw.kovidgoyal.net/kitty/graphics-protocol/>). `q=2`: no reply, which would arrive as if typed.
pub fn kitty(image: &RgbImage, columns: u16) -> io::Result<Vec<u8>> {
    let encoded = STANDARD.encode(png(image)?);
    let mut bytes = Vec::with_capacity(encoded.len() + encoded.len() / 64);
    let mut pieces = encoded.as_bytes().chunks(PIECE).peekable();
    let mut keys = format!("a=T,f=100,q=2,c={columns},");
    while let Some(piece) = pieces.next() {
        let more = u8::from(pieces.peek().is_some());
        write!(bytes, "\x1b_G{keys}m={more};")?;
        bytes.extend_from_slice(piece);
        bytes.extend_from_slice(b"\x1b\\");
        keys.clear();
    }
    bytes.push(b'\n');
    Ok(bytes)
}

/// iTerm2's protocol: a PNG in one piece, shown `columns` wide
/// (<https://iterm2.com/documentation-images.html>).
pub fn iterm(image: &RgbImage, columns: u16) -> io::Result<Vec<u8>> {
    let png = png(image)?;
    let mut bytes = Vec::new();
    write!(
        bytes,
        "\x1b]1337;File=inline=1;preserveAspectRatio=1;size={};width={columns}:",
        png.len()
    )?;
    bytes.extend_from_slice(STANDARD.encode(png).as_bytes());
    bytes.extend_from_slice(b"\x07\n");
    Ok(bytes)
}

fn png(image: &RgbImage) -> io::Result<Vec<u8>> {
    let mut bytes = Cursor::new(Vec::new());
    image
        .write_to(&mut bytes, ImageFormat::Png)
        .map_err(io::Error::other)?;
    Ok(bytes.into_inner())
}
