//! The session is the state: what to do ([`Config`]) and what has happened so far ([`Record`]).
//!
//! Plain data, and nothing else. The engine advances it, the RON file stores it, every view draws
//! it and every export reads it. There is no second model of a run anywhere. How the run goes at
//! this moment ([`Run`]: rates, log, the last checkpoint) travels with it and is never stored.

pub mod array;
pub mod config;
mod error;
pub mod record;
pub mod run;
pub mod setting;
pub mod store;
pub mod text;

pub use array::Array;
pub use config::Config;
pub use record::{Record, State};
pub use run::Run;

/// One run of Noisescope, finished or not.
#[derive(Debug, Clone, PartialEq)]
pub struct Session {
    /// The file's name without `.ron`; what a person calls the run.
    pub name: String,
    /// What to do. Never changes once the session exists.
    pub config: Config,
    /// What has happened so far.
    pub record: Record,
    /// How the engine that runs it is doing; `None` where no engine runs.
    pub run: Option<Run>,
}

impl Session {
    /// A session of which nothing has been done yet.
    pub fn new(name: impl Into<String>, config: Config) -> Self {
        let record = Record::new(&config);
        Self {
            name: name.into(),
            config,
            record,
            run: None,
        }
    }

    /// Trials done and planned, over all analyses.
    pub fn trials(&self) -> (u64, u64) {
        let planned = |analysis: &config::Analysis| {
            let config::Analysis::ClassificationImages(it) = analysis;
            it.trials * it.gammas.len() as u64
        };
        let done = |analysis: &record::Analysis| {
            let record::Analysis::ClassificationImages(it) = analysis;
            it.trials()
        };
        (
            self.record.analyses.iter().map(done).sum(),
            self.config.analyses.iter().map(planned).sum(),
        )
    }
}
