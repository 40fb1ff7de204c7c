//! The maps of every class that the plan asks for, on one scale but for those that it would hide: of
//! several channels their mean. Likewise their z, and the mean stimuli.

use std::sync::Arc;

use super::super::tiles::{self, Tiles, Wanted};
use super::super::{FigureError, channels, choice, images, names, origin};
use super::tile::{empty, gap, own_scale};
use super::{short_name, smoothing, trials};
use crate::drawing::scale::{Reach, Scales};
use crate::drawing::{
    Drawing, Paint, Place, Ramp, Sheet, image_of_colours, map_of_values, outline,
};
use crate::format;
use crate::session::Session;
use crate::session::config::Response;
use crate::session::record::{GammaTrials, Record};
use crate::stats::classification::{ClassEstimate, Estimate};

/// What is shown of every class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shows {
    /// Its map.
    Maps,
    /// Its map over its standard error, what is significant outlined.
    Significance,
    /// The mean of the stimuli that were called so.
    Means,
}

/// A class as it is drawn.
struct Shown<'a> {
    class: usize,
    trials: &'a GammaTrials,
    estimate: Arc<Estimate>,
    /// What is shown of it, on a plane; `None` where there is nothing.
    map: Option<Vec<f32>>,
    /// In colour.
    colours: Option<Vec<f32>>,
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
    shows: Shows,
    sheet: Sheet,
) -> Result<Drawing, FigureError> {
    let (first, response) = trials(session, place, gamma, choice::showing_most)?;
    let (margin, row) = (sheet.margin(), sheet.row());
    let caption = 2.0 * row + 0.3 * row;
    let listed = &first.listed;
    let tiles = Tiles::fit(Wanted {
        count: listed.len(),
        size: first.size(),
        room: sheet.width - 2.0 * margin,
        gap: gap(&sheet),
        caption,
    });
    let own = images(session, place.0)?;
    let of_class = |&class: &usize| {
        let trials = match gamma {
            Some(_) => first,
            None => &own.gammas[choice::best(own, response, class, None)],
        };
        shown((trials, response), class, shows, tiles.shrink)
    };
    let classes: Vec<Shown<'_>> = listed.iter().map(of_class).collect();
    if shows == Shows::Means && classes.iter().all(|it| it.map.is_none()) {
        return Err(FigureError::Nothing("mean stimuli"));
    }
    let mixed = classes
        .iter()
        .any(|it| it.trials.gamma != classes[0].trials.gamma);
    let first = classes.first().map_or(first, |it| it.trials);
    let mut drawing = Drawing::new(sheet, 0.0);
    let smoothing = smoothing(session, place.0);
    let smoothing = smoothing.map_or_else(String::new, |words| format!(", {words}"));
    let heading = heading(first, (response, shows), mixed) + &smoothing;
    let head = drawing.headings(&heading, &origin(session));
    drawing.height = head + tiles.height(caption) + 1.2 * row + margin;
    let columns = first.size().1.div_ceil(tiles.shrink);
    let painted = Painted::of(&classes, response, shows);
    for (at, shown) in classes.iter().enumerate() {
        let (x, y) = tiles.corner(at, (margin, head), gap(&sheet), caption);
        let tile = Place {
            x,
            y,
            width: tiles.across,
            height: tiles.down,
        };
        painted.draw(&mut drawing, tile, (at, shown), columns);
        let name = names::bare(&session.record, shown.class);
        let at = mixed.then_some(shown.trials.gamma);
        let lines = captions(&name, (shown, response, at, shows), tiles.across, &sheet);
        for (line, words) in lines.iter().enumerate() {
            let below = (x, tile.bottom() + 0.1 * row + line as f64 * row);
            let paint = if line == 0 { Paint::Ink } else { Paint::Dim };
            drawing.text(below, words, paint);
        }
    }
    let foot = head + tiles.height(caption);
    let room = sheet.width - 2.0 * margin;
    let used = painted.legend(&mut drawing, (margin, foot), 0.25 * room);
    let trials = (!mixed).then_some(first.trials);
    let words = foot_words(&session.record, first, trials, painted.apart(classes.len()));
    let words = sheet.cut(&words, room - used - row);
    drawing.text((margin + used + row, foot), &words, Paint::Dim);
    drawing.alternative = alternative(&session.record, &classes, (response, shows), mixed);
    Ok(drawing)
}

