//! The state of a session, judged in the same way for the list, `ls`, `attach` and the header of every
//! view.

use strum::IntoStaticStr;

use crate::format::clean_lines;
use crate::session::Session;
use crate::session::record::SavedState;
use crate::session::run::{Phase, ShardState, ShardStatus};
use crate::session::store::StoreError;

/// Seconds without a message after which a working engine counts as hung.
pub const SILENCE: i64 = 5;

/// The state of a session.
#[derive(Debug, Clone, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum SessionStatus {
    /// No engine has run it yet.
    New,
    /// An engine is running it.
    Running,
    /// The user paused its engine.
    Paused,
    /// Its engine exists but has sent nothing since this time, in seconds since the Unix epoch.
    Hung(i64),
    /// Its engine died while running it.
    Interrupted,
    /// Stopped after a checkpoint.
    Stopped,
    /// Everything in its plan is done.
    Finished,
    /// It failed: the message.
    Failed(String),
    /// Its file does not contain what was written: the message.
    Damaged(String),
    /// Its file cannot be read or its plan cannot be parsed: the message.
    Unreadable(String),
    /// Its file was written by a newer program: the message.
    Newer(String),
}

impl SessionStatus {
    /// Judges a session received from an engine or read from a file. `now` is the current time, for a
    /// session received from an engine; without it, a hung engine is not detected.
    pub fn from_session(session: &Session, now: Option<i64>) -> Self {
        let Some(run) = &session.run else {
            return match &session.record.state {
                SavedState::New => Self::New,
                SavedState::Running => Self::Interrupted,
                SavedState::Stopped => Self::Stopped,
                SavedState::Finished => Self::Finished,
                SavedState::Failed(message) => Self::Failed(message.clone()),
            };
        };
        let silent = now.is_some_and(|now| run.at > 0 && now - run.at >= SILENCE);
        match &run.phase {
            Phase::Working(_) if silent => Self::Hung(run.at),
            Phase::Starting | Phase::Working(_) | Phase::Stopping => Self::Running,
            Phase::Paused(_) => Self::Paused,
            Phase::Stopped if !run.shards.is_empty() => {
                Self::of_idle_shards(&session.record.state, &run.shards)
            }
            Phase::Stopped => Self::Stopped,
            Phase::Finished => Self::Finished,
            Phase::Failed(message) => Self::Failed(message.clone()),
        }
    }

    /// Judges a divided session, in this state by its own file, of which no engine runs a shard.
    fn of_idle_shards(saved: &SavedState, shards: &[ShardState]) -> Self {
        let mut standings = shards.iter().map(|shard| shard.standing);
        if standings.clone().any(|one| one == ShardStatus::Died) {
            return Self::Interrupted;
        }
        let untouched = standings.all(|one| one == ShardStatus::NotBegun);
        match saved {
            SavedState::New if untouched => Self::New,
            // While its network was trained.
            SavedState::Running if untouched => Self::Interrupted,
            SavedState::Failed(message) if untouched => Self::Failed(message.clone()),
            _ => Self::Stopped,
        }
    }

    /// Judges a session whose file cannot be used.
    pub fn from_error(error: &StoreError) -> Self {
        let message = error.to_string();
        match error {
            StoreError::Newer { .. } => Self::Newer(message),
            StoreError::Io { .. } | StoreError::TooLarge { .. } => Self::Unreadable(message),
            _ => Self::Damaged(message),
        }
    }

    /// The same for a session that an engine holds without reporting its state. `heard` is the time of
    /// its last message, if it can be reached at all.
    pub fn with_engine(self, heard: Option<i64>, now: i64) -> Self {
        match heard {
            _ if self.is_unread() => self,
            Some(heard) if now - heard >= SILENCE => Self::Hung(heard),
            _ => Self::Running,
        }
    }

