//! What the units of a layer respond to: their spike-triggered averages, each beside its kernel
//! where it has one, each on a scale of its own. Of colour images in colour around mid-grey.

use super::{FigureError, channels, origin};
use crate::drawing::{Drawing, Paint, Place, Ramp, Sheet, image_of_colours, map_of_values};
use crate::format;
use crate::session::Session;
use crate::session::form::Shape;
use crate::session::record::{LayerResponses, SpikeTriggered};
use crate::stats::spike_triggered::LayerEstimate;

/// Most units drawn; of a layer with more, the first.
const MOST: usize = 100;

/// Millimetres between the pictures of one unit.
const BETWEEN: f64 = 0.4;

/// Most millimetres across a picture.
const LARGEST: f64 = 30.0;

/// The layer of that name.
pub fn draw(session: &Session, layer: &str, sheet: Sheet) -> Result<Drawing, FigureError> {
    let responses = session.record.first::<SpikeTriggered>();
    let layers = responses.map_or(&[][..], |it| &it.layers);
    if layers.is_empty() {
        return Err(FigureError::Nothing("spike-triggered averages"));
    }
    let named = |own: &&LayerResponses| own.name == layer;
    let own = layers
        .iter()
        .find(named)
        .ok_or_else(|| FigureError::Layer {
            layer: layer.into(),
            there: layers.iter().map(|own| own.name.clone()).collect(),
        })?;
    Ok(grid(session, own, sheet))
}

fn grid(session: &Session, own: &LayerResponses, sheet: Sheet) -> Drawing {
    let estimate = own.estimate();
    let [_, height, width] = own.field();
    let kernels = !own.kernel.values().is_empty();
    let pictures = planes(own.field()) * if kernels { 2 } else { 1 };
    let shown = own.units.min(MOST);
    let (margin, row) = (sheet.margin(), sheet.row());
    let gap = margin;
    let room = sheet.width - 2.0 * margin + gap;
    // As many in a row as letters of a caption have room.
    let least = sheet.text_width("000 r −.00") + gap;
    let columns = ((room / least) as usize).clamp(1, 10).min(shown.max(1));
    let tile = room / columns as f64 - gap;
    let inside = tile - BETWEEN * (pictures - 1) as f64;
    let across = (inside / pictures as f64).clamp(0.5, LARGEST);
    let down = across * height as f64 / width.max(1) as f64;
    let rows = shown.div_ceil(columns);
    let pitch = down + 1.6 * row;
    let mut drawing = Drawing::new(sheet, 0.0);
    let title = format!("{}: spike-triggered averages", own.name);
    let top = drawing.headings(&title, &origin(session));
    let legend = legend(own, &estimate, shown);
    let lines = sheet.wrap(&legend, sheet.width - 2.0 * margin);
    for (at, line) in lines.iter().enumerate() {
        drawing.text((margin, top + at as f64 * row), line, Paint::Dim);
    }
    let head = top + (lines.len() as f64 + 0.3) * row;
    drawing.height = head + rows as f64 * pitch + margin;
    for unit in 0..shown {
        let x = margin + (unit % columns) as f64 * (tile + gap);
        let y = head + (unit / columns) as f64 * pitch;
        let first = Place {
            x,
            y,
            width: across,
            height: down,
        };
        let average = estimate.sta.get(unit).and_then(Option::as_ref);
        match average {
            Some(map) => planes_of(&mut drawing, first, map, own.field()),
            None => drawing.frame(first, sheet.thin(), Paint::Dim),
        }
        let pixels = own.field().iter().product::<usize>();
        if let Some(kernel) = own.kernel.values().get(unit * pixels..(unit + 1) * pixels) {
            let after = Place {
                x: x + planes(own.field()) as f64 * (across + BETWEEN),
                ..first
            };
            planes_of(&mut drawing, after, kernel, own.field());
        }
        let caption = caption(unit, average.is_some(), kernels, &estimate);
        drawing.text(
            (x, y + down + 0.1 * row),
            &sheet.cut(&caption, tile),
            Paint::Ink,
        );
    }
    drawing.alternative = alternative(own, &estimate, shown);
    drawing
}

fn alternative(own: &LayerResponses, estimate: &LayerEstimate, shown: usize) -> String {
    let known = estimate.reliability.iter().flatten().copied();
    let mut known: Vec<f64> = known.collect();
    known.sort_by(f64::total_cmp);
    let median = known.get(known.len() / 2);
    let median = median.map_or_else(String::new, |r| {
        format!(" The median reliability is {}.", format::reliability(*r))
    });
    format!(
        "Spike-triggered averages of {shown} of {} units of {}, each a small map of {}×{} pixels on a scale of its own; {} units are silent.{median}",
        own.units,
        own.name,
        own.field()[1],
        own.field()[2],
        estimate.silent.len()
    )
}

/// Pictures that a map takes: one of grey and of colour images, else one a channel.
fn planes([channels, _, _]: Shape) -> usize {
    match channels {
        channels::RGB => 1,
        channels => channels.max(1),
    }
}

/// Draws a map on a scale of its own, further channels beside the first.
fn planes_of(drawing: &mut Drawing, first: Place, map: &[f32], field: Shape) {
    let ramp = Ramp::of(std::iter::once(map));
    let width = field[2];
    if let Some(colours) = channels::around_grey(map, field, ramp.limit()) {
        image_of_colours(drawing, first, &colours, width);
        return;
    }
    for channel in 0..field[0] {
        let place = Place {
            x: first.x + channel as f64 * (first.width + BETWEEN),
            ..first
        };
        let own = channels::channel(map, field, channel);
        map_of_values(drawing, place, own, width, ramp);
    }
}

fn legend(own: &LayerResponses, estimate: &LayerEstimate, shown: usize) -> String {
    let [channels, height, width] = own.field();
    let mut legend = match own.kernel.values().is_empty() {
        false => "left the average, right the kernel, r between them".to_string(),
        true => format!("{height}×{width} pixels, R reliability"),
    };
    match channels {
        1 => {}
        channels::RGB => legend.push_str("; grey is 0"),
        channels => legend.push_str(&format!("; {channels} channels side by side")),
    }
    if shown < own.units {
        legend.push_str(&format!("; the first {shown} of {} units", own.units));
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
    let said = match kernels {
        true => ("r", estimate.kernel_correlation.get(unit)),
        false => ("R", estimate.reliability.get(unit)),
    };
    let value = said.1.copied().flatten();
    value.map_or_else(
        || unit.to_string(),
        |r| format!("{unit} {} {}", said.0, format::reliability(r)),
    )
}
