//! Fonts: the one embedded in the program, system fonts for glyphs it lacks, and GNU Unifont bitmaps for glyphs
//! that no font has.

use std::sync::{Arc, OnceLock};

use fontdb::{Database, ID, Source};
use resvg::usvg;
use ttf_parser::Face;

/// The font families named in SVG: the embedded font first, then likely substitutes.
pub const FAMILIES: &str = "'Noto Sans', 'DejaVu Sans', Arial, sans-serif";

/// Width in ems of a character that has no glyph in any font.
const SQUARE: f64 = 1.0;

/// The two embedded faces.
struct Faces {
    regular: Option<Face<'static>>,
    bold: Option<Face<'static>>,
}

fn faces() -> &'static Faces {
    static FACES: OnceLock<Faces> = OnceLock::new();
    FACES.get_or_init(|| Faces {
        regular: Face::parse(ttf_noto_sans::REGULAR, 0).ok(),
        bold: Face::parse(ttf_noto_sans::BOLD, 0).ok(),
    })
}

/// The width of a line of text in ems, without kerning.
pub fn width(words: &str, bold: bool) -> f64 {
    words.chars().map(|letter| advance(letter, bold)).sum()
}

fn advance(letter: char, bold: bool) -> f64 {
    let faces = faces();
    let face = if bold { &faces.bold } else { &faces.regular };
    let embedded = face.as_ref().and_then(|face| {
        let glyph = face.glyph_index(letter)?;
        let advance = face.glyph_hor_advance(glyph)?;
        Some(f64::from(advance) / f64::from(face.units_per_em()))
    });
    embedded.unwrap_or_else(|| bitmap_width(letter))
}

/// Whether the embedded font has a glyph for a character.
fn is_embedded(letter: char) -> bool {
    let face = &faces().regular;
    face.as_ref()
        .is_some_and(|face| face.glyph_index(letter).is_some())
}

/// The fonts needed for some texts: the embedded ones, plus the system fonts if the embedded ones lack a glyph.
/// Loading the system fonts takes a moment the first time.
pub fn database<'a>(mut words: impl Iterator<Item = &'a str>) -> Arc<Database> {
    static EMBEDDED: OnceLock<Arc<Database>> = OnceLock::new();
    static ALL: OnceLock<Arc<Database>> = OnceLock::new();
    let embedded = EMBEDDED.get_or_init(|| {
        let mut fonts = Database::new();
        fonts.load_font_source(Source::Binary(Arc::new(ttf_noto_sans::REGULAR)));
        fonts.load_font_source(Source::Binary(Arc::new(ttf_noto_sans::BOLD)));
        fonts.set_sans_serif_family("Noto Sans");
        fonts.set_serif_family("Noto Sans");
        Arc::new(fonts)
    });
    if words.all(|text| text.chars().all(is_embedded)) {
        return Arc::clone(embedded);
    }
    let all = ALL.get_or_init(|| {
        let mut fonts = Database::clone(embedded);
        fonts.load_system_fonts();
        Arc::new(fonts)
    });
    Arc::clone(all)
}

/// Whether some font has a glyph for the character, or the character is invisible.
pub fn has_glyph(fonts: &Database, letter: char) -> bool {
    if letter.is_whitespace() || letter.is_control() || is_embedded(letter) {
        return true;
    }
    let has = |id: ID| {
        fonts.with_face_data(id, |data, index| {
            let face = Face::parse(data, index).ok()?;
            face.glyph_index(letter)
        })
    };
    fonts.faces().any(|face| has(face.id).flatten().is_some())
}

/// Options for parsing an SVG with these fonts. The embedded font takes precedence over any system font of the
/// same name, so that a figure looks the same everywhere.
pub fn usvg_options(fonts: Arc<Database>) -> usvg::Options<'static> {
    usvg::Options {
        font_family: "Noto Sans".into(),
        fontdb: fonts,
        image_rendering: usvg::ImageRendering::OptimizeSpeed,
        ..usvg::Options::default()
    }
}

/// The width of a character's bitmap in ems.
pub fn bitmap_width(letter: char) -> f64 {
    match unifont::get_glyph(letter) {
        Some(glyph) => glyph.get_width() as f64 / ROWS as f64,
        None => SQUARE,
    }
}

/// Rows in a bitmap; the last two are below the baseline.
const ROWS: usize = 16;
/// Rows in a bitmap above the baseline.
const ABOVE: f64 = 14.0;

/// A character that no font has, as an SVG path of its bitmap, `size` high, with the left end of its baseline at
/// (x, y). A character without a bitmap becomes an empty square.
pub fn bitmap_path(letter: char, (x, y): (f64, f64), size: f64) -> String {
    let dot = size / ROWS as f64;
    let top = y - ABOVE * dot;
    let mut path = String::new();
    let mut bar = |column: usize, row: usize, length: usize| {
        let (left, upper) = (x + column as f64 * dot, top + row as f64 * dot);
        let across = length as f64 * dot;
        path.push_str(&format!(
            "M{left:.3} {upper:.3}h{across:.3}v{dot:.3}h-{across:.3}z"
        ));
    };
    let Some(glyph) = unifont::get_glyph(letter) else {
        bar(2, 2, 12);
        bar(2, 13, 12);
        (3..13).for_each(|row| {
            bar(2, row, 1);
            bar(13, row, 1);
        });
        return path;
    };
    let width = glyph.get_width();
    for row in 0..ROWS {
        let mut column = 0;
        while column < width {
            let length = (column..width)
                .take_while(|&column| glyph.get_pixel(column, row))
                .count();
            if length > 0 {
                bar(column, row, length);
            }
            column += length.max(1);
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_that_figures_use_has_an_embedded_glyph() {
        let text = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789\
                    γσχρλ·×±≥≤→−–—…’“”%|().,:+-~²½ÄÖÜäöüßéñŁЖж";
        for letter in text.chars() {
            assert!(is_embedded(letter), "{letter}");
        }
    }

    #[test]
    fn text_is_as_wide_as_its_characters() {
        assert_eq!(width("", false), 0.0);
        assert!(width("WW", false) > width("ii", false));
        assert!(width("Dress", true) > width("Dress", false));
        let both = width("ab", false);
        assert!((both - width("a", false) - width("b", false)).abs() < 1e-9);
    }

    #[test]
    fn characters_of_any_script_have_their_own_shape() {
        let empty = bitmap_path('\u{10fffd}', (0.0, 0.0), 16.0);
        for letter in ['犬', 'ね', 'ض', 'ह', '한', 'א'] {
            let shape = bitmap_path(letter, (0.0, 0.0), 16.0);
            assert!(!shape.is_empty() && shape != empty, "{letter}");
            assert!(shape != bitmap_path('?', (0.0, 0.0), 16.0));
        }
    }
}