/// A class with what is shown of it, of which squares of `side` pixels become one.
fn shown<'a>(
    (trials, response): (&'a GammaTrials, Response),
    class: usize,
    shows: Shows,
    side: usize,
) -> Shown<'a> {
    let estimate = trials.estimate();
    let said = &estimate.classes[class];
    let shape = trials.shape();
    let own = match shows {
        Shows::Maps => said.image(response).map(|own| &own.image),
        Shows::Significance => said.image(response).map(|own| &own.z),
        // The mean of a few trials is their noise.
        Shows::Means => said
            .mean_stimulus
            .as_ref()
            .filter(|_| said.called >= trials.min_trials),
    };
    // A pixel that is significant must not be averaged away.
    let small = |map: &[f32]| match (side, shows) {
        (1, _) => map.to_vec(),
        (side, Shows::Significance) => tiles::strongest(map, trials.size(), side),
        (side, _) => tiles::shrink(map, trials.size(), side),
    };
    let colours = own.filter(|_| shows == Shows::Means && shape[0] == channels::RGB);
    let colours = colours.map(|own| {
        let of = |channel| small(channels::channel(own, shape, channel));
        (0..channels::RGB).flat_map(of).collect()
    });
    // A mean over channels has another z than each of them: the largest one tells what there is.
    let plane = |own: &Vec<f32>| match shows {
        Shows::Significance => channels::strongest(own, shape),
        _ => channels::luminance(own, shape),
    };
    let map = own.map(|own| small(&plane(own)));
    Shown {
        class,
        trials,
        estimate,
        map,
        colours,
    }
}

/// How the tiles are painted.
enum Painted {
    /// Around zero, on these scales.
    Signed(Scales, Shows),
    /// Images, from this value (black) to this (white).
    Images(f32, f32),
}

impl Painted {
    fn of(classes: &[Shown<'_>], response: Response, shows: Shows) -> Self {
        if shows == Shows::Means {
            let values = classes
                .iter()
                .flat_map(|it| it.colours.iter().chain(&it.map));
            let values = values.flatten().filter(|value| value.is_finite());
            let (low, high) = values.fold((f32::MAX, f32::MIN), |(low, high), &value| {
                (low.min(value), high.max(value))
            });
            return match low < high {
                true => Self::Images(low, high),
                false => Self::Images(0.0, 1.0),
            };
        }
        let reach =
            |it: &Shown<'_>| Some(Reach::of(it.map.as_ref()?, 0.0, it.reliability(response)));
        Self::Signed(Scales::of(classes.iter().map(reach)), shows)
    }

    fn draw(
        &self,
        drawing: &mut Drawing,
        tile: Place,
        (at, shown): (usize, &Shown<'_>),
        columns: usize,
    ) {
        let Some(map) = &shown.map else {
            return empty(drawing, tile);
        };
        match self {
            Self::Signed(scales, shows) => {
                let ramp = Ramp::to(scales.limit(at));
                map_of_values(drawing, tile, map, columns, ramp);
                if *shows == Shows::Significance {
                    let threshold = shown.estimate.threshold;
                    let size = (map.len() / columns.max(1), columns);
                    outline(drawing, tile, size, |pixel| {
                        f64::from(map[pixel].abs()) > threshold
                    });
                }
                if scales.is_apart(at) {
                    own_scale(drawing, tile, ramp);
                }
            }
            Self::Images(low, high) => {
                let share = |value: f32| ((value - low) / (high - low)).clamp(0.0, 1.0);
                let byte = |value: f32| (share(value) * 255.0).round() as u8;
                let colours: Vec<[u8; 3]> = match &shown.colours {
                    Some(colours) => (0..map.len())
                        .map(|at| [0, 1, 2].map(|channel| byte(colours[channel * map.len() + at])))
                        .collect(),
                    None => map.iter().map(|&value| [byte(value); 3]).collect(),
                };
                image_of_colours(drawing, tile, &colours, columns);
            }
        }
    }

    /// What colours stand for; gives the millimetres that it takes.
    fn legend(&self, drawing: &mut Drawing, at: (f64, f64), width: f64) -> f64 {
        match self {
            Self::Signed(scales, _) => Ramp::to(scales.common).draw(drawing, at, width),
            Self::Images(low, high) => {
                let words = format!(
                    "black {}, white {}",
                    format::short(f64::from(*low)),
                    format::short(f64::from(*high))
                );
                drawing.text(at, &words, Paint::Dim);
                drawing.sheet.text_width(&words)
            }
        }
    }

    /// How many maps have a scale of their own.
    fn apart(&self, count: usize) -> usize {
        match self {
            Self::Signed(scales, _) => (0..count).filter(|&at| scales.is_apart(at)).count(),
            Self::Images(..) => 0,
        }
    }
}

fn heading(trials: &GammaTrials, (response, shows): (Response, Shows), mixed: bool) -> String {
    let what = match shows {
        Shows::Maps => format!("{}s", response.image_label()),
        Shows::Significance => format!("z of {}s", response.image_label()),
        Shows::Means => "mean stimuli by what they were called".to_owned(),
    };
    let mean = match (trials.shape()[0], shows) {
        (1, _) | (channels::RGB, Shows::Means) => String::new(),
        (channels, Shows::Significance) => format!(", strongest of {channels} channels"),
        (channels, _) => format!(", mean of {channels} channels"),
    };
    let grain = super::grain(trials).map_or_else(String::new, |words| format!(", {words}"));
    let at = match mixed {
        true => ", each class at its best γ".to_owned(),
        false => format!(" at γ {}", format::gamma(trials.gamma)),
    };
    format!("{what}{at}{mean}{grain}")
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
            names::of_class(record, class)
        )),
        _ => Some(format!(
            "no maps of {} other classes in the plan",
            others.len()
        )),
    });
    parts.join(", ")
}

