//! The classification image of one class, with its statistics: each channel of a colour image, and beside them the
//! mean stimulus in true colour.

use super::super::channels::{self, Colour};
use super::super::{FigureError, origin, wording};
use super::tile::gap;
use super::{extremes, facts, insufficient, smoothing, trials_of_class};
use crate::drawing::{Drawing, Paint, Ramp, Rect, Sheet, image_of_colours, map_of_values, outline};
use crate::ids::{ClassId, Gamma};
use crate::session::Session;
use crate::session::config::Response;
use crate::session::form::Shape;
use crate::stats::classification::ImageEstimate;

/// Maximum number of images per row.
const MOST: usize = 4;

/// Maximum width of a map drawn alone, in millimetres: a page has room for more than one figure.
const LARGEST: f64 = 110.0;

/// Draws one class.
pub fn draw_one(
    session: &Session,
    place: (usize, Option<Response>),
    class: ClassId,
    gamma: Option<Gamma>,
    sheet: Sheet,
) -> Result<Drawing, FigureError> {
    let record = &session.record;
    let (trials, response) = trials_of_class(session, place, class, gamma)?;
    let estimate = trials.estimate();
    let Some(class_estimate) = estimate.classes.get(class.0) else {
        return Err(FigureError::no_class(record, class, trials.classes()));
    };
    let Some(image) = class_estimate.image(response) else {
        return Err(insufficient(
            record,
            class_estimate,
            (trials, response),
            class,
        ));
    };
    let name = wording::class_name(record, class);
    // The mean of a few trials is mostly noise.
    let mean = class_estimate
        .mean_stimulus
        .as_deref()
        .filter(|_| class_estimate.called >= trials.min_trials);
    let pictures = pictures(image, mean, trials.shape());
    let mut facts = facts(record, (trials, response), &estimate, class);
    facts.extend(smoothing(session, place.0));
    let longest = facts.iter().map(|fact| sheet.text_width(fact));
    let layout = Layout::fit(
        &pictures,
        trials.size(),
        &sheet,
        longest.fold(0.0, f64::max),
    );
    let (margin, row) = (sheet.margin(), sheet.line_height());
    let mut drawing = Drawing::new(sheet, 0.0);
    let heading = format!("{} of {name}", response.image_label());
    let head = drawing.headings(&heading, &origin(session));
    let below = if layout.wide { 0.0 } else { facts.len() as f64 };
    let all = layout.height();
    let beside = if layout.wide {
        facts.len() as f64 * row
    } else {
        0.0
    };
    drawing.height = head + (all + 0.5 * row + (1.0 + below) * row).max(beside) + margin;
    let ramp = Ramp::covering(std::iter::once(image.image.as_slice()));
    for (index, picture) in pictures.iter().enumerate() {
        let (x, y) = layout.corner(index, (margin, head));
        if layout.titled {
            drawing.text((x, y - row), &picture.title, Paint::Dim);
        }
        picture.draw(&mut drawing, (x, y), &layout, ramp, estimate.threshold);
    }
    let foot = head + all + 0.5 * row;
    let room = sheet.width - 2.0 * margin;
    ramp.draw(
        &mut drawing,
        (margin, foot),
        (0.5 * layout.across).min(0.3 * room),
    );
    let (x, mut y) = match layout.wide {
        true => (margin + layout.across + 2.0 * margin, head),
        false => (margin, foot + row),
    };
    for fact in &facts {
        drawing.text(
            (x, y),
            &sheet.truncate(fact, sheet.width - margin - x),
            Paint::Ink,
        );
        y += row;
    }
    let [channels, height, width] = trials.shape();
    let each = match channels {
        1 => String::new(),
        channels => format!(", one for each of {channels} channels"),
    };
    drawing.alt_text = format!(
        "The {} of {name}, a map of {height} rows and {width} columns{each}: orange where brighter pixels speak \
         for it, blue where darker ones do. {} {}.",
        response.image_label(),
        extremes(&image.image, trials.shape()),
        wording::capitalise(&facts.join(", "))
    );
    Ok(drawing)
}

