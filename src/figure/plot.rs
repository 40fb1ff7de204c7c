//! Curves over two axes, and the bar that says which colour is which value.

use super::canvas::{Canvas, Paint, Place, Stroke};
use super::channels::Colour;
use crate::format;

/// One curve.
#[derive(Debug)]
pub struct Series {
    /// What it is.
    pub name: &'static str,
    /// (x, y), by growing x.
    pub points: Vec<(f64, f64)>,
    /// Low and high end of a band around it, by x.
    pub band: Vec<(f64, f64, f64)>,
    /// Its colour.
    pub paint: Paint,
    /// How it is drawn.
    pub stroke: Stroke,
}

/// How an upright axis is divided.
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
#[derive(Debug)]
pub struct Plot {
    /// What stands above it.
    pub title: String,
    /// What stands below it.
    pub x_name: &'static str,
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
    /// The curves, the last on top.
    pub series: Vec<Series>,
}

impl Plot {
    /// Draws it into a place of the canvas.
    pub fn draw(&self, canvas: &mut Canvas, place: Place) {
        let sheet = canvas.sheet;
        let (row, gap) = (sheet.row(), 3 * sheet.text);
        canvas.text((place.x, place.y), &self.title, Paint::Ink);
        let legend = self.legend(canvas, place, row);
        let names = self.y_ticks.iter().map(|(_, name)| sheet.text_width(name));
        let gutter = names.max().unwrap_or(0) + 2 * gap;
        let top = place.y + row + legend + row / 2;
        let plot = Place {
            x: place.x + gutter,
            y: top,
            width: place.width.saturating_sub(gutter + gap),
            height: (place.y + place.height).saturating_sub(top + 2 * row),
        };
        if plot.width < 8 || plot.height < 8 {
            return;
        }
        self.axes(canvas, plot, gap);
        for series in &self.series {
            self.band(canvas, plot, series);
        }
        for series in &self.series {
            self.curve(canvas, plot, series);
        }
        if let Some(mark) = &self.mark {
            self.mark(canvas, plot, mark);
        }
    }

    /// A row with a piece of every curve and its name; rows that are full are followed by others.
    fn legend(&self, canvas: &mut Canvas, place: Place, row: u32) -> u32 {
        let sheet = canvas.sheet;
        let sample = 14 * sheet.text;
        let (mut x, mut y) = (place.x, place.y + row);
        for series in &self.series {
            let width = sample + 4 * sheet.text + sheet.text_width(series.name) + 10 * sheet.text;
            if x > place.x && x + width > place.x + place.width {
                (x, y) = (place.x, y + row);
            }
            let middle = f64::from(y + 3 * sheet.text);
            let from = (f64::from(x), middle);
            match series.stroke {
                Stroke::Points => {
                    for part in 0..3 {
                        let at = (f64::from(x + part * sample / 3), middle);
                        canvas.line(at, at, Stroke::Solid, 0, series.paint);
                    }
                }
                stroke => {
                    let to = (f64::from(x + sample), middle);
                    canvas.line(from, to, stroke, 0, series.paint);
                }
            }
            canvas.text((x + sample + 4 * sheet.text, y), series.name, Paint::Dim);
            x += width;
        }
        y + row - (place.y + row)
    }

    fn axes(&self, canvas: &mut Canvas, plot: Place, gap: u32) {
        let sheet = canvas.sheet;
        let thin = sheet.text.div_ceil(2);
        for (value, name) in &self.y_ticks {
            let Some(y) = self.down(*value, plot) else {
                continue;
            };
            let grid = Place {
                y: y as u32,
                height: thin,
                ..plot
            };
            canvas.fill(grid, Paint::Faint);
            let at = (plot.x - gap, (y as u32).saturating_sub(3 * sheet.text));
            canvas.text_before(at, name, Paint::Dim);
        }
        let below = plot.y + plot.height;
        let mut free = 0;
        for (value, name) in &self.x_ticks {
            let x = self.across(*value, plot) as u32;
            let half = sheet.text_width(name) / 2;
            if x.saturating_sub(half) < free {
                continue;
            }
            canvas.text_about((x, below + gap), name, Paint::Dim);
            free = x + half + 2 * gap;
        }
        let name = (plot.x + plot.width, below + gap + sheet.row());
        canvas.text_before(name, self.x_name, Paint::Dim);
        let foot = Place {
            y: below,
            height: thin,
            ..plot
        };
        canvas.fill(foot, Paint::Dim);
    }

    fn across(&self, x: f64, plot: Place) -> f64 {
        let share = ((x - self.x.0) / (self.x.1 - self.x.0)).clamp(0.0, 1.0);
        let share = if share.is_finite() { share } else { 0.0 };
        f64::from(plot.x) + share * f64::from(plot.width - 1)
    }

    fn down(&self, y: f64, plot: Place) -> Option<f64> {
        let (low, high) = self.y;
        let share = match self.axis {
            Axis::Linear => (y - low) / (high - low),
            Axis::Log => (y.ln() - low.ln()) / (high.ln() - low.ln()),
        };
        let share = share.is_finite().then(|| share.clamp(0.0, 1.0))?;
        Some(f64::from(plot.y) + (1.0 - share) * f64::from(plot.height - 1))
    }