    /// One word.
    pub fn label(&self) -> &'static str {
        self.into()
    }

    /// The problem, as reported by whoever found it.
    pub fn problem(&self) -> Option<&str> {
        match self {
            Self::Failed(message)
            | Self::Damaged(message)
            | Self::Unreadable(message)
            | Self::Newer(message) => Some(message),
            _ => None,
        }
    }

    /// Whether the content of its file is unknown.
    pub fn is_unread(&self) -> bool {
        matches!(
            self,
            Self::Damaged(_) | Self::Unreadable(_) | Self::Newer(_)
        )
    }

    /// Whether an engine holds it.
    pub fn has_engine(&self) -> bool {
        matches!(self, Self::Running | Self::Paused | Self::Hung(_))
    }

    /// The first line of the summary of a session: its state, and how to proceed. One that is divided is run
    /// by its shards.
    pub fn first_line(&self, session: &Session, now: i64) -> String {
        let name = &session.name;
        match (self, &session.record.sharding) {
            (Self::New | Self::Stopped | Self::Interrupted, Some(sharding)) => {
                let jobs = sharding.submitted();
                let jobs =
                    jobs.map_or_else(String::new, |jobs| format!("{jobs}; if they are gone, "));
                let shards = session.run.as_ref().map_or(&[][..], |run| &run.shards);
                let is_done = |shard: &ShardState| shard.standing == ShardStatus::Done;
                let next = match !shards.is_empty() && shards.iter().all(is_done) {
                    true => "merge its shards, which are all done".to_owned(),
                    false => format!(
                        "run its shards: noisescope run {name} --shard 1/{0} to {0}/{0}, then",
                        sharding.count
                    ),
                };
                format!(
                    "{name}  {}; {jobs}{next}: noisescope merge {name}",
                    self.label()
                )
            }
            _ => self.sentence(name, now),
        }
    }

    /// The first line of the summary of a session with this name: its state, and how to proceed.
    fn sentence(&self, name: &str, now: i64) -> String {
        let word = self.label();
        match self {
            Self::New => format!("{name}  {word}; run it: noisescope run {name}"),
            Self::Stopped | Self::Interrupted => {
                format!("{name}  {word}; resume: noisescope run {name}")
            }
            Self::Paused => format!("{name}  {word}; resume: noisescope continue {name}"),
            Self::Hung(since) => format!("{name}  {word}, {}", silence_text(*since, now)),
            _ => match self.problem() {
                Some(message) => format!("{name}  {word}: {}", clean_lines(message)),
                None => format!("{name}  {word}"),
            },
        }
    }
}

