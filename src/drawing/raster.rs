//! Rendering a drawing to pixels and to PNG files.

use std::sync::Arc;

use image::RgbImage;
use resvg::{tiny_skia, usvg};

use super::{Drawing, Mark, fonts, svg};

/// Maximum number of pixels along one side; a larger drawing has a lower resolution.
pub const LARGEST_SIDE: f64 = 20_000.0;

/// The drawing as the tree that resvg and krilla render; `None` if they reject it, which no drawing of this
/// program is known to cause.
pub(super) fn tree(drawing: &Drawing) -> Option<usvg::Tree> {
    let words = |mark: &'_ Mark| match mark {
        Mark::Text { label: words, .. } => Some(words.text.clone()),
        _ => None,
    };
    let texts: Vec<String> = drawing.marks.iter().filter_map(words).collect();
    let fonts = fonts::database(texts.iter().map(String::as_str));
    let text = svg::for_fonts(drawing, &|letter| fonts::has_glyph(&fonts, letter));
    usvg::Tree::from_str(&text, &fonts::usvg_options(Arc::clone(&fonts))).ok()
}

/// Renders the drawing at `scale` pixels per millimetre. White if it cannot be rendered.
pub fn raster(drawing: &Drawing, scale: f64) -> RgbImage {
    let most = LARGEST_SIDE / drawing.sheet.width.max(drawing.height).max(1.0);
    let scale = scale.min(most);
    let side = |length: f64| ((length * scale).round() as u32).max(1);
    let (width, height) = (side(drawing.sheet.width), side(drawing.height));
    let drawn = tree(drawing).and_then(|tree| {
        let mut pixels = tiny_skia::Pixmap::new(width, height)?;
        pixels.fill(tiny_skia::Color::WHITE);
        let across = width as f32 / tree.size().width();
        let down = height as f32 / tree.size().height();
        let transform = tiny_skia::Transform::from_scale(across, down);
        resvg::render(&tree, transform, &mut pixels.as_mut());
        let colours = pixels.pixels().iter();
        let colours = colours.flat_map(|pixel| [pixel.red(), pixel.green(), pixel.blue()]);
        RgbImage::from_raw(width, height, colours.collect())
    });
    drawn.unwrap_or_else(|| RgbImage::from_pixel(width, height, image::Rgb([255; 3])))
}

/// Encodes the drawing as a PNG file at `dpi` dots per inch, with its resolution, title, caption and the
/// program's name in the metadata; `None` if encoding fails.
pub fn png(drawing: &Drawing, dpi: f64) -> Option<Vec<u8>> {
    let image = raster(drawing, dpi / 25.4);
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, image.width(), image.height());
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Balanced);
    let real = f64::from(image.width()) / drawing.sheet.width;
    let a_metre = (real * 1000.0).round() as u32;
    encoder.set_pixel_dims(Some(png::PixelDimensions {
        xppu: a_metre,
        yppu: a_metre,
        unit: png::Unit::Meter,
    }));
    let program = format!("noisescope {}", env!("CARGO_PKG_VERSION"));
    let facts = [
        ("Title", &drawing.title),
        ("Description", &drawing.caption),
        ("Software", &program),
    ];
    for (name, text) in facts.into_iter().filter(|(_, text)| !text.is_empty()) {
        encoder.add_itxt_chunk(name.to_owned(), text.clone()).ok()?;
    }
    let mut writer = encoder.write_header().ok()?;
    writer.write_image_data(image.as_raw()).ok()?;
    writer.finish().ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drawing::{Paint, Ramp, Rect, Sheet, map_of_values};

    #[test]
    fn pixels_of_a_map_are_drawn_without_smoothing() {
        let mut drawing = Drawing::new(Sheet::DOUBLE, 60.0);
        let place = Rect {
            x: 10.0,
            y: 10.0,
            width: 40.0,
            height: 40.0,
        };
        let values = [1.0, -1.0, -1.0, 1.0];
        map_of_values(&mut drawing, place, &values, 2, Ramp::with_limit(1.0));
        let image = raster(&drawing, 4.0);
        assert_eq!(image.dimensions(), (720, 240));
        let [high, low] = [1.0, -1.0].map(|t| drawing.sheet.rgb(Paint::Signed(t)));
        for (x, y, expected) in [
            (42, 42, high),
            (118, 118, high),
            (122, 118, low),
            (118, 122, low),
            (122, 122, high),
            (198, 198, high),
            (4, 4, [255; 3]),
        ] {
            assert_eq!(image.get_pixel(x, y).0, expected, "{x} {y}");
        }
    }

    #[test]
    fn a_png_contains_its_resolution_and_caption() {
        let mut drawing = Drawing::new(Sheet::SINGLE, 20.0);
        drawing.caption = "Évidence of 4, γ = 0.2.".into();
        let bytes = png(&drawing, 300.0).unwrap();
        let decoder = png::Decoder::new(std::io::Cursor::new(&bytes));
        let reader = decoder.read_info().unwrap();
        let info = reader.info();
        assert_eq!((info.width, info.height), (1004, 236));
        let dims = info.pixel_dims.unwrap();
        assert!(dims.xppu.abs_diff(11_811) < 10, "{}", dims.xppu);
        let texts = &info.utf8_text;
        let caption = texts
            .iter()
            .find(|text| text.keyword == "Description")
            .unwrap();
        assert_eq!(caption.get_text().unwrap(), drawing.caption);
    }

    #[test]
    fn characters_missing_from_the_embedded_fonts_are_still_drawn() {
        for name in ["犬", "ねこ", "كلب"] {
            let mut drawing = Drawing::new(Sheet::SINGLE, 20.0);
            drawing.text((2.0, 2.0), name, Paint::Ink);
            let image = raster(&drawing, 8.0);
            let ink = image.pixels().filter(|pixel| pixel.0[0] < 128).count();
            assert!(ink > 20, "{name}: {ink}");
        }
    }
}
