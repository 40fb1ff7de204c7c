//! Fields along rows or columns.

/// Where positions look along rows or columns, in pixels of the image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Along {
    /// The first pixel that position 0 looks at; negative where it lies beyond the border.
    pub start: i64,
    /// Pixels from one position's field to the next's; 0 where all look at the same.
    pub stride: i64,
    /// Pixels of a field.
    pub size: i64,
}

impl Along {
    /// All of an axis of so many pixels.
    pub(super) fn whole(pixels: usize) -> Self {
        Self {
            start: 0,
            stride: 0,
            size: pixels as i64,
        }
    }

    /// After windows of so many taps, so far apart, from `before` ahead of position 0 on.
    pub(super) fn windows(
        self,
        taps: usize,
        dilation: usize,
        stride: usize,
        before: usize,
    ) -> Self {
        Self {
            start: self.start - before as i64 * self.stride,
            stride: self.stride * stride as i64,
            size: self.size + (taps as i64 - 1) * dilation as i64 * self.stride,
        }
    }

    /// From position `start` on, every `step`-th, which may be before the first.
    pub(super) fn cut(self, start: i64, step: i64) -> Self {
        Self {
            start: self.start + start * self.stride,
            stride: self.stride * step,
            size: self.size,
        }
    }

    /// Position p looks at the positions within one of slope·p + shift; `None` where the fields do
    /// not come to lie evenly.
    pub(super) fn sampled(self, slope: f64, shift: f64) -> Option<Self> {
        let stride = self.stride as f64 * slope;
        let from = (self.stride as f64 * (shift - 1.0)).floor() as i64;
        let to = (self.stride as f64 * (shift + 1.0)).ceil() as i64;
        ((stride - stride.round()).abs() < 1e-9).then_some(Self {
            start: self.start + from,
            stride: stride.round() as i64,
            size: self.size + to - from,
        })
    }

    /// What covers both.
    pub(super) fn with(self, other: Self, pixels: usize) -> Self {
        if self.stride != other.stride {
            return Self::whole(pixels);
        }
        let start = self.start.min(other.start);
        let end = (self.start + self.size).max(other.start + other.size);
        Self {
            start,
            stride: self.stride,
            size: end - start,
        }
    }

    /// All positions look where position 0 does.
    pub(super) fn repeated(self) -> Self {
        Self { stride: 0, ..self }
    }

    /// The pixels that a position looks at, from the first to the one after the last, some of them
    /// perhaps beyond the border.
    pub fn at(&self, position: usize) -> (i64, i64) {
        let start = self.start + position as i64 * self.stride;
        (start, start + self.size)
    }
}
