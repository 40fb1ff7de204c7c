//! What the units of a layer respond to: their spike-triggered averages, each beside its kernel
//! where it has one, each on a scale of its own.

use image::RgbImage;

use super::canvas::{Canvas, Paint, Place, Sheet};
use super::plot::{self, Ramp};
use super::{FigureError, origin};
use crate::format;
use crate::session::Session;
use crate::session::record::{LayerResponses, SpikeTriggered};

/// Most units drawn; of a layer with more, the first.
const MOST: usize = 100;

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
    let (height, width) = own.receptive_field;
    let kernel = own.kernel.values();
    let pairs = if kernel.is_empty() { 1 } else { 2 };
    let shown = own.units.min(MOST);
    let (margin, row) = (sheet.margin(), sheet.row());
    let gap = margin.max(3);
    let room = sheet.width.saturating_sub(2 * margin) + gap;
    // As many in a row as letters of a caption have room.
    let least = sheet
        .text_width("000 r .00")
        .max(pairs * (width as u32 + 2))
        + gap;
    let columns = (room / least).clamp(1, 10);
    let tile = room / columns - gap;
    let zoom = ((tile - 2 * (pairs - 1)) / pairs / width as u32).max(1);
    let (across, down) = (width as u32 * zoom, height as u32 * zoom);
    let rows = (shown as u32).div_ceil(columns);
    let pitch = down + 2 * row;
    let head = margin + 3 * row;
    let mut canvas = Canvas::new(sheet, head + rows * pitch + margin);
    let words = format!("{}: spike-triggered averages", own.name);
    canvas.text((margin, margin), &words, Paint::Ink);
    canvas.text((margin, margin + row), &origin(session), Paint::Dim);
    let mut legend = match pairs {
        2 => "left the average, right the kernel, r between them".to_string(),
        _ => format!("{height}×{width} pixels, R reliability"),
    };
    if shown < own.units {
        legend.push_str(&format!("; the first {shown} of {} units", own.units));
    }
    if !estimate.silent.is_empty() {
        legend.push_str(&format!("; {} silent", estimate.silent.len()));
    }
    canvas.text((margin, margin + 2 * row), &legend, Paint::Dim);
    for unit in 0..shown {
        let x = margin + unit as u32 % columns * (tile + gap);
        let y = head + unit as u32 / columns * pitch;
        let caption = match estimate.sta.get(unit).and_then(Option::as_ref) {
            Some(map) => {
                let ramp = Ramp::of(std::iter::once(map.as_slice()));
                plot::map(&mut canvas, (x, y), zoom, map, width, ramp);
                let said = match pairs {
                    2 => ("r", estimate.kernel_correlation.get(unit)),
                    _ => ("R", estimate.reliability.get(unit)),
                };
                let value = said.1.copied().flatten();
                value.map_or_else(
                    || unit.to_string(),
                    |r| format!("{unit} {} {}", said.0, format::reliability(r)),
                )
            }
            None => {
                let place = Place {
                    x,
                    y,
                    width: across,
                    height: down,
                };
                canvas.frame(place, sheet.text, Paint::Faint);
                format!("{unit} silent")
            }
        };
        let pixels = height * width;
        if let Some(kernel) = kernel.get(unit * pixels..(unit + 1) * pixels) {
            let ramp = Ramp::of(std::iter::once(kernel));
            plot::map(&mut canvas, (x + across + 2, y), zoom, kernel, width, ramp);
        }
        canvas.text((x, y + down + 3 * sheet.text), &caption, Paint::Ink);
    }
    canvas.finish()
}
