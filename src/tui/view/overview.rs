//! The whole run at a glance: its pictures so far, its stages, its speed.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::lens::{Lens, RELIABLE};
use super::progress::{current, stages};
use super::sheet::{self, Layout};
use super::{Log, Scene, View, training};
use crate::session::record::{ClassificationImages, Epoch, GammaTrials};
use crate::session::run::Stage;
use crate::tui::action::Place;
use crate::tui::format::{count, duration, gamma, number, percent};
use crate::tui::state::{MapKind, State};
use crate::tui::theme::Line as Wire;
use crate::tui::widget::bar::{between, progress, spark};
use crate::tui::widget::scale;
use crate::tui::widget::text::{below, beside, centre, left, right, start, top};

/// The view.
pub const VIEW: View = View {
    name: "Overview",
    draw,
    places,
    columns,
    pace: Duration::from_millis(500),
    log: Log::WhereRoom,
};

fn places(_: &State) -> &'static [Place] {
    &[Place::Sheet]
}

fn columns(scene: &Scene<'_>, area: Rect) -> usize {
    layout(scene, area).map_or(1, |(layout, _)| layout.columns)
}

/// The images with at least one trial.
fn images<'a>(scene: &Scene<'a>) -> Option<&'a ClassificationImages> {
    let images = scene.state.images_in(scene.session);
    images.filter(|images| images.trials() > 0)
}

/// Pictures above, figures below.
fn split(scene: &Scene<'_>, area: Rect) -> (Rect, Rect) {
    let stages = stages(scene.session).len() as u16;
    let gammas = u16::from(images(scene).is_some());
    let roomy = u16::from(area.height >= 20);
    // A blank row, the stages, reliability, a blank row, sparks.
    let figures = roomy + stages + gammas + roomy + 1;
    let pictures = area.height.saturating_sub(figures);
    (top(area, pictures), below(area, pictures + roomy))
}

fn layout(scene: &Scene<'_>, area: Rect) -> Option<(Layout, Rect)> {
    let (pictures, _) = split(scene, area);
    let lens = Lens::new(images(scene)?, scene.state)?;
    let place = below(pictures, 1);
    let size = (place.width, place.height);
    let layout = Layout::fit(lens.classes(), lens.trials.size(), size, 2);
    Some((layout, place))
}

fn draw(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let (pictures, figures) = split(scene, area);
    if let Some((layout, place)) = layout(scene, area) {
        maps(scene, layout, pictures, place, buf);
    } else if scene.session.record.training.is_some() {
        training::charts(scene, pictures, buf);
    } else {
        let text = match &scene.session.run {
            Some(_) => "Reading images and building the network. Training comes first.",
            None => "Nothing has been measured yet. Run the session to begin.",
        };
        let text = Span::styled(text, scene.theme.dim());
        centre(buf, pictures, pictures.height / 2, text);
    }
    let mut row = 0;
    for (index, stage) in stages(scene.session).iter().enumerate() {
        stage_line(scene, index, stage, below(figures, row), buf);
        row += 1;
    }
    if let Some(images) = images(scene) {
        reliability_line(scene, images, below(figures, row), buf);
        row += 1;
    }
    row += u16::from(area.height >= 20);
    sparks(scene, below(figures, row), buf);
}

fn maps(scene: &Scene<'_>, layout: Layout, pictures: Rect, place: Rect, buf: &mut Buffer) {
    let Some(lens) = images(scene).and_then(|images| Lens::best(images, scene.state)) else {
        return;
    };
    let lens = lens.of(MapKind::Image);
    let theme = scene.theme;
    let head = match lens.nothing() {
        None => {
            let (ramp, bar) = (lens.common_ramp(), if pictures.width < 76 { 8 } else { 16 });
            let width = scale::columns(ramp, bar);
            let rest = pictures.width.saturating_sub(width);
            scale::draw(ramp, bar, beside(pictures, rest), theme, buf);
            start(pictures, rest.saturating_sub(2))
        }
        Some(_) if lens.takes_all().is_some() => {
            let hint = Line::from(vec![
                Span::styled("no class can be compared: press ", theme.warning()),
                Span::styled("]", theme.chosen()),
            ]);
            let used = right(buf, pictures, 0, hint);
            start(pictures, pictures.width.saturating_sub(used + 2))
        }
        Some(_) => pictures,
    };
    let glyph = theme.glyphs.gamma;
    let words = match lens.is_mixed() {
        true => vec![Span::raw(format!("each class at its best {glyph}"))],
        false => {
            let trials = count(lens.estimate.trials as f64);
            vec![
                Span::raw(format!("{glyph} {}  ", gamma(lens.estimate.gamma))),
                Span::styled(format!("{trials} trials"), theme.dim()),
            ]
        }
    };
    let name = Span::styled("classification images  ", theme.bright());
    let named = [&[name], words.as_slice()].concat();
    let fits = Line::from(named.clone()).width() <= usize::from(head.width);
    let title = if fits { named } else { words };
    left(buf, head, 0, Line::from(title));
    sheet::draw(scene, &lens, layout, place, buf);
    let used = layout.step * layout.columns as u16 + 2;
    let rest = beside(place, used);
    if rest.width >= 40 && rest.height >= 16 {
        training::stacked(scene, top(rest, 34), buf);
    }
}

