//! Draws the mean of the images called the chosen class, with numbers about it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::selection::PredictionsSelection;
use crate::figure::wording::ends_in_percent;
use crate::format::{percent, thousands};
use crate::ids::ClassId;
use crate::stats::interval::wilson;
use crate::tui::form;
use crate::tui::scene::{Scene, image};
use crate::tui::widget::columns::columns;
use crate::tui::widget::heatmap::{cells, in_proportion};
use crate::tui::widget::text::{below, left, start, top, wrap};

/// Minimum columns of an image that is averaged to fit, or of its place if it is much higher than wide.
const LEAST: u16 = 14;

/// Draws the mean image, as large as integer zooms allow or, if it is too large for them, averaged.
pub fn draw(scene: &Scene<'_>, sight: &PredictionsSelection<'_>, area: Rect, buf: &mut Buffer) {
    let (theme, class, shape) = (scene.theme, sight.class, sight.shape);
    let size = (shape[1], shape[2]);
    let single = cells(size, 1);
    let half = ((single.0 / 2).max(1), single.1.div_ceil(2));
    let places = [cells(size, 3), cells(size, 2), single, half];
    let room = (area.width, area.height.saturating_sub(6));
    let fits = |(width, height): &(u16, u16)| *width <= room.0 && *height <= room.1;
    let words = words(scene, sight, area.width);
    // All numbers go below it.
    let averaged = || {
        let rows = area.height.saturating_sub(2 + words.len() as u16);
        let averaged = in_proportion(size, (area.width, rows));
        let is_roomy = area.width >= LEAST && rows >= LEAST / 2;
        (averaged.0 >= LEAST || is_roomy).then_some(averaged)
    };
    let Some((width, height)) = places.into_iter().find(fits).or_else(averaged) else {
        return;
    };
    let title = title(sight, usize::from(area.width), width);
    left(buf, area, 0, Span::styled(title, theme.bright()));
    if let Some(values) = sight.split.mean_image(class) {
        let image_area = start(top(below(area, 1), height), width);
        image::draw(scene, &values, shape, image_area, buf);
    } else {
        let text = format!(
            "No image was called {}.",
            form::class_name(scene.session, class)
        );
        let lines = wrap(&text, width.max(LEAST));
        for (row, line) in lines.into_iter().enumerate() {
            left(buf, area, 2 + row as u16, Span::styled(line, theme.dim()));
        }
    }
    for (row, line) in words.into_iter().enumerate() {
        left(buf, below(area, height + 2), row as u16, line);
    }
}

/// What the image is the mean of, in full if there is room.
fn title(sight: &PredictionsSelection<'_>, room: usize, picture: u16) -> String {
    let name = form::class_name(sight.session, sight.class);
    let long = format!("mean of images called {name}");
    let fits = columns(&long) <= room;
    let numbered = name.parse::<usize>().is_ok();
    match picture {
        20.. if fits || numbered => long,
        _ if !numbered && fits => long,
        _ => {
            let room = room.saturating_sub("called ".len());
            format!(
                "called {}",
                form::class_name_within(sight.session, sight.class, room)
            )
        }
    }
}

fn words(scene: &Scene<'_>, sight: &PredictionsSelection<'_>, width: u16) -> Vec<Line<'static>> {
    let (theme, split, class) = (scene.theme, sight.split, sight.class);
    let hit = sight.count(class, class);
    let rate = |(name, short): (&str, &str), all: u64| -> Vec<Line<'static>> {
        let Some(interval) = wilson(hit, all) else {
            return Vec::new();
        };
        let value = percent(interval.estimate);
        let ends = ends_in_percent(interval);
        match width {
            ..20 => vec![Line::from(vec![
                Span::styled(format!("{short:<7}"), theme.dim()),
                Span::raw(value),
            ])],
            _ => vec![Line::from(vec![
                Span::styled(format!("{name:<10}"), theme.dim()),
                Span::raw(format!("{value:>7}")),
                Span::styled(format!("  {ends}"), theme.dim()),
            ])],
        }
    };
    let called = thousands(split.called(class));
    let mut lines = vec![match width {
        ..20 => Line::from(vec![
            Span::styled(format!("{:<7}", "images"), theme.dim()),
            Span::raw(called),
        ]),
        _ => Line::from(vec![
            Span::styled(format!("{:<10}", "images"), theme.dim()),
            Span::raw(format!("{called:>7}")),
        ]),
    }];
    lines.extend(rate(("precision", "prec."), split.called(class)));
    lines.extend(rate(("recall", "recall"), split.shown(class)));
    if width < 20 {
        return lines;
    }
    let worst = |count_of: &dyn Fn(ClassId) -> u64| -> String {
        let mut others: Vec<(u64, ClassId)> = ClassId::all(sight.classes)
            .filter(|other| *other != class)
            .map(|other| (count_of(other), other))
            .filter(|(count, _)| *count > 0)
            .collect();
        others.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        let name =
            |other: ClassId| form::class_name_within(sight.session, other, usize::from(width) / 2);
        let mut words: Vec<String> = others
            .iter()
            .take(3)
            .map(|(count, other)| format!("{} ({})", name(*other), thousands(*count)))
            .collect();
        let room = usize::from(width).saturating_sub(10);
        while words.len() > 1 && columns(&words.join(", ")) > room {
            words.pop();
        }
        match words.is_empty() {
            true => "nothing".into(),
            false => words.join(", "),
        }
    };
    let taken = worst(&|other| sight.count(class, other));
    let mixed = worst(&|other| sight.count(other, class));
    lines.push(Line::default());
    for (label, words) in [("taken for ", taken), ("includes ", mixed)] {
        lines.push(Line::from(vec![
            Span::styled(format!("{label:<10}"), theme.dim()),
            Span::raw(words),
        ]));
    }
    lines
}
