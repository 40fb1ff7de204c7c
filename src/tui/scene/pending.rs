//! The message that a view shows while its analysis has not begun or is not in the plan.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::Scene;
use super::progress::{is_under_way, waits_for};
use crate::session::{Session, again, setting};
use crate::tui::experiment::{ShownExperiment, ViewedExperiment};
use crate::tui::shared::is_finished;
use crate::tui::widget::command;
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
    if let Some(record) = shown.begun(session) {
        return Some(record);
    }
    let Some((index, _)) = shown.in_plan(session) else {
        let (text, command) = absent::<T>(scene, area.width);
        say(scene, &text, command, area, buf);
        return None;
    };
    let plan = session.config.analyses.get(index)?;
    if let Some(title) = shown.title(session, scene.theme, area.width) {
        left(buf, area, 0, title);
    }
    let text = pending(scene, T::stage(plan), index);
    say(scene, &text, Vec::new(), area, buf);
    None
}

/// What to say if the plan has no such experiment, and the command for a new session of the same network and images that
/// has one, in rows of at most this many columns.
fn absent<T: ViewedExperiment>(scene: &Scene<'_>, width: u16) -> (String, Vec<String>) {
    let text = format!(
        "This session's plan has no {}, and the plan of an existing session cannot change.",
        T::NAME
    );
    match with_experiment(scene.session, T::EXAMPLE) {
        Ok(groups) => (
            format!(
                "{text} A new session of the same network and images can have {}:",
                T::PRONOUN
            ),
            command::rows(scene.shared.program, &groups, width),
        ),
        Err(problem) => (
            format!(
                "{text} A session of this network cannot have {}: {problem}.",
                T::PRONOUN
            ),
            Vec::new(),
        ),
    }
}

/// The words of the command, by option, for a session of the same network and images whose plan has these experiments.
///
/// # Errors
/// Why such a plan cannot be run.
fn with_experiment(session: &Session, example: &str) -> Result<Vec<Vec<String>>, String> {
    let plan = setting::set(&session.config, example).map_err(|error| error.to_string())?;
    plan.validate()
        .and_then(|()| plan.check_new())
        .map_err(|error| error.problem)?;
    let options = again::options(&plan).map_err(|error| error.to_string())?;
    let name = ["new".to_owned(), session.name_again()];
    let example = ["--set".to_owned(), example.to_owned()];
    let groups = [name].into_iter().chain(options).chain([example]);
    Ok(groups.map(Vec::from).collect())
}

fn pending(scene: &Scene<'_>, name: &str, index: usize) -> String {
    match waits_for(scene.session, index + 1) {
        _ if is_finished(scene.session) => {
            format!("The run is finished, and {name} had nothing to measure.")
        }
        Some(other) => format!("Nothing yet: {name} must wait for {other}."),
        None if !is_under_way(scene.session) => {
            format!("Nothing yet: {name} will be next. Run the session to begin.")
        }
        None => format!("Nothing yet: starting {name}."),
    }
}

/// The rows of a message and of its command that fit in these columns and rows. A part of a command would be another
/// command when it is pasted, so it is there whole, if need be without the message, or not at all.
fn fitting(
    text: &str,
    command: Vec<String>,
    (width, height): (u16, u16),
) -> (Vec<String>, Vec<String>) {
    let lines = |text: &str| wrap(text, width.saturating_sub(4).min(72));
    let height = usize::from(height);
    let fits = |row: &String| Span::raw(row.as_str()).width() <= usize::from(width);
    if command.is_empty() {
        return (lines(text), command);
    }
    if command.len() > height || !command.iter().all(fits) {
        let text = format!(
            "{}; a larger window shows the command.",
            text.trim_end_matches(':')
        );
        return (lines(&text), Vec::new());
    }
    let whole = lines(text);
    match whole.len() + 1 + command.len() > height {
        true => (Vec::new(), command),
        false => (whole, command),
    }
}

/// Draws the message in the middle, with the rows of the command to type below it.
fn say(scene: &Scene<'_>, text: &str, command: Vec<String>, area: Rect, buf: &mut Buffer) {
    let theme = scene.theme;
    let (lines, command) = fitting(text, command, (area.width, area.height));
    let is_cut = |row: &String| row.ends_with('\\') && !row.ends_with(" \\");
    let has_cut_word = command.iter().any(is_cut);
    let mut all: Vec<Line<'_>> = lines
        .into_iter()
        .map(|line| Line::from(Span::styled(line, theme.dim())))
        .collect();
    if !all.is_empty() && !command.is_empty() {
        all.push(Line::default());
    }
    for row in command {
        all.push(Line::from(Span::styled(row, theme.accent())));
    }
    let widest = all.iter().map(Line::width).max().unwrap_or(0);
    let widest = widest.min(usize::from(area.width)) as u16;
    let block = match has_cut_word {
        // From the edge of the screen: copied with a blank before it, the rest of a word would be a word of its own.
        true => Rect {
            x: area.x.saturating_sub(1),
            ..area
        },
        false => start(beside(area, (area.width - widest) / 2), widest),
    };
    let first = area.height.saturating_sub(all.len() as u16) / 2;
    for (row, line) in all.into_iter().enumerate() {
        left(buf, block, first + row as u16, line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_whole_or_not_at_all() {
        let command = || {
            vec![
                "noisescope new mine \\".to_owned(),
                "--set 'seed=7'".to_owned(),
            ]
        };
        let shown =
            |width, height| fitting("A new session can have one:", command(), (width, height));
        let (text, rows) = shown(40, 4);
        assert_eq!((text.len(), rows), (1, command()));
        assert_eq!(shown(40, 3), (Vec::new(), command()));
        for (width, height) in [(40, 1), (20, 9)] {
            let (text, rows) = shown(width, height);
            assert_eq!(rows, [""; 0]);
            assert!(
                text.join(" ")
                    .ends_with("a larger window shows the command.")
            );
        }
    }
}
