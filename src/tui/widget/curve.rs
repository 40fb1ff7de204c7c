//! Curves over two axes: eight braille dots per cell, or one character per cell without Unicode.

mod canvas;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Span;

use self::canvas::{Canvas, line};
use super::text::{beside, left, right, start};
pub use crate::drawing::Stroke;
use crate::tui::theme::Theme;

impl Stroke {
    /// A short sample of the stroke, for a legend.
    pub fn sample(self, theme: &Theme) -> &'static str {
        match self {
            _ if !theme.glyphs.unicode => self.ascii(),
            Self::Solid => "⠒⠒",
            Self::Dashed => "⠒⠂",
            Self::DashDotted => "⠒⠐",
            Self::Dotted => "⠂⠂",
            Self::Points => "⠐⠄",
        }
    }

    fn ascii(self) -> &'static str {
        match self {
            Self::Solid => "*",
            Self::Dashed => "+",
            Self::DashDotted => "x",
            Self::Dotted => "o",
            Self::Points => ".",
        }
    }
}

/// One curve.
#[derive(Debug, Clone)]
pub struct Series {
    /// (x, y), by increasing x.
    pub points: Vec<(f64, f64)>,
    /// Its colour.
    pub style: Style,
    /// The line style.
    pub stroke: Stroke,
}

/// The uncertainty of a curve: the area between two other curves.
#[derive(Debug, Clone)]
pub struct Band {
    /// (x, low, high), by increasing x.
    pub points: Vec<(f64, f64, f64)>,
    /// Its colour.
    pub style: Style,
}

/// The scale of the vertical axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Axis {
    /// Linear.
    Linear,
    /// Logarithmic.
    Log,
}

/// A vertical line in a chart.
#[derive(Debug, Clone)]
pub struct VerticalLine {
    /// Its position.
    pub x: f64,
    /// Its label, in several versions: the first one that fits is drawn.
    pub words: Vec<String>,
    /// Where the label goes.
    pub at: LineEnd,
}

/// An end of a vertical line: the label belongs where no curve runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineEnd {
    /// Above curves that fall.
    Top,
    /// Below curves that rise.
    Bottom,
}

/// The fill character of a band without braille.
const BAND: &str = ":";

/// Curves over two axes.
#[derive(Debug, Clone)]
pub struct Chart {
    /// Ends of the horizontal axis.
    pub x: (f64, f64),
    /// Ends of the vertical axis.
    pub y: (f64, f64),
    /// The scale of the vertical axis.
    pub axis: Axis,
    /// Labelled values on the vertical axis.
    pub y_labels: Vec<(f64, String)>,
    /// Labelled values on the horizontal axis.
    pub x_labels: Vec<(f64, String)>,
    /// A vertical line.
    pub mark: Option<VerticalLine>,
    /// The curves, the last on top.
    pub series: Vec<Series>,
    /// Columns for the labels of the vertical axis.
    pub gutter: u16,
}

impl Chart {
    /// A chart of shares in \[0, 1\], as percentages; x covers \[0, 1\] and has no labels yet.
    pub fn of_shares(series: Vec<Series>, area: Rect) -> Self {
        let step = if area.height >= 14 { 0.2 } else { 0.5 };
        let ticks = (0..).map(|i| f64::from(i) * step);
        Self {
            x: (0.0, 1.0),
            y: (0.0, 1.0),
            axis: Axis::Linear,
            y_labels: ticks
                .take_while(|y| *y < 1.01)
                .map(|y| (y, format!("{:.0} %", y * 100.0)))
                .collect(),
            x_labels: Vec::new(),
            mark: None,
            series,
            gutter: 6,
        }
    }

    /// Draws the chart over the whole of `area`; the last row holds the labels of x.
    pub fn draw(&self, area: Rect, theme: &Theme, buf: &mut Buffer) {
        self.draw_over(&[], area, theme, buf);
    }

    /// The same, with bands below all curves.
    pub fn draw_over(&self, bands: &[Band], area: Rect, theme: &Theme, buf: &mut Buffer) {
        let gutter = self.gutter.min(area.width);
        let plot = beside(area, gutter);
        let plot = Rect {
            height: plot.height.saturating_sub(1),
            ..plot
        };
        if plot.width < 4 || plot.height < 2 || plot.intersection(buf.area) != plot {
            return;
        }
        self.grid(area, plot, theme, buf);
        if let Some(mark) = &self.mark {
            self.line(mark, plot, theme, buf);
        }
        for band in bands {
            let mut canvas = Canvas::new(plot, theme);
            self.fill(band, &mut canvas);
            canvas.show(BAND, band.style, buf);
        }
        for series in &self.series {
            let mut canvas = Canvas::new(plot, theme);
            self.trace(series, &mut canvas);
            canvas.show(series.stroke.ascii(), series.style, buf);
        }
        if let Some(mark) = &self.mark {
            self.words(mark, plot, theme, buf);
        }
    }

    /// Draws the line of a mark, below the curves.
    fn line(&self, mark: &VerticalLine, plot: Rect, theme: &Theme, buf: &mut Buffer) {
        let column = beside(plot, self.column(mark.x, plot.width));
        for row in 0..plot.height {
            left(
                buf,
                column,
                row,
                Span::styled(theme.glyphs.upright, theme.dim()),
            );
        }
    }

