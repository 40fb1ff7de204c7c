//! A drawing as SVG 1.1: units are millimetres, text stays text, and maps are images drawn without smoothing.

mod text;

pub(crate) use text::escape;

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use self::text::text;
use super::mark::{Mark, Paint, Point, Rect, Stroke};
use super::{Drawing, Sheet, fonts};

/// Minimum resolution of a map in dots per inch, so that viewers that smooth enlarged images do not blur it.
const SHARP: f64 = 300.0;
/// Maximum number of pixels of an enlarged image along one side.
const LARGEST: usize = 2000;
/// Opacity of a band around a curve.
const BAND: f64 = 0.22;

/// The names under which an SVG is embedded in a page.
#[derive(Debug, Clone, Copy)]
pub struct EmbedAttributes<'a> {
    /// Prefix of the ids of its parts; unique within the page.
    pub id: &'a str,
    /// Its CSS class.
    pub class: &'a str,
}

/// The SVG file, with its size in millimetres, title, alternative text and caption.
pub fn file(drawing: &Drawing) -> String {
    let head = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\" \
         xmlns:xlink=\"http://www.w3.org/1999/xlink\" version=\"1.1\" width=\"{}mm\" height=\"{}mm\" \
         viewBox=\"0 0 {} {}\" role=\"img\" aria-labelledby=\"title desc\">\n\
         <title id=\"title\">{}</title>\n<desc id=\"desc\">{}</desc>\n",
        number(drawing.sheet.width),
        number(drawing.height),
        number(drawing.sheet.width),
        number(drawing.height),
        escape(&drawing.title),
        escape(&description(drawing)),
    );
    head + &body(drawing, &|_| true) + "</svg>\n"
}

/// The drawing as part of an HTML page, as wide as its container but no wider than the drawing itself.
pub fn embed(drawing: &Drawing, attributes: EmbedAttributes<'_>) -> String {
    let EmbedAttributes { id, class } = attributes;
    let head = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" \
         class=\"{class}\" viewBox=\"0 0 {} {}\" style=\"max-width:{}mm\" role=\"img\" \
         aria-labelledby=\"{id}-t {id}-d\">\n\
         <title id=\"{id}-t\">{}</title>\n<desc id=\"{id}-d\">{}</desc>\n",
        number(drawing.sheet.width),
        number(drawing.height),
        number(drawing.sheet.width),
        escape(&drawing.title),
        escape(&drawing.alt_text),
    );
    head + &body(drawing, &|_| true) + "</svg>\n"
}

/// The SVG that PNG and PDF are rendered from: characters without a font are drawn as shapes.
pub(super) fn for_fonts(drawing: &Drawing, has: &dyn Fn(char) -> bool) -> String {
    let (width, height) = (number(drawing.sheet.width), number(drawing.height));
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" \
         width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\">\n{}</svg>\n",
        body(drawing, has)
    )
}

/// The alternative text and the caption.
fn description(drawing: &Drawing) -> String {
    let parts = [&drawing.alt_text, &drawing.caption];
    let parts = parts.into_iter().filter(|part| !part.is_empty());
    parts.map(String::as_str).collect::<Vec<_>>().join("\n\n")
}

fn body(drawing: &Drawing, has: &dyn Fn(char) -> bool) -> String {
    let sheet = drawing.sheet;
    let mut out = format!(
        "<g font-family=\"{}\" font-size=\"{}\" text-rendering=\"geometricPrecision\">\n",
        fonts::FAMILIES,
        number(sheet.text_size())
    );
    rectangle(&mut out, drawing.area(), &colour(&sheet, Paint::Paper));
    for mark in &drawing.marks {
        draw(&mut out, &sheet, mark, has);
    }
    out.push_str("</g>\n");
    out
}

fn draw(out: &mut String, sheet: &Sheet, mark: &Mark, has: &dyn Fn(char) -> bool) {
    match mark {
        Mark::Fill { rect: place, paint } => rectangle(out, *place, &colour(sheet, *paint)),
        Mark::Frame {
            rect: place,
            thick,
            paint,
        } => {
            let inside = Rect {
                x: place.x + thick / 2.0,
                y: place.y + thick / 2.0,
                width: (place.width - thick).max(0.0),
                height: (place.height - thick).max(0.0),
            };
            let _ = writeln!(
                out,
                "<rect {} fill=\"none\" stroke=\"{}\" stroke-width=\"{}\"/>",
                bounds(inside),
                colour(sheet, *paint),
                number(*thick)
            );
        }
        Mark::Line {
            points,
            thick,
            stroke,
            paint,
        } => line(out, sheet, points, *thick, *stroke, *paint),
        Mark::Segments {
            segments: ends,
            thick,
            paint,
        } => {
            let path: String = ends
                .iter()
                .map(|(from, to)| format!("M{}L{}", pair(*from), pair(*to)))
                .collect();
            let _ = writeln!(
                out,
                "<path d=\"{path}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{}\" \
                 stroke-linecap=\"square\"/>",
                colour(sheet, *paint),
                number(*thick)
            );
        }
        Mark::Band { points, paint } => {
            let _ = writeln!(
                out,
                "<path d=\"{}z\" fill=\"{}\" fill-opacity=\"{BAND}\"/>",
                through(points),
                colour(sheet, *paint)
            );
        }
        Mark::Dots {
            points,
            radius,
            filled: full,
            paint,
        } => dots(out, sheet, (points, *radius), *full, *paint),
        Mark::Text {
            position: at,
            label: words,
            paint,
        } => text(out, sheet, *at, words, *paint, has),
        Mark::Pixels {
            rect: place,
            columns,
            paints,
        } => pixels(out, sheet, *place, *columns, paints),
    }
}

