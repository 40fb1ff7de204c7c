//! Draws the stages of the run, one per row: its result, its progress, or what it waits for. If there are
//! more stages than rows, those around the current one have rows, and the others are named.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::figure::headline::headline;
use crate::format::{count, duration};
use crate::session::Session;
use crate::session::config::Analysis;
use crate::session::run::Stage;
use crate::tui::scene::Scene;
use crate::tui::scene::progress::{current, live_run, stages, waits_for};
use crate::tui::shared::is_finished;
use crate::tui::widget::bar::progress;
use crate::tui::widget::columns::columns;
use crate::tui::widget::text::{below, beside, cut, left, right};

/// Rows on a small screen, where maps have priority.
pub const FEW: usize = 5;

/// Columns for the mark and the name of a stage.
const NAMES: u16 = 25;

/// A row of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StageRow {
    /// One stage.
    Stage(usize),
    /// The names of the stages before the first one with its own row.
    Before(usize),
    /// The names of the stages from this one on.
    After(usize),
}

/// The rows in an area of this height.
pub fn rows(session: &Session, height: u16) -> Vec<StageRow> {
    let stages = stages(session);
    let room = match height {
        ..30 => FEW,
        _ => stages.len().max(1),
    };
    let active = current(session)
        .or_else(|| stages.iter().position(|stage| !stage.finished))
        .unwrap_or(stages.len().saturating_sub(1));
    window(stages.len(), room, active)
}

/// `room` rows of `all` stages, including the active one and, if there is room, the next.
fn window(all: usize, room: usize, active: usize) -> Vec<StageRow> {
    if all <= room {
        return (0..all).map(StageRow::Stage).collect();
    }
    let inner = room.saturating_sub(2).max(1);
    let from = (active + 2).saturating_sub(inner).min(active);
    let (from, to) = if from <= 1 {
        (0, room - 1)
    } else if from + inner + 1 >= all {
        (all + 1 - room, all)
    } else {
        (from, from + inner)
    };
    let before = (from > 0).then_some(StageRow::Before(from));
    let after = (to < all).then_some(StageRow::After(to));
    let shown = (from..to).map(StageRow::Stage);
    before.into_iter().chain(shown).chain(after).collect()
}

/// Draws the rows; returns how many were used.
pub fn draw(scene: &Scene<'_>, rows: &[StageRow], area: Rect, buf: &mut Buffer) -> u16 {
    let stages = stages(scene.session);
    for (index, row) in rows.iter().enumerate() {
        let row_area = below(area, index as u16);
        match row {
            StageRow::Stage(index) => {
                if let Some(stage) = stages.get(*index) {
                    line(scene, *index, stage, row_area, buf);
                }
            }
            StageRow::Before(end) => {
                names(scene, &stages[..(*end).min(stages.len())], row_area, buf)
            }
            StageRow::After(from) => {
                names(scene, &stages[(*from).min(stages.len())..], row_area, buf)
            }
        }
    }
    rows.len() as u16
}

/// Whether the plan has more than one set of classification images.
fn several_images(session: &Session) -> bool {
    let plans = session.config.analyses.iter();
    let images = plans.filter(|plan| matches!(plan, Analysis::ClassificationImages(_)));
    images.count() > 1
}

/// The name of a stage; with the noise if the plan has several sets of classification images.
fn title(session: &Session, index: usize, stage: &Stage) -> String {
    let plan = index
        .checked_sub(1)
        .and_then(|analysis| session.config.analyses.get(analysis));
    match plan {
        Some(Analysis::ClassificationImages(plan)) if several_images(session) => {
            format!("images, {} noise", plan.noise.label())
        }
        _ => stage.name.clone(),
    }
}

/// Draws the names of stages without their own row.
fn names(scene: &Scene<'_>, stages: &[Stage], area: Rect, buf: &mut Buffer) {
    let theme = scene.theme;
    let done = stages.iter().all(|stage| stage.finished);
    let mark = match done {
        true => theme.glyphs.done,
        false => theme.glyphs.waiting,
    };
    let mut names: Vec<&str> = stages.iter().map(|stage| stage.name.as_str()).collect();
    names.dedup();
    let listed = names.join(", ");
    let text = match (listed.len() + 2 <= usize::from(area.width), done) {
        (true, _) => format!("{mark} {listed}"),
        (false, true) => format!("{mark} {} stages done", stages.len()),
        (false, false) => format!("{mark} {} stages to come", stages.len()),
    };
    left(buf, area, 0, Span::styled(text, theme.dim()));
}

fn line(scene: &Scene<'_>, index: usize, stage: &Stage, area: Rect, buf: &mut Buffer) {
    let theme = scene.theme;
    let active = current(scene.session) == Some(index);
    let (mark, style) = if stage.finished {
        (theme.glyphs.done, theme.dim())
    } else if active {
        (theme.glyphs.working, theme.accent())
    } else {
        (theme.glyphs.waiting, theme.dim())
    };
    let name_style = match (active, stage.finished) {
        (true, _) => theme.bright(),
        (false, true) => theme.text(),
        (false, false) => theme.dim(),
    };
    let name = title(scene.session, index, stage);
    let name = Line::from(vec![
        Span::styled(format!("{mark} "), style),
        Span::styled(name, name_style),
    ]);
    let used = left(buf, area, 0, name);
    let area = beside(area, NAMES.max(used + 2));
    if stage.finished {
        finished(scene, index, stage, area, buf);
    } else if stage.done == 0 && !active {
        waiting(scene, index, stage, area, buf);
    } else {
        under_way(scene, stage, area, buf);
    }
}

