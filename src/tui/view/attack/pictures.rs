//! One example of the attack: an image, the pattern, the two blended at the chosen weight, and the network's
//! decision on the blend.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::selection::AttackSelection;
use crate::format::{percent, short};
use crate::ids::ClassId;
use crate::session::form::Shape;
use crate::session::record::{AttackExample, Pattern};
use crate::tui::scene::{Scene, image};
use crate::tui::widget::columns::pad_end;
use crate::tui::widget::heatmap::{cells, in_proportion};
use crate::tui::widget::text::{below, beside, left, start, top, wrap};

/// Minimum columns of the pictures, for the decision below them.
const LEAST: u16 = 16;

/// Columns that a chart needs beside the blend alone.
const CHART: u16 = 46;

/// Minimum columns of a picture whose pixels are averaged.
const LEAST_AVERAGED: u16 = 28;

/// How large the pictures are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct PictureSizes {
    /// Columns and rows of the blend.
    blend: (u16, u16),
    /// Columns and rows of the image and of the pattern above it, if they are shown.
    above: Option<(u16, u16)>,
}

impl PictureSizes {
    /// The choices for images of `size` pixels, roomiest first; the last is of images too large for the others,
    /// averaged to a room of columns × rows with a title above and the decision below.
    fn all(size: (usize, usize), (columns, rows): (u16, u16)) -> Vec<Self> {
        let single = cells(size, 1);
        let averaged = in_proportion(size, (columns, rows.saturating_sub(3)));
        let with = |blend, above| Self { blend, above };
        let mut all = vec![
            with(cells(size, 2), Some(single)),
            with(single, Some(single)),
            with(single, None),
        ];
        all.extend((averaged.0 >= LEAST_AVERAGED).then(|| with(averaged, None)));
        all
    }

    /// Columns and rows of the pictures, a title above each, and a blank row.
    fn extent(&self) -> (u16, u16) {
        let (columns, rows) = self.blend;
        match self.above {
            Some(above) => ((2 * above.0 + 2).max(LEAST), above.1 + rows + 3),
            None => (columns.max(LEAST), rows + 3),
        }
    }

    /// Columns that a chart needs beside the pictures.
    fn chart_needs(&self) -> u16 {
        match self.above {
            Some(_) => 50,
            None => CHART,
        }
    }
}

fn layout(size: (usize, usize), (width, height): (u16, u16)) -> Option<PictureSizes> {
    let fits = |sizes: &PictureSizes| {
        let (columns, rows) = sizes.extent();
        width >= columns + 3 + sizes.chart_needs() && height >= rows
    };
    let room = (width.saturating_sub(3 + CHART), height);
    PictureSizes::all(size, room).into_iter().find(fits)
}

/// Columns that pictures of `size` pixels take in an area; 0 if none fit.
pub fn columns(size: (usize, usize), place: (u16, u16)) -> u16 {
    layout(size, place).map_or(0, |sizes| sizes.extent().0)
}

/// An image blended at a weight: x' = (1−w)·x + w·p, \[H,W\] in \[0,1\].
fn blend(example: &AttackExample, pattern: Option<&[f32]>, w: f64) -> Vec<f32> {
    let image = example.image.values().iter().map(|&x| f32::from(x) / 255.0);
    match pattern {
        None => image.collect(),
        Some(pattern) => {
            let w = w as f32;
            let mix = |(x, &p): (f32, &f32)| (1.0 - w) * x + w * p;
            image.zip(pattern).map(mix).collect()
        }
    }
}

/// The example for the current target.
fn example<'a>(sight: &AttackSelection<'a>) -> Option<&'a AttackExample> {
    let examples = sight.attack.examples.iter();
    examples
        .into_iter()
        .find(|example| example.target == sight.target)
}

fn picture(
    scene: &Scene<'_>,
    (values, shape): (&[f32], Shape),
    (width, height): (u16, u16),
    area: Rect,
    buf: &mut Buffer,
) {
    let picture_area = start(top(area, height), width);
    image::draw(scene, values, shape, picture_area, buf);
}

