//! The state of a run from outside: from its engine if one runs, otherwise from its file.

use super::session_status::SessionStatus;
use crate::session::Session;
use crate::session::record::SavedState;
use crate::session::run::Phase;

/// The state of the run. A file that its engine left while running counts as stopped.
pub fn state(session: &Session) -> SavedState {
    let Some(run) = &session.run else {
        return match &session.record.state {
            SavedState::Running => SavedState::Stopped,
            state => state.clone(),
        };
    };
    match &run.phase {
        Phase::Starting | Phase::Working(_) | Phase::Paused(_) | Phase::Stopping => {
            SavedState::Running
        }
        Phase::Stopped => SavedState::Stopped,
        Phase::Finished => SavedState::Finished,
        Phase::Failed(message) => SavedState::Failed(message.clone()),
    }
}

/// The state's name, for programs.
pub fn label(state: &SavedState) -> &'static str {
    match state {
        SavedState::New => "new",
        SavedState::Running => "running",
        SavedState::Stopped => "stopped",
        SavedState::Finished => "finished",
        SavedState::Failed(_) => "failed",
    }
}

/// Its state in one word, for a person.
pub fn status_label(session: &Session) -> &'static str {
    SessionStatus::from_session(session, None).label()
}

/// The device that works on the session, or the last one that did.
pub fn device(session: &Session) -> Option<&str> {
    let running = session.run.as_ref().map(|run| run.device.as_str());
    running.filter(|device| !device.is_empty()).or(session
        .record
        .devices
        .last()
        .map(String::as_str))
}

/// Where the images came from, once known.
pub fn images(session: &Session) -> Option<&str> {
    let running = session.run.as_ref().map(|run| run.images.as_str());
    running
        .filter(|images| !images.is_empty())
        .or(session.record.images.as_deref())
}

/// Trainable parameters of the network, once it has been built.
pub fn parameters(session: &Session) -> Option<usize> {
    let running = session.run.as_ref().map(|run| run.parameters);
    let trained = session
        .record
        .training
        .as_ref()
        .map(|training| training.parameters);
    running
        .filter(|&count| count > 0)
        .or(trained.filter(|&count| count > 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::{Config, Run};

    #[test]
    fn a_running_state_without_an_engine_is_reported_as_stopped() {
        let mut session = Session::new("mine", Config::default());
        assert_eq!(state(&session), SavedState::New);
        session.record.state = SavedState::Running;
        assert_eq!(state(&session), SavedState::Stopped);
        assert_eq!(status_label(&session), "interrupted");
        session.run = Some(Run::default());
        assert_eq!(state(&session), SavedState::Running);
        assert_eq!(status_label(&session), "running");
        let paused = Phase::Paused(0);
        session.run.as_mut().unwrap().phase = paused;
        assert_eq!(state(&session), SavedState::Running);
        assert_eq!(status_label(&session), "paused");
    }

    #[test]
    fn what_the_engine_does_not_know_yet_comes_from_the_record() {
        let mut session = Session::new("mine", Config::default());
        session.run = Some(Run::default());
        assert_eq!((device(&session), images(&session)), (None, None));
        session.record.devices = vec!["old".into(), "flex".into()];
        session.record.images = Some("embedded".into());
        assert_eq!(device(&session), Some("flex"));
        assert_eq!(images(&session), Some("embedded"));
        assert_eq!(parameters(&session), None);
    }
}