/// The name of a class and what is known of its map, in one line or two.
fn captions(
    name: &str,
    (shown, response, at, shows): (&Shown<'_>, Response, Option<f64>, Shows),
    across: f64,
    sheet: &Sheet,
) -> Vec<String> {
    let said = shown.said();
    let map = said.image(response);
    let called = || format!("{} trials", format::count(said.called as f64));
    let mut more: Vec<String> = at
        .map(|gamma| format!("γ {}", format::gamma(gamma)))
        .into_iter()
        .collect();
    more.extend(match (shows, map, map.and_then(|map| map.reliability)) {
        (Shows::Means, ..) | (_, None, _) => Some(called()),
        (Shows::Significance, Some(map), _) => Some(format!("{} pixels", map.significant)),
        (Shows::Maps, Some(_), Some(r)) => Some(format!("R {}", choice::said(r))),
        _ => None,
    });
    let room = across + 0.5 * gap(sheet);
    let name = short_name(name, room, *sheet);
    let fits = |words: &String| sheet.text_width(words) <= room;
    let whole = format!("{name}  {}", more.join(" "));
    if !more.is_empty() && fits(&whole) {
        return vec![whole];
    }
    // The last of what is known is what tells most.
    let second = std::iter::once(more.join(" "))
        .chain(more.last().cloned())
        .find(fits);
    std::iter::once(name)
        .chain(second.filter(|it| !it.is_empty()))
        .collect()
}

fn alternative(
    record: &Record,
    classes: &[Shown<'_>],
    (response, shows): (Response, Shows),
    mixed: bool,
) -> String {
    let count = classes.iter().filter(|it| it.map.is_some()).count();
    let what = match shows {
        Shows::Maps => format!("{}s", response.image_label()),
        Shows::Significance => format!("z maps of the {}s", response.image_label()),
        Shows::Means => "mean stimuli".to_owned(),
    };
    let at = if mixed {
        ", each class at the signal strength that shows it best"
    } else {
        ""
    };
    let mut words = format!(
        "A sheet of {} {what} out of {} classes{at}.",
        count,
        classes.len()
    );
    if shows == Shows::Means {
        return words;
    }
    let known = classes
        .iter()
        .filter_map(|it| Some((it.class, it.reliability(response)?)));
    let most = known.clone().max_by(|a, b| a.1.total_cmp(&b.1));
    let least = known.min_by(|a, b| a.1.total_cmp(&b.1));
    if let (Some((best, most)), Some((worst, least))) = (most, least) {
        words += &format!(
            " The most reliable is that of {} (R {}), the least that of {} (R {}).",
            names::of_class(record, best),
            format::reliability(most),
            names::of_class(record, worst),
            format::reliability(least)
        );
    }
    if shows == Shows::Significance {
        let significant = classes.iter().filter_map(|it| it.said().image(response));
        let most = significant.map(|map| map.significant).max().unwrap_or(0);
        words += &format!(" Outlined are significant pixels, up to {most} in a map.");
    }
    words
}
