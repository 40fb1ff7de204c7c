//! The shards figure: the progress of the shards of a divided session. One bar per shard, those that need attention
//! first; with many shards, also a strip of all of them above.
//!
//! The state of the shards comes with a session that is assembled from their files, as returned by
//! [`ShardWatcher::poll`](crate::link::shards::ShardWatcher::poll); a session's own file does not contain it.

use super::wording::capitalise;
use super::{FigureError, origin};
use crate::drawing::{Bar, Bars, Drawing, Paint, Point, Rect, Sheet};
use crate::format::{coarse, count, percent, rate};
use crate::session::Session;
use crate::session::run::{ShardState, ShardStatus, shards_in_words};

/// Maximum number of shards with a bar.
const MOST: usize = 30;
/// Maximum number of cells in the strip; with more shards, several share a cell.
const CELLS: usize = 700;
/// The side of a cell, in text sizes, and the share of it left blank.
const CELL: f64 = 1.2;
const FREE: f64 = 0.16;

/// Whether the session is divided and the state of its shards is known.
pub fn is_available(session: &Session) -> bool {
    shards(session).is_ok()
}

fn shards(session: &Session) -> Result<&[ShardState], FigureError> {
    let shards = session.run.as_ref().map(|run| &run.shards[..]);
    shards
        .filter(|all| !all.is_empty())
        .ok_or(FigureError::Missing("shards"))
}

/// Draws a bar per shard, for as many as there is room.
pub fn draw(session: &Session, sheet: Sheet) -> Result<Drawing, FigureError> {
    let shards = shards(session)?;
    let (margin, row) = (sheet.margin(), sheet.line_height());
    let room = sheet.width - 2.0 * margin;
    let mut drawing = Drawing::new(sheet, 0.0);
    let title = format!("{}: {}", number_of(shards), shards_in_words(shards));
    let mut y = drawing.headings(&title, &origin(session));
    let mut order: Vec<&ShardState> = shards.iter().collect();
    order.sort_by_key(|shard| (shard.standing, shard.index));
    if shards.len() > MOST {
        y += strip(&mut drawing, shards, (margin, y), room) + 0.4 * row;
    }
    let (shown, rest) = order.split_at(order.len().min(MOST));
    let bars = bars(shown, shards.len(), sheet, room);
    bars.draw(&mut drawing, (margin, y), room);
    y += bars.height(&drawing);
    let rest: Vec<ShardState> = rest.iter().map(|&shard| shard.clone()).collect();
    let without = (!rest.is_empty()).then(|| format!("without a bar: {}", shards_in_words(&rest)));
    for words in without.into_iter().chain([sums(session, shards)]) {
        y = drawing.paragraph(y, &words, Paint::Dim);
    }
    drawing.height = y + 0.4 * margin;
    drawing.alt_text = alternative(session, shards);
    Ok(drawing)
}

/// The caption.
pub fn caption(session: &Session) -> Option<String> {
    let shards = shards(session).ok()?;
    let strip = match shards.len() {
        ..=MOST => String::new(),
        all => match per_cell(all) {
            1 => " Above: every shard by number; a cell fills as the shard progresses, and is framed if it needs attention.".to_owned(),
            per => format!(" Above: all shards by number, {per} per cell; a cell fills as they progress, and is framed if one needs attention."),
        },
    };
    let bars = match shards.len() {
        ..=MOST => "One bar per shard".to_owned(),
        _ => format!("One bar per shard for the first {MOST}"),
    };
    Some(format!(
        "The {} of a divided session: {}. {bars}, those that need attention first: the share of its own trials done as of its last checkpoint.{strip} {}.",
        number_of(shards),
        shards_in_words(shards),
        capitalise(&sums(session, shards))
    ))
}

/// `1 shard`, `32 shards`.
fn number_of(shards: &[ShardState]) -> String {
    match shards.len() {
        1 => "1 shard".into(),
        all => format!("{all} shards"),
    }
}

/// The share of its work that one of `all` shards has done: of its trials, or if it has none, averaged over the stages
/// whose totals are known.
fn share(shard: &ShardState, all: usize) -> f64 {
    if shard.standing == ShardStatus::Done {
        return 1.0;
    }
    let part = |done: u64, total: f64| (done as f64 / total.max(1.0)).min(1.0);
    if shard.total > 0 {
        return part(shard.done, shard.total as f64);
    }
    // The work that all share is divided into equal parts.
    let known = shard.stages.iter().filter(|(_, total)| *total > 0);
    let known = known.map(|(done, total)| part(*done, *total as f64 / all.max(1) as f64));
    let known: Vec<f64> = known.collect();
    known.iter().sum::<f64>() / known.len().max(1) as f64
}

