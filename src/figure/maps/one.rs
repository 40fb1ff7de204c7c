//! The classification image of one class, with its figures: of a colour image each channel, and beside
//! them the mean stimulus in true colour.

use image::RgbImage;

use super::super::canvas::{Canvas, Paint, Place, Sheet};
use super::super::channels::{self, Colour};
use super::super::plot::{self, Ramp};
use super::super::{FigureError, choice, names};
use super::{SMALL, facts, gap, insufficient, smoothing, title, trials};
use crate::format;
use crate::session::Session;
use crate::session::config::Response;
use crate::session::form::Shape;
use crate::session::record::{ClassificationImages, GammaTrials};
use crate::stats::classification::{ClassEstimate, ImageEstimate};

/// Most pictures in a row.
const MOST: usize = 4;

/// One class.
pub fn one(
    session: &Session,
    place: (usize, Option<Response>),
    class: usize,
    gamma: Option<f64>,
    sheet: Sheet,
) -> Result<RgbImage, FigureError> {
    let record = &session.record;
    let best = |own: &ClassificationImages, by| choice::best(own, by, class, None);
    let (trials, response) = trials(session, place, gamma, best)?;
    let estimate = trials.estimate();
    let Some(said) = estimate.classes.get(class) else {
        return Err(FigureError::no_class(record, class, trials.classes()));
    };
    let Some(own) = said.image(response) else {
        return Err(insufficient(record, said, (trials, response), class));
    };
    let name = names::drawn(record, class);
    if sheet.width < SMALL {
        return Ok(small(trials, own, &name, sheet));
    }
    let pictures = pictures(own, said, trials.shape());
    let mut facts = facts(record, (trials, response), &estimate, class);
    facts.extend(smoothing(session, place.0));
    let longest = facts.iter().map(|fact| sheet.text_width(fact)).max();
    let layout = Layout::fit(&pictures, trials.size(), sheet, longest.unwrap_or(0));
    let (margin, row) = (sheet.margin(), sheet.row());
    let head = margin + 2 * row;
    let below = if layout.wide {
        1
    } else {
        1 + facts.len() as u32
    };
    let all = layout.height();
    let mut canvas = Canvas::new(sheet, head + all + row / 2 + below * row + margin);
    title(
        &mut canvas,
        &format!("{} of {name}", response.image_label()),
        session,
    );
    let ramp = Ramp::of(std::iter::once(own.image.as_slice()));
    for (at, picture) in pictures.iter().enumerate() {
        let (x, y) = layout.corner(at, (margin, head));
        if layout.titled {
            canvas.text((x, y - row), &picture.title, Paint::Dim);
        }
        picture.draw(&mut canvas, (x, y), &layout, ramp, estimate.threshold);
    }
    let foot = head + all + row / 2;
    let room = sheet.width.saturating_sub(2 * margin);
    let bar = (layout.across / 2).min(room / 3).max(1);
    ramp.draw(&mut canvas, (margin, foot), bar);
    let (x, mut y) = match layout.wide {
        true => (margin + layout.across + margin, head),
        false => (margin, foot + row),
    };
    for fact in facts {
        canvas.text((x, y), &fact, Paint::Ink);
        y += row;
    }
    Ok(canvas.finish())
}

/// One class on a small sheet: the map, of several channels their mean, and beside it the little that
/// there is room for.
fn small(trials: &GammaTrials, own: &ImageEstimate, name: &str, sheet: Sheet) -> RgbImage {
    let (height, width) = trials.size();
    let map = &own.image;
    let map = channels::luminance(map, trials.shape());
    let (margin, row) = (sheet.margin(), sheet.row());
    let words = sheet.text_width("class 0");
    let room = sheet.width.saturating_sub(3 * margin + words);
    let zoom = (room / width as u32).max(1);
    let down = height as u32 * zoom;
    let mut canvas = Canvas::new(sheet, down.max(5 * row) + 2 * margin);
    let ramp = Ramp::of(std::iter::once(own.image.as_slice()));
    plot::map(&mut canvas, (margin, margin), zoom, &map, width, ramp);
    let x = 2 * margin + width as u32 * zoom;
    let room = sheet.width.saturating_sub(x).max(words);
    let mut lines = vec![
        sheet.cut(name, room),
        format!("γ {}", format::gamma(trials.gamma)),
    ];
    lines.extend(
        own.reliability
            .map(|r| format!("R {}", format::reliability(r))),
    );
    let mut y = margin;
    for line in lines {
        canvas.text((x, y), &line, Paint::Ink);
        y += row;
    }
    ramp.bar(&mut canvas, (x, y), words);
    canvas.text((x, y + row), &ramp.name(), Paint::Dim);
    canvas.finish()
}

/// One of the pictures of a class.
struct Picture<'a> {
    title: String,
    shown: Shown<'a>,
}

enum Shown<'a> {
    /// A channel of the map, and of its z.
    Signed(&'a [f32], &'a [f32]),
    /// Colours of its own.
    Colours(Vec<Colour>),
}