/// One of the images of a class.
struct Picture<'a> {
    title: String,
    shown: Content<'a>,
}

enum Content<'a> {
    /// A channel of the map, and the same channel of z.
    Signed(&'a [f32], &'a [f32]),
    /// RGB pixels.
    Colours(Vec<Colour>),
}

fn pictures<'a>(image: &'a ImageEstimate, mean: Option<&[f32]>, shape: Shape) -> Vec<Picture<'a>> {
    let of_channel = |channel: usize| Picture {
        title: channels::name(channel, shape[0]),
        shown: Content::Signed(
            channels::channel(&image.image, shape, channel),
            channels::channel(&image.z, shape, channel),
        ),
    };
    let mut pictures: Vec<Picture> = (0..shape[0]).map(of_channel).collect();
    let mean = mean.filter(|_| shape[0] > 1);
    pictures.extend(
        mean.and_then(|mean| channels::to_rgb(mean, shape))
            .map(|colours| Picture {
                title: "mean stimulus".into(),
                shown: Content::Colours(colours),
            }),
    );
    pictures
}

impl Picture<'_> {
    fn draw(
        &self,
        drawing: &mut Drawing,
        (x, y): (f64, f64),
        layout: &Layout,
        ramp: Ramp,
        threshold: f64,
    ) {
        let place = Rect {
            x,
            y,
            width: layout.across,
            height: layout.down,
        };
        let columns = layout.size.1;
        match &self.shown {
            Content::Colours(colours) => image_of_colours(drawing, place, colours, columns),
            Content::Signed(map, z) => {
                map_of_values(drawing, place, map, columns, ramp);
                outline(drawing, place, layout.size, |pixel| {
                    f64::from(z[pixel].abs()) > threshold
                });
            }
        }
    }
}

/// The layout of the images of a class.
struct Layout {
    /// Rows and columns of an image.
    size: (usize, usize),
    /// The width of an image in millimetres.
    across: f64,
    /// Its height.
    down: f64,
    /// Images per row, and rows.
    columns: usize,
    rows: usize,
    /// Distance from one image to the next in millimetres, horizontally and vertically.
    pitch: (f64, f64),
    /// Whether each image has a title.
    titled: bool,
    /// Whether the facts are beside the images, not below them.
    wide: bool,
    row: f64,
}

impl Layout {
    /// Fits the images to a sheet. `facts`: the width of the longest fact in millimetres.
    fn fit(pictures: &[Picture], size: (usize, usize), sheet: &Sheet, facts: f64) -> Self {
        let (margin, row) = (sheet.margin(), sheet.line_height());
        let titled = pictures.len() > 1;
        let room = sheet.width - 2.0 * margin;
        let beside = facts + 2.2 * margin;
        // The facts go beside the map if that leaves the map the larger part, otherwise below it.
        let wide = !titled && room > 2.0 * beside;
        let columns = pictures.len().clamp(1, MOST);
        let room = if wide { room - beside } else { room };
        let gaps = (columns - 1) as f64 * gap(sheet);
        let across = ((room - gaps) / columns as f64).clamp(1.0, LARGEST);
        let down = across * size.0 as f64 / size.1.max(1) as f64;
        let title = if titled { row } else { 0.0 };
        Self {
            size,
            across,
            down,
            columns,
            rows: pictures.len().div_ceil(columns),
            pitch: (across + gap(sheet), down + title),
            titled,
            wide,
            row,
        }
    }

    /// The total height of the images in millimetres.
    fn height(&self) -> f64 {
        self.rows as f64 * self.pitch.1
    }

    /// The upper left corner of an image, where `first` is the corner of the first image's title, or of the image
    /// itself if it has none.
    fn corner(&self, index: usize, first: (f64, f64)) -> (f64, f64) {
        let title = if self.titled { self.row } else { 0.0 };
        let (column, line) = ((index % self.columns) as f64, (index / self.columns) as f64);
        (
            first.0 + column * self.pitch.0,
            first.1 + title + line * self.pitch.1,
        )
    }
}
