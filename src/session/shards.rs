//! Dividing a session among engines: creating a shard, checking that it belongs, and adding up all
//! shards.

use super::config::{self, Analysis as Plan};
use super::record::shard::{Shard, Sharding, is_divided};
use super::record::{Record, Start};
use super::run::shards_in_words;
use super::store::{now, parse_shard_name};
use super::{Config, SavedState, Session};
use crate::format::counted;

/// Why a session cannot be divided, or a shard does not belong to it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShardError {
    /// It stops at a target reliability.
    #[error(
        "analyses[{0}].target: whether a map is reliable enough to stop depends on the trials of all shards, and no shard sees the others'; plan a number of trials instead (target: None), or run it on one machine"
    )]
    Target(usize),
    /// Nothing is left to do.
    #[error(
        "nothing is left to divide: every trial is done. For more: noisescope extend {0} --trials N"
    )]
    Finished(String),
    /// The shard belongs to something else.
    #[error("{0}")]
    Foreign(String),
    /// The shard has a different network.
    #[error("{0}")]
    Weights(String),
}

impl ShardError {
    /// Whether the network differs.
    pub fn is_of_weights(&self) -> bool {
        matches!(self, Self::Weights(_))
    }
}

/// Checks that the plan of a session can be divided.
///
/// # Errors
/// [`ShardError::Target`], with the index of the analysis that has one.
pub fn check_plan(config: &Config) -> Result<(), ShardError> {
    for (index, plan) in config.analyses.iter().enumerate() {
        if let Plan::ClassificationImages(images) = plan
            && images
                .gammas
                .iter()
                .any(|&gamma| images.target_at(gamma).is_some())
        {
            return Err(ShardError::Target(index));
        }
    }
    Ok(())
}

impl Session {
    /// Whether its network has been trained.
    pub fn is_trained(&self) -> bool {
        self.record
            .training
            .as_ref()
            .is_some_and(|training| training.finished)
    }

    /// Divides it among `count` shards, to be computed by `program`; what has been done stays in its own
    /// file.
    ///
    /// # Errors
    /// If its plan cannot be divided, or nothing is left to do.
    pub fn divide(&mut self, count: u32, program: &str) -> Result<(), ShardError> {
        check_plan(&self.config)?;
        let plans = self.config.analyses.iter().enumerate();
        let mut open =
            plans.filter(|(index, plan)| is_divided(plan) && !self.record.is_done(*index, plan));
        if open.next().is_none() {
            return Err(ShardError::Finished(self.name.clone()));
        }
        self.record.sharding = Some(Sharding {
            count,
            program: program.to_owned(),
            from: self
                .record
                .analyses
                .iter()
                .map(|analysis| analysis.blocks())
                .collect(),
            jobs: Vec::new(),
        });
        Ok(())
    }

    /// The shards of a divided session in words, and, if no engine runs any of them, the jobs that were submitted for them.
    pub fn shards_in_words(&self) -> String {
        let shards = self.run.as_ref().map_or(&[][..], |run| &run.shards);
        let number = counted(shards.len() as u64, "shard", "shards");
        let words = format!("{number}: {}", shards_in_words(shards));
        let submitted = self.record.sharding.as_ref().and_then(Sharding::submitted);
        match submitted {
            Some(jobs) if !shards.iter().any(|shard| shard.standing.is_at_work()) => {
                format!("{words}; {jobs}")
            }
            _ => words,
        }
    }

    /// A new shard: a session of the same plan and network under this name, with nothing done. `None` if
    /// the session is not divided.
    pub fn new_shard(&self, name: &str, index: u32) -> Option<Self> {
        let sharding = self.record.sharding.as_ref()?;
        let fresh = Record::new(&self.config);
        Some(Self {
            name: name.to_owned(),
            config: self.config.clone(),
            record: Record {
                inputs: self.record.inputs.clone(),
                images: self.record.images.clone(),
                form: self.record.form.clone(),
                model: self.record.model.clone(),
                training: self.record.training.clone(),
                shard: Some(Shard {
                    index,
                    count: sharding.count,
                    from: sharding.from.clone(),
                    node: String::new(),
                    job: None,
                    per_second: None,
                    eta_s: None,
                    checkpoint_s: self.config.checkpoint_s,
                    portions: Vec::new(),
                }),
                ..fresh
            },
            run: None,
        })
    }

    /// Whether a session is a finished shard of an earlier division, whose sums are already included: it
    /// counts as not begun.
    pub fn has_merged(&self, other: &Self) -> bool {
        match (&self.record.sharding, &other.record.shard) {
            (Some(sharding), Some(shard)) => {
                other.record.state == SavedState::Finished && shard.from != sharding.from
            }
            _ => false,
        }
    }

