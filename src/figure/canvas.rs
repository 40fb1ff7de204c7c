//! An image to draw figures on: rectangles, lines, letters, and maps of large square pixels.
//!
//! Places are in pixels from the upper left corner; what lies outside is cut off.

use image::{Rgb, RgbImage};

use super::colour::{self, Background};
use super::{font, names};

/// How a figure is to be drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sheet {
    /// Pixels across.
    pub width: u32,
    /// Pixels to a dot of a letter.
    pub text: u32,
    /// What stands behind it.
    pub background: Background,
    /// Whether it has colours.
    pub tint: Tint,
}

/// Whether a figure has colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tint {
    /// Blue below zero, orange above.
    Colour,
    /// Dark below zero, bright above.
    Grey,
}

impl Sheet {
    /// For a file: wide enough for print.
    pub const FILE: Self = Self {
        width: 1200,
        text: 2,
        background: Background::Light,
        tint: Tint::Colour,
    };

    /// Pixels from one row of letters to the next.
    pub fn row(self) -> u32 {
        (font::HEIGHT + 4) * self.text
    }

    /// Pixels that a text takes in one row.
    pub fn text_width(self, text: &str) -> u32 {
        font::width(text) * self.text
    }

    /// A text as long as `width` pixels have room for; at least one letter.
    pub fn cut(self, text: &str, width: u32) -> String {
        let letters = (width + self.text) / (font::ADVANCE * self.text);
        names::cut(text, letters.max(1) as usize)
    }

    /// Pixels left free along the edges.
    pub fn margin(self) -> u32 {
        match self.text {
            ..2 => 2,
            text => 8 * text,
        }
    }
}

/// What something is drawn as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paint {
    /// The background.
    Paper,
    /// Text and strong lines.
    Ink,
    /// Labels and axes.
    Dim,
    /// Lines that guide the eye.
    Faint,
    /// The first of several curves.
    First,
    /// The second.
    Second,
    /// The third.
    Third,
    /// The fourth.
    Fourth,
    /// Blue below zero, orange above, by thousandths of the way to the end of the scale.
    Signed(i16),
    /// A colour of its own, of a pixel of an image.
    Own([u8; 3]),
}

impl Paint {
    /// A value's place on a diverging scale, −1 to 1.
    pub fn signed(place: f32) -> Self {
        // The steps that the dashboard has: a figure of few colours fits every protocol.
        Self::Signed(((place.clamp(-1.0, 1.0) * 32.0).round() * 31.25) as i16)
    }
}

/// How a line is drawn, so that curves are told apart without colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stroke {
    /// Every dot.
    Solid,
    /// With gaps.
    Dashed,
    /// Long and short in turn.
    DashDotted,
    /// Mostly gaps.
    Dotted,
    /// The points alone.
    Points,
}

impl Stroke {
    fn has(self, step: u32, unit: u32) -> bool {
        let step = step / unit.max(1);
        match self {
            Self::Solid => true,
            Self::Dashed => step % 9 < 6,
            Self::DashDotted => step % 12 < 6 || step % 12 == 8,
            Self::Dotted => step % 4 < 1,
            Self::Points => false,
        }
    }
}

/// A rectangle of the canvas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Its left edge.
    pub x: u32,
    /// Its upper edge.
    pub y: u32,
    /// Its width.
    pub width: u32,
    /// Its height.
    pub height: u32,
}

/// The image under way.
#[derive(Debug)]
pub struct Canvas {
    image: RgbImage,
    /// How it is drawn.
    pub sheet: Sheet,
}

impl Canvas {
    /// An empty one, as high as need be; an even number of pixels, so that it fills half blocks.
    pub fn new(sheet: Sheet, height: u32) -> Self {
        let mut canvas = Self {
            image: RgbImage::new(sheet.width.max(1), height.next_multiple_of(2).max(2)),
            sheet,
        };
        let all = canvas.all();
        canvas.fill(all, Paint::Paper);
        canvas
    }

    /// The finished image.
    pub fn finish(self) -> RgbImage {
        self.image
    }

    /// The whole of it.
    pub fn all(&self) -> Place {
        Place {
            x: 0,
            y: 0,
            width: self.image.width(),
            height: self.image.height(),
        }
    }

