//! The stages of a run and its phase in words, from the engine's word where one runs, else from
//! the record.

use ratatui::style::Style;

use super::Scene;
use crate::format::duration;
use crate::link::Connection;
use crate::report::Standing;
use crate::session::record::State as RunState;
use crate::session::run::{Phase, Stage};
use crate::session::{Run, Session};
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

/// The stage that is being worked on.
pub fn current(session: &Session) -> Option<usize> {
    match session.run.as_ref()?.phase {
        Phase::Working(stage) | Phase::Paused(stage) => Some(stage),
        _ => None,
    }
}

/// How the session in sight stands.
pub fn standing(scene: &Scene<'_>) -> Standing {
    // A picture that is held is judged as of then.
    let now = scene.shared.frozen.unwrap_or(scene.shared.now);
    Standing::of(scene.session, Some(now))
}

/// The engine's word on a run that goes on as it says: its rates and times are to be believed. `None`
/// where it waits, says nothing or cannot be reached.
pub fn moving<'a>(scene: &Scene<'a>) -> Option<&'a Run> {
    let run = scene.session.run.as_ref()?;
    let reached = !matches!(
        scene.shared.connection,
        Connection::Lost(_) | Connection::ReadOnly
    );
    (reached && standing(scene) == Standing::Running).then_some(run)
}

/// The phase: its mark, its words, and their style.
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
        name.map_or("at work".to_string(), |stage| stage.name.clone())
    };
    let run = session.run.as_ref();
    let standing = standing(scene);
    let word = || standing.word().to_owned();
    match &standing {
        _ if run.is_none() && shared.connection == Connection::Connecting => {
            (glyphs.waiting, "starting".into(), theme.dim())
        }
        Standing::New => (glyphs.waiting, "not started".into(), theme.dim()),
        Standing::Running => match run.map(|run| &run.phase) {
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
        Standing::Paused => {
            let at = current(session).map_or_else(String::new, stage);
            (glyphs.paused, format!("paused in {at}"), theme.warning())
        }
        Standing::Hung(since) => {
            let silent = theme.duration((shared.now - since).max(0) as f64);
            let words = format!("hung, no word for {silent}");
            (glyphs.warning, words, theme.warning())
        }
        Standing::Interrupted | Standing::Stopped => (glyphs.stopped, word(), theme.dim()),
        Standing::Finished => (glyphs.done, word(), theme.accent()),
        Standing::Failed(_)
        | Standing::Damaged(_)
        | Standing::Unreadable(_)
        | Standing::Newer(_) => (glyphs.failed, word(), theme.warning()),
    }
}

/// What went wrong or needs a person, if anything.
pub fn problem(scene: &Scene<'_>) -> Option<String> {
    let Scene {
        session, shared, ..
    } = *scene;
    if let Connection::Lost(why) = &shared.connection
        && !is_finished(session)
    {
        let why = why.trim_end_matches('.');
        return Some(format!("engine lost: {why}. Read-only; looking for it"));
    }
    if let Some(run) = &session.run {
        if let Phase::Failed(message) = &run.phase {
            return Some(message.clone());
        }
        let still = shared.frozen.map(|since| {
            let seconds = duration((shared.now - since).max(0) as f64);
            format!("the picture stands still for {seconds}; the run goes on. Space lets it follow")
        });
        return run.problem.clone().or(still);
    }
    match &session.record.state {
        RunState::Failed(message) => Some(message.clone()),
        _ => None,
    }
}

/// What a stage that has not begun waits for: the classification images that it works with, else
/// the stage under way before it. `None` where nothing is before it.
pub fn waits_for(session: &Session, stage: usize) -> Option<String> {
    let stages = stages(session);
    let config = &session.config;
    let at = stage.checked_sub(1)?;
    let needs = config.analyses.get(at)?.needs_classification_images();
    let own = needs.then(|| config.images_before(at)).flatten();
    let is_open = |&place: &usize| stages.get(place).is_some_and(|it| !it.finished);
    let before = own.map(|at| at + 1).filter(is_open);
    let before = before.or_else(|| (0..stage).find(is_open))?;
    stages.get(before).map(|it| it.name.clone())
}
