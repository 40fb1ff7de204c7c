//! The square pixels of a map or image as a PNG that stays sharp when enlarged.

/// Encodes square pixels as a PNG file, each `zoom` pixels wide and high; uses a palette if there are at most
/// 256 colours. `None` if encoding fails.
pub fn encode_magnified(colours: &[[u8; 3]], columns: usize, zoom: usize) -> Option<Vec<u8>> {
    let rows = colours.len().div_ceil(columns);
    let mut palette: Vec<[u8; 3]> = colours.to_vec();
    palette.sort_unstable();
    palette.dedup();
    let indexed = palette.len() <= 256;
    let (width, height) = (columns * zoom, rows * zoom);
    let mut raw = Vec::with_capacity(width * height * if indexed { 1 } else { 3 });
    for row in 0..rows {
        let start = raw.len();
        for column in 0..columns {
            let colour = colours.get(row * columns + column).copied();
            let colour = colour.unwrap_or([255; 3]);
            for _ in 0..zoom {
                match indexed {
                    true => raw.push(palette.binary_search(&colour).unwrap_or(0) as u8),
                    false => raw.extend(colour),
                }
            }
        }
        let end = raw.len();
        for _ in 1..zoom {
            raw.extend_from_within(start..end);
        }
    }
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width as u32, height as u32);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::High);
    match indexed {
        true => {
            encoder.set_color(png::ColorType::Indexed);
            encoder.set_palette(palette.concat());
        }
        false => encoder.set_color(png::ColorType::Rgb),
    }
    let mut writer = encoder.write_header().ok()?;
    writer.write_image_data(&raw).ok()?;
    writer.finish().ok()?;
    Some(bytes)
}
