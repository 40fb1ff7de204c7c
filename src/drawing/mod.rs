//! Figures on paper: marks in millimetres on a sheet, and the files they are written to. SVG, PDF and PNG are
//! made from the same description, so they show the same thing. Nothing here depends on sessions.

mod bars;
pub mod colour;
mod fonts;
mod layout_check;
mod magnify;
mod mark;
#[cfg(feature = "pdf")]
mod pdf;
mod pixels;
mod plot;
mod ramp;
mod raster;
pub mod scale;
mod sheet;
pub mod svg;

pub use bars::{Bar, Bars};
pub use colour::Background;
pub use layout_check::layout_faults;
#[cfg(test)]
pub(crate) use layout_check::test_sheets;
pub use mark::{Anchor, Label, Mark, Paint, Point, Rect, Stroke};
#[cfg(feature = "pdf")]
pub use pdf::pdf;
pub use pixels::{image_of_colours, map_of_values, outline};
pub use plot::{AxisScale, MarkerEnd, Plot, Series};
pub use ramp::Ramp;
pub use raster::{LARGEST_SIDE, png, raster};
pub use sheet::{Palette, Sheet};
pub use svg::{EmbedAttributes, embed};

/// A finished figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Drawing {
    /// The sheet it is drawn on: its width and colours.
    pub sheet: Sheet,
    /// Its height in millimetres.
    pub height: f64,
    /// Its marks; later ones are drawn on top.
    pub marks: Vec<Mark>,
    /// A short title, for a window and for screen readers.
    pub title: String,
    /// The alternative text: a description for people who cannot see the figure.
    pub alt_text: String,
    /// The caption for a paper; understandable without the surrounding text.
    pub caption: String,
}

impl Drawing {
    /// An empty drawing of the given height in millimetres.
    pub fn new(sheet: Sheet, height: f64) -> Self {
        Self {
            sheet,
            height,
            marks: Vec::new(),
            title: String::new(),
            alt_text: String::new(),
            caption: String::new(),
        }
    }

    /// Fills a rectangle.
    pub fn fill(&mut self, place: Rect, paint: Paint) {
        self.marks.push(Mark::Fill { rect: place, paint });
    }

    /// Draws a border `thick` millimetres wide inside a rectangle.
    pub fn frame(&mut self, place: Rect, thick: f64, paint: Paint) {
        self.marks.push(Mark::Frame {
            rect: place,
            thick,
            paint,
        });
    }

    /// Draws a line through points.
    pub fn line(&mut self, points: Vec<Point>, thick: f64, stroke: Stroke, paint: Paint) {
        self.marks.push(Mark::Line {
            points,
            thick,
            stroke,
            paint,
        });
    }

    /// Draws text that begins at a position; `at` is the upper left corner of the line.
    pub fn text(&mut self, at: Point, words: &str, paint: Paint) {
        self.write(at, words, paint, Anchor::Start);
    }

    /// Draws text centred on a position.
    pub fn text_centred(&mut self, at: Point, words: &str, paint: Paint) {
        self.write(at, words, paint, Anchor::Middle);
    }

    /// Draws text that ends at a position.
    pub fn text_right_aligned(&mut self, at: Point, words: &str, paint: Paint) {
        self.write(at, words, paint, Anchor::End);
    }

    /// Draws bold text that begins at a position.
    pub fn heading(&mut self, at: Point, words: &str) {
        let words = Label {
            text: words.to_owned(),
            bold: true,
            ..Label::default()
        };
        self.marks.push(Mark::Text {
            position: at,
            label: words,
            paint: Paint::Ink,
        });
    }

    /// Draws text that runs upwards from a position, which is the lower left corner of the line.
    pub fn text_upwards(&mut self, at: Point, words: &str, paint: Paint) {
        let words = Label {
            text: words.to_owned(),
            upwards: true,
            ..Label::default()
        };
        self.marks.push(Mark::Text {
            position: at,
            label: words,
            paint,
        });
    }

    fn write(&mut self, at: Point, words: &str, paint: Paint, anchor: Anchor) {
        let words = Label {
            text: words.to_owned(),
            anchor,
            ..Label::default()
        };
        self.marks.push(Mark::Text {
            position: at,
            label: words,
            paint,
        });
    }

    /// Draws the figure's heading and the line below it, if the sheet shows headings; returns the height they
    /// take in millimetres, including the margin above.
    pub fn headings(&mut self, title: &str, below: &str) -> f64 {
        let (margin, row) = (self.sheet.margin(), self.sheet.line_height());
        self.title = title.to_owned();
        if !self.sheet.titled {
            return margin;
        }
        let room = self.sheet.width - 2.0 * margin;
        let title = self.sheet.truncate_bold(title, room);
        self.heading((margin, margin), &title);
        let below = self.sheet.truncate(below, room);
        self.text((margin, margin + row), &below, Paint::Dim);
        margin + 2.4 * row
    }

    /// Draws a text between the margins, in as many lines as it needs; returns the lower edge of the last one.
    pub fn paragraph(&mut self, top: f64, words: &str, paint: Paint) -> f64 {
        let sheet = self.sheet;
        let margin = sheet.margin();
        let mut y = top;
        for line in sheet.wrap(words, sheet.width - 2.0 * margin) {
            self.text((margin, y), &line, paint);
            y += sheet.line_height();
        }
        y
    }

    /// The area of the whole drawing.
    pub fn area(&self) -> Rect {
        Rect {
            x: 0.0,
            y: 0.0,
            width: self.sheet.width,
            height: self.height,
        }
    }
}