    /// Checks that a session is a shard of this one as it is currently divided.
    ///
    /// # Errors
    /// What belongs to another session, and a remedy.
    pub fn check_shard(&self, other: &Self) -> Result<(), ShardError> {
        let foreign = |problem: String| Err(ShardError::Foreign(problem));
        let (Some(sharding), Some(shard)) = (&self.record.sharding, &other.record.shard) else {
            return foreign(format!("{} is not a shard of {}", other.name, self.name));
        };
        if shard.count != sharding.count {
            return foreign(format!(
                "{} is one of {}, but {} is divided into {}",
                other.name,
                counted(u64::from(shard.count), "shard", "shards"),
                self.name,
                sharding.count
            ));
        }
        // It would be added twice.
        if let Some((_, number, _)) = parse_shard_name(&other.name)
            && number != shard.index
        {
            return foreign(format!(
                "{} is a copy of the file of shard {}. Remove {}.ron and run shard {number}/{} again",
                other.name, shard.index, other.name, shard.count
            ));
        }
        if let Some(place) = other.config.difference(&self.config) {
            return foreign(format!(
                "the plans of {} and {} differ in {place}: one of them was edited. Undo the edit, or remove {}.ron and run shard {}/{} again",
                other.name, self.name, other.name, shard.index, shard.count
            ));
        }
        if shard.from != sharding.from {
            return foreign(format!(
                "{} started from another state of {}: it has been merged already, or does not belong to it. Remove {}.ron and run shard {}/{} again",
                other.name, self.name, other.name, shard.index, shard.count
            ));
        }
        let weights = |session: &Self| {
            session
                .record
                .training
                .as_ref()
                .map(|training| training.best.clone())
        };
        self.check_origin(other, sharding)?;
        if weights(self) != weights(other) {
            return Err(ShardError::Weights(format!(
                "{} has a different network: its weights are not those of {}. Remove {}.ron and run shard {}/{} again",
                other.name, self.name, other.name, shard.index, shard.count
            )));
        }
        Ok(())
    }

    /// Checks that its images and its program are those of this session.
    fn check_origin(&self, other: &Self, sharding: &Sharding) -> Result<(), ShardError> {
        if let (Some(expected), Some(found)) =
            (self.record.inputs.last(), other.record.inputs.last())
        {
            let differences = found.differences(expected);
            if let Some((_, words)) = differences.first() {
                return Err(ShardError::Foreign(format!("{}: {words}", other.name)));
            }
        }
        let mut programs = other
            .record
            .starts
            .iter()
            .map(|start: &Start| &start.program);
        if let Some(program) = programs.find(|program| **program != sharding.program) {
            return Err(ShardError::Foreign(format!(
                "{} was computed by noisescope {program}, but {} is divided among engines of {}; sums of different programs are not added. Remove {}.ron and run it again with that program",
                other.name, self.name, sharding.program, other.name
            )));
        }
        Ok(())
    }

    /// Adds a shard's results so far. Shards are added in order of their numbers.
    ///
    /// # Errors
    /// If it does not belong to this session or does not fit; this session then stays as it was.
    pub fn absorb(&mut self, shard: &Self) -> Result<(), ShardError> {
        self.check_shard(shard)?;
        let mut analyses = self.record.analyses.clone();
        let all = analyses.iter_mut().zip(&shard.record.analyses);
        for (index, (record, more)) in all.enumerate() {
            record.absorb(more).map_err(|problem| {
                ShardError::Foreign(format!("{}: analyses[{index}]: {problem}", shard.name))
            })?;
        }
        let record = &mut self.record;
        record.analyses = analyses;
        record.elapsed_s += shard.record.elapsed_s;
        for device in &shard.record.devices {
            if !record.devices.contains(device) {
                record.devices.push(device.clone());
            }
        }
        record.starts.extend(shard.record.starts.iter().cloned());
        Ok(())
    }

    /// Ends the division, once every shard has been added.
    pub fn end_division(&mut self) {
        self.record.sharding = None;
        let plans: &[config::Analysis] = &self.config.analyses;
        for (plan, analysis) in plans.iter().zip(&mut self.record.analyses) {
            analysis.conclude(plan);
        }
        self.record.starts.sort_by_key(|start| start.at);
        // The network's decisions on the maps are computed when it is next run.
        self.record.state = SavedState::Stopped;
        self.record.updated = now();
    }
}

#[cfg(test)]
mod tests;
