//! A figure on paper: marks in millimetres on a sheet, and the files that they become. One description
//! gives SVG, PDF and PNG, which therefore show the same. Nothing here knows a session.

mod bars;
pub mod colour;
mod crowded;
mod fonts;
mod magnified;
mod mark;
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
pub use crowded::crowded;
#[cfg(test)]
pub(crate) use crowded::tried;
pub use mark::{Anchor, Mark, Paint, Place, Point, Stroke, Words};
pub use pdf::pdf;
pub use pixels::{image_of_colours, map_of_values, outline};
pub use plot::{Axis, End, Plot, Series};
pub use ramp::Ramp;
pub use raster::{png, raster};
pub use sheet::{Palette, Sheet};
pub use svg::{Embedded, embedded};

/// A finished figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Drawing {
    /// What it is drawn on: its width, and how paints look.
    pub sheet: Sheet,
    /// Its height in millimetres.
    pub height: f64,
    /// What is drawn, the last on top.
    pub marks: Vec<Mark>,
    /// What it shows in a few words, for a window's title and a screen reader.
    pub title: String,
    /// What a person sees in it who cannot see it: the alternative text.
    pub alternative: String,
    /// The caption for a paper, complete by itself.
    pub caption: String,
}

impl Drawing {
    /// An empty one of a height in millimetres.
    pub fn new(sheet: Sheet, height: f64) -> Self {
        Self {
            sheet,
            height,
            marks: Vec::new(),
            title: String::new(),
            alternative: String::new(),
            caption: String::new(),
        }
    }

    /// Fills a rectangle.
    pub fn fill(&mut self, place: Place, paint: Paint) {
        self.marks.push(Mark::Fill { place, paint });
    }

    /// The edge of a rectangle, `thick` millimetres wide, inside it.
    pub fn frame(&mut self, place: Place, thick: f64, paint: Paint) {
        self.marks.push(Mark::Frame {
            place,
            thick,
            paint,
        });
    }

    /// A line through points.
    pub fn line(&mut self, points: Vec<Point>, thick: f64, stroke: Stroke, paint: Paint) {
        self.marks.push(Mark::Line {
            points,
            thick,
            stroke,
            paint,
        });
    }

    /// Words that begin at a place; `at` is the upper left corner of their row.
    pub fn text(&mut self, at: Point, words: &str, paint: Paint) {
        self.write(at, words, paint, Anchor::Start);
    }

    /// Words with their middle at a place.
    pub fn text_about(&mut self, at: Point, words: &str, paint: Paint) {
        self.write(at, words, paint, Anchor::Middle);
    }

    /// Words that end at a place.
    pub fn text_before(&mut self, at: Point, words: &str, paint: Paint) {
        self.write(at, words, paint, Anchor::End);
    }

    /// Words in bold that begin at a place.
    pub fn heading(&mut self, at: Point, words: &str) {
        let words = Words {
            text: words.to_owned(),
            bold: true,
            ..Words::default()
        };
        self.marks.push(Mark::Text {
            at,
            words,
            paint: Paint::Ink,
        });
    }

    /// Words that run upwards from a place, which is the lower left corner of their row.
    pub fn text_up(&mut self, at: Point, words: &str, paint: Paint) {
        let words = Words {
            text: words.to_owned(),
            upwards: true,
            ..Words::default()
        };
        self.marks.push(Mark::Text { at, words, paint });
    }

    fn write(&mut self, at: Point, words: &str, paint: Paint, anchor: Anchor) {
        let words = Words {
            text: words.to_owned(),
            anchor,
            ..Words::default()
        };
        self.marks.push(Mark::Text { at, words, paint });
    }

    /// The heading of a figure and the line below it, where the sheet has headings; gives the millimetres
    /// they take, the margin above them included.
    pub fn headings(&mut self, title: &str, below: &str) -> f64 {
        let (margin, row) = (self.sheet.margin(), self.sheet.row());
        self.title = title.to_owned();
        if !self.sheet.titled {
            return margin;
        }
        let room = self.sheet.width - 2.0 * margin;
        let title = self.sheet.cut_bold(title, room);
        self.heading((margin, margin), &title);
        let below = self.sheet.cut(below, room);
        self.text((margin, margin + row), &below, Paint::Dim);
        margin + 2.4 * row
    }

    /// The whole of it.
    pub fn all(&self) -> Place {
        Place {
            x: 0.0,
            y: 0.0,
            width: self.sheet.width,
            height: self.height,
        }
    }
}
