//! Saving the session: checkpoints, and watching that the session's lock is still held.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use super::ActiveRun;
use crate::session::SavedState;
use crate::session::run::{Checkpoint, Phase};
use crate::session::store::{StoreError, now, timestamp};

/// Time between two checks that this engine still holds the session's lock.
const LOOK: Duration = Duration::from_secs(1);

impl ActiveRun {
    /// Reports each guarantee that this file system does not give, once.
    pub(super) fn report_weaker(&mut self) {
        let new = self.lock.missing_guarantees()[self.reported_weaker..].to_vec();
        self.reported_weaker += new.len();
        for words in new {
            self.note(words);
        }
    }

    /// Checks now and then that this engine still holds the session's lock.
    pub(super) fn look_at_lock(&mut self) {
        if self.looked_at_lock.elapsed() < LOOK || self.lock_lost {
            return;
        }
        self.looked_at_lock = Instant::now();
        // If it cannot be checked now, it is checked before the next checkpoint.
        if let Err(error) = self.lock.check()
            && error.is_lock_lost()
        {
            self.give_up_session(&error);
        }
    }

    /// Gives up the session: nothing more is written, and the run stops.
    fn give_up_session(&mut self, error: &StoreError) {
        self.lock_lost = true;
        self.run.problem = Some(error.to_string());
        self.warn(error.to_string());
    }

    /// Whether this engine has lost the session's lock.
    pub fn has_lost_lock(&self) -> bool {
        self.lock_lost
    }

    /// After losing the lock, saves the results as a separate session if the file is not this engine's last
    /// checkpoint; returns a sentence about what happened.
    pub fn save_elsewhere(&mut self) -> String {
        let mut session = self.session.clone();
        session.record.state = SavedState::Stopped;
        session.record.updated = now();
        session.record.elapsed_s = self.elapsed_s();
        match self.lock.rescue(&session) {
            Ok(Some(name)) => format!(
                "Its results are saved beside it, as session `{name}`. Resume: noisescope run {name}"
            ),
            Ok(None) => match self.session.record.updated {
                updated @ 1.. => format!(
                    "Its file is the checkpoint of {}; later results are discarded",
                    timestamp(updated)
                ),
                _ => "There was no checkpoint yet; all results are discarded".into(),
            },
            Err(error) => format!("Its results could not be saved elsewhere: {error}"),
        }
    }

    /// Writes into the file that an engine runs the session again. Without this, a session that was stopped or
    /// extended would still be called stopped if its engine is killed before the first checkpoint. A session in which
    /// nothing has been done stays as it is. A failure is left to the first checkpoint, which reports it.
    pub fn record_running(&mut self) {
        let untouched = self.session.failed_with_nothing();
        let left = std::mem::replace(&mut self.session.record.state, SavedState::Running);
        if untouched || matches!(left, SavedState::New | SavedState::Running) {
            return;
        }
        let updated = std::mem::replace(&mut self.session.record.updated, now());
        if self.lock.save(&self.session).is_err() {
            self.session.record.updated = updated;
        }
    }

    /// Whether a checkpoint was requested, or something was added that must not be lost.
    pub fn checkpoint_is_requested(&self) -> bool {
        self.checkpoint_requested
    }

    /// Whether a checkpoint is due.
    pub fn checkpoint_is_due(&self) -> bool {
        self.checkpoint_requested
            || self.saved.elapsed().as_secs_f64() >= self.session.config.checkpoint_s
    }