/// Draws the amount done, the result and the duration; if room is short, the duration is dropped first, then
/// the amount.
fn finished(scene: &Scene<'_>, index: usize, stage: &Stage, area: Rect, buf: &mut Buffer) {
    let theme = scene.theme;
    let result = headline(scene.session, index);
    let amount = format!("{:<18}  ", amount(stage.done, &stage.unit));
    let first = amount.chars().count();
    let room = usize::from(area.width);
    let mut area = area;
    if result.parts.is_empty() || first + result.min_width() <= room {
        // If the long form only fits alone, it is worth more than the amount.
        let alone = result.parts.first().map_or(0, |part| columns(part));
        if result.parts.is_empty() || first + alone <= room || alone > room {
            area = beside(area, left(buf, area, 0, amount));
        }
    }
    let room = usize::from(area.width);
    let words = result.fit(room);
    let style = if result.is_warning {
        theme.warning()
    } else {
        theme.text()
    };
    let used = left(buf, area, 0, Span::styled(cut(&words, room), style));
    if stage.seconds >= 1.0 {
        let gap = if used > 0 { "   " } else { "" };
        let took = format!("{gap}{}", duration(stage.seconds));
        if used + took.len() as u16 <= area.width {
            left(buf, beside(area, used), 0, Span::styled(took, theme.dim()));
        }
    }
}

/// An amount of work with its unit: `60.0 k trials`, `1 epoch`.
fn amount(number: u64, unit: &str) -> String {
    match (number, unit) {
        (1, "epochs") => "1 epoch".into(),
        _ => format!("{} {unit}", count(number as f64)),
    }
}

fn waiting(scene: &Scene<'_>, index: usize, stage: &Stage, area: Rect, buf: &mut Buffer) {
    let plan = index
        .checked_sub(1)
        .and_then(|analysis| scene.session.config.analyses.get(analysis));
    let needs = plan.is_some_and(Analysis::needs_classification_images);
    let other = waits_for(scene.session, index).filter(|_| needs);
    let text = match (other, stage.total) {
        _ if is_finished(scene.session) => "had nothing to measure".to_owned(),
        (Some(other), _) => format!("waits for {other}"),
        (None, 0) => "waits for its turn".into(),
        (None, total) => format!("waits for its turn: {}", amount(total, &stage.unit)),
    };
    left(buf, area, 0, Span::styled(text, scene.theme.dim()));
}

fn under_way(scene: &Scene<'_>, stage: &Stage, area: Rect, buf: &mut Buffer) {
    let theme = scene.theme;
    let unit = &stage.unit;
    if stage.total == 0 {
        left(buf, area, 0, Span::styled("starts", theme.dim()));
        return;
    }
    let (done, total) = (count(stage.done as f64), count(stage.total as f64));
    let words = format!("{done} / {total} {unit}");
    let used = left(buf, area, 0, words) + 2;
    let area = beside(area, used);
    let items = if unit == "epochs" { "images" } else { unit };
    let live_stage = live_run(scene).map(|_| stage);
    let rate = live_stage
        .and_then(|stage| stage.per_second)
        .map(|rate| format!("{} {items}/s", theme.rate(rate)));
    let left_over = live_stage
        .and_then(|stage| stage.eta_s)
        .map(|eta| format!("{} left", theme.duration(eta)));
    // On a narrow screen the header shows the time left, so it is dropped first here.
    let mut end = [rate, left_over].into_iter().flatten().collect::<Vec<_>>();
    while end.join("   ").len() + 8 > usize::from(area.width) && end.pop().is_some() {}
    let taken = right(buf, area, 0, Span::raw(end.join("   "))) + 2;
    let room = area.width.saturating_sub(taken).min(48);
    if room >= 6 {
        let share = fraction(scene, stage);
        left(buf, area, 0, Line::from(progress(share, room, theme)));
    }
}

/// The share of a stage that is done; in training, batches of the unfinished epoch count.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_running_stage_always_has_a_row_and_no_stage_is_lost() {
        for all in 1..14 {
            for room in 3..9 {
                for active in 0..all {
                    let rows = window(all, room, active);
                    assert!(rows.len() <= room.max(all.min(room)), "{rows:?}");
                    assert!(
                        rows.contains(&StageRow::Stage(active)),
                        "{all} {room} {active} {rows:?}"
                    );
                    let covered: usize = rows
                        .iter()
                        .map(|row| match row {
                            StageRow::Stage(_) => 1,
                            StageRow::Before(end) => *end,
                            StageRow::After(from) => all - from,
                        })
                        .sum();
                    assert_eq!(covered, all, "{rows:?}");
                }
            }
        }
    }

    #[test]
    fn one_epoch_is_not_called_epochs() {
        assert_eq!(amount(1, "epochs"), "1 epoch");
        assert_eq!(amount(15, "epochs"), "15 epochs");
        assert_eq!(amount(60_000, "trials"), "60.0 k trials");
    }

    #[test]
    fn no_row_of_names_is_for_a_single_stage() {
        for active in 0..9 {
            for row in window(9, 6, active) {
                assert!(
                    row != StageRow::Before(1) && row != StageRow::After(8),
                    "{active}"
                );
            }
        }
    }
}
