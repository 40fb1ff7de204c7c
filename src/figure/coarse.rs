//! Maps for terminals whose pixels are half a character: rows of maps without text in them, and the text to write
//! below each.

use image::{Rgb, RgbImage};

use super::tiles::shrink;
use super::{Figure, FigureError, at_gamma, channels, choice, images, wording};
use crate::drawing::scale::{Reach, Scales};
use crate::drawing::{Paint, Ramp, Sheet};
use crate::format;
use crate::ids::ClassId;
use crate::session::Session;
use crate::session::config::Response;
use crate::session::record::GammaTrials;
use crate::stats::classification::ClassEstimate;

/// Pixels between maps.
const GAP: u32 = 2;

/// A row of maps, and the text below it with the pixel at which each part begins.
#[derive(Debug, Clone)]
pub struct Strip {
    /// The maps.
    pub image: RgbImage,
    /// Lines of text, each part with the pixel at which it begins.
    pub words: Vec<Vec<(u32, String)>>,
}

/// One map and its labels.
struct ClassMap {
    class: ClassId,
    map: Option<Vec<f32>>,
    size: (usize, usize),
    reliability: Option<f64>,
    words: [String; 2],
}

/// The maps of a figure, `width` pixels wide; empty for figures that are not maps.
///
/// # Errors
/// As for [`super::draw`].
pub fn strips(
    session: &Session,
    figure: &Figure,
    width: u32,
    sheet: Sheet,
) -> Result<Vec<Strip>, FigureError> {
    let (images_at, requested, gamma, class) = match figure {
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
    // Let the figure itself report what is missing.
    super::draw(session, figure, sheet)?;
    let images_record = images(session, images_at)?;
    let response = requested.unwrap_or_else(|| choice::best_response(images_record));
    let trials =
        |class: ClassId| match gamma {
            Some(gamma) => at_gamma(images_record, gamma),
            None => Ok(&images_record.gammas
                [choice::best_gamma_index(images_record, response, class, None)]),
        };
    let classes = match class {
        Some(class) => vec![class],
        None => images_record.gammas[0].listed.clone(),
    };
    let shown = classes.iter().map(|&class| {
        let trials = trials(class)?;
        Ok(of_class(session, (trials, response), class))
    });
    let mut shown: Vec<ClassMap> = shown.collect::<Result<_, FigureError>>()?;
    if let [only] = &mut shown[..] {
        only.words[0] = format!(
            "{} of {}",
            response.image_label(),
            wording::class_name(&session.record, classes[0])
        );
    }
    Ok(rows(&shown, width, sheet))
}

fn of_class(
    session: &Session,
    (trials, response): (&GammaTrials, Response),
    class: ClassId,
) -> ClassMap {
    let estimate = trials.estimate();
    let class_estimate: Option<&ClassEstimate> = estimate.classes.get(class.0);
    let map = class_estimate.and_then(|class_estimate| class_estimate.image(response));
    let reliability = map.and_then(|map| map.reliability);
    let known = match (map, reliability) {
        (Some(_), Some(r)) => format!(
            "γ {} R {}",
            format::gamma(trials.gamma),
            format::reliability(r)
        ),
        (Some(_), None) => format!("γ {}", format::gamma(trials.gamma)),
        (None, _) if response == Response::Evidence && !trials.lacks_trials_for_evidence() => {
            "constant output".to_owned()
        }
        (None, _) => "too few trials".to_owned(),
    };
    ClassMap {
        class,
        map: map.map(|map| channels::luminance(&map.image, trials.shape())),
        size: trials.size(),
        reliability,
        words: [wording::bare_class_name(&session.record, class), known],
    }
}

/// The maps in rows, each as large as whole pixels allow.
fn rows(shown: &[ClassMap], width: u32, sheet: Sheet) -> Vec<Strip> {
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
    let scales = Scales::of(shown.iter().map(|class_map| {
        let map = class_map.map.as_ref()?;
        Some(Reach::of(map, 0.0, class_map.reliability))
    }));
    let room = pitch.saturating_sub(1).max(3) as usize;
    let names: Vec<(ClassId, String)> = shown
        .iter()
        .map(|class_map| (class_map.class, class_map.words[0].clone()))
        .collect();
    let names = wording::short_and_distinct(&names, |name| wording::truncate(name, room));
    let mut strips = Vec::new();
    for (row, shown) in shown.chunks(columns).enumerate() {
        let paper = Rgb(sheet.rgb(Paint::Paper));
        let used = (columns as u32 - 1) * pitch + across * zoom;
        let mut image = RgbImage::from_pixel(used.max(1), down.next_multiple_of(2), paper);
        let mut words = vec![Vec::new(), Vec::new()];
        for (column, class_map) in shown.iter().enumerate() {
            let index = row * columns + column;
            let left = column as u32 * pitch;
            let ramp = Ramp::with_limit(scales.limit(index));
            if let Some(map) = &class_map.map {
                let map = shrink(map, class_map.size, side);
                paint(&mut image, (left, &map), (across, zoom), ramp, sheet);
            }
            let own_scale = if scales.has_own_scale(index) {
                format!(" {}", ramp.label())
            } else {
                String::new()
            };
            words[0].push((left, names[index].clone()));
            words[1].push((
                left,
                wording::truncate(&format!("{}{own_scale}", class_map.words[1]), room),
            ));
        }
        strips.push(Strip { image, words });
    }
    if let Some(last) = strips.last_mut() {
        let scale = Ramp::with_limit(scales.common).label();
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
    for (index, &value) in map.iter().enumerate() {
        let colour = Rgb(sheet.rgb(ramp.paint(value)));
        let (column, row) = (index as u32 % across, index as u32 / across);
        for y in row * zoom..(row + 1) * zoom {
            for x in left + column * zoom..left + (column + 1) * zoom {
                if x < image.width() && y < image.height() {
                    image.put_pixel(x, y, colour);
                }
            }
        }
    }
}