fn paint(standing: ShardStatus) -> Paint {
    match standing {
        standing if standing.needs_attention() => Paint::Second,
        ShardStatus::Working | ShardStatus::Done => Paint::First,
        _ => Paint::Third,
    }
}

fn bars(shown: &[&ShardState], all: usize, sheet: Sheet, width: f64) -> Bars {
    let texts = |shard: &ShardState| -> [String; 2] {
        let state = shard.standing.label();
        if shard.standing == ShardStatus::NotBegun {
            return [state.to_owned(), state.to_owned()];
        }
        let short = format!("{}, {state}", percent(share(shard, all)));
        match shard.total {
            0 => [short.clone(), short],
            total => {
                let (done, total) = (count(shard.done as f64), count(total as f64));
                [format!("{done} of {total}, {state}"), short]
            }
        }
    };
    let words: Vec<[String; 2]> = shown.iter().map(|shard| texts(shard)).collect();
    // Use the long form for all bars, or for none.
    let fits = |words: &[String; 2]| sheet.text_width(&words[0]) <= 0.4 * width;
    let long = words.iter().all(fits);
    let bars = shown
        .iter()
        .zip(words)
        .map(|(shard, [long_words, short_words])| Bar {
            name: shard.index.to_string(),
            value: Some(share(shard, all)),
            text: if long { long_words } else { short_words },
            paint: paint(shard.standing),
        });
    let title = match shown.len() < all {
        true => format!("share done, the first {} of {all} shards", shown.len()),
        false => "share done by each shard".to_owned(),
    };
    Bars {
        title,
        max: 1.0,
        bars: bars.collect(),
        reference_lines: Vec::new(),
    }
}

/// How many shards share a cell of the strip.
fn per_cell(shards: usize) -> usize {
    shards.div_ceil(CELLS).max(1)
}

/// Draws all shards by number, each as a cell that fills as it progresses; those that need attention are framed.
/// Returns the height in millimetres.
fn strip(drawing: &mut Drawing, shards: &[ShardState], (x, y): Point, width: f64) -> f64 {
    let sheet = drawing.sheet;
    let side = CELL * sheet.text_size();
    let columns = ((width / side) as usize).max(1);
    let inside = side * (1.0 - FREE);
    let cells = shards.chunks(per_cell(shards.len()));
    let rows = cells.len().div_ceil(columns);
    for (index, group) in cells.enumerate() {
        let cell = Rect {
            x: x + (index % columns) as f64 * side,
            y: y + (index / columns) as f64 * side,
            width: inside,
            height: inside,
        };
        let done = group
            .iter()
            .map(|shard| share(shard, shards.len()))
            .sum::<f64>()
            / group.len() as f64;
        // The most urgent shard determines the cell.
        let standing = group
            .iter()
            .map(|shard| shard.standing)
            .min()
            .unwrap_or_default();
        drawing.fill(cell, Paint::Faint);
        let full = Rect {
            y: cell.y + (1.0 - done) * inside,
            height: done * inside,
            ..cell
        };
        drawing.fill(full, paint(standing));
        if standing.needs_attention() {
            drawing.frame(cell, 1.5 * sheet.thin_line(), Paint::Ink);
        }
    }
    rows as f64 * side
}

/// The totals over all shards, as text.
fn sums(session: &Session, shards: &[ShardState]) -> String {
    let (done, total) = shards.iter().fold((0_u64, 0_u64), |(done, total), shard| {
        (
            done.saturating_add(shard.done),
            total.saturating_add(shard.total),
        )
    });
    let mut words = match total {
        0 => "no trials of classification images yet".to_owned(),
        total => format!(
            "{} of {} trials of the shards started, {}",
            count(done as f64),
            count(total as f64),
            percent(done as f64 / total as f64)
        ),
    };
    let per_second: f64 = shards.iter().filter_map(|shard| shard.per_second).sum();
    if per_second > 0.0 {
        words += &format!("; {}", rate(per_second, "trials"));
    }
    if let Some(left) = session.run.as_ref().and_then(|run| run.eta_s) {
        words += &format!("; {} left", coarse(left));
    }
    words
}

