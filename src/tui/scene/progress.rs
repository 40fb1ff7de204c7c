//! The stages and the phase of a run in words, as its engine reports them or, without one, from the record.

use ratatui::style::Style;

use super::Scene;
use crate::format::duration;
use crate::link::Connection;
use crate::report::SessionStatus;
use crate::session::run::{Phase, Stage};
use crate::session::{Run, Session};
use crate::tui::action::{Action, first_key_of};
use crate::tui::shared::is_finished;

/// Every stage, training first.
pub fn stages(session: &Session) -> Vec<Stage> {
    if let Some(run) = &session.run
        && !run.stages.is_empty()
    {
        return run.stages.clone();
    }
    session.stages()
}

/// The stage in progress.
pub fn current(session: &Session) -> Option<usize> {
    session.run.as_ref()?.phase.stage()
}

/// Whether an engine has begun a run and not ended it.
pub fn is_under_way(session: &Session) -> bool {
    let run = session.run.as_ref();
    run.is_some_and(|run| !run.phase.is_over())
}

/// The status of the session shown.
pub fn standing(scene: &Scene<'_>) -> SessionStatus {
    SessionStatus::from_session(scene.session, Some(scene.shared.shown_at()))
}

/// The engine's report on a run that is progressing: its rates and times can be trusted. `None` if it is
/// waiting, silent or unreachable.
pub fn live_run<'a>(scene: &Scene<'a>) -> Option<&'a Run> {
    let run = scene.session.run.as_ref()?;
    let reached = !matches!(
        scene.shared.connection,
        Connection::Lost(_) | Connection::ReadOnly
    );
    (reached && standing(scene) == SessionStatus::Running).then_some(run)
}

/// The phase: its mark, its text and their style.
pub fn phase(scene: &Scene<'_>) -> (&'static str, String, Style) {
    let Scene {
        session,
        shared,
        theme,
    } = *scene;
    let glyphs = &theme.glyphs;
    let stage = |index: usize| {
        let stages = session.run.as_ref().map(|run| &run.stages);
        let name = stages.and_then(|stages| stages.get(index));
        name.map_or("running".to_string(), |stage| stage.name.clone())
    };
    let run = session.run.as_ref();
    let standing = standing(scene);
    let word = || standing.label().to_owned();
    match &standing {
        _ if run.is_none() && shared.connection == Connection::Connecting => {
            (glyphs.waiting, "starting".into(), theme.dim())
        }
        SessionStatus::New => (glyphs.waiting, "not started".into(), theme.dim()),
        SessionStatus::Running => match run.map(|run| &run.phase) {
            Some(Phase::Working(index)) => (glyphs.working, stage(*index), theme.accent()),
            Some(Phase::Stopping) => (
                glyphs.stopped,
                "stopping after a checkpoint".into(),
                theme.warning(),
            ),
            _ if run.is_some_and(|run| run.reading.is_some()) => {
                (glyphs.working, "reading images".into(), theme.accent())
            }
            _ => (glyphs.waiting, "starting".into(), theme.dim()),
        },
        SessionStatus::Paused => {
            let stage = current(session).map_or_else(String::new, stage);
            (glyphs.paused, format!("paused in {stage}"), theme.warning())
        }
        SessionStatus::Hung(since) => {
            let silent = theme.duration((shared.shown_at() - since).max(0) as f64);
            let text = format!("hung, silent for {silent}");
            (glyphs.warning, text, theme.warning())
        }
        SessionStatus::Interrupted | SessionStatus::Stopped => {
            (glyphs.stopped, word(), theme.dim())
        }
        SessionStatus::Finished => (glyphs.done, word(), theme.accent()),
        SessionStatus::Failed(_)
        | SessionStatus::Damaged(_)
        | SessionStatus::Unreadable(_)
        | SessionStatus::Newer(_) => (glyphs.failed, word(), theme.warning()),
    }
}

/// What went wrong or needs attention, if anything.
pub fn problem(scene: &Scene<'_>) -> Option<String> {
    let Scene {
        session, shared, ..
    } = *scene;
    if let Connection::Lost(reason) = &shared.connection
        && !is_finished(session)
    {
        // What it means comes before the reason, which may be too long for the line. The header says `read-only`.
        return Some(format!("engine lost, reconnecting: {reason}"));
    }
    // Also of a divided session whose network could not be prepared.
    if let SessionStatus::Failed(message) = standing(scene) {
        return Some(message);
    }
    let run = session.run.as_ref()?;
    let still = shared.frozen.map(|since| {
        let seconds = duration((shared.now - since).max(0) as f64);
        let key = first_key_of(shared.keys, Action::Freeze);
        format!("display frozen for {seconds}; the run continues. {key} unfreezes it")
    });
    run.problem.clone().or(still)
}

/// The stage that a stage which has not begun waits for: the classification images it needs, else the first
/// unfinished stage before it. `None` if nothing precedes it.
pub fn waits_for(session: &Session, stage: usize) -> Option<String> {
    let stages = stages(session);
    let config = &session.config;
    let analysis = stage.checked_sub(1)?;
    let needs = config.analyses.get(analysis)?.needs_classification_images();
    let images = needs.then(|| config.images_before(analysis)).flatten();
    let is_open = |&index: &usize| stages.get(index).is_some_and(|stage| !stage.finished);
    let before = images.map(|index| index + 1).filter(is_open);
    let before = before.or_else(|| (0..stage).find(is_open))?;
    stages.get(before).map(|stage| stage.name.clone())
}
