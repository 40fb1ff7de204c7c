//! The maps of every class in the plan, their z, or the mean stimuli. They share one scale, except for maps that it
//! would hide; if there are several channels, their mean is drawn.

mod texts;

use std::sync::Arc;

use self::texts::{alternative, captions, foot_words, heading, name_room};
use super::super::tiles::{self, TileGrid, TileRequest};
use super::super::{FigureError, channels, choice, images, origin, wording};
use super::tile::{CONSTANT_OUTPUT, MissingMap, TOO_FEW_TRIALS, draw_empty, gap, mark_own_scale};
use super::{short_name, smoothing, trials};
use crate::drawing::scale::{Reach, Scales};
use crate::drawing::{Drawing, Paint, Ramp, Rect, Sheet, image_of_colours, map_of_values, outline};
use crate::format;
use crate::ids::{ClassId, Gamma};
use crate::session::Session;
use crate::session::config::Response;
use crate::session::record::GammaTrials;
use crate::stats::classification::{ClassEstimate, GammaEstimate};

/// What is shown of every class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MapContent {
    /// Its map.
    Maps,
    /// Its map over its standard error, with significant pixels outlined.
    Significance,
    /// The mean of the stimuli called this class.
    Means,
}

/// A class and the map drawn of it.
struct ClassMap<'a> {
    class: ClassId,
    trials: &'a GammaTrials,
    estimate: Arc<GammaEstimate>,
    /// The values to draw, reduced to one plane; `None` if there are none.
    map: Option<Vec<f32>>,
    /// The values of three colour channels.
    colours: Option<Vec<f32>>,
    /// Why there are no values, if there are none.
    missing: MissingMap,
}

impl ClassMap<'_> {
    fn class_estimate(&self) -> &ClassEstimate {
        &self.estimate.classes[self.class]
    }

    fn reliability(&self, response: Response) -> Option<f64> {
        self.class_estimate()
            .image(response)
            .and_then(|map| map.reliability)
    }
}

/// Draws every class, at one signal strength or each at the one that shows it best.
pub fn draw_all(
    session: &Session,
    place: (usize, Option<Response>),
    gamma: Option<Gamma>,
    shows: MapContent,
    sheet: Sheet,
) -> Result<Drawing, FigureError> {
    let (first, response) = trials(session, place, gamma, choice::best_gamma_index_overall)?;
    let (margin, row) = (sheet.margin(), sheet.line_height());
    let caption = 2.0 * row + 0.3 * row;
    let listed = &first.listed;
    let tiles = TileGrid::fit(TileRequest {
        count: listed.len(),
        size: first.size(),
        room: sheet.width - 2.0 * margin,
        gap: gap(&sheet),
        caption,
    });
    let images_record = images(session, place.0)?;
    let of_class = |&class: &ClassId| {
        let trials = match gamma {
            Some(_) => first,
            None => {
                &images_record.gammas
                    [choice::best_gamma_index(images_record, response, class, None)]
            }
        };
        shown((trials, response), class, shows, tiles.shrink)
    };
    let classes: Vec<ClassMap<'_>> = listed.iter().map(of_class).collect();
    let mixed = classes
        .iter()
        .any(|class_map| class_map.trials.gamma != classes[0].trials.gamma);
    let first = classes.first().map_or(first, |class_map| class_map.trials);
    let mut drawing = Drawing::new(sheet, 0.0);
    let smoothing = smoothing(session, place.0);
    let smoothing = smoothing.map_or_else(String::new, |words| format!(", {words}"));
    let heading = heading(first, (response, shows), mixed) + &smoothing;
    let head = drawing.headings(&heading, &origin(session));
    drawing.height = head + tiles.height(caption) + 1.2 * row + margin;
    let columns = first.size().1.div_ceil(tiles.shrink);
    let colouring = Colouring::of(&classes, response, shows);
    let names: Vec<(ClassId, String)> = classes
        .iter()
        .map(|shown| shown.class)
        .map(|class| (class, wording::bare_class_name(&session.record, class)))
        .collect();
    let room = name_room(tiles.across, &sheet);
    let labels = wording::short_and_distinct(&names, |name| short_name(name, room, sheet));
    for (index, (shown, name)) in classes.iter().zip(&labels).enumerate() {
        let (x, y) = tiles.corner(index, (margin, head), gap(&sheet), caption);
        let tile = Rect {
            x,
            y,
            width: tiles.across,
            height: tiles.down,
        };
        colouring.draw(&mut drawing, tile, (index, shown), columns);
        let own_gamma = mixed.then_some(shown.trials.gamma);
        let lines = captions(
            name,
            (shown, response, own_gamma, shows),
            tiles.across,
            &sheet,
        );
        for (line, words) in lines.iter().enumerate() {
            let below = (x, tile.bottom() + 0.1 * row + line as f64 * row);
            let paint = if line == 0 { Paint::Ink } else { Paint::Dim };
            drawing.text(below, words, paint);
        }
    }
    let foot = head + tiles.height(caption);
    let room = sheet.width - 2.0 * margin;
    let used = colouring.legend(&mut drawing, (margin, foot), 0.25 * room);
    let trials = (!mixed).then(|| first.trials_of(response));
    let words = foot_words(
        &session.record,
        first,
        trials,
        colouring.apart(classes.len()),
        wording::numbers_in_words(&names, &labels),
    );
    let words = sheet.truncate(&words, room - used - row);
    drawing.text((margin + used + row, foot), &words, Paint::Dim);
    drawing.alt_text = alternative(&session.record, &classes, (response, shows), mixed);
    Ok(drawing)
}