/// `engine silent for 12 s`.
pub fn silence_text(since: i64, now: i64) -> String {
    let seconds = (now - since).max(0) as f64;
    format!("engine silent for {}", crate::format::duration(seconds))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::session::{Config, Run};

    fn received(phase: Phase, at: i64) -> Session {
        let mut session = Session::new("mine", Config::default());
        session.run = Some(Run {
            phase,
            at,
            ..Run::default()
        });
        session
    }

    #[test]
    fn an_engine_silent_for_five_seconds_is_hung_since_its_last_message() {
        let working = received(Phase::Working(1), 100);
        assert_eq!(
            SessionStatus::from_session(&working, Some(104)),
            SessionStatus::Running
        );
        assert_eq!(
            SessionStatus::from_session(&working, Some(105)),
            SessionStatus::Hung(100)
        );
        assert_eq!(
            SessionStatus::from_session(&working, None),
            SessionStatus::Running
        );
        // A paused engine has nothing to report.
        let paused = received(Phase::Paused(1), 100);
        assert_eq!(
            SessionStatus::from_session(&paused, Some(500)),
            SessionStatus::Paused
        );
        assert_eq!(silence_text(100, 165), "engine silent for 1 min 05 s");
    }

    #[test]
    fn a_file_that_says_running_is_interrupted_unless_an_engine_has_it() {
        let mut session = Session::new("mine", Config::default());
        session.record.state = SavedState::Running;
        let file = SessionStatus::from_session(&session, Some(900));
        assert_eq!(file, SessionStatus::Interrupted);
        let beside = |heard| file.clone().with_engine(heard, 900);
        assert_eq!(beside(Some(897)), SessionStatus::Running);
        assert_eq!(beside(Some(890)), SessionStatus::Hung(890));
        // An engine that cannot be reached is not judged.
        assert_eq!(beside(None), SessionStatus::Running);
    }

    #[test]
    fn a_divided_session_is_resumed_by_its_shards_and_any_other_by_its_name() {
        let mut session = Session::new("mine", Config::default());
        let line = |session: &Session| SessionStatus::Stopped.first_line(session, 900);
        assert_eq!(line(&session), "mine  stopped; resume: noisescope run mine");
        session.divide(3, "any").unwrap();
        let divided = line(&session);
        assert!(
            divided.contains("noisescope run mine --shard 1/3 to 3/3"),
            "{divided}"
        );
        assert!(!divided.contains("resume"), "{divided}");
        // Its jobs may be waiting for their turn.
        let sharding = session.record.sharding.as_mut().unwrap();
        sharding.jobs = ["4", "12", "13"].map(str::to_owned).to_vec();
        let submitted = line(&session);
        assert!(
            submitted.contains("submitted as jobs 12 and 13: squeue --jobs 12,13"),
            "{submitted}"
        );
    }

    /// A session with shards in these states, none of which an engine runs.
    fn idle(saved: SavedState, shards: &[ShardStatus]) -> Session {
        let mut session = received(Phase::Stopped, 0);
        session.divide(2, "any").unwrap();
        session.record.state = saved;
        let state = |&standing: &ShardStatus| ShardState {
            standing,
            ..ShardState::default()
        };
        session.run.as_mut().unwrap().shards = shards.iter().map(state).collect();
        session
    }

    #[test]
    fn a_divided_session_that_no_engine_runs_is_judged_by_its_shards() {
        use ShardStatus::{Died, Done, Failed, NotBegun, Stopped};
        for (saved, shards, expected) in [
            // Its jobs may be waiting for their turn.
            (SavedState::New, [NotBegun; 2], SessionStatus::New),
            (SavedState::New, [Stopped, NotBegun], SessionStatus::Stopped),
            // Its network is trained, or its trainer was killed.
            (SavedState::Stopped, [NotBegun; 2], SessionStatus::Stopped),
            (
                SavedState::Running,
                [NotBegun; 2],
                SessionStatus::Interrupted,
            ),
            (
                SavedState::Failed("no images".into()),
                [NotBegun; 2],
                SessionStatus::Failed("no images".into()),
            ),
            (SavedState::Running, [Done; 2], SessionStatus::Stopped),
            (
                SavedState::Stopped,
                [Died, Done],
                SessionStatus::Interrupted,
            ),
            (SavedState::Stopped, [Failed, Done], SessionStatus::Stopped),
        ] {
            let session = idle(saved, &shards);
            let standing = SessionStatus::from_session(&session, None);
            assert_eq!(standing, expected, "{shards:?}");
        }
    }

    #[test]
    fn a_divided_session_whose_shards_are_all_done_is_merged_and_no_shard_is_run_again() {
        use ShardStatus::{Done, Stopped};
        let line = |shards: &[ShardStatus]| {
            let session = idle(SavedState::Stopped, shards);
            SessionStatus::Stopped.first_line(&session, 900)
        };
        let done = line(&[Done; 2]);
        assert_eq!(
            done,
            "mine  stopped; merge its shards, which are all done: noisescope merge mine"
        );
        let open = line(&[Done, Stopped]);
        assert!(open.contains("--shard 1/2 to 2/2, then: "), "{open}");
    }

    #[test]
    fn an_error_of_several_lines_keeps_them() {
        let session = Session::new("mine", Config::default());
        let failed = SessionStatus::Failed("export it:\n  model.eval()\u{7}".into());
        let line = failed.first_line(&session, 900);
        assert_eq!(line, "mine  failed: export it:\n  model.eval()?");
    }

    #[test]
    fn newer_damaged_and_unreadable_files_are_distinguished() {
        let path = PathBuf::from("mine.ron");
        let newer = StoreError::Newer {
            path: path.clone(),
            found: 99,
        };
        let damaged = StoreError::Damaged {
            path: path.clone(),
            problem: "cut".into(),
            advice: String::new(),
        };
        let denied = StoreError::Io {
            path,
            action: "read the file",
            source: std::io::ErrorKind::PermissionDenied.into(),
        };
        let words =
            [&newer, &damaged, &denied].map(|error| SessionStatus::from_error(error).label());
        assert_eq!(words, ["newer", "damaged", "unreadable"]);
        assert!(SessionStatus::from_error(&newer).is_unread());
    }
}
