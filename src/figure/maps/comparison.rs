//! The maps of two sessions: each class's map in A, in B, and their difference, with differing pixels outlined. They
//! share one scale, except for classes that it would hide; of several channels the one farthest from zero is drawn, since
//! a pixel is outlined if any differs.

use super::super::{channels, wording};
use super::tile::{NO_MAP, draw_empty, gap, mark_own_scale};
use crate::comparison::{MapComparison, SessionPair};
use crate::drawing::scale::{Reach, Scales};
use crate::drawing::{Drawing, Paint, Ramp, Rect, Sheet, map_of_values, outline};
use crate::format::{self, reliability};
use crate::ids::ClassId;
use crate::stats::comparison::MapDifference;

/// Maximum width of a map in millimetres.
const LARGEST: f64 = 50.0;

/// Width of the column of facts, in text sizes.
const FACTS: f64 = 13.0;

/// Draws the maps of some classes, one row per class.
pub fn comparison(
    pair: &SessionPair<'_>,
    compared: &MapComparison,
    classes: &[ClassId],
    sheet: Sheet,
) -> Drawing {
    let [_, height, width] = compared.shape;
    let (margin, row) = (sheet.margin(), sheet.line_height());
    let facts = FACTS * sheet.text_size();
    let gap = gap(&sheet);
    let room = (sheet.width - 2.0 * margin - facts - 3.0 * gap) / 3.0;
    let across = room.clamp(5.0, LARGEST);
    let down = across * height as f64 / width.max(1) as f64;
    let pitch = down.max(7.0 * row) + 0.7 * row;
    let mut drawing = Drawing::new(sheet, 0.0);
    let head = titles(&mut drawing, pair, compared) + row;
    drawing.height = head + classes.len() as f64 * pitch + row + margin;
    let column = |index: usize| margin + index as f64 * (across + gap);
    let tags = [
        format!("A: {}", pair.names()[0]),
        format!("B: {}", pair.names()[1]),
        "A minus B".into(),
    ];
    for (index, tag) in tags.iter().enumerate() {
        let words = sheet.truncate(tag, across);
        drawing.text((column(index), head - row), &words, Paint::Dim);
    }
    let planes: Vec<[Option<Vec<f32>>; 3]> = classes
        .iter()
        .map(|&class| planes(compared, class))
        .collect();
    let scales = scales(compared, classes, &planes);
    for ((row_index, &class), planes) in classes.iter().enumerate().zip(&planes) {
        let y = head + row_index as f64 * pitch;
        let ramp = Ramp::with_limit(scales.limit(row_index));
        let tile = |side: usize| Rect {
            x: column(side),
            y,
            width: across,
            height: down,
        };
        for (side, plane) in planes.iter().enumerate() {
            match plane {
                Some(plane) => {
                    map_of_values(&mut drawing, tile(side), plane, width, ramp);
                    if scales.has_own_scale(row_index) {
                        mark_own_scale(&mut drawing, tile(side), ramp);
                    }
                }
                None => draw_empty(&mut drawing, tile(side), NO_MAP),
            }
        }
        let difference = compared.classes[class].as_ref();
        if let Some(difference) = difference {
            let bound = compared.bounds.map;
            outline(&mut drawing, tile(2), (height, width), |pixel| {
                let mut all = difference.z.iter().skip(pixel).step_by(height * width);
                all.any(|z| f64::from(z.abs()) > bound)
            });
        }
        let lines = lines(pair, compared, class, difference);
        for (line, words) in lines.iter().enumerate() {
            let paint = if line == 0 { Paint::Ink } else { Paint::Dim };
            let position = (column(3), y + line as f64 * row);
            drawing.text(position, &sheet.truncate(words, facts), paint);
        }
    }
    let foot = head + classes.len() as f64 * pitch;
    Ramp::with_limit(scales.common).draw(&mut drawing, (margin, foot), 0.6 * across);
    drawing.alt_text = alternative(pair, compared, classes);
    let apart = (0..classes.len())
        .filter(|&index| scales.has_own_scale(index))
        .count();
    drawing.caption = caption(pair, compared, apart);
    drawing
}

/// The scales of the rows: the three maps of a class share one.
fn scales(
    compared: &MapComparison,
    classes: &[ClassId],
    planes: &[[Option<Vec<f32>>; 3]],
) -> Scales {
    let reach = |(&class, planes): (&ClassId, &[Option<Vec<f32>>; 3])| {
        let all: Vec<f32> = planes.iter().flatten().flatten().copied().collect();
        let reliability = compared.reliability(class);
        (!all.is_empty()).then(|| Reach::of(&all, 0.0, reliability))
    };
    Scales::of(classes.iter().zip(planes).map(reach))
}

fn heading(pair: &SessionPair<'_>, compared: &MapComparison) -> String {
    format!(
        "{}s of {} and {} at γ {}{}",
        compared.response.image_label(),
        pair.names()[0],
        pair.names()[1],
        format::gamma(compared.gamma),
        channels::strongest_in_words(compared.shape[0])
    )
}

