//! Extending a session: more trials of its classification images than planned. Nothing measured is
//! repeated, except the templates and attacks that use those maps, which start over.

use super::config::{Analysis as Plan, ConfigError, Extension};
use super::record::{Analysis, GammaTrials, SavedState};
use super::store::session_of_shard;
use super::{Config, Session};
use crate::ids::Gamma;

/// Why a session cannot be extended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExtendError {
    /// There are no classification images with that number.
    #[error("there is no set {requested} of classification images; the plan has {available}")]
    NoImages {
        /// The number, from 1.
        requested: usize,
        /// How many there are.
        available: usize,
    },
    /// There are no classification images at all.
    #[error(
        "its plan has no classification images, and only these can be given more trials; a new session can have another plan"
    )]
    NoneToExtend,
    /// There is no such γ.
    #[error("the plan has no γ = {requested}; it has {available}")]
    Gamma {
        /// The γ.
        requested: String,
        /// Those in the plan.
        available: String,
    },
    /// There is no such class, or it has no map.
    #[error("{0}")]
    Class(String),
    /// It is divided into shards, or is one of them; the name of the session as a whole.
    #[error(
        "{0} is divided into shards, and all of them must have the same plan; first merge them: noisescope merge {0}"
    )]
    Divided(String),
    /// The requested total adds no trials.
    #[error(
        "{requested} trials are no more than the {available} already planned; {}",
        remedy(stopped.as_ref())
    )]
    NoMore {
        /// The requested total.
        requested: u64,
        /// The largest total planned for the γ concerned.
        available: u64,
        /// The first γ concerned that has ended at its target, if any.
        stopped: Option<Stopped>,
    },
    /// The extended plan would be invalid.
    #[error("{0}")]
    Invalid(#[from] ConfigError),
}

/// A γ that has ended at its target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stopped {
    /// The γ.
    pub gamma: String,
    /// Trials done.
    pub done: u64,
    /// Trials planned, which it runs on to if they are asked for.
    pub planned: u64,
}

/// How to ask for more trials.
fn remedy(stopped: Option<&Stopped>) -> String {
    match stopped {
        Some(Stopped {
            gamma,
            done,
            planned,
        }) => format!(
            "γ = {gamma} ended at its target after {done} of {planned}: give --gamma {gamma} --trials {planned} to run \
             it to the end of its plan, or a larger number"
        ),
        None => "give a larger number".into(),
    }
}

