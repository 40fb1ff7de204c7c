//! The message that a view shows while its analysis has not begun or is not in the plan.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::Scene;
use super::progress::{is_under_way, waits_for};
use crate::tui::experiment::{ShownExperiment, ViewedExperiment};
use crate::tui::widget::text::{beside, left, start, wrap};

/// The record of the experiment shown, if it has begun. If it has not, or the plan has none of this kind, draws a
/// message in the middle of `area`.
pub fn begun<'a, T: ViewedExperiment>(
    scene: &Scene<'a>,
    shown: ShownExperiment<T>,
    area: Rect,
    buf: &mut Buffer,
) -> Option<&'a T> {
    let session = scene.session;
    let Some((index, record)) = shown.in_plan(session) else {
        say(scene, &absent::<T>(), Some(T::EXAMPLE), area, buf);
        return None;
    };
    let plan = session.config.analyses.get(index)?;
    let analysis = session.record.analyses.get(index)?;
    if analysis.progress(plan).1 > 0 {
        return Some(record);
    }
    if let Some(title) = shown.title(session, scene.theme, area.width) {
        left(buf, area, 0, title);
    }
    say(
        scene,
        &pending(scene, T::stage(plan), index),
        None,
        area,
        buf,
    );
    None
}

fn absent<T: ViewedExperiment>() -> String {
    format!(
        "This session's plan has no {}, and the plan of an existing session cannot change. \
         A new session can have {}:",
        T::NAME,
        T::PRONOUN
    )
}

fn pending(scene: &Scene<'_>, name: &str, index: usize) -> String {
    match waits_for(scene.session, index + 1) {
        Some(other) => format!("Nothing yet: {name} waits for {other}."),
        None if !is_under_way(scene.session) => {
            format!("Nothing yet: {name} is next. Run the session to begin it.")
        }
        None => format!("Nothing yet: {name} is starting."),
    }
}

/// Draws the message in the middle, with the command to type below it.
fn say(scene: &Scene<'_>, text: &str, example: Option<&str>, area: Rect, buf: &mut Buffer) {
    let theme = scene.theme;
    let lines = wrap(text, area.width.saturating_sub(4).min(72));
    let mut all: Vec<Line<'_>> = lines
        .into_iter()
        .map(|line| Line::from(Span::styled(line, theme.dim())))
        .collect();
    if let Some(example) = example {
        let example = format!("noisescope new NAME --set '{example}'");
        all.push(Line::default());
        // The command is broken between words, which a shell allows within quotes.
        for line in wrap(&example, area.width) {
            all.push(Line::from(Span::styled(line, theme.accent())));
        }
    }
    let widest = all.iter().map(Line::width).max().unwrap_or(0);
    let widest = widest.min(usize::from(area.width)) as u16;
    let block = start(beside(area, (area.width - widest) / 2), widest);
    let first = area.height.saturating_sub(all.len() as u16) / 2;
    for (row, line) in all.into_iter().enumerate() {
        left(buf, block, first + row as u16, line);
    }
}
