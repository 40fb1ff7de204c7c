//! Maps where a pixel is half a character: rows of maps without letters in them, and what is to be
//! written below each.

use image::{Rgb, RgbImage};

use super::tiles::shrink;
use super::{Figure, FigureError, at_gamma, channels, choice, images, names};
use crate::drawing::scale::{Reach, Scales};
use crate::drawing::{Paint, Ramp, Sheet};
use crate::format;
use crate::session::Session;
use crate::session::config::Response;
use crate::session::record::GammaTrials;
use crate::stats::classification::ClassEstimate;

/// Pixels between maps.
const GAP: u32 = 2;

/// A row of maps, and the words below it with the pixel that each begins at.
#[derive(Debug, Clone)]
pub struct Strip {
    /// The maps.
    pub image: RgbImage,
    /// Words and where they begin, in lines.
    pub words: Vec<Vec<(u32, String)>>,
}

/// One map and what is said of it.
struct Shown {
    map: Option<Vec<f32>>,
    size: (usize, usize),
    reliability: Option<f64>,
    words: [String; 2],
}

/// The maps of a figure `width` pixels wide; nothing of figures that are no maps.
///
/// # Errors
/// As [`super::draw`].
pub fn strips(
    session: &Session,
    figure: &Figure,
    width: u32,
    sheet: Sheet,
) -> Result<Vec<Strip>, FigureError> {
    let (images_at, asked, gamma, class) = match figure {
        Figure::Map {
            response,
            images,
            class,
            gamma,
        } => (*images, *response, *gamma, Some(*class)),
        Figure::Maps {
            response,
            images,
            gamma,
        } => (*images, *response, *gamma, None),
        _ => return Ok(Vec::new()),
    };
    // What there is not is said by the figure itself.
    super::draw(session, figure, sheet)?;
    let own = images(session, images_at)?;
    let response = asked.unwrap_or_else(|| choice::response(own));
    let trials = |class: usize| match gamma {
        Some(gamma) => at_gamma(own, gamma),
        None => Ok(&own.gammas[choice::best(own, response, class, None)]),
    };
    let classes = match class {
        Some(class) => vec![class],
        None => own.gammas[0].listed.clone(),
    };
    let shown = classes.iter().map(|&class| {
        let trials = trials(class)?;
        Ok(of_class(session, (trials, response), class))
    });
    let mut shown: Vec<Shown> = shown.collect::<Result<_, FigureError>>()?;
    if let [only] = &mut shown[..] {
        only.words[0] = format!(
            "{} of {}",
            response.image_label(),
            names::of_class(&session.record, classes[0])
        );
    }
    Ok(rows(&shown, width, sheet))
}

fn of_class(
    session: &Session,
    (trials, response): (&GammaTrials, Response),
    class: usize,
) -> Shown {
    let estimate = trials.estimate();
    let said: Option<&ClassEstimate> = estimate.classes.get(class);
    let map = said.and_then(|said| said.image(response));
    let reliability = map.and_then(|map| map.reliability);
    let known = match (map, reliability) {
        (Some(_), Some(r)) => format!(
            "γ {} R {}",
            format::gamma(trials.gamma),
            format::reliability(r)
        ),
        (Some(_), None) => format!("γ {}", format::gamma(trials.gamma)),
        (None, _) => "too few trials".to_owned(),
    };
    Shown {
        map: map.map(|map| channels::luminance(&map.image, trials.shape())),
        size: trials.size(),
        reliability,
        words: [names::bare(&session.record, class), known],
    }
}

/// The maps in rows, each as large as whole pixels allow.
fn rows(shown: &[Shown], width: u32, sheet: Sheet) -> Vec<Strip> {
    let Some(first) = shown.first() else {
        return Vec::new();
    };
    let columns = match shown.len() {
        count @ ..=3 => count,
        count => count.div_ceil(2).min((width / 16).max(2) as usize),
    };
    let tile = (width / columns as u32).saturating_sub(GAP).max(1);
    let side = first.size.1.div_ceil(tile as usize).max(1);
    let across = first.size.1.div_ceil(side) as u32;
    let zoom = (tile / across.max(1)).max(1);
    let down = first.size.0.div_ceil(side) as u32 * zoom;
    let pitch = (width / columns as u32).max(1);
    let scales = Scales::of(shown.iter().map(|it| {
        let map = it.map.as_ref()?;
        Some(Reach::of(map, 0.0, it.reliability))
    }));
    let mut strips = Vec::new();
    for (row, shown) in shown.chunks(columns).enumerate() {
        let paper = Rgb(sheet.rgb(Paint::Paper));
        let used = (columns as u32 - 1) * pitch + across * zoom;
        let mut image = RgbImage::from_pixel(used.max(1), down.next_multiple_of(2), paper);
        let mut words = vec![Vec::new(), Vec::new()];
        for (column, own) in shown.iter().enumerate() {
            let at = row * columns + column;
            let left = column as u32 * pitch;
            let ramp = Ramp::to(scales.limit(at));
            if let Some(map) = &own.map {
                let map = shrink(map, own.size, side);
                paint(&mut image, (left, &map), (across, zoom), ramp, sheet);
            }
            let apart = scales.is_apart(at);
            let apart = if apart {
                format!(" {}", ramp.name())
            } else {
                String::new()
            };
            let room = pitch.saturating_sub(1).max(3) as usize;
            words[0].push((left, names::cut(&own.words[0], room)));
            words[1].push((left, names::cut(&format!("{}{apart}", own.words[1]), room)));
        }
        strips.push(Strip { image, words });
    }
    if let Some(last) = strips.last_mut() {
        let scale = Ramp::to(scales.common).name();
        last.words.push(vec![(0, format!("scale {scale}"))]);
    }
    strips
}

fn paint(
    image: &mut RgbImage,
    (left, map): (u32, &[f32]),
    (across, zoom): (u32, u32),
    ramp: Ramp,
    sheet: Sheet,
) {
    for (at, &value) in map.iter().enumerate() {
        let colour = Rgb(sheet.rgb(ramp.paint(value)));
        let (column, row) = (at as u32 % across, at as u32 / across);
        for y in row * zoom..(row + 1) * zoom {
            for x in left + column * zoom..left + (column + 1) * zoom {
                if x < image.width() && y < image.height() {
                    image.put_pixel(x, y, colour);
                }
            }
        }
    }
}