/// Prepares a class for drawing, with squares of `side` pixels reduced to one.
fn shown<'a>(
    (trials, response): (&'a GammaTrials, Response),
    class: ClassId,
    shows: MapContent,
    side: usize,
) -> ClassMap<'a> {
    let estimate = trials.estimate();
    let class_estimate = &estimate.classes[class];
    let shape = trials.shape();
    let values = match shows {
        MapContent::Maps => class_estimate
            .image(response)
            .map(|estimate| &estimate.image),
        MapContent::Significance => class_estimate.image(response).map(|estimate| &estimate.z),
        // The mean of a few trials is mostly noise.
        MapContent::Means => class_estimate
            .mean_stimulus
            .as_ref()
            .filter(|_| class_estimate.called >= trials.min_trials),
    };
    // A significant pixel must not be averaged away.
    let small = |map: &[f32]| match (side, shows) {
        (1, _) => map.to_vec(),
        (side, MapContent::Significance) => tiles::shrink_strongest(map, trials.size(), side),
        (side, _) => tiles::shrink(map, trials.size(), side),
    };
    let colours = values.filter(|_| shows == MapContent::Means && shape[0] == channels::RGB);
    let colours = colours.map(|values| {
        let plane_of = |channel| small(channels::channel(values, shape, channel));
        (0..channels::RGB).flat_map(plane_of).collect()
    });
    // z is not additive over channels: the largest one shows whether there is anything.
    let plane = |values: &Vec<f32>| match shows {
        MapContent::Significance => channels::strongest(values, shape),
        _ => channels::luminance(values, shape),
    };
    let map = values.map(|values| small(&plane(values)));
    ClassMap {
        class,
        trials,
        estimate,
        map,
        colours,
        missing: missing(trials, (response, shows)),
    }
}

/// Why a class of the plan has no map at these trials.
fn missing(trials: &GammaTrials, (response, shows): (Response, MapContent)) -> MissingMap {
    let is_constant = response == Response::Evidence
        && shows != MapContent::Means
        && !trials.lacks_trials_for_evidence();
    match is_constant {
        true => CONSTANT_OUTPUT,
        false => TOO_FEW_TRIALS,
    }
}

/// How the tiles are coloured.
enum Colouring {
    /// Diverging around zero, on these scales.
    Signed(Scales, MapContent),
    /// Images, from black at the first value to white at the second.
    Images(f32, f32),
}

impl Colouring {
    fn of(classes: &[ClassMap<'_>], response: Response, shows: MapContent) -> Self {
        if shows == MapContent::Means {
            let values = classes
                .iter()
                .flat_map(|class_map| class_map.colours.iter().chain(&class_map.map));
            let values = values.flatten().filter(|value| value.is_finite());
            let (low, high) = values.fold((f32::MAX, f32::MIN), |(low, high), &value| {
                (low.min(value), high.max(value))
            });
            return match low < high {
                true => Self::Images(low, high),
                false => Self::Images(0.0, 1.0),
            };
        }
        let reach = |class_map: &ClassMap<'_>| {
            Some(Reach::of(
                class_map.map.as_ref()?,
                0.0,
                class_map.reliability(response),
            ))
        };
        Self::Signed(Scales::of(classes.iter().map(reach)), shows)
    }

    fn draw(
        &self,
        drawing: &mut Drawing,
        tile: Rect,
        (index, shown): (usize, &ClassMap<'_>),
        columns: usize,
    ) {
        let Some(map) = &shown.map else {
            return draw_empty(drawing, tile, shown.missing);
        };
        match self {
            Self::Signed(scales, shows) => {
                let ramp = Ramp::with_limit(scales.limit(index));
                map_of_values(drawing, tile, map, columns, ramp);
                if *shows == MapContent::Significance {
                    let threshold = shown.estimate.threshold;
                    let size = (map.len() / columns.max(1), columns);
                    outline(drawing, tile, size, |pixel| {
                        f64::from(map[pixel].abs()) > threshold
                    });
                }
                if scales.has_own_scale(index) {
                    mark_own_scale(drawing, tile, ramp);
                }
            }
            Self::Images(low, high) => {
                let share = |value: f32| ((value - low) / (high - low)).clamp(0.0, 1.0);
                let byte = |value: f32| (share(value) * 255.0).round() as u8;
                let colours: Vec<[u8; 3]> = match &shown.colours {
                    Some(colours) => (0..map.len())
                        .map(|pixel| {
                            [0, 1, 2].map(|channel| byte(colours[channel * map.len() + pixel]))
                        })
                        .collect(),
                    None => map.iter().map(|&value| [byte(value); 3]).collect(),
                };
                image_of_colours(drawing, tile, &colours, columns);
            }
        }
    }

    /// Draws the legend of the colours; returns its width in millimetres.
    fn legend(&self, drawing: &mut Drawing, position: (f64, f64), width: f64) -> f64 {
        match self {
            Self::Signed(scales, _) => {
                Ramp::with_limit(scales.common).draw(drawing, position, width)
            }
            Self::Images(low, high) => {
                let words = format!(
                    "black {}, white {}",
                    format::short(f64::from(*low)),
                    format::short(f64::from(*high))
                );
                drawing.text(position, &words, Paint::Dim);
                drawing.sheet.text_width(&words)
            }
        }
    }

    /// How many maps have their own scale.
    fn apart(&self, count: usize) -> usize {
        match self {
            Self::Signed(scales, _) => (0..count)
                .filter(|&index| scales.has_own_scale(index))
                .count(),
            Self::Images(..) => 0,
        }
    }
}
