//! A plot of curves over two axes.

use super::Drawing;
use super::mark::{Mark, Paint, Point, Rect, Stroke};

/// One curve.
#[derive(Debug, Clone)]
pub struct Series {
    /// Its name in the legend.
    pub name: String,
    /// (x, y), in ascending order of x.
    pub points: Vec<Point>,
    /// (x, low, high) of a band around it, in ascending order of x.
    pub band: Vec<(f64, f64, f64)>,
    /// Its colour.
    pub paint: Paint,
    /// Its line style.
    pub stroke: Stroke,
}

/// The scale of an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AxisScale {
    /// A linear scale.
    Linear,
    /// A logarithmic scale.
    Log,
}

/// The end of a vertical line at which its label is placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarkerEnd {
    /// The top, for curves that fall.
    Top,
    /// The bottom, for curves that rise.
    Bottom,
}

/// A plot of curves over two axes.
#[derive(Debug, Clone)]
pub struct Plot {
    /// The title above it.
    pub title: String,
    /// The label below the horizontal axis.
    pub x_label: String,
    /// The range of the horizontal axis.
    pub x_range: (f64, f64),
    /// The range of the vertical axis.
    pub y_range: (f64, f64),
    /// The scale of the vertical axis.
    pub y_scale: AxisScale,
    /// Labelled values on the horizontal axis.
    pub x_ticks: Vec<(f64, String)>,
    /// Labelled values on the vertical axis.
    pub y_ticks: Vec<(f64, String)>,
    /// A vertical line, its label, and at which end the label is placed, so that no curve runs through it.
    pub marker: Option<(f64, String, MarkerEnd)>,
    /// Whether to draw a faint line from the lower left to the upper right corner: chance.
    pub diagonal: bool,
    /// The curves; later ones are drawn on top.
    pub series: Vec<Series>,
}

impl Plot {
    /// Describes where each curve begins and ends, in the unit of the ticks, for the alternative text.
    pub fn describe(&self) -> String {
        let percent = self.y_ticks.iter().any(|(_, name)| name.ends_with('%'));
        let value = |y: f64| match percent {
            true => crate::format::percent(y),
            false => crate::format::number(y),
        };
        let descriptions = self.series.iter().filter_map(|series| {
            let (first, last) = (series.points.first()?, series.points.last()?);
            let name = if series.name.is_empty() {
                "the curve"
            } else {
                &series.name
            };
            Some(format!(
                "{name} from {} to {}",
                value(first.1),
                value(last.1)
            ))
        });
        let descriptions: Vec<String> = descriptions.collect();
        match descriptions.is_empty() {
            true => format!("{}: nothing yet.", self.title),
            false => format!("{}: {}.", self.title, descriptions.join(", ")),
        }
    }

    /// Draws it into a rectangle.
    pub fn draw(&self, drawing: &mut Drawing, place: Rect) {
        let sheet = drawing.sheet;
        let (row, gap) = (sheet.line_height(), 0.4 * sheet.text_size());
        let title = sheet.truncate(&self.title, place.width);
        drawing.text((place.x, place.y), &title, Paint::Ink);
        let legend = self.legend(drawing, place, row);
        let names = self.y_ticks.iter().map(|(_, name)| sheet.text_width(name));
        let gutter = names.fold(0.0, f64::max) + 2.0 * gap;
        let top = place.y + row + legend + 0.5 * row;
        let plot = Rect {
            x: place.x + gutter,
            y: top,
            width: place.width - gutter - 2.0 * gap,
            height: place.bottom() - top - 2.2 * row,
        };
        if plot.width < 3.0 || plot.height < 3.0 {
            return;
        }
        self.axes(drawing, plot, gap);
        for series in &self.series {
            self.band(drawing, plot, series);
        }
        for series in &self.series {
            self.curve(drawing, plot, series);
        }
        if let Some(mark) = &self.marker {
            self.mark(drawing, plot, mark);
        }
    }

    /// Draws the legend, a sample of each curve and its name, wrapping onto further rows; returns its height in
    /// millimetres.
    fn legend(&self, drawing: &mut Drawing, place: Rect, row: f64) -> f64 {
        let sheet = drawing.sheet;
        let named: Vec<&Series> = self
            .series
            .iter()
            .filter(|series| !series.name.is_empty())
            .collect();
        if named.is_empty() {
            return 0.0;
        }
        let (sample, gap) = (2.6 * sheet.text_size(), 0.5 * sheet.text_size());
        let (mut x, mut y) = (place.x, place.y + row);
        for series in named {
            let width = sample + gap + sheet.text_width(&series.name) + 3.0 * gap;
            if x > place.x && x + width - 3.0 * gap > place.right() {
                (x, y) = (place.x, y + row);
            }
            let middle = y + 0.66 * sheet.text_size();
            let points = match series.stroke {
                Stroke::Points => (0..3)
                    .map(|part| (x + f64::from(part) * sample / 2.5, middle))
                    .collect(),
                _ => vec![(x, middle), (x + sample, middle)],
            };
            drawing.line(points, sheet.thick_line(), series.stroke, series.paint);
            drawing.text((x + sample + gap, y), &series.name, Paint::Dim);
            x += width;
        }
        y + row - (place.y + row)
    }