fn differing(compared: &MapComparison) -> String {
    let totals = compared.totals();
    if totals.tested == 0 {
        return "no class has a map in both".into();
    }
    format!(
        "{} of {} differ, |z| > {:.2}; outlined: |z| > {:.2}",
        format::thousands(totals.beyond as u64),
        channels::counted(totals.tested, compared.shape[0]),
        compared.bounds.all,
        compared.bounds.map
    )
}

fn titles(drawing: &mut Drawing, pair: &SessionPair<'_>, compared: &MapComparison) -> f64 {
    drawing.headings(&heading(pair, compared), &differing(compared))
}

fn caption(pair: &SessionPair<'_>, compared: &MapComparison, apart: usize) -> String {
    let scale = match apart {
        0 => "on one scale",
        _ => "on one scale, except for rows marked ±, which have their own",
    };
    let bounds = match (compared.totals().tested, compared.shape[0]) {
        (0, _) => "",
        (_, 1) => " (two-sided, 5 % for all maps together and for each map)",
        _ => {
            " (two-sided, 5 % for all maps together and for each map); a pixel is outlined if any of its channels is \
             beyond, and each map shows the channel that is farthest from zero in it"
        }
    };
    let cautions = compared.cautions();
    let cautions: String = cautions
        .map(|words| format!(" {}.", wording::capitalise(words)))
        .collect();
    let heading = heading(pair, compared);
    format!(
        "{}: each class's map in A ({}), in B ({}) and their difference, A minus B, {scale}. {}{bounds}.{cautions} \
         Noisescope {}.",
        wording::capitalise(&heading),
        pair.names()[0],
        pair.names()[1],
        wording::capitalise(&differing(compared)),
        env!("CARGO_PKG_VERSION")
    )
}

fn alternative(pair: &SessionPair<'_>, compared: &MapComparison, classes: &[ClassId]) -> String {
    let correlation = |class: &ClassId| {
        let difference = compared.classes[*class].as_ref()?;
        Some((pair.class_name(*class), difference.correlation?))
    };
    let known: Vec<(String, f64)> = classes.iter().filter_map(correlation).collect();
    let most = known.iter().max_by(|a, b| a.1.total_cmp(&b.1));
    let least = known.iter().min_by(|a, b| a.1.total_cmp(&b.1));
    let rows = match classes.len() {
        1 => "A row of three maps".to_owned(),
        rows => format!("Rows of three maps, one row for each of {rows} classes"),
    };
    let mut words = format!(
        "{rows}: {}, {}, and the difference. {}.",
        pair.names()[0],
        pair.names()[1],
        wording::capitalise(&differing(compared))
    );
    if let (Some((alike, most)), Some((unlike, least))) = (most, least) {
        words += &match known.len() {
            1 => format!(
                " The two maps of {alike} correlate, r {}.",
                reliability(*most)
            ),
            _ => format!(
                " The maps of {alike} are most alike (r {}), those of {unlike} least (r {}).",
                reliability(*most),
                reliability(*least)
            ),
        };
    }
    words
}

/// The maps of A and B and their difference, each reduced to one plane.
fn planes(compared: &MapComparison, class: ClassId) -> [Option<Vec<f32>>; 3] {
    let plane = |map: &Vec<f32>| channels::strongest(map, compared.shape);
    let of_side = |side| compared.map(side, class).map(|map| plane(&map.image));
    let difference = compared.classes[class].as_ref();
    [
        of_side(0),
        of_side(1),
        difference.map(|difference| plane(&difference.difference)),
    ]
}

fn lines(
    pair: &SessionPair<'_>,
    compared: &MapComparison,
    class: ClassId,
    difference: Option<&MapDifference>,
) -> Vec<String> {
    let mut lines = vec![wording::truncate(
        &format::clean(&pair.class_name(class)),
        40,
    )];
    for (letter, side) in [("A", 0), ("B", 1)] {
        let map = compared.map(side, class);
        lines.push(
            match (
                map.and_then(|map| map.reliability),
                compared.missing_reason(side, class),
            ) {
                (_, Some(why)) => format!("{letter}: {why}"),
                (Some(r), None) => format!("R of {letter} {}", reliability(r)),
                (None, None) => format!("R of {letter} not yet"),
            },
        );
    }
    let Some(difference) = difference else {
        return lines;
    };
    lines.extend(
        difference
            .correlation
            .map(|r| format!("r {}", reliability(r))),
    );
    lines.extend(
        difference
            .corrected
            .map(|r| format!("corrected {}", reliability(r))),
    );
    let differing = channels::counted(difference.significant, compared.shape[0]);
    let verb = match difference.significant {
        1 => "differs",
        _ => "differ",
    };
    lines.push(format!("{differing} {verb}"));
    lines.extend(
        difference
            .clusters
            .as_ref()
            .map(|found| format::counted(found.len() as u64, "cluster", "clusters")),
    );
    lines
}