fn pictures<'a>(own: &'a ImageEstimate, said: &'a ClassEstimate, shape: Shape) -> Vec<Picture<'a>> {
    let of_channel = |channel: usize| Picture {
        title: channels::name(channel, shape[0]),
        shown: Shown::Signed(
            channels::channel(&own.image, shape, channel),
            channels::channel(&own.z, shape, channel),
        ),
    };
    let mut pictures: Vec<Picture> = (0..shape[0]).map(of_channel).collect();
    let mean = said.mean_stimulus.as_deref().filter(|_| shape[0] > 1);
    pictures.extend(
        mean.and_then(|mean| channels::to_rgb(mean, shape))
            .map(|colours| Picture {
                title: "mean stimulus".into(),
                shown: Shown::Colours(colours),
            }),
    );
    pictures
}

impl Picture<'_> {
    fn draw(
        &self,
        canvas: &mut Canvas,
        corner: (u32, u32),
        layout: &Layout,
        ramp: Ramp,
        threshold: f64,
    ) {
        let (zoom, size) = (layout.zoom, layout.size);
        match &self.shown {
            Shown::Colours(colours) => plot::picture(canvas, corner, zoom, colours, size.1),
            Shown::Signed(map, z) => {
                plot::map(canvas, corner, zoom, map, size.1, ramp);
                if zoom >= 6 {
                    let at = Outline { corner, zoom, size };
                    at.draw(canvas, |pixel| f64::from(z[pixel].abs()) > threshold);
                }
            }
        }
    }
}

/// Where the pictures of a class stand.
struct Layout {
    /// Rows and columns of a picture.
    size: (usize, usize),
    zoom: u32,
    /// Pixels that a picture takes across.
    across: u32,
    /// Pictures in a row, and rows.
    columns: usize,
    rows: usize,
    /// Pixels from one picture to the next, across and down.
    pitch: (u32, u32),
    /// Whether each has a title.
    titled: bool,
    /// Whether facts stand beside them, not below.
    wide: bool,
    row: u32,
}

impl Layout {
    /// `facts`: pixels across the longest of what stands beside or below.
    fn fit(pictures: &[Picture], size: (usize, usize), sheet: Sheet, facts: u32) -> Self {
        let (margin, row) = (sheet.margin(), sheet.row());
        let titled = pictures.len() > 1;
        let room = sheet.width.saturating_sub(2 * margin);
        let beside = facts + margin;
        // Facts stand beside the map where it still is the larger part, else below it.
        let wide = !titled && room > 2 * beside;
        let columns = pictures.len().clamp(1, MOST);
        let gaps = (columns as u32 - 1) * gap(sheet);
        let room = if wide { room - beside } else { room };
        let tile = room.saturating_sub(gaps) / columns as u32;
        let zoom = (tile / size.1 as u32).max(1);
        let (across, down) = (size.1 as u32 * zoom, size.0 as u32 * zoom);
        let title = if titled { row } else { 0 };
        Self {
            size,
            zoom,
            across,
            columns,
            rows: pictures.len().div_ceil(columns),
            pitch: (across + gap(sheet), down + title),
            titled,
            wide,
            row,
        }
    }

    /// Pixels that all of them take, one below the other.
    fn height(&self) -> u32 {
        self.rows as u32 * self.pitch.1
    }

    /// The upper left corner of a picture, where the first one's title, if any, begins at `first`.
    fn corner(&self, at: usize, first: (u32, u32)) -> (u32, u32) {
        let title = if self.titled { self.row } else { 0 };
        let (column, line) = ((at % self.columns) as u32, (at / self.columns) as u32);
        (
            first.0 + column * self.pitch.0,
            first.1 + title + line * self.pitch.1,
        )
    }
}

/// Strokes along the edge of chosen pixels of a map.
pub(super) struct Outline {
    /// The map's upper left corner.
    pub corner: (u32, u32),
    /// Pixels of the canvas that a pixel of the map takes.
    pub zoom: u32,
    /// Rows and columns.
    pub size: (usize, usize),
}

impl Outline {
    /// Draws them.
    pub fn draw(&self, canvas: &mut Canvas, chosen: impl Fn(usize) -> bool) {
        let (height, width) = self.size;
        let inside = |row: usize, column: usize| {
            row < height && column < width && chosen(row * width + column)
        };
        let thick = canvas.sheet.text;
        for row in 0..height {
            for column in (0..width).filter(|&column| inside(row, column)) {
                let x = self.corner.0 + column as u32 * self.zoom;
                let y = self.corner.1 + row as u32 * self.zoom;
                let last = self.zoom - thick;
                let edges = [
                    (
                        inside(row, column.wrapping_sub(1)),
                        (x, y, thick, self.zoom),
                    ),
                    (inside(row, column + 1), (x + last, y, thick, self.zoom)),
                    (
                        inside(row.wrapping_sub(1), column),
                        (x, y, self.zoom, thick),
                    ),
                    (inside(row + 1, column), (x, y + last, self.zoom, thick)),
                ];
                for (_, (x, y, width, height)) in edges.into_iter().filter(|(joined, _)| !joined) {
                    let edge = Place {
                        x,
                        y,
                        width,
                        height,
                    };
                    canvas.fill(edge, Paint::Ink);
                }
            }
        }
    }
}
