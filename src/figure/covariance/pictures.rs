//! The average and the axes of a unit as images.

use super::super::channels;
use super::units::CovarianceUnit;
use crate::drawing::scale::limit_label;
use crate::drawing::{Drawing, Paint, Ramp, Rect, image_of_colours, map_of_values};
use crate::format::signed;
use crate::session::form::Shape;

/// Maximum width of an image, in text sizes.
const LARGEST: f64 = 12.0;

/// Draws the average and the axes of a unit side by side, from `y` downwards; returns their lower edge.
pub fn pictures(drawing: &mut Drawing, unit: &CovarianceUnit<'_>, y: f64) -> f64 {
    let sheet = drawing.sheet;
    let (margin, row, size) = (sheet.margin(), sheet.line_height(), sheet.text_size());
    let (room, gap) = (sheet.width - 2.0 * margin, margin);
    let words = format!("{}: {}", unit.name(), unit.summary());
    let words = sheet.truncate(&words, room);
    drawing.text((margin, y), &words, Paint::Ink);
    let field = unit.covariance.field();
    let [_, height, width] = field;
    let axes_ramp = Ramp::covering(unit.axes().map(|(_, map)| map));
    let average = unit.average.as_deref();
    let average_ramp = Ramp::covering(average.into_iter());
    let mut pictures: Vec<(&[f32], Ramp, String)> = Vec::new();
    pictures.extend(average.map(|map| (map, average_ramp, "average".to_owned())));
    pictures.extend(unit.axes().map(|(value, map)| {
        let words = format!("λ {}", signed(value));
        (map, axes_ramp, words)
    }));
    let longest = pictures.iter().map(|picture| sheet.text_width(&picture.2));
    let least = longest.fold(5.0 * size, f64::max).min(room);
    let columns = ((room + gap) / (least + gap)) as usize;
    let columns = columns.clamp(1, pictures.len().max(1));
    let tile = (room + gap) / columns as f64 - gap;
    let ratio = height.max(1) as f64 / width.max(1) as f64;
    let across = tile.min(LARGEST * size).min(1.5 * LARGEST * size / ratio);
    let pitch = across * ratio + 1.4 * row;
    // In a row that is not full, the images are as close as their labels allow.
    let step = across.max(least.min(tile)) + gap;
    let top = y + 1.3 * row;
    for (index, (map, ramp, words)) in pictures.iter().enumerate() {
        let place = Rect {
            x: margin + (index % columns) as f64 * step,
            y: top + (index / columns) as f64 * pitch,
            width: across,
            height: across * ratio,
        };
        picture(drawing, place, map, field, *ramp);
        let words = sheet.truncate(words, step - gap);
        drawing.text((place.x, place.bottom() + 0.1 * row), &words, Paint::Dim);
    }
    let mut y = top + pictures.len().div_ceil(columns) as f64 * pitch;
    let scales = [
        average.map(|_| format!("average {}", limit_label(average_ramp.limit()))),
        unit.axes()
            .next()
            .map(|_| format!("axes {}", limit_label(axes_ramp.limit()))),
    ];
    let mut scales: Vec<String> = scales.into_iter().flatten().collect();
    if field[0] == channels::RGB {
        scales.push("grey is 0".into());
    }
    if !scales.is_empty() {
        let mut x = margin;
        if field[0] != channels::RGB {
            let bar = 6.0 * size;
            Ramp::with_limit(1.0).bar(drawing, (x, y), bar);
            x += bar + 0.6 * size;
        }
        let words = sheet.truncate(&scales.join(", "), sheet.width - margin - x);
        drawing.text((x, y), &words, Paint::Dim);
        y += row;
    }
    y + 0.5 * row
}

/// Draws a map of a receptive field: three channels in colour around mid-grey, otherwise the mean of all.
fn picture(drawing: &mut Drawing, place: Rect, map: &[f32], field: Shape, ramp: Ramp) {
    match channels::around_grey(map, field, ramp.limit()) {
        Some(colours) => image_of_colours(drawing, place, &colours, field[2]),
        None => {
            let plane = channels::luminance(map, field);
            map_of_values(drawing, place, &plane, field[2], ramp);
        }
    }
}