    fn rgb(&self, paint: Paint) -> Rgb<u8> {
        let (sheet, dark) = (self.sheet, self.sheet.background == Background::Dark);
        let grey = |on_light: u8, on_dark: u8| {
            let grey = if dark { on_dark } else { on_light };
            (grey, grey, grey)
        };
        let colour = match (paint, sheet.tint) {
            (Paint::Paper, _) => grey(255, 18),
            (Paint::Ink, _) => grey(20, 235),
            (Paint::Dim, _) => grey(105, 150),
            (Paint::Faint, _) => grey(222, 52),
            (Paint::First, Tint::Colour) => [(196, 98, 0), (236, 150, 60)][usize::from(dark)],
            (Paint::Second, Tint::Colour) => [(0, 98, 170), (95, 165, 232)][usize::from(dark)],
            (Paint::First, Tint::Grey) => grey(20, 235),
            (Paint::Second, Tint::Grey) => grey(80, 180),
            (Paint::Third, _) => grey(125, 135),
            (Paint::Fourth, Tint::Colour) => [(146, 36, 120), (222, 130, 200)][usize::from(dark)],
            (Paint::Fourth, Tint::Grey) => grey(50, 208),
            (Paint::Signed(place), Tint::Colour) => {
                colour::ramp(f64::from(place) / 1000.0, sheet.background)
            }
            (Paint::Signed(place), Tint::Grey) => {
                let grey = (128.0 + f64::from(place) / 1000.0 * 120.0).round() as u8;
                (grey, grey, grey)
            }
            (Paint::Own([red, green, blue]), Tint::Colour) => (red, green, blue),
            (Paint::Own(colour), Tint::Grey) => {
                let mean = colour.iter().map(|&part| u16::from(part)).sum::<u16>() / 3;
                (mean as u8, mean as u8, mean as u8)
            }
        };
        Rgb([colour.0, colour.1, colour.2])
    }

    fn dot(&mut self, x: i64, y: i64, colour: Rgb<u8>) {
        let inside = |at: i64, length: u32| u32::try_from(at).ok().filter(|at| *at < length);
        let (width, height) = self.image.dimensions();
        if let (Some(x), Some(y)) = (inside(x, width), inside(y, height)) {
            self.image.put_pixel(x, y, colour);
        }
    }

    /// Fills a rectangle.
    pub fn fill(&mut self, place: Place, paint: Paint) {
        let colour = self.rgb(paint);
        let (width, height) = self.image.dimensions();
        for y in place.y..(place.y + place.height).min(height) {
            for x in place.x..(place.x + place.width).min(width) {
                self.image.put_pixel(x, y, colour);
            }
        }
    }

    /// Mixes a paint into a rectangle, half and half: a band behind curves.
    pub fn veil(&mut self, place: Place, paint: Paint) {
        let colour = self.rgb(paint);
        let (width, height) = self.image.dimensions();
        for y in place.y..(place.y + place.height).min(height) {
            for x in place.x..(place.x + place.width).min(width) {
                let under = self.image.get_pixel_mut(x, y);
                for (own, add) in under.0.iter_mut().zip(colour.0) {
                    *own = ((u16::from(*own) * 3 + u16::from(add)) / 4) as u8;
                }
            }
        }
    }

    /// The edge of a rectangle, `thick` pixels wide, inside it.
    pub fn frame(&mut self, place: Place, thick: u32, paint: Paint) {
        let Place { x, y, .. } = place;
        let (width, height) = (place.width, place.height);
        let thick = thick.min(width).min(height);
        let edges = [
            (x, y, width, thick),
            (x, y + height - thick, width, thick),
            (x, y, thick, height),
            (x + width - thick, y, thick, height),
        ];
        for (x, y, width, height) in edges {
            let edge = Place {
                x,
                y,
                width,
                height,
            };
            self.fill(edge, paint);
        }
    }

    /// A line from one point to another, as thick as a dot of a letter. `run` is how much of the
    /// pattern of the stroke has passed; gives the same for the line that goes on from here.
    pub fn line(
        &mut self,
        from: (f64, f64),
        to: (f64, f64),
        stroke: Stroke,
        run: u32,
        paint: Paint,
    ) -> u32 {
        let colour = self.rgb(paint);
        let thick = i64::from(self.sheet.text);
        let steps = (to.0 - from.0).abs().max((to.1 - from.1).abs()).ceil() as u32;
        for step in 0..=steps {
            let share = f64::from(step) / f64::from(steps.max(1));
            let x = (from.0 + (to.0 - from.0) * share).round() as i64;
            let y = (from.1 + (to.1 - from.1) * share).round() as i64;
            let ends = stroke == Stroke::Points && (step == 0 || step == steps);
            if stroke.has(run + step, self.sheet.text) || ends {
                for dy in 0..thick {
                    for dx in 0..thick {
                        self.dot(x + dx - thick / 2, y + dy - thick / 2, colour);
                    }
                }
            }
        }
        run + steps
    }

