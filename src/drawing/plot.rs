//! Curves over two axes.

use super::Drawing;
use super::mark::{Mark, Paint, Place, Point, Stroke};

/// One curve.
#[derive(Debug, Clone)]
pub struct Series {
    /// What it is.
    pub name: String,
    /// (x, y), by growing x.
    pub points: Vec<Point>,
    /// (x, low, high) of a band around it, by growing x.
    pub band: Vec<(f64, f64, f64)>,
    /// Its colour.
    pub paint: Paint,
    /// How it is drawn.
    pub stroke: Stroke,
}

/// How an axis is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Axis {
    /// Evenly.
    Linear,
    /// By powers.
    Log,
}

/// An end of an upright line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Above curves that fall.
    Top,
    /// Below curves that rise.
    Bottom,
}

/// Curves over two axes.
#[derive(Debug, Clone)]
pub struct Plot {
    /// What stands above it.
    pub title: String,
    /// What stands below it.
    pub x_name: String,
    /// Ends of the level axis.
    pub x: (f64, f64),
    /// Ends of the upright axis.
    pub y: (f64, f64),
    /// How the upright axis is divided.
    pub axis: Axis,
    /// Values named below.
    pub x_ticks: Vec<(f64, String)>,
    /// Values named on the left.
    pub y_ticks: Vec<(f64, String)>,
    /// An upright line, what it says, and where: the words belong where no curve runs.
    pub mark: Option<(f64, String, End)>,
    /// Whether a faint line runs from the lower left to the upper right corner: chance.
    pub diagonal: bool,
    /// The curves, the last on top.
    pub series: Vec<Series>,
}

impl Plot {
    /// Where each curve begins and ends, in the words of the ticks' unit: for who does not see it.
    pub fn in_words(&self) -> String {
        let percent = self.y_ticks.iter().any(|(_, name)| name.ends_with('%'));
        let value = |y: f64| match percent {
            true => crate::format::percent(y),
            false => crate::format::number(y),
        };
        let said = self.series.iter().filter_map(|it| {
            let (first, last) = (it.points.first()?, it.points.last()?);
            let name = if it.name.is_empty() {
                "the curve"
            } else {
                &it.name
            };
            Some(format!(
                "{name} from {} to {}",
                value(first.1),
                value(last.1)
            ))
        });
        let said: Vec<String> = said.collect();
        match said.is_empty() {
            true => format!("{}: nothing yet.", self.title),
            false => format!("{}: {}.", self.title, said.join(", ")),
        }
    }

