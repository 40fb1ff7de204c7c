//! What is drawn: rectangles, lines, bands, points, words, and maps of square pixels. Places are in
//! millimetres from the upper left corner.

/// A place: millimetres to the right, and down.
pub type Point = (f64, f64);

/// A rectangle of the sheet, in millimetres.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// Its left edge.
    pub x: f64,
    /// Its upper edge.
    pub y: f64,
    /// Its width.
    pub width: f64,
    /// Its height.
    pub height: f64,
}

impl Place {
    /// Its right edge.
    pub fn right(&self) -> f64 {
        self.x + self.width
    }

    /// Its lower edge.
    pub fn bottom(&self) -> f64 {
        self.y + self.height
    }
}

/// What something is drawn as; the sheet says which colour that is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Paint {
    /// The background.
    Paper,
    /// Text and strong lines.
    Ink,
    /// Labels and axes.
    Dim,
    /// Lines that guide the eye.
    Faint,
    /// The first of several curves, and what is right: the colour above zero.
    First,
    /// The second, and what is wrong: the colour below zero.
    Second,
    /// The third.
    Third,
    /// The fourth.
    Fourth,
    /// A place on the diverging scale, −1 to 1: below zero, grey at zero, above.
    Signed(f32),
    /// A colour of its own, of a pixel of an image.
    Own([u8; 3]),
}

/// How a line is drawn, so that curves are told apart without colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stroke {
    /// Without gaps.
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

/// Where words stand to their place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Anchor {
    /// They begin there.
    #[default]
    Start,
    /// Their middle is there.
    Middle,
    /// They end there.
    End,
}

/// A row of words.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Words {
    /// What they say.
    pub text: String,
    /// Where they stand to their place.
    pub anchor: Anchor,
    /// Whether they are bold.
    pub bold: bool,
    /// Whether they run upwards.
    pub upwards: bool,
}

/// One thing that is drawn.
#[derive(Debug, Clone, PartialEq)]
pub enum Mark {
    /// A full rectangle.
    Fill {
        /// Where.
        place: Place,
        /// As what.
        paint: Paint,
    },
    /// The edge of a rectangle, inside it.
    Frame {
        /// Where.
        place: Place,
        /// How wide the edge is, in millimetres.
        thick: f64,
        /// As what.
        paint: Paint,
    },
    /// A line through points.
    Line {
        /// Its points, in order.
        points: Vec<Point>,
        /// How wide it is, in millimetres.
        thick: f64,
        /// How it is drawn.
        stroke: Stroke,
        /// As what.
        paint: Paint,
    },
    /// Straight pieces that belong together: the outline of chosen pixels.
    Pieces {
        /// Both ends of each.
        ends: Vec<(Point, Point)>,
        /// How wide they are, in millimetres.
        thick: f64,
        /// As what.
        paint: Paint,
    },
    /// A translucent area: the interval around a curve.
    Band {
        /// Its corners, in order.
        points: Vec<Point>,
        /// As what.
        paint: Paint,
    },
    /// Small discs.
    Dots {
        /// Their middles.
        points: Vec<Point>,
        /// Their radius in millimetres.
        radius: f64,
        /// Whether they are full; else rings.
        full: bool,
        /// As what.
        paint: Paint,
    },
    /// A row of words. `at` is its upper left corner, of words that run upwards its lower left one, and on
    /// that row where they begin, have their middle or end.
    Text {
        /// Where.
        at: Point,
        /// What.
        words: Words,
        /// As what.
        paint: Paint,
    },
    /// A picture of square pixels without smoothing.
    Pixels {
        /// Where.
        place: Place,
        /// Pixels in a row.
        columns: usize,
        /// Its pixels, row by row.
        paints: Vec<Paint>,
    },
}
