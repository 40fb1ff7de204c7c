//! A drawing as a one-page PDF of the drawing's size: selectable text, the glyphs it uses embedded, tagged with
//! its alternative text.

use krilla::Document;
use krilla::geom::Size;
use krilla::metadata::Metadata;
use krilla::page::PageSettings;
use krilla::tagging::{ContentTag, Node, Tag, TagGroup, TagTree};
use krilla_svg::{SurfaceExt as _, SvgSettings};

use super::{Drawing, raster};

/// Points per millimetre.
const POINTS: f64 = 72.0 / 25.4;

/// Renders the PDF file; `None` if it cannot be built.
pub fn pdf(drawing: &Drawing) -> Option<Vec<u8>> {
    let tree = raster::tree(drawing)?;
    let (width, height) = (
        (drawing.sheet.width * POINTS) as f32,
        (drawing.height * POINTS) as f32,
    );
    let mut document = Document::new();
    let description = match drawing.caption.is_empty() {
        true => &drawing.alt_text,
        false => &drawing.caption,
    };
    document.set_metadata(
        Metadata::new()
            .title(drawing.title.clone())
            .description(description.clone())
            .creator(format!("noisescope {}", env!("CARGO_PKG_VERSION")))
            .language("en".into()),
    );
    let mut page = document.start_page_with(PageSettings::from_wh(width, height)?);
    let mut surface = page.surface();
    let figure = surface.start_tagged(ContentTag::Other);
    surface.draw_svg(&tree, Size::from_wh(width, height)?, SvgSettings::default())?;
    surface.end_tagged();
    surface.finish();
    page.finish();
    let mut tags = TagTree::new();
    let mut group = TagGroup::new(Tag::Figure(Some(drawing.alt_text.clone())));
    group.push(Node::Leaf(figure));
    tags.push(Node::Group(group));
    document.set_tag_tree(tags);
    document.finish().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drawing::{Paint, Sheet};

    #[test]
    fn a_pdf_has_the_size_of_its_sheet() {
        let mut drawing = Drawing::new(Sheet::SINGLE, 40.0);
        drawing.title = "a figure".into();
        drawing.alt_text = "nothing but words".into();
        drawing.text((5.0, 5.0), "words", Paint::Ink);
        let bytes = pdf(&drawing).unwrap();
        assert!(bytes.starts_with(b"%PDF-1."));
        let text = String::from_utf8_lossy(&bytes);
        // 85 × 40 mm.
        assert!(text.contains("/MediaBox[0 0 240.94"), "{text}");
    }
}
