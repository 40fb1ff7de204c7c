//! The session: its configuration ([`Config`]) and its results so far ([`Record`]).
//!
//! Plain data and nothing else: the engine advances it, the RON file stores it, every view draws it and
//! every export reads it. It is the only model of a run. The live status ([`Run`]: rates, log, the last
//! checkpoint) travels with it and is never stored.

pub mod again;
pub mod array;
pub mod config;
mod error;
pub(crate) mod experiments;
mod extend;
pub mod form;
mod limits;
pub mod log;
mod memory;
mod migrate;
mod notes;
pub mod record;
pub mod run;
mod schema;
pub mod setting;
pub mod shards;
pub mod store;
pub mod text;
mod trash;

pub use array::Array;
pub use config::Config;
pub use form::Form;
pub use notes::NoteError;
pub use record::{Record, SavedState};
pub use run::Run;

use run::Stage;

/// One run of Noisescope, finished or not.
///
/// # Examples
/// A session and its file:
/// ```
/// use std::path::Path;
///
/// use noisescope::session::text::{from_text, to_text};
/// use noisescope::session::{Config, Session};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let session = Session::new("mine", Config::default());
/// assert_eq!(session.trials(), (0, 4_000_000));
/// let text = to_text(&session)?;
/// assert_eq!(from_text(&text, Path::new("mine.ron"), "mine")?, session);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Session {
    /// The file name without `.ron`; the user's name for the run.
    pub name: String,
    /// The configuration. It changes only by an extension once the session exists.
    pub config: Config,
    /// The results so far.
    pub record: Record,
    /// Live status of the engine that runs it; `None` if no engine runs.
    pub run: Option<Run>,
}

impl Session {
    /// A session in which nothing has been done yet.
    pub fn new(name: impl Into<String>, config: Config) -> Self {
        let record = Record::new(&config);
        Self {
            name: name.into(),
            config,
            record,
            run: None,
        }
    }

    /// Completed and planned trials of classification images.
    pub fn trials(&self) -> (u64, u64) {
        let plans = self.config.analyses.iter().enumerate();
        let is_images =
            |plan: &config::Analysis| matches!(plan, config::Analysis::ClassificationImages(_));
        let images = plans.filter(|(_, plan)| is_images(plan));
        images.fold((0, 0), |(done, all): (u64, u64), (index, plan)| {
            let (completed, planned) = self.record.progress_of(index, plan);
            (done.saturating_add(completed), all.saturating_add(planned))
        })
    }

    /// The stages that are open although all trials are done, in words: `attack, modulation`. `None` while trials are
    /// open, and if nothing is.
    pub fn open_after_trials(&self) -> Option<String> {
        let (done, all) = self.trials();
        if done < all || all == 0 || self.record.state == SavedState::Finished {
            return None;
        }
        let open = self.stages().into_iter().filter(|stage| !stage.finished);
        let mut names: Vec<String> = open.map(|stage| stage.name).collect();
        names.dedup();
        (!names.is_empty()).then(|| names.join(", "))
    }

    /// The stage that is under way or, if nothing runs, the next one. `None` before the first run, and if everything in
    /// the plan is done: a stage that has not begun by then had nothing to measure.
    pub fn current_stage(&self) -> Option<Stage> {
        if matches!(self.record.state, SavedState::New | SavedState::Finished) {
            return None;
        }
        let stages = self.stages();
        let running = self.run.as_ref().and_then(|run| run.phase.stage());
        let index = running.or_else(|| stages.iter().position(|stage| !stage.finished))?;
        stages.into_iter().nth(index)
    }

    /// Whether it failed before there were any results, so that nothing is lost with it.
    pub fn failed_with_nothing(&self) -> bool {
        matches!(self.record.state, SavedState::Failed(_)) && !self.has_results()
    }

    /// Whether anything has been measured, or a single batch trained.
    pub fn has_results(&self) -> bool {
        let training = self.record.training.as_ref();
        let untrained = match &self.config.network.weights {
            config::WeightSource::File(_) => true,
            config::WeightSource::Train(_) => training
                .is_none_or(|training| training.epochs.is_empty() && training.partial.batches == 0),
        };
        let mut plans = self.config.analyses.iter().zip(&self.record.analyses);
        let is_empty = plans.all(|(plan, record)| record.progress(plan).0 == 0);
        !(untrained && is_empty)
    }

    /// Every stage of the plan with its recorded progress, the network first.
    pub fn stages(&self) -> Vec<Stage> {
        let training = self.record.training.as_ref();
        let finished = training.is_some_and(|training| training.finished);
        let epochs = training.map_or(0, |training| training.epochs.len() as u64);
        let (name, unit, done, total) = match &self.config.network.weights {
            config::WeightSource::Train(plan) => ("training", "epochs", epochs, plan.epochs as u64),
            config::WeightSource::File(_) => ("weights", "file", u64::from(finished), 1),
        };
        let first = Stage {
            name: name.into(),
            unit: unit.into(),
            done,
            total,
            finished,
            ..Stage::default()
        };
        let plans = self.config.analyses.iter().enumerate();
        let others = plans.map(|(index, plan)| {
            let (done, total) = self.record.progress_of(index, plan);
            Stage {
                name: plan.label().into(),
                unit: plan.unit().into(),
                done,
                total,
                finished: self.record.is_done(index, plan),
                ..Stage::default()
            }
        });
        std::iter::once(first).chain(others).collect()
    }
}

#[cfg(test)]
mod tests;