    /// A text with its upper left corner at `(x, y)`; gives the pixels it took.
    pub fn text(&mut self, (x, y): (u32, u32), text: &str, paint: Paint) -> u32 {
        let (colour, size) = (self.rgb(paint), self.sheet.text);
        for (at, c) in text.chars().enumerate() {
            let left = x + at as u32 * font::ADVANCE * size;
            for (column, bits) in font::glyph(c).into_iter().enumerate() {
                for row in (0..font::DEPTH).filter(|row| bits >> row & 1 == 1) {
                    for dot in 0..size * size {
                        let x = left + column as u32 * size + dot % size;
                        let y = y + row * size + dot / size;
                        self.dot(i64::from(x), i64::from(y), colour);
                    }
                }
            }
        }
        self.sheet.text_width(text)
    }

    /// A text that runs upwards from its foot at `y`, its letters' heads at `x`.
    pub fn text_up(&mut self, (x, y): (u32, u32), text: &str, paint: Paint) {
        let (colour, size) = (self.rgb(paint), i64::from(self.sheet.text));
        for (at, c) in text.chars().enumerate() {
            for (column, bits) in font::glyph(c).into_iter().enumerate() {
                let along = (at as i64 * i64::from(font::ADVANCE) + column as i64) * size;
                for row in (0..font::DEPTH).filter(|row| bits >> row & 1 == 1) {
                    for dot in 0..size * size {
                        let x = i64::from(x) + i64::from(row) * size + dot % size;
                        let y = i64::from(y) - 1 - along - dot / size;
                        self.dot(x, y, colour);
                    }
                }
            }
        }
    }

    /// A text that ends at `x`.
    pub fn text_before(&mut self, (x, y): (u32, u32), text: &str, paint: Paint) {
        let width = self.sheet.text_width(text);
        self.text((x.saturating_sub(width), y), text, paint);
    }

    /// A text with its middle at `x`, kept inside the canvas.
    pub fn text_about(&mut self, (x, y): (u32, u32), text: &str, paint: Paint) {
        let width = self.sheet.text_width(text);
        let last = self.image.width().saturating_sub(width);
        self.text((x.saturating_sub(width / 2).min(last), y), text, paint);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small() -> Canvas {
        let sheet = Sheet {
            width: 20,
            text: 1,
            ..Sheet::FILE
        };
        Canvas::new(sheet, 9)
    }

    fn inked(canvas: Canvas) -> usize {
        let image = canvas.finish();
        image.pixels().filter(|p| p.0 == [20, 20, 20]).count()
    }

    #[test]
    fn a_letter_has_the_dots_of_its_glyph_and_what_lies_outside_is_cut_off() {
        let mut canvas = small();
        canvas.text((0, 0), "l", Paint::Ink);
        // 2 + 7 + 1 dots.
        assert_eq!(inked(canvas), 10);
        let mut canvas = small();
        canvas.text((19, 0), "H", Paint::Ink);
        assert_eq!(inked(canvas), 7);
    }

    #[test]
    fn a_line_joins_its_ends_whatever_their_order() {
        for (from, to) in [((1.0, 1.0), (15.0, 6.0)), ((15.0, 6.0), (1.0, 1.0))] {
            let mut canvas = small();
            canvas.line(from, to, Stroke::Solid, 0, Paint::Ink);
            assert_eq!(inked(canvas), 15);
        }
    }

    #[test]
    fn a_letter_that_runs_upwards_lies_on_its_side() {
        let mut canvas = small();
        canvas.text_up((0, 7), "L", Paint::Ink);
        let image = canvas.finish();
        let inked = |x: u32, y: u32| image.get_pixel(x, y).0 == [20, 20, 20];
        // Its stem is the lowest row, its foot the last column.
        assert!((0..7).all(|x| inked(x, 6)) && (2..7).all(|y| inked(6, y)));
        assert_eq!(image.pixels().filter(|p| p.0 == [20, 20, 20]).count(), 11);
    }

    #[test]
    fn heights_are_even() {
        assert_eq!(small().finish().dimensions(), (20, 10));
    }
}
