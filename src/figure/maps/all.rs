//! The classification images of every class that the plan asks for, on one scale: of several channels
//! their mean.

use image::RgbImage;

use super::super::canvas::{Canvas, Paint, Place, Sheet};
use super::super::plot::{self, Ramp};
use super::super::tiles::{self, Tiles};
use super::super::{FigureError, channels, choice, names};
use super::{SMALL, gap, title, trials};
use crate::format;
use crate::session::Session;
use crate::session::config::Response;
use crate::session::record::{GammaTrials, Record};
use crate::stats::classification::{ClassEstimate, Estimate};

/// Every class at one signal strength, on one scale.
pub fn all(
    session: &Session,
    place: (usize, Option<Response>),
    gamma: Option<f64>,
    sheet: Sheet,
) -> Result<RgbImage, FigureError> {
    let (trials, response) = trials(session, place, gamma, choice::showing_most)?;
    let estimate = trials.estimate();
    let (margin, row) = (sheet.margin(), sheet.row());
    let roomy = sheet.width >= SMALL;
    let caption = if roomy { 2 * row } else { row + 2 };
    let listed = &trials.listed;
    let tiles = Tiles::fit(listed.len(), trials.size(), sheet, gap(sheet), caption);
    let head = margin + if roomy { 2 * row } else { 0 };
    let pitch = tiles.down + caption;
    let mut canvas = Canvas::new(sheet, head + tiles.rows * pitch + row + margin);
    if roomy {
        title(&mut canvas, &heading(trials, response), session);
    }
    let maps = maps((trials, response), &estimate, tiles.shrink);
    let ramp = Ramp::of(maps.iter().flatten().map(Vec::as_slice));
    let columns = trials.size().1.div_ceil(tiles.shrink);
    for (at, (&class, map)) in listed.iter().zip(&maps).enumerate() {
        let x = margin + at as u32 % tiles.columns * (tiles.across + gap(sheet));
        let y = head + at as u32 / tiles.columns * pitch;
        match map {
            Some(map) => plot::map(&mut canvas, (x, y), tiles.zoom, map, columns, ramp),
            None => empty(&mut canvas, (x, y), (tiles.across, tiles.down)),
        }
        let name = names::bare_drawn(&session.record, class);
        let lines = captions(
            &name,
            (&estimate.classes[class], response),
            tiles.across,
            sheet,
        );
        for (line, words) in (0..).zip(lines) {
            let below = tiles.down + 2 * sheet.text + line * row;
            canvas.text((x, y + below), &words, Paint::Ink);
        }
    }
    let foot = head + tiles.rows * pitch;
    let room = sheet.width.saturating_sub(2 * margin) + gap(sheet);
    let used = ramp.draw(&mut canvas, (margin, foot), (room / 4).max(1));
    if roomy {
        let words = total(&session.record, trials, &estimate);
        canvas.text((margin + used, foot), &words, Paint::Dim);
    }
    Ok(canvas.finish())
}

fn heading(trials: &GammaTrials, response: Response) -> String {
    let mean = match trials.shape()[0] {
        1 => String::new(),
        channels => format!(", mean of {channels} channels"),
    };
    let grain = super::grain(trials).map_or_else(String::new, |words| format!(", {words}"));
    format!(
        "{}s at γ {}{mean}{grain}",
        response.image_label(),
        format::gamma(trials.gamma)
    )
}

/// How many trials there are, and which classes have no place on the sheet.
fn total(record: &Record, trials: &GammaTrials, estimate: &Estimate) -> String {
    let mut words = format!("  {} trials", format::thousands(estimate.trials));
    let others = trials.classes() - trials.listed.len();
    if others > 0 {
        let first = estimate.classes.iter().position(|own| !own.listed);
        let name = first.map_or_else(String::new, |class| names::drawn(record, class));
        words.push_str(&match others {
            1 => format!(", no map of {name} in the plan"),
            _ => format!(", no maps of {others} other classes in the plan"),
        });
    }
    words
}

/// The maps of the listed classes as they are drawn, on a plane; `None` where there is none.
fn maps(
    (trials, response): (&GammaTrials, Response),
    estimate: &Estimate,
    side: usize,
) -> Vec<Option<Vec<f32>>> {
    let plane = |class: &usize| {
        let map = &estimate.classes[*class].image(response)?.image;
        let map = channels::luminance(map, trials.shape());
        Some(match side {
            1 => map,
            side => tiles::shrink(&map, trials.size(), side),
        })
    };
    trials.listed.iter().map(plane).collect()
}

/// The name of a class and what is known of its map, in one line or two.
fn captions(
    name: &str,
    (said, response): (&ClassEstimate, Response),
    across: u32,
    sheet: Sheet,
) -> Vec<String> {
    let map = said.image(response);
    let more = match (map, map.and_then(|map| map.reliability)) {
        _ if sheet.width < SMALL => None,
        (Some(_), Some(r)) => Some(format!("R {}", format::reliability(r))),
        (None, _) => Some(format!("{} trials", format::count(said.called as f64))),
        _ => None,
    };
    let room = across + gap(sheet) / 2;
    let name = match name.parse::<u64>() {
        // What is left of a number would be another one.
        Ok(_) => name.to_owned(),
        Err(_) => sheet.cut(name, room),
    };
    let whole = more.as_ref().map(|more| format!("{name}  {more}"));
    match whole.filter(|whole| sheet.text_width(whole) <= room) {
        Some(whole) => vec![whole],
        None => std::iter::once(name)
            .chain(more.filter(|more| sheet.text_width(more) <= room))
            .collect(),
    }
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
    let middle = (
        x + width / 2,
        y + (height / 2).saturating_sub(4 * canvas.sheet.text),
    );
    if width > canvas.sheet.text_width("too few") {
        canvas.text_about(middle, "too few", Paint::Dim);
    }
}
