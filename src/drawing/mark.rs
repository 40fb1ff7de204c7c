//! The marks of a drawing: rectangles, lines, bands, points, text, and maps of square pixels. Positions are in
//! millimetres from the upper left corner.

/// A position in millimetres: to the right, and down.
pub type Point = (f64, f64);

/// A rectangle on the sheet, in millimetres.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rect {
    /// Its left edge.
    pub x: f64,
    /// Its upper edge.
    pub y: f64,
    /// Its width.
    pub width: f64,
    /// Its height.
    pub height: f64,
}

impl Rect {
    /// Its right edge.
    pub fn right(&self) -> f64 {
        self.x + self.width
    }

    /// Its lower edge.
    pub fn bottom(&self) -> f64 {
        self.y + self.height
    }
}

/// The role that a mark's colour plays; the sheet maps it to an actual colour.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Paint {
    /// The background.
    Paper,
    /// Text and strong lines.
    Ink,
    /// Labels and axes.
    Dim,
    /// Grid lines and other guides.
    Faint,
    /// The first of several curves, and anything correct: the colour for values above zero.
    First,
    /// The second curve, and anything wrong: the colour for values below zero.
    Second,
    /// The third curve.
    Third,
    /// The fourth curve.
    Fourth,
    /// A value on the diverging scale, −1 to 1.
    Signed(f32),
    /// A literal colour, of an image pixel.
    Rgb([u8; 3]),
}

/// A line style, so that curves can be distinguished without colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stroke {
    /// Without gaps.
    Solid,
    /// With gaps.
    Dashed,
    /// Alternating long and short dashes.
    DashDotted,
    /// Mostly gaps.
    Dotted,
    /// Dots at the data points only.
    Points,
}

/// How text is aligned to its position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Anchor {
    /// The text begins there.
    #[default]
    Start,
    /// The text is centred there.
    Middle,
    /// The text ends there.
    End,
}

/// A line of text.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Label {
    /// The text.
    pub text: String,
    /// Its alignment.
    pub anchor: Anchor,
    /// Whether it is bold.
    pub bold: bool,
    /// Whether it runs upwards.
    pub upwards: bool,
}

/// One element of a drawing.
#[derive(Debug, Clone, PartialEq)]
pub enum Mark {
    /// A filled rectangle.
    Fill {
        /// Its position and size.
        rect: Rect,
        /// Its colour.
        paint: Paint,
    },
    /// The border of a rectangle, drawn inside it.
    Frame {
        /// Position and size of the rectangle.
        rect: Rect,
        /// The width of the border in millimetres.
        thick: f64,
        /// Its colour.
        paint: Paint,
    },
    /// A polyline.
    Line {
        /// Its points, in order.
        points: Vec<Point>,
        /// Its width in millimetres.
        thick: f64,
        /// Its line style.
        stroke: Stroke,
        /// Its colour.
        paint: Paint,
    },
    /// Separate straight segments, such as the outline of selected pixels.
    Segments {
        /// Both ends of each segment.
        segments: Vec<(Point, Point)>,
        /// Their width in millimetres.
        thick: f64,
        /// Their colour.
        paint: Paint,
    },
    /// A translucent area: the interval around a curve.
    Band {
        /// Its vertices, in order.
        points: Vec<Point>,
        /// Its colour.
        paint: Paint,
    },
    /// Small circles.
    Dots {
        /// Their centres.
        points: Vec<Point>,
        /// Their radius in millimetres.
        radius: f64,
        /// Whether they are filled; otherwise rings.
        filled: bool,
        /// Their colour.
        paint: Paint,
    },
    /// A line of text. `position` lies on its upper edge (for text that runs upwards, its left edge), where the text
    /// begins, has its middle or ends, depending on the anchor.
    Text {
        /// Its position.
        position: Point,
        /// The text.
        label: Label,
        /// Its colour.
        paint: Paint,
    },
    /// An image of square pixels, drawn without smoothing.
    Pixels {
        /// Its position and size.
        rect: Rect,
        /// The number of pixels per row.
        columns: usize,
        /// Its pixels, row by row.
        paints: Vec<Paint>,
    },
}
