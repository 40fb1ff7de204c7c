//! Looks up how many classes a session has, what they are called and how large its pictures are. Views get
//! these only from here: from the session's form or, without one, from its measurements.

use std::ops::Range;

use ratatui::text::Span;

use crate::figure::wording;
use crate::ids::ClassId;
use crate::session::form::Shape;
use crate::session::record::{
    Attack, Backdoor, ClassificationImages, Finding, Modulation, Predictions,
};
use crate::session::{Form, Session};

/// Number of classes; 0 while nothing in the session determines it.
pub fn classes(session: &Session) -> usize {
    let record = &session.record;
    let mut images = record.all::<ClassificationImages>();
    let of_images = images.find_map(|(_, images)| Some(images.gammas.first()?.classes()));
    let of_predictions = || {
        let split = record.first::<Predictions>()?.splits.first()?;
        Some(split.counts.len().isqrt())
    };
    let of_attack = || Some(record.first::<Attack>()?.classes());
    let of_modulation = || Some(record.first::<Modulation>()?.layers.first()?.shown.len());
    let of_backdoor = || Some(finding(session)?.windows.len());
    let known = |count: &usize| *count > 0;
    let form = record.form.as_ref().map(Form::class_count);
    form.or(of_images)
        .filter(known)
        .or_else(|| of_predictions().filter(known))
        .or_else(|| of_attack().filter(known))
        .or_else(|| of_modulation().filter(known))
        .or_else(of_backdoor)
        .unwrap_or(0)
}

/// A class in a sentence or a title: `Dress`; `class 3` where its name is a number.
pub fn class_label(session: &Session, class: ClassId) -> String {
    wording::class_name(&session.record, class)
}

/// A class where it is clear that a class is meant: `Dress`; `3` where its name is a number.
pub fn class_name(session: &Session, class: ClassId) -> String {
    wording::bare_class_name(&session.record, class)
}

/// [`class_name`] in at most `room` columns: the whole name, else its first words if they are unique among the
/// classes, else its number.
pub fn class_name_within(session: &Session, class: ClassId, room: usize) -> String {
    let whole = class_name(session, class);
    if width(&whole) <= room {
        return whole;
    }
    let words: Vec<&str> = whole.split(' ').collect();
    let beginnings = (1..words.len()).rev().map(|count| words[..count].join(" "));
    let is_shared = |beginning: &str| {
        let mut others = ClassId::all(classes(session)).filter(|other| *other != class);
        others.any(|other| class_name(session, other).starts_with(beginning))
    };
    let mut fitting = beginnings.filter(|beginning| width(beginning) < room);
    match fitting.next().filter(|beginning| !is_shared(beginning)) {
        Some(beginning) => format!("{beginning}…"),
        None => class.to_string(),
    }
}

/// Columns of the longest class name.
pub fn widest(session: &Session) -> usize {
    let names = ClassId::all(classes(session)).map(|class| width(&class_name(session, class)));
    names.max().unwrap_or(1)
}

fn width(text: &str) -> usize {
    Span::raw(text).width()
}

/// Any finding of the backdoor study.
fn finding(session: &Session) -> Option<&Finding> {
    let study = session.record.first::<Backdoor>()?;
    let mut networks = study.networks.iter();
    networks.find_map(|network| network.findings.first())
}

/// Channels, rows and columns of the pictures in an array of this shape, i.e. its last three axes; `None` if
/// there are fewer or one is empty.
pub fn picture(shape: &[usize]) -> Option<Shape> {
    match shape {
        [.., channels, height, width] if channels * height * width > 0 => {
            Some([*channels, *height, *width])
        }
        _ => None,
    }
}

/// Channels of a session's maps: those of its images, or fewer if the noise has fewer.
pub fn channels(session: &Session) -> usize {
    let form = session.record.form.as_ref();
    form.map_or(1, |form| form.channels)
}

/// Which of `count` items of a list are visible when `room` of them fit: those around the chosen one.
pub fn window(chosen: usize, count: usize, room: usize) -> Range<usize> {
    let room = room.clamp(1, count.max(1));
    let first = chosen
        .saturating_sub(room / 2)
        .min(count.saturating_sub(room));
    first..(first + room).min(count)
}

/// The most of `count` items around the chosen one that fit; the chosen one alone if no more do.
pub fn most_around(
    chosen: usize,
    count: usize,
    fits: impl Fn(&Range<usize>) -> bool,
) -> Range<usize> {
    let mut windows = (1..=count).rev().map(|room| window(chosen, count, room));
    windows
        .find(fits)
        .unwrap_or_else(|| window(chosen, count, 1))
}

/// Which classes are visible, if not all are, by number: `classes 40–59 of 100`.
pub fn position(shown: &Range<usize>, count: usize) -> Option<String> {
    let all = shown.start == 0 && shown.end >= count;
    (!all).then(|| {
        format!(
            "classes {}–{} of {count}",
            shown.start,
            shown.end.max(1) - 1
        )
    })
}

/// Rows and columns of the pictures in an array of this shape, i.e. its last two axes; `None` if there are
/// fewer or one is empty.
pub fn plane(shape: &[usize]) -> Option<(usize, usize)> {
    match shape {
        [.., height, width] if height * width > 0 => Some((*height, *width)),
        _ => None,
    }
}
