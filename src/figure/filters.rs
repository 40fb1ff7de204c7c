//! The filters figure: what the units of a layer respond to. Each spike-triggered average is drawn beside the unit's
//! kernel, if there is one, on its own scale. Colour images are drawn in colour around mid-grey.

use super::{FigureError, channels, origin};
use crate::drawing::{Drawing, Paint, Ramp, Rect, Sheet, image_of_colours, map_of_values};
use crate::format::{self, counted};
use crate::session::Session;
use crate::session::form::Shape;
use crate::session::record::{LayerResponses, SpikeTriggered};
use crate::stats::anomaly::median;
use crate::stats::spike_triggered::LayerEstimate;

/// Maximum number of units drawn; of a larger layer, the first ones.
const MOST: usize = 100;

/// Which of a layer's units are drawn, in words.
pub fn drawn_in_words(units: usize) -> String {
    match units {
        0..=MOST => format!("the {}", counted(units as u64, "unit", "units")),
        _ => format!("the first {MOST} of {units} units"),
    }
}

/// Millimetres between the images of one unit.
const BETWEEN: f64 = 0.4;

/// Maximum width of an image in millimetres.
const LARGEST: f64 = 30.0;

/// Draws the layer of this name of the session's spike-triggered averages with this index.
pub fn draw(
    session: &Session,
    nth: usize,
    layer: &str,
    sheet: Sheet,
) -> Result<Drawing, FigureError> {
    let spikes = super::nth::<SpikeTriggered>(session, nth);
    let layers = spikes.map_or(&[][..], |(_, spikes)| &spikes.layers);
    if layers.is_empty() {
        return Err(FigureError::Missing("spike-triggered averages"));
    }
    let named = |responses: &&LayerResponses| responses.name == layer;
    let responses = layers
        .iter()
        .find(named)
        .ok_or_else(|| FigureError::Layer {
            layer: layer.into(),
            available: layers.iter().map(|layer| layer.name.clone()).collect(),
        })?;
    Ok(grid(session, responses, sheet))
}

fn grid(session: &Session, responses: &LayerResponses, sheet: Sheet) -> Drawing {
    let estimate = responses.estimate();
    let [_, height, width] = responses.field();
    let kernels = !responses.kernel.values().is_empty();
    let pictures = planes(responses.field()) * if kernels { 2 } else { 1 };
    let shown = responses.units.min(MOST);
    let (margin, row) = (sheet.margin(), sheet.line_height());
    let gap = margin;
    let room = sheet.width - 2.0 * margin + gap;
    // As many per row as the labels allow.
    let least = sheet.text_width("000 r −.00") + gap;
    let columns = ((room / least) as usize).clamp(1, 10).min(shown.max(1));
    let tile = room / columns as f64 - gap;
    let inside = tile - BETWEEN * (pictures - 1) as f64;
    let across = (inside / pictures as f64).clamp(0.5, LARGEST);
    let down = across * height as f64 / width.max(1) as f64;
    let rows = shown.div_ceil(columns);
    let pitch = down + 1.6 * row;
    let mut drawing = Drawing::new(sheet, 0.0);
    let title = format!(
        "{}: spike-triggered averages",
        format::layer(&responses.name)
    );
    let top = drawing.headings(&title, &origin(session));
    let legend = legend(responses, &estimate, shown);
    let lines = sheet.wrap(&legend, sheet.width - 2.0 * margin);
    for (index, line) in lines.iter().enumerate() {
        drawing.text((margin, top + index as f64 * row), line, Paint::Dim);
    }
    let head = top + (lines.len() as f64 + 0.3) * row;
    drawing.height = head + rows as f64 * pitch + margin;
    for unit in 0..shown {
        let x = margin + (unit % columns) as f64 * (tile + gap);
        let y = head + (unit / columns) as f64 * pitch;
        let first = Rect {
            x,
            y,
            width: across,
            height: down,
        };
        let average = estimate.sta.get(unit).and_then(Option::as_ref);
        match average {
            Some(map) => planes_of(&mut drawing, first, map, responses.field()),
            None => drawing.frame(first, sheet.thin_line(), Paint::Dim),
        }
        let pixels = responses.field().iter().product::<usize>();
        if let Some(kernel) = responses
            .kernel
            .values()
            .get(unit * pixels..(unit + 1) * pixels)
        {
            let after = Rect {
                x: x + planes(responses.field()) as f64 * (across + BETWEEN),
                ..first
            };
            planes_of(&mut drawing, after, kernel, responses.field());
        }
        let caption = caption(unit, average.is_some(), kernels, &estimate);
        drawing.text(
            (x, y + down + 0.1 * row),
            &sheet.truncate(&caption, tile),
            Paint::Ink,
        );
    }
    drawing.alt_text = alternative(responses, &estimate, shown);
    drawing
}