/// Draws the pictures over `area`, whose width [`columns`] gives.
pub fn draw(scene: &Scene<'_>, sight: &AttackSelection<'_>, area: Rect, buf: &mut Buffer) {
    let theme = scene.theme;
    let (size, shape) = (sight.size(), sight.shape);
    let fits = |sizes: &PictureSizes| {
        let (columns, rows) = sizes.extent();
        columns <= area.width && rows <= area.height
    };
    let all = PictureSizes::all(size, (area.width, area.height));
    let Some(sizes) = all.into_iter().find(fits) else {
        return;
    };
    let Some(example) = example(sight) else {
        let text = format!("No example for target {} yet.", sight.name(sight.target));
        for (row, line) in wrap(&text, area.width).into_iter().enumerate() {
            left(buf, area, row as u16, Span::styled(line, theme.dim()));
        }
        return;
    };
    let pattern = sight.attack.pattern(sight.pattern, sight.target);
    let mut place = area;
    if let Some(single) = sizes.above {
        let room = (single.0 + 1).saturating_sub("image of ".len() as u16);
        let title = format!("image of {}", sight.name_within(example.truth, room));
        left(
            buf,
            start(place, single.0 + 1),
            0,
            Span::styled(title, theme.dim()),
        );
        let image = blend(example, None, 0.0);
        picture(scene, (&image, shape), single, below(place, 1), buf);
        let other = beside(place, single.0 + 2);
        left(
            buf,
            other,
            0,
            Span::styled(name(sight, other.width), theme.dim()),
        );
        match pattern {
            Some(pattern) => picture(scene, (pattern, shape), single, below(other, 1), buf),
            None => {
                let place = start(top(below(other, 1), single.1), single.0);
                let lines = absent(&sight.name(sight.target), (place.width, place.height));
                // Below a blank row, if there is one.
                let first = u16::from(lines.len() < usize::from(place.height));
                for (row, line) in lines.into_iter().enumerate() {
                    left(buf, place, first + row as u16, Span::raw(line));
                }
            }
        }
        place = below(place, single.1 + 2);
    }
    let title = match pattern {
        Some(_) => format!("the image with w {} of it", short(sight.w)),
        None => {
            let room = place.width.saturating_sub("image of ".len() as u16);
            format!("image of {}", sight.name_within(example.truth, room))
        }
    };
    left(buf, place, 0, Span::styled(title, theme.dim()));
    let blended = blend(example, pattern, sight.w);
    picture(scene, (&blended, shape), sizes.blend, below(place, 1), buf);
    let (columns, rows) = sizes.blend;
    let in_column = columns + 2 + 18 <= place.width;
    let text_area = match in_column {
        true => beside(below(place, 1), columns + 2),
        false => below(place, rows + 1),
    };
    let lines = verdict(scene, sight, example, (text_area.width, in_column));
    for (row, line) in lines.into_iter().enumerate() {
        left(buf, text_area, row as u16, line);
    }
}

/// Why there is no pattern of the class of this name, in as many words as fit in these columns and rows.
fn absent(class: &str, (width, height): (u16, u16)) -> Vec<String> {
    let whole = format!("Too few trials were called {class}.");
    let texts = [whole.as_str(), "Too few trials.", "too few"];
    let mut wrapped = texts.into_iter().map(|text| wrap(text, width));
    wrapped
        .find(|lines| lines.len() <= usize::from(height))
        .unwrap_or_default()
}

/// The name of the chosen pattern, with its class.
fn name(sight: &AttackSelection<'_>, width: u16) -> String {
    let pattern = sight.attack.kinds[sight.pattern];
    match pattern {
        Pattern::Random => "random control".into(),
        _ => {
            let room = width.saturating_sub(pattern.label().len() as u16 + 4);
            let name = sight.name_within(sight.target, room);
            format!("{} of {name}", pattern.label())
        }
    }
}

/// Maximum columns of a class's name in the decision.
const NAME: usize = 12;