    /// Draws it into a rectangle.
    pub fn draw(&self, drawing: &mut Drawing, place: Place) {
        let sheet = drawing.sheet;
        let (row, gap) = (sheet.row(), 0.4 * sheet.size());
        let title = sheet.cut(&self.title, place.width);
        drawing.text((place.x, place.y), &title, Paint::Ink);
        let legend = self.legend(drawing, place, row);
        let names = self.y_ticks.iter().map(|(_, name)| sheet.text_width(name));
        let gutter = names.fold(0.0, f64::max) + 2.0 * gap;
        let top = place.y + row + legend + 0.5 * row;
        let plot = Place {
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
        if let Some(mark) = &self.mark {
            self.mark(drawing, plot, mark);
        }
    }

    /// A row with a piece of every curve and its name; rows that are full are followed by others. Gives
    /// the millimetres that they take.
    fn legend(&self, drawing: &mut Drawing, place: Place, row: f64) -> f64 {
        let sheet = drawing.sheet;
        let named: Vec<&Series> = self
            .series
            .iter()
            .filter(|it| !it.name.is_empty())
            .collect();
        if named.is_empty() {
            return 0.0;
        }
        let (sample, gap) = (2.6 * sheet.size(), 0.5 * sheet.size());
        let (mut x, mut y) = (place.x, place.y + row);
        for series in named {
            let width = sample + gap + sheet.text_width(&series.name) + 3.0 * gap;
            if x > place.x && x + width - 3.0 * gap > place.right() {
                (x, y) = (place.x, y + row);
            }
            let middle = y + 0.66 * sheet.size();
            let points = match series.stroke {
                Stroke::Points => (0..3)
                    .map(|part| (x + f64::from(part) * sample / 2.5, middle))
                    .collect(),
                _ => vec![(x, middle), (x + sample, middle)],
            };
            drawing.line(points, sheet.thick(), series.stroke, series.paint);
            drawing.text((x + sample + gap, y), &series.name, Paint::Dim);
            x += width;
        }
        y + row - (place.y + row)
    }

    fn axes(&self, drawing: &mut Drawing, plot: Place, gap: f64) {
        let sheet = drawing.sheet;
        let thin = sheet.thin();
        for (value, name) in &self.y_ticks {
            let Some(y) = self.down(*value, plot) else {
                continue;
            };
            let ends = vec![(plot.x, y), (plot.right(), y)];
            drawing.line(ends, thin, Stroke::Solid, Paint::Faint);
            let at = (plot.x - gap, y - 0.68 * sheet.size());
            drawing.text_before(at, name, Paint::Dim);
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
            drawing.text_about((x, below + gap), name, Paint::Dim);
            free = x + half + gap;
        }
        let name = (plot.right(), below + gap + sheet.row());
        drawing.text_before(name, &self.x_name, Paint::Dim);
        let foot = vec![(plot.x, below), (plot.right(), below)];
        drawing.line(foot, thin, Stroke::Solid, Paint::Dim);
    }

    fn across(&self, x: f64, plot: Place) -> f64 {
        let share = ((x - self.x.0) / (self.x.1 - self.x.0)).clamp(0.0, 1.0);
        plot.x + if share.is_finite() { share } else { 0.0 } * plot.width
    }

    fn down(&self, y: f64, plot: Place) -> Option<f64> {
        let (low, high) = self.y;
        let share = match self.axis {
            Axis::Linear => (y - low) / (high - low),
            Axis::Log => (y.ln() - low.ln()) / (high.ln() - low.ln()),
        };
        let share = share.is_finite().then(|| share.clamp(0.0, 1.0))?;
        Some(plot.y + (1.0 - share) * plot.height)
    }

    fn band(&self, drawing: &mut Drawing, plot: Place, series: &Series) {
        let edge = |of: fn(&(f64, f64, f64)) -> f64| {
            let at = move |it: &(f64, f64, f64)| {
                Some((self.across(it.0, plot), self.down(of(it), plot)?))
            };
            series.band.iter().filter_map(at).collect::<Vec<Point>>()
        };
        let mut points = edge(|it| it.1);
        points.extend(edge(|it| it.2).into_iter().rev());
        if points.len() > 3 {
            drawing.marks.push(Mark::Band {
                points,
                paint: series.paint,
            });
        }
    }

    fn curve(&self, drawing: &mut Drawing, plot: Place, series: &Series) {
        let at = |&(x, y): &Point| Some((self.across(x, plot), self.down(y, plot)?));
        let points: Vec<Point> = series.points.iter().filter_map(at).collect();
        if points.is_empty() {
            return;
        }
        let thick = drawing.sheet.thick();
        if points.len() == 1 {
            drawing.marks.push(Mark::Dots {
                points,
                radius: thick,
                full: true,
                paint: series.paint,
            });
            return;
        }
        drawing.line(points, thick, series.stroke, series.paint);
    }

    fn mark(&self, drawing: &mut Drawing, plot: Place, (x, words, end): &(f64, String, End)) {
        let sheet = drawing.sheet;
        let at = self.across(*x, plot);
        let ends = vec![(at, plot.y), (at, plot.bottom())];
        drawing.line(ends, sheet.thin(), Stroke::Dashed, Paint::Dim);
        let gap = 0.5 * sheet.size();
        let y = match end {
            End::Top => plot.y,
            End::Bottom => plot.bottom() - sheet.row(),
        };
        match at + gap + sheet.text_width(words) <= plot.right() {
            true => drawing.text((at + gap, y), words, Paint::Ink),
            false => drawing.text_before((at - gap, y), words, Paint::Ink),
        }
    }
}