fn stage_line(scene: &Scene<'_>, index: usize, stage: &Stage, area: Rect, buf: &mut Buffer) {
    let theme = scene.theme;
    let active = current(scene.session) == Some(index);
    let (mark, style) = if stage.finished {
        (theme.glyphs.done, theme.dim())
    } else if active {
        (theme.glyphs.working, theme.accent())
    } else {
        (theme.glyphs.waiting, theme.dim())
    };
    let name_style = if active { theme.bright() } else { theme.text() };
    left(
        buf,
        area,
        0,
        Line::from(vec![
            Span::styled(format!("{mark} "), style),
            Span::styled(stage.name.clone(), name_style),
        ]),
    );
    let area = beside(area, 25);
    let unit = &stage.unit;
    let (done, total) = (count(stage.done as f64), count(stage.total as f64));
    if stage.finished {
        let used = left(buf, area, 0, format!("{done} {unit}")).max(18) + 2;
        let rest = beside(area, used);
        let mut parts = result(scene, stage);
        while parts.iter().map(|part| part.len() + 3).sum::<usize>() > usize::from(rest.width) + 3 {
            parts.pop();
        }
        left(buf, rest, 0, Span::styled(parts.join("   "), theme.dim()));
        return;
    }
    if stage.done == 0 && !active {
        let text = format!("waits for its turn: {total} {unit}");
        left(buf, area, 0, Span::styled(text, theme.dim()));
        return;
    }
    let words = format!("{done} / {total} {unit}");
    let used = left(buf, area, 0, words) + 2;
    let area = beside(area, used);
    let what = if unit == "epochs" { "images" } else { unit };
    let rate = stage
        .per_second
        .map(|rate| format!("{} {what}/s", theme.rate(rate)));
    let left_over = stage
        .eta_s
        .map(|eta| format!("{} left", theme.duration(eta)));
    // On a narrow screen the time left stands in the header, so it goes first here.
    let mut end = [rate, left_over].into_iter().flatten().collect::<Vec<_>>();
    while end.join("   ").len() + 8 > usize::from(area.width) && end.pop().is_some() {}
    let taken = right(buf, area, 0, Span::raw(end.join("   "))) + 2;
    let room = area.width.saturating_sub(taken).min(48);
    if room >= 6 && stage.total > 0 {
        let share = fraction(scene, stage);
        left(buf, area, 0, Line::from(progress(share, room, theme)));
    }
}

/// Share of a stage that is done; in training, batches of the unfinished epoch count.
fn fraction(scene: &Scene<'_>, stage: &Stage) -> f64 {
    let mut done = stage.done as f64;
    if stage.unit == "epochs"
        && let Some(training) = &scene.session.record.training
        && training.partial.of > 0
    {
        done += training.partial.batches as f64 / training.partial.of as f64;
    }
    done / stage.total as f64
}

/// What came of a finished stage, the most important first.
fn result(scene: &Scene<'_>, stage: &Stage) -> Vec<String> {
    let mut parts = Vec::new();
    if stage.unit == "epochs"
        && let Some(training) = &scene.session.record.training
    {
        if let Some(accuracy) = training.test_accuracy {
            parts.push(format!("test {}", percent(accuracy)));
        }
        if let Some(best) = training.best_epoch {
            parts.push(format!("best epoch {best}"));
        }
    }
    if stage.seconds >= 1.0 {
        parts.push(duration(stage.seconds));
    }
    parts
}