impl Session {
    /// Extends the plan's classification images number `images`, from 0. Templates and attacks that used
    /// them are reset; their names are returned.
    ///
    /// # Errors
    /// If the plan has no such images, γ or class, or nothing would be added, or it is divided; the session
    /// then stays unchanged.
    pub fn extend(
        &mut self,
        images: usize,
        more: Extension,
    ) -> Result<Vec<&'static str>, ExtendError> {
        if self.record.sharding.is_some() || self.record.shard.is_some() {
            return Err(ExtendError::Divided(session_of_shard(&self.name).into()));
        }
        let index = self.images_at(images)?;
        let mut config = self.config.clone();
        let Some(Plan::ClassificationImages(plan)) = config.analyses.get_mut(index) else {
            return Err(self.no_images(images));
        };
        if let Some(requested) = more.gamma.filter(|gamma| !plan.gammas.contains(gamma)) {
            let available: Vec<String> = plan.gammas.iter().map(Gamma::to_string).collect();
            return Err(ExtendError::Gamma {
                requested: requested.to_string(),
                available: available.join(", "),
            });
        }
        if let (Some(class), Some(form)) = (&more.class, &self.record.form) {
            let checked = plan.check_target_class(class, form);
            checked.map_err(ExtendError::Class)?;
        }
        let extended = plan.gammas.iter().filter(|gamma| more.applies_to(**gamma));
        let planned = extended.map(|&gamma| plan.trials_at(gamma));
        let (least, most) = planned.fold((u64::MAX, 0), |(least, most), n| {
            (least.min(n), most.max(n))
        });
        // A γ that stopped at its target has trials left, and one that has not reached the end of its plan can be given
        // a target.
        let has_left = |trials: &GammaTrials| {
            let planned = plan.trials_at(trials.gamma);
            let open = trials.reached || (more.target.is_some() && trials.trials < planned);
            more.applies_to(trials.gamma) && planned == more.trials && open
        };
        let measured = match &self.record.analyses[index] {
            Analysis::ClassificationImages(images) => images.gammas.as_slice(),
            _ => &[],
        };
        if more.trials <= least && !measured.iter().any(has_left) {
            let mut concerned = measured
                .iter()
                .map(|trials| (trials, plan.trials_at(trials.gamma)));
            let stopped = concerned.find(|(trials, planned)| {
                more.applies_to(trials.gamma) && trials.reached && trials.trials < *planned
            });
            return Err(ExtendError::NoMore {
                requested: more.trials,
                available: most,
                stopped: stopped.map(|(trials, planned)| Stopped {
                    gamma: trials.gamma.to_string(),
                    done: trials.trials,
                    planned,
                }),
            });
        }
        let place = plan.extended.len();
        plan.extended.push(more);
        let gammas = plan.gammas.iter().copied();
        let changed: Vec<Gamma> = gammas.filter(|&gamma| plan.changes(place, gamma)).collect();
        config.validate()?;
        self.config = config;
        if let Analysis::ClassificationImages(images) = &mut self.record.analyses[index] {
            let extended = images
                .gammas
                .iter_mut()
                .filter(|trials| changed.contains(&trials.gamma));
            extended.for_each(|trials| trials.reached = false);
        }
        if self.record.state == SavedState::Finished {
            self.record.state = SavedState::Stopped;
        }
        Ok(self.reset_dependents(index))
    }

    /// Whether the plan's classification images number `images`, from 0, have been extended by `more`.
    pub fn has_extension(&self, images: usize, more: &Extension) -> bool {
        let index = self.images_at(images);
        let plan = index.ok().map(|index| &self.config.analyses[index]);
        matches!(plan, Some(Plan::ClassificationImages(plan)) if plan.extended.contains(more))
    }

    /// The index in the plan of the classification images with this number.
    fn images_at(&self, images: usize) -> Result<usize, ExtendError> {
        let analyses = self.config.analyses.iter().enumerate();
        let mut all = analyses.filter(|(_, plan)| matches!(plan, Plan::ClassificationImages(_)));
        let place = all.nth(images).map(|(place, _)| place);
        place.ok_or_else(|| self.no_images(images))
    }

    fn no_images(&self, images: usize) -> ExtendError {
        let analyses = self.config.analyses.iter();
        let all = analyses.filter(|plan| matches!(plan, Plan::ClassificationImages(_)));
        match all.count() {
            0 => ExtendError::NoneToExtend,
            available => ExtendError::NoImages {
                requested: images.saturating_add(1),
                available,
            },
        }
    }

    /// What an extension of the plan's classification images number `images`, from 0, would reset: the names of the
    /// templates and attacks that have begun with them. Empty if there are no such images.
    pub fn starts_over(&self, images: usize) -> Vec<&'static str> {
        let dependents = self.images_at(images).map(|at| self.dependents(at));
        let all = dependents.unwrap_or_default().into_iter();
        all.map(|index| self.config.analyses[index].label())
            .collect()
    }

    /// The indices in the plan of what has begun with the maps at this index.
    fn dependents(&self, images: usize) -> Vec<usize> {
        let records = &self.record.analyses;
        let pairs = self.config.analyses.iter().zip(records).enumerate();
        // What has begun has taken something from the maps, even if no block of it is done.
        let used_them = pairs.filter(|(index, (plan, record))| {
            plan.needs_classification_images()
                && self.config.images_before(*index) == Some(images)
                && **record != Analysis::new(plan)
        });
        used_them.map(|(index, _)| index).collect()
    }

    /// Resets what was measured with the maps at this index of the plan, and returns the names.
    fn reset_dependents(&mut self, images: usize) -> Vec<&'static str> {
        let mut forgotten = Vec::new();
        for index in self.dependents(images) {
            let plan = &self.config.analyses[index];
            self.record.analyses[index] = Analysis::new(plan);
            forgotten.push(plan.label());
        }
        forgotten
    }
}

impl Config {
    /// Whether it was extended after the session was created.
    pub fn is_extended(&self) -> bool {
        let extended = |plan: &Plan| matches!(plan, Plan::ClassificationImages(images) if !images.extended.is_empty());
        self.analyses.iter().any(extended)
    }
}

#[cfg(test)]
mod tests;
