//! Extending a session: more trials of its classification images than planned. Nothing measured is
//! repeated, except the templates and attacks that use those maps, which start over.

use super::config::{Analysis as Plan, ConfigError, Extension};
use super::record::{Analysis, SavedState};
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
        "{requested} trials are no more than the {available} already planned; give a larger number"
    )]
    NoMore {
        /// The requested total.
        requested: u64,
        /// The largest total planned for the γ concerned.
        available: u64,
    },
    /// The extended plan would be invalid.
    #[error("{0}")]
    Invalid(#[from] ConfigError),
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
        // A γ that stopped at its target has trials left.
        let has_left =
            |gamma: Gamma| more.applies_to(gamma) && plan.trials_at(gamma) == more.trials;
        let stopped = matches!(&self.record.analyses[index], Analysis::ClassificationImages(images)
            if images.gammas.iter().any(|trials| trials.reached && has_left(trials.gamma)));
        if more.trials <= least && !stopped {
            return Err(ExtendError::NoMore {
                requested: more.trials,
                available: most,
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
        ExtendError::NoImages {
            requested: images.saturating_add(1),
            available: all.count(),
        }
    }

    /// Resets what was measured with the maps at this index of the plan, and returns the names.
    fn reset_dependents(&mut self, images: usize) -> Vec<&'static str> {
        let mut forgotten = Vec::new();
        let records = self.record.analyses.iter_mut();
        for (index, (plan, record)) in self.config.analyses.iter().zip(records).enumerate() {
            let uses_them = plan.needs_classification_images()
                && self.config.images_before(index) == Some(images);
            // What has begun has taken something from the maps, even if no block of it is done.
            let unbegun = Analysis::new(plan);
            if uses_them && *record != unbegun {
                *record = unbegun;
                forgotten.push(plan.label());
            }
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
mod tests {
    use super::*;
    use crate::session::config::{ClassificationImages, Templates};
    use crate::session::form::Form;
    use crate::session::record::{ClassificationImages as Images, TrialKind};

    /// Two sets of classification images at two γ, each followed by templates that are done.
    fn finished() -> Session {
        let plan = ClassificationImages {
            gammas: vec![Gamma::NOISE, Gamma(0.3)],
            trials: 100,
            ..Default::default()
        };
        let images = Plan::ClassificationImages(plan.clone());
        let templates = Plan::Templates(Templates::default());
        let config = Config {
            analyses: vec![images.clone(), templates.clone(), images, templates],
            ..Config::default()
        };
        let mut session = Session::new("mine", config);
        session.record.state = SavedState::Finished;
        let kind = TrialKind::plain(2, [1, 1, 1]);
        session.record.analyses[0] =
            Analysis::ClassificationImages(Images::with_trials(&plan, &kind));
        for index in [1, 3] {
            if let Analysis::Templates(templates) = &mut session.record.analyses[index] {
                templates.progress.done = 7;
            }
        }
        session
    }

    fn more(gamma: Option<f64>, trials: u64) -> Extension {
        Extension {
            gamma: gamma.map(Gamma),
            trials,
            target: None,
            class: None,
        }
    }

    #[test]
    fn an_extension_resets_only_what_used_its_images() {
        let mut session = finished();
        let mut second = session.clone();
        assert_eq!(session.extend(0, more(None, 101)), Ok(vec!["templates"]));
        assert_eq!(session.record.state, SavedState::Stopped);
        let done = |session: &Session| {
            let pairs = session.record.analyses.iter().zip(&session.config.analyses);
            pairs
                .map(|(record, plan)| record.progress(plan).0)
                .collect::<Vec<u64>>()
        };
        assert_eq!(done(&session), [0, 0, 0, 7]);
        assert!(session.config.is_extended());
        assert_eq!(second.extend(1, more(None, 101)), Ok(vec!["templates"]));
        assert_eq!(done(&second), [0, 7, 0, 0]);
        let before = finished();
        assert!(!before.config.is_extended());
        let mut same = before.clone();
        let missing = ExtendError::NoImages {
            requested: 3,
            available: 2,
        };
        assert_eq!(same.extend(2, more(None, 101)), Err(missing));
        assert!(same.extend(usize::MAX, more(None, 101)).is_err());
        assert!(same.extend(0, more(Some(0.5), 101)).is_err());
        assert!(same.extend(0, more(None, u64::MAX)).is_err());
        assert!(same == before);
    }

    #[test]
    fn what_has_not_begun_is_not_reset() {
        let mut session = finished();
        if let Analysis::Templates(templates) = &mut session.record.analyses[3] {
            templates.progress.done = 0;
        }
        assert_eq!(session.extend(1, more(None, 101)), Ok(vec![]));
        assert_eq!(session.extend(0, more(None, 101)), Ok(vec!["templates"]));
        assert_eq!(session.extend(0, more(None, 102)), Ok(vec![]));
    }

    #[test]
    fn what_has_begun_with_the_maps_is_reset_even_if_none_of_it_is_done() {
        let mut session = finished();
        let Analysis::Templates(templates) = &mut session.record.analyses[1] else {
            unreachable!()
        };
        (templates.progress.done, templates.progress.total) = (0, 90);
        assert_eq!(session.extend(0, more(None, 101)), Ok(vec!["templates"]));
        let unbegun = Analysis::new(&session.config.analyses[1]);
        assert!(session.record.analyses[1] == unbegun);
    }

    #[test]
    fn the_class_that_must_reach_a_target_has_a_map() {
        let mut session = finished();
        if let Plan::ClassificationImages(plan) = &mut session.config.analyses[0] {
            plan.classes = vec!["1".into()];
        }
        let towards = |class: &str| Extension {
            target: Some(0.9),
            class: Some(class.into()),
            ..more(None, 101)
        };
        let extended = |session: &Session, class: &str| {
            let extended = session.clone().extend(0, towards(class));
            extended.map_err(|error| error.to_string())
        };
        let form = Form::numbered([1, 1, 1], 3);
        let place = |class: &str| {
            let mut session = session.clone();
            session.extend(0, towards(class)).unwrap();
            let checked = session.config.check_target_classes(&form);
            checked.map_err(|error| error.path)
        };
        // Unknown until the images have been read, and checked then.
        let refused = Err("analyses[0].extended[0].class".to_owned());
        assert_eq!(place("owl"), refused);
        assert_eq!(place("2"), refused);
        assert_eq!(place("1"), Ok(()));
        session.record.form = Some(form);
        let without = "class 2 has no map; the plan has maps of 1";
        assert_eq!(extended(&session, "2"), Err(without.to_owned()));
        assert!(extended(&session, "owl").unwrap_err().contains("owl"));
        assert!(extended(&session, "1").is_ok());
    }

    #[test]
    fn the_plan_of_a_divided_session_and_of_its_shards_is_not_extended() {
        let mut whole = finished();
        whole.divide(2, "any").unwrap();
        let shard = whole.new_shard("mine.shard-1-of-2", 1).unwrap();
        for mut session in [whole, shard] {
            let before = session.clone();
            let refused = session.extend(0, more(None, 101)).unwrap_err();
            assert_eq!(refused, ExtendError::Divided("mine".into()));
            assert!(session == before);
        }
    }

    #[test]
    fn a_gamma_that_ended_at_its_target_does_not_run_on_if_only_others_are_raised() {
        let mut session = finished();
        session.extend(0, more(Some(0.3), 300)).unwrap();
        let Analysis::ClassificationImages(images) = &mut session.record.analyses[0] else {
            unreachable!()
        };
        let all = images.gammas.iter_mut();
        all.for_each(|trials| trials.reached = true);
        let reached = |trials: u64| {
            let mut session = session.clone();
            let extended = session.extend(0, more(None, trials));
            let images = session.record.classification_images().unwrap();
            let reached = images.gammas.iter().map(|trials| trials.reached);
            (extended.is_ok(), reached.collect::<Vec<bool>>())
        };
        assert_eq!(reached(99), (false, vec![true, true]));
        assert_eq!(reached(100), (true, vec![false, true]));
        assert_eq!(reached(200), (true, vec![false, true]));
        assert_eq!(reached(300), (true, vec![false, true]));
        assert_eq!(reached(301), (true, vec![false, false]));
    }

    #[test]
    fn an_extension_must_add_trials_unless_a_gamma_stopped_at_its_target() {
        let mut session = finished();
        let refused = |session: &mut Session, more: Extension| match session.extend(0, more) {
            Err(ExtendError::NoMore {
                requested,
                available,
            }) => Some((requested, available)),
            _ => None,
        };
        session.extend(0, more(Some(0.3), 300)).unwrap();
        assert_eq!(refused(&mut session, more(None, 100)), Some((100, 300)));
        assert_eq!(
            refused(&mut session, more(Some(0.3), 300)),
            Some((300, 300))
        );
        assert_eq!(refused(&mut session.clone(), more(None, 101)), None);
        let reached = |session: &Session| -> Vec<bool> {
            let images = session.record.classification_images().unwrap();
            images.gammas.iter().map(|trials| trials.reached).collect()
        };
        let Analysis::ClassificationImages(images) = &mut session.record.analyses[0] else {
            unreachable!()
        };
        images
            .gammas
            .iter_mut()
            .for_each(|trials| trials.reached = true);
        assert_eq!(
            refused(&mut session, more(Some(0.3), 299)),
            Some((299, 300))
        );
        assert_eq!(reached(&session), [true, true]);
        assert_eq!(refused(&mut session, more(Some(0.3), 300)), None);
        assert_eq!(reached(&session), [true, false]);
        // It runs on now, so the same total adds nothing any more.
        assert_eq!(
            refused(&mut session, more(Some(0.3), 300)),
            Some((300, 300))
        );
    }
}