fn alternative(responses: &LayerResponses, estimate: &LayerEstimate, shown: usize) -> String {
    let known = estimate.reliability.iter().flatten().copied();
    let median = median(known.collect()).map_or_else(String::new, |r| {
        format!(" The median reliability is {}.", format::reliability(r))
    });
    format!(
        "Spike-triggered averages of {shown} of {} units of {}, each a small map of {}×{} pixels on its own scale; {}.{median}",
        responses.units,
        format::layer(&responses.name),
        responses.field()[1],
        responses.field()[2],
        counted(
            estimate.silent.len() as u64,
            "unit is silent",
            "units are silent",
        ),
    )
}

/// The number of images that a map takes: one for grey and colour images, otherwise one per channel.
fn planes([channels, _, _]: Shape) -> usize {
    match channels {
        channels::RGB => 1,
        channels => channels.max(1),
    }
}

/// Draws a map on its own scale, further channels beside the first.
fn planes_of(drawing: &mut Drawing, first: Rect, map: &[f32], field: Shape) {
    let ramp = Ramp::covering(std::iter::once(map));
    let width = field[2];
    if let Some(colours) = channels::around_grey(map, field, ramp.limit()) {
        image_of_colours(drawing, first, &colours, width);
        return;
    }
    for channel in 0..field[0] {
        let place = Rect {
            x: first.x + channel as f64 * (first.width + BETWEEN),
            ..first
        };
        let plane = channels::channel(map, field, channel);
        map_of_values(drawing, place, plane, width, ramp);
    }
}

fn legend(responses: &LayerResponses, estimate: &LayerEstimate, shown: usize) -> String {
    let [channels, height, width] = responses.field();
    let mut legend = match responses.kernel.values().is_empty() {
        false => "left: average, right: kernel, r: their correlation".to_string(),
        true => format!("{height}×{width} pixels, R reliability"),
    };
    match channels {
        1 => {}
        channels::RGB => legend.push_str("; grey is 0"),
        channels => legend.push_str(&format!("; {channels} channels side by side")),
    }
    if shown < responses.units {
        legend.push_str(&format!("; the first {shown} of {} units", responses.units));
    }
    if !estimate.silent.is_empty() {
        legend.push_str(&format!("; {} silent", estimate.silent.len()));
    }
    legend
}

fn caption(unit: usize, fired: bool, kernels: bool, estimate: &LayerEstimate) -> String {
    if !fired {
        return format!("{unit} silent");
    }
    let correlation = match kernels {
        true => ("r", estimate.kernel_correlation.get(unit)),
        false => ("R", estimate.reliability.get(unit)),
    };
    let value = correlation.1.copied().flatten();
    value.map_or_else(
        || unit.to_string(),
        |r| format!("{unit} {} {}", correlation.0, format::reliability(r)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layer_too_large_to_be_drawn_whole_is_not_called_drawn_whole() {
        assert_eq!(drawn_in_words(1), "the 1 unit");
        assert_eq!(drawn_in_words(100), "the 100 units");
        assert_eq!(drawn_in_words(500), "the first 100 of 500 units");
    }

    #[test]
    fn the_median_reliability_of_two_units_is_their_mean_and_one_silent_unit_is_one() {
        let layer = LayerResponses::new("conv1", 3, [1, 2, 2], false, None);
        let estimate = LayerEstimate {
            silent: vec![1],
            reliability: vec![Some(0.9), None, Some(0.2)],
            ..LayerEstimate::default()
        };
        let words = alternative(&layer, &estimate, 3);
        let expected = "1 unit is silent. The median reliability is 0.55.";
        assert!(words.ends_with(expected), "{words}");
    }
}