    /// Draws the label of a mark, beside its line and above the curves.
    fn words(&self, mark: &VerticalLine, plot: Rect, theme: &Theme, buf: &mut Buffer) {
        let column = self.column(mark.x, plot.width);
        let row = match mark.at {
            LineEnd::Top => 0,
            LineEnd::Bottom => plot.height - 1,
        };
        let after = beside(plot, column + 2);
        let before = start(plot, column.saturating_sub(1));
        for words in &mark.words {
            let words = Span::styled(words.clone(), theme.bright());
            let width = words.width() as u16;
            if width <= after.width {
                left(buf, after, row, words);
                return;
            } else if width <= before.width {
                right(buf, before, row, words);
                return;
            }
        }
    }

    fn grid(&self, area: Rect, plot: Rect, theme: &Theme, buf: &mut Buffer) {
        let names = Rect {
            width: self.gutter.saturating_sub(1).min(area.width),
            ..area
        };
        // Both ends first: on a low chart the values between them have no rows of their own.
        let ends = self
            .y_labels
            .first()
            .into_iter()
            .chain(self.y_labels.last());
        let mut taken = Vec::new();
        for (value, name) in ends.chain(self.y_labels.iter().skip(1)) {
            let Some(height) = self.height(*value) else {
                continue;
            };
            let row = ((1.0 - height) * f64::from(plot.height - 1)).round() as u16;
            if taken.contains(&row) {
                continue;
            }
            taken.push(row);
            right(buf, names, row, Span::styled(name.clone(), theme.dim()));
            for x in (0..plot.width).step_by(4) {
                left(
                    buf,
                    beside(plot, x),
                    row,
                    Span::styled(theme.glyphs.dot, theme.dim()),
                );
            }
        }
        let mut free = 0;
        for (value, name) in &self.x_labels {
            let column = self.column(*value, plot.width);
            let width = Span::raw(name.as_str()).width() as u16;
            let start = (plot.x + column).saturating_sub(width / 2);
            let start = start.min((plot.x + plot.width).saturating_sub(width));
            if start < free {
                continue;
            }
            let label_area = Rect {
                x: start,
                width,
                ..area
            };
            left(
                buf,
                label_area,
                area.height - 1,
                Span::styled(name.clone(), theme.dim()),
            );
            free = start + width + 1;
        }
    }

    /// Height of a value in the plot, 0 at the bottom and 1 at the top.
    fn height(&self, value: f64) -> Option<f64> {
        let (low, high) = self.y;
        let share = match self.axis {
            Axis::Linear => (value - low) / (high - low),
            Axis::Log => (value.ln() - low.ln()) / (high.ln() - low.ln()),
        };
        share.is_finite().then_some(share.clamp(0.0, 1.0))
    }

    fn share(&self, x: f64) -> f64 {
        let share = (x - self.x.0) / (self.x.1 - self.x.0);
        if share.is_finite() {
            share.clamp(0.0, 1.0)
        } else {
            0.0
        }
    }

    fn column(&self, x: f64, width: u16) -> u16 {
        (self.share(x) * f64::from(width.saturating_sub(1))).round() as u16
    }

    fn trace(&self, series: &Series, canvas: &mut Canvas) {
        let (width, height) = canvas.dots();
        let dots: Vec<(i32, i32)> = series
            .points
            .iter()
            .filter_map(|&(x, y)| {
                let up = self.height(y)?;
                let column = self.share(x) * f64::from(width - 1);
                let row = (1.0 - up) * f64::from(height - 1);
                Some((column.round() as i32, row.round() as i32))
            })
            .collect();
        if let [only] = dots[..] {
            canvas.dot(only.0, only.1);
        }
        let mut length = 0;
        for pair in dots.windows(2) {
            match series.stroke {
                Stroke::Points => {
                    canvas.dot(pair[0].0, pair[0].1);
                    canvas.dot(pair[1].0, pair[1].1);
                }
                Stroke::Solid => line(pair[0], pair[1], |x, y| canvas.dot(x, y)),
                Stroke::Dashed => line(pair[0], pair[1], |x, y| {
                    length += 1;
                    if length % 6 < 4 {
                        canvas.dot(x, y);
                    }
                }),
                Stroke::DashDotted => line(pair[0], pair[1], |x, y| {
                    length += 1;
                    if length % 9 < 5 || length % 9 == 6 {
                        canvas.dot(x, y);
                    }
                }),
                Stroke::Dotted => line(pair[0], pair[1], |x, y| {
                    length += 1;
                    if length % 3 == 1 {
                        canvas.dot(x, y);
                    }
                }),
            }
        }
    }

    /// Fills a band with every other dot between its two edges.
    fn fill(&self, band: &Band, canvas: &mut Canvas) {
        let (width, height) = canvas.dots();
        let dots: Vec<(i32, f64, f64)> = band
            .points
            .iter()
            .filter_map(|&(x, low, high)| {
                let row = |y| Some((1.0 - self.height(y)?) * f64::from(height - 1));
                let column = self.share(x) * f64::from(width - 1);
                Some((column.round() as i32, row(high)?, row(low)?))
            })
            .collect();
        for pair in dots.windows(2) {
            let (from, to) = (pair[0], pair[1]);
            let length = f64::from((to.0 - from.0).max(1));
            for x in from.0..=to.0 {
                let along = f64::from(x - from.0) / length;
                let between = |a: f64, b: f64| (a + (b - a) * along).round() as i32;
                for y in between(from.1, to.1)..=between(from.2, to.2) {
                    if (x + y) % 2 == 0 {
                        canvas.dot(x, y);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