    fn band(&self, canvas: &mut Canvas, plot: Place, series: &Series) {
        for pair in series.band.windows(2) {
            let (from, to) = (self.across(pair[0].0, plot), self.across(pair[1].0, plot));
            for x in from.round() as u32..to.round() as u32 {
                let share = (f64::from(x) - from) / (to - from).max(1.0);
                let low = pair[0].1 + share * (pair[1].1 - pair[0].1);
                let high = pair[0].2 + share * (pair[1].2 - pair[0].2);
                if let (Some(bottom), Some(top)) = (self.down(low, plot), self.down(high, plot)) {
                    let strip = Place {
                        x,
                        y: top.round() as u32,
                        width: 1,
                        height: (bottom - top).round().max(1.0) as u32,
                    };
                    canvas.veil(strip, series.paint);
                }
            }
        }
    }

    fn curve(&self, canvas: &mut Canvas, plot: Place, series: &Series) {
        let at = |&(x, y): &(f64, f64)| Some((self.across(x, plot), self.down(y, plot)?));
        let dots: Vec<(f64, f64)> = series.points.iter().filter_map(at).collect();
        if let [only] = dots[..] {
            canvas.line(only, only, Stroke::Solid, 0, series.paint);
        }
        let mut run = 0;
        for pair in dots.windows(2) {
            run = canvas.line(pair[0], pair[1], series.stroke, run, series.paint);
        }
    }

    fn mark(&self, canvas: &mut Canvas, plot: Place, (x, words, end): &(f64, String, End)) {
        let sheet = canvas.sheet;
        let at = self.across(*x, plot);
        let ends = (f64::from(plot.y), f64::from(plot.y + plot.height));
        canvas.line((at, ends.0), (at, ends.1), Stroke::Dashed, 0, Paint::Dim);
        let width = sheet.text_width(words);
        let after = at as u32 + 4 * sheet.text;
        let place = if after + width <= plot.x + plot.width {
            after
        } else {
            (at as u32).saturating_sub(width + 4 * sheet.text)
        };
        let y = match end {
            End::Top => plot.y + sheet.text,
            End::Bottom => plot.y + plot.height.saturating_sub(sheet.row()),
        };
        canvas.text((place, y), words, Paint::Ink);
    }
}

/// What the colours of a map stand for: grey at zero, their ends at the same distance either side.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ramp {
    limit: f32,
}

impl Ramp {
    /// With a round end at or above the largest of some maps.
    pub fn of<'a>(maps: impl Iterator<Item = &'a [f32]>) -> Self {
        let sizes = maps.flatten().map(|value| value.abs());
        let most = sizes.filter(|size| size.is_finite()).fold(0.0, f32::max);
        Self {
            limit: super::scale::round_up(most),
        }
    }

    /// With this end.
    pub fn to(limit: f32) -> Self {
        Self { limit }
    }

    /// Where its bright end is.
    pub fn limit(self) -> f32 {
        self.limit
    }

    /// What a value is painted with.
    fn paint(self, value: f32) -> Paint {
        match value.is_finite() {
            true => Paint::signed(value / self.limit),
            false => Paint::Paper,
        }
    }

    /// Draws `−limit ████ +limit` with a bar `width` pixels long; gives the pixels it took.
    pub fn draw(self, canvas: &mut Canvas, (x, y): (u32, u32), width: u32) -> u32 {
        let sheet = canvas.sheet;
        let limit = f64::from(self.limit);
        let gap = 4 * sheet.text;
        let start = x + canvas.text((x, y), &format::signed(-limit), Paint::Dim) + gap;
        self.bar(canvas, (start, y), width);
        let end = start + width + gap;
        end + canvas.text((end, y), &format::signed(limit), Paint::Dim) - x
    }

    /// The bar alone.
    pub fn bar(self, canvas: &mut Canvas, (x, y): (u32, u32), width: u32) {
        for column in 0..width {
            let share = (column as f32 + 0.5) / width as f32;
            let bar = Place {
                x: x + column,
                y,
                width: 1,
                height: 7 * canvas.sheet.text,
            };
            canvas.fill(bar, Paint::signed(2.0 * share - 1.0));
        }
    }

    /// Where it ends: `±0.02`.
    pub fn name(self) -> String {
        super::scale::said(self.limit)
    }
}

/// A map of square pixels, `zoom` pixels of the canvas each, from its upper left corner on.
pub fn map(
    canvas: &mut Canvas,
    (x, y): (u32, u32),
    zoom: u32,
    values: &[f32],
    columns: usize,
    ramp: Ramp,
) {
    for (at, &value) in values.iter().enumerate() {
        let pixel = Place {
            x: x + (at % columns) as u32 * zoom,
            y: y + (at / columns) as u32 * zoom,
            width: zoom,
            height: zoom,
        };
        canvas.fill(pixel, ramp.paint(value));
    }
}

/// A picture of square pixels in their own colours, the same way.
pub fn picture(
    canvas: &mut Canvas,
    (x, y): (u32, u32),
    zoom: u32,
    colours: &[Colour],
    columns: usize,
) {
    for (at, &colour) in colours.iter().enumerate() {
        let pixel = Place {
            x: x + (at % columns) as u32 * zoom,
            y: y + (at / columns) as u32 * zoom,
            width: zoom,
            height: zoom,
        };
        canvas.fill(pixel, Paint::Own(colour));
    }
}
