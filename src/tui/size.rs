//! [`Size`], the size of the terminal.

/// A terminal's columns and rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Columns.
    pub width: u16,
    /// Rows.
    pub height: u16,
}

impl From<(u16, u16)> for Size {
    fn from((width, height): (u16, u16)) -> Self {
        Self { width, height }
    }
}

impl Size {
    /// The minimum on which anything is drawn.
    pub const LEAST: Self = Self {
        width: 60,
        height: 18,
    };

    /// The width from which two views fit side by side.
    pub const OF_TWO: u16 = 140;

    /// Whether it is large enough to draw on.
    pub fn is_enough(self) -> bool {
        self.width >= Self::LEAST.width && self.height >= Self::LEAST.height
    }
}