    /// Writes the session. On failure the run continues, and the problem is shown in the header until
    /// a later checkpoint succeeds.
    ///
    /// # Errors
    /// The system's error, which has already been logged.
    pub fn checkpoint(&mut self, state: SavedState) -> Result<(), StoreError> {
        let began = Instant::now();
        let before = (
            self.session.record.state.clone(),
            self.session.record.updated,
        );
        self.session.record.state = state;
        self.session.record.updated = now();
        self.session.record.elapsed_s = self.elapsed_s();
        self.update_shard();
        self.checkpoint_requested = false;
        let result = self.lock.save(&self.session);
        if result.is_err() {
            // The record must not claim a state that is not on disk.
            (self.session.record.state, self.session.record.updated) = before;
        }
        self.saved = Instant::now();
        let path = self.lock.path();
        self.report_weaker();
        match result {
            Ok(bytes) => {
                let millis = began.elapsed().as_secs_f64() * 1e3;
                if self.run.problem.take().is_some() {
                    self.log("the session could be saved again");
                }
                self.run.checkpoint = Some(Checkpoint {
                    at: now(),
                    bytes,
                    millis,
                });
                let megabytes = bytes as f64 / 1e6;
                self.log(format!(
                    "checkpoint  {}  {megabytes:.1} MB  {millis:.0} ms",
                    path.display()
                ));
                self.publish();
                Ok(())
            }
            Err(error) if error.is_lock_lost() => {
                self.give_up_session(&error);
                self.publish();
                Err(error)
            }
            Err(error) => {
                let next = match self.run.phase {
                    Phase::Stopping => "Trying again every",
                    _ => "The run continues and tries again in",
                };
                let message = format!(
                    "no checkpoint: {error}{}. {next} {} s",
                    remedy(&error),
                    self.session.config.checkpoint_s
                );
                if self.run.problem.as_ref() != Some(&message) {
                    self.warn(message.clone());
                }
                self.run.problem = Some(message);
                self.publish();
                Err(error)
            }
        }
    }

    /// Records a shard's rate and ETA, since those who watch all shards only have their files.
    fn update_shard(&mut self) {
        if let Some(shard) = &mut self.session.record.shard {
            let stage = match self.run.phase {
                Phase::Working(stage) => self.run.stages.get(stage),
                _ => None,
            };
            shard.per_second = stage.and_then(|stage| stage.per_second);
            shard.eta_s = self.run.eta_s;
            shard.checkpoint_s = self.session.config.checkpoint_s;
        }
    }

    /// Waits until the next checkpoint is due or another command says to stop; `false` if unsaved results are to be
    /// discarded.
    pub fn wait_for_checkpoint(&mut self) -> bool {
        while !self.checkpoint_is_due() {
            let received = self.obey_pending(None);
            if self.discards {
                return false;
            }
            if received.stop {
                break;
            }
            self.publish_if_due();
            std::thread::sleep(Duration::from_millis(50));
        }
        true
    }
}

/// What to do about a session that may not be saved, after a semicolon; empty if the error says it or it is unknown.
fn remedy(error: &StoreError) -> &'static str {
    let StoreError::Io { source, action, .. } = error else {
        return "";
    };
    match source.kind() {
        _ if action.starts_with("read ") => "",
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            "; make its folder writable again"
        }
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::{EngineEnd, Link};
    use crate::session::store::Store;
    use crate::session::{Config, Session};

    #[test]
    fn results_that_were_never_saved_are_not_said_to_be_in_a_checkpoint() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path());
        let session = Session::new("mine", Config::default());
        store.save(&session).unwrap();
        let mut lock = store.lock("mine").unwrap();
        let (_link, end) = Link::local(lock.load().unwrap());
        let EngineEnd { sessions, commands } = end;
        let mut active = ActiveRun::new(sessions, commands, lock);
        let never = active.save_elsewhere();
        assert!(never.contains("no checkpoint yet"), "{never}");
        active.session.record.updated = 5;
        let saved = active.save_elsewhere();
        assert!(saved.contains("is the checkpoint of"), "{saved}");
    }

    #[test]
    fn a_session_that_cannot_be_saved_comes_with_what_to_do() {
        let told = |kind: ErrorKind| {
            let error = StoreError::Io {
                path: "mine.ron".into(),
                action: "write the session",
                source: kind.into(),
            };
            // Other commands than a run print the error alone.
            (error.to_string(), remedy(&error))
        };
        for (kind, words) in [
            (ErrorKind::StorageFull, "free some space"),
            (ErrorKind::QuotaExceeded, "free some space"),
            (ErrorKind::FileTooLarge, "prlimit --fsize"),
        ] {
            let (alone, added) = told(kind);
            assert!(alone.contains(words), "{alone}");
            assert_eq!(added, "", "{alone}");
        }
        let (alone, added) = told(ErrorKind::PermissionDenied);
        assert!(!alone.contains(';') && added.contains("writable"));
        let (alone, added) = told(ErrorKind::Interrupted);
        assert!(!alone.contains(';') && added.is_empty());
    }
}
