//! Classification images: one class with its figures, or all classes side by side.

use image::RgbImage;

use super::canvas::{Canvas, Paint, Place, Sheet};
use super::plot::{self, Ramp};
use super::{FigureError, at_gamma, choice, images, origin};
use crate::format;
use crate::session::Session;
use crate::session::config::CLASSES;
use crate::session::record::GammaTrials;
use crate::stats::classification::{ClassEstimate, Estimate};

/// One class.
pub fn one(
    session: &Session,
    place: usize,
    class: usize,
    gamma: Option<f64>,
    sheet: Sheet,
) -> Result<RgbImage, FigureError> {
    if class >= CLASSES {
        return Err(FigureError::Class { class });
    }
    let own = images(session, place)?;
    let trials = match gamma {
        Some(gamma) => at_gamma(own, gamma)?,
        None => &own.gammas[choice::best(own, class, None)],
    };
    let estimate = trials.estimate();
    let said = &estimate.classes[class];
    let Some(map) = &said.image else {
        return Err(FigureError::Insufficient {
            class,
            gamma: trials.gamma,
            why: why(said, trials, class),
        });
    };
    let (height, width) = trials.size();
    let (margin, row) = (sheet.margin(), sheet.row());
    if sheet.width < SMALL {
        return Ok(small(trials, said, map, class, sheet));
    }
    let facts = facts(trials, &estimate, class);
    let longest = facts.iter().map(|fact| sheet.text_width(fact)).max();
    let beside = longest.unwrap_or(0) + margin;
    let room = sheet.width.saturating_sub(2 * margin);
    // Facts stand beside the map where it still is the larger part, else below it.
    let wide = room > 2 * beside;
    let zoom = if wide { room - beside } else { room } / width as u32;
    let zoom = zoom.max(1);
    let (across, down) = (width as u32 * zoom, height as u32 * zoom);
    let head = margin + 2 * row;
    let below = if wide { 1 } else { 1 + facts.len() as u32 };
    let mut canvas = Canvas::new(sheet, head + down + row / 2 + below * row + margin);
    title(
        &mut canvas,
        &format!("classification image of class {class}"),
        session,
    );
    let ramp = Ramp::of(std::iter::once(map.as_slice()));
    plot::map(&mut canvas, (margin, head), zoom, map, width, ramp);
    if let Some(z) = said.z.as_deref().filter(|_| zoom >= 6) {
        let at = Outline {
            corner: (margin, head),
            zoom,
            size: (height, width),
        };
        at.draw(&mut canvas, |pixel| {
            f64::from(z[pixel].abs()) > estimate.threshold
        });
    }
    let foot = head + down + row / 2;
    ramp.draw(
        &mut canvas,
        (margin, foot),
        (across / 2).min(room / 3).max(1),
    );
    let (x, mut y) = if wide {
        (margin + across + margin, head)
    } else {
        (margin, foot + row)
    };
    for fact in facts {
        canvas.text((x, y), &fact, Paint::Ink);
        y += row;
    }
    Ok(canvas.finish())
}

/// Pixels across below which there is no room for sentences.
const SMALL: u32 = 300;

/// One class on a small sheet: the map, and beside it the little that there is room for.
fn small(
    trials: &GammaTrials,
    said: &ClassEstimate,
    map: &[f32],
    class: usize,
    sheet: Sheet,
) -> RgbImage {
    let (height, width) = trials.size();
    let (margin, row) = (sheet.margin(), sheet.row());
    let words = sheet.text_width("class 0");
    let room = sheet.width.saturating_sub(3 * margin + words);
    let zoom = (room / width as u32).max(1);
    let down = height as u32 * zoom;
    let mut canvas = Canvas::new(sheet, down.max(5 * row) + 2 * margin);
    let ramp = Ramp::of(std::iter::once(map));
    plot::map(&mut canvas, (margin, margin), zoom, map, width, ramp);
    let x = 2 * margin + width as u32 * zoom;
    let mut lines = vec![
        format!("class {class}"),
        format!("γ {}", format::gamma(trials.gamma)),
    ];
    lines.extend(
        said.reliability
            .map(|r| format!("R {}", format::reliability(r))),
    );
    let mut y = margin;
    for line in lines {
        canvas.text((x, y), &line, Paint::Ink);
        y += row;
    }
    ramp.bar(&mut canvas, (x, y), words);
    canvas.text((x, y + row), &ramp.name(), Paint::Dim);
    canvas.finish()
}

