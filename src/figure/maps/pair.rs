//! The maps of two sessions: each class's map in A, in B, and their difference, on one scale but for
//! classes that it would hide, the pixels that differ outlined; of several channels their mean.

use image::RgbImage;

use super::super::canvas::{Canvas, Paint, Place, Sheet};
use super::super::plot::{self, Ramp};
use super::super::scale::{Reach, Scales};
use super::super::{channels, font, names};
use super::one::Outline;
use super::{gap, own_scale};
use crate::comparison::{Compared, Pair};
use crate::format::{self, reliability};
use crate::stats::comparison::Difference;

/// Most pixels of the sheet that a pixel of a map takes.
const ZOOM: u32 = 12;

/// Letters that the facts beside the maps have room for.
const FACTS: u32 = 24;

/// Draws the maps of some classes, each in a row of its own.
pub fn comparison(
    pair: &Pair<'_>,
    compared: &Compared,
    classes: &[usize],
    sheet: Sheet,
) -> RgbImage {
    let [_, height, width] = compared.shape;
    let (margin, row) = (sheet.margin(), sheet.row());
    let facts = FACTS * font::ADVANCE * sheet.text;
    let room = sheet
        .width
        .saturating_sub(2 * margin + facts + 3 * gap(sheet))
        / 3;
    let zoom = (room / width.max(1) as u32).clamp(1, ZOOM);
    let (across, down) = (width as u32 * zoom, height as u32 * zoom);
    let pitch = down.max(7 * row) + row;
    let head = margin + 4 * row;
    let mut canvas = Canvas::new(sheet, head + classes.len() as u32 * pitch + row + margin);
    titles(&mut canvas, pair, compared);
    let column = |at: u32| margin + at * (across + gap(sheet));
    let tags = [
        format!("A: {}", pair.names()[0]),
        format!("B: {}", pair.names()[1]),
        "A less B".into(),
    ];
    for (at, tag) in (0..).zip(tags) {
        let words = sheet.cut(&tag, across);
        canvas.text((column(at), head - row), &words, Paint::Dim);
    }
    let planes: Vec<[Option<Vec<f32>>; 3]> = classes
        .iter()
        .map(|&class| planes(compared, class))
        .collect();
    let scales = scales(compared, classes, &planes);
    for ((place, &class), planes) in (0..).zip(classes).zip(&planes) {
        let y = head + place * pitch;
        let ramp = Ramp::to(scales.limit(place as usize));
        for (at, plane) in (0..).zip(planes) {
            let corner = (column(at), y);
            match plane {
                Some(plane) => {
                    plot::map(&mut canvas, corner, zoom, plane, width, ramp);
                    if scales.is_apart(place as usize) {
                        own_scale(&mut canvas, corner, (across, down), ramp);
                    }
                }
                None => empty(&mut canvas, corner, (across, down)),
            }
        }
        let own = compared.classes[class].as_ref();
        if let Some(own) = own.filter(|_| zoom > sheet.text) {
            let outline = Outline {
                corner: (column(2), y),
                zoom,
                size: (height, width),
            };
            let bound = compared.bounds.map;
            outline.draw(&mut canvas, |pixel| {
                let mut all = own.z.iter().skip(pixel).step_by(height * width);
                all.any(|z| f64::from(z.abs()) > bound)
            });
        }
        let x = column(3);
        let lines = lines(pair, compared, class, own);
        for (line, words) in (0..).zip(lines) {
            let paint = if line == 0 { Paint::Ink } else { Paint::Dim };
            canvas.text((x, y + line * row), &sheet.cut(&words, facts), paint);
        }
    }
    let foot = head + classes.len() as u32 * pitch;
    Ramp::to(scales.common).draw(&mut canvas, (margin, foot), across);
    canvas.finish()
}

/// The scales of the rows: the three maps of a class share one.
fn scales(compared: &Compared, classes: &[usize], planes: &[[Option<Vec<f32>>; 3]]) -> Scales {
    let reach = |(&class, planes): (&usize, &[Option<Vec<f32>>; 3])| {
        let all: Vec<f32> = planes.iter().flatten().flatten().copied().collect();
        let reliability = compared.reliability(class);
        (!all.is_empty()).then(|| Reach::of(&all, 0.0, reliability))
    };
    Scales::of(classes.iter().zip(planes).map(reach))
}

fn titles(canvas: &mut Canvas, pair: &Pair<'_>, compared: &Compared) {
    let (margin, row) = (canvas.sheet.margin(), canvas.sheet.row());
    let totals = compared.totals();
    let title = format!(
        "{}s of {} and {} at γ {}",
        compared.response.image_label(),
        pair.names()[0],
        pair.names()[1],
        format::gamma(compared.gamma)
    );
    let told = format!(
        "{} of {} pixels differ, |z| > {:.2}; outlined: |z| > {:.2}",
        format::thousands(totals.beyond as u64),
        format::thousands(totals.tested as u64),
        compared.bounds.all,
        compared.bounds.map
    );
    canvas.text((margin, margin), &title, Paint::Ink);
    canvas.text((margin, margin + row), &told, Paint::Dim);
}

/// The maps of A and B and their difference, on a plane.
fn planes(compared: &Compared, class: usize) -> [Option<Vec<f32>>; 3] {
    let plane = |map: &Vec<f32>| channels::luminance(map, compared.shape);
    let own = |at| compared.map(at, class).map(|map| plane(&map.image));
    let difference = compared.classes[class].as_ref();
    [own(0), own(1), difference.map(|own| plane(&own.difference))]
}

fn lines(
    pair: &Pair<'_>,
    compared: &Compared,
    class: usize,
    own: Option<&Difference>,
) -> Vec<String> {
    let name = names::letters(&pair.name(class), class);
    let mut lines = vec![name];
    for (letter, at) in [("A", 0), ("B", 1)] {
        let map = compared.map(at, class);
        lines.push(
            match (
                map.and_then(|map| map.reliability),
                compared.lacks(at, class),
            ) {
                (_, Some(why)) => format!("{letter}: {why}"),
                (Some(r), None) => format!("R of {letter} {}", reliability(r)),
                (None, None) => format!("R of {letter} not yet"),
            },
        );
    }
    let Some(own) = own else { return lines };
    lines.extend(own.correlation.map(|r| format!("r {}", reliability(r))));
    lines.extend(
        own.corrected
            .map(|r| format!("r less R {}", reliability(r))),
    );
    lines.push(format!("{} pixels differ", own.significant));
    lines.extend(
        own.clusters
            .as_ref()
            .map(|found| format!("{} clusters", found.len())),
    );
    lines
}

/// The place of a map that there is not.
fn empty(canvas: &mut Canvas, (x, y): (u32, u32), (width, height): (u32, u32)) {
    let place = Place {
        x,
        y,
        width,
        height,
    };
    canvas.frame(place, canvas.sheet.text, Paint::Faint);
}
