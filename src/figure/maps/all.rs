//! The classification images of every class that the plan asks for, on one scale but for those that it
//! would hide: of several channels their mean.

use std::sync::Arc;

use image::RgbImage;

use super::super::canvas::{Canvas, Paint, Place, Sheet};
use super::super::plot::{self, Ramp};
use super::super::scale::{Reach, Scales};
use super::super::tiles::{self, Tiles};
use super::super::{FigureError, channels, choice, images, names};
use super::{SMALL, gap, own_scale, smoothing, title, trials};
use crate::format;
use crate::session::Session;
use crate::session::config::Response;
use crate::session::record::{GammaTrials, Record};
use crate::stats::classification::{ClassEstimate, Estimate};

/// A class as it is drawn.
struct Shown<'a> {
    class: usize,
    trials: &'a GammaTrials,
    estimate: Arc<Estimate>,
    /// Its map on a plane; `None` where there is none.
    map: Option<Vec<f32>>,
}

impl Shown<'_> {
    fn said(&self) -> &ClassEstimate {
        &self.estimate.classes[self.class]
    }

    fn reliability(&self, response: Response) -> Option<f64> {
        self.said().image(response).and_then(|map| map.reliability)
    }
}

/// Every class, at one signal strength or each at the one that shows it best.
pub fn all(
    session: &Session,
    place: (usize, Option<Response>),
    gamma: Option<f64>,
    sheet: Sheet,
) -> Result<RgbImage, FigureError> {
    let (first, response) = trials(session, place, gamma, choice::showing_most)?;
    let (margin, row) = (sheet.margin(), sheet.row());
    let roomy = sheet.width >= SMALL;
    let caption = if roomy { 2 * row } else { row + 2 };
    let listed = &first.listed;
    let tiles = Tiles::fit(listed.len(), first.size(), sheet, gap(sheet), caption);
    let own = images(session, place.0)?;
    let of_class = |&class: &usize| {
        let trials = match gamma {
            Some(_) => first,
            None => &own.gammas[choice::best(own, response, class, None)],
        };
        shown((trials, response), class, tiles.shrink)
    };
    let classes: Vec<Shown<'_>> = listed.iter().map(of_class).collect();
    let mixed = classes
        .iter()
        .any(|it| it.trials.gamma != classes[0].trials.gamma);
    let first = classes.first().map_or(first, |it| it.trials);
    let head = margin + if roomy { 2 * row } else { 0 };
    let pitch = tiles.down + caption;
    let mut canvas = Canvas::new(sheet, head + tiles.rows * pitch + row + margin);
    if roomy {
        let smoothing = smoothing(session, place.0);
        let smoothing = smoothing.map_or_else(String::new, |words| format!(", {words}"));
        let heading = heading(first, response, mixed) + &smoothing;
        title(&mut canvas, &heading, session);
    }
    let reach = |it: &Shown<'_>| Some(Reach::of(it.map.as_ref()?, 0.0, it.reliability(response)));
    let scales = Scales::of(classes.iter().map(reach));
    let columns = first.size().1.div_ceil(tiles.shrink);
    for (at, shown) in classes.iter().enumerate() {
        let x = margin + at as u32 % tiles.columns * (tiles.across + gap(sheet));
        let y = head + at as u32 / tiles.columns * pitch;
        match &shown.map {
            Some(map) => {
                let ramp = Ramp::to(scales.limit(at));
                plot::map(&mut canvas, (x, y), tiles.zoom, map, columns, ramp);
                if scales.is_apart(at) {
                    own_scale(&mut canvas, (x, y), (tiles.across, tiles.down), ramp);
                }
            }
            None => empty(&mut canvas, (x, y), (tiles.across, tiles.down)),
        }
        let name = names::bare_drawn(&session.record, shown.class);
        let at = mixed.then_some(shown.trials.gamma);
        let lines = captions(&name, (shown.said(), response, at), tiles.across, sheet);
        for (line, words) in (0..).zip(lines) {
            let below = tiles.down + 2 * sheet.text + line * row;
            canvas.text((x, y + below), &words, Paint::Ink);
        }
    }
    let foot = head + tiles.rows * pitch;
    let room = sheet.width.saturating_sub(2 * margin) + gap(sheet);
    let ramp = Ramp::to(scales.common);
    let used = ramp.draw(&mut canvas, (margin, foot), (room / 4).max(1));
    if roomy {
        let trials = (!mixed).then_some(first.trials);
        let apart = (0..classes.len()).filter(|&at| scales.is_apart(at)).count();
        let words = foot_words(&session.record, first, trials, apart);
        canvas.text((margin + used, foot), &words, Paint::Dim);
    }
    Ok(canvas.finish())
}

/// A class with its map, of which squares of `side` pixels become one.
fn shown<'a>(
    (trials, response): (&'a GammaTrials, Response),
    class: usize,
    side: usize,
) -> Shown<'a> {
    let estimate = trials.estimate();
    let map = estimate.classes[class].image(response).map(|own| {
        let map = channels::luminance(&own.image, trials.shape());
        match side {
            1 => map,
            side => tiles::shrink(&map, trials.size(), side),
        }
    });
    Shown {
        class,
        trials,
        estimate,
        map,
    }
}

fn heading(trials: &GammaTrials, response: Response, mixed: bool) -> String {
    let mean = match trials.shape()[0] {
        1 => String::new(),
        channels => format!(", mean of {channels} channels"),
    };
    let grain = super::grain(trials).map_or_else(String::new, |words| format!(", {words}"));
    let at = match mixed {
        true => ", each class at its best γ".to_owned(),
        false => format!(" at γ {}", format::gamma(trials.gamma)),
    };
    format!("{}s{at}{mean}{grain}", response.image_label())
}

/// How many trials there are, how many maps do not share the scale, and which classes have no place on
/// the sheet.
fn foot_words(record: &Record, trials: &GammaTrials, all: Option<u64>, apart: usize) -> String {
    let mut parts = Vec::new();
    parts.extend(all.map(|all| format!("{} trials", format::thousands(all))));
    parts.extend(match apart {
        0 => None,
        1 => Some("the map marked ± has a scale of its own".to_owned()),
        _ => Some("maps marked ± have scales of their own".to_owned()),
    });
    let others: Vec<usize> = (0..trials.classes())
        .filter(|class| !trials.listed.contains(class))
        .collect();
    parts.extend(match others[..] {
        [] => None,
        [class] => Some(format!(
            "no map of {} in the plan",
            names::drawn(record, class)
        )),
        _ => Some(format!(
            "no maps of {} other classes in the plan",
            others.len()
        )),
    });
    format!("  {}", parts.join(", "))
}

/// The name of a class and what is known of its map, in one line or two.
fn captions(
    name: &str,
    (said, response, at): (&ClassEstimate, Response, Option<f64>),
    across: u32,
    sheet: Sheet,
) -> Vec<String> {
    let map = said.image(response);
    let more = match (map, map.and_then(|map| map.reliability)) {
        _ if sheet.width < SMALL => None,
        (Some(_), Some(r)) => Some(match at {
            Some(gamma) => format!("γ {} R {}", format::gamma(gamma), format::reliability(r)),
            None => format!("R {}", format::reliability(r)),
        }),
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