/// Every class at one signal strength, on one scale.
pub fn all(
    session: &Session,
    place: usize,
    gamma: Option<f64>,
    sheet: Sheet,
) -> Result<RgbImage, FigureError> {
    let own = images(session, place)?;
    let trials = match gamma {
        Some(gamma) => at_gamma(own, gamma)?,
        None => &own.gammas[choice::showing_most(own)],
    };
    let estimate = trials.estimate();
    let (margin, row) = (sheet.margin(), sheet.row());
    let gap = margin.max(4);
    let room = sheet.width.saturating_sub(2 * margin) + gap;
    let columns = 5;
    // Where five whole maps have no room beside each other, four pixels become one.
    let halved = room / columns < trials.size().1 as u32 + gap;
    let (height, width) = match (halved, trials.size()) {
        (true, (height, width)) => (height / 2, width / 2),
        (false, size) => size,
    };
    let zoom = ((room / columns).saturating_sub(gap) / width as u32).max(1);
    let (across, down) = (width as u32 * zoom, height as u32 * zoom);
    let rows = (CLASSES as u32).div_ceil(columns);
    let roomy = sheet.width >= SMALL;
    let head = margin + if roomy { 2 * row } else { 0 };
    let pitch = down + if roomy { 2 * row } else { row + 2 };
    let mut canvas = Canvas::new(sheet, head + rows * pitch + row + margin);
    let words = format!("classification images at γ {}", format::gamma(trials.gamma));
    if roomy {
        title(&mut canvas, &words, session);
    }
    let there = estimate.classes.iter().filter_map(|it| it.image.as_deref());
    let ramp = Ramp::of(there);
    for (class, said) in estimate.classes.iter().enumerate() {
        let x = margin + class as u32 % columns * (across + gap);
        let y = head + class as u32 / columns * pitch;
        let caption = match (&said.image, said.reliability) {
            (Some(_), Some(r)) if roomy => format!("{class}  R {}", format::reliability(r)),
            (None, _) if roomy => {
                format!("{class}  {} trials", format::count(said.called as f64))
            }
            _ => class.to_string(),
        };
        match &said.image {
            Some(map) if halved => {
                let map = halve(map, 2 * width);
                plot::map(&mut canvas, (x, y), zoom, &map, width, ramp);
            }
            Some(map) => plot::map(&mut canvas, (x, y), zoom, map, width, ramp),
            None => empty(&mut canvas, (x, y), (across, down)),
        }
        canvas.text((x, y + down + 2 * sheet.text), &caption, Paint::Ink);
    }
    let foot = head + rows * pitch;
    let used = ramp.draw(&mut canvas, (margin, foot), (room / 4).max(1));
    let total = match roomy {
        true => format!("  {} trials", format::thousands(estimate.trials)),
        false => String::new(),
    };
    canvas.text((margin + used, foot), &total, Paint::Dim);
    Ok(canvas.finish())
}

/// The means of four pixels each, of a map of an even number of rows and columns.
fn halve(map: &[f32], columns: usize) -> Vec<f32> {
    let half = columns / 2;
    (0..map.len() / 4)
        .map(|at| {
            let first = at / half * 2 * columns + at % half * 2;
            let four = [first, first + 1, first + columns, first + columns + 1];
            four.into_iter().map(|pixel| map[pixel]).sum::<f32>() / 4.0
        })
        .collect()
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

fn title(canvas: &mut Canvas, words: &str, session: &Session) {
    let (margin, row) = (canvas.sheet.margin(), canvas.sheet.row());
    canvas.text((margin, margin), words, Paint::Ink);
    canvas.text((margin, margin + row), &origin(session), Paint::Dim);
}

fn facts(trials: &GammaTrials, estimate: &Estimate, class: usize) -> Vec<String> {
    let said = &estimate.classes[class];
    let mut facts = vec![
        format!("signal strength γ {}", format::gamma(trials.gamma)),
        format!(
            "{} of {} called {class}",
            format::count(said.called as f64),
            format::count(estimate.trials as f64)
        ),
    ];
    if let Some(r) = said.reliability {
        facts.push(format!("reliability {}", format::reliability(r)));
    }
    if let Some(snr) = said.snr {
        facts.push(format!("signal to noise {}", format::number(snr)));
    }
    if let Some(pixels) = said.significant {
        facts.push(format!("{pixels} pixels, |z| > {:.1}", estimate.threshold));
    }
    if let Some(back) = trials.fed_back.get(class).copied().flatten() {
        facts.push(format!(
            "fed back: called {}, {}",
            back.class,
            format::percent(back.confidence)
        ));
    }
    facts
}

fn why(said: &ClassEstimate, trials: &GammaTrials, class: usize) -> String {
    format!(
        "of {} trials {} were called {class}, and each of the groups that are compared needs {}",
        format::thousands(trials.trials),
        format::thousands(said.called),
        trials.min_trials
    )
}

/// Strokes along the edge of chosen pixels of a map.
struct Outline {
    corner: (u32, u32),
    zoom: u32,
    size: (usize, usize),
}

impl Outline {
    fn draw(&self, canvas: &mut Canvas, chosen: impl Fn(usize) -> bool) {
        let (height, width) = self.size;
        let inside = |row: usize, column: usize| {
            row < height && column < width && chosen(row * width + column)
        };
        let thick = canvas.sheet.text;
        for row in 0..height {
            for column in (0..width).filter(|&column| inside(row, column)) {
                let x = self.corner.0 + column as u32 * self.zoom;
                let y = self.corner.1 + row as u32 * self.zoom;
                let last = self.zoom - thick;
                let edges = [
                    (
                        inside(row, column.wrapping_sub(1)),
                        (x, y, thick, self.zoom),
                    ),
                    (inside(row, column + 1), (x + last, y, thick, self.zoom)),
                    (
                        inside(row.wrapping_sub(1), column),
                        (x, y, self.zoom, thick),
                    ),
                    (inside(row + 1, column), (x, y + last, self.zoom, thick)),
                ];
                for (_, (x, y, width, height)) in edges.into_iter().filter(|(joined, _)| !joined) {
                    let edge = Place {
                        x,
                        y,
                        width,
                        height,
                    };
                    canvas.fill(edge, Paint::Ink);
                }
            }
        }
    }
}
