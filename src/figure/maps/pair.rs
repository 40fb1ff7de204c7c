//! The evidence for one class rather than another: the evidence image of each class and their difference, on one
//! scale, with significant pixels of the difference outlined; of several channels the one farthest from zero is drawn,
//! since a pixel is outlined if any is significant.

use super::super::{FigureError, channels, origin, wording};
use super::tile::gap;
use super::{extremes, insufficient, trials_of_class};
use crate::drawing::{Drawing, Paint, Ramp, Rect, Sheet, map_of_values, outline};
use crate::format;
use crate::ids::{ClassId, Gamma};
use crate::session::Session;
use crate::session::config::Response;

/// Draws the pair of a class and another class.
pub fn draw_pair(
    session: &Session,
    place: usize,
    (class, versus): (ClassId, ClassId),
    gamma: Option<Gamma>,
    sheet: Sheet,
) -> Result<Drawing, FigureError> {
    let record = &session.record;
    let shown = (place, Some(Response::Evidence));
    let (trials, response) = trials_of_class(session, shown, class, gamma)?;
    let estimate = trials.estimate();
    for class in [class, versus] {
        let Some(class_estimate) = estimate.classes.get(class.0) else {
            return Err(FigureError::no_class(record, class, trials.classes()));
        };
        if class_estimate.image(response).is_none() {
            return Err(insufficient(
                record,
                class_estimate,
                (trials, response),
                class,
            ));
        }
    }
    let [name, other] = [class, versus].map(|class| wording::class_name(record, class));
    let shape = trials.shape();
    let errors = trials.errors();
    let difference_map = estimate.class_difference(class, versus, shape, errors, trials.trials);
    let Some(difference_map) = difference_map else {
        return Err(FigureError::Pair {
            class: name,
            versus: other,
            gamma: trials.gamma,
        });
    };
    let plane = |map: &[f32]| channels::strongest(map, shape);
    let of_class = |class: ClassId| {
        estimate.classes[class]
            .image(response)
            .map(|estimate| plane(&estimate.image))
    };
    let pictures = [
        (name.clone(), of_class(class)),
        (other.clone(), of_class(versus)),
        (
            format!("{name} rather than {other}"),
            Some(plane(&difference_map.image)),
        ),
    ];
    let (margin, row) = (sheet.margin(), sheet.line_height());
    let mut drawing = Drawing::new(sheet, 0.0);
    let heading = format!(
        "evidence for {name} rather than {other} at γ {}{}",
        format::gamma(trials.gamma),
        channels::strongest_in_words(shape[0])
    );
    let head = drawing.headings(&heading, &origin(session));
    let (height, width) = trials.size();
    let across = (sheet.width - 2.0 * margin - 2.0 * gap(&sheet)) / 3.0;
    let down = across * height as f64 / width.max(1) as f64;
    let mut known = Vec::new();
    known.extend(
        difference_map
            .reliability
            .map(|r| format!("R {}", format::reliability(r))),
    );
    known.push(format!(
        "{} of {} values with |z| > {:.2}",
        difference_map.significant,
        difference_map.z.len(),
        estimate.threshold
    ));
    known.push(format!("{} trials", format::thousands(trials.trials)));
    drawing.height = head + row + down + 2.6 * row + margin;
    let ramp = Ramp::covering(pictures.iter().filter_map(|(_, map)| map.as_deref()));
    for (index, (title, map)) in pictures.iter().enumerate() {
        let x = margin + index as f64 * (across + gap(&sheet));
        drawing.text((x, head), &sheet.truncate(title, across), Paint::Ink);
        let tile = Rect {
            x,
            y: head + row,
            width: across,
            height: down,
        };
        if let Some(map) = map {
            map_of_values(&mut drawing, tile, map, width, ramp);
        }
        if index == 2 {
            outline(&mut drawing, tile, (height, width), |pixel| {
                let mut all = difference_map.z.iter().skip(pixel).step_by(height * width);
                all.any(|z| f64::from(z.abs()) > estimate.threshold)
            });
        }
    }
    let foot = head + row + down + 0.3 * row;
    ramp.draw(&mut drawing, (margin, foot), 0.5 * across);
    let words = known.join(", ");
    let words = sheet.truncate(&words, sheet.width - 2.0 * margin);
    drawing.text((margin, foot + row), &words, Paint::Dim);
    drawing.alt_text = format!(
        "Three maps of {height} rows and {width} columns{}: the evidence image of {name}, that of {other}, and their \
         difference, orange where brighter pixels speak for {name} rather than {other}. Of the difference: {} {words}.",
        channels::strongest_in_words(shape[0]),
        extremes(&difference_map.image, shape)
    );
    Ok(drawing)
}
