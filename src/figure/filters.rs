//! What the units of a layer respond to: their spike-triggered averages, each beside its kernel
//! where it has one, each on a scale of its own. Of colour images in colour around mid-grey.

use image::RgbImage;

use super::canvas::{Canvas, Paint, Place, Sheet};
use super::plot::{self, Ramp};
use super::{FigureError, channels, origin};
use crate::format;
use crate::session::Session;
use crate::session::form::Shape;
use crate::session::record::{LayerResponses, SpikeTriggered};
use crate::stats::spike_triggered::LayerEstimate;

/// Most units drawn; of a layer with more, the first.
const MOST: usize = 100;

/// Pixels between the pictures of one unit.
const BETWEEN: u32 = 2;

/// The layer of that name.
pub fn draw(session: &Session, layer: &str, sheet: Sheet) -> Result<RgbImage, FigureError> {
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

fn grid(session: &Session, own: &LayerResponses, sheet: Sheet) -> RgbImage {
    let estimate = own.estimate();
    let [_, height, width] = own.field();
    let kernels = !own.kernel.values().is_empty();
    let pictures = planes(own.field()) * if kernels { 2 } else { 1 };
    let shown = own.units.min(MOST);
    let (margin, row) = (sheet.margin(), sheet.row());
    let gap = margin.max(3);
    let room = sheet.width.saturating_sub(2 * margin) + gap;
    // As many in a row as letters of a caption have room.
    let least = sheet
        .text_width("000 r .00")
        .max(pictures * (width as u32 + BETWEEN))
        + gap;
    let columns = (room / least).clamp(1, 10);
    let tile = (room / columns).saturating_sub(gap);
    let inside = tile.saturating_sub(BETWEEN * (pictures - 1));
    let zoom = (inside / pictures / width.max(1) as u32).max(1);
    let (across, down) = (width as u32 * zoom, height as u32 * zoom);
    let rows = (shown as u32).div_ceil(columns);
    let pitch = down + 2 * row;
    let head = margin + 3 * row;
    let mut canvas = Canvas::new(sheet, head + rows * pitch + margin);
    let words = format!("{}: spike-triggered averages", own.name);
    canvas.text((margin, margin), &words, Paint::Ink);
    canvas.text((margin, margin + row), &origin(session), Paint::Dim);
    let legend = legend(own, &estimate, shown);
    canvas.text((margin, margin + 2 * row), &legend, Paint::Dim);
    for unit in 0..shown {
        let x = margin + unit as u32 % columns * (tile + gap);
        let y = head + unit as u32 / columns * pitch;
        let average = estimate.sta.get(unit).and_then(Option::as_ref);
        match average {
            Some(map) => planes_of(&mut canvas, (x, y), zoom, map, own.field()),
            None => {
                let place = Place {
                    x,
                    y,
                    width: across,
                    height: down,
                };
                canvas.frame(place, sheet.text, Paint::Faint);
            }
        }
        let pixels = own.field().iter().product::<usize>();
        if let Some(kernel) = own.kernel.values().get(unit * pixels..(unit + 1) * pixels) {
            let after = x + planes(own.field()) * (across + BETWEEN);
            planes_of(&mut canvas, (after, y), zoom, kernel, own.field());
        }
        let caption = caption(unit, average.is_some(), kernels, &estimate);
        canvas.text((x, y + down + 3 * sheet.text), &caption, Paint::Ink);
    }
    canvas.finish()
}

/// Pictures that a map takes: one of grey and of colour images, else one a channel.
fn planes([channels, _, _]: Shape) -> u32 {
    match channels {
        channels::RGB => 1,
        channels => channels.max(1) as u32,
    }
}

/// Draws a map on a scale of its own.
fn planes_of(canvas: &mut Canvas, (x, y): (u32, u32), zoom: u32, map: &[f32], field: Shape) {
    let ramp = Ramp::of(std::iter::once(map));
    let width = field[2];
    if let Some(colours) = channels::around_grey(map, field, ramp.limit()) {
        plot::picture(canvas, (x, y), zoom, &colours, width);
        return;
    }
    for channel in 0..field[0] {
        let x = x + channel as u32 * (width as u32 * zoom + BETWEEN);
        let own = channels::channel(map, field, channel);
        plot::map(canvas, (x, y), zoom, own, width, ramp);
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