/// The network's decision on the blend, in at most this many columns; with more detail if it has its own column.
fn verdict(
    scene: &Scene<'_>,
    sight: &AttackSelection<'_>,
    example: &AttackExample,
    (width, column): (u16, bool),
) -> Vec<Line<'static>> {
    let theme = scene.theme;
    let Some((called, confidence)) = decision(sight, example) else {
        return Vec::new();
    };
    let reached = called == example.target;
    let style = if reached {
        theme.chosen()
    } else {
        theme.bright()
    };
    let word = match called {
        called if called == example.target => "the target",
        called if called == example.truth => "what it is",
        _ => "neither",
    };
    let indent = if width >= 20 { 12 } else { 7 };
    let width = usize::from(width);
    let named = |class, taken: usize| {
        let room = width.saturating_sub(taken).min(NAME);
        sight.name_within(class, room as u16)
    };
    let share = percent(confidence);
    let taken = "target  ".len() + share.len();
    let target = format!("target {}", named(example.target, taken));
    let target = format!("{} {share}", pad_end(&target, indent - 1));
    let mut decision = vec![
        Span::styled(pad_end("called", indent), theme.dim()),
        Span::styled(named(called, indent), style),
        Span::styled(format!("  {word}"), theme.dim()),
    ];
    // Whole or not at all.
    if decision.iter().map(Span::width).sum::<usize>() > width {
        decision.pop();
    }
    let mut target = vec![Span::raw(target), Span::styled("  likely", theme.dim())];
    if target.iter().map(Span::width).sum::<usize>() > width {
        target.pop();
    }
    let mut lines = vec![Line::from(decision), Line::from(target)];
    if column {
        lines.push(Line::default());
        let from = first_weight(sight, example);
        let text = match from {
            Some(w) => {
                let name = sight.name(example.target);
                format!("It is called {name} from w {} up.", short(w))
            }
            None => format!("It is never called {}.", sight.name(example.target)),
        };
        lines.extend(wrap(&text, 26).into_iter().map(Line::from));
        if let Some(text) = mistakes(sight) {
            lines.push(Line::default());
            let wrapped = wrap(&text, 26).into_iter();
            lines.extend(wrapped.map(|line| Line::from(Span::styled(line, theme.dim()))));
        }
    }
    lines
}

/// A sentence on the mistakes of any kind at the chosen weight of the pattern, over all targets that it was shown for.
fn mistakes(sight: &AttackSelection<'_>) -> Option<String> {
    let rate = sight
        .attack
        .untargeted(sight.pattern, sight.weight)?
        .rate()?;
    let shown = |target: &ClassId| {
        let outcomes = sight
            .attack
            .outcomes(0, sight.pattern, *target, sight.weight);
        outcomes.all > 0
    };
    let all = sight.attack.classes();
    let targets = match sight.attack.targets(sight.pattern).filter(shown).count() {
        some if some == all => format!("all {all} targets"),
        some => format!("{some} of {all} targets"),
    };
    Some(format!(
        "Over {targets}, {} of the test images are misclassified at w {}.",
        percent(rate),
        short(sight.w)
    ))
}

/// The network's decision on the current blend, and its confidence in the target.
fn decision(sight: &AttackSelection<'_>, example: &AttackExample) -> Option<(ClassId, f64)> {
    let index = sight.pattern * sight.attack.weights.len() + sight.weight;
    Some((*example.called.get(index)?, *example.confidence.get(index)?))
}

/// The weight from which the example is always called the target.
fn first_weight(sight: &AttackSelection<'_>, example: &AttackExample) -> Option<f64> {
    let weights = &sight.attack.weights;
    let from = sight.pattern * weights.len();
    let called = example.called.get(from..from + weights.len())?;
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by(|&a, &b| weights[b].total_cmp(&weights[a]));
    let reached = order
        .into_iter()
        .take_while(|&index| called[index] == example.target);
    reached.last().map(|index| weights[index])
}

/// The decision in one line, if there is no room for pictures.
pub fn sentence(scene: &Scene<'_>, sight: &AttackSelection<'_>, area: Rect, buf: &mut Buffer) {
    let Some(example) = example(sight) else {
        return;
    };
    let Some((called, confidence)) = decision(sight, example) else {
        return;
    };
    let room = area.width.saturating_sub(44) / 3;
    let name = |class| sight.name_within(class, room);
    let text = format!(
        "an image of {} is called {}, target {} at {}",
        name(example.truth),
        name(called),
        name(example.target),
        percent(confidence)
    );
    left(buf, area, 0, Span::styled(text, scene.theme.dim()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_larger_than_its_place_is_averaged() {
        assert_eq!(columns((224, 224), (118, 35)), 64);
        assert_eq!(columns((224, 224), (78, 20)), 29);
        // Too small to recognise anything.
        assert_eq!(columns((224, 224), (70, 20)), 0);
        assert_eq!(columns((28, 28), (73, 20)), 0);
    }

    #[test]
    fn why_a_pattern_is_missing_fits_in_the_place_of_its_picture() {
        let class = "a kind of animal with a long name";
        assert_eq!(
            absent(class, (28, 14)),
            [
                "Too few trials were called a",
                "kind of animal with a long",
                "name."
            ]
        );
        assert_eq!(absent(class, (8, 4)), ["Too few", "trials."]);
        assert_eq!(absent(class, (8, 1)), ["too few"]);
        assert_eq!(absent(class, (2, 1)), [""; 0]);
    }
}