    fn axes(&self, drawing: &mut Drawing, plot: Rect, gap: f64) {
        let sheet = drawing.sheet;
        let thin = sheet.thin_line();
        for (value, name) in &self.y_ticks {
            let Some(y) = self.down(*value, plot) else {
                continue;
            };
            let ends = vec![(plot.x, y), (plot.right(), y)];
            drawing.line(ends, thin, Stroke::Solid, Paint::Faint);
            let at = (plot.x - gap, y - 0.68 * sheet.text_size());
            drawing.text_right_aligned(at, name, Paint::Dim);
        }
        if self.diagonal {
            let ends = vec![(plot.x, plot.bottom()), (plot.right(), plot.y)];
            drawing.line(ends, thin, Stroke::Dashed, Paint::Dim);
        }
        let below = plot.bottom();
        let mut free = f64::MIN;
        for (value, name) in &self.x_ticks {
            let x = self.across(*value, plot);
            let half = sheet.text_width(name) / 2.0;
            if x - half < free {
                continue;
            }
            let tick = vec![(x, below), (x, below + 0.6 * gap)];
            drawing.line(tick, thin, Stroke::Solid, Paint::Dim);
            drawing.text_centred((x, below + gap), name, Paint::Dim);
            free = x + half + gap;
        }
        let name = (plot.right(), below + gap + sheet.line_height());
        drawing.text_right_aligned(name, &self.x_label, Paint::Dim);
        let foot = vec![(plot.x, below), (plot.right(), below)];
        drawing.line(foot, thin, Stroke::Solid, Paint::Dim);
    }

    fn across(&self, x: f64, plot: Rect) -> f64 {
        let share = ((x - self.x_range.0) / (self.x_range.1 - self.x_range.0)).clamp(0.0, 1.0);
        plot.x + if share.is_finite() { share } else { 0.0 } * plot.width
    }

    fn down(&self, y: f64, plot: Rect) -> Option<f64> {
        let (low, high) = self.y_range;
        let share = match self.y_scale {
            AxisScale::Linear => (y - low) / (high - low),
            AxisScale::Log => (y.ln() - low.ln()) / (high.ln() - low.ln()),
        };
        let share = share.is_finite().then(|| share.clamp(0.0, 1.0))?;
        Some(plot.y + (1.0 - share) * plot.height)
    }

    fn band(&self, drawing: &mut Drawing, plot: Rect, series: &Series) {
        let edge = |value: fn(&(f64, f64, f64)) -> f64| {
            let position = move |point: &(f64, f64, f64)| {
                Some((self.across(point.0, plot), self.down(value(point), plot)?))
            };
            series
                .band
                .iter()
                .filter_map(position)
                .collect::<Vec<Point>>()
        };
        let mut points = edge(|point| point.1);
        points.extend(edge(|point| point.2).into_iter().rev());
        if points.len() > 3 {
            drawing.marks.push(Mark::Band {
                points,
                paint: series.paint,
            });
        }
    }

    fn curve(&self, drawing: &mut Drawing, plot: Rect, series: &Series) {
        let position = |&(x, y): &Point| Some((self.across(x, plot), self.down(y, plot)?));
        let points: Vec<Point> = series.points.iter().filter_map(position).collect();
        if points.is_empty() {
            return;
        }
        let thick = drawing.sheet.thick_line();
        if points.len() == 1 {
            drawing.marks.push(Mark::Dots {
                points,
                radius: thick,
                filled: true,
                paint: series.paint,
            });
            return;
        }
        drawing.line(points, thick, series.stroke, series.paint);
    }

    fn mark(&self, drawing: &mut Drawing, plot: Rect, (x, words, end): &(f64, String, MarkerEnd)) {
        let sheet = drawing.sheet;
        let x_pos = self.across(*x, plot);
        let ends = vec![(x_pos, plot.y), (x_pos, plot.bottom())];
        drawing.line(ends, sheet.thin_line(), Stroke::Dashed, Paint::Dim);
        let gap = 0.5 * sheet.text_size();
        let y = match end {
            MarkerEnd::Top => plot.y,
            MarkerEnd::Bottom => plot.bottom() - sheet.line_height(),
        };
        match x_pos + gap + sheet.text_width(words) <= plot.right() {
            true => drawing.text((x_pos + gap, y), words, Paint::Ink),
            false => drawing.text_right_aligned((x_pos - gap, y), words, Paint::Ink),
        }
    }
}
