//! A session whose classification images go on past what was planned. Nothing that has been done is
//! done again, but for what was made of the maps: templates and attacks, which begin anew.

use super::config::{Analysis as Plan, Extension, Invalid};
use super::record::{Analysis, State};
use super::{Config, Session};

/// Why a session cannot be extended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExtendError {
    /// No classification images of that number.
    #[error("the plan has {there} classification images; there is no number {asked}")]
    NoImages {
        /// The number, from 1.
        asked: usize,
        /// How many there are.
        there: usize,
    },
    /// No such γ.
    #[error("the plan has no γ = {asked}; it has {there}")]
    Gamma {
        /// The γ.
        asked: String,
        /// Those of the plan.
        there: String,
    },
    /// No such class.
    #[error("{0}")]
    Class(String),
    /// No more trials than there are.
    #[error("{asked} trials are no more than the {there} that are planned; name a larger number")]
    NoMore {
        /// What was asked for.
        asked: u64,
        /// The largest number planned of those γ.
        there: u64,
    },
    /// The plan would not be valid.
    #[error("{0}")]
    Invalid(#[from] Invalid),
}

impl Session {
    /// Raises what is still to do of the classification images of this number among those of the plan,
    /// from 0. Templates and attacks that were made of them are forgotten, and named.
    ///
    /// # Errors
    /// Where the plan has no such images, γ or class, or nothing would be added; the session stays as
    /// it was.
    pub fn extend(
        &mut self,
        images: usize,
        more: Extension,
    ) -> Result<Vec<&'static str>, ExtendError> {
        let at = self.images_at(images)?;
        let mut config = self.config.clone();
        let Some(Plan::ClassificationImages(plan)) = config.analyses.get_mut(at) else {
            return Err(self.no_images(images));
        };
        if let Some(asked) = more.gamma.filter(|gamma| !plan.gammas.contains(gamma)) {
            let there: Vec<String> = plan.gammas.iter().map(f64::to_string).collect();
            return Err(ExtendError::Gamma {
                asked: asked.to_string(),
                there: there.join(", "),
            });
        }
        if let (Some(class), Some(form)) = (&more.class, &self.record.form) {
            form.find(class).map_err(ExtendError::Class)?;
        }
        let own = plan.gammas.iter().filter(|gamma| more.is_of(**gamma));
        let planned = own.map(|&gamma| plan.trials_at(gamma));
        let (least, most) = planned.fold((u64::MAX, 0), |(least, most), n| {
            (least.min(n), most.max(n))
        });
        // A γ that stopped at its target has trials left to go on with.
        let stopped = matches!(&self.record.analyses[at], Analysis::ClassificationImages(it)
            if it.gammas.iter().any(|gamma| gamma.reached && more.is_of(gamma.gamma)));
        if more.trials <= least && !(stopped && more.trials == least) {
            return Err(ExtendError::NoMore {
                asked: more.trials,
                there: most,
            });
        }
        plan.extended.push(more.clone());
        config.validate()?;
        self.config = config;
        if let Analysis::ClassificationImages(it) = &mut self.record.analyses[at] {
            let gammas = it.gammas.iter_mut().filter(|gamma| more.is_of(gamma.gamma));
            gammas.for_each(|gamma| gamma.reached = false);
        }
        if self.record.state == State::Finished {
            self.record.state = State::Stopped;
        }
        Ok(self.forget_what_was_made_of(at))
    }

    /// The place in the plan of the classification images of this number.
    fn images_at(&self, images: usize) -> Result<usize, ExtendError> {
        let analyses = self.config.analyses.iter().enumerate();
        let mut all = analyses.filter(|(_, it)| matches!(it, Plan::ClassificationImages(_)));
        let place = all.nth(images).map(|(place, _)| place);
        place.ok_or_else(|| self.no_images(images))
    }

    fn no_images(&self, images: usize) -> ExtendError {
        let analyses = self.config.analyses.iter();
        let all = analyses.filter(|it| matches!(it, Plan::ClassificationImages(_)));
        ExtendError::NoImages {
            asked: images + 1,
            there: all.count(),
        }
    }

    /// Forgets what was measured with the maps at this place of the plan, and says what.
    fn forget_what_was_made_of(&mut self, at: usize) -> Vec<&'static str> {
        let mut forgotten = Vec::new();
        for index in at + 1..self.config.analyses.len() {
            let plan = &self.config.analyses[index];
            let own = &mut self.record.analyses[index];
            let made =
                plan.needs_classification_images() && self.config.images_before(index) == Some(at);
            if made && own.progress(plan).0 > 0 {
                *own = Analysis::new(plan);
                forgotten.push(plan.label());
            }
        }
        forgotten
    }
}

impl Config {
    /// Whether it was extended after it had been made.
    pub fn is_extended(&self) -> bool {
        let extended =
            |it: &Plan| matches!(it, Plan::ClassificationImages(it) if !it.extended.is_empty());
        self.analyses.iter().any(extended)
    }
}