fn rectangle(out: &mut String, place: Rect, colour: &str) {
    let _ = writeln!(out, "<rect {} fill=\"{colour}\"/>", bounds(place));
}

fn line(
    out: &mut String,
    sheet: &Sheet,
    points: &[Point],
    thick: f64,
    stroke: Stroke,
    paint: Paint,
) {
    let gaps: &[f64] = match stroke {
        Stroke::Solid => &[],
        Stroke::Dashed => &[5.0, 3.0],
        Stroke::DashDotted => &[6.0, 2.5, 1.2, 2.5],
        Stroke::Dotted => &[1.0, 2.2],
        Stroke::Points => {
            return dots(out, sheet, (points, 0.7 * thick), true, paint);
        }
    };
    let gaps: Vec<String> = gaps.iter().map(|gap| number(gap * thick)).collect();
    let gaps = match gaps.is_empty() {
        true => String::new(),
        false => format!(" stroke-dasharray=\"{}\"", gaps.join(" ")),
    };
    let _ = writeln!(
        out,
        "<path d=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{}\" \
         stroke-linejoin=\"round\"{gaps}/>",
        through(points),
        colour(sheet, paint),
        number(thick)
    );
}

fn dots(
    out: &mut String,
    sheet: &Sheet,
    (points, radius): (&[Point], f64),
    full: bool,
    paint: Paint,
) {
    let colour = colour(sheet, paint);
    let style = match full {
        true => format!("fill=\"{colour}\""),
        false => format!(
            "fill=\"none\" stroke=\"{colour}\" stroke-width=\"{}\"",
            number(0.45 * radius)
        ),
    };
    let _ = writeln!(out, "<g {style}>");
    for (x, y) in points {
        let _ = writeln!(
            out,
            "<circle cx=\"{}\" cy=\"{}\" r=\"{}\"/>",
            number(*x),
            number(*y),
            number(radius)
        );
    }
    out.push_str("</g>\n");
}

fn pixels(out: &mut String, sheet: &Sheet, place: Rect, columns: usize, paints: &[Paint]) {
    let rows = paints.len().div_ceil(columns.max(1));
    if rows == 0 || columns == 0 {
        return;
    }
    let ideal = (place.width / 25.4 * SHARP / columns as f64).ceil() as usize;
    let zoom = ideal.clamp(1, (LARGEST / columns.max(rows)).max(1));
    let colours: Vec<[u8; 3]> = paints.iter().map(|&paint| sheet.rgb(paint)).collect();
    let Some(png) = super::magnify::encode_magnified(&colours, columns, zoom) else {
        return;
    };
    let _ = writeln!(
        out,
        "<image {} preserveAspectRatio=\"none\" image-rendering=\"optimizeSpeed\" \
         style=\"image-rendering:pixelated\" xlink:href=\"data:image/png;base64,{}\"/>",
        bounds(place),
        STANDARD.encode(png)
    );
}

fn through(points: &[Point]) -> String {
    let mut path = String::new();
    for (index, point) in points.iter().enumerate() {
        path.push(if index == 0 { 'M' } else { 'L' });
        path.push_str(&pair(*point));
    }
    if points.len() == 1 {
        // A line of one point is drawn as a dot.
        path.push_str("h0.01");
    }
    path
}

fn bounds(place: Rect) -> String {
    format!(
        "x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"",
        number(place.x),
        number(place.y),
        number(place.width.max(0.0)),
        number(place.height.max(0.0))
    )
}

fn pair((x, y): Point) -> String {
    format!("{} {}", number(x), number(y))
}

/// A number in thousandths of a millimetre, written as briefly as possible.
fn number(value: f64) -> String {
    let value = if value.is_finite() { value } else { 0.0 };
    let text = format!("{value:.3}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    match text {
        "-0" | "" => "0".to_owned(),
        text => text.to_owned(),
    }
}

fn colour(sheet: &Sheet, paint: Paint) -> String {
    let [r, g, b] = sheet.rgb(paint);
    format!("#{r:02x}{g:02x}{b:02x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        assert_eq!(number(1.0), "1");
        assert_eq!(number(-0.0001), "0");
        assert_eq!(number(0.125), "0.125");
        assert_eq!(number(20.0), "20");
        assert_eq!(number(f64::NAN), "0");
    }

    #[test]
    fn markup_in_names_is_escaped() {
        let mut drawing = Drawing::new(Sheet::SINGLE, 20.0);
        drawing.title = "a </title><script>".into();
        drawing.text((1.0, 1.0), "<b> & \"c\"\u{7}", Paint::Ink);
        let svg = file(&drawing);
        assert!(
            svg.contains("&lt;b&gt; &amp; &quot;c&quot;\u{fffd}</text>"),
            "{svg}"
        );
        assert!(!svg.contains("<script>"));
        assert!(resvg::usvg::roxmltree::Document::parse(&svg).is_ok());
    }

    #[test]
    fn a_character_without_a_font_becomes_a_shape_and_its_neighbours_stay_text() {
        let mut drawing = Drawing::new(Sheet::SINGLE, 20.0);
        drawing.text((1.0, 1.0), "ab犬c", Paint::Ink);
        let svg = for_fonts(&drawing, &|letter| letter != '犬');
        assert!(
            svg.contains(">ab</text>") && svg.contains(">c</text>"),
            "{svg}"
        );
        assert!(!svg.contains('犬') && svg.contains("<path"));
        assert!(
            embed(
                &drawing,
                EmbedAttributes {
                    id: "f1",
                    class: "light"
                }
            )
            .contains(">ab犬c</text>")
        );
    }
}
