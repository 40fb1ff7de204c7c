//! Receptive fields along one direction, rows or columns.

/// The fields of a node's positions along rows or columns, in pixels of the image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AxisField {
    /// First pixel of position 0's field; negative if beyond the border.
    pub start: i64,
    /// Pixels from one position's field to the next's; 0 if all positions share one field.
    pub stride: i64,
    /// Length of a field in pixels.
    pub size: i64,
}

impl AxisField {
    /// A field over all `pixels` of an axis.
    pub(super) fn whole(pixels: usize) -> Self {
        Self {
            start: 0,
            stride: 0,
            size: pixels as i64,
        }
    }

    /// The fields after windows of `taps` taps, `dilation` apart, the first one starting `before` positions ahead of 0.
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

    /// The fields of every `step`-th position from `start` on; `start` may be negative.
    pub(super) fn cut(self, start: i64, step: i64) -> Self {
        Self {
            start: self.start + start * self.stride,
            stride: self.stride * step,
            size: self.size,
        }
    }

    /// The fields when position p samples the positions within `reach` of slope·p + shift; `None` if they
    /// are not evenly spaced.
    pub(super) fn sampled(self, slope: f64, shift: f64, reach: f64) -> Option<Self> {
        let stride = self.stride as f64 * slope;
        let from = (self.stride as f64 * (shift - reach)).floor() as i64;
        let to = (self.stride as f64 * (shift + reach)).ceil() as i64;
        ((stride - stride.round()).abs() < 1e-9).then_some(Self {
            start: self.start + from,
            stride: stride.round() as i64,
            size: self.size + to - from,
        })
    }

    /// The fields that cover both.
    pub(super) fn covering(self, other: Self, pixels: usize) -> Self {
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

    /// All positions share the field of position 0.
    pub(super) fn repeated(self) -> Self {
        Self { stride: 0, ..self }
    }

    /// A position's field as first pixel and one past the last; may reach beyond the border.
    pub fn pixels_at(&self, position: usize) -> (i64, i64) {
        let start = self.start + position as i64 * self.stride;
        (start, start + self.size)
    }
}