fn reliable(trials: &GammaTrials) -> Option<(usize, usize)> {
    if trials.trials == 0 {
        return None;
    }
    let estimate = trials.estimate();
    let good = |r: Option<f64>| r.is_some_and(|r| r >= RELIABLE);
    let reliable = estimate.classes.iter().filter(|c| good(c.reliability));
    Some((reliable.count(), estimate.classes.len()))
}

fn reliability_line(
    scene: &Scene<'_>,
    images: &ClassificationImages,
    area: Rect,
    buf: &mut Buffer,
) {
    let theme = scene.theme;
    // Those that the maps above are seen at.
    let lens = Lens::best(images, scene.state);
    let seen = |gamma: f64| {
        let mut classes = 0..lens.iter().map(Lens::classes).sum();
        classes.any(|class| lens.as_ref().and_then(|lens| lens.gamma_of(class)) == Some(gamma))
    };
    #[derive(Clone, Copy, PartialEq)]
    enum Words {
        All,
        Some,
        Few,
    }
    let line = |words: Words| -> Line<'static> {
        let mut spans = Vec::new();
        for (place, trials) in images.gammas.iter().enumerate() {
            let style = if seen(trials.gamma) {
                theme.chosen()
            } else {
                theme.text()
            };
            let name = if words == Words::Few && place > 0 {
                gamma(trials.gamma)
            } else {
                format!("{} {}", theme.glyphs.gamma, gamma(trials.gamma))
            };
            spans.push(Span::styled(name, style));
            spans.push(Span::raw(match reliable(trials) {
                Some((good, all)) => format!(" {good}/{all}"),
                None => " -".into(),
            }));
            if words == Words::All {
                let trials = format!(" of {}", count(trials.trials as f64));
                spans.push(Span::styled(trials, theme.dim()));
            }
            spans.push(Span::raw(if words == Words::Few { "  " } else { "   " }));
        }
        spans.into()
    };
    let label = format!("reliable, R {} {RELIABLE}", theme.glyphs.at_least);
    let room = usize::from(area.width) + 3;
    let (label, indent, line) = if line(Words::All).width() + 25 <= room {
        (label, 25, line(Words::All))
    } else if line(Words::Some).width() + 25 <= room {
        (label, 25, line(Words::Some))
    } else {
        ("reliable".into(), 11, line(Words::Few))
    };
    left(buf, beside(area, 2), 0, Span::styled(label, theme.dim()));
    left(buf, beside(area, indent), 0, line);
}

/// Loss, accuracy and speed: the last value of each, and how it came there.
fn sparks(scene: &Scene<'_>, area: Rect, buf: &mut Buffer) {
    let theme = scene.theme;
    let third = area.width / 3;
    let room = third.saturating_sub(26).min(24);
    let mut parts: Vec<(&str, String, String)> = Vec::new();
    let training = scene.session.record.training.as_ref();
    if let Some((training, last)) = training.and_then(|t| Some((t, t.epochs.last()?))) {
        let curve = |of: fn(&Epoch) -> f64| -> Vec<f32> {
            let from = training.epochs.len().saturating_sub(usize::from(room));
            training.epochs[from..]
                .iter()
                .map(|e| of(e) as f32)
                .collect()
        };
        let losses = curve(|e| e.train_loss);
        parts.push((
            "train loss",
            number(last.train_loss),
            spark(&losses, room, theme),
        ));
        let shares = curve(|e| e.valid_accuracy);
        let (low, high) = shares.iter().fold((1.0_f32, 0.0_f32), |(low, high), v| {
            (low.min(*v), high.max(*v))
        });
        parts.push((
            if area.width < 76 {
                "valid"
            } else {
                "valid accuracy"
            },
            percent(last.valid_accuracy),
            between(&shares, low, high, theme),
        ));
    }
    if let Some(run) = &scene.session.run
        && let Some(last) = run.rates.last()
    {
        let unit = match current(scene.session) {
            Some(0) => "images/s",
            _ => "trials/s",
        };
        let rate = theme.rate(f64::from(*last));
        parts.push((unit, rate, spark(&run.rates, room, theme)));
    }
    for (place, (label, value, curve)) in parts.into_iter().enumerate() {
        let line = Line::from(vec![
            Span::styled(format!("{label} "), theme.dim()),
            Span::raw(value),
            match theme.line {
                Wire::Fast => Span::styled(format!("  {curve}"), theme.accent()),
                Wire::Slow => Span::raw(""),
            },
        ]);
        left(
            buf,
            start(beside(area, place as u16 * third), third),
            0,
            line,
        );
    }
}