fn alternative(session: &Session, shards: &[ShardState]) -> String {
    let least = shards
        .iter()
        .filter(|shard| shard.standing.is_at_work())
        .map(|shard| (shard.index, share(shard, shards.len())))
        .reduce(|a, b| if b.1 < a.1 { b } else { a });
    let least = least.map_or_else(String::new, |(index, share)| {
        format!(
            " Of the running shards, shard {index} is furthest behind, {}.",
            percent(share)
        )
    });
    let urgent = shards
        .iter()
        .filter(|shard| shard.standing.needs_attention());
    let urgent: Vec<String> = urgent
        .take(6)
        .map(|shard| format!("{} ({})", shard.index, shard.standing.label()))
        .collect();
    let urgent = match urgent.is_empty() {
        true => String::new(),
        false => format!(" Shards that need attention: {}.", urgent.join(", ")),
    };
    format!(
        "Bars of the progress of the {} of the session: {}. {}.{urgent}{least}",
        number_of(shards),
        shards_in_words(shards),
        capitalise(&sums(session, shards))
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drawing::Mark;
    use crate::drawing::{layout_faults, test_sheets};
    use crate::session::{Config, Run};

    fn shard(index: u32, standing: ShardStatus, done: u64) -> ShardState {
        ShardState {
            index,
            standing,
            done,
            total: match standing {
                ShardStatus::NotBegun => 0,
                _ => 1000,
            },
            per_second: standing.is_at_work().then_some(100.0),
            ..ShardState::default()
        }
    }

    fn session(shards: Vec<ShardState>) -> Session {
        let mut session = Session::new("divided", Config::default());
        session.run = Some(Run {
            shards,
            eta_s: Some(400.0),
            ..Run::default()
        });
        session
    }

    fn few() -> Session {
        session(vec![
            shard(1, ShardStatus::Working, 250),
            shard(2, ShardStatus::Done, 1000),
            shard(3, ShardStatus::Died, 500),
            shard(4, ShardStatus::NotBegun, 0),
        ])
    }

    #[test]
    fn bars_show_progress_and_the_most_urgent_shard_comes_first() {
        let drawing = draw(&few(), Sheet::DOUBLE).unwrap();
        let bars: Vec<(f64, Paint)> = drawing
            .marks
            .iter()
            .filter_map(|mark| match mark {
                Mark::Fill { rect: place, paint } => Some((place.width, *paint)),
                _ => None,
            })
            .collect();
        let paints: Vec<Paint> = bars.iter().map(|bar| bar.1).collect();
        assert_eq!(
            paints,
            [Paint::Second, Paint::First, Paint::Third, Paint::First]
        );
        let whole = bars[3].0;
        for (bar, share) in bars.iter().zip([0.5, 0.25, 0.0, 1.0]) {
            assert!((bar.0 - share * whole).abs() < 1e-9, "{bars:?}");
        }
        assert!(drawing.title.starts_with("4 shards: 1 died"));
        assert!(drawing.alt_text.contains("3 (died)"));
        let caption = caption(&few()).unwrap();
        assert!(
            caption.contains("1,750 of 3,000 trials of the shards started, 58.3 %"),
            "{caption}"
        );
    }

    #[test]
    fn the_progress_of_a_shard_without_image_trials_follows_its_stages() {
        let shard_state = ShardState {
            standing: ShardStatus::Working,
            stages: vec![(50, 400), (0, 0), (100, 400)],
            ..ShardState::default()
        };
        // Each of four shards has 100 of both.
        assert_eq!(share(&shard_state, 4), 0.75);
        assert_eq!(share(&ShardState::default(), 4), 0.0);
    }

    #[test]
    fn text_fits_and_many_shards_are_drawn_as_cells() {
        let all = |count: u32| {
            let standing = |index: u32| match index % 7 {
                0 => ShardStatus::Stalled,
                1 => ShardStatus::Done,
                2 => ShardStatus::NotBegun,
                _ => ShardStatus::Working,
            };
            let shards =
                (1..=count).map(|index| shard(index, standing(index), u64::from(index) % 900));
            session(shards.collect())
        };
        for session in [few(), all(1), all(30), all(200), all(4000)] {
            for sheet in test_sheets() {
                let drawing = draw(&session, sheet).unwrap();
                assert_eq!(layout_faults(&drawing), [""; 0]);
                let cells = drawing.marks.iter().filter(|mark| {
                    matches!(
                        mark,
                        Mark::Fill {
                            paint: Paint::Faint,
                            ..
                        }
                    )
                });
                let shards = session.run.as_ref().map_or(0, |run| run.shards.len());
                let expected = match shards {
                    200 => 200,
                    // Six per cell.
                    4000 => 667,
                    _ => 0,
                };
                assert_eq!(cells.count(), expected);
            }
        }
    }

    #[test]
    fn an_undivided_session_has_no_figure_of_shards() {
        let whole = Session::new("whole", Config::default());
        assert!(!is_available(&whole));
        assert_eq!(
            draw(&whole, Sheet::SINGLE),
            Err(FigureError::Missing("shards"))
        );
        assert_eq!(caption(&whole), None);
    }
}
